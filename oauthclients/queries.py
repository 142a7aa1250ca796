"""Reads about clients, for pages and API. Every one of them starts from an organization."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Organization
from accounts.rules.delegation import RoleDivision
from accounts.services.grants import NamedPair
from oauthclients.models import Client, ClientAuthorization, ClientDraft
from oauthclients.rules.client_spec import ClientSpec

DRAFTS_LIVE = timedelta(days=14)


def clients(organization: Organization) -> QuerySet[Client]:
    """Those that are there: a client past its deletion date is not, purged or not."""
    return Client.objects.filter(organization=organization).filter(
        Q(date_to_delete=None) | Q(date_to_delete__gt=timezone.now())
    )


def client(organization: Organization, client_id: object, *, lock: bool = False) -> Client:
    """Raises `NotFound` (`client.not.found`), for another organization's client as well. With `lock`, the
    row is the caller's until its transaction ends."""
    key = account_queries.as_uuid(client_id)
    rows = clients(organization).select_related("organization").filter(id=key).order_by()
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = rows.first() if key else None
    if found is None:
        raise NotFound(code="client.not.found")
    return found


def pairs_of(client: Client) -> list[NamedPair]:
    """The role-division pairs that a client holds, by role and division name."""
    return [
        NamedPair(grant.role, grant.division)
        for grant in account_queries.grants_of(client.organization, client.id)
    ]


def spec_of(client: Client, pairs: list[NamedPair]) -> ClientSpec:
    """A client as the specification that would make it."""
    return ClientSpec(
        name=client.name,
        grant_type=client.authorization_grant_type,
        description=client.description,
        role_divisions=tuple(
            RoleDivision(named.role.id, named.division.id if named.division else None) for named in pairs
        ),
        redirect_uris=tuple(client.redirect_uri_list),
        scope=tuple(client.scope),
        token_seconds=client.token_seconds,
    )


def authorizations(organization: Organization) -> QuerySet[ClientAuthorization]:
    """What this organization has said about apps, its own and others'."""
    return (
        ClientAuthorization.objects.filter(organization=organization)
        .filter(Q(client__date_to_delete=None) | Q(client__date_to_delete__gt=timezone.now()))
        .select_related("client", "client__organization")
        .order_by("client__name")
    )


def unfinished_draft(actor: Actor) -> ClientDraft | None:
    """What this person has not finished adding, if it is not too old."""
    if actor.id is None:
        return None
    return ClientDraft.objects.filter(
        user_id=actor.id, client_id=None, saved_at__gt=timezone.now() - DRAFTS_LIVE
    ).first()
