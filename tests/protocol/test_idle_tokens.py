"""A token that makes no call for the organization's idle time is dead, whoever it was given to, to the
minute that the clock is exact to (wire contract J; seeds 002: HIPAA)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser
from oauth2_provider.models import get_access_token_model

from accounts.models import Organization
from accounts.services import organization
from oauthclients.services import usage
from tests.cast import Cast

START = datetime(2026, 5, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DIVISIONS = "/api/v2/authorization/divisions/home"


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as travel:
        yield travel


@pytest.fixture
def hipaa(cast, clock):
    Organization.objects.filter(id=cast.acme.id).update(
        hipaa=True, idle_timeout_enabled=True, idle_timeout_seconds=900, idle_since=START
    )


@pytest.fixture(params=["client credentials", "person"])
def headers(request, cast: Cast, clock, hipaa) -> dict[str, str]:
    if request.param == "client credentials":
        return cast.bearer(("Employee", cast.home))
    client, _secret = cast.client(
        name="App",
        grant_type="authorization-code",
        redirect_uris=("https://a.example/",),
        scope=("authorization:readonly", "user-basic-info"),
    )
    return cast.acting_for(cast.eve, client, *client.scope)


def call(headers: dict[str, str], path: str = DIVISIONS) -> int:
    status = Browser().get(path, headers=headers).status_code
    usage.flush()
    return status


def test_fifteen_minutes_without_a_call_are_the_end(headers, clock):
    clock.shift(15 * MINUTE - timedelta(seconds=1))
    assert call(headers) == 200
    clock.shift(15 * MINUTE - timedelta(seconds=1))
    assert call(headers) == 200
    clock.shift(15 * MINUTE)
    response = Browser().get(DIVISIONS, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "bad.credentials")


def test_each_token_has_its_own_clock(headers, clock, cast):
    other = cast.bearer(("Employee", cast.home), name="Other")
    clock.shift(10 * MINUTE)
    assert call(headers) == 200
    clock.shift(6 * MINUTE)
    assert call(headers) == 200
    assert call(other) == 401


def test_a_refused_call_is_a_call_as_well(headers, clock):
    clock.shift(10 * MINUTE)
    assert call(headers, "/api/v2/oauth/clients") == 403
    clock.shift(10 * MINUTE)
    assert call(headers) == 200


def test_looking_with_preserve_idle_ttl_is_not_using(headers, clock):
    clock.shift(10 * MINUTE)
    body = Browser().get("/api/v2/tokens/me?preserveIdleTTL=true", headers=headers).json()
    assert body["dateTokenIdles"] == "2026-05-01T00:15:00.000Z"
    clock.shift(5 * MINUTE)
    assert call(headers) == 401


def test_without_it_looking_is_using(headers, clock):
    clock.shift(10 * MINUTE)
    assert call(headers, "/api/v2/tokens/me") == 200
    clock.shift(10 * MINUTE)
    assert call(headers) == 200
    # The parameter means nothing anywhere else.
    clock.shift(10 * MINUTE)
    assert call(headers, f"{DIVISIONS}?preserveIdleTTL=true") == 200
    clock.shift(10 * MINUTE)
    assert call(headers) == 200


def test_an_excluded_path_is_not_use(headers, clock, cast):
    Organization.objects.filter(id=cast.acme.id).update(
        idle_exclusions=["/api/v2/authorization/divisions/{divisionId}"]
    )
    clock.shift(10 * MINUTE)
    assert call(headers) == 200
    clock.shift(5 * MINUTE)
    assert call(headers) == 401


def test_the_clock_costs_one_write_a_minute(headers, clock):
    token = get_access_token_model().objects.get()
    call(headers)
    clock.shift(MINUTE - timedelta(seconds=1))
    call(headers)
    token.refresh_from_db()
    assert token.updated == START
    clock.shift(timedelta(seconds=1))
    call(headers)
    token.refresh_from_db()
    assert token.updated == START + MINUTE


def test_in_its_last_minute_the_clock_is_not_left_to_be_written_later(headers, clock):
    clock.shift(14 * MINUTE)
    assert Browser().get(DIVISIONS, headers=headers).status_code == 200
    usage.forget()  # the process was killed
    clock.shift(14 * MINUTE)
    assert call(headers) == 200


def test_what_is_written_late_lengthens_no_life(headers, clock):
    clock.shift(10 * MINUTE)
    assert Browser().get(DIVISIONS, headers=headers).status_code == 200
    clock.shift(4 * MINUTE)  # so long the database was away
    usage.flush()
    assert get_access_token_model().objects.get().updated == START + 10 * MINUTE


def test_counts_that_cannot_be_written_hold_no_clock_back(headers, clock, cast, monkeypatch):
    other = cast.bearer(("Employee", cast.home), name="Other")
    monkeypatch.setattr(usage, "_put", lambda *_: 1 / 0)
    assert call(other) == 200
    for _ in range(4):
        clock.shift(10 * MINUTE)
        assert call(headers) == 200


def test_without_a_timeout_there_is_no_clock(cast, clock):
    headers = cast.bearer(("Employee", cast.home))
    clock.shift(23 * 60 * MINUTE)
    assert call(headers) == 200
    assert get_access_token_model().objects.get().updated == START


def test_nothing_was_idle_before_the_timeout_was_switched_on(cast, clock):
    headers = cast.bearer(("Employee", cast.home))
    clock.shift(20 * 60 * MINUTE)
    organization.set_idle_timeout(actor=cast.actor(cast.ada), enabled=True, seconds=300)
    clock.shift(4 * MINUTE)
    assert call(headers) == 200
    clock.shift(5 * MINUTE)
    assert call(headers) == 401


def test_the_persons_organization_counts_and_not_the_apps(cast, clock, hipaa):
    """Globex has no timeout; its person uses an app of Acme, which has one."""
    client, _secret = cast.client(
        name="App",
        grant_type="authorization-code",
        redirect_uris=("https://a.example/",),
        scope=("authorization:readonly",),
    )
    Organization.objects.filter(id=cast.globex.id).update(enforce_scopes=False)
    headers = cast.acting_for(cast.cleo, client, *client.scope)
    clock.shift(50 * MINUTE)
    assert call(headers) == 200
