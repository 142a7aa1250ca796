"""Whether an assertion is believed, and as whom.

`examine` looks and changes nothing, `spend` uses the assertion up: it is good once. The SAML2 bearer grant,
the sign-in and the tools of the console all go through here.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import IdentityProvider, Organization, UsedAssertion, User
from accounts.rules import provider_spec
from accounts.rules.provider_spec import Certificate
from accounts.saml import assertion as saml
from accounts.saml import service_provider
from accounts.saml.assertion import Assertion, Confirmation, Envelope
from accounts.saml.verdict import Check, Finding, Refused, Verdict, shown


class Use(Enum):
    """What an assertion is presented for."""

    SIGN_IN = "sign-in"
    BEARER = "bearer"

    @property
    def recipient(self) -> str:
        if self is Use.BEARER:
            return service_provider.token_endpoint()
        return service_provider.acs_url()


@dataclass(frozen=True)
class Examined(Verdict):
    """`envelope` is there once it could be read, the rest once its signature was verified. `person` is the
    one it is about, if all of the conditions are met."""

    envelope: Envelope | None = None
    provider: IdentityProvider | None = None
    assertion: Assertion | None = None
    person: User | None = None


def examine(
    *,
    organization: Organization,
    text: str,
    use: Use,
    now: datetime | None = None,
    provider: IdentityProvider | None = None,
    pasted: bool = False,
) -> Examined:
    """Looks at all that decides whether `text`, an assertion or Response in base64, is believed in this
    organization. With `provider`, it must come from that one. `pasted` XML need not be in base64.

    Raises `toolkit.Unavailable` and nothing else: whatever is wrong is a finding.
    """
    now = now or timezone.now()
    looking = _Looking(organization, use, now, provider)
    try:
        looking.at(text, pasted=pasted)
    except Refused as refused:
        looking.found(refused.check, False, refused.reason, refused.values)
    return looking.verdict()


def spend(examined: Examined) -> bool:
    """Marks the assertion as used; whether this was the first use. Of several at once, in whatever process,
    one is. Runs inside the caller's transaction, and is undone with it."""
    assert examined.provider is not None
    assert examined.assertion is not None
    assert examined.assertion.ends_at is not None
    return spend_id(
        examined.provider.organization_id,
        issuer=examined.assertion.issuer,
        id=examined.assertion.id,
        until=examined.assertion.ends_at + _skew(),
    )


def spend_id(organization_id: uuid.UUID, *, issuer: str, id: str, until: datetime) -> bool:
    """The same for any message that a provider gave an ID to."""
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(
                organization_id=organization_id, digest=_digest(issuer, id), ends_at=until
            )
    except IntegrityError:
        return False
    return True


def again(examined: Examined) -> Verdict:
    """The same, for one that `spend` has found spent."""
    return Verdict(
        tuple(
            Finding(Check.ONCE, False, "used") if one.check == Check.ONCE else one
            for one in examined.findings
        )
    )


class _Looking:
    """One examination under way."""

    def __init__(
        self, organization: Organization, use: Use, now: datetime, provider: IdentityProvider | None
    ) -> None:
        self.organization = organization
        self.use = use
        self.now = now
        self.wanted = provider
        self.findings: dict[Check, Finding] = {}
        self.envelope: Envelope | None = None
        self.provider: IdentityProvider | None = None
        self.assertion: Assertion | None = None
        self.confirmations: Sequence[Confirmation] = ()
        self.person: User | None = None

    def found(self, check: Check, met: bool, reason: str, values: dict[str, str] | None = None) -> None:
        self.findings[check] = Finding(str(check), met, reason, values or {})

    def verdict(self) -> Examined:
        findings = tuple(self.findings.get(check) or Finding(str(check), None) for check in Check)
        met = all(finding.met for finding in findings)
        return Examined(
            findings,
            envelope=self.envelope,
            provider=self.provider,
            assertion=self.assertion,
            person=self.person if met else None,
        )

    def at(self, text: str, *, pasted: bool) -> None:
        """Each step up to the signature is needed for the next; then every condition is looked at, so that
        an administrator sees all that is wrong at once."""
        envelope = self.envelope = saml.open_envelope(text, pasted=pasted)
        self.found(Check.READABLE, True, "read", {"bytes": str(len(envelope.data))})
        self.found(Check.ONE, True, "one")
        provider = self._issuer(envelope)
        self._accepted(provider)
        certificate = self._signature(envelope, provider)
        assertion = saml.read(envelope)
        self.provider, self.assertion = provider, assertion
        steps: tuple[Callable[[], None], ...] = (
            lambda: self._status(envelope),
            lambda: self._audience(assertion, provider),
            lambda: self._recipient(assertion),
            lambda: self._time(assertion),
            lambda: self._once(assertion),
            lambda: self._organization(assertion),
            lambda: self._person(assertion, provider),
            lambda: self._standard(envelope, provider, certificate),
        )
        for step in steps:
            try:
                step()
            except Refused as refused:
                self.found(refused.check, False, refused.reason, refused.values)

    def _issuer(self, envelope: Envelope) -> IdentityProvider:
        issuer = envelope.issuer
        if self.wanted is not None and self.wanted.issuer != issuer:
            raise Refused(Check.ISSUER, "other-issuer", issuer=issuer, expected=self.wanted.issuer)
        found = self.wanted or (
            IdentityProvider.objects.select_related("organization")
            .filter(organization=self.organization, issuer=issuer)
            .first()
        )
        if found is None:
            raise Refused(Check.ISSUER, "unknown-issuer", issuer=issuer)
        self.found(Check.ISSUER, True, "issuer", _values(issuer=issuer, provider=found.name))
        return found

    def _accepted(self, provider: IdentityProvider) -> None:
        if not provider.enabled:
            raise Refused(Check.ACCEPTED, "provider-off", provider=provider.name)
        if self.use is Use.BEARER and not provider.accept_bearer:
            raise Refused(Check.ACCEPTED, "not-for-bearer", provider=provider.name)
        self.found(Check.ACCEPTED, True, "accepted", _values(provider=provider.name))

    def _signature(self, envelope: Envelope, provider: IdentityProvider) -> Certificate:
        certificates = provider_spec.current(provider.certificates, self.now)
        if not certificates:
            raise Refused(Check.SIGNATURE, "no-certificate", provider=provider.name)
        try:
            certificate = saml.prove(envelope, certificates)
        except Refused as refused:
            refused.values["provider"] = shown(provider.name)
            raise
        self.found(
            Check.SIGNATURE,
            True,
            "signed",
            _values(
                subject=certificate.subject,
                fingerprint=certificate.fingerprint,
                ends=_moment(certificate.ends_at),
            ),
        )
        return certificate

    def _status(self, envelope: Envelope) -> None:
        """Of a sign-in; it needs a Response around the assertion (SAML profiles 4.1.4.2)."""
        if envelope.message is None and self.use is Use.SIGN_IN:
            raise Refused(Check.STATUS, "no-response")
        status = saml.status_of(envelope.message)
        if status != saml.SUCCESS:
            raise Refused(Check.STATUS, "status", status=status)
        self.found(Check.STATUS, True, "no-status-needed" if envelope.message is None else "success")

    def _audience(self, assertion: Assertion, provider: IdentityProvider) -> None:
        expected = service_provider.audience(provider)
        if not assertion.audiences:
            raise Refused(Check.AUDIENCE, "no-audience", expected=expected)
        for audiences in assertion.audiences:  # each restriction counts (SAML core 2.5.1.4)
            if expected not in audiences:
                named = ", ".join(sorted(audiences))
                raise Refused(Check.AUDIENCE, "other-audience", audience=named, expected=expected)
        self.found(Check.AUDIENCE, True, "audience", _values(audience=expected))

    def _recipient(self, assertion: Assertion) -> None:
        """At least one confirmation must be for us (SAML core 2.4.1.1)."""
        expected = self.use.recipient
        if not assertion.confirmations:
            raise Refused(Check.RECIPIENT, "no-confirmation")
        self.confirmations = [one for one in assertion.confirmations if one.recipient == expected]
        named = sorted({one.recipient for one in assertion.confirmations if one.recipient})
        if self.confirmations:
            self.found(Check.RECIPIENT, True, "recipient", _values(recipient=expected))
        elif named:
            raise Refused(Check.RECIPIENT, "other-recipient", recipient=", ".join(named), expected=expected)
        else:
            raise Refused(Check.RECIPIENT, "no-recipient", expected=expected)

    def _time(self, assertion: Assertion) -> None:
        """Of the confirmations, those for us count; where there is none, all of them."""
        skew = _skew()
        confirmations = self.confirmations or assertion.confirmations
        begins = [assertion.issued_at, assertion.not_before, *(one.not_before for one in confirmations)]
        for begin in begins:
            if begin is not None and begin > self.now + skew:
                ahead = int((begin - self.now).total_seconds())
                raise Refused(Check.TIME, "future", begins=_moment(begin), seconds=ahead)
        ends = [one.not_on_or_after for one in confirmations]
        known = [end for end in (*ends, assertion.not_on_or_after) if end is not None]
        last = assertion.ends_at
        if None in ends or last is None:
            raise Refused(Check.TIME, "no-end")
        end = min(known)
        if end <= self.now - skew:
            ago = int((self.now - end).total_seconds())
            raise Refused(Check.TIME, "ended", ends=_moment(end), seconds=ago)
        most = settings.SAML_LONGEST_SECONDS
        if last > self.now + timedelta(seconds=most):
            raise Refused(Check.TIME, "too-long", ends=_moment(last), most=most)
        left = max(0, int((end - self.now).total_seconds()))
        self.found(Check.TIME, True, "time", _values(ends=_moment(end), seconds=left))

    def _once(self, assertion: Assertion) -> None:
        if not assertion.id:
            raise Refused(Check.ONCE, "no-id")
        digest = _digest(assertion.issuer, assertion.id)
        used = UsedAssertion.objects.filter(organization=self.organization, digest=digest)
        if used.exists():
            raise Refused(Check.ONCE, "used")
        self.found(Check.ONCE, True, "fresh")

    def _organization(self, assertion: Assertion) -> None:
        named = assertion.attributes.get("OrganizationName", [])
        own = self.organization.short_name
        for name in named:
            if _lower(name) != own.lower():
                raise Refused(Check.ORGANIZATION, "other-organization", organization=name)
        if named:
            self.found(Check.ORGANIZATION, True, "organization", _values(organization=own))
        else:
            self.found(Check.ORGANIZATION, True, "no-organization-needed")

    def _person(self, assertion: Assertion, provider: IdentityProvider) -> None:
        """By the email in the attribute, or by a NameID that is one; never made by an assertion."""
        attribute = provider.email_attribute
        emails = assertion.attributes.get(attribute, []) if attribute else []
        if len(emails) > 1:
            raise Refused(Check.PERSON, "several-emails", attribute=attribute)
        email = emails[0] if emails else _email_in_name_id(assertion)
        if not email:
            raise Refused(Check.PERSON, "no-email", attribute=attribute)
        person = (
            User.objects.select_related("organization", "division")
            .filter(organization=self.organization, email=_lower(email))
            .first()
            if "\0" not in email
            else None
        )
        if person is None:
            raise Refused(Check.PERSON, "unknown-person", email=email)
        if not person.is_active or not person.organization.active:
            raise Refused(Check.PERSON, "inactive-person", person=person)
        self.person = person
        self.found(Check.PERSON, True, "person", _values(person=person, email=person.email))

    def _standard(self, envelope: Envelope, provider: IdentityProvider, certificate: Certificate) -> None:
        if any(finding.met is False for finding in self.findings.values()):
            return  # it would only say one of those again
        why = saml.judged_by_toolkit(
            envelope,
            provider,
            recipient=self.use.recipient,
            certificate=certificate,
            statement_needed=self.use is Use.SIGN_IN,
        )
        if why:
            raise Refused(Check.STANDARD, "not-standard", why=why)
        self.found(Check.STANDARD, True, "standard")


def _lower(text: str) -> str:
    """In ASCII alone: beyond it, letters that are not the same can have the same lower case."""
    return text.lower() if text.isascii() else text


def _email_in_name_id(assertion: Assertion) -> str:
    return assertion.name_id if "@" in assertion.name_id else ""


def _digest(issuer: str, id: str) -> str:
    return hashlib.sha256(f"{issuer}\0{id}".encode()).hexdigest()


def _skew() -> timedelta:
    return timedelta(seconds=settings.SAML_CLOCK_SKEW_SECONDS)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _values(**values: Any) -> dict[str, str]:
    return {name: shown(value) for name, value in values.items()}
