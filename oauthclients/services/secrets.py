"""Client secrets: made here, hashed here, compared here.

A secret is 256 bits from the operating system, so nobody can guess it and a slow password hash would
only make every token request slow (DOT notes, trap 3). What is stored is an HMAC under a key that is not in
the database: a copy of the database alone lets nobody check a guess either. Nobody can choose a
secret, so nothing that looks like a hash is ever taken for one (trap 2).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, statements
from accounts.actor import Actor
from accounts.errors import Conflict, Invalid
from oauthclients import queries
from oauthclients.models import Client, ClientSecret, Consent
from oauthclients.services import access, tokens
from oauthclients.services.plain_secret import PlainSecret as PlainSecret

# Recognisable to secret scanners; ASCII, as the SDKs send it unencoded (wire contract A3).
PREFIX = "lks_"

# How long the old secret may keep working beside a new one (UX spec 4.9).
OVERLAPS = (timedelta(0), timedelta(hours=1), timedelta(hours=24), timedelta(days=7))


def digest(secret: str) -> bytes:
    """What is kept of a secret: 32 bytes."""
    return hmac.digest(settings.CLIENT_SECRET_KEY.encode(), secret.encode(), hashlib.sha256)


def find(client_id: uuid.UUID, secret: str, now: datetime) -> ClientSecret | None:
    """The secret of this client that was sent, with its client and organization, if it still works.

    One statement. The database compares the digests: they are HMACs under a key that nobody outside
    knows, so the time of that comparison tells nothing about a secret. And no row is read for a wrong
    secret or for an unknown client, so the two cost the same (DOT notes, trap 4;
    bench/client_enumeration.py).
    """
    return _FOUND.first(client_id=client_id, digest=digest(secret), now=now)


_ASIDE = (
    "client__description",
    *(f"client__{verb}_by_{what}" for verb in ("created", "modified") for what in ("type", "id", "name")),
    "client__created",
    "client__updated",
    "client__version",
    "client__organization__created_at",
    "client__organization__idle_exclusions",
    "client__organization__language",
    "client__organization__country_code",
)
_FOUND = statements.Select(
    lambda client_id, digest, now: (
        ClientSecret.objects.filter(client_id=client_id, digest=digest)
        .filter(Q(ends_at=None) | Q(ends_at__gt=now))
        .select_related("client__organization")
        # What a token request looks at; anything else is read when somebody asks for it.
        .defer("digest", "last_four", "created_at", "created_by_name", *_ASIDE)
        .order_by()
    ),
    client_id=models.UUIDField(),
    digest=models.BinaryField(),
    now=models.DateTimeField(),
)


def still_works(secret: ClientSecret, now: datetime) -> bool:
    """Whether a secret that was right a moment ago is so now. An exchange asks this once more when it holds
    the lock on what it exchanges: a rotation that also revokes tokens may have come in between."""
    return ClientSecret.objects.filter(id=secret.id).filter(Q(ends_at=None) | Q(ends_at__gt=now)).exists()


def add_first(*, actor: Actor, client: Client) -> PlainSecret:
    """The secret that a client is made with; inside the transaction of services/clients.py `create`."""
    return _add(actor, client, timezone.now())


def generate(
    *,
    actor: Actor,
    client_id: object,
    overlap: timedelta = timedelta(0),
    replacing: uuid.UUID | None = None,
    revoke_tokens: bool = False,
) -> PlainSecret:
    """Makes a new secret; the old one stops working now or after `overlap` (one of `OVERLAPS`).

    Needs `oauth:client:edit` and every role-division pair of the client. With `replacing`, the id of
    the secret that the caller saw as the current one, a repeated request changes nothing and raises
    `Conflict`. At most two secrets work at a time: one that was already ending, ends now.
    """
    if overlap not in OVERLAPS:
        raise Invalid.one("overlap", "invalid.value", _("Choose one of the times offered."))
    now = timezone.now()
    with transaction.atomic():
        if revoke_tokens:
            # In the order of all who end tokens: what people agreed to, then the client.
            shown = queries.client(actor.organization, client_id)
            access.lock_consents(Consent.objects.filter(client=shown))
        client = access.client_to_edit(actor, client_id)
        access.refuse_pending_deletion(client)
        current = client.secrets.filter(ends_at=None).first()
        if replacing is not None and (current is None or current.id != replacing):
            raise Conflict(_("The secret was already replaced. It cannot be shown again."))
        client.secrets.filter(ends_at__isnull=False).delete()
        if current is not None:
            if overlap:
                current.ends_at = now + overlap
                current.save(update_fields=["ends_at"])
            else:
                current.delete()
        secret = _add(actor, client, now)
        access.mark_modified(actor, client, now)
        audit.record(
            actor,
            audit.Action.CLIENT_SECRET_REPLACED,
            **access.named(client),
            before={"secret": f"ends {current.last_four}" if current else None},
            after={
                "secret": f"ends {secret.last_four}",
                "oldSecretWorksUntil": (now + overlap).isoformat() if overlap else None,
            },
        )
        if revoke_tokens:
            tokens.revoke_all(actor=actor, client=client)
    return secret


def end_retiring(*, actor: Actor, client_id: object) -> None:
    """Ends an old secret before its time. Needs the same as `generate`."""
    with transaction.atomic():
        client = access.client_to_edit(actor, client_id)
        retiring = client.secrets.filter(ends_at__gt=timezone.now()).first()
        client.secrets.filter(ends_at__isnull=False).delete()
        if retiring is not None:
            audit.record(
                actor,
                audit.Action.CLIENT_SECRET_ENDED,
                **access.named(client),
                before={"secret": f"ends {retiring.last_four}"},
                after={"secret": None},
            )


def _add(actor: Actor, client: Client, now: datetime) -> PlainSecret:
    secret = PlainSecret(PREFIX + secrets.token_urlsafe(32))
    ClientSecret.objects.create(
        client=client,
        digest=digest(secret.reveal()),
        last_four=secret.last_four,
        created_at=now,
        created_by_name=actor.name,
    )
    return secret
