"""RFC 7644 3.3 to 3.6: people made, read, replaced, patched and deleted, by whom that is allowed."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from accounts.actor import system
from accounts.models import AuditEvent, User
from accounts.services import people
from tests.cast import PASSWORD
from tests.scim import ENTERPRISE, GENESYS, PATCH, USER, Scim, ok, refused, scim_client
from tests.standing import standing

WHOLE = {
    "externalId": "D-7",
    "title": "Agent",
    "name": {"givenName": "Dan", "familyName": "Doe"},
    "emails": [{"type": "other", "value": "dan@home.example"}],
    "phoneNumbers": [{"type": "mobile", "value": "+1 555 0199"}],
    "roles": [{"value": "SCIM Integration"}],
    "password": "the password of dan",
    ENTERPRISE: {
        "division": "East",
        "department": "Sales",
        "employeeNumber": "7",
        "dateHire": "2024-02-29T00:00:00Z",
    },
    GENESYS: {
        "routingSkills": [{"name": "Billing", "proficiency": 4.5}],
        "externalIds": [{"authority": "https://idp.example", "value": "Dan"}],
    },
}


@standing
def scim(cast) -> Scim:
    return scim_client(cast)


# --- Made ------------------------------------------------------------------------------------------


def test_a_new_person_has_all_that_was_sent(scim, cast):
    made = scim.made("Dan@ACME.example", **WHOLE)
    assert made["displayName"] == "Dan Doe"
    assert made[ENTERPRISE] == {
        "division": "East",
        "department": "Sales",
        "employeeNumber": "7",
        "dateHire": "2024-02-29",
    }
    assert made[GENESYS] == WHOLE[GENESYS]
    user = User.objects.get(id=made["id"])
    assert (user.email, user.source, user.state) == ("dan@acme.example", "scim", "active")
    assert user.check_password("the password of dan")
    browser = Browser()
    assert (
        browser.post("/sign-in/", {"email": user.email, "password": "the password of dan"}).status_code
        == 302
    )


def test_without_a_name_the_user_name_is_shown_and_the_division_is_home(scim):
    made = scim.made()
    assert (made["displayName"], made["active"]) == ("dan@acme.example", True)
    assert made[ENTERPRISE]["division"] == "Home"


def test_a_client_that_does_not_hold_home_has_to_name_a_division(cast):
    east = scim_client(cast, cast.east)
    refused(east.post("/users", {"schemas": [USER], "userName": "x@acme.example"}), 403, says="Home")
    made = east.made(**{ENTERPRISE: {"division": "east"}})
    assert made[ENTERPRISE]["division"] == "East"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"userName": "no address"}, "userName"),
        ({"userName": ""}, "userName"),
        ({"displayName": "x" * 201}, "displayName"),
        ({"displayName": "a\x00b"}, "displayName"),
        ({"title": 5}, "title"),
        ({"active": "maybe"}, "active"),
        ({"emails": [{"type": "other", "value": "x"}]}, "emails"),
        ({"emails": [{"type": "other", "value": f"{n}@x.example"} for n in range(2)]}, "other"),
        ({"emails": 5}, "emails"),
        ({"phoneNumbers": [{"type": "telex", "value": "1"}]}, "phoneNumbers"),
        ({"phoneNumbers": [{"type": "work", "value": "1"}] * 2}, "phoneNumbers"),
        ({"phoneNumbers": [{"value": "1", "primary": True}, {"value": "2", "primary": True}]}, "primary"),
        ({"roles": [{"value": "No such role"}]}, "No such role"),
        ({"password": "short"}, "password"),
        ({ENTERPRISE: {"division": "No such division"}}, "No such division"),
        ({ENTERPRISE: {"dateHire": "soon"}}, "dateHire"),
        ({ENTERPRISE: {"manager": {"value": "nobody"}}}, "manager"),
        ({ENTERPRISE: {"manager": {"value": "11111111-1111-4111-8111-111111111111"}}}, "manager"),
        ({GENESYS: {"routingSkills": [{"name": "x", "proficiency": 6}]}}, "routingSkills"),
        ({GENESYS: {"routingSkills": [{"proficiency": 1}]}}, "routingSkills"),
        ({GENESYS: {"externalIds": [{"authority": "x"}]}}, "externalIds"),
    ],
    ids=str,
)
def test_what_nobody_can_have_is_400_and_nothing_is_written(scim, more, says):
    before = User.objects.count(), AuditEvent.objects.count()
    body = {"schemas": [USER], "userName": "dan@acme.example", **more}
    refused(scim.post("/users", body), 400, "invalidValue", says=says)
    assert (User.objects.count(), AuditEvent.objects.count()) == before


@pytest.mark.parametrize("body", [[], "x", 5, b"{", b"\xff", {"schemas": ["urn:x:y"], "userName": "x@x.x"}])
def test_what_is_no_person_at_all_is_400_invalid_syntax(scim, body):
    refused(scim.post("/users", body), 400, "invalidSyntax")


def test_an_email_address_in_use_is_a_conflict_wherever_its_owner_is(scim, cast):
    west = cast.person("Wes", cast.west)
    people.delete(actor=system(cast.acme), user_id=west.id)
    east = scim_client(cast, cast.east, name="East only")
    answers = []
    for caller, email in (
        (scim, cast.eve.email),  # seen
        (scim, cast.cleo.email),  # of another organization
        (east, cast.ben.email),  # elsewhere
        (east, west.email),  # deleted, where the client may not edit
    ):
        body = {"schemas": [USER], "userName": email.upper(), ENTERPRISE: {"division": "East"}}
        answers.append(refused(caller.post("/users", body), 409, "uniqueness"))
    assert all(answer == answers[0] for answer in answers)


def test_a_deleted_person_comes_back_as_sent_and_holds_nothing_else(scim, cast):
    made = scim.made(**WHOLE)
    assert scim.delete(f"/users/{made['id']}").status_code == 204
    again = ok(
        scim.post("/users", {"schemas": [USER], "userName": "dan@acme.example", "title": "Boss"}), 200
    )
    assert (again["id"], again["active"], again["title"]) == (made["id"], True, "Boss")
    assert not again.keys() & {"externalId", "phoneNumbers", "roles", GENESYS}


# --- Replaced --------------------------------------------------------------------------------------


def test_a_put_clears_what_is_left_out_but_for_what_is_no_part_of_the_profile(scim):
    made = scim.made(**WHOLE)
    scim.changed(made["id"], {"op": "replace", "path": "active", "value": False})
    after = ok(scim.put(f"/users/{made['id']}", {"schemas": [USER], "userName": "dan@acme.example"}))
    assert not after.keys() & {"title", "phoneNumbers"}
    assert after["name"] == {"formatted": "dan@acme.example"}
    assert len(after["emails"]) == 1
    assert after[ENTERPRISE] == {"division": "East"}
    # These stay.
    assert after["active"] is False
    assert after["externalId"] == "D-7"
    assert [one["value"] for one in after["roles"]] == ["SCIM Integration"]
    assert after[GENESYS] == made[GENESYS]
    assert User.objects.get(id=made["id"]).check_password("the password of dan")


def test_an_empty_list_in_a_put_takes_everything_away(scim):
    made = scim.made(**WHOLE)
    body = {
        "schemas": [USER],
        "userName": "dan@acme.example",
        "roles": [],
        GENESYS: {"routingSkills": [], "externalIds": []},
    }
    assert not ok(scim.put(f"/users/{made['id']}", body)).keys() & {"roles", GENESYS}


def test_what_was_read_can_be_put_back(scim):
    made = scim.made(**WHOLE)
    audited = AuditEvent.objects.count()
    assert ok(scim.put(f"/users/{made['id']}", made)) == made
    assert AuditEvent.objects.count() == audited


def test_the_user_name_wins_over_the_address_of_type_work(scim):
    made = scim.made(emails=[{"type": "work", "value": "other@acme.example"}])
    assert [one["value"] for one in made["emails"]] == ["dan@acme.example"]
    changed = scim.changed(made["id"], {"op": "replace", "path": "userName", "value": "d@acme.example"})
    assert (changed["userName"], changed["emails"][0]["value"]) == ("d@acme.example", "d@acme.example")


# --- Patched ---------------------------------------------------------------------------------------


def test_one_refused_operation_leaves_everything_as_it_was(scim):
    made = scim.made(**WHOLE)
    response = scim.patch(
        f"/users/{made['id']}",
        {"op": "replace", "path": "title", "value": "Boss"},
        {"op": "add", "path": "roles", "value": [{"value": "Admin"}]},
    )
    refused(response, 403)
    assert ok(scim.get(f"/users/{made['id']}")) == made


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ({"op": "replace", "path": "groups", "value": []}, "mutability"),
        ({"op": "remove", "path": "userName"}, "mutability"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "add", "path": "title"}, "invalidValue"),
        ({"op": "move", "path": "title", "value": "x"}, "invalidValue"),
        ({"op": "add", "path": "[[", "value": "x"}, "invalidPath"),
        ({"op": "add", "path": 5, "value": "x"}, None),
        ({"op": "replace", "path": "title", "value": {"a": 1}}, "invalidValue"),
        ({"op": "replace", "path": "emails", "value": "x"}, "invalidValue"),
        ({"op": "replace", "path": 'emails[type ne "x"].value', "value": 5}, "invalidValue"),
        ({"op": "replace", "path": 'phoneNumbers[value co "zz"].value', "value": "5"}, "noTarget"),
        ("text", None),
        (None, None),
        ([], None),
    ],
    ids=str,
)
def test_an_operation_that_cannot_be_meant_is_400(scim, cast, operation, scim_type):
    response = scim.patch(f"/users/{cast.eve.id}", operation)
    body = refused(response, 400, scim_type or response.json()["scimType"])
    assert "pydantic" not in body["detail"]


@pytest.mark.parametrize(
    "body", [{}, {"Operations": []}, {"Operations": 5}, {"schemas": [PATCH]}, [], None]
)
def test_a_patch_without_operations_is_400(scim, cast, body):
    assert scim.send("PATCH", f"/users/{cast.eve.id}", body).status_code == 400


def test_a_person_moves_to_another_division_with_a_new_role_there(scim, cast):
    made = scim.made(**WHOLE)
    cast.custom_role("Router", "routing:skill:assign")
    changed = scim.changed(
        made["id"],
        {"op": "replace", "path": f"{ENTERPRISE}:division", "value": "West"},
        {"op": "add", "path": "roles", "value": [{"value": "router"}]},
    )
    assert changed[ENTERPRISE]["division"] == "West"
    assert [one["value"] for one in changed["roles"]] == ["Router", "SCIM Integration"]


# --- Only in the client's divisions ------------------------------------------------------------------


def test_people_elsewhere_do_not_exist(cast):
    east = scim_client(cast, cast.east)
    ben = f"/users/{cast.ben.id}"
    for response in (
        east.get(ben),
        east.put(ben, {"schemas": [USER], "userName": "x@acme.example"}),
        east.patch(ben, {"op": "replace", "path": "title", "value": "x"}),
        east.delete(ben),
        east.get(f"/users/{cast.cleo.id}"),
        east.get("/users/nobody"),
    ):
        refused(response, 404)
    assert [one["id"] for one in ok(east.get("/users"))["Resources"]] == [str(cast.eve.id)]


def test_a_manager_elsewhere_is_not_told_and_stays(cast):
    everywhere = scim_client(cast, name="Everywhere")
    ada = {"value": str(cast.ada.id)}
    made = everywhere.made(**{ENTERPRISE: {"division": "East", "manager": ada}})
    east = scim_client(cast, cast.east, name="East only")
    path = f"/users/{made['id']}"
    assert "manager" not in ok(east.get(path))[ENTERPRISE]
    ok(east.put(path, {"schemas": [USER], "userName": "dan@acme.example", "title": "x"}))
    east.changed(made["id"], {"op": "replace", "path": "title", "value": "y"})
    assert ok(everywhere.get(path))[ENTERPRISE]["manager"]["value"] == ada["value"]
    put = {"schemas": [USER], "userName": "dan@acme.example", ENTERPRISE: {"manager": ada}}
    ok(east.put(path, put))
    eve = {"op": "add", "path": f"{ENTERPRISE}:manager", "value": str(cast.ben.id)}
    refused(east.patch(path, eve), 400, "invalidValue")


def test_roles_elsewhere_are_not_told_and_stay(cast):
    east = scim_client(cast, cast.east)
    cast.give(cast.eve, ("Employee", cast.home), ("Supervisor", None), ("SCIM Integration", cast.east))
    path = f"/users/{cast.eve.id}"
    assert [one["value"] for one in ok(east.get(path))["roles"]] == ["SCIM Integration"]
    east.changed(cast.eve.id, {"op": "remove", "path": "roles"})
    everywhere = scim_client(cast, name="Everywhere")
    assert [one["value"] for one in ok(everywhere.get(path))["roles"]] == ["Employee", "Supervisor"]


# --- No more than the client may ----------------------------------------------------------------------


@pytest.mark.parametrize("role", ["Admin", "Supervisor", "Employee"])
def test_a_role_beyond_the_client_is_refused_by_name(scim, role):
    made = scim.made()
    response = scim.patch(f"/users/{made['id']}", {"op": "add", "path": "roles", "value": [role]})
    body = refused(response, 403, says=role)
    assert ":" in body["detail"]
    refused(
        scim.post("/users", {"schemas": [USER], "userName": "x@acme.example", "roles": [{"value": role}]}),
        403,
    )
    assert not User.objects.filter(email="x@acme.example").exists()


@pytest.mark.parametrize("attribute", ["password", "userName"])
def test_nobody_with_more_rights_is_taken_over(scim, cast, attribute):
    value = {"op": "replace", "path": attribute, "value": "taken.over@acme.example"}
    refused(scim.patch(f"/users/{cast.ada.id}", value), 403, says="Ada")
    user = User.objects.get(id=cast.ada.id)
    assert (user.email, user.check_password(PASSWORD)) == (cast.ada.email, True)


def test_the_last_admin_is_neither_deactivated_nor_deleted(scim, cast):
    off = {"op": "replace", "path": "active", "value": False}
    refused(scim.patch(f"/users/{cast.ada.id}", off), 409, says="Ada")
    refused(scim.delete(f"/users/{cast.ada.id}"), 409, says="Ada")


def test_each_part_asks_for_its_own_permission(cast):
    role = cast.custom_role("Only roles", "authorization:grant:add", "directory:user:add")
    only = Scim(cast.bearer((role.name, None), name="Only roles"))
    made = only.made(roles=[{"value": "Only roles"}])
    path = f"/users/{made['id']}"
    refused(only.patch(path, {"op": "add", "path": "title", "value": "x"}), 403, says="directory:user:edit")
    refused(
        only.patch(path, {"op": "add", "path": "password", "value": "a long enough one"}),
        403,
        says="setPassword",
    )
    refused(only.patch(path, {"op": "remove", "path": "roles"}), 403, says="authorization:grant:delete")
    skill = {"op": "add", "path": f"{GENESYS}:routingSkills", "value": [{"name": "x", "proficiency": 1}]}
    refused(only.patch(path, skill), 403, says="routing:skill:assign")
    refused(only.delete(path), 403, says="directory:user:delete")


def test_a_caller_without_rights_sees_nobody(cast):
    nobody = Scim(cast.bearer(("Employee", cast.home), name="Nobody"))
    assert ok(nobody.get("/users"))["Resources"] == []
    refused(nobody.get(f"/users/{cast.eve.id}"), 404)
    refused(nobody.post("/users", {}), 403, says="directory:user:add")
    refused(nobody.get("/groups"), 403, says="directory:group:edit")


# --- Deactivated ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["patch", "put", "delete"])
def test_whoever_is_deactivated_is_signed_out_and_their_tokens_are_dead(scim, cast, browser_of, how):
    app, _secret = cast.client(
        name="App",
        grant_type="authorization-code",
        redirect_uris=("https://a.example/",),
        scope=("user-basic-info",),
    )
    headers = cast.acting_for(cast.eve, app, "user-basic-info")
    browser = browser_of(cast.eve)
    before = Browser().get("/api/v2/users/me", headers=headers).status_code
    assert before != 401
    assert browser.get("/account/apps/").status_code == 200
    path = f"/users/{cast.eve.id}"
    match how:
        case "patch":
            ok(scim.patch(path, {"op": "replace", "value": {"active": False}}))
        case "put":
            ok(scim.put(path, {**ok(scim.get(path)), "active": False}))
        case "delete":
            assert scim.delete(path).status_code == 204
    assert Browser().get("/api/v2/users/me", headers=headers).status_code == 401
    assert browser.get("/account/apps/").status_code == 302
    if how == "patch":
        ok(scim.patch(path, {"op": "replace", "value": {"active": True}}))
        assert Browser().get("/api/v2/users/me", headers=headers).status_code == 401
        assert browser.get("/account/apps/").status_code == 302
