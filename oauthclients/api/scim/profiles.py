"""What a SCIM resource says about a person, as the services take it."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from django.utils.translation import gettext as _
from scim2_models import InvalidValueException, Resource

from accounts.models import User
from accounts.queries import as_uuid
from accounts.services import person_details
from accounts.services.person_details import Identifier, Phone, Proficiency
from accounts.services.provisioning import Profile
from oauthclients.api.scim import models


def profile_of(
    resource: Resource[Any],
    present: User | None = None,
    *,
    sees_manager: bool = True,
    complete: bool = False,
) -> Profile:
    """What was left out is None where `Profile` says so, and cleared otherwise; with `complete`, as after a
    PATCH of all that there was, what is not in it was taken away. A manager whom the client does not see
    (not `sees_manager`) stays as long as it names no other.

    Raises `InvalidValueException` for what no person can have.
    """
    person: Any = resource
    company = person.EnterpriseUser or models.EnterpriseUser()
    vendor = person.GenesysUser or models.GenesysUser()
    name = person.name or models.Name()
    email = (person.user_name or "").strip()
    parts = " ".join(part for part in (name.given_name, name.family_name) if part)
    if complete:
        person.external_id, person.roles = person.external_id or "", person.roles or []
        vendor = models.GenesysUser(
            routing_skills=vendor.routing_skills or [],
            routing_languages=vendor.routing_languages or [],
            external_ids=vendor.external_ids or [],
        )
    manager_id = _manager(company.manager)
    if manager_id is None and present is not None and not sees_manager:
        manager_id = present.manager_id
    return Profile(
        email=email,
        name=(person.display_name or "").strip() or parts.strip() or email,
        given_name=name.given_name or "",
        family_name=name.family_name or "",
        title=person.title or "",
        department=company.department or "",
        employee_number=company.employee_number or "",
        other_email=_other_email(person.emails),
        external_id=person.external_id,
        hired_on=_date(company.date_hire),
        manager_id=manager_id,
        phones=tuple(
            Phone(kind=str(one.type or "work"), value=one.value or "", primary=bool(one.primary))
            for one in _entries(person.phone_numbers)
            if one.value
        ),
        division=company.division,
        active=person.active,
        password=person.password,
        roles=None if person.roles is None else _roles(_entries(person.roles)),
        external_ids=None
        if vendor.external_ids is None
        else tuple(
            Identifier(authority=one.authority or "", value=one.value or "")
            for one in _entries(vendor.external_ids)
        ),
        skills=_proficiencies(vendor.routing_skills),
        languages=_proficiencies(vendor.routing_languages),
    )


def _entries(values: list[Any] | None) -> list[Any]:
    """A list may hold nulls. Raises `InvalidValueException` for a long one, before anybody waits for it."""
    if len(values or ()) > person_details.MOST:
        raise InvalidValueException(
            detail=_("At most %(most)s entries of one list in one request.") % {"most": person_details.MOST}
        )
    return [one for one in values or [] if one is not None]


def _roles(entries: list[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.value.strip() for one in entries if one.value and one.value.strip()))


def _proficiencies(entries: list[Any] | None) -> tuple[Proficiency, ...] | None:
    if entries is None:
        return None
    return tuple(Proficiency(name=one.name or "", level=one.proficiency or 0) for one in _entries(entries))


def _other_email(entries: list[Any] | None) -> str:
    """The address of type other. That of type work is the userName, whatever it says; further ones are not
    kept."""
    found = [one.value for one in _entries(entries) if one.type == models.Email.Type.other and one.value]
    if len(set(found)) > 1:
        raise InvalidValueException(detail=_("Only one email address of the type other is kept."))
    return found[0].strip() if found else ""


def _date(value: str | None) -> datetime.date | None:
    """A day; of a point in time, its day."""
    if not value or not value.strip():
        return None
    try:
        return datetime.date.fromisoformat(value.strip()[:10])
    except ValueError as error:
        raise InvalidValueException(detail=_("“dateHire” must be a day such as 2026-11-20.")) from error


def _manager(manager: models.Manager | None) -> uuid.UUID | None:
    if manager is None or not manager.value:
        return None
    key = as_uuid(manager.value)
    if key is None:
        raise InvalidValueException(detail=_("There is no such person who could be the manager."))
    return key
