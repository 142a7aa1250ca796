"""On which role-division pairs a decision rested."""

from __future__ import annotations

import uuid

import pytest

from accounts.permissions import Permission
from accounts.rules import footing
from accounts.rules.access import Access, HeldRole
from accounts.rules.delegation import RoleDivision, not_held

HOME, EAST = uuid.UUID(int=1), uuid.UUID(int=2)
VIEWER, CLIENTS, EVERYWHERE = (uuid.UUID(int=number) for number in (11, 12, 13))
VIEW, EDIT = Permission.DIRECTORY_USER_VIEW, Permission.DIRECTORY_USER_EDIT


def held(role: uuid.UUID, division: uuid.UUID | None, *permissions: str) -> HeldRole:
    return HeldRole(role, "x", division, frozenset(permissions))


@pytest.fixture
def access() -> Access:
    return Access(
        (
            held(VIEWER, HOME, VIEW),
            held(VIEWER, EAST, VIEW),
            held(CLIENTS, HOME, Permission.OAUTH_CLIENT_VIEW),
        )
    )


def rested(access: Access, decide) -> set:
    footing.begin()
    decide()
    return footing.pairs(footing.end(), access)


def test_a_division_that_was_asked_about_is_the_one_that_counts(access):
    assert rested(access, lambda: access.decide(VIEW, division_id=EAST)) == {(VIEWER, EAST)}
    assert rested(access, lambda: access.covers(VIEW, HOME)) == {(VIEWER, HOME)}


def test_the_first_question_of_a_route_counts_for_nothing_where_a_division_is_asked_about_next(access):
    def as_a_route_does():
        access.decide(VIEW)
        access.decide(VIEW, division_id=HOME)

    assert rested(access, as_a_route_does) == {(VIEWER, HOME)}
    assert rested(access, lambda: access.decide(VIEW)) == {(VIEWER, HOME), (VIEWER, EAST)}


def test_a_list_uses_every_division_that_it_can_show(access):
    assert rested(access, lambda: access.divisions_for(VIEW)) == {(VIEWER, HOME), (VIEWER, EAST)}


def test_what_sits_in_no_division_uses_the_role_wherever_it_is_held(access):
    assert rested(access, lambda: access.decide(Permission.OAUTH_CLIENT_VIEW)) == {(CLIENTS, HOME)}


def test_a_pair_for_all_divisions_counts_for_each(access):
    wide = Access((*access.held, held(EVERYWHERE, None, VIEW)))

    assert rested(wide, lambda: wide.decide(VIEW, division_id=EAST)) == {(VIEWER, EAST), (EVERYWHERE, None)}


def test_whoever_hands_a_role_on_uses_it(access):
    pairs = [RoleDivision(CLIENTS, HOME), RoleDivision(CLIENTS, EAST)]

    assert rested(access, lambda: not_held(access, pairs)) == {(CLIENTS, HOME)}


def test_a_refusal_rests_on_nothing(access):
    def refused():
        assert not access.decide(EDIT)
        assert not access.decide(VIEW, division_id=uuid.UUID(int=9))
        assert not access.decide_all(VIEW, EDIT)
        assert not access.divisions_for(EDIT)
        assert not access.covers(VIEW, None)
        assert not access.holds(VIEWER, None)

    assert rested(access, refused) == set()


def test_what_others_hold_does_not_count_and_rights_read_again_do(access):
    other = Access((held(VIEWER, HOME, VIEW),))
    again = Access(tuple(reversed(access.held)))

    assert rested(access, lambda: other.decide(VIEW, division_id=HOME)) == set()
    assert rested(access, lambda: again.decide(VIEW, division_id=HOME)) == {(VIEWER, HOME)}


def test_nothing_is_kept_unless_somebody_has_begun(access):
    access.decide(VIEW)

    assert footing.end() == []
