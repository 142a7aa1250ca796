"""Who has a role, as far as somebody may see it; and what becomes of them when the role changes."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.models import Organization, Role, RoleGrant, SubjectType
from accounts.permissions import CATALOGUE, Permission, expand, label_of
from accounts.rules.delegation import beyond_editor
from oauthclients import queries
from oauthclients.console import drifted
from oauthclients.models import Client
from oauthclients.rules import token_life

SHOWN = 25


@dataclass(frozen=True)
class Counts:
    people: int = 0
    clients: int = 0

    def __bool__(self) -> bool:
        return bool(self.people or self.clients)


@dataclass(frozen=True)
class Holder:
    id: uuid.UUID
    name: str
    more: str
    divisions: tuple[str, ...]


@dataclass(frozen=True)
class Holders:
    """The first of them. `more` are others whom one may see, `hidden` those whom one may not."""

    shown: tuple[Holder, ...]
    count: int
    more: int
    hidden: int


def counts(organization: Organization, *, role_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Counts]:
    """How many hold each of these roles, wherever: one statement."""
    rows = (
        RoleGrant.objects.filter(organization=organization, role_id__in=list(role_ids))
        .order_by()
        .values_list("role_id", "subject_type")
        .annotate(Count("subject_id", distinct=True))
    )
    found: dict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    for role_id, kind, count in rows:
        found[role_id][kind] = count
    return {
        role_id: Counts(by_kind.get(SubjectType.USER, 0), by_kind.get(SubjectType.CLIENT, 0))
        for role_id, by_kind in found.items()
    }


def counts_of(role: Role) -> Counts:
    return counts(role.organization, role_ids=[role.id]).get(role.id, Counts())


def people(actor: Actor, role: Role, count: int) -> Holders:
    """Of the divisions whose people, and what they hold, one may see."""
    seen = account_queries.people_in(actor.organization, drifted.people_seen(actor))
    holding = seen.filter(id__in=_holding(role, SubjectType.USER)).order_by(Lower("name"), "id")
    visible = holding.count()
    rows = list(holding[:SHOWN])
    held_in = _where(role, [person.id for person in rows])
    return Holders(
        shown=tuple(
            Holder(person.id, str(person), person.email, tuple(held_in[person.id])) for person in rows
        ),
        count=count,
        more=visible - len(rows),
        hidden=count - visible,
    )


def clients(actor: Actor, role: Role, count: int) -> Holders:
    """For somebody who may see clients; for others, only how many."""
    if not actor.access.decide(Permission.OAUTH_CLIENT_VIEW):
        return Holders((), count=count, more=0, hidden=count)
    holding = queries.clients(actor.organization).filter(id__in=_holding(role, SubjectType.CLIENT))
    visible = holding.count()
    rows = list(holding.order_by(Lower("name"), "id")[:SHOWN])
    held_in = _where(role, [client.id for client in rows])
    return Holders(
        shown=tuple(Holder(client.id, client.name, "", tuple(held_in[client.id])) for client in rows),
        count=count,
        more=visible - len(rows),
        hidden=count - visible,
    )


def _holding(role: Role, kind: SubjectType) -> Iterable[Any]:
    return RoleGrant.objects.filter(role=role, subject_type=kind).values("subject_id")


def _where(role: Role, subject_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    rows = RoleGrant.objects.filter(role=role, subject_id__in=subject_ids)
    for subject_id, name in rows.order_by("-division__home", "division__name").values_list(
        "subject_id", "division__name"
    ):
        found[subject_id].append(name or _("All divisions"))
    return found


# --- What an editor may add ----------------------------------------------------------------------


def cannot_add(actor: Actor, role: Role | None) -> frozenset[str]:
    """The permissions that this editor cannot add to the role, or to a new one
    (accounts/rules/delegation.py `beyond_editor`)."""
    where: Iterable[uuid.UUID | None] = ()
    if role is not None:
        where = RoleGrant.objects.filter(role=role).order_by().values_list("division_id", flat=True)
    return frozenset(beyond_editor(actor.access, CATALOGUE, set(where)))


# --- What a change does --------------------------------------------------------------------------


@dataclass(frozen=True)
class Affected:
    """What a change of a role's permissions means to those who have it."""

    counts: Counts
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    # Clients whose tokens can no longer live as long as they do; only as many names as one may see.
    shortened: tuple[str, ...]
    shortened_count: int

    @property
    def harm(self) -> bool:
        return bool(self.lost or self.shortened_count)


def affected(actor: Actor, role: Role, permissions: frozenset[str]) -> Affected:
    """By giving the role exactly these permissions."""
    had = expand(role.policies)
    ending = shortened(actor.organization, {role.id: permissions})
    return Affected(
        counts=counts_of(role),
        gained=labels(permissions - had),
        lost=labels(had - permissions),
        shortened=names_of(actor, ending),
        shortened_count=len(ending),
    )


def shortened(
    organization: Organization, changed: Mapping[uuid.UUID, frozenset[str]]
) -> tuple[Client, ...]:
    """The clients whose tokens live for more than two days and no longer may, once these roles have these
    permissions (seed 002). services/role_changes.py brings them back."""
    holders = RoleGrant.objects.filter(role_id__in=list(changed), subject_type=SubjectType.CLIENT)
    long_lived = list(
        queries.clients(organization)
        .filter(id__in=holders.values("subject_id"), token_seconds__gt=token_life.LONGEST)
        .order_by(Lower("name"), "id")
    )
    held: dict[uuid.UUID, list[frozenset[str]]] = defaultdict(list)
    rows = RoleGrant.objects.filter(subject_id__in=[client.id for client in long_lived])
    for subject_id, role_id, policies in rows.values_list("subject_id", "role_id", "role__policies"):
        held[subject_id].append(changed[role_id] if role_id in changed else expand(policies))
    return tuple(client for client in long_lived if not token_life.is_scim_only(held[client.id]))


def names_of(actor: Actor, some: Iterable[Client]) -> tuple[str, ...]:
    if not actor.access.decide(Permission.OAUTH_CLIENT_VIEW):
        return ()
    return tuple(client.name for client in some)


def labels(permissions: Iterable[str]) -> tuple[str, ...]:
    """ "OAuth > Client > View" for each, sorted."""
    return tuple(sorted(label_of(name) for name in permissions))
