"""Groups: who is in one, as far as the one who changes it sees people."""

from __future__ import annotations

import uuid

import pytest

from accounts.errors import Conflict, Invalid, NotAllowed, NotFound
from accounts.models import AuditEvent, Group
from accounts.services import groups, people


@pytest.fixture
def keeper(cast):
    """Dora keeps groups, and sees people in East."""
    cast.custom_role(
        "Group Keeper", "directory:group:add", "directory:group:edit", "directory:group:delete"
    )
    cast.custom_role("Looker", "directory:user:view")
    dora = cast.person("Dora", cast.home)
    cast.give(dora, ("Group Keeper", cast.home), ("Looker", cast.east))
    return cast.actor(dora)


def members(group):
    return {user.name for user in Group.objects.get(id=group.id).members.all()}


def put(actor, group, *people_in):
    wanted = {user.id for user in people_in}
    return groups.change_members(actor=actor, group_id=group.id, spec=lambda _present: wanted)


def test_members_elsewhere_stay_and_are_not_added(keeper, cast):
    group = groups.create(actor=keeper, name="Agents")
    put(cast.actor(cast.ada), group, cast.ada, cast.eve)
    nils = cast.person("Nils", cast.east)

    changed = put(keeper, group, nils)

    assert members(group) == {"Ada", "Nils"}
    assert changed.version == 3
    line = AuditEvent.objects.filter(action="group.membersChanged").latest("at")
    assert (line.before, line.after) == ({"removed": ["Eve"]}, {"added": ["Nils"]})
    for unseen in (cast.ben.id, cast.cleo.id, uuid.uuid4()):
        with pytest.raises(Invalid):
            groups.change_members(
                actor=keeper, group_id=group.id, spec=lambda present, one=unseen: present | {one}
            )


def test_a_deleted_person_is_in_no_group(keeper, cast):
    group = groups.create(actor=keeper, name="Agents")
    put(keeper, group, cast.eve)
    people.delete(actor=cast.actor(cast.ada), user_id=cast.eve.id)
    assert members(group) == set()
    with pytest.raises(Invalid):
        put(keeper, group, cast.eve)


def test_each_verb_takes_its_permission(cast):
    group = groups.create(actor=cast.actor(cast.ada), name="Agents")
    ben = cast.actor(cast.ben)
    for attempt in (
        lambda: groups.create(actor=ben, name="Mine"),
        lambda: groups.change(actor=ben, group_id=group.id, name="Mine"),
        lambda: groups.delete(actor=ben, group_id=group.id),
        lambda: put(ben, group, cast.ben),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_a_group_has_a_name_of_its_own_and_is_not_overwritten(cast):
    ada = cast.actor(cast.ada)
    group = groups.create(actor=ada, name="Agents")
    with pytest.raises(Conflict):
        groups.create(actor=ada, name="agents")
    with pytest.raises(Invalid):
        groups.create(actor=ada, name=" ")
    groups.change(actor=ada, group_id=group.id, description="All", version=1)
    with pytest.raises(Conflict):
        groups.change(actor=ada, group_id=group.id, name="Others", version=1)
    groups.create(actor=cast.actor(cast.cleo), name="Agents")


def test_another_organizations_group_does_not_exist(cast):
    theirs = groups.create(actor=cast.actor(cast.cleo), name="Theirs")
    ada = cast.actor(cast.ada)
    for attempt in (
        lambda: groups.change(actor=ada, group_id=theirs.id, name="Ours"),
        lambda: groups.delete(actor=ada, group_id=theirs.id),
        lambda: put(ada, theirs, cast.ada),
    ):
        with pytest.raises(NotFound):
            attempt()
