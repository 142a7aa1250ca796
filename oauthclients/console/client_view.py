"""The parts of a client's page, as the template loops over them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.models import AuditEvent
from accounts.permissions import Permission, expand
from accounts.services.grants import NamedPair
from oauthclients import grant_types, queries
from oauthclients.api import routes
from oauthclients.console.authorized_apps import STATES
from oauthclients.explain import effective
from oauthclients.explain.effective import Part
from oauthclients.models import AuthorizationState, Client
from oauthclients.rules.effective_access import EffectiveAccess
from oauthclients.scopes import CATALOGUE as SCOPES

CHANGES_SHOWN = 5

# The words of an audit line's keys (services/clients.py `_described`).
FIELDS: Mapping[str, Any] = {
    "name": gettext_lazy("app name"),
    "description": gettext_lazy("description"),
    "accessTokenValiditySeconds": gettext_lazy("token duration"),
    "roleDivisions": gettext_lazy("roles"),
    "registeredRedirectUri": gettext_lazy("redirect URIs"),
    "scope": gettext_lazy("scope"),
    "state": gettext_lazy("state"),
    "dateToDelete": gettext_lazy("date of removal"),
}


def credentials(client: Client) -> dict[str, Any]:
    """The secrets that work: the current one, and one that is being replaced."""
    now = timezone.now()
    secrets = list(client.secrets.all())
    return {
        "current": next((secret for secret in secrets if secret.ends_at is None), None),
        "retiring": next((secret for secret in secrets if secret.ends_at and secret.ends_at > now), None),
    }


def access(client: Client, pairs: list[NamedPair]) -> dict[str, Any]:
    """Roles and what follows from them, or addresses and scopes."""
    grant = grant_types.BY_CODE[client.authorization_grant_type]
    return {
        "roles": _roles(pairs) if grant.uses_roles else [],
        "permissions": _permissions(pairs) if grant.uses_roles else [],
        "redirect_uris": client.redirect_uri_list if grant.uses_redirect_uris else [],
        "scopes": [
            {"scope": SCOPES[name], "routes": routes.opened_by(name)}
            for name in client.scope
            if name in SCOPES and grant.uses_scopes
        ],
    }


def authorized_in(actor: Actor, client: Client) -> list[dict[str, Any]]:
    """What organizations say about it, the own one first. Of others, only those that have authorized it:
    what was asked or refused there is theirs."""
    may = bool(actor.access.decide(Permission.OAUTH_CLIENT_AUTHORIZE))
    own = client.organization_id
    rows = client.authorizations.select_related("organization").filter(
        Q(organization=own) | Q(state=AuthorizationState.AUTHORIZED)
    )
    return [
        {
            "organization": row.organization.name,
            "own": row.organization_id == own,
            "state": STATES[row.state],
            "scope": row.scope,
            "waits": row.organization_id == own and queries.waits(row),
            "url": reverse("authorized-application", args=[client.id])
            if may and row.organization_id == own
            else "",
        }
        for row in sorted(
            rows, key=lambda row: (row.organization_id != own, row.organization.name.casefold())
        )
    ]


def waits(actor: Actor, client: Client) -> dict[str, Any] | None:
    """What is to be said about an app whose own organization has not authorized it, or not for all that it
    asks for: `{title, text, helpers, url}`, with the way there for somebody who may decide and the names of
    those who may for anybody else. None where there is nothing to wait for."""
    if not grant_types.BY_CODE[client.authorization_grant_type].uses_scopes or not client.scope:
        return None
    row = queries.authorization_of(client.organization, client)
    state = row.state if row else AuthorizationState.REQUESTED
    if queries.word_on(client.organization, client).barred:
        title = _("It is not authorized yet")
        text = _("Nobody here can use it until its scopes are authorized.")
        if state == AuthorizationState.UNAUTHORIZED:
            title, text = _("It was declined"), _("Nobody here can use it unless it is authorized.")
        elif state == AuthorizationState.REVOKED:
            title, text = (
                _("Its authorization was revoked"),
                _("Nobody here can use it unless that is undone."),
            )
    elif row is not None and row.state == AuthorizationState.AUTHORIZED and queries.waits(row):
        title = _("It asks for more than is authorized")
        text = _("What it asks for besides counts once it is authorized.")
    else:
        return None
    may = bool(actor.access.decide(Permission.OAUTH_CLIENT_AUTHORIZE))
    return {
        "title": title,
        "text": text,
        "helpers": []
        if may
        else account_queries.who_holds(client.organization, Permission.OAUTH_CLIENT_AUTHORIZE),
        "url": reverse("authorized-application", args=[client.id]) if may else "",
    }


def changes(client: Client) -> list[dict[str, Any]]:
    """The last audit lines of this client, as sentences. What was refused has a place of its own, and
    would soon be all that there is."""
    events = account_queries.changes_of(client.organization, client.id)
    events = events.exclude(action=audit.Action.APP_ASSERTION_REFUSED)
    return [
        {"who": event.actor_name, "did": _sentence(event.action), "what": _what(event), "at": event.at}
        for event in events[:CHANGES_SHOWN]
    ]


def _roles(pairs: list[NamedPair]) -> list[dict[str, Any]]:
    by_role: dict[uuid.UUID, dict[str, Any]] = {}
    for named in pairs:
        role = by_role.setdefault(
            named.role.id,
            {
                "name": named.role.label,
                "divisions": [],
                "permission_count": len(expand(named.role.policies)),
            },
        )
        role["divisions"].append(named.division.name if named.division else _("All divisions"))
    return list(by_role.values())


def _permissions(pairs: list[NamedPair]) -> list[Part]:
    """What the pairs come to, by division: decided by the same rules as every call of the API."""
    access = EffectiveAccess(effective.access_of(pairs))
    return effective.parts(access, effective.names_of(pairs), for_person=False)


def _sentence(action: str) -> str:
    return str(audit.SENTENCES.get(action, action))


def _what(event: AuditEvent) -> str:
    if event.action != audit.Action.CLIENT_EDITED:
        return ""
    return ", ".join(str(text) for key, text in FIELDS.items() if key in event.after or key in event.before)
