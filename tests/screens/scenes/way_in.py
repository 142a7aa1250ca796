"""Signing in and out, invitations, consent: what people see outside the console."""

from __future__ import annotations

import re
from base64 import b64decode
from urllib.parse import parse_qs, urlsplit
from zlib import decompress

from django.conf import settings
from django.core import mail
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import reverse
from lxml import etree

from accounts.models import IdentityProvider, Organization
from accounts.services import invitations
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import authorizations, clients, consents
from tests.cast import App, pkce
from tests.saml import IdP, encode
from tests.screens.catalogue import screen
from tests.screens.stage import Stage

SCOPES = ("users", "user-basic-info", "oauth:readonly")
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


# --- Sign-in -------------------------------------------------------------------------------------


@screen("sign-in")
def sign_in(stage: Stage) -> HttpResponse:
    return stage.browser().get("/sign-in/")


@screen("sign-in")
def sign_in_refused(stage: Stage) -> HttpResponse:
    return stage.browser().post("/sign-in/", {"email": "ada@acme.example", "password": "wrong"})


@screen("sign-in")
def sign_in_with_nothing_typed(stage: Stage) -> HttpResponse:
    return stage.browser().post("/sign-in/", {})


@screen("sign-in", status=429)
def sign_in_after_too_many_tries(stage: Stage) -> HttpResponse:
    browser = stage.browser()
    for _ in range(6):
        answer = browser.post("/sign-in/", {"email": "ada@acme.example", "password": "wrong"})
    return answer


@screen("sign-in")
def sign_in_for_an_app_after_the_session_ended(stage: Stage) -> HttpResponse:
    app = stage.cast.app(*SCOPES)
    return stage.browser().get(app.address(), follow=True)


@screen("sign-in")
def sign_in_with_providers(stage: Stage) -> HttpResponse:
    for number in range(3):
        IdP(name=f"Acme, office {number}", issuer=f"https://idp{number}.example").provider(stage.cast.acme)
    return stage.browser().get("/sign-in/?org=acme")


@screen("sign-in")
def sign_in_with_many_providers_only(stage: Stage) -> HttpResponse:
    for number in range(8):
        IdP(
            name=f"Acme, office {number} of the Southern hemisphere", issuer=f"https://idp{number}.example"
        ).provider(stage.cast.acme)
    Organization.objects.filter(id=stage.cast.acme.id).update(only_sso=True)
    return stage.browser().get("/sign-in/?org=acme")


@screen("sign-in")
def sign_in_at_an_organization_that_is_not_there(stage: Stage) -> HttpResponse:
    return stage.browser().get("/sign-in/?org=nowhere")


# --- Through an identity provider ----------------------------------------------------------------


def provided(stage: Stage, **spec: object) -> tuple[IdP, IdentityProvider]:
    idp = IdP(recipient=f"{settings.BASE_URL}/saml")
    return idp, idp.provider(stage.cast.acme, logout_url="https://idp.acme.example/slo", **spec)


def asked(browser: Browser, address: str) -> str:
    """The id of the question that the browser takes to the provider."""
    location = browser.get(address)["Location"]
    sent = parse_qs(urlsplit(location).query)["SAMLRequest"][0]
    return etree.fromstring(decompress(b64decode(sent), -15)).get("ID")


def answered(browser: Browser, idp: IdP, question: str | None, **claims: object) -> HttpResponse:
    cookies = dict(browser.cookies)
    browser.cookies.clear()
    assertion = idp.assertion(in_response_to=question, wrap=True, **claims)
    response = browser.post("/saml", {"SAMLResponse": encode(assertion)})
    browser.cookies.update({**cookies, **browser.cookies})
    return browser.get(response["Location"]) if response.status_code == 303 else response


@screen("saml-acs", status=400)
def sso_refused(stage: Stage) -> HttpResponse:
    idp, provider = provided(stage)
    browser = stage.browser()
    question = asked(browser, f"/sign-in/with/{provider.id}/")
    return answered(browser, idp, question, email="nobody@acme.example")


@screen("sso-finish")
def sso_of_another_person(stage: Stage) -> HttpResponse:
    idp, _provider = provided(stage)
    # Whoever is signed in need not ask: the provider may send them here by itself.
    return answered(stage.ada, idp, None)


@screen("sso-finish")
def sso_tested(stage: Stage) -> HttpResponse:
    idp, provider = provided(stage)
    question = asked(stage.ada, reverse("test-sign-in", args=[provider.id]))
    return answered(stage.ada, idp, question)


@screen("sso-finish")
def sso_tested_and_failed(stage: Stage) -> HttpResponse:
    idp, provider = provided(stage)
    question = asked(stage.ada, reverse("test-sign-in", args=[provider.id]))
    return answered(stage.ada, idp, question, audience="https://somebody.example")


@screen("test-sign-in")
def sso_sent_by_a_form(stage: Stage) -> HttpResponse:
    _idp, provider = provided(stage)
    IdentityProvider.objects.update(
        **{field.name: POST for field in IdentityProvider._meta.fields if field.name == "target_binding"}
    )
    return stage.ada.get(reverse("test-sign-in", args=[provider.id]))


@screen("saml-logout", status=400)
def single_logout_not_accepted(stage: Stage) -> HttpResponse:
    return stage.browser().get("/saml/logout?SAMLRequest=x")


# --- Invitations ---------------------------------------------------------------------------------


def invited(stage: Stage) -> Browser:
    cast = stage.cast
    nora = cast.person("Nora", cast.east)
    nora.set_unusable_password()
    nora.save()
    invitations.send(actor=cast.actor(cast.ada), user_id=nora.id)
    found = re.search(r"http://localhost:8000(/invitation/\S+/)", mail.outbox[-1].body)
    browser = stage.browser()
    assert found
    browser.get(found[1])
    return browser


@screen("invitation-choose")
def invitation(stage: Stage) -> HttpResponse:
    return invited(stage).get("/invitation/")


@screen("invitation-choose")
def invitation_with_errors(stage: Stage) -> HttpResponse:
    return invited(stage).post("/invitation/", {"password": "short", "password_again": "longer"})


@screen("invitation-choose", status=410)
def invitation_over(stage: Stage) -> HttpResponse:
    return stage.browser().get("/invitation/")


# --- Consent -------------------------------------------------------------------------------------


def foreign(stage: Stage) -> App:
    """An app of Globex, of which Acme knows nothing yet."""
    client, secret = clients.create(
        actor=stage.cast.actor(stage.cast.cleo),
        spec=ClientSpec(
            name="Shift planner for restaurants, hotels and hospitals",
            grant_type="authorization-code",
            description="Plans shifts",
            redirect_uris=("https://plan.example/back",),
            scope=SCOPES,
        ),
    )
    return App(client, secret.reveal(), "https://plan.example/back")


@screen("authorize")
def consent(stage: Stage) -> HttpResponse:
    return stage.cast.app(*SCOPES, description="Plans shifts").ask(stage.ben)


@screen("authorize")
def consent_to_what_is_new(stage: Stage) -> HttpResponse:
    cast = stage.cast
    app = cast.app(*SCOPES)
    consents.agree(
        actor=cast.actor(cast.ben),
        user=cast.ben,
        client=app.client,
        scope=["users"],
        place="https://app.example",
    )
    return app.ask(stage.ben)


@screen("authorize")
def consent_without_limits(stage: Stage) -> HttpResponse:
    Organization.objects.update(enforce_scopes=False)
    return stage.cast.app(*SCOPES, name="W" * 60).ask(stage.ben)


@screen("authorize")
def consent_to_part_of_it_on_this_device(stage: Stage) -> HttpResponse:
    cast = stage.cast
    app = cast.app(*SCOPES, redirect_uri="com.example.app:/back")
    authorizations.approve(actor=cast.actor(cast.ada), client_id=app.id, scope=["users:readonly"])
    return app.ask(stage.ben, **pkce())


@screen("authorize")
def consent_approved_first(stage: Stage) -> HttpResponse:
    return foreign(stage).ask(stage.ada)


@screen("authorize")
def consent_approved_first_with_errors(stage: Stage) -> HttpResponse:
    app = foreign(stage)
    return stage.ada.post(app.address(), {"decision": "approve", "version": "0"})


@screen("authorize")
def consent_needs_approval(stage: Stage) -> HttpResponse:
    return foreign(stage).ask(stage.ben)


@screen("authorize")
def consent_asked_for(stage: Stage) -> HttpResponse:
    app = foreign(stage)
    app.say(stage.ben, app.ask(stage.ben), "ask")
    return app.ask(stage.ben)


@screen("authorize", status=403)
def consent_not_for_this_role(stage: Stage) -> HttpResponse:
    cast = stage.cast
    app = cast.app(*SCOPES)
    authorizations.approve(
        actor=cast.actor(cast.ada), client_id=app.id, scope=SCOPES, roles=[str(cast.role("Admin").id)]
    )
    return app.ask(stage.ben)


@screen("authorize")
def consent_of_the_wrong_organization(stage: Stage) -> HttpResponse:
    return stage.cast.app(*SCOPES).ask(stage.ben, org="globex")


@screen("authorize", status=400)
def consent_that_nothing_can_be_answered_to(stage: Stage) -> HttpResponse:
    return stage.cast.app(*SCOPES).ask(stage.ben, redirect_uri="https://evil.example/")


@screen("authorize", status=403)
def consent_left_open_too_long(stage: Stage) -> HttpResponse:
    app = stage.cast.app(*SCOPES)
    browser = Browser(enforce_csrf_checks=True, headers={"accept-language": stage.language})
    browser.force_login(stage.cast.ben)
    return browser.post(app.address(), {"decision": "allow"})
