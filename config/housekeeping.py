"""Removing what has ended: by `manage.py purge`, and by the running service itself (`Housekeeper`), one
process at a time."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from accounts.batches import Pace, Round, Sweep
from accounts.services import purging as of_accounts
from config.turns import HOUSEKEEPING, taken
from oauthclients.services import purging as of_clients

log = logging.getLogger(__name__)

# What is removed, in this order, and how much of it was: the words are those that `manage.py purge` prints.
STEPS: tuple[tuple[str, Callable[[Round], int]], ...] = (
    ("sign-ins of apps", of_clients.families),
    ("codes", of_clients.codes),
    ("refresh tokens", of_clients.refresh_tokens),
    ("tokens", of_clients.tokens),
    ("secrets", of_clients.secrets),
    ("assertions", of_accounts.assertions),
    ("sign-ins at providers", of_accounts.provider_sign_ins),
    ("sessions", of_accounts.sessions),
    ("sessions of providers", of_accounts.provider_sessions),
    ("failed sign-ins", of_accounts.failed_sign_ins),
    ("drafts", of_clients.drafts),
    ("clients", of_clients.due_clients),
    ("lines of the audit trail", of_accounts.audit_lines),
    ("days of use", of_clients.usage),
    ("refusals", of_clients.refusals),
    ("questions about use", of_clients.usage_queries),
)


@dataclass
class Removed:
    """How much of each kind, and which could not be removed; the log says why."""

    counts: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def purge(
    *,
    stop: threading.Event | None = None,
    thorough: bool = True,
    sweeps: dict[str, Sweep] | None = None,
) -> Removed:
    """Does every step, whatever became of those before. `stop` ends it early; `thorough` and `sweeps` as in
    `Round`."""
    stop = stop or threading.Event()
    round = Round(
        now=timezone.now(), pace=Pace(stop), thorough=thorough, sweeps={} if sweeps is None else sweeps
    )
    removed = Removed()
    for name, step in STEPS:
        if stop.is_set():
            break
        try:
            removed.counts[name] = step(round)
        except Exception:
            log.exception("could not remove what has ended: %s", name)
            removed.failed.append(name)
    return removed


def leading() -> AbstractContextManager[bool]:
    """Whether this process is the one that removes, until the block ends or the process does."""
    return taken(HOUSEKEEPING, connection)


class Housekeeper:
    """A thread of a worker that comes round every `PURGE_EVERY_SECONDS`. Workers that share a database take
    turns: whoever comes while another is at it has nothing to do."""

    def __init__(self, every: float | None = None) -> None:
        self.every: float = settings.PURGE_EVERY_SECONDS if every is None else every
        self.sweeps: dict[str, Sweep] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._come_round, name="housekeeping", daemon=True)

    def start(self) -> None:
        if self.every > 0:
            self._thread.start()

    def stop(self, timeout: float = 5) -> None:
        """Lets the transaction that is under way end, and no other begin."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _come_round(self) -> None:
        # Not all workers at once, nor at the same moment of each minute.
        while not self._stop.wait(self.every * random.uniform(0.5, 1.5)):  # noqa: S311
            self.round()

    def round(self) -> Removed | None:
        """Once, if nobody else does. No error gets out: the next round may find the database again."""
        try:
            with leading() as mine:
                return purge(stop=self._stop, thorough=False, sweeps=self.sweeps) if mine else None
        except Exception:
            log.exception("could not remove what has ended")
            return None
        finally:
            connections.close_all()
