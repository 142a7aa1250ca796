"""Why a call is allowed or refused: the decision as the API takes it, and every condition of it.

The refusal is what those functions say that the API itself asks, in its order: the routes, the life of the
token (rules/token_alive.py), its minute, and the guard with the access of this moment. The conditions are
the parts of those decisions, each asked on its own; a test holds the two together, and both to what the API
answers (tests/tables/test_explain.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from oauth2_provider.models import get_access_token_model

from accounts import queries as account_queries
from accounts import rates
from accounts.default_roles import shown
from accounts.errors import NotAllowed, NotFound
from accounts.permissions import CATALOGUE, Permission
from accounts.rules import footing, idle
from accounts.rules.access import Access, Decision, HeldRole
from oauthclients import grant_types, queries, scopes
from oauthclients.api import routes
from oauthclients.api.errors import ApiError
from oauthclients.api.routes import Route
from oauthclients.explain import decision as decisions
from oauthclients.explain.decision import Place
from oauthclients.explain.question import TOKEN_ENDPOINT, Question
from oauthclients.models import ClientState
from oauthclients.resource_server.guard import NO_USER_CONTEXT, Requirement, Where
from oauthclients.resource_server.refused import TOO_MANY
from oauthclients.rules import effective_access, token_alive
from oauthclients.rules.effective_access import EffectiveAccess, Word

ROUTE_EXISTS, METHOD_KNOWN = "route.exists", "route.method"
IN_MINUTE = "token.in.minute"
USER_CONTEXT = "user.context"
AUTHORIZED, ROLE_LIMIT = "app.authorized", "app.role.limit"
SCOPE_ASKED, SCOPE_AUTHORIZED, SCOPE_AGREED = "scope.client", "scope.authorization", "scope.token"
SCOPE_IN_ALL = "scope.same"
PERMISSION, PERMISSION_THERE, PART = "permission.held", "permission.division", "permission.part"
SHOWN = "division.shown"
GIVES_TOKENS, USES_ENDPOINT = "client.gives.tokens", "client.grant.type"

_LIFE: Mapping[str, Any] = {
    token_alive.NOT_EXPIRED: gettext_lazy("The token has not expired"),
    token_alive.CLIENT_EXISTS: gettext_lazy("The client exists"),
    token_alive.CLIENT_ACCEPTS: gettext_lazy("The client is switched on: its tokens are accepted"),
    token_alive.PERSON_ACTIVE: gettext_lazy("The person is active"),
    token_alive.ORGANIZATION_ACTIVE: gettext_lazy("The person’s organization is active"),
    token_alive.GIVEN_SINCE: gettext_lazy("The token is newer than what ended the person’s sign-ins"),
    token_alive.NOT_IDLE: gettext_lazy("The token was used lately enough"),
}
# What is only known of a token that there is.
_OF_GIVEN = frozenset({token_alive.NOT_EXPIRED, token_alive.GIVEN_SINCE, token_alive.NOT_IDLE})
_OF_PERSON = frozenset(
    {token_alive.PERSON_ACTIVE, token_alive.ORGANIZATION_ACTIVE, token_alive.GIVEN_SINCE}
)


@dataclass(frozen=True)
class Condition:
    """`met` is None where it depends on a person who was not named. `code` is that of the refusal where
    it is not met. `missing` are the permissions, scopes or roles that would do."""

    id: str
    text: str
    met: bool | None
    code: str
    detail: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """`status` and `code` are those of the refusal on the wire; 0 and empty where the call is allowed."""

    question: Question
    route: Route | None
    status: int
    code: str
    message: str
    conditions: tuple[Condition, ...]
    notes: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.code

    @property
    def depends(self) -> bool:
        """Allowed only for a person who may do it themselves."""
        return self.allowed and any(condition.met is None for condition in self.conditions)

    @property
    def unmet(self) -> tuple[Condition, ...]:
        return tuple(condition for condition in self.conditions if condition.met is False)


def answer(question: Question, now: datetime | None = None) -> Answer:
    """Reads, and changes nothing: neither the clock of a token, nor its count of calls, nor what is
    noted of the use of rights."""
    if question.path == TOKEN_ENDPOINT:
        return _of_token_request(question)
    with footing.aside():
        return _Call(question, now or timezone.now()).answer()


class _Call:
    """One question, with all that decides it."""

    def __init__(self, question: Question, now: datetime) -> None:
        self.question, self.now = question, now
        self.methods = routes.at(routes.called(question.path)) if question.path else {}
        self.route = self.methods.get("GET" if question.method == "HEAD" else question.method)
        self.needed = self.route.requirement if self.route else None
        self.for_person = question.for_people
        self.anybody = self.for_person and question.person is None
        where = question.division
        self.place = Place(where.id, where.name) if where else None
        self.token: Any = question.token or _new_token(question, now)
        self.given_at = question.token.created if question.token is not None else None
        self.agreed = self.token.scope.split()
        self.word = self._word()
        self.effective = self._effective()
        self.access = self.effective.access

    def answer(self) -> Answer:
        status, code, message = self._refusal()
        conditions = tuple(self._conditions())
        return Answer(self.question, self.route, status, code, message, conditions, tuple(self._notes()))

    # --- What there is to decide with ---

    def _word(self) -> Word | None:
        if not self.for_person:
            return None
        if self.question.token is not None:
            return queries.word_of(self.question.token)
        return queries.word_on(self.question.organization, self.question.client)

    def _effective(self) -> EffectiveAccess:
        question = self.question
        if question.token is not None:
            return queries.effective_access_of(question.token)
        subject = question.person or question.client
        if self.word is None:
            return EffectiveAccess(account_queries.access_of(subject.organization_id, subject.id))
        return effective_access.of_person(
            self._of_anybody(self.word)
            if self.anybody
            else account_queries.access_of(subject.organization_id, subject.id),
            word=self.word,
            asked=question.client.scope,
            agreed=self.agreed,
            given_at=self.given_at,
        )

    def _of_anybody(self, word: Word) -> Access:
        """Of a person who holds, everywhere, just what is asked for, and a role that may use the app."""
        asked = {*self.question.permissions, *(self.needed.any_of if self.needed else ())}
        if self.needed is not None and decisions.hides(self.needed):
            asked.add(Permission.DIRECTORY_USER_VIEW)
        role = min(word.roles, key=str, default=decisions.NOWHERE.id)
        return Access((HeldRole(role, "", None, frozenset(asked)),))

    # --- The decision ---

    def _refusal(self) -> tuple[int, str, str]:
        if self.question.path and not self.methods:
            return 404, "not.found", _("There is nothing at this address.")
        if self.question.path and self.route is None:
            text = _("This route does not have the method %(name)s.") % {"name": self.question.method}
            return 405, "method.not.allowed", text
        if token_alive.unmet(self.token, self.now):
            dead = ApiError.bad_credentials()
            return dead.status_code, dead.code, dead.message
        if not self._in_minute():
            return 429, TOO_MANY, _("Too many requests.")
        found = self._decision()
        if found:
            return 0, "", ""
        status = {NO_USER_CONTEXT: 400, decisions.HIDDEN: NotFound.status}.get(
            found.code, NotAllowed.status
        )
        return status, found.code, found.sentence

    def _decision(self) -> Decision:
        permissions = self.question.permissions
        if self.needed is None:
            barrier = self.effective.barrier
            return decisions.part(permissions, self.effective, self.place) if barrier else barrier
        return decisions.whole(
            self.needed,
            self.effective,
            for_person=self.for_person,
            place=self.place,
            permissions=permissions,
        )

    def _in_minute(self) -> bool:
        if self.question.token is None:
            return True
        window = rates.Window("api", str(self.question.token.pk), settings.RATE_API_PER_TOKEN)
        return not window.exceeded()

    # --- Its conditions ---

    def _conditions(self) -> Iterator[Condition]:
        if self.question.path:
            yield from self._of_route()
            if self.route is None:
                return
        yield from self._of_life()
        if self.needed is not None and self.needed.user_context:
            text = _("A person stands behind the call: the route is about that person")
            yield Condition(USER_CONTEXT, text, self.for_person, NO_USER_CONTEXT)
        if self.word is not None:
            yield from self._of_app(self.word)
            if self.needed is not None:
                yield from self._of_scopes(self.word, self.needed)
        yield from self._of_permissions()

    def _of_route(self) -> Iterator[Condition]:
        yield Condition(ROUTE_EXISTS, _("The API has this route"), bool(self.methods), "not.found")
        if self.methods:
            yield Condition(
                METHOD_KNOWN,
                _("The route has the method %(name)s") % {"name": self.question.method},
                self.route is not None,
                "method.not.allowed",
                detail=_("Its methods: %(names)s.") % {"names": ", ".join(self.methods)},
            )

    def _of_life(self) -> Iterator[Condition]:
        code = ApiError.bad_credentials().code
        for name, met in token_alive.CONDITIONS.items():
            if (name in _OF_GIVEN and self.question.token is None) or (
                name in _OF_PERSON and self.token.user is None
            ):
                continue
            alive = bool(met(self.token, self.now))
            yield Condition(name, str(_LIFE[name]), alive, code, detail=self._of_token(name))
        if self.question.token is not None:
            text = _("The token has calls left in this minute")
            yield Condition(IN_MINUTE, text, self._in_minute(), TOO_MANY)

    def _of_token(self, name: str) -> str:
        if name == token_alive.CLIENT_ACCEPTS:
            return why_off(self.question)
        if name == token_alive.NOT_EXPIRED:
            return _("It lives until %(at)s.") % {"at": _moment(self.token.expires)}
        if name == token_alive.NOT_IDLE:
            ends = idle.ends_at(token_alive.organization_of(self.token), self.token.updated)
            return _("Unused, it ends at %(at)s.") % {"at": _moment(ends)} if ends else ""
        return ""

    def _of_app(self, word: Word) -> Iterator[Condition]:
        """`barrier` with all but the limit to roles, and with nothing but that."""
        said = effective_access.barrier(
            self.access, dataclasses.replace(word, roles=frozenset()), self.given_at
        )
        yield Condition(
            AUTHORIZED,
            _("The organization lets this app act for its people"),
            bool(said),
            effective_access.NOT_AUTHORIZED,
            detail=_said(word, void=not said and not word.barred),
        )
        if word.roles:
            limit = effective_access.barrier(self.access, Word(enforced=False, roles=word.roles))
            yield Condition(
                ROLE_LIMIT,
                _("The person holds one of the roles to which the app is limited"),
                None if self.anybody else bool(limit),
                effective_access.ROLE_LIMIT,
                missing=tuple(sorted(str(role) for role in word.roles)),
            )

    def _of_scopes(self, word: Word, needed: Requirement) -> Iterator[Condition]:
        """Each of the three on its own, where scopes count."""
        if self.effective.scopes is None or needed.lenient:
            return
        each = [
            (SCOPE_ASKED, _("The app asks for one of these scopes: %(names)s"), self.question.client.scope),
            (SCOPE_AUTHORIZED, _("The organization has authorized one of: %(names)s"), word.scope),
        ]
        if self.question.token is not None:  # one that could be given has all that the app asks for
            each.append((SCOPE_AGREED, _("The token has one of: %(names)s"), self.agreed))
        found = [
            effective_access.decide_scope(scopes.expanded(held), *needed.scopes) for *_id, held in each
        ]
        if all(found) and not effective_access.decide_scope(self.effective.scopes, *needed.scopes):
            each.append((SCOPE_IN_ALL, _("It is the same one in each"), ()))
            found.append(effective_access.decide_scope(self.effective.scopes, *needed.scopes))
        for (id, text, _held), decision in zip(each, found, strict=True):
            yield Condition(
                id,
                text % {"names": ", ".join(needed.scopes)},
                bool(decision),
                effective_access.MISSING_SCOPE,
                missing=needed.scopes,
            )

    def _of_permissions(self) -> Iterator[Condition]:
        needed, permissions = self.needed, self.question.permissions
        if needed is not None:
            permissions = decisions.parts_of(needed, permissions)
            yield from self._of_requirement(needed)
        if not permissions or (needed is not None and self.place is None and permissions == needed.any_of):
            return
        found = decisions.part(permissions, self.effective, self.place)
        id = PERMISSION if needed is None else PART
        yield self._permission(id, permissions, found, there=self.place is not None)

    def _of_requirement(self, needed: Requirement) -> Iterator[Condition]:
        decide = self.access.decide_all if needed.every else self.access.decide
        if needed.any_of:
            held = decide(*needed.any_of)
            yield self._permission(PERMISSION, needed.any_of, held, every=needed.every)
            if held and self.place is not None and decisions.asks_there(needed):
                there = decide(*needed.any_of, division_id=self.place.id, division_name=self.place.name)
                yield self._permission(
                    PERMISSION_THERE, needed.any_of, there, every=needed.every, there=True
                )
        if self.place is not None and decisions.hides(needed):
            yield Condition(
                SHOWN,
                _("The caller sees or manages people in %(division)s") % {"division": self.place.name},
                None if self.anybody else bool(decisions.shown(needed, self.effective, self.place)),
                decisions.HIDDEN,
                missing=(Permission.DIRECTORY_USER_VIEW,),
            )

    def _permission(
        self, id: str, names: Sequence[str], found: Decision, *, every: bool = False, there: bool = False
    ) -> Condition:
        if not there:
            pattern = _("One of these permissions is held: %(names)s")
            if len(names) == 1:
                pattern = _("The permission is held: %(names)s")
            elif every:
                pattern = _("Each of these permissions is held: %(names)s")
        elif any(CATALOGUE[name].division_aware for name in names):
            pattern = _("It is held in %(division)s: %(names)s")
        else:
            pattern = _("It is held, and in which division makes no difference: %(names)s")
        where = {"names": ", ".join(names), "division": self.place.name if self.place else ""}
        return Condition(
            id,
            pattern % where,
            None if self.anybody else bool(found),
            found.code or "missing.any.permissions",
            detail=self._by_roles(names) if found and not self.anybody else "",
            missing=found.missing or tuple(names),
        )

    def _by_roles(self, names: Sequence[str]) -> str:
        by = sorted(
            {shown(role.role_name) for role in self.access.held if role.permissions.intersection(names)}
        )
        return _("By %(roles)s.") % {"roles": ", ".join(by)} if by else ""

    def _notes(self) -> Iterator[str]:
        question, needed, client = self.question, self.needed, self.question.client
        if question.token is None and client.accepts_tokens() and not client.gives_tokens():
            yield _("It gets no new tokens; those that it has work until they end.")
        if self.anybody:
            yield _("No person is named: this is for one who may do what is asked for.")
        if needed is None:
            return
        if not needed.any_of:
            yield _("The route asks for no permission.")
        if not self.for_person:
            yield _("Scopes do not apply to client credentials: their roles and divisions decide.")
        elif self.effective.scopes is None:
            yield _("The organization does not enforce scopes, so none is asked for.")
        elif needed.lenient:
            yield _("The route names a scope, and answers without it as well.")
        if needed.where is Where.ASKED and self.place is None:
            yield _("The permission counts in the division of the thing at hand. Choose one to know.")
        if needed.where is Where.LISTED:
            yield _(
                "The answer holds what sits in the divisions where the permission is held, and no more."
            )
        if needed.where is Where.HIDDEN:
            yield _("To SCIM a person does not exist where the caller may not see them.")
            if len(needed.any_of) > 1 and not question.permissions:
                yield _("Each part of the request goes on to ask for its own permission. Name it to know.")
        if question.method not in ("GET", "HEAD", "DELETE"):
            yield _("What is sent is checked as well: nobody hands on what they do not hold.")


def _new_token(question: Question, now: datetime) -> Any:
    """One that could be given now, with all that the app asks for."""
    return get_access_token_model()(
        application=question.client,
        user=question.person,
        scope=" ".join(question.client.scope) if question.for_people else "",
        expires=now + timedelta(seconds=question.client.token_seconds),
        created=now,
        updated=now,
    )


def why_off(question: Question) -> str:
    """Why a client's tokens are refused, or it gets none; empty where nothing stands in the way."""
    client = question.client
    if client.date_to_delete is not None:
        return _("It is pending deletion.")
    if client.state != ClientState.ACTIVE:
        return _("Its state: %(state)s.") % {"state": ClientState(client.state).label}
    return "" if client.organization.active else _("Its organization is not active.")


def _said(word: Word, *, void: bool) -> str:
    if void:
        return _("The token was given before the organization said no and then yes again.")
    if word.state is None and word.enforced:
        return _("It has said nothing about the app.")
    return ""


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


# --- The token endpoint --------------------------------------------------------------------------


def _of_token_request(question: Question) -> Answer:
    """Whether there is a token for whoever proves to be the client, however that is done."""
    own = grant_types.BY_CODE[question.client.authorization_grant_type]
    code = "unauthorized_client"
    active = question.client.gives_tokens()
    conditions = (
        Condition(GIVES_TOKENS, _("The client gets new tokens"), active, code, detail=why_off(question)),
        Condition(
            USES_ENDPOINT,
            _("Its grant type gets its tokens here"),
            bool(own.grant_types),
            code,
            detail=str(own.label),
        ),
    )
    refused = not all(condition.met for condition in conditions)
    return Answer(
        question,
        None,
        400 if refused else 0,
        code if refused else "",
        "" if active else _("This client is not active."),
        conditions,
        (
            _("The secret, and what is exchanged for a token, are not looked at here."),
            _("An unknown client, a wrong secret and a wrong region get the same answer: invalid_client."),
        ),
    )
