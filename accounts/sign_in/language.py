"""The language of a page for somebody who is not signed in yet."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import translation

from accounts.rules.locale import supported


def fall_back_on(request: HttpRequest, *languages: str) -> None:
    """The first of these that is here, unless the browser, its user or an app has asked for one
    (config/languages.py, which notes that)."""
    if not getattr(request, "language_asked", ""):
        found = next((code for code in map(supported, languages) if code), "")
        if found:
            translation.activate(found)
