"""Test token where only a browser shows that it works: with what the implicit grant puts behind the #."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.journeys.test_javascript_sdk import register

WORKS = "Works. A token for"


def test_a_sign_in_of_the_implicit_grant_ends_on_our_page_and_leaves_nothing_in_the_address(
    page_of, served
):
    landing = f"{served.base_url}/admin/integrations/oauth/test-result/"
    client = register(served, "Tried out", "TOKEN", landing)
    page = page_of("ada")
    page.goto(f"/admin/integrations/oauth/{client.id}/test-token/")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open sign-in in a new tab").click()
    tab = opened.value
    tab.locator("button[name=decision][value=allow]").click()
    expect(tab.get_by_role("status").filter(has_text=WORKS)).to_be_visible()
    assert tab.url == landing
    assert "access_token" not in tab.content()
