"""Signs people out whose session has not been used for as long as their organization allows.

Lazy like Django's own `request.user`: what never asks who is there (the API, the token endpoint, static
files, the health checks) reads no session, and is no use of one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit, queries
from accounts.console.guard import CONFIRMED_AT
from accounts.models import Organization, User
from accounts.rules import idle

USED_AT = "used_at"
# When the identity provider that somebody came through wants the session to end.
ENDS_AT = "ends_at"
# "Used" is exact to this: somebody who is busy costs one write in this time, not one per page.
NOTED_EVERY = timedelta(minutes=1)

GetResponse = Callable[[HttpRequest], HttpResponse]


class IdleSignOutMiddleware:
    """After Django's AuthenticationMiddleware. Who has been away for too long is nobody from then on, so
    each page does what it does for nobody: those of the console lead to the sign-in, which says why."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = request.user
        request.user = SimpleLazyObject(lambda: _still_there(request, found))  # type: ignore[assignment]
        return self.get_response(request)


def _still_there(request: HttpRequest, found: User | AnonymousUser) -> AbstractBaseUser | AnonymousUser:
    """The person, whose clock starts again; or nobody."""
    request.user = found  # which `logout` reads
    if not isinstance(found, User):
        return found
    now = timezone.now()
    if request.session.get(ENDS_AT, now.timestamp() + 1) <= now.timestamp():
        _record(found, audit.Action.USER_SESSION_ENDED)
        logout(request)
        messages.warning(request, _("Your identity provider has ended your session."), fail_silently=True)
        return request.user
    clock = _clock(request)
    if clock is not None and idle.is_over(found.organization, clock, now):
        _record(found, audit.Action.USER_SIGNED_OUT_IDLE)
        logout(request)  # forgets all that the session held
        messages.warning(request, signed_out(found.organization), fail_silently=True)
        return request.user
    if clock is None or now - clock >= NOTED_EVERY:
        request.session[USED_AT] = now.timestamp()
    return found


def _record(person: User, action: audit.Action) -> None:
    """Who went away and never came back has no line: their session ended without anybody seeing it."""
    actor = queries.actor_for_user(person)
    audit.record(actor, action, entity_type="user", entity_id=person.id, entity_name=str(person))


def _clock(request: HttpRequest) -> datetime | None:
    """When this session was last used; typing the password, which starts it, is use. None where nobody
    has noted any."""
    noted = max(request.session.get(USED_AT, 0), request.session.get(CONFIRMED_AT, 0))
    return datetime.fromtimestamp(noted, UTC) if noted else None


def signed_out(organization: Organization) -> str:
    """Why somebody has to sign in again."""
    minutes = organization.idle_timeout_seconds // 60
    if organization.hipaa:
        text = ngettext(
            "You were signed out after %(n)s minute without activity (HIPAA).",
            "You were signed out after %(n)s minutes without activity (HIPAA).",
            minutes,
        )
    else:
        text = ngettext(
            "You were signed out after %(n)s minute without activity.",
            "You were signed out after %(n)s minutes without activity.",
            minutes,
        )
    return text % {"n": minutes}
