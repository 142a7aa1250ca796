"""Making, renaming, emptying, deleting and restoring divisions (wire contract D4)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit, locks, queries
from accounts.actor import Actor
from accounts.errors import Conflict, DomainError, NotFound, Problems
from accounts.models import AuditEvent, Division, RoleGrant, User, UserState
from accounts.permissions import Permission
from accounts.rules.text import hides_something, shows_nothing

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 500
HOME_STAYS = "precondition.failure"


def create(*, actor: Actor, name: str, description: str = "") -> Division:
    """Needs `authorization:division:add` and `authorization:grant:add`. Nobody gets a right by it, but for
    those who hold theirs in all divisions.

    Raises `NotAllowed`, `Invalid` (`division.name.invalid`, `max.length.exceeded`), `Conflict`
    (`resource.already.exists`), `DomainError` (`max.scopes.exceeded`).
    """
    division = Division(organization=actor.organization)
    with transaction.atomic():
        actor = locks.rights(actor)
        actor.access.decide_all(
            Permission.AUTHORIZATION_DIVISION_ADD, Permission.AUTHORIZATION_GRANT_ADD
        ).require()
        _refuse_too_many(actor)
        _set(division, name, description)
        _save(division)
        audit.record(actor, audit.Action.DIVISION_CREATED, after=_described(division), **_named(division))
    return division


def change(
    *,
    actor: Actor,
    division_id: object,
    name: str | None = None,
    description: str | None = None,
    version: int | None = None,
) -> Division:
    """Renames it, or describes it otherwise; what is None stays. Needs `authorization:division:edit`. With
    `version`, the one that the caller saw, a change in between raises `Conflict`."""
    with transaction.atomic():
        actor = locks.rights(actor)
        actor.require(Permission.AUTHORIZATION_DIVISION_EDIT)
        division = _locked(actor, division_id)
        if version is not None and version != division.version:
            raise Conflict(
                _("Somebody else changed this division in the meantime."), code="general.conflict"
            )
        before = _described(division)
        _set(
            division,
            division.name if name is None else name,
            division.description if description is None else description,
        )
        if _described(division) == before:
            return division
        division.version += 1
        _save(division)
        audit.record(
            actor,
            audit.Action.DIVISION_EDITED,
            before=before,
            after=_described(division),
            **_named(division),
        )
    return division


def move_people(*, actor: Actor, division_id: object, user_ids: Iterable[uuid.UUID]) -> int:
    """Puts these people into the division; how many were elsewhere. Needs `directory:user:edit` there and
    where each of them is now.

    Raises `NotFound` (the division, or a person), `NotAllowed` (`missing.division.permission`).
    """
    with transaction.atomic():
        actor = locks.rights(actor)
        target = queries.division(actor.organization, division_id)
        _share(target)
        wanted = set(user_ids)
        found = list(
            User.objects.select_for_update(of=("self",), no_key=True)
            .select_related("division")
            .filter(organization=actor.organization, id__in=wanted)
            .order_by("id")
        )
        if len(found) != len(wanted):
            raise NotFound
        moving = [user for user in found if user.division_id != target.id]
        for division in {user.division_id: user.division for user in moving}.values():
            _require_edit(actor, division)
        if moving:
            _require_edit(actor, target)
        _put(actor, moving, target)
    return len(moving)


def delete(*, actor: Actor, division_id: object, move_to: object = None, with_grants: bool = False) -> None:
    """Needs `authorization:division:delete`. It must be empty, or say where its people go (`move_to`, which
    takes `directory:user:edit` in both) and that the roles held in it are taken away (`with_grants`, which
    takes `authorization:grant:delete` in it). Home stays.

    Raises `NotFound`, `NotAllowed`, `Conflict` (`precondition.failure`).
    """
    with transaction.atomic():
        actor = locks.rights(actor)
        actor.require(Permission.AUTHORIZATION_DIVISION_DELETE)
        division = _locked(actor, division_id)
        if division.home:
            raise Conflict(_("Home cannot be deleted."), code=HOME_STAYS)
        after = {
            **_move_all(actor, division, move_to),
            **_take_grants(actor, division, with_grants),
        }
        division.deleted_at = timezone.now()
        division.version += 1
        division.save(update_fields=["deleted_at", "version"])
        audit.record(
            actor,
            audit.Action.DIVISION_DELETED,
            before=_described(division),
            after=after,
            **_named(division),
        )


def restore(
    *, actor: Actor, division_id: object, name: str | None = None, description: str | None = None
) -> Division:
    """Brings a deleted one back, empty: what was moved stays where it is. Needs
    `authorization:division:add`. Its old name may be taken meanwhile; `name` gives another."""
    with transaction.atomic():
        actor = locks.rights(actor)
        actor.require(Permission.AUTHORIZATION_DIVISION_ADD)
        _refuse_too_many(actor)
        key = queries.as_uuid(division_id)
        deleted = queries.deleted_divisions(actor.organization)
        division = deleted.filter(id=key).first() if key is not None else None
        if division is None:
            raise NotFound
        division.deleted_at = None
        division.version += 1
        _set(
            division,
            division.name if name is None else name,
            division.description if description is None else description,
        )
        _save(division)
        audit.record(actor, audit.Action.DIVISION_RESTORED, after=_described(division), **_named(division))
    return division


def _move_all(actor: Actor, division: Division, move_to: object) -> dict[str, Any]:
    everybody = User.objects.filter(organization=actor.organization, division=division)
    there = everybody.exclude(state=UserState.DELETED).count()
    if there and move_to is None:
        raise Conflict(
            ngettext(
                "One person sits in ‘%(name)s’. Choose the division that they move to.",
                "%(n)s people sit in ‘%(name)s’. Choose the division that they move to.",
                there,
            )
            % {"name": division.name, "n": there},
            code="precondition.failure",
        )
    if move_to is None:
        # Deleted people must sit somewhere too.
        everybody.update(division=queries.home_division(actor.organization))
        return {}
    target = queries.division(actor.organization, move_to)
    if target.id == division.id:
        raise Conflict(_("Choose another division to move to."), code="precondition.failure")
    _share(target)
    if there:
        _require_edit(actor, division)
        _require_edit(actor, target)
    _put(actor, everybody.select_for_update(of=("self",), no_key=True).select_related("division"), target)
    return {"movedTo": target.name, "people": there}


def _put(actor: Actor, users: Iterable[User], target: Division) -> None:
    """Moves them, with a line for each, and a version that tells whoever edits one at the moment."""
    moved = list(users)
    if not moved:
        return
    now = timezone.now()
    for start in range(0, len(moved), 1_000):
        User.objects.filter(id__in=[user.id for user in moved[start : start + 1_000]]).update(
            division=target, version=F("version") + 1, modified_at=now
        )
    AuditEvent.objects.bulk_create(
        (
            audit.line(
                actor,
                audit.Action.USER_MOVED,
                entity_type="user",
                entity_id=user.id,
                entity_name=str(user),
                before={"division": user.division.name},
                after={"division": target.name},
            )
            for user in moved
        ),
        batch_size=1_000,
    )


def _take_grants(actor: Actor, division: Division, with_grants: bool) -> dict[str, Any]:
    grants = RoleGrant.objects.filter(organization=actor.organization, division=division)
    roles = dict(grants.order_by().values_list("role__name").annotate(Count("id")))
    if not roles:
        return {}
    if not with_grants:
        raise Conflict(
            _("People or clients hold roles in ‘%(name)s’: %(roles)s. Take them away first.")
            % {"name": division.name, "roles": ", ".join(sorted(roles))},
            code="precondition.failure",
        )
    actor.require(
        Permission.AUTHORIZATION_GRANT_DELETE, division_id=division.id, division_name=division.name
    )
    grants.delete()
    return {"grantsRemoved": [f"{name}: {count}" for name, count in sorted(roles.items())]}


def _require_edit(actor: Actor, division: Division) -> None:
    actor.require(Permission.DIRECTORY_USER_EDIT, division_id=division.id, division_name=division.name)


def _share(division: Division) -> None:
    if not locks.share_division(division.id):
        raise NotFound


def _locked(actor: Actor, division_id: object) -> Division:
    found = queries.division(actor.organization, division_id)
    # Against those who share it: a person being added to it comes before all of this or after it.
    locked = queries.divisions(actor.organization).select_for_update().filter(id=found.id).first()
    if locked is None:
        raise NotFound
    return locked


def _refuse_too_many(actor: Actor) -> None:
    most = settings.MAX_DIVISIONS_PER_ORGANIZATION
    if queries.divisions(actor.organization).count() >= most:
        raise DomainError(
            _("This organization already has %(most)s divisions, the most it can have.") % {"most": most},
            code="max.scopes.exceeded",
        )


def _set(division: Division, name: str, description: str) -> None:
    division.name, division.description = " ".join(name.split()), description.strip()
    problems = Problems()
    if shows_nothing(division.name):
        problems.add("name", "division.name.invalid", _("Enter a division name."))
    elif len(division.name) > LONGEST_NAME:
        problems.add(
            "name", "max.length.exceeded", _("At most %(longest)s characters.") % {"longest": LONGEST_NAME}
        )
    elif division.name == "*" or hides_something(division.name):
        problems.add("name", "division.name.invalid", _("Remove the invisible characters."))
    if len(division.description) > LONGEST_DESCRIPTION:
        problems.add(
            "description",
            "max.length.exceeded",
            _("At most %(longest)s characters.") % {"longest": LONGEST_DESCRIPTION},
        )
    elif hides_something(division.description, lines=True):
        problems.add("description", "division.name.invalid", _("Remove the invisible characters."))
    problems.raise_if_any()


def _save(division: Division) -> None:
    try:
        with transaction.atomic():
            division.save()
    except IntegrityError as error:
        raise Conflict(
            _("Another division is already called ‘%(name)s’.") % {"name": division.name},
            code="resource.already.exists",
        ) from error


def _named(division: Division) -> dict[str, Any]:
    return {"entity_type": "division", "entity_id": division.id, "entity_name": division.name}


def _described(division: Division) -> dict[str, Any]:
    return {"name": division.name, "description": division.description}
