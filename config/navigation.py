"""The menu of the console and the cards of Admin home: one list, so that they cannot disagree; and what
every page's frame needs to know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.console.guard import actor_of
from accounts.permissions import Permission

THEMES = ("light", "dark")
THEME_COOKIE = "theme"


@dataclass(frozen=True)
class Entry:
    """A page of the console, shown to whoever holds one of `any_of` (none: to everybody; the page itself
    refuses others)."""

    group: Any
    label: Any
    url_name: str
    help: Any
    any_of: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return reverse(self.url_name)


HOME = Entry("", _("Admin home"), "admin-home", "")
ENTRIES = (
    Entry(
        _("Integrations"),
        _("OAuth"),
        "oauth-clients",
        _("Programs that may ask this server for tokens"),
        (Permission.OAUTH_CLIENT_VIEW,),
    ),
    Entry(
        _("Integrations"),
        _("Authorized Applications"),
        "authorized-applications",
        _("Which apps may act for people here"),
        (Permission.OAUTH_CLIENT_AUTHORIZE,),
    ),
    Entry(
        _("Integrations"),
        _("Why?"),
        "oauth-why",
        _("Why a call of the API is allowed or refused, and what would change that"),
        (Permission.OAUTH_CLIENT_VIEW,),
    ),
    Entry(
        _("People and Permissions"),
        _("People"),
        "people",
        _("Who they are, what they may do, and inviting more"),
        (Permission.DIRECTORY_USER_VIEW,),
    ),
    Entry(
        _("People and Permissions"),
        _("Roles"),
        "roles",
        _("What people and clients may do, by name"),
        (Permission.AUTHORIZATION_ROLE_VIEW,),
    ),
    Entry(
        _("People and Permissions"),
        _("Divisions"),
        "divisions",
        _("Parts of the organization, in which rights are given"),
        (Permission.AUTHORIZATION_DIVISION_VIEW,),
    ),
    Entry(
        _("Account"),
        _("Organization Settings"),
        "organization-settings",
        _("Name, HIPAA compliance, inactivity timeout, Enforce Scopes"),
        (Permission.DIRECTORY_ORGANIZATION_ADMIN,),
    ),
    Entry(
        _("Account"),
        _("Single Sign-on"),
        "single-sign-on",
        _("Identity providers that vouch for people, certificates, Only SSO"),
        (Permission.SSO_PROVIDER_VIEW,),
    ),
    Entry(
        _("Oversight"),
        _("Audit log"),
        "audit-log",
        _("Who did what, when, and from where"),
        (Permission.AUDITS_AUDIT_VIEW,),
    ),
    Entry(
        _("Oversight"),
        _("Access review"),
        "access-review",
        _("Roles, divisions and scopes that nobody uses, clients that do nothing"),
        (Permission.OAUTH_CLIENT_VIEW, Permission.OAUTH_CLIENT_AUTHORIZE),
    ),
    Entry(
        _("Developers"),
        _("API Explorer"),
        "api-explorer",
        _("Every route of the API, to read and to try out as yourself"),
    ),
)


def entries_for(actor: Actor) -> Iterator[tuple[Any, list[Entry]]]:
    """The groups with the entries that this person may open; no empty groups."""
    permitted = [entry for entry in ENTRIES if not entry.any_of or actor.access.decide(*entry.any_of)]
    for group, entries in groupby(permitted, key=lambda entry: entry.group):
        yield group, list(entries)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Costs nothing for somebody who is not signed in, and for others no more than
    reading their rights, which the page needs as well."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    context = {
        "theme": chosen if chosen in THEMES else "system",
        "navigation": [],
        "languages": settings.LANGUAGES,
    }
    # A request that was refused early (a wrong host) has no user.
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return context
    actor = actor_of(request)
    return {
        **context,
        "person": user,
        "organization": actor.organization,
        "navigation": _menu(actor, request.path),
    }


def _menu(actor: Actor, path: str) -> list[dict[str, Any]]:
    def item(entry: Entry, current: bool) -> dict[str, Any]:
        return {"label": entry.label, "url": entry.url, "current": current}

    return [
        {"label": HOME.group, "items": [item(HOME, path == HOME.url)]},
        *(
            {"label": group, "items": [item(entry, path.startswith(entry.url)) for entry in entries]}
            for group, entries in entries_for(actor)
        ),
    ]
