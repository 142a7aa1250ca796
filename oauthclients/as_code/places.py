"""Where in the file something stands, and what is wrong there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from accounts.errors import DomainError

MOST = 100


@dataclass(frozen=True, order=True)
class Place:
    """Line and column as editors count them, from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Trouble:
    """One thing wrong with the file; `place` is None where it is about no line."""

    message: str
    place: Place | None = None

    def told(self, file: str) -> str:
        """As compilers say it: `clients.yaml:12:9: You do not hold ‘Supervisor’ in East.`"""
        where = f":{self.place.line}:{self.place.column}" if self.place else ""
        return visible(f"{file}{where}: {self.message}")


class Refused(DomainError):
    """The file cannot be applied. Nothing was written."""

    code = "file.refused"

    def __init__(self, troubles: Sequence[Trouble]) -> None:
        assert troubles
        self.troubles = tuple(
            sorted(dict.fromkeys(troubles), key=lambda one: (one.place is None, one.place or Place(0, 0)))
        )
        super().__init__(" ".join(trouble.message for trouble in self.troubles))

    @classmethod
    def one(cls, message: str, place: Place | None = None) -> Refused:
        return cls([Trouble(message, place)])


@dataclass
class Troubles:
    """Collects what is wrong, so that a person mends it in one go; up to `MOST`, which nobody reads."""

    found: list[Trouble] = field(default_factory=list)

    def add(self, message: str, place: Place | None = None) -> None:
        self.found.append(Trouble(message, place))
        if len(self.found) == MOST:
            raise Refused([*self.found, Trouble("There is more. Mend this first.")])

    def raise_if_any(self) -> None:
        if self.found:
            raise Refused(self.found)


def visible(text: str) -> str:
    """For a terminal: with what would move its cursor, turn the reading direction round or break the line
    written as YAML would write it in double quotes."""
    return "".join(_escaped(letter) if _hidden(letter) else letter for letter in text)


def _hidden(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def meant(word: str, known: Iterable[str]) -> str:
    """ " Did you mean ‘Supervisor’?", or nothing where nothing is near."""
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.75)
    return f" Did you mean ‘{by_lower[near[0]]}’?" if near else ""
