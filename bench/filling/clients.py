"""Clients, with what they hold."""

from __future__ import annotations

import secrets as randomness
import uuid
from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from accounts import audit
from accounts.models import RoleGrant, SubjectType
from bench import bulk
from bench.filling import BUSY, KEPT, SCOPE, trail
from bench.filling.homes import Home
from oauthclients import grant_types
from oauthclients.models import Client, ClientAuthorization, ClientOrigin, ClientSecret
from oauthclients.services import secrets

REDIRECT_URI = "https://app{number}.example.com/callback"
# What clients hold, by `default_role_id`.
CLIENT_ROLES = ("supervisor", "developer", "peopleAdmin", "user")
# One client in so many acts for people, by authorization code.
APPS = 5


def make_clients(homes: list[Home], count: int, *, keep: int = KEPT) -> list[tuple[str, str]]:
    """Clients with one to four role-division pairs, and every fifth an app that acts for people, which its
    organization has authorized. Answers the credentials of `keep` of the former."""

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
    trail.write(
        audit.Action.CLIENT_CREATED,
        "client",
        [(home.id, id, f"Client {n}") for id, home, n in rows],
    )
    bulk.finish(Client, ClientSecret, ClientOrigin, ClientAuthorization, RoleGrant)
    return kept
