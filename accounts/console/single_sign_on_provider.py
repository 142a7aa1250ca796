"""Account > Single Sign-on > one identity provider: setting it up, changing it, deleting it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import queries
from accounts.actor import Actor
from accounts.console import single_sign_on_form as forms
from accounts.console import single_sign_on_words as words
from accounts.console import trail_links
from accounts.console.check_assertion import refused_lately
from accounts.console.guard import actor_of, recent_password, requires
from accounts.errors import Conflict, DomainError, Invalid, NotAllowed, Problem
from accounts.models import IdentityProvider
from accounts.permissions import Permission, label_of
from accounts.saml import metadata, toolkit
from accounts.services import identity_providers

ASK = require_http_methods(["GET", "HEAD", "POST"])
LARGEST_FILE = 400_000
# A problem with the metadata, where it came as a file.
FILE = "metadataFile"


@ASK
@requires(Permission.SSO_PROVIDER_ADD)
def new(request: HttpRequest) -> HttpResponse:
    page = ProviderPage(request, None)
    return page.post() if request.method == "POST" else page.show()


@ASK
@requires(Permission.SSO_PROVIDER_VIEW)
def provider(request: HttpRequest, provider_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    shown = queries.provider(actor.organization, provider_id)
    page = ProviderPage(request, shown)
    if request.method != "POST":
        return page.show()
    actor.require(Permission.SSO_PROVIDER_EDIT)
    return page.post()


@ASK
@requires(Permission.SSO_PROVIDER_DELETE)
@recent_password
def delete(request: HttpRequest, provider_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    shown = queries.provider(actor.organization, provider_id)
    back = reverse("single-sign-on-provider", args=[shown.id])
    if request.method == "POST":
        try:
            identity_providers.delete(actor=actor, provider_id=provider_id)
        except Conflict as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(back)
        messages.success(request, _("Identity provider ‘%(name)s’ was deleted.") % {"name": shown.name})
        return redirect("single-sign-on")
    return render(
        request,
        "sso/question.html",
        {
            "breadcrumbs": [*breadcrumbs(), {"label": shown.name, "url": back}, {"label": _("Delete")}],
            "dialog_title": _("Delete ‘%(name)s’?") % {"name": shown.name},
            "dialog_text": [
                *_what_stops(shown),
                _("This cannot be undone. To stop using it for a while, turn it off instead."),
            ],
            "dialog_confirm": _("Delete provider"),
            "dialog_danger": True,
            "dialog_cancel_url": back,
            "dialog_action": request.get_full_path(),
        },
    )


class ProviderPage:
    """`was` is what the provider is, `typed` what the page shows. One form does both: "Import metadata"
    fills it and saves nothing, "Save" has the service decide."""

    def __init__(self, request: HttpRequest, shown: IdentityProvider | None) -> None:
        self.request = request
        self.actor: Actor = actor_of(request)
        self.read_provider(shown)
        self.typed = forms.typed_of(self.was)

    def read_provider(self, shown: IdentityProvider | None) -> None:
        self.provider = shown
        self.was = identity_providers.spec_of(shown) if shown else forms.NOTHING

    def post(self) -> HttpResponse:
        if self.provider and not {"seen", "version"} <= self.request.POST.keys():
            text = _("The form did not arrive whole, and nothing was saved. Try again.")
            return self.show([Problem("", "invalid.value", text)], status=400)
        self.typed = forms.read(self.request.POST)
        review: Mapping[str, Any] = {}
        if self.provider and self.request.POST.get("version") != str(self.provider.version):
            review = self.review()
        if "import" in self.request.POST:
            return self.fill(review)
        return self.show(unsaved=True, **review) if review else self.save()

    def fill(self, review: Mapping[str, Any]) -> HttpResponse:
        try:
            found = metadata.read(self.given_metadata())
        except Invalid as error:
            uploaded = "metadata_file" in self.request.FILES
            problems = [replace(one, field=FILE) if uploaded else one for one in error.problems]
            return self.show(problems, unsaved=True, **review)
        except toolkit.Unavailable:
            return self.show(unsaved=True, **review)  # every page says why
        self.typed, rows = forms.filled(self.typed, self.was, found)
        return self.show(unsaved=True, imported=True, import_rows=rows, **review)

    def given_metadata(self) -> str:
        """The file, or else what was pasted."""
        uploaded = self.request.FILES.get("metadata_file")
        if not isinstance(uploaded, UploadedFile):
            if not self.typed.metadata.strip():
                raise _wrong_metadata(_("Choose a file, or paste its text."))
            return self.typed.metadata
        if (uploaded.size or 0) > LARGEST_FILE:
            raise _wrong_metadata(_("The file is larger than 400 kB."))
        try:
            return uploaded.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _wrong_metadata(_("The file is not text in UTF-8.")) from error

    def save(self) -> HttpResponse:
        try:
            saved = self.saved()
        except Invalid as error:
            problems = [forms.named(one, self.typed, self.was) for one in error.problems]
            return self.show(problems, unsaved=True)
        except NotAllowed as error:
            return self.show([Problem("", error.code, error.message)], status=403, unsaved=True)
        except Conflict as error:
            if error.code != "general.conflict":
                field = error.parameters.get("field", "")
                return self.show([Problem(field, error.code, error.message)], unsaved=True)
            return self.show(unsaved=True, **self.review(again=True))
        if self.provider is None:
            messages.success(
                self.request, _("Identity provider ‘%(name)s’ is set up.") % {"name": saved.name}
            )
        elif saved.version == self.provider.version:
            messages.info(self.request, _("There was nothing to save."))
        else:
            messages.success(self.request, _("Changes saved."))
        return HttpResponseRedirect(reverse("single-sign-on-provider", args=[saved.id]))

    def saved(self) -> IdentityProvider:
        if self.provider is None:
            return identity_providers.create(actor=self.actor, spec=forms.spec_of(self.typed, self.was))
        return identity_providers.change(
            actor=self.actor,
            provider_id=self.provider.id,
            spec=lambda was: forms.spec_of(self.typed, was),
            version=self.provider.version,
        )

    def review(self, *, again: bool = False) -> Mapping[str, Any]:
        """Puts what somebody else changed since the page was opened together with what was typed, and says
        what came of it: nothing, where the two do not meet."""
        assert self.provider is not None
        if again:
            self.read_provider(queries.provider(self.actor.organization, self.provider.id))
        merged = forms.merge(self.provider, self.request.POST.get("seen", ""), self.typed, self.was)
        self.typed = merged.typed
        if not (merged.taken or merged.both or again):
            return {}
        last = words.last_change(self.provider)
        return {
            "changed_by": last.actor_name if last else _("Somebody else"),
            "changed_at": time_format(timezone.localtime(self.provider.modified_at), "H:i e"),
            "taken": ", ".join(merged.taken),
            "both": ", ".join(merged.both),
            "conflict": merged.rows,
        }

    def show(
        self,
        problems: list[Problem] | None = None,
        *,
        status: int = 200,
        unsaved: bool = False,
        **more: Any,
    ) -> HttpResponse:
        shown, organization = self.provider, self.actor.organization
        problems = forms.in_order(problems or [])
        form = self.typed.form(organization, problems)
        may_edit = bool(shown is None or self.actor.access.decide(Permission.SSO_PROVIDER_EDIT))
        refused = self.refused_trust() if may_edit else ""
        if refused and shown:
            for field in identity_providers.TRUSTED_FIELDS:
                form.fields[field].widget.attrs["readonly"] = True
        title = shown.name if shown else _("Add provider")
        context = {
            "breadcrumbs": [*breadcrumbs(), {"label": title}],
            "title": title,
            "shown": shown,
            "state": words.state(shown) if shown else None,
            "form": form,
            # Nothing can be added without that; what somebody has typed meanwhile is not thrown away.
            "show_form": may_edit and (shown is not None or not refused or unsaved),
            "may_edit": may_edit,
            "may_delete": bool(shown and self.actor.access.decide(Permission.SSO_PROVIDER_DELETE)),
            "edit_label": label_of(Permission.SSO_PROVIDER_EDIT),
            "no_trust": refused,
            "unavailable": toolkit.WHY_NOT,
            "cannot": forms.cannot() if refused else "",
            "switches": self.switches(problems, trusted=not refused),
            "certificates": words.certificates(self.was.certificates, self.typed.removed),
            "seen": forms.sign(shown, self.was) if shown else "",
            "form_errors": bool(problems),
            "errors": [forms.summary_of(one) for one in problems],
            "certificate_errors": form.errors.get("add_certificates", []),
            "unsaved": unsaved,
            "give": words.give(organization, shown),
            **more,
        }
        if shown:
            context["changes"] = words.changes(shown)
            context["all_changes"] = trail_links.all_about(self.actor, shown.id)
            context["refusals"] = refused_lately(self.actor, shown.id)
            if not may_edit:
                context["facts"] = self.facts()
        return render(self.request, "sso/provider.html", context, status=status)

    def refused_trust(self) -> str:
        """Why this person may not decide whom the organization believes; empty where they may."""
        try:
            identity_providers.require_trust(self.actor)
        except NotAllowed as error:
            return error.message
        return ""

    def switches(self, problems: list[Problem], *, trusted: bool) -> list[dict[str, Any]]:
        hints = {
            "sign_requests": _("For providers that want it. They find our certificate in the metadata."),
            "force_authn": _("Even of somebody who signed in at the provider a minute ago."),
            "show_on_sign_in": _("Without the button, people get there from the provider or from an app."),
            "accept_bearer": _("Apps may exchange its assertions for tokens."),
            "enabled": _("While it is off, nothing that the provider says is believed."),
        }
        fixed = {} if trusted or not self.provider else forms.fixed(self.was)
        return [
            {
                "name": name,
                "label": words.LABELS[name],
                "hint": f"{hints[name]} {fixed[name]}" if name in fixed else hints[name],
                # A browser sends no switch that is disabled: one that is on and stays so is sent hidden.
                "disabled": name in fixed,
                "checked": getattr(self.was, name) if name in fixed else self.typed.values[name],
                "errors": [one.message for one in problems if forms.place_of(one) == name],
            }
            for name in forms.SWITCHES
        ]

    def facts(self) -> list[dict[str, Any]]:
        """What somebody reads who may not edit."""
        mono = {"issuer", "target_url", "logout_url", "audience", "relying_party_identifier"}
        return [
            {
                "label": words.LABELS[field],
                "value": words.value(field, getattr(self.was, field)) or "–",
                "mono": field in mono and bool(getattr(self.was, field)),
            }
            for field in forms.FIELDS
            if field != "name"
        ]


def _what_stops(shown: IdentityProvider) -> list[str]:
    if not shown.enabled:
        return [_("It is off: nobody signs in through it now.")]
    if shown.show_on_sign_in:
        text = _("Its button goes from the sign-in page, and nobody can sign in through it any more.")
    else:
        text = _("Nobody can sign in through it any more.")
    apps = [_("Apps that send its assertions get no new tokens.")] if shown.accept_bearer else []
    return [text, *apps, _("Whoever signed in through it is signed out, but for you.")]


def breadcrumbs() -> list[dict[str, str]]:
    return [
        {"label": _("Admin"), "url": reverse("admin-home")},
        {"label": _("Single Sign-on"), "url": reverse("single-sign-on")},
    ]


def _wrong_metadata(message: str) -> DomainError:
    return Invalid.one("metadata", "invalid.value", message)
