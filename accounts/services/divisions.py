"""Making divisions."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import Actor
from accounts.errors import DomainError
from accounts.models import Division


def create(*, actor: Actor, name: str, description: str = "") -> Division:
    """Only the installation itself makes divisions so far (`manage.py demo`)."""
    actor.require_installation()
    most = settings.MAX_DIVISIONS_PER_ORGANIZATION
    with transaction.atomic():
        if Division.objects.filter(organization=actor.organization).count() >= most:
            raise DomainError(
                _("This organization already has %(most)s divisions, the most it can have.")
                % {"most": most},
                code="max.scopes.exceeded",
            )
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
