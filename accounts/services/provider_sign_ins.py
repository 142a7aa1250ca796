"""Signing in through an identity provider, from leaving for it to coming back (SAML profiles 4.1), and what
the provider ends by single logout (4.4). No HTTP: the views are in sign_in/.

The answer of a provider comes in a form that another site's page posts, so the browser sends no session
with it. It is therefore looked at and noted, and the browser goes on to a page of ours that ends the
sign-in; `browser`, a random value in a cookie of its own, is what ties the three together.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone, translation

from accounts import audit, queries
from accounts.actor import Actor, ActorType
from accounts.models import IdentityProvider, ProviderSession, ProviderSignIn, Purpose, User
from accounts.rules import provider_spec
from accounts.rules.access import Access
from accounts.saml import assertion as saml
from accounts.saml import messages, service_provider
from accounts.saml.assertion import Envelope
from accounts.saml.messages import LogoutAsked, Outgoing, Received
from accounts.saml.verdict import Check, Finding, Refused, Verdict
from accounts.services import assertions, identity_providers
from accounts.services.assertions import Examined, Use

# Between the provider's answer and the page that ends the sign-in lies one redirect.
FINISHED_WITHIN = timedelta(minutes=5)
# Organizations that share a provider and are known to it by the same name.
MOST_CANDIDATES = 5


@dataclass(frozen=True)
class Answer:
    """What came of an answer. `row` is the sign-in to go on with; without one, `verdict` says why not.
    `provider` is who it claims to be of, where that is one."""

    row: ProviderSignIn | None
    verdict: Verdict
    provider: IdentityProvider | None = None


def start(
    *,
    provider: IdentityProvider,
    purpose: Purpose,
    browser: str,
    next: str,
    forced: bool,
    asked_by: User | None = None,
) -> Outgoing:
    """The message that sends a browser to the provider. `forced` has the person prove who they are, even if
    the provider remembers them. Raises `toolkit.Unavailable`."""
    forced = forced or provider.force_authn or purpose == Purpose.CONFIRM
    message = messages.authn_request(provider, forced=forced)
    ProviderSignIn.objects.create(
        id=message.id,
        provider=provider,
        purpose=purpose,
        browser=digest(browser),
        next=next,
        asked_by=asked_by,
        forced=forced,
        started_at=timezone.now(),
    )
    return message


def receive(*, text: str, browser: str, unasked_next: str) -> Answer:
    """An answer, or what somebody sends as one. `unasked_next` is where to go on if the provider began this
    (its RelayState, made safe), and `browser` the value for that case. Raises `toolkit.Unavailable`."""
    now = timezone.now()
    try:
        envelope = saml.open_envelope(text)
    except Refused as refused:
        return Answer(None, _only(refused))
    row = _awaited(envelope.in_response_to, now) if envelope.in_response_to else None
    if envelope.in_response_to and row is None:
        return Answer(None, Verdict((Finding(str(Check.RECIPIENT), False, "unknown-request"),)))
    candidates = [row.provider] if row else _addressed(envelope)
    if not candidates:
        return Answer(None, _only(Refused(Check.ISSUER, "unknown-issuer", issuer=envelope.issuer)))
    examined, provider, known = _first_met(candidates, text, now)
    with transaction.atomic():
        verdict: Verdict = examined
        if examined.met and not assertions.spend(examined):
            verdict = assertions.again(examined)
        if row is None and verdict.met:
            row = _unasked(provider, browser, unasked_next, now)
        if row is not None and (verdict.met or row.purpose == Purpose.TEST):
            if _note(row, examined, verdict, now):
                return Answer(row, verdict)
            verdict = Verdict((Finding(str(Check.RECIPIENT), False, "unknown-request"),))
        if row is None and not known:
            return Answer(None, verdict)  # anybody can send that; it is nobody's business
        _refused(provider, verdict)
    return Answer(None, verdict, provider)


def to_finish(*, id: str, browser: str) -> ProviderSignIn | None:
    """The answered sign-in of this browser, to look at before it is finished."""
    now = timezone.now()
    return (
        ProviderSignIn.objects.select_related("provider__organization", "person__organization")
        .filter(id=id, browser=digest(browser), finished_at=None, answered_at__gt=now - FINISHED_WITHIN)
        .first()
    )


def finish(row: ProviderSignIn) -> User | None:
    """Ends a sign-in or confirmation, once; who it is. None where it was ended already, where the person
    is not active any more, or where the provider has been switched off meanwhile.

    Runs inside the caller's transaction, which makes the session: until its end the provider can be neither
    switched off nor deleted, so that whoever does so finds the session."""
    provider = IdentityProvider.objects.select_for_update(no_key=True).filter(id=row.provider_id).first()
    done = ProviderSignIn.objects.filter(id=row.id, finished_at=None, accepted=True)
    if row.purpose == Purpose.TEST or not done.update(finished_at=timezone.now()):
        return None
    if provider is None or not provider.enabled or row.person_id is None:
        return None
    person = User.objects.select_related("organization", "division").get(id=row.person_id)
    return person if person.is_active and person.organization.active else None


def proved_now(row: ProviderSignIn) -> bool:
    """Whether the person proved who they are after they were asked to, and not some time before."""
    skew = timedelta(seconds=settings.SAML_CLOCK_SKEW_SECONDS)
    return row.authenticated_at is not None and row.authenticated_at >= row.started_at - skew


def remember(*, key: str, row: ProviderSignIn, person: User) -> None:
    """That a session, by the key that it is stored under, began there; or goes on with what they say now,
    for somebody who signs in once more."""
    ProviderSession.objects.update_or_create(
        key=key,
        defaults={
            "provider_id": row.provider_id,
            "person": person,
            "subject": digest(row.name_id.get("value", "")),
            "session_index": digest(row.session_index) if row.session_index else "",
        },
    )


def forget(key: str) -> None:
    ProviderSession.objects.filter(key=key).delete()


def providers_of(message: Received) -> list[IdentityProvider]:
    """Which providers a logout message is of: those with this issuer whose certificate proves it. Several
    organizations may have set up the same."""
    now = timezone.now()
    proved = []
    for provider in _with_issuer(message.issuer):
        try:
            messages.prove(message, provider_spec.current(provider.certificates, now))
        except Refused:
            continue
        proved.append(provider)
    return proved


def end_sessions(provider: IdentityProvider, asked: LogoutAsked) -> int:
    """Ends the sessions that began with what the provider now ends; how many there were. The same message
    is good once in an organization. Raises `Refused`."""
    with transaction.atomic():
        found = ProviderSession.objects.filter(provider=provider, subject=digest(asked.name_id))
        if asked.session_indexes:
            wanted = {digest(index) for index in asked.session_indexes}
            found = found.filter(session_index__in=[*wanted, ""])
        if not assertions.spend_id(
            provider.organization_id,
            issuer=provider.issuer,
            id=asked.id,
            until=timezone.now() + 2 * timedelta(seconds=messages.LOGOUT_SECONDS),
        ):
            raise Refused(Check.ONCE, "used")
        rows = list(found.select_related("person__organization"))
        keys = [row.key for row in rows]
        live = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        alive = set(live.values_list("session_key", flat=True))
        live.delete()
        ProviderSession.objects.filter(key__in=keys).delete()
        for person in {row.person_id: row.person for row in rows if row.key in alive}.values():
            actor = queries.actor_for_user(person)
            audit.record(
                actor,
                audit.Action.USER_SIGNED_OUT,
                entity_type="user",
                entity_id=person.id,
                entity_name=str(person),
                after={"through": provider.name},
            )
    return len(alive)


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _awaited(id: str, now: datetime) -> ProviderSignIn | None:
    since = now - timedelta(seconds=settings.SAML_SIGN_IN_SECONDS)
    return (
        ProviderSignIn.objects.select_related("provider__organization")
        .filter(id=id[:40], answered_at=None, started_at__gt=since)
        .first()
    )


def _with_issuer(issuer: str) -> list[IdentityProvider]:
    found = IdentityProvider.objects.select_related("organization").filter(
        issuer=issuer, enabled=True, organization__active=True
    )
    return list(found.order_by("created_at", "id"))


def _addressed(envelope: Envelope) -> list[IdentityProvider]:
    """Where a provider began it, nobody says in which organization; its audience does."""
    found = _with_issuer(envelope.issuer)
    meant = [one for one in found if service_provider.audience(one) in envelope.audiences]
    return (meant or found)[:MOST_CANDIDATES]


def _first_met(
    candidates: list[IdentityProvider], text: str, now: datetime
) -> tuple[Examined, IdentityProvider, bool]:
    """The verdict of the first that believes it; where none does, of the one that got furthest. And whether
    it is known to be that provider's, and meant for that organization."""
    results = []
    for provider in candidates:
        examined = assertions.examine(
            organization=provider.organization, text=text, use=Use.SIGN_IN, now=now, provider=provider
        )
        if examined.met:
            return examined, provider, True
        results.append((examined, provider))
    examined, provider = max(results, key=lambda result: sum(bool(one.met) for one in result[0].findings))
    met = {one.check for one in examined.findings if one.met}
    return examined, provider, {Check.SIGNATURE, Check.AUDIENCE} <= met


def _unasked(provider: IdentityProvider, browser: str, next: str, now: datetime) -> ProviderSignIn:
    return ProviderSignIn.objects.create(
        id=messages.new_id(), provider=provider, browser=digest(browser), next=next, started_at=now
    )


def _note(row: ProviderSignIn, examined: Examined, verdict: Verdict, now: datetime) -> bool:
    """Whether this was the first answer."""
    assertion = examined.assertion
    values = {
        "answered_at": now,
        "accepted": verdict.met,
        "findings": verdict.to_json(),
        "person": examined.person if verdict.met else None,
        "authenticated_at": assertion.authenticated_at if assertion else None,
        "name_id": {"value": assertion.name_id, "format": assertion.name_id_format} if assertion else {},
        "session_index": assertion.session_index if assertion else "",
        "session_ends_at": assertion.session_ends_at if assertion else None,
    }
    return bool(ProviderSignIn.objects.filter(id=row.id, answered_at=None).update(**values))


def _refused(provider: IdentityProvider, verdict: Verdict) -> None:
    refusal = verdict.refusal
    actor = Actor(ActorType.SYSTEM, None, provider.name, provider.organization, Access())
    with translation.override("en"):
        audit.record(
            actor,
            audit.Action.PROVIDER_ASSERTION_REFUSED,
            **identity_providers.named(provider),
            after={"reason": refusal.reason, "detail": f"{refusal.label}: {refusal.sentence}"},
        )


def _only(refused: Refused) -> Verdict:
    return Verdict((Finding(str(refused.check), False, refused.reason, refused.values),))
