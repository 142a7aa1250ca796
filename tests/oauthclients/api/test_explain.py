"""`POST /latchkey/explain`: who may ask about whom, and what is told. That it agrees with the API is tried in
tests/tables/test_explain.py."""

from __future__ import annotations

import json
import uuid

import pytest
from django.test import Client as Browser
from oauth2_provider.models import get_access_token_model

from accounts.actor import system
from oauthclients.models import AuthorizationState, Client, ClientAuthorization, UsedAccess
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients, usage
from tests.cast import token_request


@pytest.fixture
def asker(cast):
    return cast.bearer(("Admin", None), ("Supervisor", None), name="Asker")


def explain(headers, **body):
    return Browser().post(
        "/api/v2/latchkey/explain", json.dumps(body), content_type="application/json", headers=headers
    )


def foreign_app(cast, *, state=None):
    """An app of Globex, on which Acme has said this."""
    app, _secret = clients.create(
        actor=system(cast.globex),
        spec=ClientSpec(
            name="Globex app",
            grant_type="authorization-code",
            redirect_uris=("https://g.example/",),
            scope=("users",),
        ),
    )
    if state:
        ClientAuthorization.objects.create(
            organization=cast.acme, client=app, state=state, scope=["users:readonly"]
        )
    return app


def test_a_refusal_with_its_conditions_and_the_one_change(cast, asker, settings):
    client, _secret = cast.client(("Supervisor", cast.east), name="Sync")
    body = explain(
        asker,
        clientId=client.client_id,
        method="GET",
        path="/api/v2/users/0b7d3cf7-6f1c-4be7-93e0-2ee4a6b9d1c1?expand=groups",
        divisionId=str(cast.west.id),
    ).json()
    assert (body["allowed"], body["status"], body["code"]) == (False, 403, "missing.division.permission")
    assert body["message"] == "You lack the permission [directory:user:view] in the division [West]"
    assert body["path"] == "/api/v2/users/{userId}"
    met = {one["id"]: one["met"] for one in body["conditions"]}
    assert met == {
        "route.exists": True,
        "route.method": True,
        "client.exists": True,
        "client.accepts.tokens": True,
        "permission.held": True,
        "permission.division": False,
    }
    [change] = body["changes"]
    assert "Supervisor" in change["text"]
    assert "West" in change["text"]
    assert change["uri"] == f"{settings.BASE_URL}/admin/integrations/oauth/{client.id}/edit/"


def test_what_is_allowed_needs_no_change(cast, asker):
    client, _secret = cast.client(("Supervisor", cast.east), name="Sync")
    asked = {"clientId": client.client_id, "permissions": ["directory:user:view"]}
    body = explain(asker, **asked, divisionId=str(cast.east.id)).json()
    assert body["allowed"]
    assert body["changes"] == []
    assert "code" not in body


def test_an_app_for_a_person_and_for_anybody(cast, asker):
    app = cast.app("users:readonly").client
    asked = {"clientId": app.client_id, "method": "GET", "path": "/api/v2/users"}
    anybody = explain(asker, **asked).json()
    assert anybody["allowed"]
    assert anybody["dependsOnUser"]
    eve = explain(asker, **asked, userId=str(cast.eve.id)).json()
    assert (eve["code"], eve["user"]["name"]) == ("missing.any.permissions", "Eve")
    assert not eve["dependsOnUser"]
    change = explain(asker, **{**asked, "method": "POST"}).json()
    assert change["code"] == "app.not.authorized.for.scope"
    assert {one["condition"] for one in change["changes"]} == {"scope.client", "scope.authorization"}


def test_a_token_by_its_id_and_never_by_its_value(cast, asker):
    headers = cast.bearer(("Supervisor", cast.home), name="Sync")
    token = get_access_token_model().objects.get(application__name="Sync")
    asked = {"method": "GET", "path": "/api/v2/users"}
    body = explain(asker, tokenId=token.pk, **asked).json()
    assert (body["allowed"], body["tokenId"]) == (True, str(token.pk))
    value = headers["Authorization"].removeprefix("Bearer ")
    for unknown in (value, str(uuid.uuid4()), "0", "-1", "9" * 30):
        assert explain(asker, tokenId=unknown, **asked).status_code == 404
    assert explain(asker, tokenId=token.pk, clientId=str(uuid.uuid4()), **asked).status_code == 404


def test_nothing_of_another_organization(cast, asker):
    foreign = foreign_app(cast)
    nothing = explain(asker, clientId=str(uuid.uuid4()), path="/api/v2/users")
    theirs = explain(asker, clientId=foreign.client_id, path="/api/v2/users")
    assert theirs.status_code == nothing.status_code == 404
    assert theirs.json()["code"] == nothing.json()["code"] == "client.not.found"
    own = cast.app("users").client
    assert explain(asker, clientId=own.client_id, userId=str(cast.cleo.id)).status_code == 404
    their_division = str(cast.globex.divisions.get().id)
    assert explain(asker, clientId=own.client_id, divisionId=their_division).status_code == 400
    cast.acting_for(cast.cleo, own, "users")
    token = get_access_token_model().objects.get(user=cast.cleo)
    assert explain(asker, tokenId=token.pk).status_code == 404


@pytest.mark.parametrize("state", AuthorizationState.values)
def test_anothers_app_once_it_is_authorized_here(cast, asker, state):
    app = foreign_app(cast, state=state)
    asked = {"clientId": app.client_id, "method": "GET", "path": "/api/v2/users"}
    response = explain(asker, **asked, userId=str(cast.ada.id))
    if state != AuthorizationState.AUTHORIZED:
        assert response.status_code == 404
        return
    assert response.json()["allowed"]
    assert explain(asker, **asked, userId=str(cast.cleo.id)).status_code == 404
    refused = explain(asker, **{**asked, "method": "POST"}, userId=str(cast.ada.id)).json()
    [change] = refused["changes"]
    # Its own organization lets it ask for the scope; ours has not authorized that.
    assert change["condition"] == "scope.authorization"
    assert change["uri"].endswith(f"/authorized-applications/{app.id}/")


def test_a_person_is_for_those_who_see_them(cast):
    """Ben sees people in Home, and Eve sits in East."""
    app = cast.app("users", "oauth").client
    asked = {"clientId": app.client_id, "method": "GET", "path": "/api/v2/users"}
    ben = cast.acting_for(cast.ben, app, "users", "oauth")
    assert explain(ben, **asked, userId=str(cast.ben.id)).status_code == 200
    refused = explain(ben, **asked, userId=str(cast.eve.id))
    assert (refused.status_code, refused.json()["code"]) == (403, "missing.division.permission")
    cast.acting_for(cast.eve, app, "users")
    token = get_access_token_model().objects.get(user=cast.eve)
    assert explain(ben, tokenId=token.pk, path="/api/v2/users").status_code == 403


def test_an_app_that_may_not_see_people_names_none(cast):
    app = cast.app("oauth:readonly").client
    ada = cast.acting_for(cast.ada, app, "oauth:readonly")
    asked = {"clientId": app.client_id, "method": "GET", "path": "/api/v2/users"}
    assert explain(ada, **asked).status_code == 200
    refused = explain(ada, **asked, userId=str(cast.ada.id))
    assert (refused.status_code, refused.json()["code"]) == (403, "app.not.authorized.for.scope")


def test_links_are_for_those_who_may_make_the_change(cast):
    """Ben may edit a client, but holds nothing in West."""
    client, _secret = cast.client(("Supervisor", cast.west), name="Sync")
    app = cast.app("users", "oauth").client
    ben = cast.acting_for(cast.ben, app, "users", "oauth")
    body = explain(ben, clientId=client.client_id, path="/api/v2/oauth/clients").json()
    [change] = body["changes"]
    assert "uri" not in change


def test_asking_uses_no_right_but_the_askers(cast):
    """What the question is about was not used by it: neither the scope that it asks about, nor the role."""
    app = cast.app("users", "oauth:readonly").client
    ada = cast.acting_for(cast.ada, app, "users", "oauth:readonly")
    token = get_access_token_model().objects.get(user=cast.ada)
    usage.flush()
    assert explain(ada, tokenId=token.pk, method="POST", path="/api/v2/users").json()["allowed"]
    usage.flush()
    noted = set(UsedAccess.objects.values_list("scope", flat=True))
    assert noted == {"oauth:readonly", "users:readonly"}  # the latter to see whose token it is


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "clientId"),
        ({"clientId": 5}, "clientId"),
        ({"method": "BREW"}, "method"),
        ({"path": "/api/v2/\nusers"}, "path"),
        ({"path": "/" + "a" * 600}, "path"),
        ({"permissions": ["nothing:at:all"]}, "permission"),
        ({"permissions": "directory:user:view"}, "permissions"),
        ({"divisionId": "nowhere"}, "divisionId"),
        ({"userId": "somebody"}, "userId"),
    ],
)
def test_what_cannot_be_meant(cast, asker, wrong, field):
    client, _secret = cast.client(("Supervisor", cast.home), name="Sync")
    response = explain(asker, **({"clientId": client.client_id} if wrong else {}) | wrong)
    assert response.status_code == 400, response.content
    assert response.json()["details"][0]["fieldName"] == field


@pytest.mark.parametrize(
    ("state", "code"),
    [("active", ""), ("inactive", "unauthorized_client"), ("disabled", "unauthorized_client")],
)
def test_a_request_for_a_token(cast, asker, state, code):
    client, secret = cast.client(("Supervisor", cast.home), name="Sync")
    Client.objects.filter(id=client.id).update(state=state)
    body = explain(asker, clientId=client.client_id, method="POST", path="/oauth/token").json()
    answered = token_request(Browser(), client.client_id, secret)
    assert body.get("code", "") == code == answered.json().get("error", "")
    assert answered.status_code == (body["status"] if code else 200)
