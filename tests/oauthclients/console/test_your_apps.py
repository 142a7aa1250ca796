"""Your apps: what a person lets act for them, and taking it back."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organization
from oauthclients.models import Client, Consent
from oauthclients.services import authorizations, clients
from tests.oauthclients.services.test_authorizations import app, living, signed_in
from tests.saml import SamlApp

APPS = "/account/apps/"


def page(browser, address: str = APPS) -> str:
    response = browser.get(address)
    assert response.status_code == 200
    return response.content.decode().replace("\xa0", " ")


def shown(browser) -> list[dict]:
    return browser.get(APPS).context["apps"]


def revoking(consent) -> str:
    return f"{APPS}{consent.id}/revoke/"


def test_it_is_for_everybody_who_is_signed_in(cast, browser_of, client):
    assert client.get(APPS)["Location"] == f"/sign-in/?next={APPS}"
    html = page(browser_of(cast.eve))  # without any right in the console
    assert "No app acts for you" in html
    assert f'href="{APPS}"' in html  # in her corner of every page


def test_it_lists_ones_own_apps_and_nobody_elses(cast, browser_of):
    mine, other = app(cast, name="Calendar"), app(cast, name="Other <b>")
    signed_in(cast.eve, mine, scope=("users:readonly", "user-basic-info"))
    signed_in(cast.ada, other)
    html = page(browser_of(cast.eve))
    assert "<bdi>Calendar</bdi>" in html
    assert "Made by <bdi>Acme</bdi>" in html
    assert "See people" in html
    assert "just now" in html
    assert "Other" not in html
    assert "Cannot act for you now" not in html


def test_it_says_what_an_app_cannot_do_any_more(cast, browser_of):
    ada, one = cast.actor(cast.ada), app(cast)
    signed_in(cast.eve, one, scope=("routing", "user-basic-info", "users"))
    authorizations.approve(actor=ada, client_id=one.id, scope=["users:readonly", "routing"])
    scopes = {scope["name"]: scope for scope in shown(browser_of(cast.eve))[0]["scopes"]}
    assert scopes["routing"]["counts"]
    assert not scopes["user-basic-info"]["counts"]
    assert (scopes["users"]["counts"], scopes["users"]["left"]) == (False, "See people")


def test_it_says_why_an_app_cannot_be_used_now(cast, browser_of):
    ada, eve = cast.actor(cast.ada), browser_of(cast.eve)
    one = app(cast)
    signed_in(cast.eve, one)
    assert shown(eve)[0]["hindrance"] == ""
    role = str(cast.role("Supervisor").id)
    authorizations.approve(actor=ada, client_id=one.id, scope=["users"], roles=[role])
    assert "Your role does not allow this application." in page(eve)
    authorizations.revoke(actor=ada, client_id=one.id)
    assert "The app is not authorized in this organization." in page(eve)
    authorizations.approve(actor=ada, client_id=one.id, scope=["users"])
    clients.set_enabled(actor=ada, client_id=one.id, enabled=False)
    assert "Whoever made the app has switched it off." in page(eve)


def test_an_app_that_is_gone_is_not_listed(cast, browser_of):
    one = app(cast)
    signed_in(cast.eve, one)
    Client.objects.filter(id=one.id).update(date_to_delete=timezone.now() - timedelta(seconds=1))
    assert shown(browser_of(cast.eve)) == []


def test_it_says_that_scopes_do_not_count_where_they_are_not_enforced(cast, browser_of):
    signed_in(cast.eve, app(cast))
    Organization.objects.filter(id=cast.acme.id).update(enforce_scopes=False)
    assert "does not enforce scopes" in page(browser_of(cast.eve))


def test_revoking_asks_first_and_then_ends_it_at_once(cast, browser_of):
    one = app(cast)
    for person in (cast.eve, cast.ada):
        signed_in(person, one)
    consent, eve = Consent.objects.get(user=cast.eve), browser_of(cast.eve)
    assert "Revoke the access of ‘Web app’?" in page(eve, revoking(consent))
    assert living(one) == 2
    done = eve.post(revoking(consent), follow=True)
    assert "can no longer act for you" in done.content.decode()
    assert living(one) == 1  # Ada's
    assert list(Consent.objects.values_list("user_id", flat=True)) == [cast.ada.id]
    assert eve.post(revoking(consent)).status_code == 404


def test_nobody_else_sees_or_revokes_it(cast, browser_of):
    one = app(cast)
    signed_in(cast.eve, one)
    address = revoking(Consent.objects.get())
    for person in (cast.ada, cast.cleo):
        browser = browser_of(person)
        assert (browser.get(address).status_code, browser.post(address).status_code) == (404, 404)
    assert living(one) == 1


def test_a_link_revokes_nothing_and_neither_does_a_form_from_elsewhere(cast, browser_of):
    one = app(cast)
    signed_in(cast.eve, one)
    browser = browser_of(cast.eve)
    browser.get(revoking(Consent.objects.get()))
    browser.handler.enforce_csrf_checks = True
    assert browser.post(revoking(Consent.objects.get())).status_code == 403
    assert living(one) == 1


def test_many_apps_cost_no_more_than_one(cast, browser_of):
    browser = browser_of(cast.eve)
    signed_in(cast.eve, app(cast, name="First"))

    def cost() -> int:
        with CaptureQueriesContext(connection) as found:
            browser.get(APPS)
        return len(found)

    one = cost()
    for number in range(10):
        signed_in(cast.eve, app(cast, name=f"App {number}"))
    assert cost() == one


def test_of_an_app_that_gets_assertions_it_says_who_vouches_and_that_it_can_come_again(cast, browser_of):
    saml, eve = SamlApp.at_acme(cast, "users:readonly", name="Desk"), browser_of(cast.eve)
    headers = saml.bearer()
    html = page(eve)
    assert "Your identity provider vouches for you to this app." in html
    assert "· Since <time" in html
    assert "Allowed" not in html
    address = revoking(Consent.objects.get(user=cast.eve))
    asked = page(eve, address)
    assert "It can come again with another assertion of your identity provider." in asked
    assert "it asks you again" not in asked
    done = eve.post(address, follow=True).content.decode()
    assert "‘Desk’ cannot act for you until your identity provider vouches for you again." in done
    assert Browser().get("/api/v2/tokens/me", headers=headers).status_code == 401
    assert shown(eve) == []
    assert saml.asks().status_code == 200
    assert len(shown(eve)) == 1
