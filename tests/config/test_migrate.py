"""`manage.py migrate`, which `serve`, `demo` and `bootstrap` begin with: one process at a time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection

from config.management.commands import migrate
from config.turns import MIGRATING, taken
from tests.config.test_installation import ROOT
from tests.databases import own_database


def test_whoever_comes_second_says_so_and_waits(transactional_db, monkeypatch):
    held, errors = threading.Event(), io.StringIO()
    turn = taken(MIGRATING, connection)

    def sleep(_seconds: float) -> None:
        assert "Waiting for another process" in errors.getvalue()
        turn.__exit__(None, None, None)
        held.set()

    monkeypatch.setattr(migrate.time, "sleep", sleep)
    if connection.vendor == "sqlite":  # in memory, where nobody else is
        answers = iter([False, True])
        monkeypatch.setattr(migrate, "taken", lambda *_: Answer(next(answers)))
    assert turn.__enter__()
    call_command("migrate", verbosity=0, stderr=errors)
    assert held.is_set()


class Answer:
    def __init__(self, mine: bool) -> None:
        self.mine = mine

    def __enter__(self) -> bool:
        return self.mine

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("second", [["migrate", "--plan"], ["migrate", "--check"]], ids=["plan", "check"])
def test_looking_waits_for_nobody(db, second, monkeypatch):
    def asked(*_: object) -> None:
        raise AssertionError("it looked whose turn it is")

    monkeypatch.setattr(migrate, "taken", asked)
    call_command(*second, stdout=io.StringIO())


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="PostgreSQL ends transactions that stand still"
)
def test_the_turn_lasts_as_long_as_it_takes(transactional_db):
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '300ms'")
    try:
        with taken(MIGRATING, connection) as mine:
            assert mine
            time.sleep(1)
            with taken(MIGRATING, connection) as second:
                assert not second
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} RESET idle_in_transaction_session_timeout")


def test_the_file_of_a_lock_may_be_somebody_elses(tmp_path):
    """As after one `manage.py migrate` as root: to read it is enough."""
    database = SimpleNamespace(
        vendor="sqlite",
        is_in_memory_db=lambda: False,
        settings_dict={"NAME": tmp_path / "latchkey.sqlite3"},
    )
    (tmp_path / "latchkey.sqlite3.migrating").touch(mode=0o444)
    with taken(MIGRATING, database) as mine, taken(MIGRATING, database) as second:
        assert (mine, second) == (True, False)
    with taken(MIGRATING, database) as mine:
        assert mine


@pytest.fixture
def own_url(worker_id) -> Iterator[str]:
    with own_database(f"migrate_{worker_id}") as url:
        yield url


def test_servers_that_start_together_on_an_empty_database(tmp_path: Path, own_url):
    """Three processes: all of them succeed, and the database is whole."""
    env = {key: value for key, value in os.environ.items() if key not in ("BASE_URL", "DATABASE_URL")}
    env |= {"STATE_DIR": str(tmp_path), "DATABASE_URL": own_url}
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    running = [
        subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    try:
        said = [process.communicate(timeout=120) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0, 0, 0], said
    subprocess.run([*command[:-1], "--check"], cwd=ROOT, env=env, check=True)
