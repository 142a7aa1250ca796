"""`/audits/query/realtime`, also with the official SDK as it is."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import PureCloudPlatformClientV2 as gc  # noqa: N813
import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import audit
from accounts.actor import ActorType
from accounts.models import AuditEvent
from accounts.services import people
from oauthclients.services import secrets
from tests import cast as standing_cast

QUERY = "/api/v2/audits/query/realtime"


def interval(days: float = 1) -> str:
    now = timezone.now()
    return f"{(now - timedelta(days=days)).isoformat()}/{(now + timedelta(minutes=1)).isoformat()}"


@pytest.fixture
def ask(cast):
    cast.custom_role("Auditor", "audits:audit:view")
    cast.give(cast.ada, ("Admin", None), ("Supervisor", None), ("Auditor", None))
    headers = cast.bearer(("Auditor", None), name="Auditor")

    def post(status: int = 200, **body: object) -> dict:
        body = {"interval": interval(), **body}
        response = Browser().post(QUERY, json.dumps(body), content_type="application/json", headers=headers)
        assert response.status_code == status, response.content
        return response.json()

    return post


def held_to(**filters: object) -> list[dict[str, str]]:
    return [{"property": name, "value": str(value)} for name, value in filters.items()]


def test_a_line_as_the_wire_has_it(cast, ask):
    client, _secret = cast.client(("Supervisor", cast.home), name="Billing sync", by=cast.ada)
    secret = secrets.generate(actor=cast.actor(cast.ada), client_id=client.id)
    page = ask(filters=held_to(EntityId=client.id, Action="client.secretReplaced"))
    assert (page["total"], page["pageCount"], page["pageNumber"], page["pageSize"]) == (1, 1, 1, 25)
    [line] = page["entities"]
    assert line["user"] == {"id": str(cast.ada.id), "name": "Ada"}
    assert line["entity"] == {"id": str(client.id), "name": "Billing sync"}
    assert (line["serviceName"], line["entityType"], line["level"], line["status"]) == (
        "PeoplePermissions",
        "OAuthClient",
        "USER",
        "SUCCESS",
    )
    [change] = line["propertyChanges"]
    assert (change["property"], change["newValues"]) == ("secret", [f"ends {secret.last_four}"])
    assert secret.reveal() not in json.dumps(page)


def test_filters(cast, ask):
    people.change(actor=cast.actor(cast.ada), user_id=cast.eve.id, version=None, values={"title": "Agent"})

    def found(**query):
        return {line["action"] for line in ask(pageSize=500, **query)["entities"]}

    assert found(filters=held_to(UserId=cast.ada.id)) == {"user.edited"}
    assert found(filters=held_to(EntityType="user", Action="user.edited")) == {"user.edited"}
    assert found(serviceName="directory", filters=held_to(EntityType="OAuthClient")) == set()
    assert "client.created" in found(serviceName="PeoplePermissions")
    assert found(filters=held_to(UserId="nobody")) == set()
    assert found(filters=held_to(ClientId=cast.eve.id)) == set()
    assert found(interval="2020-01-01T00:00:00Z/2020-01-02T00:00:00") == set()


PROPERTIES = ("UserId", "ClientId", "Action", "EntityType", "EntityId")


def test_a_client_is_found_by_what_it_did_and_by_what_was_done_through_it(cast, ask):
    app, other = uuid.uuid4(), uuid.uuid4()
    common = {"organization_id": cast.acme.id, "at": timezone.now(), "action": "user.edited"}
    AuditEvent.objects.create(
        **common, entity_name="itself", actor_id=app, actor_type=ActorType.CLIENT, actor_name="App"
    )
    AuditEvent.objects.create(
        **common,
        entity_name="through",
        actor_id=other,
        actor_type=ActorType.USER,
        via_id=app,
        via_name="App",
    )
    AuditEvent.objects.create(**common, entity_name="a person", actor_id=app, actor_type=ActorType.USER)

    twice = [*held_to(ClientId=app), *held_to(ClientId=app)]
    assert {one["entity"]["name"] for one in ask(filters=twice)["entities"]} == {"itself", "through"}


@pytest.mark.parametrize("name", PROPERTIES)
def test_so_many_filters_cost_no_more_than_some(ask, name):
    twenty = [*held_to(**{name: uuid.uuid4()})] * 20
    with CaptureQueriesContext(connection) as sent:
        assert ask(filters=twenty)["entities"] == []
    assert len(sent) < 20
    assert max(len(one["sql"]) for one in sent) < 10_000


@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.parametrize("many", [21, 1_000])
def test_more_filters_than_a_question_has_use_for_are_refused(ask, name, many):
    with CaptureQueriesContext(connection) as sent:
        answer = ask(400, filters=[*held_to(**{name: uuid.uuid4()})] * many)
    assert [(one["fieldName"], one["errorCode"]) for one in answer["details"]] == [
        ("filters", "invalid.value")
    ]
    assert not [one for one in sent if AuditEvent._meta.db_table in one["sql"]]


def test_pages_and_order(ask):
    oldest = ask(sort=[{"name": "timestamp", "sortOrder": "ascending"}], pageSize=3)
    newest = ask(pageSize=3)
    moments = [line["eventDate"] for line in oldest["entities"]]
    assert moments == sorted(moments)
    assert newest["entities"][0]["eventDate"] > moments[0]
    second = ask(pageSize=3, pageNumber=2)
    assert {line["id"] for line in newest["entities"]}.isdisjoint(line["id"] for line in second["entities"])
    assert newest["pageCount"] == -(-newest["total"] // 3)


def test_nothing_of_another_organization(cast, ask):
    page = ask(pageSize=500)
    ids = {line["id"] for line in page["entities"]}
    assert {line["userHomeOrgId"] for line in page["entities"]} == {str(cast.acme.id)}
    assert not AuditEvent.objects.filter(id__in=ids).exclude(organization_id=cast.acme.id).exists()
    assert ask(filters=held_to(EntityId=cast.cleo.id))["entities"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"interval": None}, "interval"),
        ({"interval": "x"}, "interval"),
        ({"interval": 7}, "interval"),
        ({"interval": "2026-01-01T00:00:00Z"}, "interval"),
        ({"interval": "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"}, "interval"),
        ({"interval": "2026-01-01T00:00:00Z/2026-01-16T00:00:00Z"}, "interval"),
        ({"pageSize": 501}, "pageSize"),
        ({"pageNumber": 0}, "pageNumber"),
        ({"pageSize": 100, "pageNumber": 101}, "pageNumber"),
        ({"serviceName": "Telephony"}, "serviceName"),
        ({"filters": [{"property": "Level", "value": "USER"}]}, "property"),
        ({"filters": [{}]}, "property"),
        ({"filters": "x"}, "filters"),
        ({"sort": [{"name": "Name"}]}, "name"),
        ({"sort": [{"name": "Timestamp", "sortOrder": "up"}]}, "sortOrder"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_with_its_field(ask, body, field):
    answer = ask(400, **body)
    assert field in json.dumps(answer)


def test_the_official_sdk_reads_the_trail(transactional_db, live_server):
    cast = standing_cast.make()
    cast.custom_role("Auditor", "audits:audit:view")
    client, secret = cast.client(("Auditor", None), name="Auditor")
    api = gc.api_client.ApiClient(host=live_server.url)
    api.get_client_credentials_token(client.client_id, secret)
    audits = gc.AuditApi(api)
    query = gc.AuditRealtimeQueryRequest()
    query.interval = interval()
    wanted = gc.AuditQueryFilter()
    wanted.pcProperty, wanted.value = "EntityId", str(client.id)
    query.filters = [wanted]
    found = audits.post_audits_query_realtime(query)
    assert [(line.action, line.entity.name, line.level) for line in found.entities] == [
        ("client.created", "Auditor", "SYSTEM")
    ]
    assert {change.pcProperty for change in found.entities[0].property_changes} >= {"name", "roleDivisions"}
    mapping = audits.get_audits_query_realtime_servicemapping()
    named = {action for one in mapping.services for entity in one.entities for action in entity.actions}
    assert named == set(audit.Action)
