"""Making, changing, deleting and restoring roles (wire contract D3).

Other apps that depend on what a role contains, or that name one, join `FOLLOWERS`: whoever changes a role,
from whatever side, changes what hangs on it in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit, locks, queries
from accounts.actor import Actor
from accounts.default_roles import DEFAULT_ROLES, DefaultRole
from accounts.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, Problems
from accounts.models import Organization, Role, RoleGrant
from accounts.permissions import Permission, check_policies, expand
from accounts.rules.delegation import beyond_editor
from accounts.rules.text import hides_something, shows_nothing
from accounts.services import grants
from accounts.services.last_admin import ADMIN

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 500
# Every person has the one; without the other nobody could set right what went wrong.
ALWAYS_THERE = frozenset({ADMIN, "employee"})
_DEFAULTS = {role.id: role for role in DEFAULT_ROLES}


class Follower(Protocol):
    """What hangs on roles elsewhere."""

    def changed(self, actor: Actor, role: Role) -> Sequence[str]:
        """Follows a change of the permissions; what had to change with it, as sentences."""

    def uses(self, role: Role) -> Sequence[str]:
        """Why the role cannot be deleted, as sentences; none where it can."""


FOLLOWERS: list[Follower] = []


@dataclass(frozen=True)
class Changed:
    """The role after a change, and what else had to change with it, as sentences."""

    role: Role
    notices: tuple[str, ...] = ()


def add_missing_defaults(organization: Organization) -> list[Role]:
    """Adds the shipped roles that this organization lacks and leaves the others as they are. One whose name
    the organization has given to a role of its own gets another."""
    present = set(Role.objects.filter(organization=organization).values_list("default_role_id", flat=True))
    taken = {
        name.lower()
        for name in Role.objects.filter(organization=organization).values_list("name", flat=True)
    }
    return Role.objects.bulk_create(
        Role(
            organization=organization,
            name=role.name if role.name.lower() not in taken else f"{role.name} ({role.id})",
            description=role.description,
            default_role_id=role.id,
            policies=list(role.policies),
        )
        for role in DEFAULT_ROLES
        if role.id not in present
    )


def create_custom(
    *, actor: Actor, name: str, description: str = "", policies: Iterable[dict[str, Any]] = ()
) -> Role:
    """Needs `authorization:role:add`, and every permission that the role is to have, held somewhere.

    Raises `NotAllowed`, `Invalid`, `Conflict` (`resource.already.exists`), `DomainError`
    (`max.roles.exceeded`).
    """
    role = Role(organization=actor.organization)
    with transaction.atomic():
        actor = locks.rights(actor)
        actor.require(Permission.AUTHORIZATION_ROLE_ADD)
        _refuse_too_many(actor)
        role.policies = check_policies(policies)
        _set(role, name, description)
        _refuse_beyond(actor, role, expand(role.policies))
        _save(role)
        audit.record(actor, audit.Action.ROLE_CREATED, after=_described(role), **_named(role))
    return role


def change(
    *,
    actor: Actor,
    role_id: object,
    name: str | None = None,
    description: str | None = None,
    policies: Iterable[dict[str, Any]] | None = None,
    version: int | None = None,
) -> Changed:
    """Changes what is given and keeps the rest. Needs `authorization:role:edit`, and of each permission
    that the role gets, that the actor holds it in every division in which somebody has the role. Default
    roles keep their names, and Admin its permissions. With `version`, the one that the caller saw, a change
    in between raises `Conflict`.

    Raises `NotFound`, `NotAllowed` (`missing.division.permissions`), `Invalid`, `Conflict`.
    """
    with transaction.atomic():
        actor = locks.rights(actor)
        actor.require(Permission.AUTHORIZATION_ROLE_EDIT)
        role = queries.role(actor.organization, role_id)
        if version is not None and version != role.version:
            raise Conflict(_("Somebody else changed this role in the meantime."), code="general.conflict")
        before, had = _described(role), expand(role.policies)
        wanted = role.name if name is None else " ".join(name.split())
        if role.default_role_id and wanted != role.name:
            raise Invalid.one("name", "general.bad.request", _("Default roles keep their names."))
        _set(role, wanted, role.description if description is None else description)
        if policies is not None:
            role.policies = check_policies(policies)
        if _described(role) == before:
            return Changed(role)
        has = expand(role.policies)
        if role.default_role_id == ADMIN and has != had:
            raise Invalid.one(
                "permissionPolicies",
                "general.bad.request",
                _("Admin always holds every permission. Make a copy to change it."),
            )
        _refuse_beyond(actor, role, has - had)
        role.version += 1
        _save(role)
        audit.record(actor, audit.Action.ROLE_EDITED, before=before, after=_described(role), **_named(role))
        return Changed(role, _follow(actor, role) if has != had else ())


def delete(*, actor: Actor, role_id: object) -> None:
    """Needs `authorization:role:delete`. Nobody may hold it; Admin and Employee stay.

    Raises `NotFound`, `NotAllowed`, `Conflict` (`general.conflict`).
    """
    with transaction.atomic():
        actor = locks.rights(actor)
        actor.require(Permission.AUTHORIZATION_ROLE_DELETE)
        role = queries.role(actor.organization, role_id)
        if role.default_role_id in ALWAYS_THERE:
            raise Conflict(
                _("‘%(name)s’ cannot be deleted.") % {"name": role.name}, code="general.conflict"
            )
        held = RoleGrant.objects.filter(role=role).values("subject_id").distinct().count()
        uses = [
            *(
                [ngettext("%(n)s holder has it.", "%(n)s holders have it.", held) % {"n": held}]
                if held
                else []
            ),
            *(sentence for follower in FOLLOWERS for sentence in follower.uses(role)),
        ]
        if uses:
            raise Conflict(
                _("‘%(name)s’ cannot be deleted: %(uses)s") % {"name": role.name, "uses": " ".join(uses)},
                code="general.conflict",
            )
        audit.record(actor, audit.Action.ROLE_DELETED, before=_described(role), **_named(role))
        role.delete()


def restore_defaults(*, actor: Actor, force: bool = False) -> tuple[list[Role], tuple[str, ...]]:
    """Adds the default roles that are missing and, with `force`, gives those that were changed their
    shipped permissions again; custom roles stay as they are. All default roles, and what changed with them.
    Needs `authorization:role:edit`, and for what a role gets back the same as `change`."""
    notices: list[str] = []
    with transaction.atomic():
        actor = locks.rights(actor)
        actor.require(Permission.AUTHORIZATION_ROLE_EDIT)
        for role in add_missing_defaults(actor.organization):
            audit.record(actor, audit.Action.ROLE_CREATED, after=_described(role), **_named(role))
        if force:
            notices += _restore(actor, list(_DEFAULTS))
    return list(queries.roles(actor.organization).exclude(default_role_id="")), tuple(notices)


def restore_default(*, actor: Actor, role_ids: Iterable[object]) -> tuple[list[Role], tuple[str, ...]]:
    """Gives these default roles their shipped permissions again. Raises `NotFound` for one that is no
    default role."""
    with transaction.atomic():
        actor = locks.rights(actor)
        actor.require(Permission.AUTHORIZATION_ROLE_EDIT)
        rows = [queries.role(actor.organization, role_id) for role_id in role_ids]
        if any(row.default_role_id not in _DEFAULTS for row in rows):
            raise NotFound
        notices = _restore(actor, [row.default_role_id for row in rows])
    return list(queries.roles(actor.organization).filter(id__in=[row.id for row in rows])), tuple(notices)


def shipped(role: Role) -> DefaultRole | None:
    """What a default role came with; None for a custom one."""
    return _DEFAULTS.get(role.default_role_id)


def is_as_shipped(role: Role) -> bool:
    """Whether a default role still has its permissions and description."""
    default = shipped(role)
    return default is not None and (
        expand(role.policies) == expand(default.policies) and role.description == default.description
    )


def _restore(actor: Actor, default_ids: Sequence[str]) -> list[str]:
    notices: list[str] = []
    for role in queries.roles(actor.organization).filter(default_role_id__in=default_ids):
        default = shipped(role)
        if default is None or is_as_shipped(role):
            continue
        before, had = _described(role), expand(role.policies)
        role.policies, role.description = list(default.policies), default.description
        has = expand(role.policies)
        _refuse_beyond(actor, role, has - had)
        role.version += 1
        _save(role)
        audit.record(
            actor, audit.Action.ROLE_RESTORED, before=before, after=_described(role), **_named(role)
        )
        if has != had:
            notices += _follow(actor, role)
    return notices


def _refuse_beyond(actor: Actor, role: Role, added: Iterable[str]) -> None:
    """Raises `NotAllowed` for permissions that the actor cannot add to this role, and `InsufficientScope`
    for an app that was not told that it may hand on rights."""
    added = list(added)
    if added:
        grants.require_scope(actor)
    where = dict(
        RoleGrant.objects.filter(role=role).values_list("division_id", "division__name").distinct()
        if role.pk and not role._state.adding
        else ()
    )
    lacked = beyond_editor(actor.access, added, where)
    if lacked:
        places = _places(where.values())
        raise NotAllowed(
            _("You cannot add permissions you do not hold: %(names)s.") % {"names": ", ".join(lacked)}
            if not places
            else _(
                "You cannot add permissions you do not hold where this role is held (%(where)s): %(names)s."
            )
            % {"names": ", ".join(lacked), "where": ", ".join(places)},
            code="missing.division.permissions",
            missing=lacked,
            divisions=places,
        )


def _places(names: Iterable[str | None]) -> list[str]:
    return sorted(name or _("all divisions") for name in names)


def _follow(actor: Actor, role: Role) -> tuple[str, ...]:
    return tuple(sentence for follower in FOLLOWERS for sentence in follower.changed(actor, role))


def _refuse_too_many(actor: Actor) -> None:
    most = settings.MAX_ROLES_PER_ORGANIZATION
    if queries.roles(actor.organization).count() >= most:
        raise DomainError(
            _("This organization already has %(most)s roles, the most it can have.") % {"most": most},
            code="max.roles.exceeded",
        )


def _set(role: Role, name: str, description: str) -> None:
    role.name, role.description = " ".join(name.split()), description.strip()
    problems = Problems()
    if shows_nothing(role.name):
        problems.add("name", "general.bad.request", _("Enter a role name."))
    for field, value, longest in (
        ("name", role.name, LONGEST_NAME),
        ("description", role.description, LONGEST_DESCRIPTION),
    ):
        if len(value) > longest:
            problems.add(
                field, "general.bad.request", _("At most %(longest)s characters.") % {"longest": longest}
            )
        elif hides_something(value, lines=field == "description"):
            problems.add(field, "general.bad.request", _("Remove the invisible characters."))
    problems.raise_if_any()


def _save(role: Role) -> None:
    try:
        with transaction.atomic():
            role.save()
    except IntegrityError as error:
        raise Conflict(
            _("Another role is already called ‘%(name)s’.") % {"name": role.name},
            code="resource.already.exists",
        ) from error


def _named(role: Role) -> dict[str, Any]:
    return {"entity_type": "role", "entity_id": role.id, "entity_name": role.name}


def _described(role: Role) -> dict[str, Any]:
    return {
        "name": role.name,
        "description": role.description,
        "permissions": sorted(
            f"{one['domain']}:{one['entityName']}:{action}"
            for one in role.policies
            for action in one["actionSet"]
        ),
    }
