"""Fills the database with enough rows that a planner does not look through a whole table for a few: forty
organizations with fifty people and fifty clients each, and what hangs on them. The cast's Acme is one of
them, no larger than the others."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import cycle

from django.contrib.sessions.models import Session
from django.db import models
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts.models import (
    AuditEvent,
    Division,
    ExternalIdentifier,
    Group,
    GroupMember,
    IdentityProvider,
    Organization,
    PhoneNumber,
    ProviderSession,
    ProviderSignIn,
    Role,
    RoleGrant,
    Skill,
    SubjectType,
    UsedAssertion,
    User,
)
from oauthclients.models import (
    Client,
    ClientAuthorization,
    ClientOrigin,
    ClientSecret,
    Consent,
    FamilyToken,
    Refusal,
    TokenFamily,
    Usage,
    UsageQuery,
    UsedAccess,
)
from oauthclients.services.tokens import digest
from tests.cast import Cast

ORGANIZATIONS, PEOPLE, CLIENTS = 40, 50, 50  # people and clients of each
OWN_TOKENS, PERSON_TOKENS, LINES = 400, 100, 200  # of each organization
SCOPE = ["users", "user-basic-info"]
EXPIRED = 10  # one in so many


def fill(cast: Cast) -> None:
    now = timezone.now()
    organizations = _save(
        Organization(name=f"Organization {n}", short_name=f"organization-{n}")
        for n in range(ORGANIZATIONS - 1)
    )
    _save(
        Division(organization=one, name=name, home=name == "Home")
        for one in organizations
        for name in ("Home", "East", "West")
    )
    pattern = list(Role.objects.filter(organization=cast.acme))
    _save(
        Role(
            organization=one,
            name=role.name,
            default_role_id=role.default_role_id,
            policies=role.policies,
        )
        for one in organizations
        for role in pattern
    )
    for one in [*organizations, cast.acme]:
        _fill_organization(one, now)


def _fill_organization(organization: Organization, now: datetime) -> None:
    name = organization.short_name
    divisions = list(Division.objects.filter(organization=organization))
    roles = list(Role.objects.filter(organization=organization))
    people = _save(
        User(
            organization=organization,
            division=division,
            name=f"Person {n} of {name}",
            email=f"person{n}@{name}.example",
            external_id=f"{name}-{n}",
        )
        for n, division in zip(range(PEOPLE), cycle(divisions), strict=False)
    )
    own = _clients(organization, "client-credentials", CLIENTS - 5)
    apps = _clients(organization, "authorization-code", 5)
    _save(
        ClientSecret(
            client=client,
            digest=uuid.uuid4().bytes * 2,
            last_four="abcd",
            created_at=now,
            created_by_name="x",
            ends_at=now - timedelta(days=1) if n % EXPIRED == 0 else None,
        )
        for n, client in enumerate([*own, *apps])
    )
    _save(
        RoleGrant(
            organization=organization,
            subject_type=kind,
            subject_id=subject.id,
            role=role,
            division=division,
        )
        for kind, subjects in ((SubjectType.USER, people), (SubjectType.CLIENT, own))
        for n, subject in enumerate(subjects)
        for role, division in (
            (roles[n % len(roles)], divisions[n % 3]),
            (roles[(n + 1) % len(roles)], None),
        )
    )
    _details(organization, people)
    _what_they_did(organization, people, [*own, *apps], now)
    _used(organization, [*own, *apps], now)
    _signed_in(organization, people, now)
    _apps(organization, people, apps, now)
    _save(_token(client, now, n) for n, client in zip(range(OWN_TOKENS), cycle(own), strict=False))


def _clients(organization: Organization, grant_type: str, count: int) -> list[Client]:
    made = []
    for n in range(count):
        key = uuid.uuid4()
        made.append(
            Client(
                id=key,
                client_id=str(key),
                organization=organization,
                name=f"{grant_type} {n}",
                authorization_grant_type=grant_type,
                scope=SCOPE,
                created_by_type="SYSTEM",
                modified_by_type="SYSTEM",
            )
        )
    return _save(made)


def _details(organization: Organization, people: list[User]) -> None:
    _save(
        ExternalIdentifier(organization=organization, user=one, authority="hr", value=str(one.id))
        for one in people
    )
    _save(PhoneNumber(user=one, kind="work", value=f"+1555{n:07}") for n, one in enumerate(people))
    _save(Skill(user=one, kind="skill", name=f"Skill {n % 20}") for n, one in enumerate(people))
    groups = _save(Group(organization=organization, name=f"Group {n}") for n in range(10))
    _save(GroupMember(group=groups[n % 10], user=one) for n, one in enumerate(people))


def _what_they_did(
    organization: Organization, people: list[User], clients: list[Client], now: datetime
) -> None:
    _save(
        AuditEvent(
            organization_id=organization.id,
            at=now - timedelta(hours=n),
            actor_type="PC_USER",
            actor_id=people[n % PEOPLE].id,
            actor_name="x",
            action="client.edited",
            entity_type="client",
            entity_id=clients[n % CLIENTS].id,
            entity_name="x",
            via_id=clients[n % CLIENTS].id if n % 10 == 0 else None,
            request_id=uuid.uuid4(),
        )
        for n in range(LINES)
    )


def _used(organization: Organization, clients: list[Client], now: datetime) -> None:
    _save(
        Usage(
            organization_id=organization.id,
            client_id=client.id,
            day=now.date() - timedelta(days=days),
            method="GET",
            route="/api/v2/users",
            requests=1,
            status_200=1,
            status_300=0,
            status_400=0,
            status_500=0,
            status_429=0,
        )
        for client in clients
        for days in (0, 1, 1_000)
    )
    _save(
        Refusal(
            organization_id=organization.id,
            client_id=client.id,
            kind=f"{n:064}",
            method="GET",
            route="/api/v2/users",
            status=403,
            code="missing.any.permissions",
            count=1,
            first_at=now,
            last_at=now - timedelta(days=500 if n % 5 == 0 else 1),
        )
        for client in clients
        for n in range(10)
    )
    _save(
        UsedAccess(
            organization_id=organization.id,
            client_id=client.id,
            scope=scope,
            last_day=now.date() - timedelta(days=days),
        )
        for client in clients
        for scope, days in (("", 0), ("users", 1), ("groups", 1_000))
    )
    _save(
        UsageQuery(
            organization_id=organization.id,
            subject_id=client.id,
            client_id=client.id,
            question={},
            ends_at=_ends(now, n),
        )
        for n, client in enumerate(clients)
    )


def _signed_in(organization: Organization, people: list[User], now: datetime) -> None:
    provider = IdentityProvider.objects.create(
        organization=organization, name="Okta", issuer=f"https://idp/{organization.id}", certificates=[]
    )
    keys = [uuid.uuid4().hex for _ in people]
    _save(
        Session(session_key=key, session_data="", expire_date=_ends(now, n)) for n, key in enumerate(keys)
    )
    _save(
        ProviderSession(key=key, provider=provider, person=one, subject=digest(key))
        for key, one in zip(keys, people, strict=True)
    )
    _save(
        ProviderSignIn(id=f"_{key}", provider=provider, browser="x", started_at=_ends(now, n), person=one)
        for n, (key, one) in enumerate(zip(keys, people, strict=True))
    )
    _save(
        UsedAssertion(organization=organization, digest=digest(key), ends_at=_ends(now, n))
        for n, key in enumerate(keys)
    )


def _apps(organization: Organization, people: list[User], apps: list[Client], now: datetime) -> None:
    _save(
        ClientAuthorization(
            organization=organization, client=app, scope=SCOPE, state="Authorized", created_by_name="x"
        )
        for app in apps
    )
    _save(ClientOrigin(client=app, origin=f"https://{app.id}.example") for app in apps)
    consents = _save(
        Consent(user=one, client=app, scope=SCOPE) for one, app in zip(people, cycle(apps), strict=False)
    )
    families = _save(
        TokenFamily(
            consent=consent,
            scope=SCOPE,
            code_digest=digest(f"{consent.id}{n}"),
            ends_at=_ends(now, n) + timedelta(days=1),
            ended_at=_ends(now, n) - timedelta(days=30) if n % EXPIRED == 1 else None,
        )
        for n, consent in zip(range(PERSON_TOKENS), cycle(consents), strict=False)
    )
    tokens = _save(
        _token(family.consent.client, now, n, family.consent.user) for n, family in enumerate(families)
    )
    # SQLite's bulk_create knows the keys, and PostgreSQL's too.
    _save(FamilyToken(token=token, family=family) for token, family in zip(tokens, families, strict=True))
    _save(
        get_refresh_token_model()(
            user=token.user,
            application=token.application,
            access_token=token,
            token_family=family.id,
            token_checksum=digest(str(family.id)),
            revoked=now if n % 3 == 0 else None,
        )
        for n, (token, family) in enumerate(zip(tokens, families, strict=True))
    )
    _save(
        get_grant_model()(
            user=consent.user,
            application=consent.client,
            code=digest(str(consent.id)),
            expires=_ends(now, n),
            redirect_uri="x",
        )
        for n, consent in enumerate(consents)
    )


def _token(client: Client, now: datetime, n: int, user: User | None = None) -> models.Model:
    return get_access_token_model()(
        application=client, user=user, token_checksum=digest(str(uuid.uuid4())), expires=_ends(now, n)
    )


def _ends(now: datetime, n: int) -> datetime:
    """For one in so many, that was a while ago."""
    return now - timedelta(days=2, seconds=n) if n % EXPIRED == 0 else now + timedelta(hours=1, seconds=n)


def _save(rows: Iterable[models.Model]) -> list:
    rows = list(rows)
    return type(rows[0])._default_manager.bulk_create(rows, batch_size=1_000) if rows else rows
