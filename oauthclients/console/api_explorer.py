"""Developers > API Explorer: the OpenAPI document in Swagger UI, which signs the person in through a client
of their own organization, by code with PKCE; and, for every browser, what each route asks for and whether
this person may call it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.errors import DomainError
from accounts.permissions import Permission
from oauthclients import scopes
from oauthclients.api import routes
from oauthclients.console import client_view, rights, swagger_words
from oauthclients.models import Client
from oauthclients.services import explorer


@require_http_methods(["GET", "HEAD"])
@requires()
def explore(request: HttpRequest) -> HttpResponse:
    origin = f"{request.scheme}://{request.get_host()}"
    if origin not in explorer.origins():
        # The client is registered for the addresses that this installation knows as its own.
        return HttpResponseRedirect(explorer.origins()[0] + reverse("api-explorer"))
    actor = actor_of(request)
    client = explorer.found(actor.organization)
    return render(
        request,
        "developers/explorer.html",
        {
            "client": client,
            "usable": client is not None and client.gives_tokens(),
            "redirect_uri": explorer.redirect_uri(origin),
            "scopes": _scopes(client),
            "words": swagger_words.as_json(),
            "set_up": _set_up(actor, client, explorer.redirect_uri(origin)),
            "waits": client_view.waits(actor, client) if client else None,
            "routes": _routes(actor),
            "breadcrumbs": [
                {"label": _("Admin"), "url": reverse("admin-home")},
                {"label": _("API Explorer"), "url": ""},
            ],
        },
    )


@require_safe
def signed_in(request: HttpRequest) -> HttpResponse:
    """Where the sign-in of the explorer ends, in a window of its own: the script of Swagger UI hands the
    answer to the page that opened it. The code is worth nothing without that page's verifier."""
    response = render(request, "developers/signed_in.html")
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
@requires(Permission.OAUTH_CLIENT_ADD, Permission.OAUTH_CLIENT_EDIT)
def set_up(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    try:
        explorer.set_up(actor=actor, scope=routes.scopes_used())
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The API Explorer is set up."))
    return redirect("api-explorer")


def _set_up(actor: Actor, client: Client | None, here: str) -> dict[str, Any] | None:
    """What is to be said where the client is missing, off, or behind: `{title, text, may, label, url}`."""
    if client is None and explorer.being_removed(actor.organization):
        return {"title": _("Not set up yet"), "text": explorer.BEING_REMOVED}
    if client is None:
        may = bool(actor.access.decide(Permission.OAUTH_CLIENT_ADD))
        return {
            "title": _("Not set up yet"),
            "text": _("To sign in from here, the organization needs a client called ‘%(name)s’.")
            % {"name": explorer.NAME},
            "may": may,
            "label": _("Set up"),
            "helpers": []
            if may
            else account_queries.who_holds(actor.organization, Permission.OAUTH_CLIENT_ADD),
        }
    if not client.gives_tokens():
        return {
            "title": _("Signing in from here is switched off"),
            "text": _("The client of the API Explorer gets no tokens."),
            "url": reverse("oauth-client", args=[client.id])
            if actor.access.decide(Permission.OAUTH_CLIENT_VIEW)
            else "",
        }
    uris, new_scopes = explorer.lacking(client, routes.scopes_used())
    may = rights.of_client(actor, client).edit
    if here in uris:
        text = _("The client of the API Explorer is not registered for this address: %(uri)s") % {
            "uri": here
        }
        return {
            "title": _("Signing in does not work here yet"),
            "text": text,
            "may": may,
            "label": _("Update"),
        }
    if new_scopes and may:
        text = _("Some routes need scopes that the client does not ask for: %(scopes)s.") % {
            "scopes": ", ".join(new_scopes)
        }
        title = _("Not every route can be tried")
        return {"title": title, "text": text, "may": may, "label": _("Update")}
    return None


def _scopes(client: Client | None) -> dict[str, str]:
    """Those that can be chosen when signing in, and those that are chosen at first: to see, and not to
    change."""
    asked = client.scope if client else []
    offered = [name for name in scopes.CATALOGUE if not scopes.not_covered([name], asked)]
    chosen = [name for name in offered if not scopes.CATALOGUE[name].changes]
    return {"offered": " ".join(offered), "chosen": " ".join(chosen)}


def _routes(actor: Actor) -> list[dict[str, Any]]:
    """By the first word of the path, as in the document."""
    found: dict[str, list[dict[str, Any]]] = {}
    for route in routes.every():
        needed = route.requirement
        access = actor.access
        decision = access.decide_all if needed.every else access.decide
        found.setdefault(route.path.split("/")[3], []).append(
            {
                "method": route.method,
                "path": route.path,
                "permissions": needed.any_of,
                "every": needed.every,
                "scopes": needed.scopes,
                "may": not needed.any_of or bool(decision(*needed.any_of)),
            }
        )
    return [{"label": label, "routes": found[label]} for label in sorted(found)]
