"""A client > Usage: what it used, over the days that are chosen, and the same as a file."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.console import spreadsheet
from accounts.console.guard import actor_of, requires
from accounts.permissions import Permission
from oauthclients import queries, usage_reports
from oauthclients.console import client_pages, usage_figures, words
from oauthclients.models import Client, ClientSecret
from oauthclients.usage_reports import RANGES, USUAL_RANGE, Counts

# The columns of the file, whatever the language: programs read them.
COLUMNS = (
    "date",
    "httpMethod",
    "templateUri",
    "requests",
    "status200",
    "status300",
    "status400",
    "status500",
    "status429",
)


@require_safe
@requires(Permission.OAUTH_CLIENT_VIEW, Permission.USAGE_CLIENT_VIEW)
def usage(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    client = queries.client(actor.organization, client_id)
    days = _days(request)
    here = reverse("oauth-client-usage", args=[client.id])
    may_view = bool(actor.access.decide(Permission.OAUTH_CLIENT_VIEW))
    return render(
        request,
        "oauth/clients/usage.html",
        {
            "breadcrumbs": [
                *client_pages.breadcrumbs(),
                {"label": client.name, "url": reverse("oauth-client", args=[client.id])},
                {"label": _("Usage")},
            ]
            if may_view
            else [{"label": client.name}, {"label": _("Usage")}],
            "client": client,
            "grant": words.grant_type(client),
            "state": words.state(client),
            "secrets": _secrets(client),
            "usage": usage_figures.of_client(client, days),
            "groups": [
                {
                    "label": _("Period"),
                    "filters": [
                        {
                            "label": ngettext("%(n)s day", "%(n)s days", number) % {"n": number},
                            "url": f"{here}?days={number}",
                            "current": number == days,
                        }
                        for number in RANGES
                    ],
                }
            ],
            "csv_url": f"{reverse('oauth-client-usage-csv', args=[client.id])}?days={days}",
            "may_view": may_view,
            "columns": _columns(),
        },
    )


@require_safe
@requires(Permission.OAUTH_CLIENT_VIEW, Permission.USAGE_CLIENT_VIEW)
def usage_csv(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    client = queries.client(actor.organization, client_id)
    days = usage_reports.days_up_to(timezone.now().date(), _days(request))
    rows = usage_reports.in_each_day(actor.organization.id, client.id, days)
    return spreadsheet.download(
        f"usage-{client.client_id}-{days[0]}-{days[-1]}",
        COLUMNS,
        ((day, route.method, route.route, *_sums(route.counts)) for day, route in rows),
    )


def _days(request: HttpRequest) -> int:
    """Those that the address asks for; anything that it cannot mean is the usual."""
    return next((one for one in RANGES if str(one) == request.GET.get("days")), USUAL_RANGE)


def _sums(counts: Counts) -> tuple[int, ...]:
    """As on the wire: 429 is a part of 400 (wire contract C6)."""
    return (
        counts.all,
        counts.ok,
        counts.redirected,
        counts.refused + counts.limited,
        counts.failed,
        counts.limited,
    )


def _columns() -> list[dict[str, str]]:
    """Of the tables by day and by route, after their first."""
    return [
        {"label": _("All")},
        {"label": _("Answered")},
        {"label": _("Redirected")},
        {"label": _("Refused (4xx)")},
        {"label": _("Too many (429)")},
        {"label": _("Errors (5xx)")},
    ]


def _secrets(client: Client) -> list[ClientSecret]:
    """Those that work, the current one first."""
    now = timezone.now()
    return [one for one in client.secrets.all() if one.ends_at is None or one.ends_at > now]
