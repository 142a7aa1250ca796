"""How PostgreSQL is asked what it has read and planned before: by libpq's own calls (`psycopg.pq`), with
psycopg's adapters and without its cursor, which takes longer than the database. A part of
accounts/statements.py."""

from __future__ import annotations

import hashlib
import itertools
import re
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    import psycopg

Rows = list[tuple[Any, ...]]


def rows(here: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> Rows:
    """What this statement answers, with `%s` where its values go. Raises psycopg's errors."""
    return _session(here.connection).run(sql, values, planned=not here.in_atomic_block)


def can_ask(here: BaseDatabaseWrapper) -> bool:
    """Whether this connection may keep statements, and whether nothing has to be said to it before: psycopg
    begins a transaction with its first statement."""
    if here.connection.prepare_threshold is None:
        return False
    begun = here.connection.pgconn.transaction_status == _IN_TRANSACTION
    return begun if here.in_atomic_block else bool(here.autocommit) and not begun


class _Session:
    """One connection of one thread, and what it has prepared."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        from psycopg import Cursor
        from psycopg.adapt import PyFormat, Transformer
        from psycopg.pq import Format

        self.connection = connection
        context = Cursor(connection)
        for kind, loader in _loaders().items():
            context.adapters.register_loader(kind, loader)
        self._adapter = Transformer.from_context(context)
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._auto, self._binary = PyFormat.AUTO, Format.BINARY

    def run(self, sql: str, values: Sequence[Any], *, planned: bool) -> Rows:
        adapter = self._adapter
        libpq: Any = self.connection.pgconn
        sent = adapter.dump_sequence(values, [self._auto] * len(values))
        kinds, formats = adapter.types or (), adapter.formats
        result = None
        if planned:  # not in a transaction: a plan that a migration has made void could not be made again
            name = self._names.get((sql, kinds)) or self._prepare(sql, kinds)
            result = libpq.exec_prepared(name, sent, formats, _BINARY)
            if result.error_field(_SQLSTATE) == _UNKNOWN:
                # psycopg has deallocated all, or a pooler has lent another connection since.
                del self._names[sql, kinds]
                result = None
        if result is None:
            result = libpq.exec_params(_numbered(sql), sent, kinds, formats, _BINARY)
        if result.status == _ROWS:
            adapter.set_pgresult(result, format=self._binary)
            return adapter.load_rows(0, result.ntuples, tuple)
        if result.status != _DONE:
            self._refused(result)
        return []

    def _prepare(self, sql: str, kinds: tuple[int, ...]) -> bytes:
        # By what it says, so that a name never means another statement, whoever has prepared it on this
        # connection: a pooler may have lent it to somebody else.
        name = b"latchkey_" + hashlib.sha256(repr((sql, kinds)).encode()).hexdigest()[:32].encode()
        result = self.connection.pgconn.prepare(name, _numbered(sql), kinds)
        if result.status != _DONE and result.error_field(_SQLSTATE) != _IS_THERE:
            self._refused(result)
        self._names[sql, kinds] = name
        return name

    def _refused(self, result: Any) -> None:
        from psycopg import OperationalError, errors

        libpq = self.connection.pgconn
        if libpq.status == _GONE and not result.error_field(_SQLSTATE):
            raise OperationalError(libpq.get_error_message())
        raise errors.error_from_result(result)


# libpq's numbers, as in psycopg.pq, which only installations on PostgreSQL load.
_BINARY = 1
_IN_TRANSACTION = 2  # TransactionStatus
_GONE = 1  # ConnStatus
_DONE, _ROWS = 1, 2  # ExecStatus
_SQLSTATE = 67  # DiagnosticField
_UNKNOWN = b"26000"
_IS_THERE = b"42P05"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

_here = threading.local()


def _session(connection: psycopg.Connection[Any]) -> _Session:
    found: _Session | None = getattr(_here, "session", None)
    if found is None or found.connection is not connection:
        found = _here.session = _Session(connection)
    return found


@lru_cache(maxsize=256)
def _numbered(sql: str) -> bytes:
    """`$1, $2` instead of `%s`."""
    numbers = itertools.count(1)
    return re.sub("%([s%])", lambda it: f"${next(numbers)}" if it[1] == "s" else "%", sql).encode()


@lru_cache(maxsize=1)
def _loaders() -> dict[str, Any]:
    """What Django wants otherwise than psycopg: moments in UTC as `datetime.UTC`, and JSON as its text."""
    from psycopg.adapt import Loader
    from psycopg.pq import Format

    class Moment(Loader):
        format = Format.BINARY

        def load(self, data: Any) -> datetime:
            return _EPOCH + timedelta(microseconds=int.from_bytes(data, "big", signed=True))

    class Text(Loader):
        format = Format.BINARY

        def load(self, data: Any) -> str:
            return bytes(data[1:]).decode()  # the first byte is the format's version

    return {"timestamptz": Moment, "jsonb": Text}
