"""Whom most of the protocol tests are about: an app of Acme, and a person who uses it."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from tests.cast import App, Cast


@pytest.fixture
def app(cast: Cast) -> App:
    return cast.app("users", "user-basic-info")


@pytest.fixture
def eve(cast: Cast, browser_of) -> Browser:
    return browser_of(cast.eve)
