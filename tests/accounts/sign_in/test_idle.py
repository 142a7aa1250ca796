"""A session that is not used ends."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.utils import timezone

from accounts.actor import system
from accounts.services import organization
from accounts.sign_in.sessions import stored
from tests.cast import PASSWORD

PAGE = "/admin/integrations/oauth/"
TO_SIGN_IN = f"/sign-in/?next={PAGE}"


@pytest.fixture
def clock():
    """`clock.shift(minutes=5)` lets time pass; between that it stands still."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:

        class Clock:
            def shift(self, **time: float) -> None:
                traveller.shift(timedelta(**time))

        yield Clock()


@pytest.fixture
def timeout(cast):
    organization.set_idle_timeout(actor=system(cast.acme), enabled=True, seconds=600)


def here(browser) -> bool:
    return browser.get(PAGE).status_code == 200


def away(browser) -> str:
    """The sign-in page to which somebody who is signed out is led."""
    response = browser.get(PAGE)
    assert response["Location"] == TO_SIGN_IN
    return browser.get(TO_SIGN_IN).content.decode()


def test_after_the_limit_the_sign_in_page_says_why_and_leads_back(cast, clock, timeout, browser_of):
    browser = browser_of(cast.ada)
    clock.shift(minutes=10)
    assert "You were signed out after 10 minutes without activity." in away(browser)
    response = browser.post("/sign-in/", {"email": cast.ada.email, "password": PASSWORD, "next": PAGE})
    assert response["Location"] == PAGE
    assert here(browser)


def test_the_clock_starts_at_the_sign_in(cast, clock, timeout, browser_of):
    browser = browser_of(cast.ada)
    clock.shift(minutes=9, seconds=59)
    assert here(browser)


def test_use_starts_it_again(cast, clock, timeout, browser_of):
    browser = browser_of(cast.ada)
    for _number in range(5):
        clock.shift(minutes=9)
        assert here(browser)
    clock.shift(minutes=10)
    assert not here(browser)


def test_the_session_is_gone_from_the_store(cast, clock, timeout, browser_of):
    browser = browser_of(cast.ada)
    assert Session.objects.count() == 1
    old = browser.cookies["latchkey_session"].value
    clock.shift(minutes=10)
    browser.get(PAGE)
    assert not Session.objects.filter(session_key=stored(old)).exists()
    thief = Browser()
    thief.cookies["latchkey_session"] = old
    assert not here(thief)


def test_with_hipaa_the_page_says_so(cast, clock, browser_of):
    organization.set_hipaa(actor=system(cast.acme), enabled=True)
    browser = browser_of(cast.ada)
    clock.shift(minutes=15)
    assert "You were signed out after 15 minutes without activity (HIPAA)." in away(browser)


def test_without_a_timeout_nobody_is_signed_out(cast, clock, browser_of):
    browser = browser_of(cast.ada)
    clock.shift(hours=11)
    assert here(browser)


def test_another_organizations_timeout_is_none_of_ours(cast, clock, timeout, browser_of):
    browser = browser_of(cast.cleo)
    clock.shift(hours=1)
    assert here(browser)


def test_nobody_was_idle_before_the_timeout_was_switched_on(cast, clock, browser_of):
    browser = browser_of(cast.ada)
    clock.shift(hours=3)
    organization.set_idle_timeout(actor=system(cast.acme), enabled=True, seconds=600)
    clock.shift(minutes=9)
    assert here(browser)


def test_a_shorter_timeout_counts_at_once(cast, clock, timeout, browser_of):
    browser = browser_of(cast.ada)
    clock.shift(minutes=6)
    organization.set_idle_timeout(actor=system(cast.acme), seconds=300)
    assert not here(browser)


def test_a_form_that_was_sent_too_late_is_not_carried_out(cast, clock, timeout, browser_of):
    browser = browser_of(cast.ada)
    browser.get("/admin/organization/settings/")
    clock.shift(minutes=10)
    response = browser.post("/admin/organization/settings/name/", {"name": "Late", "version": 2})
    assert response["Location"].startswith("/sign-in/?next=")
    cast.acme.refresh_from_db()
    assert cast.acme.name == "Acme"


def test_what_saves_by_itself_is_told_so_and_gets_no_page(cast, clock, timeout, browser_of):
    browser = browser_of(cast.ada)
    clock.shift(minutes=10)
    assert browser.post("/admin/organization/settings/name/", {"autosave": "1"}).status_code == 401


def test_the_clock_is_written_at_most_once_a_minute(
    cast, clock, timeout, browser_of, django_assert_max_num_queries
):
    browser = browser_of(cast.ada)
    here(browser)

    def writes() -> list[str]:
        with django_assert_max_num_queries(50) as captured:
            assert here(browser)
        return [
            query["sql"]
            for query in captured.captured_queries
            if "django_session" in query["sql"] and not query["sql"].startswith("SELECT")
        ]

    clock.shift(seconds=59)
    assert writes() == []
    clock.shift(seconds=1)
    assert len(writes()) == 1
    clock.shift(seconds=59)
    assert writes() == []


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("get", "/healthz"),
        ("get", "/api/v2/users/me"),
        ("get", "/api/v2"),
        ("post", "/oauth/token"),
        ("get", "/.well-known/oauth-authorization-server"),
    ],
)
def test_what_is_no_page_does_not_look_at_the_session(cast, clock, timeout, browser_of, method, address):
    """A browser sends its cookie along: the session is not read, and it is no use of it."""
    browser = browser_of(cast.ada)
    clock.shift(minutes=6)
    response = getattr(browser, method)(address)
    # Programs never get as far as to one.
    session = getattr(response.wsgi_request, "session", None)
    assert session is None or not session.accessed
    clock.shift(minutes=6)
    assert not here(browser)


def test_the_health_check_asks_the_database_nothing(cast, timeout, browser_of, django_assert_num_queries):
    browser = browser_of(cast.ada)
    with django_assert_num_queries(0):
        assert browser.get("/healthz").status_code == 200


def test_a_page_costs_no_statement_more(cast, browser_of, django_assert_num_queries):
    """The person is read with their organization."""
    browser = browser_of(cast.ada)
    here(browser)
    with django_assert_num_queries(2):  # the session, and the person
        browser.get("/sign-in/")


def test_the_authorization_endpoint_asks_for_a_sign_in_again(cast, clock, timeout, browser_of):
    client, _secret = cast.client(
        name="Portal",
        grant_type="authorization-code",
        redirect_uris=("https://app.example/cb",),
        scope=("users",),
        by=cast.ada,
    )
    address = f"/oauth/authorize?{urlencode({'client_id': client.client_id, 'response_type': 'code', 'redirect_uri': 'https://app.example/cb'})}"
    browser = browser_of(cast.ada)
    signed_in = browser.get(address)
    clock.shift(minutes=10)
    response = browser.get(address)
    assert response.status_code == 302
    assert "/sign-in/" in response["Location"]
    assert "/sign-in/" not in signed_in.headers.get("Location", "")
