"""What the People pages say in words where the store has codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role, User, UserState
from oauthclients.console.words import State

STATES: Mapping[str, State] = {
    UserState.ACTIVE: State("active", UserState.ACTIVE.label, "ok"),
    UserState.INACTIVE: State("inactive", UserState.INACTIVE.label, ""),
    UserState.DELETED: State("deleted", UserState.DELETED.label, "bad"),
}

# RFC 7643 4.1.2, and the vendor's own (services/person_details.py `PHONE_KINDS`).
PHONES: Mapping[str, Any] = {
    "work": gettext_lazy("Work"),
    "mobile": gettext_lazy("Mobile"),
    "home": gettext_lazy("Home phone"),
    "other": gettext_lazy("Other"),
    "work2": gettext_lazy("Work 2"),
    "work3": gettext_lazy("Work 3"),
    "work4": gettext_lazy("Work 4"),
    "main": gettext_lazy("Main"),
    "fax": gettext_lazy("Fax"),
    "pager": gettext_lazy("Pager"),
}

# The keys of audit lines about people (services/people.py `_described`, and others').
FIELDS: Mapping[str, Any] = {
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("Email"),
    "title": gettext_lazy("Title"),
    "department": gettext_lazy("Department"),
    "state": gettext_lazy("State"),
    "division": gettext_lazy("Division"),
    "givenName": gettext_lazy("Given name"),
    "familyName": gettext_lazy("Family name"),
    "otherEmail": gettext_lazy("Other email"),
    "employeeNumber": gettext_lazy("Employee number"),
    "dateHire": gettext_lazy("Hired on"),
    "manager": gettext_lazy("Manager"),
    "externalId": gettext_lazy("External ID"),
    "phoneNumbers": gettext_lazy("Phone numbers"),
    "externalIds": gettext_lazy("IDs in other systems"),
    "routingSkills": gettext_lazy("Skills"),
    "routingLanguages": gettext_lazy("Languages"),
    "roleDivisions": gettext_lazy("Roles"),
    "settled": gettext_lazy("Taken over"),
    "tokens": gettext_lazy("Tokens ended"),
    "app": gettext_lazy("App"),
    "scope": gettext_lazy("Scope"),
    "places": gettext_lazy("Redirect URIs"),
    "sentTo": gettext_lazy("Sent to"),
    "until": gettext_lazy("Until"),
    "through": gettext_lazy("Through"),
    "description": gettext_lazy("Description"),
    "permissions": gettext_lazy("Permissions"),
    "language": gettext_lazy("Language"),
    "timeZone": gettext_lazy("Time zone"),
    "added": gettext_lazy("Added"),
    "removed": gettext_lazy("Removed"),
}


def state(person: User) -> State:
    return STATES[person.state]


def role_type(role: Role) -> str:
    """Whether it came with the product."""
    return _("Default") if role.default_role_id else _("Custom")


def mail_note() -> str:
    """Beside what sends a mail, on an installation that has no mail server; else nothing."""
    if settings.MAIL_IS_SENT:
        return ""
    return _("No mail server is set up here: mails are written to files on the server.")
