"""The link of an invitation (services/invitations.py), and the page on which its person chooses a password.

The secret is in the address of the link alone: looking at it leads to an address without it, and the
session remembers which invitation it was. Looking uses nothing up, because mail scanners look as well.
"""

from __future__ import annotations

import uuid
from typing import Any

from axes.utils import reset as forget_failures
from django import forms
from django.contrib.auth import login
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit, queries
from accounts.console.guard import password_was_typed
from accounts.errors import Conflict, Invalid
from accounts.models import Invitation
from accounts.origin import origin
from accounts.services import invitations
from accounts.sign_in.forms import LONGEST_PASSWORD
from accounts.sign_in.language import fall_back_on
from accounts.sign_in.sso import BACKEND
from accounts.sign_in.views import record, safe_path, too_many_from_here

# In the session of a browser that came by a link that works: the invitation's id.
REMEMBERED = "invitation"


def _password(label: Any, *, required: Any, **attrs: object) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_PASSWORD,
        strip=False,
        error_messages={"required": required, "max_length": gettext_lazy("This password is too long.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", **attrs}),
    )


class ChoosePasswordForm(forms.Form):
    password = _password(
        gettext_lazy("New password"), required=gettext_lazy("Choose a password."), autofocus=True
    )
    password_again = _password(
        gettext_lazy("New password, once more"), required=gettext_lazy("Type the password once more.")
    )

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if {"password", "password_again"} <= typed.keys() and typed["password"] != typed["password_again"]:
            self.add_error("password_again", _("This is not the same password. Type both again."))
        return typed


@sensitive_variables("secret")
@never_cache
@require_safe
def follow(request: HttpRequest, invitation_id: uuid.UUID, secret: str) -> HttpResponse:
    """The link itself."""
    if seconds := too_many_from_here():
        return _wait(request, seconds)
    found = invitations.find(invitation_id, secret)
    if found is not None:
        request.session[REMEMBERED] = str(found.id)
    elif REMEMBERED in request.session:
        del request.session[REMEMBERED]
    return _unseen(redirect("invitation-choose"))


@sensitive_post_parameters("password", "password_again")
@sensitive_variables()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """Asks for the password, and signs in whoever chose one."""
    found = _remembered(request)
    if found is None:
        return _over(request)
    fall_back_on(request, found.user.language, found.user.organization.language)
    form = ChoosePasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if seconds := too_many_from_here():
            return _wait(request, seconds)
        try:
            invitations.accept(invitation=found, password=form.cleaned_data["password"])
        except Invalid as error:
            for problem in error.problems:
                form.add_error("password", problem.message)
        except Conflict:
            return _over(request)
        else:
            return _sign_in(request, found)
    # Its own form needs to say where it comes from, which `no-referrer` would forbid.
    return render(
        request,
        "accounts/invitation.html",
        {
            "form": form,
            "form_errors": bool(form.errors),
            "invited": found.user,
            "of_organization": found.user.organization,
            "rules": password_validators_help_texts(),
            "somebody_else": request.user.is_authenticated and request.user.pk != found.user_id,
        },
    )


def _remembered(request: HttpRequest) -> Invitation | None:
    key = queries.as_uuid(request.session.get(REMEMBERED, ""))
    return invitations.still_open(key) if key else None


def _sign_in(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    # Read again: a session is bound to the password.
    person = queries.person(invitation.user.organization, invitation.user_id)
    request.session.flush()  # nothing of whoever used this browser before
    login(request, person, backend=BACKEND)
    forget_failures(username=person.email, ip=origin().address)
    password_was_typed(request)
    record(request, audit.Action.USER_SIGNED_IN)
    return HttpResponseRedirect(safe_path(request, ""))


def _over(request: HttpRequest) -> HttpResponse:
    """The same for a link that was used, replaced, has ended, or never was."""
    request.session.pop(REMEMBERED, None)
    return _no(request, _("This link does not work any more. Ask for a new one."), status=410)


def _wait(request: HttpRequest, seconds: int) -> HttpResponse:
    text = ngettext(
        "Too many tries from your network. Try again in %(seconds)d second.",
        "Too many tries from your network. Try again in %(seconds)d seconds.",
        seconds,
    )
    response = _no(request, text % {"seconds": seconds}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def _no(request: HttpRequest, text: str, *, status: int) -> HttpResponse:
    context = {"text": text, "sign_in_url": reverse("sign-in"), "bare": True}
    return _unseen(render(request, "accounts/invitation_over.html", context, status=status))


def _unseen(response: HttpResponse) -> HttpResponse:
    """Wherever it leads, its address is not told there."""
    response["Referrer-Policy"] = "no-referrer"
    return response
