"""`/authorization`, for reading: divisions, roles, permissions and who holds what (wire contract D)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries
from accounts.errors import NotFound
from accounts.models import Division, Organization, Role, UserState
from accounts.permissions import CATALOGUE, DOMAIN_LABELS, Permission, PermissionInfo, expand
from accounts.rules.access import Divisions
from oauthclients import queries as client_queries
from oauthclients.api import shapes
from oauthclients.api.errors import ApiError
from oauthclients.api.paging import Paging
from oauthclients.api.params import Query, bad_parameter
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import requires

READ = ("authorization", "authorization:readonly")
MOST_IDS = 100
LONGEST_NAME = 200


# --- Divisions -----------------------------------------------------------------------------------


class ManyDivisions(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        query, paging = Query(request), Paging(request)
        rows = _named(queries.divisions(self.organization), query.text("name"))
        if (ids := query.ids("id", most=MOST_IDS)) is not None:
            rows = rows.filter(id__in=ids)
        if query.choice("sortBy", ("name", "id"), default="") == "id":
            rows = rows.order_by("id")
        page = paging.cut(rows)
        counts = _object_counts(self.organization, page) if query.flag("objectCount", default=False) else {}
        return Response(
            paging.envelope([shapes.division(row, counts.get(row.id)) for row in page], rows.count())
        )


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
    return {id: {"USER": found.get(id, 0)} for id in ids}


# --- Roles ---------------------------------------------------------------------------------------


class Roles(ApiView):
    @requires(Permission.AUTHORIZATION_ROLE_VIEW, scopes=READ)
    def get(self, request: Request) -> Response:
        query, paging = Query(request), Paging(request)
        found = _named(queries.roles(self.organization), query.text("name"))
        if (ids := query.ids("id", most=MOST_IDS, code="max.role.ids")) is not None:
            found = found.filter(id__in=ids)
        if default_ids := query.many("defaultRoleId"):
            found = found.filter(default_role_id__in=default_ids)
        if query.choice("sortBy", ("name", "id"), default="") == "id":
            found = found.order_by("id")
        rows: list[Role] = list(found)
        if permissions := query.many("permission"):
            # Policies have wildcards, which the database cannot resolve; roles are few.
            rows = [row for row in rows if not expand(row.policies).isdisjoint(permissions)]
        page = paging.cut(rows)
        counts = _user_counts(self.organization, page, query)
        return Response(paging.envelope([shapes.role(row, counts.get(row.id)) for row in page], len(rows)))


class OneRole(ApiView):
    @requires(Permission.AUTHORIZATION_ROLE_VIEW, scopes=READ)
    def get(self, request: Request, role_id: str) -> Response:
        query = Query(request)
        row = queries.role(self.organization, role_id)
        counts = _user_counts(self.organization, [row], query)
        return Response(shapes.role(row, counts.get(row.id)))


def _user_counts(organization: Organization, roles: Iterable[Role], query: Query) -> dict[uuid.UUID, int]:
    """`userCount=false` skips the counting."""
    if not query.flag("userCount", default=True):
        return {}
    ids = [role.id for role in roles]
    return {**dict.fromkeys(ids, 0), **queries.user_counts(organization, ids)}


# --- Permissions ---------------------------------------------------------------------------------


class Permissions(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        """A page of domains, each with its permissions by entity (D6)."""
        query, paging = Query(request), Paging(request)
        kind = query.choice("queryType", ("domain", "permission"), default="permission")
        words = query.text("query").lower()
        by_domain: dict[str, list[PermissionInfo]] = {}
        for info in CATALOGUE.values():
            if words in (info.domain if kind == "domain" else info.name).lower():
                by_domain.setdefault(info.domain, []).append(info)
        page = paging.cut(sorted(by_domain))
        return Response(paging.envelope([_domain(name, by_domain[name]) for name in page], len(by_domain)))


def _domain(name: str, permissions: Iterable[PermissionInfo]) -> dict[str, Any]:
    entities: dict[str, list[dict[str, Any]]] = {}
    for info in permissions:
        entities.setdefault(info.entity, []).append(
            {
                "domain": info.domain,
                "entityType": info.entity,
                "action": info.action,
                "label": info.label,
                "allowsConditions": False,
                "divisionAware": info.division_aware,
            }
        )
    return {
        "id": name,
        "name": str(DOMAIN_LABELS.get(name, name)),
        "domain": name,
        "permissionMap": entities,
        "selfUri": f"{shapes.BASE}/authorization/permissions?queryType=domain&query={name}",
    }


# --- Subjects ------------------------------------------------------------------------------------


class OwnSubject(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        person, client = self.caller.person, self.caller.client
        if person is not None:
            grants = queries.grants_of(self.organization, person.id)
            return Response(shapes.subject(person.id, str(person), person.version, grants))
        grants = queries.grants_of(self.organization, client.id)
        return Response(shapes.subject(client.id, client.name, client.version, grants))


class OneSubject(ApiView):
    @requires(Permission.AUTHORIZATION_GRANT_VIEW, scopes=READ)
    def get(self, request: Request, subject_id: str) -> Response:
        """A person, seen by who may see grants in the person's division, or a client, which sits in
        none."""
        key = queries.as_uuid(subject_id)
        if key is None:
            raise NotFound
        person = queries.people(self.organization).filter(id=key).first()
        if person is not None:
            self.actor.require(
                Permission.AUTHORIZATION_GRANT_VIEW,
                division_id=person.division_id,
                division_name=person.division.name,
            )
            grants = queries.grants_of(self.organization, person.id)
            return Response(shapes.subject(person.id, str(person), person.version, grants))
        client = client_queries.clients(self.organization).filter(id=key).first()
        if client is None:
            raise NotFound
        grants = queries.grants_of(self.organization, client.id)
        return Response(shapes.subject(client.id, client.name, client.version, grants))


# --- Permitted divisions -------------------------------------------------------------------------


class DivisionsPermitted(ApiView):
    """Deprecated, and still called by older programs: a bare list."""

    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        rows, _permitted = _permitted_divisions(self, request)
        return Response([shapes.division(row) for row in rows])


class DivisionsPermittedPaged(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        paging = Paging(request)
        rows, permitted = _permitted_divisions(self, request)
        page = paging.cut(rows)
        return Response(
            {
                **paging.envelope([shapes.division(row) for row in page], rows.count()),
                "allDivsPermitted": permitted.everywhere,
            }
        )


def _permitted_divisions(view: ApiView, request: Request) -> tuple[QuerySet[Division], Divisions]:
    """Where the caller holds the permission that the request names."""
    query = Query(request)
    permission = query.text("permission")
    if not permission:
        raise ApiError(400, "missing.permission.param", _("The parameter “permission” is required."))
    if permission not in CATALOGUE:
        raise bad_parameter("permission", _("There is no such permission."))
    permitted = view.actor.access.divisions_for(permission)
    rows = _named(queries.divisions(view.organization), query.text("name"))
    return (rows if permitted.everywhere else rows.filter(id__in=permitted.ids)), permitted


def _named(rows: QuerySet[Any], name: str) -> QuerySet[Any]:
    """Those with this in their names; `*` around it, as some programs send, changes nothing."""
    name = name.strip("*")
    if len(name) > LONGEST_NAME:
        return rows.none()
    return rows.filter(Q(name__icontains=name)) if name else rows
