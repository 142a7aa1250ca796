"""What must be seen once and written nowhere."""

from __future__ import annotations


class PlainSecret:
    """A secret or token in clear, on its way into one response. Printing, formatting or logging it shows
    only its end; `reveal` is called where the response is written."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    @property
    def last_four(self) -> str:
        return self._value[-4:]

    def __repr__(self) -> str:
        return f"•••• {self.last_four}"

    __str__ = __repr__

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is never stored")
