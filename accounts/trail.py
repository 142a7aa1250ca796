"""Reading the audit trail: which lines, newest first, a page at a time.

A trail may have ten million lines, and a page takes no longer then. Pages are told apart by where the last
one ended and not by their number; and no page looks at more than `LOOKED_AT` lines: it starts from the
index of one filter, and what the other filters leave of those lines is the page, which may be a short one
that says how far it has looked.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from accounts.models import AuditEvent, Organization
from accounts.queries import as_uuid

LOOKED_AT = 20_000
LONGEST_SEARCH = 200
# Lines of one request that are shown with each of them.
MOST_RELATED = 20
# The last things that are gone, among which a name is looked for.
MOST_GONE = 2_000


class Position(NamedTuple):
    """Where a page ended: the next one begins below, in the order of `at` and `id`."""

    at: datetime
    id: uuid.UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.id}"

    @classmethod
    def from_text(cls, text: str) -> Position | None:
        """What `str` has made; None for anything else. In UTC, in which some moments of the first and the
        last day that there is cannot be said."""
        moment, _tilde, key = text.partition("~")
        try:
            at, id = datetime.fromisoformat(moment), uuid.UUID(key)
            return cls(at.astimezone(UTC), id) if at.tzinfo is not None else None
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Filter:
    """Which lines; all that is given must be so. `since` is included and `until` is not. `who` did it, or
    is the app through which it was done; `entity` is what it was done to. `text` is part of a name, or an
    address, or an ID of anything that a line names."""

    since: datetime | None = None
    until: datetime | None = None
    who: uuid.UUID | None = None
    entity: uuid.UUID | None = None
    request: uuid.UUID | None = None
    kind: str = ""
    action: str = ""
    text: str = ""


@dataclass(frozen=True)
class Page:
    """`more` is where to go on, None at the end; `looked_back_to` is said where the page is short because
    enough lines have been looked at."""

    lines: Sequence[AuditEvent]
    more: Position | None = None
    looked_back_to: datetime | None = None


def page(
    organization: Organization, wanted: Filter, *, below: Position | None = None, size: int = 25
) -> Page:
    """The newest lines below that position."""
    starts, rest = _plan(wanted)
    found: dict[uuid.UUID, AuditEvent] = {}
    horizon: datetime | None = None
    branches = [_ordered(_between(_of(organization).filter(start), wanted, below)) for start in starts]
    if rest:
        # The first line that is not looked at any more, of each branch; what lies below is the next page's.
        ends = [
            next(iter(rows.order_by("-at").values_list("at", flat=True)[LOOKED_AT : LOOKED_AT + 1]), None)
            for rows in branches
        ]
        horizon = max((end for end in ends if end is not None), default=None)
    for rows in branches:
        chosen = rows.filter(rest) if rest else rows
        chosen = chosen.filter(at__gte=horizon) if horizon else chosen
        found.update((line.id, line) for line in chosen[: size + 1])
    lines = sorted(found.values(), key=lambda line: (line.at, line.id), reverse=True)
    if len(lines) > size:
        last = lines[size - 1]
        return Page(lines[:size], Position(last.at, last.id))
    if horizon is not None:
        return Page(lines, Position(horizon, uuid.UUID(int=0)), horizon)
    return Page(lines)


def every(organization: Organization, wanted: Filter, *, size: int = 1_000) -> Iterator[AuditEvent]:
    """All of these lines, with `size` of them in memory at a time."""
    below = None
    while True:
        some = page(organization, wanted, below=below, size=size)
        yield from some.lines
        if some.more is None:
            return
        below = some.more


def related(organization: Organization, lines: Sequence[AuditEvent]) -> dict[uuid.UUID, list[AuditEvent]]:
    """What else the request of each of these lines has done, by the request, in the order it was done: one
    statement."""
    requests = {one.request_id for one in lines if one.request_id}
    if not requests:
        return {}
    rows = _of(organization).filter(request_id__in=requests).order_by("at", "id")
    by_request: dict[uuid.UUID, list[AuditEvent]] = {}
    for one in rows[: MOST_RELATED * len(requests)]:
        assert one.request_id is not None
        by_request.setdefault(one.request_id, []).append(one)
    return by_request


def name_of(organization: Organization, key: uuid.UUID) -> str | None:
    """The last name that the trail has for something or somebody, which may be gone."""
    about = _ordered(_of(organization).filter(entity_id=key)).values_list("entity_name", flat=True).first()
    by = _ordered(_of(organization).filter(actor_id=key)).values_list("actor_name", flat=True)
    return about if about is not None else by.first()


def gone(organization: Organization, action: str, text: str, *, most: int) -> dict[uuid.UUID, str]:
    """Things that are not there any more and whose name has this text, by the line of their end."""
    ends = _ordered(_of(organization).filter(action=action)).values_list("entity_id", "entity_name")
    found = {
        key: name for key, name in ends[:MOST_GONE] if key is not None and text.lower() in name.lower()
    }
    return dict(list(found.items())[:most])


def _of(organization: Organization) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(organization_id=organization.id)


def _ordered(rows: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    return rows.order_by("-at", "-id")


def _between(rows: QuerySet[AuditEvent], wanted: Filter, below: Position | None) -> QuerySet[AuditEvent]:
    if wanted.since is not None:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(at__lt=wanted.until)
    if below is not None:
        # The first condition is what an index can begin at.
        rows = rows.filter(Q(at__lte=below.at) & (Q(at__lt=below.at) | Q(id__lt=below.id)))
    return rows


def _plan(wanted: Filter) -> tuple[list[Q], Q]:
    """Where to start, each of which an index answers in the order of time (their lines together are what
    is meant), and what else must be so."""
    named = as_uuid(wanted.text) if wanted.text else None
    ways: list[tuple[str, list[Q]]] = [
        ("request", [Q(request_id=wanted.request)]),
        ("entity", [Q(entity_id=wanted.entity)]),
        ("text", [Q(**{name: named}) for name in ("request_id", "entity_id", "actor_id", "via_id")]),
        ("who", [Q(actor_id=wanted.who), Q(via_id=wanted.who)]),
        ("action", [Q(action=wanted.action)]),
        ("kind", [Q(entity_type=wanted.kind)]),
    ]
    given = [
        (name, starts)
        for name, starts in ways
        if getattr(wanted, name) and (name != "text" or named is not None)
    ]
    rest = Q()
    for _name, starts in given[1:]:
        rest &= _any(starts)
    if wanted.text and named is None:
        rest &= _text(wanted.text)
    return (given[0][1] if given else [Q()]), rest


def _any(conditions: list[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found


def _text(text: str) -> Q:
    found = Q(actor_name__icontains=text) | Q(entity_name__icontains=text) | Q(via_name__icontains=text)
    try:
        return found | Q(address=str(ipaddress.ip_address(text)))
    except ValueError:
        return found


def within(wanted: Filter, *, until: datetime) -> Filter:
    """The same, of lines from before that moment."""
    return replace(wanted, until=min(wanted.until, until) if wanted.until else until)


def described(wanted: Filter) -> dict[str, Any]:
    """The filter for a line of the trail."""
    values = {
        "since": wanted.since.isoformat() if wanted.since else None,
        "until": wanted.until.isoformat() if wanted.until else None,
        "who": str(wanted.who) if wanted.who else None,
        "entity": str(wanted.entity) if wanted.entity else None,
        "request": str(wanted.request) if wanted.request else None,
        "kind": wanted.kind,
        "action": wanted.action,
        "text": wanted.text,
    }
    return {name: value for name, value in values.items() if value}
