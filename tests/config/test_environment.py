from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import Env
from tests.config.test_installation import manage

NAMES = [
    "ALLOWED_HOSTS",
    "BASE_URL",
    "CACHE_URL",
    "DATABASE_URL",
    "DEBUG",
    "EMAIL_TIMEOUT",
    "EMAIL_URL",
    "HOST",
    "INVITATION_SECONDS",
    "LOG_LEVEL",
    "MAIL_FROM",
    "MAX_CLIENTS_PER_ORGANIZATION",
    "MAX_DIVISIONS_PER_ORGANIZATION",
    "MAX_ROLES_PER_ORGANIZATION",
    "PORT",
    "REGIONS",
    "RATE_API_PER_TOKEN",
    "RATE_SIGN_INS_PER_ADDRESS",
    "RATE_SSO_PER_ADDRESS",
    "RATE_TOKENS_PER_CLIENT",
    "RATE_TOKEN_FAILURES",
    "SAML_KEY_FILE",
    "SAML_LONGEST_SECONDS",
    "SECRET_KEY",
    "CLIENT_SECRET_KEY",
    "THREADS",
    "TRUSTED_PROXIES",
    "WORKERS",
]


@pytest.mark.parametrize("kind", ["int", "str", "bool", "list"])
def test_an_empty_variable_is_an_absent_one(monkeypatch, kind):
    monkeypatch.setenv("SOMETHING", " ")

    assert getattr(Env(), kind)("SOMETHING", default="the default") == "the default"


def test_a_value_that_makes_no_sense_is_named_in_one_sentence(monkeypatch):
    monkeypatch.setenv("SOMETHING", "80a")

    with pytest.raises(ImproperlyConfigured, match="SOMETHING='80a'"):
        Env().int("SOMETHING", default=1)


def test_every_variable_may_be_set_to_nothing(tmp_path):
    done = manage("check", STATE_DIR=str(tmp_path), **dict.fromkeys(NAMES, ""))

    assert (done.returncode, done.stderr) == (0, "")


def test_every_variable_is_documented():
    from tests.config.test_installation import ROOT

    text = (ROOT / "docs/operations.md").read_text()
    assert [name for name in [*NAMES, "STATE_DIR"] if f"`{name}`" not in text] == []
