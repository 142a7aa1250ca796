"""`/logout` (wire contract A5): the session of the browser, and what one app got in it."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.test import Client as Browser

from accounts.models import AuditEvent
from oauthclients.models import Client, ClientState
from tests.cast import REDIRECT_URI, App

ME = "/api/v2/users/me"
BACK = "https://app.example/signed-out"


@pytest.fixture
def app(cast) -> App:
    client, secret = cast.client(
        name="Web app",
        grant_type="authorization-code",
        redirect_uris=(REDIRECT_URI, BACK),
        scope=("users", "user-basic-info"),
    )
    return App(client, secret, REDIRECT_URI)


def leave(browser: Browser, **query: str):
    return browser.get("/logout?" + urlencode(query))


def works(token: dict[str, str]) -> bool:
    return (
        Browser().get(ME, headers={"Authorization": f"Bearer {token['access_token']}"}).status_code == 200
    )


def signed_in(browser: Browser) -> bool:
    return "_auth_user_id" in browser.session


def test_the_session_ends_and_what_the_app_got_in_it(app, eve, cast):
    token = app.tokens(eve)
    waiting = app.allowed(eve)["code"]

    response = leave(eve, client_id=app.id, redirect_uri=BACK)

    assert (response.status_code, response["Location"]) == (302, BACK)
    assert "no-store" in response["Cache-Control"]
    assert not signed_in(eve)
    assert app.ask(eve)["Location"].startswith("/sign-in/")
    assert not works(token)
    assert app.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.exchange(waiting).json()["error"] == "invalid_grant"
    line = AuditEvent.objects.get(action="user.signedOut")
    assert (line.organization_id, line.actor_id) == (cast.acme.id, cast.eve.id)


def test_what_was_refreshed_meanwhile_ends_too(app, eve):
    token = app.refresh(app.tokens(eve)["refresh_token"]).json()
    leave(eve, client_id=app.id)
    assert not works(token)


def test_other_sessions_other_apps_and_other_people_go_on(app, eve, cast, browser_of):
    elsewhere, ben = browser_of(cast.eve), browser_of(cast.ben)
    other_app = cast.app(name="Other")
    kept = [app.tokens(elsewhere), other_app.tokens(eve), app.tokens(ben)]

    leave(eve, client_id=app.id, redirect_uri=BACK)

    assert all(works(token) for token in kept)
    assert signed_in(elsewhere)
    assert signed_in(ben)


def test_an_implicit_token_of_the_session_ends(cast, eve):
    app = cast.app(name="Browser app", grant_type="implicit")
    token = app.allowed(eve)
    leave(eve, client_id=app.id, redirect_uri=REDIRECT_URI)
    assert not works(token)


def test_without_a_client_only_the_session_ends(app, eve):
    token = app.tokens(eve)
    for query in ({}, {"client_id": "nonsense", "redirect_uri": BACK}):
        response = leave(eve, **query)
        assert (response.status_code, response["Location"]) == (302, "/sign-in/")
        assert not signed_in(eve)
    assert works(token)


def test_somebody_who_is_not_signed_in_is_sent_on_all_the_same(app):
    assert leave(Browser(), client_id=app.id, redirect_uri=BACK)["Location"] == BACK
    assert not AuditEvent.objects.filter(action="user.signedOut").exists()


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "https:evil.example",
        "https:///evil.example",
        "https://app.example/signed-out/",
        "https://app.example/signed-out?next=https://evil.example",
        "https://app.example/signed-out#x",
        "https://app.example/signed-out\r\nSet-Cookie: a=b",
        "https://app.example/signed-out\x00",
        " https://app.example/signed-out",
        "https://app.example:443/signed-out",
        "https://APP.example/signed-out",
        "http://app.example/signed-out",
        "https://app.example@evil.example/signed-out",
        "https://app.example.evil.example/signed-out",
        "https://app.example/../signed-out",
        "https://app.example/Signed-out",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://[::1",
        "/admin/",
        "https://app.example/signed-out https://evil.example",
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(app, eve, uri):
    response = leave(eve, client_id=app.id, redirect_uri=uri)
    assert (response.status_code, response["Location"]) == (302, "/sign-in/")
    assert not signed_in(eve)


def test_another_apps_address_is_not_this_apps(app, eve, cast):
    other = cast.app(name="Other", redirect_uri="https://other.example/")
    assert leave(eve, client_id=other.id, redirect_uri=BACK)["Location"] == "/sign-in/"
    assert leave(eve, client_id=app.id, redirect_uri="https://other.example/")["Location"] == "/sign-in/"


def test_of_two_addresses_the_one_that_is_checked_is_the_one_that_is_used(app, eve):
    query = urlencode({"client_id": app.id, "redirect_uri": BACK})
    assert eve.get(f"/logout?{query}&redirect_uri=https://evil.example/")["Location"] == "/sign-in/"
    assert eve.get(f"/logout?redirect_uri=https://evil.example/&{query}")["Location"] == BACK


def test_the_port_of_a_loopback_address_may_differ(cast, eve):
    app = cast.app(name="Desktop", redirect_uri="http://127.0.0.1/done")
    response = leave(eve, client_id=app.id, redirect_uri="http://127.0.0.1:53211/done")
    assert response["Location"] == "http://127.0.0.1:53211/done"


def test_an_app_of_its_own_scheme_is_returned_to(cast, eve):
    app = cast.app(name="Phone", redirect_uri="com.example.app:/done")
    assert leave(eve, client_id=app.id, redirect_uri="com.example.app:/done")["Location"] == (
        "com.example.app:/done"
    )


def test_an_app_that_is_off_sends_nobody_anywhere_and_still_loses_what_it_has(app, eve):
    token = app.tokens(eve)
    Client.objects.filter(id=app.client.id).update(state=ClientState.DISABLED)

    assert leave(eve, client_id=app.id, redirect_uri=BACK)["Location"] == "/sign-in/"

    Client.objects.filter(id=app.client.id).update(state=ClientState.ACTIVE)
    assert not works(token)


def test_only_going_there_leaves(app, eve):
    for method in ("post", "head", "put", "options"):
        assert getattr(eve, method)(f"/logout?client_id={app.id}").status_code == 405
    assert signed_in(eve)
    # What keeps an image in another site's page from signing people out.
    assert eve.cookies["latchkey_session"]["samesite"] == "Lax"
