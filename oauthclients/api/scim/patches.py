"""What a PATCH may ask for. Applying one copies and compares whole lists once for each operation, so that a
few kilobytes could keep a processor busy for minutes: what it costs is bounded before it is applied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from scim2_models import InvalidValueException, PatchOp, PatchOperation, Path, Resource

from accounts.services import person_details
from oauthclients.api.scim import filters
from oauthclients.api.scim.models import POLICY, Person

MOST_OPERATIONS = 50
# Plain values: texts, numbers, booleans. A person with every list full has some 800.
MOST_VALUES = 1_000
MOST_ENTRIES = person_details.MOST
# Of all paths together.
LONGEST_PATHS = 10_000
# Copies of an entry of a list, or comparisons with a value: some 20 microseconds each.
MOST_WORK = 20_000
# A key takes as long as that; the type of an address or a number longer than a text.
_EACH_STEP = 20
_SLOW, _SLOWER_BY = ("emails", "phonenumbers"), 10


def tidied(operations: list[Any]) -> list[Any]:
    """The operations, without what is ignored but costs time. Raises `InvalidValueException` for more than
    is taken in one request."""
    _at_most(MOST_OPERATIONS, len(operations), _("At most %(most)s operations in one request."))
    objects = [one for one in operations if isinstance(one, dict)]
    values = sum(_values_in(one.get("value")) for one in objects)
    _at_most(MOST_VALUES, values, _("At most %(most)s values in one request."))
    paths = sum(len(one["path"]) for one in objects if isinstance(one.get("path"), str))
    _at_most(LONGEST_PATHS, paths, _("At most %(most)s characters of paths in one request."))
    return [_without_filters(one) for one in operations]


def apply(wanted: PatchOp[Any], person: Resource[Any]) -> None:
    """Changes the resource. Raises `SCIMException` for what it cannot be, and for what takes too long."""
    _bound(wanted.operations or [], person)
    wanted.patch(person, scim_policy=POLICY)


def _bound(operations: list[PatchOperation[Any]], person: Any) -> None:
    held = _lengths(person, person.GenesysUser)
    extended = _lengths(person.GenesysUser)  # copied as a whole
    given: Counter[str] = Counter()
    work = 0
    for one in operations:
        given.update(dict(_given(one)))
        steps = list(_steps(one))
        for name, looks in steps:
            entries = held.get(name, 0) + given[name]
            work += _EACH_STEP + entries * (2 + looks * (_SLOWER_BY if name in _SLOW else 1))
        if any(name in extended for name, _looks in steps):
            work += sum(held[name] + given[name] for name in extended)
    most = max(given.values(), default=0)
    _at_most(MOST_ENTRIES, most, _("At most %(most)s entries of one list in one request."))
    _at_most(MOST_WORK, work, _("This looks at too many entries: send it in several requests."))


def _given(one: PatchOperation[Any]) -> Iterator[tuple[str, int]]:
    """The lists that get entries, and how many at most: one, where a filter finds none."""
    if one.op == PatchOperation.Op.remove:
        return
    name = _name(Path[Person](one.path or ""))
    found = Counter({name: 0 if isinstance(one.value, list) else 1})
    for key, count in _lists_in(name, one.value):
        found[key] += count
    yield from found.items()


def _steps(one: PatchOperation[Any]) -> Iterator[tuple[str, int]]:
    """What is written, by the name of the attribute, and how often each entry is looked at for it if it is
    a list."""
    path = Path[Person](one.path or "")
    removes = one.op == PatchOperation.Op.remove
    selected = path.value_filter
    if selected is not None:
        # For an add or a replace once more, to see whether there is one at all.
        keys = len(one.value) if isinstance(one.value, dict) else 1
        yield _name(path), filters.comparisons(selected) * (1 if removes else 1 + keys)
    elif removes:
        yield _name(path), 0 if one.value is None else _values_in(one.value)
    else:
        yield _name(path), 2 if path.parts[1:] else 0
        yield from _keys(one.value)


def _keys(value: Any) -> Iterator[tuple[str, int]]:
    if isinstance(value, dict):
        for key, item in value.items():
            name, dot, _part = key.rpartition(":")[2].partition(".")
            yield name.lower(), 2 if dot else 0
            yield from _keys(item)


def _name(path: Path[Any]) -> str:
    return path.parts[0].lower() if path.parts else ""


def _at_most(most: int, found: int, message: str) -> None:
    if found > most:
        raise InvalidValueException(detail=message % {"most": most})


def _values_in(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_values_in, value.values())) or 1
    if isinstance(value, list):
        return sum(map(_values_in, value)) or 1
    return 1


def _without_filters(value: Any) -> Any:
    """A key with a filter is ignored where an operation has a path, but takes long to read."""
    if not isinstance(value, dict):
        return value
    return {key: _without_filters(item) for key, item in value.items() if "[" not in key}


def _lists_in(name: str, value: Any) -> Iterator[tuple[str, int]]:
    """The lists that are written, in lower case, and how many entries each gets."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _lists_in(key.rpartition(":")[2].lower(), item)
    elif isinstance(value, list):
        yield name, len(value)


def _lengths(*parts: Any) -> dict[str, int]:
    """Of the lists, by their names in lower case."""
    fields = ((name, getattr(part, name)) for part in parts if part for name in type(part).model_fields)
    return {name.replace("_", ""): len(value) for name, value in fields if isinstance(value, list)}
