from __future__ import annotations

import pytest

from accounts.actor import system
from accounts.default_roles import DEFAULT_ROLES
from accounts.errors import NotAllowed
from accounts.models import Division, Role
from accounts.permissions import policies_for
from accounts.services import divisions, roles


def test_an_organization_starts_with_home_and_every_shipped_role(cast):
    assert [d.name for d in Division.objects.filter(organization=cast.globex)] == ["Home"]
    shipped = {role.default_role_id for role in Role.objects.filter(organization=cast.globex)}
    assert shipped == {role.id for role in DEFAULT_ROLES}


def test_missing_default_roles_are_added_and_edited_ones_left_alone(cast):
    Role.objects.get(organization=cast.globex, name="Developer").delete()
    Role.objects.filter(organization=cast.globex, name="Employee").update(policies=[])

    added = roles.add_missing_defaults(cast.globex)

    assert [role.name for role in added] == ["Developer"]
    assert Role.objects.get(organization=cast.globex, name="Employee").policies == []


def test_nobody_but_the_installation_makes_roles_and_divisions_yet(cast):
    """Ada holds Admin, and would pass her own role's permissions on by making another one."""
    ada = cast.actor(cast.ada)

    with pytest.raises(NotAllowed):
        roles.create_custom(
            actor=ada, name="Mine", description="", policies=policies_for(["oauth:client:view"])
        )
    with pytest.raises(NotAllowed):
        divisions.create(actor=ada, name="North")
    assert divisions.create(actor=system(cast.acme), name="North").organization == cast.acme
