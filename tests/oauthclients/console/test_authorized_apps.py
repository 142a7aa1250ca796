"""Authorized Applications: who sees what, answering a request, and what a forged form cannot do."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.models import AuditEvent, Organization
from oauthclients.models import AuthorizationState, Client, ClientAuthorization
from oauthclients.services import authorizations
from tests.oauthclients.services.test_authorizations import app, edit, said, signed_in
from tests.saml import SamlApp

LIST = "/admin/integrations/authorized-applications/"
FIND = f"{LIST}authorize/"


def url(client, question: str = "") -> str:
    return f"{LIST}{client.id}/{question}"


def page(browser, address: str = LIST, **asked) -> str:
    response = browser.get(address, asked)
    assert response.status_code == 200
    return response.content.decode().replace("\xa0", " ")


def names(browser, **asked) -> list[str]:
    return [row["client"].name for row in browser.get(LIST, asked).context["rows"]]


def counts(browser, **asked) -> dict[str, int]:
    (group,) = browser.get(LIST, asked).context["groups"]
    return {str(one["label"]): one["count"] for one in group["filters"]}


def form(client, *scopes: str, version: int = 1, **more) -> dict[str, object]:
    return {"version": version, "scope": scopes, "audience": "everyone", **more}


def text(response) -> str:
    return response.content.decode().replace("\xa0", " ")


# --- Who -----------------------------------------------------------------------------------------


def test_every_page_needs_the_permission_to_authorize(cast, browser_of, client):
    one = app(cast, cast.ben)
    for address in (LIST, FIND, url(one), url(one, "decline/"), url(one, "revoke/")):
        assert client.get(address)["Location"] == f"/sign-in/?next={address}"
        for person in (cast.ben, cast.eve):
            browser = browser_of(person)
            response = browser.get(address)
            assert response.status_code == 403
            assert "OAuth &gt; Client &gt; Authorize" in text(response)
            assert browser.post(address, form(one, "users")).status_code == (
                405 if address == LIST else 403
            )
    assert said(one) == (AuthorizationState.REQUESTED, [], True)


def test_the_menu_shows_it_to_those_who_may(cast, browser_of):
    assert f'href="{LIST}"' in page(browser_of(cast.ada), "/admin/")
    assert f'href="{LIST}"' not in page(browser_of(cast.ben), "/admin/")


def test_another_organizations_authorizations_are_not_there(cast, browser_of):
    one = app(cast, name="Acme's own")
    authorizations.approve(
        actor=cast.actor(cast.ada),
        client_id=one.id,
        scope=["users"],
        roles=[str(cast.role("Supervisor").id)],
    )
    cleo = browser_of(cast.cleo)
    assert "No apps yet" in page(cleo)
    html = page(cleo, url(one))
    assert cleo.get(url(one)).context["authorization"] is None
    assert str(cast.role("Supervisor").id) not in html
    assert "Ada" not in html  # neither who made it nor who authorized it at home


def test_of_another_organizations_client_only_what_people_see_at_consent_is_shown(cast, browser_of):
    one = app(cast)
    Client.objects.filter(id=one.id).update(
        description="Keeps calendars", redirect_uris="https://app.example.com/secret-path\nmyapp:/back"
    )
    html = page(browser_of(cast.cleo), url(one))
    for shown in (
        "Web app",
        "Keeps calendars",
        "Acme",
        "app.example.com",
        "myapp:",
        "See and change people",
    ):
        assert shown in html
    for hidden in ("secret-path", "Code Authorization", "Open client", "Active"):
        assert hidden not in html
    assert "Open client" in page(browser_of(cast.ada), url(one))


# --- The list ------------------------------------------------------------------------------------


@pytest.fixture
def five(cast):
    """Authorized, asking for more, requested, declined, revoked."""
    ada = cast.actor(cast.ada)
    found = [app(cast, name="Alpha"), app(cast, name="Beta"), app(cast, cast.ben, name="Gamma")]
    edit(cast.actor(cast.ben), found[1], scope=(*found[1].scope, "oauth"))
    found += [app(cast, cast.ben, name="Delta"), app(cast, name="Epsilon")]
    authorizations.decline(actor=ada, client_id=found[3].id)
    authorizations.revoke(actor=ada, client_id=found[4].id)
    return found


def test_who_waits_for_an_answer_comes_first(cast, five, browser_of):
    assert names(browser_of(cast.ada)) == ["Beta", "Gamma", "Alpha", "Delta", "Epsilon"]


def test_the_list_is_filtered_by_state_with_counts_and_searched(cast, five, browser_of):
    browser = browser_of(cast.ada)
    everything = {"All": 5, "Requested": 2, "Authorized": 2, "Declined": 1, "Revoked": 1}
    assert counts(browser) == everything
    assert names(browser, state="requested") == ["Beta", "Gamma"]
    assert names(browser, state="authorized") == ["Beta", "Alpha"]
    assert names(browser, state="declined") == ["Delta"]
    assert names(browser, state="revoked") == ["Epsilon"]
    assert names(browser, state="' OR 1=1", q="ETA\x00") == ["Beta"]
    assert counts(browser, q="eta", state="revoked") == {**dict.fromkeys(everything, 0), **{
        "All": 1, "Requested": 1, "Authorized": 1}}  # fmt: skip
    assert names(browser, q=str(five[0].id)[:13]) == ["Alpha"]
    assert "Nothing matches ‘zebra’." in page(browser, q="zebra")


def test_a_row_says_what_there_is_to_know(cast, browser_of):
    one = app(cast, scope=("oauth", "presence", "routing", "user-basic-info", "users"))
    authorizations.approve(
        actor=cast.actor(cast.cleo),
        client_id=one.id,
        scope=one.scope,
        roles=[str(cast.role("Employee", cast.globex).id)],
    )
    html = page(browser_of(cast.cleo))
    assert ">Acme</bdi>" in html
    assert html.count('<span class="chip mono">') == 3
    assert "+2 more" in html
    assert "Employee" in html
    assert ">never</td>" in html
    assert "Your organization" in page(browser_of(cast.ada))


def test_last_used_is_when_somebody_of_this_organization_used_it(cast, browser_of):
    one = app(cast)
    signed_in(cast.cleo, one)
    assert browser_of(cast.ada).get(LIST).context["rows"][0]["last_used"] is None
    signed_in(cast.eve, one)
    an_hour_ago = timezone.now() - timedelta(hours=1)
    get_access_token_model().objects.update(updated=an_hour_ago)
    assert browser_of(cast.ada).get(LIST).context["rows"][0]["last_used"] > an_hour_ago  # the sign-in
    later = timezone.now() + timedelta(minutes=5)
    get_access_token_model().objects.filter(user=cast.eve).update(updated=later)
    assert browser_of(cast.ada).get(LIST).context["rows"][0]["last_used"] == later


def test_the_menu_of_a_row_has_what_its_state_allows(cast, five, browser_of):
    rows = browser_of(cast.ada).get(LIST).context["rows"]
    entries = {row["client"].name: [entry["label"] for entry in row["entries"]] for row in rows}
    edit_or_revoke = ["Edit Authorization", "Revoke Authorization"]
    assert entries == {
        "Alpha": edit_or_revoke,
        "Beta": edit_or_revoke,
        "Gamma": ["Review request", "Decline"],
        "Delta": ["Approve"],
        "Epsilon": ["Authorize again"],
    }


def test_a_long_list_has_pages_and_costs_no_more_than_a_short_one(cast, browser_of):
    browser = browser_of(cast.ada)

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            browser.get(LIST)
        return len(found)

    role = str(cast.role("Supervisor").id)
    for number in range(30):
        one = app(cast, name=f"App {number:02}")
        if number == 2:
            few = cost()
        if number % 2:
            ClientAuthorization.objects.filter(client=one).update(roles=[role])
    ClientAuthorization.objects.filter(client__name="App 00").update(roles=[role])
    assert cost() <= few + 1  # the roles' names, once
    assert len(names(browser)) == 25
    assert names(browser, page="2") == [f"App {number}" for number in range(25, 30)]
    assert "1–25 of 30" in page(browser)


# --- Finding one ---------------------------------------------------------------------------------


def test_an_app_of_another_organization_is_found_by_its_client_id(cast, browser_of):
    one = app(cast)
    cleo = browser_of(cast.cleo)
    assert "data-dialog-content" in page(cleo, FIND)
    response = cleo.post(FIND, {"client_id": f"  {one.client_id} "})
    assert response["Location"] == url(one)
    assert not ClientAuthorization.objects.filter(organization=cast.globex).exists()


def test_what_is_no_app_is_said_at_the_field(cast, browser_of):
    service, _secret = cast.client(("Supervisor", cast.home), name="Service")
    unknown = "No client has this ID. Check with the app&#x27;s developer."
    for person, typed, sentence in (
        (cast.ada, str(uuid.uuid4()), unknown),
        (cast.ada, "<b>x</b>", unknown),
        (cast.ada, "x" * 200, unknown),
        (cast.ada, "", "Enter a client ID."),
        (cast.ada, service.client_id, "It needs no authorization."),
        (cast.cleo, service.client_id, unknown),
    ):
        response = browser_of(person).post(FIND, {"client_id": typed})
        assert response.status_code == 200
        assert sentence in text(response)
        assert "<title>Error" in text(response)
    assert browser_of(cast.ada).get(f"{LIST}{uuid.uuid4()}/").status_code == 404


# --- The page of an app --------------------------------------------------------------------------


def test_nothing_is_on_until_it_is_chosen(cast, browser_of):
    one = app(cast)
    cleo = browser_of(cast.cleo)
    context = cleo.get(url(one)).context
    assert [(entry["name"], entry["on"]) for entry in context["entries"]] == [
        ("routing", False),
        ("user-basic-info", False),
        ("users", False),
    ]
    chosen = cleo.get(url(one), {"select": "all"}).context
    assert all(entry["on"] for entry in chosen["entries"])
    html = page(cleo, url(one))
    assert "Approve" in html
    assert "Decline" in html
    assert "sensitive" in html
    assert "changes things" in html
    assert 'name="scope" value="oauth"' not in html  # never asked
    assert " style=" not in html


def test_approving_some_of_it_for_some_roles(cast, browser_of):
    one = app(cast, cast.ben)
    role = str(cast.role("Supervisor").id)
    answer = form(one, "users", "routing", audience="roles", role=[role], **{"extent-users": "readonly"})
    response = browser_of(cast.ada).post(url(one), answer, follow=True)
    assert "‘Web app’ is authorized." in text(response)
    assert said(one) == (AuthorizationState.AUTHORIZED, ["routing", "users:readonly"], False)
    assert ClientAuthorization.objects.get().roles == [role]
    entries = {e["name"]: e for e in browser_of(cast.ada).get(url(one)).context["entries"]}
    assert (entries["users"]["on"], entries["users"]["read_only"]) == (True, True)
    assert not entries["user-basic-info"]["on"]


def test_a_limit_that_is_not_chosen_does_not_count(cast, browser_of):
    one = app(cast, cast.ben)
    browser_of(cast.ada).post(url(one), form(one, "users", role=[str(cast.role("Supervisor").id)]))
    assert ClientAuthorization.objects.get().roles == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"scope": []}, "Choose at least one scope."),
        ({"scope": ["oauth"]}, "The app does not ask for the scope ‘oauth’."),
        ({"scope": ["users", "users:readonly", "<script>"]}, "does not ask for the scope ‘&lt;script&gt;’"),
        ({"scope": ["nothing"], "extent-nothing": "readonly"}, "‘nothing:readonly’"),
        ({"audience": "roles"}, "Choose at least one role, or everyone."),
        ({"audience": "roles", "role": ["foreign"]}, "Choose among the roles of your organization."),
        ({"audience": "roles", "role": ["x\x00"]}, "Choose among the roles of your organization."),
    ],
)
def test_a_forged_or_incomplete_form_is_refused_and_nothing_is_written(cast, browser_of, answer, sentence):
    one = app(cast, cast.ben)
    before = AuditEvent.objects.count()
    if answer.get("role") == ["foreign"]:
        answer = {**answer, "role": [str(cast.role("Supervisor", cast.globex).id)]}
    browser = browser_of(cast.ada)
    before = AuditEvent.objects.count()
    response = browser.post(url(one), {**form(one, "users"), **answer})
    assert response.status_code == 200
    assert sentence in text(response)
    assert "There is a problem" in text(response)
    assert said(one) == (AuthorizationState.REQUESTED, [], True)
    assert AuditEvent.objects.count() == before


def test_what_was_typed_is_kept_with_an_error(cast, browser_of):
    one = app(cast, cast.ben)
    response = browser_of(cast.ada).post(
        url(one), form(one, "users", audience="roles", **{"extent-users": "readonly"})
    )
    entry = next(e for e in response.context["entries"] if e["name"] == "users")
    assert (entry["on"], entry["read_only"], response.context["typed"].limited) == (True, True, True)


def test_somebody_elses_change_in_between_is_not_overwritten(cast, browser_of):
    one = app(cast, cast.ben)
    browser = browser_of(cast.ada)
    authorizations.approve(actor=cast.actor(cast.ada), client_id=one.id, scope=["routing"])
    response = browser.post(url(one), form(one, "users"))
    assert "changed this authorization at" in text(response)
    assert "Authorized now: routing." in text(response)
    assert said(one)[1] == ["routing"]
    again = form(one, "users", version=response.context["typed"].version)
    assert "Changes saved." in text(browser.post(url(one), again, follow=True))
    assert said(one)[1] == ["users"]
    for nonsense in ("", "x", "-1", "9" * 30, "²"):
        assert "changed this authorization" in text(
            browser.post(url(one), form(one, "users", version=nonsense))
        )


def test_a_request_for_more_is_marked_and_can_be_declined(cast, browser_of):
    one = app(cast)
    edit(cast.actor(cast.ben), one, scope=(*one.scope, "oauth"))
    ada = browser_of(cast.ada)
    response = ada.get(url(one))
    assert [entry["name"] for entry in response.context["entries"] if entry["waiting"]] == ["oauth"]
    assert "Asked by <bdi>Ben</bdi>" in text(response)
    assert "gets nothing more" in page(ada, url(one, "decline/"))
    version = ClientAuthorization.objects.get().version
    ada.post(url(one, "decline/"), {"version": version})
    assert said(one) == (AuthorizationState.AUTHORIZED, ["routing", "user-basic-info", "users"], False)


def test_declining_asks_first_and_can_be_undone_by_approving(cast, browser_of):
    one = app(cast, cast.ben)
    ada = browser_of(cast.ada)
    assert "Decline ‘Web app’?" in page(ada, url(one, "decline/"))
    assert said(one)[0] == AuthorizationState.REQUESTED
    assert "is not authorized." in text(ada.post(url(one, "decline/"), {"version": 1}, follow=True))
    assert said(one) == (AuthorizationState.UNAUTHORIZED, [], False)
    assert "Nobody waits for an answer" in text(ada.get(url(one, "decline/"), follow=True))
    html = page(ada, url(one))
    assert "Approve" in html
    assert "Authorize again" not in html  # it never was
    ada.post(url(one), form(one, "users", version=2))
    assert said(one)[0] == AuthorizationState.AUTHORIZED


def test_revoking_says_how_many_tokens_and_people_it_hits(cast, browser_of):
    one = app(cast)
    for person in (cast.eve, cast.ben, cast.cleo):
        signed_in(person, one)
    ada = browser_of(cast.ada)
    response = ada.get(url(one, "revoke/"))
    assert [fact["value"] for fact in response.context["dialog_facts"]] == ["2", "2"]
    assert "2 tokens stop working at once" in text(response)
    assert said(one)[0] == AuthorizationState.AUTHORIZED
    done = ada.post(url(one, "revoke/"), {"version": 1}, follow=True)
    assert "The authorization of ‘Web app’ is revoked." in text(done)
    assert said(one)[0] == AuthorizationState.REVOKED
    late = ada.post(url(one, "revoke/"), {"version": 1}, follow=True)
    assert "This app is not authorized." in text(late)


def test_an_old_question_is_not_an_answer_to_a_new_state(cast, browser_of):
    one = app(cast)
    authorizations.approve(actor=cast.actor(cast.ada), client_id=one.id, scope=["users"])
    late = browser_of(cast.ada).post(url(one, "revoke/"), {"version": 1}, follow=True)
    assert "changed this authorization in the meantime" in text(late)
    assert said(one)[0] == AuthorizationState.AUTHORIZED


def test_a_form_from_elsewhere_changes_nothing(cast, browser_of):
    one = app(cast, cast.ben)
    browser = browser_of(cast.ada, enforce_csrf_checks=False)
    browser.handler.enforce_csrf_checks = True
    for address in (url(one), url(one, "decline/"), url(one, "revoke/")):
        assert browser.post(address, form(one, "users")).status_code == 403
    assert said(one) == (AuthorizationState.REQUESTED, [], True)


def test_it_is_said_where_scopes_are_not_enforced(cast, browser_of):
    one = app(cast)
    for address in (LIST, url(one)):
        assert "Scopes are not enforced here" not in page(browser_of(cast.ada), address)
    Organization.objects.filter(id=cast.acme.id).update(enforce_scopes=False)
    to_settings = '<a href="/admin/organization/settings/">Organization settings</a>'
    for address in (LIST, url(one)):
        html = page(browser_of(cast.ada), address)
        assert "Scopes are not enforced here" in html
        assert to_settings in html
    cast.custom_role("Gatekeeper", "oauth:client:authorize")
    cast.give(cast.ben, ("Gatekeeper", None))
    for address in (LIST, url(one)):
        html = page(browser_of(cast.ben), address)
        assert "Scopes are not enforced here" in html
        assert to_settings not in html


def test_admin_home_names_the_apps_that_wait_to_those_who_may_answer(cast, browser_of):
    app(cast, cast.ben, name="Waiting <x>")
    assert "‘Waiting &lt;x&gt;’ awaits authorization" in page(browser_of(cast.ada), "/admin/")
    for person in (cast.ben, cast.cleo):
        assert "awaits authorization" not in page(browser_of(person), "/admin/")


def test_administrators_are_not_called_you(cast, browser_of):
    one = app(cast)
    for address in (
        url(one),
        f"/admin/integrations/oauth/{one.id}/",
        f"/admin/integrations/oauth/{one.id}/edit/",
    ):
        html = page(browser_of(cast.ada), address)
        assert "See who the person is: name, email and organization" in html
        assert "See who you are" not in html


def test_it_is_said_what_of_the_api_reading_only_opens(cast, browser_of):
    shown = " ".join(page(browser_of(cast.ada), url(app(cast))).split())
    found = re.search(r"Opens (\d+) routes of the API, (\d+) of them with “Read only”", shown)
    assert found
    assert int(found[1]) > int(found[2]) > 0
    reading = shown.partition("<p>With “Read only”</p>")[2].partition("<p>With “Read and change” also</p>")[
        0
    ]
    assert "GET /api/v2/users<" in reading
    assert not re.search(r"(PUT|PATCH|DELETE) /api", reading)


def test_what_is_said_twice_in_a_row_is_shown_once(cast, browser_of):
    """A dialog's address that leads elsewhere is asked for by the script and then by the window."""
    one, ada = app(cast), browser_of(cast.ada)
    assert ada.get(url(one, "decline/")).status_code == 302
    again = ada.get(url(one, "decline/"), follow=True)
    assert again.content.decode().count("Nobody waits for an answer") == 1


def test_an_empty_list_offers_the_same_dialog_as_a_full_one(cast, browser_of):
    button = re.search(
        r'<a class="button button-primary" href="[^"]*authorize/"[^>]*>', page(browser_of(cast.ada), LIST)
    )
    assert button
    assert "data-dialog" in button[0]


# --- Apps that send assertions -------------------------------------------------------------------


def test_an_app_that_gets_assertions_is_approved_and_revoked_like_others(cast, browser_of):
    ada = browser_of(cast.ada)
    saml = SamlApp.at_acme(cast, "users", "user-basic-info", name="Desk", by=cast.ben)
    assert saml.asks().json()["description"] == "The app may not act for this person."
    assert names(ada) == ["Desk"]
    html = page(ada, url(saml.client))
    assert "People are not asked. Your identity provider vouches for them." in html
    assert "Returns people to" not in html
    ada.post(url(saml.client), form(saml.client, "users", version=1))
    headers = saml.bearer()
    assert Browser().get("/api/v2/tokens/me", headers=headers).status_code == 200
    row = ada.get(LIST).context["rows"][0]
    assert row["last_used"] is not None
    asked = page(ada, url(saml.client, "revoke/"))
    assert "Nobody here can use the app any more, and 1 token stops working at once." in asked
    version = ClientAuthorization.objects.get(client=saml.client).version
    ada.post(url(saml.client, "revoke/"), {"version": version})
    assert Browser().get("/api/v2/tokens/me", headers=headers).status_code == 401
    assert saml.asks().status_code == 400
    assert "Authorize again" in page(ada, url(saml.client))


def test_of_an_app_that_asks_people_no_such_thing_is_said(cast, browser_of):
    assert "People are not asked" not in page(browser_of(cast.ada), url(app(cast)))
