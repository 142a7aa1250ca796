"""The code that the page of a SAML2 Bearer client shows, run as it stands, with curl and with the official SDKs,
and the commands of the README, against the product as it runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import ROOT, Served
from tests.saml import IdP, encode

PROGRAM = ROOT / "docs" / "examples" / "sign_assertion.py"
NODE_MODULES = ROOT / "tests" / "sdk" / "node_modules"


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
    expect(page).to_have_title("Would be accepted – Check an assertion – Latchkey")
    if javascript:
        expect(page.get_by_role("status").filter(has_text="would be accepted")).to_be_focused()
    expect(page.get_by_label("Assertion", exact=True)).to_have_value("")
    page.get_by_label("Assertion", exact=True).fill(
        idp.assertion(audience="https://other.example").decode()
    )
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("It is for ‘https://other.example’.")).to_be_visible()
    expect(page.get_by_text("This assertion would be refused.")).to_be_visible()
    expect(page).to_have_title("Would be refused – Check an assertion – Latchkey")
    if javascript:
        expect(page.get_by_role("alert")).to_be_focused()
    assert page.problems == []


@pytest.fixture
def read(served: Served, tmp_path: Path):
    """Runs commands of the README by sh, in a copy of this directory whose `var` is empty; what they print.
    Only the address comes from here, and what stands there as `...`."""
    for name in (".venv", "manage.py", "docs"):
        (tmp_path / name).symlink_to(Path(sys.prefix) if name == ".venv" else ROOT / name)
    (tmp_path / "var").mkdir()

    def run(commands: str, **env: str) -> str:
        assert "http://127.0.0.1:8000" in commands
        done = subprocess.run(
            ["sh", "-euc", commands.replace("http://127.0.0.1:8000", served.base_url)],
            cwd=tmp_path,
            env={**served.env, **env},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    demo = tmp_path / "var" / "demo.json"
    if demo.exists():
        served.demo = json.loads(
            demo.read_text()
        )  # the other tests' credentials are worth nothing any more


def test_every_command_of_the_readme_works_as_it_stands(served, read, tmp_path):
    text = (ROOT / "README.md").read_text().partition("### For a person, by an assertion\n")[2]
    text = text.partition("\n## ")[0]
    commands = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    before, yours, after = commands.partition("export TOKEN=...\n")
    assert yours
    assert "..." not in before + after
    answer = json.loads(read(before))
    assert answer["token_type"] == "bearer"
    made = json.loads((tmp_path / "var" / "demo.json").read_text())
    assert (tmp_path / "var" / "demo.json").stat().st_mode & 0o077 == 0
    assert made["clients"]["saml2_bearer"] != served.demo["clients"]["saml2_bearer"]
    me = json.loads(read(after, TOKEN=answer["access_token"]))
    assert me["email"] == made["people"]["eve"]["email"]


def test_the_program_signs_for_whom_it_is_told_to(page_of, served, client_page, tmp_path):
    (tmp_path / "demo.json").write_text(json.dumps(served.demo))
    signed = subprocess.run(
        [sys.executable, str(PROGRAM), "demo.json", "--email", "ada@acme.example"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    page = page_of("ada")
    page.goto(f"{client_page}check-assertion/")
    page.get_by_label("Assertion", exact=True).fill(signed)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("Ada (ada@acme.example).")).to_be_visible()
    expect(page.get_by_text("This assertion would be accepted.")).to_be_visible()


def test_the_program_needs_nothing_of_this_project():
    imported = re.findall(r"^(?:from|import) (\w+)", PROGRAM.read_text(), re.MULTILINE)
    assert set(imported) - sys.stdlib_module_names == {"lxml", "xmlsec"}
