"""Giving and taking roles through `/authorization/subjects`, `/authorization/roles` and `/users/{id}/roles`
(wire contract D2 and D5)."""

from __future__ import annotations

import uuid

import pytest

from accounts import queries
from accounts.actor import system
from accounts.default_roles import SCIM_INTEGRATION
from accounts.models import AuditEvent, RoleGrant, User
from accounts.permissions import expand
from accounts.services import people
from oauthclients.models import Client
from oauthclients.rules import token_life
from tests.oauthclients.api.conftest import refused
from tests.standing import standing

SUBJECTS = "/authorization/subjects"


def ok(response):
    assert response.status_code == 200, response.content
    return response.json()


def done(response) -> None:
    assert (response.status_code, response.content) == (204, b""), response.content


def held(cast, subject) -> set[str]:
    rows = queries.grants_of(cast.acme, subject.id)
    return {f"{row.role.name}: {row.division.name if row.division else '*'}" for row in rows}


def grant(cast, role: str, division) -> dict[str, str]:
    place = division if isinstance(division, str) else str(division.id)
    return {"roleId": str(cast.role(role).id), "divisionId": place}


def grants(cast, *pairs) -> dict[str, list]:
    return {"grants": [grant(cast, *pair) for pair in pairs]}


@pytest.fixture
def robot(cast) -> Client:
    """A client that supervises East."""
    client, _secret = cast.client(("Supervisor", cast.east), name="Robot")
    return client


@standing
def giver(api, cast):
    """Gives and takes roles everywhere, and holds Supervisor everywhere."""
    cast.custom_role(
        "Giver", "authorization:grant:add", "authorization:grant:delete", "authorization:grant:view"
    )
    return api(("Giver", None), ("Supervisor", None), ("Employee", None), name="Giver")


# --- Bulk ----------------------------------------------------------------------------------------


def test_grants_of_a_person_are_added_removed_and_replaced(giver, cast):
    path = f"{SUBJECTS}/{cast.eve.id}"
    done(giver.post(f"{path}/bulkadd", grants(cast, ("Supervisor", cast.east), ("Supervisor", cast.west))))
    assert held(cast, cast.eve) == {"Employee: Home", "Supervisor: East", "Supervisor: West"}
    done(giver.post(f"{path}/bulkadd", grants(cast, ("Supervisor", cast.east))))  # has it
    done(
        giver.post(f"{path}/bulkremove", grants(cast, ("Supervisor", cast.west), ("Supervisor", cast.home)))
    )
    assert held(cast, cast.eve) == {"Employee: Home", "Supervisor: East"}
    done(giver.post(f"{path}/bulkreplace", grants(cast, ("Supervisor", "*"))))
    assert held(cast, cast.eve) == {"Supervisor: *"}
    done(giver.post(f"{path}/bulkreplace", {"grants": []}))
    assert held(cast, cast.eve) == set()


def test_grants_of_a_client_are_added_removed_and_replaced(giver, cast, robot):
    path = f"{SUBJECTS}/{robot.id}"
    done(giver.post(f"{path}/bulkadd?subjectType=PC_OAUTH_CLIENT", grants(cast, ("Supervisor", cast.west))))
    # Plainly a client, also where nothing says so.
    done(giver.post(f"{path}/bulkadd", grants(cast, ("Employee", cast.home))))
    assert held(cast, robot) == {"Supervisor: East", "Supervisor: West", "Employee: Home"}
    done(giver.post(f"{path}/bulkremove", grants(cast, ("Supervisor", cast.east))))
    done(giver.post(f"{path}/bulkreplace", grants(cast, ("Supervisor", "*"))))
    assert held(cast, robot) == {"Supervisor: *"}
    refused(giver.post(f"{path}/bulkreplace", {"grants": []}), 400, "missing.client.roles")
    assert held(cast, robot) == {"Supervisor: *"}


def test_without_a_division_it_is_home(giver, cast):
    role = str(cast.role("Supervisor").id)
    for missing in ({}, {"divisionId": None}):
        done(giver.post(f"{SUBJECTS}/{cast.eve.id}/bulkadd", {"grants": [{"roleId": role, **missing}]}))
    assert held(cast, cast.eve) == {"Employee: Home", "Supervisor: Home"}


@pytest.mark.parametrize("verb", ["bulkadd", "bulkremove", "bulkreplace"])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, "invalid.value"),
        (b"null", "invalid.value"),
        ({}, "invalid.value"),
        ({"grants": None}, "invalid.value"),
        ({"grants": {}}, "invalid.value"),
        ({"grants": ["x"]}, "bad.client.role"),
        ({"grants": [{"roleId": 5}]}, "bad.client.role"),
        ({"grants": [{"roleId": str(uuid.UUID(int=1))}]}, "bad.client.role"),
        ({"grants": [{"roleId": str(uuid.UUID(int=1)), "divisionId": "x"}]}, "bad.role.divisions"),
        ({"grants": [{"roleId": "x"}] * 1_001}, "max.role.assignments.exceeded"),
    ],
)
def test_what_cannot_be_grants_is_400_and_changes_nothing(giver, cast, verb, body, code):
    refused(giver.post(f"{SUBJECTS}/{cast.eve.id}/{verb}", body), 400, code)
    assert held(cast, cast.eve) == {"Employee: Home"}


def test_another_organizations_role_or_division_is_like_one_of_nothing(giver, cast):
    foreign = cast.role("Supervisor", cast.globex)
    place = cast.globex.divisions.get()
    path = f"{SUBJECTS}/{cast.eve.id}"
    for pair, code in (
        ({"roleId": str(foreign.id)}, "bad.client.role"),
        ({"roleId": str(cast.role("Supervisor").id), "divisionId": str(place.id)}, "bad.role.divisions"),
    ):
        refused(giver.post(f"{path}/bulkadd", {"grants": [pair]}), 400, code)
    own = cast.role("Supervisor").id
    for method in (giver.post, giver.delete):
        refused(method(f"{path}/divisions/{place.id}/roles/{own}"), 404, "not.found")
        refused(method(f"{path}/divisions/*/roles/{foreign.id}"), 404, "not.found")
    assert held(cast, cast.eve) == {"Employee: Home"}


# --- Single --------------------------------------------------------------------------------------


def test_one_grant_is_given_and_taken_as_often_as_one_likes(giver, cast, robot):
    role = cast.role("Supervisor").id
    for subject, had, place, name in (
        (cast.eve, {"Employee: Home"}, cast.west.id, "West"),
        (cast.eve, {"Employee: Home"}, "*", "*"),
        (robot, {"Supervisor: East"}, cast.west.id, "West"),
    ):
        path = f"{SUBJECTS}/{subject.id}/divisions/{place}/roles/{role}"
        for _twice in range(2):
            done(giver.post(path, b"null"))
            assert held(cast, subject) == had | {f"Supervisor: {name}"}
        for _twice in range(2):
            done(giver.delete(path))
            assert held(cast, subject) == had


def test_a_client_with_a_role_everywhere_has_it_nowhere_in_particular(giver, cast, robot):
    done(giver.post(f"{SUBJECTS}/{robot.id}/divisions/*/roles/{cast.role('Supervisor').id}"))
    assert held(cast, robot) == {"Supervisor: *"}


def test_where_nothing_would_change_the_right_there_is_needed_all_the_same(api, cast):
    """Else the answer would tell what somebody holds there."""
    cast.custom_role("Giver", "authorization:grant:add", "authorization:grant:delete")
    caller = api(("Giver", cast.east))
    role = cast.role("Employee").id
    for subject in (cast.eve, cast.ben):  # who has it in Home, and who has not
        path = f"{SUBJECTS}/{subject.id}/divisions/{cast.home.id}/roles/{role}"
        refused(caller.post(path), 403, "missing.division.permission")
        refused(caller.delete(path), 403, "missing.division.permission")
        refused(
            caller.post(f"{SUBJECTS}/{subject.id}/bulkremove", grants(cast, ("Employee", cast.home))),
            403,
            "missing.division.permission",
        )


# --- Who the subject is --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PC_GROUP", "UNKNOWN", "PC_TRUSTEE_USER", "user"])
def test_only_people_and_clients_hold_roles(giver, cast, kind):
    path = f"{SUBJECTS}/{cast.eve.id}"
    body = grants(cast, ("Supervisor", cast.east))
    for address in ("bulkadd", "bulkreplace", f"divisions/*/roles/{cast.role('Supervisor').id}"):
        refused(giver.post(f"{path}/{address}?subjectType={kind}", body), 400, "invalid.subject.type")
    assert held(cast, cast.eve) == {"Employee: Home"}


def test_a_subject_type_that_is_named_must_be_right(giver, cast, robot):
    body = grants(cast, ("Supervisor", cast.west))
    for subject, kind in ((cast.eve, "PC_OAUTH_CLIENT"), (robot, "PC_USER")):
        refused(
            giver.post(f"{SUBJECTS}/{subject.id}/bulkadd?subjectType={kind}", body),
            400,
            "invalid.subject.type",
        )
    done(giver.post(f"{SUBJECTS}/{cast.eve.id}/bulkadd?subjectType=PC_USER", body))


def test_a_client_that_acts_for_people_holds_no_roles(giver, cast):
    app = cast.app("users").client
    refused(
        giver.post(f"{SUBJECTS}/{app.id}/bulkadd", grants(cast, ("Supervisor", cast.west))),
        400,
        "invalid.subject.type",
    )


def test_a_deleted_person_gets_nothing(giver, cast):
    people.delete(actor=system(cast.acme), user_id=cast.eve.id)
    for verb in ("bulkadd", "bulkreplace"):
        refused(
            giver.post(f"{SUBJECTS}/{cast.eve.id}/{verb}", grants(cast, ("Supervisor", cast.west))),
            404,
            "not.found",
        )
    refused(giver.put(f"/users/{cast.eve.id}/roles", [str(cast.role("Supervisor").id)]), 404, "not.found")


# --- Rules of the services, on the wire ----------------------------------------------------------


def test_nobody_gives_more_than_they_may_do_themselves(giver, cast):
    body = refused(
        giver.post(f"{SUBJECTS}/{cast.eve.id}/bulkadd", grants(cast, ("Admin", cast.east))),
        403,
        "missing.division.permissions",
    )
    assert "Admin" in body["message"]


def test_the_last_admin_stays(giver, cast):
    path = f"{SUBJECTS}/{cast.ada.id}"
    refused(giver.post(f"{path}/bulkremove", grants(cast, ("Admin", "*"))), 409, "general.conflict")
    refused(giver.delete(f"{path}/divisions/*/roles/{cast.role('Admin').id}"), 409, "general.conflict")
    assert "Admin: *" in held(cast, cast.ada)


def test_a_client_that_gets_another_role_loses_its_long_duration(admin, cast):
    cast.custom_role("Sync", *expand(SCIM_INTEGRATION.policies))
    caller_pairs = [("Sync", None), ("Admin", None), ("Employee", None)]
    client, _secret = cast.client(("Sync", None), name="Okta", token_seconds=token_life.LONGEST_SCIM)
    headers = cast.bearer(*caller_pairs, name="All of it")
    admin.headers = headers
    answer = admin.post(f"{SUBJECTS}/{client.id}/bulkadd", grants(cast, ("Employee", "*")))
    done(answer)
    assert answer["Latchkey-Notice"] == "accessTokenValiditySeconds=86400"
    again = admin.post(f"{SUBJECTS}/{client.id}/bulkremove", grants(cast, ("Employee", "*")))
    assert "Latchkey-Notice" not in again.headers
    assert Client.objects.get(id=client.id).token_seconds == token_life.DEFAULT
    lines = AuditEvent.objects.filter(action="client.edited").order_by("at")
    assert [line.after.get("notices") for line in lines] == [[str(token_life.RESET)], None]


# --- By role -------------------------------------------------------------------------------------


def test_a_role_is_given_to_several_in_several_divisions_or_to_nobody(giver, cast, robot):
    path = f"/authorization/roles/{cast.role('Supervisor').id}"
    body = {
        "subjectIds": [str(cast.eve.id), str(cast.ben.id), str(robot.id)],
        "divisionIds": [str(cast.west.id), str(cast.home.id)],
    }
    stranger = {**body, "subjectIds": [*body["subjectIds"], str(cast.cleo.id)]}
    refused(giver.post(path, stranger), 404, "not.found")
    refused(giver.post(f"{path}?subjectType=PC_USER", body), 400, "invalid.subject.type")
    # Ada, whom the giver may change, and a client that holds what the giver does not.
    powerful, _secret = cast.client(("Admin", None), name="Powerful")
    beyond = {**body, "subjectIds": [str(cast.eve.id), str(powerful.id)]}
    refused(giver.post(path, beyond), 403, "missing.division.permissions")
    assert held(cast, cast.eve) == {"Employee: Home"}
    done(giver.post(path, body))
    assert held(cast, cast.eve) == {"Employee: Home", "Supervisor: West", "Supervisor: Home"}
    assert held(cast, robot) == {"Supervisor: East", "Supervisor: West", "Supervisor: Home"}
    done(giver.post(path, {"subjectIds": [str(cast.eve.id)], "divisionIds": ["*"]}))
    assert "Supervisor: *" in held(cast, cast.eve)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid.value"),
        (None, "invalid.value"),
        ({"subjectIds": []}, "invalid.value"),
        ({"subjectIds": "x"}, "invalid.value"),
        ({"subjectIds": [5]}, "invalid.value"),
        ({"subjectIds": [str(uuid.uuid4()) for _ in range(101)]}, "max.role.assignments.exceeded"),
        (
            {
                "subjectIds": [str(uuid.uuid4()) for _ in range(50)],
                "divisionIds": [str(uuid.uuid4()) for _ in range(50)],
            },
            "max.role.assignments.exceeded",
        ),
    ],
)
def test_who_gets_a_role_must_be_said(giver, cast, body, code):
    refused(giver.post(f"/authorization/roles/{cast.role('Supervisor').id}", body), 400, code)


def test_people_get_a_role_in_home_and_lose_it_everywhere(giver, cast):
    path = f"/authorization/roles/{cast.role('Supervisor').id}/users"
    ids = [str(cast.eve.id), str(cast.ada.id)]
    assert ok(giver.put(f"{path}/add", ids)) == ids
    assert held(cast, cast.eve) == {"Employee: Home", "Supervisor: Home"}
    done(giver.post(f"{SUBJECTS}/{cast.eve.id}/bulkadd", grants(cast, ("Supervisor", cast.west))))
    assert ok(giver.put(f"{path}/remove", ids)) == ids
    assert held(cast, cast.eve) == {"Employee: Home"}
    assert "Supervisor: *" not in held(cast, cast.ada)
    for verb in ("add", "remove"):
        for stranger in (str(cast.cleo.id), str(uuid.uuid4()), "junk"):
            refused(giver.put(f"{path}/{verb}", [str(cast.eve.id), stranger]), 404, "not.found")
        refused(giver.put(f"{path}/{verb}", b"null"), 400, "bad.request")
        refused(giver.put(f"{path}/{verb}", [5]), 400, "bad.request")
        refused(giver.put(f"{path}/{verb}", ["x"] * 1_001), 400, "max.role.assignments.exceeded")


# --- The roles of a person -----------------------------------------------------------------------


def test_the_roles_of_a_person_are_replaced_and_those_that_stay_keep_their_divisions(giver, cast):
    cast.give(cast.eve, ("Employee", cast.west), ("Employee", cast.east), ("User", cast.home))
    path = f"/users/{cast.eve.id}/roles"
    assert {one["name"] for one in ok(giver.get(path))["roles"]} == {"Employee", "User"}
    wanted = [str(cast.role("Employee").id), str(cast.role("Supervisor").id)]
    answer = ok(giver.put(path, wanted))
    assert [one["name"] for one in answer["roles"]] == ["Employee", "Supervisor"]
    assert "routing:queue:edit" in answer["permissions"]
    assert held(cast, cast.eve) == {"Employee: West", "Employee: East", "Supervisor: Home"}
    assert ok(giver.get(path)) == answer
    assert ok(giver.put(path, []))["roles"] == []
    assert held(cast, cast.eve) == set()


@pytest.mark.parametrize("body", [None, b"null", {}, "x", [5], ["junk"], [str(uuid.UUID(int=1))]])
def test_what_cannot_be_roles_changes_nothing(giver, cast, body):
    assert giver.put(f"/users/{cast.eve.id}/roles", body).status_code == 400
    assert held(cast, cast.eve) == {"Employee: Home"}


def test_the_roles_of_a_client_are_not_those_of_a_person(giver, robot):
    refused(giver.get(f"/users/{robot.id}/roles"), 404, "not.found")
    refused(giver.put(f"/users/{robot.id}/roles", []), 404, "not.found")


# --- Reading -------------------------------------------------------------------------------------


def test_roles_are_counted_for_those_who_are_seen(api, cast, robot):
    caller = api(("Supervisor", cast.home))
    cast.give(cast.ben, ("Supervisor", cast.home), ("Supervisor", cast.east), ("User", None))
    ids = ",".join(map(str, (cast.ben.id, cast.eve.id, cast.cleo.id, robot.id, uuid.uuid4())))
    assert ok(caller.get(f"{SUBJECTS}/rolecounts?id={ids},junk")) == {
        str(cast.ben.id): 2,
        str(robot.id): 1,
    }
    assert ok(caller.get(f"{SUBJECTS}/rolecounts")) == {}
    many = ",".join(str(uuid.uuid4()) for _ in range(101))
    refused(caller.get(f"{SUBJECTS}/rolecounts?id={many}"), 400, "invalid.query.param.value")


def test_permitted_divisions_of_others_need_the_right_to_see_grants(api, cast):
    path = "/authorization/divisionspermitted/paged"
    query = "?permission=directory:user:view"
    caller = api(("Supervisor", cast.home))
    page = ok(caller.get(f"{path}/{cast.ben.id}{query}"))
    assert ([one["name"] for one in page["entities"]], page["allDivsPermitted"]) == (["Home"], False)
    assert ok(caller.get(f"{path}/{cast.ada.id}{query}"))["allDivsPermitted"] is True
    refused(caller.get(f"{path}/{cast.eve.id}{query}"), 403, "missing.division.permission")
    nobody = api()
    refused(nobody.get(f"{path}/{cast.ben.id}{query}"), 403, "missing.any.permissions")
    assert ok(nobody.get(f"{path}/{nobody.client.id}{query}"))["entities"] == []
    assert ok(caller.get(f"{path}/{nobody.client.id}{query}"))["entities"] == []
    refused(caller.get(f"{path}/{cast.ben.id}"), 400, "missing.permission.param")


def test_a_grant_tells_who_gave_it_and_whether_it_drifted(giver, cast):
    path = f"{SUBJECTS}/{cast.eve.id}"
    done(giver.post(f"{path}/bulkadd", grants(cast, ("Supervisor", cast.east))))
    found = {one["role"]["name"]: one for one in ok(giver.get(path))["grants"]}
    assert "grantedBy" not in found["Employee"]  # the installation itself
    assert found["Supervisor"]["grantedBy"] == {
        "id": str(giver.client.id),
        "selfUri": f"/api/v2/oauth/clients/{giver.client.id}",
    }
    assert not any("drifted" in one for one in found.values())
    RoleGrant.objects.filter(subject_id=giver.client.id, role=cast.role("Supervisor")).delete()
    found = {one["role"]["name"]: one for one in ok(giver.get(path))["grants"]}
    assert found["Supervisor"]["drifted"] is True
    assert "drifted" not in found["Employee"]
    listed = ok(giver.get(f"/authorization/divisions/{cast.east.id}/grants"))["entities"]
    assert [one["drifted"] for one in listed] == [True]


def test_a_client_tells_which_of_its_pairs_drifted(admin, cast, django_assert_max_num_queries):
    made = ok(
        admin.post(
            "/oauth/clients",
            {
                "name": "Drifting",
                "authorizedGrantType": "CLIENT-CREDENTIALS",
                "roleDivisions": [{"roleId": str(cast.role("Admin").id), "divisionId": "*"}],
            },
        )
    )
    reader = cast.bearer(("Client Manager", None), name="Reader")
    admin_id, admin.headers = admin.client.id, reader
    path = f"/oauth/clients/{made['id']}"
    assert "driftedRoleDivisions" not in ok(admin.get(path))
    RoleGrant.objects.filter(subject_id=admin_id).delete()
    assert ok(admin.get(path))["driftedRoleDivisions"] == made["roleDivisions"]
    with django_assert_max_num_queries(9):
        listed = {one["name"]: one for one in ok(admin.get("/oauth/clients"))["entities"]}
    assert listed["Drifting"]["driftedRoleDivisions"] == made["roleDivisions"]
    assert "driftedRoleDivisions" not in listed["Reader"]


def test_a_changed_client_says_that_its_duration_went_back(cast, api):
    caller = api(("Admin", None), ("SCIM Integration", None), ("Employee", None), name="Both")
    client, _secret = cast.client(
        ("SCIM Integration", None), name="Okta", token_seconds=token_life.LONGEST_SCIM
    )
    pairs = [grant(cast, "SCIM Integration", "*"), grant(cast, "Employee", "*")]
    changed = ok(caller.put(f"/oauth/clients/{client.id}", {"roleDivisions": pairs}))
    assert changed["notices"] == [str(token_life.RESET)]
    assert changed["accessTokenValiditySeconds"] == token_life.DEFAULT
    assert "notices" not in ok(caller.get(f"/oauth/clients/{client.id}"))


def test_one_who_is_not_active_is_a_subject_like_any_other(giver, cast):
    User.objects.filter(id=cast.eve.id).update(state="inactive")
    done(giver.post(f"{SUBJECTS}/{cast.eve.id}/bulkadd", grants(cast, ("Supervisor", cast.east))))
    assert len(ok(giver.get(f"{SUBJECTS}/{cast.eve.id}"))["grants"]) == 2
