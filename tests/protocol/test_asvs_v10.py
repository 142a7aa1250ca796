"""OWASP ASVS 5.0, V10.4 and V10.7, where no test of a single endpoint says it; docs/security.md has the
whole list."""

from __future__ import annotations

from django.test import Client as Browser

from oauthclients.models import Client, Consent
from tests.cast import Cast, landed, pkce

ME = "/api/v2/users/me"


def works(token: dict[str, str]) -> bool:
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    return Browser().get(ME, headers=headers).status_code == 200


def test_10_4_9_a_person_ends_access_and_refresh_tokens_on_a_page(cast: Cast, browser_of):
    app, eve = cast.app(), browser_of(cast.eve)
    token = app.tokens(eve)
    waiting = app.allowed(eve)["code"]
    assert works(token)

    eve.post(f"/account/apps/{Consent.objects.get().id}/revoke/")

    assert not works(token)
    assert app.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.exchange(waiting).json()["error"] == "invalid_grant"


def test_10_4_9_an_administrator_ends_them_for_everybody_on_a_page(cast: Cast, browser_of):
    app = cast.app()
    tokens = [app.tokens(browser_of(person)) for person in (cast.eve, cast.ben)]
    address = f"/admin/integrations/authorized-applications/{app.id}/revoke/"

    browser_of(cast.ada).post(address, {"version": 1})

    assert not any(works(token) for token in tokens)
    assert {app.refresh(token["refresh_token"]).json()["error"] for token in tokens} == {"invalid_grant"}


def test_10_4_11_a_client_gets_no_scope_that_it_was_not_given(cast: Cast, browser_of):
    """Neither by asking for more, nor by asking for nothing, nor by having had it once."""
    app, eve = cast.app("users", "user-basic-info"), browser_of(cast.eve)
    assert landed(app.ask(eve, scope="users oauth"), app.redirect_uri)["error"] == "invalid_scope"
    token = app.tokens(eve)
    assert token["scope"] == "user-basic-info users"

    Client.objects.filter(id=app.client.id).update(scope=["users"])

    assert landed(app.ask(eve, scope="user-basic-info"), app.redirect_uri)["error"] == "invalid_scope"
    assert not works(token)  # users/me asks for user-basic-info


def test_10_7_1_nothing_in_a_request_replaces_the_question(cast: Cast, browser_of):
    app, eve = cast.app(redirect_uri="http://127.0.0.1/callback"), browser_of(cast.eve)
    around = [
        {},
        {"approval_prompt": "auto"},
        {"prompt": ""},
        {"skip_authorization": "true"},
        {"allow": "1"},
    ]
    for query in around:
        assert app.ask(eve, **query).status_code == 200, query
    app.allowed(eve, **pkce())
    # The app runs on the person's own machine and has no secret: agreed to or not, it is asked.
    for query in around:
        assert app.ask(eve, **query, **pkce()).status_code == 200, query
    silent = app.ask(eve, prompt="none", **pkce())
    assert landed(silent, app.redirect_uri)["error"] == "consent_required"
