"""RFC 7644 3.4.2: filters, orders, pages and the attributes of an answer. All of it is the database's work."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from django.db import connection
from scim2_models import ScimFilter

from accounts import queries
from accounts.actor import system
from accounts.models import User
from accounts.services import groups, people, provisioning
from oauthclients.api.scim import filters
from oauthclients.api.scim.models import Person
from tests.scim import ENTERPRISE, GENESYS, USER, Scim, ok, refused, scim_client
from tests.standing import standing

EVERYBODY = [
    "ada@acme.example",
    "ann@acme.example",
    "ben@acme.example",
    "dan@acme.example",
    "eve@acme.example",
]


@standing
def scim(cast) -> Scim:
    """Dan has one of everything, Ann has other values of some."""
    scim = scim_client(cast)
    scim.made(
        displayName="Dan Doe",
        externalId="D-7",
        title="Agent",
        name={"givenName": "Dan", "familyName": "Doe"},
        emails=[{"type": "other", "value": "dan@home.example"}],
        phoneNumbers=[
            {"type": "work", "value": "+1 555 0100", "primary": True},
            {"type": "mobile", "value": "+1 555 0199"},
        ],
        roles=[{"value": "SCIM Integration"}],
        **{
            ENTERPRISE: {
                "division": "East",
                "department": "Sales",
                "employeeNumber": "7",
                "dateHire": "2024-02-29",
                "manager": {"value": str(cast.ada.id)},
            },
            GENESYS: {
                "routingSkills": [{"name": "Billing", "proficiency": 4.5}],
                "routingLanguages": [{"name": "English", "proficiency": 5}],
                "externalIds": [{"authority": "https://idp.example", "value": "Dan"}],
            },
        },
    )
    scim.made(
        "ann@acme.example",
        displayName="ann",
        active=False,
        phoneNumbers=[{"type": "mobile", "value": "+44 20"}],
        **{ENTERPRISE: {"division": "West", "dateHire": "2026-01-01"}},
    )
    User.objects.filter(email="ann@acme.example").update(created_at=datetime(2040, 1, 1, tzinfo=UTC))
    dan = User.objects.get(email="dan@acme.example")
    made = groups.create(actor=system(cast.acme), name="Agents")
    groups.change_members(actor=system(cast.acme), group_id=made.id, spec=lambda _present: [dan.id])
    return scim


DAN = ["dan@acme.example"]
ANN = ["ann@acme.example"]


@pytest.mark.parametrize(
    "filter",
    [
        'userName eq "DAN@acme.example"',
        'username EQ "dan@acme.example"',
        f'{USER}:userName eq "dan@acme.example"',
        'userName sw "DAN" and userName ew "EXAMPLE" and userName co "@acme"',
        'externalId eq "D-7"',
        'displayName eq "dan doe"',
        'displayName sw "Dan" and not (displayName eq "Dan")',
        'name.givenName eq "dan" and name.familyName co "o"',
        'name.formatted eq "Dan Doe"',
        "title pr",
        'title ne null and title eq "AGENT"',
        'title gt "aaa" and title le "agent"',
        'emails.type eq "other"',
        'emails[type eq "other" and value co "@home"]',
        'emails[type eq "work" and value co "dan"]',
        'emails[type eq "work"].value eq "dan@acme.example"',
        'emails eq "dan@home.example"',
        'emails[not (type eq "work")]',
        'phoneNumbers.value eq "+1 555 0199"',
        'phoneNumbers[type eq "work" and primary eq true]',
        'phoneNumbers[type eq "mobile" and value sw "+1"]',
        'phoneNumbers[type eq "mobile"] and phoneNumbers[type eq "work"]',
        "groups pr",
        'groups.display eq "agents"',
        'groups[type eq "direct" and display co "gen"]',
        'roles eq "scim integration" and userName sw "dan"',
        'roles[value sw "SCIM"] and not (roles.value eq "Admin")',
        f'{ENTERPRISE}:division eq "east" and userName sw "dan"',
        f'{ENTERPRISE}:department eq "sales"',
        f'{ENTERPRISE}:employeeNumber eq "7"',
        f'{ENTERPRISE}:dateHire lt "2025-01-01"',
        f'{ENTERPRISE}:dateHire eq "2024-02-29"',
        f"{ENTERPRISE}:manager pr",
        f'{ENTERPRISE}:manager.displayName eq "Ada"',
        f'{GENESYS}:routingSkills[name eq "Billing" and proficiency ge 4]',
        f"{GENESYS}:routingLanguages.proficiency eq 5",
        f'{GENESYS}:externalIds[authority eq "https://idp.example" and value eq "Dan"]',
        '(title pr or groups pr) and (active eq true or userName eq "x")',
    ],
)
def test_a_filter_finds_dan_alone(scim, filter):
    assert scim.found(filter) == DAN


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("active eq false", ANN),
        ("active ne true", ANN),
        ('active eq "False"', ANN),
        ("not (active eq true)", ANN),
        ("userName pr", EVERYBODY),
        ("active pr", EVERYBODY),
        ("meta.created pr and id pr", EVERYBODY),
        ('meta.resourceType eq "User"', EVERYBODY),
        ('meta.resourceType eq "Group"', []),
        ('meta.created gt "2020-01-01T00:00:00Z"', EVERYBODY),
        ('meta.lastModified lt "2020-01-01T00:00:00+01:00"', []),
        ('meta.created ge "2020-01-01T00:00:00"', EVERYBODY),
        (f'{ENTERPRISE}:dateHire gt "2020-01-01"', ["ann@acme.example", "dan@acme.example"]),
        (f'not ({ENTERPRISE}:dateHire gt "2025-01-01")', [one for one in EVERYBODY if one not in ANN]),
        # `ne` on several values: none of them is equal.
        ('phoneNumbers.type ne "work"', [one for one in EVERYBODY if one not in DAN]),
        ('emails.type ne "other"', [one for one in EVERYBODY if one not in DAN]),
        ('title ne "Agent"', [one for one in EVERYBODY if one not in DAN]),
        ("title eq null", [one for one in EVERYBODY if one not in DAN]),
        ('id eq "nobody"', []),
        ('id ne "nobody"', EVERYBODY),
        ('externalId eq "d-7"', []),  # these are compared in their very case
        (f'{GENESYS}:externalIds.value eq "dan"', []),
        ('userName eq "100%" or userName co "_"', []),
        ('userName eq "x\\" or userName pr or userName eq \\""', []),
    ],
)
def test_what_a_filter_finds(scim, filter, found):
    assert scim.found(filter) == found


@pytest.mark.parametrize(
    "filter",
    [
        'nickName eq "x"',
        'emails.display eq "x"',
        'emails[nope eq "x"]',
        'urn:x:y:userName eq "x"',
        'name eq "x"',
        "userName eq 5",
        "userName co 5",
        'active eq "maybe"',
        "active gt true",
        'active co "t"',
        'meta.created eq "yesterday"',
        'meta.created co "2026"',
        'meta.version eq "x"',
        "meta.location pr",
        'id co "a"',
        'id gt "a"',
        'password eq "x"',
        "password pr",
        "schemas pr",
        "groups.$ref pr",
        f'{ENTERPRISE}:dateHire eq "soon"',
        f'{ENTERPRISE}:costCenter eq "x"',
        f'{GENESYS}:routingSkills eq "x"',
        f'{GENESYS}:routingSkills.proficiency eq "x"',
        f"{GENESYS}:routingSkills.proficiency gt 1e999",
        f"{GENESYS}:routingSkills.proficiency gt {10**400}",
        'title[value eq "x"]',
        "roles.primary eq true",
        'userName eq "\\u0000"',
        'userName co "\\ud800"',
        'userName eq "x',
        "userName eq x",
        "userName",
        "((((",
        "(" * 500 + "userName pr",
        "not (" * 40 + "userName pr" + ")" * 40,
        " or ".join(["userName pr"] * (filters.MOST_COMPARISONS + 1)),
        'userName eq "' + "x" * filters.LONGEST + '"',
    ],
    ids=lambda filter: filter[:60],
)
def test_a_filter_that_cannot_be_meant_is_400_invalid_filter(scim, filter):
    refused(scim.get("/users?filter=" + quote(filter)), 400, "invalidFilter")


def test_as_many_comparisons_as_are_allowed_are_no_problem(scim):
    many = " or ".join(['emails.value eq "x"'] * (filters.MOST_COMPARISONS - 1) + ['userName sw "dan"'])
    assert scim.found(many) == DAN


def test_a_filter_on_the_user_name_uses_an_index_of_the_email(cast):
    rows = people_found(cast.actor(cast.ada), 'userName eq "Dan@acme.example"')
    assert '"email" = dan@acme.example' in str(rows.query)
    # As many as make the database look for a way; a handful is read faster without any index.
    User.objects.bulk_create(
        User(organization=cast.acme, division=cast.home, email=f"p{n}@acme.example", name=f"P {n}")
        for n in range(2_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        found = connection.introspection.get_constraints(cursor, User._meta.db_table)
    of_email = [name for name, one in found.items() if one["columns"][-1:] == ["email"]]
    assert "user_by_email" in of_email
    # By the address, and not only by the organization that comes first in the index.
    names = "|".join(map(re.escape, of_email))
    by_it = {
        "sqlite": rf"USING INDEX ({names}) \([^)]*\bemail=\?",
        "postgresql": rf"Index Scan using ({names}) on .*\n *Index Cond: .*\bemail\b.*dan@acme\.example",
    }[connection.vendor]
    plan = rows.explain()
    assert re.search(by_it, plan), plan


def people_found(actor, text: str):
    where = filters.where(ScimFilter[Person](text), filters.of_people(actor))
    return provisioning.persons(actor).filter(where)


# --- What is not seen ------------------------------------------------------------------------------


def test_a_filter_says_nothing_of_what_the_client_does_not_see(scim, cast):
    east = scim_client(cast, cast.east, name="East only")
    assert east.found("userName pr") == ["dan@acme.example", "eve@acme.example"]
    # Ada, in Home, is Dan's manager; Dan holds his role in East; Eve holds Employee in Home.
    assert east.found(f"{ENTERPRISE}:manager pr") == []
    assert east.found(f'{ENTERPRISE}:manager.value eq "{cast.ada.id}"') == []
    assert east.found("roles pr") == DAN
    assert scim.found("roles pr") == [
        "ada@acme.example",
        "ben@acme.example",
        "dan@acme.example",
        "eve@acme.example",
    ]


def test_deleted_people_and_other_organizations_are_not_found(scim, cast):
    people.delete(actor=system(cast.acme), user_id=cast.eve.id)
    assert scim.found('userName eq "eve@acme.example"') == []
    assert scim.found('userName eq "cleo@globex.example" or displayName eq "Cleo"') == []


# --- Groups ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ('displayName eq "agents"', ["Agents"]),
        ('displayName ne "agents"', ["Empty"]),
        ("members pr", ["Agents"]),
        ('members.display eq "dan doe"', ["Agents"]),
        ('members[type eq "User" and display sw "Dan"]', ["Agents"]),
        ("not (members pr)", ["Empty"]),
        ('externalId pr or id eq "x"', []),
        ('meta.resourceType eq "Group" and meta.created pr', ["Agents", "Empty"]),
    ],
)
def test_groups_are_filtered_likewise(scim, cast, filter, found):
    groups.create(actor=system(cast.acme), name="Empty")
    assert scim.found(filter, "groups") == found


def test_a_member_is_found_by_id(scim, cast):
    dan = queries.people(cast.acme).get(email="dan@acme.example")
    assert scim.found(f'members.value eq "{dan.id}"', "groups") == ["Agents"]
    assert scim.found(f'members[value eq "{cast.eve.id}"]', "groups") == []


# --- Orders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "ends"),
    [
        ("userName", {0: "ada@acme.example", -1: "eve@acme.example"}),
        ("displayName", {0: "ada@acme.example", -1: "eve@acme.example"}),
        ("emails", {0: "ada@acme.example", -1: "eve@acme.example"}),
        # Where several are alike, any of them may be at that end.
        ("meta.created", {-1: "ann@acme.example"}),
        ("active", {0: "ann@acme.example"}),
        ("phoneNumbers", {0: "dan@acme.example"}),
        ("groups.display", {0: "dan@acme.example"}),
        ("roles", {0: "ada@acme.example", -1: "ann@acme.example"}),
        (f"{ENTERPRISE}:division", {-1: "ann@acme.example"}),
        (f"{ENTERPRISE}:dateHire", {0: "dan@acme.example"}),
        (f"{ENTERPRISE}:manager.displayName", {0: "dan@acme.example"}),
        (f"{GENESYS}:routingSkills.proficiency", {0: "dan@acme.example"}),
    ],
)
def test_an_order_and_its_reverse(scim, by, ends):
    up = ok(scim.get(f"/users?sortBy={by}"))["Resources"]
    down = ok(scim.get(f"/users?sortBy={by}&sortOrder=descending"))["Resources"]
    names = [one["userName"] for one in up]
    assert [one["userName"] for one in down] == names[::-1]
    assert sorted(names) == EVERYBODY
    assert {end: names[end] for end in ends} == ends


def test_those_without_a_value_come_last(scim):
    names = [one["userName"] for one in ok(scim.get("/users?sortBy=title"))["Resources"]]
    assert names[0] == "dan@acme.example"


@pytest.mark.parametrize(
    ("query", "scim_type"),
    [
        ("sortBy=nope", "invalidPath"),
        ("sortBy=name", "invalidPath"),
        ("sortBy=password", "invalidPath"),
        ("sortBy=meta.version", "invalidPath"),
        ('sortBy=emails%5Btype%20eq%20"work"%5D', "invalidPath"),
        ("sortBy=userName&sortOrder=sideways", "invalidValue"),
        ("count=many", "invalidValue"),
        ("startIndex=first", "invalidValue"),
        ("attributes=%5B", "invalidPath"),
        ("attributes=userName&excludedAttributes=title", "invalidValue"),
        ("count=%00", "invalidValue"),
    ],
)
def test_a_query_that_cannot_be_meant_is_400(scim, query, scim_type):
    refused(scim.get(f"/users?{query}"), 400, scim_type)


# --- Pages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "start", "names"),
    [
        ("", 1, EVERYBODY),
        ("count=2", 1, EVERYBODY[:2]),
        ("count=2&startIndex=2", 2, EVERYBODY[1:3]),
        ("count=2&startIndex=5", 5, EVERYBODY[4:]),
        ("startIndex=0", 1, EVERYBODY),
        ("startIndex=-9", 1, EVERYBODY),
        ("count=0", 1, []),
        ("count=-1", 1, []),
        ("startIndex=6", 6, []),
        ("startIndex=99999999999999999999", 99999999999999999999, []),
        ("count=99999999999999999999", 1, EVERYBODY),
        ("count=&startIndex=&filter=", 1, EVERYBODY),
    ],
)
def test_pages(scim, query, start, names):
    answer = ok(scim.get(f"/users?{query}"))
    assert [one["userName"] for one in answer["Resources"]] == names
    assert (answer["startIndex"], answer["itemsPerPage"], answer["totalResults"]) == (start, len(names), 5)


def test_a_page_has_25_people_unless_asked_otherwise_and_500_at_most(scim, cast):
    User.objects.bulk_create(
        User(organization=cast.acme, division=cast.home, email=f"p{n:03}@acme.example", name=f"P {n}")
        for n in range(600)
    )
    assert ok(scim.get("/users"))["itemsPerPage"] == 25
    answer = ok(scim.get("/users?count=1000"))
    assert (answer["itemsPerPage"], answer["totalResults"]) == (500, 605)
    rest = ok(scim.get("/users?count=1000&startIndex=501"))
    seen = [one["id"] for one in answer["Resources"] + rest["Resources"]]
    assert len(set(seen)) == 605


# --- The attributes of an answer -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("attributes=userName", {"schemas", "id", "userName"}),
        ("attributes=USERNAME,title", {"schemas", "id", "userName", "title"}),
        ("attributes=userName&attributes=title", {"schemas", "id", "userName", "title"}),
        ("attributes=emails.value", {"schemas", "id", "emails"}),
        (f"attributes={ENTERPRISE}:department", {"schemas", "id", ENTERPRISE}),
        ("attributes=password", {"schemas", "id"}),
        ("attributes=nope", {"schemas", "id"}),
    ],
)
def test_only_the_attributes_asked_for_are_returned(scim, query, keys):
    answer = ok(scim.get(f"/users?filter=title%20pr&{query}"))
    assert answer["Resources"][0].keys() == keys
    id = answer["Resources"][0]["id"]
    assert ok(scim.get(f"/users/{id}?{query}")).keys() == keys


def test_excluded_attributes_are_left_out_but_for_the_id(scim):
    answer = ok(scim.get(f"/users?filter=title%20pr&excludedAttributes=id,emails,groups,{GENESYS}"))
    keys = answer["Resources"][0].keys()
    assert {"id", "userName", "title"} <= keys
    assert not keys & {"emails", "groups", GENESYS}


def test_a_write_answers_with_the_attributes_asked_for(scim):
    made = scim.post("/users?attributes=userName", {"schemas": [USER], "userName": "x@acme.example"})
    assert ok(made, 201).keys() == {"schemas", "id", "userName"}
