"""Roles and divisions as an administrator works with them: a role from the tree by search, copies and
restoring, who is affected; a division that is made, filled and deleted; grant drift shown and settled."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Served, tab_to

ROLES, DIVISIONS, CLIENTS = "/admin/roles/", "/admin/divisions/", "/admin/integrations/oauth/"
PHONE = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}


def row(page: Page, name: str) -> Locator:
    return page.locator("tbody tr", has=page.get_by_role("rowheader", name=name))


def menu(page: Page, name: str, entry: str) -> None:
    """Chooses from the row menu of a list."""
    row(page, name).locator("summary").click()
    row(page, name).get_by_role("link", name=entry, exact=True).click()


def box(page: Page, permission: str) -> Locator:
    return page.locator(f"input[name=permission][value='{permission}']")


def status(page: Page) -> Locator:
    return page.locator(".save-bar .status")


def said(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()


def delete_role(page: Page, name: str) -> None:
    page.goto(ROLES)
    menu(page, name, "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete role").click()
    said(page, f"Role ‘{name}’ was deleted.")


def test_a_role_is_made_from_the_tree_by_search(page_of):
    page = page_of("ada")
    page.goto(ROLES)
    page.get_by_role("link", name="Add role").click()
    page.get_by_label("Name").fill("Client clerk")
    expect(box(page, "oauth:client:view")).to_be_hidden()
    page.get_by_role("searchbox", name="Find a permission").fill("oauth client")
    # What is found is opened, and nothing else is in sight.
    expect(box(page, "oauth:client:view")).to_be_visible()
    expect(box(page, "oauth:token:view")).to_be_hidden()
    expect(page.locator("summary", has_text="Routing")).to_be_hidden()
    box(page, "oauth:client:view").check()
    box(page, "oauth:client:edit").check()
    expect(status(page)).to_have_text("2 permissions, 3 changes")
    page.get_by_role("searchbox", name="Find a permission").fill("")
    expect(box(page, "oauth:client:view")).to_be_hidden()
    expect(page.locator("summary", has_text="Routing")).to_be_visible()
    expect(page.locator("summary", has_text="OAuth")).to_contain_text("2 of 7")
    # Only what is selected.
    page.get_by_role("button", name="Selected (2)").click()
    expect(box(page, "oauth:client:edit")).to_be_visible()
    expect(box(page, "oauth:client:delete")).to_be_hidden()
    expect(page.locator("summary", has_text="Routing")).to_be_hidden()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="Add role").click()
    expect(page.get_by_role("heading", level=1, name="Client clerk")).to_be_visible()
    expect(page.get_by_role("heading", name="Permissions (2)")).to_be_visible()
    delete_role(page, "Client clerk")
    assert page.problems == []


def test_a_whole_domain_is_selected_and_taken_back(page_of):
    page = page_of("ada")
    page.goto(f"{ROLES}new/")
    page.locator("summary", has_text="Usage").click()
    page.get_by_role("button", name="Select all – Usage").click()
    expect(status(page)).to_have_text("4 permissions, 4 changes")
    page.get_by_role("button", name="Select none – Usage").click()
    expect(status(page)).to_have_text("0 permissions, no changes")
    box(page, "usage:client:view").check()
    expect(status(page)).to_have_text("1 permission, 1 change")


def test_a_role_is_made_with_the_keyboard_alone(page_of):
    page = page_of("ada")
    page.goto(f"{ROLES}new/")
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.type("By keyboard")
    tab_to(page, page.get_by_role("searchbox", name="Find a permission"))
    page.keyboard.type("audits")
    page.keyboard.press("Enter")  # filters, and sends nothing
    tab_to(page, box(page, "audits:audit:view"))
    page.keyboard.press("Space")
    expect(status(page)).to_have_text("1 permission, 2 changes")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="By keyboard")).to_be_visible()
    delete_role(page, "By keyboard")


def test_a_default_role_is_copied_changed_and_restored_and_those_affected_are_named(page_of):
    page = page_of("ada")
    page.goto(ROLES)
    menu(page, "Supervisor", "Copy")
    expect(page.get_by_label("Name")).to_have_value("Copy of Supervisor")
    page.get_by_role("button", name="Add role").click()
    expect(page.get_by_role("heading", level=1, name="Copy of Supervisor")).to_be_visible()
    expect(page.get_by_role("heading", name="Permissions (12)")).to_be_visible()
    delete_role(page, "Copy of Supervisor")

    # The list counts them; other journeys on the same server may have added some.
    people, clients = row(page, "Supervisor").locator("td.num").all_inner_texts()[:2]
    held_by = f"{people} people, {clients} client"
    menu(page, "Supervisor", "Edit")
    page.get_by_role("searchbox", name="Find a permission").fill("queue edit")
    box(page, "routing:queue:edit").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("Change what others may do?")
    expect(asked).to_contain_text(held_by)
    expect(asked).to_contain_text("Routing > Queue > Edit")
    # The safe answer has the focus, and changes nothing.
    expect(asked.get_by_role("link", name="Go back")).to_be_focused()
    page.keyboard.press("Escape")
    expect(box(page, "routing:queue:edit")).not_to_be_checked()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Save changes").click()
    said(page, "Changes saved.")
    expect(page.locator(".page-head .badge")).to_have_text("changed")

    page.goto(ROLES)
    menu(page, "Supervisor", "Restore default role")
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text(held_by)
    expect(asked).to_contain_text("They may then")
    asked.get_by_role("button", name="Restore role").click()
    said(page, "‘Supervisor’ is as it was shipped.")
    expect(page.locator(".page-head .badge")).to_have_count(0)
    assert page.problems == []


def test_unsaved_permissions_are_not_lost_by_leaving(page_of):
    page = page_of("ada")
    page.goto(f"{ROLES}new/")
    page.locator("summary", has_text="Usage").click()
    box(page, "usage:client:view").check()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Divisions").first.click()
    expect(box(page, "usage:client:view")).to_be_checked()
    assert asked == ["beforeunload"]


def test_a_division_is_made_filled_and_deleted_by_moving(page_of):
    page = page_of("ada")
    page.goto(DIVISIONS)
    page.get_by_role("link", name="Create division").click()
    page.get_by_role("dialog").get_by_label("Name").fill("East2")
    page.get_by_role("dialog").get_by_role("button", name="Create division").click()
    said(page, "Division ‘East2’ was created.")

    menu(page, "East2", "Move people here")
    page.get_by_role("searchbox", name="Search people").fill("adeyemi")
    page.get_by_role("button", name="Search").click()
    names = page.locator("tbody th")
    expect(names.filter(has_text="Brandt")).to_have_count(0)
    first, second = (names.nth(index).inner_text().strip() for index in (0, 1))
    where = page.locator("tbody tr").nth(0).locator("td").nth(1).inner_text()
    for index in (0, 1):
        names.nth(index).get_by_role("checkbox").check()
    page.get_by_role("button", name="Move", exact=True).click()
    said(page, "2 people were moved to East2.")
    expect(names.filter(has_text=first)).to_have_count(0)

    page.goto(DIVISIONS)
    expect(row(page, "East2").locator("td").nth(0)).to_contain_text("2")
    menu(page, "East2", "Delete")
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("2 people sit in it")
    asked.get_by_role("button", name="Delete division").click()
    # Nothing was chosen: the page says so, and nothing is lost.
    expect(page.locator(".error").first).to_contain_text("Choose the division that they move to.")
    page.get_by_label("Move the people to").select_option(label=where)
    page.get_by_role("button", name="Delete division").click()
    said(page, "Division ‘East2’ was deleted.")
    expect(page.get_by_role("rowheader", name="East2")).to_have_count(0)
    expect(page.get_by_role("region", name="Deleted divisions")).to_contain_text("East2")
    page.goto("/admin/people/?q=adeyemi")
    for name in (first, second):
        expect(page.locator("tbody tr", has_text=name)).to_contain_text(where)
    assert page.problems == []


def test_home_has_no_way_to_be_deleted(page_of):
    page = page_of("ada")
    page.goto(DIVISIONS)
    row(page, "Home").locator("summary").click()
    expect(row(page, "Home").get_by_role("link", name="Edit")).to_be_visible()
    expect(row(page, "Home").get_by_role("link", name="Delete")).to_have_count(0)


@pytest.fixture
def drifted(served: Served):
    """A client that Ben gave a role which he lost afterwards; in the end, he has it again."""
    _as_owner(
        served,
        """
clients.create(
    actor=queries.actor_for_user(ben),
    spec=ClientSpec(name="Given by Ben", grant_type="client-credentials", role_divisions=(pair,)),
)
change(lambda held: held - {pair})
""",
    )
    yield
    _as_owner(served, "change(lambda held: held | {pair})")


def _as_owner(served: Served, program: str) -> None:
    """Runs on the machine itself. `pair` is Ben's own, `change` what he holds."""
    served.manage(
        "shell",
        "-c",
        f"""
from accounts import queries
from accounts.actor import system
from accounts.models import Role, User
from accounts.rules.delegation import RoleDivision
from accounts.services import grants
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients
ben = User.objects.get(email="{served.demo["people"]["ben"]["email"]}")
pair = RoleDivision(Role.objects.get(organization=ben.organization, name="Supervisor").id, ben.division_id)
def change(spec):
    grants.change_person(actor=system(ben.organization), user_id=ben.id, spec=spec)
{program}
""",
    )


def test_drift_is_shown_and_settled_by_saving(page_of, drifted):
    page = page_of("ada")
    attention = page.get_by_role("region", name="Needs attention")
    expect(attention).to_contain_text("1 client holds a role that whoever gave it no longer holds")
    attention.get_by_role("link", name="Review – 1 client").click()
    expect(row(page, "Given by Ben")).to_contain_text("Review roles")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Given by Ben").click()
    said(page, "‘Supervisor’ in Home was given by Ben, who could not give it any more.")
    page.locator(".callout").get_by_role("link", name="Edit Client").click()
    said(page, "Save settles it, even without a change")
    page.get_by_role("button", name="Save", exact=True).click()
    said(page, "Changes saved.")
    expect(page.get_by_text("who could not give it any more")).to_have_count(0)
    page.get_by_role("link", name="Delete Client").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("Given by Ben")
    page.get_by_role("dialog").get_by_role("button", name="Delete client").click()
    page.wait_for_url(f"**{CLIENTS}")
    assert page.problems == []


def test_everything_works_without_javascript_on_a_phone(page_of):
    page = page_of("ada", java_script_enabled=False, **PHONE)
    page.goto(ROLES)
    page.get_by_role("link", name="Add role").click()
    page.get_by_label("Name").fill("No script")
    page.locator("summary", has_text="Usage").click()
    box(page, "usage:client:view").check()
    page.get_by_role("button", name="Add role").click()
    expect(page.get_by_role("heading", level=1, name="No script")).to_be_visible()
    page.get_by_role("link", name="Delete role").click()
    page.get_by_role("button", name="Delete role").click()
    said(page, "Role ‘No script’ was deleted.")

    row(page, "Supervisor").get_by_role("link", name="Supervisor").click()
    page.get_by_role("link", name="Edit role").click()
    page.locator("summary", has_text="Routing").click()
    box(page, "routing:queue:edit").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    said(page, "Change what others may do?")
    page.get_by_role("button", name="Save changes").click()
    said(page, "Changes saved.")
    page.get_by_role("link", name="Restore default role").click()
    page.get_by_role("button", name="Restore role").click()
    said(page, "‘Supervisor’ is as it was shipped.")

    page.goto(DIVISIONS)
    page.get_by_role("link", name="Create division").click()
    page.get_by_label("Name").fill("No script")
    page.get_by_role("button", name="Create division").click()
    said(page, "Division ‘No script’ was created.")
    menu(page, "No script", "Delete")
    page.get_by_role("button", name="Delete division").click()
    said(page, "Division ‘No script’ was deleted.")
    assert page.problems == []


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_the_pages_break_no_rule_of_accessibility_and_fit(page_of, options):
    page = page_of("ada", **options)
    page.goto(ROLES)
    role = page.get_by_role("link", name="Supervisor").get_attribute("href")
    page.goto(DIVISIONS)
    east = row(page, "East").locator("a[href$='/edit/']").get_attribute("href")
    paths = [
        ROLES,
        role,
        f"{role}edit/",
        f"{role}copy/",
        f"{role}delete/",
        f"{ROLES}restore/",
        DIVISIONS,
        f"{DIVISIONS}new/",
        east,
        east.replace("edit", "move"),
        east.replace("edit", "delete"),
    ]
    for path in paths:
        page.goto(path)
        page.evaluate("for (const part of document.querySelectorAll('.tree details')) part.open = true")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"


@pytest.fixture
def longest(served: Served):
    """A role and a division whose names are one long word each; gone in the end."""
    _as_owner(
        served,
        """
from accounts.permissions import policies_for
from accounts.services import divisions, roles
roles.create_custom(
    actor=system(ben.organization), name="R" * 190, policies=policies_for(["directory:user:view"])
)
divisions.create(actor=system(ben.organization), name="D" * 190)
""",
    )
    yield "R" * 190, "D" * 190
    _as_owner(
        served,
        """
from accounts.services import divisions, roles
actor = system(ben.organization)
for role in queries.roles(ben.organization).filter(name="R" * 190):
    roles.delete(actor=actor, role_id=role.id)
for division in queries.divisions(ben.organization).filter(name="D" * 190):
    divisions.delete(actor=actor, division_id=division.id)
""",
    )


@pytest.mark.parametrize(
    "options", [{"viewport": {"width": 1280, "height": 900}}, PHONE], ids=["desk", "phone"]
)
def test_a_name_of_one_long_word_pushes_nothing_out_of_reach(page_of, served, longest, options):
    role, division = longest
    page = page_of("ada", **options)
    page.on("dialog", lambda dialog: dialog.accept())  # leaves what is not saved
    person = f"/admin/people/{served.demo['people']['ben']['id']}/"
    page.goto(f"{CLIENTS}add/")
    page.get_by_label("App Name").fill("Long names")
    page.get_by_role("radio", name="Client Credentials").check()
    page.get_by_role("button", name="Next", exact=True).click()
    page.wait_for_url("**/access/")
    wizard = page.url
    for path in (wizard, f"{person}roles/", ROLES, DIVISIONS, person):
        page.goto(path)
        # With every role switched on, each division is there.
        for switch in page.get_by_role("switch").all():
            switch.check()
        boxes = [page.locator("html"), *page.locator(".table-box").all()]
        assert [box.evaluate("box => box.scrollWidth - box.clientWidth") for box in boxes] == [0] * len(
            boxes
        ), path
        for switch in page.get_by_role("switch").all():
            inside = "it => it.getBoundingClientRect().right < it.closest('.table-box').getBoundingClientRect().right"
            assert switch.evaluate(inside), path

    page.goto(wizard)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    page.wait_for_url(f"**{CLIENTS}")
    page.goto(f"{person}roles/")
    page.get_by_role("switch", name=f"Assign {role}").check()
    chip = row(page, role).get_by_role("checkbox", name=division)
    chip.check()
    expect(chip).to_be_checked()
    edit, more = (page.locator(".page-actions .button").nth(n).bounding_box() for n in (0, 1))
    assert edit["height"] == more["height"]


@pytest.fixture
def many(served: Served):
    """So many divisions that a role shows them only when it is asked to; gone in the end."""
    program = """
from accounts.services import divisions
actor = system(ben.organization)
"""
    _as_owner(served, f'{program}for n in range(9): divisions.create(actor=actor, name=f"Site {{n}}")')
    yield
    _as_owner(
        served,
        f"""{program}
for division in queries.divisions(ben.organization).filter(name__startswith="Site "):
    divisions.delete(actor=actor, division_id=division.id, with_grants=True)
""",
    )


@pytest.mark.parametrize("script", [True, False], ids=["with", "without"])
def test_the_divisions_of_a_role_are_asked_for_with_and_without_javascript(page_of, served, many, script):
    page = page_of("ada", java_script_enabled=script)
    page.goto(f"/admin/people/{served.demo['people']['ben']['id']}/roles/")
    given = row(page, "Employee")
    given.get_by_role("switch").check()
    expect(given.get_by_role("checkbox")).to_have_count(2)  # Home, and all of them
    given.get_by_role("button", name="Choose divisions for Employee").click()
    expect(given.get_by_role("checkbox", name="Site 8")).to_be_visible()
    expect(given.get_by_role("switch")).to_be_checked()
    if script:
        expect(given.get_by_role("group", name="Divisions for Employee")).to_be_focused()
        expect(page.locator(".save-bar .status")).to_have_text("Not saved yet")
    given.get_by_role("checkbox", name="Site 8").check()
    given.get_by_role("checkbox", name="Site 8").press("Enter")
    said(page, "The roles of ‘")
    # What is ticked is the first thing in the list.
    expect(given.get_by_role("checkbox", name="Site 8")).to_be_checked()
    names = given.locator(".chip-toggle").all_inner_texts()
    assert names.index("Site 8") < names.index("East")
    given.get_by_role("switch").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Remove and save").click()
    expect(given.get_by_role("switch")).not_to_be_checked()
    assert page.problems == []
