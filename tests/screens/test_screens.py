"""axe finds nothing on a screen, nothing is cut, at 320 px and at 200 % zoom, in both languages and themes; nothing
jumps while it loads; and it weighs less than 60 kB, comes in one round, and what comes with it is never asked for
again.

All of that is twelve looks (2 languages, 2 themes, 3 widths) at two hundred screens, and would take as long as all
other tests together. So the suite looks at one screen of each address, the one with errors where there is one, and at
those of MORE; in one language, with one theme, and for axe at one width: another from screen to screen. This takes
all of the looks at all of the screens, and is for whoever has changed what they have in common:

    SCREENS=all .venv/bin/python manage.py test -n 2 tests/screens/test_screens.py
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
from tests.screens.stage import Screen, Server

# Phone, 200 % zoom of a window 1,280 px wide (which is this to a page), and that window.
WIDTHS = {320: 640, 640: 450, 1280: 900}
THEMES = ("light", "dark")
EVERY = os.environ.get("SCREENS") == "all"
# Beside one of each address: the steps of the wizard, which have one address, and what is fullest and heaviest.
MORE = {
    "wizard_2_roles_chosen",
    "wizard_2_redirects_and_scope_with_errors",
    "wizard_3_for_an_app_with_errors",
    "secret_of_a_new_app",
    "client_with_two_secrets",
    "clients_of_every_state_and_a_draft",
    "authorized_apps_of_every_state",
    "people_some_of_whom_need_a_look",
    "sign_in_with_providers",
    "consent",
    "not_found",
}


def chosen() -> list[Screen]:
    """Of each address, which has several states, one."""
    if EVERY:
        return SCREENS
    ranked = sorted(SCREENS, key=lambda screen: "_with_errors" not in screen.name)
    one_each = {screen.url_name: screen for screen in reversed(ranked)}
    return [screen for screen in SCREENS if screen.name in MORE or screen is one_each[screen.url_name]]


def looks_at(number: int) -> list[tuple[str, str, int]]:
    """The languages, themes and widths for a screen: another of each from one to the next."""
    found = list(product(LANGUAGES, THEMES, WIDTHS))
    return found if EVERY else [found[number * 5 % len(found)]]


@pytest.mark.parametrize(
    ("number", "screen"), list(enumerate(chosen())), ids=lambda of: getattr(of, "name", "")
)
def test_a_screen(number, screen, play, server, looker, collected):
    looks = looks_at(number)
    languages = list(dict.fromkeys(language for language, _theme, _width in looks))
    wrong = []
    for language, answer in play(screen, languages).items():
        wrong += [f"{language}: {line}" for line in scales.wrong_with(answer, collected)]
        looker.problems.clear()
        looker.goto(server.show(answer))
        wrong += [f"{language}: {line}" for line in looker.evaluate(eyes.JUMPED)]
        looker.evaluate(eyes.OPEN_ALL)
        # A question is a dialog wherever there is JavaScript, and then only looked at as one.
        as_dialog = b"data-dialog-content" in answer.content
        for of, theme, width in looks:
            if of == language and (EVERY or not as_dialog):
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


def test_every_language_theme_and_width_is_looked_at():
    looks = {look for number in range(len(chosen())) for look in looks_at(number)}
    assert looks == set(product(LANGUAGES, THEMES, WIDTHS))


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
    for width, height in list(WIDTHS.items())[: None if EVERY else 1]:
        looker.set_viewport_size({"width": width, "height": height})
        yield from (f"dialog {width}: {line}" for line in looker.evaluate(eyes.CUT))
        if dialog.evaluate("box => box.scrollWidth > box.clientWidth + 1"):
            yield f"dialog {width}: wider than it is"
    yield from (f"dialog: {line}" for line in eyes.axe(looker, "dialog:modal"))
