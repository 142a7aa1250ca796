"""What the console's pages say in words where the store has codes and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from oauthclients import grant_types
from oauthclients.models import Client, ClientState


@dataclass(frozen=True)
class State:
    """A client's state as its badge shows it."""

    key: str
    text: Any
    tone: str


ACTIVE = State("active", gettext_lazy("Active"), "ok")
DISABLED = State("disabled", gettext_lazy("Disabled"), "")
INACTIVE = State("inactive", gettext_lazy("Inactive"), "")
PENDING = State("pending", gettext_lazy("Pending deletion"), "warn")
_BY_STATE = {ClientState.ACTIVE: ACTIVE, ClientState.DISABLED: DISABLED, ClientState.INACTIVE: INACTIVE}


def state(client: Client) -> State:
    """Pending deletion hides what the client was before."""
    return PENDING if client.date_to_delete else _BY_STATE[ClientState(client.state)]


def grant_type(client: Client) -> grant_types.GrantType:
    return grant_types.BY_CODE[client.authorization_grant_type]


def number(value: int) -> str:
    """86400 -> "86,400", by the language of the page."""
    return number_format(value, force_grouping=True)


def duration(seconds: int) -> str:
    """90000 -> "1 day 1 hour"; every unit that is there, so that nothing is rounded away."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    parts = [
        ngettext("%(n)s day", "%(n)s days", days) % {"n": number(days)} if days else "",
        ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours} if hours else "",
        ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes} if minutes else "",
        ngettext("%(n)s second", "%(n)s seconds", rest) % {"n": rest} if rest else "",
    ]
    return " ".join(part for part in parts if part) or _("0 seconds")
