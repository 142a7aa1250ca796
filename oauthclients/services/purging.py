"""Removing what has ended of clients and of what they were given, for config/housekeeping.py. Readers
already ignore all of it; this frees the space.

What is kept, and why, is the same for one row and for a million; but a million is removed by statements
that never bring the rows here (docs/decisions/013-purging.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts.actor import system
from accounts.batches import Looked, Round, Sweep, delete_by_id
from accounts.models import Organization
from oauthclients.models import (
    Client,
    ClientDraft,
    ClientSecret,
    FamilyToken,
    Refusal,
    TokenFamily,
    Usage,
    UsageQuery,
    UsedAccess,
)
from oauthclients.queries import DRAFTS_LIVE
from oauthclients.rules.unused import LONGEST_REVIEW
from oauthclients.services import clients

# How long a code or refresh token of a family that was ended is still told from one that never was.
KEPT_AFTER_END = timedelta(days=7)
EARLIEST = datetime.min.replace(tzinfo=UTC)


def families(round: Round) -> int:
    """Those that are over, with their refresh tokens, but not while an access token of theirs lives. The
    row was kept to recognise what turns up again."""
    over = TokenFamily.objects.filter(ends_at__lte=round.now)
    ended = TokenFamily.objects.filter(ended_at__lte=round.now - KEPT_AFTER_END)
    living = get_access_token_model().objects.filter(expires__gt=round.now)

    def alive(ids: list[Any]) -> Iterable[Any]:
        family_of = dict(FamilyToken.objects.filter(family_id__in=ids).values_list("token_id", "family_id"))
        tokens = living.filter(id__in=list(family_of)).values_list("id", flat=True)
        return {family_of[token] for token in tokens}

    return sum(
        round.sweep(f"families by {key}").go_on(round, rows, key=key, stay=alive, remove=_forget_families)
        for rows, key in ((over, "ends_at"), (ended, "ended_at"))
    )


def codes(round: Round) -> int:
    return round.delete(get_grant_model().objects.filter(expires__lte=round.now).order_by("expires"))


def refresh_tokens(round: Round) -> int:
    """Those without a family. Families take theirs with them, so there are none but by accident: of the
    millions that stay, nothing is brought here."""
    quote = connection.ops.quote_name
    table = quote(get_refresh_token_model()._meta.db_table)
    families = quote(TokenFamily._meta.db_table)
    # Asked one by one: what PostgreSQL would make of NOT EXISTS may go through all families.
    statement = f"""
        WITH next AS MATERIALIZED (
            SELECT id, token_family FROM {table} WHERE id > %s ORDER BY id LIMIT %s
        )
        SELECT count(*), max(id), NULL FROM next
        UNION ALL
        SELECT 0, NULL, id FROM next
        WHERE (SELECT id FROM {families} AS family WHERE family.id = next.token_family) IS NULL"""  # noqa: S608

    def look(at: int | None, size: int) -> Looked:
        with connection.cursor() as cursor:
            cursor.execute(statement, [at or 0, size])
            found = cursor.fetchall()
        gone = [id for _seen, _last, id in found if id is not None]
        return Looked(
            gone, sum(seen for seen, _last, _id in found), max(last or 0 for _seen, last, _id in found)
        )

    return round.sweep("refresh tokens").go_through(round, look, _forget_refresh_tokens)


def tokens(round: Round) -> int:
    """Access tokens that have expired: a client's own in any case, a person's unless it can still be
    refreshed, for then its clock says whether it has been idle."""
    unused = get_refresh_token_model().objects.filter(revoked=None)

    def refreshable(ids: list[Any]) -> Iterable[Any]:
        return unused.filter(access_token_id__in=ids).values_list("access_token_id", flat=True)

    count = round.pace.work(_of_clients(round.now))
    return count + round.sweep("tokens of people").go_on(
        round,
        get_access_token_model().objects.filter(expires__lte=round.now, user__isnull=False),
        key="expires",
        stay=refreshable,
        remove=_forget_tokens,
    )


def secrets(round: Round) -> int:
    return round.delete(ClientSecret.objects.filter(ends_at__lte=round.now).order_by("ends_at"))


def refusals(round: Round) -> int:
    """Those that have not happened again for `USAGE_RETENTION_DAYS`."""
    days = settings.USAGE_RETENTION_DAYS
    if not days:
        return 0
    return round.delete(
        Refusal.objects.filter(last_at__lt=round.now - timedelta(days=days)).order_by("last_at")
    )


def usage_queries(round: Round) -> int:
    return round.delete(UsageQuery.objects.filter(ends_at__lte=round.now).order_by("ends_at"))


def drafts(round: Round) -> int:
    old = ClientDraft.objects.filter(saved_at__lte=round.now - DRAFTS_LIVE)
    return round.delete(old.order_by("saved_at"))


def due_clients(round: Round) -> int:
    """Clients whose week is over. What they were given, however much, goes before them: it stopped working
    when the week began, and a client's own deletion would take it all in one transaction."""
    due = Client.objects.filter(date_to_delete__lte=round.now)
    for client in due:
        _empty(round, client)
    if round.pace.stop.is_set():
        return 0
    return sum(
        clients.purge_due(actor=system(organization))
        for organization in Organization.objects.filter(
            id__in=set(due.values_list("organization_id", flat=True))
        )
    )


def usage(round: Round) -> int:
    """Days older than `USAGE_RETENTION_DAYS`. When access was last used is kept as long as anybody asks for
    it in any case: it is a day for each thing that is held, however often it is used."""
    days = settings.USAGE_RETENTION_DAYS
    if not days:
        return 0
    today = round.now.date()
    counts = Usage.objects.filter(day__lt=today - timedelta(days=days))
    used = UsedAccess.objects.filter(last_day__lt=today - timedelta(days=max(days, LONGEST_REVIEW)))
    return round.delete(counts.order_by("day")) + round.delete(used.order_by("last_day"))


def _empty(round: Round, client: Client) -> None:
    """The client's tokens, and its sign-ins with theirs; all of them, living or not."""
    for rows, remove in (
        (TokenFamily.objects.filter(consent__client=client), _forget_families),
        (get_access_token_model().objects.filter(application=client), _forget_tokens),
    ):
        Sweep().go_on(round, rows, key="id", stay=lambda ids: (), remove=remove)


def _of_clients(now: datetime) -> Callable[[int], tuple[int, bool]]:
    """Removes expired tokens that clients got for themselves, on which nothing hangs: one statement for
    however many.

    PostgreSQL goes by where the rows lie, so that each page is written once, and from where it was: what it
    has just removed is in the index until the next vacuum. A row that somebody gives a longer life in this
    moment is looked at again, and stays.
    """
    table = connection.ops.quote_name(get_access_token_model()._meta.db_table)
    due = "user_id IS NULL AND expires <= %s"
    if connection.vendor != "postgresql":
        statement = f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {due} LIMIT %s)"  # noqa: S608

        def by_id(size: int) -> tuple[int, bool]:
            with connection.cursor() as cursor:
                cursor.execute(statement, [connection.ops.adapt_datetimefield_value(now), size])
                return cursor.rowcount, cursor.rowcount >= size

        return by_id

    statement = f"""
        WITH due AS MATERIALIZED (
            SELECT ctid AS place, expires FROM {table} WHERE {due} AND expires >= %s
            ORDER BY expires LIMIT %s
        ), gone AS (
            DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT place FROM due)) AND {due} RETURNING 1
        )
        SELECT count(*), max(expires), (SELECT count(*) FROM gone) FROM due"""  # noqa: S608
    since = EARLIEST

    def by_place(size: int) -> tuple[int, bool]:
        nonlocal since
        with connection.cursor() as cursor:
            cursor.execute(statement, [now, since, size, now])
            seen, last, gone = cursor.fetchone()
        since = last or since
        return gone, seen >= size

    return by_place


def _forget_families(ids: list[Any]) -> int:
    rows = get_refresh_token_model().objects.filter(token_family__in=ids)
    _forget_refresh_tokens(list(rows.values_list("pk", flat=True)))
    FamilyToken.objects.filter(family_id__in=ids).delete()
    return delete_by_id(TokenFamily, ids)


def _forget_refresh_tokens(ids: list[Any]) -> int:
    get_access_token_model().objects.filter(source_refresh_token_id__in=ids).update(
        source_refresh_token=None
    )
    return delete_by_id(get_refresh_token_model(), ids)


def _forget_tokens(ids: list[Any]) -> int:
    get_refresh_token_model().objects.filter(access_token_id__in=ids).update(access_token=None)
    FamilyToken.objects.filter(token_id__in=ids).delete()
    return delete_by_id(get_access_token_model(), ids)
