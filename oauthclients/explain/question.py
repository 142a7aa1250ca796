"""A question about a call: who would make it, and what it would be. What may be asked is decided here, for
the page and the API alike; nothing of another organization is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from oauth2_provider.models import AbstractAccessToken

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.errors import DomainError, Invalid, NotAllowed, NotFound, Problems
from accounts.models import Division, Organization, User
from accounts.permissions import CATALOGUE, Permission
from accounts.rules import roles_seen
from oauthclients import grant_types, queries
from oauthclients.models import Client
from oauthclients.rules.effective_access import decide_scope, require

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# The one address besides the API's for which there is an answer.
TOKEN_ENDPOINT = "/oauth/token"
LONGEST_PATH = 500


@dataclass(frozen=True)
class Asked:
    """A question as it was typed or sent. `permissions`: one of them is asked for. With a route as well,
    they are what a part of the request asks for on top."""

    client_id: str = ""
    token_id: str = ""
    user_id: str = ""
    method: str = ""
    path: str = ""
    permissions: tuple[str, ...] = ()
    division_id: str = ""


@dataclass(frozen=True)
class Question:
    """`organization` is that of whoever asks. `token` is a row that was given once; None for one that could
    be given now. `person` is None for a client of its own, and for an app about which it is asked
    in general."""

    organization: Organization
    client: Client
    token: AbstractAccessToken | None = None
    person: User | None = None
    method: str = "GET"
    path: str = ""
    permissions: tuple[str, ...] = field(default=())
    division: Division | None = None

    @property
    def for_people(self) -> bool:
        return acts_for_people(self.client)


def acts_for_people(client: Client) -> bool:
    return grant_types.BY_CODE[client.authorization_grant_type].uses_scopes


def read(actor: Actor, asked: Asked) -> Question:
    """Needs `oauth:client:view`; for a person, what `person_seen` asks for; and for a token of a person, to
    see the tokens of people besides.

    Raises `NotAllowed`; `NotFound` for what is not of this organization, but for an app that it has
    authorized; and `Invalid` with all that is wrong with the rest.
    """
    actor.require(Permission.OAUTH_CLIENT_VIEW)
    token = _token(actor, asked.token_id) if asked.token_id else None
    if token is not None:
        client = token.application
        if asked.client_id and account_queries.as_uuid(asked.client_id) != client.id:
            raise NotFound(code="client.not.found")
        client = _client(actor, client.id)
    elif asked.client_id:
        client = _client(actor, asked.client_id)
    else:
        raise Invalid.one("clientId", "invalid.value", _("Name a client or a token."))
    problems = Problems()
    method, path = _call(asked, problems)
    permissions = _permissions(asked.permissions, problems)
    division = _division(actor, asked.division_id, problems)
    if asked.user_id and not acts_for_people(client):
        problems.add(
            "userId",
            "invalid.value",
            _("This client acts for itself: no person makes a difference. Leave the person out."),
        )
    problems.raise_if_any()
    person = _person(actor, asked.user_id) if asked.user_id else None
    if token is not None and token.user is not None:
        if person is not None and person.id != token.user_id:
            raise Invalid.one("userId", "invalid.value", _("This token was given for another person."))
        person = token.user
    return Question(actor.organization, client, token, person, method, path, permissions, division)


def person_seen(actor: Actor, user_id: object) -> User:
    """Somebody whose rights the actor may see: that is what an answer about them tells.

    Raises `NotFound` and `NotAllowed`, as the pages of the person and of their roles do; and
    `InsufficientScope` for an app that may not see people, or what they hold.
    """
    require(decide_scope(actor.scopes, "users", "users:readonly"))
    require(decide_scope(actor.scopes, "authorization", "authorization:readonly"))
    person = account_queries.person(actor.organization, user_id)
    actor.require(
        Permission.DIRECTORY_USER_VIEW, division_id=person.division_id, division_name=person.division.name
    )
    roles_seen.decide(actor, person).require()
    return person


def people_seen(actor: Actor) -> QuerySet[User]:
    """All for whom `person_seen` lets somebody ask."""
    seen = account_queries.people_in(
        actor.organization, actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
    )
    where = roles_seen.where(actor)
    return seen if where.everywhere else seen.filter(Q(division_id__in=where.ids) | Q(id=actor.id))


def _person(actor: Actor, user_id: str) -> User:
    person = person_seen(actor, user_id)
    person.organization = actor.organization
    return person


def _client(actor: Actor, client_id: object) -> Client:
    """The organization's own, or another's app that it has authorized."""
    try:
        return queries.client(actor.organization, client_id)
    except NotFound:
        pass
    missing = NotFound(code="client.not.found")
    try:
        app = queries.app(actor.organization, client_id)
    except DomainError as error:
        raise missing from error
    if not queries.word_on(actor.organization, app).authorized:
        raise missing
    return app


def _token(actor: Actor, token_id: str) -> Any:
    """Of the organization's own client or people. Raises `NotFound`, also for one of a person that the
    actor may not ask about: ids follow each other, and nobody counts them here."""
    known = token_id.isascii() and token_id.isdigit() and len(token_id) < 19
    token: Any = queries.token_with_id(int(token_id)) if known else None
    if token is None or token.application is None:
        raise NotFound
    here = token.application.organization if token.user is None else token.user.organization
    if here.id != actor.organization.id:
        raise NotFound
    if token.user is not None:
        try:
            actor.require(Permission.OAUTH_TOKEN_VIEW, Permission.OAUTH_TOKEN_DELETE)
            person_seen(actor, token.user_id)
        except NotAllowed as error:
            raise NotFound from error
    return token


def _call(asked: Asked, problems: Problems) -> tuple[str, str]:
    """Method and path; a whole address, and a query string, are cut to the path."""
    method = asked.method.strip().upper() or "GET"
    if method not in (*METHODS, "HEAD"):
        problems.add(
            "method", "invalid.value", _("Choose a method: %(names)s.") % {"names": ", ".join(METHODS)}
        )
    text = asked.path.strip()
    if not text:
        return method, ""
    try:
        path = urlsplit(text).path if "://" in text else text.split("?")[0].split("#")[0]
    except ValueError:
        path = ""
    path = path if path.startswith("/") else f"/{path}"
    if len(path) > LONGEST_PATH or not path.isprintable():
        problems.add(
            "path", "invalid.value", _("Enter a path like %(path)s.") % {"path": "/api/v2/users/{userId}"}
        )
    return method, path


def _permissions(names: Sequence[str], problems: Problems) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    for name in found:
        if name not in CATALOGUE:
            text = _("There is no permission called ‘%(name)s’.") % {"name": name[:200]}
            problems.add("permission", "invalid.value", text)
    return found


def _division(actor: Actor, division_id: str, problems: Problems) -> Division | None:
    if not division_id:
        return None
    try:
        return account_queries.division(actor.organization, division_id)
    except NotFound:
        problems.add("divisionId", "invalid.value", _("There is no division with this ID."))
        return None
