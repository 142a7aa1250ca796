"""Signing in through an identity provider: leaving for it, its answer, and the page that ends it."""

from __future__ import annotations

import logging
import secrets
import time
import uuid
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts import audit, rates
from accounts.console.check_assertion import line_of, may_see_person
from accounts.console.guard import CONFIRMED_AT, actor_of, requires
from accounts.models import IdentityProvider, ProviderSignIn, Purpose, User
from accounts.origin import origin
from accounts.permissions import Permission
from accounts.saml import service_provider
from accounts.saml.messages import Outgoing
from accounts.saml.verdict import BRIEFLY, Check, Verdict
from accounts.services import provider_sign_ins
from accounts.services.provider_sign_ins import Answer
from accounts.sign_in.idle import ENDS_AT, USED_AT
from accounts.sign_in.sessions import stored
from accounts.sign_in.views import (
    THROUGH,
    continuing_to,
    record,
    remember_organization,
    safe_next,
    safe_path,
)

# Ties the way to the provider and back to one browser. Lax: another site's page cannot send it along.
# Where there is TLS, nobody beside us can set it either.
BROWSER_COOKIE = "__Host-latchkey_sso" if settings.HTTPS else "latchkey_sso"
log = logging.getLogger(__name__)
BACKEND = "accounts.sign_in.backend.EmailBackend"


@never_cache
@require_GET
def leave_for(request: HttpRequest, provider_id: uuid.UUID) -> HttpResponse:
    """To the provider. `next` is where to go on afterwards; with `confirm`, somebody who is signed in
    proves once more that it is them."""
    provider = _provider(provider_id)
    if settings.REGIONS.login_at(request.get_host()) not in ("", settings.BASE_URL):
        # It sends people back to BASE_URL, where this browser has to be known.
        return HttpResponseRedirect(settings.BASE_URL + request.get_full_path())
    if seconds := too_many_messages():
        return wait_page(request, seconds)
    confirming = "confirm" in request.GET and request.user.is_authenticated
    return _leave(
        request,
        provider,
        purpose=Purpose.CONFIRM if confirming else Purpose.SIGN_IN,
        next=safe_next(request),
        forced=bool(continuing_to(request).get("fresh")),
    )


@never_cache
@require_GET
@requires(Permission.SSO_PROVIDER_VIEW)
def test(request: HttpRequest, provider_id: uuid.UUID) -> HttpResponse:
    """An administrator tries the settings, as they would be for somebody who signs in."""
    provider = (
        IdentityProvider.objects.select_related("organization")
        .filter(id=provider_id, organization=actor_of(request).organization)
        .first()
    )
    if provider is None:
        raise Http404
    return _leave(request, provider, purpose=Purpose.TEST, next="", forced=False)


@csrf_exempt  # the provider's page posts it; the assertion is the proof
@sensitive_post_parameters()
@sensitive_variables()
@never_cache
@require_POST
def acs(request: HttpRequest) -> HttpResponse:
    """The assertion consumer service (SAML bindings 3.5)."""
    if seconds := too_many_messages():
        return wait_page(request, seconds)
    browser = secrets.token_urlsafe(32)
    try:
        answer = provider_sign_ins.receive(
            text=request.POST.get("SAMLResponse", ""),
            browser=browser,
            unasked_next=safe_path(request, request.POST.get("RelayState", "")),
        )
    except IntegrityError:  # the provider was deleted at this very moment
        return _over(request)
    if answer.row is None:
        return refusal_page(request, answer)
    response = HttpResponseRedirect(reverse("sso-finish", args=[answer.row.id]))
    response.status_code = 303
    if answer.row.browser == provider_sign_ins.digest(browser):
        _set_browser(response, browser)
    return response


@sensitive_variables()
@never_cache
@require_http_methods(["GET", "POST"])
def finish(request: HttpRequest, id: str) -> HttpResponse:
    """Signs in, by GET because the browser comes here from the provider's form; but never in place of
    somebody else who is signed in here, unless they say so."""
    row = provider_sign_ins.to_finish(id=id, browser=request.COOKIES.get(BROWSER_COOKIE, ""))
    if row is None:
        return _over(request)
    if row.purpose == Purpose.TEST:
        return _test_result(request, row)
    here = request.user if isinstance(request.user, User) else None
    if row.purpose == Purpose.CONFIRM:
        return _confirmed(request, row, here)
    if row.forced and not provider_sign_ins.proved_now(row):
        return _not_asked(request, row)
    if here is not None and here.id != row.person_id and request.method != "POST":
        return render(
            request,
            "accounts/sso_other_person.html",
            {"found": row.person, "signed_in": here, "next": row.next},
        )
    with transaction.atomic():
        person = provider_sign_ins.finish(row)
        return _over(request) if person is None else _sign_in(request, row, person)


@require_safe
def metadata(request: HttpRequest, provider_id: uuid.UUID) -> HttpResponse:
    """Ours, for this provider; everybody may read it."""
    provider = IdentityProvider.objects.select_related("organization").filter(id=provider_id).first()
    if provider is None:
        raise Http404
    return HttpResponse(
        service_provider.metadata(provider), content_type="application/samlmetadata+xml; charset=utf-8"
    )


def send(request: HttpRequest, message: Outgoing, *, heading: str) -> HttpResponse:
    """The browser on its way with a message: a redirect, or a form that a script sends, or the person."""
    if not message.fields:
        response: HttpResponse = HttpResponseRedirect(message.url)
    else:
        response = render(
            request, "accounts/sso_send.html", {"message": message, "heading": heading, "bare": True}
        )
        response._csp_update = {"form-action": [message.origin]}  # type: ignore[attr-defined]
    response["Referrer-Policy"] = "no-referrer"
    return response


def refusal_page(request: HttpRequest, answer: Answer) -> HttpResponse:
    """Says in one word what was wrong; the audit trail says it in full, under the reference."""
    refusal = answer.verdict.refusal
    log.info("sign-in refused: %s (%s)", refusal.check, refusal.reason)
    org = answer.provider.organization.short_name if answer.provider else ""
    if refusal.check == Check.PERSON:
        return no(
            request,
            _("Nobody here with the email that your identity provider gave can sign in."),
            _("Ask your administrator, and give them the reference."),
            org=org,
        )
    return no(
        request,
        _("The identity provider's answer could not be accepted (%(what)s).")
        % {"what": BRIEFLY[refusal.check]},
        _("Try again. If it happens once more, give the reference to your administrator."),
        org=org,
    )


def too_many_messages() -> int:
    """As the sign-in's own count, in a window of its own: a sign-in takes three, and an office comes from
    one address."""
    return rates.Window("sso", str(origin().address), settings.RATE_SSO_PER_ADDRESS).wait()


def wait_page(request: HttpRequest, seconds: int) -> HttpResponse:
    """429, for an address from which too many come."""
    note = ngettext("Try again in %(n)s second.", "Try again in %(n)s seconds.", seconds) % {"n": seconds}
    response = no(request, _("Too many tries from your network."), note, status=429)
    response["Retry-After"] = str(seconds)
    return response


def _leave(
    request: HttpRequest, provider: IdentityProvider, *, purpose: Purpose, next: str, forced: bool
) -> HttpResponse:
    browser = request.COOKIES.get(BROWSER_COOKIE) or secrets.token_urlsafe(32)
    try:
        message = provider_sign_ins.start(
            provider=provider,
            purpose=purpose,
            browser=browser,
            next=next,
            forced=forced,
            asked_by=request.user if isinstance(request.user, User) else None,
        )
    except IntegrityError as error:  # it was deleted at this very moment
        raise Http404 from error
    response = send(request, message, heading=_("Continue to %(name)s") % {"name": provider.name})
    _set_browser(response, browser)
    return response


def _sign_in(request: HttpRequest, row: ProviderSignIn, person: User) -> HttpResponse:
    login(request, person, backend=BACKEND)  # gives the session a new key, unless it is theirs already
    if request.session.session_key is None:
        request.session.cycle_key()  # it took the place of somebody else's, and has no key yet
    now = time.time()
    proved = row.authenticated_at.timestamp() if row.authenticated_at else 0.0
    # As long ago as the provider says, so that what asks for the password asks there again.
    request.session[CONFIRMED_AT] = min(now, proved)
    request.session[USED_AT] = now
    request.session.pop(ENDS_AT, None)  # of an earlier sign-in
    if row.session_ends_at is not None:
        request.session[ENDS_AT] = row.session_ends_at.timestamp()
    request.session[THROUGH] = {
        "provider": str(row.provider_id),
        "session_index": row.session_index,
        **row.name_id,
    }
    assert request.session.session_key
    provider_sign_ins.remember(key=stored(request.session.session_key), row=row, person=person)
    record(request, audit.Action.USER_SIGNED_IN, through=row.provider.name)
    response = HttpResponseRedirect(safe_path(request, row.next))
    remember_organization(response, person.organization)
    return response


def _confirmed(request: HttpRequest, row: ProviderSignIn, here: User | None) -> HttpResponse:
    """What typing the password again is for those who have none."""
    if not provider_sign_ins.proved_now(row):
        return _not_asked(request, row)
    with transaction.atomic():
        person = provider_sign_ins.finish(row)
    if person is None or here is None or person.id != here.id or row.asked_by_id != here.id:
        return _over(request)
    request.session[CONFIRMED_AT] = time.time()
    return HttpResponseRedirect(safe_path(request, row.next))


@requires(Permission.SSO_PROVIDER_VIEW)
def _test_result(request: HttpRequest, row: ProviderSignIn) -> HttpResponse:
    if row.asked_by_id != actor_of(request).id:
        raise Http404
    verdict = Verdict.from_json(row.findings)
    actor = actor_of(request)
    about = [finding for finding in verdict.findings if finding.check == Check.PERSON]
    return render(
        request,
        "sso/test_result.html",
        {
            "provider": row.provider,
            "lines": [line_of(finding, actor) for finding in verdict.findings],
            "accepted": verdict.met,
            "found": row.person if all(may_see_person(one, actor) for one in about) else None,
            "back": reverse("single-sign-on-provider", args=[row.provider_id]),
        },
    )


def _not_asked(request: HttpRequest, row: ProviderSignIn) -> HttpResponse:
    return no(
        request,
        _("%(name)s did not ask you to sign in again, which this step needs.")
        % {"name": row.provider.name},
        _("Sign out there and try again, or ask your administrator."),
    )


def _over(request: HttpRequest) -> HttpResponse:
    return no(
        request,
        _("This sign-in is over, or began in another browser."),
        _("Begin once more from the sign-in page."),
    )


def no(
    request: HttpRequest, text: str, note: str, *, heading: str = "", status: int = 400, org: str = ""
) -> HttpResponse:
    """A page that says why not. `org` is the organization whose sign-in page is the way on."""
    return render(
        request,
        "accounts/sso_refused.html",
        {
            "layout": "accounts/card.html",
            "heading": heading or _("You are not signed in"),
            "text": text,
            "note": note,
            "reference": origin().request_id,
            "sign_in_url": reverse("sign-in") + (f"?{urlencode({'org': org})}" if org else ""),
        },
        status=status,
    )


def _provider(provider_id: uuid.UUID) -> IdentityProvider:
    found = (
        IdentityProvider.objects.select_related("organization")
        .filter(id=provider_id, enabled=True, organization__active=True)
        .first()
    )
    if found is None:
        raise Http404
    return found


def _set_browser(response: HttpResponse, value: str) -> None:
    response.set_cookie(
        BROWSER_COOKIE,
        value,
        max_age=settings.SAML_SIGN_IN_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.HTTPS,
    )
