"""Tables as CSV files (RFC 4180), to be opened in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.http import HttpResponse

# What a spreadsheet takes for a formula, at the beginning of a cell (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Says that it is UTF-8 to spreadsheets, which take it for something else.
BOM = "\ufeff"


def cell(value: Any) -> Any:
    """A value as a cell. A text that would be a formula begins with an apostrophe; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return value
    return harmless(str(value))


def harmless(text: str) -> str:
    """As text that no spreadsheet computes."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def download(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """`name` is that of the file, without its ending: letters, digits and hyphens."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    response = HttpResponse(BOM + text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "no-store"
    return response
