"""What comes in by the door for programs is answered as what comes through Django's handler, header by header."""

from __future__ import annotations

import gc
import io
from importlib import import_module

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import RequestFactory
from django.utils import translation
from oauth2_provider.models import get_access_token_model

from accounts import rates
from config.programs import Programs
from oauthclients.authorization_server import direct
from oauthclients.services import usage
from tests.cast import basic
from tests.config.test_short_way import BESIDE, CALLS, FORM

TOKEN = {"data": b"grant_type=client_credentials", "content_type": FORM}


@pytest.fixture(autouse=True)
def looked_after(monkeypatch):
    """How often a connection was looked after. Really doing it would end the transaction that a test is."""
    calls = []
    monkeypatch.setattr(
        BaseDatabaseWrapper, "close_if_unusable_or_obsolete", lambda self: calls.append(self.alias)
    )
    return calls


@pytest.fixture(scope="module")
def handler() -> WSGIHandler:
    return WSGIHandler()


@pytest.fixture
def both(handler):
    """The door and what is behind it, asked the same."""
    door = Programs(handler)

    def ask(method, path, headers=None, **more):
        return tuple(
            asked(application, method, path, headers or {}, **more) for application in (door, handler)
        )

    return ask


def asked(application, method, path, headers, data=b"", content_type="", **environ):
    """Status, headers and body."""
    rates.forget()
    usage.forget()
    request = RequestFactory().generic(
        method, path, data, content_type, headers={"Host": "localhost", **headers}, **environ
    )
    request.environ["wsgi.input"] = io.BytesIO(data)
    started = []
    response = application(request.environ, lambda *said: started.append(said))
    body = b"".join(response)
    if hasattr(response, "close"):
        response.close()
    status, said = started[0]
    names = [name.lower() for name, _value in said]
    assert len(names) == len(set(names)), said
    return status, dict(zip(names, (value for _name, value in said), strict=True)), body


def compared(answer):
    """Without what is different each time."""
    status, headers, body = answer
    headers = dict(headers)
    id = headers.pop("inin-correlation-id")
    headers.pop("inin-ratelimit-reset", None)
    return status, headers, body.replace(id.encode(), b"")


@pytest.fixture
def headers(cast):
    return cast.bearer(("Supervisor", cast.home))


@pytest.mark.parametrize("with_token", [True, False], ids=["token", "none"])
@pytest.mark.parametrize(("method", "path"), CALLS + BESIDE, ids=lambda it: it)
def test_the_door_answers_as_what_is_behind_it(headers, both, method, path, with_token):
    door, behind = both(method, path, headers if with_token and path.startswith("/api") else {})

    assert compared(door) == compared(behind)


@pytest.mark.parametrize("secure", [True, False], ids=["https", "http"])
@pytest.mark.parametrize("configured", [True, False], ids=["for https", "for http"])
@pytest.mark.parametrize("path", ["/oauth/token", "/api/v2/users"])
def test_what_must_be_said_over_https_is_sent_there_by_the_door_too(
    headers, both, settings, path, secure, configured
):
    settings.SECURE_SSL_REDIRECT = configured
    settings.SECURE_HSTS_SECONDS = 1000
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    handler = WSGIHandler()  # middleware reads its settings when it is made
    forwarded = {"X-Forwarded-Proto": "https" if secure else "http"}
    from config import programs

    programs._standing.cache_clear()
    try:
        door, behind = (
            asked(one, "GET", path, {**headers, **forwarded}) for one in (Programs(handler), handler)
        )
    finally:
        programs._standing.cache_clear()

    assert compared(door) == compared(behind)
    assert door[0].startswith("301") == (configured and not secure)
    assert ("strict-transport-security" in door[1]) == secure


def test_a_host_that_is_not_ours_is_refused_by_the_door_too(headers, both, settings):
    settings.ALLOWED_HOSTS = ["ours.example"]
    from config import programs

    programs._is_ours.cache_clear()
    try:
        for path, more in (
            ("/api/v2/users", {"method": "GET"}),
            ("/oauth/token", {"method": "POST", **TOKEN}),
        ):
            answers = both(path=path, headers={**headers, "Host": "theirs.example"}, **more)
            assert compared(answers[0]) == compared(answers[1])
            assert answers[0][0].startswith("400")
    finally:
        programs._is_ours.cache_clear()


def test_where_a_request_comes_from_is_known_behind_the_door(cast, both, settings):
    """By the address in which failures are counted."""
    settings.TRUSTED_PROXIES, settings.RATE_TOKEN_FAILURES = 1, 1
    client, secret = cast.client(("Supervisor", cast.home))
    wrong = {"Authorization": basic(client.client_id, "wrong"), "X-Forwarded-For": "192.0.2.7"}
    right = {"Authorization": basic(client.client_id, secret)}
    door = Programs(WSGIHandler())

    def status(sent):
        request = RequestFactory().post("/oauth/token", TOKEN["data"], content_type=FORM, headers=sent)
        started = []
        door({**request.environ, "wsgi.input": io.BytesIO(TOKEN["data"])}, lambda *it: started.append(it))
        return started[0][0][:3]

    assert status(wrong) == "401"
    assert status({**right, "X-Forwarded-For": "192.0.2.7"}) == "429"
    assert status({**right, "X-Forwarded-For": "192.0.2.8"}) == "200"


def test_a_call_of_a_page_goes_the_long_way(headers, monkeypatch):
    """There the headers are written by which a browser lets it read the answer."""
    seen = []
    door = Programs(lambda environ, start_response: seen.append(environ["PATH_INFO"]) or [])

    for path in ("/oauth/token", "/api/v2/users", "/oauth/authorize", "/admin/"):
        request = RequestFactory().get(path, headers={**headers, "Origin": "https://app.example"})
        door(request.environ, lambda *_: None)

    assert seen == ["/oauth/token", "/api/v2/users", "/oauth/authorize", "/admin/"]


def test_below_another_path_the_door_is_shut(headers):
    seen = []
    door = Programs(lambda environ, start_response: seen.append(environ["SCRIPT_NAME"]) or [])

    door({**RequestFactory().get("/api/v2/users").environ, "SCRIPT_NAME": "/below"}, lambda *_: None)

    assert seen == ["/below"]


def test_an_error_of_ours_is_told_as_one(headers, both, monkeypatch):
    from oauthclients.api.tokens import OwnToken

    def broken(*_):
        raise RuntimeError("broken")

    broken.requirement = OwnToken.get.requirement
    monkeypatch.setattr(OwnToken, "get", broken)

    door, behind = both("GET", "/api/v2/tokens/me", headers)

    assert compared(door) == compared(behind)
    assert door[0].startswith("500")


def test_a_token_is_given_directly(cast, both, monkeypatch):
    """And so what is compared above and in tests/protocol/test_direct_tokens.py are two ways."""
    client, secret = cast.client(("Supervisor", cast.home))
    given = []
    directly = direct.token_for
    monkeypatch.setattr(direct, "token_for", lambda *sent: given.append(directly(*sent)) or given[-1])

    door, behind = both("POST", "/oauth/token", {"Authorization": basic(client.client_id, secret)}, **TOKEN)

    assert [door[0], behind[0]] == ["200 OK", "200 OK"]
    assert given[0].encode() == door[2]
    assert len(given) == 1


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v2/users"), ("POST", "/oauth/token")])
def test_connections_are_looked_after_before_and_after_a_request(cast, looked_after, method, path):
    """As Django does by its signals."""
    client, secret = cast.client(("Supervisor", cast.home))
    sent = {"Authorization": basic(client.client_id, secret)}

    asked(Programs(WSGIHandler()), method, path, sent, **(TOKEN if method == "POST" else {}))

    assert looked_after == ["default", "default"]


@pytest.mark.parametrize(
    "path", ["/api/v2/tokens/me", "/api/v2/oauth/scopes", "/api/v2/nowhere", "/oauth/token"]
)
def test_an_answer_leaves_no_garbage_behind(headers, path):
    """That only a search would find, for which everybody waits."""
    door = Programs(WSGIHandler())
    sent = headers if path.startswith("/api") else {}
    asked(door, "GET", path, sent)
    gc.collect()
    gc.disable()
    try:
        status, _headers, _body = asked(door, "GET", path, sent)
        found = gc.collect()
    finally:
        gc.enable()

    # A refusal is an exception, whose traceback refers to itself.
    assert found < (60 if status[0] == "4" else 1)


FAILURES = {
    "rights": ("oauthclients.services.secrets.find", OperationalError("away")),
    "connection": ("oauthclients.services.secrets.find", InterfaceError("closed")),
    "storing": ("oauthclients.services.tokens.issue", OperationalError("away")),
    "gone meanwhile": ("oauthclients.services.tokens.issue", IntegrityError("no such client")),
    "noting": ("oauthclients.services.usage.client_used", OperationalError("locked")),
    "counting": ("oauthclients.services.usage.count", RuntimeError("broken")),
}


@pytest.mark.parametrize("what", FAILURES)
def test_what_breaks_breaks_once_and_is_told_alike(cast, handler, monkeypatch, caplog, what):
    """Also after a token was stored, which nobody may try again."""
    client, secret = cast.client(("Supervisor", cast.home))
    sent = {"Authorization": basic(client.client_id, secret)}
    name, error = FAILURES[what]
    module, _dot, function = name.rpartition(".")
    usual = getattr(import_module(module), function)
    calls = []

    def breaks(*args, **kwargs):
        calls.append(name)
        if "issue" in name:
            raise error
        if "find" not in name:
            usual(*args, **kwargs)
        raise error

    monkeypatch.setattr(name, breaks)
    found = []
    for application in (Programs(handler), handler):
        calls.clear()
        caplog.clear()
        with transaction.atomic():
            answer = compared(asked(application, "POST", "/oauth/token", sent, **TOKEN))
            rows = get_access_token_model().objects.count()
            transaction.set_rollback(True)
        found.append((answer, rows, len(calls), [one.getMessage() for one in caplog.records]))

    assert found[0][:2] == found[1][:2]
    if what != "gone meanwhile":  # then nothing was stored, and the view may ask once more
        assert found[0] == found[1]


def test_a_refusal_is_decided_once(cast, handler, django_assert_num_queries):
    client, _secret = cast.client(("Supervisor", cast.home))
    sent = {"Authorization": basic(client.client_id, "wrong")}

    with django_assert_num_queries(1):
        answer = asked(Programs(handler), "POST", "/oauth/token", sent, **TOKEN)

    assert answer[0].startswith("401")


def test_the_language_of_the_page_before_is_not_that_of_a_program(headers, settings, both):
    settings.ALLOWED_HOSTS = ["ours.example"]
    found = []
    for language in ("en", "fr"):
        with translation.override(language):
            found.append(
                [compared(one) for one in both("GET", "/api/v2/users", {**headers, "Host": "x.example"})]
            )

    assert found[0] == found[1]
    assert found[0][0] == found[0][1]


def test_a_character_set_that_is_none_breaks_nothing(headers):
    request = RequestFactory().get("/api/v2/users", headers={**headers, "Host": "localhost"})
    request.environ["CONTENT_TYPE"] = "a/b; charset*=utf-8''%00"
    started = []

    Programs(WSGIHandler())(request.environ, lambda *said: started.append(said))

    assert started[0][0][0] in "24"
