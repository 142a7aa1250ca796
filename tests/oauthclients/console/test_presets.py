""" "Start from": each preset from step 1 to what to do next, and the token that is made to be pasted. Without
JavaScript, as every page must work."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.actor import system
from accounts.default_roles import SCIM_INTEGRATION
from accounts.errors import Conflict, NotAllowed, NotFound
from accounts.models import AuditEvent, Role, RoleGrant
from accounts.permissions import expand, policies_for
from accounts.services import roles as role_services
from config.regions import Regions
from oauthclients import presets
from oauthclients.console import start_from
from oauthclients.models import Client
from oauthclients.services import clients, tokens
from oauthclients.services.plain_secret import PlainSecret
from tests.cast import token_request
from tests.oauthclients.console.test_secret_page import everything_stored
from tests.oauthclients.console.wizard import LIST, Wizard, problems, roles, secrets_in, start, text
from tests.standing import standing

MONTHS_15 = 38_880_000
IRELAND = "https://apps.mypurecloud.ie/crm/index.html"


@standing
def ada(cast, browser_of) -> Wizard:
    return start(browser_of(cast.ada))


@pytest.fixture
def ben(cast, browser_of) -> Wizard:
    return start(browser_of(cast.ben))


def begin(wizard: Wizard, preset: str, name: str = "Okta", **more):
    """Presses a card of "Start from"."""
    return wizard.post("details", {"name": name, "go": f"from:{preset}", **more})


def shown_again(wizard: Wizard) -> dict:
    """What step 1 shows and would send."""
    context = wizard.get("details").context
    form = context["details_form"]
    return {
        "name": form["name"].value(),
        "description": form["description"].value(),
        "grant_type": context["grant_value"],
    }


def chosen_card(wizard: Wizard) -> str:
    (pressed,) = [card["id"] for card in wizard.get("details").context["start_cards"] if card["chosen"]]
    return pressed


def pairs_of(client: Client) -> set:
    held = RoleGrant.objects.filter(subject_id=client.id)
    return {(grant.role.name, grant.division and grant.division.name) for grant in held}


def through(wizard: Wizard, name: str = "Okta", seconds: str | None = None):
    """Next, Next, Save with what is filled in."""
    first = {**shown_again(wizard), "name": name}
    assert wizard.post("details", first)["Location"] == wizard.url("access")
    access = wizard.get("access")
    sent = dict(wizard.draft.data["access"])
    if "roles" in sent:
        book = {str(role.id): role for role in Role.objects.all()}
        sent = roles(*((book[role], where) for role, where in sent["roles"].items()))
    assert wizard.post("access", sent)["Location"] == wizard.url("duration"), problems(access)
    filled = wizard.get("duration").context["duration_form"]["seconds"].value()
    return wizard.save(seconds or filled)


# --- Where it is offered -------------------------------------------------------------------------


def test_an_empty_list_offers_what_to_start_from(cast, browser_of):
    page = browser_of(cast.cleo).get(LIST).content.decode()
    for preset in presets.TEMPLATES:
        assert f'href="{LIST}add/?from={preset.id}"' in page
        assert str(preset.label) in page


def test_who_may_not_add_clients_is_offered_nothing(cast, browser_of):
    cast.give(cast.ben, ("Supervisor", cast.home))
    role = cast.custom_role("Looks", "oauth:client:view")
    cast.give(cast.ben, (role.name, cast.home))
    assert "?from=" not in browser_of(cast.ben).get(LIST).content.decode()
    assert browser_of(cast.eve).get(f"{LIST}add/?from=scim").status_code == 403


def test_a_link_leads_to_step_1_filled_in(cast, browser_of):
    browser = browser_of(cast.ada)
    step = browser.get(f"{LIST}add/?from=scim", follow=True)
    assert step.redirect_chain[-1][0].endswith("/details/")
    assert step.context["grant_value"] == "client-credentials"
    assert re.search(r'value="from:scim" aria-pressed="true"', step.content.decode())


@pytest.mark.parametrize("nonsense", ["", "nothing", "scim\x00", "SCIM"])
def test_a_link_to_nothing_begins_empty(cast, browser_of, nonsense):
    step = browser_of(cast.ada).get(f"{LIST}add/", {"from": nonsense}, follow=True)
    assert step.status_code == 200
    assert step.context["grant_value"] == ""


def test_step_1_offers_all_four_and_begins_with_the_empty_one(ada):
    page = ada.get("details")
    assert [card["id"] for card in page.context["start_cards"]] == [
        "empty",
        "scim",
        "embeddable",
        "salesforce",
    ]
    assert chosen_card(ada) == "empty"
    assert "Start from" in text(page)


def test_starting_from_something_keeps_what_was_typed(ada):
    assert begin(ada, "scim", description="For Okta", grant_type="implicit")["Location"] == ada.url(
        "details"
    )
    assert shown_again(ada) == {
        "name": "Okta",
        "description": "For Okta",
        "grant_type": "client-credentials",
    }
    begin(ada, "embeddable", description="For agents")
    assert shown_again(ada)["description"] == "For agents"
    assert shown_again(ada)["grant_type"] == "authorization-code"
    begin(ada, "empty")
    assert shown_again(ada) == {"name": "Okta", "description": "", "grant_type": ""}
    assert ada.draft.data["access"] == {}
    assert "duration" not in ada.draft.data


def test_pressing_the_card_that_is_chosen_changes_nothing(ada):
    begin(ada, "empty", grant_type="implicit")
    assert shown_again(ada)["grant_type"] == "implicit"
    begin(ada, "scim")
    before = ada.draft.data
    begin(ada, "scim", grant_type="client-credentials")
    assert ada.draft.data == {**before, "passed": []}


@pytest.mark.parametrize("go", ["from:", "from:nothing", "replace:nothing", "from:scim:scim"])
def test_a_forged_card_starts_nothing(ada, go):
    ada.post("details", {"name": "Okta", "go": go})
    assert chosen_card(ada) == "empty"


def test_the_draft_of_another_tab_is_not_overwritten(ada):
    begin(ada, "scim")
    response = ada.post("details", {"name": "Other", "go": "from:embeddable"}, version=1)
    assert "This draft was changed in another tab." in text(response)
    assert chosen_card(ada) == "scim"


# --- What the person chose -----------------------------------------------------------------------


def test_roles_that_were_chosen_are_not_dropped_unasked(cast, ada):
    ada.ready(cast)
    response = begin(ada, "embeddable", grant_type="client-credentials")
    assert "Start from ‘Embeddable framework’? Roles you chose will be dropped." in text(response)
    assert 'name="go" value="replace:embeddable"' in response.content.decode()
    assert ada.draft.data["access"]["roles"]
    linked = ada.get("details", "?from=embeddable")
    assert "Roles you chose will be dropped." in text(linked)
    assert ada.draft.data["access"]["roles"]
    response = ada.post("details", {"name": "Okta", "go": "replace:embeddable"})
    assert response["Location"] == ada.url("details")
    assert chosen_card(ada) == "embeddable"
    assert "roles" not in ada.draft.data["access"]
    assert "passed" not in ada.draft.data


def test_addresses_that_were_added_are_not_dropped_unasked(ada):
    begin(ada, "embeddable")
    ada.details(name="Okta", grant="authorization-code")
    filled = ada.draft.data["access"]
    added = {**filled, "redirect_uris": f"{filled['redirect_uris']}\r\nhttps://crm.example.com/cb"}
    ada.post("access", {**added, "go": "back"})
    response = begin(ada, "scim", grant_type="authorization-code")
    assert "Redirect URIs and scopes you chose will be dropped." in text(response)


def test_what_only_the_preset_filled_in_makes_way_without_a_question(ada):
    begin(ada, "embeddable")
    ada.details(name="Okta", grant="authorization-code")
    ada.post("access", {**ada.draft.data["access"], "go": "back"})
    assert begin(ada, "scim", grant_type="authorization-code")["Location"] == ada.url("details")
    assert chosen_card(ada) == "scim"


def test_another_grant_type_is_not_the_presets_any_more(cast, ada):
    begin(ada, "scim")
    response = ada.details(name="Okta", grant="saml2-bearer")
    assert "Roles you chose will be dropped." in text(response)
    assert ada.details(name="Okta", grant="saml2-bearer", drop="yes").status_code == 302
    assert chosen_card(ada) == "empty"


# --- SCIM provisioning ---------------------------------------------------------------------------


def test_scim_provisioning_from_the_first_step_to_what_to_do_next(cast, ada):
    begin(ada, "scim")
    step2 = text(ada.get("access"))
    assert "All divisions in which you hold the role are included." in step2
    assert "Include all divisions that SCIM will manage." in step2
    response = through(ada)
    client = Client.objects.get()
    assert client.token_seconds == MONTHS_15
    assert pairs_of(client) == {("SCIM Integration", None)}
    shown = text(response)
    assert "What to do next" in shown
    assert "Paste this token into your identity system" in shown
    assert "http://localhost:8000/api/v2/scim/v2" in shown
    assert f'href="{LIST}{client.id}/token/" target="_blank"' in response.content.decode()
    (secret,) = secrets_in(response)
    answer = token_request(Browser(), client.client_id, secret)
    assert answer.json()["expires_in"] == MONTHS_15


def test_all_divisions_in_which_somebody_holds_the_role_are_chosen_and_no_others(cast, browser_of):
    cast.give(
        cast.ben,
        ("Client Manager", cast.home),
        ("SCIM Integration", cast.home),
        ("SCIM Integration", cast.east),
    )
    ben = start(browser_of(cast.ben))
    begin(ben, "scim")
    ben.details(name="Okta")
    page = ben.get("access")
    assert "Without it: West. SCIM sees and changes nobody there." in text(page)
    through(ben)
    assert pairs_of(Client.objects.get()) == {("SCIM Integration", "Home"), ("SCIM Integration", "East")}


def test_who_does_not_hold_the_role_is_told_whom_to_ask_and_gets_no_long_duration(ben):
    warning = ben.get("details").context["start_cards"][1]["warning"]
    assert warning == "You do not hold ‘SCIM Integration’. Ask for it: Ada."
    begin(ben, "scim")
    assert ben.draft.data["access"] == {"roles": {}}
    assert "duration" not in ben.draft.data
    ben.details(name="Okta")
    shown = text(ben.get("access"))
    assert "You do not hold ‘SCIM Integration’. Ask for it: Ada." in shown
    assert "All divisions in which you hold the role" not in shown


def test_who_could_give_the_role_to_themselves_is_led_there(cast, ada):
    shown = ada.get("details")
    assert "You do not hold ‘PureCloud for Salesforce’. You can give it to yourself." in text(shown)
    there = reverse("person-roles", args=[cast.ada.id])
    assert f'href="{there}"' in shown.content.decode()
    assert ada.browser.get(there).status_code == 200


def test_a_role_that_is_not_there_is_to_be_restored(cast, ada):
    RoleGrant.objects.filter(role=cast.role("SCIM Integration")).delete()
    cast.role("SCIM Integration").delete()
    warning = ada.get("details").context["start_cards"][1]["warning"]
    assert warning == (
        "There is no role ‘SCIM Integration’ here. Restore the default roles first, under Roles."
    )


def test_a_preset_gives_nobody_what_they_do_not_hold(cast, ben):
    begin(ben, "scim")
    ben.details(name="Okta")
    role = cast.role("SCIM Integration")
    response = ben.post("access", roles((role, ["*"])))
    assert "You do not hold ‘SCIM Integration’" in " ".join(problems(response))
    data = ben.draft.data
    ben.draft.__class__.objects.update(
        data={**data, "access": {"roles": {str(role.id): ["*"]}}, "duration": {"seconds": str(MONTHS_15)}}
    )
    ben.save(str(MONTHS_15))
    assert not Client.objects.exists()


@pytest.mark.parametrize(
    ("preset", "hint"),
    [
        (
            "scim",
            "300 to 38,880,000 (450 days), because SCIM Integration is the only role. Suggested: 38,880,000 "
            "(450 days), because each new token has to be pasted by hand.",
        ),
        (
            "embeddable",
            "300 to 172,800 (5 minutes to 2 days). Suggested: 64,800 (18 hours), so that agents sign in once "
            "in a work day.",
        ),
        ("salesforce", "300 to 172,800 (5 minutes to 2 days). Suggested: 86,400 (1 day)."),
    ],
)
def test_step_3_suggests_what_the_preset_has_put_in_and_says_why(ada, preset, hint):
    begin(ada, preset)
    ada.post("details", {**shown_again(ada), "name": "New"})
    page = ada.get("duration")
    assert hint in text(page)
    filled = page.context["duration_form"]["seconds"].value()
    assert f"Suggested: {int(filled):,} (" in hint


def test_where_a_duration_of_months_is_possible_and_none_was_chosen_none_is_suggested(cast, ada):
    hint = ada.ready(cast, role="SCIM Integration").get("duration").context["duration_hint"]
    assert hint == "300 to 38,880,000 (450 days), because SCIM Integration is the only role."


def test_a_role_beside_it_brings_the_duration_back(cast, ada):
    begin(ada, "scim")
    ada.details(name="Okta")
    both = roles((cast.role("SCIM Integration"), ["*"]), (cast.role("Supervisor"), [cast.home]))
    ada.post("access", both)
    shown = text(ada.get("duration"))
    assert "The token duration went back to 86,400 seconds" in shown
    assert "300 to 172,800 (5 minutes to 2 days). Suggested: 86,400 (1 day)." in shown
    assert ada.draft.data["duration"] == {"seconds": "86400"}


def test_the_edit_page_and_the_clients_page_say_which_divisions_matter(cast, browser_of):
    client, _secret = cast.client(("SCIM Integration", cast.home), by=cast.ada)
    ada = browser_of(cast.ada)
    edit = text(ada.get(f"{LIST}{client.id}/edit/"))
    assert "Include all divisions that SCIM will manage. Without it: East, West." in edit
    page = text(ada.get(f"{LIST}{client.id}/"))
    assert "Include all divisions that SCIM will manage: it sees and changes nobody elsewhere." in page
    assert "/api/v2/scim/v2/users?count=5" in page


# --- Embeddable framework ------------------------------------------------------------------------


def test_the_embeddable_framework_from_the_first_step_to_what_to_do_next(cast, ada):
    begin(ada, "embeddable", name="Agents")
    step = ada.get("details")
    assert "Code Authorization, used with PKCE, is recommended." in text(step)
    response = through(ada, "Agents")
    client = Client.objects.get()
    assert client.authorization_grant_type == "authorization-code"
    assert client.token_seconds == 64_800
    assert client.redirect_uri_list == ["http://localhost:8000/crm/index.html"]
    assert set(client.scope) == set(presets.EMBEDDABLE.scopes)
    shown = text(response)
    assert "Give the Client ID to the developers, for clientIds in framework.js." in shown
    page = text(ada.browser.get(f"{LIST}{client.id}/"))
    assert "Give the Client ID to the developers, for clientIds in framework.js." in page


def test_region_and_login_window_decide_the_addresses_and_implicit_is_possible(ada):
    begin(ada, "embeddable")
    response = ada.details(
        name="Agents",
        grant="implicit",
        **{"preset-region": "eu_west_1", "preset-dedicated": "on"},
    )
    assert response["Location"] == ada.url("access")
    assert ada.draft.data["access"]["redirect_uris"].split("\n") == [
        IRELAND,
        "https://apps.mypurecloud.ie/crm/authWindow.html",
    ]
    assert chosen_card(ada) == "embeddable"
    form = ada.get("details").context["start_options"]
    assert (form["region"].value(), form["dedicated"].value()) == ("eu_west_1", True)
    through_step1 = {"preset-region": "eu_west_1", "preset-dedicated": "on"}
    ada.details(name="Agents", grant="implicit", **through_step1)
    ada.post("access", ada.draft.data["access"])
    ada.save("64800")
    assert Client.objects.get().authorization_grant_type == "implicit"


def test_another_region_takes_the_place_of_the_first_and_other_addresses_stay(ada):
    begin(ada, "embeddable")
    ada.details(name="Agents", grant="authorization-code", **{"preset-region": "eu_west_1"})
    own = "https://crm.example.com/cb"
    ada.post("access", {**ada.draft.data["access"], "redirect_uris": f"{own}\r\n{IRELAND}", "go": "back"})
    ada.details(
        name="Agents",
        grant="authorization-code",
        **{"preset-region": "ap_northeast_1", "preset-dedicated": "on"},
    )
    assert ada.draft.data["access"]["redirect_uris"].split("\n") == [
        "https://apps.mypurecloud.jp/crm/index.html",
        "https://apps.mypurecloud.jp/crm/authWindow.html",
        own,
    ]


@pytest.mark.parametrize("region", ["", "nowhere", "us_east_1\x00", "x" * 9000])
def test_a_region_that_there_is_not_changes_nothing(ada, region):
    begin(ada, "embeddable")
    ada.details(name="Agents", grant="authorization-code", **{"preset-region": region})
    assert ada.draft.data["access"]["redirect_uris"] == "http://localhost:8000/crm/index.html"


def test_autosave_keeps_the_region(ada):
    begin(ada, "embeddable")
    saved = ada.post(
        "details",
        {
            "name": "Agents",
            "grant_type": "authorization-code",
            "preset-region": "eu_west_1",
            "autosave": "1",
        },
    )
    assert saved.status_code == 200
    assert IRELAND in text(saved)
    assert ada.draft.data["access"]["redirect_uris"] == IRELAND


def test_it_begins_with_the_organizations_own_region(cast, ada, settings):
    settings.REGIONS = Regions(["eu=eu.example.com", "us=us.example.com"], base_url="https://x.example")
    cast.acme.home_region = "us"
    cast.acme.save()
    begin(ada, "embeddable")
    assert ada.draft.data["access"]["redirect_uris"] == "https://apps.us.example.com/crm/index.html"


# --- PureCloud for Salesforce --------------------------------------------------------------------


def test_pure_cloud_for_salesforce_from_the_first_step_to_what_to_do_next(cast, browser_of):
    cast.give(cast.ada, ("Admin", None), ("PureCloud for Salesforce", None))
    ada = start(browser_of(cast.ada))
    assert ada.get("details").context["start_cards"][3]["warning"] == ""
    begin(ada, "salesforce", name="Salesforce")
    response = through(ada, "Salesforce")
    client = Client.objects.get()
    assert pairs_of(client) == {("PureCloud for Salesforce", "Home")}
    assert client.token_seconds == 86_400
    assert "in the integration’s settings in Salesforce" in text(response)


def test_a_client_that_is_like_no_preset_has_no_next_steps(cast, browser_of):
    client, _secret = cast.client(("Supervisor", cast.home), by=cast.ada)
    app = cast.app("users")
    ada = browser_of(cast.ada)
    for one in (client, app.client):
        assert ada.get(f"{LIST}{one.id}/").context["next"] is None


@pytest.mark.parametrize("preset", presets.TEMPLATES, ids=lambda preset: preset.id)
def test_what_a_preset_fills_in_counts_as_untouched(cast, preset):
    actor = cast.actor(cast.ada)
    book = start_from.RoleBook(cast.acme)
    begun = start_from.begin(preset, {}, actor=actor, book=book)
    assert start_from.untouched(begun, actor=actor, book=book)
    assert start_from.of(begun) is preset


# --- A token to paste ----------------------------------------------------------------------------


@pytest.fixture
def scim(cast) -> Client:
    client, _secret = cast.client(
        ("SCIM Integration", cast.home), name="Okta", by=cast.ada, token_seconds=MONTHS_15
    )
    return client


def page(client: Client) -> str:
    return f"{LIST}{client.id}/token/"


def once(browser: Browser, client: Client) -> dict:
    asked = browser.get(page(client))
    assert asked.status_code == 200, asked
    return {"once": asked.context["dialog_form"]["once"].value()}


def token_in(response) -> str:
    found = set(re.findall(r'<input[^>]+id="token"[^>]+value="([^"]+)"', response.content.decode()))
    (value,) = found
    return unescape(value)


def test_a_token_is_asked_for_shown_and_works(cast, browser_of, scim):
    ada = browser_of(cast.ada)
    question = text(ada.get(page(scim)))
    assert "Create a token to paste?" in question
    assert "450 days" in question
    response = ada.post(page(scim), once(ada, scim))
    assert response.status_code == 200
    shown = text(response)
    assert "You can see this token only now." in shown
    assert 'value="http://localhost:8000/api/v2/scim/v2"' in response.content.decode()
    value = token_in(response)
    told = Browser().get("/api/v2/tokens/me", headers={"Authorization": f"Bearer {value}"})
    assert told.status_code == 200
    assert told.json()["OAuthClient"]["id"] == scim.client_id
    (row,) = get_access_token_model().objects.filter(application=scim)
    assert abs(row.expires - timezone.now() - timedelta(seconds=MONTHS_15)) < timedelta(minutes=1)
    assert row.user is None


def test_it_is_in_that_one_answer_and_in_nothing_that_stays(cast, browser_of, scim, caplog):
    caplog.set_level("DEBUG")
    ada = browser_of(cast.ada)
    response = ada.post(page(scim), once(ada, scim))
    value = token_in(response)
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"
    assert response.content.decode().count(value) == 2
    assert re.search(rf"<noscript>.*<details.*{value}.*</noscript>", response.content.decode(), re.S)
    assert value not in everything_stored()
    assert value not in caplog.text
    assert value not in repr(ada.cookies)
    for session in Session.objects.all():
        assert value not in repr(session.get_decoded())
    for after in (ada.get(page(scim)), ada.get(f"{LIST}{scim.id}/"), ada.get(LIST)):
        assert value not in after.content.decode()


def test_a_reload_makes_no_second_one(cast, browser_of, scim):
    ada = browser_of(cast.ada)
    form = once(ada, scim)
    assert ada.post(page(scim), form).status_code == 200
    for again in (form, {}, {"once": "x"}):
        response = ada.post(page(scim), again, follow=True)
        assert response.redirect_chain[-1][0] == f"{LIST}{scim.id}/"
        assert "The token was already made. It cannot be shown again." in text(response)
    assert get_access_token_model().objects.filter(application=scim).count() == 1


def test_who_made_one_is_in_the_audit_trail_and_the_token_is_not(cast, browser_of, scim):
    ada = browser_of(cast.ada)
    value = token_in(ada.post(page(scim), once(ada, scim)))
    (line,) = AuditEvent.objects.filter(action="client.tokenShown")
    assert (line.actor_name, line.entity_id) == ("Ada", scim.id)
    assert line.after.keys() == {"end"}
    assert value not in repr((line.before, line.after))
    assert "had a token made and shown once" in text(ada.get(f"{LIST}{scim.id}/"))


def test_the_password_is_asked_for_again(cast, browser_of, scim, time_machine):
    ada = browser_of(cast.ada)
    form = once(ada, scim)
    time_machine.move_to(timezone.now() + timedelta(minutes=16))
    response = ada.post(page(scim), form)
    assert response["Location"].startswith(f"{reverse('confirm-password')}?next=")
    assert not get_access_token_model().objects.filter(application=scim).exists()


def test_a_client_that_does_more_gets_none(cast, browser_of):
    ada = browser_of(cast.ada)
    other, _ = cast.client(("Supervisor", cast.home), name="Other", by=cast.ada)
    both, _ = cast.client(("SCIM Integration", None), ("Supervisor", cast.home), name="Both", by=cast.ada)
    app = cast.app("scim").client
    for client in (other, both, app):
        for method in (ada.get, ada.post):
            refused = method(page(client), follow=True)
            assert "Only a client with the SCIM Integration role alone" in text(refused)
        with pytest.raises(Conflict):
            tokens.make_for_pasting(actor=cast.actor(cast.ada), client_id=client.id)
        assert page(client) not in ada.get(f"{LIST}{client.id}/").content.decode()
    assert not get_access_token_model().objects.exists()


def test_a_custom_role_with_the_same_permissions_will_do_until_it_has_more(cast, browser_of):
    permissions = sorted(expand(SCIM_INTEGRATION.policies))
    role = cast.custom_role("Sync", *permissions)
    cast.give(cast.ada, ("Admin", None), ("Sync", None))
    client, _secret = cast.client(("Sync", cast.home), by=cast.ada, token_seconds=MONTHS_15)
    value, _end = tokens.make_for_pasting(actor=cast.actor(cast.ada), client_id=client.id)
    role_services.change(
        actor=system(cast.acme),
        role_id=role.id,
        policies=policies_for([*permissions, "directory:user:view"]),
    )
    with pytest.raises(Conflict):
        tokens.make_for_pasting(actor=cast.actor(cast.ada), client_id=client.id)
    # The one from before is as short as a new one would be.
    (row,) = get_access_token_model().objects.filter(application=client)
    assert row.expires <= timezone.now() + timedelta(seconds=86_400)
    assert isinstance(value, PlainSecret)


def test_it_takes_what_editing_the_client_takes(cast, browser_of, scim):
    ben = browser_of(cast.ben)  # may edit clients, and does not hold SCIM Integration
    assert ben.get(page(scim)).status_code == 403
    assert ben.post(page(scim)).status_code == 403
    with pytest.raises(NotAllowed):
        tokens.make_for_pasting(actor=cast.actor(cast.ben), client_id=scim.id)
    assert page(scim) not in ben.get(f"{LIST}{scim.id}/").content.decode()
    assert browser_of(cast.eve).get(page(scim)).status_code == 403
    assert Browser().get(page(scim))["Location"].startswith("/sign-in/")
    cast.give(cast.ben, ("SCIM Integration", cast.home))
    assert browser_of(cast.ben).post(page(scim)).status_code == 403


def test_another_organizations_client_is_not_there(cast, browser_of, scim):
    cleo = browser_of(cast.cleo)
    assert cleo.get(page(scim)).status_code == 404
    assert cleo.post(page(scim)).status_code == 404
    with pytest.raises(NotFound):
        tokens.make_for_pasting(actor=cast.actor(cast.cleo), client_id=scim.id)


def test_a_client_that_is_off_gets_none(cast, browser_of, scim):
    ada = browser_of(cast.ada)
    form = once(ada, scim)
    clients.set_enabled(actor=cast.actor(cast.ada), client_id=scim.id, enabled=False)
    refused = ada.post(page(scim), form, follow=True)
    assert "This client is not active, so it gets no tokens." in text(refused)
    assert page(scim) not in ada.get(f"{LIST}{scim.id}/").content.decode()
    assert not get_access_token_model().objects.exists()


def test_the_tokens_of_the_client_end_with_it(cast, scim):
    value, _end = tokens.make_for_pasting(actor=cast.actor(cast.ada), client_id=scim.id)
    bearer = {"Authorization": f"Bearer {value.reveal()}"}
    assert Browser().get("/api/v2/tokens/me", headers=bearer).status_code == 200
    clients.set_enabled(actor=cast.actor(cast.ada), client_id=scim.id, enabled=False)
    assert Browser().get("/api/v2/tokens/me", headers=bearer).status_code == 401
