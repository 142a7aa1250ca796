"""From the Authorization header to who is calling (RFC 6750 2.1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils import timezone
from oauth2_provider.models import AbstractAccessToken, get_access_token_model
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.actor import Actor, ActorType
from accounts.models import Organization
from oauthclients.api.errors import ApiError
from oauthclients.models import Client
from oauthclients.rules import effective_access
from oauthclients.services import tokens


@dataclass(frozen=True)
class Caller:
    """The client behind a living token. DRF calls it `request.user`."""

    client: Client
    token: AbstractAccessToken

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def organization(self) -> Organization:
        return self.client.organization

    @cached_property
    def actor(self) -> Actor:
        """Reads the rights from the database, once per request and never across requests."""
        return Actor(
            type=ActorType.CLIENT,
            id=self.client.id,
            name=self.client.name,
            organization=self.organization,
            access=effective_access.of_client(self.client),
        )


def caller_of(value: str) -> Caller | None:
    """Who holds this token, if it lives: known, not expired, its client still accepting it. One
    statement, and one more in a minute to note that the client was used."""
    now = timezone.now()
    token = (
        get_access_token_model()
        .objects.select_related("application__organization")
        .filter(token_checksum=hashlib.sha256(value.encode()).hexdigest())
        .first()
    )
    if token is None or token.expires <= now or token.application is None:
        return None
    if token.user_id is not None:
        return None  # no grant issues these yet; see rules/effective_access.py
    if not token.application.accepts_tokens():
        return None
    tokens.note_use(token.application, now)
    return Caller(token.application, token)


class BearerAuthentication(BaseAuthentication):
    """401 means that this token is dead, and nothing else (wire contract, fact 5)."""

    def authenticate(self, request: Request) -> tuple[Caller, Any]:
        scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value.strip():
            raise ApiError.authentication_required()
        caller = caller_of(value.strip())
        if caller is None:
            raise ApiError.bad_credentials()
        return caller, caller.token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Latchkey"'
