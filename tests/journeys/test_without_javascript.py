"""The whole console without JavaScript, in the browser that has it switched off."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

GRANTS = {
    "Client Credentials": "CLIENT-CREDENTIALS",
    "Code Authorization": "CODE",
    "Implicit Grant (Browser)": "TOKEN",
    "SAML2 Bearer": "SAML2-BEARER",
}


@pytest.mark.parametrize("grant", GRANTS)
def test_a_client_of_each_grant_type_is_added_used_and_deleted(page_of, grant):
    page = page_of("ada", java_script_enabled=False, viewport={"width": 360, "height": 740})
    page.goto("/admin/integrations/oauth/")
    page.get_by_role("link", name="Add client").first.click()
    page.get_by_label("App Name").fill(f"No script {grant}")
    page.get_by_role("radio", name=grant).check(force=True)
    page.get_by_role("button", name="Next").click()

    if grant == "Client Credentials":
        page.get_by_role("switch", name="Supervisor").check(force=True)
    else:
        page.locator("input[name=scope][value='users:readonly']").check(force=True)
        if grant != "SAML2 Bearer":
            page.get_by_label("Authorized redirect URIs").fill(
                "http://app.example/cb\nhttps://app.example/cb"
            )
            page.get_by_role("button", name="Next").click()
            expect(page.get_by_text("Line 1: use https.").first).to_be_visible()
            expect(page.get_by_label("Authorized redirect URIs")).to_have_value(
                "http://app.example/cb\nhttps://app.example/cb"
            )
            page.get_by_label("Authorized redirect URIs").fill("https://app.example/cb")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("heading", level=1, name="Client Secret")).to_be_visible()
    page.locator("summary", has_text="Show").click()
    secret = page.locator("code.secret-value")
    expect(secret).to_be_visible()
    assert secret.inner_text().startswith("lks_")
    page.get_by_role("checkbox", name="I have copied and stored the secret").check()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1, name=f"No script {grant}")).to_be_visible()

    page.get_by_role("link", name="Delete Client").click()
    page.get_by_role("textbox").fill("something else")
    page.get_by_role("button", name="Delete client").click()
    expect(page.locator(".error-summary, .error").first).to_be_visible()
    page.get_by_role("textbox").fill(f"No script {grant}")
    page.get_by_role("button", name="Delete client").click()
    page.wait_for_url("**/admin/integrations/oauth/")
    expect(page.get_by_role("link", name=f"No script {grant}", exact=True)).to_have_count(0)
    assert page.problems == []
