"""`/oauth/clients` (wire contract C)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from oauthclients.models import Client
from tests.cast import token_request
from tests.oauthclients.api.conftest import refused
from tests.standing import standing

KEYS = {
    "id",
    "name",
    "description",
    "authorizedGrantType",
    "accessTokenValiditySeconds",
    "registeredRedirectUri",
    "scope",
    "roleDivisions",
    "roleIds",
    "state",
    "dateCreated",
    "dateModified",
    "createdBy",
    "modifiedBy",
    "selfUri",
}


@standing
def admin(api):
    """Holds Supervisor everywhere as well, to have something to hand on."""
    return api(("Admin", None), ("Supervisor", None), ("SCIM Integration", None), name="Admin caller")


@pytest.fixture
def wanted(cast):
    """A client-credentials client as the SDK sends it."""
    return {
        "name": "Reports",
        "authorizedGrantType": "CLIENT-CREDENTIALS",
        "roleDivisions": [{"roleId": str(cast.role("Supervisor").id), "divisionId": str(cast.east.id)}],
    }


def code_client(**more):
    return {
        "name": "Portal",
        "authorizedGrantType": "CODE",
        "registeredRedirectUri": ["https://portal.example/cb"],
        "scope": ["users:readonly"],
        **more,
    }


def test_creating_answers_200_with_the_secret_and_every_field(admin, cast, wanted):
    response = admin.post("/oauth/clients", {**wanted, "description": "Nightly"})
    assert response.status_code == 200
    made = response.json()
    assert made.keys() == KEYS | {"secret"}
    assert made["name"] == "Reports"
    assert made["description"] == "Nightly"
    assert made["authorizedGrantType"] == "CLIENT-CREDENTIALS"
    assert made["accessTokenValiditySeconds"] == 86_400
    assert made["registeredRedirectUri"] == made["scope"] == []
    assert made["roleDivisions"] == wanted["roleDivisions"]
    assert made["roleIds"] == [wanted["roleDivisions"][0]["roleId"]]
    assert made["state"] == "active"
    caller = {
        "id": str(admin.client.id),
        "name": "Admin caller",
        "selfUri": f"/api/v2/oauth/clients/{admin.client.id}",
    }
    assert made["createdBy"] == made["modifiedBy"] == caller
    assert made["selfUri"] == f"/api/v2/oauth/clients/{made['id']}"
    assert token_request(Browser(), made["id"], made["secret"]).status_code == 200


def test_neither_reading_nor_changing_nor_listing_shows_the_secret(admin, wanted):
    made = admin.post("/oauth/clients", wanted).json()
    secret = made.pop("secret")
    path = f"/oauth/clients/{made['id']}"
    assert admin.get(path).json() == made
    for response in (admin.get(path), admin.put(path, {"description": "x"}), admin.get("/oauth/clients")):
        assert response.status_code == 200
        assert secret not in response.content.decode()
        assert '"secret"' not in response.content.decode()


def test_the_list_is_everything_in_one_page_whatever_paging_is_asked_for(admin, cast):
    for number in range(30):
        cast.client(("Employee", cast.home), name=f"Client {number:02}")
    for path in ("/oauth/clients", "/oauth/clients?pageSize=5&pageNumber=3", "/oauth/clients?pageSize=x"):
        page = admin.get(path).json()
        assert page["pageCount"] == page["pageNumber"] == 1
        assert page["total"] == len(page["entities"]) == 31
        assert "nextUri" not in page
    names = [entity["name"] for entity in page["entities"]]
    assert names == sorted(names, key=str.lower)


def test_the_list_takes_the_same_few_statements_for_two_clients_and_for_thirty(
    admin, cast, django_assert_num_queries
):
    admin.get("/oauth/clients")  # notes the use of the client
    for number in range(30):
        cast.client(("Employee", cast.home), ("Supervisor", None), name=f"Client {number:02}")
    with django_assert_num_queries(3):  # token and rights, clients, their pairs
        assert len(admin.get("/oauth/clients").json()["entities"]) == 31


def test_all_divisions_is_a_star_and_a_missing_division_is_home(admin, cast, wanted):
    supervisor = str(cast.role("Supervisor").id)
    made = admin.post(
        "/oauth/clients", {**wanted, "roleDivisions": [{"roleId": supervisor, "divisionId": "*"}]}
    ).json()
    assert made["roleDivisions"] == [{"roleId": supervisor, "divisionId": "*"}]
    made = admin.post(
        "/oauth/clients", {**wanted, "name": "Second", "roleDivisions": [{"roleId": supervisor}]}
    ).json()
    assert made["roleDivisions"] == [{"roleId": supervisor, "divisionId": str(cast.home.id)}]


def test_the_old_role_ids_mean_home(admin, cast, wanted):
    del wanted["roleDivisions"]
    made = admin.post("/oauth/clients", {**wanted, "roleIds": [str(cast.role("Supervisor").id)]}).json()
    assert made["roleDivisions"] == [
        {"roleId": str(cast.role("Supervisor").id), "divisionId": str(cast.home.id)}
    ]


def test_a_client_for_people_has_addresses_and_scopes(admin):
    made = admin.post("/oauth/clients", code_client()).json()
    assert made["registeredRedirectUri"] == ["https://portal.example/cb"]
    assert made["scope"] == ["users:readonly"]
    assert made["roleDivisions"] == []


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"authorizedGrantType": None}, "grant.type.required", "authorizedGrantType"),
        ({"authorizedGrantType": ""}, "grant.type.required", "authorizedGrantType"),
        ({"authorizedGrantType": "PASSWORD"}, "bad.grant.type", "authorizedGrantType"),
        ({"authorizedGrantType": "CLIENT_CREDENTIALS"}, "bad.grant.type", "authorizedGrantType"),
        ({"authorizedGrantType": "client-credentials"}, "bad.grant.type", "authorizedGrantType"),
        ({"authorizedGrantType": 5}, "bad.grant.type", "authorizedGrantType"),
        ({"authorizedGrantType": ["CODE"]}, "bad.grant.type", "authorizedGrantType"),
        ({"name": None}, "constraint.validation", "name"),
        ({"name": ""}, "constraint.validation", "name"),
        ({"name": "x" * 201}, "constraint.validation", "name"),
        ({"name": 5}, "invalid.value", "name"),
        ({"name": {"a": 1}}, "invalid.value", "name"),
        ({"name": "a\x00b"}, "invalid.value", "name"),
        ({"description": ["x"]}, "invalid.value", "description"),
        ({"description": "x" * 501}, "constraint.validation", "description"),
        ({"accessTokenValiditySeconds": 299}, "constraint.validation", "accessTokenValiditySeconds"),
        ({"accessTokenValiditySeconds": 172_801}, "constraint.validation", "accessTokenValiditySeconds"),
        ({"accessTokenValiditySeconds": -1}, "constraint.validation", "accessTokenValiditySeconds"),
        ({"accessTokenValiditySeconds": 10**400}, "constraint.validation", "accessTokenValiditySeconds"),
        ({"accessTokenValiditySeconds": True}, "invalid.value", "accessTokenValiditySeconds"),
        ({"accessTokenValiditySeconds": 3600.0}, "invalid.value", "accessTokenValiditySeconds"),
        ({"accessTokenValiditySeconds": "3600"}, "invalid.value", "accessTokenValiditySeconds"),
        ({"roleDivisions": None}, "missing.client.roles", "roleDivisions"),
        ({"roleDivisions": []}, "missing.client.roles", "roleDivisions"),
        ({"roleDivisions": "Supervisor"}, "bad.client.role", "roleDivisions"),
        ({"roleDivisions": {"roleId": "x"}}, "bad.client.role", "roleDivisions"),
        ({"roleDivisions": ["x"]}, "bad.client.role", "roleDivisions"),
        ({"roleDivisions": [None]}, "bad.client.role", "roleDivisions"),
        ({"roleDivisions": [[[]]]}, "bad.client.role", "roleDivisions"),
        ({"roleDivisions": [{}]}, "bad.client.role", "roleDivisions"),
        ({"roleDivisions": [{"roleId": 5}]}, "bad.client.role", "roleDivisions"),
        ({"roleDivisions": [{"roleId": "junk\x00"}]}, "bad.client.role", "roleDivisions"),
        ({"roleDivisions": [{"roleId": str(uuid.UUID(int=1))}]}, "bad.client.role", "roleDivisions"),
        ({"roleDivisions": [{"roleId": "x"}] * 1_001}, "bad.client.role", "roleDivisions"),
        ({"roleDivisions": None, "roleIds": "x"}, "bad.client.role", "roleIds"),
        ({"roleDivisions": None, "roleIds": [5]}, "bad.client.role", "roleDivisions"),
        ({"state": "inactive"}, "bad.client.state", "state"),
        ({"state": "disabled"}, "bad.client.state", "state"),
        ({"state": 1}, "bad.client.state", "state"),
        ({"dateToDelete": "2099-01-01T00:00:00.000Z"}, "bad.client.state", "dateToDelete"),
    ],
)
def test_what_cannot_be_a_client_is_400_with_code_and_field_and_makes_nothing(
    admin, wanted, change, code, field
):
    before = Client.objects.count()
    body = refused(admin.post("/oauth/clients", {**wanted, **change}), 400, code)
    assert (code, field) in {(detail["errorCode"], detail["fieldName"]) for detail in body["details"]}
    assert Client.objects.count() == before


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"scope": []}, "missing.client.scope", "scope"),
        ({"scope": None}, "missing.client.scope", "scope"),
        ({"scope": "users"}, "auth.invalid.scope", "scope"),
        ({"scope": ["users:manage"]}, "auth.invalid.scope", "scope"),
        ({"scope": [["users"]]}, "auth.invalid.scope", "scope"),
        ({"scope": ["users\x00"]}, "auth.invalid.scope", "scope"),
        ({"registeredRedirectUri": "https://a.example/"}, "invalid.value", "registeredRedirectUri"),
        ({"registeredRedirectUri": [5]}, "invalid.value", "registeredRedirectUri"),
        ({"registeredRedirectUri": ["http://a.example/"]}, "invalid.value", "registeredRedirectUri"),
        ({"registeredRedirectUri": ["javascript:alert(1)"]}, "invalid.value", "registeredRedirectUri"),
        ({"registeredRedirectUri": []}, "constraint.validation", "registeredRedirectUri"),
        (
            {"registeredRedirectUri": [f"https://a.example/{n}" for n in range(126)]},
            "constraint.validation",
            "registeredRedirectUri",
        ),
    ],
)
def test_what_cannot_be_a_client_for_people_is_400(admin, change, code, field):
    body = refused(admin.post("/oauth/clients", code_client(**change)), 400, code)
    assert body["details"][0]["fieldName"] == field


def test_all_problems_are_told_at_once(admin, wanted):
    body = refused(
        admin.post("/oauth/clients", {"name": 5, "scope": "x", "accessTokenValiditySeconds": "x"}),
        400,
        "invalid.value",
    )
    assert {detail["fieldName"] for detail in body["details"]} == {
        "name",
        "scope",
        "accessTokenValiditySeconds",
    }


def test_an_unknown_division_and_one_of_another_organization_are_refused_alike(admin, cast, wanted):
    supervisor = str(cast.role("Supervisor").id)
    answers = []
    for division in (str(cast.globex.divisions.get().id), str(uuid.uuid4())):
        body = refused(
            admin.post(
                "/oauth/clients",
                {**wanted, "roleDivisions": [{"roleId": supervisor, "divisionId": division}]},
            ),
            400,
            "bad.role.divisions",
        )
        answers.append(body["message"].replace(division, "ID"))
    assert answers[0] == answers[1]
    for junk in ("junk", 5, True, [], ""):
        refused(
            admin.post(
                "/oauth/clients", {**wanted, "roleDivisions": [{"roleId": supervisor, "divisionId": junk}]}
            ),
            400,
            "bad.role.divisions",
        )


def test_a_role_of_another_organization_cannot_be_given(admin, cast, wanted):
    foreign = str(cast.role("Supervisor", cast.globex).id)
    refused(
        admin.post("/oauth/clients", {**wanted, "roleDivisions": [{"roleId": foreign}]}),
        400,
        "bad.client.role",
    )


def test_two_clients_cannot_share_a_name(admin, wanted):
    assert admin.post("/oauth/clients", wanted).status_code == 200
    refused(admin.post("/oauth/clients", {**wanted, "name": " reports "}), 400, "resource.already.exists")


def test_there_is_a_most_of_clients(admin, wanted, settings):
    settings.MAX_CLIENTS_PER_ORGANIZATION = 1
    refused(admin.post("/oauth/clients", wanted), 400, "auth.too.many.clients")


def test_an_update_keeps_what_is_absent_or_null(admin, wanted):
    made = admin.post(
        "/oauth/clients", {**wanted, "description": "Nightly", "accessTokenValiditySeconds": 600}
    ).json()
    del made["secret"]
    path = f"/oauth/clients/{made['id']}"
    for body in ({}, None, dict.fromkeys(["name", "description", "roleDivisions", "scope", "state"])):
        response = admin.put(path, body)
        assert response.status_code == 200
        assert response.json() == made
    changed = admin.put(path, {"description": ""}).json()
    assert changed["description"] == ""
    assert {**changed, "description": "Nightly", "dateModified": made["dateModified"]} == made


def test_an_update_replaces_what_it_names(admin, cast, wanted):
    made = admin.post("/oauth/clients", wanted).json()
    pairs = [{"roleId": str(cast.role("Supervisor").id), "divisionId": "*"}]
    changed = admin.put(
        f"/oauth/clients/{made['id']}",
        {"name": "New", "accessTokenValiditySeconds": 300, "roleDivisions": pairs},
    ).json()
    assert (changed["name"], changed["accessTokenValiditySeconds"]) == ("New", 300)
    assert changed["roleDivisions"] == pairs
    refused(admin.put(f"/oauth/clients/{made['id']}", {"roleDivisions": []}), 400, "missing.client.roles")


def test_the_answer_of_a_read_can_be_sent_back_unchanged(admin, wanted):
    made = admin.post("/oauth/clients", wanted).json()
    path = f"/oauth/clients/{made['id']}"
    admin.put(path, {"state": "inactive", "dateToDelete": "2099-01-01T00:00:00.000Z"})
    read = admin.get(path).json()
    assert read["dateToDelete"] == "2099-01-01T00:00:00.000Z"
    assert admin.put(path, read).json() == read
    again = admin.put(path, {**read, "state": "active"}).json()
    assert again["state"] == "active"
    assert "dateToDelete" not in again


def test_the_grant_type_is_fixed(admin, wanted):
    made = admin.post("/oauth/clients", wanted).json()
    path = f"/oauth/clients/{made['id']}"
    refused(admin.put(path, {"authorizedGrantType": "CODE"}), 400, "bad.grant.type")
    assert admin.put(path, {"authorizedGrantType": "CLIENT-CREDENTIALS"}).status_code == 200


def test_a_state_that_does_not_exist_is_refused(admin, wanted):
    path = f"/oauth/clients/{admin.post('/oauth/clients', wanted).json()['id']}"
    for state in ("deleted", "ACTIVE", "", 5, True, ["active"]):
        refused(admin.put(path, {"state": state}), 400, "bad.client.state")


def test_an_inactive_client_keeps_its_date_of_deletion_until_it_is_active_again(admin, wanted):
    path = f"/oauth/clients/{admin.post('/oauth/clients', wanted).json()['id']}"
    date = "2099-01-01T00:00:00.000Z"
    assert admin.put(path, {"state": "inactive", "dateToDelete": date}).json()["dateToDelete"] == date
    assert admin.put(path, {"state": "inactive"}).json()["dateToDelete"] == date
    assert admin.put(path, {"state": "inactive", "dateToDelete": date}).status_code == 200
    refused(admin.put(path, {"description": "changed"}), 409, "request.conflict")
    assert "dateToDelete" not in admin.put(path, {"state": "active"}).json()


@pytest.mark.parametrize(
    ("date", "code"),
    [
        ("2000-01-01T00:00:00Z", "invalid.value"),
        ("tomorrow", "invalid.date"),
        ("2026-13-45T00:00:00Z", "invalid.date"),
        ("0001-01-01T00:00:00+14:00", "invalid.date"),
        (5, "invalid.date"),
        ({}, "invalid.date"),
    ],
)
def test_a_date_of_deletion_must_be_a_date_to_come(admin, wanted, date, code):
    path = f"/oauth/clients/{admin.post('/oauth/clients', wanted).json()['id']}"
    refused(admin.put(path, {"state": "inactive", "dateToDelete": date}), 400, code)
    assert admin.get(path).json()["state"] == "active"


def test_an_active_client_has_no_date_of_deletion(admin, wanted):
    path = f"/oauth/clients/{admin.post('/oauth/clients', wanted).json()['id']}"
    date = "2099-01-01T00:00:00Z"
    refused(admin.put(path, {"dateToDelete": date}), 400, "bad.client.state")
    refused(admin.put(path, {"state": "active", "dateToDelete": date}), 400, "bad.client.state")


def test_whoever_may_only_edit_cannot_delete_by_a_date(api, cast):
    cast.custom_role("Editor", "oauth:client:edit", "oauth:client:view")
    editor = api(("Editor", None), ("Supervisor", None))
    target, _secret = cast.client(("Supervisor", cast.east), name="Target")
    refused(
        editor.put(
            f"/oauth/clients/{target.id}",
            {"state": "inactive", "dateToDelete": (timezone.now() + timedelta(days=1)).isoformat()},
        ),
        403,
        "missing.any.permissions",
    )
    assert Client.objects.get(id=target.id).state == "active"


def test_only_an_inactive_client_is_deleted_and_then_it_is_gone(admin, wanted):
    made = admin.post("/oauth/clients", wanted).json()
    path = f"/oauth/clients/{made['id']}"
    refused(admin.delete(path), 400, "cannot.delete.client")
    assert admin.put(path, {"state": "inactive"}).json()["state"] == "inactive"
    response = admin.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response
    assert response["Cache-Control"] == "no-cache, no-store, must-revalidate"
    for gone in (admin.get(path), admin.put(path, {}), admin.delete(path), admin.post(f"{path}/secret")):
        refused(gone, 404, "client.not.found")


@pytest.mark.parametrize("body", [b"null", b"", b"{}", b'{"ignored": 1}'])
def test_a_new_secret_replaces_the_old_one_at_once_and_keeps_tokens(admin, cast, wanted, body):
    made = admin.post("/oauth/clients", wanted).json()
    token = cast.token(Client.objects.get(id=made["id"]), made["secret"])
    response = admin.post(f"/oauth/clients/{made['id']}/secret", body)
    assert response.status_code == 200
    again = response.json()
    assert again.keys() == KEYS | {"secret"}
    assert again["secret"] != made["secret"]
    assert token_request(Browser(), made["id"], made["secret"]).status_code == 401
    assert token_request(Browser(), made["id"], again["secret"]).status_code == 200
    alive = Browser().get("/api/v2/tokens/me", headers={"Authorization": f"Bearer {token}"})
    assert alive.status_code == 200


@pytest.mark.parametrize("id", ["junk", "%00", str(uuid.UUID(int=0)), "..", "é"])
def test_an_id_of_nothing_is_404(admin, id):
    refused(admin.get(f"/oauth/clients/{id}"), 404, "client.not.found")


def test_a_client_past_its_date_of_deletion_is_not_there(admin, cast):
    target, _secret = cast.client(("Employee", cast.home), name="Target")
    Client.objects.filter(id=target.id).update(state="inactive", date_to_delete=timezone.now())
    refused(admin.get(f"/oauth/clients/{target.id}"), 404, "client.not.found")
    assert "Target" not in admin.get("/oauth/clients").content.decode()


def test_a_longer_token_is_for_clients_that_only_keep_people_in_step(admin, cast, wanted):
    scim = {"roleId": str(cast.role("SCIM Integration").id), "divisionId": "*"}
    made = admin.post(
        "/oauth/clients", {**wanted, "roleDivisions": [scim], "accessTokenValiditySeconds": 38_880_000}
    ).json()
    assert made["accessTokenValiditySeconds"] == 38_880_000
    both = [scim, {"roleId": str(cast.role("Supervisor").id), "divisionId": "*"}]
    changed = admin.put(f"/oauth/clients/{made['id']}", {"roleDivisions": both}).json()
    assert changed["accessTokenValiditySeconds"] == 86_400
