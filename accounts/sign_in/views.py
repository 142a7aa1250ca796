"""Signing in with email and password, signing out, and typing the password once more."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from axes.utils import reset as forget_failures
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit, rates
from accounts.console.guard import actor_of, password_was_typed, requires
from accounts.origin import origin
from accounts.sign_in.forms import ConfirmPasswordForm, SignInForm


@sensitive_post_parameters("password")
@sensitive_variables()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """A person who is signed in already goes on to where they wanted to be."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(safe_next(request))
    leads_to = continuing_to(request)
    form = SignInForm(
        request.POST if request.method == "POST" else None, initial={"email": leads_to.get("email", "")}
    )
    if request.method == "POST" and form.is_valid():
        if seconds := too_many_from_here():
            return _page(request, "accounts/sign_in.html", form, leads_to, wait=seconds)
        user = authenticate(
            request, username=form.cleaned_data["email"], password=form.cleaned_data["password"]
        )
        if user is not None:
            login(request, user)  # gives the session a new key
            password_was_typed(request)
            _record(request, audit.Action.USER_SIGNED_IN)
            return HttpResponseRedirect(safe_next(request))
        form.add_error(None, refusal(request))
    return _page(request, "accounts/sign_in.html", form, leads_to)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """By POST only: a link on another site can sign nobody out."""
    if request.user.is_authenticated:
        _record(request, audit.Action.USER_SIGNED_OUT)
    logout(request)
    if "next" in request.POST:
        return redirect_to_login(safe_next(request))
    return HttpResponseRedirect(resolve_url(settings.LOGIN_URL))


@sensitive_post_parameters("password")
@sensitive_variables()
@never_cache
@requires()
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_password(request: HttpRequest) -> HttpResponse:
    """Before a secret is made or a client deleted, when the sign-in was a while ago."""
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
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else resolve_url(settings.LOGIN_REDIRECT_URL)


def continuing_to(request: HttpRequest) -> dict[str, str]:
    """What there is to say about where the sign-in leads: `app`, a name, `email`, a hint, `form_action`,
    for browsers that check where an answer to the form leads in the end. The one who knows is named in
    the settings, because this app knows nothing of OAuth."""
    found: dict[str, str] = import_string(settings.SIGN_IN_LEADS_TO)(safe_next(request))
    return found


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
    return wrong or _("Email or password is wrong.")


def too_many_from_here() -> int:
    """Counts a try; the seconds to wait, where an address has had too many in a minute. The lockout counts
    per person: this keeps one address from trying many of them, each at the price of a slow hash."""
    tries = rates.Window("sign-in", str(origin().address), settings.RATE_SIGN_INS_PER_ADDRESS)
    return tries.resets_in() if tries.count() > tries.limit else 0


def locked_out(request: HttpRequest) -> bool:
    return bool(getattr(request, "axes_locked_out", False))


def _page(
    request: HttpRequest,
    template: str,
    form: SignInForm | ConfirmPasswordForm,
    leads_to: Mapping[str, str] = MappingProxyType({}),
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
            "app": leads_to.get("app", ""),
        },
        status=429 if wait else 200,
    )
    if target := leads_to.get("form_action"):
        response._csp_update = {"form-action": [target]}  # type: ignore[attr-defined]
    if wait:
        response["Retry-After"] = str(wait)
    return response


def _record(request: HttpRequest, action: audit.Action) -> None:
    actor = actor_of(request)
    audit.record(actor, action, entity_type="user", entity_id=actor.id, entity_name=actor.name)
