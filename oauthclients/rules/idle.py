"""Which paths of the API an organization has excluded from being use of a token (wire contract J)."""

from __future__ import annotations


def matches(pattern: str, path: str) -> bool:
    """Segment by segment; `{anything}` in the pattern stands for one segment, and nothing else is special:
    `/api/v2/users/{userId}` matches the path of every person."""
    wanted, got = pattern.strip("/").split("/"), path.strip("/").split("/")
    return len(wanted) == len(got) and all(
        (one.startswith("{") and one.endswith("}")) or one == other
        for one, other in zip(wanted, got, strict=True)
    )
