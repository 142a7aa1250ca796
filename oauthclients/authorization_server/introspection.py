"""`/oauth/introspect` (RFC 7662): an organization's own API asks what a token that it was sent may do.

Only for clients that hold `oauth:token:view`, and only about tokens that count in their organization; about
any other it learns no more than that it is not active. To ask is not to use: no idle clock moves.
"""

from __future__ import annotations

import calendar
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error, UnauthorizedClientError

from accounts import queries as account_queries
from accounts.permissions import Permission
from accounts.rules import footing
from accounts.rules.access import Access, Divisions
from oauthclients import queries, scopes
from oauthclients.authorization_server.views import ClientView
from oauthclients.models import Client
from oauthclients.resource_server.bearer import Caller, caller_of
from oauthclients.rules import home_region
from oauthclients.services import usage

# "All divisions, now and later" (wire contract D1).
ALL_DIVISIONS = "*"
# Nothing else, whatever the reason (RFC 7662 2.2).
INACTIVE = {"active": False}


class MayNotAsk(OAuth2Error):
    error = "access_denied"
    status_code = 403


class IntrospectionView(ClientView):
    def respond(self, body: dict[str, str], client: Client, *, by_secret: bool) -> HttpResponse:
        if not client.gives_tokens():
            raise UnauthorizedClientError(description="This client is not active.")
        access = account_queries.access_of(client.organization_id, client.id)
        footing.begin()
        decision = access.decide(Permission.OAUTH_TOKEN_VIEW)
        steps = footing.end()
        if not decision:
            raise MayNotAsk(description=f"The client lacks the permission {Permission.OAUTH_TOKEN_VIEW}.")
        value = body.get("token")
        if not value:
            raise InvalidRequestError(description="Missing token.")
        now = timezone.now()
        here = client.organization_id
        usage.exercised(organization_id=here, client=client, access=access, steps=steps, now=now)
        caller = caller_of(value)
        if caller is None or caller.organization.id != client.organization_id:
            return self.answer(INACTIVE, 200)
        issuer = home_region.issuer(self.request.get_host())
        described_as = described(caller, issuer)
        if described_as["active"]:
            usage.told_elsewhere(organization_id=here, client_id=caller.client.id, now=now)
        return self.answer(described_as, 200)


def described(caller: Caller, issuer: str) -> dict[str, Any]:
    """RFC 7662 2.2, and what a service needs to decide as this server would: `permissions` with their
    divisions (`"*"`: all), `role_divisions` of a client's own token, `scopes_enforced`.

    `scope` is what the app may use *now*, of what its person agreed to, with the read-only form of each. A
    service that finds `scopes_enforced` false does not check scopes: the organization has switched them
    off, or it is a client's own token, which has none.
    """
    effective, token, person = caller.effective, caller.token, caller.person
    if not effective.barrier:
        return INACTIVE
    shape: dict[str, Any] = {
        "active": True,
        "client_id": caller.client.client_id,
        "token_type": "Bearer",
        "exp": _seconds(token.expires),
        "iat": _seconds(token.created),
        "iss": issuer,
        "sub": str(person.id if person else caller.client.id),
        "organization_id": str(caller.organization.id),
        "scopes_enforced": effective.scopes is not None,
        "permissions": _permissions(effective.access),
    }
    if person is None:
        return {**shape, "role_divisions": _role_divisions(caller.client)}
    # An empty set is an answer, and none at all is another.
    usable = scopes.expanded(token.scope.split()) if effective.scopes is None else effective.scopes
    return {**shape, "username": person.email, "scope": " ".join(sorted(usable))}


def _role_divisions(client: Client) -> list[dict[str, str]]:
    return [
        {
            "roleId": str(named.role.id),
            "roleName": named.role.name,
            "divisionId": str(named.division.id) if named.division else ALL_DIVISIONS,
        }
        for named in queries.pairs_of(client)
    ]


def _permissions(access: Access) -> dict[str, list[str]]:
    return {name: _divisions(held) for name, held in sorted(access.by_permission.items())}


def _divisions(held: Divisions) -> list[str]:
    return [ALL_DIVISIONS] if held.everywhere else sorted(map(str, held.ids))


def _seconds(moment: datetime) -> int:
    return calendar.timegm(moment.utctimetuple())
