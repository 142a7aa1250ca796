from __future__ import annotations

from datetime import date, timedelta

import pytest

from oauthclients.rules.unused import Seen

TODAY = date(2030, 5, 15)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.mark.parametrize(
    ("last", "since", "unused", "too_young"),
    [
        (None, 200, True, False),
        (None, 90, True, False),
        (None, 89, False, True),
        (91, 200, True, False),
        (90, 200, False, False),
        (0, 200, False, False),
        (5, 10, False, False),
    ],
)
def test_what_is_unused_was_watched_for_all_of_the_time(last, since, unused, too_young):
    seen = Seen(None if last is None else ago(last), ago(since))

    assert (seen.unused(TODAY, 90), seen.too_young(TODAY, 90)) == (unused, too_young)
