"""What a client uses, and the review of what it does not, in a real browser: from the finding to the narrower
client."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import expect

REVIEW = "/admin/access-review/"
# A client that has been there for long, and uses one of its two divisions.
USED = """
from datetime import timedelta
from django.utils import timezone
from accounts.actor import system
from accounts.models import Division, Organization, Role, RoleGrant
from accounts.rules.delegation import RoleDivision
from oauthclients.models import Client, Usage, UsedAccess
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients
acme = Organization.objects.get(short_name="acme")
role = Role.objects.get(organization=acme, name="Supervisor")
home, east = (Division.objects.get(organization=acme, name=name) for name in ("Home", "East"))
client, _secret = clients.create(actor=system(acme), spec=ClientSpec(
    name="NAME", grant_type="client-credentials",
    role_divisions=(RoleDivision(role.id, home.id), RoleDivision(role.id, east.id))))
now = timezone.now()
long_ago = now - timedelta(days=200)
Client.objects.filter(id=client.id).update(
    created=long_ago, last_used_at=now, use_noted_since=long_ago.date())
RoleGrant.objects.filter(subject_id=client.id).update(granted_at=long_ago)
UsedAccess.objects.create(organization_id=acme.id, client_id=client.id, role_id=role.id, division_id=home.id,
    last_day=now.date())
Usage.objects.create(organization_id=acme.id, client_id=client.id, day=now.date(), method="GET",
    route="/api/v2/users", requests=7, status_200=6, status_300=0, status_400=1, status_500=0, status_429=0)
"""


@pytest.fixture
def name(served) -> str:
    name = f"Sync {uuid.uuid4().hex[:8]}"
    served.manage("shell", "--no-imports", "-c", USED.replace("NAME", name))
    return name


def test_what_was_not_used_is_found_proposed_and_removed_by_a_person(page_of, name):
    ada = page_of("ada")
    ada.goto(REVIEW)
    row = ada.get_by_role("row").filter(has=ada.get_by_role("link", name=name, exact=True))
    expect(row).to_contain_text("East")
    expect(row).not_to_contain_text("Home")
    row.get_by_role("link", name=f"Remove these – {name}").click()

    expect(ada.get_by_text("Switched off below, because it was not used")).to_be_visible()
    supervisor = ada.get_by_role("row").filter(
        has=ada.get_by_role("rowheader", name=re.compile("^Supervisor"))
    )
    expect(supervisor.get_by_role("checkbox", name="Home")).to_be_checked()
    expect(supervisor.get_by_role("checkbox", name="East")).not_to_be_checked()
    ada.get_by_role("button", name="Save", exact=True).last.click()
    ada.get_by_role("dialog").get_by_role("button", name="Remove and save").click()

    expect(ada.get_by_text("Changes saved.").last).to_be_visible()
    ada.goto(REVIEW)
    expect(ada.get_by_role("link", name=name, exact=True)).to_have_count(0)
    assert ada.problems == []


@pytest.mark.parametrize("width", [320, 1280])
def test_the_figures_are_said_drawn_and_stand_in_a_table(page_of, name, width):
    ada = page_of("ada", viewport={"width": width, "height": 900})
    ada.goto(f"/admin/integrations/oauth/?q={name}")
    expect(ada.get_by_role("img", name="7 requests in the last 30 days")).to_be_visible()
    ada.get_by_role("link", name=name, exact=True).click()
    ada.get_by_role("link", name="All figures").click()

    ada.get_by_role("link", name="7 days").click()
    calls = ada.get_by_role("img", name=re.compile(r"^API calls, by day .*answered: 6, refused: 1"))
    expect(calls).to_be_visible()
    table = ada.get_by_role("table", name="Tokens issued and API calls by day (UTC)")
    expect(table).not_to_be_visible()
    ada.get_by_text("The figures as a table").click()
    expect(table.get_by_role("row").nth(1)).to_contain_text("6")
    assert ada.evaluate("document.documentElement.scrollWidth") <= width
    with ada.expect_download() as saved:
        ada.get_by_role("link", name="Download CSV").click()
    assert saved.value.suggested_filename.startswith("usage-")
    assert ada.problems == []
