"""The language of a page for somebody who is not signed in yet, and what this browser was told of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from accounts.rules.locale import supported

# What was chosen in this browser, by whoever uses it.
COOKIE = "latchkey_language"
# In the session of somebody who chose while nobody was signed in.
CHOSEN = "language"


def fall_back_on(request: HttpRequest, *languages: str) -> None:
    """The first of these that is here, unless the browser, its user or an app has asked for one
    (config/languages.py, which notes that)."""
    if not getattr(request, "language_asked", ""):
        found = next((code for code in map(supported, languages) if code), "")
        if found:
            translation.activate(found)


def forget(request: HttpRequest, response: HttpResponse) -> None:
    """What was chosen in this browser, where somebody has said since what counts for them everywhere."""
    request.session.pop(CHOSEN, None)
    response.delete_cookie(COOKIE, samesite="Lax")
