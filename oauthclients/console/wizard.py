"""Integrations > OAuth > Add client: three steps over a draft (`console/drafts.py`), then the secret.

A POST keeps what was typed, whatever it is, and only then asks whether it may go on. Nothing is a client
before "Save" on the last step, where `services.clients.create` decides everything once more.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from accounts.console.guard import actor_of, ask_password, recently_typed, requires
from accounts.errors import DomainError, Invalid, NotAllowed, NotFound, Problem
from accounts.models import Organization
from accounts.permissions import Permission
from oauthclients import grant_types, presets, queries, scopes
from oauthclients.api import routes
from oauthclients.console import (
    accepted_assertions,
    effects,
    forms,
    secret_page,
    start_from,
    tables,
    words,
)
from oauthclients.console import drafts as draft_store
from oauthclients.console.drafts import DraftChangedError, DraftUsedError
from oauthclients.console.forms import ACCESS, DETAILS, DURATION, PARTS, Typed
from oauthclients.models import Client, ClientDraft
from oauthclients.presets import Preset
from oauthclients.rules import token_life
from oauthclients.services import clients

adds_clients = requires(Permission.OAUTH_CLIENT_ADD)

# In an address, the preset to start from. In a form, what its button says: from this one, or from this one
# although what was chosen is dropped.
FROM = "from"
START, REPLACE = "from:", "replace:"


@adds_clients
def start(request: HttpRequest) -> HttpResponse:
    """ "Add client": goes on with what is unfinished, or begins; with `?from=`, from a preset."""
    draft = draft_store.resume(actor_of(request))
    if request.GET.get(FROM) in presets.BY_ID:
        return HttpResponseRedirect(f"{_step_url(draft, DETAILS)}?{FROM}={request.GET[FROM]}")
    passed = draft.data.get("passed", [])
    return _to_step(draft, next((part for part in PARTS if part not in passed), DURATION))


@adds_clients
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, draft_id: uuid.UUID, step: str) -> HttpResponse:
    actor = actor_of(request)
    draft = draft_store.own(actor, draft_id)
    if step not in PARTS:
        raise NotFound
    page = _PAGES[step](request, actor, draft)
    if draft.client_id is not None:
        return page.already_created()
    if step != DETAILS and forms.grant_of(draft.data) is None:
        return _to_step(draft, DETAILS)
    return page.post() if request.method == "POST" else page.get()


@adds_clients
def leave(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    """ "Leave this client unfinished?" """
    draft = draft_store.own(actor_of(request), draft_id)
    if draft.client_id is not None:
        return HttpResponseRedirect(reverse("oauth-clients"))
    return render(
        request,
        "oauth/clients/leave.html",
        {"draft": draft, "breadcrumbs": _breadcrumbs(), "back_url": _back_url(draft)},
    )


@adds_clients
def discard(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    draft = draft_store.own(actor_of(request), draft_id)
    if request.method != "POST":
        return render(
            request,
            "oauth/clients/leave_discard.html",
            {
                "name": draft.data.get(DETAILS, {}).get("name", ""),
                "breadcrumbs": _breadcrumbs(),
                "back_url": reverse("oauth-clients"),
            },
        )
    if draft.client_id is None:
        draft_store.discard(draft)
        messages.success(request, _("The unfinished client was discarded."))
    return HttpResponseRedirect(reverse("oauth-clients"))


class StepPage:
    """One step. `typed` is what the page shows: what is in the draft, or what was just posted."""

    part: str
    template = "oauth/clients/wizard.html"

    def __init__(self, request: HttpRequest, actor: Actor, draft: ClientDraft) -> None:
        self.request = request
        self.actor = actor
        self.draft = draft
        self.book = tables.RoleBook(actor.organization)
        self.typed: dict[str, Any] = dict(draft.data)

    def get(self) -> HttpResponse:
        # ?check: the link from a summary of problems on another step.
        return self.show(self.problems() if "check" in self.request.GET else [])

    def post(self) -> HttpResponse:
        """Autosave and the way back keep anything; the way on asks the rules."""
        go = self.request.POST.get("go", "next")
        version = self.read()
        try:
            if "autosave" in self.request.POST:
                return self.autosaved(version)
            if go != "next":
                self.keep(version, passed=False)
                return self.left(go)
            return self.next(version)
        except DraftUsedError:
            return self.already_created()
        except DraftChangedError:
            return self.changed_elsewhere()

    def read(self) -> int:
        """Puts what was posted into `typed`; answers the version that it was typed over."""
        post = self.request.POST
        self.typed[self.part] = forms.read(self.part, post, forms.grant_of(self.typed))
        if self.part != DURATION and self.typed[self.part] == self.draft.data.get(self.part):
            return self.draft.version  # the same as in the draft, so nothing can be lost
        text = post.get("version", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    def keep(self, version: int, *, passed: bool) -> None:
        """Saves the draft; `passed` gives this step its check mark, or takes it away."""
        steps = [part for part in self.typed.get("passed", []) if part != self.part]
        self.typed["passed"] = [*steps, self.part] if passed else steps
        shortened = passed and self.shorten()
        self.draft = draft_store.save(self.draft, version=version, data=self.typed)
        self.typed = dict(self.draft.data)
        if shortened:
            messages.info(self.request, token_life.RESET)

    def shorten(self) -> bool:
        """A duration that only SCIM Integration alone may have goes back to the default."""
        seconds = forms.seconds_of(self.typed)
        too_long = seconds is not None and seconds > token_life.LONGEST
        if self.part == DURATION or not too_long:
            return False
        if forms.scim_only(forms.spec_of(self.typed), self.book):
            return False
        self.typed[DURATION] = {"seconds": str(token_life.DEFAULT)}
        return True

    def next(self, version: int) -> HttpResponse:
        problems = self.problems()
        self.keep(version, passed=not problems)
        if problems:
            return self.show(problems)
        return _to_step(self.draft, PARTS[PARTS.index(self.part) + 1])

    def problems(self, part: str | None = None) -> list[Problem]:
        passed = ACCESS in self.draft.data.get("passed", [])
        return forms.problems(
            part or self.part,
            self.typed,
            actor=self.actor,
            book=self.book,
            had=self.draft.data.get(ACCESS, {}).get("roles", {}) if passed else {},
        )

    def autosaved(self, version: int) -> HttpResponse:
        try:
            self.keep(version, passed=False)
        except (DraftChangedError, DraftUsedError):
            return HttpResponse(status=409)
        # What the page says about what was just saved, for its [data-live] regions.
        response = render(self.request, "oauth/clients/parts/live.html", self.live())
        response["X-Draft-Version"] = str(self.draft.version)
        response["X-Saved-At"] = self.draft.saved_at.isoformat(timespec="seconds")
        return response

    def left(self, go: str) -> HttpResponse:
        if go == "back" and self.part != DETAILS:
            return _to_step(self.draft, PARTS[PARTS.index(self.part) - 1])
        if go == "look":
            return self.show([])
        if go == "leave":
            return HttpResponseRedirect(reverse("oauth-clients"))
        return HttpResponseRedirect(reverse("oauth-client-add-leave", args=[self.draft.id]))

    def changed_elsewhere(self) -> HttpResponse:
        """The other tab's draft and this tab's words: nothing is overwritten until this is sent again."""
        mine = self.typed[self.part]
        self.draft = draft_store.own(self.actor, self.draft.id)
        theirs = dict(self.draft.data)
        self.typed = {**theirs, self.part: mine}
        stored, typed = (
            [item for item in self.items(data) if item.part == self.part] for data in (theirs, self.typed)
        )
        return self.show([], conflict=tables.differences(stored, typed), changed=True, unsaved=True)

    def already_created(self) -> HttpResponse:
        """A reload, a second click, or the way back after the secret was shown."""
        if "autosave" in self.request.POST:
            return HttpResponse(status=409)
        draft = draft_store.own(self.actor, self.draft.id)
        client = queries.clients(self.actor.organization).filter(id=draft.client_id).first()
        messages.warning(
            self.request, _("The client was already created. The secret cannot be shown again.")
        )
        if client is None:
            return HttpResponseRedirect(reverse("oauth-clients"))
        return HttpResponseRedirect(reverse("oauth-client", args=[client.id]))

    # --- What the page shows ---

    def items(self, typed: Mapping[str, Any]) -> list[tables.Item]:
        seconds = forms.seconds_of(typed) is not None
        return tables.items(forms.spec_of(typed), self.book, seconds=seconds)

    def summary(self) -> list[tables.Item]:
        return self.items(self.typed)

    def live(self) -> dict[str, Any]:
        """What follows from what was typed: for the page, and for the answer to autosave."""
        passed = self.draft.data.get("passed", [])
        index = PARTS.index(self.part)
        reachable = {part for at, part in enumerate(PARTS) if at <= index or part in passed}
        return {
            "grant": forms.grant_of(self.typed),
            "last": self.part == DURATION,
            "refused_note": effects.refused_note(self.actor.organization, forms.grant_of(self.typed)),
            "summary": [
                replace(item, url=_step_url(self.draft, item.part))
                if item.part in reachable and item.part != self.part
                else item
                for item in self.summary()
            ],
            **effective_context(self.book, self.typed),
        }

    def show(self, problems: list[Problem], **more: Any) -> HttpResponse:
        passed = self.draft.data.get("passed", [])
        index = PARTS.index(self.part)
        context = {
            "part": self.part,
            "part_template": f"oauth/clients/parts/{self.part}.html",
            "title": self.title(),
            "draft": self.draft,
            "breadcrumbs": _breadcrumbs(),
            "form_errors": bool(problems),
            "errors": self.linked(problems),
            "step_number": index + 1,
            "steps": [
                {
                    "label": tables.part_label(part, forms.grant_of(self.typed)),
                    "url": _step_url(self.draft, part),
                    "state": "current" if part == self.part else "done" if part in passed else "todo",
                }
                for part in PARTS
            ],
            "saved_at": self.draft.saved_at if self.draft.version > 1 else None,
            "saved_text": time_format(timezone.localtime(self.draft.saved_at), "H:i e"),
            "dirty": bool(problems),
            **self.live(),
            **self.context(problems),
            **more,
        }
        return render(self.request, self.template, context)

    def linked(self, problems: list[Problem]) -> list[dict[str, Any]]:
        """Each problem with the way to its field, on this step or another."""
        linked = []
        for problem in problems:
            part, target = forms.place_of(problem)
            url = "" if part == self.part else f"{_step_url(self.draft, part)}?check=1#{target}"
            linked.append({"message": problem.message, "line": problem.line, "target": target, "url": url})
        return linked

    def title(self) -> str:
        return tables.part_label(self.part, forms.grant_of(self.typed))

    def context(self, problems: list[Problem]) -> dict[str, Any]:
        raise NotImplementedError


class DetailsPage(StepPage):
    part = DETAILS

    def get(self) -> HttpResponse:
        """With `?from=`, begins from that preset, or asks whether to."""
        preset = presets.BY_ID.get(self.request.GET.get(FROM, ""))
        if preset is None or preset is start_from.of(self.typed):
            return super().get()
        try:
            return self.begin(preset)
        except DraftUsedError:
            return self.already_created()
        except DraftChangedError:
            return self.changed_elsewhere()

    def read(self) -> int:
        version = super().read()
        self.typed = start_from.with_options(self.typed, self.request.POST)
        return version

    def left(self, go: str) -> HttpResponse:
        for begins in (START, REPLACE):
            preset = presets.BY_ID.get(go.removeprefix(begins)) if go.startswith(begins) else None
            if preset is not None:
                return self.begin(preset, replace=begins == REPLACE)
        return super().left(go)

    def untouched(self) -> bool:
        return start_from.untouched(self.typed, actor=self.actor, book=self.book)

    def begin(self, preset: Preset, *, replace: bool = False) -> HttpResponse:
        """Fills the draft from a preset, and asks before what the person chose in step 2 is dropped."""
        if preset is start_from.of(self.typed) and (preset is presets.EMPTY or self.untouched()):
            return _to_step(self.draft, DETAILS)
        if not replace and not self.untouched():
            title = _("Start from ‘%(preset)s’?") % {"preset": preset.label}
            chosen = {key for key, value in self.typed[ACCESS].items() if value}
            return self.show(
                [],
                drop={
                    "title": title,
                    "text": self.drop_question(chosen),
                    "confirm": _("Start from it"),
                    "name": "go",
                    "value": f"{REPLACE}{preset.id}",
                },
                unsaved=True,
            )
        begun = start_from.begin(preset, self.typed, actor=self.actor, book=self.book)
        self.draft = draft_store.save(self.draft, version=self.draft.version, data=begun)
        return _to_step(self.draft, DETAILS)

    def next(self, version: int) -> HttpResponse:
        """Asks before a grant type is taken that has no use for what step 2 holds."""
        dropped = self.dropped()
        if dropped and not self.problems():
            if "drop" not in self.request.POST:
                if version != self.draft.version:
                    raise DraftChangedError
                question = {
                    "title": _("Change grant type?"),
                    "text": self.drop_question(dropped),
                    "confirm": _("Change grant type"),
                    "name": "drop",
                    "value": "yes",
                }
                return self.show([], drop=question, unsaved=True)
            kept = {k: v for k, v in self.typed[ACCESS].items() if k not in dropped}
            self.typed[ACCESS] = kept
            self.typed["passed"] = [part for part in self.typed.get("passed", []) if part != ACCESS]
        if forms.grant_of(self.typed) not in start_from.of(self.typed).grants:
            self.typed = start_from.without(self.typed)
        return super().next(version)

    def dropped(self) -> set[str]:
        """Which of the things chosen in step 2 this grant type does not use."""
        grant = forms.grant_of(self.typed)
        if grant is None:
            return set()
        uses = {
            "roles": grant.uses_roles,
            "redirect_uris": grant.uses_redirect_uris,
            "scope": grant.uses_scopes,
        }
        access = self.typed.get(ACCESS, {})
        return {key for key, used in uses.items() if not used and access.get(key)}

    def drop_question(self, dropped: set[str]) -> str:
        if "roles" in dropped:
            return _("Roles you chose will be dropped.")
        if {"redirect_uris", "scope"} <= dropped:
            return _("Redirect URIs and scopes you chose will be dropped.")
        if "scope" in dropped:
            return _("Scopes you chose will be dropped.")
        return _("Redirect URIs you entered will be dropped.")

    def context(self, problems: list[Problem]) -> dict[str, Any]:
        typed = self.typed.get(DETAILS, {})
        preset = start_from.of(self.typed)
        return {
            "start_cards": start_from.cards(self.typed, actor=self.actor, book=self.book),
            "start_options": start_from.options_form(self.typed),
            "start_note": preset.grant_note,
            "start_button": START,
            "details_form": forms.form(forms.DetailsForm, typed, problems),
            "grant_errors": [p.message for p in problems if p.field == "authorizedGrantType"],
            "grant_value": typed.get("grant_type", ""),
            "grant_cards": [
                {
                    "value": grant.code,
                    "title": grant.label,
                    "lead": grant.lead,
                    "ticks": grant.ticks,
                    "small": grant.small_print,
                    "more": grant.flow,
                    "warning": self.warning(grant),
                }
                for grant in grant_types.GRANT_TYPES
            ],
        }

    def warning(self, grant: grant_types.GrantType) -> str:
        """Why a client of this type would get no tokens here, as things are."""
        if grant is grant_types.SAML2_BEARER:
            return accepted_assertions.warning(self.actor)
        return effects.refused_note(self.actor.organization, grant)


class AccessPage(StepPage):
    part = ACCESS

    def get(self) -> HttpResponse:
        """Rights that were taken away since are said at once: their boxes can no longer be ticked."""
        if "check" in self.request.GET:
            return self.show(self.problems())
        return self.show([p for p in self.problems() if p.code == "bad.client.role"])

    def next(self, version: int) -> HttpResponse:
        """ "Choose divisions" of a role shows this step again."""
        if tables.OPEN not in self.request.POST:
            return super().next(version)
        self.keep(version, passed=False)
        return self.get()

    def context(self, problems: list[Problem]) -> dict[str, Any]:
        grant = forms.grant_of(self.typed)
        assert grant is not None
        preset = start_from.of(self.typed)
        return {
            "preset": preset,
            "cannot_give": start_from.cannot_give(preset, actor=self.actor, book=self.book),
            **access_context(
                self.actor,
                self.book,
                grant,
                self.typed,
                problems,
                opened=self.request.POST.get(tables.OPEN, ""),
            ),
        }


class DurationPage(StepPage):
    part = DURATION

    def __init__(self, request: HttpRequest, actor: Actor, draft: ClientDraft) -> None:
        super().__init__(request, actor, draft)
        self.typed.setdefault(DURATION, {"seconds": str(actor.organization.default_token_seconds)})

    @sensitive_variables("secret")
    def next(self, version: int) -> HttpResponse:
        """ "Save": makes the client, and answers with its secret."""
        problems = [problem for part in PARTS for problem in self.problems(part)]
        if problems or not recently_typed(self.request):
            self.keep(version, passed=not problems)
            return self.show(problems) if problems else ask_password(self.request)
        try:
            with transaction.atomic():
                draft_store.claim(self.draft, version=version)
                client, secret = clients.create(actor=self.actor, spec=forms.spec_of(self.typed))
                draft_store.used_for(self.draft, client.id)
        except NotAllowed:
            raise
        except DomainError as error:
            self.keep(version, passed=False)
            found = (
                error.problems if isinstance(error, Invalid) else [Problem("", error.code, error.message)]
            )
            return self.show(list(found))
        return secret_page.show(self.request, client=client, secret=secret, replaced=False, in_wizard=True)

    def summary(self) -> list[tables.Item]:
        """The field stands right above: its line follows it with JavaScript, and without repeats nothing
        that may have changed since."""
        found = super().summary()
        value = format_html(
            '<span class="js-only" data-duration-summary data-label="{}">{}</span><noscript>{}</noscript>',
            _("{n} seconds = {words}"),
            found[-1].value or "–",
            _("as above"),
        )
        return [*found[:-1], replace(found[-1], values=(value,))]

    def context(self, problems: list[Problem]) -> dict[str, Any]:
        return duration_context(self.book, self.typed, problems)


def access_context(
    actor: Actor,
    book: tables.RoleBook,
    grant: grant_types.GrantType,
    typed: Mapping[str, Any],
    problems: list[Problem],
    client: Client | None = None,
    opened: str = "",
) -> dict[str, Any]:
    """For parts/access.html, in the wizard and on the edit page. `opened` is the role whose divisions were
    asked for."""
    access = typed.get(ACCESS, {})
    context: dict[str, Any] = {"grant": grant, **effective_context(book, typed)}
    if grant.uses_roles:
        context |= {
            "roles": tables.role_rows(actor, book, access.get("roles", {}), problems, opened=opened),
            "roles_not_held": tables.roles_not_held(actor, book),
            "roles_errors": [p.message for p in problems if p.field == "roleDivisions"],
        }
    if grant.uses_redirect_uris:
        at_lines = [p for p in problems if forms.place_of(p)[1] == "id_redirect_uris"]
        context |= {
            "redirects_form": forms.form(forms.RedirectsForm, access, problems),
            "line_errors": [{"line": p.line, "message": p.message} for p in at_lines],
        }
    if grant.uses_scopes:
        context |= {
            "scopes": tables.scope_groups(access.get("scope", ())),
            "scope_errors": [p.message for p in problems if p.field == "scope"],
        }
    if grant is grant_types.SAML2_BEARER:
        context["assertions"] = accepted_assertions.box(actor, client)
    return context


def effective_context(book: tables.RoleBook, typed: Typed) -> dict[str, Any]:
    """For parts/effective.html and effective_scopes.html: what the roles or scopes chosen come to."""
    grant = forms.grant_of(typed)
    if grant is None:
        return {}
    if not grant.uses_roles:
        chosen_scope = typed.get(ACCESS, {}).get("scope", ())
        narrowed = scopes.narrowed([name for name in chosen_scope if name in scopes.CATALOGUE])
        return {"scope_routes": [{"scope": name, "routes": routes.with_scope(name)} for name in narrowed]}
    chosen = typed.get(ACCESS, {}).get("roles", {})
    scim_only = forms.scim_only(forms.spec_of(typed), book)
    return {
        "effective": tables.effective(book, chosen),
        "scim_only": scim_only,
        "scim_leaves_out": tables.left_out(book, chosen) if scim_only else "",
        "scim_with_others": _scim_with_others(book, chosen),
    }


def duration_context(
    book: tables.RoleBook, typed: Mapping[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    """For parts/duration.html, in the wizard and on the edit page."""
    scim_only = forms.scim_only(forms.spec_of(typed), book)
    durations = [
        {"seconds": 3_600, "label": _("1 hour")},
        {
            "seconds": 64_800,
            "label": _("18 hours"),
            "note": _("recommended for agents’ work days"),
        },
        {"seconds": 86_400, "label": _("1 day")},
        {"seconds": 172_800, "label": _("2 days")},
    ]
    if scim_only:
        durations += [
            {"seconds": 7_776_000, "label": _("90 days")},
            {"seconds": 38_880_000, "label": _("450 days")},
        ]
    bounds = (
        _("300 to 38,880,000 (450 days), because SCIM Integration is the only role.")
        if scim_only
        else _("300 to 172,800 (5 minutes to 2 days).")
    )
    suggested = _suggested(book.organization, start_from.of(typed), scim_only=scim_only)
    return {
        "duration_form": forms.form(forms.DurationForm, typed.get(DURATION, {}), problems),
        "duration_hint": f"{bounds} {suggested}".strip(),
        "idle_note": effects.idle_note(book.organization, forms.grant_of(typed)),
        "presets": durations,
    }


def _suggested(organization: Organization, preset: Preset, *, scim_only: bool) -> str:
    """The duration that its preset has put in, and why, unless the client has got too much for that since;
    otherwise the organization's. Nothing where both may be meant."""
    seconds, pattern = preset.seconds, preset.why_seconds
    if seconds is None and scim_only:
        return ""
    if seconds is None or seconds > token_life.longest(scim_only=scim_only):
        seconds, pattern = organization.default_token_seconds, _("Suggested: %(n)s (%(words)s).")
    return str(pattern % {"n": words.number(seconds), "words": words.duration(seconds)})


def _scim_with_others(book: tables.RoleBook, chosen: Mapping[str, list[str]]) -> bool:
    kinds = [token_life.is_scim_only([book.permissions(role)]) for role in chosen if role in book.roles]
    return any(kinds) and not all(kinds)


_PAGES: Mapping[str, type[StepPage]] = {
    DETAILS: DetailsPage,
    ACCESS: AccessPage,
    DURATION: DurationPage,
}


def _step_url(draft: ClientDraft, part: str) -> str:
    return reverse("oauth-client-add-step", args=[draft.id, part])


def _to_step(draft: ClientDraft, part: str) -> HttpResponse:
    return HttpResponseRedirect(_step_url(draft, part))


def _back_url(draft: ClientDraft) -> str:
    """From the question whether to leave, back to where it was asked: the first step not passed."""
    passed = draft.data.get("passed", [])
    return _step_url(draft, next((part for part in PARTS if part not in passed), DURATION))


def _breadcrumbs() -> list[dict[str, str]]:
    return [
        {"label": _("Admin"), "url": reverse("admin-home")},
        {"label": _("OAuth"), "url": reverse("oauth-clients")},
        {"label": _("Add New Client"), "url": ""},
    ]
