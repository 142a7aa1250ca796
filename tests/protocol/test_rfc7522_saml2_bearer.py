"""RFC 7522 2.1 and 3, and wire contract B3 and I: an assertion of the organization's identity provider is
exchanged for a token of the person whom it names. What is refused is mostly in test_saml_attacks.py."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client as Browser
from lxml import etree
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from accounts.actor import system
from accounts.models import AuditEvent, IdentityProvider, Organization, UsedAssertion
from accounts.services import identity_providers, people
from oauthclients.models import Client, Consent
from oauthclients.services import authorizations, clients
from tests.cast import Cast
from tests.saml import (
    DS,
    EMAIL,
    ENVELOPED,
    EXCLUSIVE,
    PERSISTENT,
    IdP,
    Reference,
    SamlApp,
    all_that_is_stored,
    canonical,
    encode,
    pair,
    signed_by_hand,
)
from tests.standing import standing

START = datetime(2026, 5, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ME = "/api/v2/users/me"


@standing
def app(cast: Cast) -> SamlApp:
    return SamlApp.at_acme(cast)


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(START, tick=False)
    return time_machine


def get(path: str, headers: dict[str, str]):
    return Browser().get(path, headers=headers)


def whose(response) -> str:
    """The name of the person whose token this is."""
    assert response.status_code == 200, response.content
    headers = {"Authorization": f"Bearer {response.json()['access_token']}"}
    return get(ME, headers).json()["name"]


def refused(response, reason: str) -> None:
    """It is `invalid_grant`, for this reason, and nothing was given."""
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant"), response.content
    lines = AuditEvent.objects.filter(action="app.assertionRefused").order_by("-at")
    # Where the clock stands still, they have no order.
    newest = [line.after["reason"] for line in lines if line.at == lines[0].at]
    assert reason in newest, newest


# --- 2.1: how an assertion may be sent ------------------------------------------------------------


@pytest.mark.parametrize("urlsafe", [False, True], ids=["base64", "base64url"])
@pytest.mark.parametrize("padded", [True, False], ids=["padded", "unpadded"])
@pytest.mark.parametrize("length", range(3))
def test_base64_and_base64url_with_and_without_padding(app, urlsafe, padded, length):
    """Of each length modulo three, and with characters in which the two alphabets differ."""
    app.idp.email = "eve@acme.example"
    xml = app.idp.assertion(attributes=[("motto", "???>>>ÿÿÿ~~~")])
    xml += b"\n" * ((length - len(xml)) % 3)
    sent = encode(xml, urlsafe=urlsafe, padded=padded)
    assert whose(app.sends(sent)) == "Eve"


def test_base64_in_lines(app):
    sent = encode(app.idp.assertion())
    lines = "\r\n".join(sent[at : at + 76] for at in range(0, len(sent), 76))
    assert whose(app.sends(lines)) == "Eve"


@pytest.mark.parametrize(
    "shape",
    [
        {"sign": "assertion"},
        {"sign": "assertion", "wrap": True},
        {"sign": "response"},
        {"sign": "both"},
    ],
    ids=["bare", "response, assertion signed", "response signed", "both signed"],
)
def test_a_bare_assertion_or_a_response_signed_in_any_of_the_usual_places(app, shape):
    assert whose(app.asks(**shape)) == "Eve"


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_rsa_and_elliptic_curves_with_sha_256_and_stronger(cast, app, kind, algorithm):
    other = IdP("Other", "https://other.example", pair(kind))
    other.provider(cast.acme)
    signature = {"algorithm": f"{other.pair.algorithm}-{algorithm}", "digest": algorithm}
    assert whose(app.sends(other.assertion(signature=signature))) == "Eve"


def test_the_certificate_need_not_stand_in_the_signature(app):
    assert whose(app.asks(signature={"embed": None})) == "Eve"


def test_any_of_the_providers_certificates_will_do(cast, app):
    second = IdP("Second", "https://second.example", pair(which="second"))
    certificates = (pair(which="first").certificate, second.pair.certificate, app.idp.pair.certificate)
    second.provider(cast.acme, certificates=certificates)
    assert whose(app.sends(second.assertion())) == "Eve"
    assert whose(app.sends(second.assertion(key=app.idp.pair))) == "Eve"
    assert whose(app.sends(second.assertion(key=pair(which="first")))) == "Eve"
    refused(app.sends(second.assertion(key=pair(which="third"))), "signature")


@pytest.mark.parametrize("prefixes", ["xs", "#default saml samlp ds xs xsi"])
def test_values_with_types_and_prefixes_that_are_declared_inclusive(app, prefixes):
    """Okta and others sign so."""
    node = app.idp.unsigned(typed=True)
    transform = etree.Element(f"{{{DS}}}Transform", Algorithm=EXCLUSIVE)
    etree.SubElement(
        transform, f"{{{EXCLUSIVE}}}InclusiveNamespaces", nsmap={"ec": EXCLUSIVE}, PrefixList=prefixes
    )
    about = Reference(transforms=(ENVELOPED, transform), content=canonical(node, prefixes.split()))
    assert whose(app.sends(etree.tostring(signed_by_hand(node, about)))) == "Eve"


@pytest.mark.parametrize(
    "declaration",
    [
        '<?xml version="1.0"?>',
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?>",
        "\ufeff",
        '\ufeff<?xml version="1.0" encoding="UTF-8"?>',
        "\n  ",
    ],
)
@pytest.mark.parametrize("wrap", [False, True], ids=["bare", "response"])
def test_utf_8_in_its_usual_dresses(app, declaration, wrap):
    assert whose(app.asks(declaration=declaration, wrap=wrap)) == "Eve"


def test_other_providers_of_the_organization_are_found_by_their_issuer(cast, app):
    off = IdP("Off", "https://off.example", pair(which="off"))
    off.provider(cast.acme, enabled=False)
    on = IdP("On", "https://on.example", pair(which="on"))
    on.provider(cast.acme)
    assert whose(app.sends(on.assertion())) == "Eve"
    refused(app.sends(off.assertion()), "provider-off")


# --- 3: whom it names ----------------------------------------------------------------------------


@pytest.mark.parametrize("format", [EMAIL, "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"])
def test_without_the_attribute_the_name_id_is_the_email(app, format):
    assert whose(app.asks(email=None, name_id="eve@acme.example", name_id_format=format)) == "Eve"


def test_the_attribute_counts_and_not_the_name_id(app):
    assert whose(app.asks(email="eve@acme.example", name_id="ada@acme.example", name_id_format=EMAIL)) == (
        "Eve"
    )


@pytest.mark.parametrize("email", ["EVE@ACME.EXAMPLE", "Eve@Acme.Example", "  eve@acme.example\n"])
def test_an_email_is_the_same_in_any_case(app, email):
    assert whose(app.asks(email=email)) == "Eve"


def test_the_name_of_the_attribute_is_the_providers_and_its_case_counts(cast, app):
    identity_providers.change(
        actor=system(cast.acme),
        provider_id=app.provider.id,
        spec=lambda was: replace(was, email_attribute="urn:mail"),
    )
    assert whose(app.asks(email_attribute="urn:mail")) == "Eve"
    for other in ("email", "urn:Mail", "urn:mail "):
        refused(app.asks(email_attribute=other), "no-email")


def test_a_provider_without_an_attribute_is_believed_by_its_name_id(cast, app):
    identity_providers.change(
        actor=system(cast.acme),
        provider_id=app.provider.id,
        spec=lambda was: replace(was, email_attribute=""),
    )
    response = app.asks(email="ada@acme.example", name_id="eve@acme.example", name_id_format=EMAIL)
    assert whose(response) == "Eve"


def test_an_assertion_for_an_app_needs_no_authentication_statement(app):
    """RFC 7522 3, 7."""
    assert whose(app.asks(authn_statement=False)) == "Eve"
    assert whose(app.asks(authn_statement=False, sign="response")) == "Eve"


def test_the_end_may_stand_in_either_place(app):
    """RFC 7522 3, 4: in the Conditions or in the confirmation; the confirmation's is needed by SAML."""
    assert whose(app.asks(not_on_or_after=None, not_before=None)) == "Eve"


def test_among_several_audiences_is_ours(app):
    own = "http://localhost:8000/saml/acme"
    assert whose(app.asks(audience=["https://other.example", own])) == "Eve"


def test_the_audience_is_the_providers_own_where_it_has_one(cast, app):
    other = IdP("Other", "https://other.example", pair(which="other"), audience="urn:us")
    other.provider(cast.acme, audience="urn:us", relying_party_identifier="urn:sp")
    assert whose(app.sends(other.assertion())) == "Eve"
    refused(app.sends(other.assertion(audience="urn:sp")), "other-audience")
    refused(app.sends(other.assertion(audience="http://localhost:8000/saml/acme")), "other-audience")


# --- The organization ----------------------------------------------------------------------------


@pytest.mark.parametrize("org", ["acme", "Acme", "ACME"])
def test_the_organizations_name_in_any_case(app, org):
    assert whose(app.sends(app.idp.assertion(), org=org)) == "Eve"


@pytest.mark.parametrize("org", ["unknown", "globex", "acme ", "a\x00cme", "ACME\u0130", "x" * 10_000])
def test_another_or_an_unknown_organization_is_refused(app, org):
    response = app.sends(app.idp.assertion(), org=org)
    refused(response, "unknown-organization")
    assert response.json()["error_description"] == "Unknown orgName."


@pytest.mark.parametrize("missing", ["orgName", "assertion"])
@pytest.mark.parametrize("value", [None, ""])
def test_what_is_missing_is_an_invalid_request(app, missing, value):
    response = app.sends(app.idp.assertion(), org=value) if missing == "orgName" else app.sends(value)
    body = response.json()
    assert (response.status_code, body["error"]) == (400, "invalid_request")
    assert missing in body["error_description"]
    assert not AuditEvent.objects.filter(action="app.assertionRefused").exists()


@pytest.mark.parametrize("named", ["acme", "ACME"])
def test_the_assertion_may_name_the_organization(app, named):
    assert whose(app.asks(attributes=[("OrganizationName", named)])) == "Eve"


@pytest.mark.parametrize("named", ["globex", "", ["acme", "globex"]])
def test_but_then_it_must_be_this_one(app, named):
    refused(app.asks(attributes=[("OrganizationName", named)]), "other-organization")


# --- What is answered, and what the token can do --------------------------------------------------


def test_the_answer(cast):
    app = SamlApp.at_acme(cast, token_seconds=1234)
    response = app.asks()
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 1234
    assert set(body["scope"].split()) == {"users", "user-basic-info"}
    assert not get_refresh_token_model().objects.exists()


def test_the_token_is_the_persons_and_says_by_which_app(cast, app):
    headers = app.bearer()
    me = get(ME, headers).json()
    assert (me["id"], me["name"]) == (str(cast.eve.id), "Eve")
    token = get("/api/v2/tokens/me", headers).json()
    assert token["organization"]["name"] == "Acme"
    assert token["OAuthClient"]["id"] == str(app.client.id)
    assert token["authorizedScope"] == ["user-basic-info", "users"]


def test_the_token_can_do_what_all_three_allow(cast):
    """The person, the organization, and the client's scopes."""
    app = SamlApp.at_acme(cast, "users", "oauth", "user-basic-info")
    # Ben manages clients and sees people; Eve does neither, whatever the app may.
    ben, eve = app.bearer(email=cast.ben.email), app.bearer()
    assert get("/api/v2/users", ben).status_code == 200
    assert get("/api/v2/oauth/clients", ben).status_code == 200
    assert get("/api/v2/users", eve).status_code == 403
    # No scope of the app's, although he may.
    response = get("/api/v2/authorization/roles", ben)
    assert (response.status_code, response.json()["code"]) == (403, "app.not.authorized.for.scope")
    # What the organization authorizes changes for the token at hand.
    authorizations.approve(actor=cast.actor(cast.ada), client_id=app.client.id, scope=["users"])
    response = get("/api/v2/oauth/clients", ben)
    assert (response.status_code, response.json()["code"]) == (403, "app.not.authorized.for.scope")
    assert get("/api/v2/users", ben).status_code == 200


def test_scope_narrows(cast, app):
    response = app.sends(app.idp.assertion(email=cast.ben.email), scope="users:readonly")
    assert response.status_code == 200
    assert response.json()["scope"] == "users:readonly"
    headers = {"Authorization": f"Bearer {response.json()['access_token']}"}
    assert get("/api/v2/users", headers).status_code == 200
    changed = Browser().patch(
        f"/api/v2/users/{cast.eve.id}",
        json.dumps({"name": "Evelyn", "version": 1}),
        content_type="application/json",
        headers=headers,
    )
    assert (changed.status_code, changed.json()["code"]) == (403, "app.not.authorized.for.scope")


@pytest.mark.parametrize("scope", ["oauth", "users oauth", "nonsense", "USERS"])
def test_and_never_widens(app, scope):
    response = app.sends(app.idp.assertion(), scope=scope)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")
    assert not get_access_token_model().objects.exists()


def test_a_request_that_was_refused_for_its_scope_does_not_use_the_assertion_up(app):
    assertion = app.idp.assertion()
    assert app.sends(assertion, scope="oauth").status_code == 400
    assert whose(app.sends(assertion)) == "Eve"


def test_of_what_is_asked_for_the_organization_may_have_authorized_less(cast, app):
    authorizations.approve(actor=cast.actor(cast.ada), client_id=app.client.id, scope=["user-basic-info"])
    assert app.asks().json()["scope"] == "user-basic-info"
    # And nothing of it: then there is no token without power.
    refused(app.sends(app.idp.assertion(), scope="users"), "not.authorized")


def test_metadata_lists_the_grant(db):
    said = Browser().get("/.well-known/oauth-authorization-server").json()
    assert "urn:ietf:params:oauth:grant-type:saml2-bearer" in said["grant_types_supported"]


def test_each_assertion_gives_a_token_of_its_own(app):
    first, second = app.bearer(), app.bearer()
    assert first != second
    assert get(ME, first).status_code == get(ME, second).status_code == 200
    assert Consent.objects.count() == 1


# --- How it ends ---------------------------------------------------------------------------------


def test_deactivating_the_person_ends_the_token(cast, app):
    headers = app.bearer()
    people.change(actor=system(cast.acme), user_id=cast.eve.id, version=1, values={"state": "inactive"})
    assert get(ME, headers).status_code == 401
    refused(app.asks(), "inactive-person")


def test_revoking_the_authorization_ends_the_token_also_after_a_new_yes(cast, app):
    headers = app.bearer()
    authorizations.revoke(actor=cast.actor(cast.ada), client_id=app.client.id)
    assert get(ME, headers).status_code == 401
    assertion = app.idp.assertion()
    refused(app.sends(assertion), "not.authorized")
    authorizations.approve(actor=cast.actor(cast.ada), client_id=app.client.id, scope=["users"])
    assert get(ME, headers).status_code == 401
    assert app.sends(assertion).status_code == 200


def test_disabling_the_client_ends_the_token(cast, app):
    headers = app.bearer()
    clients.set_enabled(actor=cast.actor(cast.ada), client_id=app.client.id, enabled=False)
    assert get(ME, headers).status_code == 401


def test_a_person_takes_back_what_their_provider_vouched_for(cast, app, browser_of):
    headers = app.bearer()
    eve = browser_of(cast.eve)
    assert "SAML app" in eve.get("/account/apps/").content.decode()
    consent = Consent.objects.get()
    assert eve.post(f"/account/apps/{consent.id}/revoke/").status_code == 302
    assert get(ME, headers).status_code == 401


def test_the_app_gives_its_token_back(app):
    headers = app.bearer()
    assert Browser().delete("/api/v2/tokens/me", headers=headers).status_code == 200
    assert get(ME, headers).status_code == 401


def test_removing_the_provider_leaves_what_it_vouched_for_before(cast, app):
    headers = app.bearer()
    identity_providers.delete(actor=system(cast.acme), provider_id=app.provider.id)
    assert get(ME, headers).status_code == 200
    refused(app.asks(), "unknown-issuer")


def test_the_idle_timeout_counts(cast, app, clock):
    Organization.objects.filter(id=cast.acme.id).update(
        idle_timeout_enabled=True, idle_timeout_seconds=900, idle_since=START
    )
    headers = app.bearer()
    clock.shift(timedelta(seconds=899))
    assert get(ME, headers).status_code == 200
    clock.shift(timedelta(seconds=900))
    assert get(ME, headers).status_code == 401


def test_the_token_ends_after_the_clients_duration_and_not_with_the_assertion(cast, clock):
    app = SamlApp.at_acme(cast, token_seconds=3600)
    headers = app.bearer()
    clock.shift(timedelta(seconds=3599))
    assert get(ME, headers).status_code == 200
    clock.shift(SECOND)
    assert get(ME, headers).status_code == 401


# --- What is kept --------------------------------------------------------------------------------


def test_the_first_time_for_a_person_is_written_down(cast, app):
    for _ in range(2):
        app.bearer()
    app.bearer(email=cast.ben.email)
    lines = AuditEvent.objects.filter(action="app.assertionAccepted").order_by("at")
    assert [(line.actor_name, line.via_name) for line in lines] == [
        ("Eve", "SAML app"),
        ("Ben", "SAML app"),
    ]
    assert not AuditEvent.objects.filter(action__in=["app.allowed", "app.assertionRefused"]).exists()


@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize("good", [True, False], ids=["accepted", "refused"])
def test_nothing_of_the_assertion_is_stored_or_logged(app, caplog, capfd, sign, good):
    xml = app.idp.assertion(
        sign=sign,
        id="_the-id-of-this-assertion",
        name_id="the-opaque-name",
        session_index="the-session-index",
        attributes=[("phone", "the-phone-number")],
        **({} if good else {"recipient": "https://elsewhere.example"}),
    )
    signature = etree.fromstring(xml).findtext(f".//{{{DS}}}SignatureValue")
    sent = encode(xml)
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    for _ in range(2):
        app.sends(sent)
    written = capfd.readouterr()
    logged = caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    found = all_that_is_stored() + logged + written.out + written.err
    assert "app.assertion" in found
    parts = ("the-id-of", "the-opaque-name", "the-session-index", "the-phone-number", "<saml")
    for part in (*parts, sent[:40], sent[-40:], signature[:40], encode(xml, urlsafe=True)[:40]):
        assert part not in found
    assert UsedAssertion.objects.count() == good


def test_the_log_at_its_own_level_has_no_email_either(app, caplog):
    caplog.clear()
    caplog.set_level(logging.INFO)
    app.asks(email="who@acme.example")
    app.asks()
    assert "eve@" not in caplog.text
    assert "who@" not in caplog.text


def test_a_token_costs_a_bounded_number_of_statements(app, django_assert_max_num_queries):
    app.bearer()
    assertion = app.idp.assertion()
    with django_assert_max_num_queries(21):
        assert app.sends(assertion).status_code == 200


def test_a_failed_authentication_costs_one_statement_in_a_transaction(app, django_assert_num_queries):
    assertion = app.idp.assertion()
    with django_assert_num_queries(3):
        assert app.sends(assertion, secret="wrong").status_code == 401
    assert not AuditEvent.objects.filter(action="app.assertionRefused").exists()


# --- To the second -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim",
    ["not_before", "confirmation_not_before", "issue_instant"],
)
def test_ten_seconds_before_its_time(app, clock, claim):
    assert whose(app.asks(**{claim: START + 10 * SECOND})) == "Eve"
    refused(app.asks(**{claim: START + 11 * SECOND}), "future")


@pytest.mark.parametrize("claim", ["not_on_or_after", "confirmation_not_on_or_after"])
def test_ten_seconds_after_its_end(app, clock, claim):
    """`NotOnOrAfter`: at that very moment it is over."""
    times = {"not_before": START - 60 * SECOND, "issue_instant": START - 60 * SECOND}
    assert whose(app.asks(**{**times, claim: START})) == "Eve"
    assert whose(app.asks(**{**times, claim: START - 9 * SECOND})) == "Eve"
    refused(app.asks(**{**times, claim: START - 10 * SECOND}), "ended")


def test_as_far_ahead_as_the_operator_allows(app, clock, settings):
    settings.SAML_LONGEST_SECONDS = 3600

    def until(conditions: int | None, confirmation: int):
        return app.asks(
            not_on_or_after=None if conditions is None else START + conditions * SECOND,
            confirmation_not_on_or_after=START + confirmation * SECOND,
        )

    assert whose(until(3600, 3600)) == "Eve"
    refused(until(3601, 3601), "too-long")
    refused(until(None, 3601), "too-long")
    # The earlier end is the end.
    assert whose(until(3600, 100_000)) == "Eve"
    assert whose(until(100_000, 3600)) == "Eve"


def test_fractions_of_a_second_are_read(app, clock):
    assert whose(app.asks(not_on_or_after="2026-05-01T00:01:00.123456789Z")) == "Eve"
    refused(app.asks(not_on_or_after="2026-04-30T23:59:49.999Z"), "ended")


def test_used_is_remembered_until_it_is_over_for_good(app, clock):
    assertion = app.idp.assertion(not_on_or_after=START + 60 * SECOND)
    assert whose(app.sends(assertion)) == "Eve"
    row = UsedAssertion.objects.get()
    assert row.ends_at >= START + 70 * SECOND
    clock.shift(69 * SECOND)
    refused(app.sends(assertion), "used")
    clock.shift(SECOND)
    response = app.sends(assertion)
    assert response.status_code == 400


def test_a_certificate_that_ended_or_has_not_begun_proves_nothing(app, clock):
    hour = timedelta(hours=1)
    times = {"at hand": (START - hour, START + hour), "ended": (START - hour, START)}
    times["to come"] = (START + SECOND, START + hour)
    certificates = {name: app.idp.pair.valid(*when).certificate for name, when in times.items()}
    IdentityProvider.objects.update(certificates=[certificates["ended"], certificates["to come"]])
    refused(app.asks(), "no-certificate")
    IdentityProvider.objects.update(certificates=[certificates["ended"], certificates["at hand"]])
    assert whose(app.asks()) == "Eve"
    # Another one that has not ended does not help.
    other = pair(which="other").certificate
    IdentityProvider.objects.update(certificates=[certificates["ended"], other])
    refused(app.asks(), "signature")


def test_a_provider_that_is_off_or_not_accepted_for_this_is_not_believed(cast, app):
    def change(**values: object) -> None:
        identity_providers.change(
            actor=system(cast.acme),
            provider_id=app.provider.id,
            spec=lambda was: replace(was, **values),
        )

    change(accept_bearer=False)
    refused(app.asks(), "not-for-bearer")
    change(accept_bearer=True, enabled=False)
    refused(app.asks(), "provider-off")
    change(enabled=True)
    assert whose(app.asks()) == "Eve"


def test_it_is_good_once_also_for_a_provider_that_was_set_up_again(cast, app):
    assertion = app.idp.assertion()
    assert whose(app.sends(assertion)) == "Eve"
    identity_providers.delete(actor=system(cast.acme), provider_id=app.provider.id)
    app.idp.provider(cast.acme, name="Set up again")
    refused(app.sends(assertion), "used")


def test_it_is_good_once_whoever_sends_it_and_however_it_is_wrapped(cast, app):
    node = app.idp.unsigned()
    signed_by_hand(node)
    bare = etree.tostring(node)
    other = SamlApp.at_acme(cast, name="Other app")
    assert whose(app.sends(bare)) == "Eve"
    refused(other.sends(bare), "used")
    refused(other.sends(etree.tostring(app.idp.wrapped(node))), "used")
    refused(app.sends(encode(bare, urlsafe=True, padded=False)), "used")


def test_two_providers_may_use_the_same_id(cast, app):
    other = IdP("Other", "https://other.example", pair(which="other"))
    other.provider(cast.acme)
    assert whose(app.asks(id="_same")) == "Eve"
    assert whose(app.sends(other.assertion(id="_same"))) == "Eve"


def test_a_refused_assertion_is_not_used_up(cast, app):
    """Who mends what was wrong about the person or the app need not get another one."""
    assertion = app.idp.assertion()
    Client.objects.filter(id=app.client.id).update(state="disabled")
    assert app.sends(assertion).json()["error"] == "unauthorized_client"
    Client.objects.filter(id=app.client.id).update(state="active")
    assert whose(app.sends(assertion)) == "Eve"


def test_a_name_id_of_another_format_is_no_email_by_accident(app):
    refused(app.asks(email=None, name_id="eve", name_id_format=PERSISTENT), "no-email")
