"""The role table where there are many divisions: what it leaves out, how that is asked for, and that nothing
that was typed is lost by it; on a person's tab, in the wizard and on a client's edit page."""

from __future__ import annotations

import re

import pytest

from accounts.actor import system
from accounts.models import RoleGrant
from accounts.services import divisions
from oauthclients.console import tables
from oauthclients.models import Client
from tests.oauthclients.console.test_people_roles import RolesTab, held
from tests.oauthclients.console.wizard import LIST, problems, roles, start, text


@pytest.fixture
def many(cast):
    """More divisions than are shown at once, without Home, East and West."""
    return [
        divisions.create(actor=system(cast.acme), name=f"Site {n:02}") for n in range(tables.MANY_DIVISIONS)
    ]


@pytest.fixture
def ada(cast, browser_of):
    return browser_of(cast.ada)


def boxes(response, role) -> list[str]:
    """The divisions of a role that the page offers, in their order."""
    return re.findall(rf'name="divisions-{role.id}" value="([^"]+)"', response.content.decode())


def ticked(response, role) -> list[str]:
    return re.findall(rf'name="divisions-{role.id}" value="([^"]+)" checked', response.content.decode())


def assigned(response, role) -> bool:
    return f'id="role-{role.id}" checked' in response.content.decode()


def button(role) -> bytes:
    return f'name="open" value="{role.id}"'.encode()


def test_a_few_divisions_are_all_there_and_in_their_order(cast, ada):
    response = RolesTab(ada, cast.eve).opened
    everything = ["*", *(str(each.id) for each in (cast.home, cast.east, cast.west))]

    assert sorted(boxes(response, cast.role("Supervisor"))) == sorted(everything)
    assert boxes(response, cast.role("Supervisor")) == boxes(response, cast.role("Employee"))
    assert b'name="open"' not in response.content


def test_a_role_that_is_not_assigned_shows_what_is_ticked_and_a_way_to_the_rest(cast, ada, many):
    supervisor, employee = cast.role("Supervisor"), cast.role("Employee")

    response = RolesTab(ada, cast.eve).opened

    assert boxes(response, supervisor) == ["*", str(cast.east.id)]  # where Eve is
    assert ticked(response, supervisor) == [str(cast.east.id)]
    assert button(supervisor) in response.content
    assert len(boxes(response, employee)) == 1 + 3 + len(many)
    assert button(employee) not in response.content


def test_what_is_ticked_comes_first(cast, ada, many):
    cast.give(cast.eve, ("Employee", many[-1]), ("Employee", many[3]))

    response = RolesTab(ada, cast.eve).opened

    assert boxes(response, cast.role("Employee"))[:3] == ["*", str(many[3].id), str(many[-1].id)]


def test_the_rest_is_shown_with_all_that_was_typed_and_nothing_is_saved(cast, ada, many):
    supervisor, employee = cast.role("Supervisor"), cast.role("Employee")
    tab = RolesTab(ada, cast.eve)
    given = (supervisor, [cast.east]), (employee, [many[0], many[1]])

    response = tab.save(*given, open=str(supervisor.id))

    assert held(cast.eve) == {("Employee", "Home")}
    assert problems(response) == []
    assert response.context["seen"] == tab.seen
    assert response.context["unsaved"]
    assert len(boxes(response, supervisor)) == 1 + 3 + len(many)
    assert ticked(response, supervisor) == [str(cast.east.id)]
    assert set(ticked(response, employee)) == {str(many[0].id), str(many[1].id)}
    # The button leads there, with or without JavaScript.
    place = f"choose-{supervisor.id}"
    assert f'formaction="#{place}"' in tab.opened.content.decode()
    assert re.search(rf'<div [^>]*id="{place}"[^>]* tabindex="-1"', response.content.decode())
    # From there, it is saved as ever.
    tab.confirm((supervisor, [cast.east, many[5]]), (employee, [many[0]]))
    assert held(cast.eve) == {("Supervisor", "East"), ("Supervisor", "Site 05"), ("Employee", "Site 00")}


def test_asking_for_the_rest_assigns_nothing(cast, ada, many):
    supervisor = cast.role("Supervisor")

    response = RolesTab(ada, cast.eve).save((cast.role("Employee"), [cast.home]), open=str(supervisor.id))

    assert len(boxes(response, supervisor)) == 1 + 3 + len(many)
    assert not assigned(response, supervisor)
    assert assigned(response, cast.role("Employee"))


@pytest.mark.parametrize("role", ["nonsense", "\x00", "00000000-0000-0000-0000-000000000000"])
def test_asking_for_no_role_shows_the_page(cast, ada, many, role):
    response = RolesTab(ada, cast.eve).save((cast.role("Employee"), [cast.home]), open=role)

    assert response.status_code == 200
    assert held(cast.eve) == {("Employee", "Home")}


def test_where_something_is_wrong_all_divisions_are_there(cast, browser_of, many):
    """The viewer may give nothing in the person's own division, so that nothing is ticked there."""
    person, gerd = cast.person("Petra", cast.home), cast.person("Gerd", cast.west)
    cast.custom_role(
        "Granter", "directory:user:view", "authorization:grant:add", "authorization:grant:delete"
    )
    cast.custom_role("Looker", "directory:user:view")
    cast.give(gerd, ("Looker", cast.home), ("Granter", cast.west), ("Supervisor", cast.west))
    supervisor = cast.role("Supervisor")
    tab = RolesTab(browser_of(gerd), person)
    assert boxes(tab.opened, supervisor) == []

    response = tab.save((supervisor, []))

    assert problems(response) == ["Choose a division for ‘Supervisor’."]
    assert len(boxes(response, supervisor)) == 3 + len(many)
    assert held(person) == set()


def test_a_role_that_cannot_be_taken_away_is_shown_with_its_lock(cast, browser_of, many):
    gerd = cast.person("Gerd", cast.east)
    cast.custom_role(
        "Granter", "directory:user:view", "authorization:grant:add", "authorization:grant:delete"
    )
    cast.give(gerd, ("Granter", cast.east))
    cast.give(cast.eve, ("Supervisor", cast.west))

    # A form that leaves the lock out is shown again because of what else is wrong.
    response = RolesTab(browser_of(gerd), cast.eve).save(
        (cast.role("Granter"), []), open=str(cast.role("Granter").id)
    )

    assert f'name="locked" value="{cast.role("Supervisor").id}:{cast.west.id}"' in response.content.decode()


def test_more_than_a_thousand_ticked_boxes_arrive(cast, ada):
    """Django's own limit of fields is a thousand."""
    employee = cast.role("Employee")
    unknown = {f"divisions-{n}": ["*"] for n in range(1500)}

    response = RolesTab(ada, cast.eve).confirm((employee, [cast.west]), **unknown)

    assert response.status_code == 200
    assert held(cast.eve) == {("Employee", "West")}


def test_the_wizard_keeps_the_draft_and_stays_at_its_step(cast, ada, many):
    wizard = start(ada)
    wizard.details()
    supervisor, scim = cast.role("Supervisor"), cast.role("SCIM Integration")
    assert boxes(wizard.get("access"), supervisor) == ["*", str(cast.home.id)]
    given = roles((supervisor, [cast.home]), (scim, [cast.east]))

    response = wizard.post("access", {**given, "open": str(supervisor.id)})

    assert response.status_code == 200
    assert "access" not in wizard.draft.data["passed"]
    assert len(boxes(response, supervisor)) == 1 + 3 + len(many)
    assert ticked(response, supervisor) == [str(cast.home.id)]
    assert ticked(wizard.get("access"), scim) == [str(cast.east.id)]
    data = roles((supervisor, [many[2]]))
    assert wizard.post("access", data)["Location"] == wizard.url("duration")


def test_the_edit_page_keeps_what_was_typed_and_saves_nothing(cast, ada, many):
    supervisor, scim = cast.role("Supervisor"), cast.role("SCIM Integration")
    client, _secret = cast.client(("Supervisor", cast.home))
    url = f"{LIST}{client.id}/edit/"
    opened = ada.get(url)
    assert boxes(opened, scim) == ["*", str(cast.home.id)]
    form = {
        "version": str(client.version),
        "seen": opened.context["seen"],
        "name": "Renamed",
        "seconds": "86400",
        **roles((supervisor, [cast.home]), (scim, [cast.home])),
        "open": str(scim.id),
    }

    response = ada.post(url, form)

    assert len(boxes(response, scim)) == 1 + 3 + len(many)
    assert 'value="Renamed"' in response.content.decode()
    assert response.context["unsaved"]
    client.refresh_from_db()
    assert client.name == "Billing sync"
    assert RoleGrant.objects.filter(subject_id=client.id).count() == 1

    # What somebody else changes meanwhile is not passed over by showing the page again.
    Client.objects.filter(id=client.id).update(description="Theirs", version=client.version + 1)
    assert "This is taken over below." in text(ada.post(url, {**form, "description": ""}))
