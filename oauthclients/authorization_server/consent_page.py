"""What people see at `/oauth/authorize` (UX spec 4.11): what an app asks for, and why it cannot have it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from oauthlib.oauth2.rfc6749 import errors

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.models import Organization
from accounts.origin import origin
from accounts.permissions import Permission
from oauthclients import queries, scopes
from oauthclients.console import authorized_app, words
from oauthclients.models import AuthorizationState
from oauthclients.rules import redirect_uris, token_life
from oauthclients.scopes import CATALOGUE, Scope
from oauthclients.services import authorizations

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
    client, here = asked.client, actor.organization
    context = {
        "state": state,
        "app": client,
        "owner": client.organization,
        "foreign": client.organization_id != here.id,
        "place": _place(asked.redirect_uri),
        "organization": here,
        "signed_in": request.user,
        "scopes": _sentences(_listed(asked, standing, state)),
        # What is shown, and so all that a yes can be about.
        "shown": standing.permitted,
        "form_errors": bool(problem),
        "errors": [{"message": problem, "target": "id_scope"}] if problem else [],
        "here": request.get_full_path(),
    }
    match state:
        case "agree":
            context |= _agreeing(asked, standing, here)
        case "approve":
            context |= _approving(request, asked, actor)
        case _:
            context |= _waiting(asked, actor)
    response = render(request, "oauth/consent.html", context, status=403 if state == "role" else 200)
    return _guarded(response, asked)


def chosen(post: QueryDict) -> list[str]:
    """The scopes that the form of `approve` says."""
    return sorted(authorized_app.Typed.read(post).scope)


def seen_version(post: QueryDict) -> int:
    """That of the authorization which the form of `approve` showed, 0 for none."""
    return authorized_app.Typed.read(post).version


def _agreeing(asked: Asked, standing: Standing, here: Organization) -> dict[str, Any]:
    """`known` is an app that asks for more than what was agreed to, `again` one that asks for nothing new.
    `left_out` is what it asks for and does not get, because the organization has not authorized it."""
    before = [name for name in standing.permitted if name not in standing.new]
    return {
        "known": bool(standing.new and before),
        "again": standing.known and not standing.new,
        "before": _sentences(before),
        "left_out": _sentences(scopes.not_covered(_wanted(asked), standing.permitted)),
        "unlimited": not standing.word.enforced,
        "unsure": asked.identity_unsure,
        "lifetime": _lifetime(asked, here),
    }


def _approving(request: HttpRequest, asked: Asked, actor: Actor) -> dict[str, Any]:
    """All switches are off until somebody chooses: nothing in the address turns one on, because the app
    wrote it. `authorized` is what the organization has authorized already, and `roles` whom that is limited
    to; both stay."""
    row = queries.authorization_of(actor.organization, asked.client)
    sent = request.POST if request.method == "POST" else QueryDict()
    limit = set(row.roles) if row else set()
    return {
        "version": row.version if row else 0,
        "entries": authorized_app.entries_of(_wanted(asked), authorized_app.Typed.read(sent)),
        "authorized": _sentences(row.scope) if row and row.state == AuthorizationState.AUTHORIZED else [],
        "roles": [
            role.label
            for role in account_queries.roles(actor.organization).order_by("name")
            if str(role.id) in limit
        ],
    }


def _waiting(asked: Asked, actor: Actor) -> dict[str, Any]:
    """`helpers` are names of people who can change it."""
    row = queries.authorization_of(actor.organization, asked.client)
    requested = row is not None and queries.waits(row)
    return {
        "requested": requested,
        "requested_at": row.requested_at if row and requested else None,
        "requested_by": row.requested_by_name if row and requested else "",
        "asked_myself": bool(row and requested and row.requested_by_id == actor.id),
        "refused": row is not None and row.state in authorizations.REFUSED,
        "helpers": account_queries.who_holds(actor.organization, Permission.OAUTH_CLIENT_AUTHORIZE),
    }


def _lifetime(asked: Asked, here: Organization) -> list[str]:
    """How long what the app gets lasts, in sentences (ASVS 10.7.2)."""
    lasts = words.duration(asked.client.token_seconds)
    limit = here.idle_limit
    if asked.implicit or not token_life.refreshable(here):
        said = [_("What it gets lasts %(duration)s.") % {"duration": lasts}]
    else:
        said = [
            _("What it gets lasts %(duration)s; it can renew that for up to %(longest)s.")
            % {"duration": lasts, "longest": words.duration(settings.REFRESH_TOKEN_SECONDS)}
        ]
    if limit is not None:
        idle = words.duration(int(limit.total_seconds()))
        said.append(_("It ends when the app has not used it for %(duration)s.") % {"duration": idle})
    return said


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


def _sentences(names: Iterable[str]) -> list[Scope]:
    return [CATALOGUE[name] for name in names if name in CATALOGUE]


def _place(redirect_uri: str) -> str:
    """Where the browser goes afterwards, in words."""
    parts = urlsplit(redirect_uri)
    if not redirect_uris.is_loopback(redirect_uri):
        return parts.netloc
    if parts.scheme in ("http", "https"):
        return _("a program on this device")
    return _("a program on this device (%(scheme)s)") % {"scheme": parts.scheme}


def _guarded(response: HttpResponse, asked: Asked) -> HttpResponse:
    """A form's answer may lead to the app: Chromium checks redirects after a form as well. No page may
    frame this one, and no other origin learns this address (`no-referrer` would have browsers send
    `Origin: null`, which the CSRF check refuses)."""
    response._csp_update = {  # type: ignore[attr-defined]
        "form-action": [form_action(asked.redirect_uri)]
    }
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    return response


def form_action(redirect_uri: str) -> str:
    """A registered redirect URI as a source of CSP `form-action`. The policy's grammar has no IPv6
    address, so there the scheme has to do."""
    parts = urlsplit(redirect_uri)
    if parts.scheme in ("http", "https") and not parts.netloc.startswith("["):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"
