"""What the address of the audit log asks for, and the form that asks it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit, queries, trail
from accounts.actor import Actor
from accounts.models import User
from oauthclients import queries as client_queries
from oauthclients.console import audit_words

TODAY, WEEK, MONTH, ALWAYS = "today", "7", "30", "all"
PERIODS: Mapping[str, Any] = {
    TODAY: gettext_lazy("Today"),
    WEEK: gettext_lazy("7 days"),
    MONTH: gettext_lazy("30 days"),
    ALWAYS: gettext_lazy("Any time"),
}
# Of a name that several have, so many are offered.
MOST_NAMED = 8


@dataclass(frozen=True)
class Wanted:
    """The parameters; anything that they cannot mean is dropped, but for dates, which are kept as they were
    typed, with what is wrong in `errors`. `name` is of a person or client and becomes `who`; `who`,
    `entity` and `request` are ids."""

    range: str = WEEK
    start: str = ""
    end: str = ""
    q: str = ""
    name: str = ""
    who: str = ""
    entity: str = ""
    request: str = ""
    kind: str = ""
    action: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_address(cls, parameters: Mapping[str, str]) -> Wanted:
        def text(name: str) -> str:
            # PostgreSQL refuses NUL in a text.
            return parameters.get(name, "").replace("\x00", "").strip()[: trail.LONGEST_SEARCH]

        def one_of(name: str, allowed: Iterable[str]) -> str:
            return text(name) if text(name) in allowed else ""

        start, end = text("from"), text("to")
        return cls(
            range=one_of("range", PERIODS) or WEEK,
            start=start,
            end=end,
            q=text("q"),
            name=text("name"),
            who=_id(text("who")),
            entity=_id(text("entity")),
            request=_id(text("request")),
            kind=one_of("kind", audit.KINDS),
            action=one_of("action", audit.SENTENCES),
            errors=_wrong(start, end),
        )

    @property
    def custom(self) -> bool:
        return bool(self.start or self.end)

    @property
    def kept(self) -> dict[str, str]:
        """The parameters of the address that say something."""
        parameters = {
            "range": "" if self.custom or self.range == WEEK else self.range,
            "from": self.start,
            "to": self.end,
            "q": self.q,
            "name": self.name,
            "who": self.who,
            "entity": self.entity,
            "request": self.request,
            "kind": self.kind,
            "action": self.action,
        }
        return {name: value for name, value in parameters.items() if value}

    def address(self, url_name: str = "audit-log", *, below: str = "", **changes: Any) -> str:
        """The log with something changed, and from its newest line unless it says below which."""
        parameters = {**replace(self, **changes).kept, **({"below": below} if below else {})}
        return f"{reverse(url_name)}?{urlencode(parameters)}" if parameters else reverse(url_name)

    @property
    def narrowed(self) -> bool:
        return bool(self.kept)

    def lines(self) -> trail.Filter:
        since, until = self._between()
        return trail.Filter(
            since=since,
            until=until,
            who=queries.as_uuid(self.who) if self.who else None,
            entity=queries.as_uuid(self.entity) if self.entity else None,
            request=queries.as_uuid(self.request) if self.request else None,
            kind=self.kind,
            action=self.action,
            text=self.q,
        )

    def _between(self) -> tuple[datetime | None, datetime | None]:
        """Days are those of the page's zone, and the last one is included."""
        if self.custom:
            start, end = _day(self.start), _day(self.end)
            return (
                _midnight(start) if start else None,
                _midnight(end + timedelta(days=1)) if end and end < date.max else None,
            )
        if self.range == ALWAYS:
            return None, None
        days = {TODAY: 0, WEEK: 6, MONTH: 29}[self.range]
        return _midnight(timezone.localdate() - timedelta(days=days)), None


def _wrong(start: str, end: str) -> dict[str, str]:
    errors = {}
    for name, given in (("from", start), ("to", end)):
        if given and _day(given) is None:
            errors[name] = _("Enter a date like 2026-11-20.")
    first, last = _day(start), _day(end)
    if first and last and first > last:
        errors["to"] = _("This is before the first day.")
    return errors


def _day(text: str) -> date | None:
    try:
        found = parse_date(text)
    except ValueError:
        return None
    # What comes earlier has no midnight in every zone.
    return found if found and found.year > 1 else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _id(text: str) -> str:
    key = queries.as_uuid(text) if text else None
    return str(key) if key else ""


@dataclass(frozen=True)
class Named:
    """Whom a name can mean: one (`who`), several to choose from, or nobody."""

    who: str = ""
    choices: tuple[tuple[str, str], ...] = ()


def named(actor: Actor, text: str) -> Named:
    """People, also deleted ones, by name or email, and clients by name, also those that are gone: whoever
    may read the trail reads all of their names in it."""
    if key := _id(text):
        return Named(who=key)
    # Each list is cut, so that a name of a hundred does not read a hundred.
    people = queries.people(actor.organization).filter(_called(text)).order_by("name", "id")[:MOST_NAMED]
    found: dict[uuid.UUID, str] = {one.id: _person(one) for one in people}
    clients = client_queries.clients(actor.organization).filter(name__icontains=text).order_by("name", "id")
    found |= {one.id: one.name for one in clients[:MOST_NAMED]}
    found |= trail.gone(actor.organization, audit.Action.CLIENT_DELETED, text, most=MOST_NAMED)
    if len(found) == 1:
        return Named(who=str(next(iter(found))))
    return Named(choices=tuple((str(key), label) for key, label in list(found.items())[: 2 * MOST_NAMED]))


def _called(text: str) -> Q:
    return Q(name__icontains=text) | Q(email__istartswith=text)


def _person(person: User) -> str:
    return f"{person.name} ({person.email})"


def selects(wanted: Wanted) -> list[dict[str, Any]]:
    """The kinds, and the actions by kind."""

    def option(value: str, label: Any, chosen: str) -> dict[str, Any]:
        return {"value": value, "label": str(label), "selected": value == chosen}

    groups: dict[str, list[dict[str, Any]]] = {str(label): [] for label in audit.KINDS.values()}
    for action, sentence in audit.SENTENCES.items():
        kind = audit_words.kind(audit.kind_of(audit.Action(action)))
        groups[kind].append(option(action, sentence, wanted.action))
    return [
        {
            "name": "kind",
            "label": _("Entity kind"),
            "every": _("All kinds"),
            "options": [option(kind, label, wanted.kind) for kind, label in audit.KINDS.items()],
        },
        {
            "name": "action",
            "label": _("Action"),
            "every": _("All actions"),
            "groups": [
                {"label": label, "options": sorted(options, key=lambda one: one["label"].casefold())}
                for label, options in groups.items()
            ],
        },
    ]
