"""oauthlib's server as Latchkey runs it: which grants and response types there are, and what a token looks
like on the wire. django-oauth-toolkit builds one per process (`OAUTH2_SERVER_CLASS`)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    BearerToken,
    ClientCredentialsGrant,
    ImplicitGrant,
    RefreshTokenGrant,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749.errors import (
    InvalidClientError,
    InvalidRequestError,
    UnsupportedGrantTypeError,
)
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256

from oauthclients import grant_types
from oauthclients.rules import token_life
from oauthclients.services import families, tokens


class Server(AuthorizationEndpoint, TokenEndpoint):
    """Knows client credentials, code with or without PKCE, refresh, implicit and SAML2 bearer.
    Any other `grant_type` is `unsupported_grant_type`, the device grant included, for which
    django-oauth-toolkit's own view answers 500 (DOT notes, trap 8)."""

    def __init__(self, request_validator: Any, **_settings: Any) -> None:
        self.request_validator = request_validator
        bearer = BearerToken(
            request_validator,
            token_generator=_access_token,
            expires_in=_seconds,
            refresh_token_generator=_refresh_token,
        )
        code = _Code(request_validator)
        # With "plain", whoever sees the request for a code can exchange it (RFC 9700 2.1.1).
        code._code_challenge_methods = {"S256": code_challenge_method_s256}
        grants: dict[str | None, Any] = {
            "authorization_code": code,
            "client_credentials": _ClientCredentials(request_validator),
            "refresh_token": _Refresh(request_validator),
        }
        if grant_types.SAML2_BEARER.answered:
            grants[grant_types.SAML2_BEARER.grant_type] = Saml2Bearer(request_validator)
        for grant in grants.values():
            grant.register_token_modifier(_as_documented)
        implicit = ImplicitGrant(request_validator)
        implicit.register_token_modifier(_as_documented)
        AuthorizationEndpoint.__init__(
            self,
            default_response_type="code",  # who answers that there was none
            default_token_type=bearer,
            response_types={"code": code, "token": implicit},
        )
        TokenEndpoint.__init__(
            self,
            # A missing one must not be read as client_credentials.
            default_grant_type="unknown",
            default_token_type=bearer,
            grant_types={**grants, "unknown": _UnknownGrant()},
        )


class _OwnAttributes:
    """oauthlib's request answers with a *parameter* of the request wherever an attribute was not set. So
    that nobody can send ours, they are set before anything else is looked at."""

    def create_token_response(self, request: Any, token_handler: Any) -> Any:
        request.client = request.user = request.scopes = None
        request.used_secret = request.sign_in = None
        return super().create_token_response(request, token_handler)  # type: ignore[misc]


class _Code(_OwnAttributes, AuthorizationCodeGrant):
    pass


class _Refresh(_OwnAttributes, RefreshTokenGrant):
    pass


class _ClientCredentials(_OwnAttributes, ClientCredentialsGrant):
    pass


class Saml2Bearer(_OwnAttributes, ClientCredentialsGrant):
    """RFC 7522 2.1. It runs as client credentials do: a client proves who it is, and gets one token."""

    def validate_token_request(self, request: Any) -> None:
        sent = dict(request.decoded_body)
        for name in ("assertion", "orgName"):
            if not sent.get(name):
                raise InvalidRequestError(description=f"Missing {name}.", request=request)
        if not self.request_validator.authenticate_client(request):
            raise InvalidClientError(request=request)
        self.validate_grant_type(request)
        self.request_validator.validate_assertion(
            sent["assertion"], sent["orgName"], sent.get("scope"), request.client, request
        )


class _UnknownGrant:
    """Answers for every `grant_type` that is missing or that nobody handles."""

    def create_token_response(self, request: Any, token_handler: Any) -> Any:
        if not request.grant_type:
            raise InvalidRequestError(description="Missing grant_type.", request=request)
        raise UnsupportedGrantTypeError(request=request)


def _access_token(request: Any) -> str:
    return _next("access", request) or tokens.new_value(request)


def _refresh_token(request: Any) -> str:
    return _next("refresh", request) or tokens.new_value(request)


def sign_in_of(request: Any) -> families.SignIn | None:
    """What a request to the token endpoint exchanges; None for client credentials and at the authorization
    endpoint. Not by `getattr`, which would find a parameter that somebody sent."""
    return vars(request).get("sign_in")


def at_token_endpoint(request: Any) -> bool:
    """Whether `_OwnAttributes` has seen it."""
    return "sign_in" in vars(request)


def _next(kind: str, request: Any) -> str | None:
    """What follows a refresh token, which the same request gets again within the grace time."""
    sign_in = sign_in_of(request)
    if sign_in is None or sign_in.old is None:
        return None
    return families.successor(kind, request.refresh_token)


def _seconds(request: Any) -> int:
    sign_in = sign_in_of(request)
    if sign_in is None and at_token_endpoint(request):
        return token_life.seconds_for(request.client)
    if sign_in is None:  # the implicit grant, whose family begins with the token
        return min(token_life.seconds_for(request.client), settings.REFRESH_TOKEN_SECONDS)
    end = sign_in.resent.expires if sign_in.resent is not None else sign_in.family.ends_at
    return token_life.seconds_for(request.client, no_later_than=end)


def _as_documented(token: dict[str, Any], token_handler: Any = None, request: Any = None) -> dict[str, Any]:
    """`token_type` in lower case (seed 001), no `scope` where none applies, and a refresh token only for
    apps that prove who they are, where the organization's idle timeout leaves them one."""
    token = {**token, "token_type": "bearer"}
    if not token.get("scope"):
        token.pop("scope", None)
    if "refresh_token" in token and not _may_refresh(request):
        del token["refresh_token"]
    return token


def _may_refresh(request: Any) -> bool:
    """An app in a browser, which exchanges its code without a secret, gets none: it can ask again, and a
    stolen one would be good for anybody."""
    sign_in = sign_in_of(request)
    return (
        sign_in is not None
        and vars(request)["used_secret"] is not None
        and token_life.refreshable(sign_in.person.organization)
    )
