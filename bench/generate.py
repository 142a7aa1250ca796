"""Fills a database with organizations, people, clients and tokens as a real installation has them, many at
once. With DATABASE_URL and STATE_DIR of a database made for it:

    .venv/bin/python -m bench.generate --tokens 1000000 --clients 100000 --people 50000 --organizations 500

The first organization is made by the product's own services, the others are copies of it. What a load
needs to call the server is written to a file that only its owner can read (`--credentials`).
"""

from __future__ import annotations

import argparse
import json
import os
import secrets as randomness
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

TOKEN_SECONDS = 86_400
SCOPE = ["organization:readonly", "user-basic-info", "users:readonly"]
REDIRECT_URI = "https://app{number}.example.com/callback"
# What clients and people hold, by `default_role_id`.
CLIENT_ROLES = ("supervisor", "developer", "peopleAdmin", "user")
# One client in so many acts for people, by authorization code.
APPS = 5
# From so many rows on, building indexes afterwards is worth it.
MANY = 10_000
# How many credentials and tokens are kept for the load: enough that no token is called more often than
# the product's rate limit allows.
KEPT = 4_000
# Of how many clients, and of how many apps, they are. When a client was last used is noted once a minute,
# and a measurement lasts seconds: with more clients, most requests would be the first in a minute.
BUSY = 200


@dataclass
class Filled:
    """What a load needs: `(client_id, secret)` of clients that get tokens for themselves, and values of
    living tokens, clients' own and people's."""

    clients: list[tuple[str, str]] = field(default_factory=list)
    client_tokens: list[str] = field(default_factory=list)
    person_tokens: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file)


def fill(
    *,
    tokens: int,
    clients: int,
    people: int,
    organizations: int,
    expired: float = 0.1,
    for_people: float = 0.2,
    keep: int = KEPT,
) -> Filled:
    """Into a database that is migrated and has none of these organizations. `expired` is the share of the
    tokens that have ended, `for_people` of those that apps hold for people."""
    homes = make_organizations(organizations)
    make_people(homes, people)
    kept = make_clients(homes, clients, keep=keep)
    more = add_tokens(tokens, expired=expired, for_people=for_people, keep=keep)
    return Filled(kept, more.client_tokens, more.person_tokens)


# --- Organizations -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Home:
    """What is needed of an organization to put people and clients into it. `divisions[0]` is Home."""

    id: uuid.UUID
    short_name: str
    divisions: list[uuid.UUID]
    roles: dict[str, uuid.UUID]


def make_organizations(count: int) -> list[Home]:
    """The first by the services, with three divisions; copies of its rows for the others."""
    from accounts.actor import system
    from accounts.models import Division, Organization, Role
    from accounts.services import divisions
    from accounts.services import organization as service
    from bench import bulk

    first = service.create(name=f"Bench {uuid.uuid4().hex[:8]}")
    for name in ("East", "West"):
        divisions.create(actor=system(first), name=name)
    pattern = {model: list(model.objects.filter(organization=first)) for model in (Division, Role)}
    copies = [uuid.uuid4() for _ in range(count - 1)]
    bulk.insert(
        Organization,
        ["id", "name", "short_name"],
        [(id, f"{first.name} {n}", f"{first.short_name}-{n}") for n, id in enumerate(copies, start=2)],
    )
    for model, rows in pattern.items():
        names = [
            f.attname for f in model._meta.concrete_fields if f.attname not in ("id", "organization_id")
        ]
        bulk.insert(
            model,
            ["id", "organization_id", *names],
            (
                (uuid.uuid4(), copy, *(getattr(row, name) for name in names))
                for copy in copies
                for row in rows
            ),
        )
    bulk.finish(Organization, Division, Role)
    return homes(first.short_name)


def homes(prefix: str = "") -> list[Home]:
    """The organizations that are there, in three statements."""
    from accounts.models import Division, Organization, Role

    divisions: dict[uuid.UUID, list[uuid.UUID]] = {}
    for organization, id in Division.objects.filter(deleted_at=None).values_list("organization_id", "id"):
        divisions.setdefault(organization, []).append(id)  # Home first: the model's order
    roles: dict[uuid.UUID, dict[str, uuid.UUID]] = {}
    for organization, default, id in Role.objects.values_list("organization_id", "default_role_id", "id"):
        roles.setdefault(organization, {})[default] = id
    found = Organization.objects.filter(short_name__startswith=prefix).order_by("created_at", "short_name")
    return [
        Home(id, short, divisions[id], roles[id])
        for id, short in found.values_list("id", "short_name")
        if id in divisions and id in roles
    ]


# --- People --------------------------------------------------------------------------------------


def make_people(homes: list[Home], count: int) -> None:
    """Spread over the organizations and their divisions. Everybody is an Employee, the first of each
    organization its Admin, and every fourth the Supervisor of their division."""
    from django.contrib.auth.hashers import make_password

    from accounts import audit
    from accounts.models import RoleGrant, SubjectType, User
    from bench import bulk

    batch = uuid.uuid4().hex[:6]
    people = [(uuid.uuid4(), homes[n % len(homes)], n) for n in range(count)]

    def division(home: Home, n: int) -> uuid.UUID:
        return home.divisions[(n // len(homes)) % len(home.divisions)]

    bulk.insert(
        User,
        [
            "id",
            "organization_id",
            "division_id",
            "email",
            "name",
            "given_name",
            "family_name",
            "department",
        ],
        (
            (
                id,
                home.id,
                division(home, n),
                f"p{n}-{batch}@{home.short_name}.example",
                f"Person {n}",
                "Person",
                str(n),
                f"Department {n % 40}",
            )
            for id, home, n in people
        ),
        password=make_password(None),
        state="active",
        last_login=None,
    )

    def grants() -> Iterator[tuple[Any, ...]]:
        for id, home, n in people:
            yield uuid.uuid4(), home.id, id, home.roles["employee"], home.divisions[0]
            if n < len(homes):
                yield uuid.uuid4(), home.id, id, home.roles["admin"], None
            elif n % 4 == 0:
                yield uuid.uuid4(), home.id, id, home.roles["supervisor"], division(home, n)

    bulk.insert(
        RoleGrant,
        ["id", "organization_id", "subject_id", "role_id", "division_id"],
        grants(),
        subject_type=SubjectType.USER,
        granted_by_type="system",
    )
    _audit(audit.Action.USER_CREATED, "user", [(home.id, id, f"Person {n}") for id, home, n in people])
    bulk.finish(User, RoleGrant)


# --- Clients -------------------------------------------------------------------------------------


def make_clients(homes: list[Home], count: int, *, keep: int = KEPT) -> list[tuple[str, str]]:
    """Clients with one to four role-division pairs, and every fifth an app that acts for people, which its
    organization has authorized. Answers the credentials of `keep` of the former."""
    from django.utils import timezone

    from accounts import audit
    from accounts.models import RoleGrant, SubjectType
    from bench import bulk
    from oauthclients import grant_types
    from oauthclients.models import Client, ClientAuthorization, ClientOrigin, ClientSecret
    from oauthclients.services import secrets

    rows = [(uuid.uuid4(), homes[n % len(homes)], n) for n in range(count)]
    # By turns within each organization, so that every one has apps.
    kinds = [(n // len(homes)) % APPS == APPS - 1 for n in range(count)]
    if count > 1 and not any(kinds):
        kinds[-1] = True
    apps = [row for row, app in zip(rows, kinds, strict=True) if app]
    services = [row for row, app in zip(rows, kinds, strict=True) if not app]
    batch = uuid.uuid4().hex[:6]
    now = timezone.now()
    names = ["id", "client_id", "organization_id", "name", "redirect_uris"]
    bulk.insert(
        Client,
        names,
        ((id, str(id), home.id, f"Service {n} {batch}", "") for id, home, n in services),
        authorization_grant_type=grant_types.CLIENT_CREDENTIALS.code,
        created_by_type="system",
        created_by_name="Bench",
        modified_by_type="system",
        modified_by_name="Bench",
    )
    bulk.insert(
        Client,
        names,
        ((id, str(id), home.id, f"App {n} {batch}", REDIRECT_URI.format(number=n)) for id, home, n in apps),
        authorization_grant_type=grant_types.CODE.code,
        scope=SCOPE,
        created_by_type="system",
        created_by_name="Bench",
        modified_by_type="system",
        modified_by_name="Bench",
    )
    bulk.insert(
        ClientOrigin,
        ["client_id", "origin"],
        ((id, REDIRECT_URI.format(number=n).rpartition("/")[0]) for id, _home, n in apps),
    )
    bulk.insert(
        ClientAuthorization,
        ["id", "organization_id", "client_id"],
        ((uuid.uuid4(), home.id, id) for id, home, _n in apps),
        scope=SCOPE,
        state="Authorized",
        created_by_name="Bench",
        modified_by_name="Bench",
    )
    kept: list[tuple[str, str]] = []

    def digests() -> Iterator[tuple[Any, ...]]:
        own = {id for id, _home, _n in services}
        for id, _home, _n in rows:
            value = secrets.PREFIX + randomness.token_urlsafe(32)
            if id in own and len(kept) < min(keep, BUSY):
                kept.append((str(id), value))
            yield uuid.uuid4(), id, secrets.digest(value), value[-4:]

    bulk.insert(
        ClientSecret,
        ["id", "client_id", "digest", "last_four"],
        digests(),
        created_at=now,
        created_by_name="Bench",
    )

    def grants() -> Iterator[tuple[Any, ...]]:
        for id, home, n in services:
            for role in CLIENT_ROLES[: 1 + n % len(CLIENT_ROLES)]:
                # One in all divisions, the others in one each.
                where = (
                    None
                    if role == CLIENT_ROLES[n % len(CLIENT_ROLES)]
                    else home.divisions[n % len(home.divisions)]
                )
                yield uuid.uuid4(), home.id, id, home.roles[role], where

    bulk.insert(
        RoleGrant,
        ["id", "organization_id", "subject_id", "role_id", "division_id"],
        grants(),
        subject_type=SubjectType.CLIENT,
        granted_by_type="system",
    )
    _audit(
        audit.Action.CLIENT_CREATED,
        "client",
        [(home.id, id, f"Client {n}") for id, home, n in rows],
    )
    bulk.finish(Client, ClientSecret, ClientOrigin, ClientAuthorization, RoleGrant)
    return kept


# --- Tokens --------------------------------------------------------------------------------------


def add_tokens(count: int, *, expired: float = 0.1, for_people: float = 0.2, keep: int = KEPT) -> Filled:
    """Tokens of the clients and people that are there, given over the last 23 hours, or, those that have
    ended, over the day before yesterday. In the order of their giving, as they come to be in a table."""
    from oauth2_provider.models import get_access_token_model

    from bench import bulk

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
    from django.utils import timezone

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
    from oauth2_provider.models import get_access_token_model

    from bench import bulk
    from oauthclients import grant_types
    from oauthclients.models import Client
    from oauthclients.services import tokens

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
    from oauth2_provider.models import get_access_token_model, get_refresh_token_model

    from bench import bulk
    from oauthclients.models import Consent, FamilyToken, TokenFamily
    from oauthclients.services import tokens

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
    from accounts.models import User
    from bench import bulk
    from oauthclients import grant_types
    from oauthclients.models import Client, Consent

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


def _audit(action: str, kind: str, entities: list[tuple[uuid.UUID, uuid.UUID, str]]) -> None:
    from django.utils import timezone

    from accounts.models import AuditEvent
    from bench import bulk

    start = timezone.now() - timedelta(days=90)
    step = timedelta(days=89) / max(len(entities), 1)
    bulk.insert(
        AuditEvent,
        ["id", "organization_id", "at", "entity_id", "entity_name"],
        (
            (uuid.uuid4(), organization, start + n * step, id, name)
            for n, (organization, id, name) in enumerate(entities)
        ),
        actor_type="system",
        actor_name="Bench",
        action=action,
        entity_type=kind,
    )
    bulk.finish(AuditEvent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=2_000)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--organizations", type=int, default=20)
    parser.add_argument("--expired", type=float, default=0.1, help="share of the tokens")
    parser.add_argument("--for-people", type=float, default=0.2, help="share of the tokens")
    parser.add_argument("--add", action="store_true", help="only tokens, to the clients that are there")
    parser.add_argument("--credentials", type=Path, help="file for what a load needs")
    options = vars(parser.parse_args())
    path: Path | None = options.pop("credentials")
    add: bool = options.pop("add")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    started = time.perf_counter()
    if add:
        filled = add_tokens(options["tokens"], expired=options["expired"], for_people=options["for_people"])
    else:
        filled = fill(**options)
    if path:
        filled.write(path)
    print(f"{options['tokens']:,} tokens in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
