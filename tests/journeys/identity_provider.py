"""An identity provider that is none of ours: tests/sdk/identity-provider.mjs, another program in another process,
with a SAML library of its own, keys of its own, and what only it knows of who is signed in there."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from playwright.sync_api import Page, expect

from tests.journeys.conftest import ROOT

HOME = ROOT / "tests" / "sdk"
SIGN_IN_THERE = "Sign in at the provider"
# How it is asked, and whether that must be signed.
KINDS = ("redirect", "redirect-signed", "post", "post-signed")
# One more, for an administrator to set up in the console.
BY_HAND = "by-hand"


@dataclass
class IdentityProvider:
    """One of them, as those see it who run it and who sign in there."""

    name: str
    address: str
    password: str

    def metadata(self) -> str:
        return self._call("/metadata")

    def certificate(self) -> str:
        """In base64, as the metadata has it."""
        [found] = re.findall("<ds:X509Certificate>([^<]+)<", self.metadata())
        return str(found)

    def learn(self, metadata_url: str) -> None:
        """Whom it serves: it reads that for itself."""
        self._call("/service-provider", metadata=metadata_url)

    def set_clock(self, seconds: int) -> None:
        """Ahead of the true time, or behind it."""
        self._call("/clock", seconds=str(seconds))

    def asked(self) -> list[dict[str, Any]]:
        """Of every request for a sign-in, whether it was signed, and whether it wanted a password."""
        found: list[dict[str, Any]] = json.loads(self._call("/seen"))
        return found

    def start(self, relay_state: str | None = None) -> str:
        """Where somebody begins at the provider."""
        return f"{self.address}/start" + (
            f"?RelayState={quote(relay_state, safe='')}" if relay_state else ""
        )

    def sign_in(self, page: Page, email: str) -> None:
        """On the page of the provider that asks for it."""
        expect(page.get_by_role("heading", name=SIGN_IN_THERE)).to_be_visible()
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(self.password)
        page.get_by_role("button", name="Sign in").click()

    def signed_in(self, page: Page) -> str:
        """Who is, in this browser, as its page says."""
        page.goto(f"{self.address}/")
        return page.get_by_role("heading").inner_text()

    def _call(self, path: str, **form: str) -> str:
        request = urllib.request.Request(self.address + path, urlencode(form).encode() if form else None)
        try:
            with urllib.request.urlopen(request) as answer:
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error


@contextlib.contextmanager
def running() -> Iterator[dict[str, IdentityProvider]]:
    """All that the process is, by name."""
    with subprocess.Popen(
        ["node", "identity-provider.mjs"],
        cwd=HOME,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        # The library that knows the schemas writes empty lines there.
        line = next((line for line in process.stdout if line.strip()), "")
        assert line, "the identity provider did not start: make test installs what it needs"
        said = json.loads(line)
        yield {
            name: IdentityProvider(name, f"{said['address']}/{name}", said["password"])
            for name in said["names"]
        }
        process.terminate()
