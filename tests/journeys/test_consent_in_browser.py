"""Letting an app act for somebody, in a real browser: walk-through 9 of the UX spec, and what only a browser
can show, above all that nothing stops the way back to the app."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Served, tab_to

SCOPES = ["oauth:readonly", "user-basic-info", "users"]
APPLICATIONS = "**/admin/integrations/authorized-applications/"
SIX_SCOPES = ["audits:readonly", "authorization", "gdpr", *SCOPES]


@dataclass
class WebApp:
    """The other end: a small web server that people are sent back to, and what it was told."""

    redirect_uri: str
    server: ThreadingHTTPServer
    told: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Registered:
    """A client that acts for people, as its developer uses it."""

    served: Served
    client_id: str
    secret: str
    redirect_uri: str

    def address(self, **query: str) -> str:
        asked = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "state": "its own",
            **query,
        }
        return "/oauth/authorize?" + urlencode({key: value for key, value in asked.items() if value})

    def exchange(self, code: str) -> tuple[int, dict[str, Any]]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        return call(self.served, "/oauth/token", (self.client_id, self.secret), form=form)


def call(
    served: Served,
    path: str,
    credentials: str | tuple[str, str],
    *,
    form: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
) -> tuple[int, dict[str, Any]]:
    """A request without a browser. Credentials are a token, or a client's id and secret."""
    request = urllib.request.Request(served.base_url + path)
    if isinstance(credentials, str):
        request.add_header("Authorization", f"Bearer {credentials}")
    else:
        request.add_header(
            "Authorization", "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
        )
    if form is not None:
        request.data = urlencode(form).encode()
    elif body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def listening(family: socket.AddressFamily, host: str) -> tuple[ThreadingHTTPServer, list[dict[str, str]]]:
    told: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/callback":
                told.append(dict(parse_qsl(parts.query, strict_parsing=True)))
            self.send_response(200 if parts.path == "/callback" else 204)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            if parts.path == "/callback":
                self.wfile.write(b'<!doctype html><link rel="icon" href="data:,"><h1>Back at the app</h1>')

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        address_family = family

    server = Server((host, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, told


@pytest.fixture
def web_app() -> Iterator[WebApp]:
    server, told = listening(socket.AF_INET, "127.0.0.1")
    yield WebApp(f"http://localhost:{server.server_port}/callback", server, told)
    server.shutdown()
    server.server_close()


@pytest.fixture
def made(served: Served, web_app: WebApp, request: Any) -> Any:
    """Registers a client over the API. `foreign` makes it one of Globex, which the people of Acme have not
    heard of; the demo has no service of Globex that could do it over the API."""

    def make(*scope: str, foreign: bool = False, **more: Any) -> Registered:
        name = more.pop("name", request.node.name[:190])
        uri = more.pop("redirect_uri", web_app.redirect_uri)
        if foreign:
            said = served.manage("shell", "--no-imports", "-c", _FOREIGN % (name, uri, scope or SCOPES))
            client_id, secret = json.loads(said.splitlines()[-1])
            return Registered(served, client_id, secret, uri)
        demo = served.demo["clients"]["client_credentials"]
        service = (demo["client_id"], demo["client_secret"])
        _status, token = call(served, "/oauth/token", service, form={"grant_type": "client_credentials"})
        status, client = call(
            served,
            "/api/v2/oauth/clients",
            token["access_token"],
            body={
                "name": name,
                "authorizedGrantType": "CODE",
                "registeredRedirectUri": [uri],
                "scope": list(scope or SCOPES),
                **more,
            },
        )
        assert status == 200, client
        return Registered(served, client["id"], client["secret"], uri)

    return make


_FOREIGN = """
import json
from accounts.actor import system
from accounts.models import Organization
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients

spec = dict(name=%r, redirect_uris=(%r,), scope=tuple(%r), grant_type="authorization-code")
globex = Organization.objects.get(short_name="globex")
client, secret = clients.create(actor=system(globex), spec=ClientSpec(**spec))
print(json.dumps([client.client_id, secret.reveal()]))
"""


def sign_in(page: Page, served: Served, who: str) -> None:
    """On the page that asks for it, wherever it leads."""
    page.get_by_label("Email").fill(served.demo["people"][who]["email"])
    page.locator("[name=password]").fill(served.demo["people"][who]["password"])
    page.get_by_role("button", name="Sign in").click()


def back_at(page: Page, web_app: WebApp) -> dict[str, str]:
    """What the app was told last, now that the browser is there."""
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()
    return web_app.told[-1]


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


# --- The story -----------------------------------------------------------------------------------


def test_ben_asks_ada_approves_two_of_three_scopes_and_the_third_stays_shut(page_of, served, made, web_app):
    app = made(name="Shift planner", foreign=True)
    ben = page_of(None)
    ben.goto(app.address())
    expect(ben.get_by_text("to continue to Shift planner")).to_be_visible()
    sign_in(ben, served, "ben")
    heading(ben, "Shift planner needs approval")
    expect(ben.get_by_text("An administrator must approve this application.")).to_be_visible()
    ben.get_by_role("button", name="Ask for approval").click()
    expect(ben.get_by_text("Approval has been asked for")).to_be_visible()
    expect(ben.get_by_role("button", name="Ask for approval")).to_have_count(0)

    ada = page_of("ada")
    waiting = ada.get_by_role("listitem").filter(has_text="‘Shift planner’ awaits authorization")
    waiting.get_by_role("link", name="Review").click()
    heading(ada, "Shift planner")
    expect(ada.get_by_role("switch", checked=True)).to_have_count(0)
    for label in ("Users", "User basic info"):
        ada.get_by_role("switch", name=label, exact=True).check()
    ada.get_by_role("button", name="Approve").click()
    ada.wait_for_url(APPLICATIONS)

    ben.goto(app.address())
    heading(ben, "Shift planner wants to act for you")
    expect(ben.get_by_text("See and change people")).to_be_visible()
    expect(ben.get_by_text("See OAuth clients and their usage")).to_be_hidden()
    ben.get_by_text("It does not get all that it asks for").click()
    expect(ben.get_by_text("See OAuth clients and their usage")).to_be_visible()
    ben.get_by_role("button", name="Allow").click()
    answer = back_at(ben, web_app)
    assert answer["state"] == "its own"
    assert answer["iss"] == served.base_url

    status, token = app.exchange(answer["code"])
    assert status == 200
    assert token["scope"] == "user-basic-info users"
    assert call(served, "/api/v2/users", token["access_token"])[0] == 200
    assert call(served, "/api/v2/users/me", token["access_token"])[1]["name"] == "Ben"
    status, refused = call(served, "/api/v2/oauth/clients", token["access_token"])
    assert (status, refused["code"]) == (403, "app.not.authorized.for.scope")
    assert ben.problems == []
    assert ada.problems == []


def test_without_javascript_and_on_a_phone_ada_approves_reading_only_and_allows(
    page_of, served, made, web_app
):
    app = made("users", "user-basic-info", name="Reader", foreign=True)
    page = page_of("ada", java_script_enabled=False, viewport={"width": 360, "height": 740})
    page.goto(app.address())
    heading(page, "Authorize Reader?")
    expect(page.get_by_role("button", name="Select all asked")).to_be_hidden()
    page.get_by_role("button", name="Approve for the organization").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one scope.")
    page.get_by_role("switch", name="Users", exact=True).check(force=True)
    page.get_by_role("radio", name="Read only").check()
    page.get_by_role("button", name="Approve for the organization").click()
    heading(page, "Reader wants to act for you")
    page.get_by_role("button", name="Allow").click()
    _status, token = app.exchange(back_at(page, web_app)["code"])
    assert token["scope"] == "users:readonly"


# --- The way back to the app ---------------------------------------------------------------------


def test_a_no_leads_back_to_the_app(page_of, made, web_app):
    app = made()
    page = page_of("ben")
    page.goto(app.address())
    page.get_by_role("button", name="Deny").click()
    answer = back_at(page, web_app)
    assert (answer["error"], answer["state"]) == ("access_denied", "its own")
    assert page.problems == []


@pytest.mark.parametrize("named", [True, False], ids=["named", "not named"])
def test_signing_in_leads_straight_back_where_nothing_is_left_to_ask(page_of, served, made, web_app, named):
    app = made()
    page = page_of("ben")
    page.goto(app.address())
    page.get_by_role("button", name="Allow").click()
    back_at(page, web_app)
    page.context.clear_cookies()
    page.goto(app.address() if named else app.address(redirect_uri=""))
    sign_in(page, served, "ben")
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()
    assert len(web_app.told) == 2
    assert "code" in web_app.told[1]
    assert page.problems == []


def test_going_back_after_a_yes_gives_a_new_code_and_harms_nothing(page_of, served, made, web_app):
    app = made()
    page = page_of("ben")
    page.goto(app.address())
    page.get_by_role("button", name="Allow").click()
    first = back_at(page, web_app)["code"]
    status, token = app.exchange(first)
    assert status == 200
    page.go_back()
    second = back_at(page, web_app)["code"]
    assert second != first
    assert app.exchange(second)[0] == 200
    assert call(served, "/api/v2/users/me", token["access_token"])[0] == 200
    assert page.problems == []


def test_two_presses_on_allow_give_one_code(page_of, made, web_app):
    app = made()
    page = page_of("ben")
    page.goto(app.address())
    page.get_by_role("button", name="Allow").dblclick()
    back_at(page, web_app)
    assert len(web_app.told) == 1


def test_an_app_at_an_ipv6_address_is_reached_too(page_of, made):
    try:
        server, told = listening(socket.AF_INET6, "::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    app = made("user-basic-info", redirect_uri=f"http://[::1]:{server.server_port}/callback")
    page = page_of("ben")
    page.goto(app.address())
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()
    assert told[-1]["error"] == "access_denied"
    assert page.problems == []
    server.shutdown()
    server.server_close()


def test_an_app_with_a_scheme_of_its_own_is_not_stopped_by_the_policy(page_of, made):
    app = made("user-basic-info", redirect_uri="com.example.latchkey:/callback")
    page = page_of("ben")
    page.goto(app.address(code_challenge="x" * 43, code_challenge_method="S256"))
    expect(page.get_by_text("a program on this device (com.example.latchkey)")).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.get_by_role("button", name="Deny").click()
    assert answer.value.status == 303
    page.wait_for_timeout(300)
    assert not [said for said in page.problems if "Content Security Policy" in said]


def test_somebody_else_signs_in_and_comes_back_to_the_same_request(page_of, served, made, web_app):
    app = made()
    page = page_of("eve")
    page.goto(app.address())
    expect(page.get_by_text("eve@acme.example")).to_be_visible()
    page.get_by_role("button", name="Not you?").click()
    expect(page.get_by_text("to continue to")).to_be_visible()
    sign_in(page, served, "ben")
    expect(page.get_by_text("ben@acme.example")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    _status, token = app.exchange(back_at(page, web_app)["code"])
    assert call(served, "/api/v2/users/me", token["access_token"])[1]["name"] == "Ben"
    assert page.problems == []


def test_nobody_agrees_on_a_page_that_was_shown_to_somebody_else(page_of, served, made, web_app):
    """Ben's page is still open when Ada has signed in, in another tab of the same browser."""
    app = made()
    page = page_of("ben")
    page.goto(app.address())
    other = page.context.new_page()
    other.goto(app.address())
    other.get_by_role("button", name="Not you?").click()
    sign_in(other, served, "ada")
    expect(other.get_by_text("ada@acme.example")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    heading(page, "This page was open too long")
    page.get_by_role("link", name="Open the page again").click()
    expect(page.get_by_text("ada@acme.example")).to_be_visible()
    assert web_app.told == []


# --- How it looks and feels ----------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 1280])
def test_in_every_width_and_theme_nothing_is_cut_and_nobody_is_kept_out(page_of, made, width, scheme):
    own = made(*SIX_SCOPES, description="Keeps the shift plan in step. " * 10)
    foreign = made(*SIX_SCOPES, foreign=True)
    look = {"viewport": {"width": width, "height": 740}, "color_scheme": scheme, "reduced_motion": "reduce"}
    ada, ben = page_of("ada", **look), page_of("ben", **look)
    pages = [
        (ada, own.address(), "wants to act for you"),
        (ada, foreign.address(), "Authorize"),
        (ben, foreign.address(), "needs approval"),
        (ben, own.address(org="globex"), "Sign in as somebody else"),
    ]
    for page, address, title in pages:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_contain_text(title)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.getAnimations().length") == 0
        assert page.evaluate(_SHIFTS) == 0
        boxes = [button.bounding_box() for button in page.locator("[name=decision]").all()]
        assert len({(round(box["width"]), round(box["height"])) for box in boxes}) <= 1
        assert all(box["height"] >= 40 for box in boxes)
        assert page.problems == []


_SHIFTS = """() => new Promise(done => {
  let moved = 0;
  new PerformanceObserver(list => { for (const entry of list.getEntries()) moved += entry.value; })
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(moved), 100);
})"""


def test_a_yes_needs_no_mouse(page_of, made, web_app):
    app = made()
    page = page_of("ben")
    page.goto(app.address())
    seen: list[str] = []
    allow = page.get_by_role("button", name="Allow")
    for target in (page.get_by_role("button", name="Not you?"), allow):
        tab_to(page, target, most=10)
        seen.append(target.inner_text())
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Deny")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(allow).to_be_focused()
    page.keyboard.press("Enter")
    assert "code" in back_at(page, web_app)


def test_switches_are_all_off_and_all_on_at_a_press(page_of, made):
    app = made(foreign=True)
    page = page_of("ada")
    page.goto(app.address())
    expect(page.get_by_role("switch")).to_have_count(3)
    expect(page.get_by_role("switch", checked=True)).to_have_count(0)
    expect(page.get_by_role("radio", name="Read only")).to_be_hidden()
    page.get_by_role("button", name="Select all asked").click()
    expect(page.get_by_role("switch", checked=True)).to_have_count(3)
    expect(page.get_by_role("radio", name="Read only")).to_be_visible()


def test_what_an_app_is_called_runs_nothing_and_moves_nothing(page_of, served, made):
    payload = "<img src=x onerror=alert(1)><script>alert(2)</script>'\"><h1>Latchkey</h1> אפליקציה"
    app = made(name=payload + "W" * 60, description=payload * 3)
    for who in ("ada", None):
        page = page_of(who, viewport={"width": 320, "height": 740})
        page.on("dialog", lambda dialog: pytest.fail(f"it ran: {dialog.message}"))
        page.goto(app.address())
        expect(page.get_by_text("<script>alert(2)</script>").first).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert page.evaluate("document.querySelectorAll('main img').length") == 1  # the logo
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert page.problems == []


def test_the_code_stays_out_of_what_other_pages_are_told(page_of, made, web_app):
    """Neither the page nor the redirect tells the app's server the address that it was asked at."""
    referrers: list[str | None] = []
    app = made()
    page = page_of("ben")
    page.on(
        "request",
        lambda request: (
            referrers.append(request.headers.get("referer")) if "/callback" in request.url else None
        ),
    )
    page.goto(app.address())
    page.get_by_role("button", name="Allow").click()
    back_at(page, web_app)
    assert referrers
    assert not any(re.search(r"code=|client_id", referrer or "") for referrer in referrers)
