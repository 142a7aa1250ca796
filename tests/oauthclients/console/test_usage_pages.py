"""What a client used, on its page, on a page of its own, in the list and as a file."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser

from accounts.permissions import Permission
from oauthclients.console import charts
from oauthclients.models import Client, Usage
from oauthclients.services import usage
from tests.cast import token_request
from tests.oauthclients.console.wizard import LIST, text

NOW = datetime(2030, 5, 15, 10, 0, tzinfo=UTC)


def used(cast, client, days_ago: int, route: str, *, organization=None, method="GET", **counts) -> None:
    counts = {f"status_{name}": counts.get(f"status_{name}", 0) for name in (200, 300, 400, 500, 429)}
    Usage.objects.create(
        organization_id=(organization or cast.acme).id,
        client_id=client.id,
        day=NOW.date() - timedelta(days=days_ago),
        method=method,
        route=route,
        requests=sum(counts.values()) - counts["status_429"],
        **counts,
    )


@pytest.fixture(autouse=True)
def _then():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def client_in_use(cast):
    client, _secret = cast.client(("Employee", cast.home), name="Billing")
    Client.objects.filter(id=client.id).update(last_used_at=NOW - timedelta(hours=3))
    used(cast, client, 0, "/oauth/token", method="POST", status_200=2)
    used(cast, client, 0, "/api/v2/users", status_200=10, status_400=5, status_429=2)
    used(cast, client, 3, "/api/v2/users", status_200=1200, status_300=1)
    used(cast, client, 3, "/api/v2/groups", method="POST", status_500=1)
    used(cast, client, 20, "/api/v2/groups", method="POST", status_200=7)
    used(cast, client, 60, "/oauth/token", method="POST", status_200=4)
    used(cast, client, 3, "/api/v2/users", organization=cast.globex, status_200=5_000)
    return client


def page(browser, client, path: str = "usage/"):
    response = browser.get(f"{LIST}{client.id}/{path}")
    assert response.status_code == 200
    return response


def test_the_page_shows_the_days_that_are_asked_for(cast, browser_of, client_in_use):
    ada = browser_of(cast.ada)

    def totals(path):
        return [chart.total for chart in page(ada, client_in_use, path).context["usage"]["charts"]]

    assert totals("usage/") == [2, 10 + 5 + 1201 + 1 + 7]
    assert totals("usage/?days=7") == [2, 10 + 5 + 1201 + 1]
    assert totals("usage/?days=90") == [6, 10 + 5 + 1201 + 1 + 7]
    # What the address cannot mean is the usual.
    assert totals("usage/?days=1000000") == totals("usage/?days=x") == totals("usage/")


def test_what_the_picture_shows_is_said_and_stands_in_a_table(cast, browser_of, client_in_use):
    shown = page(browser_of(cast.ada), client_in_use)
    content = shown.content.decode()

    assert (
        'aria-label="API calls, by day from 16 April 2030 to 15 May 2030. answered: 1,218, refused: 5, '
        'errors of the server: 1. Most on 12 May 2030: 1,202."'
    ) in content
    rows = shown.context["usage"]["by_day"]
    assert len(rows) == 30
    assert rows[0] == {"day": "15 May 2030", "cells": ["2", "15", "10", "0", "3", "2", "0"]}
    assert rows[3] == {"day": "12 May 2030", "cells": ["0", "1,202", "1,200", "1", "0", "0", "1"]}
    assert "1,202" in text(shown)
    assert " style=" not in content


def test_routes_come_by_how_often_they_were_asked_for(cast, browser_of, client_in_use):
    routes = page(browser_of(cast.ada), client_in_use).context["usage"]["routes"]

    assert [(row["method"], row["route"], row["cells"]) for row in routes] == [
        ("GET", "/api/v2/users", ["1,216", "1,210", "1", "3", "2", "0"]),
        ("POST", "/api/v2/groups", ["8", "7", "0", "0", "0", "1"]),
        ("POST", "/oauth/token", ["2", "2", "0", "0", "0", "0"]),
    ]


def test_the_clients_page_has_the_last_thirty_days(cast, browser_of, client_in_use):
    shown = page(browser_of(cast.ada), client_in_use, "")
    said = text(shown)

    assert [chart.total for chart in shown.context["usage"]["charts"]] == [2, 1224]
    assert "Last token issued today" in said
    assert "GET /api/v2/users 1,216" in said
    assert [(error["label"], error["n"]) for error in shown.context["usage"]["errors"]] == [
        ("Refused or mistaken (4xx)", "3"),
        ("Too many requests (429)", "2"),
        ("Errors of the server (5xx)", "1"),
    ]


def test_a_client_that_never_got_a_token_says_so(cast, browser_of):
    client, secret = cast.client(("Employee", cast.home), name="New")
    ada = browser_of(cast.ada)
    assert "No token issued yet" in text(page(ada, client, ""))
    assert "No token issued yet" in text(page(ada, client))

    token_request(Browser(), client.client_id, secret)
    usage.flush()

    assert "No token issued yet" not in text(page(ada, client, ""))
    assert page(ada, client, "").context["usage"]["charts"][0].total == 1


def test_a_client_that_was_used_once_says_that_it_is_not_now(cast, browser_of):
    client, _secret = cast.client(("Employee", cast.home), name="Old")
    Client.objects.filter(id=client.id).update(last_used_at=NOW - timedelta(days=200))

    assert "Not used here in the last 30 days." in text(page(browser_of(cast.ada), client, ""))


def test_the_file_has_every_route_of_every_day(cast, browser_of, client_in_use):
    response = page(browser_of(cast.ada), client_in_use, "usage.csv?days=7")

    assert f"usage-{client_in_use.client_id}-2030-05-09-2030-05-15.csv" in response["Content-Disposition"]
    rows = list(csv.reader(response.content.decode("utf-8-sig").splitlines()))
    assert rows == [
        [
            "date",
            "httpMethod",
            "templateUri",
            "requests",
            "status200",
            "status300",
            "status400",
            "status500",
            "status429",
        ],
        ["2030-05-12", "POST", "/api/v2/groups", "1", "0", "0", "0", "1", "0"],
        ["2030-05-12", "GET", "/api/v2/users", "1201", "1200", "1", "0", "0", "0"],
        ["2030-05-15", "GET", "/api/v2/users", "15", "10", "0", "5", "0", "2"],
        ["2030-05-15", "POST", "/oauth/token", "2", "2", "0", "0", "0", "0"],
    ]


@pytest.mark.parametrize("path", ["usage/", "usage.csv"])
def test_who_may_see_it(cast, browser_of, client_in_use, path):
    at = f"{LIST}{client_in_use.id}/{path}"
    assert browser_of(cast.eve).get(at).status_code == 403
    assert browser_of(cast.cleo).get(at).status_code == 404
    assert Browser().get(at).status_code == 302

    cast.custom_role("Counts", Permission.USAGE_CLIENT_VIEW)
    cast.give(cast.eve, ("Counts", cast.home))
    assert browser_of(cast.eve).get(at).status_code == 200


def test_the_list_draws_what_each_client_asked_for(cast, browser_of, client_in_use):
    cast.client(("Employee", cast.home), name="Quiet")
    shown = browser_of(cast.ada).get(LIST)
    drawn = {row["client"].name: row["sparkline"] for row in shown.context["rows"]}

    assert drawn["Quiet"] is None
    assert drawn["Billing"]["label"] == "1,226 requests in the last 30 days"
    assert len(drawn["Billing"]["bars"]) == 3


# --- The pictures --------------------------------------------------------------------------------

DAYS = [date(2030, 5, day) for day in range(1, 8)]


def test_bars_stand_on_the_ground_and_reach_the_top():
    chart = charts.bars(
        "Calls",
        DAYS,
        [
            charts.Series("ok", "answered", [0, 1, 2, 3, 4, 5, 600]),
            charts.Series("failed", "x", [0, 0, 0, 0, 0, 0, 200]),
        ],
    )

    assert chart.bars[0].parts == ()
    assert all(part.height >= charts.LEAST for bar in chart.bars for part in bar.parts)
    last = chart.bars[-1].parts
    assert [(part.y, part.height) for part in last] == [(24.0, 72.0), (0.0, 24.0)]
    assert all(bar.x >= 0 and bar.x + bar.width <= charts.WIDTH for bar in chart.bars)
    assert chart.bars[1].title == "2 May 2030 – answered: 1, x: 0"


def test_nothing_is_said_to_be_nothing():
    chart = charts.bars("Calls", DAYS, [charts.Series("ok", "answered", [0] * 7)])

    assert chart.label == "Calls, by day from 1 May 2030 to 7 May 2030: none."
    assert re.sub(r"\D", "", chart.total_text) == "0"
