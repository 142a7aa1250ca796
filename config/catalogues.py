"""The message catalogues: which languages there are, and compiling what Django reads.

A language is offered when `locale/<name>/LC_MESSAGES/django.po` is there; English is what the source says.
Catalogues are compiled into the state directory, so that the code may lie where nobody can write. Babel
does it: GNU gettext is not needed. Reads no settings, because the settings are made from it. What there is
to translate: config/messages.py.
"""

from __future__ import annotations

import os
import tempfile
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.utils.translation import to_language

SOURCE = "en"
FILE = Path("LC_MESSAGES") / "django.po"


def languages(root: Path) -> list[str]:
    """Django's codes of the languages that there are, English first: `["en", "fr"]`."""
    found = sorted(to_language(path.parent.parent.name) for path in root.glob(f"*/{FILE}"))
    return [SOURCE, *(code for code in found if code != SOURCE)]


@cache
def name_of(language: str) -> str:
    """What a language calls itself: "Français"."""
    try:
        name = Locale.parse(language, sep="-").get_display_name() or language
    except UnknownLocaleError:
        return language
    return name[:1].upper() + name[1:]


def compile_all(root: Path, into: Path) -> list[str]:
    """Says which catalogues it has written. Several processes may do it at the same time: a file is there
    whole, or not yet."""
    names = []
    for source in sorted(root.glob(f"*/{FILE}")):
        names.append(source.parent.parent.name)
        target = into / source.relative_to(root).with_suffix(".mo")
        target.parent.mkdir(parents=True, exist_ok=True)
        compiled = BytesIO()
        write_mo(compiled, read(source))
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(compiled.getvalue())
        os.replace(file.name, target)
    return names


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)
