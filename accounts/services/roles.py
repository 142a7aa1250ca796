"""Making roles."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import audit
from accounts.actor import Actor
from accounts.default_roles import DEFAULT_ROLES
from accounts.models import Organization, Role
from accounts.permissions import check_policies


def add_missing_defaults(organization: Organization) -> list[Role]:
    """Adds the shipped roles that this organization lacks and leaves the others as they are."""
    present = set(Role.objects.filter(organization=organization).values_list("default_role_id", flat=True))
    return Role.objects.bulk_create(
        Role(
            organization=organization,
            name=role.name,
            description=role.description,
            default_role_id=role.id,
            policies=list(role.policies),
        )
        for role in DEFAULT_ROLES
        if role.id not in present
    )


def create_custom(*, actor: Actor, name: str, description: str, policies: list[dict[str, Any]]) -> Role:
    """Only the installation itself makes custom roles so far (`manage.py demo`).

    Raises `Invalid` for a policy that names nothing.
    """
    actor.require_installation()
    check_policies(policies)
    with transaction.atomic():
        role = Role.objects.create(
            organization=actor.organization, name=name, description=description, policies=policies
        )
        audit.record(
            actor,
            audit.Action.ROLE_CREATED,
            entity_type="role",
            entity_id=role.id,
            entity_name=name,
            after={"name": name, "policies": policies},
        )
    return role
