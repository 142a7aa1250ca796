"""docs/protect-your-api.md, as its reader does it: a service outside this project, a running server, HTTP."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import ROOT, Served

DOCUMENT = ROOT / "docs" / "protect-your-api.md"
PROGRAM = ROOT / "docs" / "examples" / "protected_service.py"
CALLBACK = "https://web.example/callback"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_request: object) -> None:
        return None


@dataclass
class Answer:
    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def challenge(self) -> str | None:
        return self.headers["WWW-Authenticate"]


def call(request: urllib.request.Request, *handlers: urllib.request.BaseHandler) -> Answer:
    try:
        with urllib.request.build_opener(_Stay, *handlers).open(request, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read().decode())


@dataclass(frozen=True)
class Credentials:
    id: str
    secret: str

    def post(self, served: Served, path: str, **form: str) -> Answer:
        basic = base64.b64encode(f"{self.id}:{self.secret}".encode()).decode()
        return call(
            urllib.request.Request(
                served.base_url + path,
                urlencode(form).encode(),
                {"Authorization": f"Basic {basic}"},
            )
        )

    def own_token(self, served: Served) -> str:
        return self.post(served, "/oauth/token", grant_type="client_credentials").json["access_token"]


@dataclass
class Visitor:
    """Somebody's browser, as far as an app needs it."""

    served: Served
    who: str

    def __post_init__(self) -> None:
        self.cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        person = self.served.demo["people"][self.who]
        page = self.go("/sign-in/")
        done = self.go("/sign-in/", page, email=person["email"], password=person["password"])
        assert done.status == 302, done.text

    def go(self, path: str, page: Answer | None = None, **form: Any) -> Answer:
        """With `page`, sends a form that was found there."""
        data = None
        if page is not None:
            form["csrfmiddlewaretoken"] = _values(page, "csrfmiddlewaretoken")[0]
            data = urlencode(form, doseq=True).encode()
        return call(urllib.request.Request(self.served.base_url + path, data), self.cookies)

    def token(self, app: Credentials, **query: str) -> dict[str, Any]:
        """A token of the app for this person, who says yes to everything."""
        asked = {"client_id": app.id, "redirect_uri": CALLBACK, "response_type": "code", **query}
        code = self.code("/oauth/authorize?" + urlencode(asked))
        redirect_uri = asked["redirect_uri"]
        return app.post(
            self.served,
            "/oauth/token",
            grant_type="authorization_code",
            code=code,
            redirect_uri=redirect_uri,
        ).json

    def code(self, address: str) -> str:
        """What the browser takes to the app, after a yes to everything that it is asked here."""
        answer = self.go(address)
        for _page in range(2):
            if 'value="approve"' in answer.text:
                shown = {name: _values(answer, name) for name in ("scope", "version")}
                assert self.go(address, answer, decision="approve", **shown).status == 302
                answer = self.go(address)
            elif 'value="allow"' in answer.text:
                answer = self.go(address, answer, decision="allow", shown=_values(answer, "shown"))
        sent_to = answer.headers["Location"]
        assert sent_to is not None, answer.text
        assert sent_to.startswith(parse_qs(urlsplit(address).query)["redirect_uri"][0])
        return parse_qs(urlsplit(sent_to).query)["code"][0]


def _values(page: Answer, name: str) -> list[str]:
    return [unescape(found) for found in re.findall(rf'name="{name}" value="([^"]*)"', page.text)]


def register(served: Served, name: str, **body: Any) -> Credentials:
    """By the demo's own client, over the API."""
    made = call(
        urllib.request.Request(
            f"{served.base_url}/api/v2/oauth/clients",
            json.dumps({"name": name, **body}).encode(),
            {**_bearer(demo(served).own_token(served)), "Content-Type": "application/json"},
        )
    )
    assert made.status == 200, made.text
    return Credentials(made.json["id"], made.json["secret"])


def demo(served: Served, key: str = "client_credentials") -> Credentials:
    made = served.demo["clients"][key]
    return Credentials(made["client_id"], made["client_secret"])


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def asking(served: Served) -> Credentials:
    """The service's own client, which holds Token Introspection and nothing else."""
    found = call(
        urllib.request.Request(
            f"{served.base_url}/api/v2/authorization/roles?pageSize=100",
            headers=_bearer(demo(served).own_token(served)),
        )
    )
    role = next(role["id"] for role in found.json["entities"] if role["name"] == "Token Introspection")
    return register(
        served,
        "Invoices",
        authorizedGrantType="CLIENT-CREDENTIALS",
        roleDivisions=[{"roleId": role, "divisionId": served.demo["organization"]["home_division_id"]}],
    )


@pytest.fixture(scope="module")
def app(served: Served) -> Credentials:
    """An app of Acme that acts for people, authorized there for its scopes."""
    return register(
        served,
        "Invoices on the web",
        authorizedGrantType="CODE",
        registeredRedirectUri=[CALLBACK],
        scope=["billing", "users"],
    )


@dataclass
class Invoices:
    """The service, as its callers see it."""

    address: str
    log: Any

    def get(self, number: str = "", token: str | None = None, query: str = "") -> Answer:
        path = f"{self.address}/{number}".rstrip("/") + query
        return call(urllib.request.Request(path, headers=_bearer(token) if token else {}))

    def add(self, division: str, token: str | None) -> Answer:
        return call(
            urllib.request.Request(
                self.address,
                json.dumps({"division": division, "amount": "12.50"}).encode(),
                _bearer(token) if token else {},
            )
        )


@pytest.fixture(scope="module")
def start(served: Served, asking: Credentials, tmp_path_factory) -> Iterator[Any]:
    """Starts the example as its own process: `start(LATCHKEY_CACHE_SECONDS="60")`."""
    started = []

    def run(**more: str) -> Invoices:
        log = tmp_path_factory.mktemp("invoices") / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", str(PROGRAM), "0"],
                cwd=log.parent,
                env={
                    "PATH": os.environ["PATH"],
                    "LATCHKEY_ISSUER": served.base_url,
                    "LATCHKEY_CLIENT_ID": asking.id,
                    "LATCHKEY_CLIENT_SECRET": asking.secret,
                    **more,
                },
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        started.append(process)
        assert process.stdout is not None
        return Invoices(process.stdout.readline().strip(), log)

    yield run
    for process in started:
        process.terminate()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def divisions(served: Served) -> dict[str, str]:
    return served.demo["organization"]["divisions"]


@pytest.fixture(scope="module")
def invoices(start) -> Invoices:
    return start()


@pytest.fixture(scope="module")
def numbers(served: Served, invoices: Invoices, divisions) -> dict[str, str]:
    """An invoice in each division, by a client that holds everything everywhere."""
    everything = demo(served).own_token(served)
    found = {}
    for name, division in divisions.items():
        answer = invoices.add(division, everything)
        assert (answer.status, answer.json["by"]) == (200, demo(served).id), answer.text
        found[name] = answer.json["number"]
    return found


def test_a_service_limited_to_east_reads_easts_invoices_and_no_others(served, invoices, numbers, divisions):
    token = demo(served, "limited").own_token(served)

    assert invoices.get(numbers["East"], token).json["division"] == divisions["East"]
    refused = invoices.get(numbers["West"], token)
    assert (refused.status, refused.challenge) == (403, 'Bearer realm="invoices"')
    assert divisions["West"] in refused.json["error"]
    assert {invoice["division"] for invoice in invoices.get("", token).json} == {divisions["East"]}
    # It may see, and change nothing, in East as little as elsewhere.
    assert [invoices.add(division, token).status for division in divisions.values()] == [403] * 3


def test_an_app_needs_the_scope_and_its_person_the_permission(served, invoices, numbers, divisions, app):
    ada, ben = Visitor(served, "ada"), Visitor(served, "ben")
    full = ada.token(app)["access_token"]
    assert invoices.get(numbers["West"], full).status == 200
    assert invoices.add(divisions["West"], full).json["by"] == served.demo["people"]["ada"]["id"]

    reading = ada.token(app, scope="billing:readonly")["access_token"]
    assert invoices.get(numbers["West"], reading).status == 200
    refused = invoices.add(divisions["West"], reading)
    challenge = 'Bearer realm="invoices", error="insufficient_scope", scope="billing"'
    assert (refused.status, refused.challenge) == (403, challenge)

    without = ada.token(app, scope="users")["access_token"]
    refused = invoices.get(numbers["West"], without)
    challenge = 'Bearer realm="invoices", error="insufficient_scope", scope="billing:readonly"'
    assert (refused.status, refused.challenge) == (403, challenge)

    # Ben supervises Home. No scope gives his apps more than he has.
    bens = ben.token(app)["access_token"]
    assert invoices.get(numbers["Home"], bens).status == 200
    assert invoices.get(numbers["East"], bens).status == 403
    assert invoices.add(divisions["Home"], bens).status == 403


def test_a_token_that_was_given_back_is_dead_at_once(served, invoices, numbers, app):
    token = Visitor(served, "ada").token(app)["access_token"]
    assert invoices.get(numbers["East"], token).status == 200

    assert app.post(served, "/oauth/revoke", token=token).status == 200

    refused = invoices.get(numbers["East"], token)
    assert (refused.status, refused.challenge) == (401, 'Bearer realm="invoices", error="invalid_token"')


def test_a_token_of_another_organization_is_none_here_although_the_app_is_ours(
    served, invoices, numbers, app
):
    cleos = Visitor(served, "cleo").token(app)
    assert cleos["scope"] == "billing users"  # at Globex, where she may do everything
    for number in ("", numbers["East"]):
        refused = invoices.get(number, cleos["access_token"])
        assert (refused.status, refused.challenge) == (
            401,
            'Bearer realm="invoices", error="invalid_token"',
        )


def test_without_a_token_there_is_nothing(served, invoices, numbers):
    token = demo(served).own_token(served)
    for answer in (
        invoices.get(),
        invoices.get(numbers["East"], query=f"?access_token={token}"),
        invoices.add("anywhere", None),
    ):
        assert (answer.status, answer.challenge) == (401, 'Bearer realm="invoices"')


def test_what_latchkey_does_not_vouch_for_is_not_let_in(served, start, app):
    token = demo(served).own_token(served)
    wrong_secret = start(LATCHKEY_CLIENT_SECRET="wrong")
    without_permission = start(
        LATCHKEY_CLIENT_ID=demo(served, "limited").id, LATCHKEY_CLIENT_SECRET=demo(served, "limited").secret
    )
    nobody_there = start(LATCHKEY_ISSUER="http://127.0.0.1:9")
    for service, reason in (
        (wrong_secret, "401"),
        (without_permission, "403"),
        (nobody_there, "refused"),
    ):
        assert service.get("", token).status == 503
        assert reason in service.log.read_text()
        assert token not in service.log.read_text()


def test_an_answer_that_is_kept_outlives_the_token(served, start, app, divisions):
    """The danger that the document spells out."""
    service = start(LATCHKEY_CACHE_SECONDS="60")
    token = Visitor(served, "ada").token(app)["access_token"]
    assert service.get("", token).status == 200
    app.post(served, "/oauth/revoke", token=token)
    assert service.get("", token).status == 200


def test_the_steps_in_the_console_make_a_client_that_may_ask_and_do_nothing_else(page_of, served, asking):
    page = page_of("ada")
    page.goto("/admin/integrations/oauth/add/")
    page.get_by_label("App Name").fill("Ledger")
    page.get_by_role("radio", name="Client Credentials").check(force=True)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("switch", name="Token Introspection").check(force=True)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="Client Secret")).to_be_visible()
    made = Credentials(
        page.get_by_label("Client ID", exact=True).input_value(),
        page.locator("#client-secret").input_value(),
    )
    page.on("dialog", lambda dialog: dialog.accept())

    answer = made.post(served, "/oauth/introspect", token=made.own_token(served))
    assert list(answer.json["permissions"]) == ["oauth:token:view"]


def test_every_command_under_try_it_works_as_it_stands(served, asking, divisions, tmp_path):
    """By sh, in the document's order. Only what stands there as `...` comes from here, and the two ports."""
    text = DOCUMENT.read_text().partition("## Try it\n")[2]
    commands = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    yours = [line for line in commands.splitlines() if "..." in line]
    assert yours == [
        "export LATCHKEY_CLIENT_ID=... LATCHKEY_CLIENT_SECRET=...",
        "export EVERYTHING=...:... LIMITED=...:...",
        "export CODE=...",
    ]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    for was, now in (
        *((line, "") for line in yours[:2]),
        (yours[2], "read -r CODE"),
        ("http://127.0.0.1:8000", served.base_url),
        ("9100", port),
    ):
        assert was in commands
        commands = commands.replace(was, now)
    # A reader takes longer to the next command than the service to its start.
    assert commands.count(" &\n") == 1
    commands = commands.replace(" &\n", ' &\nuntil curl -s -o answer "$INVOICES"; do sleep 0.1; done\n')
    everything, limited = demo(served), demo(served, "limited")
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    with (tmp_path / "log").open("w") as log:
        reader = subprocess.Popen(
            ["sh", "-c", f"set -eu; trap 'kill $!' EXIT\n{commands}\ntrap - EXIT"],
            start_new_session=True,
            cwd=tmp_path,
            env={
                **os.environ,
                "LATCHKEY_CLIENT_ID": asking.id,
                "LATCHKEY_CLIENT_SECRET": asking.secret,
                "EVERYTHING": f"{everything.id}:{everything.secret}",
                "LIMITED": f"{limited.id}:{limited.secret}",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    said = []
    # Nothing waits for ever for what does not come.
    end = threading.Timer(120, os.killpg, (reader.pid, signal.SIGKILL))
    end.start()
    with reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        for line in reader.stdout:
            said.append(line)
            if line.startswith(f"{served.base_url}/oauth/authorize"):
                code = Visitor(served, "ada").code(line.strip().removeprefix(served.base_url))
                reader.stdin.write(f"{code}\n")
                reader.stdin.flush()
    end.cancel()
    printed = "".join(said)
    assert reader.returncode == 0, printed + (tmp_path / "log").read_text()

    statuses = [int(status) for status in re.findall(r"^HTTP/1.0 (\d+) ", printed, re.MULTILINE)]
    assert statuses == [200, 200, 200, 403, 200, 403, 401, 200, 200]
    assert f"You lack directory:user:view in the division {divisions['West']}." in printed
    [listed] = re.findall(r"^\[.*\]$", printed, re.MULTILINE)
    assert [invoice["number"] for invoice in json.loads(listed)] == ["1"]
    ada = served.demo["people"]["ada"]["id"]
    assert printed.endswith(f'"amount": "99.00", "by": "{ada}"}}\n')


def test_no_app_of_the_demo_has_the_scope(served, invoices):
    web = demo(served, "code")
    redirect_uri = served.demo["clients"]["code"]["redirect_uri"]
    token = Visitor(served, "ada").token(web, redirect_uri=redirect_uri)["access_token"]
    refused = invoices.get("", token)
    assert refused.status == 403
    assert 'error="insufficient_scope"' in refused.challenge


def test_the_document_shows_the_program_as_it_is():
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        assert block in PROGRAM.read_text(), block


def test_the_program_needs_nothing_of_this_project_and_nothing_that_is_to_be_installed():
    imported = re.findall(r"^(?:from|import) (\w+)", PROGRAM.read_text(), re.MULTILINE)
    assert set(imported) <= sys.stdlib_module_names


def test_the_document_explains_every_field_of_an_answer(served, asking, app):
    answers = [
        asking.post(served, "/oauth/introspect", token=token).json
        for token in (
            asking.own_token(served),
            Visitor(served, "ada").token(app)["access_token"],
        )
    ]
    explained = DOCUMENT.read_text().partition("## What the answer says")[2].partition("## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", explained, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set().union(*answers)
