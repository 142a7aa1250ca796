"""Reading what a request says: its query string, and its JSON body field by field.

What cannot be meant is refused here, with the name of the parameter or field, so that nothing behind
this module meets a value of the wrong type. What a value *means* is for the services to judge.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.errors import Invalid, Problems
from accounts.queries import as_uuid
from oauthclients.api.errors import ApiError

# No list in a request has use for more entries than this.
MOST_ENTRIES = 1_000


class Query:
    """The query string. An empty value is an absent one: that is how the SDKs write "not given"."""

    def __init__(self, request: Request) -> None:
        self._given = request.query_params
        for name, values in self._given.lists():
            if "\x00" in name or any("\x00" in value for value in values):
                raise _bad_parameter(name.replace("\x00", ""), _("It must not contain control characters."))

    def text(self, name: str) -> str:
        return (self._given.get(name) or "").strip()

    def many(self, name: str) -> list[str]:
        """Comma-joined, repeated, or both (wire contract, fact 1)."""
        values = [part.strip() for value in self._given.getlist(name) for part in value.split(",")]
        values = list(dict.fromkeys(value for value in values if value))
        if len(values) > MOST_ENTRIES:
            raise _bad_parameter(name, _("At most %(most)s values.") % {"most": MOST_ENTRIES})
        return values

    def ids(
        self, name: str, *, most: int, code: str = "invalid.query.param.value"
    ) -> set[uuid.UUID] | None:
        """The ids asked for; None where the parameter is absent. What is not an id matches nothing, as
        an id of another organization does."""
        values = self.many(name)
        if not values:
            return None
        if len(values) > most:
            raise ApiError(400, code, _("At most %(most)s IDs can be asked for.") % {"most": most})
        return {key for value in values if (key := as_uuid(value))}

    def whole(self, name: str, *, default: int, least: int = 1, most: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
            raise _bad_parameter(
                name,
                _("It must be a whole number from %(least)s to %(most)s.") % {"least": least, "most": most},
            )
        return int(value)

    def flag(self, name: str, *, default: bool) -> bool:
        return self.choice(name, ("true", "false"), default="true" if default else "false") == "true"

    def choice(self, name: str, allowed: Collection[str], *, default: str) -> str:
        """One of these, however it is capitalized."""
        value = self.text(name)
        if not value:
            return default
        by_lower = {one.lower(): one for one in allowed}
        if value.lower() not in by_lower:
            raise _bad_parameter(
                name, _("It must be one of: %(allowed)s.") % {"allowed": ", ".join(allowed)}
            )
        return by_lower[value.lower()]


def _bad_parameter(name: str, message: str) -> ApiError:
    return ApiError(
        400,
        "invalid.query.param.value",
        _("The value of the parameter “%(name)s” is not valid. %(message)s")
        % {"name": name[:100], "message": message},
    )


bad_parameter = _bad_parameter


class Body:
    """A JSON object. `null` and absent are the same (wire contract A4), for the whole body as for each
    field. Collects what is wrong in `problems`; `check` raises all of it."""

    def __init__(self, data: Any) -> None:
        if data is None:
            data = {}
        if not isinstance(data, dict):
            raise ApiError(400, "bad.request", _("The body must be a JSON object."))
        self._data: Mapping[str, Any] = data
        self.problems = Problems()

    def check(self) -> None:
        """Raises `Invalid` for everything that was wrong so far."""
        self.problems.raise_if_any()

    def has(self, name: str) -> bool:
        return self._data.get(name) is not None

    def raw(self, name: str) -> Any:
        return self._data.get(name)

    def text(self, name: str, *, code: str = "invalid.value") -> str | None:
        value = self._data.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.problems.add(name, code, _("“%(field)s” must be text.") % {"field": name})
        elif "\x00" in value:
            self.problems.add(name, code, _("Remove the invisible characters."))
        else:
            return value
        return None

    def whole(self, name: str) -> int | None:
        value = self._data.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.problems.add(
                name, "invalid.value", _("“%(field)s” must be a whole number.") % {"field": name}
            )
            return None
        return value

    def flag(self, name: str) -> bool | None:
        value = self._data.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.problems.add(name, "invalid.value", _("“%(field)s” must be true or false.") % {"field": name})
        return None

    def entries(
        self, name: str, *, code: str = "invalid.value", most: int = MOST_ENTRIES
    ) -> list[Any] | None:
        value = self._data.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            self.problems.add(name, code, _("“%(field)s” must be a list.") % {"field": name})
        elif len(value) > most:
            self.problems.add(
                name,
                code,
                _("“%(field)s” can have at most %(most)s entries.") % {"field": name, "most": most},
            )
        else:
            return value
        return None

    def texts(
        self,
        name: str,
        *,
        code: str = "invalid.value",
        most: int = MOST_ENTRIES,
        longest: int | None = None,
    ) -> list[str] | None:
        """`longest` is in characters, of each of them."""
        entries = self.entries(name, code=code, most=most)
        if entries is None:
            return None
        if not all(isinstance(entry, str) and "\x00" not in entry for entry in entries):
            self.problems.add(name, code, _("“%(field)s” must be a list of texts.") % {"field": name})
            return None
        if longest is not None and any(len(entry) > longest for entry in entries):
            self.problems.add(
                name, code, _("A value can have at most %(most)s characters.") % {"most": longest}
            )
            return None
        return entries

    def date(self, name: str) -> datetime | None:
        """A point in time in ISO 8601; one without a zone is UTC."""
        value = self.text(name, code="invalid.date")
        if not value:
            return None
        try:
            parsed = parse_datetime(value)
            if parsed is not None:
                return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        self.problems.add(
            name,
            "invalid.date",
            _("“%(field)s” must be a date like 2026-11-20T10:00:00.000Z.") % {"field": name},
        )
        return None


def one_of(field: str, value: str, allowed: Collection[str], *, code: str = "invalid.value") -> str:
    """The value, if it is one of these; names them otherwise."""
    by_lower = {one.lower(): one for one in allowed}
    if value.lower() not in by_lower:
        raise Invalid.one(
            field,
            code,
            _("“%(field)s” must be one of: %(allowed)s.") % {"field": field, "allowed": ", ".join(allowed)},
        )
    return by_lower[value.lower()]


def ids_in(data: Any, *, code: str = "bad.request") -> list[str]:
    """A body that is a bare list of ids, each once. What is not an id is for the services to miss."""
    entries = list_in(data, code=code)
    if not all(isinstance(entry, str) for entry in entries):
        raise ApiError(400, "bad.request", _("The body must be a list of IDs."))
    return list(dict.fromkeys(entries))


def list_in(data: Any, *, code: str = "bad.request") -> list[Any]:
    """A body that is a bare list. An absent one is not an empty one: it was meant to say something.
    `code` is that of a list that is too long."""
    if not isinstance(data, list):
        raise ApiError(400, "bad.request", _("The body must be a JSON list."))
    if len(data) > MOST_ENTRIES:
        raise ApiError(400, code, _("The list can have at most %(most)s entries.") % {"most": MOST_ENTRIES})
    return data


@contextmanager
def fields_called(names: Mapping[str, str]) -> Iterator[None]:
    """Tells the problems that a service finds by the names that the request has for its fields."""
    try:
        yield
    except Invalid as error:
        raise Invalid(
            [
                dataclasses.replace(problem, field=names.get(problem.field, problem.field))
                for problem in error.problems
            ]
        ) from error
