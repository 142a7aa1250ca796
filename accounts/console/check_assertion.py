"""Account > Single Sign-on > Check an assertion: which condition a pasted assertion meets or fails.

An assertion is a credential until it is used or ends. What is pasted here is not kept, nor written back
into the page, nor used up; nothing is issued for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import audit, queries, rates
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.permissions import Permission
from accounts.saml import toolkit
from accounts.saml.verdict import Check, Finding
from accounts.services import assertions
from accounts.services.assertions import Examined, Use

# Per person and minute: verifying a signature is work.
CHECKS_PER_MINUTE = 30
# The findings that would tell who works here, and what those read who may not see people. It is what an app
# is told.
ABOUT_PEOPLE = ("unknown-person", "inactive-person")
NOBODY = gettext_lazy("No active person of this organization has the email that it holds.")
REFUSALS_SHOWN = 5
AS_XML = gettext_lazy("It is XML: an app has to send it in base64.")
SOMEBODY = gettext_lazy("An active person of this organization has the email that it holds.")


@dataclass(frozen=True)
class Line:
    """A finding as it is shown; `met` is None for what was not reached."""

    label: str
    met: bool | None
    sentence: str


class PastedField(forms.CharField):
    """What was pasted is not written back into the page."""

    def bound_data(self, data: Any, initial: Any) -> str:
        return ""


class AssertionForm(forms.Form):
    # Called so because a field with that word in its name is never written back into a page that was open
    # too long (config/views.py).
    secret_assertion = PastedField(
        label=gettext_lazy("Assertion"),
        help_text=gettext_lazy(
            "In base64, base64url or as XML: an assertion, or the whole Response that holds it. It is not "
            "kept, nor shown again."
        ),
        error_messages={"required": gettext_lazy("Paste an assertion.")},
        widget=forms.Textarea(
            attrs={"rows": 8, "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
        ),
    )


class UseForm(AssertionForm):
    use = forms.ChoiceField(
        label=gettext_lazy("What it is for"),
        choices=[
            (Use.BEARER.value, gettext_lazy("For the SAML2 Bearer grant")),
            (Use.SIGN_IN.value, gettext_lazy("For signing in")),
        ],
        initial=Use.BEARER.value,
        error_messages={
            "required": gettext_lazy("Choose what it is for."),
            "invalid_choice": gettext_lazy("Choose what it is for."),
        },
        widget=forms.RadioSelect,
    )


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SSO_PROVIDER_VIEW, Permission.OAUTH_CLIENT_VIEW)
def check(request: HttpRequest) -> HttpResponse:
    return CheckPage(request).answer()


class CheckPage:
    """The form, and above it what came of it. An app that knows of more conditions adds `more_lines`."""

    form: type[AssertionForm] = UseForm

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.actor: Actor = actor_of(request)

    def answer(self) -> HttpResponse:
        if self.request.method != "POST" or toolkit.WHY_NOT:
            return self.show(self.form())
        tries = rates.Window("check-assertion", str(self.actor.id), CHECKS_PER_MINUTE)
        if seconds := tries.wait():
            return self.too_many(seconds)
        form = self.form(self.request.POST)
        if not form.is_valid():
            return self.show(form)
        text, use = form.cleaned_data["secret_assertion"], self.use(form)
        examined = assertions.examine(organization=self.actor.organization, text=text, use=use, pasted=True)
        lines = [line_of(finding, self.actor) for finding in examined.findings]
        as_xml = use is Use.BEARER and text.startswith("<")
        if as_xml:
            lines = [
                replace(line, sentence=f"{line.sentence} {AS_XML}")
                if finding.check == Check.READABLE
                else line
                for line, finding in zip(lines, examined.findings, strict=True)
            ]
        return self.show(form, [*lines, *self.more_lines(examined)], as_xml=as_xml)

    def use(self, form: AssertionForm) -> Use:
        return Use(form.cleaned_data["use"])

    def more_lines(self, examined: Examined) -> Iterable[Line]:
        return ()

    def too_many(self, seconds: int) -> HttpResponse:
        message = ngettext(
            "Too many checks. Try again in %(seconds)d second.",
            "Too many checks. Try again in %(seconds)d seconds.",
            seconds,
        ) % {"seconds": seconds}
        response = self.show(self.form(), errors=[{"message": message}], status=429)
        response["Retry-After"] = str(seconds)
        return response

    def show(
        self,
        form: AssertionForm,
        lines: Sequence[Line] = (),
        *,
        as_xml: bool = False,
        errors: Sequence[dict[str, str]] = (),
        status: int = 200,
    ) -> HttpResponse:
        return render(
            self.request,
            "sso/check_assertion.html",
            {
                "breadcrumbs": [*self.breadcrumbs(), {"label": _("Check an assertion")}],
                "form": form,
                "form_errors": bool(form.errors or errors),
                "errors": errors,
                "lines": lines,
                "accepted": all(line.met for line in lines),
                "as_xml": as_xml,
                "unavailable": toolkit.WHY_NOT,
                **self.context(),
            },
            status=status,
        )

    def breadcrumbs(self) -> list[dict[str, str]]:
        may_view = self.actor.access.decide(Permission.SSO_PROVIDER_VIEW)
        return [
            {"label": _("Admin"), "url": reverse("admin-home")},
            {"label": _("Single Sign-on"), "url": reverse("single-sign-on") if may_view else ""},
        ]

    def context(self) -> dict[str, Any]:
        return {}


def line_of(finding: Finding, actor: Actor) -> Line:
    """Who the person is, is for those who may see them; whether there is one, for everybody who gets here:
    an app with the assertion learns as much. It is looked at only once a provider's signature was verified,
    so nobody finds out who works here by trying emails."""
    hidden = finding.check == Check.PERSON and not may_see_person(finding, actor)
    if hidden and finding.met:
        sentence = str(SOMEBODY)
    elif hidden and finding.reason in ABOUT_PEOPLE:
        sentence = str(NOBODY)
    else:
        sentence = finding.sentence
    return Line(finding.label, finding.met, sentence)


def refused_lately(actor: Actor, about: uuid.UUID) -> list[dict[str, Any]]:
    """When assertions were refused that a client sent, or that came from a provider, and why; the last
    ones. Who may not see people is told about none."""
    refused = (audit.Action.APP_ASSERTION_REFUSED, audit.Action.PROVIDER_ASSERTION_REFUSED)
    events = queries.changes_of(actor.organization, about).filter(action__in=refused)
    sees_people = actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW).everywhere
    return [
        {
            "at": event.at,
            "text": _why(event.after, sees_people=sees_people),
            "reference": event.request_id,
        }
        for event in events[:REFUSALS_SHOWN]
    ]


def _why(line: Mapping[str, str], *, sees_people: bool) -> str:
    if not sees_people and line.get("reason") in ABOUT_PEOPLE:
        return str(NOBODY)
    person = line.get("person") if sees_people else None
    return f"{person}: {line.get('detail', '')}" if person else line.get("detail", "")


def may_see_person(finding: Finding, actor: Actor) -> bool:
    """Whether the person of a finding sits where the actor sees people."""
    permitted = actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
    if permitted.everywhere or not permitted:
        return permitted.everywhere
    email = finding.values.get("email", "")
    return queries.people_in(actor.organization, permitted).filter(email=email).exists()
