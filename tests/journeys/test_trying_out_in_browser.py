"""Test token where only a browser shows that it works: with the secret that is on the page, which stays there, and
with what the implicit grant puts behind the #."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.journeys.test_javascript_sdk import register

WORKS = "Works. A token for"


def test_the_secret_on_the_page_is_tested_in_a_new_tab(page_of, served):
    page = page_of("ada")
    client = served.demo["clients"]["scim"]["client_id"]
    page.goto(f"/admin/integrations/oauth/{client}/secret/")
    page.get_by_role("button", name="Confirm").click()
    secret = page.locator("#client-secret")
    expect(secret).to_be_visible()
    value = secret.input_value()
    with page.context.expect_page() as opened:
        page.locator("form[data-test-secret] button.button", has_text="Test token").click()
    tab = opened.value
    expect(tab.get_by_role("status").filter(has_text=WORKS)).to_be_visible()
    assert value not in tab.content()
    assert secret.input_value() == value  # the page with it was not left
    expect(page.locator("#id_test_secret")).to_have_value("")
    assert page.problems == []
    served.demo["clients"]["scim"]["client_secret"] = value


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
