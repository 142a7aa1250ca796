"""Organizations: the first by the product's own services, the others as copies of its rows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from accounts.actor import system
from accounts.models import Division, Organization, Role
from accounts.services import divisions as division_service
from accounts.services import organization as service
from bench import bulk


@dataclass(frozen=True)
class Home:
    """What is needed of an organization to put people and clients into it. `divisions[0]` is Home."""

    id: uuid.UUID
    short_name: str
    divisions: list[uuid.UUID]
    roles: dict[str, uuid.UUID]


def make_organizations(count: int) -> list[Home]:
    """With three divisions each, and the roles that every organization has."""
    first = service.create(name=f"Bench {uuid.uuid4().hex[:8]}")
    for name in ("East", "West"):
        division_service.create(actor=system(first), name=name)
    pattern = {model: list(model.objects.filter(organization=first)) for model in (Division, Role)}
    copies = [uuid.uuid4() for _ in range(count - 1)]
    bulk.insert(
        Organization,
        ["id", "name", "short_name"],
        [(id, f"{first.name} {n}", f"{first.short_name}-{n}") for n, id in enumerate(copies, start=2)],
    )
    for model, rows in pattern.items():
        names = [
            f.attname for f in model._meta.concrete_fields if f.attname not in ("id", "organization_id")
        ]
        bulk.insert(
            model,
            ["id", "organization_id", *names],
            (
                (uuid.uuid4(), copy, *(getattr(row, name) for name in names))
                for copy in copies
                for row in rows
            ),
        )
    bulk.finish(Organization, Division, Role)
    return homes(first.short_name)


def homes(prefix: str = "") -> list[Home]:
    """The organizations that are there, in three statements."""

    divisions: dict[uuid.UUID, list[uuid.UUID]] = {}
    for organization, id in Division.objects.filter(deleted_at=None).values_list("organization_id", "id"):
        divisions.setdefault(organization, []).append(id)  # Home first: the model's order
    roles: dict[uuid.UUID, dict[str, uuid.UUID]] = {}
    for organization, default, id in Role.objects.values_list("organization_id", "default_role_id", "id"):
        roles.setdefault(organization, {})[default] = id
    found = Organization.objects.filter(short_name__startswith=prefix).order_by("created_at", "short_name")
    return [
        Home(id, short, divisions[id], roles[id])
        for id, short in found.values_list("id", "short_name")
        if id in divisions and id in roles
    ]
