from __future__ import annotations

import uuid

import pytest

from accounts import queries
from accounts.errors import Invalid
from accounts.models import RoleGrant, SubjectType
from accounts.rules.delegation import RoleDivision
from accounts.services import grants


def replace(cast, actor, subject, *pairs):
    grants.replace(
        actor=actor,
        subject_type=SubjectType.CLIENT,
        subject_id=subject,
        pairs=grants.resolve(actor, pairs),
    )


def test_a_pair_that_stays_keeps_its_giver_and_date(cast):
    subject = uuid.uuid4()
    replace(cast, cast.actor(cast.ada), subject, cast.pair("Supervisor", cast.home))
    first = RoleGrant.objects.get(subject_id=subject)

    replace(
        cast,
        cast.actor(cast.ada),
        subject,
        cast.pair("Supervisor", cast.home),
        cast.pair("Admin", cast.east),
    )

    kept = RoleGrant.objects.get(subject_id=subject, role=cast.role("Supervisor"))
    assert (kept.id, kept.granted_by_id, kept.granted_at) == (first.id, cast.ada.id, first.granted_at)


@pytest.mark.parametrize(
    ("role", "where"),
    [("Supervisor", "east"), ("Supervisor", None), ("Admin", "home"), ("Developer", "home")],
)
def test_ben_can_give_only_what_he_holds(cast, role, where):
    subject = uuid.uuid4()
    division = getattr(cast, where) if where else None

    with pytest.raises(Invalid) as refused:
        replace(cast, cast.actor(cast.ben), subject, cast.pair(role, division))

    assert refused.value.code == "bad.client.role"
    assert not RoleGrant.objects.filter(subject_id=subject).exists()


def test_a_pair_that_stays_must_be_held_as_well(cast):
    subject = uuid.uuid4()
    replace(cast, cast.actor(cast.ada), subject, cast.pair("Admin", None))

    with pytest.raises(Invalid):
        replace(
            cast,
            cast.actor(cast.ben),
            subject,
            cast.pair("Admin", None),
            cast.pair("Supervisor", cast.home),
        )


def test_a_role_or_division_of_another_organization_is_unknown(cast):
    theirs = cast.role("Admin", cast.globex)
    foreign = queries.home_division(cast.globex)
    ours = cast.role("Admin")
    ada = cast.actor(cast.ada)

    def message(pair):
        with pytest.raises(Invalid) as refused:
            grants.resolve(ada, [pair])
        return refused.value.message

    nobody = uuid.uuid4()
    assert message(RoleDivision(theirs.id, None)).replace(str(theirs.id), "") == message(
        RoleDivision(nobody, None)
    ).replace(str(nobody), "")
    assert message(RoleDivision(ours.id, foreign.id)).replace(str(foreign.id), "") == message(
        RoleDivision(ours.id, nobody)
    ).replace(str(nobody), "")
