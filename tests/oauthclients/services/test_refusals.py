"""What was refused is noted with its reason, without a statement, and no more of it than there is room for."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.batches import Pace, Round
from oauthclients.models import Client, Refusal
from oauthclients.services import purging, refusals
from tests.cast import basic, token_request


def noted():
    refusals.flush()
    return [
        (row.method, row.route, row.status, row.code, row.missing, row.divisions, row.count)
        for row in Refusal.objects.order_by("first_at", "id")
    ]


def test_a_call_without_the_permission_and_one_in_another_division(cast):
    headers = cast.bearer(("Supervisor", cast.home), name="Sync")
    for _time in range(3):
        Browser().get(f"/api/v2/users/{cast.eve.id}", headers=headers)
    Browser().get("/api/v2/oauth/clients", headers=headers)
    assert noted() == [
        (
            "GET",
            "/api/v2/users/{userId}",
            403,
            "missing.division.permission",
            "directory:user:view",
            "East",
            3,
        ),
        (
            "GET",
            "/api/v2/oauth/clients",
            403,
            "missing.any.permissions",
            "oauth:client:view",
            "",
            1,
        ),
    ]
    row = Refusal.objects.first()
    assert (row.client_id, row.organization_id) == (Client.objects.get(name="Sync").id, cast.acme.id)
    Browser().get(f"/api/v2/users/{cast.eve.id}", headers=headers)
    assert noted()[0][-1] == 4  # the next writing adds to the row


def test_an_app_for_a_person_without_the_scope(cast):
    app = cast.app("users:readonly").client
    headers = cast.acting_for(cast.ada, app, "users:readonly")
    Browser().post("/api/v2/users", "{}", content_type="application/json", headers=headers)
    assert noted() == [("POST", "/api/v2/users", 403, "app.not.authorized.for.scope", "users", "", 1)]
    assert Refusal.objects.get().person_id == cast.ada.id


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        ({"expires": timedelta(seconds=-1)}, "token.not.expired"),
        ({}, "client.accepts.tokens"),
    ],
)
def test_a_dead_token_says_what_it_died_of(cast, change, condition):
    headers = cast.bearer(("Supervisor", cast.home), name="Sync")
    tokens = get_access_token_model().objects.all()
    if change:
        tokens.update(expires=timezone.now() + change["expires"])
    else:
        Client.objects.filter(name="Sync").update(state="disabled")
    assert Browser().get("/api/v2/users", headers=headers).status_code == 401
    assert noted() == [("GET", "/api/v2/users", 401, "bad.credentials", condition, "", 1)]


def test_a_route_about_me_and_too_many_calls(cast, settings):
    settings.RATE_API_PER_TOKEN = 1
    headers = cast.bearer(("Supervisor", cast.home), name="Sync")
    for _time in range(2):
        Browser().get("/api/v2/users/me", headers=headers)
    assert [row[2:4] for row in noted()] == [(400, "bad.request"), (429, "too.many.requests.retry.after")]


def test_what_is_no_refusal_is_not_noted(cast):
    headers = cast.bearer(("Admin", None), name="Sync")
    assert Browser().get("/api/v2/users", headers=headers).status_code == 200
    assert Browser().get(f"/api/v2/users/{uuid.uuid4()}", headers=headers).status_code == 404
    bad = Browser().post("/api/v2/users", "[", content_type="application/json", headers=headers)
    assert bad.status_code == 400
    assert Browser().get("/api/v2/users", headers={"Authorization": "Bearer unknown"}).status_code == 401
    assert noted() == []


def test_requests_for_a_token(cast):
    client, secret = cast.client(("Supervisor", cast.home), name="Sync")
    for sent in ("wrong", "wrong as well"):
        assert token_request(Browser(), client.client_id, sent).status_code == 401
    Browser().post(
        "/oauth/token",
        "grant_type=authorization_code&code=x",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": basic(client.client_id, secret)},
    )
    Browser().post(
        "/oauth/token",
        f"grant_type=password-is-{secret}",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": basic(client.client_id, secret)},
    )
    Client.objects.filter(id=client.id).update(state="inactive")
    token_request(Browser(), client.client_id, secret)
    found = noted()
    assert [row[2:] for row in found] == [
        (401, "invalid_client", "client_credentials", "", 2),
        (400, "unauthorized_client", "authorization_code", "", 1),
        (400, "unsupported_grant_type", "", "", 1),
        (400, "unauthorized_client", "client_credentials", "", 1),
    ]
    assert secret not in repr(list(Refusal.objects.values()))


def test_clients_that_do_not_exist_and_what_is_no_id_leave_nothing(cast, monkeypatch):
    monkeypatch.setattr(refusals._book, "_claims", refusals._Notes(5))
    for number in range(20):
        token_request(Browser(), str(uuid.UUID(int=number + 1)), "guess")
    token_request(Browser(), "not-an-id", "guess")
    assert len(refusals._book._claims.kinds) == 5  # and no more are remembered
    assert noted() == []


def test_one_client_has_so_many_kinds_in_memory_and_in_the_table(cast, monkeypatch):
    client, _secret = cast.client(("Supervisor", cast.home), name="Sync")
    monkeypatch.setattr(refusals, "MOST_KINDS", 4)
    now = timezone.now()

    def call(route: str, minutes: int) -> None:
        refusals.of_call(
            organization_id=cast.acme.id,
            client_id=client.id,
            person_id=None,
            method="GET",
            route=route,
            status=403,
            code="missing.any.permissions",
            now=now + timedelta(minutes=minutes),
        )

    for number in range(refusals.MOST_NEW + 30):
        call(f"/{number}", number)
    assert len(refusals._book._calls.kinds) == refusals.MOST_NEW
    noted()
    newest = set(Refusal.objects.values_list("route", flat=True))
    assert newest == {f"/{refusals.MOST_NEW - back}" for back in (1, 2, 3, 4)}


def test_noting_makes_no_statement(cast, django_assert_num_queries):
    headers = cast.bearer(("Supervisor", cast.home), name="Sync")
    Browser().get("/api/v2/users", headers=headers)  # its first use is written at once
    with django_assert_num_queries(1):  # the one that finds the token
        assert Browser().get("/api/v2/oauth/clients", headers=headers).status_code == 403


def test_old_ones_are_removed(cast, settings):
    import threading

    settings.USAGE_RETENTION_DAYS = 30
    cast.bearer(("Supervisor", cast.home), name="Sync")
    headers = cast.bearer(("Employee", cast.home), name="Other")
    Browser().get("/api/v2/users", headers=headers)
    noted()
    now = timezone.now()
    round = Round(now=now + timedelta(days=29), pace=Pace(threading.Event()), thorough=True, sweeps={})
    assert purging.refusals(round) == 0
    round = Round(now=now + timedelta(days=31), pace=Pace(threading.Event()), thorough=True, sweeps={})
    assert purging.refusals(round) == 1
