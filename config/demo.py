"""The demo organizations: Acme, with people spread over three divisions and a client per grant type, and
Globex, a neighbour who must see none of it. Built by the same services as everything else."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts import queries
from accounts.actor import Actor, system
from accounts.errors import DomainError
from accounts.models import Division, Organization, Role, SubjectType, User, UserState
from accounts.permissions import Permission, policies_for
from accounts.rules.delegation import RoleDivision
from accounts.rules.provider_spec import ProviderSpec
from accounts.saml import keys, service_provider
from accounts.services import divisions, grants, identity_providers, organization, people, roles
from oauthclients import grant_types
from oauthclients.api import routes
from oauthclients.models import Client, ClientState
from oauthclients.rules import token_life
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients, explorer
from oauthclients.services import secrets as client_secrets

# Fixed ids, so that an organization that somebody happens to call Acme is never taken for the demo.
ACME = uuid.UUID("acce0000-0000-4000-8000-000000000001")
GLOBEX = uuid.UUID("acce0000-0000-4000-8000-000000000002")

CLIENT_MANAGER = "OAuth Client Manager"
DIRECTORY_VIEWER = "Directory Viewer"
PROVIDER = "Demo identity provider"
PROVIDER_ISSUER = "https://idp.acme.example/metadata"
REDIRECT_URI = "http://localhost:9000/callback"

_FIRST = ("Amal", "Bruno", "Chiara", "Dara", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jonas", "Keiko")
_LAST = ("Adeyemi", "Brandt", "Costa")


class OtherOrganizations(DomainError):
    code = "demo.refused"


def build(*, anyway: bool = False) -> dict[str, Any]:
    """Makes what is missing, sets everybody's demo rights back to what they should be, and gives the demo
    people and clients fresh credentials. Answers the object that `manage.py demo --json` prints.

    Raises `OtherOrganizations` where the database holds an organization that is not the demo's.
    """
    if not anyway and Organization.objects.exclude(id__in=[ACME, GLOBEX]).exists():
        raise OtherOrganizations(
            "This database holds other organizations. The demo was not touched (--anyway insists)."
        )
    with transaction.atomic():
        acme = _organization(ACME, "Acme")
        globex = _organization(GLOBEX, "Globex")
        where = {"Home": queries.home_division(acme)}
        for name in ("East", "West"):
            where[name] = _division(acme, name)
        _role(acme, CLIENT_MANAGER, _CLIENT_MANAGER_PERMISSIONS)
        _role(acme, DIRECTORY_VIEWER, [Permission.DIRECTORY_USER_VIEW])
        cast = {
            "ada": _person(
                where["Home"],
                "Ada",
                ("Admin", None),
                ("Supervisor", None),
                ("SCIM Integration", None),
                ("PureCloud for Salesforce", None),
                ("Token Introspection", None),
            ),
            "ben": _person(
                where["Home"],
                "Ben",
                ("Supervisor", where["Home"]),
                (CLIENT_MANAGER, where["Home"]),
            ),
            "eve": _person(where["East"], "Eve", ("Employee", where["Home"])),
            "cleo": _person(queries.home_division(globex), "Cleo", ("Admin", None)),
        }
        passwords = {key: _fresh_password(person) for key, person in cast.items()}
        _extras(acme, list(where.values()))
        ada = queries.actor_for_user(User.objects.select_related("organization").get(id=cast["ada"].id))
        demo_clients = {
            key: _client(system(acme) if spec.name == "Demo limited" else ada, spec)
            for key, spec in _specs(acme, where)
        }
        explorer.set_up(actor=system(acme), scope=routes.scopes_used())
        provider = _provider(acme, cast["eve"].email)
    return {
        "base_url": settings.BASE_URL,
        "organization": {
            "id": str(acme.id),
            "name": acme.name,
            "short_name": acme.short_name,
            "home_division_id": str(where["Home"].id),
            "divisions": {name: str(division.id) for name, division in where.items()},
        },
        "people": {
            key: {"id": str(person.id), "email": person.email, "password": passwords[key]}
            for key, person in cast.items()
        },
        "clients": demo_clients,
        "identity_provider": provider,
    }


_CLIENT_MANAGER_PERMISSIONS = [
    Permission.OAUTH_CLIENT_ADD,
    Permission.OAUTH_CLIENT_DELETE,
    Permission.OAUTH_CLIENT_EDIT,
    Permission.OAUTH_CLIENT_VIEW,
]


def _organization(id: uuid.UUID, name: str) -> Organization:
    found = Organization.objects.filter(id=id).first()
    return found or organization.create(name=name, id=id)


def _division(acme: Organization, name: str) -> Division:
    found = queries.divisions(acme).filter(name__iexact=name).first()
    return found or divisions.create(actor=system(acme), name=name)


def _role(acme: Organization, name: str, permissions: list[Permission]) -> Role:
    found = queries.roles(acme).filter(name__iexact=name).first()
    return found or roles.create_custom(
        actor=system(acme), name=name, description="", policies=policies_for(permissions)
    )


def _person(division: Division, name: str, *pairs: tuple[str, Division | None]) -> User:
    acting = system(division.organization)
    email = f"{name.lower()}@{division.organization.short_name}.example"
    person = User.objects.filter(organization=division.organization, email=email).first()
    if person is None:
        person = people.create(
            actor=acting,
            spec=people.PersonSpec(name=name, email=email, division_id=division.id, state=UserState.ACTIVE),
        )
    elif person.state != UserState.ACTIVE:
        person = people.change(
            actor=acting,
            user_id=person.id,
            version=person.version,
            values={"state": UserState.ACTIVE},
        )
    wanted = grants.resolve(
        acting,
        [
            RoleDivision(queries.roles(acting.organization).get(name=role).id, where.id if where else None)
            for role, where in pairs
        ],
    )
    if grants.describe_grants(acting, person.id) != sorted(str(named) for named in wanted):
        grants.give(actor=acting, subject_type=SubjectType.USER, subject_id=person.id, pairs=wanted)
    return person


def _fresh_password(person: User) -> str:
    password = secrets.token_urlsafe(12)
    people.set_password(actor=system(person.organization), user=person, password=password)
    return password


def _extras(acme: Organization, where: list[Division]) -> None:
    """A few dozen people, so that lists have something to page through. Nobody can sign in as them."""
    names = [f"{first} {last}" for last in _LAST for first in _FIRST]
    emails = {f"{name.lower().replace(' ', '.')}@acme.example": name for name in names}
    known = set(User.objects.filter(email__in=emails).values_list("email", flat=True))
    for number, (email, name) in enumerate(emails.items()):
        if email not in known:
            people.create(
                actor=system(acme),
                spec=people.PersonSpec(
                    name=name,
                    email=email,
                    division_id=where[number % len(where)].id,
                    department=("Sales", "Support", "Finance", "People")[number % 4],
                    title=("Agent", "Team lead", "Analyst")[number // len(_FIRST)],
                    state=UserState.ACTIVE,
                ),
            )


def _specs(acme: Organization, where: dict[str, Division]) -> Iterator[tuple[str, ClientSpec]]:
    def pair(role: str, division: Division | None = None) -> RoleDivision:
        return RoleDivision(queries.roles(acme).get(name=role).id, division.id if division else None)

    yield (
        "client_credentials",
        ClientSpec(
            name="Demo service",
            description="Holds what Ada holds",
            grant_type=grant_types.CLIENT_CREDENTIALS.code,
            role_divisions=(
                pair("Admin"),
                pair("Supervisor"),
                pair("SCIM Integration"),
                pair("Token Introspection"),
            ),
        ),
    )
    yield (
        "limited",
        ClientSpec(
            name="Demo limited",
            description="May see the people of East, and nothing else",
            grant_type=grant_types.CLIENT_CREDENTIALS.code,
            role_divisions=(pair(DIRECTORY_VIEWER, where["East"]),),
        ),
    )
    for key, name, grant in (
        ("code", "Demo web app", grant_types.CODE),
        ("implicit", "Demo browser app", grant_types.IMPLICIT),
    ):
        yield (
            key,
            ClientSpec(
                name=name,
                grant_type=grant.code,
                redirect_uris=(REDIRECT_URI,),
                scope=("organization:readonly", "user-basic-info", "users"),
            ),
        )
    yield (
        "saml2_bearer",
        ClientSpec(
            name="Demo SAML app",
            grant_type=grant_types.SAML2_BEARER.code,
            scope=("organization:readonly", "user-basic-info", "users"),
        ),
    )
    yield (
        "scim",
        ClientSpec(
            name="Demo SCIM",
            description="Keeps people in step with an identity management system",
            grant_type=grant_types.CLIENT_CREDENTIALS.code,
            role_divisions=(pair("SCIM Integration"),),
            token_seconds=token_life.LONGEST_SCIM,
        ),
    )


def _provider(acme: Organization, email: str) -> dict[str, str]:
    """An identity provider that is only a key: whoever has it can say who somebody is. Made anew each
    time; nothing answers at its address, so nobody is led there from the sign-in page."""
    pair = keys.make(PROVIDER)
    spec = ProviderSpec(
        name=PROVIDER,
        issuer=PROVIDER_ISSUER,
        target_url="http://localhost:9001/sso",
        certificates=(pair.certificate,),
        show_on_sign_in=False,
        accept_bearer=True,
    )
    found = queries.providers(acme).filter(issuer=PROVIDER_ISSUER).first()
    if found is None:
        provider = identity_providers.create(actor=system(acme), spec=spec)
    else:
        provider = identity_providers.change(
            actor=system(acme), provider_id=found.id, spec=lambda _was: spec
        )
    return {
        "issuer": provider.issuer,
        "audience": service_provider.audience(provider),
        "recipient": service_provider.token_endpoint(),
        "private_key_pem": pair.private_key,
        "certificate_pem": pair.certificate,
        "email": email,
    }


def _client(actor: Actor, spec: ClientSpec) -> dict[str, str]:
    """The client as it should be, with a fresh secret; one that was edited is set back."""
    found = Client.objects.filter(organization=actor.organization, name__iexact=spec.name).first()
    if found is None:
        client, secret = clients.create(actor=actor, spec=spec)
    else:
        owner = system(actor.organization)
        client = clients.change(
            actor=owner, client_id=found.id, spec=lambda _was: spec, state=ClientState.ACTIVE
        ).client
        secret = client_secrets.generate(actor=owner, client_id=client.id)
    credentials = {"client_id": client.client_id, "client_secret": secret.reveal()}
    if spec.redirect_uris:
        credentials["redirect_uri"] = spec.redirect_uris[0]
    return credentials
