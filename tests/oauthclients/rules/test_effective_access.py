"""What an app may do for a person is never more than any of the three allow: the person, the organization's
word on the app, the scopes of the token. In whatever order they change, because nothing is remembered."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.access import Access, HeldRole
from oauthclients import scopes
from oauthclients.models import AuthorizationState
from oauthclients.rules.effective_access import (
    MISSING_SCOPE,
    NOT_AUTHORIZED,
    ROLE_LIMIT,
    EffectiveAccess,
    InsufficientScope,
    Word,
    of_person,
    require,
)

PERMISSIONS = ("directory:user:view", "directory:user:add", "oauth:client:view")
SCOPES = ("users", "users:readonly", "oauth", "oauth:readonly", "user-basic-info", "audits:readonly")
DIVISIONS = [uuid.UUID(int=number) for number in range(3)]
ROLES = [uuid.UUID(int=number) for number in range(10, 13)]

some_scopes = st.frozensets(st.sampled_from(SCOPES))
accesses = st.builds(
    lambda held: Access(tuple(held)),
    st.lists(
        st.builds(
            HeldRole,
            role_id=st.sampled_from(ROLES),
            role_name=st.just("role"),
            division_id=st.sampled_from([None, *DIVISIONS]),
            permissions=st.frozensets(st.sampled_from(PERMISSIONS)),
        ),
        max_size=4,
    ),
)
words = st.builds(
    Word,
    enforced=st.booleans(),
    state=st.sampled_from([None, *AuthorizationState.values]),
    scope=some_scopes,
    roles=st.frozensets(st.sampled_from(ROLES), max_size=2),
)
questions = st.fixed_dictionaries(
    {
        "permission": st.sampled_from([*PERMISSIONS, None]),
        "scopes": st.lists(st.sampled_from(SCOPES), min_size=1, max_size=2).map(tuple),
        "division": st.sampled_from([None, *DIVISIONS]),
    }
)


def ask(effective: EffectiveAccess, question) -> bool:
    any_of = [question["permission"]] if question["permission"] else []
    return bool(effective.decide(*any_of, scopes=question["scopes"], division_id=question["division"]))


def person_may(access: Access, question) -> bool:
    if question["permission"] is None:
        return True
    return bool(access.decide(question["permission"], division_id=question["division"]))


@given(accesses, words, some_scopes, some_scopes, questions)
def test_never_more_than_any_of_the_three(access, word, asked, agreed, question):
    if not ask(of_person(access, word=word, asked=asked, agreed=agreed), question):
        return
    assert person_may(access, question)
    assert word.state not in (AuthorizationState.REVOKED, AuthorizationState.UNAUTHORIZED)
    assert not word.roles or {held.role_id for held in access.held} & word.roles
    if word.enforced:
        assert word.state == AuthorizationState.AUTHORIZED
        for granted in (word.scope, asked, agreed):
            assert scopes.expanded(granted) & set(question["scopes"])


@given(accesses, words, some_scopes, some_scopes, questions)
def test_and_all_that_the_three_allow(access, word, asked, agreed, question):
    """Nothing is lost either: what each of them allows by itself, the app may."""
    everything_allows = (
        person_may(access, question)
        and not word.barred
        and (not word.roles or bool({held.role_id for held in access.held} & word.roles))
        and (
            not word.enforced
            or bool(
                scopes.expanded(word.scope)
                & scopes.expanded(asked)
                & scopes.expanded(agreed)
                & set(question["scopes"])
            )
        )
    )
    assert ask(of_person(access, word=word, asked=asked, agreed=agreed), question) is everything_allows


@given(accesses, words, some_scopes, some_scopes, questions, some_scopes)
def test_narrowing_any_of_them_never_widens_the_result(access, word, asked, agreed, question, kept):
    before = ask(of_person(access, word=word, asked=asked, agreed=agreed), question)
    fewer = Access(access.held[1:])
    narrower = Word(word.enforced, word.state, word.scope & kept, word.roles)
    for after in (
        of_person(fewer, word=word, asked=asked, agreed=agreed),
        of_person(access, word=narrower, asked=asked, agreed=agreed),
        of_person(access, word=word, asked=asked & kept, agreed=agreed),
        of_person(access, word=word, asked=asked, agreed=agreed & kept),
    ):
        assert before or not ask(after, question)


@given(st.lists(some_scopes, min_size=1, max_size=4))
def test_scopes_meet_in_any_order(sets):
    assert scopes.meet(*sets) == scopes.meet(*reversed(sets))
    assert scopes.meet(*sets, sets[0]) == scopes.meet(*sets)
    assert scopes.expanded(scopes.meet(*sets)) == frozenset.intersection(*map(scopes.expanded, sets))


def test_reading_and_changing_covers_reading():
    assert scopes.meet(["users"], ["users:readonly"]) == ["users:readonly"]
    assert scopes.meet(["users"], ["oauth"]) == []
    assert scopes.expanded(["user-basic-info"]) == {"user-basic-info"}  # has no read-only form


ACCESS = Access((HeldRole(ROLES[0], "Viewer", DIVISIONS[0], frozenset(PERMISSIONS[:1])),))
AUTHORIZED = Word(True, AuthorizationState.AUTHORIZED, frozenset({"users"}))


@pytest.mark.parametrize(
    ("word", "question", "code"),
    [
        (Word(True), {}, NOT_AUTHORIZED),
        (Word(True, AuthorizationState.REQUESTED), {}, NOT_AUTHORIZED),
        (Word(False, AuthorizationState.REVOKED), {}, NOT_AUTHORIZED),
        (Word(False, AuthorizationState.UNAUTHORIZED), {}, NOT_AUTHORIZED),
        (Word(False, None, roles=frozenset({ROLES[1]})), {}, ROLE_LIMIT),
        (AUTHORIZED, {"scopes": ("oauth",)}, MISSING_SCOPE),
        (AUTHORIZED, {"any_of": PERMISSIONS[1:2]}, "missing.any.permissions"),
        (AUTHORIZED, {"division_id": DIVISIONS[1]}, "missing.division.permission"),
        (AUTHORIZED, {}, ""),
        (Word(False), {"scopes": ("oauth",)}, ""),
        (Word(False, AuthorizationState.REQUESTED), {}, ""),
    ],
)
def test_each_refusal_says_which_it_was(word, question, code):
    effective = of_person(ACCESS, word=word, asked={"users"}, agreed={"users"})
    any_of = question.pop("any_of", PERMISSIONS[:1])
    decision = effective.decide(*any_of, **{"scopes": ("users",), **question})
    assert (decision.code, bool(decision)) == (code, not code)
    assert code == "" or decision.sentence


def test_a_missing_scope_is_an_error_of_its_own():
    effective = of_person(ACCESS, word=AUTHORIZED, asked={"users"}, agreed={"users:readonly"})
    require(effective.decide(scopes=("users", "users:readonly")))
    with pytest.raises(InsufficientScope) as refused:
        require(effective.decide(scopes=("users",)))
    assert (refused.value.scopes, refused.value.parameters) == (("users",), {"scopes": "users"})
