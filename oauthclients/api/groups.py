"""`/groups`: sets of people, as far as they exist here (docs/decisions/011-groups.md). Everybody may read
their names; their members are seen by who sees people in the members' divisions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries
from accounts.errors import Invalid
from accounts.models import Group, GroupMember, User
from accounts.permissions import Permission
from accounts.services import groups
from oauthclients.api import shapes
from oauthclients.api.paging import LARGEST, Paging, single_page
from oauthclients.api.params import Body, Query, fields_called
from oauthclients.api.user_contacts import with_contacts
from oauthclients.api.users import order_of, shaped
from oauthclients.api.views import ApiView, no_content
from oauthclients.resource_server.guard import requires

GROUPS = ("groups",)
GROUPS_READ = ("groups", "groups:readonly")


class Groups(ApiView):
    @requires(scopes=GROUPS_READ)
    def get(self, request: Request) -> Response:
        query, paging = Query(request), Paging(request)
        rows = queries.groups(self.organization).order_by(*order_of(query))
        if (ids := query.ids("id", most=LARGEST)) is not None:
            rows = rows.filter(id__in=ids)
        page = paging.cut(rows)
        counts = _counts(self, page)
        return Response(
            paging.envelope([shapes.group(row, counts.get(row.id, 0)) for row in page], rows.count())
        )

    @requires(Permission.DIRECTORY_GROUP_ADD, scopes=GROUPS)
    def post(self, request: Request) -> Response:
        body = Body(request.data)
        name, description = body.text("name"), body.text("description")
        body.check()
        made = groups.create(actor=self.actor, name=name or "", description=description or "")
        return Response(shapes.group(made, 0))


class OneGroup(ApiView):
    @requires(scopes=GROUPS_READ)
    def get(self, request: Request, group_id: str) -> Response:
        return Response(_one(self, queries.group(self.organization, group_id)))

    @requires(Permission.DIRECTORY_GROUP_EDIT, scopes=GROUPS)
    def put(self, request: Request, group_id: str) -> Response:
        """Needs the `version` that the caller read. Sparse: what is absent or null stays as it is (A4);
        what no group has here is ignored."""
        queries.group(self.organization, group_id)
        body = Body(request.data)
        version, name, description = body.whole("version"), body.text("name"), body.text("description")
        _require_version(body)
        changed = groups.change(
            actor=self.actor, group_id=group_id, version=version, name=name, description=description
        )
        return Response(_one(self, changed))

    @requires(Permission.DIRECTORY_GROUP_DELETE, scopes=GROUPS)
    def delete(self, request: Request, group_id: str) -> Response:
        groups.delete(actor=self.actor, group_id=group_id)
        return no_content()


class Members(ApiView):
    @requires(scopes=GROUPS_READ)
    def get(self, request: Request, group_id: str) -> Response:
        query, paging = Query(request), Paging(request)
        rows = _members(self, queries.group(self.organization, group_id))
        page = paging.cut(with_contacts(rows).order_by(*order_of(query)))
        return Response(paging.envelope(shaped(self, page, query.many("expand")), rows.count()))

    @requires(Permission.DIRECTORY_GROUP_EDIT, scopes=GROUPS)
    def post(self, request: Request, group_id: str) -> Response:
        """Adds these people. Needs the `version` that the caller read."""
        queries.group(self.organization, group_id)
        body = Body(request.data)
        version, ids = body.whole("version"), body.texts("memberIds")
        if ids is None and not body.has("memberIds"):
            body.problems.add("memberIds", "invalid.value", _("“memberIds” is required."))
        _require_version(body)
        added = _keys(ids or ())
        with fields_called({"members": "memberIds"}):
            groups.change_members(
                actor=self.actor,
                group_id=group_id,
                version=version,
                spec=lambda present: present | added,
            )
        return Response({})

    @requires(Permission.DIRECTORY_GROUP_EDIT, scopes=GROUPS)
    def delete(self, request: Request, group_id: str) -> Response:
        """Takes these people out: `ids`, as the SDKs call it, or `id`."""
        query = Query(request)
        queries.group(self.organization, group_id)
        asked = [query.ids(name, most=LARGEST) for name in ("ids", "id")]
        if asked == [None, None]:
            raise Invalid.one("ids", "invalid.value", _("“ids” is required."))
        removed = frozenset().union(*(ids for ids in asked if ids))
        groups.change_members(actor=self.actor, group_id=group_id, spec=lambda present: present - removed)
        return Response({})


class Individuals(ApiView):
    @requires(scopes=GROUPS_READ)
    def get(self, request: Request, group_id: str) -> Response:
        """All of the members in one page: the call takes no paging parameters."""
        rows = _members(self, queries.group(self.organization, group_id))
        people = list(with_contacts(rows).order_by("name", "id"))
        return Response(single_page(shaped(self, people, ()), request.path))


def _one(view: ApiView, row: Group) -> dict[str, object]:
    return shapes.group(row, _counts(view, [row]).get(row.id, 0))


def _members(view: ApiView, group: Group) -> QuerySet[User]:
    return _people_seen(view).filter(memberships__group=group)


def _people_seen(view: ApiView) -> QuerySet[User]:
    return queries.people_in(view.organization, queries.divisions_seen(view.actor.access))


def _counts(view: ApiView, rows: Iterable[Group]) -> dict[uuid.UUID, int]:
    """How many members of each the caller sees: one statement."""
    members = GroupMember.objects.filter(group__in=list(rows))
    seen = queries.divisions_seen(view.actor.access)
    if not seen.everywhere:
        members = members.filter(user__division_id__in=seen.ids)
    return dict(members.order_by().values_list("group_id").annotate(Count("id")))


def _keys(ids: Iterable[str]) -> frozenset[uuid.UUID]:
    """Raises `Invalid` for one that is not an id, as the service does for one that is nobody's."""
    keys = {id: queries.as_uuid(id) for id in ids}
    if unknown := [id for id, key in keys.items() if key is None]:
        raise Invalid.one(
            "memberIds",
            "invalid.value",
            _("There is no person with the ID %(id)s.") % {"id": unknown[0][:100]},
        )
    return frozenset(key for key in keys.values() if key)


def _require_version(body: Body) -> None:
    """Raises `Invalid` for everything that was wrong so far as well."""
    if not body.has("version"):
        body.problems.add("version", "invalid.value", _("“version” is required."))
    body.check()
