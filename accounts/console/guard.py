"""What a page asks of the person who opens it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import queries
from accounts.actor import Actor

View = Callable[..., HttpResponse]
CONFIRMED_AT = "password_confirmed_at"


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person as an actor; their rights are read once per request, and live."""
    actor: Actor | None = getattr(request, "_actor", None)
    if actor is None:
        assert request.user.is_authenticated
        actor = queries.actor_for_user(request.user)
        request._actor = actor  # type: ignore[attr-defined]
    return actor


def requires(*any_of: str) -> Callable[[View], View]:
    """A page for people who are signed in and hold one of these permissions (none: for everybody who is
    signed in). The view finds the person with `actor_of(request)`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _signed_out(request)
            if any_of:
                actor_of(request).require(*any_of)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def _signed_out(request: HttpRequest) -> HttpResponse:
    """To the sign-in, and from there back to this address by GET. A form that was sent after the session
    ended is told so there; what saves it by itself as somebody types, says so in the page."""
    if request.method == "POST":
        if "autosave" in request.POST:
            return HttpResponse(status=401)
        messages.warning(request, _("Your session ended. Sign in again; what was saved before is kept."))
    return redirect_to_login(request.get_full_path())


def password_was_typed(request: HttpRequest) -> None:
    """Called by the sign-in and by the page that asks again."""
    request.session[CONFIRMED_AT] = time.time()


def recently_typed(request: HttpRequest) -> bool:
    age = time.time() - request.session.get(CONFIRMED_AT, 0)
    return bool(0 <= age <= settings.RECENT_SIGN_IN_SECONDS)


def typed_since(request: HttpRequest, moment: float) -> bool:
    """Whether that was after this moment; an identity provider's clock, which may have said so, differs."""
    typed: float = request.session.get(CONFIRMED_AT, 0)
    return typed >= moment - settings.SAML_CLOCK_SKEW_SECONDS


def ask_password(request: HttpRequest) -> HttpResponse:
    """To the page that asks for the password again, and from there back to this address."""
    return HttpResponseRedirect(
        f"{reverse('confirm-password')}?{urlencode({'next': request.get_full_path()})}"
    )


def recent_password(view: View) -> View:
    """A page for people who typed their password in the last 15 minutes (UX spec 7). Others are asked, and
    come back to it by GET."""

    @wraps(view)
    def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not recently_typed(request):
            return ask_password(request)
        return view(request, *args, **kwargs)

    return asking
