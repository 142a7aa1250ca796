"""Fixtures that every test may use; the cast is described in cast.py."""

from __future__ import annotations

import gc

import pytest
from django.core.cache import cache
from django.db.backends.sqlite3.base import DatabaseOperations
from django.test import Client as Browser

from accounts import rates
from oauthclients.services import usage
from tests import cast as standing_cast
from tests.cast import PASSWORD, Cast

# Thousands of short tests leave little that refers to itself; looking for it every 700 objects takes a tenth
# of the time.
gc.set_threshold(50_000, 20, 100)


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
    cache.clear()
    rates.forget()
    usage.forget()


@pytest.fixture
def cast(db) -> Cast:
    return standing_cast.make()


@pytest.fixture
def browser_of():
    """A test client signed in as somebody: `browser_of(cast.ada)`."""

    def sign_in(user, **kwargs) -> Browser:
        browser = Browser(**kwargs)
        response = browser.post("/sign-in/", {"email": user.email, "password": PASSWORD})
        assert response.status_code == 302, response.content
        return browser

    return sign_in
