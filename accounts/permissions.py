"""Every permission, `domain:entity:action`, with the words people read for it.

Names are those of wire contract D6 and F2. A permission that is *division-aware* is held in certain
divisions and checked against the division of the thing at hand; any other is held or not held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.errors import Problems


class Permission(StrEnum):
    """The permissions that Latchkey itself asks for somewhere in its code."""

    AUDITS_AUDIT_VIEW = "audits:audit:view"
    AUTHORIZATION_DIVISION_ADD = "authorization:division:add"
    AUTHORIZATION_DIVISION_DELETE = "authorization:division:delete"
    AUTHORIZATION_DIVISION_EDIT = "authorization:division:edit"
    AUTHORIZATION_DIVISION_VIEW = "authorization:division:view"
    AUTHORIZATION_DIVISION_DELETED_VIEW = "authorization:divisionDeleted:view"
    AUTHORIZATION_GRANT_ADD = "authorization:grant:add"
    AUTHORIZATION_GRANT_DELETE = "authorization:grant:delete"
    AUTHORIZATION_GRANT_VIEW = "authorization:grant:view"
    AUTHORIZATION_ROLE_ADD = "authorization:role:add"
    AUTHORIZATION_ROLE_DELETE = "authorization:role:delete"
    AUTHORIZATION_ROLE_EDIT = "authorization:role:edit"
    AUTHORIZATION_ROLE_VIEW = "authorization:role:view"
    DIRECTORY_GROUP_ADD = "directory:group:add"
    DIRECTORY_GROUP_DELETE = "directory:group:delete"
    DIRECTORY_GROUP_EDIT = "directory:group:edit"
    DIRECTORY_ORGANIZATION_ADMIN = "directory:organization:admin"
    DIRECTORY_USER_ADD = "directory:user:add"
    DIRECTORY_USER_DELETE = "directory:user:delete"
    DIRECTORY_USER_EDIT = "directory:user:edit"
    DIRECTORY_USER_SET_PASSWORD = "directory:user:setPassword"
    DIRECTORY_USER_STATE_CHANGE_VIEW = "directory:userStateChange:view"
    DIRECTORY_USER_VIEW = "directory:user:view"
    OAUTH_CLIENT_ADD = "oauth:client:add"
    OAUTH_CLIENT_AUTHORIZE = "oauth:client:authorize"
    OAUTH_CLIENT_DELETE = "oauth:client:delete"
    OAUTH_CLIENT_EDIT = "oauth:client:edit"
    OAUTH_CLIENT_VIEW = "oauth:client:view"
    OAUTH_TOKEN_DELETE = "oauth:token:delete"
    OAUTH_TOKEN_VIEW = "oauth:token:view"
    ROUTING_LANGUAGE_ASSIGN = "routing:language:assign"
    ROUTING_SKILL_ASSIGN = "routing:skill:assign"
    SSO_PROVIDER_ADD = "sso:provider:add"
    SSO_PROVIDER_DELETE = "sso:provider:delete"
    SSO_PROVIDER_EDIT = "sso:provider:edit"
    SSO_PROVIDER_VIEW = "sso:provider:view"
    TELEPHONY_EXTENSION_ASSIGN = "telephony:extension:assign"
    USAGE_CLIENT_VIEW = "usage:client:view"
    USAGE_ORGANIZATION_VIEW = "usage:organization:view"
    USAGE_SIMPLE_SEARCH_VIEW = "usage:simpleSearch:view"


@dataclass(frozen=True)
class PermissionInfo:
    """A catalogue entry. `label` reads "OAuth > Client > View"."""

    name: str
    domain: str
    entity: str
    action: str
    division_aware: bool

    @property
    def label(self) -> str:
        return " > ".join(
            (
                str(DOMAIN_LABELS.get(self.domain, _words(self.domain))),
                _words(self.entity),
                _words(self.action),
            )
        )


DOMAIN_LABELS: Mapping[str, Any] = {
    "analytics": _("Analytics"),
    "architect": _("Architect"),
    "audits": _("Audits"),
    "authorization": _("Authorization"),
    "conversation": _("Conversation"),
    "directory": _("Directory"),
    "limits": _("Limits"),
    "messaging": _("Messaging"),
    "mfa": _("Multi-factor authentication"),
    "oauth": _("OAuth"),
    "outbound": _("Outbound"),
    "routing": _("Routing"),
    "scripter": _("Scripter"),
    "sso": _("Single sign-on"),
    "telephony": _("Telephony"),
    "usage": _("Usage"),
    "users": _("Users"),
}

# entity: actions; a trailing "/" on the entity marks its permissions as division-aware.
_CATALOGUE: Mapping[str, Mapping[str, str]] = {
    "analytics": {"conversationDetail/": "view", "userDetail/": "view"},
    "architect": {"flow/": "search view"},
    "audits": {"audit": "view"},
    "authorization": {
        "audit": "view",
        "division": "add delete edit grant view",
        "divisionDeleted": "view",
        "grant/": "add delete view",
        "license": "view",
        "orgTrustee": "add delete edit view",
        "orgTrusteeGroup": "add delete edit view",
        "orgTrusteeUser": "add delete edit view",
        "orgTrustor": "delete view",
        "policy": "add delete edit view",
        "role": "add delete edit view",
        "settings": "edit view",
    },
    "conversation": {"communication/": "disconnect", "email/": "create", "message/": "receive"},
    "directory": {
        "group": "add delete edit",
        "location": "add delete edit",
        "organization": "admin",
        "user/": "add delete edit setPassword view",
        "userProfile": "edit view",
        "userStateChange": "view",
    },
    "limits": {"organization": "view"},
    "messaging": {"integration": "view"},
    "mfa": {"verifier": "delete edit view"},
    "oauth": {"client": "add authorize delete edit view", "token": "delete view"},
    "outbound": {
        "callableTimeSet/": "search view",
        "campaign/": "add edit search view",
        "contact/": "add delete edit view",
        "contactList/": "add edit search view",
        "dncList/": "search view",
        "responseSet": "search view",
        "ruleSet/": "search view",
        "schedule/": "add edit search view",
    },
    "routing": {
        "language": "assign manage",
        "queue/": "edit search view",
        "skill": "assign manage",
    },
    "scripter": {"publishedScript": "view"},
    "sso": {"provider": "add delete edit view"},
    "telephony": {"extension": "assign", "plugin": "all"},
    "usage": {
        "client": "view",
        "events": "view",
        "organization": "view",
        "simpleSearch": "view",
    },
    "users": {"customAttributesSchema": "add delete edit view", "rules": "add delete edit view"},
}


def _words(name: str) -> str:
    """`orgTrusteeUser` -> "Org Trustee User"; names of entities and actions are not translated,
    because people look them up in the vendor's documentation."""
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return " ".join(word.capitalize() for word in spaced.split())


CATALOGUE: Mapping[str, PermissionInfo] = {
    info.name: info
    for domain, entities in _CATALOGUE.items()
    for marked, actions in entities.items()
    for action in actions.split()
    for info in [
        PermissionInfo(
            name=f"{domain}:{marked.rstrip('/')}:{action}",
            domain=domain,
            entity=marked.rstrip("/"),
            action=action,
            division_aware=marked.endswith("/"),
        )
    ]
}

# An unknown name would silently never be held; refuse to start with one.
assert all(permission in CATALOGUE for permission in Permission)


def label_of(permission: str) -> str:
    """ "OAuth > Client > View" for `oauth:client:view`; the name itself for one we do not know."""
    info = CATALOGUE.get(permission)
    return info.label if info else permission


def expand(policies: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The permissions that a list of role policies stands for, wildcards resolved against the
    catalogue. A policy for something unknown gives nothing."""
    return frozenset().union(
        *(
            _expand_one(policy["domain"], policy["entityName"], tuple(policy["actionSet"]))
            for policy in policies
        )
    )


@lru_cache(maxsize=4_096)
def _expand_one(domain: str, entity: str, actions: tuple[str, ...]) -> frozenset[str]:
    return frozenset(
        info.name
        for info in CATALOGUE.values()
        if info.domain == domain
        and entity in ("*", info.entity)
        and ("*" in actions or info.action in actions)
    )


def policies_for(permissions: Iterable[str]) -> list[dict[str, Any]]:
    """Policies that stand for exactly these permissions, in a stable order."""
    by_entity: dict[tuple[str, str], list[str]] = {}
    for permission in sorted(permissions):
        domain, entity, action = permission.split(":")
        by_entity.setdefault((domain, entity), []).append(action)
    return [
        {"domain": domain, "entityName": entity, "actionSet": actions}
        for (domain, entity), actions in by_entity.items()
    ]


def check_policies(policies: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The policies with their three keys alone. Raises `Invalid` (`general.bad.request`) for one that names
    anything unknown: it would give nothing now, and something on the day that the catalogue gets it."""
    problems = Problems()
    found = []
    for number, policy in enumerate(policies, start=1):
        unknown = _unknown_in(policy)
        if unknown is None:
            found.append(
                {
                    "domain": policy["domain"],
                    "entityName": policy["entityName"],
                    "actionSet": list(dict.fromkeys(policy["actionSet"])),
                }
            )
        else:
            problems.add("permissionPolicies", "general.bad.request", unknown, line=number)
    problems.raise_if_any()
    return found


def _unknown_in(policy: object) -> str | None:
    """What is wrong with this policy; None for nothing."""
    nothing = str(_("This policy names no known permission."))
    if not isinstance(policy, Mapping):
        return nothing
    domain, entity, actions = (policy.get(key) for key in ("domain", "entityName", "actionSet"))
    texts = isinstance(domain, str) and isinstance(entity, str) and isinstance(actions, list)
    if not texts or not actions or not all(isinstance(action, str) for action in actions):
        return nothing
    for action in actions:
        if not _expand_one(domain, entity, (action,)):
            name = f"{domain}:{entity}:{action}"
            return str(_("There is no permission called ‘%(name)s’.") % {"name": name[:200]})
    return None
