"""Removing many rows without anybody waiting for it: in short transactions, with a rest after each.

Nothing here knows what is removed; services/purging.py of both apps do.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, models, transaction
from django.db.models import Q, QuerySet

log = logging.getLogger(__name__)

# How many rows a first transaction takes; by how long it took, the next ones take more or less.
FIRST, FEWEST, MOST = 500, 250, 10_000
# About so many rows at most other tables are asked at a time: for more, a planner would read them whole.
ASKED = 1_000
# How many rows a round looks at that turn out to stay, before it leaves the rest to the next round.
LOOKED_AT = 10_000
# PostgreSQL: another transaction has the row, or waits for one of ours.
GIVES_WAY_AT = {"55P03", "40P01"}


class Pace:
    """How long a transaction may take, and how long to rest for each second of work. `stop` ends the work
    after the transaction that is under way."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self.stop = stop or threading.Event()
        sqlite = connection.vendor == "sqlite"
        # SQLite has one writer: whoever wants to write waits for this transaction, and finds the lock free
        # only in the rest. With PostgreSQL nobody waits, but the disk is shared.
        self.seconds = 0.03 if sqlite else 0.02
        self.rest = 1.0 if sqlite else 0.2
        # Where a slow machine needs longer for even the fewest, most of it is for statements as such.
        self.fewest = max(1, FEWEST // 5) if sqlite else FEWEST

    def work(self, batch: Callable[[int], tuple[int, bool]]) -> int:
        """Calls `batch` in one transaction after the other, with how many rows it may take, until it
        answers that nothing is left: how many it removed, and whether there is more. How many that were."""
        total, size = 0, FIRST
        while True:
            began = time.perf_counter()
            try:
                with transaction.atomic():
                    _be_modest()
                    count, more = batch(size)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in GIVES_WAY_AT:
                    raise
                log.info("somebody else has a row that is to be removed; left to the next round")
                return total
            took = time.perf_counter() - began
            total += count
            if not more or self.stop.is_set():
                return total
            size = max(self.fewest, min(MOST, 2 * size, int(size * self.seconds / took)))
            self.stop.wait(took * self.rest)


def _be_modest() -> None:
    """For this transaction: rather than keep anybody waiting, or wait for somebody who may be waiting for
    it, it fails. And it does not wait for the disk: what a crash brings back is removed again."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', '100ms', true),"
                " set_config('synchronous_commit', 'off', true)"
            )


@dataclass(frozen=True)
class Looked:
    """How many rows were looked at, where the last of them lies, and the primary keys of those to go."""

    gone: list[Any]
    seen: int
    last: Any


class Sweep:
    """Goes through rows in the order of an index, past those that stay, and remembers where it is: however
    many stay, a round looks at a bounded number of them, and the next round goes on from there."""

    def __init__(self) -> None:
        self.at: Any = None

    def go_on(
        self,
        round: Round,
        rows: QuerySet[Any],
        *,
        key: str,
        stay: Callable[[list[Any]], Iterable[Any]],
        remove: Callable[[list[Any]], int],
    ) -> int:
        """Of `rows`, in the order of `key`, all go to `remove`, by their primary keys, but those that
        `stay` names. It is asked about some at a time: one statement with a condition on another table
        would be planned as if it were about all."""

        def look(at: Any, size: int) -> Looked:
            found = list(self._rest(rows, key, at).order_by(key, "pk").values_list(key, "pk")[:size])
            ids = [pk for _key, pk in found]
            kept = set(stay(ids)) if ids else set()
            return Looked([pk for pk in ids if pk not in kept], len(ids), found[-1] if found else None)

        return self.go_through(round, look, remove)

    def go_through(
        self, round: Round, look: Callable[[Any, int], Looked], remove: Callable[[list[Any]], int]
    ) -> int:
        """The same where one statement says what goes. `look` is given after which place, or None for the
        beginning, and at how many rows it may look. A thorough round looks at all rows."""
        if round.thorough:
            self.at = None
        stayed = 0

        def batch(size: int) -> tuple[int, bool]:
            nonlocal stayed
            size = min(size, ASKED)
            found = look(self.at, size)
            count = remove(found.gone) if found.gone else 0
            stayed += found.seen - len(found.gone)
            self.at = found.last if found.seen == size else None
            return count, self.at is not None and (round.thorough or stayed < LOOKED_AT)

        return round.pace.work(batch)

    def _rest(self, rows: QuerySet[Any], key: str, at: tuple[Any, Any] | None) -> QuerySet[Any]:
        if at is None:
            return rows
        value, pk = at
        # The first condition is what an index finds, the others are what is meant.
        return rows.filter(**{f"{key}__gte": value}).filter(
            Q(**{f"{key}__gt": value}) | Q(**{key: value, "pk__gt": pk})
        )


@dataclass
class Round:
    """One time that housekeeping is done. `thorough`: to the end, whatever there is; otherwise within
    bounds, as often as somebody comes round. `sweeps` are kept from one round to the next."""

    now: datetime
    pace: Pace = field(default_factory=Pace)
    thorough: bool = True
    sweeps: dict[str, Sweep] = field(default_factory=dict)

    def sweep(self, name: str) -> Sweep:
        return self.sweeps.setdefault(name, Sweep())

    def delete(self, rows: QuerySet[Any]) -> int:
        """Removes `rows`, of a table that no other refers to, in their order."""

        def batch(size: int) -> tuple[int, bool]:
            ids = list(rows.values_list("pk", flat=True)[:size])
            # Looked at again: one that somebody has just prolonged stays.
            count, _by_model = rows.order_by().filter(pk__in=ids).delete()
            return count, len(ids) == size

        return self.pace.work(batch)


def delete_by_id(model: type[models.Model], ids: Iterable[Any]) -> int:
    """One statement, and none for what refers to the rows: the caller has seen to that. The ORM would read
    everything first."""
    pk = model._meta.pk
    assert pk.column is not None
    values = [pk.get_db_prep_value(value, connection) for value in ids]
    if not values:
        return 0
    quote = connection.ops.quote_name
    table, column = quote(model._meta.db_table), quote(pk.column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE {column} IN ({', '.join(['%s'] * len(values))})",  # noqa: S608
            values,
        )
        return cursor.rowcount
