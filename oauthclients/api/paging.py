"""The paged envelope (wire contract E1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import QuerySet
from rest_framework.request import Request

from oauthclients.api.params import Query

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
