"""Access tokens, clients' own and people's, with what comes with them."""

from __future__ import annotations

import secrets as randomness
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from accounts.models import User
from bench import bulk
from bench.filling import BUSY, KEPT, MANY, SCOPE, Filled
from oauthclients import grant_types
from oauthclients.models import Client, Consent, FamilyToken, TokenFamily
from oauthclients.services import tokens

TOKEN_SECONDS = 86_400


def add_tokens(count: int, *, expired: float = 0.1, for_people: float = 0.2, keep: int = KEPT) -> Filled:
    """Tokens of the clients and people that are there, given over the last 23 hours, or, those that have
    ended, over the day before yesterday. In the order of their giving, as they come to be in a table."""

    gone, for_apps = round(count * expired), round(count * for_people)
    kept = Filled()
    kept.client_tokens = _client_tokens(
        count - for_apps, min(gone, round((count - for_apps) * expired)), keep
    )
    kept.person_tokens = _person_tokens(for_apps, round(for_apps * expired), keep)
    bulk.finish(get_access_token_model())
    return kept


def _times(count: int, gone: int) -> Iterator[tuple[datetime, datetime, bool]]:
    """When each token was given and ends, and whether it lives."""

    now = timezone.now()
    step_gone = timedelta(hours=23) / max(gone, 1)
    step = timedelta(hours=23) / max(count - gone, 1)
    life = timedelta(seconds=TOKEN_SECONDS)
    start_gone = now - life - timedelta(hours=24)
    for n in range(gone):
        at = start_gone + n * step_gone
        yield at, at + life, False
    start = now - timedelta(hours=23, minutes=5)
    for n in range(count - gone):
        at = start + n * step
        yield at, at + life, True


def _client_tokens(count: int, gone: int, keep: int) -> list[str]:

    clients = list(
        Client.objects.filter(authorization_grant_type=grant_types.CLIENT_CREDENTIALS.code)
        .order_by("id")
        .values_list("id", flat=True)
    )
    texts = [str(id) for id in clients]
    model = get_access_token_model()
    busy = min(1.0, BUSY / max(len(texts), 1))
    first, kept = bulk.next_id(model), _Sample(keep, int((count - gone) * busy))

    def rows() -> Iterator[tuple[Any, ...]]:
        for n, (given, ends, lives) in enumerate(_times(count, gone)):
            value = randomness.token_urlsafe(32)
            if lives and n % len(texts) < BUSY:
                kept.offer(value)
            at = str(given)
            yield first + n, texts[n % len(texts)], tokens.digest(value), at, at, str(ends)

    names = ["id", "application_id", "token_checksum", "created", "updated", "expires"]
    bulk.insert(model, names, rows(), many=count >= MANY, **_plain_token(model), scope="", user_id=None)
    return kept.values


def _person_tokens(count: int, gone: int, keep: int) -> list[str]:
    """With what comes with them: the person's consent, the family, and a refresh token."""

    pairs = _consents(count) if count else []
    if not pairs:
        return []
    model, refresh = get_access_token_model(), get_refresh_token_model()
    apps = sorted({client for _consent, _user, client in pairs})
    busy = set(apps[:BUSY])
    first, kept = bulk.next_id(model), _Sample(keep, (count - gone) * len(busy) // len(apps))
    families = [uuid.uuid4() for _ in range(count)]
    times = list(_times(count, gone))
    long = timedelta(days=30)
    bulk.insert(
        TokenFamily,
        ["id", "consent_id", "code_digest", "started_at", "spent_at", "ends_at"],
        (
            # That of a token that has ended is over as well, so that it can be removed.
            (
                family,
                pairs[n % len(pairs)][0],
                tokens.digest(str(family)),
                given,
                given,
                given + long if lives else ends,
            )
            for n, (family, (given, ends, lives)) in enumerate(zip(families, times, strict=True))
        ),
        many=count >= MANY,
        scope=SCOPE,
    )

    def rows() -> Iterator[tuple[Any, ...]]:
        for n, (given, ends, lives) in enumerate(times):
            value = randomness.token_urlsafe(32)
            _consent, user, client = pairs[n % len(pairs)]
            if lives and client in busy:
                kept.offer(value)
            at = str(given)
            yield first + n, client, user, tokens.digest(value), at, at, str(ends)

    bulk.insert(
        model,
        ["id", "application_id", "user_id", "token_checksum", "created", "updated", "expires"],
        rows(),
        many=count >= MANY,
        **_plain_token(model),
        scope=" ".join(SCOPE),
    )
    bulk.insert(
        FamilyToken,
        ["token_id", "family_id"],
        ((first + n, family) for n, family in enumerate(families)),
        many=count >= MANY,
    )
    bulk.insert(
        refresh,
        ["application_id", "user_id", "access_token_id", "token_family", "token_checksum", "created"],
        (
            (
                pairs[n % len(pairs)][2],
                pairs[n % len(pairs)][1],
                first + n,
                family,
                digest,
                str(times[n][0]),
            )
            for n, family in enumerate(families)
            for digest in [tokens.digest(f"refresh {family}")]
        ),
        many=count >= MANY,
        **_plain_token(refresh),
    )
    bulk.finish(Consent, TokenFamily, FamilyToken, refresh)
    return kept.values


def _consents(most: int) -> list[tuple[uuid.UUID, uuid.UUID, uuid.UUID]]:
    """`(consent, person, app)`: everybody uses up to three apps of their organization."""

    there = [
        (id, user, client) for id, user, client in Consent.objects.values_list("id", "user_id", "client_id")
    ]
    if there:
        return there
    apps: dict[uuid.UUID, list[uuid.UUID]] = {}
    for organization, id in Client.objects.filter(
        authorization_grant_type=grant_types.CODE.code
    ).values_list("organization_id", "id"):
        apps.setdefault(organization, []).append(id)
    people = User.objects.order_by("id").values_list("id", "organization_id")
    found = [
        (uuid.uuid4(), user, app)
        for turn in range(3)
        for user, organization in people
        if turn < len(apps.get(organization, ()))
        for app in [apps[organization][(user.int + turn) % len(apps[organization])]]
    ][:most]
    bulk.insert(Consent, ["id", "user_id", "client_id"], found, scope=SCOPE, places=[])
    return found


def _plain_token(model: type[Any]) -> dict[str, Any]:
    """The value itself is kept nowhere (django-oauth-toolkit's column for it stays empty)."""
    names = {field.attname for field in model._meta.concrete_fields}
    return {"token": ""} if "token" in names else {}


class _Sample:
    """Evenly over those that are offered, of which there will be `total`."""

    def __init__(self, keep: int, total: int) -> None:
        self.every = max(1, total // keep) if keep else 0
        self.keep = keep
        self.seen = 0
        self.values: list[str] = []

    def offer(self, value: str) -> None:
        if self.keep and self.seen % self.every == 0 and len(self.values) < self.keep:
            self.values.append(value)
        self.seen += 1
