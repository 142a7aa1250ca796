"""Client credentials by the door (authorization_server/direct.py) and by the view: whatever is sent, by whomever,
the same status, headers, body, rows, notes of use and audit lines."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from oauth2_provider.models import get_access_token_model

from accounts import rates
from accounts.models import AuditEvent, Organization
from config.programs import Programs
from oauthclients.authorization_server import direct
from oauthclients.models import Client, ClientSecret, ClientState
from oauthclients.services import usage
from tests.cast import basic

FORM = "application/x-www-form-urlencoded"
NOW = timezone.now().replace(microsecond=0)
HANDLER = WSGIHandler()
DOOR = Programs(HANDLER)


@pytest.fixture(autouse=True)
def looked_after(monkeypatch):
    """How often a connection was looked after. Really doing it would end the transaction that a test is."""
    calls = []
    monkeypatch.setattr(
        BaseDatabaseWrapper, "close_if_unusable_or_obsolete", lambda self: calls.append(self.alias)
    )
    return calls


# What is true of the client, its secret and its organization.
STATES = {
    "as usual": lambda it: None,
    "inactive": lambda it: Client.objects.update(state=ClientState.INACTIVE),
    "disabled": lambda it: Client.objects.update(state=ClientState.DISABLED),
    "to be deleted": lambda it: Client.objects.update(date_to_delete=NOW + timedelta(days=1)),
    "gone": lambda it: Client.objects.update(date_to_delete=NOW - timedelta(days=1)),
    "an app": lambda it: Client.objects.update(authorization_grant_type="authorization-code"),
    "short": lambda it: Client.objects.update(token_seconds=300),
    "long": lambda it: Client.objects.update(token_seconds=38_880_000),
    "used just now": lambda it: (
        Client.objects.update(last_used_at=NOW),
        ClientSecret.objects.update(last_used_at=NOW),
    ),
    "used long ago": lambda it: (
        Client.objects.update(last_used_at=NOW - timedelta(days=9)),
        ClientSecret.objects.update(last_used_at=NOW - timedelta(days=9)),
    ),
    "secret ends": lambda it: ClientSecret.objects.update(ends_at=NOW + timedelta(days=1)),
    "secret ended": lambda it: ClientSecret.objects.update(ends_at=NOW - timedelta(days=1)),
    "organization off": lambda it: Organization.objects.update(active=False),
    "idle timeout": lambda it: Organization.objects.update(idle_timeout_enabled=True),
}
GRANT_TYPES = ["client_credentials"] * 6 + [
    "",
    "refresh_token",
    "password",
    "CLIENT_CREDENTIALS",
    "x" * 2000,
]
NAMES = [
    "scope", "client_id", "client_secret", "assertion", "code", "user", "client", "scopes", "state", "grant_type",
    "credentials", "uri", "used_secret", "sign_in", "duplicate_params", "body", "ü", "", "resource",
]  # fmt: skip
bodies = st.one_of(
    st.just("grant_type=client_credentials"),
    st.tuples(
        st.sampled_from(GRANT_TYPES),
        st.lists(
            st.tuples(
                st.sampled_from(NAMES), st.sampled_from(["", "x", "ID", "SECRET", "users", "\0", "%", "ü"])
            ),
            max_size=3,
        ),
        st.booleans(),
    ).map(lambda it: urlencode([("grant_type", it[0]), *it[1]]) + ("&" if it[2] else "")),
    st.sampled_from(
        [
            "",
            "grant_type",
            "grant_type=",
            "grant_type=client%5Fcredentials",
            "grant_type=client_credentials&&",
            "grant_type=client_credentials;scope=x",
            "grant_type=client_credentials&scope=%ff",
            "grant_type=client_credentials&scope=%zz",
            " grant_type=client_credentials",
            "grant_type=client_credentials\n",
            "grant_type=client+credentials",
            "grant_type=client_credentials&" + "&".join(f"a{n}=" for n in range(12)),
            "grant_type=client_credentials&scope=" + "x" * 2001,
            '{"grant_type": "client_credentials"}',
        ]
    ),
)
authorizations = st.sampled_from(
    ["right"] * 8
    + [
        "",
        "none",
        "wrong",
        "unknown",
        "lower",
        "colon",
        "garbled",
        "bearer",
        "empty",
        "encoded",
        "twice",
        "spaces",
    ]
)
content_types = st.sampled_from(
    [FORM] * 8
    + ["", "application/json", f"{FORM}; charset=utf-8", f"{FORM}; charset=latin-1", FORM.upper()]
)
methods = st.sampled_from(["POST"] * 12 + ["GET", "PUT", "HEAD", "OPTIONS"])
paths = st.sampled_from(["/oauth/token"] * 8 + ["/oauth/token?a=b", "/oauth/token?", "/oauth/token/"])
others = st.sampled_from(
    [{}] * 6 + [{"Host": "other.example:8000"}, {"X-Forwarded-For": "192.0.2.1"}, {"Accept": "text/html"}]
)


def authorization(kind: str, client_id: str, secret: str) -> dict[str, str]:
    if kind == "none":
        return {}
    said = {
        "right": basic(client_id, secret),
        "": "",
        "wrong": basic(client_id, "wrong"),
        "unknown": basic("00000000-0000-4000-8000-000000000000", secret),
        "lower": basic(client_id, secret).replace("Basic", "basic"),
        "colon": basic(client_id, secret + ":"),
        "garbled": "Basic !!!",
        "bearer": "Bearer x",
        "empty": "Basic",
        "encoded": basic(quote(client_id, safe=""), quote(secret, safe="")),
        "twice": basic(client_id, secret) + "," + basic(client_id, secret),
        "spaces": basic(client_id, secret).replace(" ", "   ") + " ",
    }
    return {"Authorization": said[kind]}


def ask(application, method, path, headers, body, content_type):
    """Status, headers and body, and what it has done; all of which is taken back."""
    cache.clear()
    rates.forget()
    usage.forget()
    data = body.encode()
    request = RequestFactory().generic(
        method, path, data, content_type, headers={"Host": "localhost:8000", **headers}
    )
    request.environ["wsgi.input"] = io.BytesIO(data)
    started = []
    with transaction.atomic():
        response = application(request.environ, lambda *said: started.append(said))
        content = b"".join(response)
        done = rows()
        transaction.set_rollback(True)
    status, said = started[0]
    said = {name.lower(): value for name, value in said}
    said.pop("inin-correlation-id", None)
    said.pop("retry-after", None)
    return status, said, told(content), done


def told(content: bytes):
    """The answer's body, with `token` for the token."""
    try:
        said = json.loads(content)
    except ValueError:
        return content
    if "access_token" in said:
        assert len(said["access_token"]) == 43
        said["access_token"] = "token"
    return said


def rows():
    """All that a request for a token may leave behind."""
    notes = usage._ledger._notes
    return {
        "tokens": sorted(
            (
                str(one.application_id), one.user_id, one.scope, one.token, one.resource, len(one.token_checksum),
                round((one.expires - one.created).total_seconds() / 5),
            )
            for one in get_access_token_model().objects.all()
        ),
        "clients": sorted(
            (str(id), used is not None and used >= NOW) for id, used in Client.objects.values_list("id", "last_used_at")
        ),
        "secrets": sorted(
            (str(id), used is not None and used >= NOW)
            for id, used in ClientSecret.objects.values_list("id", "last_used_at")
        ),
        "audit": AuditEvent.objects.count(),
        "noted": (sorted(notes.clients), sorted(notes.secrets), sorted(map(str, notes.tokens))),
        "counted": {str(key): dict(counts) for key, counts in notes.counts.items()},
    }  # fmt: skip


@pytest.fixture
def client_and_secret(cast):
    return cast.client(("Supervisor", cast.home))


@pytest.mark.django_db
@examples(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    state=st.sampled_from(sorted(STATES)),
    method=methods,
    path=paths,
    kind=authorizations,
    more=others,
    body=bodies,
    content_type=content_types,
)
@time_machine.travel(NOW, tick=False)
def test_the_door_and_the_view_do_the_same(
    client_and_secret, state, method, path, kind, more, body, content_type
):
    client, secret = client_and_secret
    body = body.replace("=ID", f"={client.client_id}").replace("=SECRET", f"={secret}")
    headers = {**authorization(kind, client.client_id, secret), **more}
    with transaction.atomic():
        STATES[state](client)

        door = ask(DOOR, method, path, headers, body, content_type)
        view = ask(HANDLER, method, path, headers, body, content_type)

        transaction.set_rollback(True)

    assert door == view


@pytest.mark.parametrize("state", sorted(STATES))
@pytest.mark.parametrize("limit", [0, 1, 2])
def test_the_two_count_the_same(client_and_secret, settings, state, limit):
    """Who asks too often is told so by either after as many requests, whichever of them it asked before."""
    client, secret = client_and_secret
    settings.RATE_TOKENS_PER_CLIENT = limit
    STATES[state](client)
    sent = {"Host": "localhost", "Authorization": basic(client.client_id, secret)}

    def statuses(*applications):
        cache.clear()
        rates.forget()
        found = []
        for application in applications:
            data = b"grant_type=client_credentials"
            request = RequestFactory().generic("POST", "/oauth/token", data, FORM, headers=sent)
            application(
                {**request.environ, "wsgi.input": io.BytesIO(data)}, lambda status, _: found.append(status)
            )
        return found

    by_view = statuses(HANDLER, HANDLER, HANDLER)
    assert statuses(DOOR, DOOR, DOOR) == by_view
    assert statuses(DOOR, HANDLER, DOOR) == by_view


def test_a_plain_request_is_answered_without_the_view(
    client_and_secret, django_assert_num_queries, monkeypatch
):
    """Two statements, as at the view, and nothing of Django's."""
    client, secret = client_and_secret
    door = Programs(lambda *_: pytest.fail("this went on"))
    monkeypatch.setattr(door, "answer", lambda *_: pytest.fail("this went to the view"))
    ask(
        door,
        "POST",
        "/oauth/token",
        {"Authorization": basic(client.client_id, secret)},
        "grant_type=client_credentials",
        FORM,
    )
    Client.objects.update(last_used_at=timezone.now())
    ClientSecret.objects.update(last_used_at=timezone.now())
    data = b"grant_type=client_credentials"
    request = RequestFactory().generic(
        "POST",
        "/oauth/token",
        data,
        FORM,
        headers={"Host": "localhost", "Authorization": basic(client.client_id, secret)},
    )
    started = []

    with django_assert_num_queries(2):
        content = door({**request.environ, "wsgi.input": io.BytesIO(data)}, lambda *it: started.append(it))

    assert started[0][0] == "200 OK"
    assert json.loads(b"".join(content))["expires_in"] == client.token_seconds


def test_a_token_given_directly_works_and_is_kept_as_its_hash(client_and_secret):
    client, secret = client_and_secret
    data = b"grant_type=client_credentials"
    request = RequestFactory().generic(
        "POST",
        "/oauth/token",
        data,
        FORM,
        headers={"Host": "localhost", "Authorization": basic(client.client_id, secret)},
    )

    content = DOOR({**request.environ, "wsgi.input": io.BytesIO(data)}, lambda *_: None)
    value = json.loads(b"".join(content))["access_token"]

    row = get_access_token_model().objects.get()
    assert value not in str(row.__dict__)
    called = RequestFactory().get(
        "/api/v2/users", headers={"Host": "localhost", "Authorization": f"Bearer {value}"}
    )
    started = []
    DOOR(called.environ, lambda *it: started.append(it))
    assert started[0][0] == "200 OK"


def test_a_body_that_ends_too_early_goes_to_the_view():
    environ = {
        "CONTENT_TYPE": FORM,
        "CONTENT_LENGTH": "29",
        "wsgi.input": io.BytesIO(b"grant_type=client_cre"),
    }

    assert direct.body_of(environ) is None
    assert environ["wsgi.input"].read() == b"grant_type=client_cre"


def test_nothing_of_a_request_shows_in_a_repr(client_and_secret):
    from oauthclients.authorization_server.client_authentication import Credentials

    asked = direct._Asked({"grant_type": "client_credentials"}, {}, Credentials("id", "hush", basic=True))

    assert "hush" not in repr(asked)
    assert "hush" not in repr(vars(asked))
    assert settings.CLIENT_SECRET_KEY not in repr(vars(asked))
