"""Paper, forced colours, less motion, and a theme that somebody chose against their system."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page

from tests.screens import eyes
from tests.screens.catalogue import every_screen
from tests.screens.test_screens import WIDTHS

# A4 without its margins, in CSS pixels.
PAPER = {"width": 680, "height": 990}


@pytest.fixture
def shown(play, server, looker) -> Callable[..., Page]:
    """`shown("client_disabled", media="print")`: that screen, in a window like this."""

    def open_it(name: str, width: int = 1280, theme: str = "", **media: str) -> Page:
        looker.emulate_media(
            **{"color_scheme": "light", "forced_colors": "none", "media": "screen", **media}
        )
        looker.set_viewport_size({"width": width, "height": WIDTHS.get(width, 900)})
        answer = play(every_screen()[name], ["en"])["en"]
        if theme:  # as the server writes it for somebody who chose one
            answer.content = answer.content.replace(
                b'<html lang="en"', b'<html lang="en" data-theme="%s"' % theme.encode()
            )
        looker.goto(server.show(answer))
        return looker

    yield open_it
    looker.emulate_media(
        color_scheme="light", forced_colors="none", media="screen", reduced_motion="reduce"
    )


def style(found: Locator, name: str, pseudo: str | None = None) -> str:
    return found.first.evaluate(
        "(element, [name, pseudo]) => getComputedStyle(element, pseudo)[name]", [name, pseudo]
    )


# --- Print ---------------------------------------------------------------------------------------

PRINTED = ("client_with_two_secrets", "client_that_acts_for_people", "people_some_of_whom_need_a_look", "clients_of_every_state_and_a_draft", "roles_all", "person_with_permissions")  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_on_paper_there_is_what_can_be_read_and_nothing_to_press(shown, name):
    page = shown(name, media="print", color_scheme="dark")
    page.set_viewport_size(PAPER)
    assert (
        page.locator("button, .button, nav, summary.button, input, [role=switch]")
        .filter(visible=True)
        .count()
        == 0
    )
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.evaluate(eyes.CUT) == []
    # Ink on white, whatever the theme is.
    assert style(page.locator("html"), "backgroundColor") == "rgb(255, 255, 255)"
    assert style(page.locator("main"), "color") == "rgb(27, 33, 48)"
    assert style(page.locator(".card"), "backgroundColor") == "rgb(255, 255, 255)"


def test_a_printed_client_says_what_it_is(shown):
    page = shown("client_with_two_secrets", media="print")
    for words in (
        "Client ID",
        "Old secret",
        "Supervisor",
        "Token duration",
        "Created By",
        "Recent changes",
    ):
        assert page.get_by_text(words, exact=True).first.is_visible(), words
    assert not page.get_by_text("Quick start").first.is_visible()


def test_a_printed_list_is_a_table_with_all_its_rows(shown):
    page = shown("people_some_of_whom_need_a_look", media="print")
    page.set_viewport_size(PAPER)
    assert page.get_by_role("columnheader", name="Email").is_visible()
    rows = page.get_by_role("row")
    assert rows.count() == 6
    assert all(row.is_visible() for row in rows.all())


# --- Forced colours ------------------------------------------------------------------------------


def visible_edge(found: Locator, against: Locator) -> bool:
    width = float(style(found, "borderTopWidth").removesuffix("px"))
    return (
        width >= 1
        and style(found, "borderTopStyle") != "none"
        and style(found, "borderTopColor") not in ("rgba(0, 0, 0, 0)", style(against, "backgroundColor"))
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_forced_colours_everything_keeps_its_edge_and_its_state(shown, scheme):
    page = shown("wizard_2_roles_chosen", forced_colors="active", color_scheme=scheme)
    body = page.locator("body")
    switches = page.get_by_role("switch")
    on, off = switches.and_(page.locator(":checked")), switches.and_(page.locator(":not(:checked)"))
    assert style(on, "backgroundColor") != style(off, "backgroundColor")
    for switch in (on, off):
        assert visible_edge(switch, body)
        assert style(switch, "backgroundColor", "::before") != style(switch, "backgroundColor")
    for found in (
        page.get_by_role("button", name="Next").last,
        page.get_by_role("searchbox"),
        page.locator("label.chip-toggle"),
        page.locator(".card"),
        page.locator(".side-menu [aria-current]"),
    ):
        assert visible_edge(found, body), found
    chosen = page.locator("label.chip-toggle:has(:checked)")
    other = page.locator("label.chip-toggle:has(:enabled:not(:checked))")
    assert style(chosen, "outlineStyle") == "solid"
    assert style(other, "outlineStyle") == "none"
    here, later = (
        page.locator(f".stepper li{which} .marker") for which in ("[aria-current]", ":last-child")
    )
    assert style(here, "backgroundColor") != style(later, "backgroundColor")
    assert "underline" in style(page.locator(".stepper [aria-current] .step-label"), "textDecorationLine")


def test_in_forced_colours_badges_and_filters_tell_their_state_by_shape(shown):
    page = shown("clients_of_every_state_and_a_draft", forced_colors="active")
    body = page.locator("body")
    badges = page.locator(".badge")
    assert all(visible_edge(badges.nth(number), body) for number in range(badges.count()))
    dots = {
        tone: (
            style(page.locator(f".badge{tone}"), "borderRadius", "::before"),
            style(page.locator(f".badge{tone}"), "rotate", "::before"),
        )
        for tone in (".tone-ok", ".tone-warn", ":not(.tone-ok, .tone-warn, .tone-bad)")
        if page.locator(f".badge{tone}").count()
    }
    assert len(set(dots.values())) >= 2, dots
    assert style(page.locator(".filter[aria-current]"), "outlineStyle") == "solid"


def test_in_forced_colours_the_chosen_tab_is_marked(shown):
    page = shown("client_that_acts_for_people", forced_colors="active")
    tabs = page.get_by_role("tab")
    assert style(tabs.nth(0), "borderBottomColor") != style(tabs.nth(1), "borderBottomColor")


@pytest.mark.parametrize("colours", ["active", "none"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whatever_has_the_focus_has_a_ring(shown, colours, scheme):
    page = shown("wizard_1_from_a_template", forced_colors=colours, color_scheme=scheme)
    page.keyboard.press("Tab")
    for found, ring in (
        (page.get_by_role("button", name="Next").last, None),
        (page.get_by_label("App Name"), None),
        (page.get_by_role("link", name="OAuth").first, None),
        (page.get_by_role("radio").first, page.locator(".choice-card:has([type=radio])").first),
        (page.locator(".start-card button").first, page.locator(".start-card").first),
        (page.locator("summary").first, None),
    ):
        found.focus()
        rung = ring or found
        assert style(rung, "outlineStyle") in ("solid", "auto"), found
        assert float(style(rung, "outlineWidth").removesuffix("px")) >= 2
        assert style(rung, "outlineColor") not in (
            style(page.locator("body"), "backgroundColor"),
            "rgba(0, 0, 0, 0)",
        )


# --- Motion and theme ----------------------------------------------------------------------------

MOVING = """() => [...document.querySelectorAll('*')].flatMap((element) => [null, '::before', '::after'].map((pseudo) => {
  const style = getComputedStyle(element, pseudo);
  const longest = (text) => Math.max(...text.split(',').map((one) => parseFloat(one) * (one.trim().endsWith('ms') ? 1 : 1000)));
  return Math.max(longest(style.transitionDuration), style.animationName === 'none' ? 0 : longest(style.animationDuration));
})).reduce((one, other) => Math.max(one, other), 0)"""


def test_nothing_moves_for_whoever_wants_that_and_little_for_others(shown):
    page = shown("secret_of_a_new_client", reduced_motion="reduce")
    assert page.locator(".toasts .callout").count() == 1
    assert page.evaluate(MOVING) == 0
    page.emulate_media(reduced_motion="no-preference")
    assert 0 < page.evaluate(MOVING) <= 150


@pytest.mark.parametrize(
    ("chosen", "system", "background"),
    [
        ("", "light", "rgb(246, 247, 249)"),
        ("", "dark", "rgb(18, 21, 28)"),
        ("dark", "light", "rgb(18, 21, 28)"),
        ("light", "dark", "rgb(246, 247, 249)"),
    ],
)
def test_the_theme_is_the_one_that_was_chosen_else_the_systems(shown, chosen, system, background):
    page = shown("home_with_nothing_to_do", theme=chosen, color_scheme=system)
    assert style(page.locator("html"), "backgroundColor") == background
    assert eyes.axe(page) == []
