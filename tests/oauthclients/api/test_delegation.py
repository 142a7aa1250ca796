"""Nobody hands on through the API what they do not hold, and rights are read at each call."""

from __future__ import annotations

import pytest

from accounts.actor import system
from accounts.models import RoleGrant, SubjectType
from accounts.services import grants
from oauthclients import queries
from oauthclients.models import Client
from tests.oauthclients.api.conftest import refused


@pytest.fixture
def manager(api, cast):
    """Manages clients, and holds Supervisor in East only."""
    return api(("Client Manager", cast.home), ("Supervisor", cast.east), name="Manager")


def pair(cast, role, division):
    return {
        "roleId": str(cast.role(role).id),
        "divisionId": division if isinstance(division, str) else str(division.id),
    }


def pairs_of(client_id):
    return {str(named) for named in queries.pairs_of(Client.objects.get(id=client_id))}


@pytest.fixture
def too_much(cast):
    """Pairs that the manager does not hold."""
    return [
        pair(cast, "Supervisor", cast.west),
        pair(cast, "Supervisor", "*"),
        {"roleId": str(cast.role("Supervisor").id)},  # Home, because no division is named
        pair(cast, "Admin", cast.east),
        pair(cast, "User", cast.east),  # less than Supervisor, and another role all the same
        pair(cast, "Client Manager", cast.east),
    ]


def test_a_client_cannot_make_one_with_a_pair_it_lacks(manager, cast, too_much):
    for number, lacked in enumerate(too_much):
        for given in ([lacked], [pair(cast, "Supervisor", cast.east), lacked]):
            body = refused(
                manager.post(
                    "/oauth/clients",
                    {
                        "name": f"Made {number}",
                        "authorizedGrantType": "CLIENT-CREDENTIALS",
                        "roleDivisions": given,
                    },
                ),
                400,
                "bad.client.role",
            )
            assert "You do not hold" in body["message"]
    assert not Client.objects.filter(name__startswith="Made").exists()


def test_a_client_makes_one_with_the_pairs_it_holds(manager, cast):
    response = manager.post(
        "/oauth/clients",
        {
            "name": "Made",
            "authorizedGrantType": "CLIENT-CREDENTIALS",
            "roleDivisions": [
                pair(cast, "Supervisor", cast.east),
                pair(cast, "Client Manager", cast.home),
            ],
        },
    )
    assert response.status_code == 200


def test_holding_a_role_everywhere_is_enough_for_each_division(api, cast):
    everywhere = api(("Client Manager", None), ("Supervisor", None))
    for number, where in enumerate((cast.home, cast.east, "*")):
        response = everywhere.post(
            "/oauth/clients",
            {
                "name": f"Made {number}",
                "authorizedGrantType": "CLIENT-CREDENTIALS",
                "roleDivisions": [pair(cast, "Supervisor", where)],
            },
        )
        assert response.status_code == 200


def test_holding_a_role_in_every_single_division_is_not_holding_it_in_all(api, cast):
    caller = api(
        ("Client Manager", cast.home),
        *(("Supervisor", division) for division in (cast.home, cast.east, cast.west)),
    )
    refused(
        caller.post(
            "/oauth/clients",
            {
                "name": "Made",
                "authorizedGrantType": "CLIENT-CREDENTIALS",
                "roleDivisions": [pair(cast, "Supervisor", "*")],
            },
        ),
        400,
        "bad.client.role",
    )


def test_a_client_cannot_give_another_one_more_than_it_holds(manager, cast, too_much):
    target, _secret = cast.client(("Supervisor", cast.east), name="Target")
    for lacked in too_much:
        refused(
            manager.put(f"/oauth/clients/{target.id}", {"roleDivisions": [lacked]}), 400, "bad.client.role"
        )
    assert pairs_of(target.id) == {"Supervisor: East"}


def test_a_client_cannot_give_itself_more(manager, too_much):
    before = pairs_of(manager.client.id)
    for lacked in too_much:
        refused(
            manager.put(f"/oauth/clients/{manager.client.id}", {"roleDivisions": [lacked]}),
            400,
            "bad.client.role",
        )
    assert pairs_of(manager.client.id) == before


@pytest.mark.parametrize(
    "held",
    [
        (("Supervisor", "west"),),
        (("Supervisor", "east"), ("Supervisor", "west")),
        (("Supervisor", None),),
        (("Admin", "east"),),
    ],
)
def test_a_client_that_holds_more_can_be_neither_edited_nor_given_a_new_secret(manager, cast, held):
    target, secret = cast.client(
        *((role, where and getattr(cast, where)) for role, where in held), name="Target"
    )
    path = f"/oauth/clients/{target.id}"
    unchanged = manager.get(path).json()
    less = {"roleDivisions": [pair(cast, "Supervisor", cast.east)]}
    for body in ({}, {"description": "x"}, {"state": "disabled"}, unchanged, less, {"name": "Other"}):
        refused(manager.put(path, body), 403, "missing.division.permissions")
    refused(manager.post(f"{path}/secret"), 403, "missing.division.permissions")
    assert manager.get(path).json() == unchanged
    cast.token(target, secret)  # its secret still works


def test_a_new_name_cannot_smuggle_in_a_pair_that_the_caller_has_lost(manager, cast):
    target, _secret = cast.client(("Supervisor", cast.east), name="Target")
    path = f"/oauth/clients/{target.id}"
    assert manager.put(path, {"description": "x"}).status_code == 200
    RoleGrant.objects.filter(subject_id=manager.client.id, role=cast.role("Supervisor")).delete()
    refused(manager.put(path, {"description": "y"}), 403, "missing.division.permissions")


def test_a_right_that_is_taken_away_is_gone_at_the_next_call(api, cast):
    caller = api(("Supervisor", cast.east))
    assert caller.get(f"/users/{cast.eve.id}").status_code == 200
    actor = system(cast.acme)
    grants.replace(
        actor=actor,
        subject_type=SubjectType.CLIENT,
        subject_id=caller.client.id,
        pairs=grants.resolve(actor, [cast.pair("Supervisor", cast.west)]),
    )
    refused(caller.get(f"/users/{cast.eve.id}"), 403, "missing.division.permission")
    RoleGrant.objects.filter(subject_id=caller.client.id).delete()
    refused(caller.get(f"/users/{cast.eve.id}"), 403, "missing.any.permissions")
    refused(caller.get("/users"), 403, "missing.any.permissions")


def test_a_permission_that_a_role_gains_is_there_at_the_next_call(api, cast):
    role = cast.custom_role("Growing", "usage:client:view")
    caller = api(("Growing", None))
    refused(caller.get("/oauth/clients"), 403, "missing.any.permissions")
    role.policies = [{"domain": "oauth", "entityName": "client", "actionSet": ["view"]}]
    role.save()
    assert caller.get("/oauth/clients").status_code == 200


def test_the_state_of_the_caller_decides_at_each_call(api):
    caller = api(name="Target")
    # Inactive: no new tokens, and those given still work (wire contract B4).
    Client.objects.filter(id=caller.client.id).update(state="inactive")
    assert caller.get("/tokens/me").status_code == 200
    Client.objects.filter(id=caller.client.id).update(state="disabled")
    refused(caller.get("/tokens/me"), 401, "bad.credentials")
