"""`/authorization/roles`, for writing (wire contract D2 and D3)."""

from __future__ import annotations

import uuid

import pytest

from accounts.default_roles import SCIM_INTEGRATION
from accounts.models import AuditEvent, Role
from accounts.permissions import expand, policies_for
from oauthclients.models import Client
from oauthclients.rules import token_life
from tests.oauthclients.api.conftest import refused

ROLES = "/authorization/roles"


def policy(*permissions: str) -> list[dict]:
    return policies_for(permissions)


def shown(*permissions: str) -> list[dict]:
    return [{**one, "namedResources": [], "allowConditions": False} for one in policies_for(permissions)]


def ok(response):
    assert response.status_code == 200, response.content
    return response.json()


# --- Making --------------------------------------------------------------------------------------


def test_a_role_is_made_and_read_as_it_was_answered(admin, cast):
    made = ok(
        admin.post(
            ROLES,
            {
                "name": "Night shift",
                "description": "At night",
                "permissionPolicies": policy("directory:user:view", "oauth:client:view"),
            },
        )
    )
    assert (made["name"], made["description"], made["userCount"]) == ("Night shift", "At night", 0)
    assert (made["default"], made["base"], made["roleNeedsUpdate"]) == (False, False, False)
    assert made["permissionPolicies"] == shown("directory:user:view", "oauth:client:view")
    assert "notices" not in made
    assert ok(admin.get(f"{ROLES}/{made['id']}")) == made
    assert AuditEvent.objects.filter(action="role.created", entity_id=made["id"]).exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "  "}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"description": []}, "description"),
        ({"description": "x" * 501}, "description"),
        ({"permissionPolicies": "all"}, "permissionPolicies"),
        ({"permissionPolicies": ["all"]}, "permissionPolicies"),
        ({"permissionPolicies": [{}]}, "permissionPolicies"),
        ({"permissionPolicies": [{"domain": "oauth", "entityName": "client"}]}, "permissionPolicies"),
        (
            {"permissionPolicies": [{"domain": "oauth", "entityName": "client", "actionSet": ["fly"]}]},
            "permissionPolicies",
        ),
        ({"permissions": ["admin"]}, "permissions"),
        ({"permissions": "admin"}, "permissions"),
    ],
)
def test_what_cannot_be_a_role_is_400_and_names_the_field(admin, change, field):
    before = Role.objects.count()
    answer = refused(
        admin.post(ROLES, {"name": "Made", "permissionPolicies": [], **change}), 400, "general.bad.request"
    )
    assert answer["details"][0]["fieldName"] == field
    assert Role.objects.count() == before


@pytest.mark.parametrize(
    "condition",
    [
        {"resourceConditionNode": {"variableName": "x", "operator": "EQ", "operands": []}},
        {"namedResources": ["one queue"]},
    ],
)
def test_a_policy_under_a_condition_is_refused_rather_than_given_without(admin, condition):
    policies = [{**policy("routing:queue:view")[0], **condition}]
    refused(admin.post(ROLES, {"name": "Made", "permissionPolicies": policies}), 400, "general.bad.request")
    assert not Role.objects.filter(name="Made").exists()


def test_a_name_that_is_taken_is_a_conflict_and_so_is_one_role_too_many(admin, settings):
    refused(admin.post(ROLES, {"name": "supervisor"}), 409, "resource.already.exists")
    settings.MAX_ROLES_PER_ORGANIZATION = 5
    refused(admin.post(ROLES, {"name": "Made"}), 400, "max.roles.exceeded")


# --- Changing ------------------------------------------------------------------------------------


def test_a_change_keeps_what_it_does_not_name(admin, cast):
    role = cast.custom_role("Growing", "oauth:client:view")
    path = f"{ROLES}/{role.id}"
    before = ok(admin.get(path))
    assert ok(admin.put(path, {})) == before
    assert ok(admin.put(path, {"name": None, "permissionPolicies": None})) == before
    changed = ok(admin.put(path, {"description": "Grows"}))
    assert changed == {**before, "description": "Grows"}
    changed = ok(admin.put(path, {"name": "Grown", "permissionPolicies": policy("directory:user:view")}))
    assert (changed["name"], changed["description"]) == ("Grown", "Grows")
    assert changed["permissionPolicies"] == shown("directory:user:view")
    assert ok(admin.put(path, {"permissionPolicies": []}))["permissionPolicies"] == []
    assert ok(admin.put(path, before)) == before


def test_default_roles_keep_their_names_and_admin_its_permissions(admin, cast):
    supervisor, all_powerful = cast.role("Supervisor"), cast.role("Admin")
    refused(admin.put(f"{ROLES}/{supervisor.id}", {"name": "Boss"}), 400, "general.bad.request")
    refused(admin.put(f"{ROLES}/{all_powerful.id}", {"permissionPolicies": []}), 400, "general.bad.request")
    changed = ok(
        admin.put(f"{ROLES}/{supervisor.id}", {"name": "Supervisor", "description": "Looks after"})
    )
    assert (changed["description"], changed["userCount"]) == ("Looks after", 2)


def test_a_patch_is_for_one_flag_and_changes_nothing(admin, cast):
    path = f"{ROLES}/{cast.role('Supervisor').id}"
    before = ok(admin.get(path))
    assert ok(admin.patch(path, {"roleNeedsUpdate": False, "name": "Ignored"})) == before
    assert ok(admin.get(path)) == before
    refused(admin.patch(path, {"roleNeedsUpdate": "no"}), 400, "invalid.value")


def test_a_role_that_nobody_holds_is_deleted(admin, cast):
    role = cast.custom_role("Short-lived", "oauth:client:view")
    path = f"{ROLES}/{role.id}"
    cast.give(cast.eve, ("Short-lived", cast.east))
    refused(admin.delete(path), 409, "general.conflict")
    cast.give(cast.eve)
    response = admin.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    refused(admin.delete(path), 404, "not.found")
    refused(admin.delete(f"{ROLES}/{cast.role('Employee').id}"), 409, "general.conflict")


def test_a_role_cannot_be_widened_beyond_its_editor(api, cast):
    cast.custom_role("Role editor", "authorization:role:edit", "authorization:role:add")
    caller = api(("Role editor", None), ("Supervisor", cast.east))
    role = cast.custom_role("Narrow", "directory:user:view")
    body = {"permissionPolicies": policy("directory:user:view", "oauth:client:edit")}
    answer = refused(caller.put(f"{ROLES}/{role.id}", body), 403, "missing.division.permissions")
    assert "oauth:client:edit" in answer["messageParams"]["permissions"]
    refused(caller.post(ROLES, {"name": "Made", **body}), 403, "missing.division.permissions")
    assert expand(Role.objects.get(id=role.id).policies) == {"directory:user:view"}


def test_an_answer_says_whose_token_duration_went_back(admin, cast):
    role = cast.custom_role("Sync", *expand(SCIM_INTEGRATION.policies))
    client, _secret = cast.client(("Sync", None), name="Okta", token_seconds=token_life.LONGEST_SCIM)
    more = [*SCIM_INTEGRATION.policies, *policy("oauth:client:view")]
    changed = ok(admin.put(f"{ROLES}/{role.id}", {"permissionPolicies": more}))
    assert changed["notices"] == [f"Okta: {token_life.RESET}"]
    assert Client.objects.get(id=client.id).token_seconds == token_life.DEFAULT
    assert "notices" not in ok(admin.get(f"{ROLES}/{role.id}"))


# --- Defaults ------------------------------------------------------------------------------------


def narrowed(cast) -> Role:
    role = cast.role("Supervisor")
    Role.objects.filter(id=role.id).update(policies=policy("directory:user:view"))
    Role.objects.filter(organization=cast.acme, default_role_id="developer").delete()
    return role


def test_restoring_adds_what_is_missing_and_leaves_the_others(admin, cast):
    role = narrowed(cast)
    listing = ok(admin.post(f"{ROLES}/default", b"null"))
    found = {one["name"]: one for one in listing["entities"]}
    assert {"Admin", "Developer", "SCIM Integration"} <= found.keys()
    assert "Client Manager" not in found
    assert found["Supervisor"]["permissionPolicies"] == shown("directory:user:view")
    assert (listing["total"], listing["pageCount"]) == (len(found), 1)
    assert found["Supervisor"]["userCount"] == 2
    assert expand(Role.objects.get(id=role.id).policies) == {"directory:user:view"}


def test_force_restores_the_others_too_and_no_custom_role(admin, cast):
    role = narrowed(cast)
    custom = ok(admin.get(f"{ROLES}/{cast.role('Client Manager').id}"))
    ok(admin.post(f"{ROLES}/default?force=true", b"null"))
    assert "routing:queue:edit" in expand(Role.objects.get(id=role.id).policies)
    assert ok(admin.get(f"{ROLES}/{cast.role('Client Manager').id}")) == custom


def test_some_default_roles_are_restored_by_their_ids(admin, cast):
    role = narrowed(cast)
    listing = ok(admin.put(f"{ROLES}/default", [{"id": str(role.id), "name": "Ignored"}]))
    assert [one["id"] for one in listing["entities"]] == [str(role.id)]
    assert "routing:queue:edit" in expand(Role.objects.get(id=role.id).policies)
    for nothing in (cast.role("Client Manager").id, cast.role("Supervisor", cast.globex).id, uuid.uuid4()):
        refused(admin.put(f"{ROLES}/default", [{"id": str(nothing)}]), 404, "not.found")


@pytest.mark.parametrize("body", [None, b"null", {}, "all", [5], [{}], [{"id": 5}], [[]]])
def test_defaults_to_restore_are_a_list_of_roles(admin, body):
    assert admin.put(f"{ROLES}/default", body).status_code == 400


def test_a_role_is_compared_with_what_a_default_one_is_shipped_as(admin, cast):
    role = narrowed(cast)
    custom = cast.custom_role("Mine", "directory:user:view", "oauth:client:view")
    path = f"{ROLES}/{custom.id}/comparedefault/{role.id}"
    difference = ok(admin.get(path))
    assert difference["addedPermissionPolicies"] == shown("oauth:client:view")
    assert difference["samePermissionPolicies"] == shown("directory:user:view")
    removed = expand(difference["removedPermissionPolicies"])
    assert "routing:queue:edit" in removed
    assert not removed & {"directory:user:view", "oauth:client:view"}
    assert difference["userOrgRole"]["id"] == str(custom.id)
    assert difference["roleFromDefault"]["id"] == str(role.id)
    assert "routing:queue:edit" in expand(difference["roleFromDefault"]["permissionPolicies"])
    unsaved = {"name": "Other", "permissionPolicies": policy("sso:provider:view")}
    compared = ok(admin.post(path, unsaved))
    assert compared["addedPermissionPolicies"] == shown("sso:provider:view")
    assert compared["userOrgRole"]["name"] == "Other"
    assert ok(admin.get(path)) == difference  # nothing was saved
    assert ok(admin.post(path, b"null")) == difference


def test_a_role_is_compared_with_default_roles_of_the_organization_alone(admin, cast):
    left = cast.role("Client Manager").id
    for right in (left, cast.role("Supervisor", cast.globex).id, uuid.uuid4(), "supervisor"):
        refused(admin.get(f"{ROLES}/{left}/comparedefault/{right}"), 404, "not.found")


# --- Holders -------------------------------------------------------------------------------------


def test_the_holders_of_a_role_are_told_with_their_divisions(api, cast):
    cast.give(cast.eve, ("Supervisor", cast.west), ("Supervisor", cast.east))
    client, _secret = cast.client(("Supervisor", None), name="Reporter")
    caller = api(("Supervisor", None))
    role = cast.role("Supervisor")
    page = ok(caller.get(f"{ROLES}/{role.id}/subjectgrants?pageSize=100"))
    found = {one["name"]: one for one in page["entities"]}
    assert found.keys() == {"Ada", "Ben", "Eve", "Reporter", caller.client.name}
    assert page["total"] == 5
    assert [one["name"] for one in found["Eve"]["divisions"]] == ["East", "West"]
    assert found["Eve"]["type"] == "PC_USER"
    assert found["Reporter"]["type"] == "PC_OAUTH_CLIENT"
    assert found["Reporter"]["divisions"] == [{"id": "*", "name": "*"}]
    assert found["Reporter"]["selfUri"] == f"/api/v2/authorization/subjects/{client.id}"
    seen = [
        one["id"]
        for number in (1, 2, 3)
        for one in ok(caller.get(f"{ROLES}/{role.id}/subjectgrants?pageSize=2&pageNumber={number}"))[
            "entities"
        ]
    ]
    assert sorted(seen) == sorted(one["id"] for one in page["entities"])
    people = ok(caller.get(f"{ROLES}/{role.id}/users"))
    assert [one["id"] for one in people["entities"]] == [
        str(cast.ada.id),
        str(cast.ben.id),
        str(cast.eve.id),
    ]
    assert people["entities"][0]["selfUri"] == f"/api/v2/users/{cast.ada.id}"


def test_holders_are_seen_by_whoever_may_see_grants_in_their_divisions(api, cast):
    cast.custom_role("Role viewer", "authorization:role:view")
    role = cast.role("Supervisor")
    east = api(("Supervisor", cast.east))
    cast.give(cast.eve, ("Supervisor", cast.west))
    names = {one["name"] for one in ok(east.get(f"{ROLES}/{role.id}/subjectgrants"))["entities"]}
    assert names == {"Eve", east.client.name}
    assert ok(east.get(f"{ROLES}/{role.id}/users"))["total"] == 1
    blind = api(("Role viewer", None))
    assert ok(blind.get(f"{ROLES}/{role.id}/subjectgrants"))["entities"] == []
    assert ok(blind.get(f"{ROLES}/{role.id}/users"))["entities"] == []
