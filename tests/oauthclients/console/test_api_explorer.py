"""Developers > API Explorer: who is told what, and the client through which it signs people in."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone

from accounts import locks
from accounts.errors import Conflict, NotAllowed
from accounts.models import AuditEvent, Organization
from config.regions import Regions
from oauthclients.api import routes
from oauthclients.models import AuthorizationState, Client
from oauthclients.services import clients, explorer
from tests.cast import landed, pkce
from tests.oauthclients.console.wizard import text

PAGE = "/api/explorer/"
HERE = {"HTTP_HOST": "localhost:8000"}


def data(page: str) -> dict[str, str]:
    [tag] = re.findall(r"<div [^>]*data-api-explorer[^>]*>", page)
    return dict(re.findall(r'data-([a-z-]+)="([^"]*)"', tag))


def made(cast) -> Client:
    return explorer.set_up(actor=cast.actor(cast.ada), scope=routes.scopes_used())


def test_whoever_may_add_clients_sets_it_up_and_it_is_audited(cast, browser_of):
    ada = browser_of(cast.ada, **HERE)
    before = ada.get(PAGE).content.decode()
    assert "Not set up yet" in before
    assert data(before)["client-id"] == ""

    assert ada.post(f"{PAGE}set-up/").status_code == 302
    client = Client.objects.get(name="API Explorer")
    assert client.id == explorer.client_id(cast.acme)
    assert client.authorizations.get().state == AuthorizationState.AUTHORIZED
    assert AuditEvent.objects.filter(action="client.created", entity_id=client.id).count() == 1
    after = ada.get(PAGE).content.decode()
    assert "Not set up yet" not in after
    assert data(after)["client-id"] == client.client_id
    assert data(after)["redirect-uri"] in client.redirect_uri_list
    # Once more, it changes nothing.
    ada.post(f"{PAGE}set-up/")
    assert Client.objects.filter(organization=cast.acme).count() == 1
    assert not AuditEvent.objects.filter(action="client.edited").exists()


def test_of_somebody_who_may_not_authorize_it_waits_for_an_answer(cast, browser_of):
    ben = browser_of(cast.ben, **HERE)
    ben.post(f"{PAGE}set-up/")
    assert (
        Client.objects.get(name="API Explorer").authorizations.get().state == AuthorizationState.REQUESTED
    )
    assert "It is not authorized yet" in ben.get(PAGE).content.decode()


def test_somebody_without_rights_reads_what_each_route_asks_for_and_cannot_set_it_up(cast, browser_of):
    eve = browser_of(cast.eve, **HERE)
    page = text(eve.get(PAGE))
    assert "These people can set it up: Ada, Ben." in page
    assert "GET /api/v2/users/me none user-basic-info may " in page
    assert "GET /api/v2/users directory:user:view users, users:readonly may not" in page
    assert eve.post(f"{PAGE}set-up/").status_code == 403
    assert not Client.objects.filter(name="API Explorer").exists()
    home = eve.get("/admin/").content.decode()
    assert "Welcome, Eve" in home
    assert f'href="{PAGE}"' in home


def test_it_is_for_people_who_are_signed_in_and_from_an_address_that_it_knows(cast, browser_of):
    assert Browser(**HERE).get(PAGE)["Location"].startswith("/sign-in/")
    away = browser_of(cast.ada, HTTP_HOST="127.0.0.1:9999").get(PAGE)
    assert away["Location"] == f"http://localhost:8000{PAGE}"


def test_a_disabled_client_signs_nobody_in(cast, browser_of):
    client = made(cast)
    clients.set_enabled(actor=cast.actor(cast.ada), client_id=client.id, enabled=False)
    page = browser_of(cast.ada, **HERE).get(PAGE).content.decode()
    assert "Signing in from here is switched off" in page
    assert data(page)["client-id"] == ""


def test_one_that_is_past_its_deletion_date_is_said_to_be_on_its_way_out(cast, browser_of):
    client = made(cast)
    Client.objects.filter(id=client.id).update(
        state="inactive", date_to_delete=timezone.now() - timedelta(minutes=1)
    )
    ada = browser_of(cast.ada, **HERE)
    shown = ada.get(PAGE)
    assert "is still being removed" in text(shown)
    assert f"{PAGE}set-up/" not in shown.content.decode()
    said = text(ada.post(f"{PAGE}set-up/", follow=True))
    assert "is still being removed" in said
    assert "already called" not in said
    with pytest.raises(Conflict, match="is still being removed"):
        made(cast)
    with pytest.raises(NotAllowed):
        explorer.set_up(actor=cast.actor(cast.eve), scope=routes.scopes_used())
    clients.purge_due(actor=cast.actor(cast.ada))
    assert made(cast).id == client.id


def test_whoever_waited_for_somebody_that_set_it_up_finds_it(cast, monkeypatch):
    """The organization is locked before anybody looks: what was made while this waited is there."""
    lock, first = locks.organization, []

    def after_another(organization):
        if not first:
            first.append("begun")
            first.append(made(cast))
        return lock(organization)

    monkeypatch.setattr(locks, "organization", after_another)
    assert made(cast) == first[1]
    assert AuditEvent.objects.filter(action="client.created").count() == 1


def test_one_of_another_address_is_updated_and_keeps_what_it_had(cast, browser_of, settings):
    client = made(cast)
    settings.BASE_URL = "https://login.example.com"
    settings.ALLOWED_HOSTS = ["*"]
    settings.REGIONS = Regions(["eu=eu.example.com"], base_url=settings.BASE_URL)
    ada = browser_of(cast.ada, HTTP_HOST="login.eu.example.com", secure=True)
    there = "https://login.eu.example.com/api/explorer/signed-in/"
    assert there in ada.get(PAGE, secure=True).content.decode()
    ada.post(f"{PAGE}set-up/", secure=True)
    had = client.redirect_uri_list
    client.refresh_from_db()
    assert client.redirect_uri_list == [
        *had,
        "https://login.example.com/api/explorer/signed-in/",
        there,
    ]


def test_at_first_nothing_is_chosen_that_changes_anything(cast, browser_of):
    made(cast)
    scopes = data(browser_of(cast.ada, **HERE).get(PAGE).content.decode())
    chosen = scopes["chosen"].split()
    assert "user-basic-info" in chosen
    assert all(one == "user-basic-info" or one.endswith(":readonly") for one in chosen)
    assert {"users", "users:readonly"} <= set(scopes["scopes"].split())


def test_it_gets_a_token_by_code_with_pkce_and_without_a_secret(cast, browser_of):
    client = made(cast)
    browser, uri = browser_of(cast.eve, **HERE), explorer.redirect_uri("http://localhost:8000")
    asked = {"client_id": client.client_id, "redirect_uri": uri, "response_type": "code", **pkce()}
    page = browser.get("/oauth/authorize", {**asked, "scope": "user-basic-info"})
    allowed = browser.post(
        page.request["PATH_INFO"] + "?" + page.request["QUERY_STRING"],
        {"decision": "allow", "shown": page.context["shown"]},
    )
    code = landed(allowed, uri)["code"]
    landing = browser.get(uri.removeprefix("http://localhost:8000"), {"code": code})
    assert landing["Referrer-Policy"] == "no-referrer"
    assert code not in landing.content.decode()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client.client_id,
        "redirect_uri": uri,
        "code_verifier": "v" * 43,
    }
    answer = Browser(**HERE).post(
        "/oauth/token", urlencode(form), content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200, answer.content
    assert answer.json()["scope"] == "user-basic-info"
    assert "refresh_token" not in answer.json()


@pytest.mark.django_db
def test_bootstrap_sets_it_up(monkeypatch):
    monkeypatch.setattr(
        "config.management.commands.bootstrap.Command.password", lambda _self: "a long enough password"
    )
    call_command("bootstrap", organization="Initech", email="bill@initech.example", verbosity=0)
    client = explorer.found(Organization.objects.get(name="Initech"))
    assert client is not None
    assert client.authorizations.get().state == AuthorizationState.AUTHORIZED
    assert set(client.scope) == set(routes.scopes_used())


def test_its_page_loosens_nothing(cast, browser_of):
    csp = browser_of(cast.ada, **HERE).get(PAGE)["Content-Security-Policy"]
    assert "script-src 'self'" in csp
    assert "style-src 'self'" in csp
    assert "unsafe" not in csp
