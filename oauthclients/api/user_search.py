"""`UserSearchRequest` (wire contract E2): criteria over people, as a database query."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.errors import Invalid
from accounts.models import User, UserState
from accounts.queries import as_uuid
from oauthclients.api.paging import LARGEST
from oauthclients.api.params import Body, one_of
from oauthclients.api.parsing import loads

# Field of the request: column. Ids and states are compared as a whole, texts in part as well.
TEXTS: Mapping[str, str] = {
    "name": "name",
    "email": "email",
    "username": "email",
    "title": "title",
    "department": "department",
}
WHOLES: Mapping[str, str] = {
    "id": "id",
    "guid": "id",
    "state": "state",
    "divisionId": "division_id",
    "division.id": "division_id",
}
FIELDS = (*TEXTS, *WHOLES)
TYPES = ("EXACT", "TERM", "TERMS", "CONTAINS", "STARTS_WITH", "QUERY_STRING")
_OF_WHOLES = ("EXACT", "TERM", "TERMS")
OPERATORS = ("AND", "OR", "NOT")
SORTS = ("name", "email", "title", "department", "state")
# SQLite refuses an expression deeper than 1,000; nobody needs so many comparisons.
MOST_COMPARISONS = 300
LONGEST_VALUE = 254


@dataclass(frozen=True)
class Search:
    where: Q
    size: int
    number: int
    order: tuple[str, ...]
    expand: tuple[str, ...]
    asked: Mapping[str, Any]

    def of(self, rows: QuerySet[User]) -> QuerySet[User]:
        return rows.filter(self.where)

    def page(self, rows: QuerySet[User]) -> list[User]:
        start = (self.number - 1) * self.size
        return list(rows.order_by(*self.order)[start : start + self.size])

    def answer(self, results: list[dict[str, Any]], total: int) -> dict[str, Any]:
        """`UsersSearchResponse`; its pages are `q64` values for GET."""
        pages = math.ceil(total / self.size)
        answer: dict[str, Any] = {
            "total": total,
            "pageCount": pages,
            "pageSize": self.size,
            "pageNumber": self.number,
            "currentPage": self._q64(self.number),
            "types": ["users"],
            "results": results,
        }
        if self.number < pages:
            answer["nextPage"] = self._q64(self.number + 1)
        if self.number > 1:
            answer["previousPage"] = self._q64(self.number - 1)
        return answer

    def _q64(self, number: int) -> str:
        text = json.dumps({**self.asked, "pageNumber": number}, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode()


def from_q64(text: str) -> Any:
    """Raises `ValueError` for anything that is not JSON in base64 (either alphabet, padded or not)."""
    if not text:
        raise ValueError("absent")
    text = text.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    return loads(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))


def read(body: Body) -> Search:
    """Raises `Invalid` (`invalid.value`), naming what would be allowed."""
    size, number = body.whole("pageSize"), body.whole("pageNumber")
    for field, value, most in (("pageSize", size, LARGEST), ("pageNumber", number, 10_000_000)):
        if value is not None and not 1 <= value <= most:
            body.problems.add(
                field,
                "invalid.value",
                _("“%(field)s” must be from 1 to %(most)s.") % {"field": field, "most": most},
            )
    sort_by, sort_order = body.text("sortBy"), body.text("sortOrder")
    expand = body.texts("expand")
    criteria = body.entries("query")
    body.check()
    by = one_of("sortBy", sort_by, SORTS) if sort_by else "name"
    order = one_of("sortOrder", sort_order, ("ASC", "DESC", "SCORE")) if sort_order else "ASC"
    sign = "-" if order == "DESC" else ""
    where, fields = _Reader().all_of(criteria or [])
    if "state" not in fields:
        where &= Q(state=UserState.ACTIVE)
    asked = {
        "pageSize": size or 25,
        "sortBy": by,
        "sortOrder": order,
        "query": criteria or [],
        "expand": expand or [],
    }
    return Search(where, size or 25, number or 1, (f"{sign}{by}", f"{sign}id"), tuple(expand or ()), asked)


class _Reader:
    """Counts the comparisons over all criteria."""

    def __init__(self) -> None:
        self.comparisons = 0

    def all_of(self, criteria: list[Any]) -> tuple[Q, set[str]]:
        """Each criterion joins those before it by its own `operator`."""
        where, used = Q(), set[str]()
        for criterion in criteria:
            if not isinstance(criterion, dict):
                raise Invalid.one("query", "invalid.value", _("Each entry of “query” must be an object."))
            one, fields, operator = self._one(Body(criterion))
            used |= fields
            match operator:
                case "OR":
                    where |= one
                case "NOT":
                    where &= ~one
                case _:
                    where &= one
        return where, used

    def _one(self, body: Body) -> tuple[Q, set[str], str]:
        """The condition, the fields it is about, and its operator."""
        kind, fields, operator = body.text("type"), body.texts("fields"), body.text("operator")
        value, values = body.text("value"), body.texts("values")
        body.check()
        kind = one_of("type", kind or "", TYPES)
        operator = one_of("operator", operator or "AND", OPERATORS)
        named = [one_of("fields", field, FIELDS) for field in fields or ()]
        wanted = [text for text in [*([value] if value is not None else []), *(values or [])] if text]
        if kind == "QUERY_STRING":
            named = named or list(TEXTS)
            wanted = [word for text in wanted for word in text.split()]
        for name, given in (("fields", named), ("value", wanted)):
            if not given:
                raise Invalid.one(
                    name, "invalid.value", _("“%(field)s” must not be empty.") % {"field": name}
                )
        if any(len(text) > LONGEST_VALUE for text in wanted):
            raise Invalid.one(
                "value",
                "invalid.value",
                _("A value can have at most %(most)s characters.") % {"most": LONGEST_VALUE},
            )
        self.comparisons += len(set(named)) * len(wanted)
        if self.comparisons > MOST_COMPARISONS:
            raise Invalid.one("query", "invalid.value", _("The search has too many values."))
        if kind == "QUERY_STRING":
            # Every word, each in any of the fields.
            where = Q()
            for word in wanted:
                where &= _any_field(named, "CONTAINS", [word])
            return where, set(named), operator
        return _any_field(named, kind, wanted), set(named), operator


def _any_field(fields: list[str], kind: str, values: list[str]) -> Q:
    where = Q(pk__in=[])  # nothing, where no comparison is possible
    for field in dict.fromkeys(fields):
        if field in WHOLES:
            where |= _whole(field, kind, values)
            continue
        column = TEXTS[field]
        for value in values:
            where |= _text(column, kind, value)
    return where


def _whole(field: str, kind: str, values: list[str]) -> Q:
    if kind not in _OF_WHOLES:
        raise Invalid.one(
            "type",
            "invalid.value",
            _("For “%(field)s”, “type” must be one of: %(allowed)s.")
            % {"field": field, "allowed": ", ".join(_OF_WHOLES)},
        )
    if field == "state":
        return Q(state__in=[one_of("values", value, UserState.values) for value in values])
    return Q(**{f"{WHOLES[field]}__in": [key for value in values if (key := as_uuid(value))]})


def _text(column: str, kind: str, value: str) -> Q:
    match kind:
        case "EXACT":
            return Q(**{f"{column}__iexact": value})
        case "CONTAINS":
            return Q(**{f"{column}__icontains": value})
        case "STARTS_WITH":
            return Q(**{f"{column}__istartswith": value})
        case _:  # TERM, TERMS: a whole word
            return Q(**{f"{column}__iregex": rf"(^|\W){re.escape(value)}(\W|$)"})
