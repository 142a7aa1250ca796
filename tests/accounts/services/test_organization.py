"""The settings of an organization: who may change them, their bounds, and what each leaves in the trail."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.errors import Conflict, Invalid, NotAllowed
from accounts.models import AuditEvent, Organization
from accounts.rules import idle, token_seconds
from accounts.services import organization
from config.regions import Regions
from oauthclients.rules import token_life

EVERY_CHANGE = [
    (organization.rename, {"name": "Acme & Sons"}),
    (organization.set_hipaa, {"enabled": True}),
    (organization.set_idle_timeout, {"enabled": True, "seconds": 600}),
    (organization.set_idle_exclusions, {"paths": ["/api/v2/tokens/me"]}),
    (organization.set_enforce_scopes, {"enabled": False}),
    (organization.set_implicit_allowed, {"allowed": False}),
    (organization.set_default_token_seconds, {"seconds": 3_600}),
    (organization.set_home_region, {"code": "us"}),
]
every_change = pytest.mark.parametrize(
    ("change", "values"), EVERY_CHANGE, ids=[change.__name__ for change, _values in EVERY_CHANGE]
)


def now(cast) -> Organization:
    return Organization.objects.get(id=cast.acme.id)


def trail(cast) -> list[AuditEvent]:
    """What was done to Acme since it was made."""
    return list(AuditEvent.objects.filter(entity_id=cast.acme.id).order_by("at")[1:])


@pytest.fixture(autouse=True)
def _two_regions(settings):
    settings.REGIONS = Regions(["eu=eu.example.com", "us=us.example.com"], base_url=settings.BASE_URL)


@pytest.fixture
def ada(cast):
    return cast.actor(cast.ada)


# --- All of them ---------------------------------------------------------------------------------


@every_change
def test_the_permission_is_needed(cast, change, values):
    with pytest.raises(NotAllowed) as refused:
        change(actor=cast.actor(cast.ben), **values)
    assert refused.value.missing == ("directory:organization:admin",)
    assert now(cast).version == 1
    assert trail(cast) == []


@every_change
def test_the_permission_comes_before_everything_that_could_be_wrong(cast, change, values):
    wrong = {"name": "", "paths": ["no"], "seconds": 1, "enabled": True, "allowed": True, "code": "no"}
    with pytest.raises(NotAllowed):
        change(actor=cast.actor(cast.ben), **{key: wrong[key] for key in values})


@every_change
def test_a_change_raises_the_version_and_leaves_one_line_with_before_and_after(cast, ada, change, values):
    changed = change(actor=ada, version=1, **values)
    assert (changed.version, now(cast).version) == (2, 2)
    [line] = trail(cast)
    assert line.actor_id == cast.ada.id
    assert line.action.startswith("organization.")
    assert line.before
    assert line.before.keys() == line.after.keys()


@every_change
def test_the_same_again_changes_nothing(cast, ada, change, values):
    change(actor=ada, **values)
    assert change(actor=ada, version=2, **values).version == 2
    assert len(trail(cast)) == 1


@every_change
def test_after_somebody_elses_change_nothing_is_overwritten(cast, ada, change, values):
    organization.rename(actor=ada, name="Acme Inc.", version=1)
    before = now(cast)
    with pytest.raises(Conflict) as refused:
        change(actor=ada, version=1, **values)
    assert refused.value.code == "general.conflict"
    assert now(cast).version == 2
    assert now(cast).__dict__.keys() == before.__dict__.keys()
    assert len(trail(cast)) == 1


@every_change
def test_another_organization_stays_as_it_is(cast, change, values):
    change(actor=cast.actor(cast.cleo), **values)
    assert now(cast).version == 1
    assert Organization.objects.get(id=cast.globex.id).version == 2


# --- Name ----------------------------------------------------------------------------------------


def test_the_name_is_trimmed_and_the_short_name_stays(cast, ada):
    changed = organization.rename(actor=ada, name="  Acme   & Sons ")
    assert (changed.name, changed.short_name) == ("Acme & Sons", "acme")
    assert (trail(cast)[0].before, trail(cast)[0].after) == ({"name": "Acme"}, {"name": "Acme & Sons"})


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "a\u202eb", "x" * 201])
def test_a_name_that_people_cannot_read_is_refused(cast, ada, name):
    with pytest.raises(Invalid):
        organization.rename(actor=ada, name=name)
    assert now(cast).name == "Acme"


# --- Idle timeout and HIPAA ----------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [300, 900, 901, 28_800])
def test_the_timeout_has_its_bounds(ada, seconds):
    assert organization.set_idle_timeout(actor=ada, enabled=True, seconds=seconds).idle_limit == timedelta(
        seconds=seconds
    )


@pytest.mark.parametrize("seconds", [-1, 0, 299, 28_801, 10**12])
@pytest.mark.parametrize("enabled", [True, False, None])
def test_outside_its_bounds_the_timeout_is_refused(cast, ada, seconds, enabled):
    with pytest.raises(Invalid) as refused:
        organization.set_idle_timeout(actor=ada, enabled=enabled, seconds=seconds)
    assert refused.value.code == "token.timeout.exceeded"
    assert now(cast).version == 1


@pytest.mark.parametrize("seconds", [299, 901, 28_800])
def test_with_hipaa_the_timeout_is_at_most_15_minutes(cast, ada, seconds):
    organization.set_hipaa(actor=ada, enabled=True)
    with pytest.raises(Invalid) as refused:
        organization.set_idle_timeout(actor=ada, seconds=seconds)
    assert refused.value.code == "token.timeout.exceeded.hipaa"
    assert organization.set_idle_timeout(actor=ada, seconds=300).idle_timeout_seconds == 300


def test_with_hipaa_the_timeout_cannot_be_switched_off(cast, ada):
    organization.set_hipaa(actor=ada, enabled=True)
    with pytest.raises(Invalid) as refused:
        organization.set_idle_timeout(actor=ada, enabled=False)
    assert refused.value.code == "token.timeout.exceeded.hipaa"
    assert now(cast).idle_timeout_enabled


@pytest.mark.parametrize(("before", "after"), [(300, 300), (900, 900), (901, 900), (28_800, 900)])
def test_hipaa_switches_the_timeout_on_and_keeps_a_shorter_one(cast, ada, before, after):
    organization.set_idle_timeout(actor=ada, enabled=True, seconds=before)
    changed = organization.set_hipaa(actor=ada, enabled=True)
    assert changed.idle_limit == timedelta(seconds=after)


def test_hipaa_off_leaves_the_timeout_as_it_is(cast, ada):
    organization.set_hipaa(actor=ada, enabled=True)
    changed = organization.set_hipaa(actor=ada, enabled=False)
    assert (changed.hipaa, changed.idle_limit) == (False, timedelta(minutes=15))
    assert organization.set_idle_timeout(actor=ada, seconds=28_800).idle_timeout_seconds == 28_800
    on, off, _longer = trail(cast)
    assert (on.action, off.action) == ("organization.hipaaEnabled", "organization.hipaaDisabled")
    assert on.after == {"hipaa": True, "enableIdleTokenTimeout": True, "idleTokenTimeoutSeconds": 900}
    assert off.after == {"hipaa": False}


@pytest.mark.parametrize("switch", [organization.set_hipaa, organization.set_idle_timeout])
def test_nothing_was_idle_before_the_timeout_was_switched_on(cast, ada, switch):
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        assert switch(actor=ada, enabled=True).idle_since == start
    with time_machine.travel(start + timedelta(hours=1), tick=False):
        # Another length, or HIPAA on top, is not switching it on.
        assert organization.set_idle_timeout(actor=ada, seconds=400).idle_since == start
        assert organization.set_hipaa(actor=ada, enabled=True).idle_since == start
        organization.set_hipaa(actor=ada, enabled=False)
        assert organization.set_idle_timeout(actor=ada, enabled=False).idle_since is None
    with time_machine.travel(start + timedelta(hours=2), tick=False):
        again = organization.set_idle_timeout(actor=ada, enabled=True)
        assert again.idle_since == start + timedelta(hours=2)


def test_one_half_of_the_timeout_keeps_the_other(ada):
    organization.set_idle_timeout(actor=ada, seconds=600)
    changed = organization.set_idle_timeout(actor=ada, enabled=True)
    assert (changed.idle_timeout_enabled, changed.idle_timeout_seconds) == (True, 600)


def test_the_rule_of_idleness(cast):
    at = timezone.now()
    minutes = lambda n: timedelta(minutes=n)  # noqa: E731
    off = Organization(idle_timeout_enabled=False, idle_timeout_seconds=300)
    assert idle.ends_at(off, at) is None
    assert not idle.is_over(off, at, at + minutes(999))
    on = Organization(idle_timeout_enabled=True, idle_timeout_seconds=300, idle_since=at)
    assert not idle.is_over(on, at, at + minutes(5) - timedelta(seconds=1))
    assert idle.is_over(on, at, at + minutes(5))
    # The clock of something used before starts when the timeout does.
    assert idle.ends_at(on, at - minutes(60)) == at + minutes(5)


# --- The rest ------------------------------------------------------------------------------------


def test_exclusions_are_trimmed_and_kept_once(ada):
    changed = organization.set_idle_exclusions(
        actor=ada, paths=[" /api/v2/tokens/me/ ", "", "/api/v2/tokens/me", "/api/v2/users/{userId}"]
    )
    assert changed.idle_exclusions == ["/api/v2/tokens/me", "/api/v2/users/{userId}"]


@pytest.mark.parametrize(
    "path",
    [
        "tokens/me",
        "/api/v2",  # would exclude everything
        "/api/v2/",
        "/api/v1/users",
        "https://a.example/api/v2/users",
        "/api/v2/users?state=any",
        "/api/v2/users#x",
        "/api/v2//users",
        "/api/v2/users/{userId",
        "/api/v2/users/a{b}",
        "/api/v2/" + "x" * 200,
    ],
)
def test_what_is_no_path_of_the_api_is_refused_with_its_line(cast, ada, path):
    with pytest.raises(Invalid) as refused:
        organization.set_idle_exclusions(actor=ada, paths=["/api/v2/users", path])
    [problem] = refused.value.problems
    assert (problem.code, problem.line) == ("invalid.value", 2)
    assert now(cast).idle_exclusions == []


def test_there_are_at_most_a_hundred_exclusions(ada):
    with pytest.raises(Invalid):
        organization.set_idle_exclusions(actor=ada, paths=[f"/api/v2/x/{n}" for n in range(101)])


@pytest.mark.parametrize("seconds", [299, 172_801])
def test_the_default_duration_has_the_bounds_of_a_token(ada, seconds):
    with pytest.raises(Invalid) as refused:
        organization.set_default_token_seconds(actor=ada, seconds=seconds)
    assert refused.value.code == "constraint.validation"


def test_the_bounds_of_a_token_are_those_of_the_seeds_for_clients_and_defaults():
    assert (token_life.SHORTEST, token_life.LONGEST, token_life.DEFAULT) == (300, 172_800, 86_400)
    assert (token_seconds.SHORTEST, token_seconds.LONGEST) == (300, 172_800)


def test_each_switch_has_a_sentence_for_on_and_for_off(cast, ada):
    for allowed in (False, True):
        organization.set_implicit_allowed(actor=ada, allowed=allowed)
        organization.set_enforce_scopes(actor=ada, enabled=allowed)
    assert [line.action for line in trail(cast)] == [
        "organization.implicitRefused",
        "organization.scopesIgnored",
        "organization.implicitAllowed",
        "organization.scopesEnforced",
    ]
