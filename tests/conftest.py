"""Fixtures that every test may use; the cast is described in cast.py."""

from __future__ import annotations

import gc
import os
import shutil
import threading
from typing import Any

import pytest

# Pydantic looks for the source of these models' fields in all modules that there are: four thousand less
# before the vendor's SDK is loaded, and two seconds.
import scim2_client  # noqa: F401
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseOperations
from xdist.scheduler import WorkStealingScheduling

from tests import cast as standing_cast
from tests.cast import Cast, signed_in
from tests.standing import Ground, forget, standing, wanted_by

# Playwright's loop counts as running from a browser's start to the end of all tests. Django would open a second
# connection because of it, which sees nothing of what stands in a transaction of the first, and waits for it.
connections._connections = threading.local()  # type: ignore[assignment]

# Thousands of short tests leave little that refers to itself; looking for it every 700 objects takes a tenth
# of the time.
gc.set_threshold(50_000, 20, 100)


def pytest_xdist_make_scheduler(config, log):
    """Each process gets a stretch of the tests as they stand, so that what stands may stay; the one that is
    done first takes half of what the other has left. Journeys are slow, and would keep one of them busy
    long after."""
    return WorkStealingScheduling(config, log) if config.getvalue("dist") == "load" else None


@pytest.fixture(autouse=True, scope="session")
def _audit_trail_can_be_emptied():
    """After a test that commits, all tables are emptied: on SQLite line by line, which the audit trail
    refuses (accounts/migrations/0007_growth.py)."""
    flush = DatabaseOperations.sql_flush

    def sql_flush(self, *args, **kwargs):
        return [
            "INSERT INTO accounts_auditretention (until) VALUES ('9999-12-31')",
            *flush(self, *args, **kwargs),
            "DELETE FROM accounts_auditretention",
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.fixture(autouse=True)
def _empty_cache():
    forget()


@pytest.fixture(scope="session")
def _ground(django_db_blocker):
    ground = Ground()
    yield ground
    with django_db_blocker.unblock():
        ground.drop()


@pytest.fixture
def _stood_on(request, django_db_setup, django_db_blocker, _ground):
    """Before the transaction of the test begins, there is what it starts from."""
    marker = request.node.get_closest_marker("django_db")
    commits = (marker and marker.kwargs.get("transaction")) or "transactional_db" in request.fixturenames
    with django_db_blocker.unblock():
        _ground.stand_on([] if commits else wanted_by(request))


@pytest.fixture
def _django_db_helper(_stood_on, _django_db_helper):
    """What pytest-django begins and ends every test with that uses the database."""


@standing
def cast(db) -> Cast:
    return standing_cast.make()


@standing
def browser_of():
    """A test client signed in as somebody: `browser_of(cast.ada)`."""
    return signed_in


@pytest.fixture(scope="session")
def chromium() -> Any:
    # Without the frame of a desktop's windows, it is a quarter faster.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    assert path, "no browser: make test installs Chromium"
    from playwright.sync_api import sync_playwright  # only where there is a use for it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        yield browser
        browser.close()
