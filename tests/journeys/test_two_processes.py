"""Two servers on one database, as behind a proxy: what is done through one counts in the other at once, whatever
the other has just answered. And what a server has noted is not lost when it is stopped."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.databases import own_database
from tests.journeys.conftest import ROOT
from tests.saml import GRANT, IdP, Pair, encode

SCOPES = ["user-basic-info", "users"]


@dataclass
class Server:
    """One `manage.py serve` with a directory of its own, as on a machine of its own."""

    base_url: str
    process: subprocess.Popen[bytes]
    log: Path
    http: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, token: str, body: Any = None) -> requests.Response:
        return self.http.request(
            method,
            f"{self.base_url}{path}",
            headers={"Authorization": f"Bearer {token}"},
            json=body,
            timeout=30,
        )

    def status(self, token: str, path: str = "/api/v2/users") -> int:
        return self.call("GET", path, token).status_code

    def ask(self, path: str, client: Credentials, **form: str) -> requests.Response:
        return self.http.post(
            f"{self.base_url}{path}", data=form, auth=(client.id, client.secret), timeout=30
        )

    def token(self, client: Credentials, **form: str) -> str:
        answer = self.ask("/oauth/token", client, **(form or {"grant_type": "client_credentials"}))
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def stop(self) -> None:
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


@dataclass
class Credentials:
    id: str
    secret: str


@dataclass
class Installation:
    """`here` is where things are changed, `there` is who has to know."""

    here: Server
    there: Server
    env: dict[str, str]
    demo: dict[str, Any]
    roles: list[dict[str, Any]]
    service: Credentials
    token: str

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """Through `here`, by the demo's service, which may do everything."""
        answer = self.here.call(method, path, self.token, body)
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def manage(self, *arguments: str) -> str:
        return _manage(self.env, *arguments)

    def role(self) -> dict[str, Any]:
        """One to see people by, that nobody but the service holds yet."""
        return self.roles.pop(0)

    def client(self, *roles: str, **more: Any) -> Credentials:
        """A new one, of client credentials unless said otherwise, with these roles in East."""
        east = self.demo["organization"]["divisions"]["East"]
        made = self.do(
            "POST",
            "/api/v2/oauth/clients",
            {
                "name": f"Client {secrets.token_hex(4)}",
                "authorizedGrantType": "CLIENT-CREDENTIALS",
                **(
                    {"roleDivisions": [{"roleId": role, "divisionId": east} for role in roles]}
                    if roles
                    else {}
                ),
                **more,
            },
        )
        return Credentials(made["id"], made["secret"])

    def warm(self, *more: str) -> tuple[dict[str, Any], Credentials, str]:
        """A role, a client that has it (and more, by name), and its token, with which `there` has just
        answered twice."""
        role = self.role()
        client = self.client(role["id"], *(one["id"] for one in self.roles if one["name"] in more))
        token = self.there.token(client)
        assert [self.there.status(token) for _ in range(2)] == [200, 200]
        return role, client, token

    def app_for(self, email: str) -> tuple[Credentials, str]:
        """An app, and its token for this person by an assertion, with which `there` has just answered twice."""
        app = self.client(authorizedGrantType="SAML2-BEARER", scope=SCOPES)
        token = self.there.token(app, grant_type=GRANT, orgName="acme", assertion=self._assertion(email))
        assert [self.there.status(token, "/api/v2/users/me") for _ in range(2)] == [200, 200]
        return app, token

    def _assertion(self, email: str) -> str:
        said = self.demo["identity_provider"]
        idp = IdP(
            issuer=said["issuer"],
            pair=Pair.of_pem(said["private_key_pem"], said["certificate_pem"]),
            audience=said["audience"],
            recipient=said["recipient"],
            email=email,
        )
        return encode(idp.assertion())

    def person(self, email: str) -> dict[str, Any]:
        everybody = self.do("GET", "/api/v2/users?pageSize=100")["entities"]
        return next(one for one in everybody if one["email"] == email)

    def counted(self, client: Credentials) -> dict[str, int]:
        """How many requests of this client the database knows of, by route."""
        sql = "SELECT route, requests FROM oauthclients_usage WHERE client_id = "
        url = self.env["DATABASE_URL"]
        if url.startswith("postgres"):
            import psycopg

            with psycopg.connect(url) as connection:
                return dict(connection.execute(f"{sql}%s", [uuid.UUID(client.id)]).fetchall())
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        try:
            return dict(connection.execute(f"{sql}?", [uuid.UUID(client.id).hex]).fetchall())
        finally:
            connection.close()


def _manage(env: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def one_database(worker_id, tmp_path_factory) -> Iterator[str]:
    """On the server that DATABASE_URL names, or a file; gone afterwards."""
    with own_database(f"two_{worker_id}") as url:
        yield url or f"sqlite:///{tmp_path_factory.mktemp('database') / 'shared.sqlite3'}"


# The demo, and roles that its service holds, so that it can hand them on.
MADE = """
import json
from django.core.management import call_command
call_command("migrate", verbosity=0, interactive=False)
from accounts import queries
from accounts.actor import system
from accounts.models import Organization, SubjectType
from accounts.permissions import policies_for
from accounts.services import grants, roles
from config import demo
made = demo.build()
acting = system(Organization.objects.get(name="Acme"))
new = [
    roles.create_custom(
        actor=acting, name=f"Viewer {n}", description="", policies=policies_for(["directory:user:view"])
    )
    for n in range(12)
]
new += [
    roles.create_custom(
        actor=acting, name="Bystander", description="", policies=policies_for(["oauth:client:view"])
    )
]
service = made["clients"]["client_credentials"]["client_id"]
grants.replace(
    actor=acting,
    subject_type=SubjectType.CLIENT,
    subject_id=service,
    pairs=[
        *grants.pairs_of(acting.organization, service),
        *(grants.NamedPair(role, None) for role in new),
    ],
)
print(json.dumps([made, [{"id": str(role.id), "name": role.name} for role in new]]))
"""


@pytest.fixture(scope="module")
def installation(one_database, tmp_path_factory) -> Any:
    ports = [_free_port() for _ in range(2)]
    directories = [tmp_path_factory.mktemp("server") for _ in ports]
    ours = ("STATE_DIR", "BASE_URL", "PORT", "DATABASE_URL", "CACHE_URL", "DJANGO_ALLOW_ASYNC_UNSAFE")
    env = {
        **{key: value for key, value in os.environ.items() if key not in ours},
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": one_database,
        # What machines that share a database share besides (docs/scale.md).
        "BASE_URL": f"http://127.0.0.1:{ports[0]}",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CLIENT_SECRET_KEY": secrets.token_urlsafe(48),
        "SAML_KEY_FILE": str(directories[0] / "saml-signing.pem"),
        "STATE_DIR": str(directories[0]),
    }
    demo, roles = json.loads(_manage(env, "shell", "-v", "0", "-c", MADE))
    servers: list[Server] = []
    try:
        for directory, port in zip(directories, ports, strict=True):
            more = {"STATE_DIR": str(directory), "PORT": str(port)}
            servers.append(_served({**env, **more}, port, directory / "server.log"))
        for server in servers:
            _wait_for(server)
        key = demo["clients"]["client_credentials"]
        service = Credentials(key["client_id"], key["client_secret"])
        here, there = servers
        yield Installation(here, there, env, demo, roles, service, here.token(service))
    finally:
        for server in servers:
            server.stop()


def _served(env: dict[str, str], port: int, log: Path) -> Server:
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], cwd=ROOT, env=env, stdout=output, stderr=output
        )
    return Server(f"http://127.0.0.1:{port}", process, log)


def _wait_for(server: Server) -> None:
    until = time.monotonic() + 60
    while server.process.poll() is None and time.monotonic() < until:
        try:
            if requests.get(f"{server.base_url}/readyz", timeout=5).status_code == 200:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.05)
    raise AssertionError(f"the server does not serve:\n{server.log.read_text()}")


# --- Done here, refused there --------------------------------------------------------------------


def test_a_token_that_is_revoked_here_is_dead_there(installation: Installation):
    _role, client, token = installation.warm()
    other = installation.there.token(client)

    answer = installation.here.ask("/oauth/revoke", client, token=token)

    assert answer.status_code == 200
    assert installation.there.status(token) == 401
    assert installation.there.status(other) == 200


def test_a_client_that_is_disabled_here_is_off_there(installation: Installation):
    _role, client, token = installation.warm()

    installation.do("PUT", f"/api/v2/oauth/clients/{client.id}", {"state": "disabled"})

    assert installation.there.status(token) == 401
    assert (
        installation.there.ask("/oauth/token", client, grant_type="client_credentials").status_code == 400
    )
    assert installation.there.ask("/oauth/introspect", client, token=token).status_code == 401

    installation.do("PUT", f"/api/v2/oauth/clients/{client.id}", {"state": "active"})
    assert installation.there.status(token) == 200


def test_a_role_that_is_narrowed_here_allows_less_there(installation: Installation):
    role, _client, token = installation.warm()
    policies = [{"domain": "oauth", "entityName": "client", "actionSet": ["view"]}]

    installation.do(
        "PUT",
        f"/api/v2/authorization/roles/{role['id']}",
        {"name": role["name"], "permissionPolicies": policies},
    )

    assert installation.there.status(token) == 403
    assert installation.there.status(token, "/api/v2/oauth/clients") == 200


def test_a_pair_that_is_taken_here_is_missing_there(installation: Installation):
    role, client, token = installation.warm("Bystander")  # a client has one at least
    east = installation.demo["organization"]["divisions"]["East"]

    installation.do(
        "DELETE", f"/api/v2/authorization/subjects/{client.id}/divisions/{east}/roles/{role['id']}"
    )

    assert installation.there.status(token) == 403
    assert installation.there.status(token, "/api/v2/oauth/clients") == 200


def test_a_pair_that_is_given_here_counts_there(installation: Installation):
    """No refusal is remembered either."""
    _role, client, token = installation.warm()
    more = installation.role()
    west = installation.demo["organization"]["divisions"]["West"]
    before = installation.there.call("GET", "/api/v2/users?pageSize=100", token).json()["total"]

    installation.do(
        "POST", f"/api/v2/authorization/subjects/{client.id}/divisions/{west}/roles/{more['id']}"
    )

    assert installation.there.call("GET", "/api/v2/users?pageSize=100", token).json()["total"] > before


def test_a_secret_that_is_replaced_here_gets_nothing_there(installation: Installation):
    _role, client, token = installation.warm()

    fresh = installation.do("POST", f"/api/v2/oauth/clients/{client.id}/secret")["secret"]

    for path in ("/oauth/token", "/oauth/introspect", "/oauth/revoke"):
        answer = installation.there.ask(path, client, grant_type="client_credentials", token=token)
        assert answer.status_code == 401
    assert installation.there.status(token) == 200  # the token itself was not revoked
    assert installation.there.token(Credentials(client.id, fresh))


def test_a_person_who_is_deactivated_here_has_no_apps_there(installation: Installation):
    person = installation.person("amal.adeyemi@acme.example")
    _app, token = installation.app_for(person["email"])

    installation.do(
        "PATCH", f"/api/v2/users/{person['id']}", {"version": person["version"], "state": "inactive"}
    )

    assert installation.there.status(token, "/api/v2/users/me") == 401


def test_a_persons_tokens_that_are_revoked_here_are_dead_there(installation: Installation):
    person = installation.person("bruno.adeyemi@acme.example")
    _app, token = installation.app_for(person["email"])

    installation.do("DELETE", f"/api/v2/tokens/{person['id']}")

    assert installation.there.status(token, "/api/v2/users/me") == 401


def test_a_role_that_a_person_loses_here_is_missing_to_their_apps_there(installation: Installation):
    person = installation.person("chiara.adeyemi@acme.example")
    role = installation.role()
    installation.do("PUT", f"/api/v2/users/{person['id']}/roles", [role["id"]])
    _app, token = installation.app_for(person["email"])
    assert installation.there.status(token) == 200

    installation.do("PUT", f"/api/v2/users/{person['id']}/roles", [])

    assert installation.there.status(token) == 403


REVOKE = """
from accounts import queries
from accounts.models import User
from oauthclients.services import authorizations
ada = queries.actor_for_user(User.objects.get(email="ada@acme.example"))
authorizations.revoke(actor=ada, client_id="{}")
"""


def test_an_app_that_the_organization_sends_away_is_away_there(installation: Installation):
    app, token = installation.app_for("dara.adeyemi@acme.example")

    installation.manage("shell", "-v", "0", "-c", REVOKE.format(app.id))

    assert installation.there.status(token, "/api/v2/users/me") in (401, 403)
    assertion = installation._assertion("dara.adeyemi@acme.example")
    answer = installation.there.ask(
        "/oauth/token", app, grant_type=GRANT, orgName="acme", assertion=assertion
    )
    assert answer.status_code == 400


def test_an_assertion_that_was_used_here_is_used_there(installation: Installation):
    app = installation.client(authorizedGrantType="SAML2-BEARER", scope=SCOPES)
    form = {
        "grant_type": GRANT,
        "orgName": "acme",
        "assertion": installation._assertion("emil.adeyemi@acme.example"),
    }

    assert installation.here.ask("/oauth/token", app, **form).status_code == 200
    assert installation.there.ask("/oauth/token", app, **form).status_code == 400


def test_who_signs_in_here_is_signed_in_there_until_they_sign_out(installation: Installation):
    here, there = installation.here.base_url, installation.there.base_url
    ben = installation.demo["people"]["ben"]

    def field_of(page: requests.Response) -> str:
        return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]

    with requests.Session() as browser:  # whose cookies are those of the host, whatever the port
        form = {"csrfmiddlewaretoken": field_of(browser.get(f"{here}/sign-in/"))}
        browser.post(f"{here}/sign-in/", {**form, "email": ben["email"], "password": ben["password"]})
        page = browser.get(f"{there}/admin/", allow_redirects=False)
        assert page.status_code == 200

        left = browser.post(
            f"{here}/sign-out/", {"csrfmiddlewaretoken": field_of(page)}, allow_redirects=False
        )
        assert left.status_code in (200, 302)
        assert browser.get(f"{there}/admin/", allow_redirects=False).status_code == 302


@pytest.mark.skipif(
    not os.environ.get("DATABASE_URL", "").startswith("postgres"),
    reason="SQLite has no connections to lose",
)
def test_connections_that_the_database_drops_are_made_again_and_no_program_notices(
    installation: Installation,
):
    import psycopg

    _role, client, token = installation.warm()
    with psycopg.connect(installation.env["DATABASE_URL"], autocommit=True) as connection:
        for ask in (
            lambda: installation.there.status(token),
            lambda: bool(installation.there.token(client)),
        ):
            assert ask()
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert [ask() for _ in range(8)] in ([200] * 8, [True] * 8)


# --- What is noted there -------------------------------------------------------------------------


def eventually(what: Callable[[], Any], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)


def test_what_is_used_there_is_in_the_database_seconds_later(installation: Installation):
    _role, client, token = installation.warm()
    for _ in range(8):
        installation.there.status(token)

    eventually(lambda: installation.counted(client).get("/api/v2/users") == 10, seconds=6)

    assert installation.counted(client)["/oauth/token"] == 1


def test_a_server_that_is_stopped_writes_what_it_has_noted_first(installation: Installation):
    """Last, for `there` does not come back. What `here` answered meanwhile is in the same rows."""
    _role, client, token = installation.warm()
    for _ in range(5):
        assert installation.there.status(token) == 200
    assert installation.here.status(token) == 200
    said = len(installation.there.log.read_text())

    installation.there.stop()

    eventually(lambda: installation.counted(client) == {"/api/v2/users": 8, "/oauth/token": 1}, seconds=4)
    log = installation.there.log.read_text()
    assert "Traceback" not in log[said:], log
    assert client.secret not in log
    assert token not in log
