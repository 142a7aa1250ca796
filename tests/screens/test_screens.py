"""axe finds nothing on any screen, and nothing is cut, in both languages and themes, at 320 px and at 200 % zoom;
and it weighs less than 60 kB, comes in one round, and what comes with it is never asked for again.

axe would have to look twelve times at each screen (2 languages, 2 themes, 3 widths). It looks once in each language:
with one theme and width in the first, others in the second, and again others at the next screen. Whether something
sticks out or is cut is asked at every width in every language. `SCREENS=all` takes all of the looks:

    SCREENS=all .venv/bin/python manage.py test tests/screens/test_screens.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product

import pytest
from django.http import HttpResponse
from playwright.sync_api import Page

from tests.screens import eyes, scales
from tests.screens.conftest import LANGUAGES, SCREENS
from tests.screens.stage import Server

# Phone, 200 % zoom of a window 1,280 px wide (which is this to a page), and that window.
WIDTHS = {320: 640, 640: 450, 1280: 900}
THEMES = ("light", "dark")
LOOKS = list(product(THEMES, WIDTHS))
EVERY = os.environ.get("SCREENS") == "all"


def looks_at(number: int, language: int) -> list[tuple[str, int]]:
    """The themes and widths for a screen in a language; of two languages, neither has a theme or width of the
    other."""
    if EVERY:
        return LOOKS
    width = list(WIDTHS)[(number + language) % len(WIDTHS)]
    theme = THEMES[(number // len(WIDTHS) + language) % len(THEMES)]
    return [(theme, width)]


@pytest.mark.parametrize("number", range(len(SCREENS)), ids=lambda number: SCREENS[number].name)
def test_a_screen(number, play, server, looker, collected):
    screen, wrong = SCREENS[number], []
    for language, answer in play(screen).items():
        wrong += [
            f"{language}: {line}" for line in scales.wrong_with(answer, collected, heavy=bool(screen.heavy))
        ]
        looker.problems.clear()
        looks = looks_at(number, LANGUAGES.index(language))
        looker.emulate_media(color_scheme=looks[0][0])
        looker.set_viewport_size({"width": looks[0][1], "height": WIDTHS[looks[0][1]]})
        looker.goto(server.show(answer))
        looker.evaluate(eyes.OPEN_ALL)
        for theme, width in looks:
            looker.emulate_media(color_scheme=theme)
            looker.set_viewport_size({"width": width, "height": WIDTHS[width]})
            wrong += [f"{language} {theme} {width}: {line}" for line in eyes.axe(looker)]
        for width, height in WIDTHS.items():
            looker.set_viewport_size({"width": width, "height": height})
            wrong += [f"{language} {width}: {line}" for line in looker.evaluate(eyes.CUT)]
        wrong += [f"{language} {line}" for line in in_dialogs(looker, server, answer)]
        expected = f"status of {screen.status}" if screen.status >= 400 else None
        wrong += [f"{language}: {said}" for said in looker.problems if not (expected and expected in said)]
    assert not wrong, "\n".join(wrong)


def in_dialogs(looker: Page, server: Server, answer: HttpResponse) -> Iterator[str]:
    """What is wrong in the dialogs of a page, and where it is a dialog's page itself, with that."""
    for opener in looker.locator("[data-dialog-open]").all():
        # One that is open already keeps the others shut.
        if looker.locator("dialog:modal").count() == 0 and opener.is_visible():
            opener.click()
            yield from _in_dialog(looker)
            looker.keyboard.press("Escape")
    if b"data-dialog-content" in answer.content:
        link = (
            "const link = document.createElement('a'); link.dataset.dialog = ''; link.href = location.href;"
        )
        # As over any other page, which has no ids of its own that the dialog's could meet.
        looker.evaluate(f"{link} document.querySelector('main').replaceChildren(link); link.click()")
        looker.wait_for_selector("dialog:modal")
        yield from _in_dialog(looker)


def _in_dialog(looker: Page) -> Iterator[str]:
    dialog = looker.locator("dialog:modal")
    name = looker.evaluate("document.querySelector('dialog:modal').getAttribute('aria-labelledby')")
    heading = looker.locator(f"[id='{name}']")
    if not name or not heading.inner_text():
        yield "a dialog without a name"
    if not looker.evaluate("document.querySelector('dialog:modal').contains(document.activeElement)"):
        yield "the focus is not in the dialog"
    for width, height in WIDTHS.items():
        looker.set_viewport_size({"width": width, "height": height})
        yield from (f"dialog {width}: {line}" for line in looker.evaluate(eyes.CUT))
        if dialog.evaluate("box => box.scrollWidth > box.clientWidth + 1"):
            yield f"dialog {width}: wider than it is"
    yield from (f"dialog: {line}" for line in eyes.axe(looker, "dialog:modal"))
