"""Signing in through an identity provider, as the browser sees it. The provider is tests/saml.py."""

from __future__ import annotations

import base64
import re
import zlib
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.utils import timezone
from lxml import etree
from signxml import XMLVerifier

from accounts.actor import system
from accounts.models import (
    AuditEvent,
    Binding,
    IdentityProvider,
    ProviderSession,
    ProviderSignIn,
    UsedAssertion,
    User,
)
from accounts.saml import keys
from accounts.services import identity_providers, people
from accounts.sign_in.idle import USED_AT
from tests.cast import PASSWORD, pkce
from tests.saml import IdP, encode, pair, signed

ACS = f"{settings.BASE_URL}/saml"
IDP = "https://idp.acme.example"


@pytest.fixture
def idp() -> IdP:
    return IdP(recipient=ACS)


@pytest.fixture
def provider(idp, cast) -> IdentityProvider:
    return idp.provider(cast.acme, logout_url=f"{IDP}/slo")


def start(browser: Browser, provider: IdentityProvider, **query: str) -> etree._Element:
    """Goes to the provider; the AuthnRequest that arrives there."""
    response = browser.get(f"/sign-in/with/{provider.id}/?{urlencode(query)}")
    assert response.status_code == 302, response.content
    assert response["Location"].startswith(f"{IDP}/sso?")
    sent = parse_qs(urlsplit(response["Location"]).query)
    return etree.fromstring(zlib.decompress(base64.b64decode(sent["SAMLRequest"][0]), -15))


def answered(browser: Browser, assertion: bytes, **form: str):
    """Posts what the provider says, as its page does: from another site, so without our session."""
    cookies = dict(browser.cookies)
    browser.cookies.clear()
    response = browser.post("/saml", {"SAMLResponse": encode(assertion), **form})
    browser.cookies.update({**cookies, **browser.cookies})
    return response


def come_back(browser: Browser, idp: IdP, request: etree._Element, **claims):
    """The whole way back; the last answer."""
    claims.setdefault("wrap", True)
    response = answered(browser, idp.assertion(in_response_to=request.get("ID"), **claims))
    if response.status_code == 303:
        response = browser.get(response["Location"])
    return response


def whoever(browser: Browser) -> str | None:
    key = browser.get("/account/apps/")
    return key.wsgi_request.user.email if key.status_code == 200 else None


def sign_in(browser: Browser, idp: IdP, provider: IdentityProvider, next: str = "", **claims):
    return come_back(browser, idp, start(browser, provider, next=next), **claims)


# --- Started here --------------------------------------------------------------------------------


def test_a_person_signs_in_and_lands_where_they_wanted_to_be(idp, provider, cast):
    browser = Browser()

    response = sign_in(browser, idp, provider, next="/account/apps/?x=1")

    assert (response.status_code, response["Location"]) == (302, "/account/apps/?x=1")
    assert whoever(browser) == cast.eve.email
    line = AuditEvent.objects.get(action="user.signedIn")
    assert (line.actor_name, line.after) == ("Eve", {"through": "Acme IdP"})


def test_the_request_says_who_asks_and_where_to_answer(provider, cast):
    request = start(Browser(), provider)

    assert request.get("AssertionConsumerServiceURL") == ACS
    assert request.get("Destination") == f"{IDP}/sso"
    assert request.findtext("{*}Issuer") == f"{settings.BASE_URL}/saml/acme"
    assert request.get("ForceAuthn") is None
    assert re.fullmatch(r"_[0-9a-f]{32}", request.get("ID"))


def test_the_email_is_found_in_whatever_case_and_nobody_is_ever_made(idp, provider, cast):
    browser = Browser()
    assert sign_in(browser, idp, provider, email="EVE@Acme.Example").status_code == 302
    assert whoever(browser) == cast.eve.email
    before = User.objects.count()

    for email in ("nobody@acme.example", cast.cleo.email):
        refused = Browser()
        response = sign_in(refused, idp, provider, email=email)
        assert response.status_code == 400
        assert "Nobody here with the email" in response.content.decode()
        assert email not in response.content.decode()
        assert whoever(refused) is None
    assert User.objects.count() == before
    line = AuditEvent.objects.filter(action="identityProvider.assertionRefused").latest("at")
    assert line.after["detail"] == f"Person: Nobody here has the email ‘{cast.cleo.email}’."
    assert str(line.request_id) in response.content.decode()


def test_somebody_inactive_is_refused_and_so_is_somebody_deactivated_on_the_way_back(idp, provider, cast):
    browser = Browser()
    request = start(browser, provider)
    response = answered(browser, idp.assertion(in_response_to=request.get("ID"), wrap=True))
    people.change(
        actor=system(cast.acme),
        user_id=cast.eve.id,
        version=User.objects.get(id=cast.eve.id).version,
        values={"state": "inactive"},
    )
    assert browser.get(response["Location"]).status_code == 400
    assert whoever(browser) is None
    assert sign_in(Browser(), idp, provider).status_code == 400


def test_a_provider_that_is_switched_off_on_the_way_back_signs_nobody_in(idp, provider, cast):
    browser = Browser()
    request = start(browser, provider)
    response = answered(browser, idp.assertion(in_response_to=request.get("ID"), wrap=True))
    IdentityProvider.objects.update(enabled=False)
    assert browser.get(response["Location"]).status_code == 400
    assert whoever(browser) is None


def test_the_answer_is_good_in_the_browser_that_asked_and_in_no_other(idp, provider, cast):
    asked, other = Browser(), Browser()
    request = start(asked, provider)
    start(other, provider)  # which has a cookie of its own

    response = answered(other, idp.assertion(in_response_to=request.get("ID"), wrap=True))

    assert response.status_code == 303
    assert other.get(response["Location"]).status_code == 400
    assert Browser().get(response["Location"]).status_code == 400
    assert whoever(other) is None
    assert asked.get(response["Location"]).status_code == 302
    assert whoever(asked) == cast.eve.email


def test_an_answer_is_good_once_and_so_is_the_page_that_ends_it(idp, provider, cast):
    browser = Browser()
    request = start(browser, provider)
    assertion = idp.assertion(in_response_to=request.get("ID"), wrap=True)
    first = answered(browser, assertion)
    again = answered(browser, assertion)
    assert (first.status_code, again.status_code) == (303, 400)
    assert browser.get(first["Location"]).status_code == 302
    assert browser.get(first["Location"]).status_code == 400
    fresh = idp.assertion(in_response_to=request.get("ID"), wrap=True)
    assert answered(Browser(), fresh).status_code == 400  # that request has its answer


def test_an_answer_to_a_request_of_long_ago_or_of_nobody_is_refused(idp, provider, cast, time_machine):
    time_machine.move_to(timezone.now())
    browser = Browser()
    assert answered(browser, idp.assertion(in_response_to="_" + "0" * 32, wrap=True)).status_code == 400
    request = start(browser, provider)
    time_machine.shift(timedelta(seconds=settings.SAML_SIGN_IN_SECONDS + 1))
    assert come_back(browser, idp, request).status_code == 400
    request = start(browser, provider)
    response = answered(browser, idp.assertion(in_response_to=request.get("ID"), wrap=True))
    time_machine.shift(timedelta(minutes=6))
    assert browser.get(response["Location"]).status_code == 400
    assert whoever(browser) is None


def test_an_answer_of_another_provider_than_was_asked_is_refused(idp, provider, cast):
    other = IdP(name="Other", issuer="https://other.example", pair=pair("rsa", "other"), recipient=ACS)
    other.provider(cast.acme)
    browser = Browser()
    request = start(browser, provider)
    assert come_back(browser, other, request).status_code == 400
    assert whoever(browser) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"sign": None},
        {"audience": "https://somebody.example"},
        {"recipient": f"{settings.BASE_URL}/oauth/token"},
        {"response": {"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}},
        {"response": {"in_response_to": "_" + "1" * 32}},
        {"not_on_or_after": timezone.now() - timedelta(minutes=1)},
        {"attributes": [("OrganizationName", "globex")]},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_what_the_grant_refuses_the_sign_in_refuses_too(idp, provider, cast, claims, caplog):
    browser = Browser()
    assert sign_in(browser, idp, provider, **claims).status_code == 400
    assert whoever(browser) is None
    assert not UsedAssertion.objects.exists()


def test_nothing_of_the_answer_is_in_address_log_or_row(idp, provider, cast, caplog):
    caplog.set_level("DEBUG")
    browser = Browser()
    request = start(browser, provider)
    assertion = idp.assertion(in_response_to=request.get("ID"), wrap=True, session_index="secret-index")
    response = answered(browser, assertion)
    browser.get(response["Location"])
    assert encode(assertion)[:40] not in caplog.text
    assert encode(assertion)[:40] not in response["Location"]
    row = ProviderSignIn.objects.get()
    assert "Signature" not in str(vars(row))
    assert browser.cookies["latchkey_sso"].value not in str(vars(row))


def test_a_bare_assertion_is_no_answer_to_a_sign_in_and_an_answer_has_an_authentication(
    idp, provider, cast
):
    for claims in ({"wrap": False}, {"authn_statement": False}):
        browser = Browser()
        assert sign_in(browser, idp, provider, **claims).status_code == 400
        assert whoever(browser) is None


def test_the_session_ends_when_the_provider_says(idp, provider, cast, time_machine):
    time_machine.move_to(timezone.now())
    browser = Browser()
    request = start(browser, provider)
    node = idp.unsigned(in_response_to=request.get("ID"))
    ends = timezone.now() + timedelta(minutes=30)
    node.find("{*}AuthnStatement").set("SessionNotOnOrAfter", f"{ends:%Y-%m-%dT%H:%M:%SZ}")
    response = answered(browser, etree.tostring(idp.wrapped(signed(node, key=idp.pair))))
    assert browser.get(response["Location"]).status_code == 302
    time_machine.shift(timedelta(minutes=29))
    assert whoever(browser) == cast.eve.email
    time_machine.shift(timedelta(minutes=1))
    assert whoever(browser) is None


def test_a_later_sign_in_is_not_held_to_the_end_of_an_earlier(idp, provider, cast, time_machine):
    time_machine.move_to(timezone.now())
    browser = Browser()
    node = idp.unsigned()
    ends = timezone.now() + timedelta(minutes=10)
    node.find("{*}AuthnStatement").set("SessionNotOnOrAfter", f"{ends:%Y-%m-%dT%H:%M:%SZ}")
    first = answered(browser, etree.tostring(idp.wrapped(signed(node, key=idp.pair))))
    browser.get(first["Location"])
    browser.get(answered(browser, idp.assertion(wrap=True))["Location"])
    time_machine.shift(timedelta(minutes=11))
    assert whoever(browser) == cast.eve.email


def test_what_anybody_can_send_leaves_nothing_in_the_trail_and_names_no_organization(idp, provider, cast):
    page = answered(Browser(), idp.assertion(wrap=True, sign=None))
    assert page.status_code == 400
    assert "org=acme" not in page.content.decode()
    other = IdP(pair=pair("rsa", "other"), recipient=ACS)
    assert answered(Browser(), other.assertion(wrap=True)).status_code == 400
    assert not AuditEvent.objects.filter(action="identityProvider.assertionRefused").exists()
    page = answered(Browser(), idp.assertion(wrap=True, email="nobody@acme.example"))
    assert "org=acme" in page.content.decode()
    assert AuditEvent.objects.filter(action="identityProvider.assertionRefused").count() == 1


@pytest.mark.parametrize("address", ["/saml/finish/%00/", "/saml/finish/x/", f"/saml/finish/_{'0' * 33}/"])
def test_what_is_no_id_is_nowhere(db, address):
    assert Browser().get(address).status_code == 404


def test_nothing_invisible_is_kept_of_where_to_go(idp, provider, cast):
    assert sign_in(Browser(), idp, provider, next="/account/\x00apps/")["Location"] == "/admin/"
    browser = Browser()
    response = answered(browser, idp.assertion(wrap=True), RelayState="/x\x00")
    assert browser.get(response["Location"])["Location"] == "/admin/"


# --- Never anywhere else -------------------------------------------------------------------------

EVIL = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "http:///evil.example",
    "https:evil.example",
    "/%09/evil.example\n//evil.example",
    "https://testserver.evil.example/",
    "https://testserver@evil.example/",
    "\x00//evil.example",
    "evil.example",
    "0-a-token-of-the-providers-own",
]


@pytest.mark.parametrize("address", EVIL)
def test_neither_next_nor_relay_state_leads_off_this_host(idp, provider, cast, address):
    by_next = sign_in(Browser(), idp, provider, next=address)
    browser = Browser()
    unasked = answered(browser, idp.assertion(wrap=True), RelayState=address)
    by_relay_state = browser.get(unasked["Location"])
    for response in (by_next, by_relay_state):
        assert response.status_code == 302
        assert response["Location"] == "/admin/" or response["Location"].startswith("/%09")


def test_who_is_signed_in_signs_in_once_more(idp, provider, cast):
    browser = Browser()
    for index in ("one", "two"):
        response = answered(browser, idp.assertion(wrap=True, session_index=index))
        assert browser.get(response["Location"]).status_code == 302
    assert whoever(browser) == cast.eve.email
    Browser().get("/saml/logout", logout_request(idp, index="two"))
    assert whoever(browser) is None


def test_a_relay_state_of_an_asked_answer_is_not_looked_at(idp, provider, cast):
    browser = Browser()
    request = start(browser, provider, next="/account/apps/")
    response = answered(
        browser,
        idp.assertion(in_response_to=request.get("ID"), wrap=True),
        RelayState="/admin/integrations/oauth/",
    )
    assert browser.get(response["Location"])["Location"] == "/account/apps/"


# --- Started at the provider ---------------------------------------------------------------------


def test_the_provider_can_begin_and_say_where_to(idp, provider, cast):
    browser = Browser()
    response = answered(browser, idp.assertion(wrap=True), RelayState="/account/apps/")
    assert response.status_code == 303
    assert "latchkey_sso" in response.cookies
    assert Browser().get(response["Location"]).status_code == 400  # not in another browser
    assert browser.get(response["Location"])["Location"] == "/account/apps/"
    assert whoever(browser) == cast.eve.email


def test_it_takes_nobodys_place_without_being_told_to(idp, provider, cast, browser_of):
    browser = browser_of(cast.ben)
    response = answered(browser, idp.assertion(wrap=True))

    page = browser.get(response["Location"])

    assert page.status_code == 200
    assert "Continue as Eve" in page.content.decode()
    assert whoever(browser) == cast.ben.email
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    assert strict.post(response["Location"]).status_code == 403
    assert browser.post(response["Location"]).status_code == 302
    assert whoever(browser) == cast.eve.email


def test_who_takes_somebodys_place_is_signed_out_there_as_well(idp, provider, cast, browser_of):
    browser = browser_of(cast.ben)
    response = answered(browser, idp.assertion(wrap=True))
    browser.post(response["Location"])
    assert whoever(browser) == cast.eve.email
    assert Session.objects.filter(session_key=ProviderSession.objects.get().key).exists()
    Browser().get("/saml/logout", logout_request(idp))
    assert whoever(browser) is None


def test_of_two_organizations_with_one_provider_a_sign_out_ends_the_right_one(idp, provider, cast):
    theirs = IdP(org="globex", recipient=ACS, email=cast.cleo.email)
    theirs.provider(cast.globex, logout_url="https://globex.example/slo")
    cleo, eve = Browser(), Browser()
    cleo.get(answered(cleo, theirs.assertion(wrap=True, name_id="cleo"))["Location"])
    eve.get(answered(eve, idp.assertion(wrap=True, name_id="eve"))["Location"])

    response = Browser().get("/saml/logout", logout_request(idp, name_id="cleo"))

    assert response["Location"].startswith("https://globex.example/slo?")
    assert (whoever(cleo), whoever(eve)) == (None, cast.eve.email)
    nobodys = Browser().get("/saml/logout", logout_request(idp, name_id="x", id="_logout2"))
    assert nobodys["Location"] == "/sign-in/"
    assert whoever(eve) == cast.eve.email


def test_two_organizations_with_one_provider_are_told_apart_by_audience(idp, provider, cast):
    IdP(org="globex", recipient=ACS).provider(cast.globex)
    browser = Browser()
    theirs = IdP(org="globex", recipient=ACS, email=cast.cleo.email)
    response = answered(browser, theirs.assertion(wrap=True))
    browser.get(response["Location"])
    assert whoever(browser) == cast.cleo.email
    wrong = theirs.assertion(wrap=True, email=cast.eve.email)
    assert answered(Browser(), wrong).status_code == 400


def test_too_many_answers_from_one_address_are_told_to_wait(idp, provider, cast, settings):
    settings.RATE_SSO_PER_ADDRESS = 3
    answers = [answered(Browser(), b"nonsense").status_code for _ in range(4)]
    assert answers == [400, 400, 400, 429]


@pytest.mark.parametrize("text", ["", "%%%", "PHg+", "A" * 400_000, "\x00"])
def test_what_is_no_answer_is_refused_quietly(provider, text):
    response = Browser().post("/saml", {"SAMLResponse": text})
    assert response.status_code == 400
    assert "could not be accepted" in response.content.decode()


def test_only_post_is_answered_at_the_consumer_service(provider):
    assert Browser().get("/saml").status_code == 405


# --- The sign-in page ----------------------------------------------------------------------------


def test_the_page_shows_the_buttons_of_the_organization_that_is_named(idp, provider, cast):
    assert "Continue with" not in Browser().get("/sign-in/").content.decode()
    html = Browser().get("/sign-in/?org=ACME&next=/account/apps/").content.decode()
    assert "Continue with Acme IdP" in html
    assert f"/sign-in/with/{provider.id}/?next=%2Faccount%2Fapps%2F" in html
    assert "Continue with" not in Browser().get("/sign-in/?org=globex").content.decode()


def test_an_unknown_organization_reads_as_one_without_single_sign_on(provider, cast):
    pages = [
        re.sub(r'name="csrf\w+" value="\w+"', "", Browser().get(f"/sign-in/?org={name}").content.decode())
        for name in ("globex", "nowheresville")
    ]
    assert "No single sign-on is set up for ‘globex’." in pages[0]
    assert pages[0].replace("globex", "X") == pages[1].replace("nowheresville", "X")


def test_the_only_organization_of_an_installation_needs_no_name(idp, provider, cast):
    cast.globex.active = False
    cast.globex.save()
    html = Browser().get("/sign-in/").content.decode()
    assert "Continue with Acme IdP" in html
    assert "Another organization" not in html


def test_the_page_remembers_the_organization_of_the_last_time(idp, provider, cast):
    browser = Browser()
    sign_in(browser, idp, provider)
    browser.post("/sign-out/")
    assert "Continue with Acme IdP" in browser.get("/sign-in/").content.decode()


def test_a_provider_that_is_hidden_or_off_has_no_button(idp, provider, cast):
    for change in ({"show_on_sign_in": False}, {"show_on_sign_in": True, "enabled": False}):
        IdentityProvider.objects.update(**change)
        assert "Continue with" not in Browser().get("/sign-in/?org=acme").content.decode()
    assert Browser().get(f"/sign-in/with/{provider.id}/").status_code == 404


# --- Apps ----------------------------------------------------------------------------------------


def test_org_and_provider_lead_straight_there_and_then_to_consent_and_code(idp, provider, cast):
    app = cast.app(by=cast.ada)
    for name in ("acme idp", str(provider.id)):
        browser = Browser()
        response = app.ask(browser, org="acme", provider=name)
        assert response["Location"].startswith(f"/sign-in/with/{provider.id}/")
        request = etree.fromstring(
            zlib.decompress(
                base64.b64decode(
                    parse_qs(urlsplit(browser.get(response["Location"])["Location"]).query)["SAMLRequest"][
                        0
                    ]
                ),
                -15,
            )
        )
        back = come_back(browser, idp, request)
        assert back["Location"].startswith("/oauth/authorize?")
        code = app.allowed(browser, org="acme", provider=name)["code"]
        assert app.exchange(code).status_code == 200


def test_the_vendors_name_of_a_provider_is_understood(idp, cast):
    provider = idp.provider(cast.acme, slot="okta", name="Our Okta")
    response = cast.app().ask(Browser(), org="acme", provider="okta")
    assert response["Location"].startswith(f"/sign-in/with/{provider.id}/")


@pytest.mark.parametrize(
    "query",
    [
        {"org": "acme", "provider": "nothing"},
        {"org": "acme", "provider": "okta"},
        {"org": "globex", "provider": "acme idp"},
        {"provider": "acme idp"},
        {"org": "nowhere", "provider": "acme idp"},
        {"org": "acme", "provider": "\x00"},
    ],
)
def test_an_unknown_org_or_provider_is_an_invalid_request(provider, cast, browser_of, query):
    app = cast.app()
    said = browser_of(cast.eve).get(app.address(**query))
    assert "error=invalid_request" in said["Location"]


def test_prompt_login_has_the_person_prove_it_there_now(idp, provider, cast):
    app = cast.app(by=cast.ada)
    browser = Browser()
    asked = app.ask(browser, org="acme", provider="acme idp", prompt="login")
    to_provider = browser.get(asked["Location"])
    sent = parse_qs(urlsplit(to_provider["Location"]).query)["SAMLRequest"][0]
    request = etree.fromstring(zlib.decompress(base64.b64decode(sent), -15))
    assert request.get("ForceAuthn") == "true"

    back = come_back(browser, idp, request)
    assert back.status_code == 302
    code = app.allowed(browser, org="acme", provider="acme idp", prompt="login")["code"]
    assert app.exchange(code).status_code == 200


def test_a_remembered_sign_in_is_not_enough_where_a_fresh_one_is_asked_for(
    idp, provider, cast, time_machine
):
    identity_providers.change(
        actor=system(cast.acme),
        provider_id=provider.id,
        spec=lambda was: type(was)(**{**vars(was), "force_authn": True}),
    )
    browser = Browser()
    request = start(browser, provider)
    assert request.get("ForceAuthn") == "true"
    old = re.sub(
        rb'AuthnInstant="[^"]*"',
        f'AuthnInstant="{(timezone.now() - timedelta(minutes=5)):%Y-%m-%dT%H:%M:%SZ}"'.encode(),
        etree.tostring(idp.unsigned(in_response_to=request.get("ID"))),
    )

    response = answered(browser, etree.tostring(idp.wrapped(signed(etree.fromstring(old), key=idp.pair))))
    page = browser.get(response["Location"])
    assert page.status_code == 400
    assert "did not ask you to sign in again" in page.content.decode()
    assert whoever(browser) is None


def test_a_sign_in_from_before_the_demand_does_not_meet_it(idp, provider, cast):
    app = cast.app(by=cast.ada)
    browser = Browser()
    assert app.ask(browser, prompt="login").status_code == 302
    old = idp.unsigned()
    moment = timezone.now() - timedelta(minutes=10)
    old.find("{*}AuthnStatement").set("AuthnInstant", f"{moment:%Y-%m-%dT%H:%M:%SZ}")
    response = answered(browser, etree.tostring(idp.wrapped(signed(old, key=idp.pair))))
    browser.get(response["Location"])
    assert whoever(browser) == cast.eve.email
    assert "/sign-in/" in app.ask(browser, prompt="login")["Location"]


def test_somebody_of_another_organization_is_told_so(idp, provider, cast, browser_of):
    page = cast.app().ask(browser_of(cast.cleo), org="acme", provider="acme idp")
    assert "wants somebody of" in page.content.decode()


# --- Proving it once more ------------------------------------------------------------------------


def test_who_came_through_a_provider_proves_it_there_again(idp, provider, cast, time_machine):
    cast.give(cast.eve, ("Admin", None))
    User.objects.filter(id=cast.eve.id).update(password="!")
    time_machine.move_to(timezone.now())
    browser = Browser()
    sign_in(browser, idp, provider)
    time_machine.shift(timedelta(minutes=20))
    client, _secret = cast.client(("Employee", cast.home), name="Old")
    page = f"/admin/integrations/oauth/{client.id}/delete/"
    asked = browser.get(page)
    assert asked["Location"].startswith("/confirm-password/")

    html = browser.get(asked["Location"]).content.decode()
    assert "id_password" not in html
    there = re.search(r'href="(/sign-in/with/[^"]*)"', html)[1].replace("&amp;", "&")
    sent = parse_qs(urlsplit(browser.get(there)["Location"]).query)["SAMLRequest"][0]
    request = etree.fromstring(zlib.decompress(base64.b64decode(sent), -15))
    assert request.get("ForceAuthn") == "true"

    key = browser.session.session_key
    somebody_else = come_back(browser, idp, request, email=cast.ben.email)
    assert somebody_else.status_code == 400
    sent = parse_qs(urlsplit(browser.get(there)["Location"]).query)["SAMLRequest"][0]
    request = etree.fromstring(zlib.decompress(base64.b64decode(sent), -15))
    assert come_back(browser, idp, request)["Location"] == page
    assert browser.session.session_key == key
    assert browser.get(page).status_code == 200


def test_how_long_ago_the_password_was_typed_is_what_the_provider_says(idp, provider, cast):
    cast.give(cast.eve, ("Admin", None))
    browser = Browser()
    request = start(browser, provider)
    node = idp.unsigned(in_response_to=request.get("ID"))
    statement = node.find("{*}AuthnStatement")
    statement.set("AuthnInstant", f"{(timezone.now() - timedelta(hours=2)):%Y-%m-%dT%H:%M:%SZ}")

    response = answered(browser, etree.tostring(idp.wrapped(signed(node, key=idp.pair))))
    assert browser.get(response["Location"]).status_code == 302
    assert browser.session[USED_AT] > timezone.now().timestamp() - 60  # the session itself is new
    client, _secret = cast.client(("Employee", cast.home), name="Old")
    asked = browser.get(f"/admin/integrations/oauth/{client.id}/delete/")
    assert asked["Location"].startswith("/confirm-password/")


# --- Only SSO ------------------------------------------------------------------------------------


def test_with_only_sso_a_right_password_is_refused_but_for_the_keeper(idp, provider, cast):
    identity_providers.set_only_sso(actor=cast.actor(cast.ada), enabled=True)

    html = Browser().get("/sign-in/?org=acme").content.decode()
    assert "id_password" not in html
    assert "Continue with Acme IdP" in html
    assert "id_password" in Browser().get("/sign-in/?org=acme&password=1").content.decode()

    ben = Browser().post("/sign-in/", {"email": cast.ben.email, "password": PASSWORD})
    assert "through single sign-on only" in ben.content.decode()
    wrong = Browser().post("/sign-in/", {"email": cast.ben.email, "password": "wrong"})
    assert "single sign-on only" not in wrong.content.decode()
    assert Browser().post("/sign-in/", {"email": cast.ada.email, "password": PASSWORD}).status_code == 302
    assert Browser().post("/sign-in/", {"email": cast.cleo.email, "password": PASSWORD}).status_code == 302
    browser = Browser()
    sign_in(browser, idp, provider, email=cast.ben.email)
    assert whoever(browser) == cast.ben.email


# --- Bindings, signatures, metadata --------------------------------------------------------------


def test_the_post_binding_is_a_form_that_may_go_to_the_provider_alone(idp, cast):
    provider = idp.provider(
        cast.acme, target_binding=Binding.POST, sign_requests=True, target_url=f"{IDP}/sso?a=1&b=2"
    )
    response = Browser().get(f"/sign-in/with/{provider.id}/")
    html = response.content.decode()
    assert f"form-action 'self' {IDP}" in response["Content-Security-Policy"]
    assert f'action="{IDP}/sso?a=1&amp;b=2"' in html
    sent = base64.b64decode(re.search(r'name="SAMLRequest" value="([^"]*)"', html)[1])
    verified = XMLVerifier().verify(sent, x509_cert=keys.own().certificate, id_attribute="ID")
    assert verified.signed_xml.get("Destination") == f"{IDP}/sso?a=1&b=2"


def test_a_signed_request_is_verified_by_the_certificate_in_our_metadata(idp, cast):
    provider = idp.provider(cast.acme, sign_requests=True)
    response = Browser().get(f"/sign-in/with/{provider.id}/")
    query = urlsplit(response["Location"]).query
    assert list(parse_qs(query)) == ["SAMLRequest", "SigAlg", "Signature"]

    metadata = etree.fromstring(Browser().get(f"/saml/metadata/{provider.id}").content)
    assert metadata.get("entityID") == f"{settings.BASE_URL}/saml/acme"
    assert metadata.find(".//{*}AssertionConsumerService").get("Location") == ACS
    assert metadata.find("{*}SPSSODescriptor").get("AuthnRequestsSigned") == "true"
    held = metadata.findtext(".//{*}X509Certificate")

    certificate = x509.load_der_x509_certificate(base64.b64decode(held))
    signed, _sep, _rest = query.partition("&Signature=")
    certificate.public_key().verify(
        base64.b64decode(parse_qs(query)["Signature"][0]),
        signed.encode(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )


def test_metadata_is_there_for_whoever_knows_its_address(provider):
    assert Browser().get(f"/saml/metadata/{provider.organization_id}").status_code == 404
    assert Browser().get(f"/saml/metadata/{provider.id}").status_code == 200


# --- Leaving -------------------------------------------------------------------------------------


def test_signing_out_here_ends_it_there(idp, provider, cast):
    browser = Browser()
    sign_in(browser, idp, provider, session_index="index-1")
    assert ProviderSession.objects.count() == 1

    page = browser.post("/sign-out/")

    assert page.status_code == 200
    address = re.search(r'url=([^"]*)"', page.content.decode())[1].replace("&amp;", "&")
    assert address.startswith(f"{IDP}/slo?")
    sent = parse_qs(urlsplit(address).query)
    request = etree.fromstring(zlib.decompress(base64.b64decode(sent["SAMLRequest"][0]), -15))
    assert request.findtext("{*}NameID") == "opaque-name-id-4711"
    assert request.findtext("{*}SessionIndex") == "index-1"
    assert "Signature" in sent
    assert whoever(browser) is None
    assert not ProviderSession.objects.exists()
    back = browser.get("/saml/logout?" + urlencode({"SAMLResponse": deflated(LOGOUT_RESPONSE)}))
    assert back["Location"] == "/sign-in/"


def test_leaving_through_an_app_goes_by_the_provider_and_back_to_the_app(idp, provider, cast):
    app = cast.app()
    browser = Browser()
    sign_in(browser, idp, provider)
    page = browser.get(f"/logout?{urlencode({'client_id': app.id, 'redirect_uri': app.redirect_uri})}")
    assert f"{IDP}/slo?" in page.content.decode()
    back = browser.get("/saml/logout?" + urlencode({"SAMLResponse": deflated(LOGOUT_RESPONSE)}))
    assert back["Location"] == app.redirect_uri
    assert (
        browser.get("/saml/logout?" + urlencode({"SAMLResponse": deflated(LOGOUT_RESPONSE)}))["Location"]
        == "/sign-in/"
    )


def test_who_typed_a_password_is_signed_out_here_alone(provider, cast, browser_of):
    assert browser_of(cast.eve).post("/sign-out/")["Location"] == "/sign-in/"


LOGOUT_RESPONSE = """<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r"
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" IssueInstant="2026-01-01T00:00:00Z">
<saml:Issuer>https://idp.acme.example/metadata</saml:Issuer></samlp:LogoutResponse>"""


def deflated(text: str) -> str:
    compressor = zlib.compressobj(wbits=-15)
    return base64.b64encode(compressor.compress(text.encode()) + compressor.flush()).decode()


def logout_request(idp: IdP, *, key=None, sign: bool = True, at=None, **changes: str) -> dict[str, str]:
    """What a provider sends by the Redirect binding."""
    values = {
        "id": "_logout1",
        "issuer": idp.issuer,
        "name_id": "opaque-name-id-4711",
        "destination": f"{settings.BASE_URL}/saml/logout",
        "index": "",
        **changes,
    }
    index = f"<samlp:SessionIndex>{values['index']}</samlp:SessionIndex>" if values["index"] else ""
    text = f"""<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{values["id"]}" Version="2.0"
 IssueInstant="{(at or timezone.now()):%Y-%m-%dT%H:%M:%SZ}" Destination="{values["destination"]}">
<saml:Issuer>{values["issuer"]}</saml:Issuer><saml:NameID>{values["name_id"]}</saml:NameID>{index}
</samlp:LogoutRequest>"""
    query = {"SAMLRequest": deflated(text), "RelayState": "state of theirs"}
    if sign:
        query["SigAlg"] = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
        made = (key or idp.pair).key.sign(urlencode(query).encode(), padding.PKCS1v15(), hashes.SHA256())
        query["Signature"] = base64.b64encode(made).decode()
    return query


def test_signing_out_there_ends_every_session_that_began_there(idp, provider, cast, browser_of):
    one, two, by_password = Browser(), Browser(), browser_of(cast.eve)
    sign_in(one, idp, provider)
    sign_in(two, idp, provider)
    somebody_else = Browser()
    sign_in(somebody_else, idp, provider, email=cast.ben.email, name_id="another")

    response = Browser().get("/saml/logout", logout_request(idp))

    assert response["Location"].startswith(f"{IDP}/slo?SAMLResponse=")
    said = parse_qs(urlsplit(response["Location"]).query)
    assert said["RelayState"] == ["state of theirs"]
    answer = etree.fromstring(zlib.decompress(base64.b64decode(said["SAMLResponse"][0]), -15))
    assert answer.get("InResponseTo") == "_logout1"
    assert (whoever(one), whoever(two)) == (None, None)
    assert whoever(by_password) == cast.eve.email
    assert whoever(somebody_else) == cast.ben.email
    assert AuditEvent.objects.filter(action="user.signedOut", actor_name="Eve").count() == 1


def test_who_leaves_leaves_though_the_provider_cannot_be_told(idp, provider, cast, settings, tmp_path):
    browser = Browser()
    sign_in(browser, idp, provider)
    (tmp_path / "key.pem").write_text("no key")
    settings.SAML_KEY_FILE = str(tmp_path / "key.pem")
    keys._read.cache_clear()
    assert browser.post("/sign-out/")["Location"] == "/sign-in/"
    keys._read.cache_clear()
    assert whoever(browser) is None


def test_however_long_its_index_a_session_is_found_again(idp, provider, cast):
    browser = Browser()
    sign_in(browser, idp, provider, session_index="i" * 400)
    Browser().get("/saml/logout", logout_request(idp, index="i" * 400))
    assert whoever(browser) is None


def test_a_session_index_ends_that_session_alone(idp, provider, cast):
    one, two = Browser(), Browser()
    sign_in(one, idp, provider, session_index="i1")
    sign_in(two, idp, provider, session_index="i2")
    Browser().get("/saml/logout", logout_request(idp, index="i1"))
    assert (whoever(one), whoever(two)) == (None, cast.eve.email)


@pytest.mark.parametrize(
    "how",
    [
        {"sign": False},
        {"key": pair("rsa", "somebody")},
        {"destination": "https://elsewhere.example/saml/logout"},
        {"at": timezone.now() - timedelta(minutes=20)},
        {"issuer": "https://unknown.example"},
    ],
    ids=lambda how: next(iter(how)),
)
def test_a_sign_out_that_is_not_proved_ends_nothing(idp, provider, cast, how):
    browser = Browser()
    sign_in(browser, idp, provider)
    assert Browser().get("/saml/logout", logout_request(idp, **how)).status_code == 400
    assert whoever(browser) == cast.eve.email


def test_a_sign_out_changed_after_it_was_signed_or_sent_twice_ends_nothing(idp, provider, cast):
    asked = logout_request(idp)
    browser = Browser()
    sign_in(browser, idp, provider)
    assert Browser().get("/saml/logout", {**asked, "RelayState": "changed"}).status_code == 400
    assert whoever(browser) == cast.eve.email
    assert Browser().get("/saml/logout", asked).status_code == 302
    again = Browser()
    sign_in(again, idp, provider)
    assert Browser().get("/saml/logout", asked).status_code == 400
    assert whoever(again) == cast.eve.email


@pytest.mark.parametrize(
    "query", ["", "SAMLRequest=x", "SAMLRequest=x&SAMLRequest=y", "a=b", "SAMLResponse=%00"]
)
def test_nonsense_at_the_logout_service_is_refused_quietly(provider, query):
    assert Browser().get(f"/saml/logout?{query}").status_code == 400


def test_a_message_that_inflates_without_end_is_refused(provider):
    bomb = deflated("<a>" + " " * 50_000_000)
    assert len(bomb) < 100_000
    assert Browser().get("/saml/logout?" + urlencode({"SAMLRequest": bomb})).status_code == 400


def test_a_sign_out_by_post_is_proved_by_the_signature_in_it(idp, provider, cast):

    browser = Browser()
    sign_in(browser, idp, provider)
    text = zlib.decompress(base64.b64decode(logout_request(idp)["SAMLRequest"]), -15)
    unsigned = base64.b64encode(text).decode()
    assert Browser().post("/saml/logout", {"SAMLRequest": unsigned}).status_code == 400
    assert whoever(browser) == cast.eve.email
    node = etree.tostring(signed(etree.fromstring(text), key=idp.pair))
    response = Browser().post("/saml/logout", {"SAMLRequest": base64.b64encode(node).decode()})
    assert response.status_code == 302
    assert whoever(browser) is None
    assert not Session.objects.filter(session_key__in=ProviderSession.objects.values("key")).exists()


# --- Test sign-in --------------------------------------------------------------------------------


def test_a_test_reports_every_line_and_signs_nobody_in(idp, provider, cast, browser_of):
    ada = browser_of(cast.ada)
    to_provider = ada.get(f"/admin/single-sign-on/{provider.id}/test/")
    sent = parse_qs(urlsplit(to_provider["Location"]).query)["SAMLRequest"][0]
    request = etree.fromstring(zlib.decompress(base64.b64decode(sent), -15))

    page = come_back(ada, idp, request)

    assert page.status_code == 200
    assert [line.met for line in page.context["lines"]] == [True] * 13
    assert "Eve" in page.content.decode()
    assert whoever(ada) == cast.ada.email


def test_a_test_that_fails_says_which_line_and_leaves_no_refusal_in_the_trail(
    idp, provider, cast, browser_of
):
    ada = browser_of(cast.ada)
    to_provider = ada.get(f"/admin/single-sign-on/{provider.id}/test/")
    sent = parse_qs(urlsplit(to_provider["Location"]).query)["SAMLRequest"][0]
    request = etree.fromstring(zlib.decompress(base64.b64decode(sent), -15))
    page = come_back(ada, idp, request, audience="https://other.example")
    assert page.status_code == 200
    assert {line.label for line in page.context["lines"] if line.met is False} == {"Audience"}
    assert not AuditEvent.objects.filter(action="identityProvider.assertionRefused").exists()


def test_only_who_may_see_providers_can_try_one_and_only_their_own(provider, cast, browser_of):
    assert browser_of(cast.eve).get(f"/admin/single-sign-on/{provider.id}/test/").status_code == 403
    assert browser_of(cast.cleo).get(f"/admin/single-sign-on/{provider.id}/test/").status_code == 404


def test_a_code_that_came_of_a_provider_sign_in_ends_with_the_person(idp, provider, cast):
    app = cast.app(by=cast.ada)
    browser = Browser()
    sign_in(browser, idp, provider, next=app.address(**pkce()))
    code = app.allowed(browser, **pkce())["code"]
    people.change(
        actor=system(cast.acme),
        user_id=cast.eve.id,
        version=User.objects.get(id=cast.eve.id).version,
        values={"state": "inactive"},
    )
    assert app.exchange(code, code_verifier="v" * 43).json()["error"] == "invalid_grant"
    assert whoever(browser) is None
