"""Refreshing (RFC 6749 6, RFC 9700 4.14, ASVS 10.4.5 and 10.4.8; wire contract B3 and J)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from accounts.actor import system
from accounts.models import AuditEvent, Organization
from accounts.services import people
from oauthclients.models import Client, ClientAuthorization, ClientState, Consent, TokenFamily
from oauthclients.services import clients, consents, idle_time, usage
from tests.cast import App

ME = "/api/v2/users/me"
START = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as travel:
        yield travel


def works(token: dict[str, str]) -> bool:
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    status = Browser().get(ME, headers=headers).status_code
    usage.flush()
    assert status in (200, 401)
    return status == 200


def dead(app: App, token: dict[str, str]) -> bool:
    response = app.refresh(token["refresh_token"])
    if response.status_code == 200:
        return False
    assert response.status_code == 400, response.content
    assert response.json()["error"] == "invalid_grant"
    return True


def test_a_refresh_gives_a_new_pair_and_goes_on(app, eve):
    first = app.tokens(eve)
    second = app.refresh(first["refresh_token"]).json()
    third = app.refresh(second["refresh_token"]).json()

    values = [token[kind] for token in (first, second, third) for kind in ("access_token", "refresh_token")]
    assert len(set(values)) == 6
    assert works(third)
    assert works(first)  # an access token lives for as long as it was given for


def test_a_refresh_token_that_comes_again_ends_the_family(app, eve, clock):
    first = app.tokens(eve)
    second = app.refresh(first["refresh_token"]).json()
    clock.shift(timedelta(seconds=11))

    assert dead(app, first)

    assert not works(second)
    assert dead(app, second)
    assert not get_access_token_model().objects.exists()
    assert not get_refresh_token_model().objects.exists()
    line = AuditEvent.objects.get(action="app.refreshReplayed")
    assert (line.actor_name, line.entity_name, line.after) == ("Eve", "Web app", {"tokens": 2})


def test_the_identical_request_a_moment_later_gets_the_identical_answer(app, eve, clock):
    first = app.tokens(eve)
    answer = app.refresh(first["refresh_token"]).json()
    clock.shift(timedelta(seconds=10))
    again = app.refresh(first["refresh_token"]).json()

    assert again == {**answer, "expires_in": answer["expires_in"] - 10}
    assert get_access_token_model().objects.count() == 2
    assert get_refresh_token_model().objects.count() == 2


def test_another_request_a_moment_later_is_not_the_identical_one(app, eve, clock):
    first = app.tokens(eve)
    answer = app.refresh(first["refresh_token"]).json()
    response = app.refresh(first["refresh_token"], scope="users")
    assert response.status_code == 400
    assert not works(answer)


def test_nor_is_it_when_somebody_has_gone_on_from_the_answer(app, eve, clock):
    first = app.tokens(eve)
    second = app.refresh(first["refresh_token"]).json()
    third = app.refresh(second["refresh_token"]).json()
    assert dead(app, first)
    assert not works(third)


def test_what_is_stored_does_not_tell_what_comes_next(app, eve, settings):
    first = app.tokens(eve)
    settings.CLIENT_SECRET_KEY = "another key"
    # The secret is an HMAC under that key as well, so the client is unknown: without it nothing follows.
    assert app.refresh(first["refresh_token"]).status_code == 401


def test_there_is_an_absolute_end_however_often_it_is_refreshed(app, eve, clock, settings):
    settings.REFRESH_TOKEN_SECONDS = 1_000
    token = app.tokens(eve)
    clock.shift(timedelta(seconds=900))
    token = app.refresh(token["refresh_token"]).json()
    assert token["expires_in"] == 100  # and nothing outlives it
    clock.shift(timedelta(seconds=100))
    assert dead(app, token)


def test_scopes_can_become_fewer_and_never_more(app, eve):
    first = app.tokens(eve)
    less = app.refresh(first["refresh_token"], scope="users:readonly").json()
    assert less["scope"] == "users:readonly"
    whole = app.refresh(less["refresh_token"]).json()
    assert whole["scope"] == "user-basic-info users"
    more = app.refresh(whole["refresh_token"], scope="users oauth")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")


def test_it_belongs_to_its_client(app, eve, cast):
    token = app.tokens(eve)
    other = cast.app(name="Other")
    assert other.refresh(token["refresh_token"]).status_code == 400
    assert not dead(app, token)


@pytest.mark.parametrize("body", [{"secret": ""}, {"secret": "wrong"}])
def test_the_secret_is_always_needed(app, eve, body):
    token = app.tokens(eve)
    response = app.refresh(token["refresh_token"], client_id=app.id if not body["secret"] else None, **body)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("value", ["", "nonsense", "\x00"])
def test_nonsense_is_refused(app, value):
    response = app.refresh(value)
    assert response.status_code == 400


def test_an_access_token_is_no_refresh_token(app, eve):
    token = app.tokens(eve)
    assert app.refresh(token["access_token"]).status_code == 400
    assert (
        Browser().get(ME, headers={"Authorization": f"Bearer {token['refresh_token']}"}).status_code == 401
    )


# --- Gone with what it hangs on -----------------------------------------------------------------


def test_gone_with_the_client(app, eve, cast):
    token = app.tokens(eve)
    clients.delete(actor=cast.actor(cast.ada), client_id=app.client.id)
    assert not works(token)
    assert app.refresh(token["refresh_token"]).status_code == 401
    for model in (get_refresh_token_model(), get_access_token_model(), TokenFamily, Consent):
        assert not model.objects.exists()


@pytest.mark.parametrize("state", [ClientState.DISABLED, ClientState.INACTIVE])
def test_gone_while_the_client_is_off(app, eve, state):
    """Or the official SDK would refresh and be refused for ever (wire contract, fact 5)."""
    token = app.tokens(eve)
    Client.objects.filter(id=app.client.id).update(state=state)
    assert app.refresh(token["refresh_token"]).json()["error"] == "unauthorized_client"
    # Switched off is not ended: what was refused goes on when the client is switched on again.
    Client.objects.filter(id=app.client.id).update(state=ClientState.ACTIVE)
    assert app.refresh(token["refresh_token"]).status_code == 200


def test_gone_with_the_person_for_good(app, eve, cast):
    token = app.tokens(eve)
    acting = system(cast.acme)
    people.change(actor=acting, user_id=cast.eve.id, version=1, values={"state": "inactive"})
    assert not works(token)
    assert dead(app, token)
    people.change(actor=acting, user_id=cast.eve.id, version=2, values={"state": "active"})
    assert not works(token)
    assert dead(app, token)


def test_gone_with_a_new_password(app, eve, cast):
    token = app.tokens(eve)
    people.set_password(actor=system(cast.acme), user=cast.eve, password="another long password")
    assert not works(token)
    assert dead(app, token)


def test_gone_with_what_the_person_allowed(app, eve, cast):
    token = app.tokens(eve)
    consents.revoke(actor=cast.actor(cast.eve), consent_id=Consent.objects.get().id)
    assert not works(token)
    assert dead(app, token)


def test_gone_with_the_organizations_authorization(app, eve):
    token = app.tokens(eve)
    ClientAuthorization.objects.update(state="Revoked")
    assert dead(app, token)


def test_gone_with_the_organization(app, eve, cast):
    token = app.tokens(eve)
    Organization.objects.filter(id=cast.acme.id).update(active=False)
    assert not works(token)
    assert app.refresh(token["refresh_token"]).status_code == 400


# --- Idle ---------------------------------------------------------------------------------------


@pytest.fixture
def idle(cast, clock):
    """Acme's tokens die after five minutes without use."""
    Organization.objects.filter(id=cast.acme.id).update(
        idle_timeout_enabled=True, idle_timeout_seconds=300, idle_since=START
    )


def test_it_dies_with_the_idle_clock(app, eve, clock, idle):
    token = app.tokens(eve)
    clock.shift(timedelta(seconds=300))
    assert dead(app, token)


def test_refreshing_is_not_using(app, eve, clock, idle):
    token = app.tokens(eve)
    clock.shift(timedelta(seconds=200))
    token = app.refresh(token["refresh_token"]).json()
    clock.shift(timedelta(seconds=100))
    assert not works(token)
    assert dead(app, token)


def test_each_token_of_a_sign_in_has_its_own_clock(app, eve, clock, idle):
    first = app.tokens(eve)
    second = app.refresh(first["refresh_token"]).json()
    for _ in range(2):
        clock.shift(timedelta(seconds=200))
        assert works(first)
    assert dead(app, second)  # it was not used
    assert works(first)


def test_what_has_died_of_it_does_not_wake_when_it_is_switched_off(app, eve, cast, clock, idle):
    first = app.tokens(eve)
    second = app.refresh(first["refresh_token"]).json()
    for _ in range(2):
        clock.shift(timedelta(seconds=200))
        assert works(first)
    idle_time.set_timeout(actor=cast.actor(cast.ada), enabled=False)
    assert works(first)
    assert dead(app, second)


def test_using_keeps_it_alive(app, eve, clock, idle):
    token = app.tokens(eve)
    for _ in range(4):
        clock.shift(timedelta(seconds=200))
        assert works(token)
        token = app.refresh(token["refresh_token"]).json()


def test_a_use_counts_for_the_refresh_of_the_next_moment(app, eve, clock, idle):
    token = app.tokens(eve)
    clock.shift(timedelta(seconds=200))
    assert (
        Browser().get(ME, headers={"Authorization": f"Bearer {token['access_token']}"}).status_code == 200
    )
    token = app.refresh(token["refresh_token"]).json()  # before anything that was noted is written
    clock.shift(timedelta(seconds=200))
    assert works(token)


def test_an_installation_can_withhold_it(app, eve, clock, idle, settings):
    before = app.tokens(eve)
    settings.REFRESH_TOKENS_WITH_IDLE_TIMEOUT = False
    assert "refresh_token" not in app.tokens(eve)
    assert dead(app, before)
