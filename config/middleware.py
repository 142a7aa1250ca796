"""What every request passes: its id and address, and the headers that keep pages out of caches."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers

from accounts.errors import DomainError
from accounts.origin import Origin, acting_from

CORRELATION_ID = "ININ-Correlation-Id"
GetResponse = Callable[[HttpRequest], HttpResponse]


def client_address(request: HttpRequest) -> str | None:
    """The address of whoever sent the request."""
    return address_in(request.META)


def address_in(environ: Mapping[str, Any]) -> str | None:
    """With `TRUSTED_PROXIES` proxies in front, the entry that the outermost of them added to
    X-Forwarded-For; anything before it could be made up."""
    address = environ.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(hops) >= settings.TRUSTED_PROXIES and hops[-settings.TRUSTED_PROXIES]:
            address = hops[-settings.TRUSTED_PROXIES]
    return _as_address(address) if len(address) <= 64 else None


@lru_cache(maxsize=1024)
def _as_address(address: str) -> str | None:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


class RequestOriginMiddleware:
    """Makes the request's origin known to the audit trail and the logs, and answers with its id."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        here = Origin(
            request_id=uuid.uuid4(),
            address=client_address(request),
            user_agent=request.META.get("HTTP_USER_AGENT", ""),
        )
        request.origin = here  # type: ignore[attr-defined]  # for config/logs.py
        with acting_from(here):
            response = self.get_response(request)
        response[CORRELATION_ID] = str(here.request_id)
        return response


class ShortWayMiddleware:
    """Programs go from here straight to their view: sessions, forms, messages and languages are for pages.

    A call with an `Origin` comes from a page of somebody's app, and takes the long way, on which the
    headers for it are written (CORS).
    """

    # Where programs call; what else there is under /oauth/ is for people.
    ENDPOINTS = frozenset({"/oauth/token", "/oauth/introspect", "/oauth/revoke"})
    API = "/api/v2/"

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        # What is raised gets its answer here, and so the headers.
        self.answer = convert_exception_to_response(self.view)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self.takes(request.path_info, request.META):
            return self.get_response(request)
        response = cast(HttpResponse, self.answer(request))
        for name, value in self.missing(response):
            response.headers[name] = value
        return response

    def takes(self, path: str, environ: Mapping[str, Any]) -> bool:
        for_programs = path in self.ENDPOINTS or path.startswith(self.API)
        return for_programs and "HTTP_ORIGIN" not in environ

    def missing(self, response: HttpResponse) -> list[tuple[str, str]]:
        """The headers that every answer has and no view writes."""
        headers = response.headers
        more = [] if "Cache-Control" in headers else list(KEPT_OUT_OF_CACHES)
        more += _HEADERS
        if "Vary" in headers:
            patch_vary_headers(response, ("origin",))  # with one, it says more
        else:
            more.append(("Vary", "origin"))
        if not response.streaming and "Content-Length" not in headers:
            more.append(("Content-Length", str(len(response.content))))
        return more

    def view(self, request: HttpRequest) -> HttpResponse:
        translation.activate(settings.LANGUAGE_CODE)  # the thread may have served a page in another one
        request.get_host()  # raises for a host that is not ours
        path = request.path_info
        found = request.resolver_match = _found(path) if len(path) < 100 else resolve(path)
        try:
            response: HttpResponse = found.func(request, *found.args, **found.kwargs)
        except DomainError as error:
            from config import views  # the views need the settings that name this middleware

            return views.domain_error(request, error)
        return response.render() if hasattr(response, "render") else response


@lru_cache(maxsize=1024)
def _found(path: str) -> ResolverMatch:
    """What an address means does not change."""
    found = resolve(path)
    found.tried = None  # for pages about mistakes in addresses, which nobody shows
    return found


_HEADERS = (
    ("X-Frame-Options", settings.X_FRAME_OPTIONS),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
KEPT_OUT_OF_CACHES = (
    ("Cache-Control", "no-cache, no-store, must-revalidate"),
    ("Pragma", "no-cache"),
    ("Expires", "0"),
)


def keep_out_of_caches(response: HttpResponse) -> None:
    for name, value in KEPT_OUT_OF_CACHES:
        response[name] = value


class NoStoreMiddleware:
    """Pages show what one person may see at one moment: no cache keeps them, the browser's included, so
    that nothing can be read by going back after signing out."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            keep_out_of_caches(response)
        return response


class DomainErrorMiddleware:
    """Turns an error of the domain that no view has handled into its page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        from config import views  # the views need the settings that name this middleware

        return views.domain_error(request, error) if isinstance(error, DomainError) else None
