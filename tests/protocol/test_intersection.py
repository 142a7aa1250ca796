"""The stories of seeds 003 and 002, over HTTP, from the authorization to the call."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.test import Client as Browser

from accounts import queries
from accounts.models import AuditEvent, User
from oauthclients.models import Client, ClientAuthorization
from oauthclients.services import authorizations, clients
from tests.cast import Cast, landed

NEW_PERSON = {"name": "Dan", "email": "dan@acme.example"}


def get(path: str, headers: dict[str, str]):
    return Browser().get(f"/api/v2/{path}", headers=headers)


def post(path: str, headers: dict[str, str], body: object):
    return Browser().post(
        f"/api/v2/{path}", json.dumps(body), content_type="application/json", headers=headers
    )


def new_person(cast: Cast) -> dict[str, str]:
    return {**NEW_PERSON, "divisionId": str(cast.home.id)}


def code(response) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


@pytest.fixture
def dora(cast) -> User:
    """May add people, and see them (seed 003: Directory > User > Add)."""
    dora = cast.person("Dora", cast.home)
    cast.custom_role("Adder", "directory:user:add", "directory:user:view")
    cast.give(dora, ("Adder", cast.home))
    return dora


def test_an_app_whose_person_may_add_people_cannot_until_it_is_authorized(cast, dora, browser_of):
    """Seed 003. Ben makes the app: he may not authorize."""
    app = cast.app("users", "users:readonly", by=cast.ben)
    browser = browser_of(dora)
    page = app.ask(browser)
    assert page.context["state"] == "ask"
    app.say(browser, page, "ask")
    assert app.ask(browser).context["requested"] is True
    assert ClientAuthorization.objects.get().requested_by_name == "Ben"  # who made it asked first

    # Whatever is posted, there is no way around.
    forged = browser.post(app.address(), {"decision": "allow", "shown": ["users"]})
    assert forged["Location"] == app.address()
    forged = browser.post(app.address(), {"decision": "approve", "scope": ["users"], "version": "1"})
    assert forged.status_code == 200
    assert ClientAuthorization.objects.get().state == "Requested"

    ada = cast.actor(cast.ada)
    authorizations.approve(actor=ada, client_id=app.id, scope=["users:readonly"])
    headers = app.bearer(browser)
    assert get("users", headers).status_code == 200
    assert code(post("users", headers, new_person(cast))) == (403, "app.not.authorized.for.scope")

    authorizations.approve(actor=ada, client_id=app.id, scope=["users"])
    # The token at hand was agreed to for reading only; the person agrees to the rest.
    assert code(post("users", headers, new_person(cast))) == (403, "app.not.authorized.for.scope")
    headers = app.bearer(browser)
    assert post("users", headers, new_person(cast)).status_code == 200
    line = AuditEvent.objects.filter(action="user.created").order_by("at").last()
    assert (line.actor_name, line.via_name, line.via_id) == ("Dora", "Web app", app.client.id)


def test_a_person_who_may_not_cannot_by_an_app_whatever_its_scopes(cast, browser_of):
    headers = cast.app("users").bearer(browser_of(cast.ben))
    assert get("users", headers).status_code == 200
    assert code(post("users", headers, new_person(cast))) == (403, "missing.any.permissions")


def test_each_of_the_three_narrows_a_token_that_is_in_use(cast, dora, browser_of):
    app = cast.app("users")
    headers = app.bearer(browser_of(dora))
    ada = cast.actor(cast.ada)
    assert get("users", headers).status_code == 200

    authorizations.approve(actor=ada, client_id=app.id, scope=["users:readonly"])
    assert get("users", headers).status_code == 200
    assert code(post("users", headers, new_person(cast))) == (403, "app.not.authorized.for.scope")
    authorizations.approve(actor=ada, client_id=app.id, scope=["users"])

    cast.give(dora, ("Employee", cast.home))
    assert code(get("users", headers)) == (403, "missing.any.permissions")
    cast.give(dora, ("Adder", cast.west))
    assert get(f"users/{cast.eve.id}", headers).json()["code"] == "missing.division.permission"
    assert code(post("users", headers, new_person(cast))) == (403, "missing.division.permission")

    authorizations.revoke(actor=ada, client_id=app.id)
    assert code(get("users", headers)) == (401, "bad.credentials")


def test_another_organization_authorizes_two_of_three_scopes(cast, browser_of):
    """Cleo of Globex, and an app of Acme, which Acme deletes in the end."""
    app = cast.app("users", "organization", "authorization", name="Acmes app")
    cleo = browser_of(cast.cleo)
    page = app.ask(cleo)
    assert page.context["state"] == "approve"
    assert page.context["foreign"] is True
    app_page = cleo.post(
        app.address(), {"decision": "approve", "scope": ["users", "organization"], "version": "0"}
    )
    assert app_page["Location"] == app.address()
    page = app.ask(cleo)
    assert page.context["state"] == "agree"

    headers = app.bearer(cleo)
    me = get("organizations/me", headers)
    assert me.json()["id"] == str(cast.globex.id)
    names = [person["name"] for person in get("users", headers).json()["entities"]]
    assert names == ["Cleo"]
    assert code(get("authorization/roles", headers)) == (403, "app.not.authorized.for.scope")
    token = get("tokens/me", headers).json()
    assert token["organization"]["name"] == "Globex"
    assert token["OAuthClient"]["organization"]["name"] == "Acme"
    assert token["authorizedScope"] == ["organization", "users"]
    assert token["OAuthClient"].keys() == {
        "id",
        "name",
        "authorizedGrantType",
        "scope",
        "state",
        "organization",
    }
    # It is no one of Acme there, whatever it asks for.
    assert get(f"users/{cast.ada.id}", headers).status_code == 404

    clients.delete(actor=cast.actor(cast.ada), client_id=app.id)
    assert code(get("organizations/me", headers)) == (401, "bad.credentials")
    assert app.ask(cleo).status_code == 400
    assert not ClientAuthorization.objects.exists()


def test_an_app_of_another_organization_is_unknown_where_nobody_authorized_it(cast, browser_of):
    app = cast.app("users", name="Acmes app")
    dan = cast.person("Dan", queries.home_division(cast.globex))
    page = app.ask(browser_of(dan))
    assert page.context["state"] == "ask"
    assert page.context["helpers"] == ["Cleo"]


def test_a_yes_on_the_consent_page_overrules_no_no_of_a_colleague(cast, browser_of):
    app = cast.app("users", by=cast.ben)
    ada = browser_of(cast.ada)
    page = app.ask(ada)
    assert page.context["state"] == "approve"
    authorizations.decline(actor=cast.actor(cast.ada), client_id=app.id)
    answer = ada.post(
        app.address(), {"decision": "approve", "scope": ["users"], "version": page.context["version"]}
    )
    assert answer.status_code == 200
    assert "changed this authorization in the meantime" in answer.content.decode()
    assert ClientAuthorization.objects.get().state == "Unauthorized"


def test_to_ask_is_not_to_decide(cast, browser_of):
    app = cast.app("users")
    authorizations.revoke(actor=cast.actor(cast.ada), client_id=app.id)
    before = ClientAuthorization.objects.get()
    authorizations.ask(actor=cast.actor(cast.eve), client_id=app.id)
    after = ClientAuthorization.objects.get()
    assert (after.version, after.modified_by_name) == (before.version, "Ada")
    assert after.requested_by_name == "Eve"


def test_the_app_is_told_whether_it_was_the_person_who_said_no(cast, browser_of):
    app = cast.app("users", by=cast.ben)
    eve = browser_of(cast.eve)
    answer = landed(app.say(eve, app.ask(eve), "deny"), app.redirect_uri)
    assert answer["error_description"] == "The app may not act for this person."
    authorizations.approve(actor=cast.actor(cast.ada), client_id=app.id, scope=["users"])
    answer = landed(app.say(eve, app.ask(eve), "deny"), app.redirect_uri)
    assert answer["error_description"] == "The person said no."


def test_a_limit_to_some_roles_is_the_organizations_and_counts_at_once(cast, dora, browser_of):
    app = cast.app("users")
    browser = browser_of(dora)
    headers = app.bearer(browser)
    authorizations.approve(
        actor=cast.actor(cast.ada),
        client_id=app.id,
        scope=["users"],
        roles=[str(cast.role("Supervisor").id)],
    )
    assert code(get("users", headers)) == (403, "authz.policy.denied")
    page = app.ask(browser)
    assert (page.status_code, page.context["state"]) == (403, "role")


# --- No way to more by an app ---------------------------------------------------------------------


def machine(cast: Cast) -> dict[str, object]:
    return {
        "name": "Made by an app",
        "authorizedGrantType": "CLIENT-CREDENTIALS",
        "roleDivisions": [{"roleId": str(cast.role("Supervisor").id), "divisionId": str(cast.home.id)}],
    }


def test_an_app_without_the_scope_authorization_hands_on_no_role(cast, browser_of):
    """A client with roles acts without scopes: to make one, or to get its secret, would be a way out."""
    app = cast.app("oauth")
    headers = app.bearer(browser_of(cast.ada))
    refused = (403, "app.not.authorized.for.scope")
    service, _secret = cast.client(("Supervisor", cast.home), name="Service")

    assert code(post("oauth/clients", headers, machine(cast))) == refused
    assert code(post(f"oauth/clients/{service.id}/secret", headers, None)) == refused
    edit = Browser().put(
        f"/api/v2/oauth/clients/{service.id}",
        json.dumps({**machine(cast), "name": "Renamed"}),
        content_type="application/json",
        headers=headers,
    )
    assert code(edit) == refused
    assert not Client.objects.filter(name__in=["Made by an app", "Renamed"]).exists()
    assert service.secrets.count() == 1

    wider = cast.app("oauth", "authorization", name="Wider")
    headers = wider.bearer(browser_of(cast.ada))
    assert post("oauth/clients", headers, machine(cast)).status_code == 200


def test_an_app_cannot_take_the_place_of_one_that_may_more(cast, browser_of):
    """With an address or a secret of its own it would get that one's tokens."""
    trusted = cast.app("users", name="Trusted")
    ada = browser_of(cast.ada)
    trusted.bearer(ada)
    tool = cast.app("oauth", name="Tool").bearer(ada)
    body = {
        "name": "Trusted",
        "authorizedGrantType": "CODE",
        "registeredRedirectUri": [trusted.redirect_uri, "https://tool.example/steal"],
        "scope": ["users"],
    }
    edit = Browser().put(
        f"/api/v2/oauth/clients/{trusted.id}",
        json.dumps(body),
        content_type="application/json",
        headers=tool,
    )
    assert code(edit) == (403, "app.not.authorized.for.scope")
    assert edit.json()["messageParams"] == {"scopes": "users"}
    assert code(post(f"oauth/clients/{trusted.id}/secret", tool, None)) == (
        403,
        "app.not.authorized.for.scope",
    )
    assert trusted.client.secrets.count() == 1


def test_an_app_that_takes_its_answers_elsewhere_asks_again(cast, browser_of):
    """Somebody who may edit the client adds an address: what people agreed to does not follow silently."""
    app = cast.app("users")
    eve = browser_of(cast.eve)
    app.allowed(eve)
    assert app.ask(eve).status_code == 303
    clients.change(
        actor=cast.actor(cast.ben),
        client_id=app.id,
        spec=lambda was: replace(was, redirect_uris=(*was.redirect_uris, "https://elsewhere.example/cb")),
    )
    page = app.ask(eve, redirect_uri="https://elsewhere.example/cb")
    assert (page.status_code, page.context["state"]) == (200, "agree")
    assert (
        landed(app.ask(eve, redirect_uri="https://elsewhere.example/cb", prompt="none"), "https://e")[
            "error"
        ]
        == "consent_required"
    )
    assert landed(app.say(eve, page, "allow", redirect_uri="https://elsewhere.example/cb"), "https://e")[
        "code"
    ]
    assert app.ask(eve, redirect_uri="https://elsewhere.example/cb").status_code == 303


def test_what_was_given_before_a_no_stays_dead_after_another_yes(cast, browser_of):
    """Also what was being given at the very moment, to somebody whose first yes it was."""
    app = cast.app("users")
    ada = cast.actor(cast.ada)
    authorizations.revoke(actor=ada, client_id=app.id)
    slipped = cast.acting_for(cast.ben, app.client, "users")
    assert code(get("users", slipped)) == (403, "not.authorized")
    authorizations.approve(actor=ada, client_id=app.id, scope=["users"])
    assert code(get("users", slipped)) == (403, "not.authorized")
    assert get("users", app.bearer(browser_of(cast.ben))).status_code == 200


def test_an_app_authorizes_no_scopes_not_even_its_own(cast, browser_of):
    """Ada may authorize; an app that acts for her may not do it in her place."""
    app = cast.app("oauth", name="Greedy")
    headers = app.bearer(browser_of(cast.ada))
    body = {
        "name": "Greedy",
        "authorizedGrantType": "CODE",
        "registeredRedirectUri": [app.redirect_uri],
        "scope": ["oauth", "users", "authorization"],
    }
    response = Browser().put(
        f"/api/v2/oauth/clients/{app.id}",
        json.dumps(body),
        content_type="application/json",
        headers=headers,
    )
    assert response.status_code == 200, response.content
    word = ClientAuthorization.objects.get(client=app.client)
    assert word.scope == ["oauth"]
    assert word.requested_at is not None
    assert code(get("users", headers)) == (403, "app.not.authorized.for.scope")


def test_rights_of_others_are_seen_only_with_the_scope_for_them(cast, browser_of):
    seen = get(f"users/{cast.eve.id}?expand=authorization", cast.app("users").bearer(browser_of(cast.ada)))
    assert "authorization" not in seen.json()
    basic = cast.app("user-basic-info", name="Basic").bearer(browser_of(cast.ada))
    me = get("users/me?expand=authorization,organization", basic).json()
    assert "authorization" not in me
    assert me["organization"].keys() == {"id", "name"}
    app = cast.app("users", "authorization:readonly", "user-basic-info", name="Wider")
    headers = app.bearer(browser_of(cast.ada))
    assert "authorization" in get(f"users/{cast.eve.id}?expand=authorization", headers).json()
    me = get("users/me?expand=authorization,organization,token,date", headers).json()
    assert me["organization"]["name"] == "Acme"
    assert me["token"]["authorizedScope"] == ["authorization:readonly", "user-basic-info", "users"]
    assert "directory:user:view" in me["authorization"]["permissions"]


def test_a_subject_is_the_person_and_not_the_app(cast, browser_of):
    headers = cast.app("authorization").bearer(browser_of(cast.ben))
    assert get("authorization/subjects/me", headers).json()["id"] == str(cast.ben.id)


def test_one_who_may_ends_every_token_of_a_person(cast, browser_of):
    app = cast.app("user-basic-info", "users")
    token = app.tokens(browser_of(cast.eve))
    eve = {"Authorization": f"Bearer {token['access_token']}"}
    assert get("users/me", eve).status_code == 200
    admin = cast.bearer(("Admin", None), by=cast.ada, name="Admin service")
    assert Browser().delete(f"/api/v2/tokens/{cast.eve.id}", headers=admin).status_code == 204
    assert get("users/me", eve).status_code == 401
    assert app.refresh(token["refresh_token"]).status_code == 400
    assert Browser().delete(f"/api/v2/tokens/{cast.cleo.id}", headers=admin).status_code == 404


def test_signing_out_of_the_api_ends_the_refresh_token_too(cast, browser_of):
    app = cast.app("user-basic-info")
    token = app.tokens(browser_of(cast.eve))
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert Browser().head("/api/v2/tokens/me", headers=headers).status_code == 200
    assert Browser().delete("/api/v2/tokens/me", headers=headers).status_code == 200
    assert app.refresh(token["refresh_token"]).status_code == 400


def test_the_official_browser_sdks_check_works_without_the_scope(cast, browser_of):
    headers = cast.app("users").bearer(browser_of(cast.eve))
    assert get("tokens/me", headers).status_code == 200
    assert code(get("users/me", headers)) == (403, "app.not.authorized.for.scope")
