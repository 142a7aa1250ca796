"""What one process does at a time, on whatever machine of the installation: by a lock of the database that
they share."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

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
                # However long it takes: a server is often told to end transactions that stand still.
                cursor.execute(
                    "SELECT set_config(name, '0', true) FROM pg_settings"
                    " WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')"
                )
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

    # To read it is enough for a lock: another user may have made it.
    file = os.open(f"{connection.settings_dict['NAME']}.{turn.name}", os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(file)  # gives the lock up
