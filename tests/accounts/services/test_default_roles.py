from __future__ import annotations

from importlib import import_module

from django.apps import apps

from accounts.default_roles import DEFAULT_ROLES
from accounts.models import Division, Role, RoleGrant
from accounts.services import roles


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


def test_an_update_adds_the_role_for_introspection_and_gives_it_to_nobody(cast):
    update = import_module("accounts.migrations.0004_token_introspection_role").add_role
    shipped = next(role for role in DEFAULT_ROLES if role.id == "tokenIntrospection")
    Role.objects.filter(default_role_id=shipped.id).delete()
    own = cast.custom_role("token introspection", "oauth:client:view")

    update(apps, None)
    update(apps, None)

    added = Role.objects.get(default_role_id=shipped.id)
    assert (added.organization, added.name) == (cast.globex, shipped.name)
    assert (added.description, added.policies) == (shipped.description, list(shipped.policies))
    assert not RoleGrant.objects.filter(role=added).exists()
    # Acme has a role of its own by that name, which stays as it is.
    assert Role.objects.get(id=own.id).policies == own.policies
