"""The authorization code grant (RFC 6749 4.1) with and without PKCE (RFC 7636), RFC 9207 and RFC 9700."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client as Browser
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts.actor import system
from accounts.models import AuditEvent
from accounts.services import people
from oauthclients.models import Client, ClientState, Consent, TokenFamily
from oauthclients.services import clients
from tests.cast import PASSWORD, REDIRECT_URI, App, landed, pkce

ME = "/api/v2/users/me"


def refused(response, error: str, status: int = 400) -> dict[str, str]:
    assert response.status_code == status, response.content
    body = response.json()
    assert body["error"] == error, body
    assert body["description"] == body["error_description"]
    return body


# --- The way ------------------------------------------------------------------------------------


def test_a_person_agrees_and_the_app_gets_a_token_that_acts_for_them(app, eve, cast):
    answer = app.allowed(eve, state="a&b=c d")
    assert answer["state"] == "a&b=c d"
    assert answer["iss"] == "http://localhost:8000"
    response = app.exchange(answer["code"])

    assert response["Cache-Control"] == "no-store"
    token = response.json()
    assert token["token_type"] == "bearer"
    assert token["expires_in"] == 86_400
    assert token["scope"] == "user-basic-info users"
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token["access_token"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token["refresh_token"])
    me = Browser().get(ME, headers={"Authorization": f"Bearer {token['access_token']}"})
    assert me.json()["id"] == str(cast.eve.id)


def test_nothing_that_is_stored_can_be_used(app, eve):
    code = app.allowed(eve)["code"]
    token = app.exchange(code).json()
    second = app.allowed(eve)["code"]

    stored = [
        str(row)
        for model in (get_grant_model(), get_access_token_model(), get_refresh_token_model(), TokenFamily)
        for row in model.objects.values()
    ]
    for secret in (code, second, token["access_token"], token["refresh_token"]):
        assert not any(secret in row for row in stored)


def test_with_pkce_no_secret_is_needed_and_no_refresh_token_is_given(app, eve):
    code = app.allowed(eve, **pkce())["code"]
    response = app.exchange(code, secret="", client_id=app.id, code_verifier="v" * 43)
    assert response.status_code == 200, response.content
    assert "refresh_token" not in response.json()


def test_pkce_beside_the_secret_gives_a_refresh_token(app, eve):
    code = app.allowed(eve, **pkce())["code"]
    assert "refresh_token" in app.exchange(code, code_verifier="v" * 43).json()


def test_the_token_lasts_as_long_as_the_client_says(cast, eve):
    app = cast.app(name="Short", token_seconds=300)
    assert app.tokens(eve)["expires_in"] == 300


def test_a_redirect_uri_may_be_left_out_if_there_is_one_only(app, eve):
    code = app.allowed(eve, redirect_uri="")["code"]
    assert app.exchange(code, redirect_uri=None).status_code == 200


# --- The code -----------------------------------------------------------------------------------


def test_a_code_lives_for_a_minute(app, eve):
    with time_machine.travel(datetime(2026, 5, 1, tzinfo=UTC), tick=False) as clock:
        first, second = app.allowed(eve)["code"], app.allowed(eve)["code"]
        clock.shift(timedelta(seconds=59))
        assert app.exchange(first).status_code == 200
        clock.shift(timedelta(seconds=1))
        refused(app.exchange(second), "invalid_grant")


def test_a_code_that_comes_again_is_refused_and_ends_what_it_made(app, eve):
    code = app.allowed(eve)["code"]
    token = app.exchange(code).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert Browser().get(ME, headers=bearer).status_code == 200

    refused(app.exchange(code), "invalid_grant")

    assert Browser().get(ME, headers=bearer).status_code == 401
    refused(app.refresh(token["refresh_token"]), "invalid_grant")
    assert not get_access_token_model().objects.exists()
    assert not get_refresh_token_model().objects.exists()


@pytest.mark.parametrize("body", [{"code_verifier": "w" * 43}, {"code_verifier": "v" * 43}, {}])
def test_who_only_saw_a_code_ends_nothing_with_it(app, eve, body):
    """Codes stay in browsers' histories and servers' logs."""
    code = app.allowed(eve)["code"]
    token = app.exchange(code).json()
    response = app.exchange(code, secret="", client_id=app.id, **body)
    assert response.status_code in (400, 401)
    assert Browser().get(ME, headers=_bearer(token)).status_code == 200


def test_with_pkce_the_verifier_tells_who_could_have_exchanged_it(app, eve):
    code = app.allowed(eve, **pkce())["code"]
    token = app.exchange(code, secret="", client_id=app.id, code_verifier="v" * 43).json()
    refused(app.exchange(code, secret="", client_id=app.id, code_verifier="w" * 43), "invalid_grant")
    assert Browser().get(ME, headers=_bearer(token)).status_code == 200
    refused(app.exchange(code, secret="", client_id=app.id, code_verifier="v" * 43), "invalid_grant")
    assert Browser().get(ME, headers=_bearer(token)).status_code == 401


def test_a_code_that_nobody_exchanged_was_not_used_twice(app, eve):
    code = app.allowed(eve)["code"]
    get_grant_model().objects.all().delete()  # as `manage.py purge` does a minute later
    refused(app.exchange(code), "invalid_grant")
    assert not AuditEvent.objects.filter(action="app.codeReplayed").exists()


def test_without_proof_nothing_is_told_of_a_client_and_nothing_counted(app, eve, cast, settings):
    settings.RATE_TOKENS_PER_CLIENT = 2
    service, secret = cast.client(("Supervisor", cast.home))
    off = cast.app(name="Off")
    Client.objects.filter(id=off.client.id).update(state=ClientState.INACTIVE)
    body = {"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 43}
    for client_id in (service.client_id, off.id, "11111111-1111-4111-8111-111111111111"):
        for _ in range(4):
            refused(app.post("/oauth/token", {**body, "client_id": client_id}), "invalid_client", 401)
    for _ in range(4):
        refused(app.post("/oauth/token", {**body, "client_id": app.id}), "invalid_grant")
    assert app.exchange(app.allowed(eve)["code"]).status_code == 200
    cast.token(service, secret)


def test_it_ends_what_came_of_refreshing_as_well_and_nothing_else(app, eve):
    other = app.tokens(eve)
    code = app.allowed(eve)["code"]
    token = app.exchange(code).json()
    later = app.refresh(token["refresh_token"]).json()

    refused(app.exchange(code), "invalid_grant")

    assert Browser().get(ME, headers=_bearer(later)).status_code == 401
    assert Browser().get(ME, headers=_bearer(other)).status_code == 200


def test_a_code_is_good_for_its_own_client_only(app, eve, cast):
    other = cast.app(name="Other")
    code = app.allowed(eve)["code"]
    refused(other.exchange(code), "invalid_grant")
    assert app.exchange(code).status_code == 200  # a stranger's try does not spend it


@pytest.mark.parametrize("uri", ["https://app.example/callback/", "https://app.example/other", None])
def test_a_code_is_good_for_its_own_redirect_uri_only(app, eve, uri):
    code = app.allowed(eve)["code"]
    refused(app.exchange(code, redirect_uri=uri), "invalid_grant")


def test_an_unknown_code_is_refused(app):
    refused(app.exchange("nonsense"), "invalid_grant")
    refused(app.exchange(""), "invalid_grant")


@pytest.mark.parametrize(
    "body",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {},
    ],
)
def test_a_challenge_must_be_met(app, eve, body):
    code = app.allowed(eve, **pkce())["code"]
    response = app.exchange(code, **body)
    assert response.status_code == 400
    assert response.json()["error"] in ("invalid_grant", "invalid_request")


def test_a_verifier_without_a_challenge_is_a_downgrade(app, eve):
    refused(app.exchange(app.allowed(eve)["code"], code_verifier="v" * 43), "invalid_grant")


def test_without_a_secret_and_without_pkce_nothing_is_given(app, eve):
    code = app.allowed(eve)["code"]
    refused(app.exchange(code, secret="", client_id=app.id), "invalid_client", 401)
    # Nor with a verifier that nobody asked for.
    refused(app.exchange(code, secret="", client_id=app.id, code_verifier="v" * 43), "invalid_grant")


def test_a_wrong_secret_is_not_made_good_by_pkce(app, eve):
    code = app.allowed(eve, **pkce())["code"]
    refused(
        app.exchange(code, secret="wrong", client_id=app.id, code_verifier="v" * 43),
        "invalid_client",
        401,
    )


def test_only_the_grant_of_the_client_is_answered(app, cast):
    refused(
        app.post("/oauth/token", {"grant_type": "client_credentials"}, app.secret), "unauthorized_client"
    )
    service, secret = cast.client(("Supervisor", cast.home))
    other = App(service, secret, REDIRECT_URI)
    refused(other.exchange("x"), "unauthorized_client")
    refused(other.refresh("x"), "unauthorized_client")


def test_a_disabled_client_gets_nothing_for_its_code(app, eve, cast):
    code = app.allowed(eve)["code"]
    Client.objects.filter(id=app.client.id).update(state=ClientState.DISABLED)
    refused(app.exchange(code), "unauthorized_client")


def test_a_person_who_is_gone_leaves_a_code_that_is_worth_nothing(app, eve, cast):
    code = app.allowed(eve)["code"]
    people.change(actor=system(cast.acme), user_id=cast.eve.id, version=1, values={"state": "inactive"})
    refused(app.exchange(code), "invalid_grant")


# --- The request --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        {"client_id": ""},
        {"client_id": "11111111-1111-4111-8111-111111111111"},
        {"client_id": "nonsense"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "https://app.example/callback/"},
        {"redirect_uri": "https://app.example/callback?x=1"},
        {"redirect_uri": "https://APP.example/callback"},
        {"redirect_uri": "https://app.example:443/callback"},
        {"redirect_uri": "https://app.example/callback#"},
        {"redirect_uri": "https://app.example%40evil.example/callback"},
        {"redirect_uri": "https://app.example/callback\x00"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "//app.example/callback"},
        {"redirect_uri": "http://app.example/callback"},
    ],
)
@pytest.mark.parametrize("more", [{}, {"prompt": "none"}, {"response_type": "nonsense"}])
@pytest.mark.parametrize("method", ["get", "allow", "deny"])
def test_nobody_is_sent_to_an_address_that_is_not_registered(app, eve, query, more, method):
    address = app.address(**{**more, **query})
    response = eve.get(address) if method == "get" else eve.post(address, {"decision": method})
    assert response.status_code == 400
    assert "Location" not in response
    assert 'href="https://evil' not in response.content.decode()


def test_a_client_that_is_off_sends_nobody_anywhere(app, eve):
    Client.objects.filter(id=app.client.id).update(state=ClientState.DISABLED)
    assert app.ask(eve).status_code == 400


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"scope": "oauth"}, "invalid_scope"),
        ({"code_challenge": "a" * 43}, "invalid_request"),
        ({"code_challenge": "a" * 43, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "a", "code_challenge_method": "S256"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "abc"}, "request_not_supported"),
        ({"org": "nobody"}, "invalid_request"),
        ({"org": "\x00"}, "invalid_request"),
        ({"org": "acme", "provider": "okta"}, "invalid_request"),
        # Parameters of the token request mean nothing here.
        ({"grant_type": "client_credentials", "scope": "oauth"}, "invalid_scope"),
    ],
)
def test_any_other_error_goes_to_the_app(app, eve, query, error):
    response = app.ask(eve, state="s", **query)
    answer = landed(response, REDIRECT_URI + ("#" if query.get("response_type") == "token" else "?"))
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "s", "http://localhost:8000")
    assert response["Cache-Control"] == "no-store"


def test_nobody_is_sent_on_before_they_are_known(app):
    """RFC 9700 4.11.2: else a link to us would be a way to any address that somebody has registered."""
    address = app.address(scope="nonsense")
    assert Browser().get(address)["Location"] == f"/sign-in/?{urlencode({'next': address}, safe='/')}"
    silent = Browser().get(app.address(scope="nonsense", prompt="none"))
    assert landed(silent, REDIRECT_URI)["error"] == "invalid_scope"


def test_a_repeated_parameter_is_refused(app, eve):
    for name in ("prompt", "code_challenge", "login_hint"):
        response = eve.get(app.address() + f"&{name}=a&{name}=b")
        assert landed(response, REDIRECT_URI)["error"] == "invalid_request"
    for name in ("client_id", "redirect_uri", "state", "scope"):
        assert eve.get(app.address(state="s", scope="users") + f"&{name}=x").status_code == 400


def test_an_address_that_cannot_be_decoded_is_a_page(app, eve):
    assert eve.get(app.address() + "&state=%zz").status_code == 400


def test_unknown_parameters_are_ignored(app, eve):
    assert "code" in app.allowed(eve, target="x", nonce="y", ui_locales="fr")


def test_a_no_goes_to_the_app(app, eve):
    response = app.say(eve, app.ask(eve), "deny", state="s")
    assert response.status_code == 303
    assert landed(response, REDIRECT_URI)["error"] == "access_denied"
    assert not Consent.objects.exists()


def test_looking_gives_nothing(app, eve):
    app.allowed(eve)
    response = eve.head(app.address())
    assert (response.status_code, response["Allow"]) == (405, "GET, POST")
    assert eve.options(app.address()).status_code == 405


def test_a_person_agrees_once(app, eve):
    page = app.ask(eve)
    assert page.status_code == 200
    assert [scope.name for scope in page.context["scopes"]] == ["user-basic-info", "users"]
    app.allowed(eve)
    assert "code" in landed(app.ask(eve), REDIRECT_URI)
    assert app.ask(eve, prompt="consent").status_code == 200


def test_what_is_taken_back_at_the_last_moment_is_not_agreed_to_silently(app, eve, monkeypatch):
    """The consent is read once more under the lock."""
    app.allowed(eve)
    stale = Consent.objects.get()
    Consent.objects.all().delete()
    monkeypatch.setattr("oauthclients.services.consents.of", lambda user, client: stale)
    assert app.ask(eve)["Location"] == app.address()
    assert not Consent.objects.exists()


def test_what_is_new_is_asked_for_and_nothing_else(app, eve, cast):
    app.allowed(eve)
    clients.change(
        actor=cast.actor(cast.ada),
        client_id=app.client.id,
        spec=lambda was: was.__class__(**{**was.__dict__, "scope": ("users", "user-basic-info", "oauth")}),
    )
    page = app.ask(eve)
    assert [scope.name for scope in page.context["scopes"]] == ["oauth"]
    assert app.tokens(eve)["scope"] == "oauth user-basic-info users"


def test_what_was_not_shown_is_not_given(app, eve):
    """The form says what was shown; more than that is never agreed to."""
    response = eve.post(app.address(), {"decision": "allow", "shown": ["users"]})
    assert response["Location"] == app.address()
    assert not Consent.objects.exists()


def test_approval_prompt_skips_nothing(app, eve, cast, browser_of):
    app.allowed(eve)
    ben = browser_of(cast.ben)
    assert app.ask(ben, approval_prompt="auto").status_code == 200


def test_an_app_on_this_machine_without_a_secret_asks_each_time(cast, eve):
    app = cast.app(name="Desktop", redirect_uri="http://127.0.0.1/callback")
    app.allowed(eve, **pkce())
    assert app.ask(eve, **pkce()).status_code == 200
    assert app.ask(eve).status_code == 303  # its secret will prove who it is


def test_the_port_of_a_loopback_address_may_differ_and_nothing_else(cast, eve):
    app = cast.app(name="Desktop", redirect_uri="http://127.0.0.1/callback")
    app.redirect_uri = "http://127.0.0.1:53211/callback"
    assert app.exchange(app.allowed(eve)["code"]).status_code == 200
    for other in ("http://127.0.0.1:1/else", "http://localhost/callback", "http://127.0.0.1:x/callback"):
        assert app.ask(eve, redirect_uri=other).status_code == 400


# --- Who is there -------------------------------------------------------------------------------


def test_somebody_who_is_not_signed_in_signs_in_and_comes_back(app, cast):
    browser = Browser()
    address = app.address(state="s", login_hint=f"{cast.eve.email}:acme")
    response = browser.get(address)
    assert response.status_code == 302
    page = browser.get(response["Location"])
    text = page.content.decode()
    assert "to continue to" in text
    assert "Web app" in text
    assert f'value="{cast.eve.email}"' in text
    # Chromium checks where the answer to a form leads in the end.
    assert "form-action 'self' https://app.example;" in page["Content-Security-Policy"] + ";"
    back = browser.post(
        "/sign-in/", {"email": cast.eve.email, "password": PASSWORD, "next": page.context["next"]}
    )
    assert back["Location"] == address


def test_silence_is_kept_where_it_is_asked_for(app, eve):
    assert landed(app.ask(Browser(), prompt="none"), REDIRECT_URI)["error"] == "login_required"
    assert landed(app.ask(eve, prompt="none"), REDIRECT_URI)["error"] == "consent_required"
    app.allowed(eve)
    assert "code" in landed(app.ask(eve, prompt="none"), REDIRECT_URI)


def test_prompt_login_wants_the_password_again_each_time(app, cast, browser_of):
    browser = browser_of(cast.eve)
    app.allowed(browser)
    for _round in range(2):
        response = app.ask(browser, prompt="login")
        assert response["Location"].startswith("/sign-in/")
        assert app.ask(browser, prompt="login")["Location"].startswith("/sign-in/")
        browser.post("/sign-in/", {"email": cast.eve.email, "password": PASSWORD})
        assert "code" in landed(app.ask(browser, prompt="login"), REDIRECT_URI)


def test_an_old_answer_to_prompt_login_is_none(app, cast, browser_of):
    with time_machine.travel(datetime(2026, 5, 1, tzinfo=UTC), tick=False) as clock:
        browser = browser_of(cast.eve)
        app.allowed(browser)
        app.ask(browser, prompt="login")
        browser.post("/sign-in/", {"email": cast.eve.email, "password": PASSWORD})
        clock.shift(timedelta(hours=6))  # and the page was never answered
        assert app.ask(browser, prompt="login")["Location"].startswith("/sign-in/")


def test_the_organization_that_the_app_names_is_the_one_that_signs_in(app, eve, cast):
    assert app.ask(eve, org="acme").status_code == 200
    page = app.ask(eve, org="globex")
    assert "Globex" in page.content.decode()
    assert landed(app.ask(eve, org="globex", prompt="none"), REDIRECT_URI)["error"] == "login_required"
    assert app.ask(eve, org="globex").status_code == 200
    assert not Consent.objects.exists()


def test_the_consent_page_is_guarded(app, eve):
    page = app.ask(eve)
    policy = page["Content-Security-Policy"]
    assert "form-action 'self' https://app.example" in policy
    assert "frame-ancestors 'none'" in policy
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "same-origin"
    assert page["Cache-Control"] == "no-store"
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = eve.cookies
    assert (
        strict.post(app.address(), {"decision": "allow", "shown": page.context["shown"]}).status_code == 403
    )


def _bearer(token: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token['access_token']}"}
