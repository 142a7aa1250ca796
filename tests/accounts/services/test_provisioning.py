"""Everything about one person in one step, whoever the identity management system is."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from django.db import transaction

from accounts.actor import Actor, ActorType, system
from accounts.errors import Conflict, Invalid, NotAllowed, NotFound
from accounts.models import AuditEvent, RoleGrant, SkillKind, User
from accounts.services import people, provisioning
from accounts.services.person_details import Identifier, Phone, Proficiency
from accounts.services.provisioning import Profile

DAN = Profile(email="Dan@acme.example", name="Dan Doe")
WHOLE = replace(
    DAN,
    given_name="Dan",
    family_name="Doe",
    title="Agent",
    other_email="Dan@home.example",
    external_id="D-7",
    hired_on=datetime.date(2024, 2, 29),
    phones=(Phone("work", "+1 555 0100", True),),
    division="EAST",
    roles=("supervisor",),
    external_ids=(Identifier("idp", "Dan"),),
    skills=(Proficiency("Billing", 4.5),),
    languages=(Proficiency("English", 5),),
)


@pytest.fixture
def ada(cast) -> Actor:
    """Admin and Supervisor everywhere."""
    return cast.actor(cast.ada)


def test_a_new_person_has_everything_at_once(ada, cast):
    user, new = provisioning.create(actor=ada, profile=WHOLE)
    user.refresh_from_db()
    assert new
    assert (user.email, user.other_email, user.division) == (
        "dan@acme.example",
        "dan@home.example",
        cast.east,
    )
    assert (user.state, user.source, user.has_usable_password()) == ("active", "scim", False)
    assert [one.value for one in user.phone_numbers.all()] == ["+1 555 0100"]
    assert user.skills.get(kind=SkillKind.SKILL).proficiency == 4.5
    assert RoleGrant.objects.get(subject_id=user.id).division == cast.east


def actor_of(client, cast) -> Actor:
    from accounts import queries

    return Actor(
        ActorType.CLIENT, client.id, client.name, cast.acme, queries.access_of(cast.acme.id, client.id)
    )


def test_a_refusal_in_one_part_leaves_nothing_behind(ada):
    before = User.objects.count(), AuditEvent.objects.count()
    for wrong in (
        replace(WHOLE, roles=("Supervisor", "Nobody's role")),
        replace(WHOLE, division="Nowhere"),
        replace(WHOLE, skills=(Proficiency("x", 9),)),
        replace(WHOLE, roles=tuple(str(n) for n in range(provisioning.MOST_ROLES + 1))),
    ):
        with pytest.raises(Invalid):
            provisioning.create(actor=ada, profile=wrong)
    assert (User.objects.count(), AuditEvent.objects.count()) == before


def test_nothing_is_written_where_nothing_differs(ada):
    made, _new = provisioning.create(actor=ada, profile=WHOLE)
    lines, version = AuditEvent.objects.count(), User.objects.get(id=made.id).version
    provisioning.change(actor=ada, user_id=made.id, edit=lambda _user: WHOLE)
    assert AuditEvent.objects.count() == lines
    assert User.objects.get(id=made.id).version == version


def test_none_keeps_what_is_there_and_empty_takes_it_away(ada):
    made, _new = provisioning.create(actor=ada, profile=replace(WHOLE, active=False))
    provisioning.change(actor=ada, user_id=made.id, edit=lambda _user: DAN)
    user = User.objects.get(id=made.id)
    assert (user.title, user.hired_on, user.phone_numbers.count()) == ("", None, 0)
    assert (user.external_id, user.division.name, user.state) == ("D-7", "East", "inactive")
    assert (user.skills.count(), user.external_ids.count()) == (2, 1)
    assert RoleGrant.objects.filter(subject_id=user.id).count() == 1
    empty = replace(DAN, external_id="", external_ids=(), skills=(), languages=(), roles=())
    provisioning.change(actor=ada, user_id=made.id, edit=lambda _user: empty)
    user = User.objects.get(id=made.id)
    assert (user.external_id, user.skills.count(), user.external_ids.count()) == ("", 0, 0)
    assert not RoleGrant.objects.filter(subject_id=user.id).exists()


def test_the_edit_is_told_the_person_and_may_refuse(ada, cast):
    def edit(user: User) -> Profile:
        assert (user.id, user.title) == (cast.eve.id, "")
        raise Conflict("somebody else was first")

    with pytest.raises(Conflict, match="somebody else"):
        provisioning.change(actor=ada, user_id=cast.eve.id, edit=edit)


def test_a_role_that_is_held_elsewhere_too_is_taken_away_wherever_it_is_seen(ada, cast):
    cast.give(cast.eve, ("Supervisor", cast.east), ("Supervisor", cast.west), ("Employee", None))
    eve = Profile(email=cast.eve.email, name="Eve", roles=("Employee",))
    provisioning.change(actor=ada, user_id=cast.eve.id, edit=lambda _user: eve)
    assert [grant.role.name for grant in RoleGrant.objects.filter(subject_id=cast.eve.id)] == ["Employee"]


def test_what_is_not_seen_is_neither_changed_nor_deleted(cast):
    client, _secret = cast.client(("SCIM Integration", cast.west))
    west = actor_of(client, cast)
    for person in (cast.eve, cast.cleo):
        with pytest.raises(NotFound):
            provisioning.change(actor=west, user_id=person.id, edit=lambda _user: DAN)
        with pytest.raises(NotFound):
            provisioning.delete(actor=west, user_id=person.id)


def test_somebody_deleted_is_revived_only_by_who_may_edit_there(cast):
    people.delete(actor=system(cast.acme), user_id=cast.eve.id)
    eve = Profile(email=cast.eve.email, name="Eve again", division="West")
    client, _secret = cast.client(("SCIM Integration", cast.west), name="West only")
    with pytest.raises(Conflict):
        provisioning.create(actor=actor_of(client, cast), profile=eve)
    client, _secret = cast.client(("SCIM Integration", None), name="Everywhere")
    user, new = provisioning.create(actor=actor_of(client, cast), profile=eve)
    assert (user.id, new) == (cast.eve.id, False)
    user.refresh_from_db()
    assert (user.state, user.name, user.division) == ("active", "Eve again", cast.west)
    assert not RoleGrant.objects.filter(subject_id=user.id).exists()


def test_a_role_is_given_with_the_same_rule_as_everywhere(cast):
    client, _secret = cast.client(("SCIM Integration", None))
    before = User.objects.count()
    with pytest.raises(NotAllowed, match="Supervisor"), transaction.atomic():
        provisioning.create(actor=actor_of(client, cast), profile=replace(DAN, roles=("Supervisor",)))
    assert User.objects.count() == before
