"""What the API decides about a call whose thing at hand sits in a known division: the guard's decision, and
what its handlers go on to ask (resource_server/guard.py `Where`)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts import queries as account_queries
from accounts.errors import NotFound
from accounts.rules.access import ALLOWED, Decision
from oauthclients.resource_server import guard
from oauthclients.resource_server.guard import Requirement, Where
from oauthclients.rules.effective_access import EffectiveAccess

HIDDEN = NotFound.code


@dataclass(frozen=True)
class Place:
    """A division."""

    id: uuid.UUID
    name: str = ""


# One in which nothing is held but what is held in all of them.
NOWHERE = Place(uuid.UUID(int=0))


def whole(
    requirement: Requirement,
    effective: EffectiveAccess,
    *,
    for_person: bool,
    place: Place | None = None,
    permissions: Sequence[str] = (),
) -> Decision:
    """In the order of the API. `permissions`: what a part of the request asks for on top, one of them."""
    asked = place if asks_there(requirement) else None
    decision = guard.decide(
        requirement,
        effective,
        for_person=for_person,
        division_id=asked.id if asked else None,
        division_name=asked.name if asked else "",
    )
    if decision:
        decision = shown(requirement, effective, place)
    if decision:
        decision = part(parts_of(requirement, permissions), effective, place)
    return decision


def asks_there(requirement: Requirement) -> bool:
    """Whether the permission counts in the division of the thing. A list asks for it anywhere, and then
    leaves out what sits elsewhere."""
    return requirement.where is Where.ASKED


def hides(requirement: Requirement) -> bool:
    return requirement.where is Where.HIDDEN


def shown(requirement: Requirement, effective: EffectiveAccess, place: Place | None) -> Decision:
    """Whether what sits there exists for this caller at all."""
    if (
        place is None
        or not hides(requirement)
        or place.id in account_queries.divisions_seen(effective.access)
    ):
        return ALLOWED
    return Decision(False, HIDDEN, message=_("There is nothing with this ID."))


def parts_of(requirement: Requirement, permissions: Sequence[str]) -> tuple[str, ...]:
    """A route that hides things asks for its own permission there as well, once they are seen; where it
    names several, it is the request that says for which."""
    if permissions or not hides(requirement) or len(requirement.any_of) != 1:
        return tuple(permissions)
    return requirement.any_of


def part(permissions: Sequence[str], effective: EffectiveAccess, place: Place | None) -> Decision:
    if not permissions:
        return ALLOWED
    return effective.access.decide(
        *permissions, division_id=place.id if place else None, division_name=place.name if place else ""
    )
