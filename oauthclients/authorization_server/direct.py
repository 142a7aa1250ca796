"""The request for a token that nearly all are: client credentials, as the SDKs send it.

The same grant of oauthlib decides it, with the same validator and services; only the objects that Django
and the toolkit put around a request and an answer are left out. Whatever is not plainly so, and every
refusal, goes on to `views.TokenView`: here nobody is told no, and there what the grant has said is not
asked again. tests/protocol/test_direct_tokens.py sends a thousand requests both ways.
"""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import parse_qsl

from django.db import IntegrityError
from django.http import HttpResponse
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749.errors import OAuth2Error

from oauthclients.authorization_server.client_authentication import Credentials, credentials
from oauthclients.authorization_server.views import DECIDED, TokenView

PATH = "/oauth/token"
FORM = "application/x-www-form-urlencoded"
GRANT_TYPE = "client_credentials"
# Longer than any such request has to be.
LARGEST = 2_000


def body_of(environ: dict[str, Any]) -> dict[str, str] | None:
    """The parameters of such a request; None for what is not one. Reads the body, and puts it back."""
    if environ.get("CONTENT_TYPE") != FORM or environ.get("QUERY_STRING"):
        return None
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return None
    if not 0 < length <= LARGEST:
        return None
    sent = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(sent)
    return _parameters(sent) if len(sent) == length else None


def token_for(
    environ: dict[str, Any], body: dict[str, str], headers: dict[str, str], address: str | None
) -> str | None:
    """The answer's body, where a token is given. A refusal is left in `environ` for the view to tell. What
    else is raised may have been raised after a token was stored, and is nobody's to try again."""
    try:
        sent = credentials(headers.get("HTTP_AUTHORIZATION"), body)
        if sent is None or TokenView.failures(sent.client_id, address).exceeded():
            return None
        server = TokenView.get_oauthlib_core().server
        asked = _Asked(body, headers, sent)
        _headers, answer, status = server.grant_types[GRANT_TYPE].create_token_response(
            asked, server.default_token_type
        )
    except (OAuth2Error, IntegrityError):  # the client was deleted at this very moment
        return None
    if status != 200:
        environ[DECIDED] = (status, answer)
        return None
    return str(answer)


def headers() -> HttpResponse:
    """With what a token is given."""
    return TokenView().as_json("", 200)


class _Asked(Request):
    """oauthlib's request, made of what has been read already."""

    duplicate_params = uri_query = ()  # there are none

    def __init__(self, body: dict[str, str], headers: dict[str, str], sent: Credentials) -> None:
        self.credentials = sent
        self.uri, self.http_method, self.headers = PATH, "POST", headers
        self.body = self.decoded_body = list(body.items())
        self.oauth_params: list[Any] = []
        self.validator_log: dict[str, Any] = {}
        self._params = {**_NOTHING, **body}
        self.scopes = self.extra_credentials = None


_NOTHING = Request("")._params


def _parameters(sent: bytes) -> dict[str, str] | None:
    if sent == b"grant_type=client_credentials":
        return {"grant_type": GRANT_TYPE}
    try:
        pairs = parse_qsl(sent.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=10)
    except ValueError:
        return None
    body = dict(pairs)
    return body if len(body) == len(pairs) and body.get("grant_type") == GRANT_TYPE else None
