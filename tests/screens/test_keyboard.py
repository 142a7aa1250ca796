"""Every stop of the Tab key on the pages of the wizard, of all four grants, and beside them: whatever can be used is
reached, in the order in which it is read; the focus is seen, hidden by nothing, and never trapped."""

from __future__ import annotations

from itertools import product

import pytest

from tests.screens.catalogue import every_screen

PAGES = (
    "wizard_1_empty",
    "wizard_1_with_errors",
    "wizard_2_roles_chosen",
    "wizard_2_redirects_and_scope_with_errors",
    "wizard_2_scope_for_assertions",
    "wizard_3",
    "wizard_3_for_an_app_with_errors",
    "secret_of_a_new_client",
    "client_with_two_secrets",
    "client_edited",
    "clients_of_every_state_and_a_draft",
    "consent_approved_first",
)

# All that can be used without opening something first. Of radio buttons one is a stop, of tabs the chosen one.
USABLE = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter(
  (one) => one.checkVisibility({ visibilityProperty: true }) && one.tabIndex >= 0 && !one.disabled && one.type !== 'hidden'
    && (one.type !== 'radio' || one === ([...document.getElementsByName(one.name)].find((each) => each.checked) ?? document.getElementsByName(one.name)[0])),
).map((one, at) => { one.dataset.stop = at; return one.outerHTML.slice(0, 120); })"""

# Where the focus is, whether a ring is drawn around it or around what holds it, and what lies over its middle.
STOP = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const rings = (element) => {
    const style = getComputedStyle(element);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && !style.outlineColor.endsWith(', 0)');
  };
  const box = one.getBoundingClientRect();
  const [x, y] = [box.left + Math.min(box.width / 2, 40), box.top + Math.min(box.height / 2, 20)];
  const over = document.elementFromPoint(x, y);
  const label = one.labels?.[0] ?? one;
  return {
    at: one.dataset.stop ?? null,
    html: one.outerHTML.slice(0, 120),
    seen: rings(one) || [...document.querySelectorAll('.choice-card, .start-card, .chip-toggle')].some((card) => card.contains(one) && rings(card)),
    covered: !(over && (one.contains(over) || over.contains(one) || label.contains(over))) && `${over?.outerHTML.slice(0, 80)} at ${Math.round(y)}`,
  };
}"""


# What the narrow layout does to the order and to the bars, three of them show.
NARROW = ("wizard_1_empty", "wizard_3", "client_edited")


@pytest.mark.parametrize(("name", "width"), [*product(PAGES, [1280]), *product(NARROW, [320])])
def test_every_stop(name, width, play, server, looker):
    looker.set_viewport_size({"width": width, "height": 800})
    looker.goto(server.show(play(every_screen()[name], ["en"])["en"]))
    usable = looker.evaluate(USABLE)
    # Where the first press of the key leads on a page that takes the focus nowhere else.
    looker.locator(".skip-link").focus()
    stops = [looker.evaluate(STOP)]
    for _ in range(len(usable) + 2):
        looker.keyboard.press("Tab")
        stop = looker.evaluate(STOP)
        if stop is None or stop["at"] == stops[0]["at"]:
            break
        stops.append(stop)
    else:
        raise AssertionError(f"the focus does not leave the page: {stops[-3:]}")
    reached = [int(stop["at"]) for stop in stops if stop["at"] is not None]
    assert not [usable[at] for at in range(len(usable)) if at not in reached], "not reached"
    assert reached == sorted(reached), "not in the order of reading"
    assert not [stop["html"] for stop in stops if not stop["seen"]], "without a ring"
    assert not [(stop["html"], stop["covered"]) for stop in stops if stop["covered"]], (
        "under something else"
    )
