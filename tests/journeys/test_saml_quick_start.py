"""The code that the page of a SAML2 Bearer client shows, run as it stands, with curl and with the official SDKs,
against the product as it runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import ROOT, Served
from tests.saml import IdP, Pair, encode

NODE_MODULES = ROOT / "tests" / "sdk" / "node_modules"


@pytest.fixture
def idp(served: Served) -> IdP:
    said = served.demo["identity_provider"]
    return IdP(
        issuer=said["issuer"],
        pair=Pair.of_pem(said["private_key_pem"], said["certificate_pem"]),
        audience=said["audience"],
        recipient=said["recipient"],
        email=said["email"],
    )


@pytest.fixture
def client_page(served: Served) -> str:
    return f"/admin/integrations/oauth/{served.demo['clients']['saml2_bearer']['client_id']}/"


@pytest.fixture
def run(page_of, served: Served, idp: IdP, client_page: str, tmp_path: Path):
    """Runs what stands under Quick start, beside a fresh assertion; what it prints."""
    page = page_of("ada")
    page.goto(client_page)

    def run(tab: str, *program: str) -> str:
        code = tmp_path / f"{tab}{Path(program[-1]).suffix}"
        code.write_text(page.locator(f"#snippet-{tab}").text_content() or "")
        # As `base64` on the command line writes it: in one line with an end.
        (tmp_path / "assertion.b64").write_text(f"{encode(idp.assertion())}\n")
        done = subprocess.run(
            [*program[:-1], str(code)],
            cwd=tmp_path,
            env={
                **os.environ,
                "HOME": str(tmp_path),  # where the SDKs look for settings
                "CLIENT_SECRET": served.demo["clients"]["saml2_bearer"]["client_secret"],
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_curl_command_gets_a_token(run):
    answer = json.loads(run("curl", "sh", "run.sh"))
    assert answer["token_type"] == "bearer"
    assert answer["expires_in"] == 86_400
    assert "refresh_token" not in answer


def test_the_python_code_says_who_vouched_for(run, idp):
    assert idp.email in run("python", sys.executable, "run.py")


@pytest.mark.skipif(not shutil.which("node"), reason="Node.js is missing")
def test_the_javascript_code_says_who_was_vouched_for(run, idp, tmp_path):
    assert NODE_MODULES.is_dir(), "no JavaScript SDK: make test installs it"
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    assert idp.email in run("javascript", "node", "run.mjs")


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_an_administrator_checks_an_assertion_of_the_client(page_of, idp, client_page, javascript):
    page = page_of("ada", java_script_enabled=javascript)
    page.goto(client_page)
    page.get_by_role("link", name="Check an assertion").click()
    page.get_by_label("Assertion", exact=True).fill(encode(idp.assertion()))
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("This assertion would be accepted.")).to_be_visible()
    expect(page.get_by_label("Assertion", exact=True)).to_have_value("")
    page.get_by_label("Assertion", exact=True).fill(
        idp.assertion(audience="https://other.example").decode()
    )
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("It is for ‘https://other.example’.")).to_be_visible()
    expect(page.get_by_text("This assertion would be refused.")).to_be_visible()
    assert page.problems == []
