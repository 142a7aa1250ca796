"""Account > Single Sign-on: identity providers are set up by those who may, and nothing is lost that somebody
typed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from html import unescape
from uuid import uuid4

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client as Browser
from django.utils import timezone

from accounts import audit
from accounts.actor import system
from accounts.console import single_sign_on_form
from accounts.models import AuditEvent, IdentityProvider, Organization
from accounts.permissions import Permission
from accounts.rules.provider_spec import ProviderSpec, read_certificate
from accounts.saml import keys, toolkit
from accounts.services import identity_providers
from tests.standing import standing

PAGE = "/admin/single-sign-on/"
DS = "http://www.w3.org/2000/09/xmldsig#"
REDIRECT, POST = (f"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-{name}" for name in ("Redirect", "POST"))


@cache
def certificate(name: str = "idp") -> str:
    return keys.make(name).certificate


def lasting(begins: timedelta, ends: timedelta, name: str = "idp") -> str:
    key, now = ec.generate_private_key(ec.SECP256R1()), timezone.now()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    )
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now + begins).not_valid_after(now + ends)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def fingerprint(pem: str) -> str:
    return read_certificate(pem).fingerprint


def metadata(*certificates: str, issuer: str = "https://idp.example/entity", more: str = "") -> str:
    bodies = ["".join(pem.splitlines()[1:-1]) for pem in certificates]
    described = "".join(
        f'<KeyDescriptor use="signing"><KeyInfo xmlns="{DS}"><X509Data><X509Certificate>{body}'
        "</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        for body in bodies
    )
    return (
        f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{issuer}">'
        '<IDPSSODescriptor WantAuthnRequestsSigned="true"'
        f' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{described}{more}'
        f'<SingleSignOnService Binding="{POST}" Location="https://idp.example/sso"/>'
        "</IDPSSODescriptor></EntityDescriptor>"
    )


def text(response) -> str:
    """What a person reads: no tags, single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def problems(response) -> list[str]:
    """The lines of the box "There is a problem", each of which leads to something that is there."""
    html = response.content.decode()
    box = re.search(r'<ul class="error-list">(.*?)</ul>', html, re.S)
    if box is None:
        return []
    for target in re.findall(r'href="#([^"]+)"', box[1]):
        assert f'id="{target}"' in html, target
    return [
        " ".join(unescape(re.sub(r"<[^>]+>", "", line)).split())
        for line in re.findall(r"<li>(.*?)</li>", box[1], re.S)
    ]


class Console:
    """The pages as somebody uses them without JavaScript: a form sends what its page showed, and what is
    typed over it."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def get(self, path: str = "") -> str:
        response = self.browser.get(PAGE + path)
        assert response.status_code == 200, response
        return text(response)

    def html(self, path: str = "") -> str:
        return self.browser.get(PAGE + path).content.decode()

    def shown(self, path: str) -> dict[str, object]:
        return fields(self.html(path))

    def post(self, path: str, /, over: dict[str, object] | None = None, **typed: object):
        """`over`: the fields that the form showed, where they are not those of now."""
        data = {**(self.shown(path) if over is None else over), **typed}
        return self.browser.post(
            PAGE + path, {name: value for name, value in data.items() if value is not None}
        )


def fields(html: str) -> dict[str, object]:
    """What the form of a provider would send as it stands."""
    form = re.search(r'<form class="stack-l" id="provider".*?</form>', html, re.S)
    assert form, html
    found: dict[str, object] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        kind, name = attributes["type"], attributes["name"]
        if name == "csrfmiddlewaretoken" or kind == "file" or re.search(r"\sdisabled[\s>]", tag):
            continue
        if kind != "checkbox":
            found[name] = unescape(attributes["value"])
        elif re.search(r"\schecked[\s>]", tag):
            found.setdefault(name, []).append(attributes["value"])
    for name, value in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form[0], re.S):
        found[name] = unescape(value)
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form[0], re.S):
        found[name] = re.search(r'value="([^"]*)" selected', options)[1]
    return found


@dataclass(frozen=True)
class Finding:
    check: str
    met: bool | None
    label: str
    sentence: str


@standing
def ada(cast, browser_of) -> Console:
    return Console(browser_of(cast.ada))


TYPED = {
    "name": "Entra ID",
    "issuer": "https://idp.example/entity",
    "target_url": "https://idp.example/sso",
}


def provider(organization: Organization, **changes: object) -> IdentityProvider:
    spec = ProviderSpec(**{**TYPED, "certificates": (certificate(),), **changes})  # type: ignore[arg-type]
    return identity_providers.create(actor=system(organization), spec=spec)


@standing
def entra(cast) -> IdentityProvider:
    return provider(cast.acme)


def now(one: IdentityProvider) -> IdentityProvider:
    return IdentityProvider.objects.get(id=one.id)


def clerk(cast, browser_of, *permissions: str, name: str = "Nora") -> Console:
    """Somebody who may only this, which is less than others may."""
    person = cast.person(name, cast.home)
    cast.custom_role(f"Clerk {name}", *permissions)
    cast.give(person, (f"Clerk {name}", None))
    return Console(browser_of(person))


# --- Gates ---------------------------------------------------------------------------------------

PARTS = {
    "": Permission.SSO_PROVIDER_VIEW,
    "metadata.xml": Permission.SSO_PROVIDER_VIEW,
    "new/": Permission.SSO_PROVIDER_ADD,
    "only-sso/": Permission.SSO_PROVIDER_EDIT,
    "only-sso/keeper/": Permission.SSO_PROVIDER_EDIT,
    "{id}/": Permission.SSO_PROVIDER_VIEW,
    "{id}/delete/": Permission.SSO_PROVIDER_DELETE,
}


@pytest.mark.parametrize("part", PARTS)
def test_every_page_leads_to_the_sign_in_first(entra, part):
    response = Browser().get(PAGE + part.format(id=entra.id))
    assert response["Location"].startswith("/sign-in/")


@pytest.mark.parametrize(("part", "permission"), PARTS.items())
def test_without_the_permission_every_page_says_which_is_missing(cast, browser_of, entra, part, permission):
    browser = browser_of(cast.ben)
    path = PAGE + part.format(id=entra.id)
    answers = [browser.get(path)]
    if part not in ("", "metadata.xml"):
        answers.append(browser.post(path, {"name": "Mine", "version": "1"}))
    for response in answers:
        assert response.status_code == 403
        assert f"Single sign-on > Provider > {permission.rpartition(':')[2].capitalize()}" in text(response)
    assert now(entra).version == 1


@pytest.mark.parametrize("part", ["{id}/", "{id}/delete/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_provider_of_another_organization_is_not_there(cast, browser_of, entra, part, method):
    cleo = browser_of(cast.cleo)
    path = PAGE + part.format(id=entra.id)
    assert getattr(cleo, method)(path, {"version": "1"} if method == "post" else None).status_code == 404
    assert now(entra).version == 1
    assert "Entra ID" not in text(cleo.get(PAGE))
    assert getattr(cleo, method)(PAGE + part.format(id=uuid4())).status_code == 404


def test_the_menu_has_it_for_those_who_may_open_it(cast, ada, browser_of):
    assert f'href="{PAGE}"' in ada.browser.get("/admin/").content.decode()
    assert f'href="{PAGE}"' not in browser_of(cast.ben).get("/admin/").content.decode()


def test_somebody_who_may_view_reads_everything_and_changes_nothing(cast, browser_of, entra):
    nora = clerk(cast, browser_of, Permission.SSO_PROVIDER_VIEW)
    page = nora.get(f"{entra.id}/")
    for part in ("You can view but not edit", "Single sign-on > Provider > Edit", entra.issuer, "CN=idp"):
        assert part in page
    html = nora.html(f"{entra.id}/")
    assert 'id="provider"' not in html
    assert "Delete provider" not in html
    assert "Add provider" not in nora.get()
    assert "Turn on…" not in nora.get()
    response = nora.browser.post(f"{PAGE}{entra.id}/", {**TYPED, "name": "Mine", "version": "1"})
    assert response.status_code == 403
    assert now(entra).name == "Entra ID"


# --- The list ------------------------------------------------------------------------------------


def test_an_organization_without_a_provider_is_told_what_one_is_for(cast, browser_of, ada):
    page = ada.get()
    assert "No identity provider yet With one, people sign in here" in page
    assert ada.html().count(f'href="{PAGE}new/"') == 1
    nora = clerk(cast, browser_of, Permission.SSO_PROVIDER_VIEW)
    assert "No identity provider yet" in nora.get()
    assert "new/" not in nora.html()


def test_the_list_says_what_each_provider_is_used_for(cast, ada):
    provider(cast.acme)
    provider(
        cast.acme, name="Okta", issuer="okta", show_on_sign_in=False, accept_bearer=True, enabled=False
    )
    page = ada.get()
    assert "Entra ID https://idp.example/entity in 10 years Sign-in On" in page
    assert "Okta okta in 10 years Sign-in, no button SAML2 Bearer Off" in page


@pytest.mark.parametrize(
    ("lives", "says"),
    [
        ([(-1, 400)], "in 13 months Sign-in"),
        ([(-1, 29)], "in 29 days Ends soon"),
        ([(-1, 400), (-1, 20)], "in 20 days Ends soon"),
        ([(5, 400)], "in 13 months Not yet in use"),
        ([(-1, 29), (40, 400)], "in 29 days Ends soon"),
    ],
)
def test_the_list_says_when_a_certificate_ends(cast, ada, lives, says):
    pems = [
        lasting(timedelta(days=begins), timedelta(days=ends, hours=1), f"idp{number}")
        for number, (begins, ends) in enumerate(lives)
    ]
    provider(cast.acme, certificates=tuple(pems))
    assert says in ada.get()


def test_a_provider_without_a_valid_certificate_is_not_shown_as_on(cast, ada):
    provider(cast.acme, certificates=(lasting(timedelta(days=1), timedelta(days=9)),))
    assert '<span class="badge tone-bad">No valid certificate' in " ".join(ada.html().split())


def test_a_certificate_that_has_ended_is_marked_wherever_it_is_shown(cast, browser_of):
    one = provider(cast.acme, certificates=(lasting(timedelta(days=-1), timedelta(days=2)),))
    with time_machine.travel(timezone.now() + timedelta(days=5)):
        ada = Console(browser_of(cast.ada))
        assert "3 days ago Ended" in ada.get()
        assert "CN=idp Ended" in ada.get(f"{one.id}/")


def test_what_the_provider_needs_is_there_to_copy_and_to_download(cast, ada):
    html = ada.html()
    for value in ("/saml", "/saml/acme", "/saml/logout", "/oauth/token"):
        assert f'data-copy-text="http://localhost:8000{value}"' in html
    response = ada.browser.get(f"{PAGE}metadata.xml")
    assert response["Content-Type"] == "application/samlmetadata+xml"
    assert response["Content-Disposition"] == 'attachment; filename="acme-saml-metadata.xml"'
    assert b'entityID="http://localhost:8000/saml/acme"' in response.content
    assert b'Location="http://localhost:8000/saml"' in response.content


def test_the_page_of_a_provider_shows_what_this_one_needs(cast, ada):
    one = provider(
        cast.acme, relying_party_identifier="urn:acme", audience="urn:for-acme", email_attribute=""
    )
    html = ada.html(f"{one.id}/")
    for value in ("urn:acme", "urn:for-acme", f"http://localhost:8000/saml/metadata/{one.id}"):
        assert f'data-copy-text="{value}"' in html
    assert f'href="http://localhost:8000/saml/metadata/{one.id}" download' in html
    assert "NameID The person's email address" in ada.get(f"{one.id}/")
    assert "Optional: acme" in ada.get(f"{one.id}/")


def test_the_sign_in_is_tried_in_a_new_tab_and_an_assertion_checked(ada, entra):
    link = f'href="{PAGE}{entra.id}/test/" target="_blank" rel="noopener"'
    assert link in ada.html(f"{entra.id}/")
    assert "Test sign-in" not in ada.get("new/")
    assert f'href="{PAGE}check/"' in ada.html()


# --- Adding --------------------------------------------------------------------------------------


def test_a_provider_is_added_with_what_was_typed(cast, ada):
    response = ada.post(
        "new/",
        **TYPED,
        target_binding=POST,
        logout_url="https://idp.example/slo",
        add_certificates=certificate() + certificate("next"),
        email_attribute="mail",
        accept_bearer="on",
        show_on_sign_in=None,
    )
    one = IdentityProvider.objects.get(organization=cast.acme)
    assert response["Location"] == f"{PAGE}{one.id}/"
    assert "Identity provider ‘Entra ID’ is set up." in ada.get(f"{one.id}/")
    assert (one.name, one.issuer, one.target_url) == tuple(TYPED.values())
    assert (one.target_binding, one.logout_url, one.email_attribute) == (
        POST,
        "https://idp.example/slo",
        "mail",
    )
    assert one.certificates == [certificate(), certificate("next")]
    assert (one.accept_bearer, one.show_on_sign_in, one.enabled) == (True, False, True)


def test_what_is_suggested_for_a_new_provider_is_usual(ada):
    shown = ada.shown("new/")
    assert shown["email_attribute"] == "email"
    assert shown["target_binding"] == REDIRECT
    assert "show_on_sign_in" in shown
    assert "enabled" in shown
    assert "accept_bearer" not in shown
    html = ada.html("new/")
    assert html.count('placeholder="http://localhost:8000/saml/acme"') == 2


WRONG = {
    "name": (" ", "Enter a name."),
    "issuer": ("two words", "Issuer URI: Without spaces, and in ASCII."),
    "target_url": ("http://idp.example/", "Target URL: Enter an address that begins with https://"),
    "target_binding": ("SOAP", "Choose one of: "),
    "add_certificates": ("nonsense", "This is not a PEM certificate."),
    "logout_url": ("ftp://idp.example/", "Single Logout URI: Enter an address that begins with https://"),
    "logout_binding": ("SOAP", "Choose one of: "),
    "audience": ("é", "Audience (Entity ID): Without spaces, and in ASCII."),
    "relying_party_identifier": ("x" * 1025, "Relying Party Identifier: At most 1024 characters."),
    "name_id_format": ("mine", "Choose one of: "),
    "email_attribute": ("x" * 256, "Attribute with the email: At most 255 characters."),
}


@pytest.mark.parametrize(("field", "value", "problem"), [(name, *rest) for name, rest in WRONG.items()])
def test_what_is_wrong_is_said_at_its_field_and_stays_as_it_was_typed(ada, field, value, problem):
    response = ada.post("new/", **{**TYPED, "add_certificates": certificate(), field: value})
    assert response.status_code == 200
    (said,) = problems(response)
    assert said.startswith(problem)
    html = response.content.decode()
    assert re.search(rf'id="id_{field}_error" class="errors">', html)
    assert re.search(rf'<[^>]+ id="id_{field}"[^>]* aria-invalid="true"', html)
    assert text(response).startswith("Error")
    if not field.endswith(("binding", "format")):
        assert fields(html)[field] == value
    assert not IdentityProvider.objects.exists()


def test_all_that_is_wrong_is_said_at_once(ada):
    response = ada.post("new/", **{name: value for name, (value, _problem) in WRONG.items()})
    said = problems(response)
    assert len(said) == len(WRONG)
    assert [said[0], said[-1]] == [WRONG["name"][1], WRONG["email_attribute"][1]]  # as the page has them


def test_certificates_are_called_by_their_number(ada):
    old = lasting(timedelta(days=-9), timedelta(days=-2))
    response = ada.post("new/", **TYPED, add_certificates=f"{certificate()}{old}{old[:100]}")
    ended = timezone.now() - timedelta(days=2)
    assert problems(response) == [
        f"Certificate 2: The certificate ended on {ended.day} {ended:%B %Y}.",
        "Certificate 3: This is not a PEM certificate.",
    ]
    assert fields(response.content.decode())["add_certificates"] == f"{certificate()}{old}{old[:100]}"


def test_a_sixth_certificate_is_one_too_many(ada):
    six = "".join(certificate(f"idp{number}") for number in range(6))
    assert problems(ada.post("new/", **TYPED, add_certificates=six)) == ["6 certificates; the most is 5."]


def test_a_taken_name_or_issuer_is_said_at_its_field(ada, entra):
    more = {"add_certificates": certificate("next")}
    response = ada.post("new/", **{**TYPED, "issuer": "other", "name": "ENTRA id"}, **more)
    assert problems(response) == ["There is an identity provider called ‘ENTRA id’ already."]
    response = ada.post("new/", **{**TYPED, "name": "Other"}, **more)
    assert problems(response) == ["Issuer URI: There is an identity provider with this issuer already."]
    assert 'id="id_issuer_error"' in response.content.decode()


def test_names_are_text_wherever_they_are_shown(cast, ada):
    name = "<script>alert(1)</script>"
    ada.post("new/", **{**TYPED, "name": name, "issuer": "urn:<b>x</b>"}, add_certificates=certificate())
    one = IdentityProvider.objects.get(organization=cast.acme)
    audit.record(
        system(cast.acme),
        audit.Action.PROVIDER_ASSERTION_REFUSED,
        **identity_providers.named(one),
        after={"reason": "issuer", "detail": name},
    )
    for path in ("", f"{one.id}/", f"{one.id}/delete/"):
        html = ada.html(path)
        assert "<script>alert" not in html
        assert "<b>x</b>" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_who_could_become_somebody_with_more_rights_adds_no_provider(cast, ada, browser_of):
    nora = clerk(cast, browser_of, Permission.SSO_PROVIDER_ADD, Permission.SSO_PROVIDER_VIEW)
    page = nora.get("new/")
    assert "You cannot add a provider" in page
    assert "so it takes all that anybody may do" in page
    assert 'id="provider"' not in nora.html("new/")
    response = nora.post("new/", ada.shown("new/"), **TYPED, add_certificates=certificate())
    assert response.status_code == 403
    assert any("it takes all that anybody may do" in line for line in problems(response))
    assert fields(response.content.decode())["issuer"] == TYPED["issuer"]  # nothing is lost
    assert not IdentityProvider.objects.exists()


# --- Editing -------------------------------------------------------------------------------------


def test_a_page_that_is_saved_as_it_was_shown_changes_nothing(ada, entra):
    response = ada.post(f"{entra.id}/")
    assert response["Location"] == f"{PAGE}{entra.id}/"
    assert "There was nothing to save." in ada.get(f"{entra.id}/")
    assert now(entra).version == 1


def test_what_the_page_does_not_ask_for_stays(cast, ada):
    one = provider(cast.acme, slot="okta", metadata_url="https://idp.example/metadata")
    ada.post(f"{one.id}/", name="Okta Inc.")
    saved = now(one)
    assert (saved.name, saved.slot, saved.metadata_url) == (
        "Okta Inc.",
        "okta",
        "https://idp.example/metadata",
    )


def test_changes_are_saved_and_listed_with_what_changed(ada, entra):
    ada.post(f"{entra.id}/", name="Entra", accept_bearer="on", logout_url="https://idp.example/slo")
    assert "Changes saved." in ada.get(f"{entra.id}/")
    page = ada.get(f"{entra.id}/")
    assert (
        "Ada edited the identity provider: name from ‘Entra ID’ to ‘Entra’; Single Logout URI; "
        "Accept for SAML2 Bearer grant: On" in page
    )
    ada.post(f"{entra.id}/", enabled=None)
    page = ada.get(f"{entra.id}/")
    assert "Ada edited the identity provider: turned off" in page
    assert now(entra).enabled is False


def test_certificates_are_removed_and_added_one_by_one(cast, ada):
    one = provider(cast.acme, certificates=(certificate(), certificate("old")))
    page = ada.get(f"{one.id}/")
    assert page.count("In use") == 2
    assert fingerprint(certificate("old")) in page
    ada.post(f"{one.id}/", remove=[fingerprint(certificate("old"))], add_certificates=certificate("new"))
    assert now(one).certificates == [certificate(), certificate("new")]


def test_the_last_certificate_is_not_removed(ada, entra):
    response = ada.post(f"{entra.id}/", remove=[fingerprint(certificate())], name="New name")
    assert problems(response) == ["Add the provider's certificate."]
    shown = fields(response.content.decode())
    assert shown["remove"] == [fingerprint(certificate())]
    assert shown["name"] == "New name"
    assert now(entra).version == 1


def test_a_certificate_in_the_box_is_counted_from_there(ada, entra):
    response = ada.post(f"{entra.id}/", add_certificates=f"{certificate('next')}{certificate()[:90]}")
    assert problems(response) == ["Certificate 2: This is not a PEM certificate."]


PRIVATE_KEY = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize("field", ["add_certificates", "metadata_text", "name", "logout_url"])
def test_a_private_key_is_not_written_back(ada, entra, field):
    pasted = certificate("other") + PRIVATE_KEY if field == "add_certificates" else PRIVATE_KEY
    response = ada.post(f"{entra.id}/", **{"issuer": "two words", field: pasted})
    html = response.content.decode()
    assert response.status_code == 200
    assert "Y2FuYXJ5" not in html
    assert fields(html)[field] == ""
    if field == "add_certificates":
        assert any("This is a private key" in said for said in problems(response))
    assert now(entra).version == 1


def test_what_tools_write_around_certificates_is_passed_over(cast, ada):
    bags = "Bag Attributes\n    localKeyID: 01\nsubject=CN = idp\n"
    pasted = f"{bags}{certificate()}{bags}{certificate('other')}\n"
    assert ada.post("new/", **TYPED, add_certificates=pasted).status_code == 302
    (one,) = IdentityProvider.objects.all()
    assert one.certificates == [certificate(), certificate("other")]


def test_a_certificate_in_base64_alone_is_one(ada):
    body = "\n".join(certificate().splitlines()[1:-1])
    assert ada.post("new/", **TYPED, add_certificates=body).status_code == 302


@pytest.mark.parametrize("rest", ["sso;v=1", "a,b", "?c=1;2,3"])
def test_an_address_may_have_what_addresses_have(ada, rest):
    typed = {**TYPED, "target_url": f"https://idp.example/{rest}"}
    assert ada.post("new/", **typed, add_certificates=certificate()).status_code == 302


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "Enter the target URL."),
        ("https://idp.example/#a", "Remove ‘#’, which an address cannot have here."),
        ("https://idp.example/a b", "Remove the spaces and invisible characters."),
        ("https://idp.example,evil.example/", "Its host or port cannot be read."),
        ("https://idp.example;x/", "Its host or port cannot be read."),
        ("https://me@idp.example/", "Enter the address without a user name or password."),
    ],
)
def test_what_is_wrong_with_an_address_is_named(ada, address, problem):
    response = ada.post("new/", **{**TYPED, "target_url": address}, add_certificates=certificate())
    assert problems(response) == [f"Target URL: {problem}"]


def test_without_an_issuer_it_is_asked_for(ada):
    response = ada.post("new/", **{**TYPED, "issuer": ""}, add_certificates=certificate())
    assert problems(response) == ["Issuer URI: Enter the issuer URI."]


def test_a_form_that_did_not_arrive_is_not_somebody_elses_change(ada, entra):
    response = ada.post(f"{entra.id}/", {})
    assert response.status_code == 400
    assert problems(response) == ["The form did not arrive whole, and nothing was saved. Try again."]
    assert "changed this provider" not in text(response)
    assert fields(response.content.decode())["name"] == "Entra ID"
    assert now(entra).version == 1


def test_nul_and_a_forged_fingerprint_do_no_harm(ada, entra):
    response = ada.post(f"{entra.id}/", name="En\x00tra", remove=["AB:CD", "\x00"])
    assert response.status_code == 302
    assert now(entra).name == "Entra"


def test_who_may_not_decide_whom_to_believe_is_told_so_before(cast, browser_of, entra):
    nora = clerk(cast, browser_of, Permission.SSO_PROVIDER_EDIT, Permission.SSO_PROVIDER_VIEW, name="Nora")
    page = nora.get(f"{entra.id}/")
    assert "You can change only part of this Whoever decides which identity provider is believed" in page
    html = nora.html(f"{entra.id}/")
    assert re.search(r'<input[^>]* id="id_issuer"[^>]* readonly', html)
    assert "id_add_certificates" not in html
    # What makes the provider believed for less, or not for anything else, they may.
    shown = nora.shown(f"{entra.id}/")
    assert nora.post(f"{entra.id}/", shown, name="Entra", enabled=None).status_code == 302
    assert (now(entra).name, now(entra).enabled) == ("Entra", False)
    # Forged, the rest is refused with the same sentence, and what was typed is still there.
    for typed in ({"issuer": "urn:mine"}, {"enabled": "on"}, {"add_certificates": certificate("mine")}):
        response = nora.post(f"{entra.id}/", name="Typed", **typed)
        assert response.status_code == 403
        assert "it takes all that anybody may do" in problems(response)[0]
        assert fields(response.content.decode())["name"] == "Typed"
    assert now(entra).version == 2


def test_what_they_may_not_change_is_said_of_exactly_what_would_be_refused(cast, browser_of):
    one = provider(cast.acme, force_authn=True, enabled=False)
    nora = clerk(cast, browser_of, Permission.SSO_PROVIDER_EDIT, Permission.SSO_PROVIDER_VIEW)
    page, html = nora.get(f"{one.id}/"), nora.html(f"{one.id}/")
    assert (
        "You cannot add certificates, turn on ‘Use this provider’ or ‘Accept for SAML2 Bearer grant’, turn off "
        "‘Ask for the password each time’, or change these: Issuer URI, Target URL, Single Logout URI, "
        "Relying Party Identifier, Audience (Entity ID), Attribute with the email."
    ) in page
    for field in identity_providers.TRUSTED_FIELDS:
        assert re.search(rf'<input[^>]* id="id_{field}"[^>]* readonly', html), field
    for name in ("enabled", "accept_bearer", "force_authn"):
        assert re.search(rf'<input[^>]* id="id_{name}"[^>]* disabled', html), name
    for name in ("show_on_sign_in", "sign_requests"):
        assert not re.search(rf'<input[^>]* id="id_{name}"[^>]* disabled', html), name
    assert page.count("You cannot turn this on.") == 2
    assert page.count("You cannot turn this off.") == 1
    # What is on and stays so is sent along with the rest.
    assert nora.post(f"{one.id}/", name="Other", sign_requests="on").status_code == 302
    assert (now(one).name, now(one).force_authn, now(one).enabled) == ("Other", True, False)
    for field in identity_providers.TRUSTED_FIELDS:
        assert nora.post(f"{one.id}/", **{field: "https://mine.example/"}).status_code == 403, field
    assert now(one).version == 2


def test_the_last_provider_stays_on_while_people_have_no_password(cast, ada, entra):
    identity_providers.set_only_sso(actor=cast.actor(cast.ada), enabled=True)
    response = ada.post(f"{entra.id}/", enabled=None)
    assert problems(response) == [
        "People sign in through single sign-on only here: another identity provider must be on."
    ]
    response = ada.browser.post(f"{PAGE}{entra.id}/delete/")
    assert response["Location"] == f"{PAGE}{entra.id}/"
    assert "another identity provider must be on" in ada.get(f"{entra.id}/")
    assert now(entra).enabled


# --- Two people ----------------------------------------------------------------------------------


def test_what_somebody_else_changed_meanwhile_is_put_together_and_shown(cast, ada, entra):
    opened = ada.shown(f"{entra.id}/")
    ada.post(f"{entra.id}/", name="Hers", logout_url="https://idp.example/slo")
    response = ada.post(f"{entra.id}/", opened, name="Mine", email_attribute="mail")
    page = text(response)
    assert "Ada changed this provider at" in page
    assert "Ada also changed: Single Logout URI. This is taken over below." in page
    assert "You both changed: Name." in page
    assert "Name Hers Mine" in page
    merged = fields(response.content.decode())
    assert (merged["name"], merged["logout_url"], merged["email_attribute"]) == (
        "Mine",
        "https://idp.example/slo",
        "mail",
    )
    assert now(entra).name == "Hers"
    assert ada.post(f"{entra.id}/", merged).status_code == 302
    saved = now(entra)
    assert (saved.name, saved.logout_url, saved.email_attribute) == (
        "Mine",
        "https://idp.example/slo",
        "mail",
    )


def test_certificates_of_two_people_are_both_kept(ada, entra):
    opened = ada.shown(f"{entra.id}/")
    ada.post(f"{entra.id}/", add_certificates=certificate("hers"))
    response = ada.post(f"{entra.id}/", opened, add_certificates=certificate("mine"))
    assert "Ada also changed: Certificates." in text(response)
    ada.post(f"{entra.id}/", fields(response.content.decode()))
    assert now(entra).certificates == [certificate(), certificate("hers"), certificate("mine")]


def test_who_changed_the_same_to_the_same_is_not_stopped(ada, entra):
    opened = ada.shown(f"{entra.id}/")
    ada.post(f"{entra.id}/", name="Entra")
    assert ada.post(f"{entra.id}/", opened, name="Entra").status_code == 302
    assert now(entra).version == 2


@pytest.mark.parametrize("forged", [{"version": "x"}, {"version": ""}, {"version": "0", "seen": "forged"}])
def test_a_forged_version_overwrites_nothing(ada, entra, forged):
    response = ada.post(f"{entra.id}/", name="Mine", **forged)
    if "seen" in forged:
        assert response.status_code == 200
        assert "You both changed: Name." in text(response)
        assert now(entra).name == "Entra ID"
    else:  # what was seen is what is there: nobody changed anything meanwhile
        assert response.status_code == 302


def test_what_was_seen_of_another_provider_counts_for_nothing(cast, entra):
    other = provider(cast.acme, name="Okta", issuer="okta")
    seen = single_sign_on_form.sign(other, identity_providers.spec_of(other))
    typed = single_sign_on_form.typed_of(identity_providers.spec_of(other))
    merged = single_sign_on_form.merge(entra, seen, typed, identity_providers.spec_of(entra))
    assert merged.both == ("Name", "Issuer URI")


def test_a_change_between_looking_and_saving_is_noticed(ada, entra, monkeypatch):
    change = identity_providers.change

    def slow(**given):
        monkeypatch.setattr(identity_providers, "change", change)
        IdentityProvider.objects.filter(id=entra.id).update(name="Hers", version=2)
        return change(**given)

    monkeypatch.setattr(identity_providers, "change", slow)
    response = ada.post(f"{entra.id}/", name="Mine")
    assert response.status_code == 200
    assert "You both changed: Name." in text(response)
    assert now(entra).name == "Hers"


# --- Import --------------------------------------------------------------------------------------


def upload(content: str | bytes, name: str = "metadata.xml") -> SimpleUploadedFile:
    return SimpleUploadedFile(
        name, content.encode() if isinstance(content, str) else content, content_type="text/xml"
    )


@pytest.mark.parametrize("as_file", [True, False])
def test_metadata_fills_the_form_and_saves_nothing(ada, as_file):
    given = metadata(certificate())
    typed = {"metadata_file": upload(given)} if as_file else {"metadata_text": given}
    response = ada.post("new/", name="Typed before", **{"import": "yes"}, **typed)
    page = text(response)
    assert "The metadata was read It changes what is listed here. Nothing is saved yet" in page
    for row in (
        "Issuer URI https://idp.example/entity",
        "Target URL https://idp.example/sso",
        "Target URL binding HTTP Redirect HTTP POST",
        "Sign our requests Off On",
    ):
        assert row in page
    assert re.search(r"Certificates CN=idp, ends \d+ \w+ 20\d\d, [0-9A-F:]{11}…", page)
    shown = fields(response.content.decode())
    assert (shown["name"], shown["issuer"]) == ("Typed before", "https://idp.example/entity")
    assert shown["target_binding"] == POST
    assert shown["add_certificates"] == certificate()
    assert shown["metadata_text"] == ""
    assert not IdentityProvider.objects.exists()
    assert ada.post("new/", shown).status_code == 302
    assert IdentityProvider.objects.get().sign_requests


def test_metadata_of_a_provider_that_exists_shows_what_would_change(ada, entra):
    given = {"import": "yes", "metadata_text": metadata(certificate("new"), issuer=entra.issuer)}
    response = ada.post(f"{entra.id}/", **given)
    page = text(response)
    assert "Issuer URI https" not in page.partition("Import metadata")[0]  # it is as it was
    assert "Target URL binding HTTP Redirect HTTP POST" in page
    shown = fields(response.content.decode())
    assert shown["remove"] == [fingerprint(certificate())]  # the file does not have it any more
    assert now(entra).version == 1
    assert ada.post(f"{entra.id}/", shown).status_code == 302
    assert now(entra).certificates == [certificate("new")]


def test_metadata_that_says_nothing_new_says_so(cast, ada):
    one = provider(cast.acme, target_binding=POST, sign_requests=True)
    response = ada.post(f"{one.id}/", **{"import": "yes", "metadata_text": metadata(certificate())})
    assert "It says nothing else than what is here already." in text(response)
    assert "remove" not in fields(response.content.decode())


def test_metadata_without_certificates_leaves_them_alone(ada, entra):
    response = ada.post(f"{entra.id}/", **{"import": "yes", "metadata_text": metadata()})
    assert "remove" not in fields(response.content.decode())


def test_what_is_no_certificate_in_metadata_is_said_when_it_is_saved(ada):
    broken = "-----\nAAAA\n-----"
    response = ada.post("new/", name="X", **{"import": "yes", "metadata_text": metadata(broken)})
    assert "Certificates not a certificate" in text(response)
    response = ada.post("new/", fields(response.content.decode()))
    assert problems(response) == ["This is not a PEM certificate."]


def test_a_file_comes_before_what_was_pasted(ada):
    files = {"metadata_file": upload(metadata(certificate(), issuer="urn:file"))}
    pasted = metadata(certificate(), issuer="urn:pasted")
    response = ada.post("new/", **{"import": "yes", "metadata_text": pasted}, **files)
    assert fields(response.content.decode())["issuer"] == "urn:file"


@pytest.mark.parametrize(
    ("typed", "place", "problem"),
    [
        ({}, "metadata_text", "Choose a file, or paste its text."),
        ({"metadata_text": "<x>"}, "metadata_text", "The file is not XML, or has a DTD."),
        ({"metadata_text": "<x/>"}, "metadata_text", "The file has no IDPSSODescriptor."),
        ({"metadata_file": b"\xff\xfe<\x00"}, "metadata_file", "The file is not text in UTF-8."),
        ({"metadata_file": b" " * 400_001}, "metadata_file", "The file is larger than 400 kB."),
        ({"metadata_file": b"<!DOCTYPE x><x/>"}, "metadata_file", "The file is not XML, or has a DTD."),
        ({"metadata_text": "x" * 400_001}, "metadata_text", "The file is too large."),
    ],
)
def test_a_file_that_cannot_be_read_is_said_in_its_place(ada, typed, place, problem):
    sent = {name: upload(value) if name == "metadata_file" else value for name, value in typed.items()}
    response = ada.post("new/", name="Typed before", **{"import": "yes"}, **sent)
    assert problems(response) == [problem]
    html = response.content.decode()
    assert f'id="id_{place}_error" class="errors">' in html
    shown = fields(html)
    assert shown["name"] == "Typed before"
    assert shown["metadata_text"] == typed.get("metadata_text", "")


def test_an_import_over_a_page_that_is_old_says_both(ada, entra):
    opened = ada.shown(f"{entra.id}/")
    ada.post(f"{entra.id}/", logout_url="https://idp.example/slo")
    given = {"import": "yes", "metadata_text": metadata(certificate(), issuer="urn:new")}
    response = ada.post(f"{entra.id}/", opened, **given)
    page = text(response)
    assert "Ada also changed: Single Logout URI." in page
    assert "The metadata was read" in page
    shown = fields(response.content.decode())
    assert (shown["issuer"], shown["logout_url"]) == ("urn:new", "https://idp.example/slo")


def test_return_in_a_field_saves_and_does_not_import(ada):
    form = re.search(r'<form class="stack-l" id="provider".*?</form>', ada.html("new/"), re.S)[0]
    assert 'enctype="multipart/form-data"' in form
    assert "name=" not in re.search(r"<button[^>]*>", form)[0]


# --- Refused sign-ins ----------------------------------------------------------------------------


def test_refused_sign_ins_are_listed_apart_from_changes(cast, ada, entra):
    assert "No sign-in through this provider was refused." in ada.get(f"{entra.id}/")
    for number in range(7):
        with time_machine.travel(datetime(2026, 1, 1, number, tzinfo=UTC), tick=False):
            audit.record(
                system(cast.acme),
                audit.Action.PROVIDER_ASSERTION_REFUSED,
                **identity_providers.named(entra),
                after={"reason": "time", "detail": f"Clock differs by {number} s."},
            )
    page = ada.get(f"{entra.id}/")
    assert "Clock differs by 6 s." in page
    assert "Clock differs by 1 s." not in page  # the last five
    assert page.index("Clock differs by 6 s.") < page.index("Clock differs by 2 s.")
    assert "sent somebody whose sign-in was refused" not in page
    assert "set up the identity provider" in page


# --- Deleting ------------------------------------------------------------------------------------


def test_deleting_says_what_stops_and_asks(ada, entra):
    path = f"{entra.id}/delete/"
    page = ada.get(path)
    assert "Delete ‘Entra ID’?" in page
    assert "Its button goes from the sign-in page, and nobody can sign in through it any more." in page
    assert "Apps that send its assertions" not in page
    ada.post(f"{entra.id}/", accept_bearer="on", show_on_sign_in=None)
    page = ada.get(path)
    assert (
        "Nobody can sign in through it any more. Apps that send its assertions get no new tokens." in page
    )
    ada.post(f"{entra.id}/", enabled=None)
    assert "It is off: nobody signs in through it now." in ada.get(path)
    assert ada.browser.post(PAGE + path)["Location"] == PAGE
    assert "Identity provider ‘Entra ID’ was deleted." in ada.get()
    assert not IdentityProvider.objects.exists()
    last = AuditEvent.objects.filter(entity_id=entra.id).order_by("at").last()
    assert last is not None
    assert last.action == audit.Action.PROVIDER_DELETED


@pytest.mark.parametrize("part", ["{id}/delete/", "only-sso/", "only-sso/keeper/"])
def test_what_is_dangerous_asks_for_the_password_again(cast, browser_of, entra, part):
    browser = browser_of(cast.ada)
    path = PAGE + part.format(id=entra.id)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        for response in (browser.get(path), browser.post(path, {"enabled": "on", "version": "1"})):
            assert response["Location"].startswith("/confirm-password/")
    assert IdentityProvider.objects.filter(id=entra.id).exists()
    assert not Organization.objects.get(id=cast.acme.id).only_sso


# --- Only SSO ------------------------------------------------------------------------------------


def only(cast) -> Organization:
    return Organization.objects.get(id=cast.acme.id)


def answer(ada: Console, part: str, **typed: str):
    """Sends the question as it was shown."""
    html = ada.html(part)
    hidden = dict(re.findall(r'type="hidden" name="(version|enabled)" value="([^"]*)"', html))
    return ada.browser.post(PAGE + part, {**hidden, **typed})


def test_only_sso_is_turned_on_with_somebody_who_keeps_a_password(cast, ada, entra):
    assert "Only SSO Off" in ada.get()
    page = ada.get("only-sso/")
    assert "Turn on Only SSO? Passwords then let nobody in but one person." in page
    assert "Ada (ada@acme.example)" in page
    assert "Ben" not in page  # could not undo it
    answer(ada, "only-sso/", keeper=str(cast.ada.id))
    assert (only(cast).only_sso, only(cast).password_keeper) == (True, cast.ada)
    page = ada.get()
    assert "Only SSO is on. Ada keeps a password." in page
    assert "Only SSO On" in page
    assert "Keeps a password Ada ada@acme.example" in page


def test_only_sso_without_a_button_on_the_sign_in_page_is_warned_of(cast, ada, entra):
    warning = "None of your providers has a button on the sign-in page"
    assert warning not in ada.get("only-sso/")
    provider(cast.acme, name="Off", issuer="urn:off", enabled=False)
    ada.post(f"{entra.id}/", show_on_sign_in=None)
    assert warning in ada.get("only-sso/")


def test_only_sso_is_turned_off_again(cast, ada, entra):
    answer(ada, "only-sso/")
    assert only(cast).only_sso
    assert "Turn off Only SSO?" in ada.get("only-sso/")
    answer(ada, "only-sso/")
    assert not only(cast).only_sso
    assert "People can sign in with a password again." in ada.get()


def test_somebody_else_can_keep_the_password(cast, ada, entra):
    assert ada.browser.get(f"{PAGE}only-sso/keeper/")["Location"] == f"{PAGE}only-sso/"
    answer(ada, "only-sso/")
    zoe = cast.person("Zoe", cast.home)
    cast.give(zoe, ("Admin", None))
    assert re.search(rf'value="{cast.ada.id}" selected', ada.html("only-sso/keeper/"))
    answer(ada, "only-sso/keeper/", keeper=str(zoe.id))
    assert only(cast).password_keeper == zoe
    assert "Only SSO is on. Zoe keeps a password." in ada.get()
    answer(ada, "only-sso/keeper/", keeper=str(zoe.id))
    assert "There was nothing to save." in ada.get()


def test_only_sso_needs_a_provider_that_can_be_used(cast, ada):
    sentence = "Only SSO needs an identity provider that is on and has a certificate that has not ended."
    assert sentence in ada.get("only-sso/")
    assert "Turn on Only SSO</button>" not in ada.html("only-sso/")
    response = ada.browser.post(f"{PAGE}only-sso/", {"enabled": "on", "version": "1"})
    assert sentence in text(response)
    assert not only(cast).only_sso


@pytest.mark.parametrize("keeper", ["ben", "cleo", "nobody"])
def test_only_who_could_undo_it_keeps_the_password(cast, ada, entra, keeper):
    chosen = str(getattr(cast, keeper).id) if keeper != "nobody" else "x"
    response = answer(ada, "only-sso/", keeper=chosen)
    assert problems(response) == [
        "Choose an active administrator with a password, who may edit single sign-on."
    ]
    assert not only(cast).only_sso


def test_where_nobody_could_keep_a_password_it_is_said(cast, browser_of, entra):
    nora = clerk(cast, browser_of, Permission.SSO_PROVIDER_EDIT, Permission.SSO_PROVIDER_VIEW)
    cast.ada.set_unusable_password()
    cast.ada.save()
    assert "Nobody who may edit single sign-on and the organization has a password." in nora.get(
        "only-sso/"
    )


@pytest.mark.parametrize("version", ["0", "", "x", "9" * 20, "²"])
def test_an_old_question_turns_nothing(cast, ada, entra, version):
    response = ada.browser.post(f"{PAGE}only-sso/", {"enabled": "on", "version": version})
    assert response["Location"] == PAGE
    assert "Somebody else changed the organization in the meantime." in ada.get()
    assert not only(cast).only_sso


# --- What a test sign-in found -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "met", "says"),
    [
        (True, True, "It works: Ada (ada@acme.example) would be signed in."),
        (False, False, "This sign-in would be refused."),
    ],
)
def test_a_result_says_line_by_line_what_was_met(cast, entra, accepted, met, says):
    lines = [
        Finding("audience", met, "Audience", "<i>urn:other</i>"),
        Finding("person", None, "Person", ""),
    ]
    person = cast.ada if accepted else None
    html = render_to_string(
        "sso/test_result.html",
        {"provider": entra, "lines": lines, "accepted": accepted, "found": person, "back": PAGE},
    )
    assert says in html
    assert "&lt;i&gt;urn:other&lt;/i&gt;" in html
    page = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert f"Audience {'Met' if met else 'Not met'}" in page
    assert "Person Not checked" in page
    assert f'href="{PAGE}"' in html


# --- Without the libraries, and at scale ---------------------------------------------------------


def test_without_the_saml_libraries_every_page_says_so_and_none_breaks(ada, entra, monkeypatch):
    monkeypatch.setattr(toolkit, "WHY_NOT", "ImportError: no xmlsec")
    for path in ("", "new/", f"{entra.id}/"):
        page = ada.get(path)
        assert "SAML is switched off on this server" in page
        assert "ImportError" not in page
        assert "Download metadata" not in page
        assert "Test sign-in" not in page
    response = ada.browser.get(f"{PAGE}metadata.xml")
    assert response.status_code == 503
    assert "SAML is switched off on this server" in text(response)
    response = ada.post(f"{entra.id}/", **{"import": "yes", "metadata_text": metadata(certificate())})
    assert response.status_code == 200
    assert "SAML is switched off on this server" in text(response)
    assert ada.post(f"{entra.id}/", name="Entra").status_code == 302
    assert now(entra).name == "Entra"


def test_the_number_of_statements_does_not_grow_with_the_providers(
    cast, ada, entra, django_assert_max_num_queries
):
    for number in range(15):
        provider(cast.acme, name=f"P{number}", issuer=f"urn:{number}")
    with django_assert_max_num_queries(8):
        ada.get()
    with django_assert_max_num_queries(10):
        ada.get(f"{entra.id}/")


def test_no_page_needs_inline_code(ada, entra):
    for path in ("", "new/", f"{entra.id}/", f"{entra.id}/delete/", "only-sso/"):
        html = ada.html(path)
        for inline in (" style=", "<style", " onclick", "<script>"):
            assert inline not in html
