"""Which of what clients hold is noted as used, by what they call."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import RoleGrant
from accounts.permissions import Permission
from config.housekeeping import purge
from oauthclients.models import NOTHING, Client, UsedAccess
from oauthclients.services import usage
from tests.cast import App


def used(client: Client) -> set[str]:
    """ "Supervisor: Home", "users:readonly", "elsewhere"."""
    usage.flush()
    found = set()
    for row in UsedAccess.objects.filter(client_id=client.id):
        if row.role_id != NOTHING:
            where = None if row.division_id == NOTHING else row.division_id
            grant = RoleGrant.objects.get(subject_id=client.id, role_id=row.role_id, division_id=where)
            found.add(f"{grant.role.name}: {grant.division.name if grant.division else 'all'}")
        else:
            found.add(row.scope or "elsewhere")
    return found


@pytest.fixture
def program(cast):
    """A client that may see people in Home and East, and clients."""
    cast.custom_role("Clients", Permission.OAUTH_CLIENT_VIEW)
    client, secret = cast.client(
        ("Supervisor", cast.home), ("Supervisor", cast.east), ("Clients", cast.home)
    )
    return client, {"Authorization": f"Bearer {cast.token(client, secret)}"}


def test_a_token_alone_uses_nothing(program):
    assert used(program[0]) == set()


def test_one_person_uses_the_division_of_that_person(cast, client, program):
    app, headers = program
    someone = cast.person("Hal", cast.home)
    assert client.get(f"/api/v2/users/{someone.id}", headers=headers).status_code == 200

    assert used(app) == {"Supervisor: Home"}


def test_a_list_uses_all_divisions_that_it_may_show(client, program):
    app, headers = program
    assert client.get("/api/v2/users", headers=headers).status_code == 200

    assert used(app) == {"Supervisor: Home", "Supervisor: East"}


def test_what_is_in_no_division_uses_its_role(client, program):
    app, headers = program
    assert client.get("/api/v2/oauth/clients", headers=headers).status_code == 200

    assert used(app) == {"Clients: Home"}


def test_a_refusal_or_a_mistake_uses_nothing(cast, client, program):
    app, headers = program
    there = cast.person("Wes", cast.west)
    assert client.get(f"/api/v2/users/{there.id}", headers=headers).status_code == 403
    assert client.get(f"/api/v2/oauth/clients/{there.id}", headers=headers).status_code == 404
    assert client.get("/api/v2/users?pageSize=x", headers=headers).status_code == 400
    assert client.get("/api/v2/groups/nothing", headers=headers).status_code == 404
    assert client.post("/api/v2/groups", headers=headers).status_code == 403

    assert used(app) == set()


def test_to_ask_where_something_is_held_is_not_to_use_it(client, program):
    app, headers = program
    answer = client.get(
        "/api/v2/authorization/divisionspermitted/me?permission=directory:user:view", headers=headers
    )
    assert len(answer.json()) == 2
    assert client.get("/api/v2/tokens/me", headers=headers).status_code == 200

    assert used(app) == set()


def test_to_ask_why_something_would_be_allowed_is_not_to_use_it(cast, client, program):
    app, headers = program
    someone = cast.person("Hal", cast.home)
    body = {"clientId": app.client_id, "method": "GET", "path": f"/api/v2/users/{someone.id}"}
    answer = client.post("/api/v2/latchkey/explain", body, "application/json", headers=headers)
    assert answer.json()["allowed"], answer.content

    assert used(app) == {"Clients: Home"}


def test_scim_uses_the_division_of_whoever_is_changed(cast, client):
    someone = cast.person("Sam", cast.east)
    cast.custom_role("Sync", "directory:user:view", "directory:user:edit")
    program, secret = cast.client(("Sync", cast.home), ("Sync", cast.east))
    headers = {"Authorization": f"Bearer {cast.token(program, secret)}"}
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "title", "value": "Chief"}],
    }
    answer = client.patch(
        f"/api/v2/scim/v2/users/{someone.id}", json.dumps(body), "application/scim+json", headers=headers
    )
    assert answer.status_code == 200, answer.content

    assert "Sync: East" in used(program)


def test_whoever_hands_roles_on_uses_them(cast, client):
    cast.custom_role("Makes clients", Permission.OAUTH_CLIENT_ADD)
    maker, secret = cast.client(
        ("Makes clients", cast.home), ("Employee", cast.home), ("Employee", cast.east)
    )
    headers = {"Authorization": f"Bearer {cast.token(maker, secret)}"}
    pair = {"roleId": str(cast.role("Employee").id), "divisionId": str(cast.east.id)}
    body = {"name": "Made", "authorizedGrantType": "CLIENT-CREDENTIALS", "roleDivisions": [pair]}
    answer = client.post("/api/v2/oauth/clients", json.dumps(body), "application/json", headers=headers)
    assert answer.status_code == 200, answer.content

    assert used(maker) == {"Makes clients: Home", "Employee: East"}


def test_an_app_uses_the_narrowest_scope_that_was_enough(cast, client):
    app = cast.app("users", "user-basic-info", "groups").client
    headers = cast.acting_for(cast.ada, app, "users", "user-basic-info", "groups")
    assert client.get("/api/v2/users", headers=headers).status_code == 200
    assert used(app) == {"users:readonly"}

    body = {"version": cast.eve.version, "title": "Chief"}
    answer = client.patch(f"/api/v2/users/{cast.eve.id}", body, "application/json", headers=headers)
    assert answer.status_code == 200, answer.content
    assert used(app) == {"users:readonly", "users"}


def test_scopes_that_are_not_enforced_are_used_as_if_they_were(cast, client):
    cast.acme.enforce_scopes = False
    cast.acme.save()
    app = cast.app("users", "groups").client
    headers = cast.acting_for(cast.ada, app, "users", "groups")
    assert client.get("/api/v2/users", headers=headers).status_code == 200

    assert used(app) == {"users:readonly"}


def test_introspection_uses_the_askers_role_and_says_that_the_token_is_used_elsewhere(cast, program):
    app, headers = program
    service, secret = cast.client(("Token Introspection", None), ("Employee", None), name="Service")
    token = headers["Authorization"].split()[1]
    answer = App(service, secret, "").post("/oauth/introspect", {"token": token}, secret)
    assert answer.json()["active"]

    assert used(service) == {"Token Introspection: all"}
    assert used(app) == {"elsewhere"}


def test_a_call_writes_nothing_and_a_second_one_notes_nothing_more(client, program):
    _app, headers = program
    client.get("/api/v2/users", headers=headers)
    usage.flush()
    with CaptureQueriesContext(connection) as sent:
        client.get("/api/v2/users", headers=headers)
    assert not [one for one in sent.captured_queries if "usedaccess" in one["sql"]]

    assert usage._ledger._notes.used == {}


def test_the_last_day_moves_forward_and_never_back(client, program, cast):
    app, headers = program
    with time_machine.travel(timezone.now() + timedelta(hours=20), tick=False) as clock:
        days = []
        for hours in (0, 1, 0):
            client.get("/api/v2/oauth/clients", headers=headers)
            usage.flush()
            days.append(UsedAccess.objects.get(client_id=app.id).last_day)
            clock.shift(timedelta(hours=hours))
    later = days[-1] + timedelta(days=5)
    UsedAccess.objects.update(last_day=later)
    usage.forget()
    client.get("/api/v2/oauth/clients", headers=headers)
    usage.flush()

    assert days == sorted(days)
    assert UsedAccess.objects.get(client_id=app.id).last_day == later


def test_rights_that_changed_within_the_day_are_noted_anew(cast, client, program):
    app, headers = program
    client.get("/api/v2/oauth/clients", headers=headers)
    RoleGrant.objects.filter(subject_id=app.id, role__name="Clients").update(division=cast.east)
    client.get("/api/v2/oauth/clients", headers=headers)
    usage.flush()

    places = UsedAccess.objects.filter(client_id=app.id).values_list("division_id", flat=True)
    assert set(places) == {cast.home.id, cast.east.id}


def test_what_was_used_long_ago_is_forgotten_but_never_within_the_time_of_a_review(db, settings):
    settings.USAGE_RETENTION_DAYS = 7
    today = timezone.now().date()
    for days in (8, 89, 91):
        UsedAccess.objects.create(
            organization_id=NOTHING,
            client_id=NOTHING,
            scope=str(days),
            last_day=today - timedelta(days=days),
        )

    assert purge().counts["days of use"] == 1
    assert set(UsedAccess.objects.values_list("scope", flat=True)) == {"8", "89"}


def test_what_cannot_be_written_is_kept(client, program, monkeypatch):
    app, headers = program
    client.get("/api/v2/oauth/clients", headers=headers)
    with monkeypatch.context() as away:
        away.setattr(usage, "_put", lambda *_sent: 1 / 0)
        usage.flush()
    assert not UsedAccess.objects.exists()

    assert used(app) == {"Clients: Home"}


def test_no_route_uses_anything_for_whoever_is_not_let_in(client, db):
    Browser().get("/api/v2/users", headers={"Authorization": "Bearer nothing"})
    usage.flush()

    assert not UsedAccess.objects.exists()
