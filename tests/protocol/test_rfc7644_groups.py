"""RFC 7644 for groups: who is in them, as far as the client sees people."""

from __future__ import annotations

import pytest

from accounts.actor import system
from accounts.models import Group, GroupMember
from accounts.services import groups
from tests.scim import GROUP, Scim, ok, refused, scim_client


@pytest.fixture
def group(cast) -> Group:
    """Ben, in Home, and Eve, in East."""
    made = groups.create(actor=system(cast.acme), name="Agents")
    both = [cast.ben.id, cast.eve.id]
    groups.change_members(actor=system(cast.acme), group_id=made.id, spec=lambda _present: both)
    return made


@pytest.fixture
def scim(cast) -> Scim:
    return scim_client(cast)


def members(answer: dict) -> list[str]:
    return [one["display"] for one in answer.get("members", [])]


def test_a_group_has_its_members_with_their_addresses(scim, cast, group):
    answer = ok(scim.get(f"/groups/{group.id}"))
    assert members(answer) == ["Ben", "Eve"]
    ben = answer["members"][0]
    assert (ben["value"], ben["type"]) == (str(cast.ben.id), "User")
    assert ok(scim.get(ben["$ref"].partition("/scim/v2")[2]))["displayName"] == "Ben"


def test_the_listing_needs_a_filter_at_its_own_address_alone(scim, group):
    refused(scim.get("/groups"), 400, "invalidFilter", says="filter")
    refused(scim.get("/groups?filter="), 400, "invalidFilter")
    assert members(ok(scim.get("/groups?filter=id%20pr"))["Resources"][0]) == ["Ben", "Eve"]
    alias = Scim(scim.headers, "/api/v2/scim")
    assert members(ok(alias.get("/Groups"))["Resources"][0]) == ["Ben", "Eve"]
    assert "members" not in ok(alias.get("/groups?attributes=displayName"))["Resources"][0]


def test_members_elsewhere_are_not_told_and_stay(cast, group):
    east = scim_client(cast, cast.east, name="East only")
    assert members(ok(east.get(f"/groups/{group.id}"))) == ["Eve"]
    put = {"schemas": [GROUP], "displayName": "Agents", "members": []}
    assert members(ok(east.put(f"/groups/{group.id}", put))) == []
    assert list(GroupMember.objects.values_list("user_id", flat=True)) == [cast.ben.id]
    add = {"op": "add", "path": "members", "value": [{"value": str(cast.ada.id)}]}
    refused(east.patch(f"/groups/{group.id}", add), 400, "invalidValue", says=str(cast.ada.id))


def test_another_organizations_group_does_not_exist(scim, cast):
    made = groups.create(actor=system(cast.globex), name="Agents")
    put = {"schemas": [GROUP], "displayName": "Mine"}
    for response in (
        scim.get(f"/groups/{made.id}"),
        scim.put(f"/groups/{made.id}", put),
        scim.patch(f"/groups/{made.id}", {"op": "replace", "path": "displayName", "value": "Mine"}),
    ):
        refused(response, 404)


def test_a_name_in_use_is_a_conflict(scim, cast, group):
    groups.create(actor=system(cast.acme), name="Other")
    rename = {"op": "replace", "path": "displayName", "value": "OTHER"}
    refused(scim.patch(f"/groups/{group.id}", rename), 409, "uniqueness")


def test_a_put_without_members_keeps_them(scim, group):
    put = {"schemas": [GROUP], "displayName": "Renamed", "externalId": "G-1"}
    answer = ok(scim.put(f"/groups/{group.id}", put))
    assert (answer["displayName"], answer["externalId"], members(answer)) == (
        "Renamed",
        "G-1",
        ["Ben", "Eve"],
    )
    refused(scim.put(f"/groups/{group.id}", {"schemas": [GROUP]}), 400, "invalidValue", says="displayName")


def test_one_refused_operation_leaves_everything_as_it_was(scim, cast, group):
    response = scim.patch(
        f"/groups/{group.id}",
        {"op": "replace", "path": "displayName", "value": "Renamed"},
        {"op": "remove", "path": f'members[value eq "{cast.eve.id}"]'},
        {"op": "add", "path": "members", "value": [{"value": str(cast.cleo.id)}]},
    )
    refused(response, 400, "invalidValue")
    answer = ok(scim.get(f"/groups/{group.id}"))
    assert (answer["displayName"], members(answer)) == ("Agents", ["Ben", "Eve"])


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "members", "value": [{"value": "nobody"}]},
        {"op": "add", "path": "members", "value": [{"display": "Eve"}]},
        {"op": "add", "path": "members", "value": 5},
        {"op": "add", "path": "members", "value": [5, None]},
        {"op": "replace", "path": "members.value", "value": "x"},
        {"op": "replace", "path": 'members[value eq "x"].value', "value": "y"},
        {"op": "remove", "path": 'members[display eq "Eve"]'},
        {"op": "remove", "path": "displayName"},
        {"op": "replace", "path": "displayName", "value": ""},
        {"op": "replace", "path": "displayName", "value": "x" * 201},
        {"op": "replace", "value": {"members": "nobody"}},
    ],
    ids=str,
)
def test_an_operation_that_cannot_be_meant_is_400(scim, group, operation):
    assert scim.patch(f"/groups/{group.id}", operation).status_code == 400
    assert members(ok(scim.get(f"/groups/{group.id}"))) == ["Ben", "Eve"]


def test_members_in_a_value_without_a_path(scim, cast, group):
    ada = {"members": [{"value": str(cast.ada.id)}]}
    answer = ok(scim.patch(f"/groups/{group.id}", {"op": "add", "value": ada}))
    assert members(answer) == ["Ada", "Ben", "Eve"]
    assert members(ok(scim.patch(f"/groups/{group.id}", {"op": "replace", "value": ada}))) == ["Ada"]
