"""Nobody hands on what they do not hold themselves (seeds 001 and 002).

To an OAuth client, that very role, in that division or in all: holding another role with the same
permissions is not enough. To a person, every permission of the role, in that division: whoever may do all
that a role allows can give it without holding it, or nobody could give a role that was made today.
Holding something in every single division is not the same as holding it in all of them, because a division
made tomorrow would be included.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from accounts.rules.access import EVERYWHERE, Access, Divisions

# What an app that acts for a person needs for it besides (docs/decisions/006-apps-and-roles.md).
SCOPE = "authorization"


@dataclass(frozen=True)
class RoleDivision:
    """A role in a division; `division_id` is None for all divisions, now and later."""

    role_id: uuid.UUID
    division_id: uuid.UUID | None


def not_held(access: Access, pairs: Iterable[RoleDivision]) -> tuple[RoleDivision, ...]:
    """Those of the pairs that this subject cannot give, in the order given."""
    return tuple(pair for pair in pairs if not access.holds(pair.role_id, pair.division_id))


def may_give_to_person(access: Access, pair: RoleDivision, permissions: Iterable[str]) -> bool:
    """Whether this subject may give a person the role with these permissions there."""
    return pair.division_id in where_givable(access, pair.role_id, permissions)


def where_givable(access: Access, role_id: uuid.UUID, permissions: Iterable[str]) -> Divisions:
    """The divisions in which this subject may give a person the role with these permissions."""
    able = EVERYWHERE
    for permission in permissions:
        able &= access.where_covered(permission)
    return access.divisions_of_role(role_id) | able


def beyond_editor(
    access: Access, added: Iterable[str], where: Iterable[uuid.UUID | None]
) -> tuple[str, ...]:
    """Those of the permissions that an editor cannot add to a role that somebody has in these divisions
    (None: all): the ones not held in each of them, and in any case not held at all."""
    places = list(where)
    return tuple(
        permission
        for permission in sorted(added)
        if not access.divisions_for(permission)
        or not all(access.covers(permission, division_id) for division_id in places)
    )
