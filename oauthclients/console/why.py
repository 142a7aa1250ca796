"""Integrations > Why?: why a call is allowed or refused, condition by condition (explain/). What is asked
is in the address, so that it can be kept and sent: ids and names, and never a token."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from oauth2_provider.models import get_access_token_model

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.errors import Invalid, NotAllowed, NotFound
from accounts.models import User
from accounts.permissions import CATALOGUE, Permission
from accounts.templatetags.when import relative
from oauthclients import queries
from oauthclients.api import routes
from oauthclients.explain.answer import Answer, answer
from oauthclients.explain.changes import needed
from oauthclients.explain.question import (
    METHODS,
    TOKEN_ENDPOINT,
    Asked,
    acts_for_people,
    people_seen,
    read,
)
from oauthclients.models import Client

FIELDS = ("client", "token", "person", "method", "path", "permission", "division")
# What `read` calls otherwise.
_FIELDS = {"clientId": "client", "userId": "person", "divisionId": "division"}
LONGEST = 500
# So many are offered where a name means several, and of the tokens of a client.
OFFERED = 20


@dataclass(frozen=True)
class Wanted:
    """What the address says. `client` and `person` may be names."""

    client: str = ""
    token: str = ""
    person: str = ""
    method: str = "GET"
    path: str = ""
    permission: str = ""
    division: str = ""

    @classmethod
    def from_address(cls, request: HttpRequest) -> Wanted:
        # PostgreSQL refuses NUL in a text.
        given = {name: request.GET.get(name, "").replace("\x00", "").strip()[:LONGEST] for name in FIELDS}
        return cls(**{name: value for name, value in given.items() if value})

    def address(self, **changes: str) -> str:
        asked = replace(self, **changes)
        filled = {name: getattr(asked, name) for name in FIELDS if getattr(asked, name)}
        return f"{reverse('oauth-why')}?{urlencode(filled)}" if filled else reverse("oauth-why")


def link(**asked: str) -> str:
    """The page with this question."""
    return Wanted(**asked).address()


@require_safe
@requires(Permission.OAUTH_CLIENT_VIEW)
def why(request: HttpRequest) -> HttpResponse:
    return WhyPage(request).answer()


class WhyPage:
    def __init__(self, request: HttpRequest) -> None:
        self.request, self.actor = request, actor_of(request)
        self.wanted = Wanted.from_address(request)
        self.errors: list[dict[str, str]] = []
        self.choices: dict[str, list[dict[str, str]]] = {}
        self.status = 200

    def answer(self) -> HttpResponse:
        client_id, person_id = self.client_id(), self.person_id()
        found = self.explained(client_id, person_id) if client_id or self.wanted.token else None
        client = found.question.client if found else self.client(client_id)
        return render(
            self.request,
            "oauth/why.html",
            {
                "breadcrumbs": [{"label": _("Admin"), "url": reverse("admin-home")}, {"label": _("Why?")}],
                "wanted": self.wanted,
                "form_errors": bool(self.errors),
                "errors": self.errors,
                "by_field": {error["field"]: error["message"] for error in self.errors},
                "choices": self.choices,
                "client": client,
                "for_people": client is not None and acts_for_people(client),
                "person": found.question.person if found else self.person(person_id),
                "own": client is not None and client.organization_id == self.actor.organization.id,
                "methods": METHODS,
                "paths": [*dict.fromkeys(route.path for route in routes.every()), TOKEN_ENDPOINT],
                "permissions": sorted(CATALOGUE),
                "divisions": account_queries.divisions(self.actor.organization),
                "tokens": tokens_of(self.actor, client) if client else [],
                **(self.shown(found) if found else {}),
            },
            status=self.status,
        )

    def wrong(self, field: str, message: str, status: int = 200) -> None:
        self.errors.append({"field": field, "message": message, "target": f"id_{field}", "url": ""})
        self.status = status

    def explained(self, client_id: str, person_id: str) -> Answer | None:
        wanted = self.wanted
        if self.errors or self.choices:
            return None
        asked = Asked(
            client_id=client_id,
            token_id=wanted.token,
            user_id=person_id,
            method=wanted.method,
            path=wanted.path,
            permissions=tuple(wanted.permission.replace(",", " ").split()),
            division_id=wanted.division,
        )
        try:
            question = read(self.actor, asked)
        except Invalid as error:
            for problem in error.problems:
                field = _FIELDS.get(problem.field, problem.field)
                self.wrong(field, problem.message)
            return None
        except NotFound as error:
            self.wrong("token" if wanted.token else "client", error.message, error.status)
            return None
        if not (wanted.path or wanted.permission or wanted.token):
            return None  # a client was chosen, and nothing is asked yet
        return answer(question)

    def shown(self, found: Answer) -> dict[str, Any]:
        changes = needed(self.actor, found)
        return {
            "answer": found,
            "lines": [
                {
                    "label": condition.text,
                    "met": condition.met,
                    "sentence": condition.detail,
                }
                for condition in found.conditions
            ],
            "changes": changes,
            "more": len(changes) - 1,
        }

    # --- Whom a name means ---

    def client(self, client_id: str) -> Client | None:
        try:
            return queries.client(self.actor.organization, client_id) if client_id else None
        except NotFound:
            return None

    def person(self, person_id: str) -> User | None:
        return people_seen(self.actor).filter(id=person_id).first() if person_id else None

    def client_id(self) -> str:
        text = self.wanted.client
        if not text or account_queries.as_uuid(text):
            return text
        rows = queries.clients(self.actor.organization)
        found = list(rows.filter(name__iexact=text)[:1]) or list(
            rows.filter(name__icontains=text).order_by("name")[: OFFERED + 1]
        )
        return self.one_of("client", [(str(row.id), row.name) for row in found])

    def person_id(self) -> str:
        text = self.wanted.person
        if not text:
            return ""
        if account_queries.as_uuid(text):
            if self.person(text) is None:
                self.wrong("person", nobody())
            return text
        found = people_called(self.actor, text)
        return self.one_of("person", [(str(row.id), f"{row} – {row.email}") for row in found])

    def one_of(self, field: str, found: list[tuple[str, str]]) -> str:
        """The only one; several are offered, and none is an error."""
        if len(found) == 1:
            return found[0][0]
        if found:
            self.choices[field] = [
                {"label": label, "url": self.wanted.address(**{field: id})} for id, label in found[:OFFERED]
            ]
        else:
            text = _("No client here is called that.") if field == "client" else nobody()
            self.wrong(field, text)
        return ""


def nobody() -> str:
    return _("You see nobody called that.")


def people_called(actor: Actor, text: str) -> list[User]:
    """Those whose rights the actor sees, by their email address or part of their name."""
    seen = people_seen(actor)
    exact = list(seen.filter(email__iexact=text)[:1])
    return exact or list(
        seen.filter(Q(name__icontains=text) | Q(email__icontains=text)).order_by("name", "id")[
            : OFFERED + 1
        ]
    )


def tokens_of(actor: Actor, client: Client) -> list[dict[str, str]]:
    """The newest tokens of a client: its own, and, for those who may see the tokens of people, of people of
    this organization whose rights they see."""
    mine = Q(user=None)
    if client.organization_id != actor.organization.id:
        mine = Q(pk=None)
    try:
        actor.require(Permission.OAUTH_TOKEN_VIEW, Permission.OAUTH_TOKEN_DELETE)
        mine |= Q(user__in=people_seen(actor).values("id"))
    except NotAllowed:
        pass
    rows = (
        get_access_token_model()
        .objects.filter(mine, application=client)
        .select_related("user")
        .order_by("-pk")[:OFFERED]
    )
    return [
        {
            "id": str(row.pk),
            "label": _("No. %(id)s, given %(ago)s") % {"id": row.pk, "ago": relative(row.created)}
            if row.user is None
            else _("No. %(id)s, given %(ago)s for %(name)s")
            % {"id": row.pk, "ago": relative(row.created), "name": str(row.user)},
        }
        for row in rows
    ]
