"""What a route asks of its caller, written above its handler: `@requires(Permission.OAUTH_CLIENT_VIEW,
scopes=OAUTH_READ)`. A handler without it answers nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.permissions import CATALOGUE
from accounts.rules.access import ALLOWED, Decision
from oauthclients import scopes as scope_catalogue
from oauthclients.api.errors import ApiError
from oauthclients.rules.effective_access import MISSING_SCOPE, EffectiveAccess, require

if TYPE_CHECKING:
    import uuid

    from rest_framework.views import APIView

    from oauthclients.resource_server.bearer import Caller

Handler = TypeVar("Handler", bound=Callable[..., Any])

# The code of a route that is about a person, to a client that has none (wire contract, fact 9).
NO_USER_CONTEXT = "bad.request"


class Where(StrEnum):
    """What the division of the thing at hand does to a route: nothing; the permission is asked for there;
    the answer holds what sits where the permission is held; or things elsewhere do not exist (SCIM)."""

    NONE = "none"
    ASKED = "asked"
    LISTED = "listed"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Requirement:
    """At least one of `any_of` (none: any living token), each of them where `every` says so, and, for an
    app acting for a person, at least one of `scopes`. Where the permission is division-aware, the handler
    goes on to check the division of the thing at hand, as `where` says. `user_context` routes are about
    the person, whom client credentials do not have."""

    any_of: tuple[str, ...]
    scopes: tuple[str, ...]
    user_context: bool = False
    # Names its scope, and answers without it as well (see api/tokens.py).
    lenient: bool = False
    every: bool = False
    where: Where = Where.NONE


def requires(
    *any_of: str,
    scopes: tuple[str, ...],
    user_context: bool = False,
    lenient: bool = False,
    every: bool = False,
    where: Where | None = None,
) -> Callable[[Handler], Handler]:
    """Marks a handler. Unknown scopes are refused when the module is read. A handler whose permissions are
    division-aware asks for them in the division of the thing at hand, unless it says otherwise."""
    if where is None:
        aware = any(CATALOGUE[permission].division_aware for permission in any_of)
        where = Where.ASKED if aware else Where.NONE
    unknown = set(scopes) - scope_catalogue.CATALOGUE.keys()
    assert not unknown, unknown

    def mark(handler: Handler) -> Handler:
        handler.requirement = Requirement(  # type: ignore[attr-defined]
            any_of, scopes, user_context, lenient, every, where
        )
        return handler

    return mark


def requirement_of(view: APIView, method: str) -> Requirement | None:
    """What the handler for this HTTP method asks for."""
    handler = getattr(view, method.lower(), None)
    return getattr(handler, "requirement", None)


def decide(
    requirement: Requirement,
    effective: EffectiveAccess,
    *,
    for_person: bool,
    division_id: uuid.UUID | None = None,
    division_name: str = "",
) -> Decision:
    """Whether such a route may be called with this access, by an app for a person or a client for
    itself. The guard does not know the division of the thing at hand; who does, asks for the whole."""
    if requirement.user_context and not for_person:
        return Decision(False, NO_USER_CONTEXT, message=ApiError.no_user_context().message)
    decision = effective.decide(
        *requirement.any_of,
        scopes=requirement.scopes,
        every=requirement.every,
        division_id=division_id,
        division_name=division_name,
    )
    if requirement.lenient and decision.code == MISSING_SCOPE:
        return ALLOWED
    return decision


class Guarded(BasePermission):
    """Runs before every handler of `/api/v2`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        requirement = requirement_of(view, request.method or "")
        if requirement is None:
            return False
        caller = cast("Caller", request.user)
        decision = decide(requirement, caller.effective, for_person=caller.person is not None)
        if decision.code == NO_USER_CONTEXT:
            raise ApiError.no_user_context()
        require(decision)
        return True
