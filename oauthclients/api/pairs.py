"""Role-division pairs as requests and answers have them (wire contract C2 and D5)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from accounts import drift, queries
from accounts.models import Organization, RoleGrant, SubjectType
from accounts.rules.delegation import RoleDivision
from accounts.services.grants import NamedPair
from oauthclients.api import shapes
from oauthclients.api.params import Body


def read(
    body: Body, entries: Iterable[object], organization: Organization, *, field: str
) -> list[RoleDivision]:
    """`[{roleId, divisionId}]`: `*` is all divisions, and no division is Home. What is wrong joins the
    body's problems, under the name of the field."""
    pairs = []
    home: uuid.UUID | None = None
    for entry in entries:
        role_id, division_id = (
            (entry.get("roleId"), entry.get("divisionId")) if isinstance(entry, dict) else (None, None)
        )
        role_key = queries.as_uuid(role_id) if isinstance(role_id, str) else None
        if role_key is None:
            body.problems.add(field, "bad.client.role", _("A “roleId” is missing or not an ID."))
            continue
        if division_id == shapes.ALL_DIVISIONS:
            pairs.append(RoleDivision(role_key, None))
            continue
        if division_id is None:
            home = home or queries.home_division(organization).id
            pairs.append(RoleDivision(role_key, home))
            continue
        division_key = queries.as_uuid(division_id) if isinstance(division_id, str) else None
        if division_key is None:
            body.problems.add(field, "bad.role.divisions", _("A “divisionId” is not an ID."))
            continue
        pairs.append(RoleDivision(role_key, division_key))
    return pairs


def by_client(
    organization: Organization, client_ids: Iterable[uuid.UUID]
) -> defaultdict[uuid.UUID, list[RoleGrant]]:
    """What these clients hold: one statement, however many there are."""
    wanted = set(client_ids)
    result: defaultdict[uuid.UUID, list[RoleGrant]] = defaultdict(list)
    grants = (
        RoleGrant.objects.filter(organization=organization, subject_type=SubjectType.CLIENT)
        .select_related("role", "division")
        .order_by("role__name", "division__name", "id")
    )
    for grant in grants:
        if grant.subject_id in wanted:
            result[grant.subject_id].append(grant)
    return result


def named(grants: Iterable[RoleGrant]) -> list[NamedPair]:
    return [NamedPair(grant.role, grant.division) for grant in grants]


def drifted(organization: Organization, grants: Iterable[RoleGrant]) -> list[RoleGrant]:
    """Those of these grants that drifted (accounts/drift.py): the same few statements for any number."""
    given = [grant for grant in grants if grant.granted_by_id is not None]
    if not given:
        return []
    found = drift.gifts(organization, subject_ids={grant.subject_id for grant in given})
    return [grant for grant in given if _gift(grant) in found]


def _gift(grant: RoleGrant) -> drift.Gift | None:
    if grant.granted_by_id is None:
        return None
    return drift.Gift(grant.granted_by_id, grant.role_id, grant.division_id, grant.subject_type)


def subject(organization: Organization, id: uuid.UUID, name: str, version: int) -> dict[str, Any]:
    """`AuthzSubject`: whoever this is, with what they hold."""
    grants = list(queries.grants_of(organization, id))
    return shapes.subject(id, name, version, grants, set(drifted(organization, grants)))
