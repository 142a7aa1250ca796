"""May this subject do this, and in which divisions? The one place where that is decided.

Grants are *united*: a permission is held in every division in which some grant's role contains it.
Restrictions (scopes, an organization's authorization) are *intersected* later, on top of this, in
`oauthclients.rules`; nothing there can add to what is decided here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.utils.translation import gettext as _

from accounts import permissions
from accounts.errors import NotAllowed
from accounts.rules.footing import Kind, rested_on


@dataclass(frozen=True)
class Divisions:
    """A set of divisions of one organization. `everywhere` includes divisions yet to be made."""

    everywhere: bool = False
    ids: frozenset[uuid.UUID] = frozenset()

    def __contains__(self, division_id: uuid.UUID | None) -> bool:
        """`None` stands for "all divisions", which only `everywhere` contains."""
        return self.everywhere or (division_id is not None and division_id in self.ids)

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.ids)

    def __or__(self, other: Divisions) -> Divisions:
        return Divisions(self.everywhere or other.everywhere, self.ids | other.ids)

    def __and__(self, other: Divisions) -> Divisions:
        if self.everywhere:
            return other
        return self if other.everywhere else Divisions(ids=self.ids & other.ids)


EVERYWHERE = Divisions(everywhere=True)
NOWHERE = Divisions()


@dataclass(frozen=True)
class HeldRole:
    """One grant as the rules see it. `division_id` is None for all divisions."""

    role_id: uuid.UUID
    role_name: str
    division_id: uuid.UUID | None
    permissions: frozenset[str]


@dataclass(frozen=True)
class Decision:
    """Allowed or not, and precisely why not.

    `code` is that of wire contract G2: `missing.any.permissions` (one of several would have done),
    `missing.permissions` (all are needed), `missing.division.permission` and
    `missing.any.division.permissions` (held, but not in this division).
    """

    allowed: bool
    code: str = ""
    missing: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()
    # The sentence, where the codes above have none.
    message: str = ""

    def __bool__(self) -> bool:
        return self.allowed

    def require(self) -> None:
        """Raises `NotAllowed` with the sentence for this refusal, unless it is allowed."""
        if not self.allowed:
            raise NotAllowed(self.sentence, code=self.code, missing=self.missing, divisions=self.divisions)

    @property
    def sentence(self) -> str:
        if self.message:
            return self.message
        names = ", ".join(self.missing)
        where = ", ".join(self.divisions)
        match self.code:
            case "missing.any.permissions":
                return _("You must have at least one of these permissions: [%(names)s]") % {"names": names}
            case "missing.permissions":
                return _("You are missing these permissions: [%(names)s]") % {"names": names}
            case "missing.division.permission":
                return _("You lack the permission [%(names)s] in the division [%(where)s]") % {
                    "names": names,
                    "where": where,
                }
            case _:
                return _(
                    "You lack at least one of these permissions: [%(names)s] in the division [%(where)s]"
                ) % {"names": names, "where": where}


ALLOWED = Decision(True)


@dataclass(frozen=True)
class Access:
    """What a subject holds, right now. Built from rows by `accounts.queries.access_of`."""

    held: tuple[HeldRole, ...] = ()
    # The command line and the installation itself; no request ever gets this.
    unlimited: bool = field(default=False, kw_only=True)

    @cached_property
    def by_permission(self) -> Mapping[str, Divisions]:
        """Each permission held, with the divisions in which it is."""
        result: dict[str, Divisions] = {}
        for role in self.held:
            here = EVERYWHERE if role.division_id is None else Divisions(ids=frozenset([role.division_id]))
            for permission in role.permissions:
                result[permission] = result.get(permission, NOWHERE) | here
        return result

    def divisions_for(self, *any_of: str) -> Divisions:
        """The divisions in which at least one of these permissions is held."""
        if self.unlimited:
            return EVERYWHERE
        result = NOWHERE
        for permission in any_of:
            result |= self.by_permission.get(permission, NOWHERE)
        if result:
            rested_on(self, Kind.WHEREVER, any_of)
        return result

    def decide(
        self,
        *any_of: str,
        division_id: uuid.UUID | None = None,
        division_name: str = "",
    ) -> Decision:
        """At least one of these permissions, and, with a division, held there.

        The division counts only for permissions that are division-aware: a permission that is not
        may be held in any division (an object such as an OAuth client sits in none).
        """
        assert any_of
        if self.unlimited:
            return ALLOWED
        held = [permission for permission in any_of if self.by_permission.get(permission)]
        if not held:
            return Decision(False, "missing.any.permissions", tuple(any_of))
        if division_id is None:
            rested_on(self, Kind.HELD, any_of)
            return ALLOWED
        for permission in held:
            info = permissions.CATALOGUE.get(permission)
            if (info is not None and not info.division_aware) or (
                division_id in self.by_permission[permission]
            ):
                rested_on(self, Kind.THERE, any_of, division_id)
                return ALLOWED
        code = "missing.division.permission" if len(any_of) == 1 else "missing.any.division.permissions"
        return Decision(False, code, tuple(any_of), (division_name or str(division_id),))

    def decide_all(
        self, *all_of: str, division_id: uuid.UUID | None = None, division_name: str = ""
    ) -> Decision:
        """Every one of these permissions, held in that division; without one, wherever."""
        if self.unlimited:
            return ALLOWED
        missing = tuple(name for name in all_of if not self.by_permission.get(name))
        if missing:
            return Decision(False, "missing.permissions", missing)
        if division_id is None:
            rested_on(self, Kind.HELD, all_of)
            return ALLOWED
        there = (self.decide(name, division_id=division_id, division_name=division_name) for name in all_of)
        return next((decision for decision in there if not decision), ALLOWED)

    def covers(self, permission: str, division_id: uuid.UUID | None) -> bool:
        """This permission, in that division or, for None, in all of them."""
        covered = division_id in self._covered(permission)
        if covered:
            rested_on(self, Kind.THERE, (permission,), division_id)
        return covered

    def where_covered(self, permission: str) -> Divisions:
        """The divisions in which this permission counts: one that is not division-aware does so everywhere,
        wherever it is held."""
        where = self._covered(permission)
        if where:
            rested_on(self, Kind.WHEREVER, (permission,))
        return where

    def _covered(self, permission: str) -> Divisions:
        if self.unlimited:
            return EVERYWHERE
        where = self.by_permission.get(permission, NOWHERE)
        info = permissions.CATALOGUE.get(permission)
        return EVERYWHERE if where and info is not None and not info.division_aware else where

    def holds(self, role_id: uuid.UUID, division_id: uuid.UUID | None) -> bool:
        """That very role, in that division or in all of them; None asks for all of them."""
        held = division_id in self.divisions_of_role(role_id)
        if held:
            rested_on(self, Kind.ROLE, (str(role_id),), division_id)
        return held

    def divisions_of_role(self, role_id: uuid.UUID) -> Divisions:
        """Where this very role is held."""
        if self.unlimited:
            return EVERYWHERE
        if any(held.role_id == role_id and held.division_id is None for held in self.held):
            return EVERYWHERE
        return Divisions(
            ids=frozenset(
                held.division_id
                for held in self.held
                if held.role_id == role_id and held.division_id is not None
            )
        )


def everything() -> Access:
    """For the command line, which whoever owns the machine may use."""
    return Access(unlimited=True)


def united_permissions(held: Iterable[HeldRole]) -> frozenset[str]:
    """All permissions of these roles, wherever they are held."""
    return frozenset().union(*(role.permissions for role in held))
