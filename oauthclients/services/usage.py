"""What is noted of use: when something was last used, and how often what was asked for.

A request only notes it in memory. A thread of each process writes it down together, every
`USAGE_FLUSH_SECONDS`, so that what is lost when a process is killed is at most so old; one that is stopped
writes first. Of what decides something there is only the idle clock of a client's own token: what is lost
of that can end it early, and never late. Where a clock is nearly up, or a person's, it is written at once.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from multiprocessing.util import Finalize
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q
from oauth2_provider.models import AbstractAccessToken, get_access_token_model

from accounts.rules import footing
from accounts.rules.access import Access
from oauthclients import scopes
from oauthclients.models import NOTHING, Client, ClientSecret, Usage, UsedAccess

log = logging.getLogger(__name__)

# "Last used" is exact to this: a busy client costs one write in this time, not one per call.
NOTED_EVERY = timedelta(minutes=1)
# So many different notes are written before their time.
MOST_NOTES = 10_000
# How long a process that ends waits for its last notes to be written.
LAST_SECONDS = 5.0
# Rows in one statement, in ids or counts.
BATCH = 500
# So many ways of using access are known to be noted today already.
MOST_KNOWN = 20_000


class Counted(NamedTuple):
    """One row of `Usage`."""

    organization_id: uuid.UUID
    client_id: uuid.UUID
    day: date
    method: str
    route: str


class Used(NamedTuple):
    """One row of `UsedAccess`."""

    organization_id: uuid.UUID
    client_id: uuid.UUID
    role_id: uuid.UUID = NOTHING
    division_id: uuid.UUID = NOTHING
    scope: str = ""


@dataclass
class _Notes:
    # When each was used last.
    clients: dict[uuid.UUID, datetime] = field(default_factory=dict)
    secrets: dict[uuid.UUID, datetime] = field(default_factory=dict)
    tokens: dict[int, datetime] = field(default_factory=dict)
    counts: dict[Counted, Counter[str]] = field(default_factory=dict)
    # The last day of each.
    used: dict[Used, date] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.clients) + len(self.secrets) + len(self.tokens) + len(self.counts) + len(self.used)


class Ledger:
    """The notes of this process. One at a time writes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._full = threading.Event()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._notes = _Notes()
        self._others: set[Callable[[], None]] = set()
        self._thread: threading.Thread | None = None
        # What of today is noted already, and by which access that was found (None: by no access).
        self.known: dict[Any, tuple[date, Access | None]] = {}

    def note(self, what: Callable[[_Notes], object]) -> None:
        with self._lock:
            what(self._notes)
            if len(self._notes) >= MOST_NOTES:
                self._full.set()
            if self._thread is None and settings.USAGE_FLUSH_SECONDS:
                self._thread = threading.Thread(target=self._run, name="usage", daemon=True)
                self._thread.start()
                # As `atexit`, which a process that multiprocessing has started does not come to.
                Finalize(None, self._last, exitpriority=1)

    def beside(self, write: Callable[[], None]) -> None:
        """The thread calls `write` as well, from now on. It deals with its own errors."""
        self._others.add(write)
        self.note(lambda notes: None)  # which starts the thread

    def flush(self) -> None:
        """Writes what was noted. What cannot be written is kept for the next time, while there is room."""
        with self._writing:
            with self._lock:
                notes, self._notes = self._notes, _Notes()
            try:
                _write(notes)
            except Exception:
                log.warning("the use of clients could not be noted", exc_info=True)
                self._keep(notes)

    def forget(self) -> None:
        """For tests."""
        with self._lock:
            self._notes = _Notes()
            self.known = {}

    def _keep(self, notes: _Notes) -> None:
        with self._lock:
            if len(self._notes) + len(notes) > 2 * MOST_NOTES:
                log.error("%s notes of use are given up", len(notes))
                self.known = {}
                return
            self._notes.clients = notes.clients | self._notes.clients
            self._notes.secrets = notes.secrets | self._notes.secrets
            self._notes.tokens = notes.tokens | self._notes.tokens
            self._notes.used = notes.used | self._notes.used
            for key, counts in notes.counts.items():
                self._notes.counts.setdefault(key, Counter()).update(counts)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._full.wait(settings.USAGE_FLUSH_SECONDS)
            self._full.clear()
            if len(self._notes):
                self.flush()
            for write in tuple(self._others):
                write()
        self._stopped.set()

    def _last(self) -> None:
        """A database that does not answer keeps no process from ending."""
        self._stopping.set()
        self._full.set()
        self._stopped.wait(LAST_SECONDS)


_ledger = Ledger()
flush, forget, beside = _ledger.flush, _ledger.forget, _ledger.beside


def client_used(client: Client, now: datetime, secret: ClientSecret | None = None) -> None:
    """Moves "last used" of a client (and of the secret it used) forward, at most once a minute. The first
    use is written at once: what was never used is ended without a question (services/secrets.py)."""
    if client.last_used_at is None:
        Client.objects.filter(id=client.id, last_used_at=None).update(last_used_at=now)
    elif now - client.last_used_at >= NOTED_EVERY:
        _ledger.note(lambda notes: notes.clients.update({client.id: now}))
    if secret is None:
        return
    if secret.last_used_at is None:
        ClientSecret.objects.filter(id=secret.id, last_used_at=None).update(last_used_at=now)
    elif now - secret.last_used_at >= NOTED_EVERY:
        _ledger.note(lambda notes: notes.secrets.update({secret.id: now}))


def token_used(token: AbstractAccessToken, now: datetime, ends_at: datetime) -> None:
    """Moves the idle clock of a token forward, at most once a minute. The clock is `updated`: nothing else
    changes that column, and reading the token reads it. `ends_at` is when the token dies if it is not.

    That of a person's token is written at once: what replaces the token goes on with its clock."""
    if now - token.updated < NOTED_EVERY:
        return
    if token.user_id is not None or ends_at - now <= NOTED_EVERY:
        get_access_token_model().objects.filter(pk=token.pk, updated__lt=now).update(updated=now)
    else:
        _ledger.note(lambda notes: notes.tokens.update({token.pk: now}))


def count(
    *, organization_id: uuid.UUID, client_id: uuid.UUID, method: str, route: str, status: int, now: datetime
) -> None:
    """Counts one answer."""
    key = Counted(organization_id, client_id, now.date(), method, route)

    def add(notes: _Notes) -> None:
        counts = notes.counts.get(key)
        if counts is None:
            counts = notes.counts[key] = Counter()
        counts["requests"] += 1
        counts[_KIND[status // 100]] += 1
        if status == 429:
            counts["status_429"] += 1

    _ledger.note(add)


def exercised(
    *,
    organization_id: uuid.UUID,
    client: Client,
    access: Access | None,
    steps: list[footing.Step],
    now: datetime,
) -> None:
    """Notes what an answer rested on: with `access`, of a client's own; without, the scopes of an app that
    acted for a person. Once a day is enough, so that most calls only find that it is done."""
    day = now.date()
    key = (organization_id, client.id, access is None, tuple([step[1:] for step in steps]))
    known = _ledger.known.get(key)
    if known is not None and known[0] == day and known[1] is access:
        return
    if access is None:
        used = {Used(organization_id, client.id, scope=name) for name in _scopes_used(client, steps)}
    else:
        used = {
            Used(organization_id, client.id, role, division or NOTHING)
            for role, division in footing.pairs(steps, access)
        }
    if used:
        _ledger.note(lambda notes: notes.used.update(dict.fromkeys(used, day)))
    if len(_ledger.known) >= MOST_KNOWN:
        _ledger.known = {}
    _ledger.known[key] = (day, access)


def told_elsewhere(*, organization_id: uuid.UUID, client_id: uuid.UUID, now: datetime) -> None:
    """Notes that a service was told what a token of this client may do."""
    _ledger.note(lambda notes: notes.used.update({Used(organization_id, client_id): now.date()}))


def _scopes_used(client: Client, steps: list[footing.Step]) -> set[str]:
    """Of what each step would have taken, all that the app asks for; where reading is enough, no more than
    that."""
    asked = scopes.expanded(client.scope)
    found: set[str] = set()
    for step in steps:
        if step.kind == footing.Kind.SCOPE:
            enough = asked.intersection(step.names)
            found |= {name for name in enough if f"{name}:readonly" not in enough}
    return found


_KIND = [f"status_{hundred}00" for hundred in range(10)]


def _write(notes: _Notes) -> None:
    """Takes away from the notes what is written, so that it is not written again after an error."""
    _move(Client.objects.all(), "last_used_at", notes.clients)
    _move(ClientSecret.objects.all(), "last_used_at", notes.secrets)
    _move(get_access_token_model().objects.all(), "updated", notes.tokens)
    # Sorted: two processes never wait for each other in a circle.
    for batch in _batches(sorted(notes.counts)):
        _put(
            Usage,
            Counted._fields,
            dict.fromkeys(_SUMS, "{here} + {new}"),
            [_values(key, notes.counts[key]) for key in batch],
        )
        for key in batch:
            del notes.counts[key]
    later = "GREATEST" if connection.vendor == "postgresql" else "max"
    for uses in _batches(sorted(notes.used)):
        _put(
            UsedAccess,
            Used._fields,
            {"last_day": f"{later}({{here}}, {{new}})"},
            [[*_prepared(UsedAccess, use), notes.used[use]] for use in uses],
        )
        for use in uses:
            del notes.used[use]


def _move(rows: models.QuerySet[Any], clock: str, used: dict[Any, datetime]) -> None:
    """Sets clocks forward, those of about the same moment together and to the earliest of them. A row that
    somebody holds just now is left: its next use notes it again."""
    by_moment: dict[int, list[Any]] = {}
    for key, at in used.items():
        by_moment.setdefault(int(at.timestamp()), []).append(key)
    for keys in by_moment.values():
        for batch in _batches(sorted(keys)):
            now = min(used[key] for key in batch)
            with transaction.atomic(), connection.cursor() as cursor:
                be_patient(cursor)
                wanted = rows.filter(Q(**{clock: None}) | Q(**{f"{clock}__lt": now}), pk__in=batch)
                if connection.features.has_select_for_update_skip_locked:
                    # Not against those who refer to the row: a token that is being given does.
                    wanted = wanted.order_by("pk").select_for_update(skip_locked=True, no_key=True)
                rows.filter(pk__in=list(wanted.values_list("pk", flat=True))).update(**{clock: now})
            for key in batch:
                del used[key]


def be_patient(cursor: Any) -> None:
    """But not for ever: what cannot be written now is written later."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT set_config('lock_timeout', '2s', true)")


def _batches(items: list[Any]) -> Iterable[list[Any]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))


_SUMS = [one.name for one in Usage._meta.fields if isinstance(one, models.PositiveBigIntegerField)]


def _put(
    model: type[models.Model], key: tuple[str, ...], merged: dict[str, str], rows: list[list[Any]]
) -> None:
    """Adds rows, each with the columns of `key` and then those of `merged`. One that is there already is
    changed as `merged` says, of what is here and what is new."""
    table = model._meta.db_table
    columns = [*key, *merged]
    changes = ", ".join(
        f"{name} = {how.format(here=f'{table}.{name}', new=f'excluded.{name}')}"
        for name, how in merged.items()
    )
    row = f"({', '.join(['%s'] * len(columns))})"
    with transaction.atomic(), connection.cursor() as cursor:
        be_patient(cursor)
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * len(rows))} "  # noqa: S608  # names of our own
            f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}",
            [value for one in rows for value in one],
        )


def _values(key: Counted, counts: Counter[str]) -> list[Any]:
    return [*_prepared(Usage, key), *(counts[name] for name in _SUMS)]


def _prepared(model: type[models.Model], key: Counted | Used) -> list[Any]:
    """The key of a row as the database takes it."""
    fields = [model._meta.get_field(name) for name in key._fields]
    return [
        one.get_db_prep_save(value, connection)  # type: ignore[union-attr]
        for one, value in zip(fields, key, strict=True)
    ]
