"""Oversight > Access review: roles, divisions and scopes that nobody used, clients that do nothing, roles
for which somebody must answer, secrets about to end.

It changes nothing itself: "Remove these" opens the page where that is done, with the choice made, and
nothing is saved until somebody does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts import drift
from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.console import spreadsheet
from accounts.console.guard import actor_of, requires
from accounts.models import RoleGrant, SubjectType, User
from accounts.permissions import Permission
from oauthclients import access_review as review
from oauthclients import queries
from oauthclients.access_review import AppAccess, Looked, Pair
from oauthclients.console import charts, drifted, rights, words
from oauthclients.models import Client, ClientSecret
from oauthclients.rules.unused import PERIODS, USUAL_REVIEW

PER_PAGE = 25
MAY = (Permission.OAUTH_CLIENT_VIEW, Permission.OAUTH_CLIENT_AUTHORIZE)
ACCESS, SCOPES, UNUSED, DRIFT, SECRETS = "access", "scopes", "unused", "drift", "secrets"
# The columns of the file, whatever the language: programs read them.
COLUMNS = ("finding", "name", "clientId", "what", "division", "lastUsed", "notedSince", "detail")


@dataclass(frozen=True)
class Part:
    """One kind of finding: everything of it, lazily, and its rows as the page shows them."""

    key: str
    label: Any
    permission: str
    found: Callable[[Actor, Looked], Sequence[Any] | QuerySet[Any]]
    rows: Callable[[Actor, Looked, Sequence[Any]], list[dict[str, Any]]]


@require_safe
@requires(*MAY)
def page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    days = _days(request)
    looked = review.look(actor.organization, days)
    parts = _permitted(actor)
    found = {part.key: part.found(actor, looked) for part in parts}
    shown = next((part for part in parts if part.key == request.GET.get("show")), parts[0])
    paginators = {key: Paginator(rows, PER_PAGE) for key, rows in found.items()}
    this = paginators[shown.key].get_page(request.GET.get("page"))
    too_young = review.too_young(looked) if shown.key == ACCESS else 0
    return render(
        request,
        "oauth/access_review/page.html",
        {
            "breadcrumbs": [
                {"label": _("Admin"), "url": reverse("admin-home")},
                {"label": _("Access review")},
            ],
            "days": days,
            "part": shown.key,
            "page": this,
            "rows": shown.rows(actor, looked, list(this.object_list)),
            "too_young": too_young,
            "too_young_text": _too_young(too_young, days) if too_young else "",
            "not_enforced": shown.key == SCOPES and not actor.organization.enforce_scopes,
            "groups": _groups(parts, paginators, shown.key, days),
            "csv_url": f"{reverse('access-review-csv')}?{urlencode({'days': days})}",
            "prev_url": _address(shown.key, days, this.previous_page_number())
            if this.has_previous()
            else "",
            "next_url": _address(shown.key, days, this.next_page_number()) if this.has_next() else "",
        },
    )


@require_safe
@requires(*MAY)
def csv(request: HttpRequest) -> HttpResponse:
    """Everything that this person may see, and not the page alone."""
    actor = actor_of(request)
    looked = review.look(actor.organization, _days(request))
    lines: dict[str, Callable[[Looked, Any], Iterator[tuple[Any, ...]]]] = {
        ACCESS: _access_lines,
        SCOPES: _scope_lines,
        UNUSED: _unused_lines,
        DRIFT: _drift_lines,
        SECRETS: _secret_lines,
    }
    return spreadsheet.download(
        f"access-review-{looked.today}-{looked.days}-days",
        COLUMNS,
        (line for part in _permitted(actor) for line in lines[part.key](looked, part.found(actor, looked))),
    )


def _days(request: HttpRequest) -> int:
    """Those that the address asks for; anything that it cannot mean is the usual."""
    return next((one for one in PERIODS if str(one) == request.GET.get("days")), USUAL_REVIEW)


def _address(show: str, days: int, number: int = 1) -> str:
    parameters = {
        "show": show,
        "days": "" if days == USUAL_REVIEW else days,
        "page": "" if number == 1 else number,
    }
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"{reverse('access-review')}?{query}"


def _groups(
    parts: list[Part], paginators: dict[str, Paginator[Any]], shown: str, days: int
) -> list[dict[str, Any]]:
    return [
        {
            "label": _("Show"),
            "filters": [
                {
                    "label": part.label,
                    "url": _address(part.key, days),
                    "count": paginators[part.key].count,
                    "current": part.key == shown,
                }
                for part in parts
            ],
        },
        {
            "label": _("Not used for"),
            "filters": [
                {
                    "label": ngettext("%(n)s day", "%(n)s days", number) % {"n": number},
                    "url": _address(shown, number),
                    "current": number == days,
                }
                for number in PERIODS
            ],
        },
    ]


def _too_young(count: int, days: int) -> str:
    return ngettext(
        "%(n)s client is too young to tell: its use has been noted for less than %(days)s days.",
        "%(n)s clients are too young to tell: their use has been noted for less than %(days)s days.",
        count,
    ) % {"n": words.number(count), "days": days}


def last_used(day: date | None, noted_since: date) -> str:
    """When something was used last, or since when it would have been seen."""
    if day is not None:
        return _("last used %(day)s") % {"day": charts.day_name(day)}
    return _("not used since %(day)s") % {"day": charts.day_name(noted_since)}


# --- Roles and divisions -------------------------------------------------------------------------


def _access(actor: Actor, looked: Looked) -> QuerySet[Client]:
    return review.clients_with_unused_access(looked)


def _access_rows(actor: Actor, looked: Looked, clients: Sequence[Client]) -> list[dict[str, Any]]:
    allowed = rights.of_many(actor, clients)
    return [
        {
            "client": one.client,
            "unused": [_pair_row(pair) for pair in one.unused],
            "used": _of_so_many(len(one.used), one.count),
            "young": _young(len(one.too_young)),
            "elsewhere": charts.day_name(one.elsewhere) if one.elsewhere else "",
            "may_edit": allowed[one.client.id].edit,
            # A client without any role is none; what could be done about it is to switch it off.
            "nothing_left": len(one.unused) == one.count,
            "remove_url": _without(
                reverse("oauth-client-edit", args=[one.client.id]),
                (f"{pair.grant.role_id}:{pair.grant.division_id or '*'}" for pair in one.unused),
            ),
        }
        for one in review.access_of(looked, clients)
    ]


def _pair_row(pair: Pair) -> dict[str, str]:
    division = pair.grant.division
    return {
        "role": pair.grant.role.label,
        "division": division.name if division else _("all divisions"),
        "last_used": last_used(pair.seen.last_day, pair.seen.noted_since),
    }


def _of_so_many(used: int, count: int) -> str:
    return _("%(used)s of %(count)s") % {"used": words.number(used), "count": words.number(count)}


def _young(count: int) -> str:
    if not count:
        return ""
    return ngettext("%(n)s more is too new to tell", "%(n)s more are too new to tell", count) % {"n": count}


def _without(url: str, values: Iterable[str], **more: Iterable[str]) -> str:
    named = {"without": values, **more}
    return f"{url}?{urlencode([(name, value) for name, some in named.items() for value in some])}"


def _access_lines(looked: Looked, clients: QuerySet[Client]) -> Iterator[tuple[Any, ...]]:
    for some in _batches(clients):
        for one in review.access_of(looked, some):
            for pair in one.unused:
                yield (
                    "unused role",
                    one.client.name,
                    one.client.client_id,
                    pair.grant.role.name,
                    pair.grant.division.name if pair.grant.division else "*",
                    pair.seen.last_day,
                    pair.seen.noted_since,
                    f"introspected {one.elsewhere}" if one.elsewhere else "",
                )


def _batches(rows: QuerySet[Any], size: int = 500) -> Iterator[list[Any]]:
    pages = Paginator(rows, size)
    for number in pages.page_range:
        yield list(pages.page(number).object_list)


# --- Scopes --------------------------------------------------------------------------------------


def _scopes(actor: Actor, looked: Looked) -> list[AppAccess]:
    return review.apps_with_unused_scopes(looked)


def _scope_rows(actor: Actor, looked: Looked, apps: Sequence[AppAccess]) -> list[dict[str, Any]]:
    return [
        {
            "client": app.authorization.client,
            "own": app.authorization.client.organization_id == actor.organization.id,
            "url": reverse("authorized-application", args=[app.authorization.client_id]),
            "unused": [
                {
                    "name": scope.name,
                    "last_used": _("only reading was used")
                    if scope.read_only
                    else last_used(scope.seen.last_day, scope.seen.noted_since),
                }
                for scope in app.unused
            ],
            "used": _of_so_many(app.used, app.used + app.too_young + len(app.unused)),
            "young": _young(app.too_young),
            "elsewhere": charts.day_name(app.elsewhere) if app.elsewhere else "",
            "nothing_left": not app.used
            and not app.too_young
            and not any(scope.read_only for scope in app.unused),
            "remove_url": _without(
                reverse("authorized-application", args=[app.authorization.client_id]),
                (scope.name for scope in app.unused if not scope.read_only),
                readonly=[scope.name for scope in app.unused if scope.read_only],
            ),
        }
        for app in apps
    ]


def _scope_lines(looked: Looked, apps: Iterable[AppAccess]) -> Iterator[tuple[Any, ...]]:
    for app in apps:
        for scope in app.unused:
            yield (
                "unused scope",
                app.authorization.client.name,
                app.authorization.client.client_id,
                scope.name,
                "",
                scope.seen.last_day,
                scope.seen.noted_since,
                f"enough: {scope.read_only}" if scope.read_only else "",
            )


# --- Clients -------------------------------------------------------------------------------------


def _unused(actor: Actor, looked: Looked) -> QuerySet[Client]:
    return review.unused_clients(looked)


def _unused_rows(actor: Actor, looked: Looked, clients: Sequence[Client]) -> list[dict[str, Any]]:
    allowed = rights.of_many(actor, clients)
    return [
        {
            "client": client,
            "state": words.state(client),
            "grant": words.grant_type(client).label,
            "entries": rights.entries(client, allowed[client.id]),
        }
        for client in clients
    ]


def _unused_lines(looked: Looked, clients: QuerySet[Client]) -> Iterator[tuple[Any, ...]]:
    for client in clients.iterator(chunk_size=500):
        yield (
            "unused client",
            client.name,
            client.client_id,
            client.state,
            "",
            client.last_used_at.date() if client.last_used_at else None,
            client.created.date(),
            "",
        )


# --- Drift ---------------------------------------------------------------------------------------


def _drift(actor: Actor, looked: Looked) -> QuerySet[RoleGrant]:
    """Of clients, and of the people whose roles this person may see."""
    where = drifted.people_seen(actor)
    people = account_queries.people_in(actor.organization, where) if where else User.objects.none()
    return review.pairs_among(drift.grants(actor.organization), people, queries.clients(actor.organization))


def _drift_rows(actor: Actor, looked: Looked, grants: Sequence[RoleGrant]) -> list[dict[str, Any]]:
    names = drifted.names(actor.organization, _all_of(grants))
    return [
        {
            "holder": names.get(grant.subject_id, ""),
            "client": grant.subject_type == SubjectType.CLIENT,
            "url": reverse("oauth-client", args=[grant.subject_id])
            if grant.subject_type == SubjectType.CLIENT
            else reverse("person", args=[grant.subject_id]),
            "sentence": drift.sentence(grant, names.get(grant.granted_by_id, str(drifted.GONE))),
        }
        for grant in grants
    ]


def _all_of(grants: Iterable[RoleGrant]) -> set[Any]:
    return {id for grant in grants for id in (grant.subject_id, grant.granted_by_id) if id is not None}


def _drift_lines(looked: Looked, grants: QuerySet[RoleGrant]) -> Iterator[tuple[Any, ...]]:
    for some in _batches(grants):
        names = drifted.names(looked.organization, _all_of(some))
        for grant in some:
            client = grant.subject_type == SubjectType.CLIENT
            yield (
                "drifted role",
                names.get(grant.subject_id, ""),
                grant.subject_id if client else "",
                grant.role.name,
                grant.division.name if grant.division else "*",
                None,
                None,
                drift.sentence(grant, names.get(grant.granted_by_id, str(drifted.GONE))),
            )


# --- Secrets -------------------------------------------------------------------------------------


def _secrets(actor: Actor, looked: Looked) -> QuerySet[ClientSecret]:
    return review.ending_secrets(looked.organization)


def _secret_rows(actor: Actor, looked: Looked, secrets: Sequence[ClientSecret]) -> list[dict[str, Any]]:
    """One that was used within the last day is probably still in use somewhere."""
    now = timezone.now()
    return [
        {
            "secret": secret,
            "in_use": secret.last_used_at is not None and (now - secret.last_used_at).days < 1,
        }
        for secret in secrets
    ]


def _secret_lines(looked: Looked, secrets: QuerySet[ClientSecret]) -> Iterator[tuple[Any, ...]]:
    for secret in secrets.iterator(chunk_size=500):
        yield (
            "ending secret",
            secret.client.name,
            secret.client.client_id,
            f"ends in {secret.last_four}",
            "",
            secret.last_used_at.date() if secret.last_used_at else None,
            secret.created_at.date(),
            f"works until {secret.ends_at.isoformat() if secret.ends_at else ''}",
        )


PARTS = (
    Part(ACCESS, gettext_lazy("Roles and divisions"), Permission.OAUTH_CLIENT_VIEW, _access, _access_rows),
    Part(SCOPES, gettext_lazy("Scopes of apps"), Permission.OAUTH_CLIENT_AUTHORIZE, _scopes, _scope_rows),
    Part(UNUSED, gettext_lazy("Unused clients"), Permission.OAUTH_CLIENT_VIEW, _unused, _unused_rows),
    Part(DRIFT, gettext_lazy("Roles to answer for"), Permission.OAUTH_CLIENT_VIEW, _drift, _drift_rows),
    Part(SECRETS, gettext_lazy("Ending secrets"), Permission.OAUTH_CLIENT_VIEW, _secrets, _secret_rows),
)


def _permitted(actor: Actor) -> list[Part]:
    return [part for part in PARTS if actor.access.decide(part.permission)]
