"""A console that explains, in a real browser: from a call that was refused to the same call let through; what a choice
comes to before it is saved; and what an app may do for a person."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Served
from tests.journeys.test_protect_your_api import Credentials, register

LIST = "/admin/integrations/oauth/"
# Who holds one role in one division, as `register` sends it.
MADE = """
from accounts.models import Division, Organization, Role, User
acme = Organization.objects.get(short_name="acme")
print(Role.objects.get(organization=acme, name="Supervisor").id)
for name in ("Home", "East"):
    print(Division.objects.get(organization=acme, name=name).id)
print(User.objects.get(email="eve@acme.example").id)
"""


@pytest.fixture(scope="module")
def ids(served: Served) -> dict[str, str]:
    said = served.manage("shell", "--no-imports", "-c", MADE).split()
    return dict(zip(("supervisor", "home", "east", "eve"), said, strict=True))


@pytest.fixture
def client(served: Served, ids: dict[str, str]) -> tuple[str, Credentials]:
    """A new client that supervises Home and nothing else: its name, and what it signs in with."""
    name = f"Reader {uuid.uuid4().hex[:8]}"
    made = register(
        served,
        name,
        authorizedGrantType="CLIENT-CREDENTIALS",
        roleDivisions=[{"roleId": ids["supervisor"], "divisionId": ids["home"]}],
    )
    return name, made


@pytest.fixture
def app(served: Served) -> tuple[str, Credentials]:
    """An app that acts for people, with two scopes."""
    name = f"App {uuid.uuid4().hex[:8]}"
    made = register(
        served,
        name,
        authorizedGrantType="CODE",
        registeredRedirectUri=["https://app.example/callback"],
        scope=["user-basic-info", "users:readonly"],
    )
    return name, made


def answer(served: Served, path: str, token: str) -> int:
    request = urllib.request.Request(served.base_url + path, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def until(page: Page, there: Callable[[], Locator]) -> Locator:
    """Loads the page again until it is there: refusals are written down within some seconds."""
    for _ in range(40):
        if there().count():
            return there()
        time.sleep(0.5)
        page.reload()
    raise AssertionError("it never appeared")


@pytest.mark.parametrize("script", [True, False], ids=["JavaScript", "no JavaScript"])
def test_from_a_refusal_to_why_to_the_one_change_to_the_call_let_through(
    page_of, served, ids, client, script
):
    name, credentials = client
    token = credentials.own_token(served)
    path = f"/api/v2/users/{ids['eve']}"
    assert answer(served, path, token) == 403  # Eve sits in East

    ada = page_of("ada", java_script_enabled=script, viewport={"width": 360, "height": 740})
    ada.goto(f"{LIST}{credentials.id}/")
    row = until(ada, lambda: ada.get_by_role("row").filter(has_text="missing.division.permission"))
    expect(row).to_contain_text("You lack the permission [directory:user:view] in the division [East]")
    row.get_by_role("link", name="Why?").click()

    expect(ada.get_by_role("heading", level=1, name="Why?")).to_be_visible()
    expect(ada.get_by_role("status").filter(has_text="Refused: 403")).to_contain_text(
        "missing.division.permission"
    )
    unmet = ada.get_by_role("listitem").filter(has_text="Not met")
    expect(unmet).to_have_count(1)
    expect(ada.get_by_role("listitem").filter(has_text="Depends on")).to_have_count(0)
    asked = ada.url
    assert token not in asked
    assert fits(ada)
    ada.get_by_role("link", name="Go there").click()

    expect(ada.get_by_role("heading", level=1, name="Edit Client")).to_be_visible()
    supervisor = ada.get_by_role("row").filter(has=ada.get_by_role("rowheader", name="Supervisor"))
    supervisor.get_by_role("checkbox", name="East").check()
    ada.get_by_role("button", name="Save", exact=True).last.click()
    expect(ada.get_by_role("heading", level=1, name=name)).to_be_visible()

    ada.goto(asked)
    expect(ada.get_by_role("heading", level=2, name="Answer")).to_be_attached()
    expect(ada.locator(".callout").filter(has_text="Allowed")).to_be_visible()
    expect(ada.get_by_text("Refused: 403")).to_have_count(0)
    expect(ada.get_by_role("listitem").filter(has_text="Not met")).to_have_count(0)
    assert answer(served, path, token) == 200
    assert ada.problems == []


def test_why_is_asked_by_keyboard_and_says_what_is_wrong_in_its_place(page_of, served, client, ids):
    name, credentials = client
    ada = page_of("ada")
    ada.goto("/admin/integrations/why/")
    ada.get_by_label("Client", exact=True).press_sequentially("nobody is called this")
    ada.keyboard.press("Enter")
    expect(ada.locator("#id_client_error")).to_contain_text("No client here is called that.")
    expect(ada.get_by_label("Client", exact=True)).to_have_value("nobody is called this")
    ada.get_by_label("Client", exact=True).fill(name)
    ada.locator("#id_path").fill("/api/v2/oauth/clients")
    ada.locator("#id_method").select_option("POST")
    ada.keyboard.press("Tab")
    ada.locator("#id_path").press("Enter")
    expect(ada.get_by_role("status").filter(has_text="Refused: 403")).to_be_visible()
    # What Ada holds herself she is led to; the sentence names the client.
    change = ada.get_by_role("region", name="What would let it through")
    expect(change).to_contain_text("oauth:client:add")
    expect(change.get_by_role("link")).to_be_visible()
    assert ada.problems == []

    # Eve may not look at clients at all: no page, and not a word of it.
    eve = page_of("eve")
    said = eve.goto(ada.url)
    assert said is not None
    assert said.status == 403
    assert credentials.id not in eve.content()


def effective(page: Page) -> Locator:
    return page.locator('[data-live="effective"]')


def test_what_a_choice_comes_to_is_shown_before_it_is_saved(page_of, served, client):
    name, credentials = client
    ada = page_of("ada")
    ada.goto(f"{LIST}{credentials.id}/edit/")
    expect(effective(ada)).to_contain_text("division Home")
    details = effective(ada).get_by_text("Permissions per division")
    details.click()
    expect(effective(ada).get_by_role("heading", name="Home")).to_be_visible()
    expect(effective(ada).get_by_role("heading", name="East")).to_have_count(0)

    supervisor = ada.get_by_role("row").filter(has=ada.get_by_role("rowheader", name="Supervisor"))
    supervisor.get_by_role("checkbox", name="East").check()
    expect(effective(ada).get_by_role("heading", name="East")).to_be_visible()  # and the list stayed open
    expect(supervisor.get_by_role("checkbox", name="East")).to_be_focused()
    expect(effective(ada)).to_contain_text("Opens")

    # Nothing was saved: whoever looks elsewhere sees Home alone.
    other = page_of("ada")
    other.goto(f"{LIST}{credentials.id}/")
    expect(other.get_by_role("heading", level=1, name=name)).to_be_visible()
    expect(other.locator("main")).not_to_contain_text("East")
    assert ada.problems == []
    assert other.problems == []


def test_what_a_choice_comes_to_without_javascript(page_of, served, client):
    _name, credentials = client
    ada = page_of("ada", java_script_enabled=False)
    ada.goto(f"{LIST}{credentials.id}/edit/")
    supervisor = ada.get_by_role("row").filter(has=ada.get_by_role("rowheader", name="Supervisor"))
    supervisor.get_by_role("checkbox", name="East").check()
    ada.get_by_role("button", name="Show what this comes to").first.click()
    expect(supervisor.get_by_role("checkbox", name="East")).to_be_checked()
    effective(ada).get_by_text("Permissions per division").click()
    expect(effective(ada).get_by_role("heading", name="East")).to_be_visible()
    other = page_of("ada")
    other.goto(f"{LIST}{credentials.id}/")
    expect(other.locator("main")).not_to_contain_text("East")


def test_what_an_app_may_do_for_a_person(page_of, served, app):
    _name, credentials = app
    ada = page_of("ada")
    ada.goto(f"{LIST}{credentials.id}/")
    box = ada.get_by_role("region", name="What it may do for a person")
    box.get_by_label("Person").fill("nobody@acme.example")
    box.get_by_label("Person").press("Enter")
    expect(box.locator("#id_for_error")).to_contain_text("You see nobody called that.")
    expect(box.get_by_label("Person")).to_have_value("nobody@acme.example")

    box.get_by_label("Person").fill("acme.example")
    box.get_by_role("button", name="Show").click()
    box.get_by_role("link", name="Ben").click()  # several are called that
    expect(box).to_contain_text("users:readonly")
    for routes in box.get_by_text("route of the API").or_(box.get_by_text("routes of the API")).all():
        routes.click()
    expect(box.get_by_text("GET /api/v2/users/{userId}", exact=True)).to_be_visible()
    expect(box.get_by_text("PATCH")).to_have_count(0)  # no such scope

    box.get_by_role("link", name="Why?").click()
    expect(ada.locator("#id_person")).to_have_value("ben@acme.example")
    ada.locator("#id_path").fill("/api/v2/users/me")
    ada.get_by_role("button", name="Explain").click()
    expect(ada.get_by_text("Allowed", exact=True)).to_be_visible()
    ada.locator("#id_path").fill("/api/v2/oauth/clients")
    ada.get_by_role("button", name="Explain").click()
    expect(ada.get_by_role("status").filter(has_text="Refused: 403")).to_be_visible()
    assert ada.problems == []


def test_what_each_scope_adds_follows_the_choice(page_of, served, app):
    _name, credentials = app
    ada = page_of("ada", viewport={"width": 360, "height": 740})
    ada.goto(f"{LIST}{credentials.id}/edit/")
    adds = ada.locator('[data-live="scopes"]')
    expect(adds).to_contain_text("users:readonly")
    expect(adds).not_to_contain_text("oauth:readonly")
    ada.locator("input[name=scope][value='oauth:readonly']").check(force=True)
    expect(adds).to_contain_text("oauth:readonly")
    assert fits(ada)
    assert ada.problems == []


def fits(page: Page) -> Any:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")
