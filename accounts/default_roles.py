"""The roles that every organization starts with, as data.

Names and the id `employee` are those of wire contract D3; the others' ids follow its form. The
vendor publishes few of the permission lists: SCIM Integration is the union that its SCIM endpoints
check (wire contract H), PureCloud for Salesforce the union of wire contract F2. Token Introspection is
Latchkey's own (docs/protect-your-api.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import pgettext

from accounts.permissions import CATALOGUE, policies_for


@dataclass(frozen=True)
class DefaultRole:
    """`id` is stable and becomes `Role.default_role_id`; the name can be read aloud to a customer."""

    id: str
    name: str
    description: str
    policies: tuple[dict[str, Any], ...]


def pgettext_noop(context: str, text: str) -> str:
    """Marks the text for translation, and leaves it as it is (Django has no such thing with a context)."""
    return text


def _role(id: str, name: str, description: str, permissions: str) -> DefaultRole:
    names = permissions.split()
    unknown = [name for name in names if name not in CATALOGUE]
    assert not unknown, unknown
    return DefaultRole(id, name, description, tuple(policies_for(names)))


_EVERYTHING = tuple(
    {"domain": domain, "entityName": "*", "actionSet": ["*"]}
    for domain in sorted({info.domain for info in CATALOGUE.values()})
)

DEFAULT_ROLES: tuple[DefaultRole, ...] = (
    DefaultRole(
        "admin",
        pgettext_noop("role", "Admin"),
        pgettext_noop("role", "Everything in the organization"),
        _EVERYTHING,
    ),
    DefaultRole(
        "masterAdmin",
        pgettext_noop("role", "Master Admin"),
        pgettext_noop("role", "Everything, for the organization's owner"),
        _EVERYTHING,
    ),
    _role(
        "employee",
        pgettext_noop("role", "Employee"),
        pgettext_noop("role", "What every person has"),
        "directory:userProfile:view",
    ),
    _role(
        "user",
        pgettext_noop("role", "User"),
        pgettext_noop("role", "See colleagues and keep one's own profile"),
        "directory:user:view directory:userProfile:view directory:userProfile:edit",
    ),
    _role(
        "supervisor",
        pgettext_noop("role", "Supervisor"),
        pgettext_noop("role", "Look after the people and queues of a division"),
        """analytics:conversationDetail:view analytics:userDetail:view authorization:grant:view
        authorization:role:view directory:user:view directory:userProfile:view
        directory:userStateChange:view routing:language:assign routing:queue:edit
        routing:queue:search routing:queue:view routing:skill:assign""",
    ),
    _role(
        "peopleAdmin",
        pgettext_noop("role", "People Admin"),
        pgettext_noop("role", "Add, change and remove people"),
        """directory:group:add directory:group:delete directory:group:edit directory:user:add
        directory:user:delete directory:user:edit directory:user:setPassword directory:user:view
        directory:userProfile:edit directory:userProfile:view authorization:grant:view
        authorization:role:view""",
    ),
    _role(
        "developer",
        pgettext_noop("role", "Developer"),
        pgettext_noop("role", "Build and run integrations"),
        """authorization:division:view authorization:grant:view authorization:role:view
        oauth:client:add oauth:client:delete oauth:client:edit oauth:client:view oauth:token:delete
        usage:client:view usage:events:view usage:organization:view usage:simpleSearch:view""",
    ),
    _role(
        "scimIntegration",
        pgettext_noop("role", "SCIM Integration"),
        pgettext_noop("role", "For an identity management system that keeps people up to date"),
        """authorization:grant:add authorization:grant:delete directory:group:edit
        directory:user:add directory:user:delete directory:user:edit directory:user:setPassword
        routing:language:assign routing:skill:assign telephony:extension:assign""",
    ),
    _role(
        "tokenIntrospection",
        pgettext_noop("role", "Token Introspection"),
        pgettext_noop("role", "For an API of your own that asks whether a token is good"),
        "oauth:token:view",
    ),
    _role(
        "salesforce",
        pgettext_noop("role", "PureCloud for Salesforce"),
        pgettext_noop("role", "For the integration of Salesforce"),
        """analytics:conversationDetail:view architect:flow:search architect:flow:view
        conversation:communication:disconnect conversation:email:create
        conversation:message:receive messaging:integration:view outbound:callableTimeSet:search
        outbound:callableTimeSet:view outbound:campaign:add outbound:campaign:edit
        outbound:campaign:search outbound:campaign:view outbound:contact:add
        outbound:contact:delete outbound:contact:edit outbound:contact:view
        outbound:contactList:add outbound:contactList:edit outbound:contactList:search
        outbound:contactList:view outbound:dncList:search outbound:dncList:view
        outbound:responseSet:search outbound:responseSet:view outbound:ruleSet:search
        outbound:ruleSet:view outbound:schedule:add outbound:schedule:edit outbound:schedule:search
        outbound:schedule:view routing:queue:search routing:queue:view routing:skill:manage
        scripter:publishedScript:view telephony:plugin:all""",
    ),
)

SCIM_INTEGRATION = next(role for role in DEFAULT_ROLES if role.id == "scimIntegration")

# What is stored of them is English, and shown in the language of the page.
_SHIPPED = frozenset(text for role in DEFAULT_ROLES for text in (role.name, role.description))


def shown(text: str) -> str:
    """The name or the description of a role, as people read it: what came with Latchkey is translated, what
    an organization wrote itself is not."""
    return pgettext("role", text) if text in _SHIPPED else text
