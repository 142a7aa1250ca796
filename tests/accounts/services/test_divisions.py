"""Making, emptying, deleting and restoring divisions."""

from __future__ import annotations

import pytest

from accounts import queries
from accounts.errors import Conflict, DomainError, NotAllowed, NotFound
from accounts.models import AuditEvent, Division, RoleGrant, User
from accounts.services import divisions, people


def held_by(cast, user):
    return {(one.role_name, one.division_id) for one in queries.access_of(cast.acme.id, user.id).held}


def test_a_division_gives_its_maker_no_right_in_it(cast):
    cast.custom_role("Builder", "authorization:division:add", "authorization:grant:add")
    cast.give(cast.ben, ("Builder", cast.home))

    made = divisions.create(actor=cast.actor(cast.ben), name=" North ", description="Cold")

    assert (made.name, made.description, made.home) == ("North", "Cold", False)
    assert made.id not in cast.actor(cast.ben).access.divisions_for("authorization:grant:add")
    assert AuditEvent.objects.filter(action="division.created", entity_id=made.id).exists()


def test_making_one_takes_both_permissions(cast):
    cast.custom_role("Builder", "authorization:division:add")
    cast.give(cast.ben, ("Builder", None))
    with pytest.raises(NotAllowed) as refused:
        divisions.create(actor=cast.actor(cast.ben), name="North")
    assert refused.value.missing == ("authorization:grant:add",)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("  ", "division.name.invalid"),
        ("*", "division.name.invalid"),
        ("a\u202eb", "division.name.invalid"),
        ("x" * 201, "max.length.exceeded"),
        ("EAST", "resource.already.exists"),
    ],
)
def test_a_division_needs_a_name_of_its_own(cast, name, code):
    with pytest.raises(DomainError) as refused:
        divisions.create(actor=cast.actor(cast.ada), name=name)
    assert refused.value.code == code


def test_there_are_not_too_many(cast, settings):
    settings.MAX_DIVISIONS_PER_ORGANIZATION = 3
    with pytest.raises(DomainError) as refused:
        divisions.create(actor=cast.actor(cast.ada), name="North")
    assert refused.value.code == "max.scopes.exceeded"


def test_a_change_keeps_the_rest_and_overwrites_nobodys(cast):
    ada = cast.actor(cast.ada)
    divisions.change(actor=ada, division_id=cast.east.id, description="Sunrise", version=1)
    changed = divisions.change(actor=ada, division_id=cast.east.id, name="Orient")
    assert (changed.name, changed.description, changed.version) == ("Orient", "Sunrise", 3)
    with pytest.raises(Conflict):
        divisions.change(actor=ada, division_id=cast.east.id, name="Levant", version=2)


def test_people_are_moved_by_who_may_edit_them_here_and_there(cast):
    cast.custom_role("Mover", "directory:user:edit")
    cast.give(cast.ben, ("Mover", cast.home), ("Mover", cast.west))
    ben = cast.actor(cast.ben)

    with pytest.raises(NotAllowed) as refused:  # Eve is in East
        divisions.move_people(actor=ben, division_id=cast.west.id, user_ids=[cast.eve.id])
    assert refused.value.divisions == ("East",)
    with pytest.raises(NotAllowed):  # Ada is in Home, and East is not Ben's
        divisions.move_people(actor=ben, division_id=cast.east.id, user_ids=[cast.ada.id])
    with pytest.raises(NotFound):
        divisions.move_people(actor=ben, division_id=cast.west.id, user_ids=[cast.cleo.id])

    assert divisions.move_people(actor=ben, division_id=cast.west.id, user_ids=[cast.ada.id]) == 1
    assert User.objects.get(id=cast.ada.id).division == cast.west
    line = AuditEvent.objects.get(action="user.moved", entity_id=cast.ada.id)
    assert (line.before, line.after) == ({"division": "Home"}, {"division": "West"})


def test_home_is_not_deleted(cast):
    with pytest.raises(Conflict, match="Home"):
        divisions.delete(
            actor=cast.actor(cast.ada), division_id=cast.home.id, move_to=cast.east.id, with_grants=True
        )


def test_one_with_people_or_grants_is_deleted_only_by_saying_what_becomes_of_them(cast):
    ada = cast.actor(cast.ada)
    cast.give(cast.ben, ("Supervisor", cast.east), ("Supervisor", cast.home))

    for more in ({}, {"move_to": cast.west.id}, {"with_grants": True}, {"move_to": cast.east.id}):
        with pytest.raises(Conflict) as refused:
            divisions.delete(actor=ada, division_id=cast.east.id, **more)
        assert refused.value.code == "precondition.failure"
    with pytest.raises(NotFound):
        divisions.delete(
            actor=ada,
            division_id=cast.east.id,
            move_to=queries.home_division(cast.globex).id,
            with_grants=True,
        )

    divisions.delete(actor=ada, division_id=cast.east.id, move_to=cast.west.id, with_grants=True)

    assert User.objects.get(id=cast.eve.id).division == cast.west
    assert held_by(cast, cast.ben) == {("Supervisor", cast.home.id)}
    assert cast.east not in queries.divisions(cast.acme)
    with pytest.raises(NotFound):
        queries.division(cast.acme, cast.east.id)
    line = AuditEvent.objects.get(action="division.deleted")
    assert line.after == {"movedTo": "West", "people": 1, "grantsRemoved": ["Supervisor: 1"]}


def test_who_deletes_one_must_be_allowed_what_becomes_of_its_people_and_grants(cast):
    cast.custom_role("Cleaner", "authorization:division:delete")
    cast.give(cast.ben, ("Cleaner", None))
    with pytest.raises(NotAllowed):
        divisions.delete(actor=cast.actor(cast.ben), division_id=cast.east.id, move_to=cast.home.id)
    cast.give(cast.eve, ("Employee", cast.west))
    with pytest.raises(NotAllowed):
        divisions.delete(actor=cast.actor(cast.ben), division_id=cast.west.id, with_grants=True)
    assert RoleGrant.objects.filter(division=cast.west).exists()


def test_deleted_people_go_to_home_with_it(cast):
    gone = cast.person("Nils", cast.west)
    people.delete(actor=cast.actor(cast.ada), user_id=gone.id)
    divisions.delete(actor=cast.actor(cast.ada), division_id=cast.west.id)
    assert User.objects.get(id=gone.id).division == cast.home


def test_a_deleted_one_comes_back_empty_and_its_name_may_be_taken(cast):
    ada = cast.actor(cast.ada)
    divisions.delete(actor=ada, division_id=cast.east.id, move_to=cast.home.id)
    divisions.create(actor=ada, name="East")

    with pytest.raises(Conflict):
        divisions.restore(actor=ada, division_id=cast.east.id)
    restored = divisions.restore(actor=ada, division_id=cast.east.id, name="Old East")

    assert (restored.id, restored.name, restored.deleted_at) == (cast.east.id, "Old East", None)
    assert User.objects.get(id=cast.eve.id).division == cast.home
    with pytest.raises(NotFound):
        divisions.restore(actor=ada, division_id=cast.east.id)


def test_nobody_is_put_into_a_deleted_one(cast):
    ada = cast.actor(cast.ada)
    divisions.delete(actor=ada, division_id=cast.west.id)
    with pytest.raises(NotFound):
        people.create(
            actor=ada, spec=people.PersonSpec(name="N", email="n@acme.example", division_id=cast.west.id)
        )
    with pytest.raises(NotFound):
        divisions.move_people(actor=ada, division_id=cast.west.id, user_ids=[cast.eve.id])
    with pytest.raises(NotFound):
        people.change(actor=ada, user_id=cast.eve.id, version=1, values={}, division_id=cast.west.id)


def test_another_organizations_division_does_not_exist(cast):
    ada, theirs = cast.actor(cast.ada), queries.home_division(cast.globex)
    for attempt in (
        lambda: divisions.change(actor=ada, division_id=theirs.id, name="Ours"),
        lambda: divisions.delete(actor=ada, division_id=theirs.id),
        lambda: divisions.restore(actor=ada, division_id=theirs.id),
        lambda: divisions.move_people(actor=ada, division_id=theirs.id, user_ids=[cast.eve.id]),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert Division.objects.get(id=theirs.id).name == "Home"
