"""Oversight > Audit log: who did what, to what, when, from where. Everything that it shows is in its
address, so that it can be kept and sent. It only reads: there is no way to change or remove a line."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import audit, queries, trail
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.models import AuditEvent
from accounts.permissions import Permission
from oauthclients import queries as client_queries
from oauthclients.console import audit_filter, audit_words
from oauthclients.console.audit_filter import Wanted

PER_PAGE = 25


@require_safe
@requires(Permission.AUDITS_AUDIT_VIEW)
def audit_log(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    wanted = Wanted.from_address(request.GET.dict())
    choices: Sequence[tuple[str, str]] = ()
    meant = wanted
    if wanted.name:
        named = audit_filter.named(actor, wanted.name)
        choices, meant = named.choices, with_named(wanted, named)
    nobody = bool(wanted.name) and not meant.who
    below = trail.Position.from_text(request.GET.get("below", ""))
    page = trail.Page(())
    if not meant.errors and not nobody:
        page = trail.page(actor.organization, meant.lines(), below=below, size=PER_PAGE)
    return render(
        request,
        "audit/log.html",
        {
            "breadcrumbs": [{"label": _("Admin"), "url": reverse("admin-home")}, {"label": _("Audit log")}],
            "wanted": meant,
            "errors": [
                {"target": f"filter-{name}", "message": text} for name, text in meant.errors.items()
            ],
            "rows": _rows(actor, meant, page.lines),
            "looked_back_to": page.looked_back_to,
            "choices": [
                {"label": label, "url": wanted.address(name="", who=key)} for key, label in choices
            ],
            "nobody": nobody and not choices,
            "periods": [
                {
                    "label": label,
                    "url": meant.address(range=key, start="", end="", errors={}),
                    "current": not meant.custom and meant.range == key,
                }
                for key, label in audit_filter.PERIODS.items()
            ],
            "selects": audit_filter.selects(meant),
            "kept": _only(actor, meant),
            "hidden": [
                {"name": name, "value": value}
                for name, value in meant.kept.items()
                if name in ("range", "who", "entity", "request")
            ],
            "clear_url": reverse("audit-log") if meant.narrowed else "",
            "newest_url": meant.address() if below else "",
            "older_url": meant.address(below=str(page.more)) if page.more else "",
            "csv_url": meant.address("audit-log-csv"),
            "json_url": meant.address("audit-log-json"),
            "may_download": bool(page.lines or page.more),
        },
    )


def with_named(wanted: Wanted, named: audit_filter.Named) -> Wanted:
    """With the one that the typed name means, in its place."""
    return replace(wanted, name="", who=named.who) if named.who else wanted


def _only(actor: Actor, wanted: Wanted) -> list[dict[str, str]]:
    """What the log is held to besides the form, each with the way to take that away."""
    found = []
    for name, pattern in (
        ("who", _("By ‘%(name)s’")),
        ("entity", _("About ‘%(name)s’")),
        ("request", _("Request %(name)s")),
    ):
        if key := queries.as_uuid(getattr(wanted, name)) if getattr(wanted, name) else None:
            label = None if name == "request" else trail.name_of(actor.organization, key)
            found.append({"label": pattern % {"name": label or key}, "url": wanted.address(**{name: ""})})
    return found


def _rows(actor: Actor, wanted: Wanted, lines: Sequence[AuditEvent]) -> list[dict[str, Any]]:
    managers = audit_words.managers(actor, lines)
    related = trail.related(actor.organization, lines)
    pages = _pages(actor, lines)
    return [
        {
            "line": line,
            "did": audit_words.sentence(line.action),
            "more": audit_words.more(line),
            "refused": line.action in audit.REFUSALS,
            "kind": audit_words.kind(line.entity_type),
            "changes": audit_words.changes(line, managers),
            "also": [
                {
                    "who": other.actor_name,
                    "did": audit_words.sentence(other.action),
                    "what": other.entity_name,
                }
                for other in related.get(line.request_id, ())
                if other.id != line.id
            ]
            if line.request_id
            else [],
            "links": _links(line, pages),
        }
        for line in lines
    ]


def _links(line: AuditEvent, pages: Mapping[uuid.UUID, str]) -> list[dict[str, str]]:
    """From a line to what is near it: the pages of what it names, if they are there, and other lines."""
    always = Wanted(range=audit_filter.ALWAYS)
    found = []
    if line.entity_id and (url := pages.get(line.entity_id)):
        found.append({"label": _("Open ‘%(name)s’") % {"name": line.entity_name}, "url": url})
    if line.entity_id:
        label = _("All about ‘%(name)s’") % {"name": line.entity_name}
        found.append({"label": label, "url": always.address(entity=str(line.entity_id))})
    if line.actor_id:
        label = _("All by ‘%(name)s’") % {"name": line.actor_name}
        found.append({"label": label, "url": always.address(who=str(line.actor_id))})
    if line.request_id:
        url = always.address(request=str(line.request_id))
        found.append({"label": _("All of this request"), "url": url})
    return found


def _pages(actor: Actor, lines: Iterable[AuditEvent]) -> dict[uuid.UUID, str]:
    """The pages of what the lines are about, where it is still there and the viewer may open it: a
    statement for each kind on the page."""
    by_kind: dict[str, set[uuid.UUID]] = {}
    for line in lines:
        if line.entity_id:
            by_kind.setdefault(line.entity_type, set()).add(line.entity_id)
    here = actor.organization
    seen = actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
    ways: tuple[tuple[audit.Kind, Permission, Any, str], ...] = (
        (audit.Kind.CLIENT, Permission.OAUTH_CLIENT_VIEW, client_queries.clients(here), "oauth-client"),
        (
            audit.Kind.USER,
            Permission.DIRECTORY_USER_VIEW,
            queries.people_in(here, seen),
            "person",
        ),
        (audit.Kind.ROLE, Permission.AUTHORIZATION_ROLE_VIEW, queries.roles(here), "role"),
        (
            audit.Kind.PROVIDER,
            Permission.SSO_PROVIDER_VIEW,
            queries.providers(here),
            "single-sign-on-provider",
        ),
    )
    found: dict[uuid.UUID, str] = {}
    for kind, permission, rows, url_name in ways:
        ids = by_kind.get(kind)
        if ids and actor.access.decide(permission):
            there = rows.filter(id__in=ids).order_by().values_list("id", flat=True)
            found |= {key: reverse(url_name, args=[key]) for key in there}
    if audit.Kind.ORGANIZATION in by_kind and actor.access.decide(Permission.DIRECTORY_ORGANIZATION_ADMIN):
        found[here.id] = reverse("organization-settings")
    return found
