"""Signing in and out: what people read, and what nobody can find out or get around."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.test import Client as Browser
from django.utils import timezone

from accounts.actor import system
from accounts.models import AuditEvent
from accounts.services import people
from tests.cast import PASSWORD

WRONG = "Email or password is wrong."


def sign_in(browser, email, password=PASSWORD, **more):
    return browser.post("/sign-in/", {"email": email, "password": password, **more})


def test_a_person_signs_in_and_lands_on_admin_home(cast):
    browser = Browser()
    response = sign_in(browser, cast.ada.email)
    assert response.status_code == 302
    assert response["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200


def test_the_start_page_leads_to_admin_home_and_that_to_the_sign_in(client):
    assert client.get("/")["Location"] == "/admin/"
    assert client.get("/admin/")["Location"] == "/sign-in/?next=/admin/"


def test_emails_are_typed_in_any_case_and_with_spaces_around(cast):
    assert sign_in(Browser(), f"  {cast.ada.email.upper()} ").status_code == 302


def test_a_wrong_password_and_an_unknown_person_read_the_same(cast):
    wrong = sign_in(Browser(), cast.ada.email, "something else")
    unknown = sign_in(Browser(), "nobody@acme.example", "something else")
    for response in (wrong, unknown):
        assert response.status_code == 200
        assert WRONG in response.content.decode()
    assert "_auth_user_id" not in wrong.client.session


def test_an_error_is_in_the_title_and_the_password_is_not_in_the_page(cast):
    html = sign_in(Browser(), cast.ada.email, "something else").content.decode()
    assert "<title>Error – Sign in" in html
    assert "There is a problem" in html
    assert "something else" not in html
    assert cast.ada.email in html  # the email is kept


def test_what_is_missing_is_said_at_its_field(db):
    html = Browser().post("/sign-in/", {}).content.decode()
    assert "Enter your email." in html
    assert "Enter your password." in html


def test_somebody_inactive_is_told_so_only_with_the_right_password(cast):
    person = cast.person("Ines", cast.east, state="inactive")
    right = sign_in(Browser(), person.email)
    assert "This account is not active. Ask your administrator." in right.content.decode()
    assert "_auth_user_id" not in right.client.session
    wrong = sign_in(Browser(), person.email, "something else").content.decode()
    assert WRONG in wrong
    assert "not active" not in wrong


def test_people_of_an_organization_that_is_switched_off_cannot_sign_in(cast):
    cast.acme.active = False
    cast.acme.save()
    assert "not active" in sign_in(Browser(), cast.ada.email).content.decode()


def test_deactivation_ends_the_session_at_the_next_request(cast, browser_of):
    browser = browser_of(cast.ben)
    assert browser.get("/admin/").status_code == 200
    people.change(
        actor=system(cast.acme),
        user_id=cast.ben.id,
        version=cast.ben.version,
        values={"state": "inactive"},
    )
    assert browser.get("/admin/")["Location"].startswith("/sign-in/")


def test_after_five_failures_even_the_right_password_waits_five_minutes(cast):
    browser = Browser()
    for _ in range(4):
        assert sign_in(browser, cast.ada.email, "wrong").status_code == 200
    fifth = sign_in(browser, cast.ada.email, "wrong")
    right = sign_in(browser, cast.ada.email)
    for response in (fifth, right):
        assert response.status_code == 429
        assert "Too many tries. Try again in 5 minutes." in response.content.decode()
        assert response["Retry-After"] == "300"
    assert "_auth_user_id" not in browser.session
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert sign_in(browser, cast.ada.email).status_code == 302


def test_the_lockout_counts_every_way_of_writing_an_email_as_one(cast):
    for email in (
        "ada@acme.example",
        "Ada@acme.example",
        "ADA@acme.example",
        " ada@acme.example",
        "aDa@acme.example",
    ):
        response = sign_in(Browser(), email, "wrong")
    assert response.status_code == 429


def test_a_lockout_of_one_person_leaves_others_alone(cast):
    for _ in range(5):
        sign_in(Browser(), cast.ada.email, "wrong")
    assert sign_in(Browser(), cast.ben.email).status_code == 302


def test_unknown_people_are_locked_out_like_known_ones(cast):
    for _ in range(5):
        response = sign_in(Browser(), "nobody@acme.example", "wrong")
    assert response.status_code == 429


def test_the_record_of_failures_does_not_keep_the_password(cast):
    sign_in(Browser(), cast.ada.email, "canary-password")
    attempt = AccessAttempt.objects.get()
    assert attempt.username == cast.ada.email
    assert "canary-password" not in attempt.post_data


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "http:evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        " //evil.example",
        "\x08//evil.example",
        "https://testserver@evil.example/",
        "https://testserver.evil.example/",
        "ftp://testserver/",
    ],
)
def test_signing_in_leads_to_no_other_host(cast, elsewhere):
    assert sign_in(Browser(), cast.ada.email, next=elsewhere)["Location"] == "/admin/"
    browser = Browser()
    response = browser.post(
        "/sign-in/", {"email": cast.ada.email, "password": PASSWORD}, query_params={"next": elsewhere}
    )
    assert response["Location"] == "/admin/"
    assert browser.get("/sign-in/", {"next": elsewhere})["Location"] == "/admin/"


def test_signing_in_leads_back_to_the_page_that_asked_for_it(cast):
    browser = Browser()
    wanted = browser.get("/admin/integrations/oauth/?state=active")["Location"]
    page = browser.get(wanted).content.decode()
    assert 'name="next" value="/admin/integrations/oauth/?state=active"' in page
    response = sign_in(browser, cast.ada.email, next="/admin/integrations/oauth/?state=active")
    assert response["Location"] == "/admin/integrations/oauth/?state=active"


def test_somebody_who_is_signed_in_is_sent_on(cast, browser_of):
    browser = browser_of(cast.ada)
    assert browser.get("/sign-in/")["Location"] == "/admin/"
    assert (
        browser.get("/sign-in/?next=/admin/integrations/oauth/")["Location"] == "/admin/integrations/oauth/"
    )


def test_the_session_gets_a_new_key(cast):
    browser = Browser()
    session = browser.session
    session["before"] = True
    session.save()
    before = session.session_key
    sign_in(browser, cast.ada.email)
    assert browser.session.session_key != before


def test_signing_in_and_out_is_in_the_audit_trail(cast, browser_of):
    browser = browser_of(cast.ada)
    browser.post("/sign-out/")
    lines = AuditEvent.objects.filter(entity_type="user", actor_id=cast.ada.id).order_by("at")
    assert [line.action for line in lines] == ["user.signedIn", "user.signedOut"]
    assert lines[0].entity_id == cast.ada.id
    assert lines[0].organization_id == cast.acme.id
    assert lines[0].address == "127.0.0.1"
    assert lines[0].request_id is not None


def test_signing_out_ends_the_session_and_needs_a_post(cast, browser_of):
    browser = browser_of(cast.ada)
    assert browser.get("/sign-out/").status_code == 405
    assert browser.get("/admin/").status_code == 200
    assert browser.post("/sign-out/")["Location"] == "/sign-in/"
    assert browser.get("/admin/").status_code == 302


def test_signing_out_twice_is_harmless(client, db):
    assert client.post("/sign-out/")["Location"] == "/sign-in/"


def test_the_page_has_what_password_managers_and_people_need(client, db):
    html = client.get("/sign-in/").content.decode()
    assert 'autocomplete="username"' in html
    assert 'autocomplete="current-password"' in html
    assert "data-reveal" in html
    assert "onpaste" not in html


def test_the_sign_in_page_asks_the_database_only_whose_people_sign_in(
    client, django_assert_num_queries, cast
):
    with django_assert_num_queries(1):
        assert client.get("/sign-in/").status_code == 200
    with django_assert_num_queries(2):  # the organization and its providers
        assert client.get("/sign-in/?org=acme").status_code == 200


def test_before_there_is_any_organization_the_page_asks_for_a_password(client, db):
    assert "id_password" in client.get("/sign-in/").content.decode()


@pytest.mark.parametrize("email", ["x" * 300, "ada@acme.example\x00", "ada"])
def test_what_can_be_nobodys_email_is_refused_quietly(cast, email):
    assert sign_in(Browser(), email).status_code == 200


def test_a_password_too_long_to_be_one_is_not_hashed(cast):
    html = sign_in(Browser(), cast.ada.email, "x" * 2000).content.decode()
    assert "This password is too long." in html


def test_one_address_cannot_try_many_people(cast, settings):
    """The lockout counts per person; every try, whoever it is for, costs a slow hash."""
    settings.RATE_SIGN_INS_PER_ADDRESS = 3
    browser = Browser()
    for number in range(3):
        refused = browser.post("/sign-in/", {"email": f"nobody{number}@x.example", "password": "wrong"})
        assert refused.status_code == 200

    limited = browser.post("/sign-in/", {"email": cast.ada.email, "password": PASSWORD})

    assert limited.status_code == 429
    assert 1 <= int(limited["Retry-After"]) <= 60
    assert "Too many tries from your network" in limited.content.decode()
    elsewhere = Browser(REMOTE_ADDR="192.0.2.9")
    assert elsewhere.post("/sign-in/", {"email": cast.ada.email, "password": PASSWORD}).status_code == 302
