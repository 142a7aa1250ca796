"""Giving and taking role-division pairs, whoever the subject is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import Actor
from accounts.errors import NotAllowed, Problems
from accounts.models import Division, Role, RoleGrant, SubjectType
from accounts.rules.delegation import RoleDivision, not_held


@dataclass(frozen=True)
class NamedPair:
    """A pair with its rows, known to belong to the actor's organization."""

    role: Role
    division: Division | None

    @property
    def pair(self) -> RoleDivision:
        return RoleDivision(self.role.id, self.division.id if self.division else None)

    def __str__(self) -> str:
        where = self.division.name if self.division else _("all divisions")
        return f"{self.role.name}: {where}"


def resolve(actor: Actor, pairs: Iterable[RoleDivision]) -> list[NamedPair]:
    """The rows of these pairs, each once. Raises `Invalid` (`bad.client.role`, `bad.role.divisions`)
    for a role or division that is not this organization's."""
    wanted = list(dict.fromkeys(pairs))
    roles = Role.objects.filter(organization=actor.organization).in_bulk({pair.role_id for pair in wanted})
    divisions = Division.objects.filter(organization=actor.organization).in_bulk(
        {pair.division_id for pair in wanted if pair.division_id}
    )
    problems = Problems()
    named = []
    for pair in wanted:
        role = roles.get(pair.role_id)
        division = divisions.get(pair.division_id) if pair.division_id else None
        if role is None:
            problems.add(
                "roleDivisions",
                "bad.client.role",
                unknown_role(pair.role_id),
            )
        elif pair.division_id and division is None:
            problems.add(
                "roleDivisions",
                "bad.role.divisions",
                unknown_division(pair.division_id),
            )
        else:
            named.append(NamedPair(role, division))
    problems.raise_if_any()
    return named


def lacked_by(actor: Actor, pairs: Iterable[NamedPair]) -> list[NamedPair]:
    """Those of the pairs that the actor does not hold, and so cannot give."""
    by_pair = {named.pair: named for named in pairs}
    return [by_pair[pair] for pair in not_held(actor.access, by_pair)]


def refuse_not_held(actor: Actor, pairs: Sequence[NamedPair]) -> None:
    """Raises `Invalid` (`bad.client.role`) for pairs that the actor cannot give."""
    problems = Problems()
    for named in lacked_by(actor, pairs):
        problems.add("roleDivisions", "bad.client.role", lacking(named))
    problems.raise_if_any()


def unknown_role(role_id: object) -> str:
    """Also for a role of another organization."""
    return _("There is no role with the ID %(id)s.") % {"id": role_id}


def unknown_division(division_id: object) -> str:
    """Also for a division of another organization."""
    return _("There is no division with the ID %(id)s.") % {"id": division_id}


def lacking(named: NamedPair) -> str:
    """ "You do not hold ‘Supervisor’ in East." — one sentence for form, page and API."""
    if named.division is None:
        return _("You do not hold ‘%(role)s’ in all divisions.") % {"role": named.role.name}
    return _("You do not hold ‘%(role)s’ in %(division)s.") % {
        "role": named.role.name,
        "division": named.division.name,
    }


def require_held(actor: Actor, pairs: Sequence[NamedPair]) -> None:
    """Raises `NotAllowed` (`missing.division.permissions`) naming every pair lacked."""
    lacked = lacked_by(actor, pairs)
    if lacked:
        where = [named.division.name if named.division else "*" for named in lacked]
        raise NotAllowed(
            " ".join(lacking(named) for named in lacked),
            code="missing.division.permissions",
            divisions=dict.fromkeys(where),
        )


def replace(
    *,
    actor: Actor,
    subject_type: SubjectType,
    subject_id: uuid.UUID,
    pairs: Sequence[NamedPair],
) -> None:
    """Makes these the subject's pairs. Pairs that stay keep their giver and date.

    Every pair must be one that the actor holds, those that stay included: an edit settles all of
    them. Runs inside the caller's transaction, which records the change.
    """
    refuse_not_held(actor, pairs)
    wanted = {named.pair: named for named in pairs}
    present = {
        RoleDivision(grant.role_id, grant.division_id): grant
        for grant in RoleGrant.objects.filter(organization=actor.organization, subject_id=subject_id)
    }
    gone = [grant.id for pair, grant in present.items() if pair not in wanted]
    if gone:
        RoleGrant.objects.filter(id__in=gone).delete()
    RoleGrant.objects.bulk_create(
        RoleGrant(
            organization=actor.organization,
            subject_type=subject_type,
            subject_id=subject_id,
            role=named.role,
            division=named.division,
            granted_by_type=actor.type,
            granted_by_id=actor.id,
        )
        for pair, named in wanted.items()
        if pair not in present
    )


def give(
    *, actor: Actor, subject_type: SubjectType, subject_id: uuid.UUID, pairs: Sequence[NamedPair]
) -> None:
    """Replaces the pairs of a person and records it."""
    before = describe_grants(actor, subject_id)
    replace(actor=actor, subject_type=subject_type, subject_id=subject_id, pairs=pairs)
    audit.record(
        actor,
        audit.Action.GRANTS_CHANGED,
        entity_type=subject_type,
        entity_id=subject_id,
        entity_name=str(subject_id),
        before={"roleDivisions": before},
        after={"roleDivisions": describe_grants(actor, subject_id)},
    )


def forget(subject_id: uuid.UUID) -> None:
    """Deletes the grants of a subject that is being deleted for good."""
    RoleGrant.objects.filter(subject_id=subject_id).delete()


def describe_grants(actor: Actor, subject_id: uuid.UUID) -> list[str]:
    """ "Supervisor: East" for each pair, for the audit trail."""
    return sorted(
        str(NamedPair(grant.role, grant.division))
        for grant in RoleGrant.objects.filter(
            organization=actor.organization, subject_id=subject_id
        ).select_related("role", "division")
    )
