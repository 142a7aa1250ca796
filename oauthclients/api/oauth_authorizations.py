"""`/oauth/authorizations` (wire contract C5): which apps may act for people here. Read-only, because
consent is a matter for people in the console (contract, fact 12)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import NotFound
from accounts.permissions import Permission
from accounts.queries import as_uuid
from oauthclients import queries
from oauthclients.api import shapes
from oauthclients.api.oauth_clients import OAUTH_READ
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import requires


class Authorizations(ApiView):
    @requires(Permission.OAUTH_CLIENT_AUTHORIZE, scopes=OAUTH_READ)
    def get(self, request: Request) -> Response:
        entities = [shapes.authorization(row) for row in queries.authorizations(self.organization)]
        return Response({"total": len(entities), "entities": entities, "selfUri": request.path})


class OneAuthorization(ApiView):
    @requires(Permission.OAUTH_CLIENT_AUTHORIZE, scopes=OAUTH_READ)
    def get(self, request: Request, client_id: str) -> Response:
        key = as_uuid(client_id)
        row = queries.authorizations(self.organization).filter(client_id=key).first() if key else None
        if row is None:
            raise NotFound
        return Response(shapes.authorization(row))
