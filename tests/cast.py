"""The standing cast. Acme has Home, East and West. Ada may do everything everywhere; Ben supervises Home
and manages clients; Eve is an employee without rights in the console. Cleo runs Globex, another
organization, and must never see or touch anything of Acme's."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from django.test import Client as Browser

from accounts import queries
from accounts.actor import Actor, system
from accounts.models import Division, Organization, Role, SubjectType, User
from accounts.permissions import policies_for
from accounts.rules.delegation import RoleDivision
from accounts.services import divisions, grants, organization, people, roles
from oauthclients.models import Client
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients

PASSWORD = "a long enough password"


@dataclass
class Cast:
    acme: Organization
    globex: Organization
    home: Division
    east: Division
    west: Division
    ada: User
    ben: User
    eve: User
    cleo: User

    def role(self, name: str, organization: Organization | None = None) -> Role:
        return Role.objects.get(organization=organization or self.acme, name=name)

    def actor(self, user: User) -> Actor:
        return queries.actor_for_user(User.objects.get(id=user.id))

    def pair(self, role: str, division: Division | None) -> RoleDivision:
        return RoleDivision(self.role(role).id, division.id if division else None)

    def give(self, user: User, *pairs: tuple[str, Division | None]) -> None:
        """Replaces what a person of Acme holds."""
        actor = system(user.organization)
        grants.give(
            actor=actor,
            subject_type=SubjectType.USER,
            subject_id=user.id,
            pairs=grants.resolve(
                actor,
                [
                    RoleDivision(self.role(name, user.organization).id, where and where.id)
                    for name, where in pairs
                ],
            ),
        )

    def custom_role(self, name: str, *permissions: str) -> Role:
        return roles.create_custom(
            actor=system(self.acme), name=name, description="", policies=policies_for(permissions)
        )

    def person(self, name: str, division: Division, **more: str) -> User:
        org = division.organization
        return people.create(
            actor=system(org),
            spec=people.PersonSpec(
                name=name,
                email=f"{name.lower().replace(' ', '.')}@{org.short_name}.example",
                division_id=division.id,
                password=PASSWORD,
                state=more.pop("state", "active"),
                **more,
            ),
        )

    def client(
        self,
        *pairs: tuple[str, Division | None],
        name: str = "Billing sync",
        by: User | None = None,
        grant_type: str = "client-credentials",
        **more: object,
    ) -> tuple[Client, str]:
        """A client, of client credentials unless said otherwise, and its secret."""
        actor = self.actor(by) if by else system(self.acme)
        client, secret = clients.create(
            actor=actor,
            spec=ClientSpec(
                name=name,
                grant_type=grant_type,
                role_divisions=tuple(self.pair(role, where) for role, where in pairs),
                **more,  # type: ignore[arg-type]
            ),
        )
        return client, secret.reveal()

    def token(self, client: Client, secret: str) -> str:
        response = token_request(Browser(), client.client_id, secret)
        assert response.status_code == 200, response.content
        return response.json()["access_token"]

    def bearer(self, *pairs: tuple[str, Division | None], **more: object) -> dict[str, str]:
        """Headers of a fresh client with these pairs."""
        client, secret = self.client(*pairs, **more)  # type: ignore[arg-type]
        return {"Authorization": f"Bearer {self.token(client, secret)}"}


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def token_request(browser: Browser, client_id: str, secret: str, **headers: str):
    return browser.post(
        "/oauth/token",
        "grant_type=client_credentials",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": basic(client_id, secret), **headers},
    )


def make() -> Cast:
    acme = organization.create(name="Acme")
    globex = organization.create(name="Globex")
    east = divisions.create(actor=system(acme), name="East")
    west = divisions.create(actor=system(acme), name="West")
    home = queries.home_division(acme)
    cast = Cast(acme, globex, home, east, west, *[None] * 4)  # type: ignore[list-item]
    cast.ada = cast.person("Ada", home)
    cast.ben = cast.person("Ben", home)
    cast.eve = cast.person("Eve", east)
    cast.cleo = cast.person("Cleo", queries.home_division(globex))
    cast.custom_role(
        "Client Manager",
        "oauth:client:view",
        "oauth:client:add",
        "oauth:client:edit",
        "oauth:client:delete",
    )
    cast.give(cast.ada, ("Admin", None), ("Supervisor", None), ("SCIM Integration", None))
    cast.give(cast.ben, ("Supervisor", home), ("Client Manager", home))
    cast.give(cast.eve, ("Employee", home))
    cast.give(cast.cleo, ("Admin", None))
    return cast
