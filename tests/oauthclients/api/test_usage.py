"""`/oauth/clients/{clientId}/usage/...` and `/usage/...` (wire contract C6)."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.models import RoleGrant
from config.housekeeping import purge
from oauthclients.models import Client, Usage, UsageQuery
from oauthclients.services.usage_queries import KEPT
from tests.cast import Cast

NOW = datetime(2030, 5, 15, 10, 0, tzinfo=UTC)  # a Wednesday
CLIENT, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


def used(cast: Cast, client, days_ago: int, route="/api/v2/users", *, organization=None, **counts) -> None:
    counts = {"status_200": 1, **counts}
    Usage.objects.create(
        organization_id=(organization or cast.acme).id,
        client_id=client.id,
        day=NOW.date() - timedelta(days=days_ago),
        method=counts.pop("method", "GET"),
        route=route,
        requests=sum(value for name, value in counts.items() if name != "status_429"),
        **{f"status_{name}": 0 for name in (200, 300, 400, 500, 429)} | counts,
    )


@pytest.fixture(autouse=True)
def _then():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def clients(cast):
    one, _secret = cast.client(("Employee", cast.home), name="Billing")
    other, _secret = cast.client(("Employee", cast.home), name="Other")
    used(cast, one, 0, status_200=1000)  # today
    used(cast, one, 1, status_200=5, status_400=3, status_429=2)
    used(cast, one, 1, "/api/v2/groups", method="POST", status_500=1, status_200=0)
    used(cast, one, 8, status_200=7, status_300=1)
    used(cast, other, 1, status_200=50)
    used(cast, one, 1, organization=cast.globex, status_200=99)
    return one, other


@pytest.fixture
def asker(cast, client):
    """Asks, and fetches the answer."""
    return Asker(client, cast.bearer(("Admin", None), name="Asker"))


class Asker:
    def __init__(self, client, headers) -> None:
        self.client, self.headers = client, headers

    def post(self, path: str, **body):
        return self.client.post(
            f"/api/v2/{path}", json.dumps(body), "application/json", headers=self.headers
        )

    def get(self, path: str):
        return self.client.get(path, headers=self.headers)

    def ask(self, path: str, **body) -> list[dict]:
        return self.fetch(self.post(path, **body))

    def fetch(self, put_down) -> list[dict]:
        assert put_down.status_code == 200, put_down.content
        assert uuid.UUID(put_down.json()["executionId"])
        answer = self.get(put_down.json()["resultsUri"])
        assert answer.status_code == 200, answer.content
        assert answer.json()["queryStatus"] == "Complete"
        return answer.json()["results"]


WEEK = "2030-05-08T00:00:00.000Z/2030-05-16T00:00:00.000Z"
MONTH = "2030-04-20/2030-05-20"


def test_a_question_without_groups_has_one_row_of_all_metrics(cast, clients, asker):
    (row,) = asker.ask(f"oauth/clients/{clients[0].id}/usage/query", interval=WEEK)

    assert row == {
        "clientId": clients[0].client_id,
        "clientName": "Billing",
        "status200": 5,
        "status300": 0,
        "status400": 3,
        "status500": 1,
        "status429": 2,
        "requests": 9,
    }


def test_the_current_day_is_never_in_it(clients, asker):
    today = "2030-05-15T00:00:00Z/2030-05-16T00:00:00Z"

    assert asker.ask(f"oauth/clients/{clients[0].id}/usage/query", interval=today) == []


def test_by_route_method_and_day(clients, asker):
    rows = asker.ask(
        f"oauth/clients/{clients[0].id}/usage/query",
        interval=MONTH,
        granularity="day",
        groupBy=["TemplateUri", "httpmethod"],
        metrics=["Requests", "status500"],
    )

    assert [
        (row["date"], row["httpMethod"], row["templateUri"], row["requests"], row["status500"])
        for row in rows
    ] == [
        ("2030-05-07T00:00:00.000Z", "GET", "/api/v2/users", 8, 0),
        ("2030-05-14T00:00:00.000Z", "POST", "/api/v2/groups", 1, 1),
        ("2030-05-14T00:00:00.000Z", "GET", "/api/v2/users", 8, 0),
    ]
    assert "status200" not in rows[0]


@pytest.mark.parametrize(
    ("granularity", "dates"),
    [("Week", ["2030-05-06", "2030-05-13"]), ("Month", ["2030-05-01"])],
)
def test_weeks_begin_on_monday_and_months_on_the_first(clients, asker, granularity, dates):
    rows = asker.ask(f"oauth/clients/{clients[0].id}/usage/query", interval=MONTH, granularity=granularity)

    assert [row["date"][:10] for row in rows] == dates
    assert sum(row["requests"] for row in rows) == 17


@pytest.mark.parametrize(
    ("interval", "requests"),
    [
        ("2030-05-14T00:00:00Z/2030-05-15T00:00:00Z", 9),
        ("2030-05-14T23:59:00Z/2030-05-14T23:59:30Z", 9),
        ("2030-05-13T00:00:00Z/2030-05-14T00:00:00Z", None),
        # Midnight in Berlin is ten in the evening before, in UTC.
        ("2030-05-14T00:00:00+02:00/2030-05-14T02:00:00+02:00", None),
        ("2030-05-07/2030-05-08", 8),
    ],
)
def test_an_interval_touches_days_of_utc(clients, asker, interval, requests):
    rows = asker.ask(f"oauth/clients/{clients[0].id}/usage/query", interval=interval, metrics=["Requests"])

    assert [row["requests"] for row in rows] == ([requests] if requests else [])


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "interval", "invalid.value"),
        ({"interval": 5}, "interval", "invalid.date"),
        ({"interval": "2030-05-01"}, "interval", "invalid.date"),
        ({"interval": "2030-05-01/soon"}, "interval", "invalid.date"),
        ({"interval": "2030-05-32/2030-06-01"}, "interval", "invalid.date"),
        ({"interval": "2030-05-02/2030-05-01"}, "interval", "invalid.value"),
        ({"interval": "2020-05-02/2030-05-01"}, "interval", "invalid.value"),
        ({"interval": WEEK, "granularity": "Hour"}, "granularity", "invalid.value"),
        ({"interval": WEEK, "metrics": ["Status999"]}, "metrics", "invalid.value"),
        ({"interval": WEEK, "metrics": "Requests"}, "metrics", "invalid.value"),
        ({"interval": WEEK, "groupBy": ["UserId"]}, "groupBy", "invalid.value"),
        ({"interval": WEEK, "groupBy": [1]}, "groupBy", "invalid.value"),
    ],
)
@pytest.mark.parametrize("path", ["oauth/clients/{}/usage/query", "usage/query"])
def test_a_mistake_names_its_field(clients, asker, path, body, field, code):
    answer = asker.post(path.format(clients[0].id), **body)

    assert answer.status_code == 400
    assert [(one["fieldName"], one["errorCode"]) for one in answer.json()["details"]] == [(field, code)]
    assert not UsageQuery.objects.exists()


def test_a_summary_is_of_each_of_the_last_days(clients, asker):
    rows = asker.fetch(asker.get(f"/api/v2/oauth/clients/{clients[0].id}/usage/summary"))
    assert [(row["date"][:10], row["requests"]) for row in rows] == [("2030-05-14", 9)]

    rows = asker.fetch(asker.get(f"/api/v2/oauth/clients/{clients[0].id}/usage/summary?days=8"))
    assert [(row["date"][:10], row["requests"]) for row in rows] == [("2030-05-07", 8), ("2030-05-14", 9)]

    for days in ("0", "367", "x"):
        refused = asker.get(f"/api/v2/oauth/clients/{clients[0].id}/usage/summary?days={days}")
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid.query.param.value")


def test_the_organization_sees_all_that_acted_in_it_and_nothing_else(cast, clients, asker):
    rows = asker.ask("usage/query", interval=WEEK, groupBy=["OAuthClientId", "OrganizationId"])

    assert {(row["clientName"], row["organizationId"], row["requests"]) for row in rows} == {
        ("Billing", str(cast.acme.id), 9),
        ("Other", str(cast.acme.id), 50),
    }


def test_what_a_client_that_is_gone_did_stays_without_its_name(cast, clients, asker):
    clients[1].secrets.all().delete()
    used(cast, type(clients[1])(id=OTHER), 2, status_200=4)
    rows = asker.ask("usage/query", interval=WEEK, groupBy=["OAuthClientId"])

    gone = [row for row in rows if row["clientId"] == str(OTHER)]
    assert [(row["requests"], row.get("clientName")) for row in gone] == [(4, None)]


def test_a_search_by_names_methods_and_routes(clients, asker):
    def search(**body):
        rows = asker.ask("usage/simplesearch", interval=WEEK, **body)
        return {(row["clientName"], row["httpMethod"], row["templateUri"], row["requests"]) for row in rows}

    users, groups = ("Billing", "GET", "/api/v2/users", 8), ("Billing", "POST", "/api/v2/groups", 1)
    other = ("Other", "GET", "/api/v2/users", 50)
    assert search() == {users, groups, other}
    assert search(oauthClientNames=["Billing"]) == {users, groups}
    assert search(oauthClientNames=["Nobody"]) == set()
    assert search(httpMethods=["post"]) == {groups}
    assert search(templateUris=["/api/v2/users"], oauthClientNames=["Other", "Billing"]) == {users, other}


@pytest.mark.parametrize("field", ["oauthClientNames", "httpMethods", "templateUris"])
def test_a_search_is_for_so_many_and_no_longer_texts(asker, field):
    for values in (["x"] * 101, ["x", "x" * 201]):
        answer = asker.post("usage/simplesearch", interval=WEEK, **{field: values})
        assert answer.status_code == 400
        assert [(one["fieldName"], one["errorCode"]) for one in answer.json()["details"]] == [
            (field, "invalid.value")
        ]
    assert not UsageQuery.objects.exists()
    assert asker.ask("usage/simplesearch", interval=WEEK, **{field: ["x" * 200] * 100}) == []
    # What is said twice is kept once.
    assert len(json.dumps(UsageQuery.objects.get().question)) < 600


def test_a_search_comes_in_pages(clients, asker):
    uri = asker.post("usage/simplesearch", interval=WEEK).json()["resultsUri"]
    seen, after = [], ""
    for _page in range(3):
        answer = asker.get(f"{uri}?pageSize=1{after}").json()
        seen += answer["results"]
        cursor = answer["cursors"].get("after")
        after = f"&after={cursor}"

    assert cursor is None
    assert len({json.dumps(row) for row in seen}) == 3
    assert asker.get(f"{uri}?after=x").status_code == 400


def test_an_answer_that_is_too_large_is_none(clients, asker, monkeypatch):
    monkeypatch.setattr("oauthclients.api.oauth_usage.MOST_ROWS", 1)
    put_down = asker.post("usage/query", interval=MONTH, granularity="Day")

    answer = asker.get(put_down.json()["resultsUri"])
    assert (answer.status_code, answer.json()["code"]) == (400, "response.entity.too.large")


# --- Whose answer it is --------------------------------------------------------------------------


def test_nobody_else_fetches_an_answer(cast, clients, asker, client):
    for path, body in (
        (f"oauth/clients/{clients[0].id}/usage/query", {"interval": WEEK}),
        ("usage/query", {"interval": WEEK}),
        ("usage/simplesearch", {"interval": WEEK}),
    ):
        uri = asker.post(path, **body).json()["resultsUri"]
        colleague = Asker(client, cast.bearer(("Admin", None), name=f"Colleague {path}"))
        assert colleague.get(uri).status_code == 404
        assert asker.get(uri).status_code == 200


def test_an_answer_about_one_client_is_not_one_about_another_or_all(clients, asker):
    execution = asker.post(f"oauth/clients/{clients[0].id}/usage/query", interval=WEEK).json()[
        "executionId"
    ]

    for path in (
        f"/api/v2/oauth/clients/{clients[1].id}/usage/query/results/{execution}",
        f"/api/v2/usage/query/{execution}/results",
        f"/api/v2/oauth/clients/{clients[0].id}/usage/query/results/{uuid.uuid4()}",
        f"/api/v2/oauth/clients/{clients[0].id}/usage/query/results/nothing",
    ):
        assert asker.get(path).status_code == 404


def test_an_answer_can_be_fetched_for_a_day(clients, asker):
    uri = asker.post("usage/query", interval=WEEK).json()["resultsUri"]
    assert UsageQuery.objects.get().ends_at == NOW + KEPT

    UsageQuery.objects.update(ends_at=NOW)
    assert asker.get(uri).status_code == 404
    assert purge().counts["questions about use"] == 1


@pytest.mark.parametrize("path", ["query", "summary", "search", "organization"])
def test_of_one_asker_so_many_questions_are_kept(cast, clients, asker, client, monkeypatch, path):
    """The oldest make room, and those of a colleague stay."""
    monkeypatch.setattr("oauthclients.services.usage_queries.MOST_KEPT", 3)

    def put_down(asker):
        of_client = f"oauth/clients/{clients[0].id}/usage"
        answer = {
            "query": lambda: asker.post(f"{of_client}/query", interval=WEEK),
            "summary": lambda: asker.get(f"/api/v2/{of_client}/summary"),
            "search": lambda: asker.post("usage/simplesearch", interval=WEEK),
            "organization": lambda: asker.post("usage/query", interval=WEEK),
        }[path]()
        assert answer.status_code == 200, answer.content
        return answer.json()["resultsUri"]

    colleague = Asker(client, cast.bearer(("Admin", None), name="Colleague"))
    theirs = put_down(colleague)
    uris = []
    for minutes in range(5):
        with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
            uris.append(put_down(asker))

    assert [asker.get(uri).status_code for uri in uris] == [404, 404, 200, 200, 200]
    assert colleague.get(theirs).status_code == 200
    assert UsageQuery.objects.count() == 4


def test_what_several_left_at_once_goes_with_the_next_question(asker, monkeypatch):
    monkeypatch.setattr("oauthclients.services.usage_queries.MOST_KEPT", 3)
    first = uuid.UUID(asker.post("usage/query", interval=WEEK).json()["executionId"])
    one = UsageQuery.objects.get(id=first)
    UsageQuery.objects.bulk_create(
        UsageQuery(
            organization_id=one.organization_id,
            subject_id=one.subject_id,
            question=one.question,
            ends_at=one.ends_at,
        )
        for _n in range(6)
    )

    # All of one moment: what was just asked is among those that stay.
    last = asker.post("usage/query", interval=WEEK)
    assert UsageQuery.objects.count() == 3
    assert asker.get(last.json()["resultsUri"]).status_code == 200


def test_rights_that_are_gone_fetch_nothing(cast, clients, asker, client):
    uri = asker.post("usage/query", interval=WEEK).json()["resultsUri"]
    RoleGrant.objects.filter(subject_id=Client.objects.get(name="Asker").id).delete()

    assert asker.get(uri).status_code == 403
