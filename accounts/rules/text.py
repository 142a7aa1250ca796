"""Names that people read: what they must show, and what they must not hide."""

from __future__ import annotations

import unicodedata

# These turn the reading direction round, so that a name can look like another one (Unicode TR 36).
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def shows_nothing(text: str) -> bool:
    """Whether a reader would see an empty place: only spaces, marks, controls and the like."""
    return all(unicodedata.category(letter)[0] in "CMZ" for letter in text)


def hides_something(text: str, *, lines: bool = False) -> bool:
    """Whether there are characters that no keyboard types by accident: controls, unpaired surrogates, and
    the ones that turn the reading direction round. With `lines`, line breaks and tabs are fine."""
    allowed = "\n\r\t" if lines else ""
    return any(
        letter in _BIDI or (unicodedata.category(letter) in ("Cc", "Cs") and letter not in allowed)
        for letter in text
    )
