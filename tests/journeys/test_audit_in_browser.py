"""The audit log in a browser: somebody finds who changed an app, opens the line, and takes the lines away."""

from __future__ import annotations

import csv

from playwright.sync_api import expect


def test_an_administrator_finds_a_change_opens_it_and_downloads_what_is_shown(page_of, served):
    page = page_of("ada")
    client = served.demo["clients"]["code"]["client_id"]
    page.goto(f"/admin/integrations/oauth/{client}/")
    page.get_by_role("link", name="All changes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit log")
    expect(page.get_by_text("About ‘Demo web app’", exact=True)).to_be_visible()

    page.get_by_label("Action").select_option(label="created the client")
    page.get_by_role("button", name="Filter").click()
    rows = page.get_by_role("row").filter(has_text="created the client")
    expect(rows.first.get_by_role("rowheader")).to_have_text("Ada")
    # By keyboard, and what a screen reader hears of it.
    details = page.locator("summary", has_text="created the client: Demo web app")
    details.focus()
    page.keyboard.press("Enter")
    changes = page.get_by_role("table", name="Changes")
    expect(changes.get_by_role("row", name="Grant type")).to_contain_text("CODE")
    expect(changes.get_by_role("row", name="Secret")).to_contain_text("ends ")
    expect(page.get_by_role("link", name="Open ‘Demo web app’")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    lines = list(csv.DictReader(text.splitlines()))
    assert [(line["who"], line["action"], line["entity"]) for line in lines] == [
        ("Ada", "client.created", "Demo web app")
    ]
    assert served.demo["clients"]["code"]["client_secret"] not in text

    page.get_by_role("link", name="Take away: About ‘Demo web app’").click()
    page.get_by_label("Action").select_option("audit.exported")
    page.get_by_role("button", name="Filter").click()
    expect(
        page.get_by_role("row").filter(has_text="downloaded lines of the audit trail").first
    ).to_be_visible()
    assert page.problems == []


def test_on_a_narrow_screen_nothing_is_cut(page_of):
    page = page_of("ada", viewport={"width": 320, "height": 800})
    page.goto("/admin/audit/?range=all")
    page.locator(".audit-more summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
