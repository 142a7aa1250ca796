"""Reads for pages and API. Every one of them starts from an organization."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar

from django.db.models import Count, Func, JSONField, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, JSONArray

from accounts.actor import Actor, ActorType
from accounts.errors import NotFound
from accounts.models import (
    AuditEvent,
    Division,
    Group,
    IdentityProvider,
    Organization,
    Role,
    RoleGrant,
    SubjectType,
    User,
)
from accounts.models.user import UserState
from accounts.permissions import Permission, expand
from accounts.rules import provider_spec
from accounts.rules.access import Access, Divisions, HeldRole

Row = TypeVar("Row", Division, Group, IdentityProvider, Role, User)


def access_of(organization_id: uuid.UUID, subject_id: uuid.UUID) -> Access:
    """What this subject holds at this moment: one statement, never cached."""
    grants = RoleGrant.objects.filter(
        organization_id=organization_id, subject_id=subject_id
    ).select_related("role")
    return Access(
        held=tuple(
            HeldRole(
                role_id=grant.role_id,
                role_name=grant.role.name,
                division_id=grant.division_id,
                permissions=expand(grant.role.policies),
            )
            for grant in grants
        )
    )


class JSONRows(Func):
    """All rows of a subquery as one JSON array; without rows, empty on SQLite and null on PostgreSQL."""

    function = "JSON_GROUP_ARRAY"
    output_field = JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **_more: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_AGG")


def held_column(organization_id: Any, subject_id: Any) -> Subquery:
    """What a subject holds as a column of another statement, for `access_in_column`. Takes expressions."""
    return Subquery(
        RoleGrant.objects.filter(organization_id=organization_id, subject_id=subject_id)
        .order_by()
        .values(
            rows=Cast(
                JSONRows(JSONArray("role_id", "role__name", "division_id", "role__policies")), TextField()
            )
        )
    )


def access_in_column(text: str | None) -> Access:
    """The same as `access_of`, from what such a statement has just read. Equal texts are parsed once: what
    is remembered is what a text means, and never whose it was."""
    text = text or "[]"
    return _access_of_text(text) if len(text) <= _LONGEST_REMEMBERED else _access_of_text.__wrapped__(text)


_LONGEST_REMEMBERED = 32_768


@lru_cache(maxsize=1024)
def _expanded(policies: str) -> frozenset[str]:
    """One set for all who hold a role with these policies."""
    return expand(json.loads(policies))


@lru_cache(maxsize=512)
def _access_of_text(text: str) -> Access:
    return Access(
        held=tuple(
            HeldRole(
                role_id=uuid.UUID(role_id),
                role_name=name,
                division_id=uuid.UUID(division_id) if division_id else None,
                # SQLite, which knows no JSON, has it as text.
                permissions=_expanded(policies if isinstance(policies, str) else json.dumps(policies)),
            )
            for role_id, name, division_id, policies in json.loads(text)
        )
    )


def access_now(actor: Actor) -> Access:
    """What this actor holds at this moment; a person who is not active any more, nothing."""
    assert actor.id is not None
    if actor.type == ActorType.USER:
        active = User.objects.filter(id=actor.id, state=UserState.ACTIVE)
        if not active.exists():
            return Access()
    return access_of(actor.organization.id, actor.id)


def actor_for_user(user: User) -> Actor:
    """A person who is signed in to the console."""
    return Actor(
        type=ActorType.USER,
        id=user.id,
        name=str(user),
        organization=user.organization,
        access=access_of(user.organization_id, user.id),
    )


def divisions(organization: Organization) -> QuerySet[Division]:
    """All that are there, Home first."""
    return Division.objects.filter(organization=organization, deleted_at=None)


def deleted_divisions(organization: Organization) -> QuerySet[Division]:
    """Those that can be restored, the last one deleted first."""
    return Division.objects.filter(organization=organization, deleted_at__isnull=False).order_by(
        "-deleted_at", "id"
    )


def home_division(organization: Organization) -> Division:
    return Division.objects.get(organization=organization, home=True)


def division(organization: Organization, division_id: object) -> Division:
    """Raises `NotFound` for an id of another organization or of nothing."""
    return _one(divisions(organization), division_id)


def roles(organization: Organization) -> QuerySet[Role]:
    return Role.objects.filter(organization=organization)


def role(organization: Organization, role_id: object) -> Role:
    """Raises `NotFound` for an id of another organization or of nothing."""
    return _one(roles(organization), role_id)


def people(organization: Organization) -> QuerySet[User]:
    """Everybody, deleted people included, with their divisions."""
    return User.objects.filter(organization=organization).select_related("division")


def people_in(organization: Organization, permitted: Divisions) -> QuerySet[User]:
    """The people who sit in one of these divisions."""
    found = people(organization)
    return found if permitted.everywhere else found.filter(division_id__in=permitted.ids)


def divisions_seen(access: Access) -> Divisions:
    """Where this subject has to do with people at all. Whoever manages people sees them, whatever else."""
    return access.divisions_for(
        Permission.DIRECTORY_USER_VIEW,
        Permission.DIRECTORY_USER_ADD,
        Permission.DIRECTORY_USER_EDIT,
        Permission.DIRECTORY_USER_DELETE,
        Permission.DIRECTORY_USER_SET_PASSWORD,
    )


def groups(organization: Organization) -> QuerySet[Group]:
    """By name."""
    return Group.objects.filter(organization=organization)


def group(organization: Organization, group_id: object) -> Group:
    """Raises `NotFound` for an id of another organization or of nothing."""
    return _one(groups(organization), group_id)


def person(organization: Organization, user_id: object) -> User:
    """Raises `NotFound` for an id of another organization or of nothing."""
    return _one(people(organization), user_id)


def grants_of(organization: Organization | uuid.UUID, subject_id: uuid.UUID) -> QuerySet[RoleGrant]:
    """With role and division, by role name."""
    return (
        RoleGrant.objects.filter(organization=organization, subject_id=subject_id)
        .select_related("role", "division")
        .order_by("role__name", "division__name", "id")
    )


def held_by_people(organization: Organization) -> list[HeldRole]:
    """Every role that some active person holds, once for each division they hold it in."""
    active = User.objects.filter(organization=organization, state=UserState.ACTIVE)
    grants = (
        RoleGrant.objects.filter(
            organization=organization, subject_type=SubjectType.USER, subject_id__in=active.values("id")
        )
        .values_list("role_id", "division_id", "role__name", "role__policies")
        .order_by("role__name", "role_id", "division_id")
    )
    found = {(role, division): (name, policies) for role, division, name, policies in grants}
    return [
        HeldRole(role_id=role, role_name=name, division_id=division, permissions=expand(policies))
        for (role, division), (name, policies) in found.items()
    ]


def user_counts(organization: Organization, role_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many people hold each of these roles."""
    return dict(
        RoleGrant.objects.filter(
            organization=organization, role_id__in=list(role_ids), subject_type=SubjectType.USER
        )
        .values_list("role_id")
        .annotate(Count("subject_id", distinct=True))
    )


def who_can_grant(organization: Organization) -> list[str]:
    """The names of up to three active people with the Admin role, for refusals."""
    return _some_holders(organization, roles(organization).filter(default_role_id="admin"))


def who_holds(organization: Organization, permission: str) -> list[str]:
    """The names of up to three active people who hold this permission somewhere, for those who do not."""
    return _some_holders(
        organization, [role for role in roles(organization) if permission in expand(role.policies)]
    )


def holders(organization: Organization, *all_of: str) -> set[uuid.UUID]:
    """The ids of everybody, active or not, who holds each of these permissions somewhere."""
    found: list[set[uuid.UUID]] = []
    for permission in all_of:
        some_roles = [role for role in roles(organization) if permission in expand(role.policies)]
        found.append(set(_holding(organization, some_roles).values_list("subject_id", flat=True)))
    return set.intersection(*found)


def _holding(organization: Organization, some_roles: Iterable[Role]) -> QuerySet[RoleGrant]:
    return RoleGrant.objects.filter(
        organization=organization,
        role_id__in=[role.id for role in some_roles],
        subject_type=SubjectType.USER,
    )


def _some_holders(organization: Organization, some_roles: Iterable[Role]) -> list[str]:
    holders = _holding(organization, some_roles).values("subject_id")
    return list(
        User.objects.filter(id__in=holders, state=UserState.ACTIVE)
        .order_by("name")
        .values_list("name", flat=True)[:3]
    )


def organization_called(short_name: str) -> Organization | None:
    """The active one, by the name that apps send as `org` and `orgName`, in whatever case; what can be
    nobody's reaches no database."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,60}", short_name):
        return None
    return Organization.objects.filter(short_name__iexact=short_name, active=True).first()


def providers(organization: Organization) -> QuerySet[IdentityProvider]:
    """By name."""
    return (
        IdentityProvider.objects.filter(organization=organization)
        .select_related("organization")
        .order_by("name", "id")
    )


def provider(organization: Organization, provider_id: object) -> IdentityProvider:
    """Raises `NotFound` for an id of another organization or of nothing."""
    return _one(providers(organization), provider_id)


def provider_called(organization: Organization, name: str) -> IdentityProvider | None:
    """The one that is on and that apps mean by `provider`: the vendor's name for it (`okta`), its ID, or
    its own name in whatever case."""
    found = providers(organization).filter(enabled=True)
    key = as_uuid(name)
    wanted = Q(id=key) if key else Q(slot=name) if name in provider_spec.SLOTS else Q(name__iexact=name)
    return None if "\0" in name else found.filter(wanted).first()


def changes_of(organization: Organization, entity_id: uuid.UUID) -> QuerySet[AuditEvent]:
    """The audit lines of one thing, newest first."""
    return AuditEvent.objects.filter(organization_id=organization.id, entity_id=entity_id).order_by("-at")


def as_uuid(value: object) -> uuid.UUID | None:
    """An id as people and programs type it; None for anything that is not one."""
    if isinstance(value, uuid.UUID):
        return value
    try:
        return uuid.UUID(str(value))
    except ValueError:
        return None


def _one(rows: QuerySet[Row], row_id: object) -> Row:
    key = as_uuid(row_id)
    found = rows.filter(id=key).first() if key else None
    if found is None:
        raise NotFound
    return found
