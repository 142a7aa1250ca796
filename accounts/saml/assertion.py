"""From what somebody sent to what an identity provider said.

Three steps, none of which trusts the one before it further than it went: `open_envelope` finds the one
assertion without believing it, `prove` says which certificate signed it, and `read` takes the values out of
that which was signed, alone, so that nothing can be wrapped around it.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from accounts.models import IdentityProvider
from accounts.rules.provider_spec import Certificate
from accounts.saml import service_provider, toolkit
from accounts.saml.verdict import Check, shown

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_RESPONSE = "{urn:oasis:names:tc:SAML:2.0:protocol}Response"
_ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_TRANSFORMS = {"http://www.w3.org/2000/09/xmldsig#enveloped-signature", _EXCLUSIVE}
_SIGNATURES = {
    f"http://www.w3.org/2001/04/xmldsig-more#{kind}-sha{bits}"
    for kind in ("rsa", "ecdsa")
    for bits in (256, 384, 512)
}
_DIGESTS = {
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
}
# Everything in it that begins so could make two readers read two things.
_NOT_PLAIN = re.compile(r"<!|<\?(?!xml\s)")
_DECLARED = re.compile(r"<\?xml[^>]*\sencoding\s*=\s*[\"']([^\"']*)[\"']")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Refused(Exception):
    """A condition that is not met, with the reason of verdict.py and its values."""

    def __init__(self, check: Check, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.check = check
        self.reason = reason
        self.values = {name: shown(value) for name, value in values.items()}


@dataclass(frozen=True)
class Envelope:
    """An assertion that nobody has vouched for yet. `message` is the Response around it, if there is one;
    `issuer` and `in_response_to` are what it claims."""

    data: bytes
    root: Any
    assertion: Any
    message: Any | None
    issuer: str
    in_response_to: str


@dataclass(frozen=True)
class Confirmation:
    """A bearer SubjectConfirmation (SAML core 2.4.1.2)."""

    recipient: str
    not_before: datetime | None
    not_on_or_after: datetime | None
    in_response_to: str


@dataclass(frozen=True)
class Assertion:
    """What was signed."""

    id: str
    issuer: str
    issued_at: datetime
    audiences: tuple[frozenset[str], ...]
    not_before: datetime | None
    not_on_or_after: datetime | None
    confirmations: tuple[Confirmation, ...]
    name_id: str
    name_id_format: str
    attributes: dict[str, list[str]]
    authenticated_at: datetime | None
    session_index: str

    @property
    def ends_at(self) -> datetime | None:
        """From when on it is good for nothing; None where it does not say."""
        ends = [one.not_on_or_after for one in self.confirmations]
        last = None if None in ends else max((end for end in ends if end is not None), default=None)
        return min((end for end in (self.not_on_or_after, last) if end is not None), default=None)


def open_envelope(text: str, *, pasted: bool = False) -> Envelope:
    """`text` is base64 or base64url; with `pasted`, the XML itself as well. Raises `Refused`."""
    toolkit.require()
    data = _plain_xml(_decoded(text, pasted=pasted))
    try:
        root = toolkit.XML.to_etree(data)
    except Exception as error:  # whatever lxml and its guards raise
        raise Refused(Check.READABLE, "not-xml") from error
    if root.tag not in (_RESPONSE, _ASSERTION):
        raise Refused(Check.ONE, "neither")
    if _query(root, "//*[starts-with(local-name(), 'Encrypted')]"):
        raise Refused(Check.ONE, "encrypted")
    message = root if root.tag == _RESPONSE else None
    # Whatever its namespace: a second one in a place of its own is how signatures are wrapped.
    found = _query(root, "/descendant-or-self::*[local-name() = 'Assertion']")
    if not found:
        raise Refused(Check.ONE, "no-assertion", status=status_of(message))
    if len(found) > 1:
        raise Refused(Check.ONE, "several", count=len(found))
    assertion = found[0]
    if assertion.tag != _ASSERTION or (message is not None and assertion.getparent() is not message):
        raise Refused(Check.ONE, "misplaced")
    ids = [str(value) for value in _query(root, "//@*[translate(local-name(), 'ID', 'id') = 'id']")]
    if len(ids) != len(set(ids)):
        raise Refused(Check.ONE, "repeated-id")
    issuers = _query(assertion, "./saml:Issuer")
    if len(issuers) != 1 or not (issuer := _text(issuers[0])):
        raise Refused(Check.ISSUER, "no-issuer")
    answered = [] if message is None else [message.get("InResponseTo", "")]
    answered += [one.get("InResponseTo", "") for one in _query(assertion, _CONFIRMATION_DATA)]
    claims = {claim for claim in answered if claim}
    if len(claims) > 1:
        raise Refused(Check.RECIPIENT, "other-request")
    return Envelope(data, root, assertion, message, issuer, next(iter(claims), ""))


def prove(envelope: Envelope, certificates: Iterable[Certificate]) -> Certificate:
    """Which of the certificates signed it: the assertion, or the Response that it stands in; where both
    are signed, both. What is embedded in the signature is not looked at. Raises `Refused`."""
    signatures = _query(envelope.root, "//ds:Signature")
    signed = [one.getparent() for one in signatures]
    allowed = [node for node in (envelope.assertion, envelope.message) if node is not None]
    if not signatures:
        raise Refused(Check.SIGNATURE, "unsigned")
    if len(signed) != len(set(signed)) or any(node not in allowed for node in signed):
        raise Refused(Check.SIGNATURE, "signature-form", what="it stands where none belongs")
    for signature in signatures:
        _check_form(signature)
    for certificate in certificates:
        if all(_is_of(signature, envelope.root, certificate) for signature in signatures):
            return certificate
    raise Refused(Check.SIGNATURE, "signature")


def read(envelope: Envelope) -> Assertion:
    """What the assertion says, read from the bytes that the signature was made over. Raises `Refused`."""
    signed = toolkit.etree.tostring(envelope.assertion, method="c14n", exclusive=True, with_comments=False)
    node = toolkit.XML.to_etree(signed)
    subject = _query(node, "./saml:Subject/saml:NameID")
    statement = _query(node, "./saml:AuthnStatement")
    conditions = _query(node, "./saml:Conditions")
    only = conditions[0] if len(conditions) == 1 else None
    return Assertion(
        id=node.get("ID", ""),
        issuer=_text(_query(node, "./saml:Issuer")[0]),
        issued_at=_time(node.get("IssueInstant", "")),
        audiences=tuple(
            frozenset(_text(one) for one in _query(restriction, "./saml:Audience"))
            for restriction in _query(node, "./saml:Conditions/saml:AudienceRestriction")
        ),
        not_before=_optional_time(only, "NotBefore"),
        not_on_or_after=_optional_time(only, "NotOnOrAfter"),
        confirmations=tuple(
            Confirmation(
                recipient=one.get("Recipient", ""),
                not_before=_optional_time(one, "NotBefore"),
                not_on_or_after=_optional_time(one, "NotOnOrAfter"),
                in_response_to=one.get("InResponseTo", ""),
            )
            for one in _query(node, _CONFIRMATION_DATA)
        ),
        name_id=_text(subject[0]) if len(subject) == 1 else "",
        name_id_format=subject[0].get("Format", "") if len(subject) == 1 else "",
        attributes=_attributes(node),
        authenticated_at=_optional_time(statement[0], "AuthnInstant") if statement else None,
        session_index=statement[0].get("SessionIndex", "") if statement else "",
    )


def status_of(message: Any | None) -> str:
    """The status of a Response (SAML core 3.2.2.2), the second-level one where there is one."""
    if message is None:
        return SUCCESS
    codes = _query(message, "./samlp:Status//samlp:StatusCode")
    values = [code.get("Value", "") for code in codes]
    return SUCCESS if values == [SUCCESS] else (values or ["?"])[-1]


def judged_by_toolkit(
    envelope: Envelope, provider: IdentityProvider, *, recipient: str, certificate: Certificate
) -> str:
    """Why python3-saml, in its strict mode, would refuse it; empty where it would not. It knows of the
    schema and of much that is rare, and it is a second opinion on everything else."""
    own = service_provider.settings_to_read(provider, recipient=recipient, certificate=certificate.pem)
    parts = urlsplit(recipient)
    request = {
        "https": "on" if parts.scheme == "https" else "off",
        "http_host": parts.netloc,
        "script_name": parts.path,
    }
    try:
        judge = _judge(own, envelope)
        judge.is_valid(request, raise_exceptions=True)
        judge.get_attributes()
    except toolkit.ValidationError as error:
        # That one allows for no difference of clocks. `services/assertions.py` has looked at everything in
        # it, and the signature, which comes after, was verified in `prove`.
        return "" if error.code == toolkit.ValidationError.WRONG_SUBJECTCONFIRMATION else str(error)
    except Exception as error:  # its parsing of times and the like raises whatever it meets
        return f"{type(error).__name__}: {error}"
    return ""


_CONFIRMATION_DATA = (
    f"./saml:Subject/saml:SubjectConfirmation[@Method='{BEARER}']/saml:SubjectConfirmationData"
)


def _judge(own: Any, envelope: Envelope) -> Any:
    """A bare assertion is wrapped as it is, byte for byte, because python3-saml reads Responses only."""

    class Judge(toolkit.Response):
        def check_one_authnstatement(self) -> bool:
            """RFC 7522 3: an assertion for an app that acts on its own has none."""
            return len(self._query_assertion("/saml:AuthnStatement")) <= 1

    data = envelope.data
    if envelope.message is None:
        bare = re.sub(rb"\A\s*<\?xml[^>]*\?>", b"", data)
        data = (
            b'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_'
            + secrets.token_hex(16).encode()
            + b'" Version="2.0" IssueInstant="2000-01-01T00:00:00Z"><samlp:Status><samlp:StatusCode Value="'
            + SUCCESS.encode()
            + b'"/></samlp:Status>'
            + bare
            + b"</samlp:Response>"
        )
    return Judge(own, base64.b64encode(data).decode())


def _decoded(text: str, *, pasted: bool) -> bytes:
    most = settings.SAML_LARGEST_BYTES
    # Base64 makes four characters of three bytes, and lines of them.
    if len(text) > most * 3 // 2:
        raise Refused(Check.READABLE, "too-large", most=most)
    compact = "".join(text.split())
    if pasted and compact.startswith("<"):
        data = text.strip().encode()
    else:
        compact = compact.rstrip("=").translate(str.maketrans("-_", "+/"))
        try:
            data = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused(Check.READABLE, "not-base64") from error
    if len(data) > most:
        raise Refused(Check.READABLE, "too-large", most=most)
    return data


def _plain_xml(data: bytes) -> bytes:
    """XML in UTF-8 in which nothing hides: no DTD, so no entities, no comments that split a text in two,
    nothing addressed to the reader."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(Check.READABLE, "not-utf-8") from error
    declared = _DECLARED.match(text.lstrip("\ufeff \t\r\n"))
    if "\0" in text or (declared and declared[1].lower() not in ("utf-8", "utf8", "us-ascii", "ascii")):
        raise Refused(Check.READABLE, "not-utf-8")
    if _NOT_PLAIN.search(text):
        raise Refused(Check.READABLE, "not-plain-xml")
    return data


def _check_form(signature: Any) -> None:
    """XML Signature can say a great deal; SAML core 5.4 wants little of it, and no more is accepted."""

    def wrong(what: str) -> Refused:
        return Refused(Check.SIGNATURE, "signature-form", what=what)

    parent = signature.getparent()
    children = [child.tag for child in signature]
    if children[:2] != [f"{_DS}SignedInfo", f"{_DS}SignatureValue"] or children[2:] not in (
        [],
        [f"{_DS}KeyInfo"],
    ):
        raise wrong("it holds more or less than it should")
    info = signature[0]
    references = _query(info, "./ds:Reference")
    if len(references) != 1 or len(info) != 3:
        raise wrong("it has not exactly one reference")
    if not parent.get("ID") or references[0].get("URI") != f"#{parent.get('ID')}":
        raise wrong("it is about another element")
    transforms = [one.get("Algorithm") for one in _query(references[0], "./ds:Transforms/ds:Transform")]
    if not set(transforms) <= _TRANSFORMS or len(set(transforms)) != len(transforms):
        raise wrong("its transforms are others than enveloped signature and exclusive canonicalization")
    for path, known in (
        ("./ds:CanonicalizationMethod", {_EXCLUSIVE}),
        ("./ds:SignatureMethod", _SIGNATURES),
        ("./ds:Reference/ds:DigestMethod", _DIGESTS),
    ):
        algorithms = [one.get("Algorithm") for one in _query(info, path)]
        if len(algorithms) != 1 or algorithms[0] not in known:
            raise Refused(Check.SIGNATURE, "algorithm", algorithm=(algorithms or ["?"])[0])


def _is_of(signature: Any, root: Any, certificate: Certificate) -> bool:
    toolkit.xmlsec.tree.add_ids(root, ["ID"])
    return bool(
        toolkit.Utils.validate_node_sign(signature, root, cert=certificate.pem, raise_exceptions=False)
    )


def _attributes(node: Any) -> dict[str, list[str]]:
    """By name; those that stand there twice with all of their values."""
    found: dict[str, list[str]] = {}
    for attribute in _query(node, "./saml:AttributeStatement/saml:Attribute"):
        values = found.setdefault(attribute.get("Name", ""), [])
        values += [_text(value) for value in _query(attribute, "./saml:AttributeValue")]
    return found


def _query(node: Any, path: str) -> list[Any]:
    return list(toolkit.XML.query(node, path))


def _text(node: Any) -> str:
    """Empty for what is more than a text."""
    return "" if len(node) else (toolkit.XML.element_text(node) or "").strip()


def _optional_time(node: Any, name: str) -> datetime | None:
    value = None if node is None else node.get(name)
    return None if value is None else _time(value)


def _time(value: str) -> datetime:
    """SAML core 1.3.3: in UTC, written with a Z."""
    try:
        if not _TIME.fullmatch(value):
            raise ValueError(value)
        return datetime.fromisoformat(value[:19]).replace(tzinfo=UTC)
    except ValueError as error:
        raise Refused(Check.TIME, "not-a-time", value=value) from error
