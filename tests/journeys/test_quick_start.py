"""Every piece of code that Quick start shows, run as it stands against the product as it runs: by sh, by Python and
Node.js with the official SDKs, and in a real browser. That of SAML2 Bearer: test_saml_quick_start.py."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from PureCloudPlatformClientV2 import OAuthApi, OAuthClientRequest
from PureCloudPlatformClientV2.api_client import ApiClient

from tests.journeys.conftest import ROOT, Served

NODE_MODULES = ROOT / "tests" / "sdk" / "node_modules"
BUNDLE = NODE_MODULES / "purecloud-platform-client-v2/dist/web-cjs/purecloud-platform-client-v2.min.js"
# A bundler would do this: the SDK for browsers, by the name under which the code imports it.
SHIM = "export default window.require('platformClient');"
PAGE = """<!doctype html><script src="/bundle.js"></script>
<script type="importmap">{"imports": {"purecloud-platform-client-v2": "/sdk.js"}}</script>
<script type="module" src="/code.js"></script>"""


@dataclass
class App:
    """Where people come back to: a page that runs what `code` holds."""

    address: str = ""
    code: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def app(served: Served) -> Iterator[App]:
    app = App()

    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = {
                "/bundle.js": ("text/javascript", BUNDLE.read_bytes() if BUNDLE.is_file() else b""),
                "/sdk.js": ("text/javascript", SHIM.encode()),
                "/code.js": ("text/javascript", app.code.encode()),
            }.get(urlsplit(self.path).path, ("text/html", PAGE.encode()))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    app.address = f"http://localhost:{server.server_port}/app"
    api = ApiClient(host=served.base_url)
    mine = served.demo["clients"]["client_credentials"]
    api.get_client_credentials_token(mine["client_id"], mine["client_secret"])
    for grant in ("CODE", "TOKEN"):
        request = OAuthClientRequest()
        request.name = f"Quick start {grant}"
        request.authorized_grant_type = grant
        request.registered_redirect_uri = [app.address]
        request.scope = ["user-basic-info"]
        made = OAuthApi(api).post_oauth_clients(request)
        app.ids[grant], app.secrets[grant] = made.id, made.secret
    yield app
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def shown(page_of):
    """What stands under Quick start on the page of a client, by tab."""

    def read(client_id: str) -> dict[str, str]:
        page = page_of("ada")
        page.goto(f"/admin/integrations/oauth/{client_id}/")
        return {
            (one.get_attribute("id") or "").removeprefix("snippet-"): one.text_content() or ""
            for one in page.locator("[id^=snippet-]").all()
        }

    return read


@pytest.fixture
def run(tmp_path: Path):
    """Runs a file of this code; what it prints."""

    def run(code: str, *program: str, **env: str) -> str:
        file = tmp_path / program[-1]
        file.write_text(code)
        if program[0] == "node" and not (tmp_path / "node_modules").exists():
            assert NODE_MODULES.is_dir(), "no JavaScript SDK: make test installs it"
            (tmp_path / "node_modules").symlink_to(NODE_MODULES)
        done = subprocess.run(
            [*program[:-1], str(file)],
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), **env},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def come_back(page, app: App, address: str) -> str:
    """Opens the address, says yes where asked, and answers where the browser ends."""
    page.goto(address)
    if urlsplit(page.url).path == "/oauth/authorize":
        page.locator("button[name=decision][value=allow]").click()
    page.wait_for_url(f"{app.address}*")
    return page.url


def test_client_credentials(served, shown, run):
    mine = served.demo["clients"]["client_credentials"]
    code, env = shown(mine["client_id"]), {"CLIENT_SECRET": mine["client_secret"]}
    assert set(code) == {"curl", "python", "javascript"}
    assert len(json.loads(run(code["curl"], "sh", "run.sh", **env))["entities"]) == 5
    assert "@acme.example" in run(code["python"], sys.executable, "run.py", **env)
    if shutil.which("node"):
        assert "@acme.example" in run(code["javascript"], "node", "run.mjs", **env)


def test_a_code_is_exchanged_by_curl_and_by_python(served, app, shown, run, page_of):
    code, secret = shown(app.ids["CODE"]), app.secrets["CODE"]
    assert set(code) == {"curl", "python", "javascript"}
    address = next(line for line in code["curl"].splitlines() if "/oauth/authorize?" in line).strip("# ")
    page = page_of("eve")
    for tab, program in (("curl", ("sh", "run.sh")), ("python", (sys.executable, "run.py"))):
        [value] = parse_qs(urlsplit(come_back(page, app, address)).query)["code"]
        said = run(code[tab], *program, CLIENT_SECRET=secret, CODE=value)
        if tab == "curl":
            assert json.loads(said)["token_type"] == "bearer"
        else:
            assert "eve@acme.example" in said


def test_the_address_of_the_implicit_grant_leads_to_a_token(app, shown, page_of):
    code = shown(app.ids["TOKEN"])
    assert set(code) == {"address", "browser", "javascript"}
    address = code["address"].splitlines()[-1]
    ended = come_back(page_of("eve"), app, address)
    assert parse_qs(urlsplit(ended).fragment)["access_token"]


@pytest.mark.parametrize(
    ("grant", "tab"), [("CODE", "javascript"), ("TOKEN", "browser"), ("TOKEN", "javascript")]
)
def test_code_for_browsers_says_who_signed_in(app, shown, page_of, grant, tab):
    assert BUNDLE.is_file(), "no JavaScript SDK: make test installs it"
    app.code = shown(app.ids[grant])[tab]
    page = page_of("eve")
    said: list[object] = []
    page.on("console", lambda line: said.extend(one.json_value() for one in line.args))
    try:
        page.goto(app.address)
        page.wait_for_url("**/oauth/authorize?*")
        page.locator("button[name=decision][value=allow]").click()
        page.wait_for_url(f"{app.address}*")
        for _ in range(100):
            if any(isinstance(one, dict) and one.get("email") == "eve@acme.example" for one in said):
                break
            page.wait_for_timeout(100)
        else:
            raise AssertionError(f"{said} {page.url}")
    finally:
        app.code = ""
