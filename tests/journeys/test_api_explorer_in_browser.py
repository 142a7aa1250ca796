"""The API Explorer in a real browser: Swagger UI under our Content-Security-Policy, from signing in to an answer."""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.screens import eyes


def test_a_person_signs_in_from_the_explorer_and_tries_a_route(page_of, served):
    page = page_of("eve")
    page.goto("/admin/")
    page.get_by_role("navigation").get_by_role("link", name="API Explorer").click()
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
