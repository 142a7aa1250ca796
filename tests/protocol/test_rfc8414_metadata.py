"""RFC 8414: what the server says about itself is what it does."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from oauthlib.oauth2.rfc6749.endpoints.metadata import MetadataEndpoint

from oauthclients import grant_types, scopes
from tests.cast import REDIRECT_URI, App, landed, pkce

WELL_KNOWN = "/.well-known/oauth-authorization-server"


@pytest.fixture
def said(db) -> dict:
    response = Browser().get(WELL_KNOWN)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    return response.json()


def path(said: dict, endpoint: str) -> str:
    return said[endpoint].removeprefix(said["issuer"])


def test_it_is_at_the_root_and_any_page_may_read_it(db):
    response = Browser().get(WELL_KNOWN, headers={"Origin": "https://anything.example"})
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cache-Control"] == "public, max-age=3600"
    assert not response.cookies
    assert Browser().head(WELL_KNOWN).status_code == 200
    assert Browser().post(WELL_KNOWN).status_code == 405


def test_the_issuer_is_the_servers_address_and_that_of_every_answer(said, app, browser_of, cast, settings):
    assert said["issuer"] == settings.BASE_URL
    assert not said["issuer"].endswith("/")
    assert said["authorization_response_iss_parameter_supported"] is True
    browser = browser_of(cast.eve)
    assert app.allowed(browser)["iss"] == said["issuer"]
    assert landed(app.ask(browser, scope="nonsense"), REDIRECT_URI)["iss"] == said["issuer"]


def test_a_strict_reader_finds_nothing_wrong(said, settings):
    settings.BASE_URL = "https://login.example"
    claims = Browser().get(WELL_KNOWN).json()
    assert MetadataEndpoint([], claims=dict(claims), raise_errors=True).claims == claims
    assert claims["issuer"] == "https://login.example"
    assert all(value.startswith("https://") for key, value in claims.items() if key.endswith("_endpoint"))


def test_every_endpoint_is_there(said):
    assert {key for key in said if key.endswith("_endpoint")} == {
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
    }
    for endpoint in ("token", "revocation", "introspection"):
        response = Browser().post(
            path(said, f"{endpoint}_endpoint"), "", content_type="application/x-www-form-urlencoded"
        )
        assert response.json()["error"] in ("invalid_client", "invalid_request")
    assert Browser().get(path(said, "authorization_endpoint")).status_code == 400


def test_every_grant_type_that_is_named_is_answered_and_no_other(said, app, cast, browser_of):
    service, secret = cast.client(("Supervisor", cast.home))
    asked = {
        "client_credentials": App(service, secret, ""),
        "authorization_code": app,
        "refresh_token": app,
        "urn:ietf:params:oauth:grant-type:saml2-bearer": App(
            *cast.client(name="Desk", grant_type="saml2-bearer", scope=("users",)), ""
        ),
    }
    known = {name for grant in grant_types.GRANT_TYPES for name in grant.grant_types}
    others = {"password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", *known} - asked.keys()
    assert set(said["grant_types_supported"]) == {*asked, "implicit"}
    token = cast.app(name="Browser app", grant_type="implicit").allowed(browser_of(cast.eve))
    assert "access_token" in token

    for grant_type, by in asked.items():
        answer = by.post("/oauth/token", {"grant_type": grant_type}, by.secret).json()
        assert "access_token" in answer or answer["error"] in ("invalid_grant", "invalid_request"), answer
    for grant_type in others:
        answer = app.post("/oauth/token", {"grant_type": grant_type}, app.secret).json()
        assert answer["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none", "private_key_jwt"])
@pytest.mark.parametrize("endpoint", ["token", "revocation", "introspection"])
def test_every_way_of_authentication_that_is_named_works_and_no_other(
    said, app, cast, browser_of, endpoint, method
):
    if endpoint == "token":
        code = app.allowed(browser_of(cast.eve), **pkce())["code"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": "v" * 43,
        }
    else:
        form = {"token": "nonsense"}
    if endpoint == "introspection":
        app = App(*cast.client(("Token Introspection", cast.home)), REDIRECT_URI)
    form |= {
        "client_secret_basic": {},
        "client_secret_post": {"client_id": app.id, "client_secret": app.secret},
        "none": {"client_id": app.id},
        "private_key_jwt": {"client_assertion": "x.y.z"},
    }[method]
    secret = app.secret if method == "client_secret_basic" else None

    response = app.post(path(said, f"{endpoint}_endpoint"), form, secret)

    named = method in said[f"{endpoint}_endpoint_auth_methods_supported"]
    assert (response.status_code == 200) == named, response.content


def test_every_response_type_and_mode_that_is_named_works_and_no_other(said, app, cast, browser_of):
    browser = browser_of(cast.eve)
    implicit = cast.app(name="Browser app", grant_type="implicit")
    assert (set(said["response_types_supported"]), set(said["response_modes_supported"])) == (
        {"code", "token"},
        {"query", "fragment"},
    )
    assert "code" in app.allowed(browser, response_mode="query")
    assert "access_token" in implicit.allowed(browser, response_mode="fragment")
    for response_type in ("id_token", "none", "code token"):
        answer = landed(app.ask(browser, response_type=response_type), REDIRECT_URI)
        assert answer["error"] in ("unsupported_response_type", "unauthorized_client")
    assert landed(app.ask(browser, response_mode="form_post"), REDIRECT_URI)["error"] == "invalid_request"


def test_every_challenge_method_and_prompt_that_is_named_is_taken_and_no_other(said, app, cast, browser_of):
    browser = browser_of(cast.eve)
    for method in ("S256", "plain"):
        query = pkce() | {"code_challenge_method": method}
        taken = "error" not in app.ask(browser, **query).get("Location", "")
        assert taken == (method in said["code_challenge_methods_supported"])
    for prompt in ("none", "login", "consent", "select_account", "create"):
        response = app.ask(browser_of(cast.eve), prompt=prompt)
        refused = "error=invalid_request" in response.get("Location", "")
        assert refused == (prompt not in said["prompt_values_supported"]), prompt


def test_every_scope_of_the_catalogue_is_named(said):
    assert said["scopes_supported"] == sorted(scopes.CATALOGUE)


def test_there_is_no_openid_connect_and_nothing_says_so(said):
    assert Browser().get("/.well-known/openid-configuration").status_code == 404
    assert "openid" not in said["scopes_supported"]
    assert not {"jwks_uri", "userinfo_endpoint", "registration_endpoint"} & said.keys()
