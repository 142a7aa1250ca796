"""Single logout (SAML profiles 4.4): telling the provider when somebody signs out here, and ending sessions
here when it says so."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit
from accounts.models import IdentityProvider
from accounts.saml import messages, toolkit
from accounts.saml.messages import Outgoing
from accounts.saml.verdict import Refused
from accounts.services import provider_sign_ins
from accounts.sign_in import sso
from accounts.sign_in.sessions import stored
from accounts.sign_in.sso import too_many_messages, wait_page
from accounts.sign_in.views import THROUGH, record, safe_next

log = logging.getLogger(__name__)

# In the session that is left after somebody signed out: where the way through the provider ends.
AFTERWARDS = "after_single_logout"


class _Elsewhere(HttpResponseRedirect):
    """To an address that was checked by who gave it; an app's may have a scheme of its own."""

    def __init__(self, address: str) -> None:
        self.allowed_schemes = [urlsplit(address).scheme or "https"]
        super().__init__(address)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """By POST only: a link on another site can sign nobody out."""
    if request.user.is_authenticated:
        record(request, audit.Action.USER_SIGNED_OUT)
    if "next" in request.POST:
        return end_session(request, then=redirect_to_login(safe_next(request)).url)
    return end_session(request, then=resolve_url(settings.LOGIN_URL))


def end_session(request: HttpRequest, *, then: str) -> HttpResponse:
    """Ends the session here, and at the provider where it began; then on to `then`, an address that the
    caller has checked."""
    try:
        message = _farewell(request)
    except Exception:  # whatever is wrong with the provider or our key: who leaves, leaves
        log.exception("the identity provider cannot be told that somebody signs out")
        message = None
    if request.session.session_key:
        provider_sign_ins.forget(stored(request.session.session_key))
    logout(request)
    if message is None:
        return _Elsewhere(then)
    request.session[AFTERWARDS] = then
    return _lead(request, message)


@csrf_exempt  # the provider's page posts it; its signature is the proof
@sensitive_post_parameters()
@sensitive_variables()
@never_cache
@require_http_methods(["GET", "POST"])
def single_logout(request: HttpRequest) -> HttpResponse:
    """The provider's answer to our message, or a message of its own."""
    if seconds := too_many_messages():
        return wait_page(request, seconds)
    try:
        if request.method == "POST":
            message = messages.received(form=request.POST.dict())
        else:
            message = messages.received(query=request.META.get("QUERY_STRING", ""))
        if message.kind == messages.RESPONSE:
            return _home(request)  # the session here ended before; nothing hangs on what it says
        proved = provider_sign_ins.providers_of(message)
        if not proved:
            return _not_accepted(request)
        asked = messages.asked(message)
        ended = [one for one in proved if provider_sign_ins.end_sessions(one, asked)]
    except Refused:
        return _not_accepted(request)
    # Several organizations may have set it up; the answer is of the one whose session it was.
    meant = ended or proved
    if len(meant) != 1 or not meant[0].logout_url:
        return _home(request)
    provider = meant[0]
    answer = messages.logout_response(provider, in_response_to=asked.id, relay_state=message.relay_state)
    return sso.send(request, answer, heading=_("You are signed out here"))


def _farewell(request: HttpRequest) -> Outgoing | None:
    """What to tell the provider; None where there is nobody to tell."""
    through = request.session.get(THROUGH)
    if not through or toolkit.WHY_NOT:
        return None
    provider = (
        IdentityProvider.objects.select_related("organization")
        .filter(id=through["provider"], enabled=True)
        .exclude(logout_url="")
        .first()
    )
    if provider is None or not through.get("value"):
        return None
    return messages.logout_request(
        provider,
        name_id=through["value"],
        name_id_format=through.get("format", ""),
        session_index=through.get("session_index", ""),
    )


def _lead(request: HttpRequest, message: Outgoing) -> HttpResponse:
    """By a page in between: the sign-out is a form, and where a form may lead is limited to this host."""
    heading = _("You are signed out here")
    if message.fields:
        return sso.send(request, message, heading=heading)
    response = render(
        request, "accounts/sso_leaving.html", {"address": message.url, "heading": heading, "bare": True}
    )
    response["Referrer-Policy"] = "no-referrer"
    return response


def _home(request: HttpRequest) -> HttpResponse:
    then = request.session.pop(AFTERWARDS, None)
    return _Elsewhere(then or resolve_url(settings.LOGIN_URL))


def _not_accepted(request: HttpRequest) -> HttpResponse:
    return sso.no(
        request,
        _("The identity provider's message could not be accepted."),
        _("You may still be signed in here."),
        heading=_("Nobody was signed out"),
    )
