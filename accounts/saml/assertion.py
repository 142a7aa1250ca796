"""From what somebody sent to what an identity provider said.

Three steps, none of which trusts the one before it further than it went: `open_envelope` finds the one
assertion without believing it, `prove` says which certificate signed it, and `read` takes the values out of
that which was signed, alone, so that nothing can be wrapped around it.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from accounts.models import IdentityProvider
from accounts.rules.provider_spec import Certificate
from accounts.saml import service_provider, toolkit, xml
from accounts.saml.verdict import Check, Refused

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_RESPONSE = "{urn:oasis:names:tc:SAML:2.0:protocol}Response"
_ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"


@dataclass(frozen=True)
class Envelope:
    """An assertion that nobody has vouched for yet. `message` is the Response around it, if there is one;
    `issuer`, `audiences` and `in_response_to` are what it claims."""

    data: bytes
    root: Any
    assertion: Any
    message: Any | None
    issuer: str
    audiences: frozenset[str]
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
    session_ends_at: datetime | None

    @property
    def ends_at(self) -> datetime | None:
        """From when on it is good for nothing; None where it does not say."""
        ends = [one.not_on_or_after for one in self.confirmations]
        last = None if None in ends else max((end for end in ends if end is not None), default=None)
        return min((end for end in (self.not_on_or_after, last) if end is not None), default=None)


def open_envelope(text: str, *, pasted: bool = False) -> Envelope:
    """`text` is base64 or base64url; with `pasted`, the XML itself as well. Raises `Refused`."""
    toolkit.require()
    data = xml.plain(xml.decoded(text, pasted=pasted))
    root = xml.parsed(data)
    if root.tag not in (_RESPONSE, _ASSERTION):
        raise Refused(Check.ONE, "neither")
    if xml.query(root, "//*[starts-with(local-name(), 'Encrypted')]"):
        raise Refused(Check.ONE, "encrypted")
    message = root if root.tag == _RESPONSE else None
    # Whatever its namespace: a second one in a place of its own is how signatures are wrapped.
    found = xml.query(root, "/descendant-or-self::*[local-name() = 'Assertion']")
    if not found:
        raise Refused(Check.ONE, "no-assertion", status=status_of(message))
    if len(found) > 1:
        raise Refused(Check.ONE, "several", count=len(found))
    assertion = found[0]
    if assertion.tag != _ASSERTION or (message is not None and assertion.getparent() is not message):
        raise Refused(Check.ONE, "misplaced")
    if {node.get("Version") for node in (assertion, message) if node is not None} != {"2.0"}:
        raise Refused(Check.ONE, "neither")
    ids = [str(value) for value in xml.query(root, "//@*[translate(local-name(), 'ID', 'id') = 'id']")]
    if len(ids) != len(set(ids)):
        raise Refused(Check.ONE, "repeated-id")
    issuers = xml.query(assertion, "./saml:Issuer")
    if len(issuers) != 1 or not (issuer := xml.text_of(issuers[0])):
        raise Refused(Check.ISSUER, "no-issuer")
    answered = [] if message is None else [message.get("InResponseTo", "")]
    answered += [one.get("InResponseTo", "") for one in xml.query(assertion, _CONFIRMATION_DATA)]
    claims = {claim for claim in answered if claim}
    if len(claims) > 1:
        raise Refused(Check.RECIPIENT, "other-request")
    audiences = xml.query(assertion, "./saml:Conditions/saml:AudienceRestriction/saml:Audience")
    return Envelope(
        data=data,
        root=root,
        assertion=assertion,
        message=message,
        issuer=issuer,
        audiences=frozenset(xml.text_of(one) for one in audiences),
        in_response_to=next(iter(claims), ""),
    )


def prove(envelope: Envelope, certificates: Iterable[Certificate]) -> Certificate:
    """Which of the certificates signed it: the assertion, or the Response that it stands in; where both
    are signed, both. What is embedded in the signature is not looked at. Raises `Refused`."""
    signatures = xml.query(envelope.root, "//ds:Signature")
    signed = [one.getparent() for one in signatures]
    allowed = [node for node in (envelope.assertion, envelope.message) if node is not None]
    if not signatures:
        raise Refused(Check.SIGNATURE, "unsigned")
    if len(signed) != len(set(signed)) or any(node not in allowed for node in signed):
        raise Refused(Check.SIGNATURE, "signature-form", what="it stands where none belongs")
    for signature in signatures:
        xml.check_signature_form(signature)
    for certificate in certificates:
        if all(xml.is_signed_with(signature, envelope.root, certificate) for signature in signatures):
            return certificate
    raise Refused(Check.SIGNATURE, "signature")


def read(envelope: Envelope) -> Assertion:
    """What the assertion says, read from the bytes that the signature was made over. Raises `Refused`."""
    signed = toolkit.etree.tostring(envelope.assertion, method="c14n", exclusive=True, with_comments=False)
    node = toolkit.XML.to_etree(signed)
    subject = xml.query(node, "./saml:Subject/saml:NameID")
    statement = xml.query(node, "./saml:AuthnStatement")
    conditions = xml.query(node, "./saml:Conditions")
    only = conditions[0] if len(conditions) == 1 else None
    return Assertion(
        id=node.get("ID", ""),
        issuer=xml.text_of(xml.query(node, "./saml:Issuer")[0]),
        issued_at=xml.time_of(node.get("IssueInstant", "")),
        audiences=tuple(
            frozenset(xml.text_of(one) for one in xml.query(restriction, "./saml:Audience"))
            for restriction in xml.query(node, "./saml:Conditions/saml:AudienceRestriction")
        ),
        not_before=xml.optional_time(only, "NotBefore"),
        not_on_or_after=xml.optional_time(only, "NotOnOrAfter"),
        confirmations=tuple(
            Confirmation(
                recipient=one.get("Recipient", ""),
                not_before=xml.optional_time(one, "NotBefore"),
                not_on_or_after=xml.optional_time(one, "NotOnOrAfter"),
                in_response_to=one.get("InResponseTo", ""),
            )
            for one in xml.query(node, _CONFIRMATION_DATA)
        ),
        name_id=xml.text_of(subject[0]) if len(subject) == 1 else "",
        name_id_format=subject[0].get("Format", "") if len(subject) == 1 else "",
        attributes=_attributes(node),
        authenticated_at=xml.optional_time(statement[0], "AuthnInstant") if statement else None,
        session_index=statement[0].get("SessionIndex", "") if statement else "",
        session_ends_at=xml.optional_time(statement[0], "SessionNotOnOrAfter") if statement else None,
    )


def status_of(message: Any | None) -> str:
    """The status of a Response (SAML core 3.2.2.2), the second-level one where there is one."""
    if message is None:
        return SUCCESS
    codes = xml.query(message, "./samlp:Status//samlp:StatusCode")
    values = [code.get("Value", "") for code in codes]
    return SUCCESS if values == [SUCCESS] else (values or ["?"])[-1]


def judged_by_toolkit(
    envelope: Envelope,
    provider: IdentityProvider,
    *,
    recipient: str,
    certificate: Certificate,
    statement_needed: bool,
) -> str:
    """Why python3-saml, in its strict mode, would refuse it; empty where it would not. It knows of the
    schema and of much that is rare, and it is a second opinion on everything else. `statement_needed`: a
    sign-in needs an AuthnStatement (SAML profiles 4.1.4.2), an assertion for an app does not."""
    own = service_provider.settings_to_read(provider, recipient=recipient, certificate=certificate.pem)
    parts = urlsplit(recipient)
    request = {
        "https": "on" if parts.scheme == "https" else "off",
        "http_host": parts.netloc,
        "script_name": parts.path,
    }
    try:
        judge = _judge(own, envelope, statement_needed=statement_needed)
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


def _judge(own: Any, envelope: Envelope, *, statement_needed: bool) -> Any:
    """A bare assertion is wrapped as it is, byte for byte, because python3-saml reads Responses only."""

    class Judge(toolkit.Response):
        def check_one_authnstatement(self) -> bool:
            """RFC 7522 3: an assertion for an app that acts on its own has none."""
            statements = len(self._query_assertion("/saml:AuthnStatement"))
            return statements == 1 or (statements == 0 and not statement_needed)

    data = envelope.data
    if envelope.message is None:
        bare = re.sub(rb"\A\s*<\?xml[^>]*\?>", b"", data)
        data = (
            # With a prefix that no signature asks for (InclusiveNamespaces).
            b'<latchkey:Response xmlns:latchkey="urn:oasis:names:tc:SAML:2.0:protocol" ID="_'
            + secrets.token_hex(16).encode()
            + b'" Version="2.0" IssueInstant="2000-01-01T00:00:00Z">'
            + b'<latchkey:Status><latchkey:StatusCode Value="'
            + SUCCESS.encode()
            + b'"/></latchkey:Status>'
            + bare
            + b"</latchkey:Response>"
        )
    return Judge(own, base64.b64encode(data).decode())


def _attributes(node: Any) -> dict[str, list[str]]:
    """By name; those that stand there twice with all of their values."""
    found: dict[str, list[str]] = {}
    for attribute in xml.query(node, "./saml:AttributeStatement/saml:Attribute"):
        values = found.setdefault(attribute.get("Name", ""), [])
        values += [xml.text_of(value) for value in xml.query(attribute, "./saml:AttributeValue")]
    return found
