"""Your apps: what a person lets act for them, and taking it back. For everybody who is signed in."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from oauthclients import grant_types, queries, scopes
from oauthclients.models import Client, Consent
from oauthclients.rules import effective_access
from oauthclients.rules.effective_access import Word
from oauthclients.scopes import CATALOGUE
from oauthclients.services import consents


@require_safe
@requires()
def app_list(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    assert actor.id is not None  # a person
    found = list(queries.consents(actor.organization, actor.id))
    words = queries.words_on(actor.organization, [consent.client_id for consent in found])
    uses = queries.last_uses_for(actor.id)
    return render(
        request,
        "oauth/your_apps.html",
        {
            "breadcrumbs": [{"label": _("Your apps")}],
            "not_enforced": not actor.organization.enforce_scopes,
            "apps": [
                {
                    "consent": consent,
                    "client": consent.client,
                    "vouched": _vouched(consent.client),
                    "last_used": uses.get(consent.client_id),
                    "hindrance": _hindrance(actor, consent.client, words[consent.client_id]),
                    "scopes": _scopes(consent, words[consent.client_id]),
                }
                for consent in found
            ],
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires()
def revoke(request: HttpRequest, consent_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    assert actor.id is not None  # a person
    consent = get_object_or_404(queries.consents(actor.organization, actor.id), id=consent_id)
    if request.method == "POST":
        consents.revoke(actor=actor, consent_id=consent_id)
        done = (
            _("‘%(name)s’ cannot act for you until your identity provider vouches for you again.")
            if _vouched(consent.client)
            else _("‘%(name)s’ can no longer act for you.")
        )
        messages.success(request, done % {"name": consent.client.name})
        return redirect("your-apps")
    return render(
        request,
        "oauth/authorized/confirm.html",
        {
            "breadcrumbs": [
                {"label": _("Your apps"), "url": reverse("your-apps")},
                {"label": _("Revoke access")},
            ],
            "dialog_title": _("Revoke the access of ‘%(name)s’?") % {"name": consent.client.name},
            "dialog_text": [
                _("The app can no longer act for you, and is signed out at once."),
                _("It can come again with another assertion of your identity provider.")
                if _vouched(consent.client)
                else _("If you use it again, it asks you again."),
            ],
            "dialog_confirm": _("Revoke access"),
            "dialog_danger": True,
            "dialog_cancel_url": reverse("your-apps"),
            "dialog_action": request.path,
        },
    )


def _vouched(client: Client) -> bool:
    """Whether it was not the person who agreed, but their identity provider that vouched for them."""
    return client.authorization_grant_type == grant_types.SAML2_BEARER.code


def _hindrance(actor: Actor, client: Client, word: Word) -> str:
    """Why the app cannot act for this person now; nothing where it can."""
    if not client.accepts_tokens():
        return _("Whoever made the app has switched it off.")
    decision = effective_access.barrier(actor.access, word)
    return "" if decision else decision.sentence


def _scopes(consent: Consent, word: Word) -> list[dict[str, Any]]:
    """What the person agreed to, and which of it counts now."""
    held = scopes.expanded(effective_access.common_scopes(word, consent.client.scope, consent.scope))
    return [
        {
            "name": name,
            "sentence": CATALOGUE[name].sentence,
            "counts": name in held,
            # `users` was agreed to, and reading is what is left of it.
            "left": CATALOGUE[f"{name}:readonly"].sentence
            if name not in held and f"{name}:readonly" in held
            else "",
        }
        for name in consent.scope
        if name in CATALOGUE
    ]
