"""oauthlib's server as Latchkey runs it: which grants the token endpoint knows, and what a token looks
like on the wire. django-oauth-toolkit builds one per process (`OAUTH2_SERVER_CLASS`)."""

from __future__ import annotations

from typing import Any

from oauthlib.oauth2 import BackendApplicationServer
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, UnsupportedGrantTypeError

from oauthclients.rules import token_life
from oauthclients.services import tokens


class Server(BackendApplicationServer):
    """Knows client credentials (RFC 6749 4.4). Any other `grant_type` is `unsupported_grant_type`, the
    device grant included, for which django-oauth-toolkit's own view answers 500 (DOT notes, trap 8)."""

    def __init__(self, request_validator: Any, **settings: Any) -> None:
        super().__init__(
            request_validator,
            token_generator=tokens.new_value,
            token_expires_in=token_life.seconds_for,
        )
        self.grant_types["unknown"] = _UnknownGrant()
        self._default_grant_type = "unknown"  # else a missing one would be read as client_credentials
        self.grant_types["client_credentials"].register_token_modifier(_as_documented)


class _UnknownGrant:
    """Answers for every `grant_type` that is missing or that nobody handles."""

    def create_token_response(self, request: Any, token_handler: Any) -> Any:
        if not request.grant_type:
            raise InvalidRequestError(description="Missing grant_type.", request=request)
        raise UnsupportedGrantTypeError(request=request)


def _as_documented(token: dict[str, Any]) -> dict[str, Any]:
    """`token_type` in lower case (seed 001), and no `scope` where none applies."""
    token = {**token, "token_type": "bearer"}
    if not token.get("scope"):
        token.pop("scope", None)
    return token
