"""From the Authorization header to who is calling (RFC 6750 2.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from oauth2_provider.models import AbstractAccessToken
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.actor import Actor, ActorType
from accounts.models import Organization, User
from accounts.rules import idle
from oauthclients import queries
from oauthclients.api.errors import ApiError
from oauthclients.models import Client
from oauthclients.resource_server import refused
from oauthclients.rules import token_alive
from oauthclients.rules.effective_access import EffectiveAccess
from oauthclients.services import tokens, usage

OWN_TOKEN = "/api/v2/tokens/me"


@dataclass(frozen=True)
class Caller:
    """Who is behind a living token: a client, or a client acting for a person. DRF calls it
    `request.user`."""

    client: Client
    token: AbstractAccessToken
    person: User | None = None

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def organization(self) -> Organization:
        """Where the token counts: the person's organization, whoever made the app."""
        return self.client.organization if self.person is None else self.person.organization

    @cached_property
    def effective(self) -> EffectiveAccess:
        """By what the statement that found the token has read."""
        return queries.effective_access_of(self.token)

    @cached_property
    def actor(self) -> Actor:
        if self.person is None:
            return Actor(
                type=ActorType.CLIENT,
                id=self.client.id,
                name=self.client.name,
                organization=self.organization,
                access=self.effective.access,
            )
        return Actor(
            type=ActorType.USER,
            id=self.person.id,
            name=str(self.person),
            organization=self.organization,
            access=self.effective.access,
            via_id=self.client.id,
            via_name=self.client.name,
            scopes=self.effective.scopes,
        )


def caller_of(
    value: str,
    *,
    counts: Callable[[Organization], bool] | None = None,
    dead: Callable[[AbstractAccessToken, str], object] | None = None,
) -> Caller | None:
    """Who holds this token, if it lives (rules/token_alive.py). One statement.

    `counts` says whether this is a use of the token, for its idle clock; None for a mere look at it. `dead`
    is told of a token that is known and does not live, and the condition that it does not meet.
    """
    now = datetime.now(UTC)
    token = queries.token(tokens.digest(value))
    if token is None:
        return None
    if condition := token_alive.unmet(token, now):
        if dead is not None:
            dead(token, condition)
        return None
    assert token.application is not None
    caller = Caller(token.application, token, token.user)
    if counts is not None:
        usage.client_used(token.application, now)
        idles_at = idle.ends_at(caller.organization, token.updated)
        if idles_at is not None and counts(caller.organization):
            usage.token_used(token, now, idles_at)
    return caller


def is_use(request: Request) -> Callable[[Organization], bool]:
    """Whether a call is activity (wire contract J): not where it asks for the opposite, and not at a path
    that the organization has excluded."""

    def counts(organization: Organization) -> bool:
        if request.path == OWN_TOKEN and request.query_params.get("preserveIdleTTL", "").lower() == "true":
            return False
        return not idle.excludes(organization, request.path)

    return counts


class BearerAuthentication(BaseAuthentication):
    """401 means that this token is dead, and nothing else (wire contract, fact 5)."""

    def authenticate(self, request: Request) -> tuple[Caller, Any]:
        scheme, _space, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not value.strip():
            raise ApiError.authentication_required()
        caller = caller_of(value.strip(), counts=is_use(request), dead=partial(refused.dead_token, request))
        if caller is None:
            raise ApiError.bad_credentials()
        request._request.browser_client = caller.client  # type: ignore[attr-defined]  # for cors.py
        return caller, caller.token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Latchkey"'
