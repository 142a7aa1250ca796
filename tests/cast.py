"""The standing cast. Acme has Home, East and West. Ada may do everything everywhere; Ben supervises Home
and manages clients; Eve is an employee without rights in the console. Cleo runs Globex, another
organization, and must never see or touch anything of Acme's."""

from __future__ import annotations

import base64
import hashlib
from copy import deepcopy
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.db import models
from django.test import Client as Browser
from django.utils import timezone

from accounts import queries
from accounts.actor import Actor, system
from accounts.models import AuditEvent, Division, Organization, Role, RoleGrant, SubjectType, User
from accounts.permissions import policies_for
from accounts.rules.delegation import RoleDivision
from accounts.services import divisions, grants, organization, people, roles
from oauthclients.models import Client, Consent
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients, families, tokens

REDIRECT_URI = "https://app.example/callback"
PASSWORD = "a long enough password"


def signed_in(user: User, **kwargs) -> Browser:
    browser = Browser(**kwargs)
    response = browser.post("/sign-in/", {"email": user.email, "password": PASSWORD})
    assert response.status_code == 302, response.content
    return browser


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

    def app(
        self,
        *scope: str,
        name: str = "Web app",
        grant_type: str = "authorization-code",
        by: User | None = None,
        redirect_uri: str = REDIRECT_URI,
        **more: object,
    ) -> App:
        """An app of Acme that acts for people, authorized there with all its scopes unless made `by`
        somebody who may not."""
        client, secret = self.client(
            name=name,
            grant_type=grant_type,
            by=by,
            redirect_uris=(redirect_uri,),
            scope=scope or ("users", "user-basic-info"),
            **more,
        )
        return App(client, secret, redirect_uri)

    def acting_for(self, person: User, client: Client, *scope: str) -> dict[str, str]:
        """Headers of a fresh token with which this client acts for this person, who agreed to `scope`: what
        the long way over HTTP (`App`) comes to."""
        now = timezone.now()
        consent, _new = Consent.objects.get_or_create(
            user=person, client=client, defaults={"scope": list(scope)}
        )
        family = families.start(consent=consent, scope=scope, now=now)
        value = tokens.new_value(None)
        tokens.issue(client=client, user=person, value=value, seconds=3600, scope=scope, family=family)
        return {"Authorization": f"Bearer {value}"}

    def bearer(self, *pairs: tuple[str, Division | None], **more: object) -> dict[str, str]:
        """Headers of a fresh client with these pairs."""
        client, secret = self.client(*pairs, **more)  # type: ignore[arg-type]
        return {"Authorization": f"Bearer {self.token(client, secret)}"}


@dataclass
class App:
    """A client that acts for people, as its developer uses it: over HTTP alone."""

    client: Client
    secret: str
    redirect_uri: str

    @property
    def id(self) -> str:
        return self.client.client_id

    def address(self, **query: str) -> str:
        implicit = self.client.authorization_grant_type == "implicit"
        asked = {
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "response_type": "token" if implicit else "code",
            **query,
        }
        return "/oauth/authorize?" + urlencode({key: value for key, value in asked.items() if value})

    def ask(self, browser: Browser, **query: str):
        """GET /oauth/authorize; the first answer."""
        return browser.get(self.address(**query))

    def allowed(self, browser: Browser, **query: str) -> dict[str, str]:
        """What the app gets at its redirect URI when the person says yes, wherever it is told."""
        response = self.ask(browser, **query)
        if response.status_code == 200:
            response = self.say(browser, response, "allow", **query)
        return landed(response, self.redirect_uri)

    def say(self, browser: Browser, page, decision: str, /, **query: str):
        """Sends the form of the consent page as it was shown."""
        return browser.post(self.address(**query), {"decision": decision, "shown": page.context["shown"]})

    def exchange(self, code: str, browser: Browser | None = None, **body: str):
        """POST /oauth/token with the secret; `secret=""` leaves it out."""
        secret = body.pop("secret", self.secret)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, **body}
        return self.post("/oauth/token", form, secret, browser)

    def refresh(self, token: str, browser: Browser | None = None, **body: str):
        form = {"grant_type": "refresh_token", "refresh_token": token, **body}
        return self.post("/oauth/token", form, body.pop("secret", self.secret), browser)

    def post(
        self, path: str, form: dict[str, str], secret: str | None = None, browser: Browser | None = None
    ):
        headers = {"Authorization": basic(self.id, secret)} if secret else {}
        return (browser or Browser()).post(
            path,
            urlencode({key: value for key, value in form.items() if value is not None}),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )

    def tokens(self, browser: Browser, **query: str) -> dict[str, str]:
        """The whole way: what the exchange answers."""
        response = self.exchange(self.allowed(browser, **query)["code"])
        assert response.status_code == 200, response.content
        return response.json()

    def bearer(self, browser: Browser, **query: str) -> dict[str, str]:
        """Headers of a fresh token of whoever is signed in."""
        if self.client.authorization_grant_type == "implicit":
            token = self.allowed(browser, **query)["access_token"]
        else:
            token = self.tokens(browser, **query)["access_token"]
        return {"Authorization": f"Bearer {token}"}


def landed(response, redirect_uri: str) -> dict[str, str]:
    """The parameters that a redirect to the app carries, in query or fragment."""
    assert response.status_code in (302, 303), (response.status_code, response.content)
    target = response["Location"]
    assert target.startswith(redirect_uri), target
    parts = urlsplit(target)
    pairs = parse_qsl(parts.fragment or parts.query, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def pkce(verifier: str = "v" * 43) -> dict[str, str]:
    """What a request for a code says about a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {"code_challenge": challenge, "code_challenge_method": "S256"}


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
    """The services make it the first time; every other test of the process gets the same rows again, at a
    tenth of the cost."""
    if not _ROWS:
        cast = _made_by_services()
        _ROWS.extend((model, list(model.objects.order_by("pk"))) for model in _MODELS)
        return cast
    again: dict[object, models.Model] = {}
    for model, rows in _ROWS:
        copies = [_copied(row, again) for row in rows]
        model.objects.bulk_create(copies)
    named = {str(row): row for row in again.values() if isinstance(row, Organization | Division | User)}
    home = next(
        row
        for row in again.values()
        if isinstance(row, Division) and row.home and row.organization == named["Acme"]
    )
    people = [named[name] for name in ("Ada", "Ben", "Eve", "Cleo")]
    return Cast(named["Acme"], named["Globex"], home, named["East"], named["West"], *people)


# In the order in which they refer to each other.
_MODELS = (Organization, Division, Role, User, RoleGrant, AuditEvent)
_ROWS: list[tuple[type[models.Model], list[models.Model]]] = []


def _copied(row: models.Model, again: dict[object, models.Model]) -> models.Model:
    """A new row with the old key and values, which refers to the copies of what the old one refers to."""
    copy = type(row)()
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        # Nobody is given a role or a line of the audit trail to change: those share their lists.
        own = isinstance(value, list | dict) and not isinstance(row, Role | AuditEvent)
        setattr(copy, field.attname, deepcopy(value) if own else value)
        if field.is_relation and value in again:
            setattr(copy, field.name, again[value])
    again[row.pk] = copy
    return copy


def _made_by_services() -> Cast:
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
