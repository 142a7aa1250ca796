"""In which language, and in which time zone, a page is written.

Somebody's choice counts first: the one made before signing in, for this session, then the one that is saved
with the person, then the one of this browser. Then what an app asks for (`ui_locales`), what the browser
asks for (`Accept-Language`), and what the organization has chosen. Programs are answered in English, whose
sentences they may have learned to read; a route that describes something to their users turns to them
itself (oauthclients/api/oauth_scopes.py). Where nobody is signed in, and the page knows for whom it is:
accounts/sign_in/language.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from accounts.models import User
from accounts.rules import locale
from accounts.rules.locale import as_time_zone, of_header, supported
from accounts.sign_in.language import CHOSEN, COOKIE
from config.serving import JSON_PATHS

GetResponse = Callable[[HttpRequest], HttpResponse]

COOKIE_KEPT_SECONDS = 365 * 24 * 60 * 60
# What was chosen while nobody was signed in is in the session after that. Before, it is in a cookie that
# goes with the browser window: whoever is not signed in leaves no row of a session behind.
CHOSEN_COOKIE = "latchkey_language_chosen"
AUTHORIZE = "/oauth/authorize"
FOR_PROGRAMS = ("/api/v2", "/oauth/")
NO_PAGES = (*JSON_PATHS, "/healthz", "/readyz")


class LanguageMiddleware:
    """The language that a request asks for, before anybody knows whose it is; and, for every answer, the
    header that names its language."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        for_programs = path.startswith(FOR_PROGRAMS) and path != AUTHORIZE
        # Always, for the thread may have served somebody else a moment ago.
        asked = request.language_asked = "" if for_programs else asked_by(request)  # type: ignore[attr-defined]
        _speak(request, asked)
        response = self.get_response(request)
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", translation.get_language())
        return response


class PersonMiddleware:
    """The language and the time zone of whoever is signed in. Only for pages: what is for programs asks
    no session who is there."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path.startswith(NO_PAGES) and path != AUTHORIZE:
            return self.get_response(request)
        # Without a session nobody is there, and nothing needs to be read to know it.
        person = request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        if isinstance(person, User) or (person is not None and person.is_authenticated):
            chosen = request.COOKIES.get(CHOSEN_COOKIE)
            if chosen and supported(chosen):
                request.session[CHOSEN] = chosen
            _speak(request, of_person(request, person))
            with timezone.override(time_zone_of(person)):
                response = self.get_response(request)
            if chosen is not None:
                # It was for this sign-in, not for that of the next who uses this browser.
                response.delete_cookie(CHOSEN_COOKIE, samesite="Lax")
            return response
        return self.get_response(request)


def of_person(request: HttpRequest, person: User) -> str:
    return supported(request.session.get(CHOSEN, "")) or locale.of_person(person, asked_by(request))


def time_zone_of(person: User) -> tzinfo | None:
    return as_time_zone(person.time_zone) or as_time_zone(person.organization.time_zone)


def asked_by(request: HttpRequest) -> str:
    """The language of the request itself, whoever sends it; nothing where it asks for none that is here."""
    for wanted in (request.COOKIES.get(COOKIE, ""), *_of_app(request)):
        if found := supported(wanted):
            return found
    return next(of_header(request.headers.get("Accept-Language", "")), "")


def _of_app(request: HttpRequest) -> list[str]:
    """`ui_locales` (OpenID Connect Core 3.1.2.1), in the order of preference, also on the way to where it
    was asked for: signing in, the password once more."""
    asked = request.GET.get("ui_locales", "") if request.path_info == AUTHORIZE else ""
    if not asked and "next" in request.GET:
        try:
            there = urlsplit(request.GET["next"])
            asked = parse_qs(there.query).get("ui_locales", [""])[0] if there.path == AUTHORIZE else ""
        except ValueError:  # an address that is none
            asked = ""
    return asked[:200].split()


def _speak(request: HttpRequest, language: str) -> None:
    translation.activate(language or settings.LANGUAGE_CODE)
    request.LANGUAGE_CODE = translation.get_language()
