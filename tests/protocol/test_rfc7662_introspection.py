"""RFC 7662: an organization's own API asks what a token may do, and nobody else learns anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.actor import system
from accounts.models import Organization, User
from accounts.services import people
from oauthclients.models import Client, ClientAuthorization, ClientSecret, ClientState
from oauthclients.services import authorizations, clients, idle_time, tokens
from tests.cast import REDIRECT_URI, App, basic

INTROSPECT = "/oauth/introspect"
SEE_PEOPLE = "directory:user:view"
DEAD = {"active": False}


@pytest.fixture
def api(cast) -> App:
    """Acme's own API."""
    client, secret = cast.client(("Token Introspection", cast.home), name="Invoices")
    return App(client, secret, "")


@pytest.fixture
def globex_api(cast) -> App:
    return _api_of(cast, cast.globex)


def _api_of(cast, organization: Organization) -> App:
    from accounts.rules.delegation import RoleDivision
    from oauthclients.rules.client_spec import ClientSpec

    role = cast.role("Token Introspection", organization)
    client, secret = clients.create(
        actor=system(organization),
        spec=ClientSpec(
            name="Ledger",
            grant_type="client-credentials",
            role_divisions=(RoleDivision(role.id, None),),
        ),
    )
    return App(client, secret.reveal(), "")


@pytest.fixture
def ben(cast, browser_of) -> Browser:
    return browser_of(cast.ben)


def asked(api: App, token: str, **more: str) -> dict:
    response = api.post(INTROSPECT, {"token": token, **more}, api.secret)
    assert response.status_code == 200, response.content
    assert (response["Cache-Control"], response["Pragma"]) == ("no-store", "no-cache")
    return response.json()


# --- What is told ---------------------------------------------------------------------------------


def test_a_clients_own_token_is_told_with_its_pairs(api, cast, settings):
    client, secret = cast.client(("Supervisor", cast.east), ("Employee", None), name="Sync")
    token = cast.token(client, secret)
    stored = get_access_token_model().objects.get(application=client)

    answer = asked(api, token)

    permissions = answer.pop("permissions")
    assert answer == {
        "active": True,
        "client_id": client.client_id,
        "token_type": "Bearer",
        "iat": int(stored.created.timestamp()),
        "exp": int(stored.expires.timestamp()),
        "iss": settings.BASE_URL,
        "sub": client.client_id,
        "organization_id": str(cast.acme.id),
        "scopes_enforced": False,
        "role_divisions": [
            {"roleId": str(cast.role("Employee").id), "roleName": "Employee", "divisionId": "*"},
            {
                "roleId": str(cast.role("Supervisor").id),
                "roleName": "Supervisor",
                "divisionId": str(cast.east.id),
            },
        ],
    }
    assert permissions[SEE_PEOPLE] == [str(cast.east.id)]
    assert permissions["directory:userProfile:view"] == ["*"]
    assert "oauth:client:view" not in permissions


def test_a_persons_token_is_told_with_the_person_and_what_the_app_may_use(api, app, ben, cast, settings):
    cast.give(cast.ben, ("Supervisor", cast.home), ("Supervisor", cast.west))
    token = app.tokens(ben)["access_token"]
    stored = get_access_token_model().objects.get(user=cast.ben)

    answer = asked(api, token)

    permissions = answer.pop("permissions")
    assert answer == {
        "active": True,
        "client_id": app.id,
        "token_type": "Bearer",
        "iat": int(stored.created.timestamp()),
        "exp": int(stored.expires.timestamp()),
        "iss": settings.BASE_URL,
        "sub": str(cast.ben.id),
        "username": cast.ben.email,
        "organization_id": str(cast.acme.id),
        "scopes_enforced": True,
        "scope": "user-basic-info users users:readonly",
    }
    assert permissions[SEE_PEOPLE] == sorted([str(cast.home.id), str(cast.west.id)])


def test_what_changes_is_told_at_once(api, app, ben, cast):
    token = app.tokens(ben)["access_token"]
    client, secret = cast.client(("Supervisor", cast.east), name="Sync")
    own = cast.token(client, secret)

    cast.give(cast.ben, ("Employee", cast.home))
    authorizations.approve(actor=cast.actor(cast.ada), client_id=app.client.id, scope=["users:readonly"])
    clients.change(
        actor=system(cast.acme),
        client_id=client.id,
        spec=lambda was: was.__class__(
            **{**was.__dict__, "role_divisions": (cast.pair("Supervisor", cast.west),)}
        ),
    )

    answer = asked(api, token)
    assert SEE_PEOPLE not in answer["permissions"]
    assert answer["scope"] == "users:readonly"
    assert asked(api, own)["permissions"][SEE_PEOPLE] == [str(cast.west.id)]


def test_an_app_that_may_use_no_scope_is_told_so_and_not_what_its_token_once_had(api, app, ben):
    token = app.tokens(ben, scope="users")["access_token"]
    ClientAuthorization.objects.filter(client=app.client).update(scope=["user-basic-info"])

    answer = asked(api, token)

    assert (answer["active"], answer["scopes_enforced"], answer["scope"]) == (True, True, "")


def test_where_scopes_are_not_enforced_those_of_the_token_are_told(api, app, ben, cast):
    token = app.tokens(ben, scope="users")["access_token"]
    Organization.objects.filter(id=cast.acme.id).update(enforce_scopes=False)
    ClientAuthorization.objects.filter(client=app.client).update(scope=[])

    answer = asked(api, token)

    assert (answer["scopes_enforced"], answer["scope"]) == (False, "users users:readonly")


# --- Whose tokens ---------------------------------------------------------------------------------


def test_a_token_of_another_organization_is_not_active(api, globex_api, cast):
    client, secret = cast.client(("Supervisor", cast.home), name="Sync")
    token = cast.token(client, secret)
    assert asked(api, token)["active"]
    assert asked(globex_api, token) == DEAD
    assert asked(api, globex_api_token(globex_api)) == DEAD


def globex_api_token(globex_api: App) -> str:
    response = globex_api.post("/oauth/token", {"grant_type": "client_credentials"}, globex_api.secret)
    return response.json()["access_token"]


def test_a_persons_token_counts_where_the_person_is_whoever_made_the_app(
    api, globex_api, app, cast, browser_of
):
    authorizations.approve(actor=cast.actor(cast.cleo), client_id=app.client.id, scope=["users"])
    token = app.tokens(browser_of(cast.cleo))["access_token"]

    answer = asked(globex_api, token)
    assert (answer["sub"], answer["organization_id"]) == (str(cast.cleo.id), str(cast.globex.id))
    assert asked(api, token) == DEAD


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
def test_a_hint_changes_nothing(api, app, ben, hint):
    token = app.tokens(ben)
    assert asked(api, token["access_token"], token_type_hint=hint)["active"]
    assert asked(api, token["refresh_token"], token_type_hint=hint) == DEAD


def test_what_is_no_access_token_is_not_active(api, app, ben, cast):
    code = app.allowed(ben)["code"]
    for value in (code, "nonsense", "ünïcode", "x" * 5_000, api.secret, app.id):
        assert asked(api, value) == DEAD
    assert app.exchange(code).status_code == 200


# --- What is dead ---------------------------------------------------------------------------------


def _expired(cast, app):
    get_access_token_model().objects.update(expires=timezone.now())


def _given_back(cast, app):
    tokens.revoke_all(actor=cast.actor(cast.ada), client=app.client)


def _client_disabled(cast, app):
    Client.objects.filter(id=app.client.id).update(state=ClientState.DISABLED)


def _client_being_deleted(cast, app):
    Client.objects.filter(id=app.client.id).update(date_to_delete=timezone.now() + timedelta(days=7))


def _person_deactivated(cast, app):
    people.change(
        actor=system(cast.acme),
        user_id=cast.ben.id,
        version=User.objects.get(id=cast.ben.id).version,
        values={"state": "inactive"},
    )


def _tokens_from_before(cast, app):
    User.objects.filter(id=cast.ben.id).update(not_before=timezone.now() + timedelta(seconds=1))


def _authorization_revoked(cast, app):
    ClientAuthorization.objects.filter(client=app.client).update(state="Revoked")


def _never_authorized(cast, app):
    ClientAuthorization.objects.filter(client=app.client).delete()


def _limited_to_a_role(cast, app):
    admins = [str(cast.role("Admin").id)]
    ClientAuthorization.objects.filter(client=app.client).update(roles=admins)


def _idle(cast, app):
    long_ago = timezone.now() - timedelta(hours=1)
    Organization.objects.filter(id=cast.acme.id).update(
        idle_timeout_enabled=True, idle_timeout_seconds=300, idle_since=long_ago
    )
    get_access_token_model().objects.update(updated=long_ago)


@pytest.mark.parametrize(
    "happens",
    [
        _expired,
        _given_back,
        _client_disabled,
        _client_being_deleted,
        _person_deactivated,
        _tokens_from_before,
        _authorization_revoked,
        _never_authorized,
        _limited_to_a_role,
        _idle,
    ],
)
def test_a_token_that_does_not_work_is_not_active_and_no_reason_is_told(api, app, ben, cast, happens):
    token = app.tokens(ben)["access_token"]
    assert asked(api, token)["active"]
    happens(cast, app)
    assert asked(api, token) == DEAD


def test_a_client_that_gets_no_new_tokens_keeps_the_ones_it_has(api, app, ben):
    token = app.tokens(ben)["access_token"]
    Client.objects.filter(id=app.client.id).update(state=ClientState.INACTIVE)
    assert asked(api, token)["active"]


def test_to_ask_is_not_to_use(api, app, ben, cast):
    """Asked about every minute, a token that makes no call dies all the same; and asking keeps nobody's
    "last used" going but the asking client's own."""
    with time_machine.travel(datetime(2026, 5, 1, tzinfo=UTC), tick=False) as clock:
        idle_time.set_timeout(actor=system(cast.acme), enabled=True, seconds=300)
        token = app.tokens(ben)["access_token"]
        noted = get_access_token_model().objects.values_list("updated").get(user=cast.ben)
        Client.objects.filter(id=app.client.id).update(last_used_at=None)
        for _minute in range(4):
            clock.shift(timedelta(minutes=1))
            assert asked(api, token)["active"]
        assert get_access_token_model().objects.values_list("updated").get(user=cast.ben) == noted
        assert Client.objects.get(id=app.client.id).last_used_at is None
        clock.shift(timedelta(minutes=1))
        assert asked(api, token) == DEAD


# --- Who may ask ----------------------------------------------------------------------------------


def test_only_clients_with_the_permission_may_ask(api, app, ben, cast):
    token = app.tokens(ben)["access_token"]
    without = App(*cast.client(("Supervisor", None), name="Nosy"), "")
    for nosy in (without, app):
        for value in (token, "nonsense"):
            response = nosy.post(INTROSPECT, {"token": value}, nosy.secret)
            assert (response.status_code, response.json()["error"]) == (403, "access_denied")
            assert "oauth:token:view" in response.json()["error_description"]
            assert response["Cache-Control"] == "no-store"


def test_the_permission_may_be_held_in_any_division_and_is_read_at_each_call(api, app, ben, cast):
    token = app.tokens(ben)["access_token"]
    elsewhere = App(*cast.client(("Token Introspection", cast.west), name="West API"), "")
    assert asked(elsewhere, token)["active"]
    clients.change(
        actor=system(cast.acme),
        client_id=elsewhere.client.id,
        spec=lambda was: was.__class__(
            **{**was.__dict__, "role_divisions": (cast.pair("Employee", cast.west),)}
        ),
    )
    assert elsewhere.post(INTROSPECT, {"token": token}, elsewhere.secret).status_code == 403


@pytest.mark.parametrize(
    ("state", "status", "error"),
    [
        (ClientState.DISABLED, 401, "invalid_client"),
        (ClientState.INACTIVE, 400, "unauthorized_client"),
    ],
)
def test_a_client_that_is_off_may_not_ask(api, app, ben, state, status, error):
    token = app.tokens(ben)["access_token"]
    Client.objects.filter(id=api.client.id).update(state=state)
    response = api.post(INTROSPECT, {"token": token}, api.secret)
    assert (response.status_code, response.json()["error"]) == (status, error)


def test_nobody_asks_without_the_right_secret(api, app, ben):
    token = app.tokens(ben)["access_token"]
    for headers, form in (
        ({}, {}),
        ({}, {"client_id": api.id}),
        ({}, {"client_id": api.id, "client_secret": "wrong"}),
        ({"Authorization": basic(api.id, "wrong")}, {}),
        ({"Authorization": basic(app.id, api.secret)}, {}),
        ({"Authorization": "Basic !!!"}, {}),
    ):
        response = Browser().post(
            INTROSPECT,
            urlencode({"token": token, **form}),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client"), (headers, form)
        assert response["WWW-Authenticate"].startswith("Basic ")


def test_a_token_does_not_authenticate_here(api, app, ben):
    token = app.tokens(ben)["access_token"]
    response = Browser().post(
        INTROSPECT,
        urlencode({"token": token}),
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_too_many_failures_are_slowed_down_as_at_the_token_endpoint(api, settings):
    settings.RATE_TOKEN_FAILURES = 2
    for _try in range(2):
        assert api.post(INTROSPECT, {"token": "x"}, "wrong").status_code == 401
    for path in (INTROSPECT, "/oauth/token"):
        assert api.post(path, {"token": "x"}, api.secret).status_code == 429


def test_an_unknown_client_costs_what_a_wrong_secret_costs(api, django_assert_num_queries):
    unknown = basic("11111111-1111-4111-8111-111111111111", api.secret)
    for header in (basic(api.id, "wrong"), unknown, basic("nonsense", "wrong")):
        with django_assert_num_queries(1):
            Browser().post(
                INTROSPECT,
                "token=x",
                content_type="application/x-www-form-urlencoded",
                headers={"Authorization": header},
            )


def test_the_secret_counts_as_used_so_that_nobody_ends_it_by_mistake(api):
    assert ClientSecret.objects.get(client=api.client).last_used_at is None
    asked(api, "nonsense")
    assert ClientSecret.objects.get(client=api.client).last_used_at is not None


# --- How it is asked ------------------------------------------------------------------------------


def test_a_token_is_read_from_the_body_only(api, app, ben):
    token = app.tokens(ben)["access_token"]
    headers = {"Authorization": basic(api.id, api.secret)}
    browser = Browser()
    assert browser.get(INTROSPECT, {"token": token}, headers=headers).status_code == 405
    answers = [
        browser.post(f"{INTROSPECT}?token={token}", headers=headers),
        api.post(f"{INTROSPECT}?token={token}", {"token": token}, api.secret),
        browser.post(INTROSPECT, {"token": token}, headers=headers),  # multipart
        browser.post(INTROSPECT, {"token": token}, content_type="application/json", headers=headers),
        api.post(INTROSPECT, {}, api.secret),
        api.post(INTROSPECT, {"token": ""}, api.secret),
    ]
    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [
        (400, "invalid_request")
    ] * 6
    assert all(answer["Cache-Control"] == "no-store" for answer in answers)


def test_no_page_of_an_app_may_ask(api, app):
    response = Browser().post(
        INTROSPECT,
        "token=x",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": basic(api.id, api.secret), "Origin": REDIRECT_URI.rsplit("/", 1)[0]},
    )
    assert "Access-Control-Allow-Origin" not in response
