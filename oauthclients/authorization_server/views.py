"""The token endpoint, as a list of stops. oauthlib and django-oauth-toolkit decide and issue; here stands
what must be true before they are asked, and the one place that writes an answer."""

from __future__ import annotations

import json
import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error

from accounts import rates
from accounts.origin import origin
from oauthclients.authorization_server.client_authentication import credentials, uses_basic
from oauthclients.authorization_server.errors import SlowDown, TooLarge

log = logging.getLogger(__name__)


@method_decorator(csrf_exempt, name="dispatch")
@method_decorator(sensitive_post_parameters(), name="dispatch")
class TokenView(OAuthLibMixin, View):
    """POST /oauth/token (RFC 6749 3.2; wire contract B3 and B4)."""

    http_method_names = ["post"]

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            body = self.form(request)
            self.nothing_twice(request)
            key = self.may_try(request, body)
            _uri, _headers, content, status = self.create_token_response(request)
        except OAuth2Error as error:
            return self.failure(request, error.status_code, json.loads(error.json), error)
        if status != 200:
            if status == 401:
                key.count()
            return self.failure(request, status, json.loads(content))
        return self.answer(json.loads(content), 200)

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
        sent = credentials(request.headers.get("Authorization"), body)
        client_id = sent.client_id if sent else ""
        failures = rates.Window(
            "token-failures", f"{client_id}|{origin().address}", settings.RATE_TOKEN_FAILURES
        )
        if failures.exceeded():
            raise SlowDown(failures.resets_in())
        return failures

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
        response = JsonResponse(body, status=status)
        response["Cache-Control"] = "no-store"  # RFC 6749 5.1
        response["Pragma"] = "no-cache"
        return response
