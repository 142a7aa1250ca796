from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from accounts.permissions import CATALOGUE
from accounts.rules.access import EVERYWHERE, NOWHERE, Access, Divisions, HeldRole, everything
from accounts.rules.delegation import RoleDivision, not_held

HOME, EAST, WEST = (uuid.UUID(int=n) for n in (1, 2, 3))
ROLE, OTHER = uuid.UUID(int=10), uuid.UUID(int=11)
VIEW, EDIT, CLIENT = "directory:user:view", "directory:user:edit", "oauth:client:view"


def held(*permissions: str, division: uuid.UUID | None = HOME, role: uuid.UUID = ROLE) -> HeldRole:
    return HeldRole(role, "Some role", division, frozenset(permissions))


def test_nothing_held_allows_nothing_and_says_which_permission_was_missing():
    decision = Access().decide(VIEW)

    assert not decision
    assert (decision.code, decision.missing) == ("missing.any.permissions", (VIEW,))
    assert VIEW in decision.sentence


def test_a_permission_held_in_one_division_is_refused_in_another_with_its_name():
    access = Access((held(VIEW, division=HOME),))

    assert access.decide(VIEW, division_id=HOME)
    refused = access.decide(VIEW, division_id=EAST, division_name="East")
    assert refused.code == "missing.division.permission"
    assert "East" in refused.sentence


def test_of_several_permissions_one_held_there_is_enough():
    access = Access((held(VIEW, division=HOME), held(EDIT, division=EAST)))

    assert access.decide(VIEW, EDIT, division_id=EAST)
    assert access.decide(VIEW, EDIT, division_id=WEST).code == "missing.any.division.permissions"


def test_all_divisions_include_one_that_is_made_tomorrow():
    access = Access((held(VIEW, division=None),))

    assert access.decide(VIEW, division_id=uuid.uuid4())
    assert access.divisions_for(VIEW) == EVERYWHERE


def test_a_permission_that_knows_no_divisions_is_held_wherever_its_role_is():
    assert Access((held(CLIENT, division=EAST),)).decide(CLIENT, division_id=WEST)


def test_all_of_several_permissions_names_exactly_those_that_are_missing():
    decision = Access((held(VIEW),)).decide_all(VIEW, EDIT, CLIENT)

    assert (decision.code, decision.missing) == ("missing.permissions", (EDIT, CLIENT))


def test_holding_a_role_in_every_division_is_not_holding_it_in_all():
    access = Access(tuple(held(VIEW, division=where) for where in (HOME, EAST, WEST)))

    assert access.holds(ROLE, EAST)
    assert not access.holds(ROLE, None)


def test_another_role_with_the_same_permissions_is_not_that_very_role():
    access = Access((held(VIEW, role=OTHER, division=None),))

    assert not access.holds(ROLE, HOME)
    assert not_held(access, [RoleDivision(ROLE, HOME), RoleDivision(OTHER, EAST)]) == (
        RoleDivision(ROLE, HOME),
    )


divisions = st.sampled_from([HOME, EAST, WEST])
some_divisions = st.builds(Divisions, st.booleans(), st.frozensets(divisions))
grants = st.lists(
    st.builds(
        HeldRole,
        st.sampled_from([ROLE, OTHER]),
        st.just("r"),
        st.one_of(st.none(), divisions),
        st.frozensets(st.sampled_from([VIEW, EDIT, CLIENT])),
    ),
    max_size=6,
)


@given(grants, st.sampled_from([VIEW, EDIT, CLIENT]), divisions)
def test_a_permission_is_held_in_a_division_exactly_if_some_grant_says_so(held_roles, permission, where):
    aware = CATALOGUE[permission].division_aware
    expected = any(
        permission in role.permissions and (not aware or role.division_id in (None, where))
        for role in held_roles
    )

    assert bool(Access(tuple(held_roles)).decide(permission, division_id=where)) == expected


@given(grants, grants, st.sampled_from([VIEW, EDIT, CLIENT]), divisions)
def test_more_grants_never_take_anything_away(some, more, permission, where):
    if Access(tuple(some)).decide(permission, division_id=where):
        assert Access(tuple(some + more)).decide(permission, division_id=where)


@given(some_divisions, some_divisions, divisions)
def test_intersecting_divisions_never_gives_more_than_either(one, other, where):
    assert (where in (one & other)) == (where in one and where in other)
    assert (where in (one | other)) == (where in one or where in other)


def test_only_the_command_line_has_everything():
    assert everything().decide(VIEW, division_id=uuid.uuid4())
    assert everything().holds(ROLE, None)
    assert not Access().divisions_for(VIEW)
    assert not NOWHERE
