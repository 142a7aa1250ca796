"""docs/security.md names a test for everything that it promises, and those tests exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
SECURITY = (TESTS.parent / "docs" / "security.md").read_text()
ROWS = [line for line in SECURITY.splitlines() if re.match(r"\| (?!---)", line)]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", SECURITY)))


@cache
def named_in(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _path, name in NAMED])
def test_a_test_that_is_named_exists(path, name):
    assert name.startswith("test_")
    assert name in named_in(path)


def test_nothing_else_looks_like_the_name_of_a_test():
    """A slip of the pen would not be found by the pattern above."""
    assert SECURITY.count(".py::") == len(re.findall(r"`([\w/]+\.py)::(\w+)`", SECURITY))


def test_every_promise_names_a_test_or_says_that_it_is_none():
    heads = {"clause", "number (level)", "module", "trap", "threat"}
    promises = [row for row in ROWS if row.split("|")[1].strip() not in heads]
    assert len(promises) > 80
    without = [row for row in promises if "::" not in row]
    assert [row for row in without if "**Not supported**" not in row and "**Not held.**" not in row] == []


@pytest.mark.parametrize(
    "number",
    [
        *[f"10.3.{n}" for n in range(1, 6)],
        *[f"10.4.{n}" for n in range(1, 17)],
        *[f"10.7.{n}" for n in range(1, 4)],
    ],
)
def test_every_number_of_asvs_has_one_row(number):
    assert sum(row.startswith(f"| {number} (") for row in ROWS) == 1
