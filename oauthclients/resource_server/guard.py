"""What a route asks of its caller, written above its handler: `@requires(Permission.OAUTH_CLIENT_VIEW,
scopes=OAUTH_READ)`. A handler without it answers nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from oauthclients import scopes as scope_catalogue
from oauthclients.api.errors import ApiError
from oauthclients.rules.effective_access import MISSING_SCOPE, require

if TYPE_CHECKING:
    from rest_framework.views import APIView

    from oauthclients.resource_server.bearer import Caller

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Requirement:
    """At least one of `any_of` (none: any living token), each of them where `every` says so, and, for an
    app acting for a person, at least one of `scopes`. Where the permission is division-aware, the handler
    goes on to check the division of the thing at hand. `user_context` routes are about the person, whom
    client credentials do not have."""

    any_of: tuple[str, ...]
    scopes: tuple[str, ...]
    user_context: bool = False
    # Names its scope, and answers without it as well (see api/tokens.py).
    lenient: bool = False
    every: bool = False


def requires(
    *any_of: str,
    scopes: tuple[str, ...],
    user_context: bool = False,
    lenient: bool = False,
    every: bool = False,
) -> Callable[[Handler], Handler]:
    """Marks a handler. Unknown scopes are refused when the module is read."""
    unknown = set(scopes) - scope_catalogue.CATALOGUE.keys()
    assert not unknown, unknown

    def mark(handler: Handler) -> Handler:
        handler.requirement = Requirement(any_of, scopes, user_context, lenient, every)  # type: ignore[attr-defined]
        return handler

    return mark


def requirement_of(view: APIView, method: str) -> Requirement | None:
    """What the handler for this HTTP method asks for."""
    handler = getattr(view, method.lower(), None)
    return getattr(handler, "requirement", None)


class Guarded(BasePermission):
    """Runs before every handler of `/api/v2`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        requirement = requirement_of(view, request.method or "")
        if requirement is None:
            return False
        caller = cast("Caller", request.user)
        if requirement.user_context and caller.person is None:
            raise ApiError.no_user_context()
        decision = caller.effective.decide(
            *requirement.any_of, scopes=requirement.scopes, every=requirement.every
        )
        if requirement.lenient and decision.code == MISSING_SCOPE:
            return True
        require(decision)
        return True
