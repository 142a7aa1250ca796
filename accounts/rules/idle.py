"""When something dies of not being used: a person's sign-in, and a token. An organization has one timeout
for both. Nothing was idle before it was switched on."""

from __future__ import annotations

from datetime import datetime

from accounts.models import Organization

SHORTEST = 300
LONGEST = 28_800  # 8 hours
LONGEST_HIPAA = 900  # 15 minutes


def longest(*, hipaa: bool) -> int:
    """In seconds (wire contract J)."""
    return LONGEST_HIPAA if hipaa else LONGEST


def ends_at(organization: Organization, clock: datetime) -> datetime | None:
    """When something that was last used at `clock` dies; None where nothing does."""
    limit = organization.idle_limit
    if limit is None:
        return None
    return max(clock, organization.idle_since or clock) + limit


def is_over(organization: Organization, clock: datetime, now: datetime) -> bool:
    end = ends_at(organization, clock)
    return end is not None and end <= now


def excludes(organization: Organization, path: str) -> bool:
    """Whether a call of this path of the API is no use of a token (wire contract J)."""
    return any(_matches(pattern, path) for pattern in organization.idle_exclusions)


def _matches(pattern: str, path: str) -> bool:
    """Segment by segment; `{anything}` in the pattern stands for one segment, and nothing else is special:
    `/api/v2/users/{userId}` matches the path of every person."""
    wanted, got = pattern.strip("/").split("/"), path.strip("/").split("/")
    return len(wanted) == len(got) and all(
        (one.startswith("{") and one.endswith("}")) or one == other
        for one, other in zip(wanted, got, strict=True)
    )
