"""Admin home, what machines ask about the server's health, and every page that says no."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import queries
from accounts.console.guard import actor_of, requires
from accounts.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from accounts.origin import origin
from accounts.permissions import label_of
from accounts.rules import locale
from accounts.rules.provider_spec import holds_private_key
from accounts.services import preferences
from accounts.sign_in.language import CHOSEN, COOKIE
from accounts.sign_in.views import safe_next
from config import languages, navigation
from config.serving import JSON_PATHS, TOO_LARGE
from oauthclients.api.errors import body, domain_body
from oauthclients.console import attention

log = logging.getLogger(__name__)

THEME_KEPT_SECONDS = 365 * 24 * 60 * 60
# Where people go.
PAGES_AMONG_THEM = ("/oauth/authorize",)


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    return redirect("admin-home")


@require_safe
@requires()
def admin_home(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    groups = [{"label": label, "entries": entries} for label, entries in navigation.entries_for(actor)]
    administers = any(entry.any_of for group in groups for entry in group["entries"])
    return render(
        request,
        "console/home.html",
        {
            "groups": groups,
            "attention": attention.items(actor),
            # For somebody who may do nothing here, which is said kindly.
            "administers": administers,
            "helpers": [] if administers else queries.who_can_grant(actor.organization),
        },
    )


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark or as the system has it: a cookie, so that the server writes it into the page."""
    # A page that changes its theme in place goes nowhere: it may hold a secret, or what somebody typed.
    in_place = request.headers.get("X-Requested-With") == "fetch"
    response = HttpResponse(status=204) if in_place else HttpResponseRedirect(safe_next(request))
    chosen = request.POST.get("theme")
    if chosen in navigation.THEMES:
        _keep(response, navigation.THEME_COOKIE, chosen, THEME_KEPT_SECONDS)
    else:
        response.delete_cookie(navigation.THEME_COOKIE, samesite="Lax")
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Saved with the person, or for whoever signs in next if nobody is signed in; and in a cookie, for the
    pages that this browser sees before that."""
    response = HttpResponseRedirect(safe_next(request))
    chosen = request.POST.get("language", "")
    if chosen not in locale.languages():
        return response
    if request.user.is_authenticated:
        preferences.choose(actor=actor_of(request), user=request.user, language=chosen)
        request.session.pop(CHOSEN, None)
    else:
        _keep(response, languages.CHOSEN_COOKIE, chosen)
    _keep(response, COOKIE, chosen, languages.COOKIE_KEPT_SECONDS)
    return response


def _keep(response: HttpResponse, name: str, value: str, seconds: int | None = None) -> None:
    """In a cookie, without `seconds` until the browser is closed."""
    response.set_cookie(name, value, max_age=seconds, secure=settings.HTTPS, httponly=True, samesite="Lax")


# --- Health ------------------------------------------------------------------------------------


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Touches nothing else, so that a slow database restarts no server."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers, and has every migration."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        _require_migrated()
    except (DatabaseError, NotMigrated) as error:
        log.warning("not ready: %s", error)
        return HttpResponse("not ready", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")


class NotMigrated(Exception):
    """There are migrations to run."""


@cache
def _require_migrated() -> None:
    """Looked at until it is so once (an exception is not cached): it cannot become untrue while this
    process runs, and looking reads every migration file."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigrated("there are migrations to run")


# --- Pages that say no ---------------------------------------------------------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        if _speaks_json(request):
            return _json(request, 413, "request.entity.too.large", _("The request is too large."))
        return _bare(413, *_too_large())
    text = _("The server could not understand this request.")
    if _speaks_json(request):
        return _json(request, 400, "bad.request", text)
    # Without the frame: the request may have been refused before anybody knew whose it is.
    return _bare(400, _("This request is not valid"), text)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = _("You are not allowed to do this.")
    if _speaks_json(request):
        return _json(request, 403, "not.authorized", text)
    return _page(request, 403, _("Not allowed"), text)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _speaks_json(request):
        return _json(request, 404, "not.found", _("There is nothing at this address."))
    return _page(
        request,
        404,
        _("Page not found"),
        _("There is nothing at this address. It may have been deleted, or the address is not complete."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Asks neither the database nor the session for anything: one of them may be what broke."""
    text = _("The server could not answer. The administrator finds the cause under the reference.")
    if _speaks_json(request):
        return _json(request, 500, "internal.server.error", text)
    try:
        return _bare(500, _("Something went wrong"), text)
    except Exception:
        log.exception("the error page failed")
        return HttpResponse(f"{text} {origin().request_id}", status=500, content_type="text/plain")


def domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The page of a domain error that a view has let pass. A form shows its own problems; what ends here
    is a request that no form of ours makes, or one that came too late."""
    if _speaks_json(request):
        return JsonResponse(domain_body(error), status=error.status)
    if isinstance(error, NotAllowed):
        return _refused(request, error)
    if isinstance(error, NotFound):
        return not_found(request, error)
    if isinstance(error, Conflict):
        return _page(request, error.status, _("This is no longer possible"), error.message)
    heading = _("This cannot be done")
    if isinstance(error, Invalid):
        points = [problem.message for problem in error.problems]
        return _page(request, error.status, heading, "", points=points)
    return _page(request, error.status, heading, error.message)


def _refused(request: HttpRequest, error: NotAllowed) -> HttpResponse:
    """Names what was missing, and who can give it (UX spec 3)."""
    if error.missing:
        names = [label_of(permission) for permission in error.missing]
        text = (
            _("You need this permission:") if len(names) == 1 else _("You need one of these permissions:")
        )
        where = _("In the division: %(names)s") % {"names": ", ".join(error.divisions)}
        return _page(
            request,
            403,
            _("You are not allowed to open this"),
            text,
            points=names,
            note=where if error.divisions else "",
            helpers=queries.who_can_grant(actor_of(request).organization),
        )
    return _page(
        request,
        403,
        _("You are not allowed to do this"),
        error.message,
        helpers=queries.who_can_grant(actor_of(request).organization),
    )


def expired_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The CSRF failure page. What was typed is offered for sending again, but only if the browser says that
    it came from a page of ours: otherwise another site could put its own entries behind the button. What an
    app asks for is looked at again: it may be somebody else who is signed in by now."""
    if _is_too_large(request):
        # Its token is missing because nothing of it was read.
        return _page(request, 413, *_too_large())
    again = request.method == "POST" and request.path != reverse("authorize") and _from_here(request)
    kept = _kept_entries(request) if again and request.POST else None
    return _page(
        request,
        403,
        _("This page was open too long"),
        _("Your entries are kept; send again.")
        if kept is not None
        else _("Nothing was changed. Open the page again and repeat the last step."),
        template="errors/expired_form.html",
        kept=kept,
        again=request.get_full_path(),
    )


def _is_too_large(request: HttpRequest) -> bool:
    announced = request.META.get("CONTENT_LENGTH") or ""
    length = int(announced) if announced.isdecimal() else 0
    return TOO_LARGE in request.META or length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _too_large() -> tuple[str, str]:
    text = _("What you sent is larger than %(most)s kB. Nothing was saved; go back and send less.")
    return _("This is too large"), text % {"most": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1000}


def _from_here(request: HttpRequest) -> bool:
    source = request.headers.get("Origin") or request.headers.get("Referer") or ""
    return bool(source) and urlsplit(source).netloc == request.get_host()


def _kept_entries(request: HttpRequest) -> list[tuple[str, str]]:
    """Passwords, secrets and private keys are typed again rather than written into a page."""
    return [
        (name, value)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken" and "password" not in name and "secret" not in name
        for value in values
        if not holds_private_key(value)
    ]


def _json(request: HttpRequest, status: int, code: str, text: str) -> HttpResponse:
    """In the shape of the API, or, under /oauth/, in that of the token endpoint (wire contract B4)."""
    if request.path.startswith("/api/v2"):
        return JsonResponse(body(status, code, text), status=status)
    error = "server_error" if status >= 500 else "invalid_request"
    return JsonResponse({"error": error, "description": text, "error_description": text}, status=status)


def _speaks_json(request: HttpRequest) -> bool:
    return request.path.startswith(JSON_PATHS) and not request.path.startswith(PAGES_AMONG_THEM)


def _page(
    request: HttpRequest,
    status: int,
    heading: str,
    text: str,
    *,
    template: str = "errors/error.html",
    **context: Any,
) -> HttpResponse:
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    return render(
        request,
        template,
        {
            "layout": "console/base.html" if signed_in else "accounts/card.html",
            "heading": heading,
            "text": text,
            "reference": origin().request_id,
            "home_url": reverse("admin-home"),
            **context,
        },
        status=status,
    )


def _bare(status: int, heading: str, text: str) -> HttpResponse:
    content = render_to_string(
        "errors/error.html",
        {
            "layout": "accounts/card.html",
            "bare": True,
            "heading": heading,
            "text": text,
            "reference": origin().request_id,
            "home_url": reverse("admin-home"),
        },
    )
    return HttpResponse(content, status=status)
