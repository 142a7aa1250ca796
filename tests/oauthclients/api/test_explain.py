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
    app = cast.app("users", "oauth", "authorization").client
    asked = {"clientId": app.client_id, "method": "GET", "path": "/api/v2/users"}
    ben = cast.acting_for(cast.ben, app, "users", "oauth", "authorization")
    assert explain(ben, **asked, userId=str(cast.ben.id)).status_code == 200
    refused = explain(ben, **asked, userId=str(cast.eve.id))
    assert (refused.status_code, refused.json()["code"]) == (403, "missing.division.permission")


VIEWS = ("oauth:client:view", "directory:user:view")


@pytest.mark.parametrize(
    ("more", "where", "status"),
    [
        ((), "home", 403),
        (("authorization:grant:view",), "home", 200),
        (("authorization:grant:view",), "east", 403),
        (("authorization:grant:add",), "east", 403),
        (("authorization:grant:add", "authorization:grant:delete"), "home", 403),
    ],
)
def test_what_a_person_holds_is_for_those_who_see_it_elsewhere(cast, more, where, status):
    """Whoever sees Ada and not her roles learns nothing of them by asking why."""
    cast.custom_role("Viewer", *VIEWS)
    pairs = [("Viewer", cast.home)]
    if more:
        cast.custom_role("More", *more)
        pairs.append(("More", getattr(cast, where)))
    asked = {
        "clientId": cast.app("users", "authorization").client.client_id,
        "permissions": ["oauth:client:delete"],
        "userId": str(cast.ada.id),
    }
    found = explain(cast.bearer(*pairs, name="Viewer"), **asked)
    assert found.status_code == status, found.content
    if status == 403:
        assert found.json()["message"].count("authorization:grant:view") == 1
        assert "Admin" not in found.content.decode()
    else:
        assert found.json()["user"]["name"] == "Ada"


def test_about_oneself_everybody_may_ask_who_sees_clients_and_oneself(cast):
    cast.custom_role("Viewer", *VIEWS)
    cast.give(cast.ben, ("Viewer", cast.home))
    scopes = ("users:readonly", "oauth:readonly", "authorization:readonly")
    app = cast.app(*scopes).client
    ben = cast.acting_for(cast.ben, app, *scopes)
    asked = {"clientId": app.client_id, "method": "GET", "path": "/api/v2/users"}
    assert explain(ben, **asked, userId=str(cast.ben.id)).json()["allowed"]
    assert explain(ben, **asked, userId=str(cast.ada.id)).status_code == 403


def test_a_persons_token_is_for_those_who_see_tokens_and_their_rights(cast):
    """Else it is as good as none: ids follow each other."""
    app = cast.app("users", "oauth", "authorization").client
    cast.acting_for(cast.ada, app, "users")
    token = get_access_token_model().objects.get(user=cast.ada)
    asked = {"tokenId": token.pk, "path": "/api/v2/users"}
    rights = (*VIEWS, "authorization:grant:view")

    def asking(*permissions, division=cast.home):
        role = cast.custom_role(f"Role of {uuid.uuid4()}", *permissions)
        return cast.bearer((role.name, division), name=role.name)

    for enough in ("oauth:token:view", "oauth:token:delete"):
        assert explain(asking(*rights, enough), **asked).json()["tokenId"] == str(token.pk)
    nothing = explain(asking(*rights, "oauth:token:view"), **{**asked, "tokenId": token.pk + 1000})
    assert nothing.status_code == 404
    for headers in (
        asking(*rights),
        asking(*VIEWS, "oauth:token:view"),
        asking("oauth:client:view", "oauth:token:view", "authorization:grant:view"),
        asking(*rights, "oauth:token:view", division=cast.east),
        cast.acting_for(cast.ada, app, "oauth", "users"),  # not the scope of what people hold
    ):
        refused = explain(headers, **asked)
        assert refused.status_code == 404
        assert (refused.json()["code"], refused.json()["message"]) == (
            nothing.json()["code"],
            nothing.json()["message"],
        )


@pytest.mark.parametrize("other", ["users:readonly", "authorization:readonly"])
def test_an_app_that_may_not_see_people_and_what_they_hold_names_none(cast, other):
    app = cast.app("oauth:readonly", other).client
    ada = cast.acting_for(cast.ada, app, "oauth:readonly", other)
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
    scopes = ("users", "oauth:readonly", "authorization:readonly")
    app = cast.app(*scopes).client
    ada = cast.acting_for(cast.ada, app, *scopes)
    token = get_access_token_model().objects.get(user=cast.ada)
    usage.flush()
    assert explain(ada, tokenId=token.pk, method="POST", path="/api/v2/users").json()["allowed"]
    usage.flush()
    noted = set(UsedAccess.objects.values_list("scope", flat=True))
    # The others to see whose token it is, and what they hold.
    assert noted == {"oauth:readonly", "users:readonly", "authorization:readonly"}


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
