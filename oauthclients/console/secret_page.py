"""The page with a client's secret: the one response in which it appears in clear.

It answers the POST that made the secret, without a redirect in between: there is nothing from which it
could be shown again, so a reload cannot.
"""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.permissions import Permission
from oauthclients import grant_types, queries
from oauthclients.console import client_view, effects, rights, tables, trying_forms, what_next
from oauthclients.console.forms import PARTS
from oauthclients.console.snippets import snippets
from oauthclients.models import Client
from oauthclients.services.secrets import PlainSecret

# In the address of "Generate new secret", where the client was only just added: the new secret is shown as
# the end of the wizard again.
IN_WIZARD = "added"


@sensitive_variables()
def show(
    request: HttpRequest, *, client: Client, secret: PlainSecret, replaced: bool, in_wizard: bool
) -> HttpResponse:
    """The response to the POST that made this secret: with its client, or one that replaced another."""
    messages.success(
        request,
        _("The client secret was changed.")
        if replaced
        else _("Client ‘%(name)s’ was created.") % {"name": client.name},
    )
    generate_url = reverse("oauth-client-secret", args=[client.id]) + (
        f"?{IN_WIZARD}=1" if in_wizard else ""
    )
    actor = actor_of(request)
    grant = grant_types.BY_CODE[client.authorization_grant_type]
    pairs = queries.pairs_of(client)
    code = snippets(client, pairs)
    response = render(
        request,
        "oauth/clients/secret.html",
        {
            "client": client,
            "secret": secret.reveal(),
            "grant": grant,
            "in_wizard": in_wizard,
            "steps": [
                {"label": tables.part_label(part, grant), "state": "done", "url": ""} for part in PARTS
            ],
            "refused_note": effects.refused_note(client.organization, grant),
            "waits": client_view.waits(actor, client),
            "next": what_next.box(actor, client, pairs),
            "snippets": code,
            "test_form": trying_forms.in_section(client),
            "secret_in_code": any("CLIENT_SECRET" in snippet["code"] for snippet in code),
            "generate_url": generate_url if rights.of_client(actor, client).edit else "",
            "breadcrumbs": _breadcrumbs(client),
        },
    )
    return not_to_be_kept(response)


def not_to_be_kept(response: HttpResponse) -> HttpResponse:
    """The headers of a page that is shown once. It is not compressed either: its length would tell of the
    secret (config/compression.py)."""
    response.shows_secret = True  # type: ignore[attr-defined]
    response["Cache-Control"] = "no-cache, no-store, must-revalidate"
    response["Pragma"] = "no-cache"
    response["Expires"] = "0"
    # Not "no-referrer": with that, browsers send the forms of this very page with "Origin: null", which
    # the CSRF check refuses. The address holds nothing secret, and no other host ever sees it.
    response["Referrer-Policy"] = "same-origin"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.OAUTH_CLIENT_ADD, Permission.OAUTH_CLIENT_EDIT)
def finish(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    """ "Copy and Store Client Secret": the person says that they have it. Changes nothing."""
    actor = actor_of(request)
    client = queries.client(actor.organization, client_id)
    sent = request.method == "POST"
    if sent and "stored" in request.POST:
        messages.success(request, _ready(actor, client))
        return HttpResponseRedirect(_afterwards(actor, client))
    return render(
        request,
        "oauth/clients/finish.html",
        {
            "client": client,
            "form_errors": sent,
            "errors": [{"target": "id_stored", "message": _("Tick the box to confirm.")}] if sent else [],
            "may_generate": rights.of_client(actor, client).edit,
            "breadcrumbs": _breadcrumbs(client),
        },
    )


def _ready(actor: Actor, client: Client) -> str:
    """Only what can get tokens is said to be ready."""
    grant = grant_types.BY_CODE[client.authorization_grant_type]
    saved = _("The client is saved.")
    if effects.refused_note(client.organization, grant) or not grant.answered:
        return saved
    waits = client_view.waits(actor, client)
    if waits is None:
        return _("The client is ready.")
    return f"{saved} {waits['text']}"


def _afterwards(actor: Actor, client: Client) -> str:
    """The client's page; somebody who may add clients but not view them goes home."""
    if actor.access.decide(Permission.OAUTH_CLIENT_VIEW):
        return reverse("oauth-client", args=[client.id])
    return reverse("admin-home")


def _breadcrumbs(client: Client) -> list[dict[str, str]]:
    return [
        {"label": _("Admin"), "url": reverse("admin-home")},
        {"label": _("OAuth"), "url": reverse("oauth-clients")},
        {"label": client.name, "url": reverse("oauth-client", args=[client.id])},
        {"label": _("Client Secret"), "url": ""},
    ]
