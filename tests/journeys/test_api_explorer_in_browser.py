"""The API Explorer in a real browser: Swagger UI under our Content-Security-Policy, from signing in to an answer."""

from __future__ import annotations

from itertools import product

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.screens import eyes


def opened_explorer(page, button: str = "Open Swagger UI"):
    page.get_by_role("button", name=button).click()
    expect(page.locator("h3.opblock-tag").first).to_be_visible()


def scrolled_to(page, selector: str):
    """What Swagger UI draws only when it comes near."""
    found = page.locator(selector)
    page.mouse.move(700, 500)
    for _turn in range(100):
        if found.count():
            found.evaluate("one => one.scrollIntoView({ block: 'center' })")
            return found
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(50)
    raise AssertionError(f"{selector} is not drawn anywhere")


def test_a_person_signs_in_from_the_explorer_and_tries_a_route(page_of, served):
    page = page_of("eve")
    page.goto("/admin/")
    page.get_by_role("navigation").get_by_role("link", name="API Explorer").click()
    opened_explorer(page)
    page.locator(".api-explorer .btn.authorize").first.click()
    sign_in = page.locator(".auth-container", has_text="PureCloud-OAuth")
    expect(sign_in.get_by_label("client_secret")).to_be_hidden()
    with page.context.expect_page() as opened:
        sign_in.locator("button.authorize").click()
    window = opened.value
    with window.expect_event("close"):
        window.locator("button[name=decision][value=allow]").click()
    expect(sign_in.locator("button", has_text="Logout")).to_be_visible()
    page.locator(".close-modal").click()

    page.locator("[data-tag=users]").click()
    route = page.locator("#operations-users-getUsersMe")
    route.locator(".opblock-summary-control").click()
    expect(route).to_contain_text("user-basic-info")
    route.locator("button.execute").click()
    answer = route.locator(".live-responses-table tbody .response-col_status")
    expect(answer).to_contain_text("200")
    expect(route.locator(".live-responses-table tbody .response-col_description").first).to_contain_text(
        served.demo["people"]["eve"]["email"]
    )
    # Neither the policy nor anything else stopped it, and nothing of the token is left behind.
    assert page.problems == []
    assert page.evaluate("[localStorage.length, sessionStorage.length, location.href]") == [
        0,
        0,
        f"{served.base_url}/api/explorer/",
    ]


OUTSIDE = """all => all
  .filter((one) => !one.closest('pre, .model-box, .json-schema-2020-12') && one.getClientRects().length)
  .filter((one) => one.getBoundingClientRect().right > innerWidth)
  .map((one) => `${one.localName}.${one.className}`)"""


def test_what_swagger_ui_draws_is_for_everybody_too_and_fits_a_phone(page_of):
    page = page_of("ada")
    page.goto("/api/explorer/")
    opened_explorer(page)
    page.locator("[data-tag=users]").click()
    for name in ("putUserState", "deleteUser"):
        route = scrolled_to(page, f"#operations-users-{name}")
        route.locator(".opblock-summary-control").click()
        expect(route.locator(".opblock-body")).to_be_visible()
        if name == "putUserState":
            route.locator("textarea").fill("{}")
        route.locator("button.execute").click()
    # One answer of each route is like the others.
    page.evaluate(
        "for (const row of document.querySelectorAll('tr.response ~ tr.response')) row.style.display = 'none'"
    )
    page.evaluate(AXE_SCRIPT)
    for theme, width in product(("light", "dark"), (320, 1280)):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(500)  # colours change gently
        assert eyes.axe(page) == []
        assert page.locator(".opblock.is-open *").evaluate_all(OUTSIDE) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".api-explorer .btn.authorize").first.click()
    expect(page.locator(".auth-container").first).to_be_visible()
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(500)
        assert eyes.axe(page) == []
    assert [said for said in page.problems if "status of 401" not in said] == []  # nobody has signed in


def test_it_comes_when_it_is_asked_for_and_a_failure_can_be_tried_again(page_of):
    page = page_of("ada")
    page.goto("/api/explorer/")
    assert page.evaluate("typeof window.SwaggerUIBundle") == "undefined"
    page.route("**/swagger-ui-bundle*.js", lambda route: route.abort())
    page.get_by_role("button", name="Open Swagger UI").click()
    expect(page.get_by_role("alert")).to_have_text("Swagger UI could not be loaded. Try again.")
    expect(page.get_by_role("button", name="Open Swagger UI")).to_be_focused()
    page.unroute("**/swagger-ui-bundle*.js")
    page.problems.clear()

    opened_explorer(page)
    expect(page.get_by_role("button", name="Open Swagger UI")).to_be_hidden()
    expect(page.get_by_role("alert")).to_be_hidden()
    assert page.evaluate("document.activeElement.getAttribute('aria-labelledby')") == "try"
    assert page.problems == []


def test_with_every_group_open_the_last_ones_are_drawn_when_they_come_into_view(page_of):
    page = page_of("ada", viewport={"width": 1280, "height": 900})
    page.goto("/api/explorer/")
    opened_explorer(page)
    groups = page.locator("h3.opblock-tag").evaluate_all("all => all.map((one) => one.dataset.tag)")
    assert groups[-1] == "users"
    for group in groups:
        head = scrolled_to(page, f"h3.opblock-tag[data-tag='{group}']")
        head.evaluate("one => one.click()")
        expect(head).to_have_attribute("data-is-open", "true")
    expect(scrolled_to(page, "#operations-users-postUsersSearch")).to_be_in_viewport()


# What the document says, what a route answers, and names.
NOT_SWAGGERS = (
    "pre:not(.errors-wrapper), code, option, textarea, .renderedMarkdown:not(.live-responses-table *), h3.opblock-tag, "
    ".opblock-summary-path, .opblock-summary-method, .parameter__name:not(.opblock-title), .parameter__type, "
    ".parameter__in, .json-schema-2020-12__title, .json-schema-2020-12__attribute, "
    ".json-schema-2020-12-keyword__value, .json-schema-2020-12__constraint--string, .json-schema-2020-12-json-viewer, .response-col_status, .scopes .name"
)
SAID = """(not) => {
  const found = [];
  const texts = document.createTreeWalker(document.querySelector('[data-api-explorer]'), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (!parentElement.closest(not) && parentElement.checkVisibility()) found.push(data.trim());
  }
  for (const element of document.querySelectorAll('[data-api-explorer] *')) {
    const told = element.closest('[data-param-name]') ? ['title'] : ['aria-label', 'title', 'placeholder'];
    for (const name of told) found.push(element.getAttribute(name) ?? '');
  }
  return found.filter((text) => /[a-z]{3}/i.test(text));
}"""
THE_SAME_IN_FRENCH = {
    "string",
    "Code",
    "Description",
    "Curl",
    "(http, Bearer)",
    "(OAuth2,",
    "client_id:",
    "client_secret:",
}


# Placeholders and groups: what the document calls things.
NAMES = {
    *[
        "audits",
        "authorization",
        "groups",
        "identityproviders",
        "latchkey",
        "oauth",
        "organizations",
        "scim",
        "tokens",
        "usage",
        "users",
    ],
    "PureCloud-OAuth",
    "authorizationCode with PKCE",
}


def said_in(page, button: str) -> set[str]:
    """All that Swagger UI says itself, from its list to an answer, a refusal and the window to sign in."""
    page.goto("/api/explorer/")
    opened_explorer(page, button)
    found = set(page.evaluate(SAID, NOT_SWAGGERS))
    for group, names in {
        "groups": ["postGroupMembers"],
        "tokens": ["getTokensMe"],
    }.items():
        page.locator(f"h3.opblock-tag[data-tag='{group}']").click()
        for name in names:
            route = page.locator(f"#operations-{group}-{name}")
            route.locator(".opblock-summary-control").click()
            route.locator("button.tablinks[data-name=model]").first.click()
            deep = route.locator(".json-schema-2020-12-expand-deep-button")
            if deep.count():
                deep.first.click()
            found |= set(page.evaluate(SAID, NOT_SWAGGERS))
            route.locator("button.execute").click()
            if name == "postGroupMembers":  # without the group
                expect(route.get_by_role("alert")).to_be_visible()
                expect(route.locator("[data-param-name=groupId] input")).to_have_attribute(
                    "aria-invalid", "true"
                )
            else:
                expect(route.locator(".live-responses-table")).to_contain_text(
                    "No authentication bearer token"
                )
            found |= set(page.evaluate(SAID, NOT_SWAGGERS))
    page.locator(".api-explorer .btn.authorize").first.click()
    found |= set(page.evaluate(SAID, NOT_SWAGGERS))
    return {text for text in found if "/api/v2/" not in text and "\u200b" not in text}


def test_in_french_what_swagger_ui_says_itself_is_french_and_an_answer_stays_as_it_is(page_of):
    page = page_of("ada", locale="fr-FR")
    french = said_in(page, "Ouvrir Swagger UI")
    assert {
        "Paramètres",
        "Corps de la requête",
        "Exécuter",
        "Réponses",
        "Exemple",
        "tout sélectionner",
    } <= french
    assert {"Corrigez les erreurs suivantes, puis réessayez.", "Voir les groupes et les équipes"} <= french
    english = said_in(page_of("ada", locale="en-US"), "Open Swagger UI")
    assert sorted((french & english) - NAMES - THE_SAME_IN_FRENCH) == []


def test_the_window_to_sign_in_is_a_dialog_that_a_keyboard_can_use(page_of):
    page = page_of("ada")
    page.goto("/api/explorer/")
    opened_explorer(page)
    button = page.locator(".api-explorer .btn.authorize").first
    button.focus()
    page.keyboard.press("Enter")
    window = page.get_by_role("dialog", name="Available authorizations")
    expect(window).to_be_visible()
    expect(window.get_by_text("client_secret")).to_be_hidden()
    users = window.get_by_role("checkbox", name="users See and change people")
    expect(users).not_to_be_checked()
    users.focus()
    page.keyboard.press("Space")
    expect(users).to_be_checked()
    none = window.get_by_role("button", name="select none")
    none.focus()
    page.keyboard.press("Enter")
    expect(users).not_to_be_checked()
    # What is behind the window is not reached, in either direction.
    last = window.get_by_role("button", name="Close").last
    last.focus()
    page.keyboard.press("Tab")
    expect(window.get_by_role("button", name="Close").first).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(last).to_be_focused()
    page.keyboard.press("Escape")
    expect(window).to_have_count(0)
    expect(button).to_be_focused()


def test_a_person_who_says_no_is_quoted_with_spaces(page_of):
    page = page_of("eve")
    page.goto("/api/explorer/")
    opened_explorer(page)
    page.locator(".api-explorer .btn.authorize").first.click()
    with page.context.expect_page() as opened:
        page.locator(".auth-container", has_text="PureCloud-OAuth").locator("button.authorize").click()
    window = opened.value
    with window.expect_event("close"):
        window.locator("button[name=decision][value=deny]").click()
    expect(page.locator(".auth-container .errors")).to_contain_text("The person said no")
