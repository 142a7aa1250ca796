"""Who chooses somebody's password or email address could become them, so it takes all that they may do."""

from __future__ import annotations

import pytest

from accounts import queries
from accounts.actor import Actor, ActorType
from accounts.errors import InsufficientScope, NotAllowed
from accounts.models import Invitation, Source, User
from accounts.services import invitations, people

NEW = "another long enough password"


@pytest.fixture
def helper(cast):
    """Dora looks after people everywhere, and holds nothing else."""
    cast.custom_role("Helper", "directory:user:edit", "directory:user:setPassword", "directory:user:add")
    dora = cast.person("Dora", cast.home)
    cast.give(dora, ("Helper", None))
    return cast.actor(dora)


def set_password(actor, user):
    people.set_password(actor=actor, user=User.objects.get(id=user.id), password=NEW)


def set_email(actor, user):
    user = User.objects.get(id=user.id)
    people.change(
        actor=actor, user_id=user.id, version=user.version, values={"email": "changed@acme.example"}
    )


both = pytest.mark.parametrize("choose", [set_password, set_email], ids=["password", "email"])


@both
def test_of_somebody_who_may_do_more_neither_is_chosen(helper, cast, choose):
    before = User.objects.get(id=cast.ada.id)
    with pytest.raises(NotAllowed) as refused:
        choose(helper, cast.ada)
    assert refused.value.code == "missing.division.permissions"
    after = User.objects.get(id=cast.ada.id)
    assert (after.email, after.password, after.version) == (before.email, before.password, before.version)


@both
def test_of_somebody_with_a_little_more_somewhere_else_neither(helper, cast, choose):
    cast.give(cast.eve, ("User", cast.west))
    with pytest.raises(NotAllowed):
        choose(helper, cast.eve)


@both
def test_of_somebody_who_holds_nothing_or_no_more_both_are(helper, cast, choose):
    cast.give(cast.eve, ("Helper", cast.west))
    choose(helper, cast.eve)
    nils = cast.person("Nils", cast.home)
    people.change(actor=helper, user_id=nils.id, version=1, values={"email": "nils2@acme.example"})


@both
def test_who_may_do_everything_chooses_both(cast, choose):
    choose(cast.actor(cast.ada), cast.ben)


@both
def test_an_app_needs_the_scope_that_is_about_who_may_do_what(cast, choose):
    ada = cast.actor(cast.ada)
    app = Actor(ada.type, ada.id, ada.name, ada.organization, ada.access, scopes=frozenset({"users"}))
    for person in (cast.ben, cast.ada):  # herself too: she would be held to no scope
        with pytest.raises(InsufficientScope):
            choose(app, person)


def actor_of(client):
    return Actor(
        ActorType.CLIENT,
        client.id,
        client.name,
        client.organization,
        queries.access_of(client.organization_id, client.id),
    )


@both
def test_having_made_somebody_is_no_exception(cast, choose):
    """Whoever has the secret of the identity system's client, or may replace it, could become its people."""
    client, _secret = cast.client(("SCIM Integration", None), by=cast.ada)
    made = people.create(
        actor=actor_of(client),
        spec=people.PersonSpec(name="Nora", email="nora@acme.example", state="active", source=Source.SCIM),
    )
    choose(actor_of(client), made)
    made = User.objects.get(id=made.id)
    people.change(
        actor=actor_of(client), user_id=made.id, version=made.version, values={"email": "n@acme.example"}
    )
    cast.give(made, ("Supervisor", cast.east))
    with pytest.raises(NotAllowed):
        choose(actor_of(client), made)


def test_another_address_makes_an_invitation_to_the_old_one_worthless(cast, mailoutbox):
    ada = cast.actor(cast.ada)
    invitations.send(actor=ada, user_id=cast.eve.id)
    set_email(ada, cast.eve)
    assert not Invitation.objects.exists()


def test_other_fields_take_only_the_permission(helper, cast):
    people.change(actor=helper, user_id=cast.ada.id, version=1, values={"title": "Director"})
    assert User.objects.get(id=cast.ada.id).title == "Director"
