"""Grant drift in the console: a pair whose giver could not give it any more is shown wherever its holder is,
nothing is changed silently, and the next save settles it."""

from __future__ import annotations

import pytest

from accounts import drift
from accounts.models import Division, Role, RoleGrant
from tests.oauthclients.console.wizard import LIST, roles, text

PEOPLE = "/admin/people/"
SENTENCE = "‘Supervisor’ in Home was given by Ben, who could not give it any more."


@pytest.fixture
def given(cast):
    """A client to which Ben gave Supervisor in Home, and then lost it himself."""
    client, _secret = cast.client(("Supervisor", cast.home), name="Billing sync", by=cast.ben)
    cast.client(("Supervisor", cast.home), name="In order", by=cast.ada)
    cast.give(cast.ben, ("Client Manager", cast.home))
    return client


@pytest.fixture
def ada(cast, browser_of):
    return browser_of(cast.ada)


def page(browser, client, path: str = "") -> str:
    return text(browser.get(f"{LIST}{client.id}/{path}"))


@pytest.fixture
def given_by_cleo(cast):
    """Makes what these people hold drift: Cleo, of another organization, holds nothing here."""

    def drifts(*persons) -> None:
        rows = RoleGrant.objects.filter(subject_id__in=[person.id for person in persons])
        rows.update(granted_by_id=cast.cleo.id, granted_by_type="PC_USER")

    return drifts


def unsettled(cast, client) -> bool:
    return bool(drift.gifts(cast.acme, subject_ids=[client.id]))


def test_the_clients_page_says_which_pair_and_who_gave_it(given, ada):
    said = page(ada, given)
    assert SENTENCE in said
    assert "Edit and save to settle it, or remove the pair." in said


def test_somebody_who_may_not_edit_is_told_who_can_settle_it(cast, given, browser_of):
    said = page(browser_of(cast.ben), given)
    assert SENTENCE in said
    assert "Somebody who holds its roles can settle it" in said


def test_a_client_in_order_says_nothing(cast, given, ada):
    other = type(given).objects.get(name="In order")
    assert "no longer holds it" not in page(ada, other)
    assert "no longer holds it" not in page(ada, other, "edit/")


def test_what_the_installation_gave_never_drifts(cast, ada):
    client, _secret = cast.client(("Supervisor", cast.home))
    assert "no longer holds it" not in page(ada, client)


def test_a_giver_who_left_is_named_all_the_same(cast, given, ada):
    cast.ben.state = "deleted"
    cast.ben.save()
    assert SENTENCE in page(ada, given)


def test_saving_the_edit_without_a_change_settles_it_and_names_the_new_giver(cast, given, ada):
    assert SENTENCE in page(ada, given, "edit/")
    assert "Save settles it, even without a change" in page(ada, given, "edit/")
    sent = {
        "version": given.version,
        "name": given.name,
        "seconds": "86400",
        **roles((cast.role("Supervisor"), [cast.home])),
    }
    assert "Changes saved." in text(ada.post(f"{LIST}{given.id}/edit/", sent, follow=True))
    assert not unsettled(cast, given)
    assert RoleGrant.objects.get(subject_id=given.id).granted_by_id == cast.ada.id
    assert "no longer holds it" not in page(ada, given)


def test_nothing_is_changed_by_looking(cast, given, ada):
    ada.get("/admin/")
    page(ada, given)
    page(ada, given, "edit/")
    assert unsettled(cast, given)
    assert RoleGrant.objects.get(subject_id=given.id).granted_by_id == cast.ben.id


def test_the_list_marks_it_and_can_be_narrowed_to_it(given, ada):
    response = ada.get(LIST)
    assert {row["client"].name: row["drifted"] for row in response.context["rows"]} == {
        "Billing sync": True,
        "In order": False,
    }
    assert response.content.decode().count("Review roles") == 1
    narrowed = ada.get(LIST, {"drift": "1"})
    assert [row["client"].name for row in narrowed.context["rows"]] == ["Billing sync"]
    assert f'href="{LIST}"' in narrowed.content.decode()  # chosen once more, it is taken away


def test_marking_costs_the_same_for_a_full_page(cast, given, ada, django_assert_max_num_queries):
    with django_assert_max_num_queries(16) as first:
        ada.get(LIST)
    cast.give(cast.ben, ("Supervisor", cast.home), ("Client Manager", cast.home))
    for number in range(30):
        cast.client(("Supervisor", cast.home), name=f"Client {number}", by=cast.ben)
    cast.give(cast.ben, ("Client Manager", cast.home))
    with django_assert_max_num_queries(16) as second:
        assert sum(row["drifted"] for row in ada.get(LIST).context["rows"]) == 25
    assert len(first) == len(second)


def test_admin_home_counts_clients_and_people_and_leads_there(cast, given, ada):
    cast.custom_role("Giver", "authorization:grant:add", "directory:user:view")
    cast.give(cast.ben, ("Supervisor", cast.home), ("Client Manager", cast.home))
    assert "Needs attention" not in text(ada.get("/admin/"))
    cast.give(cast.ben, ("Client Manager", cast.home))
    RoleGrant.objects.filter(subject_id=cast.eve.id).update(
        granted_by_id=cast.ben.id, granted_by_type="PC_USER"
    )
    response = ada.get("/admin/")
    assert "1 client holds a role that whoever gave it no longer holds" in text(response)
    assert "1 person holds a role that whoever gave it could no longer give" in text(response)
    assert f'href="{LIST}?drift=1"' in response.content.decode()
    assert f'href="{PEOPLE}?drift=1"' in response.content.decode()
    assert [row["person"] for row in ada.get(PEOPLE, {"drift": "1"}).context["rows"]] == [cast.eve]


def only(response) -> dict[str, str]:
    """The filters of the group "Only", with where they lead."""
    groups = {group["label"]: group["filters"] for group in response.context["groups"]}
    return {one["label"]: one["url"] for one in groups.get("Only", ())}


def test_the_people_list_can_be_narrowed_to_those_to_review(cast, ada, given_by_cleo):
    assert only(ada.get(PEOPLE)) == {}
    given_by_cleo(cast.eve)
    assert only(ada.get(PEOPLE)) == {"Review roles": f"{PEOPLE}?drift=1"}
    assert only(ada.get(PEOPLE, {"q": "ben"})) == {}
    narrowed = ada.get(PEOPLE, {"drift": "1"})
    assert [row["person"].name for row in narrowed.context["rows"]] == ["Eve"]
    assert only(narrowed) == {"Review roles": PEOPLE}  # chosen once more, it is taken away
    assert narrowed.context["hidden"] == [{"name": "drift", "value": "1"}]
    assert 'aria-current="true">Review roles</a>' in narrowed.content.decode()
    # What the other filters would show beside it.
    [state, *_groups] = narrowed.context["groups"]
    assert {one["label"]: one["count"] for one in state["filters"]}["All"] == 1


def test_when_all_is_settled_the_narrowed_list_is_empty_and_can_be_left(cast, ada):
    page = ada.get(PEOPLE, {"drift": "1"})
    assert page.context["rows"] == []
    assert page.context["clear_url"] == PEOPLE
    assert f'href="{PEOPLE}">Clear filters</a>' in page.content.decode()


def test_whose_roles_one_may_not_see_is_not_among_those_to_review(cast, browser_of, given_by_cleo):
    given_by_cleo(cast.eve, cast.ben)
    viewer = cast.person("Viewer", cast.home)
    cast.custom_role("People Viewer", "directory:user:view")
    cast.custom_role("Grant Viewer", "authorization:grant:view")
    cast.give(viewer, ("People Viewer", None))
    assert browser_of(viewer).get(PEOPLE, {"drift": "1"}).context["rows"] == []
    cast.give(viewer, ("People Viewer", None), ("Grant Viewer", cast.east))
    narrowed = browser_of(viewer).get(PEOPLE, {"drift": "1"})
    assert [row["person"].name for row in narrowed.context["rows"]] == ["Eve"]


def test_admin_home_tells_only_those_who_may_see_clients_or_people(cast, given, browser_of):
    assert "no longer holds" in text(browser_of(cast.ben).get("/admin/"))
    cast.custom_role("Role Viewer", "authorization:role:view")
    cast.give(cast.eve, ("Role Viewer", cast.home))
    assert "no longer holds" not in text(browser_of(cast.eve).get("/admin/"))
    assert "no longer holds" not in text(browser_of(cast.cleo).get("/admin/"))


def test_people_are_counted_only_where_one_may_see_their_roles(cast, browser_of, given_by_cleo):
    given_by_cleo(cast.eve)
    cast.give(cast.ben, ("Supervisor", cast.home))
    assert "could no longer give" not in text(browser_of(cast.ben).get("/admin/"))
    cast.give(cast.ben, ("Supervisor", cast.east))
    assert "1 person holds a role that whoever gave it could no longer give" in text(
        browser_of(cast.ben).get("/admin/")
    )


def test_a_giver_of_very_many_pairs_can_leave(cast, ada):
    """However much one person gave, the pages that say so can be read."""
    places = Division.objects.bulk_create(
        Division(organization=cast.acme, name=f"Team {number}") for number in range(150)
    )
    jobs = Role.objects.bulk_create(
        Role(organization=cast.acme, name=f"Job {number}") for number in range(20)
    )
    client, _secret = cast.client(("Supervisor", cast.home), name="Everywhere")
    RoleGrant.objects.bulk_create(
        RoleGrant(
            organization=cast.acme,
            subject_type="PC_OAUTH_CLIENT",
            subject_id=client.id,
            role=job,
            division=place,
            granted_by_type="PC_USER",
            granted_by_id=cast.ben.id,
        )
        for job in jobs
        for place in places
    )
    assert "1 client holds a role" in text(ada.get("/admin/"))
    assert ada.get(f"{LIST}{client.id}/").status_code == 200
    assert [row["drifted"] for row in ada.get(LIST).context["rows"]] == [True]
