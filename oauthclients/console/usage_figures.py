"""What a client used, as figures and pictures for its pages (usage_pages.py)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from oauthclients import usage_reports
from oauthclients.console import charts, words
from oauthclients.models import Client
from oauthclients.usage_reports import USUAL_RANGE, Counts, Day, Route

TOP_ROUTES = 5


def section(client: Client) -> dict[str, Any]:
    """For the client's page: the last 30 days. Three statements."""
    return {**of_client(client, USUAL_RANGE), "url": reverse("oauth-client-usage", args=[client.id])}


def of_client(client: Client, count: int) -> dict[str, Any]:
    """`client` as it is used in its own organization. What it does for people of others is theirs."""
    today = timezone.now().date()
    days = usage_reports.days_up_to(today, count)
    by_day = usage_reports.by_day(client.organization_id, client.id, days)
    routes = usage_reports.by_route(client.organization_id, client.id, days)
    last_token = usage_reports.last_token_day(client.organization_id, client.id)
    calls = sum((one.calls for one in by_day), Counts())
    tokens = sum(one.tokens for one in by_day)
    return {
        "any": bool(tokens or calls.all or routes),
        "ever": client.last_used_at is not None or last_token is not None,
        "days": count,
        "last_used_at": client.last_used_at,
        "last_token": _last_token(last_token, today),
        "charts": _charts(days, by_day),
        "by_day": [{"day": charts.day_name(one.day), "cells": _cells(one)} for one in reversed(by_day)],
        "routes": [{"method": one.method, "route": one.route, "cells": _of_route(one)} for one in routes],
        "top": [
            {"method": one.method, "route": one.route, "n": words.number(one.counts.all)}
            for one in routes[:TOP_ROUTES]
        ],
        "errors": _errors(routes),
    }


def _last_token(day: date | None, today: date) -> str:
    if day is None:
        return _("none that is still counted")
    return _("today") if day == today else charts.day_name(day)


def _charts(days: Sequence[date], by_day: Sequence[Day]) -> list[charts.Chart]:
    return [
        charts.bars(
            _("Tokens issued"),
            days,
            [charts.Series("ok", _("tokens"), [one.tokens for one in by_day])],
        ),
        charts.bars(
            _("API calls"),
            days,
            [
                charts.Series("ok", _("answered"), [one.calls.ok + one.calls.redirected for one in by_day]),
                charts.Series(
                    "refused", _("refused"), [one.calls.refused + one.calls.limited for one in by_day]
                ),
                charts.Series("failed", _("errors of the server"), [one.calls.failed for one in by_day]),
            ],
        ),
    ]


def _cells(day: Day) -> list[str]:
    return [words.number(day.tokens), *_numbers(day.calls)]


def _of_route(route: Route) -> list[str]:
    return _numbers(route.counts)


def _numbers(counts: Counts) -> list[str]:
    return [
        words.number(value)
        for value in (
            counts.all,
            counts.ok,
            counts.redirected,
            counts.refused,
            counts.limited,
            counts.failed,
        )
    ]


def _errors(routes: Sequence[Route]) -> list[dict[str, str]]:
    """By kind, only those that occurred."""
    all_of_them = sum((one.counts for one in routes), Counts())
    kinds = (
        (_("Refused or mistaken (4xx)"), all_of_them.refused),
        (_("Too many requests (429)"), all_of_them.limited),
        (_("Errors of the server (5xx)"), all_of_them.failed),
    )
    return [{"label": label, "n": words.number(count)} for label, count in kinds if count]
