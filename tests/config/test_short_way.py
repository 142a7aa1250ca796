"""Programs go a short way to their view. What they are answered is what the long way answers, which those with
an `Origin` go, but for what is said about origins."""

from __future__ import annotations

import json
import logging

import pytest
from django.conf import settings as django_settings
from django.test import Client as Browser
from django.utils import translation

from config.middleware import ShortWayMiddleware
from oauthclients.api.tokens import OwnToken
from oauthclients.authorization_server.introspection import IntrospectionView
from oauthclients.authorization_server.revocation import RevocationView
from oauthclients.authorization_server.views import TokenView
from tests.cast import basic
from tests.standing import standing

FORM = "application/x-www-form-urlencoded"
BY_A_PAGE = {"Origin": "https://nobody.example"}

CALLS = [
    ("GET", "/api/v2/users"),
    ("HEAD", "/api/v2/users"),
    ("GET", "/api/v2/users?pageSize=nothing"),
    ("GET", "/api/v2/users/00000000-0000-4000-8000-000000000000"),
    ("GET", "/api/v2/tokens/me"),
    ("GET", "/api/v2/oauth/clients"),
    ("DELETE", "/api/v2/users"),
    ("OPTIONS", "/api/v2/users"),
    ("PROPFIND", "/api/v2/users"),
    ("POST", "/api/v2/users"),
    ("GET", "/api/v2/users/"),
    ("GET", "/api/v2/"),
    ("GET", "/api/v2/nowhere"),
    ("GET", "/api/v2/users/\x00"),
    ("GET", "/api/v2/scim/users"),
    ("GET", "/api/v2/scim/nowhere"),
    ("GET", "/oauth/token"),
    ("POST", "/oauth/token"),
    ("POST", "/oauth/token?client_id=x"),
    ("POST", "/oauth/introspect"),
    ("POST", "/oauth/revoke"),
]
# Beside those that programs call: nothing is there.
BESIDE = [
    ("GET", "/oauth/tokens"),
    ("POST", "/oauth/token/"),
    ("GET", "/oauth/revoked"),
    ("GET", "/oauth/introspect/x"),
]


@standing
def headers(cast):
    return cast.bearer(("Supervisor", cast.home))


def answered(method, path, headers, **more):
    return Browser(raise_request_exception=False).generic(method, path, headers=headers, **more)


def body_of(response) -> str:
    """Without what is different each time."""
    return response.content.decode().replace(response["ININ-Correlation-Id"], "")


def said_to_everybody(response) -> dict[str, str]:
    """The headers, but for those of origins, of languages, and of what has been counted meanwhile."""
    different = (
        "vary",
        "inin-ratelimit-count",
        "inin-ratelimit-reset",
        "inin-correlation-id",
        "content-language",
    )
    return {
        name: value
        for name, value in sorted((name.lower(), value) for name, value in response.items())
        if name not in different and not name.startswith("access-control-")
    }


def policy_of(response) -> dict[str, str]:
    return dict(
        directive.strip().split(" ", 1) for directive in response["Content-Security-Policy"].split(";")
    )


def same_headers(short, long) -> None:
    mine, its = said_to_everybody(short), said_to_everybody(long)
    # A program's answer needs none of what a page may load.
    assert (mine.pop("content-security-policy", None) is None) == (
        its.pop("content-security-policy", None) is None
    )
    assert mine == its


@pytest.mark.parametrize("with_token", [True, False], ids=["token", "none"])
@pytest.mark.parametrize(("method", "path"), CALLS, ids=lambda it: it)
def test_the_short_way_answers_as_the_long_way(headers, method, path, with_token):
    sent = headers if with_token and path.startswith("/api") else {}

    short = answered(method, path, sent)
    long = answered(method, path, {**sent, **BY_A_PAGE})

    assert short.status_code == long.status_code
    assert body_of(short) == body_of(long)
    same_headers(short, long)


@pytest.mark.parametrize(("method", "path"), CALLS, ids=lambda it: it)
def test_every_answer_is_safe_in_a_browser_and_in_a_cache(headers, method, path):
    response = answered(method, path, headers)

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert policy_of(response) == {"default-src": "'none'", "frame-ancestors": "'none'"}
    assert "no-store" in response["Cache-Control"]
    assert response["Pragma"] == "no-cache"
    assert response["ININ-Correlation-Id"]
    assert "origin" in response["Vary"].lower()
    assert "cookie" not in response["Vary"].lower()
    assert not response.cookies
    if method != "HEAD":
        assert response["Content-Length"] == str(len(response.content))
    assert response["Content-Type"].partition(";")[0] in ("application/json", "application/scim+json")


def test_tokens_are_given_with_the_same_headers_on_either_way(cast):
    client, secret = cast.client(("Supervisor", cast.home))
    form = {"data": "grant_type=client_credentials", "content_type": FORM}
    sent = {"Authorization": basic(client.client_id, secret)}

    short = answered("POST", "/oauth/token", sent, **form)
    long = answered("POST", "/oauth/token", {**sent, **BY_A_PAGE}, **form)

    assert (short.status_code, long.status_code) == (200, 200)
    assert short.json().keys() == long.json().keys()
    same_headers(short, long)
    assert short["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
def test_refusals_are_the_same_on_either_way(db, path):
    form = {"data": "grant_type=client_credentials&token=x", "content_type": FORM}
    sent = {"Authorization": basic("00000000-0000-4000-8000-000000000000", "wrong")}

    short = answered("POST", path, sent, **form)
    long = answered("POST", path, {**sent, **BY_A_PAGE}, **form)

    assert (short.status_code, long.status_code) == (401, 401)
    assert body_of(short) == body_of(long)
    same_headers(short, long)


@pytest.mark.parametrize(("method", "path"), BESIDE, ids=lambda it: it)
def test_an_address_beside_those_of_programs_is_answered_as_on_the_long_way(db, method, path):
    short = answered(method, path, {})
    long = answered(method, path, BY_A_PAGE)

    assert (short.status_code, long.status_code) == (404, 404)
    assert body_of(short) == body_of(long)
    same_headers(short, long)


@pytest.mark.parametrize(
    "path",
    [
        "/oauth/authorize",
        "/sign-in/",
        "/api/schema",
        "/api/v2",
        "/healthz",
        "/.well-known/oauth-authorization-server",
    ],
)
def test_what_people_see_and_what_is_for_everybody_goes_the_long_way(db, path, monkeypatch):
    went = []
    monkeypatch.setattr("config.middleware.resolve", lambda *_path: went.append(path))

    answered("GET", path, {})

    assert went == []


# --- Whose host, over what -----------------------------------------------------------------------


@pytest.mark.parametrize("origin", [{}, BY_A_PAGE], ids=["short", "long"])
@pytest.mark.parametrize("path", ["/api/v2/users", "/api/v2/nowhere", "/oauth/token", "/oauth/introspect"])
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a b", "", "localhost:x"])
def test_a_host_that_is_not_ours_is_refused(settings, headers, path, host, origin):
    settings.ALLOWED_HOSTS = ["localhost"]

    response = answered("GET", path, {**headers, **origin, "Host": host})

    assert response.status_code == 400
    assert response["Content-Type"].startswith("application/json")
    assert not host.strip() or host not in response.content.decode()


@pytest.mark.parametrize("host", ["localhost", "localhost:8000"])
def test_a_host_that_is_ours_is_answered(settings, headers, host):
    settings.ALLOWED_HOSTS = ["localhost"]

    assert answered("GET", "/api/v2/tokens/me", {**headers, "Host": host}).status_code == 200


@pytest.fixture
def https(headers, settings):
    """As `BASE_URL=https://…` has it (config/settings.py)."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True


@pytest.mark.parametrize("path", ["/api/v2/tokens/me", "/oauth/token"])
def test_plain_http_is_sent_away_before_anything_is_looked_at(
    https, headers, path, django_assert_num_queries
):
    with django_assert_num_queries(0):
        response = answered("GET", path, headers)

    assert response.status_code == 301
    assert response["Location"] == f"https://testserver{path}"


@pytest.mark.parametrize("path", ["/api/v2/tokens/me", "/api/v2/nowhere", "/oauth/token"])
def test_over_https_the_browser_is_told_to_stay_there(headers, https, path):
    response = answered("GET", path, headers, secure=True)

    assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


def test_over_http_nothing_is_said_about_https(headers):
    assert "Strict-Transport-Security" not in answered("GET", "/api/v2/tokens/me", headers)


# --- Languages, sessions, heads ------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v2/users", "/oauth/token"])
def test_the_language_of_a_page_does_not_leak_into_an_answer(headers, path):
    """The thread may have served somebody a page in another language a moment ago."""
    before = answered("DELETE", path, headers)
    translation.activate("fr")
    try:
        after = answered("DELETE", path, headers)
        at_the_end = translation.get_language()
    finally:
        translation.activate(django_settings.LANGUAGE_CODE)

    assert body_of(after) == body_of(before)
    assert at_the_end == django_settings.LANGUAGE_CODE


def test_a_program_that_prefers_another_language_is_answered_the_same(headers):
    before = answered("DELETE", "/api/v2/users", headers)
    after = answered("DELETE", "/api/v2/users", {**headers, "Accept-Language": "fr"})

    assert body_of(after) == body_of(before)


def test_cookies_say_nothing_and_cost_nothing(cast, browser_of, django_assert_num_queries):
    """Who is signed in in a browser is nobody to the API."""
    browser = browser_of(cast.ada)

    with django_assert_num_queries(0):
        response = browser.get("/api/v2/users")

    assert response.status_code == 401
    assert not response.cookies


def test_a_head_is_a_get_without_its_body(headers):
    get = answered("GET", "/api/v2/users", headers)
    head = answered("HEAD", "/api/v2/users", headers)

    assert head.content == b""
    assert head.status_code == get.status_code
    assert said_to_everybody(head).keys() == said_to_everybody(get).keys()


# --- When we fail --------------------------------------------------------------------------------

BREAKABLE = [
    ("POST", "/oauth/token", TokenView, "asked"),
    ("POST", "/oauth/introspect", IntrospectionView, "asked"),
    ("POST", "/oauth/revoke", RevocationView, "asked"),
    ("GET", "/api/v2/tokens/me", OwnToken, "get"),
    ("GET", "/api/v2/tokens/me", OwnToken, "finalize_response"),
]
SAYS_WHY = "the password of the database is hunter2"


def broken(monkeypatch, view, name) -> None:
    def breaks(*_args, **_more):
        raise RuntimeError(SAYS_WHY)

    breaks.requirement = getattr(getattr(view, name), "requirement", None)
    monkeypatch.setattr(view, name, breaks)


@pytest.mark.parametrize("origin", [{}, BY_A_PAGE], ids=["short", "long"])
@pytest.mark.parametrize(
    ("method", "path", "view", "name"), BREAKABLE, ids=[f"{one[1]} {one[3]}" for one in BREAKABLE]
)
def test_an_error_of_ours_is_json_without_details(
    headers, monkeypatch, caplog, method, path, view, name, origin
):
    broken(monkeypatch, view, name)

    sent = headers if path.startswith("/api") else {}
    response = answered(method, path, {**sent, **origin}, data="a=b", content_type=FORM)

    assert response.status_code == 500
    said = json.loads(response.content)
    assert SAYS_WHY not in response.content.decode()
    assert "Traceback" not in response.content.decode()
    if path.startswith("/api"):
        assert said["code"] == "internal.server.error"
        assert said["contextId"] == response["ININ-Correlation-Id"]
    else:
        assert said["error"] == "server_error"
    assert SAYS_WHY in caplog.text  # for the operator


@pytest.mark.parametrize(
    ("method", "path", "view", "name"), BREAKABLE, ids=[f"{one[1]} {one[3]}" for one in BREAKABLE]
)
def test_an_error_of_ours_has_the_headers_of_the_long_way(
    headers, monkeypatch, caplog, method, path, view, name
):
    caplog.set_level(logging.CRITICAL)
    broken(monkeypatch, view, name)
    own = headers if path.startswith("/api") else {}
    sent = {"data": "a=b", "content_type": FORM}

    short = answered(method, path, own, **sent)
    long = answered(method, path, {**own, **BY_A_PAGE}, **sent)

    assert body_of(short) == body_of(long)
    same_headers(short, long)


def test_what_is_large_is_refused_on_the_short_way_too(cast, settings):
    headers = cast.bearer(("Admin", None))
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000

    api = answered("POST", "/api/v2/users", headers, data=b" " * 2_000, content_type="application/json")
    token = answered("POST", "/oauth/token", {}, data=b"a=" + b"b" * 2_000, content_type=FORM)

    assert api.status_code == 413
    assert token.status_code in (400, 413)
    assert token["Content-Type"].startswith("application/json")


def test_the_short_way_begins_after_what_every_request_passes():
    """Before it stand only the request's id and what redirects to HTTPS; behind it, all that is for pages."""
    name = f"{ShortWayMiddleware.__module__}.{ShortWayMiddleware.__qualname__}"
    at = django_settings.MIDDLEWARE.index(name)

    assert django_settings.MIDDLEWARE[:at] == [
        "config.middleware.RequestOriginMiddleware",
        "django.middleware.security.SecurityMiddleware",
    ]
