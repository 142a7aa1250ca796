"""The page Why?: what it says, whom it finds by name, and what it shows to whom."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urlencode

import pytest
from oauth2_provider.models import get_access_token_model

from oauthclients.models import Client


@pytest.fixture
def ask(cast, browser_of):
    def get(by=None, **asked):
        return browser_of(by or cast.ada).get(f"/admin/integrations/why/?{urlencode(asked)}")

    return get


def text_of(response) -> str:
    return " ".join(re.sub("<[^>]+>", " ", response.content.decode()).split())


def test_it_is_for_those_who_may_view_clients(cast, ask):
    assert ask(cast.eve).status_code == 403
    page = ask(cast.ben)
    assert page.status_code == 200
    assert 'href="/admin/integrations/why/"' in page.content.decode()


def test_a_refusal_says_what_would_let_it_through_and_links_there(cast, ask):
    client, _secret = cast.client(("Supervisor", cast.east), name="Sync")
    page = ask(client="sync", method="GET", path="/api/v2/users/{userId}", division=str(cast.west.id))
    text = text_of(page)
    assert "Refused: 403 missing.division.permission" in text
    assert "It is held in West: directory:user:view Not met" in text
    assert f'href="/admin/integrations/oauth/{client.id}/edit/"' in page.content.decode()
    allowed = ask(client="Sync", path="/api/v2/users/{userId}", division=str(cast.east.id))
    assert "Refused" not in text_of(allowed)
    assert "Not met" not in text_of(allowed)


def test_who_may_not_make_the_change_gets_no_link(cast, ask):
    cast.client(("Supervisor", cast.west), name="Sync")
    page = ask(cast.ben, client="Sync", path="/api/v2/oauth/clients")
    assert "Refused" in text_of(page)
    assert "/edit/" not in page.content.decode()


def test_a_disabled_client(cast, ask):
    client, _secret = cast.client(("Supervisor", cast.east), name="Sync")
    Client.objects.filter(id=client.id).update(state="disabled")
    page = ask(client=str(client.id), path="/api/v2/users")
    assert "401 bad.credentials" in text_of(page)
    assert f'href="/admin/integrations/oauth/{client.id}/enable/"' in page.content.decode()


def test_a_name_that_means_several_offers_them_and_keeps_the_question(cast, ask):
    for name in ("Sync one", "Sync two"):
        cast.client(("Supervisor", cast.east), name=name)
    page = ask(client="sync", path="/api/v2/users").content.decode()
    assert "Which client?" in page
    assert len(re.findall(r'<li><a href="[^"]+path=%2Fapi%2Fv2%2Fusers', page)) == 2
    assert "No client here is called that." in text_of(ask(client="nothing like it"))


def test_an_app_for_a_person_by_their_address(cast, ask):
    app = cast.app("users:readonly").client
    assert "Allowed, for a person who may do it" in text_of(ask(client=app.name, path="/api/v2/users"))
    page = ask(client=app.name, path="/api/v2/users", person="eve@acme.example")
    assert "missing.any.permissions" in text_of(page)
    assert f'href="/admin/people/{cast.eve.id}/roles/"' in page.content.decode()
    assert "You see nobody called that." in text_of(ask(client=app.name, person="cleo@globex.example"))


def test_people_in_other_divisions_are_not_found_by_name(cast, ask):
    app = cast.app("users:readonly").client
    assert "You see nobody called that." in text_of(ask(cast.ben, client=app.name, person="eve"))
    by_id = text_of(ask(cast.ben, client=app.name, person=str(cast.eve.id)))
    assert "You see nobody called that." in by_id
    assert "Eve" not in by_id


def test_what_a_person_holds_is_for_those_who_see_it_elsewhere(cast, ask):
    """Ben sees Ada and not her roles: neither by id, nor by name, nor by a token of hers."""
    app = cast.app("users:readonly").client
    cast.acting_for(cast.ada, app, "users:readonly")
    token = str(get_access_token_model().objects.get().pk)
    cast.custom_role("Viewer", "directory:user:view", "oauth:client:view", "oauth:token:view")
    cast.give(cast.ben, ("Viewer", None))
    asked = {"client": app.name, "permission": "authorization:role:delete"}
    by_id = text_of(ask(cast.ben, **asked, person=str(cast.ada.id)))
    assert "You see nobody called that." in by_id
    assert "Refused" not in by_id
    assert "You see nobody called that." in text_of(ask(cast.ben, **asked, person="ada"))
    assert f'<option value="{token}">' not in ask(cast.ben, client=app.name).content.decode()
    assert ask(cast.ben, token=token).status_code == 404
    assert "Allowed" not in text_of(ask(cast.ben, **asked, person=str(cast.ben.id)))
    assert ask(cast.ben, **asked, person=str(cast.ben.id)).status_code == 200
    cast.custom_role("Grant Viewer", "authorization:grant:view")
    cast.give(cast.ben, ("Viewer", None), ("Grant Viewer", cast.home))
    assert ask(cast.ben, **asked, person="ada").status_code == 200
    assert f'<option value="{token}" ' in ask(cast.ben, token=token, client=app.name).content.decode()
    # Without the permission for tokens, hers is none of his.
    cast.give(cast.ben, ("Client Manager", None), ("Supervisor", None))
    assert ask(cast.ben, token=token).status_code == 404


def test_the_tokens_of_a_client_are_offered_to_those_who_may_see_them(cast, ask):
    app = cast.app("users:readonly").client
    cast.acting_for(cast.eve, app, "users:readonly")
    cast.acting_for(cast.cleo, app, "users:readonly")
    token, foreign = get_access_token_model().objects.order_by("pk")
    page = ask(client=app.name).content.decode()
    assert f'<option value="{token.pk}">' in page
    assert f'<option value="{foreign.pk}">' not in page
    assert f'<option value="{token.pk}">' not in ask(cast.ben, client=app.name).content.decode()
    assert "403 missing.any.permissions" in text_of(ask(token=str(token.pk), path="/api/v2/users"))
    assert ask(token=str(foreign.pk)).status_code == 404


def test_of_another_organization_nothing(cast, ask):
    theirs, _secret = cast.client(
        name="Theirs", grant_type="implicit", redirect_uris=("https://a.example/",), scope=("users",)
    )
    for known in (str(theirs.id), str(uuid.uuid4())):
        assert ask(cast.cleo, client=known, path="/api/v2/users").status_code == 404
    assert "No client here is called that." in text_of(ask(cast.cleo, client="Theirs"))


def test_what_cannot_be_meant_is_said_at_its_field(cast, ask):
    cast.client(("Supervisor", cast.east), name="Sync")
    page = ask(
        client="Sync", permission="nothing:at:all", division="nowhere", path="/api/v2/users"
    ).content.decode()
    assert 'id="id_permission_error"' in page
    assert 'id="id_division_error"' in page
    assert 'value="/api/v2/users"' in page  # what was typed stays
    assert ask(client="Sync\x00", path="\x00").status_code == 200
