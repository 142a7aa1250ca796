"""What an identity management system does with people: everything about one person in one step.

Each verb composes the services that own the rules (people, person_details, grants) in one transaction, so
that a request that is refused in one part changes nothing. The organization is locked before anything is
read that decides about roles or states (accounts/locks.py).

Such a system sees and changes only people who sit in a division where it has to do with people at all
(`queries.divisions_seen`); others do not exist for it, nor do deleted people.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import locks, queries
from accounts.actor import Actor
from accounts.errors import Invalid, NotFound, Problems
from accounts.models import Division, Role, RoleGrant, SkillKind, Source, SubjectType, User, UserState
from accounts.permissions import Permission
from accounts.rules.access import Divisions
from accounts.rules.delegation import RoleDivision
from accounts.services import grants, people, person_details
from accounts.services.person_details import Identifier, Phone, Proficiency

MOST_ROLES = 100
_PRESENT = (UserState.ACTIVE, UserState.INACTIVE)


@dataclass(frozen=True)
class Profile:
    """A person as they shall be. None keeps what is there, but for `hired_on` and `manager_id`, where it
    means none; for somebody new it means: active, in Home, without a password, and none of the rest.

    `division` and `roles` are names, in whatever case. `roles` are what the person shall hold as far as the
    actor sees it; one that is new is given in the person's division.
    """

    email: str
    name: str
    given_name: str = ""
    family_name: str = ""
    title: str = ""
    department: str = ""
    employee_number: str = ""
    other_email: str = ""
    external_id: str | None = None
    hired_on: datetime.date | None = None
    manager_id: uuid.UUID | None = None
    phones: tuple[Phone, ...] = ()
    division: str | None = None
    active: bool | None = None
    password: str | None = None
    roles: tuple[str, ...] | None = None
    external_ids: tuple[Identifier, ...] | None = None
    skills: tuple[Proficiency, ...] | None = None
    languages: tuple[Proficiency, ...] | None = None


Edit = Callable[[User], Profile]
Check = Callable[[User], None]


def persons(actor: Actor) -> QuerySet[User]:
    """The people whom the actor sees, with their divisions."""
    seen = queries.divisions_seen(actor.access)
    return queries.people_in(actor.organization, seen).filter(state__in=_PRESENT)


def person(actor: Actor, user_id: object) -> User:
    """Raises `NotFound` for whoever the actor does not see."""
    return _one(persons(actor), user_id)


def grants_seen(actor: Actor) -> QuerySet[RoleGrant]:
    """The role-division pairs of people that the actor sees: those in the divisions of the people whom it
    sees, and those in all divisions only if it sees all."""
    rows = RoleGrant.objects.filter(
        organization=actor.organization, subject_type=SubjectType.USER
    ).select_related("role")
    seen = queries.divisions_seen(actor.access)
    return rows if seen.everywhere else rows.filter(division_id__in=seen.ids)


def create(*, actor: Actor, profile: Profile) -> tuple[User, bool]:
    """The person, and whether they are new: somebody deleted with this email address in this organization,
    whom the actor may edit, is revived instead, and then is as `profile` says and nothing else.

    Needs `directory:user:add` in the division, to revive `directory:user:edit`, and what the details and
    roles need. Raises `NotAllowed`, `Invalid`, `Conflict` (`resource.already.exists`).
    """
    with transaction.atomic():
        deleted = _deleted(actor, profile.email)
        if deleted is not None or profile.roles:
            actor = locks.rights(actor)
        if deleted is not None and (again := _deleted(actor, profile.email)):
            return _revive(actor, again, profile), False
        user = people.create(actor=actor, spec=_spec(actor, profile))
        _set_details(actor, user, profile)
        _set_roles(actor, user, profile.roles)
    return user, True


def change(*, actor: Actor, user_id: object, edit: Edit) -> User:
    """Makes the person what `edit` says when it is told the person, read under the lock; it may raise.

    Each part needs what its service asks for, and only if it changes: `directory:user:edit` for the
    profile, `directory:user:setPassword`, `routing:...:assign`, `authorization:grant:add` and `:delete`.
    Raises `NotFound`, `NotAllowed`, `Invalid`, `Conflict`.
    """
    with transaction.atomic():
        actor = locks.rights(actor)
        user = _locked(actor, user_id)
        return _apply(actor, user, edit(user))


def delete(*, actor: Actor, user_id: object, check: Check | None = None) -> None:
    """Needs `directory:user:delete`. `check` is told the person, read under the lock; it may raise."""
    with transaction.atomic():
        actor = locks.rights(actor)
        user = _locked(actor, user_id)
        if check is not None:
            check(user)
        people.delete(actor=actor, user_id=user.id)


def _deleted(actor: Actor, email: str) -> User | None:
    """Whoever is deleted here, has this address, and may be edited by the actor."""
    if "\x00" in email:
        return None
    found = (
        queries.people(actor.organization)
        .filter(email=email.strip().lower(), state=UserState.DELETED)
        .first()
    )
    may = found is not None and actor.access.covers(Permission.DIRECTORY_USER_EDIT, found.division_id)
    return found if may else None


def _revive(actor: Actor, user: User, profile: Profile) -> User:
    whole = replace(
        profile,
        active=profile.active is not False,
        external_id=profile.external_id or "",
        external_ids=profile.external_ids or (),
        skills=profile.skills or (),
        languages=profile.languages or (),
    )
    return _apply(actor, user, whole)


def _apply(actor: Actor, user: User, profile: Profile) -> User:
    """Writes what differs. The profile first: who somebody is, is decided by what they held before."""
    values = _values(user, profile)
    division = _division(actor, profile.division)
    moves = division is not None and division.id != user.division_id
    if values or moves:
        user = people.change(
            actor=actor,
            user_id=user.id,
            version=None,
            values=values,
            division_id=division.id if division is not None and moves else None,
        )
    if profile.password is not None:
        people.set_password(actor=actor, user=user, password=profile.password)
    _set_details(actor, user, profile)
    _set_roles(actor, user, profile.roles)
    return user


def _values(user: User, profile: Profile) -> dict[str, Any]:
    """The fields of `people.change` that differ."""
    wanted: dict[str, Any] = {
        "email": profile.email.lower(),
        "name": profile.name,
        "given_name": profile.given_name,
        "family_name": profile.family_name,
        "title": profile.title,
        "department": profile.department,
        "employee_number": profile.employee_number,
        "other_email": profile.other_email.lower(),
        "hired_on": profile.hired_on,
        "manager_id": profile.manager_id,
    }
    if profile.external_id is not None:
        wanted["external_id"] = profile.external_id
    if profile.active is not None:
        wanted["state"] = UserState.ACTIVE if profile.active else UserState.INACTIVE
    wanted = {key: value.strip() if isinstance(value, str) else value for key, value in wanted.items()}
    return {key: value for key, value in wanted.items() if getattr(user, key) != value}


def _spec(actor: Actor, profile: Profile) -> people.PersonSpec:
    division = _division(actor, profile.division)
    return people.PersonSpec(
        name=profile.name,
        email=profile.email,
        division_id=division.id if division else None,
        title=profile.title,
        department=profile.department,
        password=profile.password,
        state=UserState.INACTIVE if profile.active is False else UserState.ACTIVE,
        source=Source.SCIM,
        more={
            "given_name": profile.given_name,
            "family_name": profile.family_name,
            "other_email": profile.other_email,
            "employee_number": profile.employee_number,
            "external_id": profile.external_id or "",
            "hired_on": profile.hired_on,
            "manager_id": profile.manager_id,
        },
    )


def _set_details(actor: Actor, user: User, profile: Profile) -> None:
    person_details.set_phones(actor=actor, user=user, phones=profile.phones)
    if profile.external_ids is not None:
        person_details.set_external_ids(actor=actor, user=user, identifiers=profile.external_ids)
    for kind, skills in ((SkillKind.SKILL, profile.skills), (SkillKind.LANGUAGE, profile.languages)):
        if skills is not None:
            person_details.set_skills(actor=actor, user=user, kind=kind, skills=skills)


def _set_roles(actor: Actor, user: User, names: Iterable[str] | None) -> None:
    """Gives what is new in the person's division, and takes away the pairs that the actor sees of roles
    that are not named. A pair that the actor does not see stays."""
    if names is None:
        return
    wanted = {role.id for role in _roles(actor, list(names))}
    seen = [
        RoleDivision(grant.role_id, grant.division_id)
        for grant in grants_seen(actor).filter(subject_id=user.id)
    ]
    held = {pair.role_id for pair in seen}
    if held == wanted:
        return
    gone = {pair for pair in seen if pair.role_id not in wanted}
    new = {RoleDivision(role_id, user.division_id) for role_id in wanted - held}
    grants.change_person(actor=actor, user_id=user.id, spec=lambda present: (present - gone) | new)


def _roles(actor: Actor, names: list[str]) -> list[Role]:
    if len(names) > MOST_ROLES:
        raise Invalid.one("roles", "invalid.value", _("At most %(most)s entries.") % {"most": MOST_ROLES})
    wanted = {name.strip().lower() for name in names}
    # Here rather than in the database, which may know capital letters of the Latin alphabet alone.
    rows = queries.roles(actor.organization).only("id", "name") if wanted else ()
    by_name = {row.name.lower(): row for row in rows if row.name.lower() in wanted}
    problems = Problems()
    for name in names:
        if name.strip().lower() not in by_name:
            problems.add(
                "roles", "invalid.value", _("There is no role called ‘%(name)s’.") % {"name": name}
            )
    problems.raise_if_any()
    return list(by_name.values())


def _division(actor: Actor, name: str | None) -> Division | None:
    """Raises `Invalid` (`division`) for a name that is none here."""
    if name is None or not name.strip():
        return None
    rows = queries.divisions(actor.organization)
    found = None if "\x00" in name else rows.filter(name__iexact=name.strip()).first()
    if found is None:
        raise Invalid.one(
            "division", "invalid.value", _("There is no division called ‘%(name)s’.") % {"name": name}
        )
    return found


def _locked(actor: Actor, user_id: object) -> User:
    """The row, which is the caller's until its transaction ends."""
    found = person(actor, user_id)
    rows = persons(actor).select_for_update(of=("self",), no_key=True)
    return _one(rows, found.id)


def _one(rows: QuerySet[User], user_id: object) -> User:
    key = queries.as_uuid(user_id)
    found = rows.filter(id=key).first() if key else None
    if found is None:
        raise NotFound
    return found


def manager_seen(actor: Actor, user: User) -> bool:
    """Whether the actor sees the person's manager; `user.manager` is loaded."""
    seen: Divisions = queries.divisions_seen(actor.access)
    manager = user.manager
    return manager is not None and manager.state in _PRESENT and manager.division_id in seen
