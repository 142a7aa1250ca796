"""What is there now, in the words of the file."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Lower

from accounts import drift
from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.models import Division, Organization, Role, RoleGrant, SubjectType, User
from accounts.permissions import Permission
from accounts.services.grants import NamedPair
from oauthclients import grant_types, queries
from oauthclients.as_code.document import Word
from oauthclients.models import AuthorizationState, Client, ClientAuthorization
from oauthclients.services.authorizations import REFUSED


@dataclass(frozen=True)
class ClientNow:
    row: Client
    pairs: tuple[NamedPair, ...]
    authorization: ClientAuthorization | None

    @property
    def grant(self) -> grant_types.GrantType:
        return grant_types.BY_CODE[self.row.authorization_grant_type]


@dataclass(frozen=True)
class State:
    """`other_apps` are what the organization says about apps of others, by client."""

    organization: Organization
    clients: Mapping[uuid.UUID, ClientNow]
    other_apps: Mapping[uuid.UUID, ClientAuthorization]
    roles: Mapping[uuid.UUID, Role]
    divisions: Mapping[uuid.UUID, Division]
    # Whether the reader may see which scopes and roles apps are authorized for.
    sees_authorizations: bool

    def role_names(self, row: ClientAuthorization) -> list[str]:
        """A role that was deleted is called by its id."""
        names = {str(key): role.name for key, role in self.roles.items()}
        return in_order(names.get(role, role) for role in row.roles)


def read(actor: Actor) -> State:
    """Six statements, however much there is. Needs `oauth:client:view`; what is said about apps of others
    is for whoever may authorize them."""
    actor.require(Permission.OAUTH_CLIENT_VIEW)
    sees = actor.via_id is None and bool(actor.access.decide(Permission.OAUTH_CLIENT_AUTHORIZE))
    organization = actor.organization
    rows = list(queries.clients(organization).order_by(Lower("name"), "name", "id"))
    roles = {role.id: role for role in account_queries.roles(organization)}
    divisions = {division.id: division for division in Division.objects.filter(organization=organization)}
    held: dict[uuid.UUID, list[NamedPair]] = defaultdict(list)
    grants = RoleGrant.objects.filter(organization=organization, subject_type=SubjectType.CLIENT)
    for holder, role, where in grants.values_list("subject_id", "role_id", "division_id"):
        held[holder].append(NamedPair(roles[role], divisions[where] if where else None))
    said = {row.client_id: row for row in queries.authorizations(organization)}
    own = {row.id for row in rows}
    return State(
        organization=organization,
        clients={
            row.id: ClientNow(row, tuple(sorted(held[row.id], key=_pair_order)), said.get(row.id))
            for row in rows
        },
        other_apps={key: row for key, row in said.items() if key not in own} if sees else {},
        roles=roles,
        divisions={key: row for key, row in divisions.items() if row.deleted_at is None},
        sees_authorizations=sees,
    )


def in_order(names: Any) -> list[str]:
    return sorted(names, key=lambda name: (name.lower(), name))


def _pair_order(named: NamedPair) -> tuple[Any, ...]:
    where = named.division.name if named.division else ""
    home = named.division is not None and named.division.home
    return (
        named.role.name.lower(),
        named.role.name,
        named.division is not None,
        not home,
        where.lower(),
        where,
    )


def word(row: ClientAuthorization | None) -> Word | None:
    """None where the organization has not said yes or no."""
    if row is not None and row.state == AuthorizationState.AUTHORIZED:
        return Word.AUTHORIZED
    return Word.REFUSED if row is not None and row.state in REFUSED else None


def fields(state: State, now: ClientNow) -> dict[str, Any]:
    """A client by the keys of the file: what a plan compares. `deletion` is one that waits for its day."""
    row = now.row
    found: dict[str, Any] = {
        "name": row.name,
        "description": row.description,
        "grant_type": now.grant.wire,
        "state": row.state,
        "deletion": "scheduled" if row.date_to_delete else None,
        "token_duration": row.token_seconds,
    }
    if now.grant.uses_roles:
        found["roles"] = [
            {"role": named.role.name, "division": named.division.name if named.division else None}
            for named in now.pairs
        ]
    if now.grant.uses_redirect_uris:
        found["redirect_uris"] = row.redirect_uri_list
    if now.grant.uses_scopes:
        found["scopes"] = list(row.scope)
        for key, value in authorization_fields(state, now.authorization).items():
            found[f"authorization.{key}"] = value
    return found


def authorization_fields(state: State, row: ClientAuthorization | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "state": word(row),
        "asked for": bool(row and queries.waits(row)),
    }
    if state.sees_authorizations and row is not None:
        found["scopes"] = list(row.scope)
        found["roles"] = state.role_names(row)
    return found


def drifted(organization: Organization, client_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """Of these clients, what whoever gave it could not give any more, in sentences (accounts/drift.py)."""
    found = list(drift.grants(organization, subject_ids=client_ids)) if client_ids else []
    givers = {grant.granted_by_id for grant in found if grant.granted_by_id}
    names: dict[uuid.UUID | None, str] = {
        **{one.id: str(one) for one in User.objects.filter(organization=organization, id__in=givers)},
        **{one.id: one.name for one in Client.objects.filter(organization=organization, id__in=givers)},
    }
    sentences: dict[uuid.UUID, list[str]] = defaultdict(list)
    for grant in found:
        giver = names.get(grant.granted_by_id, "somebody who is not here any more")
        sentences[grant.subject_id].append(drift.sentence(grant, giver))
    return sentences
