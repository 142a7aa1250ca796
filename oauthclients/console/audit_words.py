"""What lines of the audit trail say, in words: their fields, values and what a sentence leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit, queries
from accounts.actor import Actor
from accounts.console import single_sign_on_words
from accounts.models import AuditEvent
from accounts.permissions import Permission
from accounts.templatetags.when import exactly
from oauthclients.console import people_words, words

HIDDEN = gettext_lazy("Somebody whom you may not see")

# The keys of `before` and `after`, as the services write them.
FIELDS: Mapping[str, Any] = {
    **{
        wire: single_sign_on_words.LABELS[field]
        for wire, field in single_sign_on_words.WIRE.items()
        if wire != "disabled"
    },
    **people_words.FIELDS,
    "accessTokenValiditySeconds": gettext_lazy("Token duration"),
    "authorizedGrantType": gettext_lazy("Grant type"),
    "dateToDelete": gettext_lazy("Date of removal"),
    "defaultTokenSeconds": gettext_lazy("Default token duration"),
    "detail": gettext_lazy("Detail"),
    "disabled": gettext_lazy("Turned off"),
    "enableIdleTokenTimeout": gettext_lazy("Inactivity timeout"),
    "end": gettext_lazy("Ends"),
    "enforceScopes": gettext_lazy("Enforce Scopes"),
    "entity": gettext_lazy("About"),
    "format": gettext_lazy("Format"),
    "grantsRemoved": gettext_lazy("Grants removed"),
    "hipaa": gettext_lazy("HIPAA compliance"),
    "homeRegion": gettext_lazy("Home region"),
    "idleTokenTimeoutSeconds": gettext_lazy("Time without activity"),
    "implicitAllowed": gettext_lazy("Implicit grant"),
    "inactivityTimeoutExclusions": gettext_lazy("Paths that do not count as use"),
    "kind": gettext_lazy("Entity kind"),
    "action": gettext_lazy("Action"),
    "defaultLanguage": gettext_lazy("Language"),
    "language": gettext_lazy("Language"),
    "lines": gettext_lazy("Lines"),
    "metadataURL": gettext_lazy("Metadata URL"),
    "movedTo": gettext_lazy("Moved to"),
    "notices": gettext_lazy("What followed"),
    "oldSecretWorksUntil": gettext_lazy("Old secret works until"),
    "onlySingleSignOn": gettext_lazy("Only SSO"),
    "passwordKeeper": gettext_lazy("Keeps a password"),
    "people": gettext_lazy("People"),
    "person": gettext_lazy("Person"),
    "reason": gettext_lazy("Reason"),
    "registeredRedirectUri": gettext_lazy("Redirect URIs"),
    "request": gettext_lazy("Request"),
    "requestedBy": gettext_lazy("Asked for by"),
    "roles": gettext_lazy("Only for the roles"),
    "secret": gettext_lazy("Secret"),
    "seconds": gettext_lazy("Token duration"),
    "sessionsEnded": gettext_lazy("Sessions ended"),
    "shortName": gettext_lazy("Short name"),
    "since": gettext_lazy("From"),
    "text": gettext_lazy("Search"),
    "timeZone": gettext_lazy("Time zone"),
    "tokenSeconds": gettext_lazy("Token duration"),
    "who": gettext_lazy("Who"),
}
_DURATIONS = frozenset(name for name in FIELDS if name.lower().endswith("seconds"))
# As services/secrets.py writes the last characters of a secret.
_ENDS = "ends "


def sentence(action: str) -> str:
    """ "generated a new secret"; the name of an action that is not known any more."""
    return str(audit.SENTENCES.get(action, action))


def kind(entity_type: str) -> str:
    return str(audit.KINDS.get(entity_type, entity_type))


def more(event: AuditEvent) -> str:
    """What the sentence about this line leaves out, if that is short."""
    secret = event.after.get("secret") or event.before.get("secret")
    if event.action in (audit.Action.CLIENT_SECRET_REPLACED, audit.Action.CLIENT_SECRET_ENDED):
        return _secret(event.action, str(secret or "").removeprefix(_ENDS))
    if through := event.after.get("through"):
        return _("through ‘%(provider)s’") % {"provider": through}
    if event.action in audit.REFUSALS:
        return str(event.after.get("detail") or event.after.get("reason") or "")
    return ""


def _secret(action: str, end: str) -> str:
    if action == audit.Action.CLIENT_SECRET_ENDED:
        return _("secret ended (ends %(end)s)") % {"end": end}
    return _("secret replaced (ends %(end)s)") % {"end": end}


def managers(actor: Actor, events: Iterable[AuditEvent]) -> dict[str, str]:
    """The names of managers whom the viewer may see, by their ids as audit lines have them."""
    named = [side.get("manager") for event in events for side in (event.before, event.after)]
    ids = [key for key in map(queries.as_uuid, named) if key]
    if not ids:
        return {}
    permitted = actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
    rows = queries.people_in(actor.organization, permitted).filter(id__in=ids)
    return {str(key): name for key, name in rows.values_list("id", "name")}


def changes(event: AuditEvent, managers: Mapping[str, str]) -> list[dict[str, str]]:
    """For components/diff_table.html; of lists, only what one has and the other has not."""
    rows = []
    for key in dict.fromkeys([*event.before, *event.after]):
        before, after = event.before.get(key), event.after.get(key)
        if isinstance(before, list) and isinstance(after, list):
            before, after = (
                [value for value in before if value not in after],
                [value for value in after if value not in before],
            )
        if key == "manager":
            before, after = (value and managers.get(value, HIDDEN) for value in (before, after))
        shown = {
            "label": str(FIELDS.get(key, key)),
            "before": _shown(key, before),
            "after": _shown(key, after),
        }
        if shown["before"] or shown["after"]:
            rows.append(shown)
    return rows


def _shown(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(_shown(key, one) for one in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return words.duration(value) if key in _DURATIONS else words.number(value)
    if key == "secret" and str(value).startswith(_ENDS):
        return _("ends %(end)s") % {"end": str(value).removeprefix(_ENDS)}
    at = _moment(value) if isinstance(value, str) else None
    return exactly(at) if at else str(value)


def _moment(text: str) -> datetime | None:
    """The time that a line has in ISO 8601, with its zone; None for any other text."""
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None
