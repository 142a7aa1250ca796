"""`manage.py clients` as a process: what it ends with, standard input, and being stopped in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings

AS_ADA = ("--as", "ada@acme.example", "--organization", "acme")
FILE = """version: 1
clients:
  - name: Billing sync
    grant_type: CLIENT-CREDENTIALS
    roles:
      - role: Supervisor
        divisions: [Home]
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory) -> dict[str, str]:
    """A database file of its own, with the demo organizations: a process cannot see what a test's transaction
    has written."""
    folder = tmp_path_factory.mktemp("installation")
    environment = {
        "PATH": os.environ["PATH"],
        "STATE_DIR": str(folder),
        "PYTHONWARNINGS": "error",
        "LANG": "C",
    }
    subprocess.run(
        [sys.executable, "manage.py", "demo", "--json"],
        cwd=settings.BASE_DIR,
        env=environment,
        check=True,
        capture_output=True,
    )
    return environment


def manage(installation: dict[str, str], *arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
    ran = subprocess.run(
        [sys.executable, "manage.py", "clients", *map(str, arguments)],
        cwd=settings.BASE_DIR,
        env=installation,
        input=stdin,
        capture_output=True,
        timeout=120,
    )
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


def test_what_it_ends_with(installation, tmp_path):
    """0: nothing to change, 2: something, 1: an error, and a slip on the command line is one."""
    code, written, _said = manage(installation, "export", *AS_ADA)
    assert code == 0
    file = tmp_path / "clients.yaml"
    file.write_text(written)
    assert manage(installation, "plan", *AS_ADA, file)[:2] == (0, "No changes.\n")

    file.write_text(FILE)
    code, said, _error = manage(installation, "plan", *AS_ADA, file)
    assert code == 2
    assert said.endswith("1 to create, 0 to change, 0 to delete.\n")

    file.write_text(FILE.replace("Home", "Caf\u00e9\\x1b"))
    code, said, error = manage(installation, "plan", *AS_ADA, file)
    assert (code, said) == (1, "")
    assert error.startswith(f"{file}:7:21: There is no division called ")
    assert "Traceback" not in error

    for slip in (["plan", *AS_ADA, file, "--jsn"], ["import"]):
        code, said, error = manage(installation, *slip)
        assert (code, said) == (1, ""), slip
        assert "usage: manage.py clients" in error


def test_from_standard_input_it_asks_nobody(installation, tmp_path):
    code, _said, error = manage(
        installation, "apply", *AS_ADA, "-", "--secrets-file", tmp_path / "secrets", stdin=FILE.encode()
    )
    assert code == 1
    assert "Nobody can be asked here: --yes applies it. Nothing was changed." in error
    code, _said, error = manage(
        installation, "plan", *AS_ADA, "-", stdin=b"version: 1\nclients:\n  - name: no\n"
    )
    assert code == 1
    assert error.startswith("standard input:3:11: ")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_stopped_in_the_middle_nothing_is_half_done(end, installation, tmp_path):
    """While it hands the secrets over: the clients are there, and nobody else sees them yet."""
    file, begun = tmp_path / "clients.yaml", tmp_path / "begun"
    file.write_text(FILE.replace("Billing sync", f"Stopped by {int(end)}"))
    handing = f"{sys.executable} -c \"import time; open('{begun}', 'w').close(); time.sleep(10)\""
    process = subprocess.Popen(
        [
            sys.executable,
            "manage.py",
            "clients",
            "apply",
            *AS_ADA,
            str(file),
            "--yes",
            "--secrets-to",
            handing,
        ],
        cwd=settings.BASE_DIR,
        env=installation,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not begun.exists():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(end)
    _said, error = process.communicate(timeout=30)

    assert process.returncode == (-9 if end == signal.SIGKILL else 1)
    if end != signal.SIGKILL:
        assert b"It was broken off. Nothing was changed." in error
    assert b"Traceback" not in error
    _code, written, _error = manage(installation, "export", *AS_ADA)
    assert f"Stopped by {int(end)}" not in written


def test_a_plan_for_programs(installation, tmp_path):
    file = tmp_path / "clients.yaml"
    file.write_text(FILE.replace("Billing", "Reporting"))
    code, said, _error = manage(installation, "plan", *AS_ADA, file, "--json")
    assert code == 2
    plan = json.loads(said)
    assert plan["new_secrets"] == ["Reporting sync"]
    kept = tmp_path / "plan.json"
    kept.write_text(said)
    secrets = tmp_path / "secrets"
    code, said, error = manage(
        installation, "apply", *AS_ADA, file, "--plan", kept, "--yes", "--secrets-file", secrets
    )
    assert (code, error) == (0, "")
    assert "lks_" not in said
    assert secrets.stat().st_mode & 0o777 == 0o600
