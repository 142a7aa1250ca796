"""Making an organization, with its Home division and its default roles."""

from __future__ import annotations

import re
import uuid

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import system
from accounts.errors import Conflict, Problems
from accounts.models import Division, Organization
from accounts.rules.text import hides_something, shows_nothing
from accounts.services import roles

LONGEST_NAME = 200
LONGEST_SHORT_NAME = 60
# Apps send it as `org` and `orgName`.
_SHORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,59}")


def create(*, name: str, short_name: str = "", id: uuid.UUID | None = None) -> Organization:
    """With `id`, an organization that can be recognised later (`manage.py demo`).

    Raises `Invalid` for a name or short name that cannot be, and `Conflict` where the short name is taken.
    """
    name = " ".join(name.split())
    short_name = short_name or slugify(name)[:LONGEST_SHORT_NAME].strip("-")
    problems = Problems()
    if shows_nothing(name) or hides_something(name):
        problems.add("name", "bad.request", _("Enter a name for the organization."))
    elif len(name) > LONGEST_NAME:
        most = {"most": LONGEST_NAME}
        problems.add("name", "bad.request", _("The name can have at most %(most)s characters.") % most)
    elif not short_name:
        problems.add(
            "shortName", "bad.request", _("Give a short name as well: this name has no Latin letters.")
        )
    if short_name and not _SHORT_NAME.fullmatch(short_name):
        most = {"most": LONGEST_SHORT_NAME}
        message = _("A short name has up to %(most)s letters, digits and hyphens.") % most
        problems.add("shortName", "bad.request", message)
    problems.raise_if_any()
    with transaction.atomic():
        try:
            with transaction.atomic():
                organization = Organization.objects.create(
                    id=id or uuid.uuid4(), name=name, short_name=short_name
                )
        except IntegrityError as error:
            raise Conflict(
                _("Another organization already has the short name ‘%(name)s’.") % {"name": short_name},
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
