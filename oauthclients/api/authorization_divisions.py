"""`/authorization/divisions` (wire contract D2 and D4)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries
from accounts.errors import NotFound
from accounts.models import Division, Organization, RoleGrant, UserState
from accounts.permissions import Permission
from accounts.services import divisions
from oauthclients.api import pairs, shapes
from oauthclients.api.authorization import MOST_IDS, READ, WRITE, called
from oauthclients.api.errors import ApiError
from oauthclients.api.paging import CursorPaging, Paging
from oauthclients.api.params import Body, Query, ids_in
from oauthclients.api.views import ApiView, no_content
from oauthclients.resource_server.guard import Where, requires

# What sits in a division here. The vendor has queues, flows and more.
PEOPLE = "USER"


class ManyDivisions(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        query, paging = Query(request), Paging(request)
        rows = called(queries.divisions(self.organization), query.text("name"))
        if (ids := query.ids("id", most=MOST_IDS)) is not None:
            rows = rows.filter(id__in=ids)
        if query.choice("sortBy", ("name", "id"), default="") == "id":
            rows = rows.order_by("id")
        page = paging.cut(rows)
        counts = _object_counts(self.organization, page) if query.flag("objectCount", default=False) else {}
        return Response(
            paging.envelope([shapes.division(row, counts.get(row.id)) for row in page], rows.count())
        )

    @requires(
        Permission.AUTHORIZATION_DIVISION_ADD,
        Permission.AUTHORIZATION_GRANT_ADD,
        scopes=WRITE,
        every=True,
        where=Where.NONE,
    )
    def post(self, request: Request) -> Response:
        name, description = _texts(Body(request.data))
        made = divisions.create(actor=self.actor, name=name or "", description=description or "")
        return Response(shapes.division(made))


class DeletedDivisions(ApiView):
    @requires(Permission.AUTHORIZATION_DIVISION_DELETED_VIEW, scopes=READ)
    def get(self, request: Request) -> Response:
        paging = Paging(request)
        rows = queries.deleted_divisions(self.organization)
        page = paging.cut(rows)
        return Response(paging.envelope([shapes.division(row) for row in page], rows.count()))


class DivisionsByCursor(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        query, paging = Query(request), CursorPaging(request)
        rows = called(queries.divisions(self.organization), query.text("name"))
        if (ids := query.ids("id", most=MOST_IDS)) is not None:
            rows = rows.filter(id__in=ids)
        page = paging.cut(rows)
        return Response(paging.envelope([shapes.division(row) for row in page], page))


class HomeDivision(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        return Response(shapes.division(queries.home_division(self.organization)))


class DivisionLimit(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        return Response(settings.MAX_DIVISIONS_PER_ORGANIZATION)


class OneDivision(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request, division_id: str) -> Response:
        wanted = Query(request).flag("objectCount", default=False)
        row = queries.division(self.organization, division_id)
        counts = _object_counts(self.organization, [row]) if wanted else {}
        return Response(shapes.division(row, counts.get(row.id)))

    @requires(Permission.AUTHORIZATION_DIVISION_EDIT, scopes=WRITE)
    def put(self, request: Request, division_id: str) -> Response:
        """Sparse: what is absent or null stays as it is (A4)."""
        queries.division(self.organization, division_id)
        name, description = _texts(Body(request.data))
        changed = divisions.change(
            actor=self.actor, division_id=division_id, name=name, description=description
        )
        return Response(shapes.division(changed))

    @requires(Permission.AUTHORIZATION_DIVISION_DELETE, scopes=WRITE)
    def delete(self, request: Request, division_id: str) -> Response:
        """An empty one. With `force`, its people move to Home and the roles held in it are taken away."""
        force = Query(request).flag("force", default=False)
        divisions.delete(
            actor=self.actor,
            division_id=division_id,
            move_to=queries.home_division(self.organization).id if force else None,
            with_grants=force,
        )
        return no_content()


class RestoredDivision(ApiView):
    @requires(Permission.AUTHORIZATION_DIVISION_ADD, scopes=WRITE)
    def post(self, request: Request, division_id: str) -> Response:
        """The body may give it another name, or describe it otherwise."""
        name, description = _texts(Body(request.data))
        restored = divisions.restore(
            actor=self.actor, division_id=division_id, name=name, description=description
        )
        return Response(shapes.division(restored))


class DivisionGrants(ApiView):
    @requires(Permission.AUTHORIZATION_GRANT_VIEW, scopes=READ)
    def get(self, request: Request, division_id: str) -> Response:
        """What is held in this very division, wherever its holders sit. What is held in all divisions is
        held in none of them in particular."""
        paging = Paging(request)
        division = queries.division(self.organization, division_id)
        self.actor.require(
            Permission.AUTHORIZATION_GRANT_VIEW, division_id=division.id, division_name=division.name
        )
        rows = (
            RoleGrant.objects.filter(organization=self.organization, division=division)
            .select_related("role", "division")
            .order_by("role__name", "subject_id", "id")
        )
        page = paging.cut(rows)
        drifted = set(pairs.drifted(self.organization, page))
        return Response(
            paging.envelope([shapes.grant(row, drifted=row in drifted) for row in page], rows.count())
        )


class DivisionObjects(ApiView):
    @requires(scopes=WRITE)
    def post(self, request: Request, division_id: str, object_type: str) -> Response:
        """Moves people here: `directory:user:edit` in this division and in theirs."""
        queries.division(self.organization, division_id)
        if object_type.upper() != PEOPLE:
            raise ApiError(
                400,
                "invalid.value",
                _("Only people can be moved: the object type must be USER."),
            )
        ids = ids_in(request.data)
        keys = [queries.as_uuid(id) for id in ids]
        if None in keys:
            raise NotFound
        divisions.move_people(
            actor=self.actor, division_id=division_id, user_ids=[key for key in keys if key]
        )
        return no_content()


def _texts(body: Body) -> tuple[str | None, str | None]:
    """Name and description, where they are given."""
    name = body.text("name", code="division.name.invalid")
    description = body.text("description")
    body.check()
    return name, description


def _object_counts(
    organization: Organization, divisions: Iterable[Division]
) -> dict[uuid.UUID, dict[str, int]]:
    """How many people sit in each of these divisions; people are all that has a division so far."""
    ids = [division.id for division in divisions]
    found = dict(
        queries.people(organization)
        .filter(division_id__in=ids)
        .exclude(state=UserState.DELETED)
        .order_by()
        .values_list("division_id")
        .annotate(Count("id"))
    )
    return {id: {PEOPLE: found.get(id, 0)} for id in ids}
