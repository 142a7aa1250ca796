"""What the services on clients share: finding a client that the actor may change, and marking it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.errors import Conflict
from accounts.permissions import Permission
from accounts.services import grants
from oauthclients import queries
from oauthclients.models import Client

# Said by the services and by the pages that would only lead to their refusal.
PENDING_DELETION = _("This client is pending deletion. Restore it first.")


def client_to_edit(actor: Actor, client_id: object) -> Client:
    """The locked row of a client that the actor may edit: `oauth:client:edit`, *and* every
    role-division pair that the client holds (seed 002; wire contract C4).

    Runs inside the caller's transaction. Raises `NotAllowed` and `NotFound` (`client.not.found`).
    """
    actor.require(Permission.OAUTH_CLIENT_EDIT)
    client = locked(actor, client_id)
    grants.require_held(actor, queries.pairs_of(client))
    return client


def locked(actor: Actor, client_id: object) -> Client:
    """The row, locked against others until the transaction ends. Raises `NotFound`, also where somebody
    else deleted the client while this waited for the lock."""
    return queries.client(actor.organization, client_id, lock=True)


def refuse_pending_deletion(client: Client) -> None:
    """Raises `Conflict` for a client that is switched off and waits for its removal."""
    if client.date_to_delete is not None:
        raise Conflict(str(PENDING_DELETION))


def mark_modified(actor: Actor, client: Client, now: datetime) -> None:
    """Saves the client with a new version and its modifier. Leaves `last_used_at` alone, which requests of
    the client move forward meanwhile (services/tokens.py `note_use`)."""
    client.version += 1
    client.updated = now
    client.modified_by_type = actor.type
    client.modified_by_id = actor.id
    client.modified_by_name = actor.name
    kept = {"id", "last_used_at"}
    client.save(
        update_fields=[field.name for field in client._meta.concrete_fields if field.name not in kept]
    )


def named(client: Client) -> dict[str, Any]:
    """The client as `audit.record` wants it."""
    return {"entity_type": "client", "entity_id": client.id, "entity_name": client.name}
