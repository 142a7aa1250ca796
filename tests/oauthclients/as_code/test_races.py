"""Two at once, on PostgreSQL, where writers do not queue up by themselves."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser

from accounts.models import UserState
from accounts.services import people
from oauthclients.as_code import apply as made
from oauthclients.as_code import document
from oauthclients.models import Client, ClientSecret
from oauthclients.services import clients
from tests import cast as standing_cast
from tests.cast import Cast
from tests.oauthclients.as_code.files import APP, SERVICE, file_of
from tests.protocol.test_races import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
]


@pytest.fixture
def cast(transactional_db) -> Cast:
    return standing_cast.make()


def applying(text: str, folder: Path, number: int) -> str:
    """In a thread of its own; what it ended with."""
    file = folder / f"{number}.yaml"
    file.write_text(text)
    out, err = io.StringIO(), io.StringIO()
    arguments = ["--as", "ada@acme.example", "--organization", "acme", "--yes", str(file)]
    arguments += ["--secrets-file", str(folder / f"secrets-{number}")]
    try:
        call_command("clients", "apply", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return f"{error} {err.getvalue()}"
    return out.getvalue()


def test_of_two_who_apply_the_same_one_makes_it(cast, tmp_path):
    text = file_of(SERVICE, APP)
    answers = at_once(*[lambda number=number: applying(text, tmp_path, number) for number in range(4)])

    assert all(isinstance(answer, str) for answer in answers), answers
    done = [number for number, answer in enumerate(answers) if str(answer).endswith("Applied.\n")]
    assert len(done) == 1, answers
    for number, answer in enumerate(answers):
        if number not in done:
            assert answer == "No changes.\n" or "has changed since the plan" in str(answer)
            assert not (tmp_path / f"secrets-{number}").exists()
    assert Client.objects.count() == ClientSecret.objects.count() == 2
    secrets = json.loads((tmp_path / f"secrets-{done[0]}").read_text())["clients"]
    assert cast.token(Client.objects.get(name="Billing sync"), secrets[0]["client_secret"])


def test_an_edit_in_the_console_meanwhile_is_not_lost(cast, tmp_path):
    client, _secret = cast.client(("Supervisor", cast.home))
    ada = cast.actor(cast.ada)
    wanted = made.Wanted(document.read(file_of("name: Billing sync\ndescription: new").encode()))
    planned = made.plan(cast.ada, wanted)
    applied, edited = at_once(
        lambda: made.apply(cast.ada, wanted, expected=planned.fingerprint, deliver=lambda _new: None),
        lambda: clients.change(
            actor=ada, client_id=client.id, spec=lambda was: was, version=1, state="inactive"
        ),
    )
    client.refresh_from_db()
    assert client.version == 2
    first = "apply" if client.description else "edit"
    assert isinstance(edited if first == "apply" else applied, made.Conflict)


def test_whoever_is_deactivated_meanwhile_applies_nothing_afterwards(cast, tmp_path):
    wanted = made.Wanted(document.read(file_of(SERVICE).encode()))
    planned = made.plan(cast.ben, made.Wanted(document.read(b"version: 1\n")))
    assert not planned.changes
    cast.give(cast.ben, ("Supervisor", None), ("Client Manager", cast.home))
    planned = made.plan(cast.ben, wanted)
    applied, _gone = at_once(
        lambda: made.apply(cast.ben, wanted, expected=planned.fingerprint, deliver=lambda _new: None),
        lambda: people.change(
            actor=cast.actor(cast.ada),
            user_id=cast.ben.id,
            version=None,
            values={"state": UserState.INACTIVE},
        ),
    )
    assert isinstance(applied, made.NotAllowed) != Client.objects.exists()


def test_refusing_an_app_while_its_people_get_tokens(cast, tmp_path):
    """In the order in which everybody locks, so that nobody waits for each other."""
    app = cast.app("users")
    browsers = []
    for person in (cast.eve, cast.ben):
        browser = Browser()
        browser.post("/sign-in/", {"email": person.email, "password": standing_cast.PASSWORD})
        browsers.append(app.allowed(browser)["code"])
    text = file_of("name: Web app\ndescription: new\nauthorization:\n  state: refused")
    said, *answers = at_once(
        lambda: applying(text, tmp_path, 0),
        *[lambda code=code: app.exchange(code, Browser()) for code in browsers],
    )
    assert str(said).endswith("Applied.\n"), said
    assert all(answer.status_code in (200, 400, 401, 403) for answer in answers), answers
    for answer in answers:
        if answer.status_code == 200:
            headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            assert Browser().get("/api/v2/users/me", headers=headers).status_code in (401, 403)
