"""The requests of Microsoft Entra ID, as its documentation shows them ("Develop and plan provisioning for a
SCIM endpoint"), odd shapes included: capitalized operations, booleans as text, filters in paths that find
nothing, values without a path, and removals with a value."""

from __future__ import annotations

import pytest

from accounts.actor import system
from accounts.models import User
from accounts.services import groups
from tests.scim import ENTERPRISE, PATCH, USER, Scim, ok, refused, scim_client

NEW = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Test_User_ab6490ee@acme.example",
    "active": True,
    "emails": [{"primary": True, "type": "work", "value": "Test_User_fd0ea19b@testuser.example"}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
    "roles": [],
}


@pytest.fixture
def entra(cast) -> Scim:
    return scim_client(cast, name="Entra ID")


@pytest.fixture
def made(entra) -> dict:
    return ok(entra.post("/Users", NEW), 201)


@pytest.fixture
def group(cast):
    return groups.create(actor=system(cast.acme), name="Agents")


# --- Users ---------------------------------------------------------------------------------------


def test_create_user(made):
    assert made["userName"] == NEW["userName"].lower()
    assert made["displayName"] == "givenName familyName"
    assert (made["externalId"], made["active"]) == (NEW["externalId"], True)
    # The address of type work is the userName, whatever else is sent (docs/scim.md).
    assert made["emails"] == [{"value": NEW["userName"].lower(), "type": "work", "primary": True}]


def test_get_user(entra, made):
    assert ok(entra.get(f"/Users/{made['id']}")) == made


def test_get_user_by_query(entra, made):
    answer = ok(entra.get("/Users?filter=userName%20eq%20%22Test_User_ab6490ee%40acme.example%22"))
    assert (answer["totalResults"], answer["Resources"][0]["id"]) == (1, made["id"])


def test_get_user_by_query_zero_results(entra):
    answer = ok(entra.get("/Users?filter=userName%20eq%20%22non-existent%20user%22"))
    assert (answer["totalResults"], answer["Resources"], answer["startIndex"]) == (0, [], 1)


def test_get_user_by_the_address_of_type_work_and_by_external_id(entra, made):
    assert entra.found(f'emails[type eq "work"].value eq "{made["userName"]}"') == [made["userName"]]
    assert entra.found(f'externalId eq "{NEW["externalId"]}"') == [made["userName"]]


def test_update_user_multi_valued_properties(entra, made):
    changed = entra.changed(
        made["id"],
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "updated@microsoft.example"},
        {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"},
    )
    assert changed["name"]["familyName"] == "updatedFamilyName"
    assert changed["userName"] == made["userName"]


def test_update_user_single_valued_properties(entra, made):
    changed = entra.changed(
        made["id"], {"op": "Replace", "path": "userName", "value": "5b50642d@acme.example"}
    )
    assert changed["userName"] == "5b50642d@acme.example"
    assert changed["emails"][0]["value"] == "5b50642d@acme.example"


@pytest.mark.parametrize("value", ["False", "false", False])
def test_disable_user(entra, made, value):
    changed = entra.changed(made["id"], {"op": "Replace", "path": "active", "value": value})
    assert changed["active"] is False
    answer = ok(entra.get(f"/Users?filter=userName%20eq%20%22{made['userName']}%22"))
    assert answer["Resources"][0]["active"] is False


def test_enable_user_with_a_text(entra, made):
    entra.changed(made["id"], {"op": "Replace", "path": "active", "value": "False"})
    changed = entra.changed(made["id"], {"op": "Replace", "path": "active", "value": "True"})
    assert changed["active"] is True


def test_disable_user_without_a_path(entra, made):
    changed = entra.changed(made["id"], {"op": "replace", "value": {"active": "False"}})
    assert changed["active"] is False


def test_delete_user(entra, made):
    assert entra.delete(f"/Users/{made['id']}").status_code == 204
    refused(entra.get(f"/Users/{made['id']}"), 404)
    refused(entra.delete(f"/Users/{made['id']}"), 404)


def test_a_user_who_is_restored_is_created_again_and_is_the_same(entra, made):
    entra.delete(f"/Users/{made['id']}")
    assert ok(entra.post("/Users", NEW), 200)["id"] == made["id"]


# --- The odd shapes --------------------------------------------------------------------------------


def test_a_path_with_a_filter_that_finds_nothing_adds_what_it_describes(entra, made):
    changed = entra.changed(
        made["id"],
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+1 555 0100"},
        {"op": "Add", "path": 'emails[type eq "other"].value', "value": "dan@home.example"},
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": made["userName"]},
    )
    assert changed["phoneNumbers"] == [{"value": "+1 555 0100", "type": "mobile", "primary": False}]
    assert [one["value"] for one in changed["emails"]] == [made["userName"], "dan@home.example"]


def test_a_value_without_a_path_has_dotted_keys_urns_and_filters(entra, made):
    changed = entra.changed(
        made["id"],
        {
            "op": "Add",
            "value": {
                "name.givenName": "Dan",
                "name.formatted": "ignored",
                "title": "Agent",
                f"{ENTERPRISE}:department": "Sales",
                f"{ENTERPRISE}:employeeNumber": "7",
                'phoneNumbers[type eq "work"].value': "+1 555 0101",
            },
        },
    )
    assert (changed["name"]["givenName"], changed["title"]) == ("Dan", "Agent")
    assert changed[ENTERPRISE]["department"] == "Sales"
    assert changed[ENTERPRISE]["employeeNumber"] == "7"
    assert changed["phoneNumbers"][0]["value"] == "+1 555 0101"


def test_the_formatted_name_is_taken_and_made_of_the_shown_name(entra, made):
    changed = entra.changed(
        made["id"],
        {"op": "Replace", "path": "displayName", "value": "Dan Doe"},
        {"op": "Replace", "path": "name.formatted", "value": "Doe, Dan"},
    )
    assert changed["name"]["formatted"] == "Dan Doe"
    ok(entra.patch(f"/Users/{made['id']}", {"op": "Add", "path": "title", "value": "Agent"}))


@pytest.mark.parametrize("odd", ["text", "object"])
def test_the_manager_is_a_bare_id(entra, cast, made, odd):
    ada = str(cast.ada.id)
    value = ada if odd == "text" else {"value": ada}
    path = f"{ENTERPRISE}:manager"
    changed = entra.changed(made["id"], {"op": "Add", "path": path, "value": value})
    assert changed[ENTERPRISE]["manager"]["value"] == ada
    assert changed[ENTERPRISE]["manager"]["displayName"] == "Ada"
    for gone in ({"op": "Remove", "path": path}, {"op": "Replace", "path": path, "value": ""}):
        entra.changed(made["id"], {"op": "Add", "path": path, "value": value})
        assert "manager" not in entra.changed(made["id"], gone)[ENTERPRISE]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Add", "path": "roles", "value": ["SCIM Integration"]},
        {"op": "Add", "path": "roles", "value": "SCIM Integration"},
        {"op": "Add", "path": "roles", "value": {"value": "scim integration", "primary": True}},
        {"op": "Add", "path": "roles", "value": [{"value": "SCIM Integration", "primary": "True"}]},
        {"op": "Add", "value": {"roles": [{"value": "SCIM Integration", "display": "SCIM", "type": "x"}]}},
        {"op": "Add", "path": 'roles[primary eq "True"].value', "value": "SCIM Integration"},
        {"op": "Replace", "path": 'roles[primary eq "True"].value', "value": "SCIM Integration"},
    ],
    ids=str,
)
def test_roles_in_every_shape(entra, made, operation):
    for _twice in range(2):
        changed = entra.changed(made["id"], operation)
        assert [one["value"] for one in changed["roles"]] == ["SCIM Integration"]
    gone = {
        "op": "Remove",
        "path": "roles",
        "value": [{"value": "SCIM Integration", "display": "SCIM", "primary": False}],
    }
    assert "roles" not in entra.changed(made["id"], gone)


def test_a_removal_of_a_single_value_may_name_it(entra, made):
    entra.changed(made["id"], {"op": "Add", "path": "title", "value": "Agent"})
    assert "title" not in entra.changed(made["id"], {"op": "Remove", "path": "title", "value": "Agent"})


def test_attributes_that_are_not_kept_are_no_error(entra, made):
    changed = entra.changed(
        made["id"],
        {"op": "Add", "path": "preferredLanguage", "value": "en-US"},
        {"op": "Add", "path": 'addresses[type eq "work"].country', "value": "US"},
        {"op": "Replace", "value": {"nickName": "D", "title": "Agent"}},
    )
    assert changed["title"] == "Agent"


def test_names_of_attributes_are_read_in_whatever_case(entra, made):
    body = {"schemas": [PATCH], "operations": [{"OP": "REPLACE", "Path": "DISPLAYNAME", "Value": "Dan"}]}
    assert ok(entra.send("PATCH", f"/Users/{made['id']}", body))["displayName"] == "Dan"


# --- Groups ----------------------------------------------------------------------------------------


def test_get_group_without_its_members(entra, cast, group):
    groups.change_members(actor=system(cast.acme), group_id=group.id, spec=lambda _present: [cast.eve.id])
    answer = ok(entra.get(f"/Groups/{group.id}?excludedAttributes=members"))
    assert answer["displayName"] == "Agents"
    assert "members" not in answer


def test_get_group_by_display_name(entra, group):
    answer = ok(entra.get("/Groups?excludedAttributes=members&filter=displayName%20eq%20%22agents%22"))
    assert [one["id"] for one in answer["Resources"]] == [str(group.id)]


def test_update_group_non_member_attributes(entra, group):
    rename = {"op": "Replace", "path": "displayName", "value": "1879db59-3bdf-4490-ad68-ab880a269474"}
    assert ok(entra.patch(f"/Groups/{group.id}", rename))["displayName"] == rename["value"]


def test_update_group_add_members(entra, cast, group):
    value = [{"$ref": None, "value": str(cast.eve.id)}]
    add = {"op": "Add", "path": "members", "value": value}
    for _twice in range(2):
        answer = ok(entra.patch(f"/Groups/{group.id}", add))
        assert [one["value"] for one in answer["members"]] == [str(cast.eve.id)]
    assert answer["members"][0]["$ref"].endswith(f"/users/{cast.eve.id}")
    assert ok(entra.get(f"/Users/{cast.eve.id}"))["groups"][0]["display"] == "Agents"


def test_update_group_remove_members(entra, cast, group):
    everybody = [cast.ada.id, cast.ben.id, cast.eve.id]
    groups.change_members(actor=system(cast.acme), group_id=group.id, spec=lambda _present: everybody)
    by_value = {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": str(cast.eve.id)}]}
    answer = ok(entra.patch(f"/Groups/{group.id}", by_value))
    assert [one["display"] for one in answer["members"]] == ["Ada", "Ben"]
    by_path = {"op": "Remove", "path": f'members[value eq "{cast.ben.id}"]'}
    answer = ok(entra.patch(f"/Groups/{group.id}", by_path))
    assert [one["display"] for one in answer["members"]] == ["Ada"]
    nobody = ok(entra.patch(f"/Groups/{group.id}", {"op": "Remove", "path": "members", "value": []}))
    assert [one["display"] for one in nobody["members"]] == ["Ada"]
    assert "members" not in ok(entra.patch(f"/Groups/{group.id}", {"op": "Remove", "path": "members"}))


def test_the_deleted_user_is_out_of_its_groups(entra, cast, group):
    groups.change_members(actor=system(cast.acme), group_id=group.id, spec=lambda _present: [cast.eve.id])
    assert entra.delete(f"/Users/{cast.eve.id}").status_code == 204
    assert User.objects.get(id=cast.eve.id).state == "deleted"
    assert "members" not in ok(entra.get(f"/Groups/{group.id}"))
