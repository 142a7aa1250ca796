""" "Start from", in a browser: from each preset to the page of the client, and a token that is pasted."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

LIST = "/admin/integrations/oauth/"
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture
def ada_of(page_of):
    """Ada's page, without an unfinished client of hers from before."""

    def open_page(**options) -> Page:
        page = page_of("ada", **options)
        page.goto(LIST)
        discard = page.get_by_role("link", name="Discard")
        if discard.count():
            discard.click()
            page.get_by_role("button", name="Discard").click()
        return page

    return open_page


def begin(page: Page, name: str, preset: str) -> None:
    page.goto(f"{LIST}add/")
    page.get_by_label("App Name").fill(name)
    page.get_by_role("button", name=preset).click()
    expect(page.get_by_role("button", name=preset)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("App Name")).to_have_value(name)


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Next").click()


def finish(page: Page, name: str) -> None:
    if page.get_by_role("link", name="Finish").count():
        page.get_by_role("link", name="Finish").click()
    page.get_by_role("checkbox", name="I have copied and stored the secret").check()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def fits(page: Page) -> None:
    """Nothing is cut, and nobody is kept out."""
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


# Other journeys may have made some.
NO_CLIENTS_OF_GLOBEX = """
from oauthclients.models import Client
Client.objects.filter(organization__short_name="globex").delete()
"""


def works(page: Page, token: str) -> dict:
    answer = page.request.get("/api/v2/tokens/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 200
    return answer.json()


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"]
)
def test_scim_provisioning_ends_with_a_token_that_works(ada_of, viewport, scheme):
    name = f"Identity system {scheme}"
    page = ada_of(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    begin(page, name, "SCIM provisioning")
    fits(page)
    go_on(page)
    expect(page.get_by_role("switch", name="Assign SCIM Integration")).to_be_checked()
    expect(page.get_by_text("Include all divisions that SCIM will manage.")).to_be_visible()
    go_on(page)
    expect(page.get_by_label("Token Duration in seconds")).to_have_value("38880000")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="What to do next")).to_be_visible()
    fits(page)

    # The secret is still there to be copied: the token has a tab of its own.
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Create a token to paste").click()
    tab = opened.value
    tab.get_by_role("button", name="Create token").click()
    expect(tab.get_by_role("heading", level=1, name="Token")).to_be_visible()
    fits(tab)
    field = tab.locator("#token")
    expect(field).to_have_attribute("type", "password")
    tab.get_by_role("button", name="Show").click()
    expect(field).to_have_attribute("type", "text")
    token = field.input_value()
    assert token not in tab.url
    assert works(tab, token)["OAuthClient"]["name"] == name
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api/v2/scim/v2", tab.locator("#scim-url").input_value())
    # Before it was copied, the browser asks whether to leave.
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.get_by_role("link", name="Done").click()
    expect(tab.get_by_role("heading", level=1, name=name)).to_be_visible()
    assert token not in tab.content()

    expect(page.locator("#client-secret")).to_be_visible()
    finish(page, name)
    expect(page.get_by_role("heading", name="What to do next")).to_be_visible()
    page.get_by_role("link", name="Create a token to paste").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Create a token to paste?")).to_be_visible()
    dialog.get_by_role("link", name="Cancel").click()
    fits(page)


def test_without_javascript_scim_provisioning_does_the_same(ada_of):
    name = "Identity system, no script"
    page = ada_of(java_script_enabled=False, viewport=PHONE)
    begin(page, name, "SCIM provisioning")
    go_on(page)
    go_on(page)
    page.get_by_role("button", name="Save", exact=True).click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Create a token to paste").click()
    tab = opened.value
    tab.get_by_role("button", name="Create token").click()
    tab.locator("summary", has_text="Show").click()
    token = tab.locator("code.secret-value").inner_text()
    assert works(tab, token)["OAuthClient"]["name"] == name
    tab.reload()
    expect(tab.get_by_text("The token was already made. It cannot be shown again.")).to_be_visible()
    assert token not in tab.content()
    finish(page, name)
    assert page.problems == []


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"]
)
def test_the_embeddable_framework_gets_its_regions_addresses_and_scopes(ada_of, viewport, scheme):
    name = f"Agents {scheme}"
    page = ada_of(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    begin(page, name, "Embeddable framework")
    expect(page.get_by_role("radio", name="Code Authorization")).to_be_checked()
    page.get_by_label("Region").select_option(label="Ireland (mypurecloud.ie)")
    page.get_by_label("Dedicated login window").check()
    fits(page)
    go_on(page)
    expect(page.get_by_label("Authorized redirect URIs")).to_have_value(
        "https://apps.mypurecloud.ie/crm/index.html\nhttps://apps.mypurecloud.ie/crm/authWindow.html"
    )
    expect(page.locator("input[name=scope]:checked")).to_have_count(14)
    go_on(page)
    expect(page.get_by_label("Token Duration in seconds")).to_have_value("64800")
    page.get_by_role("button", name="Save", exact=True).click()
    told = page.get_by_text("Give the Client ID to the developers, for clientIds in framework.js.")
    expect(told).to_be_visible()
    client_id = page.locator("#client-id").input_value()
    expect(page.get_by_role("list").filter(has=told)).to_contain_text(client_id)
    finish(page, name)
    expect(told).to_be_visible()
    assert page.problems == []


def test_pure_cloud_for_salesforce_is_begun_and_then_changed_for_something_else(ada_of):
    page = ada_of()
    begin(page, "Salesforce", "PureCloud for Salesforce")
    go_on(page)
    expect(page.get_by_role("switch", name="Assign PureCloud for Salesforce")).to_be_checked()
    page.get_by_role("switch", name="Assign Supervisor").check(force=True)
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Embeddable framework").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Roles you chose will be dropped.")
    question.get_by_role("link", name="Go back").click()
    go_on(page)
    expect(page.get_by_role("switch", name="Assign Supervisor")).to_be_checked()
    page.get_by_role("switch", name="Assign Supervisor").uncheck(force=True)
    go_on(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("settings in Salesforce")).to_be_visible()
    finish(page, "Salesforce")
    expect(page.get_by_text("settings in Salesforce")).to_be_visible()
    assert page.problems == []


def test_an_empty_list_leads_into_a_preset(page_of, served):
    served.manage("shell", "--no-imports", "-c", NO_CLIENTS_OF_GLOBEX)
    page = page_of("cleo", viewport=PHONE)
    page.goto(LIST)
    fits(page)
    page.get_by_role("link", name="SCIM provisioning").click()
    expect(page.get_by_role("radio", name="Client Credentials")).to_be_checked()
    expect(page.get_by_text("You do not hold ‘SCIM Integration’.").first).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(page.get_by_role("link", name="Embeddable framework")).to_be_visible()
