from __future__ import annotations

import pytest

from accounts.rules.text import hides_something, shows_nothing


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\u00a0\u2003", "\ufeff\u2060", "\u0301"])
def test_a_name_must_show_something(text):
    assert shows_nothing(text)


@pytest.mark.parametrize("text", ["Ada", "株式会社", "é", "👩‍💻", "مرحبا", "a\u200b"])
def test_names_of_all_scripts_do(text):
    assert not shows_nothing(text)
    assert not hides_something(text)


@pytest.mark.parametrize("text", ["a\x07", "Billing\u202egnillib", "a\nb", "\x00", "a\u2066b"])
def test_a_name_must_not_hide_anything(text):
    assert hides_something(text)


def test_a_description_may_have_lines():
    assert not hides_something("one\r\n\ttwo", lines=True)
    assert hides_something("one\x1b[31m", lines=True)
