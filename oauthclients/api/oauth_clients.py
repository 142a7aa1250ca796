"""`/oauth/clients` (wire contract C1 to C4)."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable
from typing import Any

from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries as account_queries
from accounts.models import Organization
from accounts.permissions import Permission
from accounts.rules.delegation import RoleDivision
from oauthclients import grant_types, queries
from oauthclients.api import pairs, shapes
from oauthclients.api.paging import single_page
from oauthclients.api.params import Body
from oauthclients.api.views import ApiView, no_content
from oauthclients.models import Client, ClientState
from oauthclients.resource_server.guard import requires
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients, secrets

OAUTH = ("oauth",)
OAUTH_READ = ("oauth", "oauth:readonly")


class Clients(ApiView):
    @requires(Permission.OAUTH_CLIENT_VIEW, scopes=OAUTH_READ)
    def get(self, request: Request) -> Response:
        """All of them in one page: the call takes no paging parameters, and Terraform repeats it
        `pageCount` - 1 times (C1)."""
        rows = list(queries.clients(self.organization).order_by(Lower("name"), "id"))
        held = pairs.by_client(self.organization, (row.id for row in rows))
        drifted = set(pairs.drifted(self.organization, itertools.chain(*held.values())))
        entities = [
            shapes.client(
                row,
                pairs.named(held[row.id]),
                drifted=pairs.named(grant for grant in held[row.id] if grant in drifted),
            )
            for row in rows
        ]
        return Response(single_page(entities, request.path))

    @requires(Permission.OAUTH_CLIENT_ADD, scopes=OAUTH)
    def post(self, request: Request) -> Response:
        body = Body(request.data)
        given = _spec_fields(body, self.organization)
        if body.has("state") and body.raw("state") != ClientState.ACTIVE:
            body.problems.add("state", "bad.client.state", _("A new client can only be active."))
        if body.has("dateToDelete"):
            body.problems.add(
                "dateToDelete", "bad.client.state", _("Only an inactive client can be deleted later.")
            )
        body.check()
        usual = {"name": "", "grant_type": "", "token_seconds": self.organization.default_token_seconds}
        spec = ClientSpec(**{**usual, **given})
        client, secret = clients.create(actor=self.actor, spec=spec)
        return Response(shapes.client(client, queries.pairs_of(client), secret=secret.reveal()))


class OneClient(ApiView):
    @requires(Permission.OAUTH_CLIENT_VIEW, scopes=OAUTH_READ)
    def get(self, request: Request, client_id: str) -> Response:
        return Response(_shaped(queries.client(self.organization, client_id)))

    @requires(Permission.OAUTH_CLIENT_EDIT, scopes=OAUTH)
    def put(self, request: Request, client_id: str) -> Response:
        """Sparse: what is absent or null stays as it is (A4)."""
        queries.client(self.organization, client_id)
        body = Body(request.data)
        given = _spec_fields(body, self.organization)
        state = body.text("state", code="bad.client.state")
        date_to_delete = body.date("dateToDelete")
        body.check()
        changed = clients.change(
            actor=self.actor,
            client_id=client_id,
            spec=lambda was: dataclasses.replace(was, **given),
            state=state,
            date_to_delete=date_to_delete,
        )
        return Response(_shaped(changed.client, notices=changed.notices))

    @requires(Permission.OAUTH_CLIENT_DELETE, scopes=OAUTH)
    def delete(self, request: Request, client_id: str) -> Response:
        clients.remove_inactive(actor=self.actor, client_id=client_id)
        return no_content()


class ClientSecret(ApiView):
    @requires(Permission.OAUTH_CLIENT_EDIT, scopes=OAUTH)
    def post(self, request: Request, client_id: str) -> Response:
        """Replaces the secret at once (C4). The body, four bytes `null` from the SDKs, is not read."""
        secret = secrets.generate(actor=self.actor, client_id=client_id)
        client = queries.client(self.organization, client_id)
        return Response(shapes.client(client, queries.pairs_of(client), secret=secret.reveal()))


def _shaped(client: Client, *, notices: Iterable[str] = ()) -> dict[str, Any]:
    held = list(account_queries.grants_of(client.organization, client.id))
    drifted = pairs.named(pairs.drifted(client.organization, held))
    return shapes.client(client, pairs.named(held), drifted=drifted, notices=notices)


def _spec_fields(body: Body, organization: Organization) -> dict[str, Any]:
    """Those fields of a `ClientSpec` that the body gives."""
    given: dict[str, Any] = {
        "name": body.text("name"),
        "description": body.text("description"),
        "grant_type": _grant_type(body),
        "token_seconds": body.whole("accessTokenValiditySeconds"),
        "redirect_uris": body.texts("registeredRedirectUri"),
        "scope": body.texts("scope", code="auth.invalid.scope"),
        "role_divisions": _role_divisions(body, organization),
    }
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }


def _grant_type(body: Body) -> str | None:
    wire = body.text("authorizedGrantType", code="bad.grant.type")
    if not wire:
        return None
    grant = grant_types.BY_WIRE.get(wire)
    if grant is None:
        body.problems.add(
            "authorizedGrantType",
            "bad.grant.type",
            _("The grant type must be one of: %(names)s.")
            % {"names": ", ".join(grant.wire for grant in grant_types.GRANT_TYPES)},
        )
        return None
    return grant.code


def _role_divisions(body: Body, organization: Organization) -> list[RoleDivision] | None:
    """`roleDivisions`, or the deprecated `roleIds`, which mean the Home division."""
    entries = body.entries("roleDivisions", code="bad.client.role")
    if not entries and (role_ids := body.entries("roleIds", code="bad.client.role")):
        entries = [{"roleId": role_id} for role_id in role_ids]
    if entries is None:
        return None
    return pairs.read(body, entries, organization, field="roleDivisions")
