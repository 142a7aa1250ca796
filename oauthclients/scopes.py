"""The scope catalogue (wire contract F): what apps that act for a person can be limited to.

`<name>` reads and changes, `<name>:readonly` only reads. Client credentials ignore scopes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

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

# What lists call them, beside the name by which developers look them up.
TITLES: Mapping[str, Any] = {
    "ai-studio": pgettext_lazy("scope", "AI studio"),
    "alerting": pgettext_lazy("scope", "Alerting"),
    "analytics": pgettext_lazy("scope", "Analytics"),
    "architect": pgettext_lazy("scope", "Architect"),
    "assistants": pgettext_lazy("scope", "Assistants"),
    "audits": pgettext_lazy("scope", "Audits"),
    "authorization": pgettext_lazy("scope", "Authorization"),
    "billing": pgettext_lazy("scope", "Billing"),
    "business-rules": pgettext_lazy("scope", "Business rules"),
    "case-management": pgettext_lazy("scope", "Case management"),
    "coaching": pgettext_lazy("scope", "Coaching"),
    "content-management": pgettext_lazy("scope", "Content management"),
    "conversations": pgettext_lazy("scope", "Conversations"),
    "data-extensions": pgettext_lazy("scope", "Data extensions"),
    "data-privacy": pgettext_lazy("scope", "Data privacy"),
    "devices": pgettext_lazy("scope", "Devices"),
    "dialog": pgettext_lazy("scope", "Dialog"),
    "employee-engagement": pgettext_lazy("scope", "Employee engagement"),
    "employee-performance": pgettext_lazy("scope", "Employee performance"),
    "external-contacts": pgettext_lazy("scope", "External contacts"),
    "fax": pgettext_lazy("scope", "Fax"),
    "gamification": pgettext_lazy("scope", "Gamification"),
    "gdpr": pgettext_lazy("scope", "GDPR"),
    "geolocation": pgettext_lazy("scope", "Geolocation"),
    "greetings": pgettext_lazy("scope", "Greetings"),
    "groups": pgettext_lazy("scope", "Groups"),
    "identity-providers": pgettext_lazy("scope", "Identity providers"),
    "infrastructureascode": pgettext_lazy("scope", "Infrastructure as code"),
    "integrations": pgettext_lazy("scope", "Integrations"),
    "journey": pgettext_lazy("scope", "Journey"),
    "knowledge": pgettext_lazy("scope", "Knowledge"),
    "language-understanding": pgettext_lazy("scope", "Language understanding"),
    "learning": pgettext_lazy("scope", "Learning"),
    "license": pgettext_lazy("scope", "License"),
    "locations": pgettext_lazy("scope", "Locations"),
    "logcapture": pgettext_lazy("scope", "Log capture"),
    "messaging": pgettext_lazy("scope", "Messaging"),
    "messaging-platform": pgettext_lazy("scope", "Messaging platform"),
    "notifications": pgettext_lazy("scope", "Notifications"),
    "oauth": pgettext_lazy("scope", "OAuth"),
    "organization": pgettext_lazy("scope", "Organization"),
    "organization-authorization": pgettext_lazy("scope", "Organization authorization"),
    "outbound": pgettext_lazy("scope", "Outbound"),
    "presence": pgettext_lazy("scope", "Presence"),
    "process-automation": pgettext_lazy("scope", "Process automation"),
    "quality": pgettext_lazy("scope", "Quality"),
    "recordings": pgettext_lazy("scope", "Recordings"),
    "response-management": pgettext_lazy("scope", "Response management"),
    "routing": pgettext_lazy("scope", "Routing"),
    "scim": pgettext_lazy("scope", "SCIM"),
    "screen-monitoring": pgettext_lazy("scope", "Screen monitoring"),
    "scripts": pgettext_lazy("scope", "Scripts"),
    "search": pgettext_lazy("scope", "Search"),
    "social-media": pgettext_lazy("scope", "Social media"),
    "speech-and-text-analytics": pgettext_lazy("scope", "Speech and text analytics"),
    "stations": pgettext_lazy("scope", "Stations"),
    "telephony": pgettext_lazy("scope", "Telephony"),
    "textbots": pgettext_lazy("scope", "Textbots"),
    "upload": pgettext_lazy("scope", "Upload"),
    "usage": pgettext_lazy("scope", "Usage"),
    "user-basic-info": pgettext_lazy("scope", "User basic info"),
    "user-recordings": pgettext_lazy("scope", "User recordings"),
    "users": pgettext_lazy("scope", "Users"),
    "users-rules": pgettext_lazy("scope", "Users rules"),
    "voicemail": pgettext_lazy("scope", "Voicemail"),
    "web-chat": pgettext_lazy("scope", "Web chat"),
    "webdeployments": pgettext_lazy("scope", "Web deployments"),
    "widgets": pgettext_lazy("scope", "Widgets"),
    "workforce-management": pgettext_lazy("scope", "Workforce management"),
    "workitems": pgettext_lazy("scope", "Workitems"),
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
