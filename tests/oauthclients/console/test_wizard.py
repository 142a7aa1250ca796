"""From "Add client" to the secret, without JavaScript: walk-throughs 1 to 5 of the UX spec."""

from __future__ import annotations

import re
import threading
import time
import uuid

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client as Browser

from accounts.console.guard import CONFIRMED_AT
from accounts.models import RoleGrant
from oauthclients.console import forms, wizard
from oauthclients.models import Client, ClientDraft, ClientSecret
from oauthclients.services import clients
from tests.cast import PASSWORD, token_request
from tests.oauthclients.console.wizard import LIST, Wizard, problems, roles, secrets_in, start, text
from tests.standing import standing

URIS = "https://app.example.com/cb\r\nhttp://localhost:8080/cb"


@standing
def ada(cast, browser_of) -> Wizard:
    return start(browser_of(cast.ada))


@pytest.fixture
def ben(cast, browser_of) -> Wizard:
    return start(browser_of(cast.ben))


# --- Four grants ---------------------------------------------------------------------------------


def test_ada_adds_a_client_credentials_client_and_its_secret_gets_a_token(cast, ada):
    assert ada.details(description="Nightly invoices")["Location"] == ada.url("access")
    supervisor = cast.role("Supervisor")
    assert ada.post("access", roles((supervisor, [cast.home, cast.east])))["Location"] == ada.url(
        "duration"
    )
    response = ada.save("64,800")
    assert response.status_code == 200
    client = Client.objects.get()
    assert (client.name, client.description) == ("Billing sync", "Nightly invoices")
    assert client.token_seconds == 64_800
    assert client.created_by_id == cast.ada.id
    held = RoleGrant.objects.filter(subject_id=client.id).values_list("role_id", "division_id")
    assert set(held) == {(supervisor.id, cast.home.id), (supervisor.id, cast.east.id)}
    (secret,) = secrets_in(response)
    assert token_request(Browser(), client.client_id, secret).json()["expires_in"] == 64_800


@pytest.mark.parametrize(
    ("grant", "access", "uris"),
    [
        ("authorization-code", {"redirect_uris": URIS, "scope": ["users:readonly", "routing"]}, 2),
        ("implicit", {"redirect_uris": URIS, "scope": ["users:readonly", "routing"]}, 2),
        ("saml2-bearer", {"scope": ["users:readonly", "routing"]}, 0),
    ],
)
def test_the_grants_for_people_take_redirect_uris_and_scopes(ada, grant, access, uris):
    assert ada.details(grant=grant).status_code == 302
    assert ada.post("access", access)["Location"] == ada.url("duration")
    response = ada.save()
    client = Client.objects.get()
    assert client.authorization_grant_type == grant
    assert client.scope == ["routing", "users:readonly"]
    assert len(client.redirect_uri_list) == uris
    assert len(secrets_in(response)) == 1
    assert not RoleGrant.objects.filter(subject_id=client.id).exists()


def test_where_both_forms_of_a_scope_are_chosen_the_wider_one_stays(ada):
    ada.details(grant="saml2-bearer")
    ada.post("access", {"scope": ["users:readonly", "users"]})
    ada.save()
    assert Client.objects.get().scope == ["users"]


def test_saml2_bearer_says_that_no_identity_provider_is_set_up(ada):
    ada.details(grant="saml2-bearer")
    shown = text(ada.get("access"))
    assert "No identity provider is set up yet." in shown
    assert f"{settings.BASE_URL}/oauth/token" in shown


# --- What is wrong, where ------------------------------------------------------------------------


def test_nothing_typed_is_answered_with_both_problems_and_an_error_in_the_title(ada):
    response = ada.post("details")
    assert problems(response) == ["Enter an app name.", "Choose a grant type."]
    assert "<title>Error – " in response.content.decode()


def test_a_name_that_another_client_has_is_refused_at_once(cast, ada):
    cast.client(("Supervisor", cast.home), name="Billing sync")
    response = ada.details(name=" billing  SYNC ")
    assert problems(response) == ["Another client is already called ‘billing SYNC’."]


def test_the_same_name_in_another_organization_is_free(cast, ada, browser_of):
    cleo = start(browser_of(cast.cleo))
    cleo.details(grant="saml2-bearer")
    cleo.post("access", {"scope": ["users"]})
    assert secrets_in(cleo.save())
    assert ada.details().status_code == 302


def test_126_addresses_a_fragment_and_a_repetition_are_three_problems_each_at_its_line(ada):
    ada.details(grant="authorization-code")
    uris = [f"https://app.example.com/{n}" for n in range(1, 127)]
    uris[3] += "#part"
    uris[6] = uris[2]
    response = ada.post("access", {"redirect_uris": "\r\n".join(uris), "scope": ["users"]})
    assert problems(response) == [
        "Line 4: remove the part after #.",
        "Line 7 repeats line 3.",
        "126 addresses; the most is 125.",
    ]
    page = response.content.decode()
    assert 'href="#id_redirect_uris" data-line="4"' in page
    assert 'href="#id_redirect_uris" data-line="7"' in page
    assert "\n".join(uris) in page
    assert 'value="users" checked' in page
    assert not Client.objects.exists()


def test_what_is_missing_in_step_2_is_said(cast, ada):
    ada.details()
    assert problems(ada.post("access")) == ["Assign at least one role."]
    supervisor = cast.role("Supervisor")
    response = ada.post("access", roles((supervisor, [])))
    assert problems(response) == ["Choose a division for ‘Supervisor’."]
    assert f'href="#role-{supervisor.id}"' in response.content.decode()
    ada.details(grant="implicit", drop="yes")
    assert problems(ada.post("access")) == [
        "Enter at least one redirect URI.",
        "Choose at least one scope.",
    ]
    ada.details(grant="saml2-bearer")
    assert problems(ada.post("access", {"scope": ["everything"]})) == [
        "There is no scope called ‘everything’."
    ]


@pytest.mark.parametrize(
    ("seconds", "problem"),
    [
        ("", "Enter a whole number of seconds."),
        ("1e3", "Enter a whole number of seconds."),
        ("-300", "Enter a whole number of seconds."),
        ("299", "Enter 300 to 172,800 (5 minutes to 2 days)."),
        ("9999999999", "Enter 300 to 172,800 (5 minutes to 2 days)."),
        pytest.param("9" * 60, "Enter 300 to 172,800 (5 minutes to 2 days).", id="60-digits"),
        pytest.param("9" * 5_000, "Enter a whole number of seconds.", id="more-than-python-reads"),
        ("172801", "Enter 300 to 172,800 (5 minutes to 2 days)."),
    ],
)
def test_a_duration_out_of_bounds_is_refused_with_its_value_kept(cast, ada, seconds, problem):
    response = ada.ready(cast).save(seconds)
    assert problems(response) == [problem]
    assert f'value="{seconds}" data-duration' in response.content.decode()
    assert not Client.objects.exists()


def test_scim_integration_alone_may_have_450_days_and_not_a_second_more(cast, ada):
    ada.ready(cast, role="SCIM Integration")
    assert "450 days" in text(ada.get("duration"))
    assert problems(ada.save("38880001")) == ["Enter 300 to 38,880,000 (450 days)."]
    ada.save("38880000")
    assert Client.objects.get().token_seconds == 38_880_000


def test_a_role_beside_scim_integration_brings_the_duration_back_and_says_so(cast, ada):
    ada.ready(cast, role="SCIM Integration")
    ada.save("38880000", go="back")
    both = roles((cast.role("SCIM Integration"), [cast.home]), (cast.role("Supervisor"), [cast.home]))
    response = ada.post("access", both, follow=True)
    assert "went back to 86,400 seconds" in text(response)
    assert ada.draft.data["duration"] == {"seconds": "86400"}


def test_saving_looks_at_every_step_again_and_links_to_the_one_that_fails(cast, ada):
    ada.ready(cast)
    ada.details(name="Nightly")
    cast.client(("Supervisor", cast.home), name="Nightly")
    response = ada.save()
    assert problems(response) == ["Another client is already called ‘Nightly’."]
    assert f'href="{ada.url("details")}?check=1#id_name"' in response.content.decode()
    assert problems(ada.get("details", "?check=1")) == ["Another client is already called ‘Nightly’."]
    assert Client.objects.count() == 1


def test_a_step_is_not_shown_before_a_grant_type_is_chosen(ada):
    for step in ("access", "duration"):
        assert ada.get(step)["Location"] == ada.url("details")
        assert ada.post(step)["Location"] == ada.url("details")
    assert ada.get("summary").status_code == 404


def test_invisible_and_foreign_characters_do_no_harm(cast, ada):
    response = ada.details(name="Bill\x00ing <b>‘x’", description="\x00")
    assert response.status_code == 302
    page = ada.get("details").content.decode()
    assert "Billing &lt;b&gt;‘x’" in page
    assert "<b>‘x’" not in page


# --- Keeping -------------------------------------------------------------------------------------


def test_back_keeps_what_was_typed_whatever_it_is(ada):
    ada.details(grant="implicit")
    response = ada.post("access", {"redirect_uris": "nonsense", "go": "back"})
    assert response["Location"] == ada.url("details")
    assert "nonsense" in ada.get("access").content.decode()
    assert "Billing sync" in ada.get("details").content.decode()


def test_add_client_goes_on_where_it_was_left(cast, ada):
    assert ada.browser.get(f"{LIST}add/")["Location"] == ada.url("details")
    ada.details()
    assert ada.browser.get(f"{LIST}add/")["Location"] == ada.url("access")
    ada.ready(cast)
    assert ada.browser.get(f"{LIST}add/")["Location"] == ada.url("duration")


def test_a_summary_stands_beside_every_step_and_has_change_links_on_the_last(cast, ada):
    assert "not set yet" in text(ada.get("details"))
    ada.ready(cast)
    page = ada.get("duration")
    assert "Supervisor: Home" in text(page)
    assert "86,400 seconds = 1 day" in text(page)
    for step in ("details", "access"):
        assert f'href="{ada.url(step)}"' in page.content.decode()


def test_autosave_takes_anything_and_answers_with_the_new_version(ada):
    response = ada.post("details", {"name": "", "description": "half a sent", "autosave": "1"})
    assert response.status_code == 200
    assert response["X-Draft-Version"] == str(ada.draft.version) == "2"
    assert response["X-Saved-At"]
    assert ada.draft.data["details"]["description"] == "half a sent"


def regions(response) -> dict[str, str]:
    """The text of the parts of a page that autosave brings up to date."""
    parts = re.split(r'<div data-live="(\w+)">', response.content.decode())[1:]
    assert parts
    return {
        name: text(HttpResponse(rest.split("</aside>")[0].split("wizard-foot")[0]))
        for name, rest in zip(parts[::2], parts[1::2], strict=True)
    }


def test_autosave_answers_with_the_summary_of_what_was_just_saved(ada):
    response = ada.post("details", {"name": "Nightly", "autosave": "1"})
    assert set(regions(response)) == {"summary"}
    assert regions(response)["summary"] == (
        "Summary App Name Nightly Grant type not set yet Access not set yet Token duration not set yet"
    )
    assert "<html" not in response.content.decode()
    assert "App Name Nightly" in regions(ada.get("details"))["summary"]


def test_autosave_of_roles_answers_with_what_they_come_to(cast, ada):
    ada.details()
    supervisor, scim = cast.role("Supervisor"), cast.role("SCIM Integration")
    home = [cast.home]
    assert set(regions(ada.get("access"))) == {"summary", "effective", "scim"}
    saved = regions(ada.post("access", {**roles((supervisor, home)), "autosave": "1"}))
    assert "Effective: 1 role, 12 permissions, division Home" in saved["effective"]
    assert saved["scim"] == ""
    assert "Supervisor: Home" in saved["summary"]
    saved = regions(ada.post("access", {**roles((scim, home)), "autosave": "1"}))
    assert "SCIM Integration alone" in saved["scim"]
    both = roles((scim, home), (supervisor, home))
    assert "Other roles assigned" in regions(ada.post("access", {**both, "autosave": "1"}))["scim"]
    saved = regions(ada.post("access", {"autosave": "1"}))
    assert (saved["effective"], saved["scim"]) == ("", "")


def test_the_last_step_says_what_the_roles_come_to(cast, ada):
    ada.ready(cast, role="SCIM Integration")
    shown = text(ada.get("duration"))
    assert "Effective: 1 role, " in shown
    assert "SCIM Integration alone" in shown
    assert set(regions(ada.post("duration", {"seconds": "600", "autosave": "1"}))) == {
        "summary",
        "effective",
        "scim",
    }


def test_the_duration_in_the_last_summary_follows_the_field_or_is_not_repeated(cast, ada):
    ada.ready(cast)
    page = ada.get("duration").content.decode()
    assert (
        '<span class="js-only" data-duration-summary data-label="{n} seconds = {words}">'
        "86,400 seconds = 1 day</span><noscript>as above</noscript>"
    ) in page
    assert "data-duration-summary" not in ada.get("access").content.decode()
    saved = ada.post("duration", {"seconds": "600", "autosave": "1"}).content.decode()
    assert ">600 seconds = 10 minutes</span>" in saved
    saved = ada.post("duration", {"seconds": "soon", "autosave": "1"}).content.decode()
    assert ">–</span>" in saved


def test_a_second_tab_on_the_last_step_sees_the_two_durations(cast, ada):
    ada.ready(cast)
    seen = ada.draft.version
    ada.post("duration", {"seconds": "600", "autosave": "1"})
    response = ada.post("duration", {"seconds": "900"}, version=seen)
    assert "Token duration 600 seconds = 10 minutes 900 seconds = 15 minutes" in text(response)


def test_autosave_over_an_older_version_is_a_conflict_and_saves_nothing(ada):
    ada.post("details", {"name": "One", "autosave": "1"})
    response = ada.post("details", {"name": "Two", "autosave": "1"}, version=1)
    assert response.status_code == 409
    assert ada.draft.data["details"]["name"] == "One"


def test_a_second_tab_overwrites_nothing_and_sees_what_differs(ada):
    ada.details(name="First tab")
    response = ada.post("details", {"name": "Second tab", "grant_type": "implicit"}, version=1)
    assert response.status_code == 200
    shown = text(response)
    assert "This draft was changed in another tab." in shown
    assert "App Name First tab Second tab" in shown
    assert "Grant type Client Credentials Implicit Grant (Browser)" in shown
    assert 'value="Second tab"' in response.content.decode()
    assert ada.draft.data["details"]["name"] == "First tab"
    # The page carries the new version, so sending it once more is a decision.
    assert f'name="version" value="{ada.draft.version}"' in response.content.decode()
    assert ada.post("details", {"name": "Second tab", "grant_type": "implicit"}).status_code == 302
    assert ada.draft.data["details"]["name"] == "Second tab"


def test_the_same_form_sent_twice_is_no_conflict(ada):
    first = ada.details()
    again = ada.post("details", {"name": "Billing sync", "grant_type": "client-credentials"}, version=1)
    assert again["Location"] == first["Location"]


def test_saving_in_a_tab_that_has_not_seen_the_other_tabs_roles_makes_no_client(cast, ada):
    ada.ready(cast)
    seen = ada.draft.version
    ada.post("access", roles((cast.role("Admin"), ["*"])))
    response = ada.post("duration", {"seconds": "86400"}, version=seen)
    assert "This draft was changed in another tab." in text(response)
    assert "Admin: all divisions" in text(response)
    assert not Client.objects.exists()


def test_changing_the_grant_type_asks_before_roles_are_dropped(cast, ada):
    ada.ready(cast)
    response = ada.details(grant="implicit")
    assert response.status_code == 200
    assert "Change grant type? Roles you chose will be dropped." in text(response)
    assert ada.draft.data["access"]["roles"]
    assert ada.details(grant="implicit", drop="yes")["Location"] == ada.url("access")
    assert ada.draft.data["access"] == {}
    assert "access" not in ada.draft.data["passed"]


def test_changing_the_grant_type_asks_only_where_something_is_dropped(ada):
    ada.details(grant="authorization-code")
    ada.post("access", {"redirect_uris": URIS, "scope": ["users"]})
    assert ada.details(grant="implicit").status_code == 302
    assert "Redirect URIs you entered will be dropped." in text(ada.details(grant="saml2-bearer"))
    assert "Redirect URIs and scopes you chose will be dropped." in text(ada.details())
    assert ada.details(drop="yes").status_code == 302


# --- Leaving -------------------------------------------------------------------------------------


def test_cancel_asks_and_either_keeps_or_discards(ada):
    response = ada.details(go="cancel", name="Later")
    assert response["Location"] == f"{LIST}add/{ada.draft_id}/leave/"
    shown = text(ada.browser.get(response["Location"]))
    assert "Leave this client unfinished?" in shown
    assert "Keep draft" in shown
    assert ada.draft.data["details"]["name"] == "Later"
    assert "Later" in text(ada.browser.get(f"{LIST}add/{ada.draft_id}/discard/"))
    assert ada.browser.post(f"{LIST}add/{ada.draft_id}/discard/")["Location"] == LIST
    assert not ClientDraft.objects.exists()


def test_keep_draft_saves_and_goes_to_the_list(ada):
    assert ada.details(go="leave", name="Later")["Location"] == LIST
    assert ada.draft.data["details"]["name"] == "Later"


# --- Saving once ---------------------------------------------------------------------------------


def test_a_reload_after_save_makes_no_second_client_and_shows_no_secret(cast, ada):
    ada.ready(cast)
    version = ada.draft.version
    assert secrets_in(ada.save())
    client = Client.objects.get()
    for response in (
        ada.post("duration", {"seconds": "86400"}, version=version, follow=True),
        ada.get("duration", follow=True),
        ada.get("details", follow=True),
    ):
        assert response.redirect_chain == [(f"{LIST}{client.id}/", 302)]
        assert "The client was already created. The secret cannot be shown again." in text(response)
        assert not secrets_in(response)
    assert Client.objects.count() == 1
    assert ClientSecret.objects.count() == 1
    assert ada.post("details", {"name": "x", "autosave": "1"}, version=version).status_code == 409


def test_of_two_saves_that_both_saw_an_unfinished_draft_one_makes_the_client(cast, ada, monkeypatch):
    """The second arrives after the first has read the draft and before it has claimed it."""
    ada.ready(cast)
    version = ada.draft.version
    overtaking = []

    def overtaken(request):
        if not overtaking:
            overtaking.append(None)
            overtaking.append(ada.post("duration", {"seconds": "86400"}, version=version))
        return True

    monkeypatch.setattr(wizard, "recently_typed", overtaken)
    late = ada.post("duration", {"seconds": "86400"}, version=version)
    client = Client.objects.get()
    assert secrets_in(overtaking[1])
    assert late["Location"] == f"{LIST}{client.id}/"
    assert ClientSecret.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_two_saves_at_the_same_moment_make_one_client(cast, browser_of):
    wizard = start(browser_of(cast.ada)).ready(cast)
    version = wizard.draft.version
    together, answers = threading.Barrier(2), []

    def press_save():
        browser = Browser()
        browser.cookies = wizard.browser.cookies
        together.wait()
        answers.append(
            browser.post(wizard.url("duration"), {"version": version, "go": "next", "seconds": "86400"})
        )
        connection.close()

    threads = [threading.Thread(target=press_save) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Client.objects.count() == ClientSecret.objects.count() == 1
    assert sorted(answer.status_code for answer in answers) == [200, 302]


def test_a_name_taken_at_the_last_moment_leaves_the_draft_as_it_is(cast, ada, monkeypatch):
    """The check before the save saw nothing: the database decides."""
    ada.ready(cast)
    cast.client(("Supervisor", cast.home), name="Billing sync")
    monkeypatch.setattr(clients, "refuse_taken_name", lambda **_: None)
    response = ada.save()
    assert problems(response) == ["Another client is already called ‘Billing sync’."]
    assert ada.draft.client_id is None
    assert Client.objects.count() == 1


def test_the_organizations_limit_is_said_on_the_page(cast, ada, settings):
    settings.MAX_CLIENTS_PER_ORGANIZATION = 0
    response = ada.ready(cast).save()
    assert problems(response) == ["This organization already has 0 clients, the most it can have."]
    assert ada.draft.data["details"]["name"] == "Billing sync"


# --- Who may -------------------------------------------------------------------------------------


def test_a_session_that_ended_comes_back_to_the_same_step_with_the_draft(cast, ada):
    ada.details(name="Kept")
    Session.objects.all().delete()
    response = ada.post("access", roles((cast.role("Supervisor"), [cast.home])))
    assert response["Location"] == f"/sign-in/?next={ada.url('access')}"
    back = ada.browser.post(
        response["Location"],
        {"email": cast.ada.email, "password": PASSWORD, "next": ada.url("access")},
        follow=True,
    )
    assert back.redirect_chain[-1][0] == ada.url("access")
    assert "Kept" in text(back)


def test_a_form_sent_after_the_session_ended_is_told_so_at_the_sign_in(cast, ada):
    ended = "Your session ended. Sign in again; what was saved before is kept."
    Session.objects.all().delete()
    page = ada.post("details", {"name": "Kept"}, follow=True)
    assert page.redirect_chain == [(f"/sign-in/?next={ada.url('details')}", 302)]
    assert ended in text(page)
    assert ended not in text(ada.browser.get("/sign-in/"))
    # Nothing was sent by somebody who only opens a page.
    assert ended not in text(ada.get("details", follow=True))


def test_autosave_after_the_session_ended_is_answered_and_not_led_away(cast, ada):
    Session.objects.all().delete()
    response = ada.post("details", {"name": "Lost", "autosave": "1"})
    assert (response.status_code, response.content) == (401, b"")
    assert "Your session ended" not in text(ada.get("details", follow=True))
    assert ada.draft.data == {}


def test_saving_long_after_signing_in_asks_for_the_password_and_keeps_the_draft(cast, ada):
    ada.ready(cast)
    session = ada.browser.session
    session[CONFIRMED_AT] = time.time() - settings.RECENT_SIGN_IN_SECONDS - 1
    session.save()
    response = ada.save("3600")
    assert response.status_code == 302
    assert response["Location"].startswith("/confirm-password/?next=")
    assert not Client.objects.exists()
    back = ada.browser.post(
        response["Location"], {"password": PASSWORD, "next": ada.url("duration")}, follow=True
    )
    assert 'value="3600"' in back.content.decode()
    assert secrets_in(ada.save("3600"))


def test_people_without_the_permission_are_refused_on_every_address(cast, ada, browser_of):
    eve = browser_of(cast.eve)
    for address in ("add/", *(f"add/{ada.draft_id}/{x}/" for x in ("details", "leave", "discard"))):
        assert eve.get(LIST + address).status_code == 403
        assert eve.post(LIST + address).status_code == 403
    cast.give(cast.ada, ("Supervisor", cast.home))
    assert ada.get("details").status_code == 403
    assert ada.details().status_code == 403


def test_nobody_else_reaches_a_draft(cast, ada, browser_of):
    for person in (cast.ben, cast.cleo):
        other = Wizard(browser_of(person), ada.draft_id)
        assert other.get("details").status_code == 404
        assert other.details(name="Stolen").status_code == 404
        for page in ("leave", "discard"):
            assert other.browser.post(f"{LIST}add/{ada.draft_id}/{page}/").status_code == 404
    assert ada.draft.data == {}
    assert ada.browser.get(f"{LIST}add/{uuid.uuid4()}/details/").status_code == 404


def test_ben_sees_why_he_cannot_give_east(cast, ben):
    ben.details()
    shown = text(ben.get("access"))
    assert "East – you do not hold this role here" in shown
    assert "All, including future" not in shown
    assert "Roles you cannot give" in shown
    assert f'id="role-{cast.role("Admin").id}"' not in ben.get("access").content.decode()


def test_ben_cannot_give_what_he_does_not_hold_by_a_forged_post(cast, ben):
    globex_role = cast.role("Supervisor", cast.globex)
    forged = [
        ("Supervisor", cast.east, "You do not hold ‘Supervisor’ in East."),
        ("Supervisor", "*", "You do not hold ‘Supervisor’ in all divisions."),
        ("Admin", cast.home, "You do not hold ‘Admin’ in Home."),
        ("Admin", "*", "You do not hold ‘Admin’ in all divisions."),
        ("Supervisor", globex_role.id, f"There is no division with the ID {globex_role.id}."),
        ("Supervisor", "no-id", "There is no division with the ID no-id."),
    ]
    ben.details()
    for name, where, sentence in forged:
        data = roles((cast.role(name), [where]))
        assert problems(ben.post("access", data)) == [sentence]
        # Not by skipping the step either: the draft holds anything, the last step looks again.
        ben.post("access", {**data, "autosave": "1"})
        assert len(problems(ben.save())) == 1
    response = ben.post("access", roles((globex_role, [cast.home])))
    assert problems(response) == [f"There is no role with the ID {globex_role.id}."]
    assert not Client.objects.exists()


def test_the_service_refuses_what_the_pages_would_let_through(cast, ben, monkeypatch):
    ben.details()
    ben.post("access", {**roles((cast.role("Supervisor"), [cast.east])), "autosave": "1"})
    monkeypatch.setattr(forms, "problems", lambda *args, **more: [])
    assert problems(ben.save()) == ["You do not hold ‘Supervisor’ in East."]
    assert not Client.objects.exists()


def test_rights_lost_between_the_steps_are_said_at_the_step(cast, ben):
    cast.give(cast.ben, ("Supervisor", cast.home), ("Supervisor", cast.east), ("Client Manager", cast.home))
    ben.details()
    ben.post("access", roles((cast.role("Supervisor"), [cast.home, cast.east])))
    cast.give(cast.ben, ("Supervisor", cast.home), ("Client Manager", cast.home))
    response = ben.save()
    assert problems(response) == ["You no longer hold ‘Supervisor’ in East."]
    assert f'href="{ben.url("access")}?check=1#role-' in response.content.decode()
    assert problems(ben.get("access")) == ["You no longer hold ‘Supervisor’ in East."]
    assert not Client.objects.exists()
    ben.post("access", roles((cast.role("Supervisor"), [cast.home])))
    assert secrets_in(ben.save())


def test_home_is_ticked_for_roles_held_there_and_the_foot_says_what_is_effective(cast, ada):
    ada.details()
    supervisor = cast.role("Supervisor")
    page = ada.get("access").content.decode()
    assert f'name="divisions-{supervisor.id}" value="{cast.home.id}" checked' in page
    assert f'name="divisions-{supervisor.id}" value="{cast.east.id}" checked' not in page
    ada.post("access", roles((supervisor, [cast.home, cast.east])))
    assert "Effective: 1 role, 12 permissions, divisions Home, East" in text(ada.get("access"))
