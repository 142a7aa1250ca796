"""What is noted of a refusal (services/refusals.py): why, and nothing that was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from accounts.errors import InsufficientScope, NotAllowed
from oauthclients.api.errors import ApiError, NoUserContext
from oauthclients.api.route_names import template
from oauthclients.rules import token_alive
from oauthclients.services import refusals

if TYPE_CHECKING:
    from oauthclients.resource_server.bearer import Caller

TOO_MANY = "too.many.requests.retry.after"


def dead_token(request: Request, token: Any, condition: str) -> None:
    """A token that is known and has ended: `condition` is what it does not meet (rules/token_alive.py)."""
    if token.application is None:
        return
    dead = ApiError.bad_credentials()
    refusals.of_call(
        organization_id=token_alive.organization_of(token).id,
        client_id=token.application.id,
        person_id=token.user_id,
        status=dead.status_code,
        code=dead.code,
        missing=(condition,),
        **_about(request),
    )


def call(request: Request, caller: Caller, error: Exception) -> None:
    """An error that is a refusal; anything else is not noted."""
    missing: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()
    if isinstance(error, NotAllowed):
        status, code = error.status, error.code
        missing = error.scopes if isinstance(error, InsufficientScope) else error.missing
        divisions = error.divisions
    elif isinstance(error, Throttled):
        status, code = error.status_code, TOO_MANY
    elif isinstance(error, NoUserContext):
        status, code = error.status_code, error.code
    else:
        return
    refusals.of_call(
        organization_id=caller.organization.id,
        client_id=caller.client.id,
        person_id=caller.person.id if caller.person else None,
        status=status,
        code=code,
        missing=missing,
        divisions=divisions,
        **_about(request),
    )


def _about(request: Request) -> dict[str, Any]:
    found = request._request.resolver_match
    return {
        "method": request.method or "",
        "route": template(found.route) if found else "",
        "now": timezone.now(),
    }
