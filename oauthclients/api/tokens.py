"""`/tokens/me` and `/tokens/{userId}` (wire contract E4): what a token is, and its end."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Permission
from accounts.rules import idle
from oauthclients import queries, scopes
from oauthclients.api import shapes
from oauthclients.api.views import ApiView, no_content
from oauthclients.resource_server.bearer import Caller
from oauthclients.resource_server.guard import requires
from oauthclients.services import tokens

_OWN = ("user-basic-info",)


class OwnToken(ApiView):
    """The route names its scope and answers without it as well: the official
    JavaScript SDK looks here after each sign-in and takes a refusal for "not signed in", so that an app
    without the scope would send its person round in circles (wire contract A5)."""

    @requires(scopes=_OWN, lenient=True)
    def get(self, request: Request) -> Response:
        """`preserveIdleTTL=true` looks without using (resource_server/bearer.py `is_use`)."""
        # HEAD asks whether the token lives, which is known by now.
        return Response(None if request.method == "HEAD" else token_info(self.caller))

    @requires(scopes=_OWN, lenient=True)
    def delete(self, request: Request) -> Response:
        tokens.revoke(actor=self.actor, client=self.caller.client, token_id=self.caller.token.pk)
        return Response({})


class TokensOfPerson(ApiView):
    @requires(Permission.OAUTH_TOKEN_DELETE, scopes=_OWN)
    def delete(self, request: Request, user_id: str) -> Response:
        tokens.revoke_person(actor=self.actor, user_id=user_id)
        return no_content()


def token_info(caller: Caller) -> dict[str, Any]:
    """`TokenInfo`. `authorizedScope` is what the app may use now; scopes do not apply to client
    credentials, so none is listed for them."""
    client, token = caller.client, caller.token
    here = shapes.organization_name(caller.organization)
    own = client.organization_id == caller.organization.id
    agreed = token.scope.split()
    shape = {
        "organization": here,
        "homeOrganization": here,
        "authorizedScope": agreed
        if caller.effective.scopes is None
        else scopes.narrowed(list(caller.effective.scopes)),
        "OAuthClient": shapes.token_client(client, queries.pairs_of(client), own=own),
    }
    if end := idle.ends_at(caller.organization, token.updated):
        shape["dateTokenIdles"] = shapes.date(end)
    return shape
