"""Integrations > Authorized Applications > an app: what it asks for, what of it is allowed, and to whom. Of
another organization's client it tells what people see who are asked to agree, and no more.

Everything is decided by `services.authorizations`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.errors import Conflict, Invalid, Problem
from accounts.permissions import Permission
from oauthclients import grant_types, queries, scopes
from oauthclients.api import routes
from oauthclients.console import authorized_apps, words
from oauthclients.console.authorized_apps import STATES
from oauthclients.console.tables import RoleBook, family_label
from oauthclients.models import AuthorizationState, Client, ClientAuthorization
from oauthclients.scopes import CATALOGUE
from oauthclients.services import authorizations, tokens

ASK = require_http_methods(["GET", "HEAD", "POST"])
EVERYONE, SOME_ROLES = "everyone", "roles"
READ_ONLY, FULL = "readonly", "full"
# More roles than these are searched.
MANY_ROLES = 8


@ASK
@requires(Permission.OAUTH_CLIENT_AUTHORIZE)
def app(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    page = AppPage(request, client_id)
    return page.post() if request.method == "POST" else page.get()


@dataclass(frozen=True)
class Typed:
    """What the form says. `version` is that of the authorization which the person saw, 0 for none."""

    scope: frozenset[str]
    limited: bool
    roles: tuple[str, ...]
    version: int

    @classmethod
    def read(cls, post: QueryDict) -> Typed:
        """A switch that is on comes with how far, where the app asks to change something."""
        version = post.get("version", "")
        return cls(
            scope=frozenset(_scope(family, post.get(f"extent-{family}", FULL)) for family in _chosen(post)),
            limited=post.get("audience") == SOME_ROLES,
            roles=tuple(dict.fromkeys(_clean(role) for role in post.getlist("role"))),
            # What is not a number is no version of anything.
            version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else -1,
        )

    @classmethod
    def of(cls, row: ClientAuthorization | None, client: Client) -> Typed:
        """What is authorized now; for an app that is not, nothing is chosen yet."""
        on = row is not None and row.state == AuthorizationState.AUTHORIZED
        return cls(
            scope=frozenset(scopes.meet(row.scope, client.scope)) if row and on else frozenset(),
            limited=bool(row and row.roles),
            roles=tuple(row.roles) if row else (),
            version=row.version if row else 0,
        )


class AppPage:
    """`row` is what is stored, None where nothing has been said yet, and `typed` what the page shows."""

    def __init__(self, request: HttpRequest, client_id: uuid.UUID) -> None:
        self.request = request
        self.actor: Actor = actor_of(request)
        self.client = queries.app(self.actor.organization, client_id)
        self.row = queries.authorizations(self.actor.organization).filter(client=self.client).first()
        self.book = RoleBook(self.actor.organization)
        self.typed = Typed.of(self.row, self.client)
        if request.GET.get("select") == "all":  # without JavaScript
            self.typed = _all_of(self.client, self.typed)

    @property
    def authorized(self) -> bool:
        return self.row is not None and self.row.state == AuthorizationState.AUTHORIZED

    def get(self) -> HttpResponse:
        """With the scopes that the address names switched off, or to reading, as the access review proposes
        it. Nothing is taken away before somebody saves."""
        without = set(self.request.GET.getlist("without"))
        read_only = {f"{name}:readonly" for name in self.request.GET.getlist("readonly")} & CATALOGUE.keys()
        narrower = {name.removesuffix(":readonly") for name in read_only}
        was = self.typed.scope
        lost = sorted((without | narrower) & was)
        if not self.authorized or not lost:
            return self.show()
        kept = {f"{name}:readonly" for name in narrower & was} | (was - set(lost))
        self.typed = replace(self.typed, scope=frozenset(kept))
        lines = [
            _("%(scope)s: only reading") % {"scope": name} if f"{name}:readonly" in kept else name
            for name in lost
        ]
        return self.show(proposed=lines)

    def post(self) -> HttpResponse:
        self.typed = Typed.read(self.request.POST)
        if self.typed.limited and not self.typed.roles:
            return self.show(
                [Problem("roles", "missing.client.roles", _("Choose at least one role, or everyone."))]
            )
        was = self.typed.version
        try:
            row = authorizations.approve(
                actor=self.actor,
                client_id=self.client.id,
                scope=self.typed.scope,
                roles=self.typed.roles if self.typed.limited else (),
                version=was,
            )
        except Invalid as error:
            return self.show(list(error.problems))
        except Conflict:
            return self.changed_meanwhile()
        if row.version == was:
            messages.info(self.request, _("There was nothing to save."))
        elif self.authorized:
            messages.success(self.request, _("Changes saved."))
        else:
            messages.success(self.request, _("‘%(name)s’ is authorized.") % {"name": self.client.name})
        return HttpResponseRedirect(reverse("authorized-applications"))

    def changed_meanwhile(self) -> HttpResponse:
        """Nothing was saved. The form keeps what was typed, and sent again it counts."""
        self.row = queries.authorizations(self.actor.organization).filter(client=self.client).first()
        saved = Typed.of(self.row, self.client)
        self.typed = Typed(self.typed.scope, self.typed.limited, self.typed.roles, saved.version)
        row = self.row
        return self.show(
            changed_by=row.modified_by_name if row else "",
            changed_at=time_format(timezone.localtime(row.modified_at), "H:i e") if row else "",
            saved_scope=sorted(saved.scope),
        )

    def show(self, problems: Iterable[Problem] = (), **more: Any) -> HttpResponse:
        client, row, organization = self.client, self.row, self.actor.organization
        problems = list(problems)
        own = client.organization_id == organization.id
        waits = row is not None and queries.waits(row)
        context = {
            "breadcrumbs": [*authorized_apps.breadcrumbs(), {"label": client.name}],
            "client": client,
            "own": own,
            "may_view_client": own and bool(self.actor.access.decide(Permission.OAUTH_CLIENT_VIEW)),
            "hosts": return_hosts(client),
            "vouched": own and client.authorization_grant_type == grant_types.SAML2_BEARER.code,
            "authorization": row,
            "state": STATES[row.state] if row else None,
            "authorized": self.authorized,
            "refused": row is not None and row.state in authorizations.REFUSED,
            # Declined is an app that never was authorized.
            "again": row is not None and row.state == AuthorizationState.REVOKED,
            "waits": waits,
            "people": queries.people_using(organization, client),
            "last_used": queries.last_uses(organization, [client.id]).get(client.id),
            "not_enforced": not organization.enforce_scopes,
            "may_set_enforcing": bool(self.actor.access.decide(Permission.DIRECTORY_ORGANIZATION_ADMIN)),
            "typed": self.typed,
            "entries": entries_of(client.scope, self.typed, self._waiting() if waits else ()),
            "roles": self._roles(),
            "many_roles": len(self.book.roles) > MANY_ROLES,
            "form_errors": bool(problems),
            "errors": [{"message": p.message, "target": f"id_{p.field}"} for p in problems],
            "scope_errors": [p.message for p in problems if p.field == "scope"],
            "role_errors": [p.message for p in problems if p.field == "roles"],
            "dirty": bool(problems or more),
            **more,
        }
        return render(self.request, "oauth/authorized/app.html", context)

    def _waiting(self) -> list[str]:
        """What an authorized app asks for and has not got."""
        if self.row is None or not self.authorized:
            return []
        return scopes.not_covered(self.client.scope, self.row.scope)

    def _roles(self) -> list[dict[str, Any]]:
        """Those of the organization, and, so that saving drops none unseen, those that the app is limited
        to although they were deleted."""
        stored = self.row.roles if self.row else []
        return [
            *(
                {
                    "id": key,
                    "name": role.label,
                    "description": role.about,
                    "checked": key in self.typed.roles,
                }
                for key, role in self.book.roles.items()
            ),
            *(
                {
                    "id": key,
                    "name": _("a role that was deleted"),
                    "description": _("Nobody holds it."),
                    "checked": key in self.typed.roles,
                }
                for key in stored
                if key not in self.book.roles
            ),
        ]


# --- Questions -----------------------------------------------------------------------------------


@ASK
@requires(Permission.OAUTH_CLIENT_AUTHORIZE)
def decline(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    client = queries.app(actor.organization, client_id)
    row = queries.authorizations(actor.organization).filter(client=client).first()
    if request.method == "POST":
        try:
            row = authorizations.decline(actor=actor, client_id=client_id, version=_version(request))
        except Conflict as error:
            return _back(request, client, error.message)
        if row.state == AuthorizationState.AUTHORIZED:
            done = _("The request is declined. What was authorized stays.")
        else:
            done = _("‘%(name)s’ is not authorized.")
        messages.success(request, done % {"name": client.name})
        return HttpResponseRedirect(reverse("authorized-applications"))
    if row is not None and not queries.waits(row):
        return _back(request, client, _("Nobody waits for an answer about this app."))
    if row is not None and row.state == AuthorizationState.AUTHORIZED:
        text = [_("The app keeps what is authorized now, and gets nothing more.")]
    else:
        text = [_("Nobody here can use the app."), _("You can authorize it later.")]
    return _question(
        request,
        client,
        row,
        title=_("Decline ‘%(name)s’?") % {"name": client.name},
        text=text,
        confirm=_("Decline"),
    )


@ASK
@requires(Permission.OAUTH_CLIENT_AUTHORIZE)
def revoke(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    client = queries.app(actor.organization, client_id)
    row = queries.authorizations(actor.organization).filter(client=client).first()
    if request.method == "POST":
        try:
            authorizations.revoke(actor=actor, client_id=client_id, version=_version(request))
        except Conflict as error:
            return _back(request, client, error.message)
        messages.success(request, _("The authorization of ‘%(name)s’ is revoked.") % {"name": client.name})
        return HttpResponseRedirect(reverse("authorized-applications"))
    if row is None or row.state != AuthorizationState.AUTHORIZED:
        return _back(request, client, _("This app is not authorized."))
    count = tokens.live_of_app(client, actor.organization)
    people = queries.people_using(actor.organization, client)
    ends = ngettext(
        "Nobody here can use the app any more, and %(n)s token stops working at once.",
        "Nobody here can use the app any more, and %(n)s tokens stop working at once.",
        count,
    )
    return _question(
        request,
        client,
        row,
        title=_("Revoke the authorization of ‘%(name)s’?") % {"name": client.name},
        text=[
            ends % {"n": words.number(count)} if count else _("Nobody here can use the app any more."),
            _("You can authorize it again."),
        ],
        facts=[
            {"label": _("Tokens in use"), "value": words.number(count)},
            {"label": _("People who use it"), "value": words.number(people)},
        ],
        confirm=_("Revoke authorization"),
    )


def _question(
    request: HttpRequest,
    client: Client,
    row: ClientAuthorization | None,
    *,
    title: str,
    text: Iterable[str],
    confirm: str,
    facts: Iterable[dict[str, str]] = (),
) -> HttpResponse:
    url = reverse("authorized-application", args=[client.id])
    return render(
        request,
        "oauth/authorized/confirm.html",
        {
            "breadcrumbs": [
                *authorized_apps.breadcrumbs(),
                {"label": client.name, "url": url},
                {"label": confirm},
            ],
            "dialog_title": title,
            "dialog_text": text,
            "dialog_facts": facts,
            "dialog_hidden": [{"name": "version", "value": row.version if row else 0}],
            "dialog_confirm": confirm,
            "dialog_danger": True,
            "dialog_cancel_url": url,
            "dialog_action": request.path,
        },
    )


def _version(request: HttpRequest) -> int:
    return Typed.read(request.POST).version


def _back(request: HttpRequest, client: Client, why: str) -> HttpResponse:
    """Somebody else was first, or the page was old."""
    messages.error(request, why)
    return HttpResponseRedirect(reverse("authorized-application", args=[client.id]))


# --- Parts ---------------------------------------------------------------------------------------


def return_hosts(client: Client) -> list[str]:
    """Where the app takes people back to; of an app's own scheme, the scheme."""
    parts = [urlsplit(uri) for uri in client.redirect_uri_list]
    return list(dict.fromkeys(part.netloc or f"{part.scheme}:" for part in parts))


def entries_of(asked_for: Iterable[str], typed: Typed, waiting: Iterable[str] = ()) -> list[dict[str, Any]]:
    """A line for each family that is asked for, whose switch allows it; those of the scopes `waiting` are
    marked."""
    wanted = [name for name in asked_for if name in CATALOGUE]
    families = dict.fromkeys(CATALOGUE[name].family for name in wanted)
    covered = scopes.expanded(typed.scope)
    entries = []
    for family in families:
        full = family in wanted
        readonly = f"{family}:readonly"
        asked = CATALOGUE[family if full else readonly]
        entries.append(
            {
                "family": family,
                "name": asked.name,
                "label": family_label(family),
                "sentence": asked.for_administrators,
                "sensitive": asked.sensitive,
                "changes": asked.changes,
                # Where the app asks to change something, it can be allowed to read only.
                "two_ways": full and readonly in CATALOGUE,
                "on": family in covered or readonly in covered,
                "read_only": family not in typed.scope and readonly in typed.scope,
                "waiting": asked.name in waiting,
                "routes": routes.opened_by(asked.name),
                "readable": routes.opened_by(readonly) if full else (),
            }
        )
    return entries


def _all_of(client: Client, typed: Typed) -> Typed:
    return Typed(frozenset(client.scope), typed.limited, typed.roles, typed.version)


def _chosen(post: QueryDict) -> list[str]:
    return [_clean(family) for family in post.getlist("scope")]


def _scope(family: str, extent: str) -> str:
    """The scope that a switch and its extent stand for. A switch carries the scope that is asked for, so
    that a read-only one stands for itself."""
    return f"{family}:readonly" if extent == READ_ONLY and ":" not in family else family


def _clean(text: str) -> str:
    return text.replace("\x00", "")[:100]
