"""What is noted of use: that it is right, that it costs a call nothing, and that little of it is ever lost."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
import threading
import uuid
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.models import Organization
from oauthclients.models import Client, ClientAuthorization, ClientSecret, Usage
from oauthclients.services import usage
from tests.cast import basic, token_request

AccessToken = get_access_token_model()
ROOT = Path(__file__).resolve().parent.parent.parent.parent
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="what PostgreSQL does")
TODAY = date(2030, 5, 6)
NOON = datetime(2030, 5, 6, 12, 0, 0, tzinfo=UTC)
SUMS = ("requests", "status_200", "status_300", "status_400", "status_500", "status_429")


def rows(**which) -> dict[tuple[str, str], tuple[int, ...]]:
    """What is in the database, by method and route."""
    return {
        (row.method, row.route): tuple(getattr(row, name) for name in SUMS)
        for row in Usage.objects.filter(**which)
    }


def written(**which) -> dict[tuple[str, str], tuple[int, ...]]:
    usage.flush()
    return rows(**which)


def called(status: int = 200, client_id=None, organization_id=None, **more) -> None:
    usage.count(
        **{
            "organization_id": organization_id or uuid.UUID(int=1),
            "client_id": client_id or uuid.UUID(int=2),
            "method": "GET",
            "route": "/api/v2/users",
            "status": status,
            "now": NOON,
            **more,
        }
    )


@pytest.fixture
def service(cast):
    """A client that has been used before, and the headers of its token."""
    client, secret = cast.client(("Admin", None), ("Token Introspection", None))
    headers = {"Authorization": f"Bearer {cast.token(client, secret)}"}
    usage.forget()
    return client, secret, headers


def failing(*_sent, **_more):
    raise DatabaseError("away")


# --- What is counted -----------------------------------------------------------------------------


def test_each_answer_is_counted_in_its_class_and_429_within_its_own(db):
    for status in (200, 201, 204, 304, 400, 401, 403, 404, 409, 429, 429, 500, 503):
        called(status)

    assert written() == {("GET", "/api/v2/users"): (13, 3, 1, 7, 2, 2)}


def test_every_day_method_route_client_and_organization_has_a_row_of_its_own(db):
    called()
    for other in (
        {"method": "POST"},
        {"route": "/api/v2/groups"},
        {"client_id": uuid.uuid4()},
        {"organization_id": uuid.uuid4()},
        {"now": NOON + timedelta(days=1)},
    ):
        called(**other)

    usage.flush()

    assert Usage.objects.count() == 6
    assert set(Usage.objects.values_list("day", flat=True)) == {TODAY, TODAY + timedelta(days=1)}
    assert set(Usage.objects.values_list("requests", flat=True)) == {1}


@pytest.mark.parametrize("second", [-1, 0], ids=["before", "after"])
def test_a_day_ends_at_midnight_utc_whatever_the_time_zone_is(db, second):
    with timezone.override("America/New_York"):
        called(now=datetime(2030, 5, 7, 0, 0, 0, tzinfo=UTC) + timedelta(seconds=second))
    usage.flush()

    assert Usage.objects.get().day == TODAY + timedelta(days=1 + second)


def test_what_a_client_calls_is_counted_by_route_and_not_by_address(cast, client, service):
    app, _secret, headers = service
    for person in (cast.ada, cast.ben):
        assert client.get(f"/api/v2/users/{person.id}", headers=headers).status_code == 200
    assert client.get(f"/api/v2/users/{uuid.uuid4()}", headers=headers).status_code == 404
    assert client.get("/api/v2/users?pageSize=1&pageNumber=2", headers=headers).status_code == 200

    assert written(organization_id=cast.acme.id, client_id=app.id) == {
        ("GET", "/api/v2/users/{userId}"): (3, 2, 0, 1, 0, 0),
        ("GET", "/api/v2/users"): (1, 1, 0, 0, 0, 0),
    }


def test_refusals_and_mistakes_of_a_known_token_are_counted(cast, client, settings):
    settings.RATE_API_PER_TOKEN = 3
    headers = cast.bearer(("Employee", cast.home))
    usage.forget()

    statuses = [
        client.get("/api/v2/oauth/clients", headers=headers).status_code,
        client.post("/api/v2/users", "{", content_type="application/json", headers=headers).status_code,
        client.get("/api/v2/tokens/me", headers=headers).status_code,
        client.get("/api/v2/tokens/me", headers=headers).status_code,
    ]

    assert statuses[0] == 403
    assert statuses[2:] == [200, 429]
    found = written()
    assert found["GET", "/api/v2/oauth/clients"] == (1, 0, 0, 1, 0, 0)
    assert found["GET", "/api/v2/tokens/me"] == (2, 1, 0, 1, 0, 1)
    assert sum(counts[0] for counts in found.values()) == 4


def test_an_error_of_ours_is_counted_as_one(client, service, monkeypatch):
    _app, _secret, headers = service
    from oauthclients.api.tokens import OwnToken

    def broken(self, request):
        raise RuntimeError("broken")

    broken.requirement = OwnToken.get.requirement
    monkeypatch.setattr(OwnToken, "get", broken)

    assert client.get("/api/v2/tokens/me", headers=headers).status_code == 500
    assert written() == {("GET", "/api/v2/tokens/me"): (1, 0, 0, 0, 1, 0)}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nothing"}], ids=["none", "dead"])
def test_a_call_that_is_nobodys_is_counted_for_nobody(client, db, headers):
    client.get("/api/v2/users", headers=headers)
    client.get("/api/v2/nowhere", headers=headers)

    assert written() == {}


@pytest.mark.parametrize("method", ["PROPFIND", "A" * 300, "OPTIONS", "TRACE"])
def test_a_method_that_no_route_knows_is_not_counted_and_keeps_nothing_from_being_written(
    client, service, method
):
    _app, _secret, headers = service
    client.generic(method, "/api/v2/users", headers=headers)
    client.get("/api/v2/tokens/me", headers=headers)

    assert written() == {("GET", "/api/v2/tokens/me"): (1, 1, 0, 0, 0, 0)}


def test_every_route_has_a_name_that_a_row_can_hold():
    from django.urls import URLPattern, get_resolver

    from oauthclients.api.route_names import template

    def patterns(resolver, prefix=""):
        for one in resolver.url_patterns:
            here = prefix + str(one.pattern)
            yield from [here] if isinstance(one, URLPattern) else patterns(one, here)

    routes = [template(one) for one in patterns(get_resolver()) if one.startswith("api/v2")]
    assert len(routes) > 50
    assert max(map(len, routes)) <= Usage._meta.get_field("route").max_length
    assert not [one for one in routes if "<" in one or "//" in one]


def test_a_call_for_a_person_is_counted_in_the_persons_organization(cast, client):
    app = cast.app("users", "user-basic-info").client
    ClientAuthorization.objects.create(
        organization=cast.globex, client=app, state="Authorized", scope=["user-basic-info"]
    )
    for person in (cast.cleo, cast.eve, cast.cleo):
        headers = cast.acting_for(person, app, "user-basic-info")
        assert client.get("/api/v2/users/me", headers=headers).status_code == 200

    usage.flush()

    counts = dict(Usage.objects.filter(client_id=app.id).values_list("organization_id", "requests"))
    assert counts == {cast.globex.id: 2, cast.acme.id: 1}


@pytest.mark.django_db(transaction=True)
def test_tokens_are_counted_where_they_count(cast, browser_of):
    app = cast.app("users")
    ClientAuthorization.objects.create(
        organization=cast.globex, client=app.client, state="Authorized", scope=["users"]
    )
    client, secret = cast.client(("Employee", cast.home), name="Service")
    usage.forget()

    token_request(Browser(), client.client_id, secret)
    token_request(Browser(), client.client_id, secret)
    answer = app.tokens(browser_of(cast.cleo))
    assert app.refresh(answer["refresh_token"]).status_code == 200

    assert written(client_id=client.id, organization_id=cast.acme.id) == {
        ("POST", "/oauth/token"): (2, 2, 0, 0, 0, 0)
    }
    assert rows(client_id=app.client.id, organization_id=cast.globex.id) == {
        ("POST", "/oauth/token"): (2, 2, 0, 0, 0, 0)
    }


@pytest.mark.django_db(transaction=True)
def test_an_implicit_token_is_counted_at_the_authorization_endpoint(cast, browser_of):
    app = cast.app("users", grant_type="implicit")

    app.bearer(browser_of(cast.eve))

    assert ("POST", "/oauth/authorize") in written(client_id=app.client.id)


def test_a_refused_request_for_a_token_is_counted_for_nobody(cast):
    """Whoever sends a wrong secret is not the client."""
    client, _secret = cast.client(("Employee", cast.home))
    usage.forget()

    assert token_request(Browser(), client.client_id, "wrong").status_code == 401

    assert written() == {}


def test_introspection_and_revocation_are_counted_for_whoever_asks(cast, service):
    app, secret, headers = service
    form = {"token": headers["Authorization"].split()[1]}
    browser = Browser()
    for path in ("/oauth/introspect", "/oauth/introspect", "/oauth/revoke"):
        browser.post(
            path,
            "&".join(f"{key}={value}" for key, value in form.items()),
            content_type="application/x-www-form-urlencoded",
            headers={"Authorization": basic(app.client_id, secret)},
        )

    assert written(client_id=app.id, organization_id=cast.acme.id) == {
        ("POST", "/oauth/introspect"): (2, 2, 0, 0, 0, 0),
        ("POST", "/oauth/revoke"): (1, 1, 0, 0, 0, 0),
    }


# --- How it is written ---------------------------------------------------------------------------


def test_what_is_written_is_added_to_what_was(db):
    for count in (3, 1, 2):
        for _ in range(count):
            called(429)
        usage.flush()

    assert rows() == {("GET", "/api/v2/users"): (6, 0, 0, 6, 0, 6)}
    usage.flush()
    assert rows() == {("GET", "/api/v2/users"): (6, 0, 0, 6, 0, 6)}


def test_processes_add_to_the_same_rows(db, monkeypatch):
    ledgers = [usage.Ledger() for _ in range(3)]
    for ledger in ledgers:
        monkeypatch.setattr(usage, "_ledger", ledger)
        called(200)
        called(404)
    for ledger in reversed(ledgers):
        ledger.flush()

    assert rows() == {("GET", "/api/v2/users"): (6, 3, 0, 3, 0, 0)}


def test_many_rows_are_written_in_few_statements(db, django_assert_max_num_queries):
    for number in range(3 * usage.BATCH):
        called(client_id=uuid.UUID(int=number + 10))

    with django_assert_max_num_queries(3 * 4):
        usage.flush()

    assert Usage.objects.count() == 3 * usage.BATCH


def test_nothing_noted_is_nothing_written(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        usage.flush()


def test_no_call_waits_for_what_it_notes(cast, client, service):
    """Neither a token nor a call takes a statement more than it would if nothing were noted."""
    app, secret, headers = service
    long_ago = timezone.now() - timedelta(hours=1)

    def statements():
        with CaptureQueriesContext(connection) as seen:
            assert token_request(Browser(), app.client_id, secret).status_code == 200
            assert client.get("/api/v2/users", headers=headers).status_code == 200
        return [one["sql"].split(" WHERE ")[0].split(" VALUES ")[0] for one in seen]

    nothing_to_note = statements()
    Client.objects.update(last_used_at=long_ago)
    ClientSecret.objects.update(last_used_at=long_ago)
    usage.forget()

    assert statements() == nothing_to_note
    assert [one.split()[0] for one in nothing_to_note[:2]] == ["SELECT", "INSERT"]
    assert not [one for one in nothing_to_note if one.startswith("UPDATE") or "usage" in one]
    assert not Usage.objects.exists()
    assert set(ClientSecret.objects.values_list("last_used_at", flat=True)) == {long_ago}

    usage.flush()

    assert Usage.objects.count() == 2
    assert Client.objects.get(id=app.id).last_used_at > long_ago
    assert ClientSecret.objects.get(client=app).last_used_at > long_ago


# --- When something was last used ----------------------------------------------------------------


def test_the_first_use_is_known_at_once(cast, service, django_assert_num_queries):
    """What was never used is ended without a question."""
    client, secret = cast.client(("Employee", cast.home), name="New")
    assert Client.objects.get(id=client.id).last_used_at is None

    assert token_request(Browser(), client.client_id, secret).status_code == 200

    assert Client.objects.get(id=client.id).last_used_at is not None
    assert ClientSecret.objects.get(client=client).last_used_at is not None


def test_later_uses_are_noted_once_a_minute_at_most(cast, db):
    client, _secret = cast.client(("Employee", cast.home))
    with time_machine.travel(NOON, tick=False) as clock:
        Client.objects.filter(id=client.id).update(last_used_at=NOON)
        seen = []
        for _ in range(130):
            clock.shift(1)
            usage.client_used(Client.objects.get(id=client.id), timezone.now())
            usage.flush()
            seen.append(Client.objects.get(id=client.id).last_used_at)

    assert Counter(seen) == {
        NOON: 59,
        NOON + timedelta(seconds=60): 60,
        NOON + timedelta(seconds=120): 11,
    }


def test_a_clock_never_goes_back(cast):
    """Two processes may write in the other order."""
    client, _secret = cast.client(("Employee", cast.home))
    Client.objects.filter(id=client.id).update(last_used_at=NOON)
    usage.client_used(Client.objects.get(id=client.id), NOON + timedelta(minutes=2))
    Client.objects.filter(id=client.id).update(last_used_at=NOON + timedelta(minutes=5))

    usage.flush()

    assert Client.objects.get(id=client.id).last_used_at == NOON + timedelta(minutes=5)


def test_only_the_secret_that_was_used_is_noted(cast):
    client, secret = cast.client(("Employee", cast.home))
    ClientSecret.objects.create(
        client=client, digest=b"old", created_at=NOON, ends_at=timezone.now() + timedelta(days=1)
    )

    assert token_request(Browser(), client.client_id, secret).status_code == 200
    usage.flush()

    assert ClientSecret.objects.get(ends_at=None).last_used_at is not None
    assert ClientSecret.objects.exclude(ends_at=None).get().last_used_at is None


def test_the_idle_clock_of_a_token_is_written_at_once_where_it_is_nearly_up(
    cast, django_assert_num_queries
):
    client, secret = cast.client(("Employee", cast.home))
    cast.token(client, secret)
    AccessToken.objects.update(updated=NOON)
    token = AccessToken.objects.get()
    minutes = timedelta(minutes=1)

    with django_assert_num_queries(0):
        usage.token_used(token, NOON + 2 * minutes, NOON + 5 * minutes)
    with django_assert_num_queries(1):
        usage.token_used(token, NOON + 4 * minutes, NOON + 5 * minutes)
    assert AccessToken.objects.get().updated == NOON + 4 * minutes

    usage.flush()  # what was noted before is older, and moves nothing
    assert AccessToken.objects.get().updated == NOON + 4 * minutes


def test_idle_tokens_that_are_used_live_on_when_notes_are_written(cast, client):
    """As with `USAGE_FLUSH_SECONDS`: a writing now and then."""
    Organization.objects.filter(id=cast.acme.id).update(
        idle_timeout_enabled=True, idle_timeout_seconds=300, idle_since=NOON - timedelta(days=1)
    )
    with time_machine.travel(NOON, tick=False) as clock:
        headers = cast.bearer(("Supervisor", cast.home))
        for _ in range(30):
            clock.shift(45)
            assert client.get("/api/v2/tokens/me", headers=headers).status_code == 200
            usage.flush()
        clock.shift(299)
        assert client.get("/api/v2/tokens/me", headers=headers).status_code == 200


def test_an_idle_token_whose_notes_are_all_lost_lives_on_by_its_last_minute(cast, client):
    Organization.objects.filter(id=cast.acme.id).update(
        idle_timeout_enabled=True, idle_timeout_seconds=300, idle_since=NOON - timedelta(days=1)
    )
    with time_machine.travel(NOON, tick=False) as clock:
        headers = cast.bearer(("Supervisor", cast.home))
        for _ in range(30):
            clock.shift(45)
            assert client.get("/api/v2/tokens/me", headers=headers).status_code == 200
            usage.forget()


# --- When it cannot be written -------------------------------------------------------------------


def test_notes_that_cannot_be_written_are_kept_until_they_can(cast, monkeypatch, caplog):
    client, _secret = cast.client(("Employee", cast.home))
    Client.objects.filter(id=client.id).update(last_used_at=NOON)
    client.refresh_from_db()
    with monkeypatch.context() as away:
        away.setattr(usage, "_write", failing)
        for minute in (1, 2, 3):
            called()
            usage.client_used(client, NOON + timedelta(minutes=minute))
            usage.flush()
    assert "could not be noted" in caplog.text
    called()

    usage.flush()

    assert rows() == {("GET", "/api/v2/users"): (4, 4, 0, 0, 0, 0)}
    # The latest of what was noted, and not the one that was noted first.
    assert Client.objects.get(id=client.id).last_used_at == NOON + timedelta(minutes=3)


def test_no_request_learns_of_a_database_that_takes_no_notes(client, service, monkeypatch):
    _app, _secret, headers = service
    monkeypatch.setattr(usage, "_write", failing)

    assert client.get("/api/v2/tokens/me", headers=headers).status_code == 200
    usage.flush()
    assert client.get("/api/v2/tokens/me", headers=headers).status_code == 200


def test_what_was_written_before_the_rest_failed_is_not_written_twice(db, monkeypatch):
    """Each batch is a transaction of its own."""
    monkeypatch.setattr(usage, "BATCH", 1)
    for number in (1, 2, 3):
        called(client_id=uuid.UUID(int=number))
    values = usage._values

    def of_the_second_fails(key, counts):
        if key.client_id == uuid.UUID(int=2):
            raise DatabaseError("away")
        return values(key, counts)

    with monkeypatch.context() as away:
        away.setattr(usage, "_values", of_the_second_fails)
        usage.flush()
    usage.flush()

    assert set(Usage.objects.values_list("client_id", "requests")) == {
        (uuid.UUID(int=number), 1) for number in (1, 2, 3)
    }


def test_notes_are_given_up_only_past_the_bound(db, monkeypatch, caplog):
    monkeypatch.setattr(usage, "MOST_NOTES", 10)
    with monkeypatch.context() as away:
        away.setattr(usage, "_write", failing)
        for number in range(20):
            called(client_id=uuid.UUID(int=number))
            usage.flush()
        assert "given up" not in caplog.text
        assert len(usage._ledger._notes) == 20
        called(client_id=uuid.UUID(int=99))
        usage.flush()
        assert "given up" in caplog.text
        for number in range(500):
            called(client_id=uuid.UUID(int=number))
            usage.flush()
            assert len(usage._ledger._notes) <= 20

    usage.flush()
    assert Usage.objects.exists()


def test_one_client_however_busy_is_one_note(db):
    """Memory grows by what is different, and not by how often."""
    for _ in range(10_000):
        called()

    assert len(usage._ledger._notes) == 1


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_gone_is_replaced_when_notes_are_next_written(cast):
    called()
    with _somebody_else() as other, other.cursor() as cursor:
        connection.ensure_connection()
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])

    usage.flush()
    usage.flush()

    assert rows() == {("GET", "/api/v2/users"): (1, 1, 0, 0, 0, 0)}


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_holds_keeps_nobody_waiting(cast):
    """Somebody edits a client: its clock is moved by its next use, and the others' now."""
    held, _secret = cast.client(("Employee", cast.home), name="Held")
    free, _secret = cast.client(("Employee", cast.home), name="Free")
    Client.objects.update(last_used_at=NOON)
    later = NOON + timedelta(minutes=5)
    with _somebody_else() as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM oauthclients_client WHERE id = %s FOR UPDATE", [held.id])
            for one in (held, free):
                one.refresh_from_db()
                usage.client_used(one, later)
            called()
            with connection.cursor() as mine:
                mine.execute("SET lock_timeout = '500ms'")  # a wait would be an error
            try:
                usage.flush()
            finally:
                connection.close()
        other.rollback()

    assert Client.objects.get(id=held.id).last_used_at == NOON
    assert Client.objects.get(id=free.id).last_used_at == later
    assert rows() == {("GET", "/api/v2/users"): (1, 1, 0, 0, 0, 0)}

    held.refresh_from_db()
    usage.client_used(held, later)
    usage.flush()
    assert Client.objects.get(id=held.id).last_used_at == later


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_token_that_is_being_given_keeps_no_clock_from_moving(cast):
    """It refers to its client, and holds the client's key."""
    client, _secret = cast.client(("Employee", cast.home))
    Client.objects.update(last_used_at=NOON)
    client.refresh_from_db()
    with _somebody_else() as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM oauthclients_client WHERE id = %s FOR KEY SHARE", [client.id])
            usage.client_used(client, NOON + timedelta(minutes=5))
            usage.flush()
        other.rollback()

    assert Client.objects.get(id=client.id).last_used_at == NOON + timedelta(minutes=5)


@contextmanager
def _somebody_else():
    other = connection.copy()
    try:
        yield other
    finally:
        other.close()


# --- What is not in it ---------------------------------------------------------------------------


def test_no_secret_token_or_address_of_anything_is_in_the_notes(cast, client, service):
    app, secret, headers = service
    value = headers["Authorization"].split()[1]
    long_ago = timezone.now() - timedelta(hours=1)
    Client.objects.update(last_used_at=long_ago)
    ClientSecret.objects.update(last_used_at=long_ago)
    token_request(Browser(), app.client_id, secret)
    client.get(f"/api/v2/users?q={secret}", headers=headers)
    client.get(f"/api/v2/users/{value}", headers=headers)
    client.get(f"/api/v2/users/{cast.ada.id}", headers=headers)

    notes = pickle.dumps(vars(usage._ledger._notes)) + repr(usage._ledger._notes).encode()

    assert app.id.bytes in notes or str(app.id).encode() in notes
    for hidden in (secret, value, AccessToken.objects.first().token_checksum, str(cast.ada.id)):
        assert hidden.encode() not in notes


def test_an_error_that_is_logged_names_nothing_secret(cast, service, caplog, monkeypatch):
    app, secret, _headers = service
    token_request(Browser(), app.client_id, secret)
    monkeypatch.setattr(usage, "_write", failing)

    usage.flush()

    assert secret not in caplog.text


# --- The thread ----------------------------------------------------------------------------------


def test_without_a_time_to_write_there_is_no_thread(settings):
    settings.USAGE_FLUSH_SECONDS = 0
    ledger = usage.Ledger()
    ledger.note(lambda notes: notes.clients.update({uuid.uuid4(): NOON}))

    assert ledger._thread is None


class Ended(Exception):
    pass


class EndingLedger(usage.Ledger):
    """Whose thread can be ended."""

    def _run(self) -> None:
        with suppress(Ended):
            super()._run()

    def end(self) -> None:
        def ended(_seconds=None):
            raise Ended

        self._full.wait = ended
        self._full.set()
        if self._thread is not None:
            self._thread.join(5)
            assert not self._thread.is_alive()


@pytest.fixture
def ledger():
    ledger = EndingLedger()
    yield ledger
    ledger.end()


def some_note(notes) -> None:
    notes.clients[uuid.uuid4()] = NOON


def test_the_thread_begins_with_the_first_note_and_is_one(settings, monkeypatch, ledger):
    settings.USAGE_FLUSH_SECONDS = 0.01
    wrote = threading.Event()
    monkeypatch.setattr(usage, "_write", lambda notes: wrote.set())
    assert ledger._thread is None

    for _ in range(3):
        ledger.note(some_note)

    assert wrote.wait(5)
    assert ledger._thread.daemon
    assert [one.name for one in threading.enumerate()].count("usage") == 1


def test_many_notes_are_written_before_their_time(settings, monkeypatch, ledger):
    settings.USAGE_FLUSH_SECONDS = 600
    monkeypatch.setattr(usage, "MOST_NOTES", 5)
    wrote = threading.Event()
    monkeypatch.setattr(usage, "_write", lambda notes: wrote.set())

    for _ in range(4):
        ledger.note(some_note)
    assert not wrote.wait(0.1)
    ledger.note(some_note)
    assert wrote.wait(5)


STOPPING = """
import sys
import django
django.setup()
from oauthclients.services import usage
from django.utils import timezone
import uuid
usage._write = lambda notes: sys.stdout.write(f"{len(notes)} written")
usage.count(organization_id=uuid.uuid4(), client_id=uuid.uuid4(), method="GET", route="/", status=200,
            now=timezone.now())
"""


def test_a_process_that_stops_writes_first(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", STOPPING],
        cwd=ROOT,
        env={
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "STATE_DIR": str(tmp_path),
            "USAGE_FLUSH_SECONDS": "600",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert ended.stdout == "1 written"


def test_notes_that_come_while_others_are_written_are_written_next(db, monkeypatch):
    write, seen = usage._write, []

    def slow(notes):
        seen.append(len(notes.counts))
        if len(seen) == 1:
            called(client_id=uuid.uuid4())
        write(notes)

    monkeypatch.setattr(usage, "_write", slow)
    called()
    usage.flush()
    usage.flush()

    assert seen == [1, 1]
    assert Usage.objects.count() == 2


def test_what_a_failed_exchange_would_have_counted_is_not_counted(cast, browser_of, monkeypatch):
    """Counted is what was given, once it is stored."""
    app = cast.app("users")
    code = app.allowed(browser_of(cast.eve))["code"]
    usage.forget()
    with transaction.atomic():
        assert app.exchange(code, secret="lks_wrong").status_code == 401

    assert written(client_id=app.client.id) == {}


def test_the_log_is_quiet_when_all_is_well(db, caplog):
    caplog.set_level(logging.INFO)
    called()
    usage.flush()

    assert not [one for one in caplog.records if one.name == usage.log.name]
