"""Whatever is sent to SCIM, the answer is one of its errors or a success, and never a 500."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim2_models import PatchOp

from accounts.actor import system
from accounts.models import Group
from accounts.services import groups
from tests.scim import ENTERPRISE, ERROR, GENESYS, PATCH, USER, Scim, ok, refused, scim_client

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**63) - 1, 10**400, 1.5, 1e308])
    | st.text(max_size=10)
    | st.sampled_from(
        ["", "\x00", "True", "work", "x@acme.example", "SCIM Integration", "East", "2026-01-01"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.fixed_dictionaries({"value": inner, "type": inner, "primary": inner})
        | st.fixed_dictionaries({"name": inner, "proficiency": inner})
        | st.fixed_dictionaries({"authority": inner, "value": inner})
    ),
    max_leaves=6,
)
NAMES = [
    "schemas",
    "id",
    "externalId",
    "userName",
    "displayName",
    "name",
    "title",
    "active",
    "password",
    "emails",
    "phoneNumbers",
    "groups",
    "roles",
    "members",
    "meta",
    "nope",
    ENTERPRISE,
    GENESYS,
]
COMPANY = ["division", "department", "employeeNumber", "dateHire", "manager"]
VENDOR = ["routingSkills", "routingLanguages", "externalIds"]
PATHS = [
    *NAMES,
    *(f"{ENTERPRISE}:{name}" for name in COMPANY),
    *(f"{GENESYS}:{name}" for name in VENDOR),
    "name.formatted",
    "emails.value",
    'emails[type eq "work"].value',
    'phoneNumbers[type eq "mobile"]',
    'roles[primary eq "True"].value',
    'members[value eq "x"]',
    f"{ENTERPRISE}:manager.value",
    "[",
    "",
]
WHOLE = (
    st.fixed_dictionaries(
        {"schemas": st.just([USER]), "userName": st.just("dan@acme.example") | VALUES},
        optional={
            **dict.fromkeys([name for name in NAMES[2:] if name != "userName"], VALUES),
            ENTERPRISE: st.fixed_dictionaries({}, optional=dict.fromkeys(COMPANY, VALUES)) | VALUES,
            GENESYS: st.fixed_dictionaries({}, optional=dict.fromkeys(VENDOR, VALUES)) | VALUES,
        },
    )
    | VALUES
)
OPERATION = (
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "Replace", "REMOVE"]) | VALUES},
        optional={
            "path": st.sampled_from(PATHS) | VALUES,
            "value": VALUES | st.dictionaries(st.sampled_from(PATHS), VALUES, max_size=3),
        },
    )
    | VALUES
)
PATCHES = st.fixed_dictionaries(
    {"schemas": st.just([PATCH]), "Operations": st.lists(OPERATION, max_size=3)}
)

many = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def scim(cast) -> Scim:
    return scim_client(cast)


def answered(response) -> None:
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert response.json()["schemas"] == [ERROR]


@many
@given(body=WHOLE)
def test_any_json_for_a_person(scim, cast, body):
    answered(scim.post("/users", body))
    answered(scim.put(f"/users/{cast.eve.id}", body))


@many
@given(body=PATCHES | VALUES)
def test_any_json_for_a_patch(scim, cast, body):
    answered(scim.send("PATCH", f"/users/{cast.eve.id}", body))


@many
@given(body=PATCHES | WHOLE)
def test_any_json_for_a_group(scim, cast, body):
    made = a_group(cast)
    answered(scim.send("PATCH", f"/groups/{made.id}", body))
    answered(scim.put(f"/groups/{made.id}", body))


def a_group(cast) -> Group:
    found = Group.objects.filter(organization=cast.acme).first()
    return found or groups.create(actor=system(cast.acme), name="Agents")


@many
@given(text=st.text(max_size=30) | st.sampled_from(PATHS))
def test_any_text_in_a_query(scim, text):
    for name in ("filter", "sortBy", "attributes", "excludedAttributes", "count", "startIndex"):
        answered(scim.get(f"/users?{name}={quote(text)}"))


@pytest.mark.parametrize("depth", [100, 900, 5_000])
def test_json_that_is_nested_deeply(scim, cast, depth):
    for opening, closing in (("[", "]"), ('{"name":', "}")):
        deep = opening * depth + "1" + closing * depth
        answered(scim.post("/users", deep.encode()))
        value = f'{{"Operations":[{{"op":"add","path":"name","value":{deep}}}]}}'
        answered(scim.send("PATCH", f"/users/{cast.eve.id}", value.encode()))


# --- What a PATCH may cost ---------------------------------------------------------------------------

SKILLS = f"{GENESYS}:routingSkills"


def test_fifty_operations_are_done_and_one_more_is_not(scim, cast):
    operations = [{"op": "replace", "path": "title", "value": f"x{n}"} for n in range(51)]
    refused(scim.patch(f"/users/{cast.eve.id}", *operations), 400, "invalidValue", says="50 operations")
    assert ok(scim.patch(f"/users/{cast.eve.id}", *operations[:50]))["title"] == "x49"
    made = a_group(cast)
    operations = [{"op": "remove", "path": f'members[value eq "{cast.eve.id}"]'}] * 51
    refused(scim.patch(f"/groups/{made.id}", *operations), 400, "invalidValue", says="50 operations")
    assert scim.patch(f"/groups/{made.id}", *operations[:50]).status_code == 200


def skills(count: int, begin: int = 0) -> list[dict[str, object]]:
    return [{"name": f"skill {n}", "proficiency": 1} for n in range(begin, begin + count)]


@pytest.mark.parametrize(
    ("operations", "says"),
    [
        ([{"op": "add", "value": {f'emails[value eq "{n}"].value': "x" for n in range(51)}}], "operations"),
        ([{"op": "add", "value": {f"unknown{n}": n for n in range(1_001)}}], "1000 values"),
        ([{"op": "replace", "path": "roles", "value": [{}] * 1_001}], "1000 values"),
        ([{"op": "add", "path": SKILLS, "value": skills(10, n)} for n in range(0, 110, 10)], "100 entries"),
        ([{"op": "add", "value": {GENESYS: {"routingSkills": skills(101)}}}], "100 entries"),
        ([{"op": "add", "path": f"{n}nope" * 100, "value": 1} for n in range(50)], "10000 characters"),
        (
            [{"op": "replace", "path": f"{SKILLS}.proficiency", "value": n % 5} for n in range(50)],
            "several",
        ),
        ([{"op": "remove", "path": f'{SKILLS}[name eq "x" or name eq "y"]'}] * 50, "several"),
        ([{"op": "remove", "path": SKILLS, "value": [{"name": "x"}] * 20}] * 20, "several"),
        (
            [
                {
                    "op": "add",
                    "path": f'phoneNumbers[type eq "mobile" and value eq "{n}"].value',
                    "value": "1",
                }
                for n in range(50)
            ],
            "several",
        ),
        ([{"op": "add", "value": {f"{SKILLS}.proficiency": 1, "roles.value": "x"}}] * 50, "several"),
    ],
)
def test_a_patch_that_would_take_long_is_refused_before_it_is_applied(
    scim, cast, monkeypatch, operations, says
):
    made = scim.made(**{GENESYS: {"routingSkills": skills(100)}})
    monkeypatch.setattr(PatchOp, "patch", None)
    refused(scim.patch(f"/users/{made['id']}", *operations), 400, "invalidValue", says=says)


@pytest.mark.parametrize(
    "more",
    [
        {GENESYS: {"routingSkills": skills(101)}},
        {GENESYS: {"routingLanguages": skills(101)}},
        {"emails": [{"value": "x@x.example"}] * 101},
        {"roles": [{"value": "SCIM Integration"}] * 101},
    ],
)
def test_a_long_list_is_refused(scim, cast, more):
    body = {"schemas": [USER], "userName": "dan@acme.example", **more}
    refused(scim.post("/users", body), 400, "invalidValue", says="100 entries")
    refused(scim.put(f"/users/{cast.eve.id}", body), 400, "invalidValue", says="100 entries")


def test_what_the_most_there_can_be_asks_for_is_done(scim):
    lists = {
        "routingSkills": skills(100),
        "routingLanguages": skills(100),
        "externalIds": [{"authority": f"a{n}", "value": "1"} for n in range(100)],
    }
    made = scim.made()
    after = scim.changed(made["id"], {"op": "add", "value": {GENESYS: lists}})[GENESYS]
    assert {name: len(entries) for name, entries in after.items()} == dict.fromkeys(lists, 100)
    by_filter = [
        {"op": "replace", "path": f'{SKILLS}[name eq "skill {n}"].proficiency', "value": 5}
        for n in range(20)
    ]
    after = scim.changed(made["id"], *by_filter)[GENESYS]["routingSkills"]
    assert [one["proficiency"] for one in after].count(5) == 20
    away = [{"name": one["name"]} for one in skills(100)]
    after = scim.changed(made["id"], {"op": "remove", "path": SKILLS, "value": away})
    assert "routingSkills" not in after[GENESYS]


@pytest.mark.parametrize(
    "operations", [{"op": "add", "path": "displayName", "value": "x"}, "x", 1, None, [[]], [None], {}]
)
def test_operations_that_are_none(scim, cast, operations):
    for path in (f"/users/{cast.eve.id}", f"/groups/{a_group(cast).id}"):
        body = {"schemas": [PATCH], "Operations": operations}
        assert scim.send("PATCH", path, body).status_code == 400
        assert scim.send("PATCH", path, {**body, "operations": operations}).status_code == 400


def test_thousands_of_members_that_are_nobody(scim, cast):
    made = groups.create(actor=system(cast.acme), name="Agents")
    ids = [{"value": f"11111111-1111-4111-8111-{n:012}"} for n in range(6_000)]
    refused(
        scim.patch(f"/groups/{made.id}", {"op": "add", "path": "members", "value": ids}),
        400,
        "invalidValue",
    )


def test_a_control_character_is_told(scim):
    body = json.dumps({"schemas": [USER], "userName": "x@acme.example", "title": "a\x00b"}).encode()
    refused(scim.post("/users", body), 400, "invalidValue", says="title")
