"""Two who change rights at once, on a database that lets two write at once: no rule is lost between them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection

from accounts import drift, queries
from accounts.errors import DomainError
from accounts.models import Division, User
from accounts.permissions import policies_for
from accounts.services import divisions, grants, invitations, people, roles
from oauthclients.models import Client
from oauthclients.rules import token_life
from oauthclients.services import clients
from tests import cast as standing_cast
from tests.oauthclients.services.test_races import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
]
ROUNDS = range(4)


@pytest.fixture
def cast(db):
    return standing_cast.make()


def unexpected(results):
    return [
        result
        for result in results
        if isinstance(result, Exception) and not isinstance(result, DomainError)
    ]


@pytest.mark.parametrize("round", ROUNDS)
def test_two_admins_who_take_each_others_role_leave_one(cast, round):
    cast.give(cast.ben, ("Admin", None))
    ada, ben = cast.actor(cast.ada), cast.actor(cast.ben)

    def take(actor, user):
        return lambda: grants.change_person(actor=actor, user_id=user.id, spec=lambda _present: [])

    def switch_off(actor, user):
        return lambda: people.change(
            actor=actor, user_id=user.id, version=None, values={"state": "inactive"}
        )

    results = at_once(take(ada, cast.ben), (take if round % 2 else switch_off)(ben, cast.ada))

    assert not unexpected(results)
    admins = [
        user
        for user in (cast.ada, cast.ben)
        if User.objects.get(id=user.id).is_active
        and queries.access_of(cast.acme.id, user.id).holds(cast.role("Admin").id, None)
    ]
    assert len(admins) == 1


@pytest.mark.parametrize("round", ROUNDS)
def test_a_role_is_not_widened_while_it_is_given_where_its_editor_could_not(cast, round):
    """Dora may see people in East, where the role is held; Ada gives it in West meanwhile."""
    role = cast.custom_role("Greeter", "directory:userProfile:view")
    cast.custom_role("Role Editor", "authorization:role:edit")
    dora = cast.person("Dora", cast.home)
    cast.give(dora, ("Role Editor", cast.home), ("Supervisor", cast.east))
    cast.give(cast.eve, ("Greeter", cast.east))
    cast.custom_role("Giver", "authorization:grant:add", "directory:userProfile:view")
    cast.give(cast.ben, ("Giver", cast.west))
    wider = policies_for(["directory:userProfile:view", "directory:user:view"])
    editor, giver = cast.actor(dora), cast.actor(cast.ben)

    results = at_once(
        lambda: roles.change(actor=editor, role_id=role.id, policies=wider),
        lambda: grants.change_person(
            actor=giver,
            user_id=cast.eve.id,
            spec=lambda present: {*present, cast.pair("Greeter", cast.west)},
        ),
    )

    assert not unexpected(results)
    access = queries.access_of(cast.acme.id, cast.eve.id)
    assert not access.covers("directory:user:view", cast.west.id)
    assert sum(isinstance(result, DomainError) for result in results) == 1


@pytest.mark.parametrize("round", ROUNDS)
def test_nobody_is_left_in_a_division_that_is_deleted_meanwhile(cast, round):
    ada = cast.actor(cast.ada)

    def add(number):
        return lambda: people.create(
            actor=ada,
            spec=people.PersonSpec(
                name=f"N{number}", email=f"n{number}@acme.example", division_id=cast.west.id
            ),
        )

    results = at_once(
        add(1),
        lambda: divisions.delete(actor=ada, division_id=cast.west.id, with_grants=True),
        add(2),
        lambda: divisions.move_people(actor=ada, division_id=cast.west.id, user_ids=[cast.eve.id]),
        lambda: grants.change_person(
            actor=ada, user_id=cast.eve.id, spec=lambda _present: [cast.pair("User", cast.west)]
        ),
    )

    assert not unexpected(results)
    west = Division.objects.get(id=cast.west.id)
    assert west.deleted_at is None or not (west.people.exists() or west.grants.exists())


@pytest.mark.parametrize("round", ROUNDS)
def test_a_role_and_its_client_are_changed_at_once_without_a_long_token_left(cast, round):
    ada = cast.actor(cast.ada)
    client, _secret = cast.client(("SCIM Integration", None), by=cast.ada)
    role = cast.role("SCIM Integration")

    results = at_once(
        lambda: clients.change(
            actor=ada,
            client_id=client.id,
            spec=lambda was: replace(was, token_seconds=token_life.LONGEST_SCIM),
        ),
        lambda: roles.change(actor=ada, role_id=role.id, policies=policies_for(["directory:user:view"])),
    )

    assert not unexpected(results)
    assert Client.objects.get(id=client.id).token_seconds == token_life.DEFAULT


@pytest.mark.parametrize("round", ROUNDS)
def test_invitations_are_sent_taken_back_and_accepted_at_once(cast, round, mailoutbox):
    ada = cast.actor(cast.ada)
    invitation = invitations.send(actor=ada, user_id=cast.eve.id)

    results = at_once(
        lambda: invitations.accept(invitation=invitation, password="quite another password"),
        lambda: invitations.send(actor=ada, user_id=cast.eve.id),
        lambda: people.change(
            actor=ada, user_id=cast.eve.id, version=None, values={"email": f"e{round}@acme.example"}
        ),
        lambda: people.set_password(
            actor=ada, user=User.objects.get(id=cast.eve.id), password="one more long password"
        ),
        lambda: invitations.accept(invitation=invitation, password="a third long password"),
    )

    assert not unexpected(results)


@pytest.mark.parametrize("round", ROUNDS)
def test_people_are_moved_while_their_division_is_deleted(cast, round):
    ada = cast.actor(cast.ada)
    made = [cast.person(f"N{number}", cast.west).id for number in range(12)]

    results = at_once(
        lambda: divisions.move_people(actor=ada, division_id=cast.east.id, user_ids=reversed(made)),
        lambda: divisions.delete(actor=ada, division_id=cast.west.id, move_to=cast.home.id),
        lambda: divisions.move_people(actor=ada, division_id=cast.home.id, user_ids=made),
    )

    assert not unexpected(results)
    assert not User.objects.filter(division=cast.west).exists()


@pytest.mark.parametrize("round", ROUNDS)
def test_who_is_stripped_at_that_moment_hands_nothing_on(cast, round):
    """Whichever comes first: what Ben gave before stays and is flagged, what he gives after is refused."""
    cast.give(cast.ben, ("Admin", None))
    ada, ben = cast.actor(cast.ada), cast.actor(cast.ben)

    results = at_once(
        lambda: grants.change_person(
            actor=ada, user_id=cast.ben.id, spec=lambda _present: [cast.pair("Employee", cast.home)]
        ),
        lambda: grants.change_person(
            actor=ben, user_id=cast.eve.id, spec=lambda present: {*present, cast.pair("Admin", None)}
        ),
    )

    assert not unexpected(results)
    given = queries.access_of(cast.acme.id, cast.eve.id).holds(cast.role("Admin").id, None)
    assert given == (not isinstance(results[1], DomainError))
    if given:
        assert [row.subject_id for row in drift.grants(cast.acme)] == [cast.eve.id]
