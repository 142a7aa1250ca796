"""What the services on clients share: finding a client that the actor may change, and marking it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.actor import Actor
from accounts.permissions import Permission
from accounts.services import grants
from oauthclients import queries
from oauthclients.models import Client


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
    """The row, locked against others until the transaction ends."""
    found = queries.client(actor.organization, client_id)
    return Client.objects.select_for_update(of=("self",)).select_related("organization").get(id=found.id)


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
