"""`/tokens/timeout` and the settings of an organization (wire contract E2, E5 and J)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.actor import system
from accounts.errors import Invalid
from accounts.models import AuditEvent, Organization
from accounts.services import organization
from oauthclients.services import idle_time, usage
from tests.oauthclients.api.conftest import refused

TIMEOUT = "/tokens/timeout"
HIPAA = "/organizations/features/hipaa"
SETTINGS = "/organizations/authentication/settings"


def now(cast) -> Organization:
    return Organization.objects.get(id=cast.acme.id)


def shape(seconds: int, enabled: bool) -> dict:
    return {"idleTokenTimeoutSeconds": seconds, "enableIdleTokenTimeout": enabled}


# --- The timeout ---------------------------------------------------------------------------------


def test_anybody_may_read_the_timeout(api):
    assert api().get(TIMEOUT).json() == shape(1_800, False)


def test_it_is_set_with_both_keys_or_one(cast, admin):
    assert admin.put(TIMEOUT, shape(600, True)).json() == shape(600, True)
    assert admin.put(TIMEOUT, {"idleTokenTimeoutSeconds": 1_200}).json() == shape(1_200, True)
    assert admin.put(TIMEOUT, {"enableIdleTokenTimeout": False}).json() == shape(1_200, False)
    assert admin.put(TIMEOUT, {"enableIdleTokenTimeout": None}).json() == shape(1_200, False)
    assert admin.put(TIMEOUT, {}).json() == shape(1_200, False)
    assert now(cast).version == 4
    assert admin.get(TIMEOUT).json() == shape(1_200, False)


def test_what_the_vendor_knows_besides_is_accepted_and_not_done(admin):
    body = {
        **shape(600, True),
        "inactivityTimeoutUnit": "Hours",
        "inactivityTimeoutGroupsEnabled": True,
        "inactivityTimeoutGroupBundles": [{"priority": 1}],
    }
    assert admin.put(TIMEOUT, body).json() == shape(600, True)


@pytest.mark.parametrize("seconds", [299, 28_801, 0, -300])
def test_outside_the_bounds_it_is_refused(cast, admin, seconds):
    body = refused(admin.put(TIMEOUT, shape(seconds, True)), 400, "token.timeout.exceeded")
    assert body["details"][0]["fieldName"] == "idleTokenTimeoutSeconds"
    assert now(cast).version == 1


def test_with_hipaa_it_is_at_most_900_seconds_and_on(admin):
    admin.patch(HIPAA, {"enabled": True})
    assert admin.get(TIMEOUT).json() == shape(900, True)
    refused(admin.put(TIMEOUT, shape(901, True)), 400, "token.timeout.exceeded.hipaa")
    refused(admin.put(TIMEOUT, {"enableIdleTokenTimeout": False}), 400, "token.timeout.exceeded.hipaa")
    assert admin.put(TIMEOUT, {"idleTokenTimeoutSeconds": 300}).json() == shape(300, True)


@pytest.mark.parametrize(
    "body",
    [
        {"idleTokenTimeoutSeconds": "600"},
        {"idleTokenTimeoutSeconds": True},
        {"idleTokenTimeoutSeconds": 600.5},
        {"enableIdleTokenTimeout": "true"},
        {"enableIdleTokenTimeout": 1},
    ],
)
def test_values_of_another_type_are_refused(admin, body):
    refused(admin.put(TIMEOUT, body), 400, "invalid.value")


def test_the_trail_names_the_program(cast, admin):
    admin.put(TIMEOUT, shape(600, True))
    line = AuditEvent.objects.get(action="organization.idleTimeoutSet")
    assert (line.actor_id, line.entity_id) == (admin.client.id, cast.acme.id)
    assert line.before == shape(1_800, False)
    assert line.after == shape(600, True)


# --- What has died stays dead --------------------------------------------------------------------


@pytest.fixture
def unused(cast, api):
    """A caller whose token has not been used for eleven minutes, where ten are the limit."""
    caller = api()
    organization.set_idle_timeout(actor=system(cast.acme), enabled=True, seconds=600)
    long_ago = timezone.now() - timedelta(hours=1)
    Organization.objects.filter(id=cast.acme.id).update(idle_since=long_ago)
    tokens = get_access_token_model().objects.filter(application=caller.client)
    tokens.update(updated=timezone.now() - timedelta(minutes=11))
    return caller


@pytest.mark.parametrize("change", [{"seconds": 28_800}, {"enabled": False}])
def test_a_longer_limit_or_none_wakes_no_dead_token(cast, unused, change):
    idle_time.set_timeout(actor=system(cast.acme), **change)
    refused(unused.get("/organizations/me"), 401, "bad.credentials")


def test_what_was_alive_stays_alive(cast, unused, api):
    other = api()
    elsewhere = cast.cleo.organization
    idle_time.set_timeout(actor=system(elsewhere), enabled=True, seconds=300)
    idle_time.set_timeout(actor=system(cast.acme), enabled=False)
    assert other.get("/organizations/me").status_code == 200


@pytest.mark.parametrize("refreshed", [False, True])
def test_it_wakes_no_dead_refresh_token_either(cast, browser_of, refreshed):
    """Being refreshed is not being used: the new pair goes on with the clock of the old one."""
    organization.set_idle_timeout(actor=system(cast.acme), enabled=True, seconds=600)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        app = cast.app("users", name="Portal")
        idling, busy = (app.tokens(browser_of(person)) for person in (cast.ada, cast.eve))
        clock.shift(timedelta(minutes=6))
        if refreshed:
            idling = app.refresh(idling["refresh_token"]).json()
        busy_headers = {"Authorization": f"Bearer {busy['access_token']}"}
        assert Browser().get("/api/v2/users", headers=busy_headers).status_code != 401
        usage.flush()
        clock.shift(timedelta(minutes=6))
        idle_time.set_timeout(actor=system(cast.acme), enabled=False)
        assert app.refresh(idling["refresh_token"]).json()["error"] == "invalid_grant"
        assert app.refresh(busy["refresh_token"]).status_code == 200


def test_a_refused_change_ends_nothing(cast, unused):
    tokens = get_access_token_model().objects.filter(application=unused.client)
    with pytest.raises(Invalid):
        idle_time.set_timeout(actor=system(cast.acme), seconds=1)
    assert tokens.exists()


# --- Features ------------------------------------------------------------------------------------


def test_hipaa_is_switched_on_and_off(cast, admin):
    assert admin.patch(HIPAA, {"enabled": True}).json() == {"hipaa": True}
    assert admin.get("/organizations/me").json()["features"] == {"hipaa": True}
    assert admin.patch(HIPAA, {"enabled": False}).json() == {"hipaa": False}
    assert now(cast).version == 3


@pytest.mark.parametrize("body", [{}, None, {"enabled": None}, {"enabled": "yes"}, {"enabled": 1}])
def test_without_a_clear_word_nothing_is_switched(cast, admin, body):
    refused(admin.patch(HIPAA, body), 400, "invalid.value")
    assert not now(cast).hipaa


@pytest.mark.parametrize("name", ["chat", "pci", "purecloudVoice"])
def test_the_vendors_other_features_cannot_be_changed(cast, admin, name):
    body = refused(admin.patch(f"/organizations/features/{name}", {"enabled": True}), 400, "bad.request")
    assert name in body["message"]
    assert now(cast).version == 1


def test_a_feature_that_nobody_has_is_not_found(admin):
    refused(admin.patch("/organizations/features/telepathy", {"enabled": True}), 404, "not.found")


# --- Authentication settings ---------------------------------------------------------------------


def test_the_authentication_settings_say_what_is_so(admin):
    assert admin.get(SETTINGS).json() == {
        "multifactorAuthenticationRequired": False,
        "domainAllowlistEnabled": False,
        "domainAllowlist": [],
        "ipAddressAllowlist": [],
        "passwordRequirements": {"minimumLength": 8},
        "inactivityTimeoutExclusions": [],
    }


def test_exclusions_are_changed_and_the_rest_may_be_repeated(cast, admin):
    body = {**admin.get(SETTINGS).json(), "inactivityTimeoutExclusions": ["/api/v2/tokens/me"]}
    answer = admin.patch(SETTINGS, body)
    assert answer.json() == body
    assert now(cast).idle_exclusions == ["/api/v2/tokens/me"]
    assert admin.patch(SETTINGS, {}).json() == body
    assert (
        admin.patch(SETTINGS, {"inactivityTimeoutExclusions": []}).json()["inactivityTimeoutExclusions"]
        == []
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("multifactorAuthenticationRequired", True),
        ("domainAllowlistEnabled", True),
        ("domainAllowlist", ["a.example"]),
        ("ipAddressAllowlist", ["10.0.0.0/8"]),
        ("passwordRequirements", {"minimumLength": 12}),
        ("passwordRequirements", {"minimumDigits": 1}),
        ("passwordRequirements", "long"),
        ("universalLogout", True),
        ("tokenStorageLocation", "session"),
    ],
)
def test_what_would_change_a_fixed_setting_is_refused_as_a_whole(cast, admin, field, value):
    body = {field: value, "inactivityTimeoutExclusions": ["/api/v2/tokens/me"]}
    answer = refused(admin.patch(SETTINGS, body), 400, "invalid.value")
    assert [detail["fieldName"] for detail in answer["details"]] == [field]
    assert now(cast).idle_exclusions == []


@pytest.mark.parametrize("value", ["x", [1], ["https://a.example/api/v2/users"], {"a": 1}])
def test_exclusions_must_be_paths(admin, value):
    refused(admin.patch(SETTINGS, {"inactivityTimeoutExclusions": value}), 400, "invalid.value")


# --- The name ------------------------------------------------------------------------------------


def test_the_organization_is_renamed_with_the_version_that_was_read(cast, admin):
    read = admin.get("/organizations/me").json()
    answer = admin.put("/organizations/me", {**read, "name": "Acme & Sons"})
    assert answer.json() == {**read, "name": "Acme & Sons", "version": 2}
    assert admin.put("/organizations/me", {"version": 2}).json()["name"] == "Acme & Sons"


def test_a_stale_version_is_a_conflict_and_none_is_refused(cast, admin):
    admin.put("/organizations/me", {"version": 1, "name": "First"})
    refused(admin.put("/organizations/me", {"version": 1, "name": "Second"}), 409, "general.conflict")
    refused(admin.put("/organizations/me", {"name": "Third"}), 400, "invalid.value")
    assert now(cast).name == "First"


# --- The default duration ------------------------------------------------------------------------


def test_a_new_client_gets_the_organizations_duration_unless_one_is_named(cast, admin):
    organization.set_default_token_seconds(actor=system(cast.acme), seconds=3_600)
    body = {
        "name": "New",
        "authorizedGrantType": "CLIENT-CREDENTIALS",
        "roleDivisions": [{"roleId": str(cast.role("Admin").id)}],
    }
    assert admin.post("/oauth/clients", body).json()["accessTokenValiditySeconds"] == 3_600
    named = {**body, "name": "Other", "accessTokenValiditySeconds": 900}
    assert admin.post("/oauth/clients", named).json()["accessTokenValiditySeconds"] == 900
