"""`/oauth/clients/{clientId}/usage/...`, and `/usage/...` for the whole organization (wire contract C6).

A question is put down and answered under its `executionId`, to whoever asked it, for a day. Days are those
of UTC, and today is never part of an answer: it is not over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Permission
from oauthclients import queries, usage_reports
from oauthclients.api import shapes
from oauthclients.api.errors import ApiError
from oauthclients.api.oauth_clients import OAUTH_READ
from oauthclients.api.paging import LARGEST
from oauthclients.api.params import Body, Query, bad_parameter
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import requires
from oauthclients.services import usage_queries
from oauthclients.usage_reports import GRANULARITIES, GROUPS, METRICS, MOST_DAYS, MOST_ROWS, Question

USAGE_READ = (*OAUTH_READ, "usage", "usage:readonly")
OF_CLIENT = (Permission.OAUTH_CLIENT_VIEW, Permission.USAGE_CLIENT_VIEW)
OF_ORGANIZATION = (Permission.OAUTH_CLIENT_VIEW, Permission.USAGE_ORGANIZATION_VIEW)
SEARCH = (Permission.OAUTH_CLIENT_VIEW, Permission.USAGE_SIMPLE_SEARCH_VIEW)
# In each list of a search, and characters of each: what is put down is kept for a day.
MOST_SEARCHED, LONGEST_SEARCHED = 100, 200
# What a search has rows for.
_SEARCH_GROUPS = ("OAuthClientId", "TemplateUri", "HttpMethod")
_FIELDS: Mapping[str, str] = {
    "client_id": "clientId",
    "organization_id": "organizationId",
    "route": "templateUri",
    "method": "httpMethod",
    "Status200": "status200",
    "Status300": "status300",
    "Status400": "status400",
    "Status500": "status500",
    "Status429": "status429",
    "Requests": "requests",
}


class ClientQuery(ApiView):
    @requires(*OF_CLIENT, scopes=OAUTH_READ)
    def post(self, request: Request, client_id: str) -> Response:
        client = queries.client(self.organization, client_id)
        question = _question(Body(request.data), client_id=client.id)
        return _put_down(self, question, f"/api/v2/oauth/clients/{client.id}/usage/query/results/%s")


class ClientSummary(ApiView):
    @requires(*OF_CLIENT, scopes=OAUTH_READ)
    def get(self, request: Request, client_id: str) -> Response:
        """All that the client did on each of the last `days`, in the answer that is fetched next."""
        client = queries.client(self.organization, client_id)
        days = Query(request).whole("days", default=7, most=MOST_DAYS)
        today = timezone.now().date()
        question = Question(
            today - timedelta(days=days), today - timedelta(days=1), "Day", client_id=client.id
        )
        return _put_down(self, question, f"/api/v2/oauth/clients/{client.id}/usage/query/results/%s")


class ClientResults(ApiView):
    @requires(*OF_CLIENT, scopes=OAUTH_READ)
    def get(self, request: Request, client_id: str, execution_id: str) -> Response:
        client = queries.client(self.organization, client_id)
        question = usage_queries.asked(actor=self.actor, query_id=execution_id, client_id=client.id)
        rows = _rows(self, question)
        of_client = {"clientId": client.client_id, "clientName": client.name}
        return _complete([{**of_client, **row} for row in rows])


class OrganizationQuery(ApiView):
    @requires(*OF_ORGANIZATION, scopes=USAGE_READ)
    def post(self, request: Request) -> Response:
        return _put_down(self, _question(Body(request.data)), "/api/v2/usage/query/%s/results")


class OrganizationResults(ApiView):
    @requires(*OF_ORGANIZATION, scopes=USAGE_READ)
    def get(self, request: Request, execution_id: str) -> Response:
        question = usage_queries.asked(actor=self.actor, query_id=execution_id, client_id=None)
        return _complete(_rows(self, question))


class SimpleSearch(ApiView):
    @requires(*SEARCH, scopes=USAGE_READ)
    def post(self, request: Request) -> Response:
        """By names of clients, methods and routes; a row for each of the three that occur together."""
        body = Body(request.data)
        names, methods, routes = (
            tuple(dict.fromkeys(body.texts(name, most=MOST_SEARCHED, longest=LONGEST_SEARCHED) or ()))
            for name in ("oauthClientNames", "httpMethods", "templateUris")
        )
        first, last = _interval(body)
        metrics = _several(body, "metrics", METRICS) or tuple(METRICS)
        body.check()
        question = Question(
            first,
            last,
            group_by=_SEARCH_GROUPS,
            metrics=metrics,
            client_names=names,
            methods=methods,
            routes=routes,
        )
        return _put_down(self, question, "/api/v2/usage/simplesearch/%s/results")


class SimpleSearchResults(ApiView):
    @requires(*SEARCH, scopes=USAGE_READ)
    def get(self, request: Request, execution_id: str) -> Response:
        """A page of them: `after` is the cursor of the answer before."""
        query = Query(request)
        size = query.whole("pageSize", default=100, most=LARGEST)
        after = query.text("after")
        if after and not (after.isascii() and after.isdigit() and len(after) < 6):
            raise bad_parameter("after", _("Use the cursor of the answer before."))
        question = usage_queries.asked(actor=self.actor, query_id=execution_id, client_id=None)
        # Days that are over change no more, so that a place in the answer is a place.
        start = int(after or 0)
        rows = _rows(self, question)
        cursors = {}
        if start:
            cursors["before"] = str(max(0, start - size))
        if start + size < len(rows):
            cursors["after"] = str(start + size)
        return _complete(rows[start : start + size], cursors)


def _question(body: Body, **more: Any) -> Question:
    first, last = _interval(body)
    granularity = _one(body, "granularity", GRANULARITIES)
    metrics = _several(body, "metrics", METRICS) or tuple(METRICS)
    group_by = _several(body, "groupBy", GROUPS)
    body.check()
    return Question(first, last, granularity, group_by, metrics, **more)


def _put_down(view: ApiView, question: Question, uri: str) -> Response:
    put = usage_queries.ask(actor=view.actor, question=question)
    return Response({"executionId": str(put.id), "resultsUri": uri % put.id})


def _complete(rows: list[dict[str, Any]], cursors: dict[str, str] | None = None) -> Response:
    return Response({"queryStatus": "Complete", "results": rows, "cursors": cursors or {}})


def _rows(view: ApiView, question: Question) -> list[dict[str, Any]]:
    found = usage_reports.answer(view.organization, question, most=MOST_ROWS)
    if len(found) > MOST_ROWS:
        raise ApiError(
            400,
            "response.entity.too.large",
            _("The answer would have more than %(most)s rows. Ask for a shorter interval or fewer groups.")
            % {"most": MOST_ROWS},
        )
    names = usage_reports.names_of(row["client_id"] for row in found if "client_id" in row)
    return [_shaped(row, names) for row in found]


def _shaped(row: dict[str, Any], names: Mapping[Any, str]) -> dict[str, Any]:
    shape = {
        field: str(row[key]) if key.endswith("_id") else row[key]
        for key, field in _FIELDS.items()
        if key in row
    }
    if "client_id" in row and row["client_id"] in names:
        shape["clientName"] = names[row["client_id"]]
    if "date" in row:
        shape["date"] = shapes.date(datetime.combine(row["date"], time(), UTC))
    return shape


def _interval(body: Body) -> tuple[date, date]:
    """The days that `start/end` touches, both included, but for today and what comes after; one that ends
    at midnight does not touch the day that begins then."""
    yesterday = timezone.now().date() - timedelta(days=1)
    text = body.text("interval", code="invalid.date")
    start, slash, end = (text or "").partition("/")
    begins, ends = _moment(start), _moment(end)
    if text is None and not body.has("interval"):
        body.problems.add("interval", "invalid.value", _("“interval” is required."))
    elif begins is None or ends is None or not slash:
        if text is not None:
            body.problems.add(
                "interval",
                "invalid.date",
                _("“interval” must be two dates like 2026-11-01T00:00:00.000Z/2026-11-08T00:00:00.000Z."),
            )
    elif begins >= ends:
        body.problems.add("interval", "invalid.value", _("“interval” must end after it starts."))
    elif ends - begins > timedelta(days=MOST_DAYS):
        body.problems.add(
            "interval",
            "invalid.value",
            _("“interval” can have at most %(most)s days.") % {"most": MOST_DAYS},
        )
    else:
        return begins.date(), min((ends - timedelta(microseconds=1)).date(), yesterday)
    return yesterday, yesterday


def _moment(text: str) -> datetime | None:
    """A point in time in ISO 8601; one without a zone is UTC, and a date alone its beginning."""
    try:
        found = parse_datetime(text)
        if found is None:
            day = parse_date(text)
            found = datetime.combine(day, time()) if day else None
        if found is None:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _one(body: Body, name: str, allowed: Collection[str]) -> str:
    """One of these, however it is capitalized; empty where nothing was given."""
    value = body.text(name)
    return (_known(body, name, [value], allowed) or [""])[0] if value else ""


def _several(body: Body, name: str, allowed: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_known(body, name, body.texts(name) or [], allowed)))


def _known(body: Body, name: str, values: list[str], allowed: Collection[str]) -> list[str]:
    by_lower = {one.lower(): one for one in allowed}
    if not {value.lower() for value in values} <= by_lower.keys():
        body.problems.add(
            name,
            "invalid.value",
            _("“%(field)s” must be one of: %(allowed)s.") % {"field": name, "allowed": ", ".join(allowed)},
        )
        return []
    return [by_lower[value.lower()] for value in values]
