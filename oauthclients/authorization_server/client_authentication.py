"""How a client says who it is at the token endpoint (RFC 6749 2.3.1): HTTP Basic, or `client_id` and
`client_secret` in the body, and never both."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from oauthlib.oauth2.rfc6749.errors import InvalidRequestError


@dataclass(frozen=True)
class Credentials:
    """What was sent. The secret never shows in a repr."""

    client_id: str
    secret: str = field(repr=False)
    basic: bool


def uses_basic(header: str | None) -> bool:
    """The scheme is compared without regard to case (RFC 9110 11.1)."""
    return bool(header) and header.split(" ", 1)[0].lower() == "basic"  # type: ignore[union-attr]


def sent_in(request: Any) -> Credentials | None:
    """Those of oauthlib's request, which whoever made it may have read already; as `credentials`."""
    known: Credentials | None = vars(request).get("credentials")
    return known or credentials(request.headers.get("HTTP_AUTHORIZATION"), dict(request.decoded_body))


def credentials(header: str | None, body: Mapping[str, str]) -> Credentials | None:
    """The credentials of a request, or None if it has none that can be read.

    Raises `InvalidRequestError` for a request that authenticates twice, or names two clients.
    """
    if header and not uses_basic(header):
        raise InvalidRequestError(description="Use HTTP Basic authentication.")
    if not header:
        if "client_secret" not in body:
            return None
        return Credentials(body.get("client_id", ""), body["client_secret"], basic=False)
    if "client_secret" in body:
        raise InvalidRequestError(description="Authenticate in the header or in the body, not both.")
    try:
        decoded = base64.b64decode(header.split(" ", 1)[1].strip(), validate=True).decode()
        client_id, secret = map(unquote_plus, decoded.split(":", 1))
    except (IndexError, ValueError, binascii.Error):
        return None
    if body.get("client_id", client_id) != client_id:
        raise InvalidRequestError(description="The header and the body name different clients.")
    return Credentials(client_id, secret, basic=True)
