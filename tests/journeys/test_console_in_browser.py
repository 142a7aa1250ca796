"""What the console's scripts promise: nothing is lost silently, and the page says what is so."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Served

LIST = "/admin/integrations/oauth/"


def edit_page(page: Page, served: Served, key: str) -> None:
    page.goto(f"{LIST}{served.demo['clients'][key]['client_id']}/edit/")


def has_focus(target: Locator) -> None:
    expect(target).to_be_focused()


@pytest.fixture
def wizard(page_of, request):
    """Ada at step 2 of a new client; the draft is thrown away afterwards."""
    page = page_of("ada")
    page.goto(f"{LIST}add/")
    page.get_by_label("App Name").fill(request.node.name)
    page.get_by_role("radio", name="Client Credentials").check()
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/access/")
    yield page
    # A dirty page would ask before it is left.
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto(LIST)
    discard = page.get_by_role("link", name="Discard")
    if discard.count():
        discard.click()
        page.get_by_role("dialog").get_by_role("button", name="Discard").click()


def test_the_theme_changes_in_place_and_keeps_what_was_typed(page_of, served):
    page = page_of("ada")
    edit_page(page, served, "code")
    name = page.get_by_label("App Name")
    name.fill("Typed and not saved")
    with page.expect_response("**/theme/") as answer:
        page.get_by_role("button", name="Dark").click()
    assert answer.value.status == 204
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="System")).to_have_attribute("aria-pressed", "false")
    expect(name).to_have_value("Typed and not saved")
    # The server knows it too.
    other = page.context.new_page()
    other.goto(LIST)
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.problems == []


def test_signing_out_with_unsaved_changes_asks_first(page_of, served):
    page = page_of("ada")
    edit_page(page, served, "code")
    page.get_by_label("App Name").fill("Typed and not saved")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.locator(".person summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("App Name")).to_have_value("Typed and not saved")
    assert asked == ["beforeunload"]


def test_a_secret_is_not_lost_by_theme_or_sign_out_while_it_is_not_stored(wizard):
    page = wizard
    page.get_by_role("switch", name="Supervisor").check()
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/duration/")
    page.get_by_role("button", name="Save", exact=True).click()
    field = page.locator("#client-secret")
    secret = field.input_value()
    page.get_by_role("button", name="Light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.locator(".person summary").click()
    page.get_by_role("button", name="Sign out").click()
    dialog = page.get_by_role("dialog", name="Copy and Store Client Secret")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(field).to_have_value(secret)
    # Once it is stored, signing out is what it says.
    page.locator("[data-dialog-open=finish]").click()
    dialog.get_by_role("checkbox").check()
    page.keyboard.press("Escape")
    page.locator(".person summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/**")
    assert secret not in page.content()


def test_a_switch_is_saved_at_once_and_the_summary_follows(wizard):
    page = wizard
    summary = page.locator("[data-live=summary]")
    expect(summary).not_to_contain_text("Supervisor")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.get_by_role("switch", name="Supervisor").check()
    assert answer.value.headers["x-draft-version"]
    expect(summary).to_contain_text("Supervisor: Home")
    expect(page.locator("[data-live=effective]")).to_contain_text("1 role")
    expect(page.locator("[data-autosave-status]")).to_contain_text("Draft saved")
    assert page.problems == []


def test_autosave_says_who_was_signed_out_and_goes_on_after_the_sign_in(wizard, served):
    page = wizard
    status = page.locator("[data-autosave-status]")
    other = page.context.new_page()
    other.goto("/admin/")
    other.locator(".person summary").click()
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/sign-in/**")
    page.get_by_role("switch", name="Supervisor").check()
    expect(status).to_contain_text("You were signed out. Sign in in another tab, then retry.")
    ada = served.demo["people"]["ada"]
    other.get_by_label("Email").fill(ada["email"])
    other.locator("[name=password]").fill(ada["password"])
    other.keyboard.press("Enter")
    other.wait_for_url("**/admin/")
    status.get_by_role("button", name="Retry").click()
    expect(status).to_contain_text("Draft saved")
    # The new session's token is in the form, so the way on works as well.
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/duration/")


def test_the_summary_of_step_3_follows_the_duration_that_is_typed(wizard):
    page = wizard
    page.get_by_role("switch", name="Supervisor").check()
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/duration/")
    summary = page.locator("[data-duration-summary]")
    page.get_by_label("Token Duration in seconds").fill("7200")
    expect(summary).to_have_text("7,200 seconds = 2 hours")
    page.get_by_label("Token Duration in seconds").fill("nonsense")
    expect(summary).to_have_text("–")


def test_assigned_roles_are_counted_and_can_be_shown_alone(wizard):
    page = wizard
    assigned = page.get_by_role("button", name="Assigned (")
    expect(assigned).to_have_text("Assigned (0)")
    page.get_by_role("switch", name="Supervisor").check()
    expect(assigned).to_have_text("Assigned (1)")
    assigned.click()
    rows = page.locator("#role-rows tr")
    expect(rows.filter(visible=True)).to_have_count(1)
    # It does not vanish under the pointer.
    page.get_by_role("switch", name="Supervisor").uncheck()
    expect(rows.filter(visible=True)).to_have_count(1)
    assigned.click()
    expect(page.get_by_text("No role is assigned yet.")).to_be_visible()
    page.get_by_role("button", name="All", exact=True).click()
    expect(rows.filter(visible=True)).to_have_count(rows.count())


def test_chosen_scopes_are_chips_that_take_them_away_again(page_of, served):
    page = page_of("ada")
    page.on("dialog", lambda dialog: dialog.accept())
    edit_page(page, served, "code")
    picker = page.get_by_role("group", name="Scope", exact=True)
    chips = picker.get_by_role("list", name="Chosen scopes").get_by_role("listitem")
    saved = chips.count()
    assert saved == picker.get_by_role("checkbox", checked=True).count()
    box = picker.locator("input[value='gdpr:readonly']")
    box.check()
    expect(chips).to_have_count(saved + 1)
    picker.get_by_role("button", name="Remove gdpr:readonly").click()
    expect(box).not_to_be_checked()
    expect(chips).to_have_count(saved)
    assert page.evaluate("document.activeElement.closest('.chosen') !== null"), "focus stays with the chips"
    picker.get_by_role("button", name="Clear").click()
    expect(picker.get_by_role("checkbox", checked=True)).to_have_count(0)
    has_focus(picker.get_by_label("Find a scope"))
    expect(page.locator("[data-unsaved]")).to_contain_text("unsaved change")
    assert page.problems == []


def test_after_a_question_of_the_server_the_focus_is_on_the_form_again(wizard):
    page = wizard
    page.get_by_role("switch", name="Supervisor").check()
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/duration/")
    page.get_by_role("link", name="Client details").click()
    page.wait_for_url("**/details/")
    page.get_by_role("radio", name="Code Authorization").check()
    page.get_by_role("button", name="Next").click()
    dialog = page.get_by_role("dialog", name="Change grant type?")
    has_focus(dialog.get_by_text("Go back"))
    page.keyboard.press("Escape")
    has_focus(page.get_by_role("button", name="Next"))


@pytest.mark.parametrize("width", [320, 360, 768, 1024, 1280])
def test_a_client_id_in_the_list_stands_on_few_lines_and_nothing_is_cut(page_of, width):
    page = page_of("ada", viewport={"width": width, "height": 900})
    page.goto(LIST)
    ids = page.locator("tbody code")
    lines = ids.evaluate_all("all => all.map(id => Math.round(id.getBoundingClientRect().height / 18))")
    assert lines
    assert max(lines) <= (2 if width < 600 else 1)
    assert page.evaluate("document.documentElement.scrollWidth") == width


AWAY_FOR_AN_HOUR = """
from datetime import timedelta
from django.contrib.sessions.models import Session
from django.utils import timezone
from accounts.console.guard import CONFIRMED_AT
from accounts.models import Organization
from accounts.sign_in.idle import USED_AT
Organization.objects.update(
    idle_timeout_enabled=True, idle_timeout_seconds=300, idle_since=timezone.now() - timedelta(hours=2)
)
for row in Session.objects.all():
    data = {key: at - 3600 if key in (CONFIRMED_AT, USED_AT) else at for key, at in row.get_decoded().items()}
    Session.objects.filter(pk=row.pk).update(session_data=Session.get_session_store_class()().encode(data))
"""
NO_TIMEOUT = """
from accounts.models import Organization
Organization.objects.update(idle_timeout_enabled=False, idle_timeout_seconds=1800, idle_since=None)
"""


def test_who_was_away_is_told_so_although_the_next_click_opens_a_dialog(page_of, served):
    page = page_of("ada")
    page.goto(f"{LIST}{served.demo['clients']['code']['client_id']}/")
    served.manage("shell", "-c", AWAY_FOR_AN_HOUR)
    try:
        page.get_by_role("link", name="Disable").click()
        page.wait_for_url("**/sign-in/**")
        expect(page.get_by_text("You were signed out after 5 minutes without activity.")).to_be_visible()
    finally:
        served.manage("shell", "-c", NO_TIMEOUT)


@pytest.mark.parametrize("width", [320, 1280])
def test_a_name_without_a_space_breaks_no_page(page_of, served, width):
    page = page_of("ada", viewport={"width": width, "height": 900})
    client_id = served.demo["clients"]["code"]["client_id"]
    own, app = f"{LIST}{client_id}/", f"/admin/integrations/authorized-applications/{client_id}/"
    edit_page(page, served, "code")
    name = page.get_by_label("App Name")
    before = name.input_value()
    name.fill("W" * 110)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{own}")
    try:
        for address in (
            LIST,
            own,
            f"{own}edit/",
            f"{own}delete/",
            f"{own}secret/",
            "/admin/integrations/authorized-applications/",
            app,
            f"{app}revoke/",
            "/admin/organization/settings/enforce-scopes/",
        ):
            page.goto(address)
            wide = page.evaluate(
                "() => [...document.querySelectorAll('html, main, .card, .breadcrumb, .dialog-page')]"
                ".filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.className)"
            )
            assert not wide, (address, wide)
    finally:
        edit_page(page, served, "code")
        page.get_by_label("App Name").fill(before)
        page.get_by_role("button", name="Save").click()
        page.wait_for_url(f"**{own}")
