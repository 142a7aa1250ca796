"""Account > Single Sign-on: the identity providers of the organization, what they are given, and whether
people may sign in without one."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts import queries
from accounts.actor import Actor
from accounts.console import single_sign_on_words as words
from accounts.console.guard import actor_of, recent_password, requires
from accounts.console.single_sign_on_provider import ASK, breadcrumbs
from accounts.errors import Conflict, Invalid, Problem
from accounts.models import Organization, User
from accounts.permissions import Permission
from accounts.saml import service_provider, toolkit
from accounts.services import identity_providers


@require_safe
@requires(Permission.SSO_PROVIDER_VIEW)
def providers(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    organization = actor.organization
    rows = [
        {
            "provider": one,
            "state": words.state(one),
            "end": words.certificate_end(one.certificates),
        }
        for one in queries.providers(organization)
    ]
    return render(
        request,
        "sso/list.html",
        {
            "breadcrumbs": [
                {"label": _("Admin"), "url": reverse("admin-home")},
                {"label": _("Single Sign-on")},
            ],
            "rows": rows,
            "may_add": bool(actor.access.decide(Permission.SSO_PROVIDER_ADD)),
            "may_edit": bool(actor.access.decide(Permission.SSO_PROVIDER_EDIT)),
            "only_sso": organization.only_sso,
            "keeper": organization.password_keeper,
            "give": words.give(organization),
            "unavailable": toolkit.WHY_NOT,
        },
    )


@require_safe
@requires(Permission.SSO_PROVIDER_VIEW)
def metadata(request: HttpRequest) -> HttpResponse:
    """Ours, for a provider that is yet to be set up."""
    organization = actor_of(request).organization
    return HttpResponse(
        service_provider.default_metadata(organization),
        content_type="application/samlmetadata+xml",
        headers={
            "Content-Disposition": f'attachment; filename="{organization.short_name}-saml-metadata.xml"'
        },
    )


# --- Only SSO ------------------------------------------------------------------------------------


# The wire's name of the field.
KEEPER = "passwordKeeper"


class KeeperForm(forms.Form):
    keeper = forms.CharField(
        label=gettext_lazy("Who keeps a password"),
        help_text=gettext_lazy("They get in when the provider fails, and can turn Only SSO off."),
        required=False,
        widget=forms.Select,
    )

    def __init__(self, people: list[User], chosen: str) -> None:
        super().__init__({"keeper": chosen})
        self.fields["keeper"].widget.choices = [
            (str(person.id), f"{person.name} ({person.email})") for person in people
        ]


@ASK
@requires(Permission.SSO_PROVIDER_EDIT)
@recent_password
def only_sso(request: HttpRequest) -> HttpResponse:
    """Turns it over; the answer says exactly what was asked."""
    actor = actor_of(request)
    if request.method != "POST":
        return _ask(request, enabled=not actor.organization.only_sso)
    enabled = request.POST.get("enabled") == "on"
    return _set(request, actor, enabled=enabled)


@ASK
@requires(Permission.SSO_PROVIDER_EDIT)
@recent_password
def keeper(request: HttpRequest) -> HttpResponse:
    """Somebody else keeps a password, while Only SSO is on."""
    actor = actor_of(request)
    if not actor.organization.only_sso:
        return redirect("single-sign-on-only")
    return _set(request, actor, enabled=True) if request.method == "POST" else _ask(request, enabled=True)


def _set(request: HttpRequest, actor: Actor, *, enabled: bool) -> HttpResponse:
    was = actor.organization
    try:
        changed = identity_providers.set_only_sso(
            actor=actor,
            enabled=enabled,
            keeper_id=request.POST.get("keeper") or None,
            version=_version(request),
        )
    except Invalid as error:
        return _ask(request, enabled=enabled, problems=list(error.problems))
    except Conflict:
        text = _("Somebody else changed the organization in the meantime. Look at what is there now.")
        messages.error(request, text)
    else:
        if changed.version == was.version:
            messages.info(request, _("There was nothing to save."))
        else:
            messages.success(request, _said(changed))
    return redirect("single-sign-on")


def _said(organization: Organization) -> str:
    if not organization.only_sso:
        return _("Only SSO is off. People can sign in with a password again.")
    return _("Only SSO is on. %(name)s keeps a password.") % {"name": organization.password_keeper}


def _ask(request: HttpRequest, *, enabled: bool, problems: list[Problem] | None = None) -> HttpResponse:
    actor = actor_of(request)
    organization = actor.organization
    people = identity_providers.possible_keepers(organization) if enabled else []
    problems = problems if problems is not None else _in_the_way(organization, people, enabled=enabled)
    form = None
    if people:
        form = KeeperForm(people, _chosen(request, organization, people))
        for problem in problems:
            if problem.field == KEEPER:
                form.add_error("keeper", problem.message)
    changing = enabled and organization.only_sso
    if changing:
        title, text, confirm = _("Who keeps a password?"), [], _("Save")
    elif enabled:
        title, confirm = _("Turn on Only SSO?"), _("Turn on Only SSO")
        text = [
            _(
                "Passwords then let nobody in but one person. Everybody else signs in at an identity "
                "provider."
            ),
            _("Test the sign-in first: if it fails, only that person gets in."),
        ]
        if not queries.providers(organization).filter(enabled=True, show_on_sign_in=True).exists():
            text.append(
                _(
                    "None of your providers has a button on the sign-in page: people have to begin at the "
                    "provider or in an app."
                )
            )
    else:
        title, confirm = _("Turn off Only SSO?"), _("Turn off")
        text = [_("People can then sign in with a password again, as well as at an identity provider.")]
    return render(
        request,
        "sso/question.html",
        {
            "breadcrumbs": [*breadcrumbs(), {"label": _("Only SSO")}],
            "form_errors": request.method == "POST",
            "in_the_way": [one.message for one in problems if form is None or one.field != KEEPER],
            "dialog_title": title,
            "dialog_text": text,
            "dialog_form": form,
            "dialog_confirm": confirm,
            "dialog_danger": enabled and not changing,
            "dialog_cancel_url": reverse("single-sign-on"),
            "dialog_action": request.get_full_path(),
            "dialog_hidden": [
                {"name": "version", "value": organization.version},
                {"name": "enabled", "value": "on" if enabled else ""},
            ],
        },
    )


def _in_the_way(organization: Organization, people: list[User], *, enabled: bool) -> list[Problem]:
    """What would be refused whatever somebody chooses: said before."""
    if not enabled:
        return []
    try:
        identity_providers.refuse_without_provider(organization)
    except Invalid as error:
        return list(error.problems)
    if people:
        return []
    text = _("Nobody who may edit single sign-on and the organization has a password.")
    return [Problem(KEEPER, "invalid.value", text)]


def _chosen(request: HttpRequest, organization: Organization, people: list[User]) -> str:
    """As it was typed; before, the one from before, or whoever asks."""
    if "keeper" in request.POST:
        return request.POST["keeper"]
    ids = [person.id for person in people]
    for known in (organization.password_keeper_id, actor_of(request).id):
        if known in ids:
            return str(known)
    return str(ids[0])


def _version(request: HttpRequest) -> int:
    """The version that the page showed; one that never is for anything else."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
