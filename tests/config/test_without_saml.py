"""An installation whose SAML libraries do not work: SAML is off and says so, and everything else is on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PROBE = """
import io, json
import django
django.setup()
from base64 import b64encode
from urllib.parse import urlencode
from django.core.management import call_command
from django.test import Client
out = io.StringIO()
call_command("demo", "--json", stdout=out)
demo = json.loads(out.getvalue())

def token(key, **form):
    client = demo["clients"][key]
    secret = b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
    return Client(headers={"Authorization": f"Basic {secret}"}).post(
        "/oauth/token", urlencode(form), content_type="application/x-www-form-urlencoded"
    )

browser = Client(headers={"host": "localhost"})
ada = demo["people"]["ada"]
found = {
    "tokens": token("client_credentials", grant_type="client_credentials").status_code,
    "saml": token(
        "saml2_bearer", grant_type="urn:ietf:params:oauth:grant-type:saml2-bearer",
        assertion="PHg+", orgName="acme",
    ).json()["error"],
    "metadata": browser.get("/.well-known/oauth-authorization-server").json()["grant_types_supported"],
    "acs": browser.post("/saml", {"SAMLResponse": "PHg+"}).status_code,
    "sign-in page": browser.get("/sign-in/?org=acme").status_code,
    "sign-in": browser.post("/sign-in/", {"email": ada["email"], "password": ada["password"]}).status_code,
    "console": browser.get("/admin/single-sign-on/").content.decode(),
    "client": browser.get(
        f"/admin/integrations/oauth/{demo['clients']['saml2_bearer']['client_id']}/"
    ).content.decode(),
    "check": browser.get("/admin/single-sign-on/check/").status_code,
}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    """What the server of such an installation answers, and the environment it runs in."""
    broken = tmp_path_factory.mktemp("broken")
    (broken / "xmlsec.py").write_text(
        'raise RuntimeError("lxml & xmlsec libxml2 library version mismatch")\n'
    )
    env = {
        **{key: value for key, value in os.environ.items() if key not in ("BASE_URL", "DATABASE_URL")},
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": f"{broken}{os.pathsep}{ROOT}",
        "STATE_DIR": str(tmp_path_factory.mktemp("state")),
        "ALLOWED_HOSTS": "localhost,testserver",
    }
    run = [sys.executable, "manage.py"]
    done = subprocess.run([*run, "collectstatic", "-v0", "--no-input"], cwd=ROOT, env=env, check=True)
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), env


def test_everything_else_goes_on(without):
    found, _env = without
    assert found["tokens"] == 200
    assert (found["sign-in page"], found["sign-in"]) == (200, 302)


def test_the_grant_is_not_there_and_not_said_to_be(without):
    found, _env = without
    assert found["saml"] == "unsupported_grant_type"
    assert not [name for name in found["metadata"] if "saml" in name]


def test_pages_and_providers_are_told_why(without):
    found, _env = without
    assert found["acs"] == 503
    assert found["check"] in (200, 503)
    assert "SAML is switched off on this server" in found["console"]
    assert "Add provider" in found["console"] or "switched off" in found["console"]
    assert "switched off" in found["client"]


def test_the_check_command_names_the_cause(without):
    _found, env = without
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "latchkey.W002" in done.stderr
    assert "version mismatch" in done.stderr
