"""`/users` (wire contract E1 to E3)."""

from __future__ import annotations

import base64
import json
import uuid

import pytest
from django.utils import timezone

from accounts.models import User
from oauthclients.models import Client
from tests.oauthclients.api.conftest import refused


@pytest.fixture
def crowd(cast):
    """Seven people in East and five in West, besides the cast (Ada and Ben in Home, Eve in East)."""
    for number in range(7):
        cast.person(f"East {number}", cast.east, title="Agent", department="Sales")
    for number in range(5):
        cast.person(f"West {number}", cast.west, title="Team Lead", department="Support")


def names(response) -> list[str]:
    assert response.status_code == 200, response.content
    body = response.json()
    return [user["name"] for user in body.get("entities", body.get("results"))]


# --- The listing ---------------------------------------------------------------------------------


def test_a_listing_holds_exactly_the_people_in_the_permitted_divisions(api, cast, crowd):
    east = [f"East {number}" for number in range(7)] + ["Eve"]
    west = [f"West {number}" for number in range(5)]
    assert names(api(("User", cast.east)).get("/users")) == east
    assert names(api(("User", cast.west)).get("/users")) == west
    assert names(api(("User", cast.east), ("Supervisor", cast.west)).get("/users")) == east + west
    everybody = names(api(("User", None)).get("/users"))
    assert everybody == ["Ada", "Ben", *east, *west]


def test_a_person_has_the_documented_shape(admin, cast):
    user = admin.get(f"/users/{cast.eve.id}").json()
    assert user == {
        "id": str(cast.eve.id),
        "name": "Eve",
        "division": {
            "id": str(cast.east.id),
            "name": "East",
            "selfUri": f"/api/v2/authorization/divisions/{cast.east.id}",
        },
        "email": "eve@acme.example",
        "primaryContactInfo": [{"address": "eve@acme.example", "mediaType": "EMAIL", "type": "PRIMARY"}],
        "addresses": [],
        "state": "active",
        "username": "eve@acme.example",
        "images": [],
        "version": 1,
        "acdAutoAnswer": False,
        "selfUri": f"/api/v2/users/{cast.eve.id}",
    }


def test_pages_have_their_neighbours(api, cast, crowd):
    east = api(("User", cast.east))
    first = east.get("/users?pageSize=3&expand=station").json()
    assert (first["total"], first["pageCount"], first["pageSize"], first["pageNumber"]) == (8, 3, 3, 1)
    assert first["selfUri"] == first["firstUri"] == "/api/v2/users?pageSize=3&pageNumber=1&expand=station"
    assert first["lastUri"] == "/api/v2/users?pageSize=3&pageNumber=3&expand=station"
    assert "previousUri" not in first
    second = east.get(first["nextUri"].removeprefix("/api/v2")).json()
    assert second["previousUri"] == first["selfUri"]
    third = east.get(second["nextUri"].removeprefix("/api/v2")).json()
    assert "nextUri" not in third
    seen = [user["id"] for page in (first, second, third) for user in page["entities"]]
    assert len(seen) == len(set(seen)) == 8


def test_a_page_beyond_the_last_is_empty(admin):
    page = admin.get("/users?pageNumber=9999999").json()
    assert page["entities"] == []
    assert page["total"] == 3
    assert page["previousUri"] == "/api/v2/users?pageSize=25&pageNumber=1"


def test_nobody_to_list_is_an_empty_listing(api, cast):
    page = api(("User", cast.west)).get("/users").json()
    assert (page["entities"], page["total"], page["pageCount"]) == ([], 0, 0)


def test_only_active_people_are_listed_unless_another_state_is_asked_for(admin, cast):
    cast.person("Idle", cast.west, state="inactive")
    gone = cast.person("Gone", cast.west)
    assert admin.delete(f"/users/{gone.id}").status_code == 200
    assert names(admin.get("/users")) == ["Ada", "Ben", "Eve"]
    assert names(admin.get("/users?state=inactive")) == ["Idle"]
    assert names(admin.get("/users?state=deleted")) == ["Gone"]
    assert names(admin.get("/users?state=any")) == ["Ada", "Ben", "Eve", "Gone", "Idle"]


def test_the_order_can_be_turned_around(admin):
    assert names(admin.get("/users?sortOrder=DESC")) == ["Eve", "Ben", "Ada"]
    assert names(admin.get("/users?sortOrder=asc")) == ["Ada", "Ben", "Eve"]


def test_ids_are_comma_joined_or_repeated_and_foreign_ones_match_nothing(admin, cast):
    ada, eve, cleo = cast.ada.id, cast.eve.id, cast.cleo.id
    assert names(admin.get(f"/users?id={ada}%2C{eve}")) == ["Ada", "Eve"]
    assert names(admin.get(f"/users?id={ada}&id={eve}")) == ["Ada", "Eve"]
    assert names(admin.get(f"/users?id={ada},{cleo},junk,{uuid.uuid4()}")) == ["Ada"]
    assert names(admin.get("/users?id=junk")) == []


def test_a_listing_takes_the_same_few_statements_however_long_it_is(
    admin, crowd, django_assert_num_queries
):
    admin.get("/users")  # notes the use of the client
    for path in ("/users?pageSize=2", "/users?pageSize=100"):
        with django_assert_num_queries(4):  # token, rights, people with their divisions, how many
            admin.get(path)
        with django_assert_num_queries(5):  # and their roles
            admin.get(f"{path}&expand=authorization")


def test_the_cursor_listing_walks_over_everybody_once(api, cast, crowd):
    # Two people of one name must not be lost between two pages.
    cast.person("Twin", cast.east)
    User.objects.filter(name__in=["East 3", "East 4"]).update(name="Twin")
    caller = api(("User", cast.east))
    for order in ("ASC", "DESC"):
        seen, path = [], f"/users/query?pageSize=2&sortOrder={order}"
        while path:
            page = caller.get(path).json()
            assert len(page["entities"]) <= 2
            seen += page["entities"]
            path = page.get("nextUri", "").removeprefix("/api/v2")
        assert len(seen) == len({user["id"] for user in seen}) == 9
        assert [user["name"] for user in seen] == sorted(
            (user["name"] for user in seen), reverse=order == "DESC"
        )


# --- One person ----------------------------------------------------------------------------------


def test_a_person_in_another_division_is_refused_by_its_name(api, cast):
    caller = api(("User", cast.west), ("Supervisor", cast.home))
    body = refused(caller.get(f"/users/{cast.eve.id}"), 403, "missing.division.permission")
    assert "directory:user:view" in body["message"]
    assert "East" in body["message"]
    assert body["messageParams"] == {"permissions": "directory:user:view", "divisions": "East"}


def test_reading_a_person_takes_at_most_four_statements_on_the_first_call_of_a_token(
    api, cast, django_assert_max_num_queries
):
    caller = api(("User", cast.east))
    Client.objects.update(last_used_at=None)  # so that this call notes the use as well
    with django_assert_max_num_queries(4):
        assert caller.get(f"/users/{cast.eve.id}").status_code == 200
    with django_assert_max_num_queries(3):
        assert caller.get(f"/users/{cast.eve.id}").status_code == 200


def test_an_inactive_person_is_read_and_a_deleted_one_only_when_asked_for(admin, cast):
    idle = cast.person("Idle", cast.west, state="inactive")
    assert admin.get(f"/users/{idle.id}").json()["state"] == "inactive"
    path = f"/users/{cast.eve.id}"
    admin.delete(path)
    refused(admin.get(path), 404, "not.found")
    for state in ("deleted", "any"):
        assert admin.get(f"{path}?state={state}").json()["state"] == "deleted"


def test_expand_adds_what_exists_and_ignores_the_rest(admin, cast):
    path = f"/users/{cast.ben.id}"
    assert admin.get(f"{path}?expand=station,presence,nonsense").json() == admin.get(path).json()
    for query in (
        "expand=authorization%2CdateLastLogin",
        "expand=authorization,dateLastLogin",
        "expand=authorization&expand=dateLastLogin",
    ):
        user = admin.get(f"{path}?{query}").json()
        assert [role["name"] for role in user["authorization"]["roles"]] == ["Client Manager", "Supervisor"]
        assert "oauth:client:add" in user["authorization"]["permissions"]
        assert {
            "domain": "oauth",
            "entityName": "client",
            "actionSet": ["add", "delete", "edit", "view"],
            "namedResources": [],
            "allowConditions": False,
        } in user["authorization"]["permissionPolicies"]
    User.objects.filter(id=cast.ben.id).update(last_login=timezone.now())
    assert admin.get(f"{path}?expand=dateLastLogin").json()["dateLastLogin"].endswith("Z")


def test_roles_are_shown_only_to_whoever_may_see_grants_there(api, cast):
    cast.custom_role("People viewer", "directory:user:view")
    caller = api(("People viewer", None), ("Supervisor", cast.east))
    assert "authorization" in caller.get(f"/users/{cast.eve.id}?expand=authorization").json()
    assert "authorization" not in caller.get(f"/users/{cast.ada.id}?expand=authorization").json()
    listed = {user["name"]: user for user in caller.get("/users?expand=authorization").json()["entities"]}
    assert "authorization" in listed["Eve"]
    assert "authorization" not in listed["Ada"]


# --- Adding --------------------------------------------------------------------------------------


def test_a_new_person_is_answered_with_200_and_is_inactive(admin, cast):
    response = admin.post(
        "/users",
        {"name": "Dan", "email": "Dan@Acme.example", "divisionId": str(cast.west.id), "title": "Agent"},
    )
    assert response.status_code == 200
    user = response.json()
    assert user["email"] == user["username"] == "dan@acme.example"
    assert (user["state"], user["version"], user["title"]) == ("inactive", 1, "Agent")
    assert user["division"]["name"] == "West"
    assert admin.get(f"/users/{user['id']}").json() == user
    # Without a division: Home. With a state: that one.
    second = admin.post("/users", {"name": "Di", "email": "di@acme.example", "state": "active"}).json()
    assert (second["division"]["name"], second["state"]) == ("Home", "active")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"email": None}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": ["dan@acme.example"]}, "email"),
        ({"email": f"{'x' * 60}@{'y' * 60}.{'z' * 60}.{'w' * 60}.{'v' * 40}.example"}, "email"),
        ({"divisionId": "junk"}, "divisionId"),
        ({"divisionId": 5}, "divisionId"),
        ({"divisionId": str(uuid.UUID(int=1))}, "divisionId"),
        ({"state": "deleted"}, "state"),
        ({"state": 1}, "state"),
        ({"title": {}}, "title"),
        ({"password": "short"}, "password"),
        ({"password": 12345678901234}, "password"),
    ],
)
def test_what_cannot_be_a_person_is_400_and_adds_nobody(admin, change, field):
    before = User.objects.count()
    body = refused(
        admin.post("/users", {"name": "Dan", "email": "dan@acme.example", **change}), 400, "invalid.value"
    )
    assert body["details"][0]["fieldName"] == field
    assert User.objects.count() == before


def test_a_division_of_another_organization_is_like_one_that_does_not_exist(admin, cast):
    foreign = str(cast.globex.divisions.get().id)
    bodies = [
        refused(
            admin.post("/users", {"name": "Dan", "email": "dan@acme.example", "divisionId": id}),
            400,
            "invalid.value",
        )
        for id in (foreign, str(uuid.uuid4()))
    ]
    assert bodies[0]["message"] == bodies[1]["message"]


def test_an_email_that_is_in_use_is_a_conflict_whoever_has_it(admin, cast):
    messages = {
        refused(admin.post("/users", {"name": "Dan", "email": email}), 409, "resource.already.exists")[
            "message"
        ]
        for email in ("eve@acme.example", "cleo@globex.example")
    }
    assert len(messages) == 1


def test_people_are_added_only_in_permitted_divisions(api, cast):
    caller = api(("People Admin", cast.east))
    person = {"name": "Dan", "email": "dan@acme.example"}
    body = refused(
        caller.post("/users", {**person, "divisionId": str(cast.west.id)}),
        403,
        "missing.division.permission",
    )
    assert "West" in body["message"]
    refused(caller.post("/users", person), 403, "missing.division.permission")  # Home
    assert caller.post("/users", {**person, "divisionId": str(cast.east.id)}).status_code == 200


# --- Changing and deleting -----------------------------------------------------------------------


def test_a_change_needs_the_version_that_was_read(admin, cast):
    path = f"/users/{cast.eve.id}"
    for body in (
        {"name": "Evelyn"},
        {"name": "Evelyn", "version": None},
        {"version": "1"},
        {"version": True},
    ):
        assert (
            refused(admin.patch(path, body), 400, "invalid.value")["details"][0]["fieldName"] == "version"
        )
    for version in (0, 2, -1, 10**300):
        refused(admin.patch(path, {"name": "Evelyn", "version": version}), 409, "general.conflict")
    changed = admin.patch(path, {"name": "Evelyn", "version": 1, "title": "Agent"}).json()
    assert (changed["name"], changed["title"], changed["version"]) == ("Evelyn", "Agent", 2)
    refused(admin.patch(path, {"name": "Eva", "version": 1}), 409, "general.conflict")
    assert admin.get(path).json() == changed


def test_a_change_leaves_alone_what_it_cannot_change(admin, cast):
    path = f"/users/{cast.eve.id}"
    before = admin.get(path).json()
    body = {
        "version": 1,
        "divisionId": str(cast.west.id),
        "organization": str(cast.globex.id),
        "id": str(uuid.uuid4()),
        "password": "x",
        "manager": "somebody",
    }
    assert admin.patch(path, body).json() == before


def test_a_state_is_the_only_thing_that_a_change_with_it_changes(admin, cast):
    path = f"/users/{cast.eve.id}"
    changed = admin.patch(path, {"version": 1, "state": "inactive", "name": "Ignored"}).json()
    assert (changed["state"], changed["name"]) == ("inactive", "Eve")
    refused(admin.patch(path, {"version": 2, "state": "deleted"}), 400, "invalid.value")


def test_deleting_answers_200_with_an_empty_object_and_a_state_revives(admin, cast):
    path = f"/users/{cast.eve.id}"
    response = admin.delete(path)
    assert (response.status_code, response.json()) == (200, {})
    version = admin.get(f"{path}?state=any").json()["version"]
    revived = admin.patch(path, {"version": version, "state": "active"})
    assert revived.json()["state"] == "active"
    assert admin.get(path).status_code == 200


def test_people_are_changed_and_deleted_only_in_permitted_divisions(api, cast):
    caller = api(("People Admin", cast.west))
    path = f"/users/{cast.eve.id}"
    for response in (caller.patch(path, {"version": 1, "name": "X"}), caller.delete(path)):
        assert "East" in refused(response, 403, "missing.any.division.permissions")["message"]
    assert User.objects.get(id=cast.eve.id).name == "Eve"


@pytest.mark.parametrize("id", ["junk", "%00", str(uuid.UUID(int=0))])
def test_a_person_of_nothing_is_404(admin, id):
    for response in (
        admin.get(f"/users/{id}"),
        admin.patch(f"/users/{id}", {"version": 1}),
        admin.delete(f"/users/{id}"),
    ):
        refused(response, 404, "not.found")


# --- Searching -----------------------------------------------------------------------------------


def criteria(**more) -> dict:
    return {"query": [{"type": "EXACT", "fields": ["name"], "value": "Eve", **more}]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ([], ["Ada", "Ben", "Eve", "Ann Lee", "Annabel Park"]),
        ([{"type": "EXACT", "fields": ["name"], "value": "eve"}], ["Eve"]),
        ([{"type": "exact", "fields": ["email"], "value": "eve@acme.example"}], ["Eve"]),
        ([{"type": "EXACT", "fields": ["name"], "values": ["Eve", "Ben"]}], ["Ben", "Eve"]),
        ([{"type": "CONTAINS", "fields": ["name", "title"], "value": "ann"}], ["Ann Lee", "Annabel Park"]),
        ([{"type": "CONTAINS", "fields": ["title"], "value": "%"}], []),
        ([{"type": "STARTS_WITH", "fields": ["name"], "value": "Ann"}], ["Ann Lee", "Annabel Park"]),
        ([{"type": "STARTS_WITH", "fields": ["name"], "value": "Lee"}], []),
        ([{"type": "TERM", "fields": ["name"], "value": "ann"}], ["Ann Lee"]),
        ([{"type": "TERM", "fields": ["name"], "value": ".*"}], []),
        ([{"type": "TERMS", "fields": ["name"], "values": ["lee", "park"]}], ["Ann Lee", "Annabel Park"]),
        ([{"type": "QUERY_STRING", "value": "lee sales"}], ["Ann Lee"]),
        ([{"type": "QUERY_STRING", "fields": ["name"], "value": "lee sales"}], []),
        ([{"type": "EXACT", "fields": ["department"], "value": "Sales"}], ["Ann Lee"]),
        (
            [
                {"type": "CONTAINS", "fields": ["name"], "value": "ann"},
                {"type": "EXACT", "fields": ["department"], "value": "Sales", "operator": "NOT"},
            ],
            ["Annabel Park"],
        ),
        (
            [
                {"type": "EXACT", "fields": ["name"], "value": "Eve"},
                {"type": "EXACT", "fields": ["name"], "value": "Ben", "operator": "OR"},
            ],
            ["Ben", "Eve"],
        ),
        ([{"type": "EXACT", "fields": ["state"], "value": "inactive"}], ["Idle"]),
        ([{"type": "EXACT", "fields": ["id"], "value": "junk"}], []),
    ],
)
def test_a_search_finds(admin, cast, query, found):
    cast.person("Ann Lee", cast.east, department="Sales", title="Agent")
    cast.person("Annabel Park", cast.west, department="Support", title="Lead")
    cast.person("Idle", cast.west, state="inactive")
    assert sorted(names(admin.post("/users/search", {"query": query}))) == sorted(found)


def test_a_search_by_ids_and_divisions(admin, cast):
    ids = [str(cast.eve.id), str(cast.cleo.id)]
    query = [{"type": "EXACT", "fields": ["id"], "values": ids}]
    assert names(admin.post("/users/search", {"query": query})) == ["Eve"]
    query = [{"type": "TERM", "fields": ["divisionId"], "value": str(cast.home.id)}]
    assert names(admin.post("/users/search", {"query": query})) == ["Ada", "Ben"]


def test_a_search_sees_the_permitted_divisions_only_however_it_is_put(api, cast):
    caller = api(("User", cast.east))
    assert names(caller.post("/users/search", {})) == ["Eve"]
    either = [
        {"type": "EXACT", "fields": ["name"], "value": "Nobody"},
        {"type": "CONTAINS", "fields": ["email"], "value": "@", "operator": "OR"},
        {"type": "EXACT", "fields": ["name"], "value": "Nobody", "operator": "NOT"},
    ]
    assert names(caller.post("/users/search", {"query": either})) == ["Eve"]


def test_a_search_pages_and_its_pages_can_be_fetched_by_get(admin, crowd):
    asked = {"pageSize": 4, "sortBy": "name", "sortOrder": "DESC", "query": []}
    first = admin.post("/users/search", asked).json()
    assert (first["total"], first["pageCount"], first["pageSize"], first["pageNumber"]) == (15, 4, 4, 1)
    assert first["types"] == ["users"]
    assert "previousPage" not in first
    assert admin.get(f"/users/search?q64={first['currentPage']}").json() == first
    seen, page = list(first["results"]), first
    while "nextPage" in page:
        page = admin.get(f"/users/search?q64={page['nextPage']}").json()
        seen += page["results"]
    assert len(seen) == len({user["id"] for user in seen}) == 15
    assert [user["name"] for user in seen] == sorted((user["name"] for user in seen), reverse=True)


def test_q64_is_read_in_either_alphabet_with_or_without_padding(admin):
    text = json.dumps(criteria(value="Eve")).encode() + b"   "
    for encoded in (base64.b64encode(text), base64.urlsafe_b64encode(text).rstrip(b"=")):
        quoted = encoded.decode().replace("+", "%2B")
        assert names(admin.get(f"/users/search?q64={quoted}")) == ["Eve"]


def test_a_search_expands(admin):
    body = {**criteria(), "expand": ["authorization"]}
    user = admin.post("/users/search", body).json()["results"][0]
    assert user["authorization"]["roles"][0]["name"] == "Employee"


@pytest.mark.parametrize(
    ("body", "field", "allowed"),
    [
        (criteria(type="REGEX"), "type", "STARTS_WITH"),
        (criteria(type=None), "type", "EXACT"),
        (criteria(type=5), "type", ""),
        (criteria(fields=["password"]), "fields", "email"),
        (criteria(fields=["organization__users__password"]), "fields", "email"),
        (criteria(fields=[]), "fields", ""),
        (criteria(fields="name"), "fields", ""),
        (criteria(value=None), "value", ""),
        (criteria(value=""), "value", ""),
        (criteria(value="x\x00"), "value", ""),
        (criteria(value="x" * 100_000), "value", ""),
        (criteria(values=["x"] * 301), "query", ""),
        (criteria(operator="XOR"), "operator", "NOT"),
        (criteria(operator=5), "operator", ""),
        (criteria(fields=["state"], value="dead"), "values", "inactive"),
        (criteria(fields=["id"], type="CONTAINS"), "type", "EXACT"),
        ({"query": ["x"]}, "query", ""),
        ({"query": "x"}, "query", ""),
        ({"pageSize": 0}, "pageSize", ""),
        ({"pageSize": 501}, "pageSize", ""),
        ({"pageNumber": 10**30}, "pageNumber", ""),
        ({"pageNumber": "1"}, "pageNumber", ""),
        ({"sortBy": "password"}, "sortBy", "department"),
        ({"sortOrder": "UP"}, "sortOrder", "DESC"),
        ({"expand": "authorization"}, "expand", ""),
    ],
)
def test_what_cannot_be_searched_is_400_and_names_what_can(admin, body, field, allowed):
    answer = refused(admin.post("/users/search", body), 400, "invalid.value")
    assert answer["details"][0]["fieldName"] == field
    assert allowed in answer["message"]


# --- Me ------------------------------------------------------------------------------------------


def test_client_credentials_have_no_me(admin, api):
    for caller in (admin, api()):
        body = refused(caller.get("/users/me"), 400, "bad.request")
        assert body["message"] == (
            "This request requires a user context. Client credentials cannot be used for requests to "
            "this resource."
        )
