"""On the page of an app: what it may do for a person who is picked, by the decisions of the API."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.errors import NotAllowed, NotFound
from accounts.models import User
from accounts.permissions import Permission
from accounts.rules import roles_seen
from oauthclients import queries, scopes
from oauthclients.console import why
from oauthclients.console.words import grant_type
from oauthclients.explain import effective
from oauthclients.explain.question import person_seen
from oauthclients.models import Client
from oauthclients.rules import effective_access

NAME = "for"


def box(request: HttpRequest, actor: Actor, client: Client) -> dict[str, Any] | None:
    """None for a client that acts for itself, and for somebody who sees no people or not what they hold."""
    sees = actor.access.decide(Permission.DIRECTORY_USER_VIEW) and roles_seen.where(actor)
    if not grant_type(client).uses_scopes or not sees:
        return None
    text = request.GET.get(NAME, "").replace("\x00", "").strip()[: why.LONGEST]
    if not text:
        return {"text": ""}
    if account_queries.as_uuid(text):
        try:
            return {"text": text, **_shown(actor, client, person_seen(actor, text))}
        except (NotFound, NotAllowed):
            return {"text": text, "error": why.nobody()}
    found = why.people_called(actor, text)
    if len(found) == 1:
        return {"text": text, **_shown(actor, client, found[0])}
    address = reverse("oauth-client", args=[client.id])
    return {
        "text": text,
        "error": "" if found else why.nobody(),
        "choices": [
            {
                "label": f"{person} – {person.email}",
                "url": f"{address}?{urlencode({NAME: str(person.id)})}#for-person",
            }
            for person in found[: why.OFFERED]
        ],
    }


def _shown(actor: Actor, client: Client, person: User) -> dict[str, Any]:
    """As a token would be that is given now, with all that the app asks for."""
    person.organization = actor.organization
    access = effective_access.of_person(
        account_queries.access_of(person.organization_id, person.id),
        word=queries.word_on(actor.organization, client),
        asked=client.scope,
        agreed=client.scope,
    )
    # Elsewhere nothing is held but what is held everywhere.
    named = {role.division_id for role in access.access.held if role.division_id}
    divisions = account_queries.divisions(actor.organization).filter(id__in=named)
    names = dict(divisions.values_list("id", "name"))
    barrier = "" if access.barrier else access.barrier.sentence
    if not person.is_active:
        barrier = _("The person is not active.")
    return {
        "person": person,
        "barrier": barrier,
        "scopes": None if access.scopes is None else scopes.narrowed(list(access.scopes)),
        "parts": []
        if barrier
        else [part for part in effective.parts(access, names, for_person=True) if part.routes],
        "why_url": why.link(client=str(client.id), person=str(person.id)),
    }
