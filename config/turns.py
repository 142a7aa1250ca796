"""What one process does at a time, on whatever machine of the installation: by a lock of the database that
they share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True)
class Turn:
    """`number` is PostgreSQL's advisory lock, any that nobody else uses in this database; `name` ends the
    name of the file that is locked beside SQLite's."""

    number: int
    name: str


HOUSEKEEPING = Turn(0x4C_61_74_63_68, "purging")  # "Latch"
MIGRATING = Turn(0x4C_61_74_63_69, "migrating")


@contextlib.contextmanager
def taken(turn: Turn, connection: BaseDatabaseWrapper) -> Iterator[bool]:
    """Whether it is this process's, until the block ends or the process does. Does not wait: on PostgreSQL,
    whoever waits for a lock holds up others' `CREATE INDEX CONCURRENTLY`."""
    if connection.vendor == "postgresql":
        # A transaction of its own connection, which also holds behind a pooler that lends connections for a
        # transaction. It reads nothing, so it keeps no vacuum and no index waiting.
        own = connection.copy()
        try:
            own.set_autocommit(False)
            with own.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [turn.number])
                (mine,) = cursor.fetchone()
            yield mine
        finally:
            own.close()
        return
    if connection.is_in_memory_db():  # type: ignore[attr-defined]  # nobody else has it
        yield True
        return
    import fcntl  # not on Windows, where SQLite has one process

    with Path(f"{connection.settings_dict['NAME']}.{turn.name}").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True  # closing the file gives the lock up
