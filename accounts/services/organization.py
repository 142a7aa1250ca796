"""Making an organization, with its Home division and its default roles."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import system
from accounts.errors import Conflict, Invalid
from accounts.models import Division, Organization
from accounts.services import roles


def create(*, name: str, short_name: str = "", id: uuid.UUID | None = None) -> Organization:
    """With `id`, an organization that can be recognised later (`manage.py demo`).

    Raises `Invalid` for an empty name and `Conflict` where the short name is taken.
    """
    name = name.strip()
    short_name = short_name or slugify(name)
    if not short_name:
        raise Invalid.one("name", "bad.request", _("Enter a name for the organization."))
    with transaction.atomic():
        try:
            with transaction.atomic():
                organization = Organization.objects.create(
                    id=id or uuid.uuid4(), name=name, short_name=short_name
                )
        except IntegrityError as error:
            raise Conflict(
                _("Another organization already has the short name “%(name)s”.") % {"name": short_name},
                code="resource.already.exists",
            ) from error
        Division.objects.create(organization=organization, name="Home", home=True)
        roles.add_missing_defaults(organization)
        audit.record(
            system(organization),
            audit.Action.ORGANIZATION_CREATED,
            entity_type="organization",
            entity_id=organization.id,
            entity_name=name,
            after={"name": name, "shortName": short_name},
        )
    return organization
