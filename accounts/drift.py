"""Grant drift: a role-division pair whose giver could not give it any more.

A pair stays what it is when whoever gave it loses their own; nothing is changed silently. It is shown, and
the next edit of its holder settles it (services/grants.py): whoever edits takes it over as its giver, or
removes it. What the installation itself gave never drifts.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Organization, RoleGrant, SubjectType, User, UserState
from accounts.permissions import expand
from accounts.rules.access import Access, HeldRole
from accounts.rules.delegation import RoleDivision, may_give_to_person

# Which of these givers are programs that are switched off; for the app that knows programs.
SWITCHED_OFF: list[Callable[[set[uuid.UUID]], set[uuid.UUID]]] = []


@dataclass(frozen=True)
class Gift:
    """That somebody gave a role in a division (None: all) to holders of one kind."""

    giver_id: uuid.UUID
    role_id: uuid.UUID
    division_id: uuid.UUID | None
    subject_type: str


def gifts(organization: Organization, *, subject_ids: Iterable[uuid.UUID] | None = None) -> set[Gift]:
    """What drifted, to these subjects or in the whole organization: three statements at most, however many
    hold it."""
    given = RoleGrant.objects.filter(organization=organization, granted_by_id__isnull=False)
    if subject_ids is not None:
        given = given.filter(subject_id__in=list(subject_ids))
    rows = given.order_by().values_list("granted_by_id", "role_id", "division_id", "subject_type")
    found = {Gift(giver, role, division, kind) for giver, role, division, kind in rows.distinct() if giver}
    if not found:
        return set()
    held = _held_by(organization, {gift.giver_id for gift in found})
    policies = {
        role.id: expand(role.policies)
        for role in organization.roles.filter(id__in={gift.role_id for gift in found})
    }
    return {gift for gift in found if not _could_give(held[gift.giver_id], gift, policies[gift.role_id])}


def _held_by(organization: Organization, givers: set[uuid.UUID]) -> dict[uuid.UUID, Access]:
    """What each giver holds now; whoever is not active, nothing."""
    gone = set(
        User.objects.filter(id__in=givers).exclude(state=UserState.ACTIVE).values_list("id", flat=True)
    ).union(*(switched_off(givers) for switched_off in SWITCHED_OFF))
    held: dict[uuid.UUID, list[HeldRole]] = defaultdict(list)
    rows = RoleGrant.objects.filter(organization=organization, subject_id__in=givers - gone)
    for grant in rows.select_related("role"):
        held[grant.subject_id].append(
            HeldRole(grant.role_id, grant.role.name, grant.division_id, expand(grant.role.policies))
        )
    return {giver: Access(tuple(held[giver])) for giver in givers}


def _could_give(access: Access, gift: Gift, permissions: frozenset[str]) -> bool:
    if gift.subject_type == SubjectType.CLIENT:
        return access.holds(gift.role_id, gift.division_id)
    return may_give_to_person(access, RoleDivision(gift.role_id, gift.division_id), permissions)


def grants(
    organization: Organization, *, subject_ids: Iterable[uuid.UUID] | None = None
) -> QuerySet[RoleGrant]:
    """The pairs that drifted, with role and division, by holder."""
    ids = None if subject_ids is None else list(subject_ids)
    drifted = gifts(organization, subject_ids=ids)
    rows = RoleGrant.objects.filter(organization=organization)
    if ids is not None:
        rows = rows.filter(subject_id__in=ids)
    if not drifted:
        return rows.none()
    return (
        rows.filter(_any_of(drifted))
        .select_related("role", "division")
        .order_by("subject_type", "subject_id", "role__name", "id")
    )


def _any_of(gifts: Iterable[Gift]) -> Q:
    """In as few parts as may be: somebody may have given thousands of pairs, and SQLite takes no condition
    of a thousand parts."""
    roles: dict[tuple[uuid.UUID, str, uuid.UUID | None], set[uuid.UUID]] = defaultdict(set)
    for gift in gifts:
        roles[gift.giver_id, gift.subject_type, gift.division_id].add(gift.role_id)
    places: dict[tuple[uuid.UUID, str, frozenset[uuid.UUID]], set[uuid.UUID | None]] = defaultdict(set)
    for (giver, kind, division), given in roles.items():
        places[giver, kind, frozenset(given)].add(division)
    return reduce(
        or_,
        (
            Q(granted_by_id=giver, subject_type=kind, role_id__in=given) & _in_one_of(where)
            for (giver, kind, given), where in places.items()
        ),
    )


def _in_one_of(divisions: set[uuid.UUID | None]) -> Q:
    named = Q(division_id__in=[division for division in divisions if division is not None])
    return named | Q(division_id=None) if None in divisions else named


def sentence(grant: RoleGrant, giver: str) -> str:
    """ "‘Supervisor’ in East was given by Ada, who could not give it any more." """
    if grant.division is None:
        return _("‘%(role)s’ in all divisions was given by %(giver)s, who could not give it any more.") % {
            "role": grant.role.label,
            "giver": giver,
        }
    return _("‘%(role)s’ in %(division)s was given by %(giver)s, who could not give it any more.") % {
        "role": grant.role.label,
        "division": grant.division.name,
        "giver": giver,
    }
