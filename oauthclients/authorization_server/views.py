"""The token endpoint, as a list of stops. oauthlib and django-oauth-toolkit decide and issue; here stands
what must be true before they are asked, and the one place that writes an answer."""

from __future__ import annotations

import json
import logging
import uuid
from abc import ABC, abstractmethod
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError, OAuth2Error

from accounts import rates
from accounts.origin import origin
from oauthclients import grant_types, queries
from oauthclients.authorization_server.client_authentication import (
    Credentials,
    credentials,
    uses_basic,
)
from oauthclients.authorization_server.errors import SlowDown, TooLarge
from oauthclients.authorization_server.validator import client_key
from oauthclients.models import Client
from oauthclients.services import refusals, secrets, usage

log = logging.getLogger(__name__)

# Grants that give a token for something that is good once.
EXCHANGES = frozenset({"authorization_code", "refresh_token", str(grant_types.SAML2_BEARER.grant_type)})


# Of `environ`: status and body of a refusal that the grant has said already (direct.py). No header is
# called so.
DECIDED = "latchkey.decided"


class OAuthEndpoint(View, ABC):
    """What the endpoints for programs share: a form-encoded body, nothing twice, one way of saying who it
    is, not too many failures, and one shape of error."""

    http_method_names = ["post"]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        return csrf_exempt(super().as_view(**initkwargs))

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        # All of them, as `sensitive_post_parameters` would say.
        request.sensitive_post_parameters = "__ALL__"  # type: ignore[attr-defined]
        try:
            body = self.form(request)
            self.nothing_twice(request)
            failures = self.may_try(request, body)
            response = self.asked(request, body)
        except OAuth2Error as error:
            response = self.failure(request, error.status_code, json.loads(error.json), error)
            if error.error == "invalid_client":
                failures.count()
            return response
        if response.status_code == 401:
            failures.count()
        return response

    @abstractmethod
    def asked(self, request: HttpRequest, body: dict[str, str]) -> HttpResponse:
        """The answer to a request that is well formed."""

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = self.failure(request, 405, {"error": "invalid_request", "error_description": "use POST"})
        response["Allow"] = "POST"
        return response

    def form(self, request: HttpRequest) -> dict[str, str]:
        """The parameters, which may come in a form-encoded body only (RFC 6749 3.2)."""
        if request.META.get("QUERY_STRING"):
            raise InvalidRequestError(description="Parameters belong into the body.")
        if request.content_type != "application/x-www-form-urlencoded":
            raise InvalidRequestError(description="The body must be application/x-www-form-urlencoded.")
        try:
            return request.POST.dict()
        except (RequestDataTooBig, TooManyFieldsSent) as error:
            raise TooLarge(description="The request is too large.") from error
        except BadRequest as error:  # a charset other than UTF-8
            raise InvalidRequestError(description="The body must be in UTF-8.") from error

    def nothing_twice(self, request: HttpRequest) -> None:
        """RFC 6749 3.2. The toolkit flattens repeated parameters before oauthlib can see them."""
        for name, values in request.POST.lists():
            if len(values) > 1:
                raise InvalidRequestError(description=f"Repeated parameter: {name[:40]}")

    def may_try(self, request: HttpRequest, body: dict[str, str]) -> rates.Window:
        """Refuses what authenticates in two ways at once, and, after too many failures, anything."""
        sent = credentials(request.META.get("HTTP_AUTHORIZATION"), body)
        failures = self.failures(sent.client_id if sent else "", origin().address)
        if failures.exceeded():
            raise SlowDown(failures.resets_in())
        return failures

    @staticmethod
    def failures(client_id: str, address: str | None) -> rates.Window:
        """Those of whoever says this, from there."""
        return rates.Window("token-failures", f"{client_id}|{address}", settings.RATE_TOKEN_FAILURES)

    def failure(
        self,
        request: HttpRequest,
        status: int,
        error: dict[str, Any],
        raised: OAuth2Error | None = None,
    ) -> HttpResponse:
        """Three keys, as the SDKs' users know them (wire contract B4)."""
        description = error.get("error_description") or error["error"].replace("_", " ")
        if error["error"] == "invalid_client":
            # One answer for an unknown client, a wrong secret and no secret at all.
            status, description = 401, "authentication failed"
        response = self.answer(
            {
                "error": error["error"],
                "description": description,
                "error_description": description,
            },
            status,
        )
        if status == 401:
            response["WWW-Authenticate"] = 'Basic realm="Latchkey", charset="UTF-8"'
        if isinstance(raised, SlowDown):
            response["Retry-After"] = str(raised.retry_after)
        log.info(
            "token refused: %s (%s)",
            error["error"],
            "basic" if uses_basic(request.headers.get("Authorization")) else "body",
        )
        return response

    def answer(self, body: dict[str, Any], status: int) -> HttpResponse:
        return self.as_json(json.dumps(body), status)

    def as_json(self, content: str, status: int) -> HttpResponse:
        response = HttpResponse(content, status=status, content_type="application/json")
        response["Cache-Control"] = "no-store"  # RFC 6749 5.1
        response["Pragma"] = "no-cache"
        return response


class _Extraction(OAuthLibCore):
    """What the toolkit gives oauthlib of a request that `OAuthEndpoint` has looked at: what is asked for
    later, rather than a copy of all there is, and the parameters as they are, rather than encoded again."""

    HEADERS = ("HTTP_AUTHORIZATION", "HTTP_HOST", "SERVER_NAME")

    def _extract_params(self, request: HttpRequest) -> tuple[str, str | None, Any, dict[str, str]]:
        headers = {name: request.META[name] for name in self.HEADERS if name in request.META}
        return request.path, request.method, list(request.POST.items()), headers


class TokenView(OAuthLibMixin, OAuthEndpoint):
    """POST /oauth/token (RFC 6749 3.2; wire contract B3 and B4)."""

    oauthlib_backend_class = _Extraction

    def asked(self, request: HttpRequest, body: dict[str, str]) -> HttpResponse:
        # What is exchanged, and what is given for it, happen together or not at all. A refusal is no
        # exception here: the end of a family whose token was used twice is to stay.
        exchanging = body.get("grant_type") in EXCHANGES
        try:
            if DECIDED in request.META:
                status, content = request.META[DECIDED]
            else:
                with transaction.atomic() if exchanging else nullcontext():
                    _uri, _headers, content, status = self.create_token_response(request)
        except IntegrityError as error:  # the client was deleted at this very moment
            raise InvalidClientError from error
        if "HTTP_ORIGIN" in request.META:
            request.browser_client = _named(request, body)  # type: ignore[attr-defined]  # for cors.py
        if status != 200:
            return self.failure(request, status, json.loads(content))
        return self.as_json(content, 200)

    def failure(
        self,
        request: HttpRequest,
        status: int,
        error: dict[str, Any],
        raised: OAuth2Error | None = None,
    ) -> HttpResponse:
        """The answer; and a note for the client that it says it is, whether or not there is one."""
        response = super().failure(request, status, error, raised)
        if (claimed := _claimed(request)) is not None:
            refusals.of_token_request(
                claimed=claimed,
                status=response.status_code,
                error=error["error"],
                grant_type=request.POST.get("grant_type", ""),
                now=timezone.now(),
            )
        return response


class ClientView(OAuthEndpoint):
    """An endpoint for a client that is known by its secret, or, where a secret is not needed, by its id.

    `last used` of client and secret move, so that nobody ends a secret that an API still asks with.
    """

    secret_needed = True

    def asked(self, request: HttpRequest, body: dict[str, str]) -> HttpResponse:
        header = request.headers.get("Authorization")
        sent = credentials(header, body)
        by_secret = sent is not None or bool(header)  # what cannot be read is a failure, and not nothing
        client = _by_secret(sent) if by_secret else self.by_id(body.get("client_id", ""))
        if client is None:
            raise InvalidClientError
        request.browser_client = client  # type: ignore[attr-defined]  # for cors.py
        response = self.respond(body, client, by_secret=by_secret)
        usage.count(
            organization_id=client.organization_id,
            client_id=client.id,
            method="POST",
            route=request.path_info,
            status=response.status_code,
            now=timezone.now(),
        )
        return response

    def by_id(self, client_id: str) -> Client | None:
        """Apps that may run where a secret cannot be kept."""
        client = None if self.secret_needed else queries.live_client(client_key(client_id))
        if client is None or not client.accepts_tokens():
            return None
        return client if grant_types.BY_CODE[client.authorization_grant_type].uses_redirect_uris else None

    @abstractmethod
    def respond(self, body: dict[str, str], client: Client, *, by_secret: bool) -> HttpResponse:
        """The answer to this client, which is known by its secret or, where none is needed, by its id."""


def _claimed(request: HttpRequest) -> uuid.UUID | None:
    """The id of the client that a refused request names; None for what is no id, or cannot be read."""
    try:
        sent = credentials(request.headers.get("Authorization"), request.POST)
        client_id = sent.client_id if sent else request.POST.get("client_id", "")
    except (OAuth2Error, BadRequest, SuspiciousOperation):
        return None
    key = client_key(client_id)
    return key if key.int else None


def _by_secret(sent: Credentials | None) -> Client | None:
    """One statement whether the client exists or not, as at the token endpoint."""
    now = timezone.now()
    secret = secrets.find(client_key(sent.client_id), sent.secret, now) if sent else None
    if secret is None or not secret.client.accepts_tokens():
        return None
    usage.client_used(secret.client, now, secret)
    return secret.client


def _named(request: HttpRequest, body: dict[str, str]) -> Client | None:
    """The client that a browser app says it is; whether it is does not matter for who may read this."""
    sent = credentials(request.headers.get("Authorization"), body)
    return queries.live_client(client_key(sent.client_id if sent else body.get("client_id", "")))
