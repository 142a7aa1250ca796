"""The link of an invitation in a browser: the secret leaves the address at once, looking uses nothing up, and
choosing a password signs in."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client as Browser

from accounts.actor import system
from accounts.models import AuditEvent, Invitation, User
from accounts.services import invitations, people
from accounts.sign_in.sessions import SessionStore, stored
from config.logs import LineFormatter, redact
from tests.cast import PASSWORD
from tests.oauthclients.console.wizard import problems, text

NEW = "a wholly different password"
PAGE = "/invitation/"
OVER = "This link does not work any more. Ask for a new one."


@pytest.fixture
def nora(cast) -> User:
    return people.create(
        actor=system(cast.acme),
        spec=people.PersonSpec(
            name="Nora", email="nora@acme.example", division_id=cast.east.id, state="active"
        ),
    )


@pytest.fixture
def link(cast, nora) -> str:
    """The path of the link that Nora was sent."""
    invitations.send(actor=cast.actor(cast.ada), user_id=nora.id)
    found = re.search(r"http://localhost:8000(/invitation/\S+/)", mail.outbox[-1].body)
    assert found
    return found[1]


def choose(browser, password=NEW, again=None, **more):
    return browser.post(PAGE, {"password": password, "password_again": again or password}, **more)


def is_over(browser, address=PAGE) -> bool:
    response = browser.get(address, follow=True)
    return response.status_code == 410 and OVER in text(response)


def test_the_link_leads_to_an_address_without_the_secret(client, link):
    response = client.get(link)

    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    page = client.get(PAGE)
    assert page["Referrer-Policy"] == "same-origin"
    assert "no-store" in page["Cache-Control"]
    assert "nora@acme.example" in text(page)
    assert "at least 8 characters" in text(page)
    assert link.split("/")[3] not in page.content.decode()


def test_the_session_holds_the_invitation_and_not_the_secret(client, link):
    client.get(link)

    assert client.session["invitation"] == str(Invitation.objects.get().id)
    secret = link.split("/")[3]
    for row in Session.objects.all():
        assert secret not in str(SessionStore().decode(row.session_data))


def test_choosing_a_password_signs_in_with_a_fresh_session(client, nora, link):
    client.get(link)
    before = client.session.session_key

    response = choose(client)

    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=stored(before)).exists()
    assert "invitation" not in client.session
    assert client.get("/account/apps/").status_code == 200
    person = User.objects.get(id=nora.id)
    assert person.check_password(NEW)
    assert person.last_login is not None
    did = list(AuditEvent.objects.filter(actor_id=nora.id).values_list("action", flat=True))
    assert {"user.passwordSet", "user.invitationAccepted", "user.signedIn"} == set(did)
    assert NEW not in str(list(AuditEvent.objects.values()))


def test_it_works_once(client, link):
    client.get(link)
    choose(client)

    assert is_over(Browser(), link)
    assert is_over(client, link)


def test_a_scanner_that_looks_uses_nothing_up(client, link):
    for _look in range(3):
        scanner = Browser()
        assert scanner.get(link).status_code == 302
        assert scanner.head(link).status_code == 302
        assert scanner.get(PAGE).status_code == 200

    client.get(link)
    assert choose(client).status_code == 302


@pytest.mark.parametrize("end", ["replaced", "expired", "deactivated", "other email", "wrong"])
def test_a_link_that_does_not_work_says_so_plainly(cast, client, nora, link, end):
    client.get(link)  # one who came in time finds out when they send the form
    ada = cast.actor(cast.ada)
    if end == "replaced":
        invitations.send(actor=ada, user_id=nora.id)
    elif end == "expired":
        Invitation.objects.update(expires_at="2026-01-01T00:00Z")
    elif end == "deactivated":
        people.change(actor=ada, user_id=nora.id, version=None, values={"state": "inactive"})
    elif end == "other email":
        people.change(actor=ada, user_id=nora.id, version=None, values={"email": "n@acme.example"})
    else:
        assert is_over(Browser(), link[:-2] + "x/")
        assert is_over(client, link[:-2] + "x/")
        assert is_over(client)  # and the browser forgets the one it came with before
        return

    assert is_over(Browser(), link)
    assert choose(client).status_code == 410
    assert not User.objects.get(id=nora.id).has_usable_password()


def test_without_a_link_there_is_nothing(client, db):
    assert is_over(client)
    assert choose(client).status_code == 410


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("short", "short"), "This password is too short."),
        (("password1", "password1"), "This password is too common."),
        (("nora@acme.example", "nora@acme.example"), "too similar to the"),
        ((NEW, NEW + "x"), "This is not the same password. Type both again."),
        (("", ""), "Choose a password."),
        (("x" * 1025, "x" * 1025), "This password is too long."),
    ],
)
def test_a_password_that_will_not_do_is_said_in_its_place(client, nora, link, typed, said):
    client.get(link)
    response = client.post(PAGE, {"password": typed[0], "password_again": typed[1]})

    assert response.status_code == 200
    assert any(said in line for line in problems(response)), problems(response)
    assert "<title>Error" in response.content.decode()
    if typed[0]:
        assert f'value="{typed[0]}"' not in response.content.decode().replace("nora@acme.example", "?")
    assert not User.objects.get(id=nora.id).has_usable_password()
    assert choose(client).status_code == 302  # nothing is used up


def test_somebody_else_who_is_signed_in_there_is_told_and_signed_out(cast, browser_of, nora, link):
    browser = browser_of(cast.ada)
    browser.get(link)
    assert "Ada is signed in here, and will be signed out." in text(browser.get(PAGE))
    assert browser.get("/admin/people/").status_code == 200  # until then

    choose(browser)

    assert browser.get("/admin/people/").status_code == 403
    assert browser.get("/account/apps/").context["person"].id == nora.id


def test_the_password_chosen_counts_as_typed_just_now(cast, client, nora, link):
    cast.give(nora, ("Admin", None))
    client.get(link)
    choose(client)

    assert client.get(f"/admin/people/{cast.eve.id}/delete/").status_code == 200


def test_tries_from_one_address_are_counted_as_the_sign_ins_are(client, link, settings):
    settings.RATE_SIGN_INS_PER_ADDRESS = 2
    for _try in range(2):
        assert client.get(link).status_code == 302

    for response in (client.get(link), choose(client)):
        assert response.status_code == 429
        assert "Too many tries from your network." in text(response)
        assert int(response["Retry-After"]) > 0
        assert link.split("/")[3] not in response.content.decode()


def test_the_forms_token_is_needed(nora, link):
    strict = Browser(enforce_csrf_checks=True)
    strict.get(link)

    response = choose(strict)

    assert response.status_code == 403
    assert NEW not in response.content.decode()
    assert not User.objects.get(id=nora.id).has_usable_password()


def test_the_secret_is_in_no_log_line(client, link, settings, caplog):
    """Django writes the path of a request that it refuses."""
    settings.RATE_SIGN_INS_PER_ADDRESS = 1
    client.get(link)
    client.get(link)

    written = "\n".join(LineFormatter().format(record) for record in caplog.records)
    assert "Too Many Requests: /invitation/" in written
    assert link.split("/")[3] not in written


@pytest.mark.parametrize("shape", ["GET {link} 500", "Not Found: {link}", "see {upper}", "('{link}',)"])
def test_whoever_logs_the_link_logs_no_secret(link, shape):
    key, secret = link.split("/")[2:4]
    line = shape.format(link=link, upper=link.replace(key, key.upper()))

    assert secret in line
    assert secret not in redact(line)


def test_a_person_with_a_password_keeps_it_until_they_choose_another(cast, client):
    invitations.send(actor=cast.actor(cast.ada), user_id=cast.eve.id)
    found = re.search(r"http://localhost:8000(/invitation/\S+/)", mail.outbox[-1].body)
    assert found
    client.get(found[1])
    assert User.objects.get(id=cast.eve.id).check_password(PASSWORD)
    choose(client)
    assert User.objects.get(id=cast.eve.id).check_password(NEW)
