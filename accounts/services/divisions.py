"""Making divisions."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.actor import Actor
from accounts.models import Division


def create(*, actor: Actor, name: str, description: str = "") -> Division:
    """Only the installation itself makes divisions so far (`manage.py demo`)."""
    assert actor.access.unlimited
    with transaction.atomic():
        division = Division.objects.create(
            organization=actor.organization, name=name, description=description
        )
        audit.record(
            actor,
            audit.Action.DIVISION_CREATED,
            entity_type="division",
            entity_id=division.id,
            entity_name=name,
            after={"name": name},
        )
    return division
