"""Groups of people, as an identity management system keeps them. They hold no roles."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit, queries
from accounts.actor import Actor
from accounts.errors import Conflict, Invalid, NotFound, Problems
from accounts.models import Group, GroupMember, User, UserState
from accounts.permissions import Permission
from accounts.rules.text import hides_something, shows_nothing

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 500
MOST_AT_ONCE = 1_000


def create(*, actor: Actor, name: str, description: str = "") -> Group:
    """Needs `directory:group:add`. Raises `NotAllowed`, `Invalid`, `Conflict`
    (`resource.already.exists`)."""
    actor.require(Permission.DIRECTORY_GROUP_ADD)
    group = Group(organization=actor.organization)
    _set(group, name, description, "")
    with transaction.atomic():
        _save(group)
        audit.record(actor, audit.Action.GROUP_CREATED, after=_described(group), **_named(group))
    return group


def change(
    *,
    actor: Actor,
    group_id: object,
    version: int | None = None,
    name: str | None = None,
    description: str | None = None,
    external_id: str | None = None,
) -> Group:
    """Changes what is given and keeps the rest. Needs `directory:group:edit`. With `version`, the one that
    the caller saw, a change in between raises `Conflict`."""
    actor.require(Permission.DIRECTORY_GROUP_EDIT)
    with transaction.atomic():
        group = locked(actor, group_id)
        if version is not None and version != group.version:
            raise Conflict(_("Somebody else changed this group in the meantime."), code="general.conflict")
        before = _described(group)
        _set(
            group,
            group.name if name is None else name,
            group.description if description is None else description,
            group.external_id if external_id is None else external_id,
        )
        if _described(group) == before:
            return group
        group.version += 1
        _save(group)
        audit.record(
            actor, audit.Action.GROUP_EDITED, before=before, after=_described(group), **_named(group)
        )
    return group


def delete(*, actor: Actor, group_id: object) -> None:
    """Needs `directory:group:delete`."""
    actor.require(Permission.DIRECTORY_GROUP_DELETE)
    with transaction.atomic():
        group = locked(actor, group_id)
        audit.record(actor, audit.Action.GROUP_DELETED, before=_described(group), **_named(group))
        group.delete()


def change_members(
    *,
    actor: Actor,
    group_id: object,
    spec: Callable[[frozenset[uuid.UUID]], Iterable[uuid.UUID]],
    version: int | None = None,
) -> Group:
    """Changes who is in the group. Needs `directory:group:edit`, and of each person who comes or goes that
    they sit in a division where the actor sees people (`queries.divisions_seen`). `spec` is told the
    members that the actor sees, read under the lock, and answers who of them and of others shall be in
    it; members elsewhere stay.

    Raises `NotFound` (the group), `Invalid` (`members`) for somebody who is not there or not seen.
    """
    actor.require(Permission.DIRECTORY_GROUP_EDIT)
    with transaction.atomic():
        group = locked(actor, group_id)
        if version is not None and version != group.version:
            raise Conflict(_("Somebody else changed this group in the meantime."), code="general.conflict")
        seen = queries.people_in(actor.organization, queries.divisions_seen(actor.access))
        members = GroupMember.objects.filter(group=group)
        present = frozenset(members.filter(user_id__in=seen.values("id")).values_list("user_id", flat=True))
        wanted = set(spec(present))
        added, removed = wanted - present, present - wanted
        if not added and not removed:
            return group
        if len(added) > MOST_AT_ONCE:
            raise Invalid.one(
                "members", "invalid.value", _("At most %(most)s people at once.") % {"most": MOST_AT_ONCE}
            )
        there = set(seen.filter(id__in=added).exclude(state=UserState.DELETED).values_list("id", flat=True))
        if unknown := added - there:
            raise Invalid.one(
                "members",
                "invalid.value",
                _("There is no person with the ID %(id)s.") % {"id": min(map(str, unknown))},
            )
        members.filter(user_id__in=removed).delete()
        GroupMember.objects.bulk_create(
            (GroupMember(group=group, user_id=user_id) for user_id in sorted(added)), ignore_conflicts=True
        )
        group.version += 1
        group.save(update_fields=["version", "modified_at"])
        names = dict(User.objects.filter(id__in=added | removed).values_list("id", "name"))
        audit.record(
            actor,
            audit.Action.GROUP_MEMBERS_CHANGED,
            before={"removed": sorted(names[key] for key in removed)},
            after={"added": sorted(names[key] for key in added)},
            **_named(group),
        )
    return group


def locked(actor: Actor, group_id: object) -> Group:
    """The row, the caller's until its transaction ends. Raises `NotFound`."""
    found = queries.group(actor.organization, group_id)
    row = Group.objects.select_for_update().filter(id=found.id).first()
    if row is None:
        raise NotFound
    return row


def _set(group: Group, name: str, description: str, external_id: str) -> None:
    group.name = " ".join(name.split())
    group.description, group.external_id = description.strip(), external_id.strip()
    problems = Problems()
    if shows_nothing(group.name):
        problems.add("name", "invalid.value", _("Enter a group name."))
    for field, value, longest in (
        ("name", group.name, LONGEST_NAME),
        ("description", group.description, LONGEST_DESCRIPTION),
        ("externalId", group.external_id, 255),
    ):
        if len(value) > longest:
            problems.add(
                field, "invalid.value", _("At most %(longest)s characters.") % {"longest": longest}
            )
        elif hides_something(value, lines=field == "description"):
            problems.add(field, "invalid.value", _("Remove the invisible characters."))
    problems.raise_if_any()


def _save(group: Group) -> None:
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError as error:
        raise Conflict(
            _("Another group is already called ‘%(name)s’.") % {"name": group.name},
            code="resource.already.exists",
        ) from error


def _named(group: Group) -> dict[str, Any]:
    return {"entity_type": "group", "entity_id": group.id, "entity_name": group.name}


def _described(group: Group) -> dict[str, Any]:
    return {"name": group.name, "description": group.description, "externalId": group.external_id}
