"""What is not used: after how long, and when it is too early to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

# Days that the access review can look back.
PERIODS = (30, 60, 90)
USUAL_REVIEW = LONGEST_REVIEW = 90


@dataclass(frozen=True)
class Seen:
    """When something that is held was last used, None for never since `noted_since`: the first day on which
    its use would have been noted."""

    last_day: date | None
    noted_since: date

    def unused(self, today: date, days: int) -> bool:
        """Not used for so many days, all of which were watched."""
        first = today - timedelta(days=days)
        return self.noted_since <= first and (self.last_day is None or self.last_day < first)

    def too_young(self, today: date, days: int) -> bool:
        """Not used, and not held or watched for long enough to call it unused."""
        first = today - timedelta(days=days)
        return self.noted_since > first and self.last_day is None
