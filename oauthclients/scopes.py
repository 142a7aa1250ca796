"""The scope catalogue (wire contract F): what apps that act for a person can be limited to.

`<name>` reads and changes, `<name>:readonly` only reads. Client credentials ignore scopes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

READ_AND_CHANGE, READ_ONLY, BASE_ONLY = "both", "readonly", "base"


@dataclass(frozen=True)
class Scope:
    """One scope as it goes over the wire. `sensitive` ones are marked wherever they are chosen."""

    name: str
    family: str
    what: Any
    readonly: bool
    sensitive: bool

    @property
    def sentence(self) -> str:
        """What an app with it may do, in plain words, to the person for whom it acts."""
        pattern = _("See %(what)s") if self.readonly else _("See and change %(what)s")
        if self.family in _SENTENCES and not self.readonly:
            return str(_SENTENCES[self.family])
        return str(pattern) % {"what": self.what}

    @property
    def for_administrators(self) -> str:
        """The same to somebody who decides about others: no “you”."""
        return str(_FOR_ADMINISTRATORS.get(self.name, self.sentence))

    @property
    def changes(self) -> bool:
        """Whether an app with it can change something: such scopes are marked wherever they are chosen."""
        return not self.readonly and self.family not in _ONLY_TOLD


_SENTENCES: Mapping[str, Any] = {
    "identity-providers": _(
        "See and change single sign-on identity providers, which is enough to sign in as anybody"
    ),
    "notifications": _("Be told about events as they happen"),
    "upload": _("Upload files"),
    "user-basic-info": _("See who you are: name, email and organization"),
}

_FOR_ADMINISTRATORS: Mapping[str, Any] = {
    "user-basic-info": _("See who the person is: name, email and organization"),
}

# Without a read-only form, because there is nothing else to do with them.
_ONLY_TOLD = frozenset({"notifications", "user-basic-info"})

# family: (forms, what it is about). The families and their forms are those of wire contract F.
_FAMILIES: Mapping[str, tuple[str, Any]] = {
    "ai-studio": (READ_AND_CHANGE, _("AI guides")),
    "alerting": (READ_AND_CHANGE, _("alert rules and alerts")),
    "analytics": (READ_AND_CHANGE, _("reports and analytics")),
    "architect": (READ_AND_CHANGE, _("call flows and prompts")),
    "assistants": (READ_AND_CHANGE, _("assistants for agents")),
    "audits": (READ_ONLY, _("the audit trail")),
    "authorization": (READ_AND_CHANGE, _("roles, divisions and who holds them")),
    "billing": (READ_AND_CHANGE, _("billing reports")),
    "business-rules": (READ_AND_CHANGE, _("business rules and decision tables")),
    "case-management": (READ_AND_CHANGE, _("cases")),
    "coaching": (READ_AND_CHANGE, _("coaching appointments")),
    "content-management": (READ_AND_CHANGE, _("documents and workspaces")),
    "conversations": (READ_AND_CHANGE, _("calls, chats, emails and messages")),
    "data-extensions": (BASE_ONLY, _("data extensions")),
    "data-privacy": (READ_AND_CHANGE, _("data privacy rules")),
    "devices": (READ_AND_CHANGE, _("mobile devices")),
    "dialog": (READ_AND_CHANGE, _("dialog flows")),
    "employee-engagement": (READ_AND_CHANGE, _("recognition of employees")),
    "employee-performance": (READ_AND_CHANGE, _("performance of employees")),
    "external-contacts": (READ_AND_CHANGE, _("external contacts")),
    "fax": (READ_AND_CHANGE, _("fax documents")),
    "gamification": (READ_AND_CHANGE, _("scorecards and leaderboards")),
    "gdpr": (READ_AND_CHANGE, _("GDPR requests")),
    "geolocation": (READ_AND_CHANGE, _("where people are")),
    "greetings": (READ_AND_CHANGE, _("greetings")),
    "groups": (READ_AND_CHANGE, _("groups and teams")),
    "identity-providers": (READ_AND_CHANGE, _("single sign-on identity providers")),
    "infrastructureascode": (READ_AND_CHANGE, _("infrastructure-as-code jobs")),
    "integrations": (READ_AND_CHANGE, _("integrations and their actions")),
    "journey": (READ_AND_CHANGE, _("customer journeys")),
    "knowledge": (READ_AND_CHANGE, _("knowledge bases")),
    "language-understanding": (READ_AND_CHANGE, _("language understanding models")),
    "learning": (READ_AND_CHANGE, _("learning modules")),
    "license": (READ_AND_CHANGE, _("licenses")),
    "locations": (READ_AND_CHANGE, _("locations")),
    "logcapture": (READ_AND_CHANGE, _("diagnostic logs")),
    "messaging": (READ_AND_CHANGE, _("messaging conversations")),
    "messaging-platform": (READ_AND_CHANGE, _("messaging settings")),
    "notifications": (BASE_ONLY, _("notifications")),
    "oauth": (READ_AND_CHANGE, _("OAuth clients and their usage")),
    "organization": (READ_AND_CHANGE, _("the organization's settings")),
    "organization-authorization": (READ_AND_CHANGE, _("trust between organizations")),
    "outbound": (READ_AND_CHANGE, _("outbound campaigns and contact lists")),
    "presence": (READ_AND_CHANGE, _("presence")),
    "process-automation": (READ_AND_CHANGE, _("process automation triggers")),
    "quality": (READ_AND_CHANGE, _("evaluations and surveys")),
    "recordings": (READ_AND_CHANGE, _("recordings")),
    "response-management": (READ_AND_CHANGE, _("canned responses")),
    "routing": (READ_AND_CHANGE, _("queues, skills and languages")),
    "scim": (READ_AND_CHANGE, _("people and groups through SCIM")),
    "screen-monitoring": (READ_AND_CHANGE, _("screen monitoring")),
    "scripts": (READ_AND_CHANGE, _("scripts")),
    "search": (READ_ONLY, _("search results")),
    "social-media": (READ_AND_CHANGE, _("social media topics")),
    "speech-and-text-analytics": (READ_AND_CHANGE, _("speech and text analytics")),
    "stations": (READ_AND_CHANGE, _("stations")),
    "telephony": (READ_AND_CHANGE, _("telephony settings")),
    "textbots": (READ_AND_CHANGE, _("text bots")),
    "upload": (BASE_ONLY, _("uploads")),
    "usage": (READ_AND_CHANGE, _("API usage")),
    "user-basic-info": (BASE_ONLY, _("who you are")),
    "user-recordings": (READ_AND_CHANGE, _("personal recordings")),
    "users": (READ_AND_CHANGE, _("people")),
    "users-rules": (READ_AND_CHANGE, _("rules about people")),
    "voicemail": (READ_AND_CHANGE, _("voicemail")),
    "web-chat": (READ_AND_CHANGE, _("web chat settings")),
    "webdeployments": (READ_AND_CHANGE, _("web deployments")),
    "widgets": (READ_AND_CHANGE, _("widgets")),
    "workforce-management": (READ_AND_CHANGE, _("schedules and forecasts")),
    "workitems": (READ_AND_CHANGE, _("work items")),
}

# Where a family stands in a list of all; the first topic that names it. What is named nowhere is the rest.
TOPICS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (
        _("People and organization"),
        (
            "user-basic-info",
            "users",
            "users-rules",
            "groups",
            "locations",
            "geolocation",
            "presence",
            "organization",
            "license",
            "billing",
            "usage",
        ),
    ),
    (
        _("Access and security"),
        (
            "authorization",
            "organization-authorization",
            "oauth",
            "identity-providers",
            "scim",
            "audits",
            "data-privacy",
            "gdpr",
        ),
    ),
    (
        _("Conversations and channels"),
        (
            "conversations",
            "messaging",
            "messaging-platform",
            "web-chat",
            "webdeployments",
            "widgets",
            "social-media",
            "external-contacts",
            "journey",
            "response-management",
            "fax",
            "voicemail",
            "greetings",
        ),
    ),
    (
        _("Routing, flows and automation"),
        (
            "routing",
            "outbound",
            "architect",
            "scripts",
            "dialog",
            "textbots",
            "business-rules",
            "process-automation",
            "case-management",
            "workitems",
        ),
    ),
    (
        _("AI and knowledge"),
        (
            "ai-studio",
            "assistants",
            "knowledge",
            "language-understanding",
            "search",
            "content-management",
        ),
    ),
    (
        _("Analytics, quality and recordings"),
        (
            "analytics",
            "speech-and-text-analytics",
            "quality",
            "recordings",
            "user-recordings",
            "screen-monitoring",
        ),
    ),
    (
        _("Workforce"),
        (
            "workforce-management",
            "learning",
            "coaching",
            "gamification",
            "employee-engagement",
            "employee-performance",
        ),
    ),
    (_("Telephony and devices"), ("telephony", "stations", "devices")),
)
REST = _("Integrations and operations")

# Names that run words together on the wire.
TITLES: Mapping[str, str] = {
    "infrastructureascode": "Infrastructure as code",
    "logcapture": "Log capture",
    "webdeployments": "Web deployments",
}

# Scopes that reach rights, other people's data at large, or the ways people sign in.
_SENSITIVE = frozenset(
    {
        "audits",
        "authorization",
        "gdpr",
        "identity-providers",
        "oauth",
        "organization",
        "organization-authorization",
        "recordings",
        "scim",
        "users",
    }
)


def _scopes() -> dict[str, Scope]:
    result = {}
    for family, (forms, what) in _FAMILIES.items():
        sensitive = family in _SENSITIVE
        if forms != READ_ONLY:
            result[family] = Scope(family, family, what, readonly=False, sensitive=sensitive)
        if forms != BASE_ONLY:
            name = f"{family}:readonly"
            result[name] = Scope(name, family, what, readonly=True, sensitive=sensitive)
    return result


CATALOGUE: Mapping[str, Scope] = _scopes()


def expanded(scopes: Iterable[str]) -> frozenset[str]:
    """With the read-only form of each: who may read and change may read."""
    chosen = frozenset(scopes)
    return chosen | {twin for scope in chosen if (twin := f"{scope}:readonly") in CATALOGUE}


def meet(*sets: Iterable[str]) -> list[str]:
    """What every one of these sets allows: `users` and `users:readonly` meet in `users:readonly`."""
    first, *others = (expanded(scopes) for scopes in sets)
    return narrowed(list(first.intersection(*others)))


def not_covered(wanted: Iterable[str], granted: Iterable[str]) -> list[str]:
    """Those of the first that the second do not allow: `users` is more than `users:readonly`."""
    allowed = expanded(granted)
    return [scope for scope in wanted if scope not in allowed]


def narrowed(scopes: list[str]) -> list[str]:
    """Sorted and each once; where both forms of a scope were chosen, the wider one stays."""
    chosen = set(scopes)
    return sorted(
        scope
        for scope in chosen
        if scope.removesuffix(":readonly") == scope or scope.removesuffix(":readonly") not in chosen
    )
