"""CSV files that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from accounts.console import spreadsheet


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", '=HYPERLINK("https://x")'],
)
def test_a_formula_is_text(text):
    assert spreadsheet.cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Billing", "Billing"),
        ("a=b", "a=b"),
        ("", ""),
        (None, ""),
        (-3, -3),
        (date(2030, 5, 6), "2030-05-06"),
    ],
)
def test_everything_else_is_what_it_was(value, shown):
    assert spreadsheet.cell(value) == shown


def test_a_file_is_rfc_4180_in_utf_8():
    response = spreadsheet.download("use-1", ("name", "n"), [("Ünï, “x”\n2", 1), ('"', 2)])

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="use-1.csv"'
    assert response["Cache-Control"] == "no-store"
    content = response.content.decode("utf-8-sig")
    assert content.startswith("name,n\r\n")
    assert list(csv.reader(content.splitlines(keepends=True))) == [
        ["name", "n"],
        ["Ünï, “x”\n2", "1"],
        ['"', "2"],
    ]
