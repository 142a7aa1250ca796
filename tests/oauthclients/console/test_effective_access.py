"""What a client comes to, before it is saved and after: permissions by division, and the routes that they
open, as the API decides them."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client as Browser

from accounts.models import Division, RoleGrant, SubjectType
from oauthclients.api.route_names import template
from oauthclients.explain import effective
from oauthclients.models import Client, ClientAuthorization
from oauthclients.queries import pairs_of
from oauthclients.rules.effective_access import EffectiveAccess
from tests.tables.test_routes import CALLED, World


def at(client) -> str:
    return f"/admin/integrations/oauth/{client.id}/"


def opened(parts) -> dict[str, set[str]]:
    return {part.where: {str(one.route) for one in part.routes} for part in parts}


def test_the_routes_on_the_page_of_a_client(cast, browser_of):
    client, _secret = cast.client(("Supervisor", cast.home), ("Supervisor", cast.east), name="Sync")
    page = browser_of(cast.ada).get(at(client))
    found = opened(page.context["access"]["permissions"])
    # The same in both, so they stand together; the list holds them only.
    assert "GET /api/v2/users/{userId}" in found["East, Home"]
    assert "GET /api/v2/users" in found["East, Home"]
    assert "GET /api/v2/users" not in found["In every division"]
    assert "GET /api/v2/oauth/scopes" in found["In every division"]  # any token
    everything = found["In every division"] | found["East, Home"]
    assert "GET /api/v2/users/me" not in everything  # about a person
    assert "POST /api/v2/oauth/clients" not in everything


def test_what_is_shown_is_what_the_api_answers(cast):
    """For every route about one person in East: open there by the page, or refused by the API."""
    world = World(cast)
    headers = cast.bearer(("Supervisor", cast.east), ("Employee", cast.home), name="Sync")
    pairs = pairs_of(Client.objects.get(name="Sync"))
    parts = effective.parts(
        EffectiveAccess(effective.access_of(pairs)), effective.names_of(pairs), for_person=False
    )
    shown = set().union(*(opened(parts)[place] for place in opened(parts) if place != "Home"))
    rows = [row for row in CALLED if row.divided and row.method == "GET"]
    assert rows
    for row in rows:
        answered = world.call(row, headers).status_code == row.success
        assert answered == (f"GET /api/v2{template(row.route)}" in shown), row


def test_an_app_for_a_person_who_is_picked(cast, browser_of):
    app = cast.app("users:readonly", "user-basic-info").client
    ada = browser_of(cast.ada)
    page = ada.get(at(app), {"for": "ben@acme.example"})
    found = opened(page.context["for_person"]["parts"])
    assert "GET /api/v2/users/{userId}" in found["Home"]  # Ben supervises Home
    assert "PATCH /api/v2/users/{userId}" not in found["Home"]  # without the scope
    assert "GET /api/v2/users/me" in found["In every division"]
    ClientAuthorization.objects.filter(client=app).update(scope=["user-basic-info"])
    narrowed = opened(ada.get(at(app), {"for": str(cast.ben.id)}).context["for_person"]["parts"])
    assert "Home" not in narrowed
    ClientAuthorization.objects.filter(client=app).update(state="Revoked")
    html = ada.get(at(app), {"for": "ben@acme.example"}).content.decode()
    assert "It may do nothing for this person" in html


def test_who_can_be_picked(cast, browser_of):
    app = cast.app("users:readonly").client
    ada = browser_of(cast.ada)
    assert "You see nobody called that." in ada.get(at(app), {"for": "cleo"}).content.decode()
    for nobody in (cast.cleo.id, uuid.uuid4()):  # of another organization, and of none
        page = ada.get(at(app), {"for": str(nobody)})
        assert page.status_code == 200
        assert "You see nobody called that." in page.content.decode()
    several = ada.get(at(app), {"for": "acme.example"}).context["for_person"]
    assert {choice["label"].split(" ")[0] for choice in several["choices"]} == {"Ada", "Ben", "Eve"}
    ben = browser_of(cast.ben)
    assert "You see nobody called that." in ben.get(at(app), {"for": "eve"}).content.decode()
    page = ben.get(at(app), {"for": str(cast.eve.id)}).content.decode()
    assert "You see nobody called that." in page
    assert "Eve" not in page
    # Whoever sees no people picks none.
    cast.give(cast.eve, ("Client Manager", cast.home))
    assert browser_of(cast.eve).get(at(app), {"for": "ada"}).context["for_person"] is None


def test_the_box_is_for_those_who_see_what_people_hold(cast, browser_of):
    """Ben sees Ada, and neither her roles nor, then, what an app may do for her."""
    app = cast.app("users:readonly").client
    cast.custom_role("Viewer", "directory:user:view", "oauth:client:view")
    cast.give(cast.ben, ("Viewer", None))
    ben = browser_of(cast.ben)
    assert ben.get(f"/admin/people/{cast.ada.id}/").status_code == 200
    assert ben.get(f"/admin/people/{cast.ada.id}/permissions/").status_code == 403
    page = ben.get(at(app), {"for": str(cast.ada.id)})
    assert page.context["for_person"] is None
    assert "What it may do for a person" not in page.content.decode()
    # In East alone: Eve there, and Ben himself, and nobody else by id or name.
    cast.custom_role("Grant Viewer", "authorization:grant:view")
    cast.give(cast.ben, ("Viewer", None), ("Grant Viewer", cast.east))
    ben = browser_of(cast.ben)
    named = ben.get(at(app), {"for": "acme.example"}).context["for_person"]
    assert {choice["label"].split(" ")[0] for choice in named["choices"]} == {"Ben", "Eve"}
    assert ben.get(at(app), {"for": str(cast.eve.id)}).context["for_person"]["person"] == cast.eve
    assert "You see nobody called that." in ben.get(at(app), {"for": str(cast.ada.id)}).content.decode()
    assert "You see nobody called that." in ben.get(at(app), {"for": "ada"}).content.decode()


def test_the_work_is_that_of_what_is_held_and_not_of_all_divisions(cast, browser_of, monkeypatch):
    """Each route is asked once for all divisions, and once more for those where the same is held."""
    app = cast.app("users:readonly").client
    ada, asked, whole = browser_of(cast.ada), [], effective.decision.whole

    def counted(*args, **kwargs):
        asked.append(kwargs["place"].name)
        return whole(*args, **kwargs)

    monkeypatch.setattr(effective.decision, "whole", counted)

    def work() -> int:
        asked.clear()
        page = ada.get(at(app), {"for": "ben@acme.example"})
        assert "GET /api/v2/users/{userId}" in opened(page.context["for_person"]["parts"])[shown]
        return len(asked)

    shown = "Home"
    before = work()
    assert 0 < before <= 2 * len(list(effective.routes.every()))
    more = [Division(organization=cast.acme, name=f"Part {number:02}") for number in range(40)]
    Division.objects.bulk_create(more)
    assert work() == before
    assert set(asked) == {"", "Home"}
    supervisor = cast.role("Supervisor")
    RoleGrant.objects.bulk_create(
        RoleGrant(
            organization=cast.acme,
            subject_type=SubjectType.USER,
            subject_id=cast.ben.id,
            role=supervisor,
            division=division,
        )
        for division in more
    )
    shown = ", ".join(["Home", *(division.name for division in more)])
    assert work() == before


@pytest.mark.parametrize("kind", ["client-credentials", "authorization-code"])
def test_before_saving_on_the_edit_page_without_javascript(cast, browser_of, kind):
    """The button shows what was ticked, and saves nothing."""
    if kind == "client-credentials":
        client, _secret = cast.client(("Supervisor", cast.home), name="Sync", by=cast.ada)
        supervisor = str(cast.role("Supervisor").id)
        ticked = {"role": [supervisor], f"divisions-{supervisor}": [str(cast.east.id)]}
        says = "GET /api/v2/users/{userId}"
    else:
        client = cast.app("users").client
        ticked = {"scope": ["groups:readonly"], "redirect_uris": "https://a.example/"}
        says = "GET /api/v2/groups"
    ada = browser_of(cast.ada)
    address = f"{at(client)}edit/"
    shown = ada.get(address)
    hidden = dict(re.findall(r'name="(version|seen)" value="([^"]*)"', shown.content.decode()))
    page = ada.post(address, {**hidden, "name": client.name, "seconds": "86400", "go": "look", **ticked})
    assert page.status_code == 200
    html = page.content.decode()
    region = html[html.index('data-live="effective"' if kind[0] == "c" else 'data-live="scopes"') :]
    assert says in re.sub(r"<[^>]+>", "", region)
    client.refresh_from_db()
    assert client.version == 1


def test_the_page_asks_for_no_more_the_more_people_there_are(
    cast, browser_of, django_assert_max_num_queries
):
    app = cast.app("users:readonly").client
    ada = browser_of(cast.ada)
    assert isinstance(ada, Browser)
    with django_assert_max_num_queries(26):
        ada.get(at(app), {"for": "ben@acme.example"})
