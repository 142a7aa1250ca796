"""Scopes, authorizations, tokens, the organization, and what `/authorization` tells."""

from __future__ import annotations

import uuid

import pytest

from accounts.actor import system
from accounts.errors import DomainError
from accounts.models import AuditEvent
from accounts.permissions import CATALOGUE as PERMISSIONS
from accounts.rules.delegation import RoleDivision
from accounts.services import divisions
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.scopes import CATALOGUE as SCOPES
from oauthclients.services import clients
from tests.oauthclients.api.conftest import refused


def names(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [entity["name"] for entity in response.json()["entities"]]


# --- Scopes and authorizations -------------------------------------------------------------------


def test_every_scope_is_listed_and_can_be_read(api):
    caller = api()
    listing = caller.get("/oauth/scopes", **{"Accept-Language": "en-us"}).json()
    assert listing["total"] == len(listing["entities"]) == len(SCOPES)
    assert listing["selfUri"] == "/api/v2/oauth/scopes"
    one = caller.get("/oauth/scopes/users:readonly").json()
    assert one == {
        "id": "users:readonly",
        "description": "See people",
        "selfUri": "/api/v2/oauth/scopes/users:readonly",
    }
    assert one in listing["entities"]
    refused(caller.get("/oauth/scopes/users:manage"), 404, "not.found")


def test_a_client_for_people_is_authorized_by_whoever_may_and_requested_by_others(admin, api, cast):
    made = {
        "authorizedGrantType": "CODE",
        "registeredRedirectUri": ["https://portal.example/cb"],
        "scope": ["users:readonly"],
    }
    by_admin = admin.post("/oauth/clients", {**made, "name": "Authorized"}).json()
    manager = api(("Client Manager", cast.home))
    by_manager = manager.post("/oauth/clients", {**made, "name": "Requested"}).json()
    listing = admin.get("/oauth/authorizations").json()
    assert listing["total"] == 2
    found = {entity["client"]["name"]: entity for entity in listing["entities"]}
    assert (found["Authorized"]["state"], found["Authorized"]["pending"]) == ("Authorized", False)
    assert found["Authorized"]["scope"] == ["users:readonly"]
    assert (found["Requested"]["state"], found["Requested"]["pending"]) == ("Requested", True)
    assert found["Requested"]["scope"] == []
    for client in (by_admin, by_manager):
        one = admin.get(f"/oauth/authorizations/{client['id']}").json()
        assert one == found[client["name"]]
        assert "secret" not in one["client"]
    refused(admin.get(f"/oauth/authorizations/{uuid.uuid4()}"), 404, "not.found")
    refused(manager.get("/oauth/authorizations"), 403, "missing.any.permissions")


# --- Tokens --------------------------------------------------------------------------------------


def test_a_token_tells_what_it_is(api, cast):
    caller = api(("Supervisor", cast.east), ("Employee", None), name="Reporter")
    info = caller.get("/tokens/me?preserveIdleTTL=true").json()
    acme = {"id": str(cast.acme.id), "name": "Acme"}
    assert info.keys() == {"organization", "homeOrganization", "authorizedScope", "OAuthClient"}
    assert info["organization"] == info["homeOrganization"] == acme
    assert info["authorizedScope"] == []
    client = info["OAuthClient"]
    assert (client["id"], client["name"]) == (str(caller.client.id), "Reporter")
    assert client["authorizedGrantType"] == "CLIENT-CREDENTIALS"
    assert client["organization"] == acme
    assert client["state"] == "active"
    assert {"roleId": str(cast.role("Employee").id), "divisionId": "*"} in client["roleDivisions"]
    assert len(client["roleDivisions"]) == 2


def test_head_verifies_a_token(api, anonymous):
    response = api().head("/tokens/me")
    assert (response.status_code, response.content) == (200, b"")
    assert anonymous.head("/tokens/me").status_code == 401


def test_a_token_ends_itself_and_no_other(api, cast):
    caller = api()
    other = cast.token(caller.client, caller.secret)
    response = caller.delete("/tokens/me")
    assert (response.status_code, response.json()) == (200, {})
    refused(caller.get("/tokens/me"), 401, "bad.credentials")
    refused(caller.delete("/tokens/me"), 401, "bad.credentials")
    caller.headers = {"Authorization": f"Bearer {other}"}
    assert caller.get("/tokens/me").status_code == 200
    line = AuditEvent.objects.filter(action="client.tokensRevoked").get()
    assert (line.actor_id, line.entity_id, line.after) == (
        caller.client.id,
        caller.client.id,
        {"tokens": 1},
    )


# --- The organization ----------------------------------------------------------------------------


def test_the_organization_tells_about_itself(api, cast):
    body = api().get("/organizations/me").json()
    assert body["id"] == str(cast.acme.id)
    assert (body["name"], body["thirdPartyOrgName"]) == ("Acme", "acme")
    assert (body["state"], body["version"], body["features"]) == ("active", 1, {"hipaa": False})
    assert body["selfUri"] == "/api/v2/organizations/me"


# --- Divisions -----------------------------------------------------------------------------------


def test_divisions_are_listed_for_everybody_of_the_organization(api, cast):
    caller = api()
    assert names(caller.get("/authorization/divisions")) == ["Home", "East", "West"]
    assert names(caller.get("/authorization/divisions?name=eas")) == ["East"]
    assert names(caller.get("/authorization/divisions?name=*eas*")) == ["East"]
    assert names(caller.get("/authorization/divisions?name=" + "x" * 60_000)) == []
    assert names(caller.get(f"/authorization/divisions?id={cast.west.id},{cast.home.id}")) == [
        "Home",
        "West",
    ]
    foreign = cast.globex.divisions.get()
    assert names(caller.get(f"/authorization/divisions?id={foreign.id}")) == []
    page = caller.get("/authorization/divisions?pageSize=2").json()
    assert (page["total"], page["pageCount"], len(page["entities"])) == (3, 2, 2)
    refused(
        caller.get("/authorization/divisions?id=" + ",".join(str(uuid.uuid4()) for _ in range(101))),
        400,
        "invalid.query.param.value",
    )


def test_a_division_has_the_documented_shape(api, cast):
    caller = api()
    home = caller.get("/authorization/divisions/home").json()
    assert home == {
        "id": str(cast.home.id),
        "name": "Home",
        "description": "",
        "homeDivision": True,
        "selfUri": f"/api/v2/authorization/divisions/{cast.home.id}",
    }
    assert caller.get(f"/authorization/divisions/{cast.home.id}").json() == home
    assert caller.get(f"/authorization/divisions/{cast.east.id}").json()["homeDivision"] is False


def test_objects_are_counted_only_when_asked_for(api, cast):
    caller = api()
    cast.person("Idle", cast.east, state="inactive")
    counted = caller.get("/authorization/divisions?objectCount=true").json()["entities"]
    assert {one["name"]: one["objectCounts"] for one in counted} == {
        "Home": {"USER": 2},
        "East": {"USER": 2},
        "West": {"USER": 0},
    }
    path = f"/authorization/divisions/{cast.east.id}"
    assert caller.get(f"{path}?objectCount=True").json()["objectCounts"] == {"USER": 2}
    assert "objectCounts" not in caller.get(path).json()


def test_the_limit_of_divisions_is_a_bare_number_and_holds(api, cast, settings):
    settings.MAX_DIVISIONS_PER_ORGANIZATION = 3

    assert api().get("/authorization/divisions/limit").json() == 3
    with pytest.raises(DomainError) as refused:
        divisions.create(actor=system(cast.acme), name="North")
    assert refused.value.code == "max.scopes.exceeded"


# --- Roles and permissions -----------------------------------------------------------------------


def test_roles_can_be_filtered(api, cast):
    caller = api(("Supervisor", None))
    everything = names(caller.get("/authorization/roles?pageSize=100"))
    assert {"Admin", "Employee", "Supervisor", "Client Manager"} <= set(everything)
    assert names(caller.get("/authorization/roles?name=client")) == ["Client Manager"]
    assert names(caller.get("/authorization/roles?defaultRoleId=employee,supervisor")) == [
        "Employee",
        "Supervisor",
    ]
    by_permission = names(caller.get("/authorization/roles?permission=oauth:client:authorize"))
    assert by_permission == ["Admin", "Master Admin"]  # through a wildcard
    ids = f"{cast.role('Admin').id},{cast.role('Admin', cast.globex).id}"
    assert names(caller.get(f"/authorization/roles?id={ids}")) == ["Admin"]
    too_many = ",".join(str(uuid.uuid4()) for _ in range(101))
    refused(caller.get(f"/authorization/roles?id={too_many}"), 400, "max.role.ids")


def test_a_role_has_the_documented_shape(api, cast):
    caller = api(("Supervisor", None))
    role = caller.get(f"/authorization/roles/{cast.role('Client Manager').id}").json()
    assert role == {
        "id": str(cast.role("Client Manager").id),
        "name": "Client Manager",
        "description": "",
        "permissions": [],
        "unusedPermissions": [],
        "permissionPolicies": [
            {
                "domain": "oauth",
                "entityName": "client",
                "actionSet": ["add", "delete", "edit", "view"],
                "namedResources": [],
                "allowConditions": False,
            }
        ],
        "userCount": 1,
        "roleNeedsUpdate": False,
        "default": False,
        "base": False,
        "selfUri": f"/api/v2/authorization/roles/{cast.role('Client Manager').id}",
    }
    employee = caller.get(f"/authorization/roles/{cast.role('Employee').id}?userCount=false").json()
    assert (employee["defaultRoleId"], employee["default"], employee["base"]) == ("employee", True, True)
    assert "userCount" not in employee
    listed = caller.get("/authorization/roles?userCount=False").json()["entities"]
    assert all("userCount" not in one for one in listed)


def test_roles_take_the_same_few_statements_for_two_and_for_many(api, cast, django_assert_num_queries):
    caller = api(("Supervisor", None))
    caller.get("/authorization/roles")
    for number in range(20):
        cast.custom_role(f"Role {number}", "oauth:client:view")
    with django_assert_num_queries(3):  # token and rights, roles, their holders
        assert len(caller.get("/authorization/roles?pageSize=100").json()["entities"]) > 20


def test_permissions_are_paged_by_domain(api):
    caller = api()
    page = caller.get("/authorization/permissions?pageSize=100").json()
    listed = {
        f"{one['domain']}:{one['entityType']}:{one['action']}": one
        for domain in page["entities"]
        for entity in domain["permissionMap"].values()
        for one in entity
    }
    assert listed.keys() == PERMISSIONS.keys()
    assert listed["directory:user:view"]["divisionAware"] is True
    assert listed["oauth:client:view"] == {
        "domain": "oauth",
        "entityType": "client",
        "action": "view",
        "label": "OAuth > Client > View",
        "allowsConditions": False,
        "divisionAware": False,
    }
    short = caller.get("/authorization/permissions?pageSize=2").json()
    assert (len(short["entities"]), short["total"]) == (2, page["total"])
    one = caller.get("/authorization/permissions?queryType=domain&query=oauth").json()
    assert [domain["id"] for domain in one["entities"]] == ["oauth"]
    some = caller.get("/authorization/permissions?queryType=permission&query=client:authorize").json()
    assert some["entities"][0]["permissionMap"].keys() == {"client"}
    assert len(some["entities"][0]["permissionMap"]["client"]) == 1


# --- Subjects ------------------------------------------------------------------------------------


def test_a_subject_is_a_person_or_a_client_with_its_grants(api, cast):
    caller = api(("Supervisor", None))
    ben = caller.get(f"/authorization/subjects/{cast.ben.id}").json()
    assert (ben["id"], ben["name"], ben["version"]) == (str(cast.ben.id), "Ben", 1)
    assert [(one["role"]["name"], one["division"]["name"]) for one in ben["grants"]] == [
        ("Client Manager", "Home"),
        ("Supervisor", "Home"),
    ]
    grant = ben["grants"][0]
    assert grant.keys() == {"subjectId", "division", "role", "grantMadeAt"}
    assert grant["subjectId"] == str(cast.ben.id)
    assert grant["role"]["policies"] == [
        {"domain": "oauth", "entityName": "client", "actions": ["add", "delete", "edit", "view"]}
    ]
    me = caller.get("/authorization/subjects/me").json()
    assert me["id"] == str(caller.client.id)
    assert me["grants"][0]["division"]["id"] == "*"
    assert caller.get(f"/authorization/subjects/{caller.client.id}").json() == me


def test_a_client_may_see_its_own_grants_without_any_permission(api):
    caller = api()
    assert [one["role"]["name"] for one in caller.get("/authorization/subjects/me").json()["grants"]] == [
        "Employee"
    ]
    refused(caller.get(f"/authorization/subjects/{caller.client.id}"), 403, "missing.any.permissions")


def test_the_grants_of_a_person_are_seen_by_division_and_those_of_a_client_anywhere(api, cast):
    caller = api(("Supervisor", cast.east))
    assert caller.get(f"/authorization/subjects/{cast.eve.id}").status_code == 200
    body = refused(caller.get(f"/authorization/subjects/{cast.ada.id}"), 403, "missing.division.permission")
    assert "Home" in body["message"]
    assert caller.get(f"/authorization/subjects/{api().client.id}").status_code == 200
    foreign, _secret = clients.create(
        actor=system(cast.globex),
        spec=ClientSpec(
            name="Foreign",
            grant_type="client-credentials",
            role_divisions=(RoleDivision(cast.role("Admin", cast.globex).id, None),),
        ),
    )
    for nobody in (cast.cleo.id, foreign.id, uuid.uuid4(), "junk"):
        refused(caller.get(f"/authorization/subjects/{nobody}"), 404, "not.found")


# --- Permitted divisions -------------------------------------------------------------------------


def test_permitted_divisions_are_those_where_the_permission_is_held(api, cast):
    path = "/authorization/divisionspermitted"
    query = "permission=directory:user:view"
    some = api(("User", cast.east), ("Supervisor", cast.west))
    bare = some.get(f"{path}/me?{query}").json()
    assert [division["name"] for division in bare] == ["East", "West"]
    paged = some.get(f"{path}/paged/me?{query}&pageSize=1").json()
    assert (paged["total"], paged["pageCount"], paged["allDivsPermitted"]) == (2, 2, False)
    assert paged["entities"] == bare[:1]
    assert names(some.get(f"{path}/paged/me?{query}&name=wes")) == ["West"]
    every = api(("User", None)).get(f"{path}/paged/me?{query}").json()
    assert (every["total"], every["allDivsPermitted"]) == (3, True)
    none = api().get(f"{path}/paged/me?{query}").json()
    assert (none["entities"], none["allDivsPermitted"]) == ([], False)


@pytest.mark.parametrize("path", ["me", "paged/me"])
def test_permitted_divisions_need_a_permission_that_exists(api, path):
    caller, path = api(), f"/authorization/divisionspermitted/{path}"
    for query in ("", "?permission="):
        refused(caller.get(path + query), 400, "missing.permission.param")
    refused(caller.get(f"{path}?permission=a:b:c"), 400, "invalid.query.param.value")
