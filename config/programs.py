"""The door for programs. What they ask is answered by the very views, past what Django's handler and
middleware do for pages. Of Django's signals of a request's start and end only what they do to the database
connection is left.

`ShortWayMiddleware` is the same way for whoever comes through Django's handler, a test client among others.
tests/config/test_programs.py compares what the two answer, header by header.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import WSGIRequest
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.urls import set_script_prefix
from django.utils.log import log_response

from accounts.origin import Origin, acting_from
from config.middleware import CORRELATION_ID, ShortWayMiddleware, address_in
from oauthclients.authorization_server import direct

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Answer = tuple[str, list[tuple[str, str]], Iterable[bytes]]


class Programs:
    """A WSGI application in front of Django's own, to which everything else goes on."""

    def __init__(self, others: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self.others = others
        self.way = ShortWayMiddleware(_nobody)
        self.with_token: dict[str, list[tuple[str, str]]] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if "*" in environ.get("CONTENT_TYPE", ""):
            # RFC 2231 is for mails. Django would look for a character set of the name that stands there.
            environ["CONTENT_TYPE"] = environ["CONTENT_TYPE"].partition(";")[0]
        if not self.takes(environ):
            return self.others(environ, start_response)
        here = Origin(uuid.uuid4(), address_in(environ), environ.get("HTTP_USER_AGENT", ""))
        with acting_from(here):
            token = self.token(environ, here) if environ["PATH_INFO"] == direct.PATH else None
            status, headers, content = token or self.answer(environ, here)
        start_response(status, [*headers, (CORRELATION_ID, str(here.request_id))])
        return content

    def takes(self, environ: Environ) -> bool:
        """As `ShortWayMiddleware`; and not what is to be sent on to HTTPS."""
        return (
            self.way.takes(environ.get("PATH_INFO", ""), environ)
            and not any(environ.get(name) for name in _BELOW)
            and not settings.FORCE_SCRIPT_NAME
            and not (settings.SECURE_SSL_REDIRECT and not _Envelope(environ).is_secure())
        )

    def answer(self, environ: Environ, here: Origin, raised: Exception | None = None) -> Answer:
        """By the view of the address; or, where something was `raised` before it was asked, what is said
        then."""
        set_script_prefix("/")
        database = connections[DEFAULT_DB_ALIAS]
        database.close_if_unusable_or_obsolete()
        request = WSGIRequest(environ)
        request.origin = here  # type: ignore[attr-defined]  # for config/logs.py
        if raised is None:
            response = cast(HttpResponse, self.way.answer(request))
        else:
            response = response_for_exception(request, raised)
        if response.status_code >= 400:
            said = response.reason_phrase, request.path
            log_response("%s: %s", *said, response=response, request=request)
        headers = [*self.way.missing(response), *response.items()]
        headers += [("Set-Cookie", one.OutputString()) for one in response.cookies.values()]
        headers += [one for one in _standing(request.scheme) if one[0] not in response.headers]
        status = f"{response.status_code} {response.reason_phrase}"
        if response.streaming:
            return status, headers, response  # whoever sends it closes it
        request.close()
        database.close_if_unusable_or_obsolete()
        return status, headers, [response.content]

    def token(self, environ: Environ, here: Origin) -> Answer | None:
        """For client credentials, if they get one."""
        if environ["REQUEST_METHOD"] != "POST" or (body := direct.body_of(environ)) is None:
            return None
        said = {name: environ[name] for name in _SAID if name in environ}
        if not _is_ours(said.get("HTTP_HOST")):
            return None
        database = connections[DEFAULT_DB_ALIAS]
        database.close_if_unusable_or_obsolete()
        try:
            answer = direct.token_for(environ, body, said, here.address)
        except Exception as error:
            return self.answer(environ, here, raised=error)
        database.close_if_unusable_or_obsolete()
        if answer is None:
            return None
        content = answer.encode()
        headers = self._with_token(_Envelope(environ).scheme or "")
        return "200 OK", [*headers, ("Content-Length", str(len(content)))], [content]

    def _with_token(self, scheme: str) -> list[tuple[str, str]]:
        """What is said with each token but its length, as `answer` says it."""
        if scheme not in self.with_token:
            response = direct.headers()
            always = [one for one in self.way.missing(response) if one[0] != "Content-Length"]
            more = [one for one in _standing(scheme) if one[0] not in response.headers]
            self.with_token[scheme] = [*always, *response.items(), *more]
        return self.with_token[scheme]


# What tells Django that it lives below another address (`django.core.handlers.wsgi.get_script_name`).
_BELOW = ("SCRIPT_NAME", "SCRIPT_URL", "REDIRECT_URL")
_SAID = ("HTTP_AUTHORIZATION", "HTTP_HOST", "SERVER_NAME")


class _Envelope(WSGIRequest):
    """A request of which only the headers are looked at."""

    def __init__(self, environ: Environ) -> None:
        self.environ = self.META = environ


@lru_cache(maxsize=64)
def _is_ours(host: str | None) -> bool:
    """As Django decides it for each request."""
    try:
        return host is not None and bool(_Envelope({"HTTP_HOST": host}).get_host())
    except DisallowedHost:
        return False


@lru_cache(maxsize=2)
def _standing(scheme: str | None) -> list[tuple[str, str]]:
    """What Django's SecurityMiddleware says to everybody."""
    response = HttpResponse()
    del response["Content-Type"]
    dressed = SecurityMiddleware(_nobody).process_response(_Envelope({"wsgi.url_scheme": scheme}), response)
    return list(dressed.items())


def _nobody(request: HttpRequest) -> HttpResponse:
    raise AssertionError("the door's way ends at a view")
