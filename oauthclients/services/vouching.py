"""The SAML2 bearer grant (RFC 7522): an identity provider vouches for a person, and the app gets a token of
theirs, within what the organization has authorized.

A consent stands for the two, as for every app that acts for a person, so that what takes back, ends or
lists tokens finds these as well; it was the provider that vouched, and not the person who agreed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from django.utils import translation

from accounts import audit
from accounts import queries as account_queries
from accounts.actor import Actor, ActorType
from accounts.models import User
from accounts.rules.access import Access
from accounts.saml.verdict import Check, Finding, Verdict
from accounts.services import assertions
from accounts.services.assertions import Examined, Use
from oauthclients import queries
from oauthclients.models import Client
from oauthclients.rules.effective_access import grantable
from oauthclients.services import access, consents, families

# What a client is told, which may be anybody who found its secret: which condition, and no value.
DESCRIPTIONS: Mapping[str, str] = {
    Check.READABLE: "The assertion cannot be read.",
    Check.ONE: "Exactly one SAML 2.0 assertion is needed, and not encrypted.",
    Check.ISSUER: "The issuer is not an identity provider of this organization.",
    Check.ACCEPTED: "The identity provider is not accepted for this grant.",
    Check.SIGNATURE: "The signature could not be verified.",
    Check.STATUS: "The identity provider did not report success.",
    Check.AUDIENCE: "The assertion is for another audience.",
    Check.RECIPIENT: "The assertion is for another recipient.",
    Check.TIME: "The assertion is not valid at this time.",
    Check.ONCE: "The assertion has been used already.",
    Check.ORGANIZATION: "The assertion is for another organization.",
    Check.PERSON: "The assertion names no active person of this organization.",
    Check.STANDARD: "The assertion is not as SAML 2.0 wants it.",
}
UNKNOWN_ORGANIZATION = "Unknown orgName."
NOT_PERMITTED = "The app may not act for this person."
SECRET_ENDED = "The client's secret has just ended."


class NotVouchedFor(Exception):
    """The grant is refused; the message may be told. Its audit line is written."""


def exchange(
    *,
    client: Client,
    org_name: str,
    text: str,
    wanted: Iterable[str] | None,
    now: datetime,
    still_proven: Callable[[], bool],
) -> families.SignIn:
    """What this assertion (base64) is exchanged for. `wanted` are the scopes of the request, None for all
    that the client asks for; whether they are the client's has been decided. `still_proven` says, once the
    person is locked, whether the client's secret is still good.

    Runs inside the caller's transaction, which must be committed also when this raises `NotVouchedFor`.
    Raises `toolkit.Unavailable`.
    """
    organization = account_queries.organization_called(org_name)
    if organization is None or organization.id != client.organization_id:
        _refused(client, "unknown-organization", "orgName names no organization, or another one.")
        raise NotVouchedFor(UNKNOWN_ORGANIZATION)
    examined = assertions.examine(organization=organization, text=text, use=Use.BEARER, now=now)
    if not examined.met:
        raise _not_met(client, examined)
    assert examined.person is not None
    person = access.lock_person(examined.person.id)
    if person is None or not person.is_active:
        verdict = Verdict((Finding(Check.PERSON, False, "inactive-person", {"person": str(person)}),))
        raise _not_met(client, verdict)
    if consents.lock(person, client) is None:
        # Nothing to lock yet: whoever replaces the secret and revokes what it got waits for this instead.
        access.hold(client)
    if not still_proven():
        _refused(client, "secret-ended", SECRET_ENDED, person)
        raise NotVouchedFor(SECRET_ENDED)
    return _give(client, person, examined, wanted, now)


def _give(
    client: Client,
    person: User,
    examined: Examined,
    wanted: Iterable[str] | None,
    now: datetime,
) -> families.SignIn:
    """With the person locked, and what they have to do with the client."""
    organization = person.organization
    word = queries.word_on(organization, client)
    permitted, found = grantable(
        account_queries.access_of(organization.id, person.id),
        word=word,
        asked=client.scope,
        wanted=client.scope if wanted is None else wanted,
    )
    if not found:
        with translation.override("en"):
            _refused(client, found.code, found.sentence, person)
        raise NotVouchedFor(NOT_PERMITTED)
    if not assertions.spend(examined):
        raise _not_met(client, assertions.again(examined))
    consent = consents.agree(
        actor=_person_by(client, person),
        user=person,
        client=client,
        scope=permitted,
        place=None,
        action=audit.Action.APP_ASSERTION_ACCEPTED,
    )
    return families.SignIn(families.start(consent=consent, scope=permitted, now=now), person)


def _not_met(client: Client, verdict: Verdict) -> NotVouchedFor:
    refusal = verdict.refusal
    with translation.override("en"):
        _refused(client, refusal.reason, f"{refusal.label}: {refusal.sentence}")
    return NotVouchedFor(DESCRIPTIONS[refusal.check])


def _refused(client: Client, reason: str, detail: str, person: User | None = None) -> None:
    actor = Actor(ActorType.CLIENT, client.id, client.name, client.organization, Access())
    audit.record(
        actor,
        audit.Action.APP_ASSERTION_REFUSED,
        **access.named(client),
        after={"reason": reason, "detail": detail, **({"person": str(person)} if person else {})},
    )


def _person_by(client: Client, person: User) -> Actor:
    return Actor(
        ActorType.USER,
        person.id,
        str(person),
        person.organization,
        Access(),
        via_id=client.id,
        via_name=client.name,
    )
