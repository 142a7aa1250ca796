"""What the services on clients share: finding a client that the actor may change, and marking it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.errors import Conflict, NotFound
from accounts.models import User
from accounts.permissions import Permission
from accounts.services import grants
from accounts.services.grants import NamedPair
from oauthclients import queries
from oauthclients.models import Client, Consent
from oauthclients.rules.effective_access import decide_scope, require

# Said by the services and by the pages that would only lead to their refusal.
PENDING_DELETION = _("This client is pending deletion. Restore it first.")


def client_to_edit(actor: Actor, client_id: object, *, by_grants: bool = False) -> Client:
    """The locked row of a client that the actor may edit: `oauth:client:edit`, *and* every
    role-division pair that the client holds (seed 002; wire contract C4). `by_grants`: whoever may give and
    take grants may edit those, whether or not the rest.

    Runs inside the caller's transaction. Raises `NotAllowed` and `NotFound` (`client.not.found`).
    """
    if not by_grants:
        actor.require(Permission.OAUTH_CLIENT_EDIT)
    client = locked(actor, client_id)
    pairs = queries.pairs_of(client)
    grants.require_held(actor, pairs)
    require_scope_to_hand_on(actor, pairs)
    _require_scopes_of(actor, client)
    return client


def _require_scopes_of(actor: Actor, client: Client) -> None:
    """An app that acts for a person changes no client that could do for people what it cannot: by an
    address or a secret of its own it would take that client's place. Raises `InsufficientScope`."""
    for scope in client.scope:
        require(decide_scope(actor.scopes, scope))


def require_scope_to_hand_on(actor: Actor, pairs: Sequence[NamedPair]) -> None:
    """An app that acts for a person hands on roles only with the scope `authorization`, which is about who
    holds them: a client with roles acts without scopes, so whoever makes one, or gets its secret, would
    else be held to none. Raises `InsufficientScope`."""
    if pairs:
        grants.require_scope(actor)


def locked(actor: Actor, client_id: object) -> Client:
    """The row, locked against others until the transaction ends. Raises `NotFound`, also where somebody
    else deleted the client while this waited for the lock."""
    return queries.client(actor.organization, client_id, lock=True)


def locked_to_delete(actor: Actor, client_id: object) -> Client:
    """As `locked`, for who goes on to delete: what people agreed to is locked first, the order in which an
    exchange of theirs takes its locks, and then the row against everybody who would refer to it."""
    client = queries.client(actor.organization, client_id)
    lock_consents(Consent.objects.filter(client=client))
    found = Client.objects.select_for_update(of=("self",)).filter(id=client.id).first()
    if found is None:
        raise NotFound(code="client.not.found")
    return locked(actor, client_id)


def lock_person(user_id: uuid.UUID) -> User | None:
    """Read again, and the caller's until its transaction ends: a new password, or a deactivation, comes
    before all of that or after it. Before any consent is locked."""
    return (
        User.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organization", "division")
        .filter(id=user_id)
        .first()
    )


def lock_consents(consents: QuerySet[Consent]) -> list[uuid.UUID]:
    """Waits for what is being given by these consents, and lets nothing more begin; their ids. Always in
    one order, and before the client is locked."""
    rows = consents.select_for_update(of=("self",)).order_by("id")
    return list(rows.values_list("id", flat=True))


def hold(client: Client) -> None:
    """Keeps others from changing the client until the caller's transaction ends, and whoever deletes it."""
    list(Client.objects.select_for_update(of=("self",), no_key=True).filter(id=client.id).values_list("id"))


def refuse_pending_deletion(client: Client) -> None:
    """Raises `Conflict` for a client that is switched off and waits for its removal."""
    if client.date_to_delete is not None:
        raise Conflict(str(PENDING_DELETION))


def mark_modified(actor: Actor, client: Client, now: datetime) -> None:
    """Saves the client with a new version and its modifier. Leaves `last_used_at` alone, which requests of
    the client move forward meanwhile (services/usage.py)."""
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
