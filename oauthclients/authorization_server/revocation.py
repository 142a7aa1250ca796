"""`/oauth/revoke` (RFC 7009): an app gives back a token that it needs no more."""

from __future__ import annotations

from django.http import HttpResponse
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError

from oauthclients.authorization_server.views import ClientView
from oauthclients.models import Client
from oauthclients.services import giving_back


class RevocationView(ClientView):
    """Answers 200 whether or not there was such a token of this client (RFC 7009 2.2): anything else would
    tell whether a token exists. `token_type_hint` is not needed to find it.

    An app in a browser has no secret; to hold the token is proof enough for giving it back. What was given
    for a secret is given back with it (ASVS 10.4.10).
    """

    secret_needed = False

    def respond(self, body: dict[str, str], client: Client, *, by_secret: bool) -> HttpResponse:
        value = body.get("token")
        if not value:
            raise InvalidRequestError(description="Missing token.")
        if not giving_back.give_back(client=client, value=value, by_secret=by_secret):
            raise InvalidClientError
        return self.answer({}, 200)
