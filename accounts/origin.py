"""Where the request being answered came from. Knows no models, because logging needs it first."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """Where a request came from, for the audit trail and the logs."""

    request_id: uuid.UUID | None = None
    address: str | None = None
    user_agent: str = ""


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039  # frozen


def origin() -> Origin:
    """The origin of the request being answered; empty outside of one."""
    return _origin.get()


@contextlib.contextmanager
def acting_from(value: Origin) -> Iterator[None]:
    """Makes `value` the origin of everything that happens inside."""
    token = _origin.set(value)
    try:
        yield
    finally:
        _origin.reset(token)
