"""What can go wrong in the domain. Each error knows its public sentence, its code and its status.

`code` values are those of wire contract C3, D5 and G2; the console shows the same sentences in the
page, the API puts them into its error body, the command line prints them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Problem:
    """One thing wrong with what was typed: in which field (and line), and what to do."""

    field: str
    code: str
    message: str
    line: int | None = None


class DomainError(Exception):
    """The base of all of them. `parameters` fill the wire's `messageParams`."""

    status = 400
    code = "bad.request"

    def __init__(
        self, message: str, *, code: str | None = None, parameters: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.parameters = parameters or {}


class Invalid(DomainError):
    """Input that breaks a rule. All problems are reported at once; nothing was written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        assert problems
        super().__init__(" ".join(str(problem.message) for problem in problems), code=problems[0].code)
        self.problems = tuple(problems)

    @classmethod
    def one(cls, field: str, code: str, message: str) -> Invalid:
        return cls([Problem(field=field, code=code, message=message)])


class NotFound(DomainError):
    """No such thing in this organization. Another organization's id ends here as well."""

    status = 404
    code = "not.found"

    def __init__(self, message: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message or _("There is nothing with this ID."), code=code)


class Conflict(DomainError):
    """Somebody else was first, or the thing is not in a state that allows this."""

    status = 409
    code = "request.conflict"


class NotAllowed(DomainError):
    """The subject may not do this; says precisely what was missing.

    `missing` are permissions (`domain:entity:action`), `divisions` the names or ids of the divisions
    in which they were needed, empty where the division did not matter.
    """

    status = 403
    code = "not.authorized"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        missing: Iterable[str] = (),
        divisions: Iterable[str] = (),
    ) -> None:
        self.missing = tuple(missing)
        self.divisions = tuple(divisions)
        super().__init__(
            message,
            code=code,
            parameters={
                key: ",".join(value)
                for key, value in (("permissions", self.missing), ("divisions", self.divisions))
                if value
            },
        )


class InsufficientScope(NotAllowed):
    """An app that acts for a person may not, whatever its person may: it lacks each of these scopes, of
    which one would do. They are told in the header of RFC 6750 3.1 too."""

    code = "app.not.authorized.for.scope"

    def __init__(self, scopes: tuple[str, ...]) -> None:
        names = ", ".join(scopes)
        super().__init__(_("App not authorized to use scope [%(names)s]") % {"names": names})
        self.scopes = scopes
        self.parameters = {"scopes": ",".join(scopes)}


@dataclass
class Problems:
    """Collects problems and raises them together."""

    found: list[Problem] = field(default_factory=list)

    def add(self, field: str, code: str, message: str, line: int | None = None) -> None:
        self.found.append(Problem(field=field, code=code, message=message, line=line))

    def raise_if_any(self) -> None:
        if self.found:
            raise Invalid(self.found)
