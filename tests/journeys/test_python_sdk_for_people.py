"""The unmodified official Python SDK as a web application uses it: a person signs in and agrees in a real
browser, and the SDK exchanges the code, calls as the person, refreshes, and does PKCE."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect
from PureCloudPlatformClientV2 import OAuthApi, OAuthClientRequest, OrganizationApi, TokensApi, UsersApi
from PureCloudPlatformClientV2.api_client import ApiClient
from PureCloudPlatformClientV2.rest import ApiException

from tests.journeys.conftest import Served


@pytest.fixture
def ada(page_of) -> Page:
    return page_of("ada")


class Landing(BaseHTTPRequestHandler):
    """The app's own address, to which the browser comes back."""

    def do_GET(self) -> None:
        self.server.landed.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>back in the app</title>")

    def log_message(self, *arguments: object) -> None:
        pass


@dataclass
class WebApp:
    client_id: str
    client_secret: str
    redirect_uri: str
    landed: list[str]


@pytest.fixture
def app(served: Served) -> Iterator[WebApp]:
    """A web application with a server of its own, registered at Acme by the demo's service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Landing)
    server.landed = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    redirect_uri = f"http://localhost:{server.server_address[1]}/callback"
    service = ApiClient(host=served.base_url)
    demo = served.demo["clients"]["client_credentials"]
    service.get_client_credentials_token(demo["client_id"], demo["client_secret"])
    made = OAuthApi(service).post_oauth_clients(_request(redirect_uri))
    yield WebApp(made.id, made.secret, redirect_uri, server.landed)  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def _request(redirect_uri: str) -> OAuthClientRequest:
    request = OAuthClientRequest()
    request.name = f"Web app {secrets.token_hex(4)}"
    request.authorized_grant_type = "CODE"
    request.registered_redirect_uri = [redirect_uri]
    request.scope = ["organization:readonly", "user-basic-info", "users"]
    return request


@pytest.fixture
def sdk(served: Served) -> ApiClient:
    return ApiClient(host=served.base_url)


def code_from_browser(page: Page, served: Served, app: WebApp, **query: str) -> str:
    """Goes to the authorization endpoint, agrees where the app asks, and reads the code off the address
    that the browser is sent to."""
    state = secrets.token_urlsafe(8)
    asked = {
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "response_type": "code",
        "state": state,
        **query,
    }
    app.landed.clear()
    page.goto(f"{served.base_url}/oauth/authorize?{urlencode(asked)}")
    if not app.landed:
        page.get_by_role("button", name="Allow").click()
    expect(page).to_have_title("back in the app")
    answer = {key: values[0] for key, values in parse_qs(urlsplit(app.landed[0]).query).items()}
    assert answer["state"] == state
    assert answer["iss"] == served.base_url
    return answer["code"]


def test_the_sdk_exchanges_a_code_and_acts_for_the_person(ada, served, app, sdk):
    code = code_from_browser(ada, served, app)
    client, info = sdk.get_code_authorization_token(
        app.client_id, app.client_secret, code, app.redirect_uri
    )
    assert client is sdk
    assert UsersApi(sdk).get_users_me(expand=["organization", "authorization"]).name == "Ada"
    assert OrganizationApi(sdk).get_organizations_me().name == "Acme"
    assert UsersApi(sdk).get_users(page_size=5).total > 5
    token = TokensApi(sdk).get_tokens_me()
    assert token.authorized_scope == ["organization:readonly", "user-basic-info", "users"]
    assert token.o_auth_client.id == app.client_id

    with pytest.raises(ApiException) as refused:
        OAuthApi(sdk).get_oauth_clients()
    assert refused.value.status == 403
    assert "app.not.authorized.for.scope" in refused.value.body

    first = sdk.access_token
    sdk.refresh_code_authorization_token(app.client_id, app.client_secret, info["refresh_token"])
    assert sdk.access_token != first
    assert UsersApi(sdk).get_users_me().name == "Ada"


def test_the_sdk_refreshes_by_itself_when_its_token_is_dead(ada, served, app, sdk):
    code = code_from_browser(ada, served, app)
    sdk.get_code_authorization_token(app.client_id, app.client_secret, code, app.redirect_uri)
    refresh_token = sdk.refresh_token
    sdk.access_token = "dead"
    assert UsersApi(sdk).get_users_me().name == "Ada"
    assert sdk.refresh_token != refresh_token


def test_the_sdk_does_pkce_without_a_secret(ada, served, app, sdk):
    verifier = sdk.generate_pkce_code_verifier(128)
    challenge = sdk.compute_pkce_code_challenge(verifier)
    assert challenge == base64.urlsafe_b64encode(
        hashlib.sha256(verifier.encode()).digest()
    ).decode().rstrip("=")
    code = code_from_browser(ada, served, app, code_challenge=challenge, code_challenge_method="S256")
    sdk.get_pkce_token(app.client_id, verifier, code, app.redirect_uri)
    assert UsersApi(sdk).get_users_me().name == "Ada"
    assert not sdk.refresh_token


def test_a_code_that_is_used_twice_signs_the_app_out(ada, served, app, sdk):
    code = code_from_browser(ada, served, app)
    sdk.get_code_authorization_token(app.client_id, app.client_secret, code, app.redirect_uri)
    other = ApiClient(host=served.base_url)
    with pytest.raises(ApiException) as refused:
        other.get_code_authorization_token(app.client_id, app.client_secret, code, app.redirect_uri)
    assert refused.value.status == 400
    sdk.refresh_token = ""
    with pytest.raises(ApiException) as dead:
        UsersApi(sdk).get_users_me()
    assert dead.value.status == 401
