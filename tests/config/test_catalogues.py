"""Every catalogue says all that the source says, with the same placeholders, and as its language is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest
from django.conf import settings
from django.utils.translation import to_language

from config import catalogues, messages

PATHS = sorted(settings.CATALOGUES.glob(f"*/{catalogues.FILE}"))
LANGUAGES = [to_language(path.parent.parent.name) for path in PATHS]
TAG = re.compile(r"</?[a-z][^>]*>")
NBSP = "\u00a0"
# Before a colon, a semicolon, a question or exclamation mark; not inside an address, an identifier or a time.
NO_SPACE = re.compile(r"[^\s/:][;?!»](?!\w)|[^\s\d/\[:]:(?!\w|//)")
BREAKING_SPACE = re.compile(r" [:;?!»]|« |\d \d{3}\b")


@pytest.fixture(params=PATHS, ids=LANGUAGES)
def catalogue(request):
    return catalogues.read(request.param)


def pairs(catalogue) -> Iterator[tuple[str, str]]:
    """Each text of the source with its translation; with each of its plural forms."""
    for message in catalogue:
        if message.id:
            ids = (message.id,) if isinstance(message.id, str) else message.id
            for number, text in enumerate(messages.texts_of(message.string)):
                yield ids[min(number, len(ids) - 1)], text


@cache
def source() -> frozenset[tuple[str, str | None]]:
    return frozenset((message.texts[0], message.context) for message in messages.extract(settings.BASE_DIR))


def test_a_catalogue_has_what_the_source_says_and_nothing_else(catalogue):
    """`make messages` brings it up to date."""
    there = {
        (message.id if isinstance(message.id, str) else message.id[0], message.context)
        for message in catalogue
        if message.id
    }
    assert sorted(source() - there, key=str) == []
    assert sorted(there - source(), key=str) == []


def test_what_is_there_to_translate_is_found_in_python_and_in_templates():
    assert ("Sign in to %(name)s", None) in source()
    assert ("Admin", "role") in source()
    assert ("%(n)s client", None) in source()


def test_no_text_is_asked_for_inside_an_f_string():
    """There, Python before 3.12 does not show it to whoever looks for what is to be translated."""
    inside = [
        f"{path}:{call.lineno}"
        for room in messages.ROOMS
        for path in (settings.BASE_DIR / room).rglob("*.py")
        for text in ast.walk(ast.parse(path.read_text()))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in messages.KEYWORDS
    ]
    assert inside == []


def test_nothing_is_untranslated_or_fuzzy(catalogue):
    assert messages.untranslated(catalogue) == []


def test_a_translation_has_the_placeholders_and_the_markup_of_its_source(catalogue):
    wrong = [
        (source, text)
        for source, text in pairs(catalogue)
        if messages.placeholders(source) != messages.placeholders(text)
        or sorted(TAG.findall(source)) != sorted(TAG.findall(text))
    ]
    assert wrong == []


def test_a_translation_begins_and_ends_with_the_spaces_of_its_source(catalogue):
    def edges(text: str) -> tuple[str, str]:
        return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]

    assert [(source, text) for source, text in pairs(catalogue) if edges(source) != edges(text)] == []


def test_french_is_written_as_french_is():
    catalogue = catalogues.read(settings.CATALOGUES / "fr" / catalogues.FILE)
    wrong = []
    for source, text in pairs(catalogue):
        bare = TAG.sub("", text)
        if "'" in bare or BREAKING_SPACE.search(bare) or NO_SPACE.search(bare):
            wrong.append((source, text))
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "Rien n'est dit",
        "Trop: deux",
        f"Vraiment{NBSP}? Oui!",
        "Une espace : sécable",
        f"« guillemets{NBSP}»",
        "86 400 secondes",
    ],
)
def test_what_is_not_written_as_french_is_would_be_found(text):
    assert "'" in text or BREAKING_SPACE.search(text) or NO_SPACE.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example:80/",
        "à 14:02",
        f"Nom{NBSP}: x",
        "[::1]",
        "%(n)s",
        f"quoi{NBSP}?",
        "oauth:client:view",
    ],
)
def test_addresses_and_times_are_left_alone(text):
    assert not BREAKING_SPACE.search(text)
    assert not NO_SPACE.search(text)
