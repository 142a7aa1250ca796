"""One shape for every error of `/api/v2` (wire contract G1), written in one place."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from accounts.errors import DomainError, Invalid
from accounts.origin import origin

log = logging.getLogger(__name__)


class ApiError(exceptions.APIException):
    """An error that belongs to the API alone, with its status and code (wire contract G2)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(detail=message, code=code)
        self.status_code = status
        self.code = code
        self.message = message

    @classmethod
    def authentication_required(cls) -> ApiError:
        return _Unauthenticated(
            401, "authentication.required", _("No authentication bearer token specified.")
        )

    @classmethod
    def bad_credentials(cls) -> ApiError:
        return _Unauthenticated(401, "bad.credentials", _("Invalid login credentials."))

    @classmethod
    def no_user_context(cls) -> ApiError:
        return NoUserContext(
            400,
            "bad.request",
            _(
                "This request requires a user context. Client credentials cannot be used for "
                "requests to this resource."
            ),
        )


class NoUserContext(ApiError):
    """A route about a person was called by a client for itself."""


class _Unauthenticated(ApiError, exceptions.AuthenticationFailed):
    """DRF adds `WWW-Authenticate` to these."""

    def __init__(self, status: int, code: str, message: str) -> None:
        ApiError.__init__(self, status, code, message)


def body(
    status: int,
    code: str,
    message: str,
    *,
    parameters: dict[str, Any] | None = None,
    details: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """The error body. `contextId` is the correlation id of the response's header."""
    return {
        "message": message,
        "code": code,
        "status": status,
        "contextId": str(origin().request_id or ""),
        "messageParams": parameters or {},
        "details": details or [],
        "errors": [],
    }


def domain_body(error: DomainError) -> dict[str, Any]:
    """A domain error on the wire; several problems become `details`."""
    details = (
        [
            {
                "errorCode": problem.code,
                "fieldName": problem.field,
                "message": str(problem.message),
                **({"line": problem.line} if problem.line is not None else {}),
            }
            for problem in error.problems
        ]
        if isinstance(error, Invalid)
        else []
    )
    return body(error.status, error.code, str(error.message), parameters=error.parameters, details=details)


_BY_STATUS = {
    400: "bad.request",
    401: "bad.credentials",
    403: "not.authorized",
    404: "not.found",
    405: "method.not.allowed",
    406: "not.acceptable",
    413: "request.entity.too.large",
    415: "unsupported.media.type",
}


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: every error ends here, and none as HTML."""
    if isinstance(error, DomainError):
        return Response(domain_body(error), status=error.status, headers=_challenge(error))
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        error = ApiError(413, _BY_STATUS[413], _("The request is too large."))
    elif isinstance(error, SuspiciousOperation | UnreadablePostError):
        # Such as a thousand parameters, or a body that breaks off.
        error = exceptions.ParseError(_("The request cannot be read."))
    if isinstance(error, exceptions.Throttled):
        return _throttled(error)
    if isinstance(error, exceptions.APIException):
        status = error.status_code
        code = error.code if isinstance(error, ApiError) else _BY_STATUS.get(status, "bad.request")
        headers = {}
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
        return Response(body(status, code, str(error.detail)), status=status, headers=headers)
    log.error("unhandled error in the API", exc_info=error)
    return Response(
        body(500, "internal.server.error", _("The server could not answer this request.")),
        status=500,
    )


def _challenge(error: DomainError) -> dict[str, str]:
    """RFC 6750 3.1, where a scope is what is missing."""
    scopes = " ".join(getattr(error, "scopes", ()))
    if not scopes:
        return {}
    return {"WWW-Authenticate": f'Bearer realm="Latchkey", error="insufficient_scope", scope="{scopes}"'}


def _throttled(error: exceptions.Throttled) -> Response:
    seconds = max(1, int(getattr(error, "wait", None) or 1))
    return Response(
        body(
            429,
            "too.many.requests.retry.after",
            _("Too many requests. Retry after %(seconds)s seconds.") % {"seconds": seconds},
            parameters={"seconds": str(seconds)},
        ),
        status=429,
        headers={"Retry-After": str(seconds)},
    )
