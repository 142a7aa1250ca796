"""RFC 9700, where no test of a single endpoint says it; docs/security.md has the whole list."""

from __future__ import annotations

import json
import logging
import re
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser
from django.test import RequestFactory

from oauthclients.models import Client
from oauthclients.services import authorizations
from tests.cast import PASSWORD, REDIRECT_URI, landed, pkce

ME = "/api/v2/users/me"
FORM = "application/x-www-form-urlencoded"
STATES = [
    "a\r\nSet-Cookie: stolen=1",
    "\x00",
    " around ",
    "é日本\U0001f600",
    '"><script>alert(1)</script>',
    "&error=none&code=slipped#in",
    "x" * 3_000,
]


# --- The way there and back -----------------------------------------------------------------------


def test_after_every_form_the_browser_goes_on_by_get(app, cast):
    """Never 307, which would send the password or the answer on (4.12)."""
    browser = Browser()
    signing_in = {"email": cast.eve.email, "password": PASSWORD, "next": app.address()}
    assert browser.post("/sign-in/", signing_in).status_code == 302
    page = app.ask(browser)
    assert app.say(browser, page, "deny").status_code == 303
    assert app.say(browser, page, "allow").status_code == 303
    assert app.say(browser, page, "nonsense").status_code == 302
    authorizations.revoke(actor=cast.actor(cast.ada), client_id=app.id)
    assert app.say(browser, page, "ask").status_code == 302


@pytest.mark.parametrize("decision", ["allow", "deny"])
@pytest.mark.parametrize("grant_type", ["authorization-code", "implicit"])
def test_the_redirect_to_an_app_tells_nobody_where_it_came_from(cast, eve, grant_type, decision):
    app = cast.app(grant_type=grant_type)
    response = app.say(eve, app.ask(eve), decision)
    assert response["Location"].startswith(REDIRECT_URI)
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("grant_type", ["authorization-code", "implicit"])
def test_state_comes_back_as_it_was_sent_whatever_is_in_it(cast, eve, grant_type, state):
    """And adds no parameter, and no header."""
    app = cast.app(grant_type=grant_type)
    page = app.ask(eve, state=state)
    for decision in ("deny", "allow"):
        response = app.say(eve, page, decision, state=state)
        answer = landed(response, REDIRECT_URI)
        assert answer["state"] == state
        assert answer.get("error", "") in ("", "access_denied")
        assert answer.get("code") != "slipped"
        assert "stolen" not in response.cookies
        assert not re.search(r"[\x00-\x20\x7f-\U0010ffff]", response["Location"])


def test_a_form_cannot_change_the_request(app, cast, eve):
    """Everything about it is in the address, which the person has seen the page for."""
    other = cast.app(name="Other", redirect_uri="https://other.example/")
    page = app.ask(eve)
    changed = {
        "client_id": other.id,
        "redirect_uri": other.redirect_uri,
        "response_type": "token",
        "scope": "oauth",
        "state": "theirs",
        "prompt": "login",
        "org": "globex",
        "request": "x",
        **pkce("w" * 43),
    }
    response = eve.post(app.address(), {"decision": "allow", "shown": page.context["shown"], **changed})
    answer = landed(response, REDIRECT_URI + "?")
    assert "state" not in answer
    # No challenge was taken over: the verifier of whoever sent the form is one that nobody asked for.
    refused = app.exchange(answer["code"], code_verifier="w" * 43)
    assert refused.json()["error"] == "invalid_grant"
    assert app.exchange(answer["code"]).json()["scope"] == "user-basic-info users"


def test_the_consent_page_loads_nothing_from_elsewhere(app, eve):
    body = app.ask(eve).content.decode()
    assert "<script>" not in body
    assert " style=" not in body
    loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*?(?:src|href)="([^"]*)"', body)
    assert loaded
    assert all(re.match(r"/[^/]", address) for address in loaded), loaded


def test_a_code_cannot_be_guessed(app, eve):
    codes = {app.allowed(eve)["code"] for _ in range(20)}
    assert len(codes) == 20
    # 30 characters of 62: 178 bits.
    assert all(re.fullmatch(r"[A-Za-z0-9]{30}", code) for code in codes)


@pytest.mark.parametrize("grant_type", ["authorization-code", "implicit"])
def test_no_log_line_of_a_sign_in_holds_a_code_or_a_token(cast, eve, caplog, settings, grant_type):
    caplog.set_level(logging.DEBUG)
    for name, logger in settings.LOGGING["loggers"].items():
        if "level" in logger:
            logging.getLogger(name).setLevel(logger["level"])
    app = cast.app(grant_type=grant_type)
    answer = app.allowed(eve)
    values = [answer.get("code"), answer.get("access_token")]
    if "code" in answer:
        first = app.exchange(answer["code"]).json()
        second = app.refresh(first["refresh_token"]).json()
        assert app.exchange(answer["code"]).status_code == 400
        assert app.refresh(second["refresh_token"]).status_code == 400
        values += [token[kind] for token in (first, second) for kind in ("access_token", "refresh_token")]
    headers = {"Authorization": f"Bearer {values[1] or values[2]}"}
    assert Browser().get("/api/v2/users/nonsense", headers=headers).status_code in (401, 403, 404)

    lines = "\n".join(record.getMessage() for record in caplog.records)
    assert lines
    assert not [value for value in values if value and value in lines]


# --- Tokens ---------------------------------------------------------------------------------------


def test_a_token_is_taken_from_the_header_alone(app, eve):
    """RFC 6750 knows two other places: 9700 4.3.2 forbids the address, and nobody needs the form."""
    token = app.tokens(eve)["access_token"]
    body = urlencode({"access_token": token})
    answers = [
        Browser().get(f"{ME}?{body}"),
        Browser().post("/api/v2/users/search", body, content_type=FORM),
        Browser().delete("/api/v2/tokens/me", body, content_type=FORM),
    ]
    assert [answer.json()["code"] for answer in answers] == ["authentication.required"] * 3
    assert Browser().get(ME, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_nobody_chooses_the_id_of_a_client(cast):
    """So that it is never the id of a person (4.15)."""
    chosen = str(cast.eve.id)
    admin = cast.bearer(("Admin", None), ("Supervisor", None), by=cast.ada, name="Admin service")
    response = Browser().post(
        "/api/v2/oauth/clients",
        json.dumps(
            {
                "id": chosen,
                "clientId": chosen,
                "client_id": chosen,
                "secret": "chosen",
                "name": "Eve",
                "authorizedGrantType": "CODE",
                "registeredRedirectUri": [REDIRECT_URI],
                "scope": ["users"],
            }
        ),
        content_type="application/json",
        headers=admin,
    )
    assert response.status_code == 200, response.content
    assert response.json()["id"] != chosen
    assert response.json()["secret"] != "chosen"
    assert not Client.objects.filter(id=chosen).exists()


# --- The server -----------------------------------------------------------------------------------


def test_forwarded_headers_mean_nothing_where_no_proxy_is_trusted(app, eve, settings):
    """4.13. `TRUSTED_PROXIES` says that there is one, which overwrites them."""
    settings.BASE_URL = "http://localhost:8000"
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "host=evil.example;proto=https",
    }
    assert not hasattr(settings, "SECURE_PROXY_SSL_HEADER") or settings.SECURE_PROXY_SSL_HEADER is None
    request = RequestFactory().get("/", headers=forged)
    assert not request.is_secure()
    assert request.get_host() == "testserver"
    response = Browser().get(app.address(), headers=forged)
    assert response["Location"].startswith("/sign-in/?next=/oauth/authorize")
    said = Browser().get("/.well-known/oauth-authorization-server", headers=forged)
    assert "evil.example" not in said.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/oauth/register",
        "/oauth/par",
        "/oauth/device_authorization",
        "/oauth/device-authorization/",
        "/oauth/applications/",
        "/oauth/authorized_tokens/",
        "/oauth/userinfo",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
    ],
)
def test_the_endpoints_that_are_not_supported_are_not_there(db, path):
    for method in ("get", "post"):
        assert getattr(Browser(), method)(path).status_code == 404


def test_what_is_not_supported_is_not_announced(db):
    said = Browser().get("/.well-known/oauth-authorization-server").json()
    assert not said.keys() & {
        "authorization_details_types_supported",
        "backchannel_authentication_endpoint",
        "device_authorization_endpoint",
        "dpop_signing_alg_values_supported",
        "jwks_uri",
        "mtls_endpoint_aliases",
        "pushed_authorization_request_endpoint",
        "registration_endpoint",
        "request_object_signing_alg_values_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
        "require_pushed_authorization_requests",
        "tls_client_certificate_bound_access_tokens",
        "token_endpoint_auth_signing_alg_values_supported",
    }


def test_what_is_not_supported_changes_nothing_about_a_token(app, eve):
    """An app that asks for a bound or a narrower token can see that it did not get one."""
    asked = {
        "resource": "https://api.example/",
        "authorization_details": '[{"type": "payment"}]',
        "dpop_jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        "nonce": "n",
        "claims": "{}",
    }
    code = app.allowed(eve, **asked)["code"]
    response = app.exchange(code, resource="https://api.example/", audience="https://api.example/")
    token = response.json()
    assert token.keys() == {"access_token", "refresh_token", "expires_in", "token_type", "scope"}
    assert token["token_type"] == "bearer"


# --- Checks of the OpenID conformance suite that do not need an ID token ---------------------------


def test_the_order_of_scopes_does_not_matter(app, eve):
    for scope in ("users user-basic-info", "user-basic-info users", "users user-basic-info users"):
        assert app.tokens(eve, scope=scope)["scope"] == "user-basic-info users"


def test_a_request_by_post_is_a_form_of_our_own_page_and_nothing_else(app, eve):
    """RFC 6749 3.1 leaves POST to the server; here it needs the CSRF token of the consent page."""
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = eve.cookies
    body = {"client_id": app.id, "redirect_uri": REDIRECT_URI, "response_type": "code"}
    assert strict.post("/oauth/authorize", body).status_code == 403
    assert eve.post("/oauth/authorize", body).status_code == 400
