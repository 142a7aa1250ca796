"""The official JavaScript SDK, as it is on npm (tests/sdk/package-lock.json): in a real page on an origin of
its own, and under Node.js."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect
from PureCloudPlatformClientV2 import OAuthApi, OAuthClientRequest
from PureCloudPlatformClientV2.api_client import ApiClient

from tests.journeys.conftest import ROOT, Served

HOME = ROOT / "tests" / "sdk"
SDK = HOME / "node_modules" / "purecloud-platform-client-v2"
BUNDLE = SDK / "dist" / "web-cjs" / "purecloud-platform-client-v2.min.js"
# What the apps may do: read everybody, and change nobody.
SCOPES = ["user-basic-info", "users:readonly"]

pytestmark = pytest.mark.skipif(not all(map(shutil.which, ("node", "npm"))), reason="Node.js is missing")


@dataclass
class App:
    """Where the page is served, and the clients that the demo's administrator has registered for it."""

    origin: str
    gateway: dict[str, Any]
    clients: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def address(self, flow: str) -> str:
        return f"{self.origin}/{flow}"


@pytest.fixture(scope="module")
def app(served: Served) -> Iterator[App]:
    assert BUNDLE.is_file(), "no JavaScript SDK: make test installs it"
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    at = urlsplit(served.base_url)
    app = App(
        f"http://localhost:{server.server_port}",
        {"host": at.hostname, "port": at.port, "protocol": "http"},
    )
    for flow, grant_type in (("implicit", "TOKEN"), ("pkce", "CODE"), ("code", "CODE")):
        client = register(served, f"JavaScript {flow}", grant_type, app.address(flow))
        app.clients[flow], app.secrets[flow] = client.id, client.secret
    server.RequestHandlerClass = handler(app)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield app
    server.shutdown()
    server.server_close()
    thread.join()


def handler(app: App) -> type[BaseHTTPRequestHandler]:
    settings = {"gateway": app.gateway, "clients": app.clients}
    page = ("text/html", (HOME / "page.html").read_bytes())
    files = {
        "/implicit": page,
        "/pkce": page,
        "/code": ("text/html", b"The code is in the address."),
        "/settings.js": ("text/javascript", f"const settings = {json.dumps(settings)};".encode()),
        f"/{BUNDLE.name}": ("text/javascript", BUNDLE.read_bytes()),
        "/favicon.ico": ("image/png", b""),
    }

    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = files[urlsplit(self.path).path]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: object) -> None:
            pass

    return Files


def register(served: Served, name: str, grant_type: str, redirect_uri: str) -> Any:
    """By a client that holds `oauth:client:authorize`, so that it is authorized for its scopes at once."""
    api = ApiClient(host=served.base_url)
    mine = served.demo["clients"]["client_credentials"]
    api.get_client_credentials_token(mine["client_id"], mine["client_secret"])
    request = OAuthClientRequest()
    request.name = name
    request.authorized_grant_type = grant_type
    request.registered_redirect_uri = [redirect_uri]
    request.scope = SCOPES
    request.access_token_validity_seconds = 600
    return OAuthApi(api).post_oauth_clients(request)


def sign_in(page: Page, served: Served, who: str) -> None:
    page.wait_for_url(f"{served.base_url}/sign-in/?next=**")
    page.fill("[name=email]", served.demo["people"][who]["email"])
    page.fill("[name=password]", served.demo["people"][who]["password"])
    page.press("[name=password]", "Enter")


def decide(page: Page, decision: str) -> None:
    page.locator(f"button[name=decision][value={decision}]").click()


def shown(page: Page, id: str) -> Any:
    """What the page has found out, once it has."""
    expect(page.locator(f"#{id}")).not_to_be_empty()
    return json.loads(page.locator(f"#{id}").inner_text())


def token_status(served: Served, token: str) -> int:
    request = urllib.request.Request(
        f"{served.base_url}/api/v2/tokens/me", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("flow", ["implicit", "pkce"])
def test_an_app_in_the_browser_signs_somebody_in_and_does_what_its_scopes_allow(page_of, served, app, flow):
    page = page_of(None)
    checks = []
    page.on("response", lambda answer: checks.append((answer.request.method, answer.url, answer.status)))
    page.goto(app.address(flow))
    page.get_by_role("button", name="Sign in").click()
    sign_in(page, served, "eve")
    expect(page.get_by_role("heading", name=f"JavaScript {flow}")).to_be_visible()
    decide(page, "allow")

    page.wait_for_url(f"{app.origin}/**")
    login = shown(page, "login")
    assert re.fullmatch(r"[A-Za-z0-9_-]{20,}", login["token"])
    assert login["state"] == "a state & more"
    assert 0 < login["expires"] - page.evaluate("Date.now()") <= 600_000
    assert ("GET", f"{served.base_url}/api/v2/tokens/me", 200) in checks
    assert page.url == app.address(flow)  # neither token nor code stays in the address

    me = shown(page, "me")
    assert (me["id"], me["name"]) == (served.demo["people"]["eve"]["id"], "Eve")
    assert me["correlation"]
    assert shown(page, "scope") == {"status": 403, "code": "app.not.authorized.for.scope"}
    assert shown(page, "permission") == {"status": 403, "code": "missing.any.permissions"}

    assert token_status(served, login["token"]) == 200
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(app.address(flow))
    expect(page.locator("#login")).to_be_empty()
    assert token_status(served, login["token"]) == 401
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{served.base_url}/sign-in/?next=**")


@pytest.mark.parametrize("flow", ["implicit", "pkce"])
def test_a_person_who_says_no_comes_back_to_an_app_that_knows(page_of, served, app, flow):
    page = page_of("ben")
    page.goto(app.address(flow))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name=f"JavaScript {flow}")).to_be_visible()
    decide(page, "deny")

    page.wait_for_url(f"{app.origin}/**")
    assert shown(page, "login") == {"error": "[access_denied] The person said no."}


def test_another_sites_page_cannot_read_what_a_stolen_token_reads(page_of, served, app):
    """The token of a client that has no page on this origin."""
    page = page_of(None)
    mine = served.demo["clients"]["client_credentials"]
    api = ApiClient(host=served.base_url)
    api.get_client_credentials_token(mine["client_id"], mine["client_secret"])
    page.goto(app.address("code"))
    outcome = page.evaluate(
        """([url, token]) => fetch(url, {headers: {Authorization: `Bearer ${token}`}})
            .then((answer) => answer.status, (error) => error.name)""",
        [f"{served.base_url}/api/v2/users", api.access_token],
    )
    assert outcome == "TypeError"


# --- Under Node.js -------------------------------------------------------------------------------


@pytest.fixture
def program(app, tmp_path):
    """Runs tests/sdk/program.js and reads what it prints. The SDK looks for its settings at home."""

    def run(**asked: Any) -> dict[str, Any]:
        done = subprocess.run(
            ["node", "program.js"],
            cwd=HOME,
            env={**os.environ, "HOME": str(tmp_path)},
            input=json.dumps({"gateway": app.gateway, **asked}),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_service_under_node_uses_client_credentials(served, program):
    mine = served.demo["clients"]["client_credentials"]
    found = program(id=mine["client_id"], secret=mine["client_secret"])

    assert found["login"]["accessToken"]
    assert found["people"] == 5
    assert (found["refusal"]["status"], found["refusal"]["code"]) == (400, "bad.request")


def test_a_web_site_under_node_exchanges_a_code_and_refreshes(page_of, served, app, program):
    page = page_of("eve")
    query = urlencode(
        {
            "client_id": app.clients["code"],
            "redirect_uri": app.address("code"),
            "response_type": "code",
            "state": "s",
        }
    )
    page.goto(f"/oauth/authorize?{query}")
    decide(page, "allow")
    page.wait_for_url(f"{app.address('code')}?*")
    [code] = parse_qs(urlsplit(page.url).query)["code"]

    found = program(
        id=app.clients["code"],
        secret=app.secrets["code"],
        code=code,
        redirectUri=app.address("code"),
    )
    assert (found["me"], found["again"]) == ("Eve", "Eve")
    assert (found["failed"], found["revived"]) == (401, "Eve")
    assert found["login"]["refreshToken"] != found["refreshed"]["refreshToken"]
    assert found["login"]["accessToken"] != found["refreshed"]["accessToken"]
