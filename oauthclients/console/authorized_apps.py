"""Integrations > Authorized Applications: the apps that this organization has said something about, its own
and others', and finding one by its client ID. The page of one of them is authorized_app.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.db.models import Case, Count, Q, Value, When
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.errors import Invalid, NotFound
from accounts.permissions import Permission
from oauthclients import queries
from oauthclients.console import words
from oauthclients.console.tables import RoleBook
from oauthclients.models import AuthorizationState, ClientAuthorization

PER_PAGE = 25
LONGEST_SEARCH = 200
SCOPES_SHOWN = 3

STATES: Mapping[str, words.State] = {
    AuthorizationState.AUTHORIZED: words.State("authorized", gettext_lazy("Authorized"), "ok"),
    AuthorizationState.REQUESTED: words.State("requested", gettext_lazy("Requested"), "warn"),
    AuthorizationState.UNAUTHORIZED: words.State("declined", gettext_lazy("Declined"), ""),
    AuthorizationState.REVOKED: words.State("revoked", gettext_lazy("Revoked"), "bad"),
}
# An app that is authorized and asks for more stands under both.
FILTERS: Mapping[str, tuple[Any, Q]] = {
    "requested": (gettext_lazy("Requested"), queries.WAITING),
    **{
        state.key: (state.text, Q(state=key))
        for key, state in STATES.items()
        if key != AuthorizationState.REQUESTED
    },
}


@dataclass(frozen=True)
class Wanted:
    """What the address asks for; anything that it cannot mean is dropped."""

    q: str = ""
    state: str = ""

    @classmethod
    def from_address(cls, parameters: Mapping[str, str]) -> Wanted:
        state = parameters.get("state", "")
        return cls(
            # PostgreSQL refuses NUL in a text.
            q=parameters.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
            state=state if state in FILTERS else "",
        )

    def address(self, **changes: Any) -> str:
        """The list with something changed, and from its first page unless a `page` is given."""
        page = changes.pop("page", None)
        asked = replace(self, **changes)
        parameters = {"q": asked.q, "state": asked.state, "page": page or ""}
        query = urlencode({name: value for name, value in parameters.items() if value})
        return (
            f"{reverse('authorized-applications')}?{query}" if query else reverse("authorized-applications")
        )

    @property
    def matching(self) -> Q:
        if not self.q:
            return Q()
        return (
            Q(client__name__icontains=self.q)
            | Q(client__organization__name__icontains=self.q)
            | Q(client__client_id__istartswith=self.q.lower())
        )


@require_safe
@requires(Permission.OAUTH_CLIENT_AUTHORIZE)
def app_list(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    wanted = Wanted.from_address(request.GET.dict())
    counts = _counts(actor, wanted)
    found = (
        queries.authorizations(actor.organization)
        .filter(wanted.matching, FILTERS[wanted.state][1] if wanted.state else Q())
        .order_by(
            Case(When(queries.WAITING, then=Value(0)), default=Value(1)), Lower("client__name"), "client_id"
        )
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "oauth/authorized/list.html",
        {
            "breadcrumbs": [
                {"label": _("Admin"), "url": reverse("admin-home")},
                {"label": _("Authorized Applications")},
            ],
            "not_enforced": not actor.organization.enforce_scopes,
            "may_set_enforcing": bool(actor.access.decide(Permission.DIRECTORY_ORGANIZATION_ADMIN)),
            "any": counts["all"],
            "page": page,
            "rows": _rows(actor, list(page.object_list)),
            "search": {"name": "q", "value": wanted.q, "label": _("Search apps")},
            "hidden": [{"name": "state", "value": wanted.state}] if wanted.state else [],
            "groups": _groups(wanted, counts),
            "q": wanted.q,
            "clear_url": reverse("authorized-applications") if wanted != Wanted() else "",
            "prev_url": wanted.address(page=page.previous_page_number()) if page.has_previous() else "",
            "next_url": wanted.address(page=page.next_page_number()) if page.has_next() else "",
        },
    )


class FindForm(forms.Form):
    """ "Authorize Client". The ID is no secret: an app sends it through every browser."""

    client_id = forms.CharField(
        label=gettext_lazy("Client ID"),
        help_text=gettext_lazy(
            "The developer of the app has it. The app may belong to another organization."
        ),
        max_length=100,
        error_messages={
            "required": gettext_lazy("Enter a client ID."),
            "max_length": gettext_lazy("No client has this ID. Check with the app's developer."),
        },
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.OAUTH_CLIENT_AUTHORIZE)
def find(request: HttpRequest) -> HttpResponse:
    form = FindForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            client = queries.app(actor_of(request).organization, form.cleaned_data["client_id"])
        except (NotFound, Invalid) as error:
            form.add_error("client_id", error.message)
        else:
            return redirect("authorized-application", client.id)
    return render(
        request,
        "oauth/authorized/confirm.html",
        {
            "breadcrumbs": [*breadcrumbs(), {"label": _("Authorize a client")}],
            "form_errors": bool(form.errors),
            "dialog_title": _("Authorize Client"),
            "dialog_text": [_("Next you see what the app asks for. Nothing is authorized yet.")],
            "dialog_form": form,
            "dialog_confirm": _("Next"),
            "dialog_cancel_url": reverse("authorized-applications"),
            "dialog_action": request.path,
        },
    )


def breadcrumbs() -> list[dict[str, str]]:
    return [
        {"label": _("Admin"), "url": reverse("admin-home")},
        {"label": _("Authorized Applications"), "url": reverse("authorized-applications")},
    ]


def role_names(row: ClientAuthorization, book: RoleBook) -> list[str]:
    """The roles that an app is limited to; none for everybody."""
    names = [role.label for key, role in book.roles.items() if key in row.roles]
    deleted = len(set(row.roles) - book.roles.keys())
    return [*names, *([_("a role that was deleted")] if deleted else [])]


def _counts(actor: Actor, wanted: Wanted) -> dict[str, int]:
    """How many apps each filter would show beside the search: one statement."""
    return (
        queries.authorizations(actor.organization)
        .order_by()
        .aggregate(
            all=Count("id"),
            all_states=Count("id", filter=wanted.matching),
            **{key: Count("id", filter=wanted.matching & own) for key, (_label, own) in FILTERS.items()},
        )
    )


def _groups(wanted: Wanted, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    def link(label: Any, count: int, key: str) -> dict[str, Any]:
        return {
            "label": label,
            "url": wanted.address(state=key),
            "count": count,
            "current": wanted.state == key,
        }

    return [
        {
            "label": _("State"),
            "filters": [
                link(_("All"), counts["all_states"], ""),
                *(link(label, counts[key], key) for key, (label, _own) in FILTERS.items()),
            ],
        }
    ]


def _rows(actor: Actor, page: list[ClientAuthorization]) -> list[dict[str, Any]]:
    book = RoleBook(actor.organization)
    uses = queries.last_uses(actor.organization, [row.client_id for row in page])
    return [
        {
            "client": row.client,
            "own": row.client.organization_id == actor.organization.id,
            "waits": queries.waits(row),
            "requested_by": row.requested_by_name,
            "state": STATES[row.state],
            "scopes": _shown_scopes(row)[:SCOPES_SHOWN],
            "more": max(len(_shown_scopes(row)) - SCOPES_SHOWN, 0),
            "roles": role_names(row, book) if row.roles else [],
            "last_used": uses.get(row.client_id),
            "entries": _entries(row),
        }
        for row in page
    ]


def _shown_scopes(row: ClientAuthorization) -> list[str]:
    """What is authorized, or, of an app that is not, what it asks for."""
    return list(row.scope if row.state == AuthorizationState.AUTHORIZED else row.client.scope)


def _entries(row: ClientAuthorization) -> list[dict[str, Any]]:
    def entry(label: str, url_name: str, *, danger: bool = False) -> dict[str, Any]:
        url = reverse(url_name, args=[row.client_id])
        return {"label": label, "url": url, "dialog": danger, "danger": danger}

    if row.state == AuthorizationState.AUTHORIZED:
        return [
            entry(_("Edit Authorization"), "authorized-application"),
            entry(_("Revoke Authorization"), "authorized-application-revoke", danger=True),
        ]
    if queries.waits(row):
        return [
            entry(_("Review request"), "authorized-application"),
            entry(_("Decline"), "authorized-application-decline", danger=True),
        ]
    again = row.state == AuthorizationState.REVOKED
    return [entry(_("Authorize again") if again else _("Approve"), "authorized-application")]
