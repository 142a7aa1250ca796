"""`/authorization/divisions`, for writing (wire contract D2 and D4)."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import Division, RoleGrant, User
from tests.oauthclients.api.conftest import refused

DIVISIONS = "/authorization/divisions"


def ok(response):
    assert response.status_code == 200, response.content
    return response.json()


def names(body) -> list[str]:
    return [one["name"] for one in body["entities"]]


def test_a_division_is_made_and_changed_sparsely(admin):
    made = ok(admin.post(DIVISIONS, {"name": "North", "description": "Up there", "homeDivision": True}))
    assert (made["name"], made["description"], made["homeDivision"]) == ("North", "Up there", False)
    path = f"{DIVISIONS}/{made['id']}"
    assert ok(admin.get(path)) == made
    assert ok(admin.put(path, {"description": "High"})) == {**made, "description": "High"}
    assert ok(admin.put(path, {"name": "Nord", "description": None}))["description"] == "High"
    assert ok(admin.put(path, {}))["name"] == "Nord"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "name", "division.name.invalid"),
        (None, "name", "division.name.invalid"),
        ({"name": " "}, "name", "division.name.invalid"),
        ({"name": "*"}, "name", "division.name.invalid"),
        ({"name": 5}, "name", "division.name.invalid"),
        ({"name": "x" * 201}, "name", "max.length.exceeded"),
        ({"name": "North", "description": "x" * 501}, "description", "max.length.exceeded"),
        ({"name": "North", "description": {}}, "description", "invalid.value"),
    ],
)
def test_what_cannot_be_a_division_is_400_and_names_the_field(admin, body, field, code):
    answer = refused(admin.post(DIVISIONS, body), 400, code)
    assert answer["details"][0]["fieldName"] == field


def test_a_name_that_is_taken_is_a_conflict_and_so_is_one_too_many(admin, cast, settings):
    refused(admin.post(DIVISIONS, {"name": "east"}), 409, "resource.already.exists")
    refused(admin.put(f"{DIVISIONS}/{cast.west.id}", {"name": "East"}), 409, "resource.already.exists")
    settings.MAX_DIVISIONS_PER_ORGANIZATION = 3
    refused(admin.post(DIVISIONS, {"name": "North"}), 400, "max.scopes.exceeded")


def test_an_empty_division_is_deleted_listed_as_deleted_and_restored(admin, cast):
    path = f"{DIVISIONS}/{cast.west.id}"
    response = admin.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    refused(admin.get(path), 404, "not.found")
    assert names(ok(admin.get(f"{DIVISIONS}/deleted"))) == ["West"]
    assert ok(admin.post(f"{path}/restore", b"null"))["name"] == "West"
    assert ok(admin.get(path))["name"] == "West"
    assert names(ok(admin.get(f"{DIVISIONS}/deleted"))) == []
    refused(admin.post(f"{path}/restore"), 404, "not.found")  # it is there


def test_a_restored_division_may_get_another_name(admin, cast):
    path = f"{DIVISIONS}/{cast.west.id}"
    admin.delete(path)
    ok(admin.post(DIVISIONS, {"name": "West"}))
    refused(admin.post(f"{path}/restore"), 409, "resource.already.exists")
    assert ok(admin.post(f"{path}/restore", {"name": "Far west"}))["name"] == "Far west"


def test_a_division_in_use_is_deleted_only_by_force(admin, cast):
    cast.give(cast.ben, ("Supervisor", cast.east), ("Supervisor", cast.home))
    path = f"{DIVISIONS}/{cast.east.id}"
    refused(admin.delete(path), 409, "precondition.failure")
    refused(admin.delete(f"{path}?force=false"), 409, "precondition.failure")
    assert admin.delete(f"{path}?force=true").status_code == 204
    assert User.objects.get(id=cast.eve.id).division_id == cast.home.id
    assert not RoleGrant.objects.filter(division=cast.east).exists()
    assert RoleGrant.objects.filter(subject_id=cast.ben.id, division=cast.home).exists()


def test_home_stays_even_by_force(admin, cast):
    for query in ("", "?force=true"):
        refused(admin.delete(f"{DIVISIONS}/{cast.home.id}{query}"), 409, "precondition.failure")


def test_force_takes_the_rights_to_move_people_and_to_take_grants(api, cast):
    cast.custom_role("Divider", "authorization:division:delete")
    refused(
        api(("Divider", None), ("People Admin", cast.east)).delete(
            f"{DIVISIONS}/{cast.east.id}?force=true"
        ),
        403,
        "missing.division.permission",
    )
    assert Division.objects.get(id=cast.east.id).deleted_at is None


# --- Moving people -------------------------------------------------------------------------------


def test_people_are_moved_into_a_division(admin, cast):
    path = f"{DIVISIONS}/{cast.west.id}/objects"
    response = admin.post(f"{path}/USER", [str(cast.eve.id), str(cast.ben.id), str(cast.eve.id)])
    assert (response.status_code, response.content) == (204, b"")
    assert {User.objects.get(id=one.id).division_id for one in (cast.eve, cast.ben)} == {cast.west.id}


def test_only_people_of_the_organization_are_moved_all_or_none(admin, cast):
    path = f"{DIVISIONS}/{cast.west.id}/objects/USER"
    for stranger in (str(cast.cleo.id), str(uuid.uuid4()), "junk", "a\x00"):
        refused(admin.post(path, [str(cast.eve.id), stranger]), 404, "not.found")
    assert User.objects.get(id=cast.eve.id).division_id == cast.east.id


@pytest.mark.parametrize("kind", ["QUEUE", "CAMPAIGN", "people"])
def test_nothing_else_has_a_division_here(admin, cast, kind):
    refused(admin.post(f"{DIVISIONS}/{cast.west.id}/objects/{kind}", []), 400, "invalid.value")


@pytest.mark.parametrize("body", [None, b"null", {}, "x", [5], [None], [["x"]], ["x"] * 1_001])
def test_people_to_move_are_a_list_of_ids(admin, cast, body):
    assert admin.post(f"{DIVISIONS}/{cast.west.id}/objects/USER", body).status_code in (400, 404)
    refused(admin.post(f"{DIVISIONS}/{cast.west.id}/objects/USER", {}), 400, "bad.request")


def test_moving_needs_the_right_in_both_divisions(api, cast):
    caller = api(("People Admin", cast.west))
    body = refused(
        caller.post(f"{DIVISIONS}/{cast.west.id}/objects/USER", [str(cast.eve.id)]),
        403,
        "missing.division.permission",
    )
    assert "East" in body["message"]
    caller = api(("People Admin", cast.east))
    body = refused(
        caller.post(f"{DIVISIONS}/{cast.west.id}/objects/USER", [str(cast.eve.id)]),
        403,
        "missing.division.permission",
    )
    assert "West" in body["message"]


# --- By cursor -----------------------------------------------------------------------------------


def test_the_cursor_walks_forward_and_back_over_every_division_once(api, admin):
    for number in range(7):
        ok(admin.post(DIVISIONS, {"name": f"D{number}"}))
    caller = api()
    forward, path = [], f"{DIVISIONS}/query?pageSize=3"
    while path:
        page = ok(caller.get(path))
        assert page["selfUri"] == f"/api/v2{path}"
        forward.append(page)
        path = page.get("nextUri", "").removeprefix("/api/v2")
    everything = [one["name"] for page in forward for one in page["entities"]]
    assert everything == sorted(everything)
    assert len(everything) == 10
    assert [len(page["entities"]) for page in forward] == [3, 3, 3, 1]
    assert "previousUri" not in forward[0]
    back, page = [], forward[-1]
    while "previousUri" in page:
        page = ok(caller.get(page["previousUri"].removeprefix("/api/v2")))
        back.append(page)
    assert [names(page) for page in back] == [names(page) for page in forward[2::-1]]
    assert names(ok(caller.get(back[-1]["nextUri"].removeprefix("/api/v2")))) == names(forward[1])


def test_the_cursor_listing_filters_and_refuses_both_ways_at_once(api, cast):
    caller = api()
    assert names(ok(caller.get(f"{DIVISIONS}/query?name=st"))) == ["East", "West"]
    assert names(ok(caller.get(f"{DIVISIONS}/query?id={cast.west.id},{uuid.uuid4()}"))) == ["West"]
    refused(caller.get(f"{DIVISIONS}/query?before=x&after=y"), 400, "both.after.and.before.provided")
    for way in ("before", "after"):
        body = refused(caller.get(f"{DIVISIONS}/query?{way}=junk"), 400, "invalid.query.param.value")
        assert way in body["message"]


# --- Grants of a division ------------------------------------------------------------------------


def test_the_grants_of_a_division_are_those_in_it_alone(api, cast):
    cast.give(cast.eve, ("Employee", cast.home), ("Supervisor", cast.east), ("User", None))
    client, _secret = cast.client(("Supervisor", cast.east), name="Reporter")
    caller = api(("Supervisor", None))
    page = ok(caller.get(f"{DIVISIONS}/{cast.east.id}/grants"))
    assert [(one["subjectId"], one["role"]["name"]) for one in page["entities"]] == sorted(
        [(str(cast.eve.id), "Supervisor"), (str(client.id), "Supervisor")]
    )
    assert {one["division"]["name"] for one in page["entities"]} == {"East"}
    assert page["total"] == 2
    assert len(ok(caller.get(f"{DIVISIONS}/{cast.east.id}/grants?pageSize=1"))["entities"]) == 1
