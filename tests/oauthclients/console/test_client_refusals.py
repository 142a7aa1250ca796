"""Recent refusals on the page of a client, each with its reason and the way to Why?."""

from __future__ import annotations

import re

from django.test import Client as Browser

from oauthclients.models import Refusal
from oauthclients.services import refusals
from tests.cast import token_request


def text_of(response) -> str:
    return " ".join(re.sub("<[^>]+>", " ", response.content.decode()).split())


def test_each_refusal_says_why_and_leads_to_the_explanation(cast, browser_of):
    client, secret = cast.client(("Supervisor", cast.home), name="Sync")
    headers = {"Authorization": f"Bearer {cast.token(client, secret)}"}
    Browser().get(f"/api/v2/users/{cast.eve.id}", headers=headers)
    token_request(Browser(), client.client_id, "wrong")
    refusals.flush()
    ada = browser_of(cast.ada)
    page = ada.get(f"/admin/integrations/oauth/{client.id}/")
    text = text_of(page)
    assert "You lack the permission [directory:user:view] in the division [East]" in text
    assert "Wrong secret, or asked away from the home region." in text
    links = re.findall(r'href="(/admin/integrations/why/[^"]+path[^"]+)"', page.content.decode())
    assert len(links) == 2
    explained = [text_of(ada.get(link.replace("&amp;", "&"))) for link in links]
    assert any("Refused: 403 missing.division.permission" in one for one in explained)
    assert any("invalid_client" in one for one in explained)


def test_people_whom_the_viewer_does_not_see_are_not_named(cast, browser_of):
    app = cast.app("users").client
    Browser().get(
        "/api/v2/users", headers=cast.acting_for(cast.eve, app, "users")
    )  # Eve sits in East, which Ben does not see
    refusals.flush()
    address = f"/admin/integrations/oauth/{app.id}/refusals/"
    assert "for Eve" in text_of(browser_of(cast.ada).get(address))
    page = text_of(browser_of(cast.ben).get(address))
    assert "for a person" in page
    assert "Eve" not in page
    # Nor somebody who sees her and not what she holds: the reason would tell what she does not.
    cast.custom_role("Viewer", "directory:user:view", "oauth:client:view")
    cast.give(cast.ben, ("Viewer", None))
    page = browser_of(cast.ben).get(address)
    assert "for a person" in text_of(page)
    assert "Eve" not in text_of(page)
    assert f"person={cast.eve.id}" not in page.content.decode()
    assert f"person={cast.eve.id}" in browser_of(cast.ada).get(address).content.decode()


def test_what_counted_elsewhere_and_whom_it_is_for(cast, browser_of):
    app = cast.app("users").client
    Browser().get("/api/v2/users", headers=cast.acting_for(cast.cleo, app, "users"))
    refusals.flush()
    assert Refusal.objects.get().organization_id == cast.globex.id
    address = f"/admin/integrations/oauth/{app.id}/refusals/"
    assert "Nothing was refused lately." in text_of(browser_of(cast.ada).get(address))
    assert browser_of(cast.cleo).get(address).status_code == 404
    assert browser_of(cast.eve).get(address).status_code == 403
