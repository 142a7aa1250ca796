"""What `expand` adds to people (wire contract E3), each part with one statement for all of them. What
is not here is ignored, as is what the caller may not see."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Max
from oauth2_provider.models import get_access_token_model

from accounts.models import GroupMember, RoleGrant, Skill, SkillKind, SubjectType, User
from accounts.permissions import Permission
from oauthclients.api import shapes
from oauthclients.api.views import ApiView
from oauthclients.rules.effective_access import decide_scope

_SKILLS = {"skills": SkillKind.SKILL, "languages": SkillKind.LANGUAGE}


def add(
    view: ApiView,
    rows: Sequence[User],
    shaped: Sequence[dict[str, Any]],
    expand: Iterable[str],
    *,
    own: bool,
) -> None:
    """Adds what is wanted to these people's JSON. `own`: they are the caller."""
    wanted = {name.lower() for name in expand}
    people = {row.id: (row, shape) for row, shape in zip(rows, shaped, strict=True)}
    if "datelastlogin" in wanted:
        for row, shape in people.values():
            if row.last_login is not None:
                shape["dateLastLogin"] = shapes.date(row.last_login)
    if "employerinfo" in wanted and _told(view, "users:readonly"):
        for row, shape in people.values():
            if info := shapes.employer_info(row):
                shape["employerInfo"] = info
    if "lasttokenissued" in wanted:
        for id, at in _last_tokens(people):
            people[id][1]["lastTokenIssued"] = {"dateIssued": shapes.date(at)}
    if "groups" in wanted and _told(view, "groups:readonly"):
        _put(people, "groups", _groups(people))
    parts = _SKILLS.keys() & wanted
    if parts and _told(view, "users:readonly"):
        _put_skills(people, parts)
    if "authorization" in wanted and _told(view, "authorization:readonly"):
        _put_authorization(view, people, own=own)


_People = dict[uuid.UUID, tuple[User, dict[str, Any]]]


def _told(view: ApiView, scope: str) -> bool:
    """What is expanded needs the scope of its own route."""
    return bool(decide_scope(view.actor.scopes, scope, scope.removesuffix(":readonly")))


def _put(people: _People, key: str, found: dict[uuid.UUID, list[Any]]) -> None:
    for id, (_row, shape) in people.items():
        shape[key] = found.get(id, [])


def _last_tokens(people: _People) -> Iterable[tuple[uuid.UUID, Any]]:
    return (
        get_access_token_model()
        .objects.filter(user_id__in=list(people))
        .order_by()
        .values_list("user_id")
        .annotate(Max("created"))
    )


def _groups(people: _People) -> dict[uuid.UUID, list[Any]]:
    found: defaultdict[uuid.UUID, list[Any]] = defaultdict(list)
    rows = GroupMember.objects.filter(user_id__in=list(people)).select_related("group")
    for member in rows.order_by("group__name", "id"):
        found[member.user_id].append(shapes.group_name(member.group))
    return found


def _put_skills(people: _People, parts: Iterable[str]) -> None:
    found: dict[str, defaultdict[uuid.UUID, list[Any]]] = {kind: defaultdict(list) for kind in SkillKind}
    for row in Skill.objects.filter(user_id__in=list(people)):
        found[row.kind][row.user_id].append(shapes.skill(row))
    for part in parts:
        _put(people, part, found[_SKILLS[part]])


def _put_authorization(view: ApiView, people: _People, *, own: bool) -> None:
    """Where the caller may see grants."""
    may = view.actor.access.divisions_for(Permission.AUTHORIZATION_GRANT_VIEW)
    seen = [row.id for row, _shape in people.values() if own or row.division_id in may]
    if not seen:
        return
    found: defaultdict[uuid.UUID, list[RoleGrant]] = defaultdict(list)
    grants = RoleGrant.objects.filter(
        organization=view.organization, subject_type=SubjectType.USER, subject_id__in=seen
    )
    for grant in grants.select_related("role").order_by("role__name", "id"):
        found[grant.subject_id].append(grant)
    for id in seen:
        people[id][1]["authorization"] = shapes.user_authorization(found[id])
