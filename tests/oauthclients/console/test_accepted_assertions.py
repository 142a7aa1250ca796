"""What the console says about clients of the type SAML2 Bearer: which assertions are accepted, with the true
values, and which were refused."""

from __future__ import annotations

from html import unescape

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import system
from accounts.models import IdentityProvider
from accounts.saml import toolkit
from oauthclients.models import Client
from oauthclients.services import authorizations, clients
from tests.oauthclients.console.wizard import start, text
from tests.saml import IdP, SamlApp, pair

LIST = "/admin/integrations/oauth/"
BOX = "Assertions this server accepts"
NONE_YET = "No identity provider is set up yet."
NONE_ACCEPTED = "No identity provider is on and accepted for the SAML2 Bearer grant."


@pytest.fixture
def app(cast) -> SamlApp:
    return SamlApp.at_acme(cast)


def at(app: SamlApp, action: str = "") -> str:
    return f"{LIST}{app.client.id}/{action}"


def copied(response) -> list[str]:
    """The values that have a copy button."""
    html = unescape(response.content.decode())
    return [part.split('"')[0] for part in html.split('data-copy-text="')[1:]]


def step_2(browser):
    wizard = start(browser)
    assert wizard.details(grant="saml2-bearer").status_code == 302
    return wizard.get("access")


# --- The box -------------------------------------------------------------------------------------


def test_wizard_edit_page_and_client_page_show_the_same_values_to_copy(cast, app, browser_of):
    ada = browser_of(cast.ada)
    wanted = [
        "https://idp.acme.example/metadata",
        f"{settings.BASE_URL}/saml/acme",
        "email",
        f"{settings.BASE_URL}/oauth/token",
        "7200",
        "10",
    ]
    for response in (step_2(ada), ada.get(at(app, "edit/")), ada.get(at(app))):
        assert BOX in text(response)
        assert [value for value in copied(response) if value in wanted] == wanted
        assert "No identity provider" not in text(response)


def test_an_assertion_made_of_the_values_in_the_box_gets_a_token(cast, app, browser_of):
    IdentityProvider.objects.update(audience="urn:acme:audience", email_attribute="mail")
    box = browser_of(cast.ada).get(at(app)).context["assertions"]
    issuer, audience, email = (fact["value"] for fact in box["providers"][0]["facts"])
    recipient = box["facts"][0]["value"]
    assert (audience, email) == ("urn:acme:audience", "mail")
    made = app.idp.assertion(
        issuer=issuer, audience=audience, recipient=recipient, email_attribute=email, email=cast.eve.email
    )
    assert app.sends(made).status_code == 200


def test_the_values_are_those_of_the_settings(cast, app, browser_of, settings):
    settings.SAML_LONGEST_SECONDS = 300
    assert "300 Copy – Longest life, in seconds = 5 minutes" in text(browser_of(cast.ada).get(at(app)))


def test_a_provider_that_has_the_email_in_the_name_id_says_so(cast, app, browser_of):
    IdentityProvider.objects.update(email_attribute="")
    assert "NameID" in copied(browser_of(cast.ada).get(at(app)))


def test_only_providers_that_may_vouch_are_listed(cast, app, browser_of):
    IdP(name="Partners", issuer="https://two.example").provider(cast.acme)
    IdP(name="Off", issuer="https://off.example").provider(cast.acme, enabled=False)
    IdP(name="People", issuer="https://people.example").provider(cast.acme, accept_bearer=False)
    IdP(name="Globex", issuer="https://globex.example").provider(cast.globex)
    box = browser_of(cast.ada).get(at(app)).context["assertions"]
    assert [one["name"] for one in box["providers"]] == ["Acme IdP", "Partners"]


def test_a_provider_without_a_valid_certificate_is_said_to_be_refused(cast, app, browser_of, time_machine):
    time_machine.move_to("2049-06-01", tick=False)
    assert "None of its certificates is valid now" in text(browser_of(cast.ada).get(at(app)))


def test_without_a_provider_it_says_so_and_leads_there_whoever_may_set_one_up(cast, browser_of):
    ada, ben = browser_of(cast.ada), browser_of(cast.ben)
    for browser, links in ((ada, True), (ben, False)):
        wizard = start(browser)
        for response in (wizard.get("details"), step_2(browser)):
            assert NONE_YET in text(response)
            assert ('href="/admin/single-sign-on/new/"' in response.content.decode()) is links
        assert f"{settings.BASE_URL}/oauth/token" in copied(response)


def test_where_none_of_the_providers_may_vouch_it_says_that(cast, app, browser_of):
    for change in ({"enabled": False, "accept_bearer": True}, {"enabled": True, "accept_bearer": False}):
        IdentityProvider.objects.update(**change)
        for browser, links in ((browser_of(cast.ada), True), (browser_of(cast.ben), False)):
            response = browser.get(at(app))
            assert NONE_ACCEPTED in text(response)
            assert ("Open Single Sign-on" in text(response)) is links
            assert NONE_ACCEPTED in text(start(browser).get("details"))


def test_the_box_leads_to_the_check_only_whom_it_lets_in(cast, app, browser_of):
    ada = browser_of(cast.ada)
    assert f'href="{at(app, "check-assertion/")}"' in ada.get(at(app)).content.decode()
    assert 'href="/admin/single-sign-on/check/"' in step_2(ada).content.decode()
    cast.custom_role("Adder", "oauth:client:add")
    cast.give(cast.eve, ("Adder", None))
    assert "Check an assertion" not in text(step_2(browser_of(cast.eve)))


def test_a_provider_is_a_link_for_who_may_see_it(cast, app, browser_of):
    link = f'href="/admin/single-sign-on/{IdentityProvider.objects.get().id}/"'
    assert link in browser_of(cast.ada).get(at(app)).content.decode()
    assert link not in browser_of(cast.ben).get(at(app)).content.decode()


def test_clients_of_other_types_have_no_such_box(cast, app, browser_of):
    other, _secret = cast.client(("Supervisor", cast.home), name="Sync", by=cast.ada)
    shown = text(browser_of(cast.ada).get(f"{LIST}{other.id}/"))
    assert BOX not in shown
    assert "Recently refused assertions" not in shown


def test_where_the_libraries_do_not_work_every_page_says_so(cast, app, browser_of, monkeypatch):
    ada = browser_of(cast.ada)
    assert "SAML libraries" not in text(ada.get(at(app)))
    monkeypatch.setattr(toolkit, "WHY_NOT", "ImportError: x")
    shown = text(ada.get(at(app)))
    assert "SAML is switched off on this server" in shown
    assert "The SAML libraries of this server do not work, so it gives no tokens by this grant." in shown
    assert "Check an assertion" not in shown
    assert "SAML is switched off on this server" in text(start(ada).get("details"))
    assert "SAML is switched off on this server" in text(step_2(ada))


# --- What was refused ----------------------------------------------------------------------------


def refusals(response) -> list[str]:
    return [one["text"] for one in response.context["refusals"]]


def test_the_newest_refusals_are_told_with_the_reason(cast, app, browser_of):
    ada = browser_of(cast.ada)
    assert "No assertion that the app sent was refused." in text(ada.get(at(app)))
    for number in range(6):
        app.asks(audience=f"https://{number}.example")
    app.asks(key=pair(which="other"))
    response = ada.get(at(app))
    found = refusals(response)
    assert len(found) == 5
    assert found[0].startswith("Signature: It was made with none of the certificates of Acme IdP")
    assert found[1].startswith("Audience: It is for ‘https://5.example’.")
    assert "just now – Signature:" in text(response)


def test_they_leave_room_for_what_was_changed(cast, app, browser_of):
    for _n in range(6):
        app.asks(audience="https://other.example")
    changes = browser_of(cast.ada).get(at(app)).context["changes"]
    assert "created the client" in [change["did"] for change in changes]
    assert "had an assertion refused" not in [change["did"] for change in changes]


def test_people_are_named_to_those_who_may_see_them(cast, app, browser_of):
    """Ben sees those of Home alone."""
    cast.person("Gina", cast.home, state="inactive")
    app.asks(email="nobody@acme.example")
    app.asks(email="gina@acme.example")
    nobody = "No active person of this organization has the email that it holds."
    assert refusals(browser_of(cast.ben).get(at(app))) == [nobody, nobody]
    assert refusals(browser_of(cast.ada).get(at(app))) == [
        "Person: Gina is not active.",
        "Person: Nobody here has the email ‘nobody@acme.example’.",
    ]


def test_of_a_limit_to_roles_it_is_told_who_met_it(cast, app, browser_of):
    role = str(cast.role("Supervisor").id)
    authorizations.approve(
        actor=cast.actor(cast.ada), client_id=app.client.id, scope=["users"], roles=[role]
    )
    app.asks()
    why = "Your role does not allow this application."
    assert refusals(browser_of(cast.ada).get(at(app))) == [f"Eve: {why}"]
    assert refusals(browser_of(cast.ben).get(at(app))) == [why]


def test_the_page_takes_the_same_few_statements_for_one_and_for_many(
    cast, app, browser_of, django_assert_num_queries
):
    ada = browser_of(cast.ada)
    app.asks(audience="https://other.example")
    with CaptureQueriesContext(connection) as queries:
        ada.get(at(app))
    few = len(queries)
    for number in range(4):
        IdP(name=f"IdP {number}", issuer=f"https://{number}.example").provider(cast.acme)
        app.asks(audience="https://other.example")
    with django_assert_num_queries(few):
        ada.get(at(app))


def test_another_clients_refusals_are_its_own(cast, app, browser_of):
    app.asks(audience="https://other.example")
    other = SamlApp.at_acme(cast, name="Other app")
    assert refusals(browser_of(cast.ada).get(at(other))) == []


def test_a_client_that_was_switched_off_keeps_its_box(cast, app, browser_of):
    clients.set_enabled(actor=system(cast.acme), client_id=app.client.id, enabled=False)
    assert Client.objects.get(id=app.client.id).state == "disabled"
    assert BOX in text(browser_of(cast.ada).get(at(app)))
