"""The page of one client, and the questions before it is switched off or on, deleted or restored. Each
question is a page of its own; with JavaScript it is shown as a dialog."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actor import Actor
from accounts.console import trail_links
from accounts.console.check_assertion import refused_lately
from accounts.console.guard import actor_of, recent_password, requires
from accounts.permissions import Permission, label_of
from accounts.services import grants
from accounts.templatetags.when import exactly, relative
from oauthclients import grant_types, queries
from oauthclients.console import (
    accepted_assertions,
    client_refusals,
    client_view,
    drifted,
    effects,
    for_person,
    rights,
    trying_forms,
    usage_figures,
    what_next,
    words,
)
from oauthclients.console.snippets import snippets
from oauthclients.models import AuthorizationState, Client
from oauthclients.rules import deletion
from oauthclients.services import access, clients, tokens

ASK = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@requires(Permission.OAUTH_CLIENT_VIEW)
def client(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    shown = queries.client(actor.organization, client_id)
    pairs = queries.pairs_of(shown)
    may = rights.of_one(actor, pairs)
    vouched = words.grant_type(shown) is grant_types.SAML2_BEARER
    return render(
        request,
        "oauth/clients/client.html",
        {
            "breadcrumbs": [*breadcrumbs(), {"label": shown.name}],
            "client": shown,
            "grant": words.grant_type(shown),
            "state": words.state(shown),
            "may": may,
            "note": _why_not_edit(actor, may, pairs),
            "credentials": client_view.credentials(shown),
            "access": client_view.access(shown, pairs),
            "duration": {
                "words": words.duration(shown.token_seconds),
                "n": words.number(shown.token_seconds),
            },
            "idle_note": effects.idle_note(shown.organization, words.grant_type(shown)),
            "next": what_next.box(actor, shown, pairs),
            "snippets": snippets(shown, pairs),
            "test_form": trying_forms.in_section(shown),
            "usage": usage_figures.section(shown),
            "changes": client_view.changes(shown),
            "all_changes": trail_links.all_about(actor, shown.id),
            "authorized_in": client_view.authorized_in(actor, shown),
            "not_enforced": not actor.organization.enforce_scopes,
            "refused_note": effects.refused_note(actor.organization, words.grant_type(shown)),
            "for_person": for_person.box(request, actor, shown),
            "refused": client_refusals.box(actor, shown),
            "waits": client_view.waits(actor, shown),
            "drifted": drifted.sentences(shown.organization, shown.id),
            "assertions": accepted_assertions.box(actor, shown) if vouched else None,
            "refusals": refused_lately(actor, shown.id) if vouched else None,
        },
    )


@ASK
@requires(Permission.OAUTH_CLIENT_EDIT)
def disable(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    shown = queries.client(actor.organization, client_id)
    if shown.date_to_delete is not None:
        return _back(request, shown, _("This client is pending deletion: it is switched off already."))
    if request.method == "POST":
        shown = clients.set_enabled(actor=actor, client_id=client_id, enabled=False)
        messages.success(
            request,
            _with_link(
                _("Client ‘%(name)s’ is disabled.") % {"name": shown.name},
                reverse("oauth-client-enable", args=[shown.id]),
                _("Enable"),
            ),
        )
        return to_client(shown)
    rights.require_edit(actor, shown)
    return ask(
        request,
        shown,
        title=_("Disable ‘%(name)s’?") % {"name": shown.name},
        text=[_no_tokens(tokens.live(shown)), _("You can enable it again.")],
        facts=in_use(shown),
        confirm=_("Disable client"),
        danger=True,
    )


@ASK
@requires(Permission.OAUTH_CLIENT_EDIT)
def enable(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    shown = queries.client(actor.organization, client_id)
    if shown.date_to_delete is not None:
        return _back(request, shown, str(access.PENDING_DELETION))
    if request.method == "POST":
        shown = clients.set_enabled(actor=actor, client_id=client_id, enabled=True)
        messages.success(request, _("Client ‘%(name)s’ is enabled.") % {"name": shown.name})
        return to_client(shown)
    rights.require_edit(actor, shown)
    return ask(
        request,
        shown,
        title=_("Enable ‘%(name)s’?") % {"name": shown.name},
        text=[_("It can get tokens again. Tokens from before that have not ended work again as well.")],
        facts=in_use(shown),
        confirm=_("Enable client"),
    )


class TypeNameForm(forms.Form):
    """For what cannot be undone: the name of the app, typed."""

    name = forms.CharField(
        label="",
        max_length=200,
        error_messages={"required": gettext_lazy("Type the app name to confirm.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_confirm_%s", **kwargs})
        self.expected = expected
        self.fields["name"].label = _("Type the app name ‘%(name)s’ to confirm") % {"name": expected}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.expected:
            raise forms.ValidationError(
                _("This is not the app's name. Type ‘%(name)s’.") % {"name": self.expected}
            )
        return name


@ASK
@requires(Permission.OAUTH_CLIENT_DELETE)
@recent_password
def delete(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    """A client of at most 30 days goes at once, so its name is asked for; an older one can be restored."""
    actor = actor_of(request)
    shown = queries.client(actor.organization, client_id)
    if shown.date_to_delete is not None:
        return _back(request, shown, _("This client is already pending deletion."))
    removal = deletion.removal_date(created=shown.created, now=timezone.now())
    form = None
    if removal is None:
        form = TypeNameForm(request.POST if request.method == "POST" else None, expected=shown.name)
    if request.method == "POST" and (form is None or form.is_valid()):
        deleted = clients.delete(actor=actor, client_id=client_id)
        messages.success(request, _deleted(shown, deleted))
        return redirect("oauth-clients")
    return ask(
        request,
        shown,
        title=_("Delete ‘%(name)s’?") % {"name": shown.name},
        text=[
            _("Removed at once and for good.")
            if removal is None
            else _("Switched off now, removed on %(date)s; you can restore it until then.")
            % {"date": exactly(removal)}
        ],
        facts=[*in_use(shown), *_authorized_in(shown)],
        form=form,
        confirm=_("Delete client"),
        danger=True,
    )


@ASK
@requires(Permission.OAUTH_CLIENT_EDIT)
def restore(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    shown = queries.client(actor.organization, client_id)
    if shown.date_to_delete is None:
        return _back(request, shown, _("This client is not pending deletion."))
    if request.method == "POST":
        shown = clients.restore(actor=actor, client_id=client_id)
        messages.success(
            request,
            _with_link(
                _("Client ‘%(name)s’ is restored. It is disabled.") % {"name": shown.name},
                reverse("oauth-client-enable", args=[shown.id]),
                _("Enable"),
            ),
        )
        return to_client(shown)
    rights.require_edit(actor, shown)
    return ask(
        request,
        shown,
        title=_("Restore ‘%(name)s’?") % {"name": shown.name},
        text=[
            _("It comes back disabled, with its secret and its access as they were."),
            _("Then you can enable it."),
        ],
        confirm=_("Restore client"),
    )


# --- Shared with the pages about secrets ---------------------------------------------------------


def ask(
    request: HttpRequest,
    client: Client,
    *,
    title: str,
    text: Iterable[str],
    confirm: str,
    facts: Iterable[dict[str, Any]] = (),
    form: forms.Form | None = None,
    crumb: str = "",
    danger: bool = False,
) -> HttpResponse:
    """The page of a question; its form posts to its own address."""
    return render(
        request,
        "oauth/clients/confirm.html",
        {
            "breadcrumbs": [
                *breadcrumbs(),
                {"label": client.name, "url": reverse("oauth-client", args=[client.id])},
                {"label": crumb or confirm},
            ],
            "form_errors": bool(form and form.errors),
            "dialog_title": title,
            "dialog_text": text,
            "dialog_facts": facts,
            "dialog_form": form,
            "dialog_confirm": confirm,
            "dialog_danger": danger,
            "dialog_cancel_url": reverse("oauth-client", args=[client.id]),
            "dialog_action": request.get_full_path(),
        },
    )


def breadcrumbs() -> list[dict[str, str]]:
    return [
        {"label": _("Admin"), "url": reverse("admin-home")},
        {"label": _("OAuth"), "url": reverse("oauth-clients")},
    ]


def in_use(client: Client) -> list[dict[str, str]]:
    """What would stop working."""
    return [
        {"label": _("Tokens in use"), "value": words.number(tokens.live(client))},
        {
            "label": _("Last used"),
            "value": relative(client.last_used_at) if client.last_used_at else _("never"),
        },
    ]


def _no_tokens(in_use: int) -> str:
    if not in_use:
        return _("It gets no new tokens.")
    return ngettext(
        "It gets no new tokens, and %(n)s token stops working.",
        "It gets no new tokens, and %(n)s tokens stop working.",
        in_use,
    ) % {"n": words.number(in_use)}


def _authorized_in(client: Client) -> list[dict[str, str]]:
    """For clients with scopes: how many organizations would lose the app."""
    if not words.grant_type(client).uses_scopes:
        return []
    count = client.authorizations.filter(state=AuthorizationState.AUTHORIZED).count()
    return [{"label": _("Organizations that authorized it"), "value": words.number(count)}]


def to_client(client: Client) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("oauth-client", args=[client.id]))


def _back(request: HttpRequest, client: Client, why: str) -> HttpResponse:
    """Somebody else was first, or the page was old."""
    messages.error(request, why)
    return to_client(client)


def _with_link(text: str, url: str, label: str) -> str:
    return format_html('{} <a href="{}">{}</a>', text, url, label)


def _deleted(was: Client, now: Client | None) -> str:
    if now is None or now.date_to_delete is None:
        return _("Client ‘%(name)s’ was deleted.") % {"name": was.name}
    return _with_link(
        _("Client ‘%(name)s’ is switched off and will be removed on %(date)s.")
        % {"name": was.name, "date": exactly(now.date_to_delete)},
        reverse("oauth-client-restore", args=[was.id]),
        _("Restore"),
    )


def _why_not_edit(actor: Actor, may: rights.Rights, pairs: list[grants.NamedPair]) -> list[str]:
    """What somebody who may view but not edit is told."""
    if may.edit:
        return []
    if not actor.access.decide(Permission.OAUTH_CLIENT_EDIT):
        return [_("You need the permission %(label)s.") % {"label": label_of(Permission.OAUTH_CLIENT_EDIT)}]
    return [grants.lacking(named) for named in grants.lacked_by(actor, pairs)]
