"""One shape for every error under `/api/v2/scim` (RFC 7644 3.12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError
from rest_framework.exceptions import ParseError
from rest_framework.response import Response
from scim2_models import Error, SCIMException

from accounts.errors import Invalid
from oauthclients.api import errors as of_the_api

SCHEMA = str(Error.__schema__)
# The fields of the services, as a SCIM client calls them.
_ATTRIBUTES: Mapping[str, str] = {
    "email": "userName",
    "name": "displayName",
    "given_name": "name.givenName",
    "family_name": "name.familyName",
    "other_email": 'emails[type eq "other"].value',
    "employee_number": "employeeNumber",
    "external_id": "externalId",
    "hired_on": "dateHire",
    "manager_id": "manager",
    "state": "active",
    "roleDivisions": "roles",
}
LONGEST_DETAIL = 2_000


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler of these views: what the rest of the API would answer, in SCIM's words, with
    the same headers."""
    if isinstance(error, SCIMException) and isinstance(error.__cause__, ValidationError):
        error = error.__cause__  # which says the same without Python's words
    if isinstance(error, ValidationError):
        found = Error.from_validation_errors(error)
        detail = "; ".join(dict.fromkeys(one.detail or "" for one in found))
        return _answer(found[0].status or 400, found[0].scim_type, detail)
    if isinstance(error, SCIMException):
        return _answer(error.status, error.scim_type, str(error))
    if isinstance(error, RecursionError):
        return _answer(400, "invalidSyntax", _("The request is nested too deeply."))
    response = of_the_api.handle(error, context)
    return _answer(
        response.status_code,
        _scim_type(error, response),
        _detail(error, response),
        headers={name: value for name, value in response.items() if name.lower() != "content-type"},
    )


def _scim_type(error: Exception, response: Response) -> str | None:
    if response.status_code == 409 and response.data["code"] == "resource.already.exists":
        return "uniqueness"
    if response.status_code == 400:
        return "invalidSyntax" if isinstance(error, ParseError) else "invalidValue"
    return None


def _detail(error: Exception, response: Response) -> str:
    if isinstance(error, Invalid):
        return " ".join(
            f"{_ATTRIBUTES.get(problem.field, problem.field)}: {problem.message}"
            for problem in error.problems
        )
    return str(response.data["message"])


def _answer(
    status: int, scim_type: str | None, detail: str, headers: dict[str, str] | None = None
) -> Response:
    body = {"schemas": [SCHEMA], "status": str(status)}
    if scim_type:
        body["scimType"] = scim_type
    return Response({**body, "detail": detail[:LONGEST_DETAIL]}, status=status, headers=headers)
