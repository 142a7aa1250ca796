"""CORS for browser apps (Fetch standard 3.2, wire contract A5): an app's page may call from the origins of
its own redirect URIs, and no other page may read an answer."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from corsheaders.middleware import CorsMiddleware
from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import rates
from oauthclients.models import Client, ClientOrigin
from oauthclients.services import clients
from tests.standing import standing

APP = "https://app.example"
PATHS = ("/oauth/token", "/oauth/revoke", "/api/v2/users", "/api/v2/tokens/me", "/api/v2/no/such/route")


@standing
def app(cast):
    """An app in the browser, on an origin of its own."""
    client, _secret = cast.client(
        name="Browser app", grant_type="authorization-code", redirect_uris=(f"{APP}/cb",), scope=("users",)
    )
    return client


def registered(cast, *uris, **more):
    more = {"name": f"App of {uris[0]}", "grant_type": "authorization-code", "scope": ("users",), **more}
    return cast.client(redirect_uris=uris, **more)[0]


def preflight(origin=APP, path="/api/v2/users", method="GET"):
    return Browser().options(path, headers={"Origin": origin, "Access-Control-Request-Method": method})


def call(origin=APP, path="/api/v2/users", **headers):
    return Browser().get(path, headers={**({"Origin": origin} if origin else {}), **headers})


def cors_headers(response) -> dict[str, str]:
    return {
        name.lower(): value
        for name, value in response.headers.items()
        if name.lower().startswith("access-control-")
    }


def words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",")}


def allowed(response, origin) -> bool:
    """Whether a page of this origin may read the answer. Nobody else ever may, nor with cookies."""
    headers = cors_headers(response)
    assert "Origin" in response["Vary"].title()
    assert "access-control-allow-credentials" not in headers
    if not headers:
        return False
    assert headers["access-control-allow-origin"] == origin
    return True


# --- Preflight -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_from_an_apps_origin_is_answered_with_what_the_sdk_needs(app, path):
    response = preflight(path=path, method="POST")

    assert response.status_code == 200
    assert response.content == b""
    assert allowed(response, APP)
    assert words(response["Access-Control-Allow-Methods"]) == words("GET,HEAD,POST,PUT,PATCH,DELETE")
    assert words(response["Access-Control-Allow-Headers"]) == words(
        "authorization,content-type,accept,accept-language,purecloud-sdk,if-match"
    )
    assert response["Access-Control-Max-Age"] == "600"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin",
    [
        "https://other.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.example",
        "https://evil.example/https://app.example",
        "https://app.example/",
        "https://app.example/cb",
        "https://user@app.example",
        "https://APP.example",
        "https://app.example:99999999",
        "https://[app.example",
        "https://app\x00.example",
        "null",
        "*",
        "",
    ],
)
def test_a_preflight_from_any_other_origin_is_told_nothing(app, path, origin):
    response = preflight(origin, path)

    assert not cors_headers(response)
    assert "origin" in response["Vary"].lower()


def test_the_opaque_origin_never_matches_even_where_a_native_app_is_registered(cast):
    registered(cast, "com.example.app:/cb")

    assert not ClientOrigin.objects.exists()
    assert not cors_headers(preflight("null"))


def test_a_preflight_reaches_no_view_and_no_throttle_and_asks_the_database_once(app, monkeypatch):
    def counted(_window):
        raise AssertionError("a preflight was counted")

    monkeypatch.setattr(rates.Window, "count", counted)
    monkeypatch.setattr(rates.Window, "exceeded", counted)
    for path in PATHS:
        with CaptureQueriesContext(connection) as queries:
            response = preflight(path=path, method="POST")
        assert response.status_code == 200
        assert "WWW-Authenticate" not in response
        assert ["clientorigin" in query["sql"] for query in queries] == [True]


def test_options_without_a_method_to_ask_for_is_no_preflight(app):
    response = Browser().options("/oauth/token", headers={"Origin": APP})
    assert response.status_code == 405
    assert Browser().options("/api/v2/users", headers={"Origin": APP}).status_code == 405


@pytest.mark.parametrize(
    "path", ["/", "/sign-in/", "/healthz", "/oauth/authorize", "/oauth/introspect", "/admin/", "/api/v20"]
)
def test_no_other_address_is_open_to_pages_of_others(app, path):
    assert not cors_headers(preflight(path=path))
    assert not cors_headers(call(path=path))


@pytest.mark.parametrize(
    ("change", "live"),
    [
        ({"state": "inactive"}, True),
        ({"state": "disabled"}, False),
        ({"state": "inactive", "date_to_delete": timezone.now()}, False),
    ],
)
def test_only_a_client_whose_tokens_work_counts(app, change, live):
    Client.objects.update(**change)

    assert allowed(preflight(), APP) is live


def test_the_apps_of_an_organization_that_was_switched_off_do_not_count(app):
    type(app.organization).objects.filter(id=app.organization_id).update(active=False)

    assert not cors_headers(preflight())


def test_the_port_of_a_loopback_address_may_differ_and_that_of_localhost_may_not(cast):
    registered(cast, "http://127.0.0.1/cb", "http://[::1]:3000/cb", "http://localhost:5173/cb")

    for origin in ("http://127.0.0.1:5173", "http://127.0.0.1", "http://[::1]:8", "http://localhost:5173"):
        assert allowed(preflight(origin), origin), origin
    for origin in (
        "https://127.0.0.1:5173",
        "http://127.0.0.2",
        "http://localhost",
        "http://localhost:5174",
    ):
        assert not cors_headers(preflight(origin)), origin


# --- The answer itself ---------------------------------------------------------------------------


def answered_for(client, origin=APP, method="get"):
    """The answer to a call whose view has found this client."""

    def view(request):
        request.browser_client = client
        return HttpResponse("{}")

    request = getattr(RequestFactory(), method)("/api/v2/users", headers={"Origin": origin})
    return CorsMiddleware(view)(request)


def test_an_answer_is_readable_where_its_own_client_runs_and_tells_its_headers(cast, app):
    response = answered_for(app)

    assert allowed(response, APP)
    assert words(response["Access-Control-Expose-Headers"]) == words(
        "ININ-Correlation-Id,inin-ratelimit-count,inin-ratelimit-allowed,inin-ratelimit-reset,"
        "Retry-After,WWW-Authenticate,Latchkey-Notice"
    )
    assert "Access-Control-Allow-Methods" not in response


def test_an_answer_is_not_readable_where_another_client_runs(cast, app):
    other = registered(cast, "https://other.example/cb")

    assert not allowed(answered_for(other), APP)
    assert allowed(answered_for(other, "https://other.example"), "https://other.example")


def test_an_answer_to_client_credentials_is_readable_by_no_page(cast, app):
    service, _secret = cast.client(("Employee", cast.home))

    assert not allowed(answered_for(service), APP)


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/api/v2/users", "Bearer dead", 401),
        ("/api/v2/users", "", 401),
        ("/api/v2/no/such/route", "", 404),
        ("/oauth/token", "", 405),
    ],
)
def test_a_refusal_that_no_client_is_known_for_is_readable_by_every_app(app, path, token, status):
    response = call(path=path, **({"Authorization": token} if token else {}))

    assert response.status_code == status
    assert allowed(response, APP)
    assert not cors_headers(
        call("https://other.example", path, **({"Authorization": token} if token else {}))
    )


def exchange(client, uri, origin):
    body = {
        "grant_type": "authorization_code",
        "code": "unknown",
        "code_verifier": "v" * 43,
        "client_id": client.client_id,
        "redirect_uri": uri,
    }
    return Browser().post(
        "/oauth/token",
        urlencode(body),
        content_type="application/x-www-form-urlencoded",
        headers={"Origin": origin},
    )


def test_an_exchange_is_readable_by_the_app_that_asks_and_by_no_other(cast, app):
    registered(cast, "https://other.example/cb")

    response = exchange(app, f"{APP}/cb", APP)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_grant"
    assert allowed(response, APP)
    assert not allowed(exchange(app, f"{APP}/cb", "https://other.example"), "https://other.example")


def test_a_call_with_a_living_token_is_readable_where_its_client_runs_only(cast, app):
    headers = cast.bearer(("Supervisor", cast.home))

    response = call(**headers)
    assert response.status_code == 200
    assert not allowed(response, APP)
    refused = call(path="/api/v2/oauth/clients", **headers)
    assert refused.status_code == 403
    assert not allowed(refused, APP)


def test_a_call_without_an_origin_costs_no_look_at_the_origins(app):
    with CaptureQueriesContext(connection) as queries:
        response = call(None)

    assert response.status_code == 401
    assert not cors_headers(response)
    assert "origin" in response["Vary"].lower()  # a cache must not give it to a page
    assert not [query for query in queries if "clientorigin" in query["sql"]]


# --- Where the origins come from -----------------------------------------------------------------


def origins_of(client) -> set[str]:
    return set(ClientOrigin.objects.filter(client_id=client.id).values_list("origin", flat=True))


def test_the_origins_follow_the_redirect_uris(cast, app):
    assert origins_of(app) == {APP}
    kept = ClientOrigin.objects.get().id

    def change(*uris):
        clients.change(
            actor=cast.actor(cast.ada),
            client_id=app.id,
            spec=lambda was: type(was)(**{**vars(was), "redirect_uris": uris}),
        )

    change(f"{APP}/cb", f"{APP}:443/other", "https://two.example:8443/cb", "com.example.app:/cb")
    assert origins_of(app) == {APP, "https://two.example:8443"}
    assert ClientOrigin.objects.get(origin=APP).id == kept

    change("https://two.example:8443/cb")
    assert origins_of(app) == {"https://two.example:8443"}
    assert not cors_headers(preflight())

    Client.objects.all().delete()
    assert not ClientOrigin.objects.exists()


@pytest.mark.parametrize(
    ("grant_type", "origins"),
    [
        ("authorization-code", {APP}),
        ("implicit", {APP}),
        ("client-credentials", set()),
        ("saml2-bearer", set()),
    ],
)
def test_only_clients_with_redirect_uris_have_origins(cast, grant_type, origins):
    pairs = [("Employee", cast.home)] if grant_type == "client-credentials" else []
    uris = (f"{APP}/cb",) if origins else ()
    client, _secret = cast.client(*pairs, grant_type=grant_type, redirect_uris=uris, scope=("users",))

    assert origins_of(client) == origins


def test_the_migration_fills_the_origins_of_the_clients_that_are_there(cast, app):
    cast.client(("Employee", cast.home))
    native = registered(cast, "com.example.app:/cb", "http://127.0.0.1:7000/cb")
    ClientOrigin.objects.all().delete()

    migration = importlib.import_module("oauthclients.migrations.0003_client_origins")
    for _again in range(2):
        migration.fill(apps, SimpleNamespace())

    assert origins_of(app) == {APP}
    assert origins_of(native) == {"http://127.0.0.1"}
    assert ClientOrigin.objects.count() == 2
