"""What a client was refused lately, with the reason and the way to Why?: on its page, and all of it on a
page of its own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.errors import InsufficientScope
from accounts.permissions import Permission
from accounts.rules import roles_seen
from accounts.rules.access import Decision
from oauthclients import queries
from oauthclients.api.errors import ApiError
from oauthclients.console import why
from oauthclients.explain.question import TOKEN_ENDPOINT
from oauthclients.models import Client, Refusal
from oauthclients.resource_server.guard import NO_USER_CONTEXT
from oauthclients.resource_server.refused import TOO_MANY
from oauthclients.rules import effective_access, token_alive

SHOWN = 5
PER_PAGE = 25

_DEAD: Mapping[str, Any] = {
    token_alive.NOT_EXPIRED: gettext_lazy("The token had expired."),
    token_alive.CLIENT_EXISTS: gettext_lazy("The client was gone."),
    token_alive.CLIENT_ACCEPTS: gettext_lazy("The client was switched off."),
    token_alive.PERSON_ACTIVE: gettext_lazy("The person was not active."),
    token_alive.ORGANIZATION_ACTIVE: gettext_lazy("The organization was not active."),
    token_alive.GIVEN_SINCE: gettext_lazy("The person’s sign-ins had been ended since."),
    token_alive.NOT_IDLE: gettext_lazy("The token had not been used for too long."),
}
# Errors of the token endpoint (RFC 6749 5.2).
_NO_TOKEN: Mapping[str, Any] = {
    "invalid_client": gettext_lazy("Wrong secret, or asked away from the home region."),
    "unauthorized_client": gettext_lazy("The client is not active, or its grant type is another."),
    "unsupported_grant_type": gettext_lazy("There is no such grant type."),
    "invalid_grant": gettext_lazy("What was to be exchanged for a token was wrong, used or over."),
    "invalid_scope": gettext_lazy("The client does not have the scope that was asked for."),
    "invalid_request": gettext_lazy("The request could not be understood."),
    "temporarily_unavailable": gettext_lazy("Too many requests."),
}


def box(actor: Actor, client: Client) -> dict[str, Any]:
    """For parts/refusals.html on the page of a client."""
    rows = list(_of(actor, client)[: SHOWN + 1])
    return {
        "rows": _shaped(actor, client, rows[:SHOWN]),
        "all_url": reverse("oauth-client-refusals", args=[client.id]) if len(rows) > SHOWN else "",
        "why_url": why.link(client=str(client.id)),
    }


@require_safe
@requires(Permission.OAUTH_CLIENT_VIEW)
def refusals(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    client = queries.client(actor.organization, client_id)
    page = Paginator(_of(actor, client), PER_PAGE).get_page(request.GET.get("page"))
    client_url = reverse("oauth-client", args=[client.id])
    return render(
        request,
        "oauth/clients/refusals.html",
        {
            "breadcrumbs": [
                {"label": _("Admin"), "url": reverse("admin-home")},
                {"label": _("OAuth"), "url": reverse("oauth-clients")},
                {"label": client.name, "url": client_url},
                {"label": _("Refusals")},
            ],
            "client": client,
            "rows": _shaped(actor, client, list(page)),
            "page": page,
            "prev_url": f"?page={page.previous_page_number()}" if page.has_previous() else "",
            "next_url": f"?page={page.next_page_number()}" if page.has_next() else "",
            "why_url": why.link(client=str(client.id)),
        },
    )


def _of(actor: Actor, client: Client) -> Any:
    """What counted in another organization is that one's."""
    rows = Refusal.objects.filter(client_id=client.id, organization_id=actor.organization.id)
    return rows.order_by("-last_at", "-id")


def _shaped(actor: Actor, client: Client, rows: list[Refusal]) -> list[dict[str, Any]]:
    """Two statements at most: for people of whom the actor sees what they hold, and for divisions."""
    ids = {row.person_id for row in rows if row.person_id}
    permitted = actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
    seen = account_queries.people_in(actor.organization, permitted).filter(id__in=ids)
    # A reason tells what somebody does not hold.
    people = {person.id: person for person in seen if roles_seen.decide(actor, person)} if ids else {}
    named = any(row.divisions for row in rows)
    divisions = account_queries.divisions(actor.organization) if named else ()
    by_name = {division.name: str(division.id) for division in divisions}
    return [
        {
            "refusal": row,
            "reason": reason(row),
            "of_person": row.person_id is not None,
            "person": str(people[row.person_id]) if row.person_id in people else "",
            "url": why.link(
                client=str(client.id),
                person=str(row.person_id) if row.person_id in people else "",
                method=row.method,
                path=row.route,
                division=by_name.get(row.divisions, ""),
            ),
        }
        for row in rows
    ]


def reason(row: Refusal) -> str:
    """The sentence of the refusal, in the reader's language."""
    missing = tuple(filter(None, row.missing.split(", ")))
    if row.route == TOKEN_ENDPOINT:
        return str(_NO_TOKEN.get(row.code, row.code))
    match row.code:
        case "bad.credentials":
            return str(_DEAD.get(row.missing, ApiError.bad_credentials().message))
        case effective_access.MISSING_SCOPE:
            return InsufficientScope(missing).message
        case effective_access.NOT_AUTHORIZED if not missing:
            return effective_access.unauthorized().sentence
        case effective_access.ROLE_LIMIT:
            return _("Your role does not allow this application.")
        case code if code == TOO_MANY:
            return _("Too many calls in a minute.")
        case code if code == NO_USER_CONTEXT:
            return ApiError.no_user_context().message
        case code if code.startswith("missing."):
            return Decision(False, code, missing, tuple(filter(None, row.divisions.split(", ")))).sentence
        case _:
            return row.code
