"""People in a real browser: from the invitation to the end of the session; with a mouse, a keyboard, a phone,
and without JavaScript."""

from __future__ import annotations

import re
import uuid
from email import message_from_string, policy

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Served, tab_to

PEOPLE = "/admin/people/"
PASSWORD = "four plain words here"


@pytest.fixture
def email() -> str:
    """Of somebody new: the journeys share a server."""
    return f"nora.{uuid.uuid4().hex[:8]}@acme.example"


def link_in_mail(served: Served, email: str) -> str:
    """The link of the newest mail to this address, from the files that stand for a mail server."""
    files = sorted((served.state / "mail").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    for file in reversed(files):
        for text in file.read_text().split("-" * 79):
            message = message_from_string(text.lstrip("\n"), policy=policy.default)
            if message["To"] == email:
                found = re.search(r"https?://\S+/invitation/\S+", str(message.get_content()))
                assert found, message
                return found[0]
    raise AssertionError(f"no mail to {email}")


def add(page, email: str, name: str = "Nora", division: str = "East") -> None:
    """Adds somebody, who is sent an invitation; ends on their page."""
    page.goto(f"{PEOPLE}add/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Division").select_option(label=division)
    page.get_by_role("button", name="Add person").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def accept(page, link: str) -> None:
    page.goto(link)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Save and sign in").click()
    page.wait_for_url("**/admin/")


def test_nora_from_her_invitation_to_the_end_of_her_session(page_of, served, email):
    ada = page_of("ada")
    add(ada, email)
    expect(ada.get_by_text(f"‘Nora’ was added, and an invitation sent to {email}.").last).to_be_visible()
    link = link_in_mail(served, email)
    secret = link.rstrip("/").rpartition("/")[2]

    # She opens the link: the secret leaves the address, and short passwords are refused.
    nora = page_of(None)
    nora.goto(link)
    nora.wait_for_url("**/invitation/")
    assert secret not in nora.content()
    expect(nora.get_by_text(email)).to_be_visible()
    nora.get_by_label("New password", exact=True).fill("short")
    nora.get_by_label("New password, once more").fill("short")
    nora.get_by_role("button", name="Save and sign in").click()
    expect(nora.get_by_role("alert").get_by_text("This password is too short")).to_be_visible()
    accept(nora, link)
    expect(nora.get_by_role("heading", name="Welcome, Nora")).to_be_visible()

    # The link is used up, for everybody.
    other = page_of(None)
    other.goto(link)
    expect(other.get_by_text("This link does not work any more. Ask for a new one.")).to_be_visible()

    # Ada gives her Supervisor in East, and it counts on the next page.
    ada.get_by_role("link", name="Roles").last.click()
    row = ada.get_by_role("row", name="Supervisor")
    row.get_by_role("switch", name="Assign Supervisor").check()
    expect(row.get_by_role("checkbox", name="East")).to_be_checked()
    ada.get_by_role("button", name="Save").click()
    expect(ada.get_by_text("The roles of ‘Nora’ were saved.").last).to_be_visible()
    nora.goto(PEOPLE)
    expect(nora.get_by_role("link", name="Nora")).to_be_visible()
    expect(nora.get_by_role("link", name="Ben", exact=True)).to_have_count(0)

    # Ada deactivates her: her session is gone, and her password is no way in.
    ada.locator(".page-actions summary").click()
    ada.get_by_role("link", name="Deactivate").click()
    dialog = ada.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Deactivate ‘Nora’?")).to_be_visible()
    expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Deactivate").click()
    expect(ada.get_by_text("‘Nora’ is inactive.").last).to_be_visible()
    nora.goto(PEOPLE)
    nora.wait_for_url("**/sign-in/**")
    nora.get_by_label("Email").fill(email)
    nora.get_by_label("Password").fill(PASSWORD)
    nora.get_by_role("button", name="Sign in").click()
    expect(nora.get_by_text("This account is not active. Ask your administrator.").first).to_be_visible()

    assert secret not in served.log.read_text()
    assert ada.problems == []


def test_taking_a_role_away_is_asked_in_a_dialog(page_of, served, email):
    page = page_of("ada")
    add(page, email, "Rita")
    page.get_by_role("link", name="Roles").last.click()
    row = page.get_by_role("row", name="Employee")
    row.get_by_role("switch", name="Assign Employee").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The roles of ‘Rita’ were saved.").last).to_be_visible()

    row.get_by_role("switch", name="Assign Employee").uncheck()
    page.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Remove 1 role?")).to_be_visible()
    expect(dialog.get_by_text("Employee: East")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    page.get_by_role("button", name="Save").click()
    dialog.get_by_role("button", name="Remove and save").click()

    expect(page.get_by_text("The roles of ‘Rita’ were saved.").last).to_be_visible()
    expect(row.get_by_role("switch", name="Assign Employee")).not_to_be_checked()
    assert page.problems == []


def test_without_javascript_on_a_phone(page_of, served, email):
    phone = {"viewport": {"width": 360, "height": 740}, "java_script_enabled": False}
    page = page_of("ada", **phone)
    add(page, email, "Nils", "West")
    accept(page_of(None, **phone), link_in_mail(served, email))

    page.get_by_role("link", name="Roles").last.click()
    page.get_by_role("switch", name="Assign Supervisor").check(force=True)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The roles of ‘Nils’ were saved.").last).to_be_visible()
    page.get_by_role("switch", name="Assign Supervisor").uncheck(force=True)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Remove and save").click()
    expect(page.get_by_text("The roles of ‘Nils’ were saved.").last).to_be_visible()

    page.locator(".page-actions summary").click()
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("heading", level=1, name="Delete ‘Nils’?")).to_be_visible()
    page.get_by_role("button", name="Delete person").click()
    expect(page.get_by_text("‘Nils’ was deleted.").last).to_be_visible()
    page.goto(f"{PEOPLE}?state=deleted&q={email}")
    expect(page.get_by_role("link", name="Nils", exact=True)).to_be_visible()
    assert page.problems == []


def test_the_pages_fit_a_phone_and_answer_the_keyboard(page_of, served):
    page = page_of("ada", viewport={"width": 360, "height": 740}, color_scheme="dark")
    person = f"{PEOPLE}{served.demo['people']['ben']['id']}/"
    for address in (
        PEOPLE,
        f"{PEOPLE}add/",
        *(f"{person}{part}" for part in ("", "roles/", "permissions/", "apps/", "activity/", "edit/")),
    ):
        page.goto(address)
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(wide), address
    page.goto(person)
    tab_to(page, page.get_by_role("link", name="Activity"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/activity/")
    expect(page.locator(".tab-links [aria-current=page]")).to_have_text("Activity")
    assert page.problems == []
