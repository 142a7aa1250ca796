"""Nobody hands on a role-division pair that they do not hold themselves (seeds 001 and 002).

"Hold" means that very role, in that division or in all: holding another role with the same
permissions is not enough, and holding a role in every single division is not the same as holding it
in all of them, because a division made tomorrow would be included.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from accounts.rules.access import Access

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
