"""What would change: the difference between what is there and what will be, to read and for programs."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from oauthclients.as_code.export import scalar
from oauthclients.as_code.places import visible
from oauthclients.as_code.state import ClientNow, State, authorization_fields
from oauthclients.as_code.state import fields as fields_of
from oauthclients.models import ClientAuthorization

CREATE, CHANGE, DELETE = "create", "change", "delete"
_SIGNS = {CREATE: "+", CHANGE: "~", DELETE: "-"}
_NOTHING: tuple[Any, ...] = (None, "", [], False)


@dataclass(frozen=True)
class FieldChange:
    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """`kind` is `client` or `authorization` (of another organization's app); `line` is where the file says
    so. `versions` are those of the rows that are changed, so that a change of theirs makes another plan."""

    action: str
    kind: str
    id: str | None
    name: str
    line: int | None
    fields: tuple[FieldChange, ...]
    notes: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plan:
    """`needs_secret` are the names of new clients with a secret that somebody must be told."""

    organization: str
    person: str
    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()
    needs_secret: tuple[str, ...] = ()
    fingerprint: str = field(default="", init=False)

    def __post_init__(self) -> None:
        """Two plans that do the same to the same, for the same person, have the same fingerprint."""
        said = [self.organization, self.person, [asdict(change) for change in self.changes]]
        text = json.dumps(said, sort_keys=True, default=str)
        object.__setattr__(self, "fingerprint", hashlib.sha256(text.encode()).hexdigest())

    def as_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "organization": self.organization,
            "as": self.person,
            "fingerprint": self.fingerprint,
            "changes": [asdict(change) for change in self.changes],
            "warnings": list(self.warnings),
            "new_secrets": list(self.needs_secret),
        }

    def as_text(self) -> str:
        return "".join(f"{visible(line)}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        for warning in self.warnings:
            yield f"! {warning}"
        for change in self.changes:
            where = f"  (line {change.line})" if change.line else ""
            id_part = f" {change.id}" if change.id and change.action != CREATE else ""
            what = "authorization of" if change.kind == "authorization" else "client"
            yield f"{_SIGNS[change.action]} {what} {scalar(change.name)}{id_part}{where}"
            for one in change.fields:
                yield from (f"    {line}" for line in _field_lines(one))
            yield from (f"    ! {note}" for note in change.notes)
        yield self.summary

    @property
    def summary(self) -> str:
        if not self.changes:
            return "No changes."
        counts = {action: sum(one.action == action for one in self.changes) for action in _SIGNS}
        return f"{counts[CREATE]} to create, {counts[CHANGE]} to change, {counts[DELETE]} to delete."


def _field_lines(change: FieldChange) -> Iterator[str]:
    before, after = change.before, change.after
    if isinstance(before, list) or isinstance(after, list):
        was, will = [_shown(item) for item in before or []], [_shown(item) for item in after or []]
        yield from (f"- {change.field}: {item}" for item in was if item not in will)
        yield from (f"+ {change.field}: {item}" for item in will if item not in was)
        if sorted(was) == sorted(will):
            yield f"~ {change.field}: in another order"
    elif before in _NOTHING:
        yield f"+ {change.field}: {_shown(after)}"
    elif after in _NOTHING:
        yield f"- {change.field}: {_shown(before)}"
    else:
        yield f"~ {change.field}: {_shown(before)} -> {_shown(after)}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        where = scalar(value["division"]) if value["division"] is not None else "all divisions"
        return f"{scalar(value['role'])} in {where}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return scalar(value) if isinstance(value, str) else str(value)


@dataclass
class Seen:
    """What the run notes on the way: the line of each client, and what the services said about it. `order`
    is that of the file."""

    order: list[uuid.UUID] = field(default_factory=list)
    lines: dict[uuid.UUID, int] = field(default_factory=dict)
    notes: dict[uuid.UUID, list[str]] = field(default_factory=dict)

    def at(self, key: uuid.UUID, line: int) -> None:
        self.order.append(key)
        self.lines[key] = line

    def note(self, key: uuid.UUID, *notes: str) -> None:
        self.notes.setdefault(key, []).extend(notes)


def changes(before: State, after: State, seen: Seen) -> tuple[Change, ...]:
    """In the order of the file, then what it does not have by name."""
    keys = dict.fromkeys([*seen.order, *before.clients, *after.clients])
    own = (_client_change(key, before, after, seen) for key in keys)
    others = dict.fromkeys([*seen.order, *before.other_apps, *after.other_apps])
    words = (_word_change(key, before, after, seen) for key in others)
    return tuple(change for change in (*own, *words) if change is not None)


def _client_change(key: uuid.UUID, before: State, after: State, seen: Seen) -> Change | None:
    was, will = before.clients.get(key), after.clients.get(key)
    now = will or was
    if now is None:
        return None
    notes = tuple(seen.notes.get(key, ()))
    old = fields_of(before, was) if was else {}
    new = fields_of(after, will) if will else {}
    if will is None:
        return Change(DELETE, "client", str(key), now.row.name, None, (), notes, _versions(was))
    different = _different(old, new)
    if was is None:
        return Change(CREATE, "client", None, now.row.name, seen.lines.get(key), different, notes)
    if not different and not notes:
        return None
    scheduled = old["deletion"] is None and new["deletion"] is not None
    action = DELETE if scheduled else CHANGE
    name = was.row.name
    return Change(action, "client", str(key), name, seen.lines.get(key), different, notes, _versions(was))


def _versions(now: ClientNow | None) -> tuple[int, ...]:
    assert now is not None
    return (now.row.version, now.authorization.version if now.authorization else 0)


def _word_change(key: uuid.UUID, before: State, after: State, seen: Seen) -> Change | None:
    was, will = before.other_apps.get(key), after.other_apps.get(key)
    different = _different(_word(before, was), _word(after, will))
    if will is None or not different:
        return None
    versions = (was.version if was else 0,)
    name = will.client.name
    return Change(CHANGE, "authorization", str(key), name, seen.lines.get(key), different, (), versions)


def _word(state: State, row: ClientAuthorization | None) -> Mapping[str, Any]:
    return authorization_fields(state, row) if row is not None else {}


def _different(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    def same(one: Any, other: Any) -> bool:
        return one == other or (one in _NOTHING and other in _NOTHING)

    names: Sequence[str] = list(dict.fromkeys([*new, *old]))
    return tuple(
        FieldChange(name, old.get(name), new.get(name))
        for name in names
        if not same(old.get(name), new.get(name))
    )
