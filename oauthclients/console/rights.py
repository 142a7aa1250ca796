"""What a person may do with a client, for showing or hiding buttons. The services decide again."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.models import RoleGrant
from accounts.permissions import Permission
from accounts.rules.delegation import RoleDivision, not_held
from accounts.services import grants
from accounts.services.grants import NamedPair
from oauthclients import queries
from oauthclients.models import Client, ClientState


@dataclass(frozen=True)
class Rights:
    """`edit` needs the permission *and* every role-division pair of the client."""

    edit: bool
    delete: bool


def of_many(actor: Actor, clients: Iterable[Client]) -> dict[uuid.UUID, Rights]:
    """For the clients of one page: one statement for all their pairs."""
    ids = [client.id for client in clients]
    may_edit = bool(actor.access.decide(Permission.OAUTH_CLIENT_EDIT))
    may_delete = bool(actor.access.decide(Permission.OAUTH_CLIENT_DELETE))
    pairs: dict[uuid.UUID, list[RoleDivision]] = defaultdict(list)
    if may_edit:
        for subject_id, role_id, division_id in RoleGrant.objects.filter(
            organization=actor.organization, subject_id__in=ids
        ).values_list("subject_id", "role_id", "division_id"):
            pairs[subject_id].append(RoleDivision(role_id, division_id))
    return {
        client_id: Rights(
            edit=may_edit and not not_held(actor.access, pairs[client_id]),
            delete=may_delete,
        )
        for client_id in ids
    }


def of_one(actor: Actor, pairs: Iterable[NamedPair]) -> Rights:
    """For a client whose pairs have been read already."""
    return Rights(
        edit=bool(actor.access.decide(Permission.OAUTH_CLIENT_EDIT)) and not grants.lacked_by(actor, pairs),
        delete=bool(actor.access.decide(Permission.OAUTH_CLIENT_DELETE)),
    )


def of_client(actor: Actor, client: Client) -> Rights:
    """For a single client."""
    return of_one(actor, queries.pairs_of(client))


def require_edit(actor: Actor, client: Client) -> None:
    """Refuses the page that asks, as the service would refuse what it asks for."""
    grants.require_held(actor, queries.pairs_of(client))


def entries(client: Client, rights: Rights) -> list[dict[str, Any]]:
    """The row menu of the list: only what this person may do now."""

    def entry(label: str, url_name: str, *, dialog: bool = True, danger: bool = False) -> dict[str, Any]:
        url = reverse(url_name, args=[client.id])
        return {"label": label, "url": url, "dialog": dialog, "danger": danger}

    if client.date_to_delete is not None:
        return [entry(_("Restore"), "oauth-client-restore")] if rights.edit else []
    found = []
    if rights.edit:
        found.append(entry(_("Edit"), "oauth-client-edit", dialog=False))
        if client.state == ClientState.ACTIVE:
            found.append(entry(_("Disable"), "oauth-client-disable"))
        else:
            found.append(entry(_("Enable"), "oauth-client-enable"))
        found.append(entry(_("Generate new secret"), "oauth-client-secret"))
    if rights.delete:
        found.append(entry(_("Delete"), "oauth-client-delete", danger=True))
    return found
