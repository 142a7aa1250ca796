from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import AuditEvent, RoleGrant
from oauthclients.models import Client
from oauthclients.services import secrets
from tests.oauthclients.console.wizard import LIST, problems, roles, text
from tests.standing import standing


class Page:
    """The edit page of one client, as somebody sees it; `post` sends what the page holds, with changes."""

    def __init__(self, browser, client):
        self.browser = browser
        self.id = client.id
        self.url = f"{LIST}{client.id}/edit/"

    @property
    def client(self) -> Client:
        return Client.objects.get(id=self.id)

    def get(self, **more):
        return self.browser.get(self.url, **more)

    def opened(self) -> dict:
        """What the page carries along when it is opened now."""
        context = self.get().context
        return {"version": context["client"].version, "seen": context["seen"]}

    def post(self, data=None, **more):
        client = self.client
        return self.browser.post(
            self.url,
            {
                "version": client.version,
                "name": client.name,
                "description": client.description,
                "seconds": client.token_seconds,
                **({"scope": client.scope} if client.scope else {}),
                **({"redirect_uris": client.redirect_uris} if client.redirect_uris else {}),
                **(data or {}),
            },
            **more,
        )

    def held(self):
        return set(RoleGrant.objects.filter(subject_id=self.id).values_list("role__name", "division__name"))


@standing
def ada(cast, browser_of) -> Page:
    client, _secret = cast.client(("Supervisor", cast.home), ("Supervisor", cast.east))
    return Page(browser_of(cast.ada), client)


@pytest.fixture
def both(cast):
    return roles((cast.role("Supervisor"), [cast.home, cast.east]))


def test_the_page_shows_the_client_and_its_fixed_grant_type(cast, ada):
    response = ada.get()
    page, shown = response.content.decode(), text(response)
    assert 'value="Billing sync"' in page
    assert "Client Credentials To change it, make a new client." in shown
    assert f'id="role-{cast.role("Supervisor").id}" checked' in page
    assert 'value="86400"' in page


def test_a_change_is_saved_and_said(ada, both):
    response = ada.post({**both, "name": "Invoices", "seconds": "3,600"}, follow=True)
    assert response.redirect_chain == [(f"{LIST}{ada.id}/", 302)]
    assert "Changes saved." in text(response)
    assert (ada.client.name, ada.client.token_seconds, ada.client.version) == ("Invoices", 3_600, 2)


def test_saving_without_a_change_changes_nothing_and_says_so(ada, both):
    assert "There was nothing to save." in text(ada.post(both, follow=True))
    assert ada.client.version == 1


def test_problems_of_all_parts_are_shown_together_with_the_values_kept(ada):
    response = ada.post({"name": " ", "seconds": "10"})
    assert problems(response) == [
        "Enter an app name.",
        "Assign at least one role.",
        "Enter 300 to 172,800 (5 minutes to 2 days).",
    ]
    assert 'value="10"' in response.content.decode()
    assert ada.client.version == 1


def test_the_clients_own_name_is_not_taken_and_anothers_is(cast, ada, both):
    cast.client(("Supervisor", cast.home), name="Nightly")
    assert problems(ada.post({**both, "name": "NIGHTLY"})) == [
        "Another client is already called ‘NIGHTLY’."
    ]
    assert ada.post({**both, "name": "billing sync"}).status_code == 302


def test_redirect_uris_and_scopes_are_edited_with_problems_at_their_lines(cast, browser_of):
    client, _secret = cast.client(
        name="Portal", grant_type="implicit", redirect_uris=("https://a.example/cb",), scope=("users",)
    )
    page = Page(browser_of(cast.ada), client)
    response = page.post({"redirect_uris": "https://a.example/cb\r\nhttp://b.example/cb"})
    assert problems(response) == ["Line 2: use https."]
    page.post({"redirect_uris": "https://a.example/cb\r\nhttps://b.example/cb"})
    assert page.client.redirect_uri_list == ["https://a.example/cb", "https://b.example/cb"]


def test_the_grant_type_cannot_be_changed_by_a_forged_post(ada, both):
    ada.post({**both, "grant_type": "implicit", "redirect_uris": "https://a.example/", "scope": "users"})
    assert ada.client.authorization_grant_type == "client-credentials"
    assert ada.client.scope == []
    assert ada.client.redirect_uris == ""


# --- Narrowing -----------------------------------------------------------------------------------


def confirmation(response) -> str:
    return response.context["losses"].key


def test_removing_roles_asks_first_and_keeps_what_was_typed(cast, ada):
    fewer = {**roles((cast.role("SCIM Integration"), [cast.home])), "name": "Renamed"}
    response = ada.post(fewer)
    shown = text(response)
    assert "Remove 1 role? Supervisor: Home, East Tokens in use lose it at once." in shown
    assert 'value="Renamed"' in response.content.decode()
    assert ada.held() == {("Supervisor", "Home"), ("Supervisor", "East")}
    ada.post({**fewer, "confirmed": confirmation(response)})
    assert ada.held() == {("SCIM Integration", "Home")}
    assert ada.client.name == "Renamed"


def test_a_confirmation_counts_only_for_what_was_shown(cast, ada):
    only_home = roles((cast.role("Supervisor"), [cast.home]))
    asked = ada.post(only_home)
    assert "Remove 1 division? Supervisor: East" in text(asked)
    other = {**roles((cast.role("Supervisor"), [cast.east])), "confirmed": confirmation(asked)}
    assert "Remove 1 division? Supervisor: Home" in text(ada.post(other))
    assert ("Supervisor", "East") in ada.held()


def test_widening_to_all_divisions_asks_nothing_and_going_back_does(cast, ada, both):
    assert ada.post(roles((cast.role("Supervisor"), ["*"]))).status_code == 302
    assert ada.held() == {("Supervisor", None)}
    assert "Give fewer divisions? Supervisor: all divisions → Home, East" in text(ada.post(both))


def test_removing_a_scope_asks_and_widening_one_does_not(cast, browser_of):
    client, _secret = cast.client(
        name="Portal", grant_type="saml2-bearer", scope=("routing", "users:readonly")
    )
    page = Page(browser_of(cast.ada), client)
    assert page.post({"scope": ["routing", "users"]}).status_code == 302
    assert "Remove 1 scope? routing" in text(page.post({"scope": ["users"]}))
    assert page.client.scope == ["routing", "users"]


def test_a_role_beside_scim_integration_brings_the_duration_back_and_says_so(cast, browser_of):
    client, _secret = cast.client(("SCIM Integration", cast.home), name="HR", token_seconds=38_880_000)
    page = Page(browser_of(cast.ada), client)
    more = roles((cast.role("SCIM Integration"), [cast.home]), (cast.role("Supervisor"), [cast.home]))
    assert "went back to 86,400 seconds" in text(page.post(more, follow=True))
    assert page.client.token_seconds == 86_400


# --- Two people ----------------------------------------------------------------------------------


@pytest.fixture
def ben(cast, ada, browser_of) -> Page:
    """May edit the same client."""
    cast.give(cast.ben, ("Supervisor", None), ("Client Manager", cast.home))
    return Page(browser_of(cast.ben), ada.client)


def callout(response) -> str:
    """What is said about the other person."""
    found = re.search(
        r'<div class="callout tone-warn" role="alert">(.*?)</div>', response.content.decode(), re.S
    )
    return text(HttpResponse(found[1])) if found else ""


def test_what_both_changed_is_shown_and_not_overwritten(ada, ben, both):
    opened = ada.opened()
    ben.post({**both, "name": "Ben's name"})
    response = ada.post({**both, **opened, "name": "Ada's name"})
    assert "Ben changed this client at " in callout(response)
    assert "You both changed: App Name." in callout(response)
    assert "also changed" not in callout(response)
    assert "App Name Ben's name Ada's name" in text(response)
    assert 'value="Ada&#x27;s name"' in response.content.decode()
    assert ada.client.name == "Ben's name"
    # Sent again from that page, it is a decision.
    context = response.context
    now = {"version": context["client"].version, "seen": context["seen"]}
    ada.post({**both, **now, "name": "Ada's name"})
    assert ada.client.name == "Ada's name"


def test_what_only_the_other_changed_is_taken_over_and_what_only_she_changed_is_kept(ada, ben, both):
    opened = {**ada.opened(), "name": "Billing sync", "description": "", "seconds": "86400"}
    ben.post({**both, "description": "Ben's words", "seconds": "600"})
    response = ada.post({**opened, **both, "name": "Ada's name"})
    assert "Ben also changed: Description, Token duration." in callout(response)
    assert "both changed" not in callout(response)
    assert '<table class="table diff">' not in response.content.decode()
    page = response.content.decode()
    assert 'value="Ada&#x27;s name"' in page
    assert "Ben&#x27;s words</textarea>" in page
    assert 'value="600"' in page
    assert ada.client.name == "Billing sync"  # it is looked at before it is saved
    sent = {**forms_of(response), **both}
    assert ada.post(sent).status_code == 302
    client = ada.client
    assert (client.name, client.description, client.token_seconds) == ("Ada's name", "Ben's words", 600)


def forms_of(response) -> dict:
    """What the page that was answered would send."""
    context = response.context
    return {
        "version": context["client"].version,
        "seen": context["seen"],
        "name": context["details_form"]["name"].value(),
        "description": context["details_form"]["description"].value(),
        "seconds": context["duration_form"]["seconds"].value(),
    }


def test_roles_that_the_other_gave_are_not_taken_away_again(cast, ada, ben, both):
    opened = ada.opened()
    ben.post(roles((cast.role("Supervisor"), [cast.home, cast.east, cast.west])))
    response = ada.post({**both, **opened, "name": "Ada's name"})
    assert "Ben also changed: Roles." in callout(response)
    west = f'name="divisions-{cast.role("Supervisor").id}" value="{cast.west.id}" checked'
    assert west in response.content.decode()
    assert ("Supervisor", "West") in ada.held()


def test_where_both_changed_the_roles_the_difference_is_shown(cast, ada, ben, both):
    opened = ada.opened()
    supervisor = cast.role("Supervisor")
    ben.post(roles((supervisor, [cast.home, cast.east, cast.west])))
    more = roles((supervisor, [cast.home, cast.east]), (cast.role("SCIM Integration"), [cast.home]))
    response = ada.post({**more, **opened})
    assert "You both changed: Roles." in callout(response)
    assert "Roles Supervisor: Home, East, West SCIM Integration: Home Supervisor: Home, East" in text(
        response
    )
    # Saved as it is, it asks before West is lost.
    sent = {**forms_of(response), **more}
    assert "Supervisor: West" in text(ada.post(sent))


def test_the_same_change_by_both_and_a_change_of_what_the_page_does_not_hold_stop_nobody(
    cast, ada, ben, both
):
    opened = ada.opened()
    ben.post({**both, "name": "Same"})
    secrets.generate(actor=cast.actor(cast.ben), client_id=ada.id)
    response = ada.post({**both, **opened, "name": " Same ", "description": "Ada's words"})
    assert response.status_code == 302
    assert (ada.client.name, ada.client.description) == ("Same", "Ada's words")


def test_somebody_who_changed_nothing_is_only_told(ada, ben, both):
    opened = ada.opened()
    ben.post({**both, "description": "Ben's words"})
    response = ada.post({**both, **opened, "description": ""})
    assert "Ben also changed: Description." in callout(response)
    assert "Nothing is left to save." in callout(response)
    assert ada.client.description == "Ben's words"


@pytest.mark.parametrize("seen", ["", "x:y:z", "another client's"])
def test_without_knowing_what_was_seen_every_difference_is_for_review(cast, ada, ben, both, seen):
    version = ada.client.version
    if seen == "another client's":
        other, _secret = cast.client(("Supervisor", cast.home), name="Other")
        seen = Page(ada.browser, other).opened()["seen"]
    ben.post({**both, "description": "Ben's words"})
    response = ada.post({**both, "version": version, "seen": seen, "description": ""})
    assert "You both changed: Description." in callout(response)
    assert ada.client.description == "Ben's words"


def test_redirect_uris_and_scopes_are_merged_too(cast, browser_of):
    client, _secret = cast.client(
        name="Portal", grant_type="implicit", redirect_uris=("https://a.example/cb",), scope=("users",)
    )
    ada, ben = Page(browser_of(cast.ada), client), Page(browser_of(cast.ben), client)
    opened = {**ada.opened(), "scope": ["users"], "redirect_uris": "https://a.example/cb"}
    ben.post({"redirect_uris": "https://a.example/cb\r\nhttps://b.example/cb"})
    response = ada.post({**opened, "scope": ["users", "routing"]})
    assert "Ben also changed: Authorized redirect URIs." in callout(response)
    assert "https://a.example/cb\nhttps://b.example/cb</textarea>" in response.content.decode()
    assert 'value="routing" checked' in response.content.decode()


def test_a_change_that_comes_between_reading_and_saving_is_a_conflict_too(cast, ada, both, monkeypatch):
    from oauthclients.console import edit

    narrowing = edit.narrowing

    def meanwhile(*args):
        Client.objects.filter(id=ada.id).update(version=7, name="Theirs", modified_by_name="Cron")
        return narrowing(*args)

    monkeypatch.setattr(edit, "narrowing", meanwhile)
    assert "Cron changed this client at " in text(ada.post({**both, "name": "Mine"}))
    assert ada.client.name == "Theirs"


# --- Who may -------------------------------------------------------------------------------------


def test_editing_needs_the_permission_and_the_clients_roles(cast, ada, browser_of):
    only_home, _secret = cast.client(("Supervisor", cast.home), name="Home only")
    ben = browser_of(cast.ben)
    assert ben.get(f"{LIST}{only_home.id}/edit/").status_code == 200
    response = ben.get(ada.url)
    assert response.status_code == 403
    assert "You do not hold ‘Supervisor’ in East." in text(response)
    cast.give(cast.ben, ("Supervisor", None))
    assert browser_of(cast.ben).get(ada.url).status_code == 403


def test_ben_cannot_change_a_client_by_leaving_pairs_he_lacks_as_they_are(cast, ada, both, browser_of):
    ben = Page(browser_of(cast.ben), ada.client)
    for data in (both, roles((cast.role("Supervisor"), [cast.home])), {}):
        response = ben.post({**data, "name": "Ben's now", "confirmed": "x"})
        assert response.status_code == 403
    assert (ada.client.name, ada.client.version) == ("Billing sync", 1)


def test_ben_cannot_add_what_he_lacks_to_a_client_he_may_edit(cast, browser_of):
    client, _secret = cast.client(("Supervisor", cast.home), name="Home only")
    ben = Page(browser_of(cast.ben), client)
    for name, where, sentence in (
        ("Supervisor", cast.east, "You do not hold ‘Supervisor’ in East."),
        ("Supervisor", "*", "You do not hold ‘Supervisor’ in all divisions."),
        ("Admin", cast.home, "You do not hold ‘Admin’ in Home."),
    ):
        more = roles((cast.role("Supervisor"), [cast.home]), (cast.role(name), [where]))
        if name == "Supervisor":
            more = roles((cast.role("Supervisor"), [cast.home, where]))
        assert problems(ben.post(more)) == [sentence]
    assert ben.held() == {("Supervisor", "Home")}


def test_another_organizations_client_is_not_found(cast, ada, browser_of):
    cleo = Page(browser_of(cast.cleo), ada.client)
    assert cleo.get().status_code == 404
    assert cleo.post({"name": "Cleo's"}).status_code == 404
    assert ada.client.name == "Billing sync"


def test_a_client_pending_deletion_cannot_be_edited(ada, both):
    Client.objects.filter(id=ada.id).update(date_to_delete=timezone.now() + timedelta(days=7))
    for response in (ada.get(follow=True), ada.post({**both, "name": "Other"}, follow=True)):
        assert "This client is pending deletion. Restore it first." in text(response)
    assert ada.client.name == "Billing sync"


def test_an_edit_leaves_one_line_in_the_audit_trail(cast, ada, both):
    before = AuditEvent.objects.count()
    ada.post({**both, "name": "Invoices"})
    assert AuditEvent.objects.count() == before + 1
    event = AuditEvent.objects.latest("at")
    assert (event.actor_id, event.after) == (cast.ada.id, {"name": "Invoices"})
