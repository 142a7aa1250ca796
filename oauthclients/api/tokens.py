"""`/tokens/me` (wire contract E4): what this token is, and its end."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from oauthclients import queries
from oauthclients.api import shapes
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import requires
from oauthclients.services import tokens

_OWN = ("user-basic-info",)


class OwnToken(ApiView):
    """HEAD is GET without the body. Scopes do not apply to client credentials, so none is listed as
    authorized."""

    @requires(scopes=_OWN)
    def get(self, request: Request) -> Response:
        client = self.caller.client
        here = shapes.organization_name(self.organization)
        return Response(
            {
                "organization": here,
                "homeOrganization": here,
                "authorizedScope": self.caller.token.scope.split(),
                "OAuthClient": shapes.token_client(client, queries.pairs_of(client)),
            }
        )

    @requires(scopes=_OWN)
    def delete(self, request: Request) -> Response:
        tokens.revoke(actor=self.actor, client=self.caller.client, token_id=self.caller.token.pk)
        return Response({})
