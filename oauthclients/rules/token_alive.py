"""Whether an access token is alive, condition by condition, in the order in which they are asked. The
bearer check asks until one is not met; what explains a refusal (explain/answer.py) asks each.

A token is a row as `queries.token` reads it, or one that could be given now, which was not saved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from accounts.models import Organization
from accounts.rules import idle

NOT_EXPIRED = "token.not.expired"
CLIENT_EXISTS = "client.exists"
CLIENT_ACCEPTS = "client.accepts.tokens"
PERSON_ACTIVE = "person.active"
ORGANIZATION_ACTIVE = "organization.active"
GIVEN_SINCE = "token.given.since"
NOT_IDLE = "token.not.idle"


def organization_of(token: Any) -> Organization:
    """Where a token counts: the person's organization, whoever made the app."""
    found: Organization = (token.application if token.user is None else token.user).organization
    return found


def _given_since(token: Any, now: datetime) -> bool:
    """Since the person's password was changed, or they were signed out everywhere."""
    ended = token.user and token.user.not_before
    return ended is None or token.created > ended


def _not_idle(token: Any, now: datetime) -> bool:
    ends = idle.ends_at(organization_of(token), token.updated)
    return ends is None or ends > now


CONDITIONS: Mapping[str, Callable[[Any, datetime], bool]] = {
    NOT_EXPIRED: lambda token, now: token.expires > now,
    CLIENT_EXISTS: lambda token, now: token.application is not None,
    CLIENT_ACCEPTS: lambda token, now: token.application.accepts_tokens(),
    PERSON_ACTIVE: lambda token, now: token.user is None or token.user.is_active,
    ORGANIZATION_ACTIVE: lambda token, now: token.user is None or token.user.organization.active,
    GIVEN_SINCE: _given_since,
    NOT_IDLE: _not_idle,
}


def unmet(token: Any, now: datetime) -> str:
    """The first condition that this token does not meet; empty for one that is alive."""
    for name, met in CONDITIONS.items():
        if not met(token, now):
            return name
    return ""
