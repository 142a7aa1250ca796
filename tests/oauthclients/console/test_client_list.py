"""The OAuth list: who sees what, finding, sorting, paging, and what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from oauthclients.console.client_list import Wanted
from oauthclients.models import Client, ClientDraft
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients
from tests.standing import standing

LIST = "/admin/integrations/oauth/"


def page(browser, **asked) -> str:
    response = browser.get(LIST, asked)
    assert response.status_code == 200
    return response.content.decode()


def names(browser, **asked) -> list[str]:
    """The app names in the table, in order."""
    browser_page = browser.get(LIST, asked)
    return [row["client"].name for row in browser_page.context["rows"]]


def entries(browser, name: str) -> list[str]:
    rows = browser.get(LIST).context["rows"]
    return next([entry["label"] for entry in row["entries"]] for row in rows if row["client"].name == name)


def web_client(cast, name: str, grant_type: str = "authorization-code"):
    client, _secret = clients.create(
        actor=cast.actor(cast.ada),
        spec=ClientSpec(
            name=name,
            grant_type=grant_type,
            redirect_uris=("https://app.example.com/callback",),
            scope=("users:readonly",),
        ),
    )
    return client


def used(client, ago: timedelta | None) -> None:
    Client.objects.filter(id=client.id).update(last_used_at=ago and timezone.now() - ago)


def made(client, ago: timedelta) -> None:
    Client.objects.filter(id=client.id).update(created=timezone.now() - ago)


# --- Who -----------------------------------------------------------------------------------------


def test_it_needs_the_permission_to_view_clients(cast, browser_of, client):
    assert client.get(LIST)["Location"] == f"/sign-in/?next={LIST}"
    assert browser_of(cast.eve).get(LIST).status_code == 403
    assert browser_of(cast.ben).get(LIST).status_code == 200


def test_another_organizations_clients_are_not_there(cast, browser_of):
    cast.client(("Supervisor", cast.home), name="Acme's own", by=cast.ada)
    html = page(browser_of(cast.cleo))
    assert "Acme&#x27;s own" not in html
    assert "No clients yet" in html


def test_adding_is_offered_only_to_those_who_may(cast, browser_of):
    cast.client(("Supervisor", cast.home), by=cast.ada)
    cast.custom_role("Onlooker", "oauth:client:view")
    cast.give(cast.eve, ("Onlooker", cast.home))
    assert f'href="{LIST}add/"' in page(browser_of(cast.ada))
    assert f'href="{LIST}add/"' not in page(browser_of(cast.eve))


def test_the_row_menu_has_only_what_the_person_may_do_now(cast, browser_of):
    cast.client(("Supervisor", cast.home), name="Both may", by=cast.ada)
    cast.client(("Supervisor", cast.east), name="Ada alone", by=cast.ada)
    gone, _secret = cast.client(("Supervisor", cast.home), name="Leaving", by=cast.ada)
    off, _secret = cast.client(("Supervisor", cast.home), name="Off", by=cast.ada)
    ada = cast.actor(cast.ada)
    clients.set_enabled(actor=ada, client_id=off.id, enabled=False)
    made(gone, timedelta(days=31))
    clients.delete(actor=ada, client_id=gone.id)
    everything = ["Edit", "Disable", "Generate new secret", "Delete"]
    browser = browser_of(cast.ben)
    assert entries(browser, "Both may") == everything
    assert entries(browser, "Ada alone") == ["Delete"]  # deleting hands on no rights
    assert entries(browser, "Off") == ["Edit", "Enable", "Generate new secret", "Delete"]
    assert entries(browser, "Leaving") == ["Restore"]
    assert entries(browser_of(cast.ada), "Ada alone") == everything
    cast.custom_role("Onlooker", "oauth:client:view")
    cast.give(cast.eve, ("Onlooker", cast.home))
    assert entries(browser_of(cast.eve), "Both may") == []


# --- What ----------------------------------------------------------------------------------------


def test_a_row_says_what_there_is_to_know(cast, browser_of):
    client, _secret = cast.client(
        ("Supervisor", cast.home), by=cast.ada, description="Sends <invoices>", name="Billing & co"
    )
    html = page(browser_of(cast.ada))
    assert f'<a href="{LIST}{client.id}/"><bdi>Billing &amp; co</bdi></a>' in html
    assert "Sends &lt;invoices&gt;" in html
    assert f"<code>{client.client_id}</code>" in html
    assert f'data-copy-text="{client.client_id}"' in html
    assert "Client Credentials" in html
    assert "Active" in html
    assert ">never</td>" in html
    assert ">Ada</td>" in html


def test_last_used_is_relative_with_the_exact_time_in_the_title(cast, browser_of):
    client, _secret = cast.client(("Supervisor", cast.home), by=cast.ada)
    used(client, timedelta(hours=5))
    html = page(browser_of(cast.ada)).replace("\xa0", " ")
    assert ">5 hours ago</time>" in html
    assert 'UTC">5 hours ago' in html


def test_an_empty_list_says_what_it_is_for(cast, browser_of):
    html = page(browser_of(cast.ada))
    assert "No clients yet" in html
    assert "A client is an app or service that needs a token." in html
    assert html.count(f'href="{LIST}add/"') == 1


def test_an_unfinished_client_can_be_resumed_or_discarded(cast, browser_of):
    draft = ClientDraft.objects.create(user=cast.ada, data={"details": {"name": "Payroll <x>"}})
    html = page(browser_of(cast.ada))
    assert "Unfinished client ‘<bdi>Payroll &lt;x&gt;</bdi>’" in html
    assert f'href="{LIST}add/{draft.id}/discard/"' in html
    assert "Unfinished" not in page(browser_of(cast.ben))


# --- Finding -------------------------------------------------------------------------------------


@standing
def four(cast):
    """Of every sort one; the last two are Ben's."""
    ada = cast.actor(cast.ada)
    billing, _secret = cast.client(
        ("Supervisor", cast.home), name="Billing", by=cast.ada, description="Invoices"
    )
    desk = web_client(cast, "agent desktop")
    wallboard, _secret = cast.client(("Supervisor", cast.home), name="Wallboard", by=cast.ben)
    importer, _secret = cast.client(("Supervisor", cast.home), name="Importer", by=cast.ben)
    used(billing, timedelta(days=100))
    used(desk, timedelta(hours=1))
    clients.set_enabled(actor=ada, client_id=wallboard.id, enabled=False)
    made(importer, timedelta(days=91))
    clients.delete(actor=ada, client_id=importer.id)
    return billing, desk, wallboard, importer


def test_clients_are_found_by_name_description_and_id(cast, browser_of, four):
    browser = browser_of(cast.ada)
    assert names(browser, q="BILL") == ["Billing"]
    assert names(browser, q="invoices") == ["Billing"]
    assert names(browser, q=four[1].client_id.upper()) == ["agent desktop"]
    assert names(browser, q=four[1].client_id[:13]) == ["agent desktop"]
    assert names(browser, q="%") == []
    assert names(browser, q="\x00") == ["agent desktop", "Billing", "Importer", "Wallboard"]


def test_filters_narrow_the_list(cast, browser_of, four):
    browser = browser_of(cast.ben)
    assert names(browser, state="active") == ["agent desktop", "Billing"]
    assert names(browser, state="disabled") == ["Wallboard"]
    assert names(browser, state="pending") == ["Importer"]
    assert names(browser, grant="authorization-code") == ["agent desktop"]
    assert names(browser, unused="1") == ["Billing", "Importer"]
    assert names(browser, mine="1") == ["Importer", "Wallboard"]
    assert names(browser, mine="1", state="disabled", q="wall") == ["Wallboard"]


def test_each_filter_says_how_many_it_would_show(cast, browser_of, four):
    groups = browser_of(cast.ben).get(LIST, {"mine": "1"}).context["groups"]
    counts = [{filter["label"]: filter["count"] for filter in group["filters"]} for group in groups]
    assert counts[0] == {"All": 2, "Active": 0, "Disabled": 1, "Pending deletion": 1}
    assert counts[1]["Client Credentials"] == 2
    assert counts[1]["Code Authorization"] == 0
    assert counts[2] == {"Unused for 90 days": 1, "Created by me": 2}


def test_what_is_asked_is_in_the_address(cast, browser_of, four):
    response = browser_of(cast.ada).get(LIST, {"q": "b&b", "state": "active", "sort": "-used"})
    state = {filter["label"]: filter["url"] for filter in response.context["groups"][0]["filters"]}
    assert state["Disabled"] == f"{LIST}?q=b%26b&state=disabled&sort=-used"
    assert response.context["clear_url"] == LIST
    html = response.content.decode()
    assert '<input type="hidden" name="state" value="active">' in html
    assert 'value="b&amp;b"' in html


def test_no_results_offer_a_way_out(cast, browser_of, four):
    html = page(browser_of(cast.ada), q="<zzz>")
    assert "Nothing matches ‘&lt;zzz&gt;’." in html
    assert "Clear filters" in html


@pytest.mark.parametrize(
    "asked",
    [
        {"state": "nonsense"},
        {"grant": "nonsense"},
        {"sort": "id"},
        {"sort": "organization__name"},
        {"page": "999"},
        {"page": "x"},
        {"unused": "2"},
    ],
)
def test_what_the_address_cannot_mean_is_ignored(cast, browser_of, four, asked):
    assert len(names(browser_of(cast.ada), **asked)) == 4


def test_the_list_is_sorted_by_its_headers(cast, browser_of, four):
    browser = browser_of(cast.ada)
    assert names(browser) == ["agent desktop", "Billing", "Importer", "Wallboard"]
    assert names(browser, sort="-name") == ["Wallboard", "Importer", "Billing", "agent desktop"]
    # Never used comes last in either direction.
    assert names(browser, sort="used")[:2] == ["Billing", "agent desktop"]
    assert names(browser, sort="-used")[:2] == ["agent desktop", "Billing"]
    html = page(browser, sort="-used")
    assert html.count("aria-sort=") == 1
    assert 'aria-sort="descending"' in html


def test_twenty_five_fit_on_a_page(cast, browser_of):
    for number in range(27):
        cast.client(("Supervisor", cast.home), name=f"Client {number:02d}")
    browser = browser_of(cast.ada)
    first = browser.get(LIST, {"sort": "-name"})
    assert "1–25 of 27" in first.content.decode()
    assert len(first.context["rows"]) == 25
    assert first.context["next_url"] == f"{LIST}?sort=-name&page=2"
    second = browser.get(first.context["next_url"])
    assert "26–27 of 27" in second.content.decode()
    assert [row["client"].name for row in second.context["rows"]] == ["Client 01", "Client 00"]


def test_a_client_past_its_removal_date_is_gone(cast, browser_of, four):
    Client.objects.filter(id=four[3].id).update(date_to_delete=timezone.now() - timedelta(seconds=1))
    assert "Importer" not in names(browser_of(cast.ada))


def test_an_address_survives_going_there_and_back():
    wanted = Wanted(q="a b", state="active", grant="implicit", unused=True, mine=True, sort="-by")
    assert wanted.address(page=3) == (
        f"{LIST}?q=a+b&state=active&grant=implicit&unused=1&mine=1&sort=-by&page=3"
    )
    assert Wanted().address() == LIST


# --- What it costs -------------------------------------------------------------------------------


def test_a_full_page_takes_at_most_thirteen_statements(cast, browser_of, django_assert_max_num_queries):
    for number in range(30):
        cast.client(("Supervisor", cast.home), ("Supervisor", cast.east), name=f"Client {number:02d}")
    ClientDraft.objects.create(user=cast.ada, data={"details": {"name": "X"}})
    browser = browser_of(cast.ada)
    with django_assert_max_num_queries(13) as first:
        assert len(browser.get(LIST).context["rows"]) == 25
    # And no more for 25 than for one.
    Client.objects.exclude(name="Client 00").delete()
    with django_assert_max_num_queries(13) as second:
        assert len(browser.get(LIST).context["rows"]) == 1
    assert len(first) == len(second)
