"""The implicit grant (RFC 6749 4.2): the legacy that it is, and no wider than it has to be."""

from __future__ import annotations

import re

import pytest
from django.test import Client as Browser

from accounts.models import Organization
from oauthclients.models import ClientAuthorization
from tests.cast import REDIRECT_URI, App, Cast, basic, landed

ME = "/api/v2/users/me"


@pytest.fixture
def app(cast: Cast) -> App:
    return cast.app("users", "user-basic-info", name="Browser app", grant_type="implicit")


def test_the_token_comes_in_the_fragment_and_needs_no_decoding(app, eve, cast):
    page = app.ask(eve, state="s s")
    response = app.say(eve, page, "allow", state="s s")
    answer = landed(response, REDIRECT_URI + "#")

    assert answer.keys() == {"access_token", "expires_in", "token_type", "scope", "state", "iss"}
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", answer["access_token"])
    assert (answer["expires_in"], answer["token_type"], answer["state"]) == ("86400", "bearer", "s s")
    me = Browser().get(ME, headers={"Authorization": f"Bearer {answer['access_token']}"})
    assert me.json()["id"] == str(cast.eve.id)


def test_errors_come_in_the_fragment_too(app, eve):
    answer = landed(app.say(eve, app.ask(eve), "deny"), REDIRECT_URI + "#")
    assert answer["error"] == "access_denied"
    answer = landed(app.ask(eve, prompt="none"), REDIRECT_URI + "#")
    assert answer["error"] == "consent_required"


def test_never_in_the_query(app, eve):
    answer = landed(app.ask(eve, response_mode="query"), REDIRECT_URI + "#")
    assert answer["error"] == "invalid_request"


def test_other_response_types_are_not_the_clients(app, eve):
    for kind in ("code", "id_token", "id_token token", "code token"):
        answer = landed(app.ask(eve, response_type=kind), REDIRECT_URI)
        assert answer["error"] in ("unauthorized_client", "unsupported_response_type"), kind


def test_nothing_can_be_slipped_in(app, eve, cast):
    """oauthlib takes a parameter for whatever nobody has set (authorization_server/server.py)."""
    web = cast.app(name="Web app")
    mine = web.tokens(eve)["refresh_token"]
    slipped = {
        "grant_type": "refresh_token",
        "refresh_token": mine,
        "sign_in": "x",
        "used_secret": "x",
        "decision": "x",
        "user": "x",
        "scopes": "oauth",
        "expires_in": "999999",
    }
    page = app.ask(eve, **slipped)
    answer = landed(app.say(eve, page, "allow", **slipped), REDIRECT_URI + "#")
    assert answer["expires_in"] == "86400"
    assert answer["scope"] == "user-basic-info users"
    assert answer["access_token"] != web.refresh(mine).json()["access_token"]

    slipped["grant_type"] = "client_credentials"
    token = landed(app.ask(eve, **slipped), REDIRECT_URI + "#")["access_token"]
    me = Browser().get(ME, headers={"Authorization": f"Bearer {token}"})
    assert me.json()["id"] == str(cast.eve.id)


def test_at_the_token_endpoint_nothing_can_be_slipped_in_either(cast):
    client, secret = cast.client(("Supervisor", cast.home))
    response = Browser().post(
        "/oauth/token",
        "grant_type=client_credentials&user=x&client=x&sign_in=x&scopes=oauth&used_secret=x&expires_in=9",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": basic(client.client_id, secret)},
    )
    assert response.status_code == 200
    assert response.json()["expires_in"] == 86_400


def test_an_organization_can_switch_it_off_for_its_apps(app, eve, cast):
    Organization.objects.filter(id=cast.acme.id).update(implicit_allowed=False)
    answer = landed(app.ask(eve), REDIRECT_URI + "#")
    assert answer["error"] == "unauthorized_client"
    assert answer["error_description"] == "The organization does not allow the implicit grant."


def test_and_for_its_people_whoever_made_the_app(app, cast, browser_of):
    Organization.objects.filter(id=cast.globex.id).update(implicit_allowed=False)
    ClientAuthorization.objects.create(
        organization=cast.globex, client=app.client, state="Authorized", scope=["users"]
    )
    answer = landed(app.ask(browser_of(cast.cleo)), REDIRECT_URI + "#")
    assert answer["error"] == "unauthorized_client"


def test_it_lasts_no_longer_than_any_sign_in_of_an_app(app, eve, settings):
    settings.REFRESH_TOKEN_SECONDS = 1_000
    assert app.allowed(eve)["expires_in"] == "1000"
