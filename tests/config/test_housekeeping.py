"""What the running service removes by itself: one process at a time, a little at a time, and without anybody
waiting for it. What is removed and what is kept: test_commands.py."""

from __future__ import annotations

import io
import threading
import time
import uuid
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from accounts import audit, batches
from accounts.actor import system
from accounts.batches import Pace, Round, Sweep
from accounts.models import AuditEvent
from config import housekeeping
from config.housekeeping import Housekeeper, leading, purge
from oauthclients.models import Client, Consent, FamilyToken, TokenFamily, Usage
from oauthclients.services import purging
from oauthclients.services.tokens import digest

AccessToken, RefreshToken = get_access_token_model(), get_refresh_token_model()
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="what PostgreSQL does")


def token(client, *, user=None, minutes=-1, **more):
    return AccessToken.objects.create(
        application=client,
        user=user,
        token_checksum=digest(str(uuid.uuid4())),
        expires=timezone.now() + timedelta(minutes=minutes),
        **more,
    )


@pytest.fixture
def app(cast):
    return cast.app().client


@pytest.fixture
def family(cast, app):
    consent = Consent.objects.create(user=cast.eve, client=app)
    return TokenFamily.objects.create(consent=consent, ends_at=timezone.now() + timedelta(days=1))


def refreshable(family, *, revoked=None, minutes=-1):
    """A person's token that has expired, with its refresh token."""
    person, app = family.consent.user, family.consent.client
    row = token(app, user=person, minutes=minutes)
    FamilyToken.objects.create(token=row, family=family)
    RefreshToken.objects.create(
        user=person,
        application=app,
        access_token=row,
        token_family=family.id,
        token_checksum=digest(str(uuid.uuid4())),
        revoked=revoked,
    )
    return row


def bounded(sweeps):
    return Round(now=timezone.now(), thorough=False, sweeps=sweeps)


# --- What stays, what goes -----------------------------------------------------------------------


def test_a_token_that_can_still_be_refreshed_stays_and_one_whose_refresh_token_was_used_goes(family):
    living = refreshable(family)
    used = refreshable(family, revoked=timezone.now())

    purge()

    assert list(AccessToken.objects.all()) == [living]
    assert not FamilyToken.objects.filter(token_id=used.id).exists()
    # What was used is still told from what never was.
    assert RefreshToken.objects.filter(revoked__isnull=False, access_token=None).count() == 1


def test_a_family_that_is_over_takes_its_refresh_tokens_and_then_its_tokens_with_it(family):
    refreshable(family)
    TokenFamily.objects.update(ends_at=timezone.now())

    purge()

    for model in (TokenFamily, RefreshToken, FamilyToken, AccessToken):
        assert not model.objects.exists()


def test_a_family_that_is_over_stays_while_a_token_of_it_lives(family):
    refreshable(family, minutes=5)
    TokenFamily.objects.update(ends_at=timezone.now())

    purge()

    assert AccessToken.objects.count() == RefreshToken.objects.count() == FamilyToken.objects.count() == 1


def test_a_family_that_was_ended_is_known_for_a_week(family):
    TokenFamily.objects.update(ended_at=timezone.now() - timedelta(days=6))
    purge()
    assert TokenFamily.objects.exists()

    TokenFamily.objects.update(ended_at=timezone.now() - timedelta(days=8))
    purge()
    assert not TokenFamily.objects.exists()


def test_a_refresh_token_without_a_family_goes(family):
    refreshable(family)
    RefreshToken.objects.update(token_family=uuid.uuid4())

    assert purge().counts["refresh tokens"] == 1


def test_a_client_that_is_due_goes_with_all_that_it_was_given(cast, family, app):
    refreshable(family, minutes=5)
    own, _secret = cast.client(("Supervisor", cast.home), by=cast.ada)
    token(own, minutes=5)
    Client.objects.filter(id__in=[app.id, own.id]).update(date_to_delete=timezone.now())

    assert purge().counts["clients"] == 2

    for model in (Client, Consent, TokenFamily, RefreshToken, FamilyToken, AccessToken):
        assert not model.objects.exists()
    assert AuditEvent.objects.filter(action="client.deleted").count() == 2


def test_clients_own_tokens_are_removed_without_being_read(cast, app):
    for _ in range(20):
        token(app)

    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert purging.tokens(Round(now=timezone.now())) == 20

    statements = [query["sql"] for query in captured if "DELETE" in query["sql"]]
    assert len(statements) == 1
    assert "user_id IS NULL" in statements[0]


def test_tokens_that_expire_at_the_same_moment_go_in_however_many_batches(app, monkeypatch):
    for name, size in (("FIRST", 3), ("FEWEST", 3), ("MOST", 3)):
        monkeypatch.setattr(batches, name, size)
    AccessToken.objects.bulk_create(
        AccessToken(application=app, token_checksum=digest(str(i)), expires=timezone.now())
        for i in range(10)
    )

    assert purging.tokens(Round(now=timezone.now())) == 10


# --- A little at a time --------------------------------------------------------------------------


def test_a_round_looks_at_a_bounded_number_of_tokens_that_stay_and_the_next_goes_on(family, monkeypatch):
    for name, size in (("FIRST", 2), ("FEWEST", 2), ("MOST", 2), ("LOOKED_AT", 2)):
        monkeypatch.setattr(batches, name, size)
    for minutes in (-9, -8, -7):
        refreshable(family, minutes=minutes)
    refreshable(family, minutes=-6, revoked=timezone.now())
    sweeps: dict[str, Sweep] = {}

    assert purging.tokens(bounded(sweeps)) == 0
    assert purging.tokens(bounded(sweeps)) == 1
    assert purging.tokens(bounded(sweeps)) == 0
    # Round again: one that was refreshed meanwhile is found.
    RefreshToken.objects.filter(access_token__isnull=False).update(revoked=timezone.now())
    assert purging.tokens(bounded(sweeps)) + purging.tokens(bounded(sweeps)) == 3


def test_a_thorough_round_looks_at_everything(family, monkeypatch):
    for name, size in (("FIRST", 2), ("FEWEST", 2), ("MOST", 2), ("LOOKED_AT", 2)):
        monkeypatch.setattr(batches, name, size)
    for minutes in (-9, -8, -7):
        refreshable(family, minutes=minutes)
    refreshable(family, minutes=-6, revoked=timezone.now())

    assert purging.tokens(Round(now=timezone.now())) == 1


def test_a_transaction_that_took_long_is_followed_by_a_smaller_one_and_a_rest(db):
    pace, sizes, rests = Pace(), [], []
    pace.stop.wait = rests.append

    def batch(size):
        sizes.append(size)
        time.sleep(2 * pace.seconds)
        return size, len(sizes) < 3

    assert pace.work(batch) == sum(sizes)
    assert sizes[0] == batches.FIRST
    assert sizes[0] > sizes[1] >= sizes[2] >= pace.fewest
    assert len(rests) == 2
    assert all(rest >= 2 * pace.seconds * pace.rest for rest in rests)


def test_a_short_transaction_is_followed_by_a_larger_one_within_bounds(db):
    pace, sizes = Pace(), []
    pace.stop.wait = lambda seconds: None

    def batch(size):
        sizes.append(size)
        return size, len(sizes) < 10

    pace.work(batch)
    assert sizes[1] == 2 * batches.FIRST
    assert max(sizes) == batches.MOST


def test_whoever_stops_it_waits_for_one_transaction_only(db):
    pace, done = Pace(), []

    def batch(size):
        done.append(size)
        pace.stop.set()
        return size, True

    pace.work(batch)
    assert len(done) == 1


@on_postgresql
@pytest.mark.django_db(transaction=True)
class TestWithOthersAtWork:
    @pytest.fixture
    def cast(self, transactional_db):
        from tests.cast import make

        return make()

    @pytest.fixture
    def other(self):
        """Somebody else's connection, in a transaction."""
        own = connection.copy()
        own.set_autocommit(False)
        with own.cursor() as cursor:
            yield cursor
        own.close()

    def test_a_row_that_somebody_holds_is_left_to_the_next_round(self, app, other):
        row = token(app)
        other.execute("SELECT 1 FROM oauth2_provider_accesstoken WHERE id = %s FOR UPDATE", [row.id])

        began = time.monotonic()
        removed = purge()
        assert removed.counts["tokens"] == 0
        assert not removed.failed
        assert time.monotonic() - began < 1  # and sooner than PostgreSQL looks for a deadlock

        other.connection.rollback()
        assert purge().counts["tokens"] == 1

    def test_a_row_that_gets_a_longer_life_in_this_moment_stays(self, app, other):
        row = token(app)
        other.execute(
            "UPDATE oauth2_provider_accesstoken SET expires = now() + interval '1 hour' WHERE id = %s",
            [row.id],
        )
        later = threading.Timer(0.03, other.connection.commit)
        later.start()

        assert purge().counts["tokens"] == 0
        later.join()
        assert AccessToken.objects.filter(id=row.id).exists()

    def test_nothing_refers_to_a_token_that_is_not_there(self, family):
        row = refreshable(family)
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM oauth2_provider_accesstoken WHERE id = %s", [row.id])
        with pytest.raises(IntegrityError):
            FamilyToken.objects.create(token_id=row.id + 1, family=family)
        with pytest.raises(IntegrityError):
            RefreshToken.objects.update(access_token_id=row.id + 1)

    def test_nothing_refers_to_a_clients_own_token(self, app, family):
        with pytest.raises(IntegrityError):
            FamilyToken.objects.create(token=token(app), family=family)

    def test_it_is_the_end_of_the_transaction_that_counts(self, family):
        row = refreshable(family)
        with transaction.atomic():
            AccessToken.objects.filter(id=row.id)._raw_delete("default")
            FamilyToken.objects.all().delete()
            RefreshToken.objects.all().delete()
            late = FamilyToken.objects.create(token_id=row.id, family=family)
            late.delete()
        assert not AccessToken.objects.exists()

    def test_a_token_that_somebody_begins_to_refer_to_is_not_deleted(self, family, other):
        row = token(family.consent.client, user=family.consent.user)
        other.execute("DELETE FROM oauth2_provider_accesstoken WHERE id = %s", [row.id])
        with suppress(IntegrityError), transaction.atomic():
            FamilyToken.objects.create(token=row, family=family)
            other.connection.commit()
        assert FamilyToken.objects.count() == AccessToken.objects.count() == 0


# --- One at a time, by itself --------------------------------------------------------------------


def test_one_process_at_a_time_removes(db):
    with leading() as mine:
        assert mine
        with leading() as second:
            assert not second
    with leading() as mine:
        assert mine


def test_whoever_dies_at_it_leads_no_longer(db):
    with suppress(ZeroDivisionError), leading():
        raise ZeroDivisionError
    with leading() as mine:
        assert mine


def test_the_command_says_that_another_process_is_at_it(cast, app):
    token(app)
    out = io.StringIO()
    with leading():
        call_command("purge", stdout=out)

    assert "Another process" in out.getvalue()
    assert AccessToken.objects.exists()


def test_what_cannot_be_removed_keeps_nothing_else_from_being_removed(app, monkeypatch, caplog):
    def broken(round):
        raise OperationalError("the disk is full")

    token(app)
    monkeypatch.setattr(housekeeping, "STEPS", (("codes", broken), ("tokens", purging.tokens)))

    removed = purge()

    assert (removed.counts, removed.failed) == ({"tokens": 1}, ["codes"])
    assert "codes" in caplog.text
    with pytest.raises(CommandError, match="codes"):
        call_command("purge", stdout=io.StringIO())


def test_nothing_runs_by_itself_unless_somebody_starts_it():
    assert not [thread for thread in threading.enumerate() if thread.name == "housekeeping"]


def test_zero_seconds_switch_it_off(settings):
    settings.PURGE_EVERY_SECONDS = 0
    housekeeper = Housekeeper()

    housekeeper.start()

    test_nothing_runs_by_itself_unless_somebody_starts_it()
    housekeeper.stop()


@pytest.mark.django_db(transaction=True)
def test_the_running_service_removes_what_has_ended_until_it_is_stopped(transactional_db):
    from tests.cast import make

    app = make().app().client
    token(app)
    housekeeper = Housekeeper(every=0.02)
    housekeeper.start()
    try:
        ends = time.monotonic() + 10
        while AccessToken.objects.exists() and time.monotonic() < ends:
            time.sleep(0.02)
        assert not AccessToken.objects.exists()
    finally:
        housekeeper.stop()
    test_nothing_runs_by_itself_unless_somebody_starts_it()
    token(app)
    time.sleep(0.1)
    assert AccessToken.objects.exists()


def test_an_error_ends_a_round_and_not_the_thread(monkeypatch, caplog):
    rounds = []

    def broken():
        rounds.append(1)
        raise OperationalError("no database")

    monkeypatch.setattr(housekeeping, "leading", broken)
    housekeeper = Housekeeper(every=0.01)
    housekeeper.start()
    ends = time.monotonic() + 10
    while len(rounds) < 3 and time.monotonic() < ends:
        time.sleep(0.01)
    housekeeper.stop()

    assert len(rounds) >= 3
    assert "no database" in caplog.text


# --- Retention -----------------------------------------------------------------------------------


@pytest.fixture
def line_of(cast, time_machine):
    """A line of the audit trail of so many days ago."""

    def write(days, organization=None):
        organization = organization or cast.acme
        time_machine.move_to(timezone.now() - timedelta(days=days))
        audit.record(
            system(organization),
            audit.Action.CLIENT_EDITED,
            entity_type="client",
            entity_id=uuid.uuid4(),
            entity_name=f"{days} days ago",
        )
        time_machine.shift(timedelta(days=days))

    return write


def names():
    return set(AuditEvent.objects.filter(action="client.edited").values_list("entity_name", flat=True))


def test_the_audit_trail_is_kept_for_ever_unless_said_otherwise(line_of):
    line_of(5_000)
    purge()
    assert names() == {"5000 days ago"}


def test_old_lines_of_the_audit_trail_go_and_a_line_says_so(cast, line_of, settings, monkeypatch):
    settings.AUDIT_RETENTION_DAYS = 90
    for name, size in (("FIRST", 2), ("FEWEST", 2), ("MOST", 2)):
        monkeypatch.setattr(batches, name, size)
    for days in (95, 93, 92, 89):
        line_of(days)
    line_of(200, cast.globex)

    assert purge().counts["lines of the audit trail"] == 4

    assert names() == {"89 days ago"}
    said = AuditEvent.objects.filter(action="audit.pruned", organization_id=cast.acme.id)
    assert sum(line.after["lines"] for line in said) == 3
    first = said.first()
    assert first.actor_type == "SYSTEM"
    until = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=90)
    assert first.after["until"] == until.isoformat()
    assert str(audit.SENTENCES[first.action]) == "removed old lines of the audit trail"

    assert purge().counts["lines of the audit trail"] == 0  # and none about nothing
    assert AuditEvent.objects.filter(action="audit.pruned").count() == said.count() + 1


def test_lines_are_removed_a_day_at_a_time(line_of, settings, time_machine):
    settings.AUDIT_RETENTION_DAYS = 90
    time_machine.move_to(timezone.now().replace(hour=12, minute=0))
    line_of(90)  # noon of the day that is still kept

    assert purge().counts["lines of the audit trail"] == 0
    time_machine.shift(timedelta(hours=13))
    assert purge().counts["lines of the audit trail"] == 1


def test_the_database_refuses_to_delete_a_line_before_and_after(line_of, settings):
    settings.AUDIT_RETENTION_DAYS = 90
    line_of(100)
    line_of(1)

    def delete():
        with (
            pytest.raises(DatabaseError, match="never deleted"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("DELETE FROM accounts_auditevent")

    delete()
    purge()
    delete()
    assert names() == {"1 days ago"}


def test_retention_itself_cannot_remove_a_line_that_is_young_enough(line_of):
    from accounts.services.purging import _removable

    line_of(10)
    with (
        pytest.raises(DatabaseError, match="never deleted"),
        transaction.atomic(),
        _removable(timezone.now() - timedelta(days=11)),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM accounts_auditevent")
    assert names() == {"10 days ago"}


def test_days_of_use_go_when_their_time_has_come(cast, app, settings):
    settings.USAGE_RETENTION_DAYS = 30
    today = timezone.now().date()
    none = dict.fromkeys(
        ("requests", "status_200", "status_300", "status_400", "status_500", "status_429"), 0
    )
    for days in (0, 30, 31):
        Usage.objects.create(
            organization_id=cast.acme.id,
            client_id=app.id,
            day=today - timedelta(days=days),
            method="GET",
            route="/api/v2/users",
            **none,
        )

    assert purge().counts["days of use"] == 1
    assert {row.day for row in Usage.objects.all()} == {today, today - timedelta(days=30)}

    settings.USAGE_RETENTION_DAYS = 0
    Usage.objects.filter(day=today).update(day=today - timedelta(days=5_000))
    assert purge().counts["days of use"] == 0
