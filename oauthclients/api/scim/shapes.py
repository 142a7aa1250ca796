"""Rows as SCIM resources. What a page of people takes is a fixed number of statements, however many people
there are."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from scim2_models import Context, Meta, Reference, Resource, ResponseParameters

from accounts import queries
from accounts.actor import Actor
from accounts.models import Group, GroupMember, SkillKind, User, UserState
from accounts.services import provisioning
from oauthclients.api.scim import models
from oauthclients.api.scim.models import POLICY

BASE = f"{settings.BASE_URL}/api/v2/scim/v2"


def location(endpoint: str, id: object) -> str:
    return f"{BASE}/{endpoint}/{id}"


# --- People --------------------------------------------------------------------------------------


def loaded(rows: QuerySet[User]) -> QuerySet[User]:
    """With all that a representation is made of, but for the roles."""
    memberships = GroupMember.objects.select_related("group").order_by("group__name", "group_id")
    return rows.select_related("manager").prefetch_related(
        "phone_numbers", "external_ids", "skills", Prefetch("memberships", memberships)
    )


def roles_of(actor: Actor, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """The names of the roles that the actor sees these people hold, each once."""
    found: defaultdict[uuid.UUID, dict[str, None]] = defaultdict(dict)
    rows = provisioning.grants_seen(actor).filter(subject_id__in=list(ids)).order_by("role__name", "id")
    for subject_id, name in rows.values_list("subject_id", "role__name"):
        found[subject_id][name] = None
    return {subject_id: list(names) for subject_id, names in found.items()}


def persons(actor: Actor, rows: QuerySet[User]) -> list[Resource[Any]]:
    """The people as resources, in the order of the rows."""
    page = list(loaded(rows))
    roles = roles_of(actor, [row.id for row in page]) if page else {}
    return [_person(actor, row, roles.get(row.id, [])) for row in page]


def person(actor: Actor, user_id: uuid.UUID) -> Resource[Any]:
    """As stored at this moment. Raises `NotFound` for whoever the actor does not see."""
    found = persons(actor, provisioning.persons(actor).filter(id=user_id))
    return found[0] if found else _gone(actor, user_id)


def _gone(actor: Actor, user_id: uuid.UUID) -> Resource[Any]:
    provisioning.person(actor, user_id)  # raises
    raise AssertionError(user_id)


def _person(actor: Actor, row: User, roles: list[str]) -> Resource[Any]:
    emails = [models.Email(value=row.email, type=models.Email.Type.work, primary=True)]
    if row.other_email:
        emails.append(models.Email(value=row.other_email, type=models.Email.Type.other, primary=False))
    return models.Person(
        id=str(row.id),
        external_id=row.external_id or None,
        user_name=row.email,
        display_name=row.name,
        name=models.Name(
            formatted=row.name, given_name=row.given_name or None, family_name=row.family_name or None
        ),
        title=row.title or None,
        active=row.state == UserState.ACTIVE,
        emails=emails,
        phone_numbers=[
            models.PhoneNumber(value=one.value, type=models.PhoneNumber.Type(one.kind), primary=one.primary)
            for one in row.phone_numbers.all()
        ],
        groups=[
            models.GroupMembership(
                value=str(one.group_id),
                ref=Reference(location("groups", one.group_id)),
                display=one.group.name,
                type="direct",
            )
            for one in row.memberships.all()
        ],
        roles=[models.HeldRole(value=name, primary=True if len(roles) == 1 else None) for name in roles],
        **_extensions(actor, row),
        meta=Meta(
            resource_type="User",
            created=row.created_at,
            last_modified=row.modified_at,
            location=location("users", row.id),
        ),
    )


def _extensions(actor: Actor, row: User) -> dict[str, Any]:
    """By the names of their classes, as the library has it."""
    skills = {
        kind: [one for one in row.skills.all() if one.kind == kind]
        for kind in (SkillKind.SKILL, SkillKind.LANGUAGE)
    }
    return {
        "EnterpriseUser": models.EnterpriseUser(
            employee_number=row.employee_number or None,
            division=row.division.name,
            department=row.department or None,
            date_hire=row.hired_on.isoformat() if row.hired_on else None,
            manager=_manager(row) if provisioning.manager_seen(actor, row) else None,
        ),
        "GenesysUser": models.GenesysUser(
            routing_skills=[
                models.RoutingSkill(name=one.name, proficiency=one.proficiency)
                for one in skills[SkillKind.SKILL]
            ],
            routing_languages=[
                models.RoutingLanguage(name=one.name, proficiency=one.proficiency)
                for one in skills[SkillKind.LANGUAGE]
            ],
            external_ids=[
                models.ExternalId(authority=one.authority, value=one.value)
                for one in row.external_ids.all()
            ],
        ),
    }


def _manager(row: User) -> models.Manager:
    assert row.manager is not None
    return models.Manager(
        value=str(row.manager_id),
        ref=Reference(location("users", row.manager_id)),
        display_name=row.manager.name,
    )


# --- Groups --------------------------------------------------------------------------------------


def groups(actor: Actor, rows: Iterable[Group], *, with_members: bool) -> list[Resource[Any]]:
    """The groups as resources, with the members that the actor sees."""
    page = list(rows)
    members = members_of(actor, [row.id for row in page]) if page else {}
    return [_group(row, members.get(row.id, []), with_members=with_members) for row in page]


def group(actor: Actor, group_id: uuid.UUID, *, with_members: bool = True) -> Resource[Any]:
    row = queries.group(actor.organization, group_id)
    return groups(actor, [row], with_members=with_members)[0]


def members_of(actor: Actor, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[tuple[str, str]]]:
    """The id and name of each member of these groups whom the actor sees, by name."""
    found: defaultdict[uuid.UUID, list[tuple[str, str]]] = defaultdict(list)
    rows = GroupMember.objects.filter(
        group_id__in=list(ids), user_id__in=provisioning.persons(actor).values("id")
    ).order_by("user__name", "user_id")
    for group_id, user_id, name in rows.values_list("group_id", "user_id", "user__name"):
        found[group_id].append((str(user_id), name))
    return found


def _group(row: Group, members: list[tuple[str, str]], *, with_members: bool) -> Resource[Any]:
    # Not validated: there may be many, and they come from the database.
    shown = [
        models.GroupMember.model_construct(
            value=user_id, ref=Reference(location("users", user_id)), type="User", display=name
        )
        for user_id, name in (members if with_members else ())
    ]
    return models.Group(
        id=str(row.id),
        external_id=row.external_id or None,
        display_name=row.name,
        members=shown,
        meta=Meta(
            resource_type="Group",
            created=row.created_at,
            last_modified=row.modified_at,
            location=location("groups", row.id),
            version=_tag([str(row.id), row.version, members]),
        ),
    )


# --- On the wire ---------------------------------------------------------------------------------


def version_of(resource: Resource[Any]) -> str:
    """The entity tag (RFC 7644 3.14): weak, and of the content, since roles and groups are part of it and
    change elsewhere."""
    assert resource.meta is not None
    if resource.meta.version is None:
        resource.meta.version = _tag(resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))
    return resource.meta.version


def on_wire(resource: Resource[Any], parameters: ResponseParameters[Any] | None = None) -> dict[str, Any]:
    """JSON with the attributes asked for, and the version among them."""
    version_of(resource)
    return resource.model_dump(
        scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=parameters, scim_policy=POLICY
    )


def _tag(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, default=str)
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
