"""Whom most of the protocol tests are about: an app of Acme, and a person who uses it."""

from __future__ import annotations

from django.test import Client as Browser

from tests.cast import App, Cast
from tests.standing import standing


@standing
def app(cast: Cast) -> App:
    return cast.app("users", "user-basic-info")


@standing
def eve(cast: Cast, browser_of) -> Browser:
    return browser_of(cast.eve)
