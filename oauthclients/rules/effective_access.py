"""What a token may do: the one place where that is decided, at each call, from what is stored then.

Grants are *united* (a role in East and one in West allow both), restrictions are *intersected*:

- A client-credentials token has the client's role-division pairs and nothing else; scopes do not apply
  to it (wire contract B3).
- A token of a person has what *all three* allow: the person's own permissions in their divisions, the
  scopes that the person's organization authorized for the app, and the scopes of the token (seed 003).
  An app that has stopped asking for a scope has it no more either.
- Where an organization does not enforce scopes, its apps have all the power of their person; its no to
  an app, and a limit to some roles, count all the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.errors import InsufficientScope
from accounts.rules.access import ALLOWED, Access, Decision
from accounts.rules.footing import Kind, rested_on
from oauthclients import scopes
from oauthclients.models import AuthorizationState

# Codes of wire contract G2.
NOT_AUTHORIZED = "not.authorized"
ROLE_LIMIT = "authz.policy.denied"
MISSING_SCOPE = InsufficientScope.code


@dataclass(frozen=True)
class Word:
    """What an organization says about an app: whether it enforces scopes at all, and what it has
    authorized. `state` is None where it has said nothing. `roles` are those of which a person must hold
    one; none: everybody."""

    enforced: bool
    state: str | None = None
    scope: frozenset[str] = frozenset()
    roles: frozenset[uuid.UUID] = frozenset()
    # What was given before a yes that followed a no is void.
    not_before: datetime | None = None

    @property
    def authorized(self) -> bool:
        return self.state == AuthorizationState.AUTHORIZED

    @property
    def barred(self) -> bool:
        """Whether nobody here may use the app."""
        if self.enforced:
            return not self.authorized
        return self.state in (AuthorizationState.REVOKED, AuthorizationState.UNAUTHORIZED)


@dataclass(frozen=True)
class EffectiveAccess:
    """`scopes` is None where scopes do not apply. `barrier` says why nothing is allowed at all."""

    access: Access
    scopes: frozenset[str] | None = None
    barrier: Decision = ALLOWED

    def decide(
        self,
        *any_of: str,
        scopes: Iterable[str] = (),
        division_id: uuid.UUID | None = None,
        division_name: str = "",
        every: bool = False,
    ) -> Decision:
        """At least one of these scopes *and* at least one of these permissions, held in that division;
        `every` asks for each of them. Without permissions, the scope is enough: such a route
        answers every person."""
        if not self.barrier:
            return self.barrier
        in_scope = decide_scope(self.scopes, *scopes)
        if not in_scope:
            return in_scope
        if not any_of:
            return ALLOWED
        if every:
            return self.access.decide_all(*any_of, division_id=division_id, division_name=division_name)
        return self.access.decide(*any_of, division_id=division_id, division_name=division_name)


def decide_scope(held: frozenset[str] | None, *any_of: str) -> Decision:
    """At least one of these scopes; `held` is None where scopes do not apply."""
    if held is None or held.intersection(any_of):
        rested_on(None, Kind.SCOPE, any_of)
        return ALLOWED
    return Decision(False, MISSING_SCOPE, any_of, message=InsufficientScope(any_of).message)


def require(decision: Decision) -> None:
    """Raises `InsufficientScope` or another `NotAllowed`, unless it is allowed."""
    if decision.code == MISSING_SCOPE:
        raise InsufficientScope(decision.missing)
    decision.require()


def of_person(
    access: Access,
    *,
    word: Word,
    asked: Iterable[str],
    agreed: Iterable[str],
    given_at: datetime | None = None,
) -> EffectiveAccess:
    """The access of an app that acts for a person. `asked` is what the app asks for these days, `agreed`
    the scopes of the token, which was given at `given_at`; None for one that would be given now."""
    return EffectiveAccess(
        access,
        scopes=scopes.expanded(common_scopes(word, asked, agreed)) if word.enforced else None,
        barrier=barrier(access, word, given_at),
    )


def common_scopes(word: Word, asked: Iterable[str], agreed: Iterable[str]) -> list[str]:
    """Those that the app asks for and the person agreed to, and, where the organization enforces scopes,
    that it has authorized."""
    return scopes.meet(asked, agreed, *([word.scope] if word.enforced else []))


def grantable(
    access: Access, *, word: Word, asked: Iterable[str], wanted: Iterable[str]
) -> tuple[list[str], Decision]:
    """The scopes that a token of this person could have, given now to an app that asks for `asked` in
    general and for `wanted` this time; and whether one may be given."""
    permitted = common_scopes(word, asked, wanted)
    found = barrier(access, word)
    return permitted, unauthorized() if found and not permitted else found


def unauthorized() -> Decision:
    """The organization has not authorized the app, or not for any of what it asks for."""
    return Decision(False, NOT_AUTHORIZED, message=_("The app is not authorized in this organization."))


def barrier(access: Access, word: Word, given_at: datetime | None = None) -> Decision:
    """Whether this person may use the app at all, with what was given to it then."""
    void = given_at is not None and word.not_before is not None and given_at <= word.not_before
    if word.barred or void:
        return unauthorized()
    if word.roles and word.roles.isdisjoint(held.role_id for held in access.held):
        return Decision(False, ROLE_LIMIT, message=_("Your role does not allow this application."))
    return ALLOWED
