"""What SCIM costs does not grow with the organization: the number of statements is the same."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from scim2_models import PatchOp

from accounts.actor import system
from accounts.models import GroupMember, PhoneNumber, RoleGrant, SubjectType, User
from accounts.services import groups
from tests.scim import ENTERPRISE, GENESYS, GROUP, Scim, ok, refused, scim_client


def fill(cast, count: int) -> None:
    """People with numbers, roles and groups."""
    at = User.objects.count()
    made = User.objects.bulk_create(
        User(
            organization=cast.acme,
            division=cast.home,
            email=f"p{at + n}@acme.example",
            name=f"P {at + n}",
            manager=cast.ada,
        )
        for n in range(count)
    )
    PhoneNumber.objects.bulk_create(PhoneNumber(user=one, kind="work", value="1") for one in made)
    role = cast.role("Employee")
    RoleGrant.objects.bulk_create(
        RoleGrant(
            organization=cast.acme,
            subject_type=SubjectType.USER,
            subject_id=one.id,
            role=role,
            division=cast.home,
        )
        for one in made
    )
    group = cast.acme.groups.get()
    GroupMember.objects.bulk_create(GroupMember(group=group, user=one) for one in made)


@pytest.fixture
def scim(cast) -> Scim:
    groups.create(actor=system(cast.acme), name="Agents")
    return scim_client(cast)


def statements(call) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = call()
    assert response.status_code < 300, response.content
    return len(captured)


def test_the_number_of_statements_is_the_same_for_few_and_for_many(scim, cast):
    group = cast.acme.groups.get()
    numbers = iter(range(100))

    def create():
        email = f"new{next(numbers)}@acme.example"
        more = {ENTERPRISE: {"division": "East"}, GENESYS: {"routingSkills": [{"name": "x"}]}}
        return scim.post("/users", {"userName": email, "roles": [{"value": "SCIM Integration"}], **more})

    def patch():
        title = f"title {next(numbers)}"
        return scim.patch(f"/users/{cast.eve.id}", {"op": "replace", "path": "title", "value": title})

    def member():
        there = GroupMember.objects.filter(group=group, user=cast.eve).exists()
        op = "remove" if there else "add"
        return scim.patch(
            f"/groups/{group.id}", {"op": op, "path": "members", "value": [{"value": str(cast.eve.id)}]}
        )

    calls = {
        "list": lambda: scim.get("/users?count=100"),
        "filter": lambda: scim.get(
            "/users?filter=groups%20pr%20and%20roles%20pr%20and%20phoneNumbers%20pr"
        ),
        "get": lambda: scim.get(f"/users/{cast.eve.id}"),
        "create": create,
        "patch": patch,
        "groups": lambda: scim.get("/groups?filter=id%20pr"),
        "group": lambda: scim.get(f"/groups/{group.id}"),
        "member": member,
    }
    fill(cast, 3)
    for call in calls.values():
        call()  # whatever is done once; the member is in the group from here on
    few = {name: statements(call) for name, call in calls.items()}
    fill(cast, 60)
    member()
    assert {name: statements(call) for name, call in calls.items()} == few
    assert few["list"] < 15
    assert few["get"] < 15


def test_a_thousand_members_come_and_go_in_one_operation(scim, cast):
    group = cast.acme.groups.get()
    fill(cast, 1_000)
    members = GroupMember.objects.filter(group=group)
    there = [{"value": str(key)} for key in members.values_list("user_id", flat=True)]
    assert len(there) == 1_000
    for path in ("members", "Members", f"{GROUP}:members"):
        ok(scim.patch(f"/groups/{group.id}", {"op": "remove", "path": path, "value": there}))
        assert not members.exists()
        ok(scim.patch(f"/groups/{group.id}", {"op": "add", "path": path, "value": there}))
        assert members.count() == 1_000
    ok(scim.patch(f"/groups/{group.id}", {"op": "replace", "value": {f"{GROUP}:members": there[:1]}}))
    assert members.count() == 1


# --- A patch is applied before anybody has to wait for it ---------------------------------------------


class Meanwhile:
    """In how many transactions each patch was applied, and what is done after the first one was."""

    def __init__(self, monkeypatch) -> None:
        self.opened: list[int] = []
        self.then = lambda: None
        outside, patch = len(connection.savepoint_ids), PatchOp.patch

        def watched(wanted, *arguments, **more):
            self.opened.append(len(connection.savepoint_ids) - outside)
            done = patch(wanted, *arguments, **more)
            if len(self.opened) == 1:
                self.then()
            return done

        monkeypatch.setattr(PatchOp, "patch", watched)


@pytest.fixture
def meanwhile(monkeypatch, scim) -> Meanwhile:
    return Meanwhile(monkeypatch)


TITLE = {"op": "replace", "path": "title", "value": "Lead"}
NAME = {"op": "replace", "path": "displayName", "value": "Leads"}


def test_a_patch_is_applied_before_the_organization_is_locked(scim, cast, meanwhile):
    assert ok(scim.patch(f"/users/{cast.eve.id}", TITLE))["title"] == "Lead"
    assert ok(scim.patch(f"/groups/{cast.acme.groups.get().id}", NAME))["displayName"] == "Leads"
    assert meanwhile.opened == [0, 0]


@pytest.mark.parametrize(
    "changed", [{"department": "Sales"}, {"name": "Eva"}, {"other_email": "e@x.example"}]
)
def test_what_somebody_else_changed_in_between_stays(scim, cast, meanwhile, changed):
    meanwhile.then = lambda: User.objects.filter(id=cast.eve.id).update(**changed)
    assert ok(scim.patch(f"/users/{cast.eve.id}", TITLE))["title"] == "Lead"
    after = User.objects.get(id=cast.eve.id)
    assert {name: getattr(after, name) for name in changed} == changed
    assert meanwhile.opened == [0, 1]


def test_a_manager_whom_the_client_does_not_see_stays_if_they_came_in_between(cast, meanwhile):
    elsewhere = scim_client(cast, cast.east, name="East alone")
    meanwhile.then = lambda: User.objects.filter(id=cast.eve.id).update(manager=cast.ada)
    ok(elsewhere.patch(f"/users/{cast.eve.id}", TITLE))
    assert User.objects.get(id=cast.eve.id).manager == cast.ada


def test_a_group_that_changed_in_between_keeps_that(scim, cast, meanwhile):
    group = cast.acme.groups.get()
    meanwhile.then = lambda: groups.change(actor=system(cast.acme), group_id=group.id, external_id="g-1")
    ok(scim.patch(f"/groups/{group.id}", NAME))
    group.refresh_from_db()
    assert (group.name, group.external_id) == ("Leads", "g-1")


def test_if_match_holds_for_what_came_in_between(scim, cast, meanwhile):
    tag = scim.get(f"/users/{cast.eve.id}")["ETag"]
    meanwhile.then = lambda: User.objects.filter(id=cast.eve.id).update(department="Sales")
    refused(scim.patch(f"/users/{cast.eve.id}", TITLE, **{"If-Match": tag}), 412)
    assert User.objects.get(id=cast.eve.id).title != "Lead"
