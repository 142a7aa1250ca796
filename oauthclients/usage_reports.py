"""Reads of what was counted of use (models/usage.py), for pages and API. Days are those of UTC. An
organization sees what was counted in it, and never what its apps did for people of another."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from django.db.models import DateField, F, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth, TruncWeek

from accounts.models import Organization
from oauthclients.models import Client, Usage

# Where tokens are given: the answers with 200 of these are tokens.
TOKEN_ROUTES = ("/oauth/token", "/oauth/authorize")
API = "/api/v2"
# Days that the pages show, and how many they show at first.
RANGES = (7, 30, 90)
USUAL_RANGE = 30


@dataclass(frozen=True)
class Counts:
    """Answers by class of status. `refused` is 4xx without 429, which is `limited`."""

    ok: int = 0
    redirected: int = 0
    refused: int = 0
    limited: int = 0
    failed: int = 0

    @property
    def all(self) -> int:
        return self.ok + self.redirected + self.refused + self.limited + self.failed

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Counts)))


@dataclass(frozen=True)
class Day:
    day: date
    tokens: int
    calls: Counts


@dataclass(frozen=True)
class Route:
    """As documented: `/api/v2/users/{userId}`. Those under `/oauth/` are counted as well."""

    method: str
    route: str
    counts: Counts


_SUMS = {
    "ok": Sum("status_200"),
    "redirected": Sum("status_300"),
    "refused": Sum(F("status_400") - F("status_429")),
    "limited": Sum("status_429"),
    "failed": Sum("status_500"),
}
_OF_API = Q(route=API) | Q(route__startswith=f"{API}/")


def days_up_to(today: date, days: int) -> list[date]:
    """So many days, today the last of them."""
    return [today - timedelta(days=ago) for ago in reversed(range(days))]


def of_client(organization_id: uuid.UUID, client_id: uuid.UUID) -> QuerySet[Usage]:
    return Usage.objects.filter(organization_id=organization_id, client_id=client_id)


def by_day(organization_id: uuid.UUID, client_id: uuid.UUID, days: list[date]) -> list[Day]:
    """Each of these days, also those without any use: one statement."""
    found = (
        of_client(organization_id, client_id)
        .filter(day__range=(days[0], days[-1]))
        .values("day")
        .annotate(
            tokens=Sum("status_200", filter=Q(route__in=TOKEN_ROUTES), default=0),
            **{
                name: Sum(total.source_expressions[0], filter=_OF_API, default=0)
                for name, total in _SUMS.items()
            },
        )
    )
    counted = {row["day"]: row for row in found}
    return [
        Day(day, row["tokens"], _counts(row)) if (row := counted.get(day)) else Day(day, 0, Counts())
        for day in days
    ]


def by_route(organization_id: uuid.UUID, client_id: uuid.UUID, days: list[date]) -> list[Route]:
    """Every route that was asked for in these days, the busiest first: one statement."""
    found = (
        of_client(organization_id, client_id)
        .filter(day__range=(days[0], days[-1]))
        .values("method", "route")
        .annotate(**_SUMS)
    )
    routes = [Route(row["method"], row["route"], _counts(row)) for row in found]
    return sorted(routes, key=lambda one: (-one.counts.all, one.route, one.method))


def in_each_day(
    organization_id: uuid.UUID, client_id: uuid.UUID, days: list[date]
) -> list[tuple[date, Route]]:
    """Every route on each of these days, for a file: one statement."""
    found = of_client(organization_id, client_id).filter(day__range=(days[0], days[-1]))
    rows = found.order_by("day", "route", "method").values(
        "day",
        "method",
        "route",
        ok=F("status_200"),
        redirected=F("status_300"),
        refused=F("status_400") - F("status_429"),
        limited=F("status_429"),
        failed=F("status_500"),
    )
    return [(row["day"], Route(row["method"], row["route"], _counts(row))) for row in rows]


def last_token_day(organization_id: uuid.UUID, client_id: uuid.UUID) -> date | None:
    """The last day on which the client was given a token here, as far as counts are kept."""
    given = of_client(organization_id, client_id).filter(route__in=TOKEN_ROUTES, status_200__gt=0)
    last: date | None = given.aggregate(last=Max("day"))["last"]
    return last


def daily_requests(
    organization_id: uuid.UUID, client_ids: Iterable[uuid.UUID], days: list[date]
) -> Mapping[uuid.UUID, list[int]]:
    """How often each of these clients asked for anything on each of these days: one statement for all of
    them. Clients that did not are not in it."""
    at = {day: number for number, day in enumerate(days)}
    found: defaultdict[uuid.UUID, list[int]] = defaultdict(lambda: [0] * len(days))
    rows = (
        Usage.objects.filter(
            organization_id=organization_id,
            client_id__in=list(client_ids),
            day__range=(days[0], days[-1]),
        )
        .values_list("client_id", "day")
        .annotate(Sum("requests"))
    )
    for client_id, day, requests in rows:
        found[client_id][at[day]] = requests
    return found


def _counts(row: Mapping[str, Any]) -> Counts:
    return Counts(**{one.name: row[one.name] for one in fields(Counts)})


# --- What the API is asked (wire contract C6) ----------------------------------------------------

METRICS: Mapping[str, str] = {
    "Status200": "status_200",
    "Status300": "status_300",
    "Status400": "status_400",
    "Status500": "status_500",
    "Status429": "status_429",
    "Requests": "requests",
}
GRANULARITIES = ("Day", "Week", "Month")
GROUPS: Mapping[str, str] = {
    "OAuthClientId": "client_id",
    "OrganizationId": "organization_id",
    "TemplateUri": "route",
    "HttpMethod": "method",
}
# An answer with more rows than these is none.
MOST_ROWS = 10_000
# A question is about so many days at most.
MOST_DAYS = 366


@dataclass(frozen=True)
class Question:
    """`last` is the last day asked about. Without a granularity, all days are one. The filters are united
    each and intersected with each other; an empty one asks for everything."""

    first: date
    last: date
    granularity: str = ""
    group_by: tuple[str, ...] = ()
    metrics: tuple[str, ...] = tuple(METRICS)
    client_id: uuid.UUID | None = None
    client_names: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()


def answer(organization: Organization, question: Question, *, most: int) -> list[dict[str, Any]]:
    """The rows of an answer, by day and then by group; of more than `most`, so many and one. A row has
    `date`, the fields of its groups and the metrics asked for."""
    rows: QuerySet[Any] = Usage.objects.filter(
        organization_id=organization.id, day__range=(question.first, question.last)
    )
    if question.client_id is not None:
        rows = rows.filter(client_id=question.client_id)
    if question.client_names:
        rows = rows.filter(client_id__in=_called(organization, question.client_names))
    if question.methods:
        rows = rows.filter(method__in=[one.upper() for one in question.methods])
    if question.routes:
        rows = rows.filter(route__in=question.routes)
    groups = [GROUPS[name] for name in question.group_by]
    periods: dict[str, dict[str, Any]] = {
        "": {},
        "Day": {"date": F("day")},
        "Week": {"date": TruncWeek("day", output_field=DateField())},
        "Month": {"date": TruncMonth("day", output_field=DateField())},
    }
    period = periods[question.granularity]
    wanted = {f"sum_{name}": Sum(METRICS[name]) for name in question.metrics}
    if not groups and not period:
        found = [rows.aggregate(**wanted)]
        if all(value is None for value in found[0].values()):
            return []
    else:
        grouped = rows.values(*groups, **period).annotate(**wanted)
        found = list(grouped.order_by(*period, *groups)[: most + 1])
    return [{name.removeprefix("sum_"): value for name, value in row.items()} for row in found]


def names_of(client_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What the clients are called; those that are gone are not in it."""
    return dict(Client.objects.filter(id__in=set(client_ids)).values_list("id", "name"))


def _called(organization: Organization, names: Iterable[str]) -> list[uuid.UUID]:
    """The organization's own clients of these names, and the apps that it has said something about."""
    called = Client.objects.filter(name__in=list(names)).order_by()
    own = called.filter(organization=organization).values_list("id", flat=True)
    others = called.filter(authorizations__organization=organization).values_list("id", flat=True)
    return [*own, *others]
