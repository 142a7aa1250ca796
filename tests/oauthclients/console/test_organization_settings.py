"""Account > Organization Settings: each setting on its own, and nothing happens that was not said before."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone

from accounts.actor import system
from accounts.models import AuditEvent, Organization
from accounts.services import organization
from oauthclients.models import AuthorizationState, ClientAuthorization, Consent
from tests.oauthclients.console import wizard
from tests.oauthclients.console.wizard import problems, text
from tests.standing import standing

PAGE = "/admin/organization/settings/"
PARTS = (
    "",
    "name/",
    "hipaa/",
    "idle-timeout/",
    "idle-exclusions/",
    "enforce-scopes/",
    "implicit-grant/",
    "token-duration/",
)


class Settings:
    """The page as somebody uses it: `post` sends the version that a page opened now would carry."""

    def __init__(self, browser: Browser, cast) -> None:
        self.browser, self.cast = browser, cast

    @property
    def now(self) -> Organization:
        return Organization.objects.get(id=self.cast.acme.id)

    def get(self, part: str = "") -> str:
        response = self.browser.get(PAGE + part)
        assert response.status_code == 200, response
        return text(response)

    def post(self, part: str, version: int | None = None, **data):
        shown = self.now.version if version is None else version
        return self.browser.post(f"{PAGE}{part}/", {"version": shown, **data})

    def after(self, response) -> str:
        assert response["Location"] == PAGE
        return self.get()

    def trail(self) -> list[str]:
        lines = AuditEvent.objects.filter(entity_id=self.cast.acme.id).order_by("at")
        return [line.action.removeprefix("organization.") for line in lines][1:]


@standing
def ada(cast, browser_of) -> Settings:
    return Settings(browser_of(cast.ada), cast)


def app(cast, name="Portal", by=None, grant_type="authorization-code", **more):
    """An app with scopes, which is authorized with all of them (`services/authorizations.py`)."""
    client, _secret = cast.client(
        name=name,
        grant_type=grant_type,
        by=by,
        redirect_uris=("https://app.example/cb",),
        scope=("organization:readonly", "users"),
        **more,
    )
    return client


def says(cast, client, state, scope=("users",)):
    ClientAuthorization.objects.update_or_create(
        organization=cast.acme, client=client, defaults={"state": state, "scope": list(scope)}
    )


# --- Gates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_every_part_leads_to_the_sign_in_first(db, part):
    assert Browser().get(PAGE + part)["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("part", PARTS)
def test_without_the_permission_every_part_says_which_is_missing(cast, browser_of, part):
    browser = browser_of(cast.ben)
    for response in (browser.get(PAGE + part), browser.post(PAGE + part, {"enabled": "on"})):
        assert response.status_code == (403 if part or response.request["REQUEST_METHOD"] == "GET" else 405)
    assert Organization.objects.get(id=cast.acme.id).version == 1


def test_the_menu_has_it_for_those_who_may_open_it(cast, ada, browser_of):
    home = "/admin/"
    assert "Organization Settings" in text(ada.browser.get(home))
    assert "Organization Settings" not in text(browser_of(cast.ben).get(home))


def test_the_page_shows_what_the_organization_is(cast, ada):
    page = ada.get()
    assert str(cast.acme.id) in page
    assert "acme" in page
    assert "Globex" not in page


@pytest.mark.parametrize("part", ["name/", "idle-timeout/", "idle-exclusions/", "token-duration/"])
def test_a_form_opened_by_its_address_is_the_page(ada, part):
    assert ada.browser.get(PAGE + part)["Location"] == PAGE


# --- Forms ---------------------------------------------------------------------------------------


def test_each_form_saves_its_own_setting_and_leaves_its_own_line(ada):
    ada.after(ada.post("name", name="Acme & Sons"))
    ada.after(ada.post("idle-exclusions", paths="/api/v2/tokens/me\r\n\r\n/api/v2/users/me"))
    assert "Changes saved." in ada.after(ada.post("token-duration", seconds="3,600"))
    now = ada.now
    assert (now.name, now.default_token_seconds) == ("Acme & Sons", 3_600)
    assert now.idle_exclusions == ["/api/v2/tokens/me", "/api/v2/users/me"]
    assert ada.trail() == ["renamed", "idleExclusionsSet", "defaultDurationSet"]
    page = ada.get()
    assert "Ada changed the default token duration: from 1 day to 1 hour" in page
    assert "changed the paths that do not count as use: added /api/v2/tokens/me, /api/v2/users/me" in page
    assert "renamed the organization: from ‘Acme’ to ‘Acme & Sons’" in page


def test_recent_changes_say_from_what_to_what(ada):
    minutes = {"enabled": "on", "confirmed": "yes"}
    ada.after(ada.post("idle-timeout", minutes="30", **minutes))
    ada.after(ada.post("idle-timeout", minutes="60", **minutes))
    page = ada.after(ada.post("hipaa", enabled="on"))
    assert "changed the inactivity timeout: timeout turned on" in page
    assert "changed the inactivity timeout: timeout from 30 minutes to 1 hour" in page
    assert "turned on HIPAA compliance: timeout from 1 hour to 15 minutes" in page


@pytest.mark.parametrize(
    ("part", "typed", "problem"),
    [
        ("name", {"name": " "}, "Enter a name for the organization."),
        ("name", {}, "Enter a name for the organization."),
        ("idle-timeout", {"enabled": "on", "minutes": "soon"}, "Enter a whole number of minutes."),
        (
            "idle-timeout",
            {"enabled": "on", "minutes": "4"},
            "The inactivity timeout is 5 to 480 minutes (300 to 28,800 seconds).",
        ),
        (
            "idle-exclusions",
            {"paths": "/api/v2/users\nusers"},
            "‘users’ is not a path of the API, such as /api/v2/tokens/me.",
        ),
        ("token-duration", {"seconds": "x"}, "Enter a whole number of seconds."),
        ("token-duration", {"seconds": "299"}, "Enter 300 to 172,800 (5 minutes to 2 days)."),
    ],
)
def test_what_cannot_be_saved_is_shown_as_it_was_typed(ada, part, typed, problem):
    response = ada.post(part, **typed)
    assert problems(response) == [problem]
    assert text(response).startswith("Error")
    for value in typed.values():
        assert value.replace("\n", "") in response.content.decode().replace("\n", "")
    assert ada.now.version == 1


def test_saving_what_is_there_changes_nothing_and_says_so(ada):
    assert "There was nothing to save." in ada.after(ada.post("name", name="Acme"))
    assert ada.trail() == []


def test_two_people_at_once_overwrite_nothing(cast, ada):
    organization.rename(actor=cast.actor(cast.ada), name="Acme Inc.")
    response = ada.post("name", version=1, name="Mine")
    assert problems(response) == [
        "Ada changed the settings in the meantime. Look at what is there now, and save again."
    ]
    page = response.content.decode()
    assert 'value="Mine"' in page
    assert ada.now.name == "Acme Inc."
    # Sent again from this page, it is saved.
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    ada.after(ada.post("name", version=int(version), name="Mine"))
    assert ada.now.name == "Mine"


@pytest.mark.parametrize("version", ["", "x", "-1", "1" * 30, "²"])
def test_a_forged_version_is_none(ada, version):
    response = ada.browser.post(f"{PAGE}name/", {"name": "X", "version": version})
    assert response.status_code == 200
    assert ada.now.name == "Acme"


# --- Inactivity timeout --------------------------------------------------------------------------


def test_the_timeout_is_asked_first_with_what_it_does_to_whom(cast, ada):
    cast.bearer(("Employee", cast.home))
    question = text(ada.post("idle-timeout", enabled="on", minutes="20"))
    assert "Set the inactivity timeout to 20 minutes?" in question
    assert "A token that makes no API call for 20 minutes ends" in question
    assert "A refresh token ends together with the token it came with." in question
    assert "People who can sign in 3" in question
    assert "Tokens in use 1" in question
    assert ada.now.version == 1


def test_without_refresh_tokens_the_question_says_so(ada, settings):
    settings.REFRESH_TOKENS_WITH_IDLE_TIMEOUT = False
    question = text(ada.post("idle-timeout", enabled="on", minutes="20"))
    assert "Apps get no refresh tokens, and those they hold are refused." in question


def test_the_answer_sets_it(ada):
    response = ada.post("idle-timeout", enabled="on", minutes="20", confirmed="yes")
    assert "Changes saved." in ada.after(response)
    assert ada.now.idle_limit == timedelta(minutes=20)
    assert ada.trail() == ["idleTimeoutSet"]


def test_an_answer_to_an_older_question_is_none(cast, ada):
    organization.set_idle_timeout(actor=cast.actor(cast.ada), seconds=28_800)
    response = ada.post("idle-timeout", version=1, enabled="on", minutes="20", confirmed="yes")
    assert "in the meantime" in problems(response)[0]
    assert ada.now.idle_limit is None


def test_a_shorter_timeout_says_how_many_tokens_end_at_once(cast, ada):
    cast.bearer(("Employee", cast.home))
    with time_machine.travel(timezone.now() - timedelta(hours=9)):
        organization.set_idle_timeout(actor=system(cast.acme), enabled=True, seconds=28_800)
    assert "Tokens that end at once 0" in text(ada.post("idle-timeout", enabled="on", minutes="5"))
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert "Tokens that end at once 1" in text(ada.post("idle-timeout", enabled="on", minutes="5"))


def test_turning_it_off_is_asked_too(ada):
    organization.set_idle_timeout(actor=system(ada.cast.acme), enabled=True)
    assert "Turn off the inactivity timeout?" in text(ada.post("idle-timeout", minutes="30"))
    ada.after(ada.post("idle-timeout", minutes="30", confirmed="yes"))
    assert ada.now.idle_limit is None


def test_while_it_is_off_its_minutes_are_nobodys_business(ada):
    ada.after(ada.post("idle-timeout", minutes="45"))
    assert (ada.now.idle_timeout_enabled, ada.now.idle_timeout_seconds) == (False, 2_700)


def test_seconds_that_are_no_minutes_are_kept(ada):
    organization.set_idle_timeout(actor=system(ada.cast.acme), enabled=True, seconds=330)
    assert "5 minutes 30 seconds" in ada.get()
    assert "There was nothing to save." in ada.after(ada.post("idle-timeout", enabled="on", minutes="5"))


# --- HIPAA ---------------------------------------------------------------------------------------


def test_hipaa_is_asked_and_then_on(cast, ada):
    cast.bearer(("Employee", cast.home))
    question = ada.get("hipaa/")
    assert "People who leave the console unused for 15 minutes are signed out." in question
    assert "Tokens in use 1" in question
    assert ada.now.version == 1
    assert "HIPAA compliance is on." in ada.after(ada.post("hipaa", enabled="on"))
    assert (ada.now.hipaa, ada.now.idle_limit) == (True, timedelta(minutes=15))
    assert ada.trail() == ["hipaaEnabled"]


def test_with_hipaa_the_timeout_is_locked(ada):
    organization.set_hipaa(actor=system(ada.cast.acme), enabled=True)
    page = ada.browser.get(PAGE).content.decode()
    assert re.search(r'name="enabled"[^>]* checked disabled', page)
    assert "5 to 15, because HIPAA compliance is on." in page
    problem = "With HIPAA compliance, the inactivity timeout is 5 to 15 minutes (300 to 900 seconds)."
    assert problems(ada.post("idle-timeout", minutes="16", confirmed="yes")) == [problem]
    ada.after(ada.post("idle-timeout", minutes="5", confirmed="yes"))
    assert ada.now.idle_limit == timedelta(minutes=5)


def test_hipaa_off_needs_the_organizations_name(ada):
    organization.set_hipaa(actor=system(ada.cast.acme), enabled=True)
    assert "The inactivity timeout stays at 15 minutes." in ada.get("hipaa/")
    assert problems(ada.post("hipaa")) == ["Type the organization's name to confirm."]
    assert problems(ada.post("hipaa", typed_name="acme")) == [
        "This is not the organization's name. Type ‘Acme’."
    ]
    assert ada.now.hipaa
    assert "HIPAA compliance is off." in ada.after(ada.post("hipaa", typed_name="Acme"))
    assert not ada.now.hipaa


def test_hipaa_off_needs_the_password_when_the_sign_in_was_a_while_ago(ada):
    organization.set_hipaa(actor=system(ada.cast.acme), enabled=True)
    with time_machine.travel(timezone.now()) as clock:
        for _number in range(2):  # the session is used meanwhile
            clock.shift(timedelta(minutes=10))
            ada.get()
        for response in (ada.browser.get(f"{PAGE}hipaa/"), ada.post("hipaa", typed_name="Acme")):
            assert response["Location"].startswith("/confirm-password/")
    assert ada.now.hipaa


def test_an_answer_after_somebody_elses_change_is_refused(cast, ada):
    organization.set_enforce_scopes(actor=cast.actor(cast.ada), enabled=False)
    page = ada.after(ada.post("hipaa", version=1, enabled="on"))
    assert "Ada changed the settings in the meantime." in page
    assert not ada.now.hipaa


# --- Enforce Scopes ------------------------------------------------------------------------------


def agree(person, client):
    Consent.objects.create(user=person, client=client, scope=["users"])


def groups(ada) -> dict[str, dict[str, int]]:
    """What the question says: title of a group -> app -> people."""
    question = ada.browser.get(f"{PAGE}enforce-scopes/").context["question"]
    return {group.title: {app.name: app.people for app in group.apps} for group in question.groups}


@pytest.fixture
def apps(cast):
    """One of each, of Acme and of Globex; and one of Globex's that Acme has nothing to do with."""
    authorized = app(cast, "Authorized", by=cast.ada)
    agree(cast.ada, authorized)
    agree(cast.ben, authorized)
    says(cast, app(cast, "Waiting"), AuthorizationState.REQUESTED)
    revoked = app(cast, "Revoked", by=cast.ada)
    says(cast, revoked, AuthorizationState.REVOKED)
    declined = app(cast, "Declined", by=cast.ada)
    says(cast, declined, AuthorizationState.UNAUTHORIZED)
    for name in ("Foreign", "Unknown"):
        client = app(cast, name, by=cast.ada)
        client.organization = cast.globex
        client.save()
        ClientAuthorization.objects.filter(client=client).delete()
        agree(cast.eve if name == "Foreign" else cast.cleo, client)


def test_turning_it_on_says_which_apps_stop_and_which_are_held_to_their_scopes(cast, ada, apps):
    organization.set_enforce_scopes(actor=system(cast.acme), enabled=False)
    assert groups(ada) == {
        "Stop working at once": {"Foreign": 1, "Waiting": 0},
        "Held to these scopes": {"Authorized": 2},
        "Stay barred": {"Declined": 0, "Revoked": 0},
    }
    question = ada.get("enforce-scopes/")
    assert "Foreign of Globex 1 person" in question
    assert "Authorized 2 people organization:readonly users" in question
    assert "Unknown" not in question
    assert "Scopes are enforced." in ada.after(ada.post("enforce-scopes", enabled="on"))
    assert ada.now.enforce_scopes


def test_turning_it_off_says_which_apps_gain_what(cast, ada, apps):
    assert groups(ada) == {
        "Start to work": {"Foreign": 1, "Waiting": 0},
        "No longer held to these scopes": {"Authorized": 2},
        "Stay barred": {"Declined": 0, "Revoked": 0},
    }
    question = ada.browser.get(f"{PAGE}enforce-scopes/").content.decode()
    assert 'href="/admin/integrations/authorized-applications/"' in question
    assert ada.now.enforce_scopes
    ada.after(ada.post("enforce-scopes"))
    assert not ada.now.enforce_scopes
    assert ada.trail() == ["scopesIgnored"]


def test_only_scopes_that_the_app_still_asks_for_are_named(cast, ada):
    client = app(cast, by=cast.ada)
    says(cast, client, AuthorizationState.AUTHORIZED, ["users:readonly", "groups"])
    assert "Portal nobody uses it yet users:readonly" in ada.get("enforce-scopes/")
    assert "groups" not in ada.get("enforce-scopes/")


def test_without_apps_the_question_says_so(cast, ada):
    cast.client(("Employee", cast.home))  # client credentials know no scopes
    assert "No app acts for people here so far." in ada.get("enforce-scopes/")


def test_very_many_apps_are_counted_rather_than_named(cast, ada):
    for number in range(22):
        says(cast, app(cast, f"App {number:02}"), AuthorizationState.REQUESTED)
    assert "Start to work (22)" in ada.get("enforce-scopes/")
    assert "and 2 more" in ada.get("enforce-scopes/")


def test_another_persons_confirmation_is_not_taken_for_more_than_was_shown(cast, ada):
    organization.rename(actor=cast.actor(cast.ada), name="Acme Inc.")
    ada.post("enforce-scopes", version=1)
    assert ada.now.enforce_scopes


# --- Implicit grant ------------------------------------------------------------------------------


def test_the_implicit_grant_is_switched_off_after_a_question_and_on_again(cast, ada):
    app(cast, "Old page", grant_type="implicit", by=cast.ada)
    app(cast, "Web app", by=cast.ada)
    question = ada.get("implicit-grant/")
    assert "Switch off the implicit grant?" in question
    assert "Old page" in question
    assert "Web app" not in question
    ada.after(ada.post("implicit-grant"))
    assert not ada.now.implicit_allowed
    assert "Allow the implicit grant?" in ada.get("implicit-grant/")
    ada.after(ada.post("implicit-grant", enabled="on"))
    assert ada.trail() == ["implicitRefused", "implicitAllowed"]


# --- Where it is said ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep", "word"), [(True, "Refresh tokens end with them."), (False, "Refresh tokens are not given.")]
)
def test_the_wizard_and_the_client_say_how_tokens_end_sooner(cast, ada, settings, keep, word):
    settings.REFRESH_TOKENS_WITH_IDLE_TIMEOUT = keep
    web, (service, _secret) = app(cast, by=cast.ada), cast.client(("Supervisor", cast.home))
    draft = wizard.start(ada.browser).ready(cast, name="Draft")
    pages = {
        "wizard": draft.url("duration"),
        "service": f"{wizard.LIST}{service.id}/",
        "edit": f"{wizard.LIST}{web.id}/edit/",
        "web": f"{wizard.LIST}{web.id}/",
    }
    sentence = "Tokens also end after 15 minutes without use."
    for address in pages.values():
        assert sentence not in text(ada.browser.get(address))
    organization.set_hipaa(actor=system(cast.acme), enabled=True)
    shown = {name: text(ada.browser.get(address)) for name, address in pages.items()}
    assert all(sentence in page for page in shown.values())
    # Client credentials have no refresh tokens anyway.
    assert [name for name, page in shown.items() if word in page] == ["edit", "web"]


def test_the_wizard_begins_with_the_organizations_duration(cast, ada):
    organization.set_default_token_seconds(actor=system(cast.acme), seconds=3_600)
    page = wizard.start(ada.browser).ready(cast).get("duration")
    assert 'value="3600"' in page.content.decode()
    assert "Suggested: 3,600 (1 hour)." in text(page)


def test_what_does_most_harm_is_named_first(cast, ada, apps):
    organization.set_enforce_scopes(actor=system(cast.acme), enabled=False)
    order = ["Stop working at once", "Start to work", "Held to these scopes", "Stay barred"]
    named = list(groups(ada))
    assert named == [title for title in order if title in named]
    assert len(named) > 2


def test_the_wizard_says_that_a_grant_is_switched_off(cast, ada):
    organization.set_implicit_allowed(actor=system(cast.acme), allowed=False)
    refused = "Your organization has switched the implicit grant off: this client gets no tokens."
    add = wizard.start(ada.browser)
    assert text(add.get("details")).count(refused) == 1  # on its card
    add.details(grant="implicit")
    uri = {"redirect_uris": "https://app.example/cb", "scope": ["users"]}
    assert refused in text(add.get("access"))
    assert refused in text(add.post("access", {**uri, "autosave": "1"}))
    add.post("access", uri)
    assert refused in text(add.get("duration"))
    secret = add.save()
    assert refused in text(secret)
    client = secret.context["client"]
    stored = {"stored": "on"}
    done = text(ada.browser.post(f"{wizard.LIST}{client.id}/finish/", stored, follow=True))
    assert "The client is saved." in done
    assert "The client is ready." not in done
