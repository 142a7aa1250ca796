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
from django.utils.translation import pgettext_lazy

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
        labels = (DOMAIN_LABELS[self.domain], ENTITY_LABELS[self.entity], ACTION_LABELS[self.action])
        return " > ".join(map(str, labels))


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


# As the vendor's documentation has them, in English.
ENTITY_LABELS: Mapping[str, Any] = {
    "audit": pgettext_lazy("entity", "Audit"),
    "callableTimeSet": pgettext_lazy("entity", "Callable Time Set"),
    "campaign": pgettext_lazy("entity", "Campaign"),
    "client": pgettext_lazy("entity", "Client"),
    "communication": pgettext_lazy("entity", "Communication"),
    "contact": pgettext_lazy("entity", "Contact"),
    "contactList": pgettext_lazy("entity", "Contact List"),
    "conversationDetail": pgettext_lazy("entity", "Conversation Detail"),
    "customAttributesSchema": pgettext_lazy("entity", "Custom Attributes Schema"),
    "division": pgettext_lazy("entity", "Division"),
    "divisionDeleted": pgettext_lazy("entity", "Division Deleted"),
    "dncList": pgettext_lazy("entity", "Dnc List"),
    "email": pgettext_lazy("entity", "Email"),
    "events": pgettext_lazy("entity", "Events"),
    "extension": pgettext_lazy("entity", "Extension"),
    "flow": pgettext_lazy("entity", "Flow"),
    "grant": pgettext_lazy("entity", "Grant"),
    "group": pgettext_lazy("entity", "Group"),
    "integration": pgettext_lazy("entity", "Integration"),
    "language": pgettext_lazy("entity", "Language"),
    "license": pgettext_lazy("entity", "License"),
    "location": pgettext_lazy("entity", "Location"),
    "message": pgettext_lazy("entity", "Message"),
    "orgTrustee": pgettext_lazy("entity", "Org Trustee"),
    "orgTrusteeGroup": pgettext_lazy("entity", "Org Trustee Group"),
    "orgTrusteeUser": pgettext_lazy("entity", "Org Trustee User"),
    "orgTrustor": pgettext_lazy("entity", "Org Trustor"),
    "organization": pgettext_lazy("entity", "Organization"),
    "plugin": pgettext_lazy("entity", "Plugin"),
    "policy": pgettext_lazy("entity", "Policy"),
    "provider": pgettext_lazy("entity", "Provider"),
    "publishedScript": pgettext_lazy("entity", "Published Script"),
    "queue": pgettext_lazy("entity", "Queue"),
    "responseSet": pgettext_lazy("entity", "Response Set"),
    "role": pgettext_lazy("entity", "Role"),
    "ruleSet": pgettext_lazy("entity", "Rule Set"),
    "rules": pgettext_lazy("entity", "Rules"),
    "schedule": pgettext_lazy("entity", "Schedule"),
    "settings": pgettext_lazy("entity", "Settings"),
    "simpleSearch": pgettext_lazy("entity", "Simple Search"),
    "skill": pgettext_lazy("entity", "Skill"),
    "token": pgettext_lazy("entity", "Token"),
    "user": pgettext_lazy("entity", "User"),
    "userDetail": pgettext_lazy("entity", "User Detail"),
    "userProfile": pgettext_lazy("entity", "User Profile"),
    "userStateChange": pgettext_lazy("entity", "User State Change"),
    "verifier": pgettext_lazy("entity", "Verifier"),
}
ACTION_LABELS: Mapping[str, Any] = {
    "add": pgettext_lazy("action", "Add"),
    "admin": pgettext_lazy("action", "Admin"),
    "all": pgettext_lazy("action", "All"),
    "assign": pgettext_lazy("action", "Assign"),
    "authorize": pgettext_lazy("action", "Authorize"),
    "create": pgettext_lazy("action", "Create"),
    "delete": pgettext_lazy("action", "Delete"),
    "disconnect": pgettext_lazy("action", "Disconnect"),
    "edit": pgettext_lazy("action", "Edit"),
    "grant": pgettext_lazy("action", "Grant"),
    "manage": pgettext_lazy("action", "Manage"),
    "receive": pgettext_lazy("action", "Receive"),
    "search": pgettext_lazy("action", "Search"),
    "setPassword": pgettext_lazy("action", "Set Password"),
    "view": pgettext_lazy("action", "View"),
}

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
