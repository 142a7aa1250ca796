"""Giving people roles and taking them away: by what the giver may do themselves, there."""

from __future__ import annotations

import pytest

from accounts import drift, queries
from accounts.actor import Actor, ActorType, system
from accounts.errors import Conflict, InsufficientScope, Invalid, NotAllowed, NotFound
from accounts.models import AuditEvent, RoleGrant, User
from accounts.rules.access import Access, HeldRole
from accounts.rules.delegation import RoleDivision
from accounts.services import grants, people


def held_by(cast, user):
    return {(one.role_name, one.division_id) for one in queries.access_of(cast.acme.id, user.id).held}


def add(cast, actor, user, *pairs):
    wanted = {cast.pair(role, where) for role, where in pairs}
    return grants.change_person(actor=actor, user_id=user.id, spec=lambda present: present | wanted)


def remove(cast, actor, user, *pairs):
    unwanted = {cast.pair(role, where) for role, where in pairs}
    return grants.change_person(actor=actor, user_id=user.id, spec=lambda present: present - unwanted)


@pytest.fixture
def giver(cast):
    """Dora gives and takes in East, where she may do what a Greeter may, and supervises Home."""
    cast.custom_role("Greeter", "directory:user:view")
    cast.custom_role(
        "Greeters' Manager", "authorization:grant:add", "authorization:grant:delete", "directory:user:view"
    )
    dora = cast.person("Dora", cast.home)
    cast.give(dora, ("Greeters' Manager", cast.east), ("Supervisor", cast.home))
    return dora


def test_a_role_is_given_by_who_may_do_all_that_it_allows_there(giver, cast):
    """Dora does not hold Greeter; she may do all of it in East."""
    add(cast, cast.actor(giver), cast.ben, ("Greeter", cast.east))

    assert ("Greeter", cast.east.id) in held_by(cast, cast.ben)
    row = RoleGrant.objects.get(subject_id=cast.ben.id, role__name="Greeter")
    assert (row.granted_by_type, row.granted_by_id) == ("PC_USER", giver.id)
    line = AuditEvent.objects.filter(action="grants.changed", entity_id=cast.ben.id).latest("at")
    assert "Greeter: East" in line.after["roleDivisions"]
    assert line.entity_name == "Ben"


@pytest.mark.parametrize(
    ("role", "where", "code"),
    [
        ("Greeter", "west", "missing.division.permission"),  # may give nothing there
        ("Greeter", None, "missing.division.permission"),
        ("Greeter", "home", "missing.division.permission"),  # holds all of it there, and may not give
        ("Supervisor", "east", "missing.division.permissions"),  # may give there, and does not hold it
        ("Admin", "east", "missing.division.permissions"),
        ("Developer", "east", "missing.division.permissions"),
    ],
)
def test_and_by_nobody_else(giver, cast, role, where, code):
    division = getattr(cast, where) if where else None
    with pytest.raises(NotAllowed) as refused:
        add(cast, cast.actor(giver), cast.eve, (role, division))
    assert refused.value.code == code
    assert held_by(cast, cast.eve) == {("Employee", cast.home.id)}


def test_nobody_gives_themselves_more(giver, cast):
    with pytest.raises(NotAllowed):
        add(cast, cast.actor(giver), giver, ("Supervisor", cast.east))


def test_every_single_division_is_not_all_of_them(cast):
    cast.custom_role("Giver", "authorization:grant:add", "directory:user:view")
    cast.custom_role("Greeter", "directory:user:view")
    dora = cast.person("Dora", cast.home)
    cast.give(dora, *[("Giver", where) for where in (cast.home, cast.east, cast.west)])
    add(cast, cast.actor(dora), cast.eve, ("Greeter", cast.east))
    with pytest.raises(NotAllowed):
        add(cast, cast.actor(dora), cast.eve, ("Greeter", None))


def test_the_rest_stays_even_what_the_giver_could_not_give(giver, cast):
    cast.give(cast.ben, ("Supervisor", cast.home), ("Admin", cast.west))
    add(cast, cast.actor(giver), cast.ben, ("Greeter", cast.east))
    assert held_by(cast, cast.ben) == {
        ("Supervisor", cast.home.id),
        ("Admin", cast.west.id),
        ("Greeter", cast.east.id),
    }


def test_a_role_is_taken_by_who_may_take_there(giver, cast):
    cast.give(cast.ben, ("Supervisor", cast.east), ("Supervisor", cast.west))
    with pytest.raises(NotAllowed):
        remove(cast, cast.actor(giver), cast.ben, ("Supervisor", cast.west))
    remove(cast, cast.actor(giver), cast.ben, ("Supervisor", cast.east))
    assert held_by(cast, cast.ben) == {("Supervisor", cast.west.id)}


def test_a_change_that_is_refused_changes_nothing_of_it(giver, cast):
    cast.give(cast.ben, ("Supervisor", cast.east))
    wanted = [cast.pair("Greeter", cast.east), cast.pair("Admin", cast.east)]
    with pytest.raises(NotAllowed):
        grants.change_person(actor=cast.actor(giver), user_id=cast.ben.id, spec=lambda _present: wanted)
    assert held_by(cast, cast.ben) == {("Supervisor", cast.east.id)}


def test_another_organizations_role_division_or_person_does_not_exist(cast):
    ada = cast.actor(cast.ada)
    theirs = RoleDivision(cast.role("User", cast.globex).id, cast.home.id)
    there = RoleDivision(cast.role("User").id, queries.home_division(cast.globex).id)
    for pair in (theirs, there):
        with pytest.raises(Invalid):
            grants.change_person(actor=ada, user_id=cast.eve.id, spec=lambda present, one=pair: [one])
    with pytest.raises(NotFound):
        add(cast, ada, cast.cleo, ("User", cast.home))


@pytest.mark.parametrize("scopes", [frozenset(), frozenset({"users", "scim"})])
def test_an_app_gives_and_takes_roles_only_with_the_scope_for_it(cast, scopes):
    ada = cast.actor(cast.ada)
    app = Actor(ada.type, ada.id, ada.name, ada.organization, ada.access, scopes=scopes)
    with pytest.raises(InsufficientScope):
        add(cast, app, cast.eve, ("User", cast.east))
    with pytest.raises(InsufficientScope):
        remove(cast, app, cast.ben, ("Supervisor", cast.home))
    allowed = Actor(
        ada.type, ada.id, ada.name, ada.organization, ada.access, scopes=frozenset({"authorization"})
    )
    add(cast, allowed, cast.eve, ("User", cast.east))


# --- The last Admin ------------------------------------------------------------------------------


def test_nobody_removes_their_own_last_admin_role(cast):
    with pytest.raises(Conflict, match="your own last Admin role"):
        remove(cast, cast.actor(cast.ada), cast.ada, ("Admin", None))
    with pytest.raises(Conflict):
        grants.change_person(
            actor=cast.actor(cast.ada),
            user_id=cast.ada.id,
            spec=lambda _present: [cast.pair("Admin", cast.home), cast.pair("Admin", cast.east)],
        )


def another_admin(cast):
    cast.custom_role("Keeper", "authorization:grant:delete", "directory:user:edit", "directory:user:delete")
    cast.give(cast.ben, ("Keeper", None))
    return cast.actor(cast.ben)


@pytest.mark.parametrize(
    "take",
    [
        lambda cast, actor: remove(cast, actor, cast.ada, ("Admin", None)),
        lambda cast, actor: people.change(
            actor=actor, user_id=cast.ada.id, version=1, values={"state": "inactive"}
        ),
        lambda cast, actor: people.delete(actor=actor, user_id=cast.ada.id),
    ],
    ids=["role taken", "deactivated", "deleted"],
)
def test_nobody_takes_the_last_admin_away_by_any_way(cast, take):
    keeper = another_admin(cast)
    with pytest.raises(Conflict, match="last Admin"):
        take(cast, keeper)
    assert ("Admin", None) in held_by(cast, cast.ada)
    assert User.objects.get(id=cast.ada.id).is_active

    # An Admin in one division, or one who is not active, is not enough.
    cast.give(cast.eve, ("Admin", cast.east))
    spare = cast.person("Nils", cast.home, state="inactive")
    cast.give(spare, ("Admin", None))
    with pytest.raises(Conflict, match="last Admin"):
        take(cast, keeper)

    people.change(actor=system(cast.acme), user_id=spare.id, version=1, values={"state": "active"})
    take(cast, keeper)


def test_an_admin_of_one_division_goes_without_further_ado(cast):
    keeper = another_admin(cast)
    cast.give(cast.eve, ("Admin", cast.east))
    remove(cast, keeper, cast.eve, ("Admin", cast.east))


# --- Drift ---------------------------------------------------------------------------------------


def drifted(cast, *subjects):
    ids = [one.id for one in subjects] or None
    rows = drift.grants(cast.acme, subject_ids=ids)
    return [(row.subject_id, row.role.name, row.division and row.division.name) for row in rows]


def test_what_a_giver_no_longer_holds_is_flagged_and_stays(giver, cast):
    add(cast, cast.actor(giver), cast.ben, ("Greeter", cast.east))
    assert drifted(cast) == []

    cast.give(giver, ("Greeters' Manager", cast.west))

    assert drifted(cast) == [(cast.ben.id, "Greeter", "East")]
    assert drifted(cast, cast.ben) == [(cast.ben.id, "Greeter", "East")]
    assert drifted(cast, cast.eve) == []
    assert ("Greeter", cast.east.id) in held_by(cast, cast.ben)


@pytest.mark.parametrize(
    "lose",
    [
        lambda cast, giver: people.delete(actor=system(cast.acme), user_id=giver.id),
        lambda cast, giver: people.change(
            actor=system(cast.acme), user_id=giver.id, version=1, values={"state": "inactive"}
        ),
        lambda cast, giver: (
            type(cast.role("Greeter")).objects.filter(name="Greeters' Manager").update(policies=[])
        ),
    ],
    ids=["deleted", "deactivated", "role narrowed"],
)
def test_however_they_lost_it(giver, cast, lose):
    add(cast, cast.actor(giver), cast.ben, ("Greeter", cast.east))
    lose(cast, giver)
    assert drifted(cast) == [(cast.ben.id, "Greeter", "East")]


def test_what_the_installation_gave_never_drifts(cast):
    RoleGrant.objects.all().delete()
    cast.give(cast.ben, ("Supervisor", cast.home))
    assert drifted(cast) == []


def test_a_client_drifts_when_its_giver_loses_the_very_role(cast):
    """Ada may still do all that Supervisor may: to a client nobody could give it that way."""
    client, _secret = cast.client(("Supervisor", cast.east), by=cast.ada)
    cast.give(cast.ada, ("Admin", None))
    assert drifted(cast) == [(client.id, "Supervisor", "East")]


def test_the_next_edit_settles_it(giver, cast):
    add(cast, cast.actor(giver), cast.ben, ("Greeter", cast.east))
    cast.give(giver, ("Greeters' Manager", cast.west))

    add(cast, cast.actor(cast.ada), cast.ben, ("User", cast.west))

    assert drifted(cast) == []
    assert RoleGrant.objects.get(subject_id=cast.ben.id, role__name="Greeter").granted_by_id == cast.ada.id
    line = AuditEvent.objects.filter(action="grants.changed", entity_id=cast.ben.id).latest("at")
    assert line.after["settled"] == ["Greeter: East"]


def test_an_edit_that_changes_nothing_settles_too(giver, cast):
    add(cast, cast.actor(giver), cast.ben, ("Greeter", cast.east))
    cast.give(giver)
    ada = cast.actor(cast.ada)
    grants.change_person(actor=ada, user_id=cast.ben.id, spec=lambda present: present)
    assert drifted(cast) != []  # a call that changes nothing is no edit, unless it says so
    grants.change_person(actor=ada, user_id=cast.ben.id, spec=lambda present: present, settle=True)
    assert drifted(cast) == []


def test_taking_over_is_giving(giver, cast):
    """Somebody who may do all that Greeter may in East, and may not give there."""
    add(cast, cast.actor(giver), cast.ben, ("Greeter", cast.east))
    cast.give(giver)
    cast.give(cast.eve, ("Supervisor", cast.east))
    with pytest.raises(Conflict, match="Greeter: East"):
        grants.change_person(
            actor=cast.actor(cast.eve), user_id=cast.ben.id, spec=lambda present: present, settle=True
        )
    assert drifted(cast, cast.ben) == [(cast.ben.id, "Greeter", "East")]


def test_who_could_not_give_it_either_may_not_add_but_may_take_away(giver, cast):
    cast.custom_role(
        "West Manager", "authorization:grant:add", "authorization:grant:delete", "directory:user:view"
    )
    add(cast, cast.actor(giver), cast.ben, ("Greeter", cast.east))
    cast.give(giver, ("West Manager", cast.west))
    dora = cast.actor(giver)

    with pytest.raises(Conflict, match="that you do not see"):
        add(cast, dora, cast.ben, ("Greeter", cast.west))
    cast.give(cast.ben, ("Supervisor", cast.west), ("Greeter", cast.east))
    remove(cast, dora, cast.ben, ("Supervisor", cast.west))


def test_drift_takes_the_same_number_of_statements_however_many_hold_what(
    cast, django_assert_max_num_queries
):
    for number in range(8):
        cast.client(("Supervisor", cast.east), by=cast.ada, name=f"Client {number}")
    cast.give(cast.ada, ("Admin", None))
    with django_assert_max_num_queries(6):
        assert len(drift.grants(cast.acme)) == 8


def test_a_person_holding_a_role_by_a_client_that_is_gone_has_drifted(cast):
    client, _secret = cast.client(("SCIM Integration", None), by=cast.ada)
    access = queries.access_of(cast.acme.id, client.id)
    actor = Actor(ActorType.CLIENT, client.id, client.name, cast.acme, access)
    add(cast, actor, cast.eve, ("SCIM Integration", cast.east))
    assert drifted(cast) == []
    grants.forget(client.id)
    assert drifted(cast) == [(cast.eve.id, "SCIM Integration", "East")]


def test_may_give_needs_every_permission_there(cast):
    held = HeldRole(cast.role("User").id, "User", cast.east.id, frozenset({"directory:user:view"}))
    access = Access((held,))
    assert access.covers("directory:user:view", cast.east.id)
    assert not access.covers("directory:user:view", cast.west.id)
    assert not access.covers("directory:user:view", None)
    assert not access.covers("oauth:client:view", cast.east.id)


def test_a_client_that_is_switched_off_gives_no_more(cast):
    client, _secret = cast.client(("SCIM Integration", None), by=cast.ada)
    access = queries.access_of(cast.acme.id, client.id)
    add(
        cast,
        Actor(ActorType.CLIENT, client.id, client.name, cast.acme, access),
        cast.eve,
        ("SCIM Integration", cast.east),
    )
    assert drifted(cast) == []
    type(client).objects.filter(id=client.id).update(state="disabled")
    assert drifted(cast) == [(cast.eve.id, "SCIM Integration", "East")]


def test_who_was_stripped_meanwhile_decides_by_what_is_left(cast):
    """Ben waited for the lock; what he could do when he asked is of no account."""
    cast.give(cast.ben, ("Admin", None))
    ben = cast.actor(cast.ben)
    cast.give(cast.ben, ("Employee", cast.home))
    with pytest.raises(NotAllowed):
        add(cast, ben, cast.eve, ("Admin", None))
    cast.give(cast.ben, ("Admin", None))
    ben = cast.actor(cast.ben)
    people.change(actor=system(cast.acme), user_id=cast.ben.id, version=1, values={"state": "inactive"})
    with pytest.raises(NotAllowed):
        add(cast, ben, cast.eve, ("Admin", None))
