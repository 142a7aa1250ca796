"""docs/as-code.md: the examples are applied as they stand."""

from __future__ import annotations

import json
import re
from pathlib import Path

from django.conf import settings

from accounts.actor import system
from oauthclients.as_code import document
from oauthclients.models import Client
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients
from tests.oauthclients.as_code.files import export, run

DOCS = (Path(settings.BASE_DIR) / "docs" / "as-code.md").read_text()
COMPLETE, OF_ANOTHER = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)


def test_the_complete_example(cast, tmp_path):
    planned = run("plan", COMPLETE, folder=tmp_path)
    assert planned.code == 2
    shown = re.search(r"none of them yet:\n\n```\n(.*?)```", DOCS, re.DOTALL)
    assert shown is not None
    assert planned.said.startswith(shown[1])
    assert f"`{planned.said.splitlines()[-1]}`" in DOCS

    ran = run("apply", COMPLETE, folder=tmp_path, yes=True, secrets_file=tmp_path / "secrets")

    assert (ran.code, ran.error) == (0, "")
    assert set(Client.objects.values_list("name", "token_seconds", "state")) == {
        ("Billing sync", 3600, "active"),
        ("Okta provisioning", 38_880_000, "active"),
        ("Wallboard", 64_800, "active"),
        ("Browser extension", 86_400, "disabled"),
    }
    secrets = json.loads((tmp_path / "secrets").read_text())
    assert [one["name"] for one in secrets["clients"]] == ["Billing sync", "Okta provisioning", "Wallboard"]
    assert run("apply", COMPLETE, folder=tmp_path, yes=True).said == "No changes.\n"
    assert run("plan", export(), folder=tmp_path).code == 0


def test_the_app_of_another_organization(cast, tmp_path):
    theirs, _secret = clients.create(
        actor=system(cast.globex),
        spec=ClientSpec(
            name="Theirs",
            grant_type="authorization-code",
            redirect_uris=("https://theirs.example/",),
            scope=("users",),
        ),
    )
    text = OF_ANOTHER.replace("11111111-2222-4333-8444-555555555555", str(theirs.id))
    assert text != OF_ANOTHER
    assert run("apply", text, folder=tmp_path, yes=True).code == 0
    assert run("apply", text, folder=tmp_path, yes=True).said == "No changes.\n"


def test_every_key_is_explained():
    for key in ("version", "organization", "clients", "authorizations", *document.CLIENT_KEYS):
        assert f"| `{key}` |" in DOCS
