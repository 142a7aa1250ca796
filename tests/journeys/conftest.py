"""The product as `make run` starts it, and a real browser."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.databases import own_database
from tests.saml import IdP, Pair

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Served:
    """A running server of its own: its address, the demo's credentials, and where its state lies."""

    base_url: str
    demo: dict[str, Any]
    state: Path
    log: Path
    env: dict[str, str]
    # What the browser keeps of somebody who has signed in, for the next test.
    signed_in: dict[str, Any] = field(default_factory=dict)

    def manage(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout


@pytest.fixture(scope="session")
def own_url(worker_id) -> Iterator[str]:
    """DATABASE_URL of a database of the journeys' own."""
    with own_database(f"journeys_{worker_id}") as url:
        yield url


@pytest.fixture(scope="session")
def served(tmp_path_factory, own_url) -> Any:
    state = tmp_path_factory.mktemp("served")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keep = {
        key: value
        for key, value in os.environ.items()
        if key not in ("BASE_URL", "STATE_DIR", "DJANGO_ALLOW_ASYNC_UNSAFE", "DATABASE_URL")
    }
    env = {
        **keep,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STATE_DIR": str(state),
        "PORT": str(port),
        "DATABASE_URL": own_url,
        # All of the tests come from one address.
        "RATE_SIGN_INS_PER_ADDRESS": "1000",
    }
    log = state / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--demo"],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=output,
        )
    base_url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{base_url}/readyz", process, log)
        server = Served(base_url, {}, state, log, env)
        server.demo = json.loads(server.manage("demo", "--json"))
        yield server
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the server stopped:\n{log.read_text()}")


@pytest.fixture
def idp(served: Served) -> IdP:
    """The demo's identity provider, with its key."""
    said = served.demo["identity_provider"]
    return IdP(
        issuer=said["issuer"],
        pair=Pair.of_pem(said["private_key_pem"], said["certificate_pem"]),
        audience=said["audience"],
        recipient=said["recipient"],
        email=said["email"],
    )


@pytest.fixture
def page_of(chromium: Browser, served: Served) -> Any:
    """`page_of("ada")`: a page signed in as one of the demo people; more keywords for the context. The first
    page of somebody in a test goes on with the sign-in of an earlier test, where that still counts."""
    contexts: list[Any] = []
    here: set[str] = set()

    def open_page(who: str | None, **options: Any) -> Page:
        kept = None if who is None or who in here else served.signed_in.get(who)
        page = new_page(**options, **({"storage_state": kept} if kept else {}))
        if who is not None:
            here.add(who)
            if kept:
                page.goto("/admin/")
            if urlsplit(page.url).path != "/admin/":
                sign_in(page, who)
        return page

    def new_page(**options: Any) -> Page:
        context = chromium.new_context(base_url=served.base_url, **options)
        contexts.append(context)
        page = context.new_page()
        page.problems = problems = []  # type: ignore[attr-defined]
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        return page

    def sign_in(page: Page, who: str) -> None:
        page.goto("/sign-in/")
        page.fill("[name=email]", served.demo["people"][who]["email"])
        page.fill("[name=password]", served.demo["people"][who]["password"])
        page.press("[name=password]", "Enter")
        page.wait_for_url("**/admin/")
        served.signed_in[who] = page.context.storage_state()

    yield open_page
    for context in contexts:
        context.close()


def tab_to(page: Page, target: Locator, most: int = 120) -> None:
    """Presses Tab until the target has the focus, as somebody without a mouse does."""
    wanted = target.element_handle()
    for _ in range(most):
        if page.evaluate("wanted => document.activeElement === wanted", wanted):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {target}")
