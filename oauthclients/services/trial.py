"""Trying a client out: a token that is asked for as the client would ask, looked at, and ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.actor import Actor
from accounts.models import User
from oauthclients.models import Client
from oauthclients.services import tokens


@dataclass(frozen=True)
class Tried:
    """A token that was good: for how many seconds, for whom, with which scopes."""

    seconds: int
    person: User | None
    scope: tuple[str, ...]


def end(*, actor: Actor, client: Client, value: str, now: datetime | None = None) -> Tried | None:
    """What this living token of the client is, which is ended, as everything that it came with; None for
    one that is none of its own. Whoever holds a token may end it, so this takes no permission; that it was,
    and by whom, is in the audit trail."""
    now = now or timezone.now()
    found = (
        get_access_token_model()
        .objects.select_related("user__organization", "user__division")
        .filter(application=client, token_checksum=tokens.digest(value), expires__gt=now)
        .first()
    )
    if found is None:
        return None
    tokens.revoke(actor=actor, client=client, token_id=found.pk)
    return Tried(
        seconds=round((found.expires - now).total_seconds()),
        person=found.user,
        scope=tuple(found.scope.split()),
    )
