"""The main job, as a person and a program do it: `make run`, a browser, the official SDK, unmodified."""

from __future__ import annotations

import socket
import sqlite3
import urllib.request
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import override_settings
from playwright.sync_api import Page, expect
from PureCloudPlatformClientV2 import (
    AuthorizationApi,
    OAuthApi,
    OAuthClientRequest,
    RoleDivision,
    UsersApi,
)
from PureCloudPlatformClientV2.api_client import ApiClient
from PureCloudPlatformClientV2.rest import ApiException

from tests.journeys.conftest import Served, tab_to


def add_client_by_keyboard(
    page: Page, name: str, served: Served, roles: tuple[str, ...] = ("Admin", "Supervisor")
) -> tuple[str, str]:
    """With these roles in Home and East, from Admin home to the client's page without touching the mouse.
    The client id and the secret, as they were copied."""
    keys = page.keyboard
    tab_to(page, page.get_by_role("navigation").get_by_role("link", name="OAuth"))
    keys.press("Enter")
    page.wait_for_url("**/admin/integrations/oauth/")
    tab_to(page, page.get_by_role("link", name="Add client").first)
    keys.press("Enter")
    page.wait_for_url("**/details/")
    tab_to(page, page.get_by_label("App Name"))
    keys.type(name)
    # Radio buttons are one stop; the arrows and the space bar choose.
    tab_to(page, page.get_by_role("radio").first)
    keys.press("Space")
    expect(page.get_by_role("radio", name="Client Credentials")).to_be_checked()
    tab_to(page, page.get_by_role("button", name="Next"))
    keys.press("Enter")
    page.wait_for_url("**/access/")
    for role in roles:
        row = page.get_by_role("row").filter(has=page.get_by_role("switch", name=role))
        tab_to(page, row.get_by_role("switch"))
        keys.press("Space")
        # Home is ticked already. The divisions stand before the switch in the row.
        east = row.get_by_role("checkbox", name="East")
        for _ in range(10):
            if east.evaluate("box => document.activeElement === box"):
                break
            keys.press("Shift+Tab")
        keys.press("Space")
        expect(east).to_be_checked()
        expect(row.get_by_role("checkbox", name="Home")).to_be_checked()
    tab_to(page, page.get_by_role("button", name="Next"))
    keys.press("Enter")
    page.wait_for_url("**/duration/")
    tab_to(page, page.get_by_role("button", name="Save", exact=True))
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Client Secret")).to_be_visible()

    field = page.locator("#client-secret")
    expect(field).to_have_attribute("type", "password")
    group = field.locator("xpath=ancestor::*[.//button][1]")
    tab_to(page, group.get_by_role("button", name="Show"))
    keys.press("Enter")
    expect(field).to_have_attribute("type", "text")
    secret = field.input_value()
    tab_to(page, group.get_by_role("button", name="Copy"))
    keys.press("Enter")
    expect(group.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    client_id = page.get_by_label("Client ID", exact=True).input_value()

    tab_to(page, page.get_by_role("link", name="Finish").or_(page.get_by_role("button", name="Finish")))
    keys.press("Enter")
    dialog = page.get_by_role("dialog", name="Copy and Store Client Secret")
    expect(dialog).to_be_visible()
    tab_to(page, dialog.get_by_role("button", name="Confirm"))
    keys.press("Enter")
    expect(dialog.get_by_text("Tick the box to confirm.").first).to_be_visible()
    tab_to(page, dialog.get_by_role("checkbox"))
    keys.press("Space")
    tab_to(page, dialog.get_by_role("button", name="Confirm"))
    keys.press("Enter")
    page.wait_for_url(f"**/admin/integrations/oauth/{client_id}/")
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    return client_id, secret


def everything_stored(served: Served) -> str:
    """A dump of the database, with the sessions decoded."""
    if served.env["DATABASE_URL"]:
        import psycopg

        with psycopg.connect(served.env["DATABASE_URL"]) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            rows: list[Any] = [
                row for (table,) in tables for row in connection.execute(f'SELECT * FROM "{table}"')
            ]
            sessions = connection.execute("SELECT session_data FROM django_session").fetchall()
        dump = "\n".join(map(repr, rows))
    else:
        with sqlite3.connect(served.state / "latchkey.sqlite3") as connection:
            dump = "\n".join(connection.iterdump())
            sessions = connection.execute("SELECT session_data FROM django_session").fetchall()
    with override_settings(SECRET_KEY=(served.state / "secret_key").read_text()):
        decoded = [SessionStore().decode(data) for (data,) in sessions]
    assert any("_auth_user_id" in session for session in decoded), "sessions can be read here"
    return dump + repr(decoded)


@pytest.fixture
def made(page_of, served):
    page = page_of("ada", permissions=["clipboard-read", "clipboard-write"])
    client_id, secret = add_client_by_keyboard(page, "Canary", served)
    yield page, client_id, secret
    client, _ = sdk(served, *credentials(served, "client_credentials"))
    api = OAuthApi(client)
    remove(api, client_id)


def credentials(served: Served, key: str) -> tuple[str, str]:
    made = served.demo["clients"][key]
    return made["client_id"], made["client_secret"]


def sdk(served: Served, client_id: str, secret: str) -> tuple[ApiClient, UsersApi]:
    client = ApiClient(host=served.base_url)
    client.get_client_credentials_token(client_id, secret)
    return client, UsersApi(client)


def remove(api: OAuthApi, client_id: str) -> None:
    found = api.get_oauth_client(client_id)
    api.put_oauth_client(client_id, request(found.name, found, state="inactive"))
    api.delete_oauth_client(client_id)


def request(name: str, like: Any = None, **more: Any) -> OAuthClientRequest:
    body = OAuthClientRequest()
    body.name = name
    body.authorized_grant_type = "CLIENT-CREDENTIALS"
    if like is not None:
        body.role_divisions = like.role_divisions
    for key, value in more.items():
        setattr(body, key, value)
    return body


def people_of(users: UsersApi) -> dict[str, str]:
    found = {}
    page = 1
    while True:
        answer = users.get_users(page_size=10, page_number=page)
        found.update({user.id: user.division.name for user in answer.entities})
        if page >= answer.page_count:
            return found
        page += 1


def test_a_client_added_by_keyboard_may_do_exactly_what_its_pairs_allow(made, served):
    page, client_id, secret = made
    assert page.problems == []

    client, users = sdk(served, client_id, secret)

    seen = people_of(users)
    assert set(seen.values()) == {"Home", "East"}
    everybody = people_of(sdk(served, *credentials(served, "client_credentials"))[1])
    assert seen == {user: division for user, division in everybody.items() if division != "West"}

    outside = next(user for user, division in everybody.items() if division == "West")
    with pytest.raises(ApiException) as refused:
        users.get_user(outside)
    assert refused.value.status == 403
    assert '"missing.division.permission"' in refused.value.body.replace(": ", ":")
    assert "West" in refused.value.body

    with pytest.raises(ApiException) as refused:
        users.get_users_me()
    assert refused.value.status == 400
    assert "user context" in refused.value.body

    # The client manages clients, and is bound by its own pairs while it does.
    api = OAuthApi(client)
    supervisor = next(
        role
        for role in AuthorizationApi(client).get_authorization_roles(page_size=100).entities
        if role.name == "Supervisor"
    )
    divisions = served.demo["organization"]["divisions"]

    def pair(division: str) -> RoleDivision:
        made = RoleDivision()
        made.role_id, made.division_id = supervisor.id, division
        return made

    for too_much in (divisions["West"], "*"):
        with pytest.raises(ApiException) as refused:
            api.post_oauth_clients(request("Too much", role_divisions=[pair(too_much)]))
        assert (refused.value.status, "bad.client.role" in refused.value.body) == (400, True)

    other = api.post_oauth_clients(request("Made by a program", role_divisions=[pair(divisions["East"])]))
    read = api.get_oauth_client(other.id)
    assert (read.name, read.secret, read.created_by.name) == ("Made by a program", None, "Canary")
    rotated = api.post_oauth_client_secret(other.id)
    assert rotated.secret != other.secret
    assert set(people_of(sdk(served, other.id, rotated.secret)[1]).values()) == {"East"}
    with pytest.raises(ApiException):
        sdk(served, other.id, other.secret)
    with pytest.raises(ApiException) as refused:
        api.delete_oauth_client(other.id)
    assert "cannot.delete.client" in refused.value.body
    remove(api, other.id)
    with pytest.raises(ApiException) as refused:
        api.get_oauth_client(other.id)
    assert (refused.value.status, "client.not.found" in refused.value.body) == (404, True)


def test_the_secret_of_a_whole_journey_is_found_nowhere_afterwards(made, served):
    page, client_id, secret = made
    client, users = sdk(served, client_id, secret)
    users.get_users(page_size=1)
    token = client.access_token
    with pytest.raises(ApiException):
        sdk(served, client_id, secret + "x")
    with pytest.raises(ApiException):
        sdk(served, secret, secret)  # pasted into the wrong field

    pages = []
    for path in (
        "/admin/",
        "/admin/integrations/oauth/",
        "/admin/integrations/oauth/add/",
        f"/admin/integrations/oauth/{client_id}/",
        f"/admin/integrations/oauth/{client_id}/edit/",
        f"/admin/integrations/oauth/{client_id}/secret/",
        f"/admin/integrations/oauth/{client_id}/finish/",
    ):
        page.goto(path)
        pages.append(page.content())
    page.goto("/admin/")
    pages.append(repr(page.context.cookies()))
    pages.append(page.evaluate("JSON.stringify([localStorage, sessionStorage, history.state])"))

    for place, text in {
        "log": served.log.read_text(),
        "database": everything_stored(served),
        "later pages, cookies and browser storage": "\n".join(pages),
    }.items():
        assert client_id in text or place == "log", place
        assert secret not in text, place
        assert token not in text, place


def test_going_back_or_reloading_after_save_shows_no_secret_and_makes_no_second_client(page_of, served):
    page = page_of("ada")
    page.goto("/admin/integrations/oauth/add/")
    page.get_by_label("App Name").fill("Reloaded")
    page.get_by_role("radio", name="Client Credentials").check(force=True)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("switch", name="Supervisor").check(force=True)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Save", exact=True).click()
    secret = page.locator("#client-secret").input_value()
    page.on("dialog", lambda dialog: dialog.accept())

    page.reload()

    expect(page.get_by_text("The secret cannot be shown again")).to_be_visible()
    assert secret not in page.content()
    page.go_back()
    assert secret not in page.content()
    page.goto("/admin/integrations/oauth/?q=Reloaded")
    expect(page.get_by_role("link", name="Reloaded", exact=True)).to_have_count(1)
    client, _ = sdk(served, *credentials(served, "client_credentials"))
    api = OAuthApi(client)
    remove(api, next(found.id for found in api.get_oauth_clients().entities if found.name == "Reloaded"))


def test_silent_senders_keep_nobody_from_being_answered(served):
    """Eight connections that announce a body and do not send it, at a server with one working thread."""
    host, port = served.base_url.removeprefix("http://").split(":")
    head = (
        "POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ngrant"
    )
    silent = [socket.create_connection((host, int(port))) for _ in range(8)]
    try:
        for connection in silent:
            connection.sendall(head.encode())
        with urllib.request.urlopen(f"{served.base_url}/readyz", timeout=60) as answer:
            assert answer.status == 200
        assert sdk(served, *credentials(served, "limited"))[0].access_token
    finally:
        for connection in silent:
            connection.close()
