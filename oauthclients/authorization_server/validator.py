"""What oauthlib asks while it decides about a token request. Replaces the parts of django-oauth-toolkit's
validator that know secrets, scopes and storage; the rest stays the toolkit's."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749.errors import UnauthorizedClientError

from accounts import rates
from oauthclients.authorization_server.client_authentication import credentials
from oauthclients.authorization_server.errors import SlowDown
from oauthclients.services import secrets, tokens

_NOBODY = uuid.UUID(int=0)


class Validator(OAuth2Validator):
    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """One statement, whether the client exists or not."""
        sent = credentials(request.headers.get("HTTP_AUTHORIZATION"), dict(request.decoded_body))
        if sent is None:
            return False
        now = timezone.now()
        secret = secrets.find(_key(sent.client_id), sent.secret, now)
        if secret is None or secret.client.gone(now):
            return False
        if not secret.client.gives_tokens():
            # Said only to somebody who knows the secret.
            raise UnauthorizedClientError(description="This client is not active.", request=request)
        issued = rates.Window("tokens", secret.client.client_id, settings.RATE_TOKENS_PER_CLIENT)
        if issued.limit and issued.count() > issued.limit:
            raise SlowDown(issued.resets_in())
        request.client = secret.client
        request.client_id = secret.client.client_id
        request.client_secret = None
        request.used_secret = secret
        return True

    def validate_scopes(
        self, client_id: str, scopes: Any, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Scopes do not apply to client credentials: the power of such a token is the client's
        role-division pairs (wire contract B3), so a `scope` that was sent is not looked at."""
        request.scopes = []
        return True

    def save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """One INSERT. The toolkit's own would read the token back and wrap the one statement into a
        transaction."""
        tokens.issue(
            client=request.client,
            user=None,
            value=token["access_token"],
            seconds=token["expires_in"],
            scope=request.scopes,
        )
        tokens.note_use(request.client, timezone.now(), request.used_secret)


def _key(client_id: str) -> uuid.UUID:
    """The key to look for. Anything that is not an id as we write them is nobody's: the statement runs
    all the same, so that the time does not tell."""
    try:
        key = uuid.UUID(client_id)
    except ValueError:
        return _NOBODY
    return key if str(key) == client_id else _NOBODY
