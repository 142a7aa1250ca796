"""What there is to translate, read from the source: for developers (`make messages`) and for the tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.pofile import write_po
from django.utils.translation.template import templatize

from config.catalogues import read

# Where text for people is: what tests, the bench and the documents say is for developers.
ROOMS = ("accounts", "config", "oauthclients", "templates")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "pgettext_noop": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_PLACEHOLDER = re.compile(r"%\([^)]+\)[sdr]|%[sdr%]|\{[a-z_]+\}")
# Of a catalogue's head, what changes with the day or says nothing.
_NOISE = tuple(
    f'"{name}:'
    for name in (
        "Report-Msgid-Bugs-To",
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Last-Translator",
        "Language-Team",
        "Generated-By",
    )
)
_INDENTS = re.compile(r"^[ \t]+", re.MULTILINE)


@dataclass(frozen=True)
class Message:
    """One place in the source where something is said; `id` is a pair where there is a plural."""

    id: str | tuple[str, str]
    context: str | None
    file: str
    comments: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.id,) if isinstance(self.id, str) else self.id


def placeholders(text: str) -> list[str]:
    """What a translation must repeat."""
    return sorted(_PLACEHOLDER.findall(text))


def update(path: Path, root: Path) -> Catalog:
    """Brings a catalogue up to date with the source: what is new has no translation yet, what is gone is
    dropped."""
    template = Catalog(charset="utf-8")
    for message in extract(root):
        formats = any("%" in name for text in message.texts for name in placeholders(text))
        template.add(
            message.id,
            context=message.context,
            locations=[(message.file, 1)],
            flags={"python-format"} if formats else (),
            auto_comments=message.comments,
        )
    catalogue = read(path)
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    written = BytesIO()
    write_po(written, catalogue, width=108, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
    lines = written.getvalue().decode().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(_NOISE)))
    return catalogue


def untranslated(catalogue: Catalog) -> list[str]:
    """The ids of what has no translation, or one that nobody has looked at (`fuzzy`)."""
    return [
        str(message.id)
        for message in catalogue
        if message.id and (message.fuzzy or not all(texts_of(message.string)))
    ]


def texts_of(string: str | tuple[str | None, ...] | list[str] | None) -> tuple[str, ...]:
    """All forms of a translation, empty ones too."""
    return tuple(text or "" for text in string) if isinstance(string, (tuple, list)) else (string or "",)


def extract(root: Path) -> Iterator[Message]:
    """Everything that the source says to people, in the order of its files."""
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            file = str(path.relative_to(root))
            if path.suffix == ".py" and "migrations" not in path.parts:
                yield from _messages(file, path.read_text())
            elif path.suffix in (".html", ".txt") and "templates" in path.parts:
                # What Django makes of a template reads like Python, but for its indents.
                yield from _messages(file, _INDENTS.sub("", templatize(path.read_text(), origin=file)))


def _messages(file: str, text: str) -> Iterator[Message]:
    found = extract_python(BytesIO(text.encode()), KEYWORDS, ["Translators:"], {"encoding": "utf-8"})
    for _line, function, arguments, comments in found:
        given = list(arguments) if isinstance(arguments, (list, tuple)) else [arguments]
        context = given.pop(0) if "pgettext" in function else None
        if given and isinstance(given[0], str) and given[0]:
            id = (given[0], given[1]) if "ngettext" in function or "npgettext" in function else given[0]
            yield Message(id, context, file, tuple(comments or ()))
