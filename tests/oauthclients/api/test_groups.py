"""`/groups`, in the vendor's shape."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import Group, GroupMember
from tests.oauthclients.api.conftest import refused


def ok(response):
    assert response.status_code == 200, response.content
    return response.json()


@pytest.fixture
def crew(cast) -> Group:
    """Ben of Home, Eve of East and Wes of West."""
    group = Group.objects.create(organization=cast.acme, name="Crew", description="Everybody")
    wes = cast.person("Wes", cast.west)
    for person in (cast.ben, cast.eve, wes):
        GroupMember.objects.create(group=group, user=person)
    return group


def members(group) -> set[str]:
    return set(group.members.values_list("name", flat=True))


def test_a_group_is_made_changed_and_deleted(admin):
    made = ok(
        admin.post(
            "/groups",
            {"name": "Night shift", "type": "official", "visibility": "public", "rulesVisible": True},
        )
    )
    assert (made["name"], made["version"], made["memberCount"]) == ("Night shift", 1, 0)
    assert (made["state"], made["rolesEnabled"], made["rulesVisible"]) == ("active", False, False)
    path = f"/groups/{made['id']}"
    assert made["selfUri"] == f"/api/v2{path}"
    assert ok(admin.get(path)) == made
    changed = ok(admin.put(path, {"version": 1, "description": "At night"}))
    assert (changed["name"], changed["description"], changed["version"]) == ("Night shift", "At night", 2)
    kept = ok(admin.put(path, {"version": 2, "name": "Day shift", "description": None}))
    assert (kept["name"], kept["description"]) == ("Day shift", "At night")
    response = admin.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    for again in (admin.get(path), admin.delete(path), admin.put(path, {"version": 3})):
        refused(again, 404, "not.found")


def test_a_change_needs_the_version_that_was_read(admin, crew):
    path = f"/groups/{crew.id}"
    for body in ({"name": "X"}, {"name": "X", "version": "1"}, b"null"):
        answer = refused(admin.put(path, body), 400, "invalid.value")
        assert answer["details"][0]["fieldName"] == "version"
    refused(admin.put(path, {"name": "X", "version": 7}), 409, "general.conflict")
    refused(admin.post(f"{path}/members", {"memberIds": [], "version": 7}), 409, "general.conflict")
    assert Group.objects.get(id=crew.id).name == "Crew"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        (None, "name"),
        ({"name": " "}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "Made", "description": 5}, "description"),
        ({"name": "Made", "description": "x" * 501}, "description"),
    ],
)
def test_what_cannot_be_a_group_is_400_and_names_the_field(admin, body, field):
    answer = refused(admin.post("/groups", body), 400, "invalid.value")
    assert answer["details"][0]["fieldName"] == field
    assert not Group.objects.exists()


def test_a_name_that_is_taken_is_a_conflict(admin, crew):
    refused(admin.post("/groups", {"name": "crew"}), 409, "resource.already.exists")


def test_groups_are_listed_for_everybody_of_the_organization(api, cast, crew):
    Group.objects.create(organization=cast.acme, name="Band")
    Group.objects.create(organization=cast.globex, name="Others")
    caller = api()
    page = ok(caller.get("/groups"))
    assert [one["name"] for one in page["entities"]] == ["Band", "Crew"]
    assert (page["total"], page["pageCount"]) == (2, 1)
    assert [one["name"] for one in ok(caller.get("/groups?sortOrder=DESC"))["entities"]] == ["Crew", "Band"]
    assert [one["name"] for one in ok(caller.get(f"/groups?id={crew.id}"))["entities"]] == ["Crew"]


def test_members_are_seen_by_who_sees_people_in_their_divisions(api, admin, cast, crew):
    for caller, seen in (
        (admin, ["Ben", "Eve", "Wes"]),
        (api(("User", cast.east)), ["Eve"]),
        (api(("SCIM Integration", cast.west)), ["Wes"]),
        (api(), []),
    ):
        for path in ("members", "individuals"):
            found = ok(caller.get(f"/groups/{crew.id}/{path}"))
            assert [one["name"] for one in found["entities"]] == seen
            assert found["total"] == len(seen)
        assert ok(caller.get(f"/groups/{crew.id}"))["memberCount"] == len(seen)
        assert ok(caller.get("/groups"))["entities"][0]["memberCount"] == len(seen)


def test_members_are_paged_and_expanded(admin, crew):
    page = ok(admin.get(f"/groups/{crew.id}/members?pageSize=2&sortOrder=DESC&expand=groups"))
    assert [one["name"] for one in page["entities"]] == ["Wes", "Eve"]
    assert (page["total"], page["pageCount"]) == (3, 2)
    assert [one["name"] for one in page["entities"][0]["groups"]] == ["Crew"]


def test_members_come_and_go(admin, cast, crew):
    path = f"/groups/{crew.id}/members"
    added = admin.post(path, {"memberIds": [str(cast.ada.id), str(cast.eve.id)], "version": 1})
    assert ok(added) == {}
    assert members(crew) == {"Ada", "Ben", "Eve", "Wes"}
    assert ok(admin.delete(f"{path}?ids={cast.ada.id},{cast.ben.id}")) == {}
    assert ok(admin.delete(f"{path}?id={cast.eve.id}&id={uuid.uuid4()}")) == {}
    assert members(crew) == {"Wes"}
    assert ok(admin.get(f"/groups/{crew.id}"))["version"] == 4


def test_only_people_who_are_seen_come_and_go(api, cast, crew):
    cast.custom_role("Grouper", "directory:group:edit")
    caller = api(("Grouper", None), ("User", cast.east))
    path = f"/groups/{crew.id}/members"
    version = 1
    for stranger in (str(cast.ada.id), str(cast.cleo.id), str(uuid.uuid4()), "junk"):
        answer = refused(
            caller.post(path, {"memberIds": [stranger], "version": version}), 400, "invalid.value"
        )
        assert answer["details"][0]["fieldName"] == "memberIds"
    ok(caller.delete(f"{path}?ids={cast.ben.id},{cast.eve.id}"))
    assert members(crew) == {"Ben", "Wes"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"version": 1}, "memberIds"),
        ({"memberIds": None, "version": 1}, "memberIds"),
        ({"memberIds": "x", "version": 1}, "memberIds"),
        ({"memberIds": [5], "version": 1}, "memberIds"),
        ({"memberIds": []}, "version"),
    ],
)
def test_who_comes_must_be_said(admin, crew, body, field):
    answer = refused(admin.post(f"/groups/{crew.id}/members", body), 400, "invalid.value")
    assert answer["details"][0]["fieldName"] == field
    refused(admin.delete(f"/groups/{crew.id}/members"), 400, "invalid.value")


def test_groups_and_members_take_the_same_few_statements_for_two_and_for_many(
    admin, cast, crew, django_assert_num_queries
):
    admin.get("/groups")
    for number in range(20):
        group = Group.objects.create(organization=cast.acme, name=f"G{number}")
        person = cast.person(f"P{number}", cast.east)
        GroupMember.objects.create(group=group, user=person)
        GroupMember.objects.create(group=crew, user=person)
    with django_assert_num_queries(4):  # token and rights, groups, how many, their members
        assert len(ok(admin.get("/groups?pageSize=100"))["entities"]) == 21
    with django_assert_num_queries(4):  # token and rights, the group, its members, how many
        assert len(ok(admin.get(f"/groups/{crew.id}/members?pageSize=100"))["entities"]) == 23
