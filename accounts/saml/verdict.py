"""What was found when an assertion was looked at: condition by condition, met or not, in words.

The grant, the sign-in and the tools of the console all get this from one place (services/assertions.py),
so what an administrator is told is what decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Check(StrEnum):
    """In the order in which they are looked at. The first five are each needed for the next."""

    READABLE = "readable"
    ONE = "one"
    ISSUER = "issuer"
    ACCEPTED = "accepted"
    SIGNATURE = "signature"
    STATUS = "status"
    AUDIENCE = "audience"
    RECIPIENT = "recipient"
    TIME = "time"
    ONCE = "once"
    ORGANIZATION = "organization"
    PERSON = "person"
    STANDARD = "standard"


LABELS: Mapping[str, Any] = {
    Check.READABLE: _("Can be read"),
    Check.ONE: _("One assertion, not encrypted"),
    Check.ISSUER: _("Issuer"),
    Check.ACCEPTED: _("Provider accepted for this"),
    Check.SIGNATURE: _("Signature"),
    Check.STATUS: _("Status"),
    Check.AUDIENCE: _("Audience"),
    Check.RECIPIENT: _("Recipient"),
    Check.TIME: _("Time"),
    Check.ONCE: _("Not used before"),
    Check.ORGANIZATION: _("Organization"),
    Check.PERSON: _("Person"),
    Check.STANDARD: _("All else that SAML asks for"),
}

# What somebody who only wants to sign in is told of it, in one word.
BRIEFLY: Mapping[str, Any] = {
    Check.READABLE: _("unreadable"),
    Check.ONE: _("form"),
    Check.ISSUER: _("issuer"),
    Check.ACCEPTED: _("switched off"),
    Check.SIGNATURE: _("signature"),
    Check.STATUS: _("refused by the provider"),
    Check.AUDIENCE: _("audience"),
    Check.RECIPIENT: _("recipient"),
    Check.TIME: _("expired, or not yet valid"),
    Check.ONCE: _("used before"),
    Check.ORGANIZATION: _("organization"),
    Check.PERSON: _("person"),
    Check.STANDARD: _("form"),
}

# What a finding says. Values are those of the assertion, cut and cleaned.
SENTENCES: Mapping[str, Any] = {
    # readable
    "read": _("%(bytes)s bytes of XML."),
    "too-large": _("It is larger than %(most)s bytes."),
    "not-base64": _("It is neither base64 nor base64url."),
    "not-utf-8": _("It is not in UTF-8."),
    "not-plain-xml": _("It has a DTD, a comment, a processing instruction or a CDATA section."),
    "too-complex": _("It has more elements, attributes or prefixes than a message of SAML."),
    "not-xml": _("It is not well-formed XML."),
    # one
    "one": _("A signed message with one assertion."),
    "neither": _("It is neither a SAML 2.0 Response nor an Assertion."),
    "encrypted": _("It is encrypted, which is not supported. Switch encryption off at the provider."),
    "no-assertion": _("It holds no assertion. The provider answered with the status %(status)s."),
    "several": _("It holds %(count)s assertions. Exactly one is accepted."),
    "misplaced": _("The assertion does not stand directly in the Response."),
    "repeated-id": _("Two of its elements have the same ID."),
    # issuer
    "issuer": _("‘%(issuer)s’, which is %(provider)s."),
    "unknown-issuer": _("‘%(issuer)s’ is no identity provider of this organization."),
    "other-issuer": _("‘%(issuer)s’. Expected was ‘%(expected)s’."),
    "no-issuer": _("It does not say who issued it, or says so twice."),
    # accepted
    "accepted": _("%(provider)s is on and accepted for this."),
    "provider-off": _("%(provider)s is switched off."),
    "not-for-bearer": _("%(provider)s is not accepted for the SAML2 Bearer grant."),
    # signature
    "signed": _("Made with ‘%(subject)s’ (%(fingerprint)s), which ends on %(ends)s."),
    "unsigned": _("Neither the assertion nor the Response is signed."),
    "signature-form": _("The signature is not of the form that SAML asks for: %(what)s."),
    "algorithm": _(
        "‘%(algorithm)s’ is not accepted. SHA-256 or stronger, with RSA or elliptic curves, is."
    ),
    "no-certificate": _("No certificate of %(provider)s is valid at this time."),
    "signature": _(
        "It was made with none of the certificates of %(provider)s, or the assertion was changed after."
    ),
    # status
    "success": _("The provider says that the sign-in succeeded."),
    "no-status-needed": _("A bare assertion has none."),
    "no-response": _("It is a bare assertion. To sign in, it has to stand in a Response."),
    "status": _("The provider answered with the status %(status)s."),
    # audience
    "audience": _("‘%(audience)s’."),
    "no-audience": _("It does not say for whom it is. Expected was ‘%(expected)s’."),
    "other-audience": _("It is for ‘%(audience)s’. Expected was ‘%(expected)s’."),
    # recipient
    "recipient": _("‘%(recipient)s’, with bearer confirmation."),
    "no-confirmation": _("It has no bearer subject confirmation."),
    "no-recipient": _("The subject confirmation names no recipient. Expected was ‘%(expected)s’."),
    "other-recipient": _("It is for ‘%(recipient)s’. Expected was ‘%(expected)s’."),
    "unknown-request": _("It answers no sign-in that was started here and is still waiting."),
    "other-request": _("It answers two requests at once."),
    # time
    "time": _("Good until %(ends)s, %(seconds)s seconds from now."),
    "no-end": _("It does not say until when it is good."),
    "not-a-time": _("‘%(value)s’ is not a time as SAML writes it."),
    "future": _("It is good from %(begins)s. The clock differs by %(seconds)s s."),
    "ended": _("It was good until %(ends)s. That is %(seconds)s s ago."),
    "too-long": _("It is good until %(ends)s, which is more than %(most)s seconds from now."),
    # once
    "fresh": _("It has not been used."),
    "used": _("It has been used already."),
    "no-id": _("It has no ID."),
    # organization
    "organization": _("It names %(organization)s."),
    "no-organization-needed": _("It names none, which is fine."),
    "other-organization": _("It is for the organization ‘%(organization)s’."),
    # person
    "person": _("%(person)s (%(email)s)."),
    "no-email": _(
        "It holds no email: neither the attribute ‘%(attribute)s’ nor an email address as NameID."
    ),
    "several-emails": _("The attribute ‘%(attribute)s’ has more than one value."),
    "unknown-person": _("Nobody here has the email ‘%(email)s’."),
    "inactive-person": _("%(person)s is not active."),
    # standard
    "standard": _("Nothing else is wrong."),
    "not-standard": _("%(why)s"),
}


@dataclass(frozen=True)
class Finding:
    """`met` is None for what was not reached."""

    check: str
    met: bool | None
    reason: str = ""
    values: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return str(LABELS[self.check])

    @property
    def sentence(self) -> str:
        return str(SENTENCES[self.reason]) % self.values if self.reason else ""


@dataclass(frozen=True)
class Verdict:
    """All of the conditions, in order."""

    findings: tuple[Finding, ...]

    @property
    def met(self) -> bool:
        return all(finding.met for finding in self.findings)

    @property
    def refusal(self) -> Finding:
        """The first that is not met, where one is not."""
        return next(finding for finding in self.findings if finding.met is False)

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {"check": one.check, "met": one.met, "reason": one.reason, "values": one.values}
            for one in self.findings
        ]

    @classmethod
    def from_json(cls, rows: Iterable[Mapping[str, Any]]) -> Verdict:
        return cls(tuple(Finding(**row) for row in rows))


def shown(value: object) -> str:
    """A value out of an assertion, fit to be shown and kept: printable, and not long."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(value)[:200])
    return text if len(str(value)) <= 200 else text + "…"


class Refused(Exception):
    """A condition that is not met, with the reason of verdict.py and its values."""

    def __init__(self, check: Check, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.check = check
        self.reason = reason
        self.values = {name: shown(value) for name, value in values.items()}
