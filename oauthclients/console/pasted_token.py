"""A token for an identity system that is given one instead of asking for it. As with a secret
(secret_page.py), the answer to the POST that made it is the one response in which it appears."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.console.guard import actor_of, recent_password, requires
from accounts.errors import Conflict
from accounts.permissions import Permission
from accounts.templatetags.when import exactly
from oauthclients import queries
from oauthclients.console import effects, rights, secret_page, what_next, words
from oauthclients.console.client_pages import ASK, ask, breadcrumbs, to_client
from oauthclients.models import Client
from oauthclients.rules import token_life
from oauthclients.services import tokens

# In the session: the form that may make one. Sent a second time, by a reload, it makes none.
FORM = "token_to_paste"


class OnceForm(forms.Form):
    once = forms.UUIDField(widget=forms.HiddenInput)


@ASK
@requires(Permission.OAUTH_CLIENT_EDIT)
@recent_password
@sensitive_variables("token")
def create(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    """ "Create a token to paste?", and the page that shows it."""
    actor = actor_of(request)
    client = queries.client(actor.organization, client_id)
    rights.require_edit(actor, client)
    try:
        tokens.refuse_pasting(client, scim_only=what_next.scim_only(queries.pairs_of(client)))
        if request.method != "POST":
            return _question(request, client)
        form = OnceForm(request.POST)
        if not form.is_valid() or str(form.cleaned_data["once"]) != request.session.pop(FORM, None):
            raise Conflict(_("The token was already made. It cannot be shown again."))
        token, ends_at = tokens.make_for_pasting(actor=actor, client_id=client.id)
    except Conflict as refused:
        messages.error(request, refused.message)
        return to_client(client)
    messages.success(request, _("A token was created."))
    response = render(
        request,
        "oauth/clients/token.html",
        {
            "client": client,
            "token": token.reveal(),
            "ends_at": ends_at,
            "idle_note": effects.idle_note(client.organization, words.grant_type(client)),
            "scim_url": what_next.scim_url(client),
            "breadcrumbs": [
                *breadcrumbs(),
                {"label": client.name, "url": reverse("oauth-client", args=[client.id])},
                {"label": _("Token")},
            ],
        },
    )
    return secret_page.not_to_be_kept(response)


def _question(request: HttpRequest, client: Client) -> HttpResponse:
    once = request.session[FORM] = str(uuid.uuid4())
    seconds = token_life.seconds_for(client)
    return ask(
        request,
        client,
        title=_("Create a token to paste?"),
        text=[
            _(
                "For an identity system that cannot ask for tokens itself. You see the token once; whoever "
                "has it can do what this client may."
            )
        ],
        facts=[*_facts(client, seconds)],
        form=OnceForm(initial={"once": once}),
        crumb=_("Create a token"),
        confirm=_("Create token"),
    )


def _facts(client: Client, seconds: int) -> list[dict[str, Any]]:
    ends_at = timezone.now() + timedelta(seconds=seconds)
    found = [
        {"label": _("Lives for"), "value": words.duration(seconds)},
        {"label": _("Until"), "value": exactly(ends_at)},
    ]
    idle = effects.idle_note(client.organization, words.grant_type(client))
    return [*found, {"label": _("Inactivity"), "value": idle["title"]}] if idle else found
