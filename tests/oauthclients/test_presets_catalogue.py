"""The presets as data: all that they name is there, and what they fill in passes the rules."""

from __future__ import annotations

import uuid

import pytest
from django.conf import settings

from accounts.default_roles import DEFAULT_ROLES
from accounts.rules.delegation import RoleDivision
from config.regions import VENDOR
from oauthclients import presets, scopes
from oauthclients.presets import EMBEDDABLE, EMPTY, PRESETS, SALESFORCE, SCIM
from oauthclients.rules import client_spec, redirect_uris, token_life
from oauthclients.rules.client_spec import ClientSpec

every_preset = pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)


def test_each_has_its_own_id_and_the_empty_one_is_the_first():
    assert PRESETS[0] is EMPTY
    assert len(presets.BY_ID) == len(PRESETS) == 4
    assert EMPTY not in presets.TEMPLATES


@every_preset
def test_scopes_and_roles_that_it_names_are_there(preset):
    assert set(preset.scopes) <= scopes.CATALOGUE.keys()
    assert scopes.narrowed(list(preset.scopes)) == list(preset.scopes)
    assert set(preset.roles) <= {role.id for role in DEFAULT_ROLES}
    assert {step.shows for step in preset.next_steps} <= {"", "client_id", "token", "scim_url"}


@pytest.mark.parametrize("region", [*VENDOR, settings.REGIONS.own[0]], ids=lambda region: region.code)
@pytest.mark.parametrize("preset", presets.TEMPLATES, ids=lambda preset: preset.id)
def test_with_each_of_its_grant_types_it_is_a_client_that_the_rules_accept(preset, region):
    uris = preset.redirect_uris(region.apps_url, dedicated=True)
    assert redirect_uris.problems(uris) == []
    for grant in preset.grants:
        spec = ClientSpec(
            name="From a preset",
            grant_type=grant.code,
            role_divisions=tuple(RoleDivision(uuid.uuid4(), None) for _role in preset.roles),
            redirect_uris=tuple(uris),
            scope=preset.scopes,
            token_seconds=preset.seconds or token_life.DEFAULT,
        )
        assert client_spec.all_problems(spec, scim_only=preset is SCIM) == []


@every_preset
def test_a_duration_of_its_own_has_its_reason(preset):
    assert bool(preset.seconds) == bool(preset.why_seconds)
    if preset.seconds:
        said = preset.why_seconds % {"n": "<seconds>", "words": "<words>"}
        assert said.startswith("Suggested: <seconds> (<words>), ")


def test_scim_provisioning_is_what_seed_002_says():
    assert [grant.wire for grant in SCIM.grants] == ["CLIENT-CREDENTIALS"]
    assert (SCIM.roles, SCIM.everywhere, SCIM.seconds) == (("scimIntegration",), True, 38_880_000)
    assert [step.shows for step in SCIM.next_steps] == ["token", "scim_url"]


def test_the_embeddable_framework_is_what_seed_002_and_the_wire_contract_say():
    assert [grant.wire for grant in EMBEDDABLE.grants] == ["CODE", "TOKEN"]
    assert EMBEDDABLE.seconds == 64_800
    assert EMBEDDABLE.redirect_uris("https://apps.mypurecloud.ie", dedicated=False) == [
        "https://apps.mypurecloud.ie/crm/index.html"
    ]
    assert EMBEDDABLE.redirect_uris("https://apps.mypurecloud.ie", dedicated=True) == [
        "https://apps.mypurecloud.ie/crm/index.html",
        "https://apps.mypurecloud.ie/crm/authWindow.html",
    ]
    assert set(EMBEDDABLE.scopes) == {
        "conversations",
        "notifications",
        "organization:readonly",
        "outbound:readonly",
        "presence",
        "routing:readonly",
        "scripts:readonly",
        "stations:readonly",
        "user-basic-info",
        "users",
        "voicemail",
        "workforce-management",
        "external-contacts:readonly",
        "quality:readonly",
    }


def test_pure_cloud_for_salesforce_is_its_role():
    assert [grant.wire for grant in SALESFORCE.grants] == ["CLIENT-CREDENTIALS"]
    assert (SALESFORCE.roles, SALESFORCE.everywhere, SALESFORCE.seconds) == (("salesforce",), False, None)
