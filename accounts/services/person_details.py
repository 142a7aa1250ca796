"""What a person has several of: phone numbers, IDs in other systems, skills and languages. Each verb makes
the whole set what it is told, in the caller's transaction, and records the difference.

Who may: `directory:user:edit` in the person's division, and for skills and languages `routing:skill:assign`
and `routing:language:assign` instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import Actor
from accounts.errors import Conflict, Problems
from accounts.models import ExternalIdentifier, PhoneNumber, Skill, SkillKind, User
from accounts.permissions import Permission
from accounts.rules.text import hides_something, shows_nothing

PHONE_KINDS = (
    "work",
    "work2",
    "work3",
    "work4",
    "mobile",
    "home",
    "main",
    "fax",
    "pager",
    "other",
)
LONGEST_NUMBER = 64
LONGEST_ID = 255
LONGEST_SKILL = 200
MOST = 100
BEST = 5.0


@dataclass(frozen=True)
class Phone:
    kind: str
    value: str
    primary: bool = False


@dataclass(frozen=True)
class Identifier:
    authority: str
    value: str


@dataclass(frozen=True)
class Proficiency:
    """`level` is 0 to 5."""

    name: str
    level: float = 0


def set_phones(*, actor: Actor, user: User, phones: Sequence[Phone]) -> bool:
    """Whether anything changed. Raises `NotAllowed`, `Invalid` (`phoneNumbers`)."""
    wanted = [Phone(one.kind, one.value.strip(), one.primary) for one in phones]
    problems = Problems()
    _check_count(problems, "phoneNumbers", wanted)
    for one in wanted:
        if one.kind not in PHONE_KINDS:
            problems.add(
                "phoneNumbers",
                "invalid.value",
                _("The type of a phone number must be one of: %(kinds)s.")
                % {"kinds": ", ".join(PHONE_KINDS)},
            )
        _check_text(problems, "phoneNumbers", one.value, LONGEST_NUMBER)
    if len({one.kind for one in wanted}) < len(wanted):
        problems.add("phoneNumbers", "invalid.value", _("Only one phone number of each type."))
    if sum(one.primary for one in wanted) > 1:
        problems.add("phoneNumbers", "invalid.value", _("Only one phone number can be the primary one."))
    problems.raise_if_any()
    present = [Phone(row.kind, row.value, row.primary) for row in user.phone_numbers.all()]
    if set(wanted) == set(present):
        return False
    _require_edit(actor, user)
    user.phone_numbers.all().delete()
    PhoneNumber.objects.bulk_create(
        PhoneNumber(user=user, kind=one.kind, value=one.value, primary=one.primary) for one in wanted
    )
    _record(actor, user, "phoneNumbers", _phones(present), _phones(wanted))
    return True


def set_external_ids(*, actor: Actor, user: User, identifiers: Sequence[Identifier]) -> bool:
    """Whether anything changed. By such an ID an identity management system finds a person, nobody signs
    in. Raises `NotAllowed`, `Invalid` (`externalIds`), `Conflict` (`resource.already.exists`) where it is
    somebody else's."""
    wanted = [Identifier(one.authority.strip(), one.value.strip()) for one in identifiers]
    problems = Problems()
    _check_count(problems, "externalIds", wanted)
    for one in wanted:
        _check_text(problems, "externalIds", one.authority, LONGEST_ID)
        _check_text(problems, "externalIds", one.value, LONGEST_ID)
    if len({one.authority for one in wanted}) < len(wanted):
        problems.add("externalIds", "invalid.value", _("Only one ID of each authority."))
    problems.raise_if_any()
    present = [Identifier(row.authority, row.value) for row in user.external_ids.all()]
    if set(wanted) == set(present):
        return False
    _require_edit(actor, user)
    try:
        with transaction.atomic():
            user.external_ids.all().delete()
            ExternalIdentifier.objects.bulk_create(
                ExternalIdentifier(
                    organization=user.organization, user=user, authority=one.authority, value=one.value
                )
                for one in wanted
            )
    except IntegrityError as error:
        raise Conflict(_("Somebody else has this ID already."), code="resource.already.exists") from error
    _record(actor, user, "externalIds", _identifiers(present), _identifiers(wanted))
    return True


def set_skills(*, actor: Actor, user: User, kind: SkillKind, skills: Sequence[Proficiency]) -> bool:
    """Whether anything changed. Raises `NotAllowed`, `Invalid` (`routingSkills`, `routingLanguages`)."""
    field = "routingSkills" if kind == SkillKind.SKILL else "routingLanguages"
    wanted = [Proficiency(one.name.strip(), float(one.level)) for one in skills]
    problems = Problems()
    _check_count(problems, field, wanted)
    for one in wanted:
        _check_text(problems, field, one.name, LONGEST_SKILL)
        if not (math.isfinite(one.level) and 0 <= one.level <= BEST):
            problems.add(field, "invalid.value", _("A proficiency is a number from 0 to 5."))
    if len({one.name for one in wanted}) < len(wanted):
        problems.add(field, "invalid.value", _("Each one only once."))
    problems.raise_if_any()
    rows = user.skills.filter(kind=kind)
    present = [Proficiency(row.name, row.proficiency) for row in rows]
    if set(wanted) == set(present):
        return False
    actor.require(
        Permission.ROUTING_SKILL_ASSIGN if kind == SkillKind.SKILL else Permission.ROUTING_LANGUAGE_ASSIGN
    )
    rows.delete()
    Skill.objects.bulk_create(
        Skill(user=user, kind=kind, name=one.name, proficiency=one.level) for one in wanted
    )
    _record(actor, user, field, _skills(present), _skills(wanted))
    return True


def _require_edit(actor: Actor, user: User) -> None:
    actor.require(
        Permission.DIRECTORY_USER_EDIT,
        Permission.DIRECTORY_ORGANIZATION_ADMIN,
        division_id=user.division_id,
        division_name=user.division.name,
    )


def _check_count(problems: Problems, field: str, values: Sequence[object]) -> None:
    if len(values) > MOST:
        problems.add(field, "invalid.value", _("At most %(most)s entries.") % {"most": MOST})


def _check_text(problems: Problems, field: str, value: str, longest: int) -> None:
    if shows_nothing(value):
        problems.add(field, "invalid.value", _("A value must not be empty."))
    elif hides_something(value):
        problems.add(field, "invalid.value", _("Remove the invisible characters."))
    elif len(value) > longest:
        problems.add(field, "invalid.value", _("At most %(longest)s characters.") % {"longest": longest})


def _record(actor: Actor, user: User, field: str, before: list[str], after: list[str]) -> None:
    user.version += 1
    user.save(update_fields=["version", "modified_at"])
    audit.record(
        actor,
        audit.Action.USER_EDITED,
        entity_type="user",
        entity_id=user.id,
        entity_name=str(user),
        before={field: before},
        after={field: after},
    )


def _phones(phones: Iterable[Phone]) -> list[str]:
    return sorted(f"{one.kind}: {one.value}{' (primary)' if one.primary else ''}" for one in phones)


def _identifiers(identifiers: Iterable[Identifier]) -> list[str]:
    return sorted(f"{one.authority}: {one.value}" for one in identifiers)


def _skills(skills: Iterable[Proficiency]) -> list[Any]:
    return sorted(f"{one.name}: {one.level:g}" for one in skills)
