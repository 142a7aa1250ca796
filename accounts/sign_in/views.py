"""Signing in with email and password, and typing the password once more. Other ways in: sso.py."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from axes.utils import reset as forget_failures
from django.conf import settings
from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import audit, rates
from accounts import queries as account_queries
from accounts.console.guard import actor_of, password_was_typed, requires
from accounts.models import IdentityProvider, Organization, User
from accounts.origin import origin
from accounts.saml import toolkit
from accounts.sign_in.backend import may_use_password
from accounts.sign_in.forms import ConfirmPasswordForm, SignInForm
from accounts.sign_in.language import fall_back_on

ORGANIZATION_COOKIE = "latchkey_org"
ORGANIZATION_KEPT_SECONDS = 365 * 24 * 60 * 60
# In the session of somebody who came through an identity provider: which one, and what it calls them.
THROUGH = "through_provider"


@sensitive_post_parameters("password")
@sensitive_variables()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """A person who is signed in already goes on to where they wanted to be."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(safe_next(request))
    leads_to = continuing_to(request)
    organization = organization_of(request, leads_to)
    if organization is not None:
        fall_back_on(request, organization.language)
    form = SignInForm(
        request.POST if request.method == "POST" else None, initial={"email": leads_to.get("email", "")}
    )
    if request.method == "POST" and form.is_valid():
        if seconds := too_many_from_here():
            return _page(request, "accounts/sign_in.html", form, leads_to, organization, wait=seconds)
        user = authenticate(
            request, username=form.cleaned_data["email"], password=form.cleaned_data["password"]
        )
        if user is not None:
            login(request, user)  # gives the session a new key
            password_was_typed(request)
            record(request, audit.Action.USER_SIGNED_IN)
            return HttpResponseRedirect(safe_next(request))
        form.add_error(None, refusal(request))
    return _page(request, "accounts/sign_in.html", form, leads_to, organization)


@sensitive_post_parameters("password")
@sensitive_variables()
@never_cache
@requires()
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_password(request: HttpRequest) -> HttpResponse:
    """Before a secret is made or a client deleted, when the sign-in was a while ago. Whoever signed in
    through an identity provider proves it there."""
    form = ConfirmPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if seconds := too_many_from_here():
            return _page(request, "accounts/confirm_password.html", form, wait=seconds)
        email = request.user.get_username()
        user = authenticate(request, username=email, password=form.cleaned_data["password"])
        if user is not None and user == request.user:
            # As signing in does; without it, slips of earlier confirmations would add up.
            forget_failures(username=email, ip=origin().address)
            password_was_typed(request)
            return HttpResponseRedirect(safe_next(request))
        form.add_error("password", refusal(request, wrong=_("This password is wrong.")))
    return _page(request, "accounts/confirm_password.html", form)


def safe_next(request: HttpRequest) -> str:
    """Where to go on: `next`, if it is an address of this host, else Admin home."""
    return safe_path(request, request.POST.get("next") or request.GET.get("next") or "")


def safe_path(request: HttpRequest, wanted: str) -> str:
    """That address, if it is one of this host, else Admin home."""
    own = wanted.startswith(("/", f"{request.scheme}://{request.get_host()}/"))  # and no mere word
    safe = (
        own
        and wanted.isprintable()
        and url_has_allowed_host_and_scheme(
            wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
    )
    return wanted if safe else resolve_url(settings.LOGIN_REDIRECT_URL)


def continuing_to(request: HttpRequest) -> dict[str, str]:
    """What there is to say about where the sign-in leads: `app`, a name, `email`, a hint, `org`, the short
    name of an organization, `fresh`, where a remembered sign-in is not enough, and `form_action`, for
    browsers that check where an answer to the form leads in the end. The one who knows is named in the
    settings, because this app knows nothing of OAuth."""
    found: dict[str, str] = import_string(settings.SIGN_IN_LEADS_TO)(safe_next(request))
    return found


def organization_of(request: HttpRequest, leads_to: Mapping[str, str]) -> Organization | None:
    """Whose people sign in here, as far as anybody says: the address, the app, the last time; or because
    there is only one. An empty `org` asks for none of that."""
    given = request.POST if request.method == "POST" else request.GET
    if "org" in given:
        return account_queries.organization_called(given["org"])
    for name in (leads_to.get("org", ""), request.COOKIES.get(ORGANIZATION_COOKIE, "")):
        if name and (found := account_queries.organization_called(name)):
            return found
    few = list(Organization.objects.filter(active=True)[:2])
    return few[0] if len(few) == 1 else None


def _has_neighbours(organization: Organization) -> bool:
    return Organization.objects.filter(active=True).exclude(id=organization.id).exists()


def remember_organization(response: HttpResponse, organization: Organization) -> None:
    """So that the sign-in page shows its buttons the next time."""
    response.set_cookie(
        ORGANIZATION_COOKIE,
        organization.short_name,
        max_age=ORGANIZATION_KEPT_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.HTTPS,
    )


def refusal(request: HttpRequest, wrong: str | None = None) -> str:
    """Why `authenticate` said no. An unknown person and a wrong password read the same."""
    if locked_out(request):
        minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
        return ngettext(
            "Too many tries. Try again in %(minutes)d minute.",
            "Too many tries. Try again in %(minutes)d minutes.",
            minutes,
        ) % {"minutes": minutes}
    if getattr(request, "not_active", False):
        return _("This account is not active. Ask your administrator.")
    if getattr(request, "only_sso", False):
        return _("Your organization signs in through single sign-on only.")
    return wrong or _("Email or password is wrong.")


def too_many_from_here() -> int:
    """Counts a try; the seconds to wait, where an address has had too many in a minute. The lockout counts
    per person: this keeps one address from trying many of them, each at the price of a slow hash."""
    return rates.Window("sign-in", str(origin().address), settings.RATE_SIGN_INS_PER_ADDRESS).wait()


def locked_out(request: HttpRequest) -> bool:
    return bool(getattr(request, "axes_locked_out", False))


def _page(
    request: HttpRequest,
    template: str,
    form: SignInForm | ConfirmPasswordForm,
    leads_to: Mapping[str, str] = MappingProxyType({}),
    organization: Organization | None = None,
    *,
    wait: int = 0,
) -> HttpResponse:
    """The page with its form; 429 where somebody has to `wait` (seconds) or is locked out. `leads_to` is
    what `continuing_to` says."""
    if wait:
        form.add_error(
            None,
            ngettext(
                "Too many tries from your network. Try again in %(seconds)d second.",
                "Too many tries from your network. Try again in %(seconds)d seconds.",
                wait,
            )
            % {"seconds": wait},
        )
    elif locked_out(request):
        wait = int(settings.AXES_COOLOFF_TIME.total_seconds())
    response = render(
        request,
        template,
        {
            "form": form,
            "form_errors": bool(form.errors),
            "next": safe_next(request),
            # A form that was refused has an address without them.
            "return_to": f"{request.path}?{_kept(request)}",
            "app": leads_to.get("app", ""),
            **_other_ways(request, organization),
        },
        status=429 if wait else 200,
    )
    if target := leads_to.get("form_action"):
        response._csp_update = {"form-action": [target]}  # type: ignore[attr-defined]
    if wait:
        response["Retry-After"] = str(wait)
    return response


def _kept(request: HttpRequest) -> str:
    """What leads back to this page, for whoever changes its language or its theme."""
    asked = {key: value for key, value in request.GET.dict().items() if key in ("org", "password")}
    return urlencode({"next": safe_next(request), **asked})


def _other_ways(request: HttpRequest, organization: Organization | None) -> dict[str, Any]:
    """The identity providers to choose from, and whether a password is one of the ways."""
    next = safe_next(request)
    if isinstance(request.user, User):
        person = request.user
        through = request.session.get(THROUGH) or {}
        providers = account_queries.providers(person.organization).filter(
            id=through.get("provider", uuid.UUID(int=0))
        )
        passwords = person.has_usable_password() and may_use_password(person)
        more = {"confirm": "1"}
    else:
        providers = IdentityProvider.objects.none()
        if organization is not None:
            providers = account_queries.providers(organization).filter(show_on_sign_in=True)
        passwords = organization is None or not organization.only_sso or "password" in request.GET
        passwords = passwords or request.method == "POST"
        more = {}
    asked_for = request.GET.get("org", "")[:60]
    shown = [] if toolkit.WHY_NOT else list(providers.filter(enabled=True))
    if asked_for and not shown and not (organization and organization.only_sso):
        organization = None  # one that is not there, or has nothing to show, reads the same
    return {
        "of_organization": organization,
        "asked_for": asked_for,
        "nothing_there": bool(asked_for) and organization is None,
        "providers": [
            {
                "name": provider.name,
                "url": f"{reverse('sso', args=[provider.id])}?{urlencode({'next': next, **more})}",
            }
            for provider in shown
        ],
        "passwords": passwords or not shown,
        "several_organizations": organization is None or _has_neighbours(organization),
        "password_url": f"{reverse('sign-in')}?{urlencode({**request.GET.dict(), 'password': '1'})}",
    }


def record(request: HttpRequest, action: audit.Action, *, through: str = "") -> None:
    """The audit line of somebody who signs in or out; `through` names a provider."""
    actor = actor_of(request)
    audit.record(
        actor,
        action,
        entity_type="user",
        entity_id=actor.id,
        entity_name=actor.name,
        after={"through": through} if through else {},
    )
