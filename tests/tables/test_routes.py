"""Every route of `/api/v2` against every kind of caller.

One row for each route and method. A route without a row fails `test_every_route_has_its_row`, and a row
says which permissions and scopes the wire contract's tables name for it (C1, D2, E2, H), so that a route
that asks for something else fails as well.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.actor import system
from accounts.models import (
    Division,
    ExternalIdentifier,
    Group,
    IdentityProvider,
    Invitation,
    Role,
    RoleGrant,
    User,
)
from accounts.permissions import CATALOGUE
from accounts.rules.delegation import RoleDivision
from accounts.services import divisions
from oauthclients.api.urls import urlpatterns
from oauthclients.api.views import ApiView, NoSuchRoute
from oauthclients.models import Client, ClientSecret
from oauthclients.resource_server.guard import Requirement, Where
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients, usage_queries
from oauthclients.usage_reports import Question
from tests.cast import PASSWORD, Cast
from tests.saml import IdP, pair
from tests.scim import MEDIA_TYPE, USER
from tests.scim import refused as refused_by_scim
from tests.standing import standing
from tests.tables import scim_rows

OAUTH_READ = ("oauth", "oauth:readonly")
USAGE_READ = (*OAUTH_READ, "usage", "usage:readonly")
AUTHORIZATION_READ = ("authorization", "authorization:readonly")
USERS_READ = ("users", "users:readonly")
GROUPS_READ = ("groups", "groups:readonly")
PROVIDERS_READ = ("identity-providers", "identity-providers:readonly")
# The vendor's routes for one provider each.
SLOTS = (
    "okta",
    "adfs",
    "cic",
    "generic",
    "gsuite",
    "identitynow",
    "onelogin",
    "ping",
    "pureengage",
    "salesforce",
)
ORGANIZATION_READ = ("organization", "organization:readonly")
BASIC = ("user-basic-info",)
EXTERNAL_KEY = "00/7"
NOTHING = str(uuid.UUID("11111111-1111-4111-8111-111111111111"))


@dataclass(frozen=True)
class Row:
    """`target` names what the first id in the route is (see `World`), and `more` what the others are;
    `divided` rows are checked against the division of the target, or of what is given there, which is `where`.
    `every`: each of the permissions is needed, and not one of them. `trusted` rows take all that anybody may do
    besides the permission (accounts/rules/trust.py). `like_another` is for routes with the handlers of a row
    before. `scim` rows have SCIM's errors, and `enough` is what their request needs (scim_rows.py)."""

    method: str
    route: str
    permissions: tuple[str, ...]
    scopes: tuple[str, ...]
    target: str = ""
    more: tuple[str, ...] = ()
    divided: bool = False
    where: str = "East"
    every: bool = False
    success: int = 200
    query: str = ""
    body: dict[str, object] | list[object] = field(default_factory=dict, hash=False)
    # Rows whose answer is the same for everybody are not about an organization.
    of_organization: bool = True
    trusted: bool = False
    like_another: bool = False
    scim: bool = False
    enough: tuple[str, ...] = ()

    @property
    def sufficient(self) -> list[tuple[str, ...]]:
        """The sets of permissions of which each is enough for the request of the row."""
        if self.every or self.enough:
            return [self.enough or self.permissions]
        return [(one,) for one in self.permissions] or [()]

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


def _row(method: str, route: str, permissions: str, scopes: tuple[str, ...], **more) -> Row:
    return Row(method, route, tuple(permissions.split()), scopes, **more)


ROWS = [
    _row(
        "POST",
        "audits/query/realtime",
        "audits:audit:view",
        ("audits:readonly",),
        body={"interval": "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z"},
    ),
    _row("GET", "audits/query/realtime/servicemapping", "audits:audit:view", ("audits:readonly",)),
    _row("GET", "oauth/clients", "oauth:client:view", OAUTH_READ),
    _row("POST", "oauth/clients", "oauth:client:add", ("oauth",), body={"make": "client"}),
    _row("GET", "oauth/clients/<str:client_id>", "oauth:client:view", OAUTH_READ, target="client"),
    _row(
        "PUT",
        "oauth/clients/<str:client_id>",
        "oauth:client:edit",
        ("oauth",),
        target="client",
        body={"description": "changed"},
    ),
    _row(
        "DELETE",
        "oauth/clients/<str:client_id>",
        "oauth:client:delete",
        ("oauth",),
        target="inactive client",
        success=204,
    ),
    _row("POST", "oauth/clients/<str:client_id>/secret", "oauth:client:edit", ("oauth",), target="client"),
    _row(
        "POST",
        "oauth/clients/<str:client_id>/usage/query",
        "oauth:client:view usage:client:view",
        OAUTH_READ,
        target="client",
        body={"interval": "2026-01-01T00:00:00Z/2026-01-08T00:00:00Z"},
    ),
    _row(
        "GET",
        "oauth/clients/<str:client_id>/usage/query/results/<str:execution_id>",
        "oauth:client:view usage:client:view",
        OAUTH_READ,
        target="client",
        more=("question about the client",),
    ),
    _row(
        "GET",
        "oauth/clients/<str:client_id>/usage/summary",
        "oauth:client:view usage:client:view",
        OAUTH_READ,
        target="client",
    ),
    _row(
        "POST",
        "usage/query",
        "oauth:client:view usage:organization:view",
        USAGE_READ,
        body={"interval": "2026-01-01T00:00:00Z/2026-01-08T00:00:00Z", "groupBy": ["OAuthClientId"]},
    ),
    _row(
        "GET",
        "usage/query/<str:execution_id>/results",
        "oauth:client:view usage:organization:view",
        USAGE_READ,
        target="question",
    ),
    _row(
        "POST",
        "usage/simplesearch",
        "oauth:client:view usage:simpleSearch:view",
        USAGE_READ,
        body={"interval": "2026-01-01T00:00:00Z/2026-01-08T00:00:00Z", "httpMethods": ["GET"]},
    ),
    _row(
        "GET",
        "usage/simplesearch/<str:execution_id>/results",
        "oauth:client:view usage:simpleSearch:view",
        USAGE_READ,
        target="question",
    ),
    _row("GET", "oauth/scopes", "", OAUTH_READ),
    _row("GET", "oauth/scopes/<str:scope_id>", "", OAUTH_READ, target="scope", of_organization=False),
    _row("GET", "oauth/authorizations", "oauth:client:authorize", OAUTH_READ),
    _row(
        "GET",
        "oauth/authorizations/<str:client_id>",
        "oauth:client:authorize",
        OAUTH_READ,
        target="code client",
    ),
    _row("GET", "users", "directory:user:view", USERS_READ),
    _row("POST", "users", "directory:user:add", ("users",), divided=True, body={"make": "person"}),
    _row("GET", "users/me", "", BASIC, success=400),
    _row("POST", "users/me/password", "", ("users",), success=400, body={"make": "own password"}),
    _row("GET", "users/query", "directory:user:view", USERS_READ),
    _row("GET", "users/search", "directory:user:view", USERS_READ, query="?q64=e30="),
    _row("POST", "users/search", "directory:user:view", USERS_READ),
    _row("GET", "users/<str:user_id>", "directory:user:view", USERS_READ, target="person", divided=True),
    _row(
        "PATCH",
        "users/<str:user_id>",
        "directory:user:edit directory:organization:admin",
        ("users",),
        target="person",
        divided=True,
        body={"version": 1, "title": "changed"},
    ),
    _row(
        "DELETE",
        "users/<str:user_id>",
        "directory:user:delete directory:organization:admin",
        ("users",),
        target="person",
        divided=True,
    ),
    _row(
        "GET",
        "users/externalid/<str:authority_name>/<path:external_key>",
        "directory:user:view",
        USERS_READ,
        target="external authority",
        more=("external key",),
        divided=True,
    ),
    _row(
        "GET",
        "users/<str:user_id>/externalid",
        "directory:user:view",
        USERS_READ,
        target="person",
        divided=True,
    ),
    _row(
        "POST",
        "users/<str:user_id>/externalid",
        "directory:user:edit",
        USERS_READ,
        target="person",
        divided=True,
        body={"authorityName": "hr", "externalKey": "8"},
    ),
    _row(
        "DELETE",
        "users/<str:user_id>/externalid/<str:authority_name>/<path:external_key>",
        "directory:user:edit",
        ("users",),
        target="person",
        more=("external authority", "external key"),
        divided=True,
        success=204,
    ),
    _row(
        "POST",
        "users/<str:user_id>/invite",
        "directory:organization:admin directory:user:setPassword",
        ("users",),
        target="person",
        divided=True,
        success=204,
    ),
    _row(
        "POST",
        "users/<str:user_id>/password",
        "directory:user:setPassword",
        ("users",),
        target="powerless person",
        divided=True,
        success=204,
        body={"newPassword": "another long enough password"},
    ),
    _row("GET", "users/<str:user_id>/state", "directory:userStateChange:view", USERS_READ, target="person"),
    _row(
        "PUT",
        "users/<str:user_id>/state",
        "directory:user:edit",
        ("users",),
        target="person",
        divided=True,
        body={"state": "inactive", "version": 1},
    ),
    _row(
        "GET",
        "users/<str:subject_id>/roles",
        "authorization:grant:view",
        AUTHORIZATION_READ,
        target="person",
        divided=True,
    ),
    _row(
        "PUT",
        "users/<str:subject_id>/roles",
        "authorization:grant:add",
        ("authorization",),
        target="person",
        divided=True,
        where="Home",
        body={"make": "roles"},
    ),
    _row("GET", "groups", "", GROUPS_READ),
    _row("POST", "groups", "directory:group:add", ("groups",), body={"name": "Made"}),
    _row("GET", "groups/<str:group_id>", "", GROUPS_READ, target="group"),
    _row(
        "PUT",
        "groups/<str:group_id>",
        "directory:group:edit",
        ("groups",),
        target="group",
        body={"version": 1, "description": "changed"},
    ),
    _row(
        "DELETE",
        "groups/<str:group_id>",
        "directory:group:delete",
        ("groups",),
        target="group",
        success=204,
    ),
    _row("GET", "groups/<str:group_id>/individuals", "", GROUPS_READ, target="group"),
    _row("GET", "groups/<str:group_id>/members", "", GROUPS_READ, target="group"),
    _row(
        "POST",
        "groups/<str:group_id>/members",
        "directory:group:edit",
        ("groups",),
        target="group",
        body={"memberIds": [], "version": 1},
    ),
    _row(
        "DELETE",
        "groups/<str:group_id>/members",
        "directory:group:edit",
        ("groups",),
        target="group",
        query=f"?ids={NOTHING}",
    ),
    _row("GET", "tokens/me", "", BASIC),
    _row("DELETE", "tokens/me", "", BASIC),
    _row("GET", "tokens/timeout", "", (*AUTHORIZATION_READ, *ORGANIZATION_READ)),
    _row(
        "PUT",
        "tokens/timeout",
        "directory:organization:admin",
        ("authorization",),
        body={"enableIdleTokenTimeout": True},
    ),
    _row("GET", "organizations/authentication/settings", "directory:organization:admin", ORGANIZATION_READ),
    _row(
        "PATCH",
        "organizations/authentication/settings",
        "directory:organization:admin",
        ("organization",),
    ),
    _row(
        "PATCH",
        "organizations/features/<str:feature_name>",
        "directory:organization:admin",
        ("organization",),
        target="feature",
        body={"enabled": True},
        of_organization=False,
    ),
    _row("DELETE", "tokens/<str:user_id>", "oauth:token:delete", BASIC, target="person", success=204),
    _row("GET", "organizations/me", "", ORGANIZATION_READ),
    _row(
        "PUT",
        "organizations/me",
        "directory:organization:admin",
        ("organization",),
        body={"version": 1, "name": "Acme & Sons"},
    ),
    _row("GET", "authorization/divisions", "", AUTHORIZATION_READ),
    _row(
        "POST",
        "authorization/divisions",
        "authorization:division:add authorization:grant:add",
        ("authorization",),
        every=True,
        body={"name": "North", "description": ""},
    ),
    _row(
        "GET",
        "authorization/divisions/deleted",
        "authorization:divisionDeleted:view",
        AUTHORIZATION_READ,
    ),
    _row("GET", "authorization/divisions/query", "", AUTHORIZATION_READ),
    _row(
        "PUT",
        "authorization/divisions/<str:division_id>",
        "authorization:division:edit",
        ("authorization",),
        target="division",
        body={"description": "changed"},
    ),
    _row(
        "DELETE",
        "authorization/divisions/<str:division_id>",
        "authorization:division:delete",
        ("authorization",),
        target="empty division",
        success=204,
    ),
    _row(
        "GET",
        "authorization/divisions/<str:division_id>/grants",
        "authorization:grant:view",
        AUTHORIZATION_READ,
        target="division",
        divided=True,
    ),
    _row(
        "POST",
        "authorization/divisions/<str:division_id>/objects/<str:object_type>",
        "",
        ("authorization",),
        target="division",
        more=("USER",),
        success=204,
        body=[],
    ),
    _row(
        "POST",
        "authorization/divisions/<str:division_id>/restore",
        "authorization:division:add",
        ("authorization",),
        target="deleted division",
    ),
    _row("GET", "authorization/divisions/home", "", AUTHORIZATION_READ),
    _row("GET", "authorization/divisions/limit", "", AUTHORIZATION_READ),
    _row("GET", "authorization/divisions/<str:division_id>", "", AUTHORIZATION_READ, target="division"),
    _row(
        "GET",
        "authorization/divisionspermitted/me",
        "",
        AUTHORIZATION_READ,
        query="?permission=directory:user:view",
    ),
    _row(
        "GET",
        "authorization/divisionspermitted/paged/me",
        "",
        AUTHORIZATION_READ,
        query="?permission=directory:user:view",
    ),
    _row(
        "GET",
        "authorization/divisionspermitted/paged/<str:subject_id>",
        "",
        AUTHORIZATION_READ,
        target="caller",
        query="?permission=directory:user:view",
    ),
    _row("GET", "authorization/permissions", "", AUTHORIZATION_READ),
    _row("GET", "authorization/roles", "authorization:role:view", AUTHORIZATION_READ),
    _row(
        "GET",
        "authorization/roles/<str:role_id>",
        "authorization:role:view",
        AUTHORIZATION_READ,
        target="role",
    ),
    _row(
        "POST",
        "authorization/roles",
        "authorization:role:add",
        ("authorization",),
        body={"name": "Made", "permissionPolicies": []},
    ),
    _row("POST", "authorization/roles/default", "authorization:role:edit", ("authorization",)),
    _row("PUT", "authorization/roles/default", "authorization:role:edit", ("authorization",), body=[]),
    _row(
        "POST",
        "authorization/roles/<str:role_id>",
        "authorization:grant:add",
        ("authorization",),
        target="employee role",
        divided=True,
        success=204,
        body={"make": "subjects"},
    ),
    _row(
        "PUT",
        "authorization/roles/<str:role_id>",
        "authorization:role:edit",
        ("authorization",),
        target="role",
        body={"description": "changed"},
    ),
    _row(
        "PATCH",
        "authorization/roles/<str:role_id>",
        "authorization:role:edit",
        ("authorization",),
        target="role",
        body={"roleNeedsUpdate": False},
    ),
    _row(
        "DELETE",
        "authorization/roles/<str:role_id>",
        "authorization:role:delete",
        ("authorization",),
        target="unheld role",
        success=204,
    ),
    *(
        _row(
            method,
            "authorization/roles/<str:left_role_id>/comparedefault/<str:right_role_id>",
            "authorization:role:view",
            AUTHORIZATION_READ,
            target="role",
            more=("employee role",),
        )
        for method in ("GET", "POST")
    ),
    _row(
        "GET",
        "authorization/roles/<str:role_id>/subjectgrants",
        "authorization:role:view",
        AUTHORIZATION_READ,
        target="role",
    ),
    _row("GET", "authorization/roles/<str:role_id>/users", "", AUTHORIZATION_READ, target="role"),
    _row(
        "PUT",
        "authorization/roles/<str:role_id>/users/add",
        "authorization:grant:add",
        ("authorization",),
        target="employee role",
        divided=True,
        where="Home",
        body={"make": "people"},
    ),
    _row(
        "PUT",
        "authorization/roles/<str:role_id>/users/remove",
        "authorization:grant:delete",
        ("authorization",),
        target="employee role",
        divided=True,
        where="Home",
        body={"make": "people"},
    ),
    _row("GET", "authorization/subjects/me", "", AUTHORIZATION_READ),
    _row("GET", "authorization/subjects/rolecounts", "authorization:grant:view", AUTHORIZATION_READ),
    *(
        _row(
            "POST",
            f"authorization/subjects/<str:subject_id>/{verb}",
            permissions,
            ("authorization",),
            target="person",
            divided=True,
            every=verb == "bulkreplace",
            success=204,
            body={"make": "all grants" if verb == "bulkreplace" else "grants"},
        )
        for verb, permissions in (
            ("bulkadd", "authorization:grant:add"),
            ("bulkremove", "authorization:grant:delete"),
            ("bulkreplace", "authorization:grant:add authorization:grant:delete"),
        )
    ),
    *(
        _row(
            method,
            "authorization/subjects/<str:subject_id>/divisions/<str:division_id>/roles/<str:role_id>",
            permission,
            ("authorization",),
            target="person",
            more=("division", "employee role"),
            divided=True,
            success=204,
        )
        for method, permission in (
            ("POST", "authorization:grant:add"),
            ("DELETE", "authorization:grant:delete"),
        )
    ),
    _row(
        "GET",
        "authorization/subjects/<str:subject_id>",
        "authorization:grant:view",
        AUTHORIZATION_READ,
        target="person",
        divided=True,
    ),
    _row("GET", "identityproviders", "sso:provider:view", PROVIDERS_READ),
    _row(
        "POST",
        "identityproviders",
        "sso:provider:add",
        ("identity-providers",),
        body={"make": "provider"},
        trusted=True,
    ),
    _row("GET", "identityproviders/purecloud", "sso:provider:view", PROVIDERS_READ),
    _row(
        "PUT",
        "identityproviders/purecloud",
        "sso:provider:edit",
        ("identity-providers",),
        body={"disabled": False},
    ),
    # Nobody has a provider to sign in at instead.
    _row(
        "DELETE",
        "identityproviders/purecloud",
        "sso:provider:edit",
        ("identity-providers",),
        success=400,
    ),
    *(
        row
        for slot in SLOTS
        for row in (
            _row(
                "GET",
                f"identityproviders/{slot}",
                "sso:provider:view",
                PROVIDERS_READ,
                target=slot,
                like_another=slot != "okta",
            ),
            _row(
                "PUT",
                f"identityproviders/{slot}",
                "sso:provider:add sso:provider:edit",
                ("identity-providers",),
                body={"make": "provider"},
                trusted=True,
                like_another=slot != "okta",
            ),
            _row(
                "DELETE",
                f"identityproviders/{slot}",
                "sso:provider:delete",
                ("identity-providers",),
                target=slot,
                like_another=slot != "okta",
            ),
        )
    ),
    _row(
        "GET",
        "identityproviders/<str:provider_id>",
        "sso:provider:view",
        PROVIDERS_READ,
        target="provider",
    ),
    _row(
        "PUT",
        "identityproviders/<str:provider_id>",
        "sso:provider:edit",
        ("identity-providers",),
        target="provider",
        body={"name": "Changed"},
    ),
    _row(
        "DELETE",
        "identityproviders/<str:provider_id>",
        "sso:provider:delete",
        ("identity-providers",),
        target="provider",
        success=204,
    ),
]
ROWS += scim_rows.rows(_row)
# Of our own: what the vendor does not have.
ROWS += [
    _row("POST", "latchkey/explain", "oauth:client:view", OAUTH_READ, body={"make": "question"}),
]

# Those that are called: each handler once.
CALLED = [row for row in ROWS if not row.like_another]

every_row = pytest.mark.parametrize("row", CALLED, ids=str)
guarded_rows = pytest.mark.parametrize("row", [row for row in CALLED if row.permissions], ids=str)
divided_rows = pytest.mark.parametrize("row", [row for row in CALLED if row.divided], ids=str)
target_rows = pytest.mark.parametrize("row", [row for row in CALLED if row.target], ids=str)


class World:
    """The cast, and one of everything that a route can name: in Acme (people in East), and in Globex."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.made = 0
        # Whoever calls.
        self.calling = cast.eve.id
        self.given = cast.custom_role("Given", "directory:userProfile:view")
        for user in (cast.eve, cast.cleo):
            ExternalIdentifier.objects.create(
                organization=user.organization,
                user=user,
                authority=f"https://idp.{user.organization.short_name}.example",
                value=EXTERNAL_KEY,
            )

    def caller(self, *permissions: str, division=None, **more) -> dict[str, str]:
        """Headers of a client with exactly these permissions in this division (None: everywhere), and
        with what the client of the rows holds, so that it may edit that one."""
        self.made += 1
        pairs = [("Employee", self.cast.home)]
        if permissions:
            role = self.cast.custom_role(f"Role {self.made}", *permissions)
            pairs.append((role.name, division))
        headers = self.cast.bearer(*pairs, name=f"Caller {self.made}", **more)
        self.calling = Client.objects.get(name=f"Caller {self.made}").id
        return headers

    def where(self, row: Row) -> Division:
        return {"East": self.cast.east, "Home": self.cast.home}[row.where]

    def id_of(self, target: str, *, foreign: bool = False) -> str:
        organization = self.cast.globex if foreign else self.cast.acme
        division = organization.divisions.get(home=True) if foreign else self.cast.east
        match target:
            case "client" | "inactive client" | "code client":
                return str(self._client(organization, target).id)
            case "question about the client" | "question":
                return self._question(organization, about_client=target != "question")
            case "person":
                return str(self.cast.cleo.id if foreign else self.cast.eve.id)
            case "powerless person":
                return str(self.cast.cleo.id if foreign else self.cast.person("Pia", self.cast.east).id)
            case "external authority":
                return f"https://idp.{organization.short_name}.example"
            case "external key":
                return EXTERNAL_KEY
            case "caller":
                return str(self.cast.cleo.id if foreign else self.calling)
            case "division":
                return str(division.id)
            case "empty division" | "deleted division":
                return self._division(organization, deleted=target == "deleted division")
            case "role":
                return str(self.cast.role("Supervisor", organization).id)
            case "employee role":
                return str(self.cast.role("Employee", organization).id)
            case "unheld role":
                return str(self.cast.role("Developer", organization).id)
            case "group":
                made, _new = Group.objects.get_or_create(organization=organization, name="Crew")
                return str(made.id)
            case "USER":
                return target
            case "provider":
                return str(self.provider(organization).id)
            case slot if slot in SLOTS:
                return str(self.provider(organization, slot).id)
            case "scope":
                return "users"
            case "feature":
                return "hipaa"
            case "schema":
                return USER
            case "resource type":
                return "User"
            case _:
                raise AssertionError(target)

    def _question(self, organization, *, about_client: bool) -> str:
        """One that the caller has asked."""
        client = Client.objects.filter(name=f"Target of {organization.name}").first()
        asked = usage_queries.ask(
            actor=replace(system(organization), id=self.calling),
            question=Question(
                date(2026, 1, 1), date(2026, 1, 7), client_id=client.id if client and about_client else None
            ),
        )
        return str(asked.id)

    def provider(self, organization, slot: str = "") -> IdentityProvider:
        name = f"Target of {organization.name}"
        return IdP(name=name).provider(organization, slot=slot)

    def _division(self, organization, *, deleted: bool) -> str:
        made = divisions.create(actor=system(organization), name="Empty")
        if deleted:
            divisions.delete(actor=system(organization), division_id=made.id)
        return str(made.id)

    def nobody_may_more(self) -> None:
        """Whoever is left may do no more than the callers of the rows."""
        people = [self.cast.ada.id, self.cast.ben.id, self.cast.eve.id]
        User.objects.filter(id__in=people).update(state="inactive")

    def _client(self, organization, target: str) -> Client:
        code = target == "code client"
        client, _secret = clients.create(
            actor=system(organization),
            spec=ClientSpec(
                name=f"Target of {organization.name}",
                grant_type="authorization-code" if code else "client-credentials",
                role_divisions=(
                    RoleDivision(
                        self.cast.role("Employee", organization).id,
                        organization.divisions.get(home=True).id,
                    ),
                ),
                redirect_uris=("https://app.example/cb",),
                scope=("users",),
            ),
        )
        if target == "inactive client":
            Client.objects.filter(id=client.id).update(state="inactive")
        return client

    def body_of(self, row: Row) -> bytes:
        if row.method not in ("POST", "PUT", "PATCH"):
            return b""
        employee, home = str(self.cast.role("Employee").id), str(self.cast.home.id)
        east, eve = str(self.cast.east.id), str(self.cast.eve.id)
        match row.body.get("make") if isinstance(row.body, dict) else None:
            case "grants":
                body = {"grants": [{"roleId": employee, "divisionId": east}]}
            case "all grants":
                places = (home, east)
                body = {"grants": [{"roleId": employee, "divisionId": place} for place in places]}
            case "subjects":
                body = {"subjectIds": [eve], "divisionIds": [east]}
            case "people":
                body = [eve]
            case "roles":
                body = [employee, str(self.given.id)]
            case "own password":
                body = {"oldPassword": PASSWORD, "newPassword": "another long enough password"}
            case "client":
                body = {
                    "name": "Made",
                    "authorizedGrantType": "CLIENT-CREDENTIALS",
                    "roleDivisions": [{"roleId": str(self.cast.role("Employee").id)}],
                }
            case "person":
                body = {"name": "Dan", "email": "dan@acme.example", "divisionId": str(self.cast.east.id)}
            case "question":
                client = Client.objects.filter(organization=self.cast.acme).order_by("created").first()
                body = {"clientId": str(client.id if client else NOTHING), "path": "/api/v2/users"}
            case "provider":
                body = {
                    "name": "Made",
                    "issuerURI": "https://idp.acme.example/made",
                    "ssoTargetURI": "https://idp.acme.example/sso",
                    "certificates": [pair().certificate],
                }
            case _:
                body = row.body
        return json.dumps(body).encode()

    def call(self, row: Row, headers: dict[str, str], id: str | None = None):
        path = row.route
        if row.target:
            # In a route without an id, the target only has to be there.
            ids = [id or self.id_of(row.target), *map(self.id_of, row.more)]
            path = re.sub("<.+?>", lambda _found: ids.pop(0), path)
        return Browser(raise_request_exception=False).generic(
            row.method,
            f"/api/v2/{path}{row.query}",
            self.body_of(row),
            content_type=MEDIA_TYPE if row.scim else "application/json",
            headers=headers,
        )


@standing
def world(cast: Cast) -> World:
    return World(cast)


@standing
def everything(world: World) -> dict[str, str]:
    """Headers of a client that may do everything there is, everywhere."""
    return world.caller(*CATALOGUE)


# What SCIM's errors, which have no codes of ours, say instead.
_DETAILS = {
    "authentication.required": "No authentication bearer token",
    "bad.credentials": "Invalid login credentials",
    "missing.any.permissions": "You must have at least one of these permissions",
    "app.not.authorized.for.scope": "App not authorized to use scope",
    "not.authorized": "The app is not authorized in this organization",
    "authz.policy.denied": "Your role does not allow this application",
    "not.found": "",
}


def refused(row: Row, response, status: int, code: str) -> dict:
    if row.scim:
        return refused_by_scim(response, status, says=_DETAILS[code])
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert (body["code"], body["status"]) == (code, status)
    assert body["contextId"] == response["ININ-Correlation-Id"]
    assert response["Cache-Control"] == "no-cache, no-store, must-revalidate"
    return body


def lacks(row: Row) -> str:
    """The code for who lacks the permission."""
    return "missing.permissions" if row.every else "missing.any.permissions"


def lacks_there(row: Row) -> str:
    """The code for who lacks it in that division."""
    several = len(row.permissions) > 1 and not row.every
    return "missing.any.division.permissions" if several else "missing.division.permission"


# --- The table is whole --------------------------------------------------------------------------


def _handlers() -> dict[tuple[str, str], object]:
    found = {}
    for url in urlpatterns:
        view = url.callback.view_class
        assert issubclass(view, ApiView)
        if issubclass(view, NoSuchRoute):
            continue
        for method in ("get", "post", "put", "patch", "delete", "head", "options", "trace"):
            if method in vars(view):
                found[method.upper(), str(url.pattern)] = vars(view)[method]
    return found


def test_every_route_has_its_row():
    assert _handlers().keys() == {(row.method, row.route) for row in ROWS}


def test_no_route_but_the_last_catches_what_is_not_its_own():
    assert urlpatterns[-1].callback.view_class is NoSuchRoute
    assert all(not str(url.pattern).endswith("/") for url in urlpatterns)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_handler_asks_for_what_the_contract_says(row):
    requirement = getattr(_handlers()[row.method, row.route], "requirement", None)
    assert requirement == Requirement(
        row.permissions,
        row.scopes,
        user_context=row.route.startswith("users/me"),
        lenient=row.route == "tokens/me",
        every=row.every,
        where=what_the_division_does(row),
    )


def what_the_division_does(row: Row) -> Where:
    """That things are refused, left out or hidden by their division is tried below and in the tests of
    the entities."""
    if row.divided:
        return Where.ASKED
    if row.scim and "users" in row.route:
        return Where.HIDDEN if row.target else Where.LISTED if row.method == "GET" else Where.NONE
    aware = any(CATALOGUE[permission].division_aware for permission in row.permissions)
    return Where.LISTED if aware and row.success == 200 and not row.every else Where.NONE


def test_division_aware_permissions_are_checked_by_division():
    """Where a permission is division-aware and the route names one thing, the row says `divided`. For SCIM,
    people in other divisions do not exist, which `test_for_scim_people_elsewhere_do_not_exist` tries."""
    for row in ROWS:
        if row.scim:
            assert not row.divided
            continue
        aware = any(CATALOGUE[permission].division_aware for permission in row.permissions)
        assert row.divided == (aware and (bool(row.target) or row.body.get("make") == "person"))


# --- And every route refuses ---------------------------------------------------------------------


@every_row
def test_without_a_token(world, row):
    refused(row, world.call(row, {}), 401, "authentication.required")


@every_row
@pytest.mark.parametrize("death", ["unknown", "expired", "revoked", "client disabled", "client deleted"])
def test_with_a_dead_token(world, everything, row, death):
    if death == "unknown":
        everything = {"Authorization": "Bearer unknown"}
    tokens = get_access_token_model().objects.all()
    callers = Client.objects.filter(name="Caller 1")
    match death:
        case "expired":
            tokens.update(expires=timezone.now() - timedelta(seconds=1))
        case "revoked":
            tokens.delete()
        case "client disabled":
            callers.update(state="disabled")
        case "client deleted":
            callers.update(state="inactive", date_to_delete=timezone.now() + timedelta(days=7))
    refused(row, world.call(row, everything), 401, "bad.credentials")


@guarded_rows
def test_without_the_permission(world, row):
    """The caller holds every other permission there is, everywhere."""
    headers = world.caller(*(CATALOGUE.keys() - set(row.permissions)))
    body = refused(row, world.call(row, headers), 403, lacks(row))
    if row.scim:
        assert ", ".join(row.permissions) in body["detail"]
        return
    assert body["messageParams"]["permissions"] == ",".join(row.permissions)
    assert ", ".join(row.permissions) in body["message"]


@guarded_rows
def test_the_permission_is_asked_for_before_anything_is_told_about_the_id(world, row):
    headers = world.caller(*(CATALOGUE.keys() - set(row.permissions)))
    refused(row, world.call(row, headers, id=NOTHING), 403, lacks(row))


@pytest.mark.parametrize(
    ("row", "permission"),
    [(row, permission) for row in CALLED if row.every for permission in row.permissions],
    ids=str,
)
def test_where_every_permission_is_needed_the_others_are_not_enough(world, row, permission):
    headers = world.caller(*(CATALOGUE.keys() - {permission}))
    body = refused(row, world.call(row, headers), 403, "missing.permissions")
    assert body["messageParams"] == {"permissions": permission}


@divided_rows
def test_in_the_wrong_division(world, row):
    """The permission is held in the two other divisions."""
    aware = [permission for permission in row.permissions if CATALOGUE[permission].division_aware]
    role = world.cast.custom_role("Elsewhere", *aware)
    other = world.cast.home if row.where == "East" else world.cast.east
    headers = world.cast.bearer(
        ("Employee", world.cast.home), (role.name, world.cast.west), (role.name, other)
    )
    body = refused(row, world.call(row, headers), 403, lacks_there(row))
    assert row.where in body["message"]
    assert body["messageParams"]["divisions"] == row.where


@pytest.mark.parametrize("row", [row for row in CALLED if row.scim and row.target == "person"], ids=str)
def test_for_scim_people_elsewhere_do_not_exist(world, row):
    """All permissions are held in the two other divisions."""
    role = world.cast.custom_role("Elsewhere", *CATALOGUE)
    there = [(role.name, world.cast.home), (role.name, world.cast.west)]
    headers = world.cast.bearer(("Employee", world.cast.home), *there)
    before = _rows()
    answers = [refused(row, world.call(row, headers, id), 404, "not.found") for id in (None, NOTHING)]
    assert answers[0] == answers[1]
    assert _rows() == before


@target_rows
def test_another_organizations_object_is_like_one_that_does_not_exist(world, everything, row):
    answers = []
    ids = [NOTHING] if not row.of_organization else [world.id_of(row.target, foreign=True), NOTHING]
    for id in ids:
        response = world.call(row, everything, id=id)
        code = "client.not.found" if row.route.startswith("oauth/clients") else "not.found"
        body = refused(row, response, 404, code)
        body.pop("contextId", None)
        answers.append((body, sorted(response.headers.keys())))
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("row", [row for row in CALLED if row.target and row.method != "GET"], ids=str)
def test_a_refused_call_changes_nothing(world, everything, row):
    """Neither one without a token nor one across organizations, by whoever may do everything at home."""
    foreign = world.id_of(row.target, foreign=True)
    before = _rows()
    world.call(row, {}, id=foreign)
    assert _rows() == before
    world.call(row, everything, id=foreign)
    assert _rows() == before


def _rows() -> list[object]:
    return [
        *Client.objects.order_by("id").values_list("id", "state", "description", "version"),
        *ClientSecret.objects.order_by("id").values_list("id"),
        *User.objects.order_by("id").values_list("id", "state", "title", "version"),
        *IdentityProvider.objects.order_by("id").values_list("id", "name", "version"),
        *User.objects.order_by("id").values_list("id", "division_id", "password"),
        *Division.objects.order_by("id").values_list("id", "version", "deleted_at"),
        *Role.objects.order_by("id").values_list("id", "version"),
        *RoleGrant.objects.order_by("id").values_list("id", "subject_id", "role_id", "division_id"),
        *Group.objects.order_by("id").values_list("id", "version"),
        *ExternalIdentifier.objects.order_by("id").values_list("id", "user_id", "value"),
        *Invitation.objects.order_by("id").values_list("id"),
    ]


@pytest.mark.parametrize(
    ("row", "permissions"), [(row, some) for row in CALLED for some in row.sufficient], ids=str
)
def test_allowed(world, row, permissions):
    """Each of the permissions alone is enough, or all of them where all are needed, held in the target's
    division only; where none is needed, a client without rights gets an answer. Nothing of another
    organization is in it."""
    headers = world.caller(*permissions, division=world.where(row))
    if row.trusted:
        world.nobody_may_more()
    if len(row.permissions) > 1 and permissions == ("sso:provider:edit",):
        world.provider(world.cast.acme, row.route.split("/")[1])
    response = world.call(row, headers)
    assert response.status_code == row.success, response.content
    assert b"globex" not in response.content.lower()
    assert b"cleo" not in response.content.lower()
