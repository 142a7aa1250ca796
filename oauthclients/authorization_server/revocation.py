"""`/oauth/revoke` (RFC 7009): an app gives back a token that it needs no more."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from oauth2_provider.models import get_access_token_model, get_refresh_token_model
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

from oauthclients.authorization_server.views import ClientView
from oauthclients.models import Client, TokenFamily
from oauthclients.services import tokens


class RevocationView(ClientView):
    """Answers 200 whether or not there was such a token of this client (RFC 7009 2.2): anything else would
    tell whether a token exists. The token's whole family ends, so that an app that gives back either of its
    tokens is signed out.

    An app in a browser has no secret; to hold the token is proof enough for giving it back.
    """

    secret_needed = False

    def respond(self, request: HttpRequest, body: dict[str, str], client: Client) -> HttpResponse:
        value = body.get("token")
        if not value:
            raise InvalidRequestError(description="Missing token.")
        digest = tokens.digest(value)
        with transaction.atomic():
            refresh = get_refresh_token_model().objects.filter(token_checksum=digest, application=client)
            family = TokenFamily.objects.filter(id__in=refresh.values("token_family")).first()
            if family is not None:
                tokens.end_family(family)
            access = get_access_token_model().objects.filter(token_checksum=digest, application=client)
            token_id = access.values_list("pk", flat=True).first()
            if token_id is not None:
                tokens.end(client=client, token_id=token_id)
        return self.answer({}, 200)
