"""Account > Organization Settings. Each setting is a form of its own, with its own audit line. What ends
people's sign-ins and tokens, or gives and takes the rights of apps, is asked first, with its effects; the
question carries the version over which it was asked, so that nothing else is confirmed than what was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit, queries
from accounts.actor import Actor
from accounts.console import trail_links
from accounts.console.guard import actor_of, ask_password, recently_typed, requires
from accounts.console.preferences import zone_label
from accounts.errors import Conflict, Invalid
from accounts.models import AuditEvent, Organization
from accounts.permissions import Permission
from accounts.rules import idle
from accounts.services import organization as organizations
from oauthclients.console import effects, words
from oauthclients.console.effects import Group
from oauthclients.console.organization_forms import (
    DefaultDurationForm,
    ExclusionsForm,
    HomeRegionForm,
    IdleForm,
    LanguageForm,
    NameForm,
    TimeZoneForm,
    TypeOrganizationForm,
)
from oauthclients.services import idle_time

CHANGES_SHOWN = 5
ASK = require_http_methods(["GET", "HEAD", "POST"])
admins = requires(Permission.DIRECTORY_ORGANIZATION_ADMIN)

Save = Callable[[Mapping[str, Any], int], Organization]


@require_safe
@admins
def settings_page(request: HttpRequest) -> HttpResponse:
    return _page(request)


# --- Forms ---------------------------------------------------------------------------------------


@ASK
@admins
def name(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)

    def save(typed: Mapping[str, Any], version: int) -> Organization:
        return organizations.rename(actor=actor, name=typed["name"], version=version)

    return _form(request, NameForm(_posted(request)), "name", save)


@ASK
@admins
def language(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)

    def save(typed: Mapping[str, Any], version: int) -> Organization:
        return organizations.set_language(actor=actor, language=typed["language"], version=version)

    return _form(request, LanguageForm(_posted(request)), "language", save)


@ASK
@admins
def time_zone(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)

    def save(typed: Mapping[str, Any], version: int) -> Organization:
        return organizations.set_time_zone(actor=actor, time_zone=typed["time_zone"], version=version)

    return _form(request, TimeZoneForm(_posted(request)), "time_zone", save)


@ASK
@admins
def home_region(request: HttpRequest) -> HttpResponse:
    """Asks first: what gets its tokens at the old address is refused until it knows the new one."""
    actor = actor_of(request)

    organization = actor.organization
    form = HomeRegionForm(_posted(request))

    def save(typed: Mapping[str, Any], version: int) -> Organization:
        return organizations.set_home_region(actor=actor, code=typed["region"], version=version)

    now = settings.REGIONS.called(organization.home_region)
    typed = form.data.get("region", "")
    wanted = next((region for region in settings.REGIONS.own if region.code == typed), now)
    if wanted is now or "confirmed" in request.POST or _version(request) != organization.version:
        return _form(request, form, "region", save)
    return _ask(
        request,
        Question(
            title=_("Change the home region to %(region)s?") % {"region": wanted.label},
            text=effects.of_home_region(),
            facts=effects.of_moving(organization, now, wanted),
            hidden={"region": wanted.code, "confirmed": "yes"},
            confirm=_("Change home region"),
            danger=True,
        ),
    )


@ASK
@admins
def idle_exclusions(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)

    def save(typed: Mapping[str, Any], version: int) -> Organization:
        paths = typed["paths"].splitlines()
        return organizations.set_idle_exclusions(actor=actor, paths=paths, version=version)

    return _form(request, ExclusionsForm(_posted(request)), "paths", save)


@ASK
@admins
def token_duration(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)

    def save(typed: Mapping[str, Any], version: int) -> Organization:
        return organizations.set_default_token_seconds(
            actor=actor, seconds=typed["seconds"], version=version
        )

    return _form(request, DefaultDurationForm(_posted(request)), "seconds", save)


@ASK
@admins
def idle_timeout(request: HttpRequest) -> HttpResponse:
    """Asks wherever people or tokens would notice: not where the timeout is off and stays off."""
    actor = actor_of(request)
    organization = actor.organization
    form = IdleForm(_posted(request))
    if request.method != "POST" or not form.is_valid():
        return _form(request, form, "minutes", None)
    enabled = form.cleaned_data["enabled"] or organization.hipaa  # with HIPAA, the switch is locked
    minutes = form.cleaned_data["minutes"]
    now = organization.idle_timeout_seconds
    seconds = now if minutes == now // 60 else minutes * 60  # the API takes seconds that are no minutes

    def save(typed: Mapping[str, Any], version: int) -> Organization:
        return idle_time.set_timeout(actor=actor, enabled=enabled, seconds=seconds, version=version)

    change = enabled != organization.idle_timeout_enabled or (enabled and seconds != now)
    problem = organizations.idle_problem(organization, enabled=enabled, seconds=seconds)
    if not change or problem or "confirmed" in request.POST or _version(request) != organization.version:
        return _form(request, form, "minutes", save)
    limit = timedelta(seconds=seconds) if enabled else None
    return _ask(
        request,
        Question(
            title=_("Set the inactivity timeout to %(time)s?") % {"time": words.duration(seconds)}
            if enabled
            else _("Turn off the inactivity timeout?"),
            text=effects.of_no_limit() if limit is None else effects.of_idle_limit(limit),
            facts=effects.in_reach(organization, limit),
            hidden={"enabled": "on" if enabled else "", "minutes": minutes, "confirmed": "yes"},
            confirm=_("Set timeout") if enabled else _("Turn off timeout"),
            danger=not enabled,
        ),
    )


# --- Switches ------------------------------------------------------------------------------------


@ASK
@admins
def hipaa(request: HttpRequest) -> HttpResponse:
    """Off needs the password and the organization's name (UX spec 4.14 and 7)."""
    actor = actor_of(request)
    organization = actor.organization
    enabled = _wanted(request, not organization.hipaa)
    form = None
    if not enabled:
        if not recently_typed(request):
            return ask_password(request)
        form = TypeOrganizationForm(_posted(request), expected=organization.name)
    if request.method == "POST" and (form is None or form.is_valid()):
        return _switch(
            request,
            lambda version: organizations.set_hipaa(actor=actor, enabled=enabled, version=version),
            _("HIPAA compliance is on.") if enabled else _("HIPAA compliance is off."),
        )
    if not enabled:
        return _ask(
            request,
            Question(
                title=_("Turn off HIPAA compliance?"),
                text=[
                    _("The inactivity timeout stays at %(time)s. It can then be longer, or turned off.")
                    % {"time": words.duration(organization.idle_timeout_seconds)},
                ],
                facts=effects.in_reach(organization, None),
                hidden={"enabled": ""},
                form=form,
                confirm=_("Turn off HIPAA compliance"),
                danger=True,
            ),
        )
    limit = timedelta(seconds=min(organization.idle_timeout_seconds, idle.LONGEST_HIPAA))
    return _ask(
        request,
        Question(
            title=_("Turn on HIPAA compliance?"),
            text=[
                *effects.of_idle_limit(limit),
                _("While it is on, the timeout can be at most %(time)s and cannot be turned off.")
                % {"time": words.duration(idle.LONGEST_HIPAA)},
            ],
            facts=effects.in_reach(organization, limit),
            hidden={"enabled": "on"},
            confirm=_("Turn on HIPAA compliance"),
        ),
    )


@ASK
@admins
def enforce_scopes(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    enabled = _wanted(request, not actor.organization.enforce_scopes)
    if request.method == "POST":
        return _switch(
            request,
            lambda version: organizations.set_enforce_scopes(actor=actor, enabled=enabled, version=version),
            _("Scopes are enforced.") if enabled else _("Scopes are not enforced any more."),
        )
    text = (
        [
            _(
                "An app can then do only what the scopes authorized here allow, and nothing without an "
                "authorization. Tokens in use are held to that at once."
            )
        ]
        if enabled
        else [
            _("An app can then do all that the person it acts for may do, whatever its scopes."),
            _(
                "Any app that somebody agrees to works, also of other organizations, unless you have "
                "declined or revoked it."
            ),
        ]
    )
    return _ask(
        request,
        Question(
            title=_("Turn on Enforce Scopes?") if enabled else _("Turn off Enforce Scopes?"),
            text=text,
            groups=effects.of_enforcing(actor.organization, enforced=enabled),
            none=_("No app acts for people here so far."),
            link=(reverse("authorized-applications"), _("Authorized Applications")),
            hidden={"enabled": "on" if enabled else ""},
            confirm=_("Turn on Enforce Scopes") if enabled else _("Turn off Enforce Scopes"),
            danger=True,
        ),
    )


@ASK
@admins
def implicit_grant(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    allowed = _wanted(request, not actor.organization.implicit_allowed)
    if request.method == "POST":
        return _switch(
            request,
            lambda version: organizations.set_implicit_allowed(
                actor=actor, allowed=allowed, version=version
            ),
            _("The implicit grant is allowed.") if allowed else _("The implicit grant is switched off."),
        )
    return _ask(
        request,
        Question(
            title=_("Allow the implicit grant?") if allowed else _("Switch off the implicit grant?"),
            text=[
                _("Browser apps get their tokens in the address of a page, where others may read them."),
                _("Prefer apps that use Code Authorization with PKCE."),
            ]
            if allowed
            else [_("Apps that use it get no more tokens. Those they have work until they end.")],
            groups=[] if allowed else effects.of_refusing_implicit(actor.organization),
            none="" if allowed else _("No app uses it here."),
            hidden={"enabled": "on" if allowed else ""},
            confirm=_("Allow implicit grant") if allowed else _("Switch off implicit grant"),
            danger=not allowed,
        ),
    )


# --- What they have in common --------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """What is asked before a setting is changed; `none` is said where there are no groups of apps."""

    title: str
    text: Iterable[str]
    confirm: str
    hidden: Mapping[str, Any]
    facts: Iterable[Mapping[str, str]] = ()
    groups: Iterable[Group] = ()
    none: str = ""
    link: tuple[str, str] | None = None
    form: forms.Form | None = None
    danger: bool = False


def _ask(request: HttpRequest, question: Question) -> HttpResponse:
    return render(
        request,
        "organization/question.html",
        {
            "breadcrumbs": [
                *_breadcrumbs(),
                {"label": _("Organization Settings"), "url": reverse("organization-settings")},
                {"label": question.confirm},
            ],
            "form_errors": bool(question.form and question.form.errors),
            "question": question,
            "version": actor_of(request).organization.version,
        },
    )


def _wanted(request: HttpRequest, other: bool) -> bool:
    """What a question is about: turning it over; and its answer, exactly what was asked."""
    return request.POST.get("enabled") == "on" if request.method == "POST" else other


def _switch(request: HttpRequest, save: Callable[[int], Organization], done: str) -> HttpResponse:
    """The answer to a question. What somebody else changed meanwhile may have made it another one."""
    was = actor_of(request).organization.version
    try:
        changed = save(_version(request))
    except Conflict:
        messages.error(request, _somebody_else(actor_of(request)))
    else:
        if changed.version == was:
            messages.info(request, _("There was nothing to save."))
        else:
            messages.success(request, done)
    return HttpResponseRedirect(reverse("organization-settings"))


def _form(request: HttpRequest, form: forms.Form, field: str, save: Save | None) -> HttpResponse:
    """Saves one form of the page. What cannot be saved is shown again as it was typed, with the reason;
    after a change by somebody else, beside what is there now."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("organization-settings"))
    actor = actor_of(request)
    if form.is_valid() and save is not None:
        try:
            changed = save(form.cleaned_data, _version(request))
        except Invalid as error:
            for problem in error.problems:
                form.add_error(field, problem.message)
        except Conflict:
            form.add_error(field, _somebody_else(actor))
        else:
            if changed.version == actor.organization.version:
                messages.info(request, _("There was nothing to save."))
            else:
                messages.success(request, _("Changes saved."))
            return HttpResponseRedirect(reverse("organization-settings"))
    return _page(request, form)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _version(request: HttpRequest) -> int:
    """The version that the page showed; one that never is for anything else."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _somebody_else(actor: Actor) -> str:
    last = queries.changes_of(actor.organization, actor.organization.id).first()
    return _(
        "%(name)s changed the settings in the meantime. Look at what is there now, and save again."
    ) % {"name": last.actor_name if last else _("Somebody else")}


def _page(request: HttpRequest, typed: forms.Form | None = None) -> HttpResponse:
    """The settings; `typed` is a form that could not be saved."""
    organization = actor_of(request).organization
    shown: list[forms.Form] = [
        NameForm(initial={"name": organization.name}),
        IdleForm(
            initial={
                "enabled": organization.idle_timeout_enabled,
                "minutes": organization.idle_timeout_seconds // 60,
            }
        ),
        ExclusionsForm(initial={"paths": "\n".join(organization.idle_exclusions)}),
        DefaultDurationForm(initial={"seconds": organization.default_token_seconds}),
        HomeRegionForm(initial={"region": settings.REGIONS.called(organization.home_region).code}),
        LanguageForm(initial={"language": organization.language}),
        TimeZoneForm(initial={"time_zone": organization.time_zone}),
    ]
    name_form, idle_form, exclusions_form, duration_form, region_form, language_form, zone_form = (
        typed if typed is not None and isinstance(typed, type(form)) else form for form in shown
    )
    return render(
        request,
        "organization/settings.html",
        {
            "breadcrumbs": [*_breadcrumbs(), {"label": _("Organization Settings")}],
            "form_errors": typed is not None,
            "typed": typed,
            "version": organization.version,
            "facts": [
                {
                    "label": _("Short name"),
                    "value": organization.short_name,
                    "mono": True,
                    "copyable": True,
                },
                {
                    "label": _("Organization ID"),
                    "value": str(organization.id),
                    "mono": True,
                    "copyable": True,
                },
            ],
            "shown": organization,
            "name_form": name_form,
            "language_form": language_form if len(settings.LANGUAGES) > 1 else None,
            "zone_form": zone_form,
            "idle_form": idle_form,
            "idle_hint": _("5 to 15, because HIPAA compliance is on.")
            if organization.hipaa
            else _("5 to 480 (8 hours)."),
            "idle_words": words.duration(organization.idle_timeout_seconds),
            "exclusions_form": exclusions_form,
            "duration_form": duration_form,
            "region_form": region_form if len(settings.REGIONS.own) > 1 else None,
            "duration_hint": _("300 to 172,800 (5 minutes to 2 days). Clients that are there keep theirs."),
            "presets": [
                {"seconds": 3_600, "label": _("1 hour")},
                {"seconds": 64_800, "label": _("18 hours")},
                {"seconds": 86_400, "label": _("1 day")},
                {"seconds": 172_800, "label": _("2 days")},
            ],
            "authorized_applications": reverse("authorized-applications"),
            "all_changes": trail_links.all_about(actor_of(request), organization.id),
            "changes": [
                {
                    "who": event.actor_name,
                    "did": audit.SENTENCES.get(event.action, event.action),
                    "what": "; ".join(_what(event)),
                    "at": event.at,
                }
                for event in queries.changes_of(organization, organization.id)[:CHANGES_SHOWN]
            ],
        },
    )


def _what(event: AuditEvent) -> Iterator[str]:
    """From what to what, where the sentence does not say it all (accounts/services/organization.py
    `_described` has the keys)."""
    before, after = event.before, event.after
    if event.action == audit.Action.ORGANIZATION_CREATED:
        return
    change = _("from %(before)s to %(after)s")
    if "name" in after:
        yield change % {"before": f"‘{before.get('name', '')}’", "after": f"‘{after['name']}’"}
    if "homeRegion" in after:
        yield _("to %(region)s") % {"region": settings.REGIONS.called(after["homeRegion"]).label}
    if "defaultLanguage" in after:
        yield _("to %(language)s") % {"language": dict(settings.LANGUAGES).get(after["defaultLanguage"])}
    if "timeZone" in after:
        yield change % {"before": zone_label(before["timeZone"]), "after": zone_label(after["timeZone"])}
    if after.get("passwordKeeper"):
        yield _("‘%(name)s’ keeps a password") % {"name": after["passwordKeeper"]}
    if "enableIdleTokenTimeout" in after:
        yield _("timeout turned on") if after["enableIdleTokenTimeout"] else _("timeout turned off")
    for key, pattern in (
        ("idleTokenTimeoutSeconds", _("timeout from %(before)s to %(after)s")),
        ("defaultTokenSeconds", change),
    ):
        if key in after and key in before:
            yield pattern % {
                "before": words.duration(before[key]),
                "after": words.duration(after[key]),
            }
    was, now = (paths.get("inactivityTimeoutExclusions", []) for paths in (before, after))
    added, removed = [path for path in now if path not in was], [path for path in was if path not in now]
    if added:
        yield _("added %(paths)s") % {"paths": ", ".join(added)}
    if removed:
        yield _("removed %(paths)s") % {"paths": ", ".join(removed)}


def _breadcrumbs() -> list[dict[str, str]]:
    return [{"label": _("Admin"), "url": reverse("admin-home")}]
