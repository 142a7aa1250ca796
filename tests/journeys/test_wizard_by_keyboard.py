"""The wizard without a mouse, for the three grants of apps (test_main_job.py has the fourth): from the list of clients
to the client's page, with a mistake on the way."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import tab_to

GRANTS = ("Code Authorization", "Implicit Grant (Browser)", "SAML2 Bearer")


def next_step(page: Page, name: str = "Next") -> None:
    tab_to(page, page.get_by_role("button", name=name, exact=True).last, most=400)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("grant", GRANTS)
def test_an_app_is_added_by_keyboard_alone(page_of, grant):
    page = page_of("ada")
    keys = page.keyboard
    page.goto("/admin/integrations/oauth/")
    tab_to(page, page.get_by_role("link", name="Add client").first)
    keys.press("Enter")
    page.wait_for_url("**/details/")

    # Nothing is filled in: the box of problems has the focus, and leads to the field.
    next_step(page)
    expect(page.locator(".error-summary")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_label("App Name")).to_be_focused()
    keys.type(f"By keyboard: {grant}")
    tab_to(page, page.get_by_role("radio").first)
    while not page.get_by_role("radio", name=grant).is_checked():
        keys.press("ArrowDown")
    next_step(page)
    page.wait_for_url("**/access/")

    if grant != "SAML2 Bearer":
        tab_to(page, page.get_by_label("Authorized redirect URIs"))
        keys.type("https://app.example.com/callback")
    # What is typed there finds the scope; Escape, Enter and the arrows are not needed.
    tab_to(page, page.get_by_role("searchbox", name="Find a scope"))
    keys.type("user-basic")
    box = page.get_by_role("checkbox", name="Allow").filter(visible=True)
    tab_to(page, box)
    keys.press("Space")
    expect(page.get_by_role("list", name="Chosen scopes").get_by_role("listitem")).to_have_count(1)
    next_step(page)
    page.wait_for_url("**/duration/")

    tab_to(page, page.get_by_role("button", name="1 hour"))
    keys.press("Space")
    expect(page.get_by_label("Token Duration in seconds")).to_have_value("3600")
    next_step(page, "Save")
    expect(page.get_by_role("heading", level=1, name="Client Secret")).to_be_visible()

    tab_to(page, page.get_by_role("link", name="Finish"))
    keys.press("Enter")
    dialog = page.get_by_role("dialog", name="Copy and Store Client Secret")
    tab_to(page, dialog.get_by_role("checkbox"))
    keys.press("Space")
    tab_to(page, dialog.get_by_role("button", name="Confirm"))
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1, name=f"By keyboard: {grant}")).to_be_visible()
    assert page.problems == []
    page.goto(f"{page.url}delete/")
    page.get_by_role("textbox").last.fill(f"By keyboard: {grant}")
    page.get_by_role("button", name="Delete client").click()
    page.wait_for_url("**/admin/integrations/oauth/")
