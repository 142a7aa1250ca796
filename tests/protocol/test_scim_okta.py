"""Okta's documented sequence of SCIM 2.0 requests, in its order and with its shapes ("SCIM 2.0 protocol
reference", and the specification tests that it publishes for service providers)."""

from __future__ import annotations

import pytest

from accounts.actor import system
from accounts.models import User
from accounts.services import groups
from tests.scim import GROUP, PATCH, USER, Scim, ok, refused, scim_client

DAN = {
    "schemas": [USER],
    "userName": "dan@acme.example",
    "name": {"givenName": "Dan", "familyName": "Doe"},
    "emails": [{"primary": True, "value": "dan@acme.example", "type": "work"}],
    "displayName": "Dan Doe",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq-a-long-one",
    "active": True,
}


@pytest.fixture
def okta(cast) -> Scim:
    """Okta is told the base address without an end in slash, and writes `/Users`."""
    return scim_client(cast, name="Okta")


def test_step_1_the_credentials_are_tried_with_two_people(okta):
    answer = ok(okta.get("/Users?startIndex=1&count=2"))
    assert answer["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
    assert (answer["startIndex"], answer["itemsPerPage"], answer["totalResults"]) == (1, 2, 3)
    first = answer["Resources"][0]
    assert {"id", "userName", "name", "emails"} <= first.keys()
    assert first["active"] is True


def test_step_2_somebody_who_is_not_there_is_not_found(okta):
    answer = ok(okta.get("/Users?filter=userName%20eq%20%22dan%40acme.example%22&startIndex=1&count=100"))
    assert (answer["totalResults"], answer["Resources"]) == (0, [])
    refused(okta.get("/Users/010101001010101011001010101011"), 404)


def test_step_3_a_person_is_created(okta):
    response = okta.post("/Users", DAN)
    made = ok(response, 201)
    assert (made["userName"], made["active"]) == ("dan@acme.example", True)
    assert made["name"] == {"formatted": "Dan Doe", "givenName": "Dan", "familyName": "Doe"}
    assert made["externalId"] == DAN["externalId"]
    assert response["Location"] == made["meta"]["location"]
    assert "password" not in made
    assert User.objects.get(id=made["id"]).check_password(DAN["password"])


def test_step_4_the_person_is_read_back_and_found_by_user_name(okta):
    made = ok(okta.post("/Users", DAN), 201)
    assert ok(okta.get(f"/Users/{made['id']}")) == made
    assert okta.found('userName eq "dan@acme.example"') == ["dan@acme.example"]


def test_step_5_a_second_person_of_that_name_is_a_conflict(okta):
    ok(okta.post("/Users", DAN), 201)
    refused(okta.post("/Users", DAN), 409, "uniqueness")


def test_step_6_an_update_is_a_put_of_the_whole_person(okta):
    made = ok(okta.post("/Users", DAN), 201)
    whole = {**ok(okta.get(f"/Users/{made['id']}")), "name": {"givenName": "Daniel", "familyName": "Doe"}}
    changed = ok(okta.put(f"/Users/{made['id']}", whole))
    assert changed["name"]["givenName"] == "Daniel"
    assert changed["active"] is True
    assert User.objects.get(id=made["id"]).check_password(DAN["password"])


def test_step_7_deactivation_is_a_put_with_active_false(okta):
    made = ok(okta.post("/Users", DAN), 201)
    whole = {**ok(okta.get(f"/Users/{made['id']}")), "active": False}
    assert ok(okta.put(f"/Users/{made['id']}", whole))["active"] is False


def test_step_8_deactivation_and_reactivation_are_a_patch_without_a_path(okta):
    id = ok(okta.post("/Users", DAN), 201)["id"]
    for active in (False, True):
        changed = ok(okta.patch(f"/Users/{id}", {"op": "replace", "value": {"active": active}}))
        assert changed["active"] is active


def test_step_9_a_password_is_a_patch_without_a_path(okta):
    id = ok(okta.post("/Users", DAN), 201)["id"]
    ok(okta.patch(f"/Users/{id}", {"op": "replace", "value": {"password": "t1meMa$heen-a-long-one"}}))
    assert User.objects.get(id=id).check_password("t1meMa$heen-a-long-one")


def test_step_10_a_group_is_found_and_read(okta, cast):
    made = groups.create(actor=system(cast.acme), name="Agents")
    assert okta.found('displayName eq "Agents"', "Groups", startIndex=1, count=100) == ["Agents"]
    assert ok(okta.get(f"/Groups/{made.id}"))["displayName"] == "Agents"


def test_step_11_a_group_is_renamed_by_a_patch_with_its_id(okta, cast):
    made = groups.create(actor=system(cast.acme), name="Agents")
    rename = {"op": "replace", "value": {"id": str(made.id), "displayName": "All agents"}}
    assert ok(okta.patch(f"/Groups/{made.id}", rename))["displayName"] == "All agents"


def test_step_12_members_come_and_go_in_one_patch(okta, cast):
    made = groups.create(actor=system(cast.acme), name="Agents")
    eve = {"value": str(cast.eve.id), "display": "eve@acme.example"}
    ok(okta.patch(f"/Groups/{made.id}", {"op": "add", "path": "members", "value": [eve]}))
    ben = {"value": str(cast.ben.id), "display": "ben@acme.example"}
    answer = ok(
        okta.send(
            "PATCH",
            f"/Groups/{made.id}",
            {
                "schemas": [PATCH],
                "Operations": [
                    {"op": "remove", "path": f'members[value eq "{cast.eve.id}"]'},
                    {"op": "add", "path": "members", "value": [ben]},
                ],
            },
        )
    )
    assert [one["display"] for one in answer["members"]] == ["Ben"]


def test_step_13_all_members_are_replaced(okta, cast):
    made = groups.create(actor=system(cast.acme), name="Agents")
    for people in ([cast.eve, cast.ben], [cast.ada], []):
        value = [{"value": str(one.id), "display": one.name} for one in people]
        answer = ok(okta.patch(f"/Groups/{made.id}", {"op": "replace", "path": "members", "value": value}))
        assert sorted(one["value"] for one in answer.get("members", [])) == sorted(
            str(p.id) for p in people
        )


def test_step_14_a_group_is_replaced_by_a_put(okta, cast):
    made = groups.create(actor=system(cast.acme), name="Agents")
    whole = {
        "schemas": [GROUP],
        "id": str(made.id),
        "displayName": "Agents of East",
        "members": [{"value": str(cast.eve.id), "display": "eve@acme.example"}],
    }
    answer = ok(okta.put(f"/Groups/{made.id}", whole))
    assert (answer["displayName"], answer["members"][0]["display"]) == ("Agents of East", "Eve")


def test_a_group_is_not_made_or_deleted_here(okta, cast):
    """As with the vendor (wire contract H): Okta links a group that is there."""
    made = groups.create(actor=system(cast.acme), name="Agents")
    response = okta.post("/Groups", {"schemas": [GROUP], "displayName": "New", "members": []})
    refused(response, 405)
    assert response["Allow"] == "GET, HEAD"
    refused(okta.delete(f"/Groups/{made.id}"), 405)


def test_the_person_whom_okta_deactivates_is_signed_out(okta, cast, browser_of):
    eve = browser_of(cast.eve)
    assert eve.get("/account/apps/").status_code == 200
    ok(okta.patch(f"/Users/{cast.eve.id}", {"op": "replace", "value": {"active": False}}))
    assert eve.get("/account/apps/").status_code == 302
