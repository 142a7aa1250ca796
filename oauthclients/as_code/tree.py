"""YAML read into texts, lists and mappings, each with its place, and nothing else.

Read as events rather than by a loader: no value is ever taken for anything but its text, so that `no` is
never a truth value and `1:30` never a number (YAML 1.1 and 1.2 disagree on both); and what other programs
would take for something else is refused, with the way to write it. Aliases, tags and deep nesting, by which
a short file becomes a long computation, are refused as well.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from oauthclients.as_code.places import Place, Refused

LARGEST = 4_000_000  # bytes; some ten thousand clients
DEEPEST = 8

_RESOLVER = yaml.SafeLoader("")
_TEXT = "tag:yaml.org,2002:str"
# What YAML 1.1 (`y`) or 1.2 (`0o17`) resolve and PyYAML does not.
_ELSEWHERE = re.compile(r"[yYnN]|0o[0-7]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# Controls, and what is a line break to YAML 1.1 and none to editors.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Text:
    """`plain` is one without quotes."""

    value: str
    place: Place
    plain: bool = False


@dataclass(frozen=True)
class Many:
    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True)
class Fields:
    """By key: where the key stands, and its value."""

    entries: dict[str, tuple[Place, Node]]
    place: Place


Node = Text | Many | Fields


def read(data: bytes) -> Node:
    """Raises `Refused`, with the first place that is not such YAML."""
    if len(data) > LARGEST:
        raise Refused.one(f"The file is larger than {LARGEST:,} bytes, the most that is read.")
    text = _decoded(data)
    try:
        return _Reader(text).document()
    except yaml.MarkedYAMLError as error:
        raise Refused.one(_said(error), _place(error.problem_mark or error.context_mark)) from None
    except yaml.YAMLError as error:
        raise Refused.one(f"This is not YAML: {error}") from None


def means_something_else(value: str) -> bool:
    """Whether some reader of YAML takes this text, without quotes, for something else than a text."""
    tag = _RESOLVER.resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
    return tag != _TEXT or _ELSEWHERE.fullmatch(value) is not None


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Refused.one("The file is in UTF-16. Save it as UTF-8.", Place(1, 1))
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        raise Refused.one("The file is not in UTF-8 from here on.", _end_of(before)) from None
    if found := _INVISIBLE.search(text):
        code = ord(found[0])
        raise Refused.one(
            f"There is an invisible character (U+{code:04X}) here. Remove it, or write it as "
            f"\\u{code:04X} in double quotes.",
            _end_of(text[: found.start()]),
        )
    return text


def _end_of(text: str) -> Place:
    lines = _BREAK.split(text)
    return Place(len(lines), len(lines[-1]) + 1)


def _place(mark: Any) -> Place | None:
    return Place(mark.line + 1, mark.column + 1) if mark is not None else None


def _said(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "something is wrong"
    if "'\\t'" in problem:
        return "There is a tab here. Indent with spaces."
    if "mapping values are not allowed" in problem:
        return "A second “: ” in one line: put the value in quotes."
    if "expected alphabetic or numeric character" in problem and error.context == "while scanning an alias":
        return "A value that begins with * needs quotes."
    parts = [part for part in (error.context, problem) if part]
    return f"This is not YAML: {', '.join(parts)}."


class _Reader:
    """Goes through the events of one document. Depth is bounded before it recurses."""

    def __init__(self, text: str) -> None:
        self.events: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)

    def document(self) -> Node:
        next(self.events)  # the stream's start
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            raise Refused.one("The file is empty.", Place(1, 1))
        root = self.node(next(self.events), 0)
        next(self.events)  # the document's end
        more = next(self.events)
        if not isinstance(more, yaml.StreamEndEvent):
            raise Refused.one("A second document begins here. One file holds one.", _place(more.start_mark))
        return root

    def node(self, event: Any, depth: int) -> Node:
        place = _place(event.start_mark)
        assert place is not None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise Refused.one("Anchors (&) and aliases (*) are not read. Write the value out.", place)
        if getattr(event, "tag", None) is not None:
            raise Refused.one("Tags (!) are not read. Leave it out.", place)
        if depth > DEEPEST:
            raise Refused.one("This is nested too deeply.", place)
        if isinstance(event, yaml.ScalarEvent):
            return Text(event.value, place, plain=event.style is None)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.many(place, depth)
        return self.fields(place, depth)

    def many(self, place: Place, depth: int) -> Many:
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return Many(tuple(items), place)

    def fields(self, place: Place, depth: int) -> Fields:
        entries: dict[str, tuple[Place, Node]] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            if not isinstance(key, Text):
                raise Refused.one("A key must be a word.", key.place)
            value = self.node(next(self.events), depth + 1)
            if key.value in entries:
                first = entries[key.value][0]
                raise Refused.one(f"‘{key.value}’ is given twice, first on line {first.line}.", key.place)
            entries[key.value] = (key.place, value)
        return Fields(entries, place)
