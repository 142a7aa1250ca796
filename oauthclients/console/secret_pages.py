"""A new secret for a client that has one, and the end of the old one. The page that shows the new one is
`secret_page`."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_variables

from accounts.console.guard import actor_of, recent_password, requires
from accounts.errors import Conflict
from accounts.permissions import Permission
from accounts.templatetags.when import exactly
from oauthclients import queries
from oauthclients.console import client_view, rights, secret_page, words
from oauthclients.console.client_pages import ASK, ask, in_use, to_client
from oauthclients.models import Client
from oauthclients.services import access, secrets, tokens

DAY = 24 * 60 * 60
USED_LATELY = timedelta(days=7)

OVERLAPS = (
    (0, gettext_lazy("Now")),
    (60 * 60, gettext_lazy("In 1 hour")),
    (DAY, gettext_lazy("In 24 hours")),
    (7 * DAY, gettext_lazy("In 7 days")),
)


class NewSecretForm(forms.Form):
    """`replacing` is the secret that the person saw as the current one, so that the same form sent twice
    finds another one there, and changes nothing."""

    overlap = forms.TypedChoiceField(
        label=gettext_lazy("Old secret stops working"),
        choices=OVERLAPS,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose when the old secret stops working.")},
    )
    revoke_tokens = forms.BooleanField(
        required=False, help_text=gettext_lazy("Tokens already given stay valid until they end.")
    )
    replacing = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, tokens_in_use: int, at_once: bool, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_new_secret_%s", **kwargs})
        if at_once:
            self.fields["overlap"].widget = forms.HiddenInput()
        if not tokens_in_use:
            del self.fields["revoke_tokens"]
            return
        self.fields["revoke_tokens"].label = ngettext(
            "Also revoke %(n)s token", "Also revoke %(n)s tokens", tokens_in_use
        ) % {"n": words.number(tokens_in_use)}


@ASK
@requires(Permission.OAUTH_CLIENT_EDIT)
@recent_password
@sensitive_variables("secret")
def generate(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    client = queries.client(actor.organization, client_id)
    rights.require_edit(actor, client)
    if client.date_to_delete is not None:
        messages.error(request, access.PENDING_DELETION)
        return to_client(client)
    form = _form(request, client)
    if request.method != "POST" or not form.is_valid():
        return _ask(request, client, form)
    try:
        secret = secrets.generate(
            actor=actor,
            client_id=client.id,
            overlap=timedelta(seconds=form.cleaned_data["overlap"]),
            revoke_tokens=form.cleaned_data.get("revoke_tokens", False),
            replacing=form.cleaned_data["replacing"],
        )
    except Conflict as error:  # the same form once more, or somebody else was first
        messages.error(request, error.message)
        return to_client(client)
    return secret_page.show(
        request, client=client, secret=secret, replaced=True, in_wizard=secret_page.IN_WIZARD in request.GET
    )


@ASK
@requires(Permission.OAUTH_CLIENT_EDIT)
def end(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    """Ends the old secret before its time."""
    actor = actor_of(request)
    client = queries.client(actor.organization, client_id)
    if request.method == "POST":
        secrets.end_retiring(actor=actor, client_id=client.id)
        messages.success(request, _("The old secret no longer works."))
        return to_client(client)
    rights.require_edit(actor, client)
    retiring = client_view.credentials(client)["retiring"]
    if retiring is None:
        messages.info(request, _("The old secret no longer works."))
        return to_client(client)
    return ask(
        request,
        client,
        title=_("End the old secret of ‘%(name)s’?") % {"name": client.name},
        text=[
            _("The secret that ends in %(last_four)s would work until %(date)s. It stops working at once.")
            % {"last_four": retiring.last_four, "date": exactly(retiring.ends_at)}
        ],
        confirm=_("End now"),
        danger=True,
    )


def _never_used(client: Client) -> bool:
    """Nobody needs its secret to go on working for a while, such as one that was just made."""
    current = client_view.credentials(client)["current"]
    return client.last_used_at is None and (current is None or current.last_used_at is None)


def _form(request: HttpRequest, client: Client) -> NewSecretForm:
    in_use, at_once = tokens.live(client), _never_used(client)
    if request.method == "POST":
        return NewSecretForm(request.POST, tokens_in_use=in_use, at_once=at_once)
    used_lately = client.last_used_at is not None and timezone.now() - client.last_used_at <= USED_LATELY
    current = client_view.credentials(client)["current"]
    return NewSecretForm(
        initial={"overlap": DAY if used_lately else 0, "replacing": current.id if current else None},
        tokens_in_use=in_use,
        at_once=at_once,
    )


def _ask(request: HttpRequest, client: Client, form: NewSecretForm) -> HttpResponse:
    text = [_("The current secret stops working at once.")] if _never_used(client) else []
    retiring = client_view.credentials(client)["retiring"]
    if retiring is not None:
        text.append(
            _(
                "At most two secrets work at a time: the one that ends in %(last_four)s, which would work "
                "until %(date)s, stops working at once."
            )
            % {"last_four": retiring.last_four, "date": exactly(retiring.ends_at)}
        )
    return ask(
        request,
        client,
        title=_("Generate New Client Secret?"),
        text=text,
        facts=[] if _never_used(client) else in_use(client),
        form=form,
        crumb=_("Generate new secret"),
        confirm=_("Confirm"),
    )
