from __future__ import annotations

import pytest

from accounts import queries
from accounts.errors import Conflict, Invalid, NotAllowed, NotFound
from accounts.models import AuditEvent, RoleGrant, User
from accounts.services import people
from accounts.services.people import PersonSpec


@pytest.fixture
def east_admin(cast):
    """Somebody who may do everything with people, but in East only."""
    person = cast.person("Ines", cast.east)
    cast.give(person, ("People Admin", cast.east))
    return cast.actor(person)


def test_a_new_person_sits_in_the_division_and_holds_no_role(cast, east_admin):
    person = people.create(
        actor=east_admin, spec=PersonSpec(name="Nils", email="NILS@acme.example", division_id=cast.east.id)
    )

    assert (person.division, person.email, person.has_usable_password()) == (
        cast.east,
        "nils@acme.example",
        False,
    )
    assert not RoleGrant.objects.filter(subject_id=person.id).exists()


def test_adding_somebody_in_another_division_is_refused_and_adds_nobody(cast, east_admin):
    with pytest.raises(NotAllowed) as refused:
        people.create(
            actor=east_admin, spec=PersonSpec(name="N", email="n@x.example", division_id=cast.west.id)
        )

    assert refused.value.code == "missing.division.permission"
    assert not User.objects.filter(email="n@x.example").exists()


def test_another_organizations_division_is_not_found(cast):
    theirs = queries.home_division(cast.globex)

    with pytest.raises(NotFound):
        people.create(
            actor=cast.actor(cast.ada),
            spec=PersonSpec(name="N", email="n@x.example", division_id=theirs.id),
        )


def test_all_problems_are_told_at_once(cast):
    with pytest.raises(Invalid) as refused:
        people.create(
            actor=cast.actor(cast.ada),
            spec=PersonSpec(name=" ", email="nobody", password="short", state="x"),
        )

    assert {problem.field for problem in refused.value.problems} == {"name", "email", "password", "state"}


def test_an_email_is_taken_even_by_a_person_of_another_organization_who_stays_invisible(cast):
    with pytest.raises(Conflict) as refused:
        people.create(actor=cast.actor(cast.ada), spec=PersonSpec(name="N", email=cast.cleo.email.upper()))

    assert "Globex" not in refused.value.message


def test_changing_one_field_keeps_the_rest_and_raises_the_version(cast):
    person = cast.person("Nils", cast.east, title="Agent")

    changed = people.change(
        actor=cast.actor(cast.ada), user_id=person.id, version=1, values={"department": "Sales"}
    )

    assert (changed.title, changed.department, changed.version) == ("Agent", "Sales", 2)
    line = AuditEvent.objects.get(entity_id=person.id, action="user.edited")
    assert (line.before, line.after) == ({"department": ""}, {"department": "Sales"})


def test_a_stale_version_changes_nothing(cast):
    person = cast.person("Nils", cast.east)
    people.change(actor=cast.actor(cast.ada), user_id=person.id, version=1, values={"title": "A"})

    with pytest.raises(Conflict):
        people.change(actor=cast.actor(cast.ada), user_id=person.id, version=1, values={"title": "B"})

    assert User.objects.get(id=person.id).title == "A"


def test_somebody_in_another_division_cannot_be_changed_or_deleted(cast, east_admin):
    person = cast.person("Nils", cast.west)

    with pytest.raises(NotAllowed):
        people.change(actor=east_admin, user_id=person.id, version=1, values={"title": "B"})
    with pytest.raises(NotAllowed):
        people.delete(actor=east_admin, user_id=person.id)


def test_somebody_of_another_organization_is_not_found(cast):
    for user_id in (cast.cleo.id, "not-an-id"):
        with pytest.raises(NotFound):
            people.delete(actor=cast.actor(cast.ada), user_id=user_id)


def test_a_deleted_person_can_be_revived_and_holds_nothing_then(cast):
    ada = cast.actor(cast.ada)
    person = cast.person("Nils", cast.east)
    cast.give(person, ("Supervisor", cast.east))
    people.delete(actor=ada, user_id=person.id)
    people.delete(actor=ada, user_id=person.id)

    with pytest.raises(Conflict):
        people.change(actor=ada, user_id=person.id, version=2, values={"title": "B"})
    revived = people.change(
        actor=ada, user_id=person.id, version=2, values={"state": "active", "title": "B"}
    )

    assert (revived.state, revived.title) == ("active", "B")
    assert not queries.access_of(cast.acme.id, person.id).held


def test_a_change_that_changes_nothing_writes_nothing(cast):
    person = cast.person("Nils", cast.east, title="Agent")

    same = people.change(
        actor=cast.actor(cast.ada), user_id=person.id, version=1, values={"title": " Agent "}
    )

    assert same.version == User.objects.get(id=person.id).version == 1
    assert not AuditEvent.objects.filter(entity_id=person.id, action="user.edited").exists()


def test_editing_somebody_cannot_delete_them(cast):
    person = cast.person("Nils", cast.east)

    with pytest.raises(Invalid):
        people.change(actor=cast.actor(cast.ada), user_id=person.id, version=1, values={"state": "deleted"})

    assert User.objects.get(id=person.id).state == "active"


def test_a_person_who_was_deactivated_once_has_to_sign_in_again(cast, browser_of):
    browser = browser_of(cast.ben)
    ada = cast.actor(cast.ada)

    people.change(actor=ada, user_id=cast.ben.id, version=1, values={"state": "inactive"})
    assert browser.get("/admin/").status_code == 302
    people.change(actor=ada, user_id=cast.ben.id, version=2, values={"state": "active"})

    assert browser.get("/admin/").status_code == 302


def test_a_change_of_a_title_signs_nobody_out(cast, browser_of):
    browser = browser_of(cast.ben)

    people.change(actor=cast.actor(cast.ada), user_id=cast.ben.id, version=1, values={"title": "Lead"})

    assert browser.get("/admin/").status_code == 200
