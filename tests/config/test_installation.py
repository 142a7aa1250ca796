"""What a fresh installation makes for itself, and what it never writes down."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import environ
import pytest

from config import first_run
from config.logs import LineFormatter, RedactCredentials, redact

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def env(monkeypatch):
    for name in ("SOME_KEY", "SOME_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    return environ.Env()


def test_a_key_is_made_once_and_readable_by_its_owner_alone(env, tmp_path):
    state = tmp_path / "var"

    made = first_run.key(env, "SOME_KEY", state)

    assert first_run.key(env, "SOME_KEY", state) == made
    assert len(made) >= 64
    assert stat.S_IMODE((state / "some_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert os.listdir(state) == ["some_key"]


def test_a_key_given_wins_over_one_made(env, tmp_path, monkeypatch):
    first_run.key(env, "SOME_KEY", tmp_path)
    (tmp_path / "given").write_text("from a file\n")
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "given"))
    assert first_run.key(env, "SOME_KEY", tmp_path) == "from a file"
    monkeypatch.setenv("SOME_KEY", "from the environment")
    assert first_run.key(env, "SOME_KEY", tmp_path) == "from the environment"


@pytest.mark.parametrize(
    "text",
    [
        "lks_abcDEF123-_x",
        "Authorization: Bearer abcdefghijk.lmnop",
        "Authorization: Basic YWJjOmRlZmdoaWo=",
        "POST client_secret=hush-hush&x=1",
        "assertion=PHNhbWw",
        "/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=1",
    ],
)
def test_log_lines_are_cleared_of_credentials(text):
    cleared = redact(text)

    assert "[removed]" in cleared
    for secret in ("abcDEF123", "lmnop", "YWJj", "hush", "PHNhbWw", "Splx"):
        assert secret not in cleared


def test_tracebacks_are_cleared_as_well():
    try:
        raise ValueError("lks_abcdefgh")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "sent %s", ("lks_12345678",), sys.exc_info())
    RedactCredentials().filter(record)

    line = LineFormatter().format(record)

    assert "lks_" not in line
    assert "ValueError" in line


def manage(*arguments, **env):
    inherited = {
        key: value
        for key, value in os.environ.items()
        if key not in ("BASE_URL", "DJANGO_ALLOW_ASYNC_UNSAFE")
    }
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**inherited, "DJANGO_SETTINGS_MODULE": "config.settings", **env},
        check=False,
    )


def test_the_production_settings_pass_the_deployment_checks(tmp_path):
    done = manage(
        "check",
        "--deploy",
        BASE_URL="https://login.example.com",
        EMAIL_URL="smtp://localhost:25",
        STATE_DIR=str(tmp_path),
    )

    assert done.stderr == ""
    assert done.stdout.strip() == "System check identified no issues (0 silenced)."


def test_several_workers_without_a_shared_cache_are_warned_about(tmp_path):
    done = manage(
        "check",
        "--deploy",
        BASE_URL="https://login.example.com",
        STATE_DIR=str(tmp_path),
        WORKERS="2",
        CACHE_URL="locmemcache://",
    )

    assert "latchkey.W001" in done.stderr


def test_people_get_argon2_and_the_models_have_their_migrations(tmp_path):
    probe = "from django.conf import settings; print(settings.PASSWORD_HASHERS[0], settings.DEBUG)"
    done = manage("shell", "-v0", "-c", probe, STATE_DIR=str(tmp_path))
    assert done.stdout.strip() == "django.contrib.auth.hashers.Argon2PasswordHasher False"
    assert manage("makemigrations", "--check", STATE_DIR=str(tmp_path)).returncode == 0


def test_a_taken_port_is_said_before_anything_is_made(tmp_path, live_server):
    port = live_server.url.rsplit(":", 1)[1]

    done = manage(
        "serve", "--demo", STATE_DIR=str(tmp_path / "var"), PORT=port, HOST="localhost", DATABASE_URL=""
    )

    assert done.returncode == 1
    assert "PORT=" in done.stderr
    assert not (tmp_path / "var" / "latchkey.sqlite3").exists()


def test_the_lock_files_hold_exact_versions_with_hashes_and_no_hosts():
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert all("==" in pin for pin in pins)
        assert text.count("--hash=sha256:") > len(pins)


def test_the_demo_prints_json_that_a_program_can_read_from_a_pipe(tmp_path):
    database = f"sqlite:///{tmp_path / 'demo.sqlite3'}"
    assert manage("migrate", "-v0", STATE_DIR=str(tmp_path), DATABASE_URL=database).returncode == 0

    done = manage("demo", "--json", STATE_DIR=str(tmp_path), DATABASE_URL=database, PORT="8055")

    assert json.loads(done.stdout)["base_url"] == "http://127.0.0.1:8055"
