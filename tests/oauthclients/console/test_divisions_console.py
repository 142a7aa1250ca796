"""The pages of divisions: the list, creating, changing, moving people, deleting and restoring."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import Division, RoleGrant, User
from accounts.permissions import expand
from accounts.services import divisions
from oauthclients.console import divisions_questions
from tests.oauthclients.console.wizard import problems, text
from tests.standing import standing

LIST = "/admin/divisions/"


@standing
def ada(cast, browser_of):
    return browser_of(cast.ada)


@pytest.fixture
def keeper(cast, browser_of):
    """Eve, who keeps the divisions but manages people in East and West alone."""
    cast.custom_role(
        "Division Keeper",
        "authorization:division:view",
        "authorization:division:add",
        "authorization:division:edit",
        "authorization:division:delete",
    )
    cast.custom_role("People Mover", "directory:user:view", "directory:user:edit")
    cast.give(
        cast.eve,
        ("Division Keeper", cast.home),
        ("People Mover", cast.east),
        ("People Mover", cast.west),
    )
    return browser_of(cast.eve)


def rows(browser, **asked) -> list[str]:
    return [item["row"].division.name for item in browser.get(LIST, asked).context["rows"]]


def entries(browser, name: str) -> list[str]:
    found = browser.get(LIST, {"q": name}).context["rows"]
    return next(
        [entry["label"] for entry in item["entries"]] for item in found if item["row"].division.name == name
    )


def url(division: Division, action: str) -> str:
    return f"{LIST}{division.id}/{action}/"


def opened(browser, division: Division) -> dict:
    """What the page holds when it is opened now."""
    context = browser.get(url(division, "edit")).context
    return {
        **{key: str(value) for key, value in context["hidden"].items()},
        "name": context["form"]["name"].value(),
        "description": context["form"]["description"].value(),
    }


def edited(browser, division: Division, **changes):
    return browser.post(url(division, "edit"), {**opened(browser, division), **changes})


def deleted(browser, division: Division, **sent):
    """Sends the question as it is asked now."""
    shown = browser.get(url(division, "delete")).context["shown"]
    return browser.post(url(division, "delete"), {"shown": shown, **sent})


def gone(division: Division) -> bool:
    return Division.objects.get(id=division.id).deleted_at is not None


# --- The list ------------------------------------------------------------------------------------


def test_the_list_needs_the_permission_to_view_divisions(cast, client, browser_of):
    assert client.get(LIST)["Location"] == f"/sign-in/?next={LIST}"
    assert browser_of(cast.ben).get(LIST).status_code == 403
    assert browser_of(cast.ada).get(LIST).status_code == 200


def test_home_comes_first_and_is_marked(cast, ada):
    assert rows(ada) == ["Home", "East", "West"]
    assert rows(ada, sort="-name") == ["Home", "West", "East"]
    assert "Home Cannot be deleted" in text(ada.get(LIST))


def test_the_list_counts_people_and_who_holds_a_role_there(cast, ada):
    cast.give(cast.ben, ("Supervisor", cast.east), ("Employee", cast.east))
    cast.client(("Supervisor", cast.east))
    User.objects.filter(id=cast.person("Gone", cast.east).id).update(state="deleted")
    [found] = [item["row"] for item in ada.get(LIST, {"q": "east"}).context["rows"]]
    assert (found.objects, found.people, found.clients) == (1, 1, 1)
    assert f'href="/admin/people/?division={cast.east.id}"' in ada.get(LIST).content.decode()


def test_the_list_is_searched_sorted_and_paged(cast, ada):
    for number in range(30):
        edited(ada, cast.west, description="Beyond the river")
        ada.post(f"{LIST}new/", {"name": f"Team {number:02}"})
    assert rows(ada, q="river") == ["West"]
    assert rows(ada, sort="-objects")[:2] == ["Home", "East"]
    assert rows(ada, page="2")[-1] == "West"
    assert rows(ada, sort="nonsense", page="nonsense")[0] == "Home"
    assert "Nothing matches ‘zzz’." in text(ada.get(LIST, {"q": "zzz\x00"}))


def test_the_list_costs_the_same_however_many_divisions_there_are(cast, ada, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        ada.get(LIST)
    for number in range(20):
        ada.post(f"{LIST}new/", {"name": f"Team {number}"})
    with django_assert_max_num_queries(8):
        ada.get(LIST)


def test_another_organizations_divisions_are_not_there(cast, ada, browser_of):
    cleo = browser_of(cast.cleo)
    assert rows(cleo) == ["Home"]
    for action in ("edit", "move", "delete", "restore"):
        assert cleo.get(url(cast.east, action)).status_code == 404, action
        sent = {"name": "Hers", "person": str(cast.cleo.id), "with_grants": "on"}
        assert cleo.post(url(cast.east, action), sent).status_code == 404, action
        assert ada.get(f"{LIST}{uuid.uuid4()}/{action}/").status_code == 404, action
    assert Division.objects.get(id=cast.east.id).name == "East"


def test_whoever_may_only_look_is_offered_and_given_nothing_else(cast, browser_of):
    cast.custom_role("Onlooker", "authorization:division:view")
    cast.give(cast.eve, ("Onlooker", cast.home))
    eve = browser_of(cast.eve)
    assert entries(eve, "East") == []
    assert "Create division" not in eve.get(LIST).content.decode()
    for path in (f"{LIST}new/", *(url(cast.east, name) for name in ("edit", "move", "delete", "restore"))):
        assert eve.get(path).status_code == 403, path
        assert eve.post(path, {"name": "X"}).status_code == 403, path


def test_home_is_offered_no_deletion_and_people_are_moved_only_where_one_manages_them(keeper):
    assert entries(keeper, "Home") == ["Edit"]
    assert entries(keeper, "East") == ["Edit", "Move people here", "Delete"]


# --- Creating and changing -----------------------------------------------------------------------


def test_a_division_is_created(cast, ada):
    assert "Whoever holds a role in all divisions holds it here as well" in text(ada.get(f"{LIST}new/"))
    said = ada.post(f"{LIST}new/", {"name": " East  2", "description": "New"}, follow=True)
    assert "Division ‘East 2’ was created." in text(said)
    assert Division.objects.get(organization=cast.acme, name="East 2").description == "New"


def test_creating_takes_the_right_to_give_roles_as_well(cast, keeper):
    assert "Create division" not in keeper.get(LIST).content.decode()
    assert keeper.get(f"{LIST}new/").status_code == 403
    response = keeper.post(f"{LIST}new/", {"name": "Mine"})
    assert response.status_code == 403
    assert "Authorization &gt; Grant &gt; Add" in response.content.decode()
    assert not Division.objects.filter(name="Mine").exists()


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ({"name": " "}, "Enter a division name."),
        ({"name": "east"}, "Another division is already called ‘east’."),
        ({"name": "x" * 201}, "At most 200 characters."),
        ({"name": "X", "description": "x" * 501}, "At most 500 characters."),
    ],
)
def test_a_problem_is_shown_at_its_field_with_what_was_typed_kept(cast, ada, sent, problem):
    response = ada.post(f"{LIST}new/", {"description": "Typed", **sent})
    assert any(problem in said for said in problems(response))
    assert "<title>Error – Create division" in response.content.decode()
    assert sent.get("description", "Typed") in response.content.decode()
    assert Division.objects.filter(organization=cast.acme).count() == 3


def test_a_full_organization_is_told_so(cast, ada, settings):
    settings.MAX_DIVISIONS_PER_ORGANIZATION = 3
    response = ada.post(f"{LIST}new/", {"name": "One more"})
    assert "This organization already has 3 divisions" in text(response)
    assert 'value="One more"' in response.content.decode()


def test_a_division_is_renamed_and_described_home_as_well(cast, ada):
    assert edited(ada, cast.home, name="Headquarters", description="Here").status_code == 302
    home = Division.objects.get(id=cast.home.id)
    assert (home.name, home.description, home.home) == ("Headquarters", "Here", True)


def test_saving_without_a_change_changes_nothing_and_says_so(cast, ada):
    edited(ada, cast.east)
    assert "There was nothing to save." in text(ada.get(LIST))
    assert Division.objects.get(id=cast.east.id).version == 1


@pytest.fixture
def two(cast, ada, browser_of):
    """Ada and Ben, who may both do it."""
    cast.custom_role("Second", *expand(cast.role("Admin").policies))
    cast.give(cast.ben, ("Second", None))
    return ada, browser_of(cast.ben)


def test_what_both_changed_is_shown_and_not_overwritten(cast, two):
    ada, ben = two
    mine = opened(ada, cast.east)
    edited(ben, cast.east, name="Ben's east")
    response = ada.post(url(cast.east, "edit"), {**mine, "name": "Ada's east"})
    assert "Ben changed this at " in text(response)
    assert "You both changed: Name." in text(response)
    assert "Name Ben's east Ada's east" in text(response)
    assert Division.objects.get(id=cast.east.id).name == "Ben's east"
    again = {key: str(value) for key, value in response.context["hidden"].items()}
    ada.post(url(cast.east, "edit"), {**mine, **again, "name": "Ada's east"})
    assert Division.objects.get(id=cast.east.id).name == "Ada's east"


def test_what_only_the_other_changed_is_taken_over(cast, two):
    ada, ben = two
    mine = opened(ada, cast.east)
    edited(ben, cast.east, description="By Ben")
    response = ada.post(url(cast.east, "edit"), {**mine, "name": "Ada's east"})
    assert "Ben also changed: Description. This is taken over below." in text(response)
    assert "By Ben</textarea>" in response.content.decode()
    assert 'value="Ada&#x27;s east"' in response.content.decode()


def test_a_change_that_comes_between_reading_and_saving_is_a_conflict_too(cast, two, monkeypatch):
    ada, ben = two
    mine = opened(ada, cast.east)
    change = divisions_questions.divisions.change

    def late(**more):
        monkeypatch.undo()
        edited(ben, cast.east, name="Ben's east")
        return change(**more)

    monkeypatch.setattr(divisions_questions.divisions, "change", late)
    response = ada.post(url(cast.east, "edit"), {**mine, "name": "Ada's east"})
    assert "You both changed: Name." in text(response)
    assert Division.objects.get(id=cast.east.id).name == "Ben's east"


# --- Moving people -------------------------------------------------------------------------------


def test_people_are_found_and_moved(cast, ada):
    amal, bea = cast.person("Amal Adeyemi", cast.home), cast.person("Bea Brandt", cast.west)
    page = text(ada.get(url(cast.east, "move")))
    assert "Amal Adeyemi" in page
    assert "Eve" not in page  # she is there already
    found = ada.get(url(cast.east, "move"), {"q": "brandt"})
    assert [person.name for person in found.context["page"]] == ["Bea Brandt"]
    said = ada.post(url(cast.east, "move"), {"person": [amal.id, bea.id]}, follow=True)
    assert "2 people were moved to East." in text(said)
    assert set(cast.east.people.values_list("name", flat=True)) == {"Amal Adeyemi", "Bea Brandt", "Eve"}


def test_a_page_of_people_is_selected_at_once(cast, ada):
    page = ada.get(url(cast.east, "move"), {"all": "1"}).content.decode()
    assert page.count('name="person"') == page.count(" checked>") == 2


def test_moving_nobody_is_a_problem_and_those_who_are_there_already_are_none(cast, ada):
    response = ada.post(url(cast.east, "move"))
    assert response.status_code == 400
    assert "Choose at least one person." in text(response)
    said = ada.post(url(cast.east, "move"), {"person": [cast.eve.id]}, follow=True)
    assert "They were there already." in text(said)


def test_only_those_are_offered_and_moved_whom_one_may_edit(cast, keeper):
    west = cast.person("Wes", cast.west)
    page = keeper.get(url(cast.east, "move"))
    assert [person.name for person in page.context["page"]] == ["Wes"]
    assert keeper.post(url(cast.east, "move"), {"person": [west.id, cast.ada.id]}).status_code == 403
    assert keeper.get(url(cast.home, "move")).status_code == 403
    assert keeper.post(url(cast.home, "move"), {"person": [west.id]}).status_code == 403
    assert User.objects.get(id=west.id).division == cast.west
    assert User.objects.get(id=cast.ada.id).division == cast.home


@pytest.mark.parametrize("nobody", ["nonsense", "11111111-1111-4111-8111-111111111111", "another's"])
def test_somebody_of_another_organization_or_of_nothing_is_not_found(cast, ada, nobody):
    key = cast.cleo.id if nobody == "another's" else nobody
    assert ada.post(url(cast.east, "move"), {"person": [cast.ben.id, key]}).status_code == 404
    assert User.objects.get(id=cast.ben.id).division == cast.home


def test_where_nobody_is_left_to_move_the_page_says_so(cast, keeper):
    assert "There is nobody to move" in text(keeper.get(url(cast.east, "move")))


# --- Deleting ------------------------------------------------------------------------------------


def test_home_cannot_be_deleted(cast, ada):
    assert "Home cannot be deleted." in text(ada.get(url(cast.home, "delete")))
    deleted(ada, cast.home, move_to=cast.east.id, with_grants="on")
    assert not gone(cast.home)


def test_an_empty_division_is_deleted_and_can_be_restored_from_the_message(cast, ada):
    assert "Nobody sits in it." in text(ada.get(url(cast.west, "delete")))
    assert deleted(ada, cast.west)["Location"] == LIST
    page = ada.get(LIST)
    assert "Division ‘West’ was deleted. Restore" in text(page)
    assert "Deleted divisions West" in text(page)
    assert gone(cast.west)


def test_the_people_must_go_somewhere(cast, ada):
    assert "1 person sits in it and moves to another division." in text(ada.get(url(cast.east, "delete")))
    response = deleted(ada, cast.east)
    assert problems(response) == ["Choose the division that they move to."]
    response = deleted(ada, cast.east, move_to=uuid.uuid4())
    assert problems(response) == ["Choose a division from the list."]
    assert not gone(cast.east)
    deleted(ada, cast.east, move_to=cast.west.id)
    assert gone(cast.east)
    assert User.objects.get(id=cast.eve.id).division == cast.west


def test_roles_that_are_held_there_are_named_and_taken_away_only_when_confirmed(cast, ada):
    cast.give(cast.ben, ("Supervisor", cast.west), ("Supervisor", cast.home))
    cast.client(("Supervisor", cast.west), ("SCIM Integration", cast.west))
    asked = text(ada.get(url(cast.west, "delete")))
    assert "SCIM Integration: 1 client Supervisor: 1 person, 1 client" in asked
    assert problems(deleted(ada, cast.west)) == ["Confirm that these roles are taken away."]
    assert not gone(cast.west)
    deleted(ada, cast.west, with_grants="on")
    assert gone(cast.west)
    assert not RoleGrant.objects.filter(division=cast.west).exists()
    assert RoleGrant.objects.filter(subject_id=cast.ben.id, division=cast.home).exists()


def test_a_confirmation_counts_only_for_the_roles_that_were_shown(cast, ada):
    shown = ada.get(url(cast.west, "delete")).context["shown"]
    cast.give(cast.ben, ("Supervisor", cast.west))
    response = ada.post(url(cast.west, "delete"), {"shown": shown, "with_grants": "on"})
    assert "Other roles are held here by now." in text(response)
    assert not gone(cast.west)


def test_what_one_may_not_do_for_it_stands_in_the_way(cast, keeper):
    cast.give(cast.ben, ("Supervisor", cast.west))
    said = text(keeper.get(url(cast.west, "delete")))
    assert "You need the permission Authorization > Grant > Delete in West." in said
    assert deleted(keeper, cast.west, with_grants="on").status_code == 200
    assert not gone(cast.west)
    # East's people may go to West alone.
    options = keeper.get(url(cast.east, "delete")).context["form"].fields["move_to"].choices
    assert [label for _value, label in options] == ["Choose a division", "West"]


def test_deleting_asks_for_the_password_when_it_was_typed_long_ago(cast, ada, settings):
    settings.RECENT_SIGN_IN_SECONDS = -1
    assert ada.post(url(cast.west, "delete"))["Location"].startswith("/confirm-password/")
    assert not gone(cast.west)


def test_somebody_who_comes_meanwhile_is_not_lost(cast, ada, monkeypatch):
    monkeypatch.setattr(divisions_questions, "_people_of", lambda _division: 0)
    response = deleted(ada, cast.east)
    assert "One person sits in ‘East’. Choose the division that they move to." in text(response)
    assert not gone(cast.east)


# --- Restoring -----------------------------------------------------------------------------------


def test_a_deleted_division_is_restored_under_another_name_where_its_own_is_taken(cast, ada):
    deleted(ada, cast.west)
    ada.post(f"{LIST}new/", {"name": "West"})
    assert "It comes back empty" in text(ada.get(url(cast.west, "restore")))
    response = ada.post(url(cast.west, "restore"), {"name": "West", "description": ""})
    assert problems(response) == ["Another division is already called ‘West’."]
    ada.post(url(cast.west, "restore"), {"name": "Far west", "description": ""})
    assert Division.objects.get(id=cast.west.id).name == "Far west"
    assert not gone(cast.west)
    assert ada.get(url(cast.west, "restore")).status_code == 404


def test_deleted_divisions_are_shown_only_to_those_who_may_see_them(cast, ada, keeper):
    deleted(ada, cast.west, with_grants="on")
    assert "Deleted divisions" not in text(keeper.get(LIST))
    assert keeper.get(url(cast.west, "restore")).status_code == 403
    assert keeper.post(url(cast.west, "restore"), {"name": "West"}).status_code == 403
    assert gone(cast.west)


# --- Deleted meanwhile ---------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["edit", "move", "delete"])
def test_a_division_that_somebody_else_deleted_meanwhile_is_said_to_be_gone(cast, ada, action):
    opened_before = opened(ada, cast.west)
    cast.give(cast.ben, ("Admin", cast.home))
    divisions.delete(actor=cast.actor(cast.ben), division_id=cast.west.id)
    sent = {**opened_before, "name": "Far West", "person": str(cast.eve.id)}
    response = ada.post(url(cast.west, action), sent, follow=True)
    assert response.redirect_chain == [(LIST, 302)]
    assert "Ben deleted ‘West’ in the meantime, so nothing was saved." in text(response)
    assert Division.objects.get(id=cast.west.id).name == "West"
    assert User.objects.get(id=cast.eve.id).division == cast.east
    assert ada.get(url(cast.west, action)).status_code == 404


def test_a_division_that_is_there_again_is_not_said_to_be_gone(cast, ada):
    """A person who is not there is another thing."""
    actor = cast.actor(cast.ada)
    divisions.delete(actor=actor, division_id=cast.west.id)
    divisions.restore(actor=actor, division_id=cast.west.id)
    response = ada.post(url(cast.west, "move"), {"person": str(cast.cleo.id)})
    assert response.status_code == 404
