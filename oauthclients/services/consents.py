"""What a person agrees to: letting an app act for them, and taking that back."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from accounts import audit
from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import User
from accounts.permissions import Permission
from oauthclients import scopes
from oauthclients.models import Client, Consent
from oauthclients.services import access, tokens


def of(user: User, client: Client) -> Consent | None:
    """What this person has agreed to for this app."""
    return Consent.objects.filter(user=user, client=client).first()


def lock(user: User, client: Client) -> Consent | None:
    """What this person has agreed to for this app, locked until the caller's transaction ends."""
    return Consent.objects.select_for_update().filter(user=user, client=client).first()


def agree(
    *,
    actor: Actor,
    user: User,
    client: Client,
    scope: Iterable[str],
    place: str | None,
    action: audit.Action = audit.Action.APP_ALLOWED,
) -> Consent:
    """Adds these scopes to what the person has agreed to, and the place where the answer goes
    (rules/redirect_uris.py `place_of`). With another `action`, it was not the person who agreed: their
    identity provider vouched for them, and the answer goes nowhere else. The row is locked until the
    caller's transaction ends."""
    consent, new = Consent.objects.get_or_create(user=user, client=client, defaults={"scope": []})
    consent = Consent.objects.select_for_update().get(id=consent.id)
    agreed = scopes.narrowed([*consent.scope, *scope])
    places = sorted({*consent.places, *([place] if place is not None else [])})
    if new or agreed != consent.scope or places != consent.places:
        before = {"scope": consent.scope, "places": consent.places}
        consent.scope, consent.places = agreed, places
        consent.save(update_fields=["scope", "places", "modified_at"])
        audit.record(
            actor,
            action,
            **access.named(client),
            before=before,
            after={"scope": agreed, "places": places},
        )
    return consent


def revoke(*, actor: Actor, consent_id: object) -> None:
    """Takes back what a person has agreed to; every token that came of it ends at once. Only the person
    can: anybody else's consent is `NotFound`."""
    key = account_queries.as_uuid(consent_id)
    if key is None or actor.id is None:
        raise NotFound
    with transaction.atomic():
        consent = (
            Consent.objects.select_for_update(of=("self",))
            .select_related("client")
            .filter(id=key, user_id=actor.id)
            .first()
        )
        if consent is None:
            raise NotFound
        ended = tokens.end_consent(consent)
        audit.record(
            actor,
            audit.Action.APP_FORGOTTEN,
            **access.named(consent.client),
            before={"scope": consent.scope},
            after={"tokens": ended},
        )
        consent.delete()


def revoke_for(*, actor: Actor, user_id: object, consent_id: object) -> None:
    """The same for somebody else of the organization, who is asked again if they use the app again. Needs
    `oauth:token:delete`. Raises `NotFound`, `NotAllowed`."""
    actor.require(Permission.OAUTH_TOKEN_DELETE)
    person = account_queries.person(actor.organization, user_id)
    key = account_queries.as_uuid(consent_id)
    if key is None:
        raise NotFound
    with transaction.atomic():
        consent = (
            Consent.objects.select_for_update(of=("self",))
            .select_related("client")
            .filter(id=key, user=person)
            .first()
        )
        if consent is None:
            raise NotFound
        ended = tokens.end_consent(consent)
        audit.record(
            actor,
            audit.Action.USER_TOKENS_REVOKED,
            entity_type="user",
            entity_id=person.id,
            entity_name=str(person),
            before={"scope": consent.scope},
            after={"app": consent.client.name, "tokens": ended},
        )
        consent.delete()
