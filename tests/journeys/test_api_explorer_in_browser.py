"""The API Explorer in a real browser: Swagger UI under our Content-Security-Policy, from signing in to an answer."""

from __future__ import annotations

import pytest
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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_what_swagger_ui_draws_is_for_everybody_too(page_of, theme, width):
    page = page_of("ada", color_scheme=theme, viewport={"width": width, "height": 900})
    page.goto("/api/explorer/")
    opened_explorer(page)
    page.locator("[data-tag=oauth]").click()
    page.evaluate(AXE_SCRIPT)
    assert eyes.axe(page) == []
    page.locator(".opblock-summary-control").first.click()
    expect(page.locator(".opblock-body").first).to_be_visible()
    assert eyes.axe(page) == []
    page.locator(".api-explorer .btn.authorize").first.click()
    expect(page.locator(".auth-container").first).to_be_visible()
    assert eyes.axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.problems == []


def test_it_comes_when_it_is_asked_for_and_a_failure_can_be_tried_again(page_of):
    page = page_of("ada")
    page.goto("/api/explorer/")
    assert page.evaluate("typeof window.SwaggerUIBundle") == "undefined"
    page.route("**/swagger-ui-bundle*.js", lambda route: route.abort())
    page.get_by_role("button", name="Open Swagger UI").click()
    expect(page.get_by_role("alert")).to_have_text("Swagger UI could not be loaded. Try again.")
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


def test_in_french_what_swagger_ui_says_itself_is_french_and_the_document_stays_as_it_is(page_of):
    page = page_of("ada", locale="fr-FR")
    page.goto("/api/explorer/")
    opened_explorer(page, "Ouvrir Swagger UI")
    assert page.locator(".operation-filter-input").get_attribute("placeholder") == "Filtrer par groupe"
    page.get_by_role("button", name="Autoriser").first.click()
    window = page.locator(".auth-container", has_text="PureCloud-OAuth")
    expect(window).to_contain_text("Voir les groupes et les équipes")
    expect(window).to_contain_text("tout sélectionner")
    page.get_by_role("button", name="Fermer").first.click()
    page.locator("[data-tag=oauth]").click()
    route = page.locator("#operations-oauth-getOauthClients")
    route.locator(".opblock-summary-control").click()
    for word in ("Paramètres", "Réponses", "Exécuter", "Type de contenu", "Exemple"):
        expect(route.get_by_text(word, exact=True).first).to_be_visible()
    english = {
        "Parameters",
        "Responses",
        "Execute",
        "Code",
        "Links",
        "Media type",
        "Example Value",
        "Cancel",
    }
    assert not (english - {"Code"}) & set(route.inner_text().splitlines())
    route.locator("button.execute").click()
    # Nobody has signed in: the answer is the API's, and as it came.
    expect(route.locator(".live-responses-table")).to_contain_text(
        "No authentication bearer token specified."
    )
    expect(route.get_by_text("Corps de la réponse")).to_be_visible()
    assert page.problems == [] or all("401" in one for one in page.problems)
