"""What somebody sends who would like to be another person, or to bring the server down. Each is refused with
a safe description, leaves a line for the administrator, and nothing else."""

from __future__ import annotations

import base64
import copy
import logging
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings as live_settings
from django.db import transaction
from django.test import Client as Browser
from django.utils import timezone
from lxml import etree
from oauth2_provider.models import get_access_token_model

from accounts import queries
from accounts.actor import system
from accounts.models import AuditEvent, UsedAssertion
from accounts.services import people
from oauthclients.models import Client, Consent, TokenFamily
from oauthclients.services import authorizations
from tests.cast import Cast
from tests.saml import (
    BEARER,
    DS,
    EMAIL,
    ENVELOPED,
    EXCLUSIVE,
    GRANT,
    NAMESPACES,
    SAML,
    SAMLP,
    XSI,
    IdP,
    Reference,
    SamlApp,
    all_that_is_stored,
    canonical,
    encode,
    pair,
    signed,
    signed_by_hand,
    written,
)
from tests.standing import standing

INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
# Whom the attacker is, whom they would like to be.
MALLORY, VICTIM = "mallory@acme.example", "ada@acme.example"
MARK = "the-text-of-this-assertion"


@dataclass
class Scene:
    """Mallory works at Acme and has assertions about herself, validly signed; and everything that anybody
    can make without the provider's key."""

    cast: Cast
    app: SamlApp
    idp: IdP
    own: Any = field(default_factory=lambda: pair(which="mallory"))

    def about(self, email: str = MALLORY, **claims: Any) -> etree._Element:
        """The provider's, unsigned."""
        claims.setdefault("attributes", [("note", MARK)])
        return self.idp.unsigned(email=email, **claims)

    def good(self, email: str = MALLORY, **claims: Any) -> etree._Element:
        return reread(signed(self.about(email, **claims), key=self.idp.pair))

    def good_response(self, *nodes: etree._Element, **more: Any) -> etree._Element:
        inside = nodes or (self.about(),)
        return reread(signed(self.idp.wrapped(*inside, **more), key=self.idp.pair))

    def evil(self, original: etree._Element) -> etree._Element:
        """The same about the victim, without the signature and with another ID."""
        other = without_signature(original)
        for one in other.iter(f"{{{SAML}}}Assertion"):
            one.set("ID", "_evil_assertion")
            put_email(one, VICTIM)
        if other.tag == f"{{{SAMLP}}}Response":
            other.set("ID", "_evil_response")
        return other


@dataclass(frozen=True)
class Sent:
    """A request. `assertion` are bytes that are yet to be encoded, or text."""

    assertion: bytes | str | None
    form: dict[str, Any] = field(default_factory=dict)


Build = Callable[[Scene], etree._Element | bytes | str | Sent]


@dataclass(frozen=True)
class Attack:
    build: Build
    reason: str | None
    error: str = "invalid_grant"
    status: int = 400


ATTACKS: dict[str, Attack] = {}


def attack(name: str, reason: str | None, **expected: Any) -> Callable[[Build], Build]:
    """Adds one to the table. `reason` is what the administrator reads, None where the request does not get
    as far as the assertion."""

    def add(build: Build) -> Build:
        assert name not in ATTACKS
        ATTACKS[name] = Attack(build, reason, **expected)
        return build

    return add


def simply(name: str, reason: str, build: Build, **expected: Any) -> None:
    attack(name, reason, **expected)(build)


# --- Small tools ---------------------------------------------------------------------------------


def reread(node: etree._Element) -> etree._Element:
    return etree.fromstring(etree.tostring(node))


def signature_of(node: etree._Element) -> etree._Element:
    found = node.find(f"{{{DS}}}Signature")
    assert found is not None
    return found


def without_signature(node: etree._Element) -> etree._Element:
    other = copy.deepcopy(node)
    for signature in list(other.iter(f"{{{DS}}}Signature")):
        signature.getparent().remove(signature)
    return other


def take_signature(node: etree._Element) -> etree._Element:
    signature = signature_of(node)
    node.remove(signature)
    return signature


def find(node: etree._Element, path: str) -> etree._Element:
    found = node.xpath(path, namespaces=NAMESPACES)
    assert len(found) == 1, path
    return found[0]


def put_email(node: etree._Element, email: str) -> etree._Element:
    find(node, ".//saml:Attribute[@Name='email']/saml:AttributeValue").text = email
    return node


def changed(node: etree._Element, old: str, new: str) -> bytes:
    """The text of it with one part replaced, wherever it stands."""
    text = etree.tostring(node)
    assert old.encode() in text, old
    return text.replace(old.encode(), new.encode())


def wrapping(name: str, **attributes: str) -> etree._Element:
    return etree.Element(name, nsmap={"samlp": SAMLP, "saml": SAML}, **attributes)


# --- Nothing proves it ---------------------------------------------------------------------------

simply("unsigned", "unsigned", lambda scene: scene.about(VICTIM))
simply("unsigned in a response", "unsigned", lambda scene: scene.idp.wrapped(scene.about(VICTIM)))
simply("the email changed", "signature", lambda scene: put_email(scene.good(), VICTIM))
simply(
    "the audience changed",
    "signature",
    lambda scene: changed(
        scene.good(audience="https://other.example"), "https://other.example", scene.idp._audience
    ),
)


@attack("the conditions changed", "signature")
def _(scene):
    node = scene.good(not_on_or_after="2020-01-01T00:00:00Z")
    return changed(node, "2020-01-01T00:00:00Z", written(timezone.now() + timedelta(minutes=5)))


@attack("an attribute added", "signature")
def _(scene):
    node = scene.good(email=None)
    statement = find(node, "./saml:AttributeStatement")
    attribute = etree.SubElement(statement, f"{{{SAML}}}Attribute", Name="email")
    etree.SubElement(attribute, f"{{{SAML}}}AttributeValue").text = VICTIM
    return node


@attack("an attribute added to a signed response", "signature")
def _(scene):
    node = scene.good_response(scene.about(email=None))
    statement = find(node, ".//saml:AttributeStatement")
    attribute = etree.SubElement(statement, f"{{{SAML}}}Attribute", Name="email")
    etree.SubElement(attribute, f"{{{SAML}}}AttributeValue").text = VICTIM
    return node


@attack("the digest made right again", "signature")
def _(scene):
    node = scene.good()
    signature = take_signature(node)
    put_email(node, VICTIM)
    digest = base64.b64encode(hashes_of(canonical(node))).decode()
    find(signature, ".//ds:DigestValue").text = digest
    node.insert(1, signature)
    return node


@attack("the signature's value empty", "signature")
def _(scene):
    node = scene.good(VICTIM)
    find(node, ".//ds:SignatureValue").text = ""
    return node


@attack("the signature of another assertion", "signature-form")
def _(scene):
    node = scene.about(VICTIM)
    node.insert(1, take_signature(scene.good()))
    return node


@attack("another assertion's signature and ID", "signature")
def _(scene):
    node = scene.about(VICTIM, id="_same")
    node.insert(1, take_signature(scene.good(id="_same")))
    return node


simply(
    "another key, its certificate embedded",
    "signature",
    lambda scene: signed(scene.about(VICTIM), key=scene.own),
)
simply(
    "another key, the provider's certificate embedded",
    "signature",
    lambda scene: signed(scene.about(VICTIM), key=scene.own, embed=scene.idp.pair),
)
simply(
    "another key, no certificate",
    "signature",
    lambda scene: signed(scene.about(VICTIM), key=scene.own, embed=None),
)
simply(
    "another key on the response, the right one on the assertion",
    "signature",
    lambda scene: signed(scene.idp.wrapped(scene.good()), key=scene.own),
)
simply(
    "another key on the assertion, the right one on the response",
    "signature",
    lambda scene: signed(scene.idp.wrapped(signed(scene.about(VICTIM), key=scene.own)), key=scene.idp.pair),
)


def hashes_of(content: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize()


# --- Another organization ------------------------------------------------------------------------

_globex = IdP("Globex IdP", "https://idp.globex.example", pair(which="globex"), org="globex")


@attack("another organization's provider", "unknown-issuer")
def _(scene):
    _globex.provider(scene.cast.globex)
    node = replace(_globex, org="acme").unsigned(email=VICTIM)
    return signed(node, key=_globex.pair)


@attack("another organization's provider with the same issuer", "signature")
def _(scene):
    other = replace(_globex, issuer=scene.idp.issuer)
    other.provider(scene.cast.globex)
    return signed(replace(other, org="acme").unsigned(email=VICTIM), key=other.pair)


@attack("our client at the organization whose provider it is", "unknown-organization")
def _(scene):
    _globex.provider(scene.cast.globex)
    node = signed(_globex.unsigned(email=scene.cast.cleo.email), key=_globex.pair)
    return Sent(etree.tostring(node), {"org": "globex"})


@attack("one of another organization, of our provider", "unknown-organization")
def _(scene):
    return Sent(etree.tostring(scene.good(scene.cast.cleo.email)), {"org": "globex"})


simply(
    "somebody of another organization", "unknown-person", lambda scene: scene.good(scene.cast.cleo.email)
)
simply(
    "the name of another organization in it",
    "other-organization",
    lambda scene: scene.good(attributes=[("OrganizationName", "globex")]),
)

# --- Conditions ----------------------------------------------------------------------------------


def _at(**delta: float) -> Callable[[], str]:
    return lambda: written(timezone.now() + timedelta(**delta))


simply(
    "expired",
    "ended",
    lambda scene: scene.good(
        issue_instant=_at(hours=-1)(), not_before=_at(hours=-1)(), not_on_or_after=_at(minutes=-1)()
    ),
)
simply(
    "its confirmation expired",
    "ended",
    lambda scene: scene.good(confirmation_not_on_or_after=_at(minutes=-1)()),
)
simply("in the future", "future", lambda scene: scene.good(not_before=_at(minutes=1)()))
simply("issued in the future", "future", lambda scene: scene.good(issue_instant=_at(minutes=1)()))
simply(
    "its confirmation in the future",
    "future",
    lambda scene: scene.good(confirmation_not_before=_at(minutes=1)()),
)
simply(
    "no end at all",
    "no-end",
    lambda scene: scene.good(not_on_or_after=None, confirmation_not_on_or_after=None),
)
simply(
    "its confirmation without an end",
    "no-end",
    lambda scene: scene.good(confirmation_not_on_or_after=None),
)
for _name, _end in {
    "ten years ahead": _at(days=3650),
    "the year 9999": lambda: "9999-12-31T23:59:59Z",
}.items():
    simply(
        f"good until {_name}",
        "too-long",
        lambda scene, end=_end: scene.good(not_on_or_after=end(), confirmation_not_on_or_after=end()),
    )
for _claim in ("not_on_or_after", "not_before", "confirmation_not_on_or_after", "issue_instant"):
    for _value in ("", "yesterday"):
        simply(
            f"{_claim} {_value!r}",
            "not-a-time",
            lambda scene, claim=_claim, value=_value: scene.good(**{claim: value}),
        )
for _value in (
    "2026-13-40T99:99:99Z",
    "2026-05-01",
    "2026-05-01T00:00:00",
    "2026-05-01T00:00:00+02:00",
    "99999-12-31T23:59:59Z",
    "-2026-05-01T00:00:00Z",
    "0000-00-00T00:00:00Z",
    "2026-05-01T24:00:00Z",
    "2026-05-01T23:59:60Z",
    "٢٠٢٦-٠٥-٠١T٠٠:٠٠:٠٠Z",
    "2026-05-01T00:00:00Z\n",
    "2026-05-01T00:00:00." + "0" * 5000,
):
    simply(
        f"good until {_value[:30]!r}",
        "not-a-time",
        lambda scene, value=_value: scene.good(not_on_or_after=value),
    )
simply("another audience", "other-audience", lambda scene: scene.good(audience="https://other.example"))
simply(
    "an audience that begins like ours",
    "other-audience",
    lambda scene: scene.good(audience=f"{scene.idp._audience}x"),
)
simply("no audience", "no-audience", lambda scene: scene.good(audience=None))
simply("an empty audience", "other-audience", lambda scene: scene.good(audience=""" """))
simply("no audience in the restriction", "other-audience", lambda scene: scene.good(audience=[]))


@attack("two restrictions, one of which is not ours", "other-audience")
def _(scene):
    node = scene.about()
    restriction = etree.SubElement(find(node, "./saml:Conditions"), f"{{{SAML}}}AudienceRestriction")
    etree.SubElement(restriction, f"{{{SAML}}}Audience").text = "https://other.example"
    return signed(node, key=scene.idp.pair)


simply("another recipient", "other-recipient", lambda scene: scene.good(recipient="https://other.example"))
simply(
    "the recipient of a sign-in",
    "other-recipient",
    lambda scene: scene.good(recipient=f"{live_settings.BASE_URL}/saml"),
)
simply("no recipient", "no-recipient", lambda scene: scene.good(recipient=None))
simply("no confirmation", "no-confirmation", lambda scene: scene.good(confirmation=False))
simply("no confirmation data", "no-confirmation", lambda scene: scene.good(confirmation_data=False))
simply(
    "holder of key",
    "no-confirmation",
    lambda scene: scene.good(method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
)
simply(
    "sender vouches",
    "no-confirmation",
    lambda scene: scene.good(method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"),
)
simply(
    "a confirmation method in capitals", "no-confirmation", lambda scene: scene.good(method=BEARER.upper())
)


@attack("replay", "used")
def _(scene):
    xml = etree.tostring(scene.good())
    assert scene.app.sends(xml).status_code == 200
    return xml


@attack("replay of the assertion in a response of its own", "used")
def _(scene):
    node = scene.good()
    assert scene.app.sends(etree.tostring(node)).status_code == 200
    return scene.idp.wrapped(node)


@attack("replay with white space around", "used")
def _(scene):
    xml = etree.tostring(scene.good())
    assert scene.app.sends(xml).status_code == 200
    return b"\n" + xml + b"\n\n"


@attack("two requests answered", "other-request")
def _(scene):
    return scene.good_response(scene.about(in_response_to="_one"), in_response_to="_two")


# --- Signature wrapping --------------------------------------------------------------------------
# The eight shapes of Somorovsky et al., "On Breaking SAML" (2012), as its authors' tool numbers them. The
# signed original is in each, unharmed, and somewhere else; what a careless reader finds first is evil.


def xsw1(scene: Scene) -> etree._Element:
    """The original Response inside the signature of the evil one."""
    original = scene.good_response()
    evil = scene.evil(original)
    signature = take_signature(original)
    signature.append(original)
    evil.insert(1, signature)
    return evil


def xsw2(scene: Scene) -> etree._Element:
    """The original Response before a detached signature, both in the evil one."""
    original = scene.good_response()
    evil = scene.evil(original)
    signature = take_signature(original)
    evil.insert(1, original)
    evil.insert(2, signature)
    return evil


def xsw3(scene: Scene) -> etree._Element:
    """The evil assertion before the original."""
    original = scene.good()
    return scene.idp.wrapped(scene.evil(original), original)


def xsw4(scene: Scene) -> etree._Element:
    """The original inside the evil assertion."""
    original = scene.good()
    evil = scene.evil(original)
    evil.append(original)
    return scene.idp.wrapped(evil)


def xsw5(scene: Scene) -> etree._Element:
    """The signature in the evil assertion, the original after it."""
    original = scene.good()
    evil = scene.evil(original)
    evil.insert(1, take_signature(original))
    return scene.idp.wrapped(evil, original)


def xsw6(scene: Scene) -> etree._Element:
    """The original inside the signature of the evil assertion."""
    original = scene.good()
    evil = scene.evil(original)
    signature = take_signature(original)
    signature.append(original)
    evil.insert(1, signature)
    return scene.idp.wrapped(evil)


def xsw7(scene: Scene) -> etree._Element:
    """The evil assertion in Extensions, where the schema does not look."""
    original = scene.good()
    response = scene.idp.wrapped(original)
    extensions = wrapping(f"{{{SAMLP}}}Extensions")
    extensions.append(scene.evil(original))
    response.insert(1, extensions)
    return response


def xsw8(scene: Scene) -> etree._Element:
    """The original in an Object of the evil assertion's signature."""
    original = scene.good()
    evil = scene.evil(original)
    signature = take_signature(original)
    box = etree.SubElement(signature, f"{{{DS}}}Object")
    box.append(original)
    evil.insert(1, signature)
    return scene.idp.wrapped(evil)


XSW = {f"xsw{number}": globals()[f"xsw{number}"] for number in range(1, 9)}
for _name, _shape in XSW.items():
    simply(_name, "several", _shape)
    # The signature's reference, and the ID that it stands for, found twice.
    simply(
        f"{_name} with the same IDs",
        "several",
        lambda scene, shape=_shape: with_the_same_ids(shape(scene)),
    )


def with_the_same_ids(document: etree._Element) -> etree._Element:
    for kind in ("assertion", "response"):
        for evil in document.xpath(f"//*[@ID='_evil_{kind}']"):
            original = next(
                one
                for one in document.iter(evil.tag)
                if one is not evil and one.get("ID") != evil.get("ID")
            )
            evil.set("ID", original.get("ID"))
    return document


@attack("the original in the Advice of an evil assertion", "several")
def _(scene):
    original = scene.good()
    evil = scene.evil(original)
    advice = etree.Element(f"{{{SAML}}}Advice")
    advice.append(original)
    evil.insert(3, advice)
    return evil


@attack("the signature in the evil assertion, the original in its Advice", "several")
def _(scene):
    original = scene.good()
    evil = scene.evil(original)
    evil.insert(1, take_signature(original))
    advice = etree.Element(f"{{{SAML}}}Advice")
    advice.append(original)
    evil.insert(4, advice)
    return evil


@attack("the original in an Object of the signature of a bare evil assertion", "several")
def _(scene):
    return xsw8(scene)[-1]


@attack("the original under another root", "neither")
def _(scene):
    root = etree.Element("envelope")
    original = scene.good()
    root.extend([scene.evil(original), original])
    return root


@attack("the assertion deeper in the response than it should be", "misplaced")
def _(scene):
    response = scene.idp.wrapped()
    extensions = wrapping(f"{{{SAMLP}}}Extensions")
    extensions.append(scene.good())
    response.append(extensions)
    return response


@attack("an evil assertion that has another namespace", "several")
def _(scene):
    original = scene.good()
    text = etree.tostring(scene.evil(original)).replace(SAML.encode(), b"urn:evil")
    return scene.idp.wrapped(etree.fromstring(text), original)


@attack("a signed response around another assertion than it had", "signature")
def _(scene):
    original = scene.good_response()
    assertion = find(original, "./saml:Assertion")
    original.replace(assertion, scene.evil(assertion))
    return original


simply(
    "two assertions, both signed",
    "several",
    lambda scene: scene.idp.wrapped(scene.good(VICTIM), scene.good()),
)
simply(
    "two assertions, the first of them signed",
    "several",
    lambda scene: scene.idp.wrapped(scene.good(), scene.about(VICTIM)),
)
simply(
    "two assertions, the second of them signed",
    "several",
    lambda scene: scene.idp.wrapped(scene.about(VICTIM), scene.good()),
)
simply(
    "two assertions in a signed response",
    "several",
    lambda scene: scene.good_response(scene.about(), scene.about(VICTIM)),
)
simply(
    "no assertion in a signed response",
    "no-assertion",
    lambda scene: scene.good_response(etree.Element("x")),
)


@attack("the same ID twice", "repeated-id")
def _(scene):
    node = scene.about(id="_same")
    find(node, "./saml:AttributeStatement").set("ID", "_same")
    return signed_by_hand(node, key=scene.idp.pair)


@pytest.mark.parametrize("spelled", ["id", "Id", "{http://www.w3.org/XML/1998/namespace}id"])
def test_an_id_is_not_repeated_in_another_spelling(scene, spelled):
    node = scene.about(id="_same")
    find(node, "./saml:AttributeStatement").set(spelled, "_same")
    response = scene.app.sends(etree.tostring(signed_by_hand(node, key=scene.idp.pair)))
    assert response.json()["error"] == "invalid_grant"


# --- Odd signatures ------------------------------------------------------------------------------


def by_hand(*references: Reference, **more: Any) -> Build:
    return lambda scene: signed_by_hand(scene.about(), *references, key=scene.idp.pair, **more)


simply("a reference to the whole document", "signature-form", by_hand(Reference(uri="")))
simply("a reference by xpointer", "signature-form", by_hand(Reference(uri="#xpointer(/)")))
simply("a reference to a file", "signature-form", by_hand(Reference(uri="file:///etc/passwd")))
simply("a reference to the network", "signature-form", by_hand(Reference(uri="http://127.0.0.1:9/")))
simply("two references to the same", "signature-form", by_hand(Reference(), Reference()))
simply("two references", "signature-form", by_hand(Reference(), Reference(uri="")))
simply("an inclusive canonical form", "algorithm", by_hand(canonicalization=INCLUSIVE))
simply(
    "an inclusive canonical form among the transforms",
    "signature-form",
    by_hand(Reference(transforms=(ENVELOPED, INCLUSIVE))),
)
simply(
    "a canonical form with comments",
    "signature-form",
    by_hand(Reference(transforms=(ENVELOPED, f"{EXCLUSIVE}WithComments"))),
)
simply("no transforms", "signature", by_hand(Reference(transforms=())))
simply(
    "transforms without end",
    "signature-form",
    by_hand(Reference(transforms=(ENVELOPED, *[EXCLUSIVE] * 200))),
)
simply("sha-1 signature", "algorithm", by_hand(algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"))
simply("sha-224 signature", "algorithm", by_hand(algorithm=f"{MORE}rsa-sha224"))
simply("sha-1 digest", "algorithm", by_hand(Reference(digest="http://www.w3.org/2000/09/xmldsig#sha1")))


def _mac(what: Callable[[str], bytes]) -> Build:
    """The public certificate as the secret of a MAC."""
    return lambda scene: signed_by_hand(
        scene.about(VICTIM),
        algorithm=f"{MORE}hmac-sha256",
        mac_key=what(scene.idp.pair.certificate),
    )


simply("hmac with the certificate", "algorithm", _mac(str.encode))
simply(
    "hmac with the certificate in DER",
    "algorithm",
    _mac(lambda pem: x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)),
)


@attack("xpath that leaves the attributes out", "signature-form")
def _(scene):
    node = scene.about()
    transform = etree.Element(
        f"{{{DS}}}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"
    )
    path = etree.SubElement(transform, f"{{{DS}}}XPath", nsmap={"saml": SAML})
    path.text = "not(ancestor-or-self::saml:AttributeStatement)"
    bare = copy.deepcopy(node)
    bare.remove(find(bare, "./saml:AttributeStatement"))
    about = Reference(transforms=(ENVELOPED, transform, EXCLUSIVE), content=canonical(bare))
    return put_email(signed_by_hand(node, about, key=scene.idp.pair), VICTIM)


@attack("xslt", "signature-form")
def _(scene):
    xsl = "http://www.w3.org/1999/XSL/Transform"
    transform = etree.Element(f"{{{DS}}}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116")
    sheet = etree.SubElement(transform, f"{{{xsl}}}stylesheet", nsmap={"xsl": xsl}, version="1.0")
    template = etree.SubElement(sheet, f"{{{xsl}}}template", match="/")
    etree.SubElement(template, f"{{{xsl}}}copy-of", select="document('file:///etc/passwd')")
    about = Reference(transforms=(ENVELOPED, transform, EXCLUSIVE))
    return signed_by_hand(scene.about(), about, key=scene.idp.pair)


@attack("an object in the signature", "signature-form")
def _(scene):
    box = etree.Element(f"{{{DS}}}Object")
    etree.SubElement(box, f"{{{SAML}}}AttributeStatement")
    return signed_by_hand(scene.about(), key=scene.idp.pair, inside=[box])


@attack("a signature twice", "signature-form")
def _(scene):
    node = scene.good()
    node.insert(1, copy.deepcopy(signature_of(node)))
    return node


@attack("a signature inside the subject", "signature-form")
def _(scene):
    node = scene.good()
    find(node, "./saml:Subject").append(take_signature(node))
    return node


@attack("a signature of the response beside one where none belongs", "signature-form")
def _(scene):
    node = scene.good_response()
    find(node, "./samlp:Status").append(copy.deepcopy(signature_of(node)))
    return node


@attack("a key to be fetched from elsewhere", "signature")
def _(scene):
    info = etree.Element(f"{{{DS}}}KeyInfo")
    etree.SubElement(info, f"{{{DS}}}RetrievalMethod", URI="file:///etc/passwd")
    return signed_by_hand(scene.about(VICTIM), key=scene.own, inside=[info])


# --- Texts that two readers read differently ------------------------------------------------------


for _what, _inserted in {
    "a comment": "<!---->",
    "a longer comment": "<!-- x -->",
    "a processing instruction": "<?x y?>",
    "a CDATA section": "<![CDATA[]]>",
}.items():
    simply(
        f"{_what} in the NameID",
        "not-plain-xml",
        lambda scene, part=_inserted: changed(
            scene.good(None, name_id=f"{VICTIM}.evil.example", name_id_format=EMAIL),
            f"{VICTIM}.evil",
            f"{VICTIM}{part}.evil",
        ),
    )
    simply(
        f"{_what} in the email",
        "not-plain-xml",
        lambda scene, part=_inserted: changed(
            scene.good(f"{VICTIM}.evil.example"), f"{VICTIM}.evil", f"{VICTIM}{part}.evil"
        ),
    )
    simply(
        f"{_what} in the Audience",
        "not-plain-xml",
        lambda scene, part=_inserted: changed(
            scene.good(audience=f"{scene.idp._audience}.evil"), "acme.evil", f"acme{part}.evil"
        ),
    )
    simply(
        f"{_what} in the Recipient's element and nowhere that matters",
        "not-plain-xml",
        lambda scene, part=_inserted: changed(
            scene.good(), "</saml:SubjectConfirmation>", f"{part}</saml:SubjectConfirmation>"
        ),
    )
    simply(
        f"{_what} after the root",
        "not-plain-xml",
        lambda scene, part=_inserted: etree.tostring(scene.good()) + part.encode(),
    )


@attack("an element in the email", "no-email")
def _(scene):
    node = scene.about(VICTIM)
    value = find(node, ".//saml:Attribute[@Name='email']/saml:AttributeValue")
    etree.SubElement(value, "x").tail = ".evil.example"
    return signed_by_hand(node, key=scene.idp.pair)


@attack("an element in the NameID", "no-email")
def _(scene):
    node = scene.about(None, name_id=VICTIM, name_id_format=EMAIL)
    etree.SubElement(find(node, ".//saml:NameID"), "x").tail = ".evil.example"
    return signed_by_hand(node, key=scene.idp.pair)


# --- XML that harms who reads it ------------------------------------------------------------------


def with_dtd(subset: str, entity: str = MARK) -> Build:
    return lambda scene: (
        f"<!DOCTYPE Assertion [{subset}]>".encode()
        + changed(scene.good(), MARK, f"&{entity};" if entity != MARK else MARK)
    )


_laughs = "".join(
    f'<!ENTITY l{n} "{"&l%d;" % (n - 1) * 10 if n else "ha"}">'  # noqa: UP031
    for n in range(10)
)
simply("a DTD", "not-plain-xml", with_dtd("<!ELEMENT x ANY><!ATTLIST x ID ID #IMPLIED>"))
simply("an empty DTD", "not-plain-xml", with_dtd(""))
simply("a billion laughs", "not-plain-xml", with_dtd(_laughs, "l9"))
simply(
    "a quadratic blow-up",
    "not-plain-xml",
    lambda scene: with_dtd(f'<!ENTITY a "{"a" * 50_000}">', "a;" + "&a;" * 10_000 + "&a")(scene),
)
simply("a file as an entity", "not-plain-xml", with_dtd('<!ENTITY f SYSTEM "file:///etc/passwd">', "f"))
simply(
    "a file as a parameter entity",
    "not-plain-xml",
    with_dtd('<!ENTITY % f SYSTEM "file:///etc/passwd"> %f;'),
)
simply("an entity that nobody declared", "not-xml", lambda scene: changed(scene.good(), MARK, "&nobody;"))
simply(
    "a style sheet",
    "not-plain-xml",
    lambda scene: b'<?xml-stylesheet href="file:///etc/passwd"?>' + etree.tostring(scene.good()),
)
simply(
    "an include",
    "signature",
    lambda scene: changed(
        scene.good(), MARK, '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'
    ),
)
for _deep in (300, 8_000):
    simply(
        f"{_deep} elements deep",
        "not-xml",
        lambda scene, deep=_deep: changed(scene.good(), MARK, "<a>" * deep + "</a>" * deep),
    )
simply(
    "10,000 attributes",
    "too-complex",
    lambda scene: changed(
        scene.good(), 'Name="note"', 'Name="note" ' + " ".join(f'a{n}=""' for n in range(10_000))
    ),
)
simply(
    "20,000 elements with IDs",
    "too-complex",
    lambda scene: changed(scene.good(), MARK, "".join(f'<a ID="i{n}"/>' for n in range(5_000))),
)
simply("4,000 assertions", "several", lambda scene: changed(scene.good(), MARK, "<Assertion/>" * 4_000))
simply(
    "4,000 signatures",
    "signature-form",
    lambda scene: changed(scene.good(), MARK, f'<Signature xmlns="{DS}"/>' * 2_000),
)
simply("just too large", "too-large", lambda scene: padded(scene, live_settings.SAML_LARGEST_BYTES + 1))
attack("ten megabytes", None, error="invalid_request", status=413)(lambda scene: padded(scene, 10_000_000))


def padded(scene: Scene, length: int) -> bytes:
    xml = etree.tostring(scene.good())
    return xml + b" " * (length - len(xml))


def test_what_is_just_not_too_large_is_accepted(scene):
    assert scene.app.sends(padded(scene, live_settings.SAML_LARGEST_BYTES)).status_code == 200


# --- Not what it should be -----------------------------------------------------------------------

simply("not base64", "not-base64", lambda scene: "%%%")
simply("base64 with a NUL", "not-base64", lambda scene: encode(etree.tostring(scene.good())) + "\x00")
simply("not ASCII", "not-base64", lambda scene: "ÄÖÜß" * 10)
simply("a lone surrogate, as UTF-8 does not have it", "not-base64", lambda scene: "\ufffd\ufffd")
simply("base64 of a wrong length", "not-base64", lambda scene: "AAAAA")
simply("XML without base64", "not-base64", lambda scene: etree.tostring(scene.good()).decode())
simply("base64 twice", "not-xml", lambda scene: encode(etree.tostring(scene.good())).encode())
simply("not XML", "not-xml", lambda scene: b"hello")
simply("white space", "not-xml", lambda scene: "   ")
simply("two roots", "not-xml", lambda scene: etree.tostring(scene.good()) * 2)
simply("half of it", "not-xml", lambda scene: etree.tostring(scene.good())[:1000])
simply("only an equals sign", "not-xml", lambda scene: "=")
simply("HTML", "not-plain-xml", lambda scene: b"<!doctype html><title>Sign in</title>")
simply(
    "another element", "neither", lambda scene: b'<samlp:AuthnRequest xmlns:samlp="%s"/>' % SAMLP.encode()
)
simply("NUL bytes", "not-utf-8", lambda scene: changed(scene.good(), MARK, "\x00"))
simply("not UTF-8", "not-utf-8", lambda scene: etree.tostring(scene.good()).replace(MARK.encode(), b"\xff"))
simply("a control character", "not-xml", lambda scene: changed(scene.good(), MARK, "&#1;"))
for _encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"):
    simply(
        f"in {_encoding}",
        "not-utf-8",
        lambda scene, encoding=_encoding: (
            f'<?xml version="1.0" encoding="{encoding.upper()}"?>' + etree.tostring(scene.good()).decode()
        ).encode(encoding),
    )
for _encoding in ("ISO-8859-1", "UTF-7", "UTF-16", "IBM037", "nonsense", ""):
    simply(
        f"declared to be in {_encoding or 'nothing'}",
        "not-utf-8",
        lambda scene, encoding=_encoding: (
            f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + etree.tostring(scene.good())
        ),
    )
simply(
    "in EBCDIC",
    "not-utf-8",
    lambda scene: (
        '<?xml version="1.0" encoding="IBM037"?>' + etree.tostring(scene.good()).decode()
    ).encode("cp037"),
)
simply(
    "XML 1.1",
    "not-xml",
    lambda scene: b'<?xml version="1.1"?>' + changed(scene.good(), MARK, "&#1;"),
)
attack("empty", None, error="invalid_request")(lambda scene: "")
attack("missing", None, error="invalid_request")(lambda scene: Sent(None))


@attack("SAML 1.1", "neither")
def _(scene):
    old = "urn:oasis:names:tc:SAML:1.0:assertion"
    node = etree.Element(
        f"{{{old}}}Assertion",
        nsmap={"saml": old},
        AssertionID="_old",
        MajorVersion="1",
        MinorVersion="1",
        Issuer=scene.idp.issuer,
        IssueInstant=written(timezone.now()),
    )
    statement = etree.SubElement(node, f"{{{old}}}AttributeStatement")
    subject = etree.SubElement(statement, f"{{{old}}}Subject")
    etree.SubElement(subject, f"{{{old}}}NameIdentifier").text = VICTIM
    return signed_by_hand(node, Reference(uri="#_old"), key=scene.idp.pair)


simply("another version of SAML", "neither", lambda scene: scene.good(version="1.1"))
simply(
    "a response without success",
    "status",
    lambda scene: scene.good_response(status="urn:oasis:names:tc:SAML:2.0:status:Requester"),
)
simply("a response with an empty status", "status", lambda scene: scene.good_response(status=""))
simply(
    "the assertion of a response without success",
    "status",
    lambda scene: scene.idp.wrapped(scene.good(), status="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"),
)


@attack("a response without a status", "status")
def _(scene):
    response = scene.idp.wrapped(scene.good())
    response.remove(find(response, "./samlp:Status"))
    return response


@attack("a response of another issuer", "not-standard")
def _(scene):
    return scene.idp.wrapped(scene.good(), issuer="https://other.example")


@attack("a response that was sent to somebody else", "not-standard")
def _(scene):
    return scene.idp.wrapped(scene.good(), destination="https://other.example/saml")


def encrypted(tag: str) -> etree._Element:
    node = etree.Element(f"{{{SAML}}}{tag}", nsmap={"saml": SAML})
    data = etree.SubElement(node, f"{{{XENC}}}EncryptedData", nsmap={"xenc": XENC}, Type=f"{XENC}Element")
    etree.SubElement(data, f"{{{XENC}}}EncryptionMethod", Algorithm=f"{XENC}aes128-cbc")
    info = etree.SubElement(data, f"{{{DS}}}KeyInfo", nsmap={"ds": DS})
    key = etree.SubElement(info, f"{{{XENC}}}EncryptedKey")
    etree.SubElement(key, f"{{{XENC}}}EncryptionMethod", Algorithm=f"{XENC}rsa-oaep-mgf1p")
    for holder in (key, data):
        cipher = etree.SubElement(holder, f"{{{XENC}}}CipherData")
        etree.SubElement(cipher, f"{{{XENC}}}CipherValue").text = "AAAA" * 16
    return node


simply(
    "an encrypted assertion",
    "encrypted",
    lambda scene: scene.good_response(encrypted("EncryptedAssertion")),
)
simply(
    "an encrypted assertion beside a plain one",
    "encrypted",
    lambda scene: scene.idp.wrapped(encrypted("EncryptedAssertion"), scene.good()),
)


@attack("an encrypted NameID", "encrypted")
def _(scene):
    node = scene.about()
    subject = find(node, "./saml:Subject")
    subject.replace(find(subject, "./saml:NameID"), encrypted("EncryptedID"))
    return signed_by_hand(node, key=scene.idp.pair)


@attack("an encrypted attribute", "encrypted")
def _(scene):
    node = scene.about()
    find(node, "./saml:AttributeStatement").append(encrypted("EncryptedAttribute"))
    return signed_by_hand(node, key=scene.idp.pair)


@attack("a condition that nobody knows", "not-standard")
def _(scene):
    """SAML core 2.5.1: what is not understood is not met."""
    node = scene.about()
    condition = etree.SubElement(
        find(node, "./saml:Conditions"), f"{{{SAML}}}Condition", nsmap={"xsi": XSI, "x": "urn:x"}
    )
    condition.set(f"{{{XSI}}}type", "x:Unheard")
    return signed_by_hand(node, key=scene.idp.pair)


@attack("a session at the provider that is over", "not-standard")
def _(scene):
    node = scene.about()
    find(node, "./saml:AuthnStatement").set("SessionNotOnOrAfter", "2020-01-01T00:00:00Z")
    return signed_by_hand(node, key=scene.idp.pair)


simply(
    "a signature with RSA-PSS",
    "algorithm",
    lambda scene: signed(scene.about(), algorithm="sha256-rsa-MGF1"),
)


@attack("two issuers", "no-issuer")
def _(scene):
    node = scene.about()
    issuer = find(node, "./saml:Issuer")
    node.insert(1, copy.deepcopy(issuer))
    return signed_by_hand(node, key=scene.idp.pair)


simply("an empty issuer", "no-issuer", lambda scene: scene.good(issuer=""))
simply("an unknown issuer", "unknown-issuer", lambda scene: scene.good(issuer="https://x.example/<script>"))
simply(
    "an issuer in another case", "unknown-issuer", lambda scene: scene.good(issuer=scene.idp.issuer.upper())
)
simply("no ID", "signature-form", lambda scene: without_id(scene.good()))
simply("no ID in a signed response", "no-id", lambda scene: scene.good_response(without_id(scene.about())))


def without_id(node: etree._Element) -> etree._Element:
    del node.attrib["ID"]
    return node


for _id, _reason in {
    "x' or '1'='1": "signature",
    "a b": "signature",
    '"><script>': "not-standard",
    "1abc": "not-standard",
    "#": "not-standard",
    "\u00e9\u202e": "not-standard",
    "../../etc/passwd": "not-standard",
}.items():
    simply(
        f"the ID {_id!r}",
        _reason,
        lambda scene, id=_id: signed_by_hand(scene.about(id=id), key=scene.idp.pair),
    )

# --- The person ----------------------------------------------------------------------------------

simply("two values of the email", "several-emails", lambda scene: scene.good([MALLORY, VICTIM]))
simply(
    "two attributes for the email",
    "several-emails",
    lambda scene: scene.good(attributes=[("email", VICTIM)]),
)
simply("the same email twice", "several-emails", lambda scene: scene.good([MALLORY, MALLORY]))
simply("no email", "no-email", lambda scene: scene.good(None))
simply("an empty email", "no-email", lambda scene: scene.good(""" """))
simply("nobody's email", "unknown-person", lambda scene: scene.good("nobody@acme.example"))
simply("an email with more around", "unknown-person", lambda scene: scene.good(f"{VICTIM},{MALLORY}"))
simply("an email with a wildcard", "unknown-person", lambda scene: scene.good("%@acme.example"))
simply("an email like another", "unknown-person", lambda scene: scene.good("adа@acme.example"))
simply(
    "an email in a wider lower case", "unknown-person", lambda scene: kim(scene, "\u212aim@acme.example")
)
simply("an email with a no-break space", "unknown-person", lambda scene: scene.good(f"{VICTIM}\u00a0"))
simply("an email with a space of no width", "unknown-person", lambda scene: scene.good(f"\u200b{VICTIM}"))
simply("a long email", "unknown-person", lambda scene: scene.good("a" * 50_000 + "@acme.example"))
simply(
    "no subject",
    "no-confirmation",
    lambda scene: signed_by_hand(without(scene.about(), "./saml:Subject"), key=scene.idp.pair),
)


def kim(scene: Scene, email: str) -> etree._Element:
    """Unicode has a sign for kelvin, whose lower case is k: another account's at the provider."""
    scene.cast.person("Kim", scene.cast.home)
    return scene.good(email)


def without(node: etree._Element, path: str) -> etree._Element:
    found = find(node, path)
    found.getparent().remove(found)
    return node


@attack("an inactive person", "inactive-person")
def _(scene):
    people.change(
        actor=system(scene.cast.acme), user_id=scene.cast.eve.id, version=1, values={"state": "inactive"}
    )
    return scene.good(scene.cast.eve.email)


@attack("a deleted person", "inactive-person")
def _(scene):
    people.delete(actor=system(scene.cast.acme), user_id=scene.cast.eve.id)
    return scene.good(scene.cast.eve.email)


@attack("an organization that is suspended", None, error="unauthorized_client")
def _(scene):
    scene.cast.acme.active = False
    scene.cast.acme.save()
    return scene.good()


# --- The client ----------------------------------------------------------------------------------


@attack("an app that the organization did not authorize", "not.authorized")
def _(scene):
    scene.app.client, scene.app.secret = scene.cast.client(
        name="Bens app", grant_type="saml2-bearer", scope=("users",), by=scene.cast.ben
    )
    return scene.good()


@attack("an app that is for others only", "authz.policy.denied")
def _(scene):
    authorizations.approve(
        actor=scene.cast.actor(scene.cast.ada),
        client_id=scene.app.client.id,
        scope=["users"],
        roles=[str(scene.cast.role("Supervisor").id)],
    )
    return scene.good()


@attack("an app of another organization", "unknown-organization")
def _(scene):
    scene.app.client, scene.app.secret = scene.cast.client(
        name="Cleos app", grant_type="saml2-bearer", scope=("users",), by=scene.cast.cleo
    )
    return scene.good()


@attack("a client that is disabled", None, error="unauthorized_client")
def _(scene):
    Client.objects.filter(id=scene.app.client.id).update(state="disabled")
    return scene.good()


@attack("a client that is inactive", None, error="unauthorized_client")
def _(scene):
    Client.objects.filter(id=scene.app.client.id).update(state="inactive")
    return scene.good()


for _type in ("client-credentials", "authorization-code", "implicit"):

    @attack(f"a client of the type {_type}", None, error="unauthorized_client")
    def _(scene, grant_type=_type):
        scene.app.client, scene.app.secret = scene.cast.client(
            *([("Supervisor", scene.cast.home)] if grant_type == "client-credentials" else []),
            name="Another",
            grant_type=grant_type,
            scope=("users",),
            redirect_uris=("https://app.example/",),
            by=scene.cast.ada,
        )
        return scene.good()


attack("a wrong secret", None, error="invalid_client", status=401)(
    lambda scene: Sent(etree.tostring(scene.good()), {"secret": "lks_wrong"})
)
attack("no secret", None, error="invalid_client", status=401)(
    lambda scene: Sent(
        etree.tostring(scene.good()), {"secret": "", "client_id": scene.app.client.client_id}
    )
)
attack("a verifier instead of a secret", None, error="invalid_client", status=401)(
    lambda scene: Sent(
        etree.tostring(scene.good()),
        {"secret": "", "client_id": scene.app.client.client_id, "code_verifier": "v" * 43},
    )
)
attack("the assertion as the client's proof", None, error="invalid_client", status=401)(
    lambda scene: Sent(
        etree.tostring(scene.good()),
        {
            "secret": "",
            "client_id": scene.app.client.client_id,
            "client_assertion": encode(etree.tostring(scene.good())),
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        },
    )
)
attack("a NUL in the organization's name", "unknown-organization")(
    lambda scene: Sent(etree.tostring(scene.good()), {"org": "ac\x00me"})
)
for _name in ("user", "client", "scopes", "sign_in", "used_secret", "person"):
    attack(f"a parameter called {_name}", "unsigned")(
        lambda scene, name=_name: Sent(etree.tostring(scene.about(VICTIM)), {name: str(scene.cast.ada.id)})
    )


# --- The table -----------------------------------------------------------------------------------


@standing
def scene(cast: Cast) -> Scene:
    app = SamlApp.at_acme(cast)
    cast.give(cast.person("Mallory", cast.home), ("Employee", cast.home))
    return Scene(cast, app, app.idp)


def sent(scene: Scene, made: etree._Element | bytes | str | Sent) -> Sent:
    if isinstance(made, Sent):
        return made
    return Sent(made if isinstance(made, bytes | str) else etree.tostring(made))


def what_was_given() -> tuple[int, ...]:
    models = (get_access_token_model(), UsedAssertion, Consent, TokenFamily)
    return tuple(model.objects.count() for model in models)


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_refused(scene, name, caplog, capfd):
    row = ATTACKS[name]
    made = sent(scene, row.build(scene))
    before, told = what_was_given(), AuditEvent.objects.count()
    capfd.readouterr()
    caplog.clear()
    caplog.set_level(logging.DEBUG)

    response = scene.app.sends(made.assertion, **made.form)

    body = response.json()
    assert (response.status_code, body["error"]) == (row.status, row.error), body
    assert response["Cache-Control"] == "no-store"
    lines = list(AuditEvent.objects.order_by("at", "id"))[told:]
    if row.reason is None:
        assert not lines
    else:
        (line,) = lines
        assert (line.action, line.after["reason"]) == ("app.assertionRefused", row.reason), line.after
        assert line.entity_id == scene.app.client.id
        assert line.after["detail"]
        assert len(line.after["detail"]) < 1000
    assert what_was_given() == before

    # A description may be told to anybody: in ASCII (RFC 6749 5.2), and nothing of what was sent.
    description = body["error_description"]
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,100}", description)
    for part in (MALLORY, VICTIM, "evil", "example", "passwd", "<", "script", "Exception", "Error"):
        assert part not in description
    written = capfd.readouterr()
    logged = caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    for text in (logged, written.out, written.err):
        for part in secrets_of(made):
            assert part not in text
    for part in secrets_of(made):
        assert part not in all_that_is_stored()


def secrets_of(made: Sent) -> list[str]:
    """What of this request must not be found again anywhere."""
    parts = [MARK, "root:x:0"]
    if isinstance(made.assertion, bytes) and len(made.assertion) > 200:
        parts += [encode(made.assertion)[:60], encode(made.assertion, urlsafe=True)[:60]]
        parts += re.findall(r"SignatureValue>([^<]{40})", made.assertion.decode("utf-8", "replace"))
    elif isinstance(made.assertion, str) and len(made.assertion) > 60:
        parts.append(made.assertion[:60])
    return parts


@pytest.mark.parametrize("name", ["unsigned", "a file as an entity", "replay", "an inactive person"])
def test_what_is_told_to_a_browser_in_another_language_is_ascii_too(scene, name):
    made = sent(scene, ATTACKS[name].build(scene))
    response = scene.app.sends(made.assertion, headers={"Accept-Language": "fr"})
    assert response.json()["error_description"].isascii()


@pytest.mark.parametrize(
    "name",
    [
        "an app that the organization did not authorize",
        "an app that is for others only",
        "a client that is disabled",
        "missing",
    ],
)
def test_so_is_what_is_told_about_the_app(scene, name):
    made = sent(scene, ATTACKS[name].build(scene))
    response = scene.app.sends(made.assertion, headers={"Accept-Language": "fr"})
    assert response.status_code == 400
    assert response.json()["error_description"].isascii()


def test_after_all_of_them_a_good_one_is_accepted(scene):
    """One after the other in one process, which survives each; only what they store is undone."""
    app = scene.app
    for name, row in ATTACKS.items():
        with transaction.atomic():
            again = replace(scene, app=replace(app))
            made = sent(again, row.build(again))
            assert again.app.sends(made.assertion, **made.form).status_code == row.status, name
            transaction.set_rollback(True)
        assert app.asks(email=MALLORY).status_code == 200, name
    for sign in ("assertion", "response", "both"):
        assert app.asks(sign=sign, email=MALLORY).status_code == 200


def test_no_address_outside_is_asked(scene):
    """DTD, schema location, style sheet, key, reference and include, all with the address of a server that
    listens; nobody comes."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        info = etree.Element(f"{{{DS}}}KeyInfo")
        etree.SubElement(info, f"{{{DS}}}RetrievalMethod", URI=url)
        good = etree.tostring(scene.good())
        with_key = etree.tostring(signed_by_hand(scene.about(), key=scene.own, inside=[info]))
        by_reference = etree.tostring(signed_by_hand(scene.about(), Reference(uri=url), key=scene.idp.pair))
        located = scene.about()
        located.set("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", f"{SAML} {url}")
        for xml in (
            f'<!DOCTYPE x SYSTEM "{url}">'.encode() + good,
            f'<!DOCTYPE x [<!ENTITY % y SYSTEM "{url}"> %y;]>'.encode() + good,
            f'<?xml-stylesheet href="{url}"?>'.encode() + good,
            good.replace(
                MARK.encode(),
                f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{url}"/>'.encode(),
            ),
            with_key,
            by_reference,
            etree.tostring(signed_by_hand(located, key=scene.idp.pair)),
        ):
            scene.app.sends(xml)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_nothing_is_read_from_the_address(scene):
    sent = encode(etree.tostring(scene.good()))
    for query in (
        {"assertion": sent, "orgName": "acme", "grant_type": GRANT},
        {"assertion": sent},
        {"orgName": "acme"},
    ):
        response = Browser(query_params=query).post("/oauth/token", query_params=query)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert not get_access_token_model().objects.exists()


@pytest.mark.parametrize("name", ["assertion", "orgName", "grant_type"])
def test_no_parameter_comes_twice(scene, name):
    body = {"grant_type": GRANT, "orgName": "acme", "assertion": encode(etree.tostring(scene.good()))}
    twice = "&".join(f"{key}={value}" for key, value in [*body.items(), (name, body[name])])
    response = Browser().post("/oauth/token", twice, content_type="application/x-www-form-urlencoded")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


# --- The table itself ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", XSW)
def test_each_wrapping_holds_the_validly_signed_original(scene, name):
    """Else the table would prove nothing: its digest is right, and so is the signature of that."""
    document = reread(XSW[name](scene))
    (signature,) = document.iter(f"{{{DS}}}Signature")
    key = x509.load_pem_x509_certificate(scene.idp.pair.certificate.encode()).public_key()
    key.verify(
        base64.b64decode(find(signature, "./ds:SignatureValue").text),
        canonical(find(signature, "./ds:SignedInfo")),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )
    uri = find(signature, ".//ds:Reference").get("URI")
    original = find(document, f"//*[@ID='{uri[1:]}']")
    digest = base64.b64encode(hashes_of(canonical(without_signature(original)))).decode()
    assert find(signature, ".//ds:DigestValue").text == digest
    assert VICTIM.encode() not in etree.tostring(original)
    assert VICTIM.encode() in etree.tostring(document)


@pytest.mark.parametrize("whom", [MALLORY, VICTIM])
def test_what_the_attacks_are_made_of_is_accepted(scene, whom):
    """So each is refused for what it does, and not for what it is made of."""
    assert scene.app.sends(etree.tostring(scene.good(whom))).status_code == 200
    assert scene.app.sends(etree.tostring(scene.good_response(scene.about(whom)))).status_code == 200
    by_hand = signed_by_hand(scene.about(whom), key=scene.idp.pair)
    assert scene.app.sends(etree.tostring(by_hand)).status_code == 200


def test_a_person_of_the_same_email_elsewhere_is_somebody_else(scene):
    cast = scene.cast
    other = cast.person("Mallory", queries.home_division(cast.globex))
    assert other.email == "mallory@globex.example"
    made = scene.app.sends(etree.tostring(scene.good(other.email)))
    assert made.json()["error"] == "invalid_grant"
