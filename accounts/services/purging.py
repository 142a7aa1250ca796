"""Removing what has ended of people, their sign-ins and the audit trail, for config/housekeeping.py.
Readers already ignore all of it, but for the lines of the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, OuterRef

from accounts import audit
from accounts.actor import system
from accounts.batches import Round, delete_by_id
from accounts.models import AuditEvent, Organization, ProviderSession, ProviderSignIn, UsedAssertion

# A sign-in at a provider is over after minutes; its row may help somebody who asks what went wrong.
KEPT_SIGN_IN = timedelta(days=1)


def assertions(round: Round) -> int:
    return round.delete(UsedAssertion.objects.filter(ends_at__lte=round.now).order_by("ends_at"))


def provider_sign_ins(round: Round) -> int:
    over = ProviderSignIn.objects.filter(started_at__lte=round.now - KEPT_SIGN_IN)
    return round.delete(over.order_by("started_at"))


def sessions(round: Round) -> int:
    return round.delete(Session.objects.filter(expire_date__lte=round.now).order_by("expire_date"))


def provider_sessions(round: Round) -> int:
    """After the sessions, which may have ended just now."""
    return round.sweep("sessions of providers").go_on(
        round,
        ProviderSession.objects.all(),
        key="key",
        stay=lambda keys: Session.objects.filter(session_key__in=keys).values_list(
            "session_key", flat=True
        ),
        remove=lambda keys: delete_by_id(ProviderSession, keys),
    )


def failed_sign_ins(round: Round) -> int:
    return round.delete(
        AccessAttempt.objects.filter(attempt_time__lte=round.now - settings.AXES_COOLOFF_TIME).order_by(
            "pk"
        )
    )


def audit_lines(round: Round) -> int:
    """Lines older than `AUDIT_RETENTION_DAYS`, a day at a time, lest each minute leave a line about a few
    others. Every transaction leaves one: how many lines went, and until when."""
    if not settings.AUDIT_RETENTION_DAYS:
        return 0
    midnight = round.now.replace(hour=0, minute=0, second=0, microsecond=0)
    until = midnight - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    old = AuditEvent.objects.filter(organization_id=OuterRef("id"), at__lt=until)
    return sum(
        _lines_of(organization, until, round) for organization in Organization.objects.filter(Exists(old))
    )


def _lines_of(organization: Organization, until: datetime, round: Round) -> int:
    def batch(size: int) -> tuple[int, bool]:
        lines = AuditEvent.objects.filter(organization_id=organization.id, at__lt=until)
        ids = list(lines.order_by("at").values_list("id", flat=True)[:size])
        with _removable(until):
            count = delete_by_id(AuditEvent, ids)
        if count:
            audit.record(
                system(organization),
                audit.Action.AUDIT_PRUNED,
                entity_type="organization",
                entity_id=organization.id,
                entity_name=organization.name,
                after={"lines": count, "until": until.isoformat()},
            )
        return count, len(ids) == size

    return round.pace.work(batch)


@contextmanager
def _removable(until: datetime) -> Iterator[None]:
    """Within the caller's transaction, the database lets lines from before `until` be removed, and no
    others (migration 0007)."""
    at = connection.ops.adapt_datetimefield_value(until)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT set_config('latchkey.audit_until', %s, true)", [until.isoformat()])
            yield
            cursor.execute("SELECT set_config('latchkey.audit_until', '', true)")
        else:
            cursor.execute("INSERT INTO accounts_auditretention (until) VALUES (%s)", [at])
            yield
            cursor.execute("DELETE FROM accounts_auditretention")
