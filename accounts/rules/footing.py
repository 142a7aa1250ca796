"""What the decisions of one call rested on, for whoever notes which rights are used at all
(oauthclients/services/usage.py).

A decision never asks for this and never waits for it. Where nobody has begun to write down, nothing is
kept.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from accounts import permissions

if TYPE_CHECKING:
    from accounts.rules.access import Access, HeldRole


class Kind(IntEnum):
    """How a right was used."""

    HELD = 1  # these permissions, without a division being asked for
    THERE = 2  # one of these permissions, in this division
    WHEREVER = 3  # these permissions, in every division in which they are held: a list
    ROLE = 4  # this very role, in this division (None: all)
    SCOPE = 5  # one of these scopes


class Step(NamedTuple):
    """One thing that was allowed. `access` is whose it was; None for scopes."""

    access: Access | None
    kind: Kind
    names: tuple[str, ...]
    place: uuid.UUID | None = None


_steps: ContextVar[list[Step] | None] = ContextVar("steps", default=None)


def begin() -> None:
    _steps.set([])


def end() -> list[Step]:
    """What was allowed since `begin`, in order."""
    found = _steps.get()
    _steps.set(None)
    return found or []


@contextmanager
def aside() -> Iterator[None]:
    """For decisions that are only asked about: nothing is done by them, so they use no right."""
    before = _steps.set(None)
    try:
        yield
    finally:
        _steps.reset(before)


def rested_on(
    access: Access | None, kind: Kind, names: tuple[str, ...], place: uuid.UUID | None = None
) -> None:
    steps = _steps.get()
    if steps is not None:
        steps.append(Step(access, kind, names, place))


def pairs(steps: Iterable[Step], access: Access) -> set[tuple[uuid.UUID, uuid.UUID | None]]:
    """The role-division pairs of this access on which the steps rested; a division that is None stands for
    all. Where several pairs would each have been enough, it is all of them: none of them is called unused
    because of another."""
    own = [step for step in steps if step.access is not None and _same(step.access, access)]
    looked_where = {name for step in own if step.kind in (Kind.THERE, Kind.WHEREVER) for name in step.names}
    return {
        (held.role_id, held.division_id)
        for step in own
        for held in access.held
        if _counts(step, held, looked_where)
    }


def _counts(step: Step, held: HeldRole, looked_where: set[str]) -> bool:
    if step.kind == Kind.ROLE:
        return str(held.role_id) in step.names and _covers(held, step.place)
    for name in step.names:
        if name not in held.permissions:
            continue
        info = permissions.CATALOGUE.get(name)
        if info is None or not info.division_aware or step.kind == Kind.WHEREVER:
            return True
        if step.kind == Kind.THERE and _covers(held, step.place):
            return True
        # The route's first question, after which the handler asks about a division: that one counts.
        if step.kind == Kind.HELD and name not in looked_where:
            return True
    return False


def _covers(held: HeldRole, place: uuid.UUID | None) -> bool:
    return held.division_id is None or held.division_id == place


def _same(one: Access, other: Access) -> bool:
    """Rights that were read again within the call are still the same subject's."""
    return one is other or set[Any](one.held) == set[Any](other.held)
