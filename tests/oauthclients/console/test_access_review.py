"""Oversight > Access review: what is held and not used is found, what cannot be known is not claimed, and
nothing is taken away before somebody saves."""

from __future__ import annotations

import csv
import re
from datetime import date, datetime, timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import AuditEvent, RoleGrant
from accounts.permissions import Permission
from oauthclients.models import NOTHING, Client, ClientAuthorization, ClientSecret, UsedAccess
from oauthclients.services import secrets
from tests.cast import Cast
from tests.oauthclients.console.wizard import LIST, text

REVIEW = "/admin/access-review/"
APPS = "/admin/integrations/authorized-applications/"
LONG_AGO = timedelta(days=200)


def now() -> datetime:
    return timezone.now()


def today() -> date:
    return now().date()


def watched(client: Client, since: timedelta = LONG_AGO) -> Client:
    """As if it had been there for so long, and in use."""
    Client.objects.filter(id=client.id).update(
        use_noted_since=today() - since, created=now() - since, last_used_at=now()
    )
    RoleGrant.objects.filter(subject_id=client.id).update(granted_at=now() - since)
    ClientAuthorization.objects.filter(client=client).update(created_at=now() - since)
    return client


def uses(cast: Cast, client: Client, role: str = "", division=None, *, scope="", days_ago=0) -> None:
    UsedAccess.objects.create(
        organization_id=cast.acme.id,
        client_id=client.id,
        role_id=cast.role(role).id if role else NOTHING,
        division_id=division.id if division else NOTHING,
        scope=scope,
        last_day=today() - timedelta(days=days_ago),
    )


@pytest.fixture
def ada(cast, browser_of):
    return browser_of(cast.ada)


@pytest.fixture
def program(cast):
    """Supervisor in Home is used, the rest is not."""
    client, _secret = cast.client(
        ("Supervisor", cast.home), ("Supervisor", cast.east), ("Admin", None), name="Sync"
    )
    uses(cast, client, "Supervisor", cast.home, days_ago=3)
    return watched(client)


def rows(browser, show: str = "access", **more) -> list[dict]:
    response = browser.get(REVIEW, {"show": show, **more})
    assert response.status_code == 200
    return response.context["rows"]


def found(browser, **more) -> dict[str, list[str]]:
    """{"Sync": ["Admin: all divisions"]}"""
    return {
        row["client"].name: [f"{pair['role']}: {pair['division']}" for pair in row["unused"]]
        for row in rows(browser, **more)
    }


def switched_on(page) -> set[str]:
    """The roles whose switches are on in an edit page."""
    switches = re.findall(r"<input[^>]*name=\"role\"[^>]*>", page.content.decode())
    return {
        re.search(r'value="([^"]+)"', one)[1]  # type: ignore[index]
        for one in switches
        if " checked" in one
    }


# --- Roles and divisions -------------------------------------------------------------------------


def test_what_is_not_used_is_found_and_what_is_used_is_not(ada, program):
    assert found(ada) == {"Sync": ["Admin: all divisions", "Supervisor: East"]}
    (row,) = rows(ada)
    assert row["used"] == "1 of 3"


def test_what_was_used_before_the_period_is_not_used_in_it(cast, ada, program):
    uses(cast, program, "Admin", days_ago=45)

    assert found(ada) == {"Sync": ["Supervisor: East"]}
    assert found(ada, days=30) == {"Sync": ["Admin: all divisions", "Supervisor: East"]}
    assert found(ada, days=60) == {"Sync": ["Supervisor: East"]}
    assert found(ada, days=12) == found(ada)
    assert "last used" in text(ada.get(REVIEW, {"days": 30}))


@pytest.mark.parametrize(("days", "told"), [(89, False), (90, True)])
def test_a_client_that_is_too_young_is_not_judged(cast, ada, program, days, told):
    watched(program, timedelta(days=days))

    assert bool(found(ada)) is told
    assert ("1 client is too young to tell" in text(ada.get(REVIEW))) is not told


def test_a_role_that_was_given_lately_is_not_judged(cast, ada, program):
    RoleGrant.objects.filter(subject_id=program.id, role__name="Admin").update(granted_at=now())

    assert found(ada) == {"Sync": ["Supervisor: East"]}
    assert rows(ada)[0]["young"] == "1 more is too new to tell"


def test_clients_that_do_nothing_at_all_are_elsewhere(cast, ada, program):
    Client.objects.filter(id=program.id).update(last_used_at=now() - timedelta(days=100))

    assert found(ada) == {}
    assert [row["client"].name for row in rows(ada, "unused")] == ["Sync"]


def test_another_organizations_notes_count_for_nothing_here(cast, ada, program):
    UsedAccess.objects.create(
        organization_id=cast.globex.id,
        client_id=program.id,
        role_id=cast.role("Admin").id,
        last_day=today(),
    )

    assert "Admin: all divisions" in found(ada)["Sync"]


def test_where_a_service_asks_about_tokens_nothing_is_proposed(cast, ada, program):
    uses(cast, program)
    page = text(ada.get(REVIEW))

    assert "A service asked about its tokens" in page
    assert "Remove these" not in page


def test_remove_these_opens_the_edit_page_with_the_choice_made_and_nothing_changed(cast, ada, program):
    (row,) = rows(ada)
    assert row["remove_url"] in ada.get(REVIEW).content.decode().replace("&amp;", "&")
    before = set(RoleGrant.objects.filter(subject_id=program.id).values_list("id", flat=True))

    page = ada.get(row["remove_url"])

    said = text(page)
    assert "Switched off below, because it was not used" in said
    assert "Admin: all divisions" in said
    assert "Nothing has changed yet" in said
    assert switched_on(page) == {str(cast.role("Supervisor").id)}
    assert set(RoleGrant.objects.filter(subject_id=program.id).values_list("id", flat=True)) == before
    assert Client.objects.get(id=program.id).version == 1

    supervisor = cast.role("Supervisor").id
    ada.post(
        f"{LIST}{program.id}/edit/",
        {
            "version": 1,
            "seen": page.context["seen"],
            "name": "Sync",
            "description": "",
            "seconds": 86_400,
            "role": [str(supervisor)],
            f"divisions-{supervisor}": [str(cast.home.id)],
        },
    )
    assert (
        set(RoleGrant.objects.filter(subject_id=program.id).values_list("id", flat=True)) == before
    )  # asked first


def test_an_address_that_names_what_is_not_held_changes_nothing_on_the_page(cast, ada, program):
    for without in ("x", f"{cast.role('Supervisor').id}:{cast.west.id}", "\x00"):
        page = ada.get(f"{LIST}{program.id}/edit/", {"without": without})
        assert page.status_code == 200
        assert "Switched off below" not in text(page)


def test_where_nothing_would_be_left_the_client_can_be_switched_off(cast, ada, program):
    UsedAccess.objects.all().delete()
    page = ada.get(REVIEW)

    assert "Remove these" not in text(page)
    assert f"{LIST}{program.id}/disable/" in page.content.decode()


def test_who_lacks_the_clients_roles_sees_that_they_cannot_edit(cast, browser_of, program):
    page = text(browser_of(cast.ben).get(REVIEW))

    assert "You can view but not edit" in page
    assert "Remove these" not in page


# --- Scopes --------------------------------------------------------------------------------------


@pytest.fixture
def app(cast):
    client = cast.app("users", "groups", "oauth", by=cast.ada).client
    uses(cast, client, scope="users:readonly")
    uses(cast, client, scope="oauth")
    watched(client)
    ClientAuthorization.objects.filter(client=client).update(created_at=now() - LONG_AGO)
    return client


@pytest.fixture
def _no_trail(monkeypatch):
    """As if what is in the trail had been done long ago; nobody changes its lines."""
    monkeypatch.setattr(
        "oauthclients.access_review._authorized_since", lambda looked, ids: {id: {} for id in ids}
    )


@pytest.mark.usefixtures("_no_trail")
def test_scopes_that_are_not_used_are_found_and_reading_is_enough_for_who_only_reads(ada, app):
    (row,) = rows(ada, "scopes")

    assert [(scope["name"], scope["last_used"][:21]) for scope in row["unused"]] == [
        ("groups", row["unused"][0]["last_used"][:21]),
        ("users", "only reading was used"),
    ]
    assert row["used"] == "1 of 3"


def test_a_scope_that_was_authorized_lately_is_not_judged(ada, app):
    """The trail has it: the app was authorized a moment ago."""
    assert AuditEvent.objects.filter(entity_id=app.id, action="app.approved").exists()

    assert [scope["name"] for row in rows(ada, "scopes") for scope in row["unused"]] == []


@pytest.mark.usefixtures("_no_trail")
def test_where_the_trail_is_kept_for_a_shorter_time_the_last_change_counts(ada, app, settings):
    settings.AUDIT_RETENTION_DAYS = 30
    assert rows(ada, "scopes") == []

    ClientAuthorization.objects.update(modified_at=now() - LONG_AGO)
    assert len(rows(ada, "scopes")) == 1


@pytest.mark.usefixtures("_no_trail")
def test_remove_these_opens_the_authorization_with_the_choice_made_and_nothing_changed(cast, ada, app):
    (row,) = rows(ada, "scopes")
    page = ada.get(row["remove_url"])

    assert row["remove_url"].startswith(f"{APPS}{app.id}/?")
    assert page.context["typed"].scope == {"oauth", "users:readonly"}
    assert "users: only reading" in text(page)
    assert set(ClientAuthorization.objects.get(client=app).scope) == {"users", "groups", "oauth"}


@pytest.mark.usefixtures("_no_trail")
def test_an_app_that_nobody_uses_can_be_revoked(ada, app):
    UsedAccess.objects.all().delete()
    page = ada.get(REVIEW, {"show": "scopes"})

    assert f"{APPS}{app.id}/revoke/" in page.content.decode()
    assert "Remove these" not in text(page)


def test_an_address_cannot_give_a_scope(cast, ada, app):
    for query in ({"readonly": "telephony"}, {"without": "telephony"}, {"readonly": "nothing"}):
        page = ada.get(f"{APPS}{app.id}/", query)
        assert page.context["typed"].scope == {"users", "groups", "oauth"}


# --- The rest ------------------------------------------------------------------------------------


def test_drift_is_shown_for_clients_and_for_people_who_may_be_seen(cast, ada):
    cast.client(("Supervisor", cast.home), name="Given by Ben", by=cast.ben)
    cast.give(cast.ben, ("Client Manager", cast.home))
    RoleGrant.objects.filter(subject_id=cast.eve.id).update(
        granted_by_id=cast.cleo.id, granted_by_type="PC_USER"
    )
    assert {row["holder"] for row in rows(ada, "drift")} == {"Given by Ben", "Eve"}

    cast.custom_role("Views clients", Permission.OAUTH_CLIENT_VIEW)
    cast.give(cast.ben, ("Views clients", cast.home))
    viewer = Browser()
    viewer.force_login(cast.ben)
    holders = {row["holder"] for row in rows(viewer, "drift")}
    assert holders == {"Given by Ben"}


def test_old_secrets_that_still_work_are_shown_the_first_to_end_first(cast, ada):
    for name, hours in (("Later", 24), ("Soon", 1)):
        client, _secret = cast.client(("Supervisor", cast.home), name=name)
        secrets.generate(actor=cast.actor(cast.ada), client_id=client.id, overlap=timedelta(hours=hours))
    ClientSecret.objects.filter(client__name="Soon", ends_at__isnull=False).update(last_used_at=now())

    assert [(row["secret"].client.name, row["in_use"]) for row in rows(ada, "secrets")] == [
        ("Soon", True),
        ("Later", False),
    ]


def test_many_come_in_pages(cast, ada, django_assert_max_num_queries):
    for number in range(27):
        client, _secret = cast.client(
            ("Supervisor", cast.home), ("Admin", None), name=f"Client {number:02}"
        )
        watched(client)
        uses(cast, client, "Supervisor", cast.home)
    with django_assert_max_num_queries(24) as first:
        assert len(rows(ada)) == 25
    assert [row["client"].name for row in rows(ada, page=2)] == ["Client 25", "Client 26"]
    Client.objects.exclude(name="Client 00").delete()
    with django_assert_max_num_queries(24) as second:
        assert len(rows(ada)) == 1
    assert len(first) == len(second)


def test_where_there_is_nothing_to_review_it_says_so(ada, db):
    for show in ("access", "scopes", "unused", "drift", "secrets"):
        assert "Nothing to review" in text(ada.get(REVIEW, {"show": show}))


# --- The file ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_no_trail")
def test_the_file_has_all_findings_and_no_formula(cast, ada, program, app):
    Client.objects.filter(id=program.id).update(name="=cmd|' /C calc'!A0")
    old, _secret = cast.client(("Employee", cast.home), name="Old")
    watched(old)
    Client.objects.filter(id=old.id).update(last_used_at=None)
    response = ada.get(f"{REVIEW}access-review.csv")

    assert "attachment" in response["Content-Disposition"]
    lines = list(csv.DictReader(response.content.decode("utf-8-sig").splitlines()))
    assert {(line["finding"], line["name"], line["what"], line["division"]) for line in lines} == {
        ("unused role", "'=cmd|' /C calc'!A0", "Admin", "*"),
        ("unused role", "'=cmd|' /C calc'!A0", "Supervisor", "East"),
        ("unused scope", "Web app", "groups", ""),
        ("unused scope", "Web app", "users", ""),
        ("unused client", "Old", "active", ""),
    }


# --- Who may see it ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "access-review.csv"])
def test_people_without_the_permission_are_refused(cast, browser_of, program, path):
    assert browser_of(cast.eve).get(REVIEW + path).status_code == 403
    assert Browser().get(REVIEW + path).status_code == 302
    elsewhere = browser_of(cast.cleo).get(REVIEW + path)
    assert elsewhere.status_code == 200
    assert b"Sync" not in elsewhere.content


@pytest.mark.usefixtures("_no_trail")
def test_each_sees_the_parts_that_they_may(cast, browser_of, program, app):
    cast.custom_role("Authorizes", Permission.OAUTH_CLIENT_AUTHORIZE)
    cast.give(cast.eve, ("Authorizes", cast.home))
    eve = browser_of(cast.eve)

    page = eve.get(REVIEW)
    assert page.context["part"] == "scopes"
    assert eve.get(REVIEW, {"show": "access"}).context["part"] == "scopes"
    content = eve.get(f"{REVIEW}access-review.csv").content.decode()
    assert "unused scope" in content
    assert "unused role" not in content

    ben = browser_of(cast.ben)
    assert "scopes" not in [part["label"] for part in ben.get(REVIEW).context["groups"][0]["filters"]]
