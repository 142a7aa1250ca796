"""The 30-day rule: a young client is deleted at once, an older one can be restored for a week."""

from __future__ import annotations

from datetime import datetime, timedelta

YOUNG = timedelta(days=30)
GRACE = timedelta(days=7)


def removal_date(*, created: datetime, now: datetime) -> datetime | None:
    """When a client deleted now will be removed; None for at once and for good."""
    return None if now - created <= YOUNG else now + GRACE
