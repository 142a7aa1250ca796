"""What people see at `/oauth/authorize` (UX spec 4.11): what an app asks for, and why it cannot have it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from oauthlib.oauth2.rfc6749 import errors

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.models import Organization
from accounts.origin import origin
from accounts.permissions import Permission
from oauthclients import queries
from oauthclients.console import words
from oauthclients.rules import redirect_uris
from oauthclients.scopes import CATALOGUE

if TYPE_CHECKING:
    from oauthclients.authorization_server.authorize import Asked, Standing


def consent(
    request: HttpRequest,
    asked: Asked,
    *,
    state: str,
    standing: Standing,
    actor: Actor,
    problem: str = "",
) -> HttpResponse:
    """`state` is `agree`, `approve` (for the organization, first), `ask` or `role`."""
    client = asked.client
    authorization = queries.authorization_of(actor.organization, client) if state == "ask" else None
    response = render(
        request,
        "oauth/consent.html",
        {
            "state": state,
            "app": client,
            "owner": client.organization,
            "foreign": client.organization_id != actor.organization.id,
            "place": _place(asked.redirect_uri),
            "signed_in": request.user,
            "scopes": [CATALOGUE[name] for name in _listed(asked, standing, state) if name in CATALOGUE],
            # What is shown, and so all that a yes can be about.
            "shown": standing.permitted,
            "known": standing.known and bool(standing.new) and len(standing.new) < len(standing.permitted),
            "narrowed": state == "agree" and len(standing.permitted) < len(_wanted(asked)),
            "unlimited": not standing.word.enforced,
            "duration": words.duration(client.token_seconds),
            "requested": bool(authorization and authorization.requested_at),
            "helpers": account_queries.who_holds(actor.organization, Permission.OAUTH_CLIENT_AUTHORIZE)
            if state == "ask"
            else [],
            "problem": problem,
            "here": request.get_full_path(),
        },
        status=403 if state == "role" else 200,
    )
    return _guarded(response, asked)


def other_person(request: HttpRequest, asked: Asked, organization: Organization) -> HttpResponse:
    """The app wants somebody of another organization than the one who is signed in."""
    response = render(
        request,
        "oauth/other_person.html",
        {
            "app": asked.client,
            "wanted": organization,
            "signed_in": request.user,
            "here": request.get_full_path(),
        },
    )
    return _guarded(response, asked)


def not_possible(request: HttpRequest, error: Exception) -> HttpResponse:
    """For a request that may be answered nowhere else: the client or its redirect URI is not known to be
    good, so nobody is sent anywhere (RFC 6749 4.1.2.1)."""
    response = render(
        request,
        "oauth/not_possible.html",
        {
            "layout": "accounts/card.html",
            "heading": _("This app cannot sign you in"),
            "text": _why(error),
            "reference": origin().request_id,
        },
        status=400,
    )
    response["Cache-Control"] = "no-store"
    return response


def _why(error: Exception) -> str:
    match error:
        case errors.MissingClientIdError() | errors.InvalidClientIdError():
            return _(
                "The app did not say who it is, or this server does not know it, or it is switched off."
            )
        case errors.MissingRedirectURIError():
            return _("The app did not say where it wants the answer (redirect_uri).")
        case errors.MismatchingRedirectURIError() | errors.InvalidRedirectURIError():
            return _(
                "The address that the app wants the answer at (redirect_uri) is not registered for it."
            )
        case _:
            return _("The app's request cannot be understood.")


def _wanted(asked: Asked) -> list[str]:
    return list(asked.client.scope if asked.scope is None else asked.scope)


def _listed(asked: Asked, standing: Standing, state: str) -> list[str]:
    """When agreeing, only what is new, if something was agreed to before; else all that is asked for."""
    if state != "agree":
        return _wanted(asked)
    return standing.new or standing.permitted


def _place(redirect_uri: str) -> str:
    """Where the browser goes afterwards, in words."""
    parts = urlsplit(redirect_uri)
    if redirect_uris.is_loopback(redirect_uri):
        return _("a program on this device")
    return parts.netloc


def _guarded(response: HttpResponse, asked: Asked) -> HttpResponse:
    """A form's answer may lead to the app: Chromium checks redirects after a form as well. No page may frame
    this one, and no other origin learns this address (`no-referrer` would have browsers send
    `Origin: null`, which the CSRF check refuses)."""
    response._csp_update = {  # type: ignore[attr-defined]
        "form-action": [form_action(asked.redirect_uri)]
    }
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    return response


def form_action(redirect_uri: str) -> str:
    """A registered redirect URI as a source of CSP `form-action`."""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
