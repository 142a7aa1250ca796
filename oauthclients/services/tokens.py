"""Issuing, noting the use of, and revoking access tokens."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, set_token_value

from accounts import audit
from accounts.actor import Actor
from accounts.models import User
from oauthclients.models import Client, ClientSecret
from oauthclients.services import access

# "Last used" is exact to this: a busy client costs one write in this time, not one per call.
USE_NOTED_EVERY = timedelta(minutes=1)


def new_value(request: Any) -> str:
    """A token's value: 256 bits in `[A-Za-z0-9_-]`, which browser SDKs read from an address unharmed
    (wire contract A5)."""
    return secrets.token_urlsafe(32)


def issue(*, client: Client, user: User | None, value: str, seconds: int, scope: Iterable[str]) -> None:
    """Stores an access token: one statement. Only the SHA-256 of its value is kept."""
    token = get_access_token_model()(
        application=client,
        user=user,
        scope=" ".join(scope),
        expires=timezone.now() + timedelta(seconds=seconds),
    )
    set_token_value(token, value)
    token.save(force_insert=True)


def note_use(client: Client, now: datetime, secret: ClientSecret | None = None) -> None:
    """Moves "last used" of a client (and of the secret it used) forward, at most once a minute."""
    if _due(client.last_used_at, now):
        Client.objects.filter(id=client.id).filter(Q(last_used_at=None) | Q(last_used_at__lt=now)).update(
            last_used_at=now
        )
    if secret is not None and _due(secret.last_used_at, now):
        ClientSecret.objects.filter(id=secret.id).update(last_used_at=now)


def _due(last: datetime | None, now: datetime) -> bool:
    return last is None or now - last >= USE_NOTED_EVERY


def live(client: Client) -> int:
    """How many of this client's tokens have not ended."""
    count: int = (
        get_access_token_model().objects.filter(application=client, expires__gt=timezone.now()).count()
    )
    return count


def revoke_all(*, actor: Actor, client: Client) -> None:
    """Ends every token of a client at once."""
    count, _by_model = get_access_token_model().objects.filter(application=client).delete()
    audit.record(
        actor,
        audit.Action.CLIENT_TOKENS_REVOKED,
        **access.named(client),
        after={"tokens": count},
    )


def revoke(*, actor: Actor, client: Client, token_id: object) -> None:
    """Ends one token of a client, as its holder asks."""
    with transaction.atomic():
        count, _by_model = get_access_token_model().objects.filter(application=client, pk=token_id).delete()
        if count:
            audit.record(
                actor,
                audit.Action.CLIENT_TOKENS_REVOKED,
                **access.named(client),
                after={"tokens": 1},
            )


def shorten_all(*, actor: Actor, client: Client, seconds: int) -> None:
    """Lets no token of this client live longer than a new one would."""
    end = timezone.now() + timedelta(seconds=seconds)
    count = get_access_token_model().objects.filter(application=client, expires__gt=end).update(expires=end)
    if count:
        audit.record(
            actor,
            audit.Action.CLIENT_TOKENS_SHORTENED,
            **access.named(client),
            after={"tokens": count, "end": end.isoformat()},
        )
