from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.templatetags.when import exactly, relative


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59, seconds=20), "59 minutes"),
        (timedelta(minutes=59, seconds=40), "1 hour"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(hours=48), "2 days"),
        (timedelta(days=7), "7 days"),
        (timedelta(days=30), "30 days"),
        (timedelta(days=90), "3 months"),
        (timedelta(days=1000), "3 years"),
    ],
)
def test_a_length_of_time_is_rounded_in_one_unit(monkeypatch, length, text):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)

    assert relative(now + length).replace("\xa0", " ") == f"in {text}"
    assert relative(now - length).replace("\xa0", " ") == f"{text} ago"


def test_a_moment_before_the_full_hour_is_not_an_hour_less(monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)

    # What was set to end "in 24 hours" is shown a moment later.
    assert relative(now + timedelta(hours=24, seconds=-2)).replace("\xa0", " ") == "in 24 hours"
    assert relative(now + timedelta(days=7, seconds=-2)).replace("\xa0", " ") == "in 7 days"


def test_less_than_a_minute_is_just_now():
    assert relative(timezone.now()) == "just now"
    assert relative(timezone.now() - timedelta(seconds=58)) == "just now"


def test_an_exact_time_is_read_the_same_on_either_side_of_an_ocean():
    assert exactly(datetime(2026, 11, 28, 16, 18, tzinfo=UTC)) == "28 November 2026, 16:18 UTC"
