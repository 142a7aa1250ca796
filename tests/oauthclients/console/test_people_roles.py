"""The roles of a person: who may give and take which, two at once, what a forged form cannot do, and roles
whose giver no longer holds them."""

from __future__ import annotations

import re

import pytest

from accounts.models import AuditEvent, RoleGrant, User
from accounts.services import grants, people
from tests.oauthclients.console.wizard import problems, roles, text

EVERYWHERE = "*"


class RolesTab:
    """The roles tab of one person, as somebody has it open."""

    def __init__(self, browser, person):
        self.browser, self.person = browser, person
        self.url = f"/admin/people/{person.id}/roles/"
        self.opened = self.get()
        self.seen = self.opened.context["seen"]

    def get(self):
        return self.browser.get(self.url)

    def save(self, *given, **more):
        return self.browser.post(self.url, {**roles(*given), "seen": self.seen, **more}, follow=True)

    def confirm(self, *given, **more):
        """Saves, and says yes to what is asked."""
        asked = self.save(*given, **more)
        return self.save(*given, **more, confirmed=asked.context["losses"].key)

    def row(self, name):
        return {row.name: row for row in self.get().context["roles"]}[name]


def held(person) -> set[tuple[str, str | None]]:
    return set(RoleGrant.objects.filter(subject_id=person.id).values_list("role__name", "division__name"))


def division(row, name):
    return {choice.name: choice for choice in row.divisions}[name]


@pytest.fixture
def ada(cast, browser_of):
    return browser_of(cast.ada)


@pytest.fixture
def granter(cast, browser_of):
    """Somebody who may give and take roles in East only, and holds Supervisor there."""
    person = cast.person("Gerd", cast.east)
    cast.custom_role(
        "Granter", "directory:user:view", "authorization:grant:add", "authorization:grant:delete"
    )
    cast.give(person, ("Granter", cast.east), ("Supervisor", cast.east))
    browser = browser_of(person)
    browser.person = person
    return browser


def test_the_table_shows_roles_types_and_what_is_held(cast, ada):
    tab = RolesTab(ada, cast.ben)

    row = tab.row("Supervisor")
    assert (row.assigned, row.type, row.locked) == (True, "Default", False)
    assert division(row, "Home").checked
    assert not division(row, "East").checked
    assert tab.row("Client Manager").type == "Custom"
    assert not tab.row("Admin").assigned
    shown = text(tab.opened)
    for label in ("Role", "Type", "Divisions", "Assigned", "All, including future"):
        assert label in shown


def test_a_role_is_given_in_divisions_and_in_all_of_them(cast, ada):
    supervisor, employee = cast.role("Supervisor"), cast.role("Employee")

    response = RolesTab(ada, cast.eve).save((supervisor, [cast.east, cast.west]), (employee, [cast.home]))

    assert "The roles of ‘Eve’ were saved." in text(response)
    assert held(cast.eve) == {("Supervisor", "East"), ("Supervisor", "West"), ("Employee", "Home")}
    RolesTab(ada, cast.eve).save((supervisor, [EVERYWHERE, cast.east, cast.west]), (employee, [cast.home]))
    assert ("Supervisor", None) in held(cast.eve)
    assert "There was nothing to save." in text(
        RolesTab(ada, cast.eve).save(
            (supervisor, [EVERYWHERE, cast.east, cast.west]), (employee, [cast.home])
        )
    )


def test_a_role_without_a_division_is_said_at_the_role(cast, ada):
    supervisor = cast.role("Supervisor")
    response = RolesTab(ada, cast.eve).save((supervisor, []), (cast.role("Employee"), [cast.west]))

    assert problems(response) == ["Choose a division for ‘Supervisor’."]
    rows = {row.name: row for row in response.context["roles"]}
    assert rows["Supervisor"].error == "Choose a division for ‘Supervisor’."
    assert division(rows["Employee"], "West").checked  # kept
    assert held(cast.eve) == {("Employee", "Home")}


def test_taking_roles_away_is_asked_first(cast, ada):
    tab = RolesTab(ada, cast.ben)

    asked = tab.save()

    assert "Remove 2 roles?" in text(asked)
    assert "‘Ben’ loses them at once." in text(asked)
    assert held(cast.ben) == {("Supervisor", "Home"), ("Client Manager", "Home")}
    tab.save(confirmed=asked.context["losses"].key)
    assert held(cast.ben) == set()


def test_a_yes_to_one_question_is_none_to_another(cast, ada):
    tab = RolesTab(ada, cast.ben)
    key = tab.save((cast.role("Supervisor"), [cast.home])).context["losses"].key

    asked = tab.save(confirmed=key)

    assert "Remove 2 roles?" in text(asked)
    assert len(held(cast.ben)) == 2


def test_two_at_once_lose_nothing_of_each_other(cast, ada, browser_of):
    other = cast.person("Olga", cast.home)
    cast.give(other, ("Admin", None))
    supervisor, employee = cast.role("Supervisor"), cast.role("Employee")
    mine, hers = RolesTab(ada, cast.eve), RolesTab(browser_of(other), cast.eve)
    hers.confirm((supervisor, [cast.west]))  # and takes Employee away

    response = mine.save((supervisor, [cast.east]), (employee, [cast.home]))

    assert held(cast.eve) == {("Supervisor", "East"), ("Supervisor", "West")}
    assert "Somebody else changed these roles in the meantime" in text(response)


def test_only_what_somebody_may_give_is_offered(cast, granter):
    tab = RolesTab(granter, cast.eve)

    row = tab.row("Supervisor")
    assert division(row, "East").held
    assert not division(row, "West").held
    assert division(row, "West").why == "you cannot give it here"
    assert not row.everywhere.held
    offered = {row.name for row in tab.opened.context["roles"]}
    assert "Admin" not in offered
    assert "Admin" in {role.name for role in tab.opened.context["not_held"]}


def test_a_role_whose_permissions_are_all_held_can_be_given_without_holding_it(cast, granter):
    cast.custom_role("Looker", "directory:user:view")

    RolesTab(granter, cast.eve).save(
        (cast.role("Looker"), [cast.east]), (cast.role("Employee"), [cast.home])
    )

    assert ("Looker", "East") in held(cast.eve)


@pytest.mark.parametrize("where", ["west", "all", "admin"])
def test_a_forged_pair_is_refused_with_the_sentence(cast, granter, where):
    role = cast.role("Admin" if where == "admin" else "Supervisor")
    division_id = {"west": cast.west, "all": EVERYWHERE, "admin": cast.east}[where]
    before = held(cast.eve)

    response = RolesTab(granter, cast.eve).save((role, [division_id]), (cast.role("Employee"), [cast.home]))

    said = problems(response)
    assert len(said) == 1, said
    if where == "admin":
        assert said[0].startswith("You may not do all that ‘Admin’ may in East:")
    else:
        place = "West" if where == "west" else "*"
        assert said == [f"You lack the permission [authorization:grant:add] in the division [{place}]"]
    assert held(cast.eve) == before


def test_a_pair_of_another_organization_or_of_nothing_is_refused(cast, ada):
    theirs = cast.role("Supervisor", cast.globex)

    for given in ((theirs, [cast.home]), (cast.role("Supervisor"), [cast.globex.divisions.get()])):
        response = RolesTab(ada, cast.eve).save(given, (cast.role("Employee"), [cast.home]))
        assert problems(response)[0].startswith("There is no ")
    assert held(cast.eve) == {("Employee", "Home")}


def test_what_one_cannot_take_away_stays_locked(cast, granter):
    cast.give(cast.eve, ("Supervisor", cast.east), ("Supervisor", cast.west), ("Admin", None))
    tab = RolesTab(granter, cast.eve)

    row = tab.row("Supervisor")
    assert row.locked
    assert division(row, "West").locked
    assert division(row, "West").why == "you cannot remove it"
    assert not division(row, "East").locked
    admin = tab.row("Admin")
    assert admin.locked
    assert admin.everywhere.locked
    page = tab.opened.content.decode()
    key = row.id
    assert re.search(rf'id="role-{key}" checked disabled', page)
    assert f'<input type="hidden" name="role" value="{key}">' in page

    # As the page posts it: hidden fields for what is locked, East taken away.
    locked = re.findall(r'name="locked" value="([^"]+)"', page)
    response = tab.confirm((cast.role("Supervisor"), []), (cast.role("Admin"), []), locked=locked)

    assert "were saved" in text(response)
    assert held(cast.eve) == {("Supervisor", "West"), ("Admin", None)}


def test_a_form_that_leaves_the_lock_out_takes_nothing_away(cast, granter):
    cast.give(cast.eve, ("Supervisor", cast.west))

    response = RolesTab(granter, cast.eve).confirm()

    assert problems(response) == [
        "You lack the permission [authorization:grant:delete] in the division [West]"
    ]
    assert held(cast.eve) == {("Supervisor", "West")}


def test_a_lock_is_no_way_to_give_anything(cast, granter):
    pair = f"{cast.role('Admin').id}:*"
    cast.give(cast.eve)

    RolesTab(granter, cast.eve).save(locked=[pair])

    assert held(cast.eve) == set()


def test_what_is_held_and_could_not_be_given_back_says_so(cast, granter):
    cast.give(cast.eve, ("Admin", cast.east))
    tab = RolesTab(granter, cast.eve)

    assert division(tab.row("Admin"), "East").why == "you could not give it back"
    tab.confirm()
    assert held(cast.eve) == set()


def test_nobody_removes_their_own_last_admin_role(cast, ada):
    response = RolesTab(ada, cast.ada).confirm((cast.role("Supervisor"), [EVERYWHERE]))

    assert problems(response) == ["You cannot remove your own last Admin role."]
    assert ("Admin", None) in held(cast.ada)
    assert not {row.name: row for row in response.context["roles"]}["Admin"].assigned  # as it was sent


def test_who_may_look_only_sees_a_plain_table(cast, browser_of):
    browser = browser_of(cast.ben)  # Supervisor in Home: authorization:grant:view
    tab = RolesTab(browser, cast.ada)

    page = tab.opened.content.decode()
    assert "SCIM Integration" in page
    assert 'role="switch"' not in page
    assert "Save" not in text(tab.opened)
    assert tab.save((cast.role("Employee"), [cast.home])).status_code == 403
    assert tab.get().context["held"][0]["where"] == "all divisions"


def test_a_form_that_did_not_arrive_whole_changes_nothing(cast, ada):
    response = ada.post(f"/admin/people/{cast.ben.id}/roles/", {})

    assert response.status_code == 400
    assert len(held(cast.ben)) == 2


@pytest.mark.parametrize("seen", ["", "nonsense x:y :: *:*", "\x00", "a" * 5000])
def test_odd_entries_break_nothing(cast, ada, seen):
    response = ada.post(
        f"/admin/people/{cast.ben.id}/roles/",
        {"seen": seen, "role": ["nonsense", "*"], "divisions-nonsense": ["*"], "locked": ["x", ":"]},
    )

    assert response.status_code in (200, 302)
    assert len(held(cast.ben)) == 2


def test_a_deleted_person_is_given_nothing(cast, ada):
    tab = RolesTab(ada, cast.ben)
    people.delete(actor=cast.actor(cast.ada), user_id=cast.ben.id)

    assert 'role="switch"' not in tab.get().content.decode()
    response = tab.save((cast.role("Admin"), [cast.home]))
    assert "This person is deleted." in text(response)
    assert held(cast.ben) == set()


def test_each_change_is_one_line_of_the_trail(cast, ada):
    RolesTab(ada, cast.eve).save(
        (cast.role("Supervisor"), [cast.east]), (cast.role("Employee"), [cast.home])
    )

    line = AuditEvent.objects.filter(action="grants.changed", entity_id=cast.eve.id).latest("at")
    assert (line.actor_id, line.after["roleDivisions"]) == (
        cast.ada.id,
        ["Employee: Home", "Supervisor: East"],
    )


# --- Roles whose giver no longer holds them ----------------------------------------------------------


@pytest.fixture
def drifted(cast, granter):
    """Gerd gave Eve Supervisor in East, and has lost it since."""
    actor = cast.actor(granter.person)
    pair = cast.pair("Supervisor", cast.east)
    grants.change_person(actor=actor, user_id=cast.eve.id, spec=lambda present: present | {pair})
    cast.give(granter.person, ("Granter", cast.east))
    return cast.eve


SENTENCE = "‘Supervisor’ in East was given by Gerd, who could not give it any more."


def giver(person) -> User:
    grant = RoleGrant.objects.get(subject_id=person.id, role__name="Supervisor")
    return User.objects.get(id=grant.granted_by_id)


def test_drift_is_marked_in_the_list_and_said_on_the_pages(cast, ada, drifted):
    rows = {row["person"].name: row["review"] for row in ada.get("/admin/people/").context["rows"]}
    assert rows == {"Ada": False, "Ben": False, "Eve": True, "Gerd": False}
    for page in ("", "roles/"):
        assert SENTENCE in text(ada.get(f"/admin/people/{drifted.id}/{page}"))


def test_it_is_taken_over(cast, ada, drifted):
    asked = ada.get(f"/admin/people/{drifted.id}/roles/take-over/")
    assert SENTENCE in text(asked)

    ada.post(f"/admin/people/{drifted.id}/roles/take-over/")

    assert giver(drifted) == cast.ada
    assert SENTENCE not in text(RolesTab(ada, drifted).opened)
    again = ada.get(f"/admin/people/{drifted.id}/roles/take-over/", follow=True)
    assert "There is nothing to take over any more." in text(again)


def test_the_next_edit_takes_it_over_and_says_so(cast, ada, drifted):
    response = RolesTab(ada, drifted).save(
        (cast.role("Supervisor"), [cast.east, cast.west]), (cast.role("Employee"), [cast.home])
    )

    assert "From now on it is you who gave: Supervisor: East." in text(response)
    assert set(
        RoleGrant.objects.filter(subject_id=drifted.id, role__name="Supervisor").values_list(
            "granted_by_id", flat=True
        )
    ) == {cast.ada.id}


def test_who_could_not_give_it_cannot_take_it_over_but_may_remove_it(cast, granter, drifted):
    cast.custom_role("Looker", "directory:user:view")
    tab = RolesTab(granter, drifted)
    assert "You cannot take over Supervisor: East: remove it, or ask somebody" in text(tab.opened)
    refused = granter.post(f"/admin/people/{drifted.id}/roles/take-over/")
    assert "Remove it first, or ask somebody who may give it." in problems(refused)[0]
    looker, employee = (cast.role("Looker"), [cast.east]), (cast.role("Employee"), [cast.home])
    stopped = tab.save((cast.role("Supervisor"), [cast.east]), looker, employee)
    assert "Remove it first" in problems(stopped)[0]
    assert giver(drifted) == granter.person

    tab.confirm(looker, employee)

    assert held(drifted) == {("Looker", "East"), ("Employee", "Home")}
