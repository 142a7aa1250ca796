"""What clients were refused, noted in memory and written together by the thread of services/usage.py: no
call waits for it, and none makes a statement.

Only what was decided is kept: no secret, no token, no address, nothing that was sent. Like refusals are one
row. What somebody without a right to anything can cause is bounded: a client has at most `MOST_KINDS` rows,
of which the oldest give way; so many kinds are remembered between two writings and no more; and requests
for tokens, whose client is only what was claimed, have room of their own, and are kept for clients that
exist.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Count

from oauthclients import grant_types
from oauthclients.models import Client, Refusal
from oauthclients.services import usage

log = logging.getLogger(__name__)

# Rows of one client that are kept, and new kinds of refusal of one client between two writings.
MOST_KINDS = 100
MOST_NEW = 50
# Kinds that this process remembers between two writings: of calls, and of claims.
MOST_CALLS = 5_000
MOST_CLAIMS = 1_000
# Rows in one statement.
BATCH = 200


class Kind(NamedTuple):
    """What makes refusals alike. `organization_id` is None for a claim: its client is looked for later."""

    organization_id: uuid.UUID | None
    client_id: uuid.UUID
    person_id: uuid.UUID | None
    method: str
    route: str
    status: int
    code: str
    missing: str
    divisions: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(self[1:]).encode()).hexdigest()


class Note:
    """How often, and when first and last."""

    __slots__ = ("count", "first", "last")

    def __init__(self, at: datetime) -> None:
        self.count, self.first, self.last = 1, at, at

    def again(self, count: int, first: datetime, last: datetime) -> None:
        self.count += count
        self.first, self.last = min(self.first, first), max(self.last, last)


class _Notes:
    def __init__(self, most: int) -> None:
        self.most = most
        self.kinds: dict[Kind, Note] = {}
        self.of_client: Counter[uuid.UUID] = Counter()

    def add(self, kind: Kind, at: datetime) -> None:
        known = self.kinds.get(kind)
        if known is not None:
            known.again(1, at, at)
        elif len(self.kinds) < self.most and self.of_client[kind.client_id] < MOST_NEW:
            self.of_client[kind.client_id] += 1
            self.kinds[kind] = Note(at)


class _Book:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self.forget()

    def forget(self) -> None:
        with self._lock:
            self._calls, self._claims = _Notes(MOST_CALLS), _Notes(MOST_CLAIMS)

    def note(self, kind: Kind, at: datetime) -> None:
        with self._lock:
            (self._calls if kind.organization_id else self._claims).add(kind, at)
        usage.beside(self.flush)

    def flush(self) -> None:
        """What cannot be written is given up: these are notes for people, and decide nothing."""
        with self._lock:
            found = {**self._calls.kinds, **self._claims.kinds}
            if not found:
                return
            self._calls, self._claims = _Notes(MOST_CALLS), _Notes(MOST_CLAIMS)
        with self._writing:
            try:
                _write(found)
            except Exception:
                log.warning("%s kinds of refusal could not be noted", len(found), exc_info=True)


_book = _Book()
flush, forget = _book.flush, _book.forget


def of_call(
    *,
    organization_id: uuid.UUID,
    client_id: uuid.UUID,
    person_id: uuid.UUID | None,
    method: str,
    route: str,
    status: int,
    code: str,
    missing: Iterable[str] = (),
    divisions: Iterable[str] = (),
    now: datetime,
) -> None:
    """A call with a token that is known, alive or not."""
    kind = Kind(
        organization_id,
        client_id,
        person_id,
        method,
        route[:200],
        status,
        code[:64],
        ", ".join(missing)[:300],
        ", ".join(divisions)[:200],
    )
    _book.note(kind, now)


def of_token_request(
    *, claimed: uuid.UUID, status: int, error: str, grant_type: str, now: datetime
) -> None:
    """A request for a token by whoever says that it is this client. What it sent for a grant type is kept
    only where there is such a one."""
    known = grant_type if grant_type in _GRANT_TYPES else ""
    _book.note(Kind(None, claimed, None, "POST", "/oauth/token", status, error[:64], known, ""), now)


_GRANT_TYPES = frozenset().union(*(one.grant_types for one in grant_types.GRANT_TYPES))


def _write(found: dict[Kind, Note]) -> None:
    homes = dict(
        Client.objects.filter(
            id__in={kind.client_id for kind in found if kind.organization_id is None}
        ).values_list("id", "organization_id")
    )
    rows = [
        (kind._replace(organization_id=kind.organization_id or homes.get(kind.client_id)), note)
        for kind, note in found.items()
    ]
    # Sorted: two processes never wait for each other in a circle.
    there = sorted(
        ((kind, note) for kind, note in rows if kind.organization_id is not None),
        key=lambda row: (row[0].client_id, row[0].digest),
    )
    for at in range(0, len(there), BATCH):
        batch = there[at : at + BATCH]
        with transaction.atomic(), connection.cursor() as cursor:
            usage.be_patient(cursor)
            values = [value for kind, note in batch for value in _values(kind, note)]
            cursor.execute(_UPSERT % ", ".join([_ROW] * len(batch)), values)
    _trim({kind.client_id for kind, _note in there})


_COLUMNS = (*(name for name in Kind._fields), "kind", "count", "first_at", "last_at")
_TABLE = Refusal._meta.db_table
_ROW = f"({', '.join(['%s'] * len(_COLUMNS))})"
_UPSERT = (
    f"INSERT INTO {_TABLE} ({', '.join(_COLUMNS)}) VALUES %s "  # noqa: S608  # names of our own
    f"ON CONFLICT (client_id, kind) DO UPDATE SET count = {_TABLE}.count + excluded.count, "
    f"last_at = CASE WHEN excluded.last_at > {_TABLE}.last_at THEN excluded.last_at "
    f"ELSE {_TABLE}.last_at END"
)


def _values(kind: Kind, note: Note) -> list[Any]:
    given = (*kind, kind.digest, note.count, note.first, note.last)
    return [
        Refusal._meta.get_field(name).get_db_prep_save(value, connection)  # type: ignore[union-attr]
        for name, value in zip(_COLUMNS, given, strict=True)
    ]


def _trim(client_ids: set[uuid.UUID]) -> None:
    """The oldest give way."""
    rows = Refusal.objects.filter(client_id__in=client_ids)
    full = (
        rows.values("client_id").annotate(n=Count("id")).filter(n__gt=MOST_KINDS).values_list("client_id")
    )
    for (client_id,) in full:
        of_client = Refusal.objects.filter(client_id=client_id).order_by("-last_at", "-id")
        Refusal.objects.filter(id__in=list(of_client.values_list("id", flat=True)[MOST_KINDS:])).delete()
