"""Pages of a listing: the envelope, and cursors (wire contract E1)."""

from __future__ import annotations

import base64
import json
import math
import uuid
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request

from oauthclients.api.errors import ApiError
from oauthclients.api.params import Query, bad_parameter
from oauthclients.api.parsing import loads

LARGEST = 500
_FARTHEST = 10_000_000

Row = TypeVar("Row")


class Paging:
    """`pageSize` and `pageNumber` (from 1) of a request, and the envelope around the page asked for."""

    def __init__(self, request: Request) -> None:
        query = Query(request)
        self.size = query.whole("pageSize", default=25, most=LARGEST)
        self.number = query.whole("pageNumber", default=1, most=_FARTHEST)
        self._path = request.path
        self._others = [
            (name, value)
            for name, values in request.query_params.lists()
            if name not in ("pageSize", "pageNumber")
            for value in values
        ]

    def cut(self, rows: QuerySet[Any, Row] | Sequence[Row]) -> list[Row]:
        """The rows of this page."""
        start = (self.number - 1) * self.size
        return list(rows[start : start + self.size])

    def envelope(self, entities: list[dict[str, Any]], total: int) -> dict[str, Any]:
        """URIs are paths; there is no `nextUri` on the last page and no `previousUri` on the first."""
        pages = math.ceil(total / self.size)
        result = {
            "entities": entities,
            "pageSize": self.size,
            "pageNumber": self.number,
            "total": total,
            "pageCount": pages,
            "firstUri": self._uri(1),
            "selfUri": self._uri(self.number),
            "lastUri": self._uri(max(pages, 1)),
        }
        if self.number < pages:
            result["nextUri"] = self._uri(self.number + 1)
        if self.number > 1:
            result["previousUri"] = self._uri(max(1, min(self.number - 1, pages)))
        return result

    def _uri(self, number: int) -> str:
        query = urlencode([("pageSize", self.size), ("pageNumber", number), *self._others])
        return f"{self._path}?{query}"


def single_page(entities: list[dict[str, Any]], path: str) -> dict[str, Any]:
    """The envelope of a listing that does not page: everything, as page 1 of 1."""
    return {
        "entities": entities,
        "pageSize": max(25, len(entities)),
        "pageNumber": 1,
        "total": len(entities),
        "pageCount": 1,
        "firstUri": path,
        "selfUri": path,
        "lastUri": path,
    }


class CursorPaging:
    """A page of a listing by name, walked by `after` and `before`: rows that come or go meanwhile shift
    nothing."""

    def __init__(self, request: Request) -> None:
        query = Query(request)
        self.size = query.whole("pageSize", default=25, most=LARGEST)
        self._after, self._before = query.text("after"), query.text("before")
        if self._after and self._before:
            raise ApiError(
                400,
                "both.after.and.before.provided",
                _("Give “after” or “before”, and not both."),
            )
        self._here, self._path = request.get_full_path(), request.path
        self._others = [
            (name, value)
            for name, values in request.query_params.lists()
            if name not in ("after", "before")
            for value in values
        ]

    def cut(self, rows: QuerySet[Any, Row]) -> list[Row]:
        """The rows of this page. They have a `name` and an `id`."""
        if self._before:
            wanted = rows.filter(beyond("before", self._before, "lt")).order_by("-name", "-id")
        elif self._after:
            wanted = rows.filter(beyond("after", self._after, "gt")).order_by("name", "id")
        else:
            wanted = rows.order_by("name", "id")
        found = list(wanted[: self.size + 1])
        self._more, page = len(found) > self.size, found[: self.size]
        return page[::-1] if self._before else page

    def envelope(self, entities: list[dict[str, Any]], page: Sequence[Any]) -> dict[str, Any]:
        """Around what `cut` has answered."""
        result = {"entities": entities, "selfUri": self._here}
        if page and (self._before or self._more):
            result["nextUri"] = self._uri("after", page[-1])
        if page and (self._after or (self._before and self._more)):
            result["previousUri"] = self._uri("before", page[0])
        return result

    def _uri(self, way: str, row: Any) -> str:
        return f"{self._path}?{urlencode([*self._others, (way, position(row))])}"


def position(row: Any) -> str:
    """Where this row stands in a listing by name and id."""
    return base64.urlsafe_b64encode(json.dumps([row.name, str(row.id)]).encode()).decode().rstrip("=")


def beyond(parameter: str, cursor: str, way: str) -> Q:
    """What comes after (`gt`) or before (`lt`) a `position`, which was given as this parameter."""
    try:
        name, id = loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        key = uuid.UUID(id)
        if not isinstance(name, str) or "\x00" in name:
            raise ValueError("not a name")
    except (ValueError, TypeError, AttributeError) as error:
        raise bad_parameter(parameter, _("Use the cursor of the answer before.")) from error
    return Q(**{f"name__{way}": name}) | Q(**{"name": name, f"id__{way}": key})
