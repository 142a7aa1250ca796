"""`/users` (wire contract E1 to E3)."""

from __future__ import annotations

import base64
import json
import uuid

import pytest
from django.utils import timezone

from accounts.models import ExternalIdentifier, Group, GroupMember, PhoneNumber, Skill, User
from oauthclients.api.user_details import WRONG_PASSWORDS_PER_MINUTE
from oauthclients.models import Client
from tests.cast import PASSWORD
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
        with django_assert_num_queries(3):  # token and rights, people with their divisions, how many
            admin.get(path)
        with django_assert_num_queries(4):  # and their roles
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


def test_reading_a_person_takes_two_statements_and_one_more_at_the_first_use(
    api, cast, django_assert_max_num_queries
):
    caller = api(("User", cast.east))
    Client.objects.update(last_used_at=None)  # so that this call notes the use as well
    with django_assert_max_num_queries(3):
        assert caller.get(f"/users/{cast.eve.id}").status_code == 200
    with django_assert_max_num_queries(2):
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
        "biography": {"biography": "somebody"},
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


# --- Phone numbers, manager, employer ------------------------------------------------------------


def phone(number: str, kind: str = "WORK") -> dict:
    return {"address": number, "mediaType": "PHONE", "type": kind}


def test_a_person_has_phone_numbers_and_another_email(admin, cast):
    made = admin.post(
        "/users",
        {
            "name": "Dan",
            "email": "dan@acme.example",
            "addresses": [
                phone("+1 317 555 0100"),
                phone("+1 317 555 0101", "mobile"),
                {"address": "Dan@home.example", "mediaType": "EMAIL", "type": "OTHER"},
            ],
            "manager": str(cast.ada.id),
        },
    ).json()
    work = {**phone("+1 317 555 0100"), "display": "+1 317 555 0100"}
    assert made["addresses"] == [
        work,
        {**phone("+1 317 555 0101", "MOBILE"), "display": "+1 317 555 0101"},
        {"address": "dan@home.example", "mediaType": "EMAIL", "type": "OTHER"},
    ]
    assert made["primaryContactInfo"] == [
        {"address": "dan@acme.example", "mediaType": "EMAIL", "type": "PRIMARY"},
        work,
    ]
    assert made["manager"] == {"id": str(cast.ada.id), "selfUri": f"/api/v2/users/{cast.ada.id}"}
    path = f"/users/{made['id']}"
    assert admin.get(path).json() == made
    # What was read can be sent back, and a change of something else keeps it.
    version = made["version"]
    changed = admin.patch(path, {**made, "state": None, "title": "Agent"}).json()
    assert changed == {**made, "title": "Agent", "version": version + 1}
    changed = admin.patch(path, {"version": version + 1, "department": "Sales"}).json()
    assert changed["addresses"] == made["addresses"]
    changed = admin.patch(
        path, {"version": version + 2, "addresses": [phone("1", "MOBILE")], "manager": ""}
    ).json()
    assert [one["type"] for one in changed["addresses"]] == ["MOBILE"]
    assert changed["primaryContactInfo"][1]["address"] == "1"
    assert "manager" not in changed
    cleared = admin.patch(path, {"version": changed["version"], "addresses": []}).json()
    assert (cleared["addresses"], len(cleared["primaryContactInfo"])) == ([], 1)


def test_a_fax_number_is_not_on_the_wire_and_stays(admin, cast):
    PhoneNumber.objects.create(user=cast.eve, kind="fax", value="9", primary=True)
    path = f"/users/{cast.eve.id}"
    before = admin.get(path).json()
    assert before["addresses"] == []
    admin.patch(path, {"version": 1, "addresses": [phone("1")]})
    assert set(PhoneNumber.objects.values_list("kind", "value", "primary")) == {
        ("fax", "9", True),
        ("work", "1", False),
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"addresses": "x"}, "addresses"),
        ({"addresses": ["x"]}, "addresses"),
        ({"addresses": [{}]}, "addresses"),
        ({"addresses": [phone(" ")]}, "addresses"),
        ({"addresses": [phone("x\x00")]}, "addresses"),
        ({"addresses": [phone("x" * 65)]}, "addresses"),
        ({"addresses": [phone("1", "FAX")]}, "addresses"),
        ({"addresses": [phone("1", "PRIMARY")]}, "addresses"),
        ({"addresses": [{**phone("1"), "type": None}]}, "addresses"),
        ({"addresses": [{**phone("1"), "mediaType": "SMS"}]}, "addresses"),
        ({"addresses": [{**phone("1"), "extension": "22"}]}, "addresses"),
        ({"addresses": [phone("1"), phone("2")]}, "addresses"),
        ({"addresses": [{"address": "nobody", "mediaType": "EMAIL"}]}, "addresses"),
        (
            {"addresses": [{"address": f"{n}@x.example", "mediaType": "EMAIL"} for n in range(2)]},
            "addresses",
        ),
        ({"manager": "somebody"}, "manager"),
        ({"manager": 5}, "manager"),
        ({"manager": str(uuid.UUID(int=1))}, "manager"),
        ({"employerInfo": "x"}, "employerInfo"),
        ({"employerInfo": {"dateHire": "soon"}}, "employerInfo"),
        ({"employerInfo": {"employeeId": 5}}, "employeeId"),
        ({"employerInfo": {"employeeId": "x" * 201}}, "employerInfo"),
    ],
)
def test_what_a_person_cannot_have_is_400_and_changes_nothing(admin, cast, change, field):
    path = f"/users/{cast.eve.id}"
    before = admin.get(path).json()
    body = admin.patch(path, {"version": 1, "title": "Changed", **change})
    assert body.status_code == 400, body.content
    assert body.json()["details"][0]["fieldName"] == field
    assert admin.get(path).json() == before


def test_a_manager_is_of_the_same_organization_and_somebody_else(admin, cast):
    path = f"/users/{cast.eve.id}"
    for nobody in (cast.cleo.id, cast.eve.id):
        refused(admin.patch(path, {"version": 1, "manager": str(nobody)}), 400, "invalid.value")


def test_what_an_employer_knows_is_shown_when_asked_for(admin, cast):
    path = f"/users/{cast.eve.id}"
    body = {"version": 1, "employerInfo": {"employeeId": "E7", "dateHire": "2024-02-29"}}
    assert "employerInfo" not in admin.patch(path, body).json()
    assert admin.get(f"{path}?expand=employerInfo").json()["employerInfo"] == {
        "officialName": "Eve",
        "employeeId": "E7",
        "dateHire": "2024-02-29",
    }
    assert "employerInfo" not in admin.get(f"/users/{cast.ada.id}?expand=employerInfo").json()


def test_groups_skills_languages_and_the_last_token_are_shown_when_asked_for(admin, cast):
    group = Group.objects.create(organization=cast.acme, name="Crew")
    GroupMember.objects.create(group=group, user=cast.eve)
    Skill.objects.create(user=cast.eve, kind="skill", name="Billing", proficiency=3)
    Skill.objects.create(user=cast.eve, kind="language", name="French", proficiency=4.5)
    cast.acting_for(cast.eve, cast.app("users").client, "users")
    path = f"/users?id={cast.eve.id},{cast.ada.id}&expand=groups,skills,languages,lasttokenissued"
    eve, ada = sorted(admin.get(path).json()["entities"], key=lambda one: one["name"], reverse=True)
    assert eve["groups"] == [{"id": str(group.id), "name": "Crew", "selfUri": f"/api/v2/groups/{group.id}"}]
    assert eve["skills"] == [{"name": "Billing", "proficiency": 3, "state": "active"}]
    assert eve["languages"] == [{"name": "French", "proficiency": 4.5, "state": "active"}]
    assert eve["lastTokenIssued"]["dateIssued"].endswith("Z")
    assert (ada["groups"], ada["skills"], ada["languages"]) == ([], [], [])
    assert "lastTokenIssued" not in ada


def test_an_app_is_shown_groups_only_with_their_scope(api, cast):
    cast.give(cast.ada, ("Admin", None))
    app = cast.app("users:readonly", "groups:readonly").client
    caller = api()
    for scopes, shown in ((("users:readonly",), False), (("users:readonly", "groups:readonly"), True)):
        caller.headers = cast.acting_for(cast.ada, app, *scopes)
        user = caller.get(f"/users/{cast.eve.id}?expand=groups").json()
        assert ("groups" in user) is shown


def test_who_one_is_does_not_tell_how_to_reach_one(api, cast):
    PhoneNumber.objects.create(user=cast.eve, kind="work", value="1", primary=True)
    User.objects.filter(id=cast.eve.id).update(manager=cast.ada)
    app = cast.app("users:readonly", "user-basic-info").client
    caller = api()
    caller.headers = cast.acting_for(cast.eve, app, "user-basic-info")
    me = caller.get("/users/me?expand=skills,groups,employerInfo").json()
    assert (me["addresses"], len(me["primaryContactInfo"])) == ([], 1)
    assert not me.keys() & {"manager", "skills", "groups", "employerInfo"}
    caller.headers = cast.acting_for(cast.eve, app, "user-basic-info", "users:readonly")
    me = caller.get("/users/me?expand=skills").json()
    assert (len(me["addresses"]), me["manager"]["id"], me["skills"]) == (1, str(cast.ada.id), [])


# --- Invitation and password ---------------------------------------------------------------------


def test_a_person_is_invited_once_and_again_by_force(admin, cast, mailoutbox):
    path = f"/users/{cast.eve.id}/invite"
    response = admin.post(path, b"null")
    assert (response.status_code, response.content) == (204, b"")
    assert mailoutbox[0].to == ["eve@acme.example"]
    refused(admin.post(path), 409, "general.conflict")
    assert len(mailoutbox) == 1
    assert admin.post(f"{path}?force=true").status_code == 204
    assert len(mailoutbox) == 2
    User.objects.filter(id=cast.eve.id).update(state="inactive")
    refused(admin.post(f"{path}?force=true"), 409, "general.conflict")
    admin.delete(f"/users/{cast.eve.id}")
    refused(admin.post(path), 404, "not.found")


def test_a_mail_server_that_refuses_is_503_without_a_time_to_wait(admin, cast, monkeypatch):
    def broken(*args: object, **kwargs: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", broken)
    response = admin.post(f"/users/{cast.eve.id}/invite")
    refused(response, 503, "service.unavailable")
    assert "Retry-After" not in response  # at which the Python SDK would send it ten times more


def test_a_password_is_set(admin, cast):
    path = f"/users/{cast.eve.id}/password"
    response = admin.post(path, {"newPassword": "another long enough password"})
    assert (response.status_code, response.content) == (204, b"")
    assert User.objects.get(id=cast.eve.id).check_password("another long enough password")


@pytest.mark.parametrize(
    "body", [None, {}, {"newPassword": None}, {"newPassword": 5}, {"newPassword": "short"}]
)
def test_what_cannot_be_a_password_is_400(admin, cast, body):
    answer = refused(admin.post(f"/users/{cast.eve.id}/password", body), 400, "invalid.value")
    assert answer["details"][0]["fieldName"] == "newPassword"
    assert User.objects.get(id=cast.eve.id).check_password(PASSWORD)


def test_a_person_changes_their_own_password_and_every_token_ends(api, cast):
    app = cast.app("users").client
    caller = api()
    caller.headers = cast.acting_for(cast.eve, app, "users")
    new = "another long enough password"
    for body, field in (
        ({"oldPassword": "wrong", "newPassword": new}, "oldPassword"),
        ({"newPassword": new}, "oldPassword"),
        ({"oldPassword": PASSWORD}, "newPassword"),
        ({"oldPassword": PASSWORD, "newPassword": "short"}, "newPassword"),
    ):
        answer = refused(caller.post("/users/me/password", body), 400, "invalid.value")
        assert answer["details"][0]["fieldName"] == field
    response = caller.post("/users/me/password", {"oldPassword": PASSWORD, "newPassword": new})
    assert (response.status_code, response.content) == (204, b"")
    assert User.objects.get(id=cast.eve.id).check_password(new)
    refused(caller.get("/users"), 401, "bad.credentials")


def test_an_app_cannot_guess_the_password_of_its_person(api, cast):
    caller = api()
    caller.headers = cast.acting_for(cast.eve, cast.app("users").client, "users")
    body = {"oldPassword": "wrong", "newPassword": "another long enough password"}
    for _try in range(WRONG_PASSWORDS_PER_MINUTE):
        refused(caller.post("/users/me/password", body), 400, "invalid.value")
    body["oldPassword"] = PASSWORD
    refused(caller.post("/users/me/password", body), 429, "too.many.requests.retry.after")
    assert User.objects.get(id=cast.eve.id).check_password(PASSWORD)


# --- State ---------------------------------------------------------------------------------------


def test_a_state_is_read_and_set(admin, cast):
    path = f"/users/{cast.eve.id}/state"
    assert admin.get(path).json() == {"state": "active", "version": 1}
    assert admin.put(path, {"state": "inactive", "version": 1}).json() == {
        "state": "inactive",
        "version": 2,
    }
    refused(admin.put(path, {"state": "active", "version": 1}), 409, "general.conflict")
    assert admin.put(path, {"state": "active"}).json()["state"] == "active"
    for body in ({}, {"state": "deleted"}, {"state": 5}, {"state": "active", "version": "x"}):
        refused(admin.put(path, body), 400, "invalid.value")
    admin.delete(f"/users/{cast.eve.id}")
    assert admin.get(path).json()["state"] == "deleted"
    assert admin.put(path, {"state": "active"}).json()["state"] == "active"


# --- IDs of other systems ------------------------------------------------------------------------


def identified(authority: str, key: str) -> dict[str, str]:
    return {"authorityName": authority, "externalKey": key}


def test_a_person_gets_ids_of_other_systems_and_is_found_by_them(admin, cast):
    path = f"/users/{cast.eve.id}/externalid"
    assert admin.get(path).json() == []
    for authority, key in (("hr", "7"), ("https://idp.example/saml", "CN=Eve/OU=East"), ("hr", "8")):
        response = admin.post(path, identified(authority, key))
        assert response.status_code == 200, response.content
    listed = admin.get(path).json()
    assert [(one["authorityName"], one["externalKey"]) for one in listed] == [
        ("https://idp.example/saml", "CN=Eve/OU=East"),
        ("hr", "8"),
    ]
    for one in listed:
        found = admin.get(one["selfUri"].removeprefix("/api/v2"))
        assert found.json()["id"] == str(cast.eve.id)
    refused(admin.get("/users/externalid/hr/7"), 404, "not.found")
    refused(admin.get("/users/externalid/hr/" + "/" * 200), 404, "not.found")
    for one in listed:
        address = one["selfUri"].removeprefix("/api/v2/users")
        response = admin.delete(f"/users/{cast.eve.id}{address}")
        assert (response.status_code, response.content) == (204, b"")
        refused(admin.delete(f"/users/{cast.eve.id}{address}"), 404, "not.found")
    assert admin.get(path).json() == []


def test_an_id_is_one_persons_in_an_organization(admin, cast):
    ExternalIdentifier.objects.create(organization=cast.globex, user=cast.cleo, authority="hr", value="7")
    assert admin.post(f"/users/{cast.eve.id}/externalid", identified("hr", "7")).status_code == 200
    refused(
        admin.post(f"/users/{cast.ben.id}/externalid", identified("hr", "7")),
        409,
        "resource.already.exists",
    )
    assert admin.get("/users/externalid/hr/7").json()["id"] == str(cast.eve.id)
    refused(admin.get("/users/externalid/hr/nobody"), 404, "not.found")


def test_a_person_elsewhere_is_found_by_no_id(api, cast):
    ExternalIdentifier.objects.create(organization=cast.acme, user=cast.eve, authority="hr", value="7")
    refused(api(("User", cast.west)).get("/users/externalid/hr/7"), 403, "missing.division.permission")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "authorityName"),
        (None, "authorityName"),
        ({"authorityName": "hr"}, "externalKey"),
        (identified("hr", " "), "externalKey"),
        (identified("hr", "x" * 256), "externalKey"),
        ({"authorityName": 5, "externalKey": "7"}, "authorityName"),
    ],
)
def test_what_cannot_be_an_id_is_400(admin, cast, body, field):
    answer = refused(admin.post(f"/users/{cast.eve.id}/externalid", body), 400, "invalid.value")
    assert answer["details"][0]["fieldName"] == field


# --- By app --------------------------------------------------------------------------------------


def test_administering_the_organization_is_not_editing_its_people(api, cast):
    cast.custom_role("Org", "directory:organization:admin")
    cast.custom_role("Editor", "directory:user:edit")
    caller = api(("Org", None), ("Editor", cast.west))
    for response in (
        caller.put(f"/users/{cast.eve.id}/state", {"state": "inactive"}),
        caller.post(f"/users/{cast.eve.id}/externalid", identified("hr", "7")),
        caller.delete(f"/users/{cast.eve.id}/externalid/hr/7"),
    ):
        refused(response, 403, "missing.division.permission")
