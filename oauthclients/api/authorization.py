"""`/authorization/permissions` and `/authorization/divisionspermitted`: what can be allowed, and where it
is (wire contract D5 and D6). Divisions, roles and grants have files of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries
from accounts.models import Division
from accounts.permissions import CATALOGUE, DOMAIN_LABELS, PermissionInfo
from accounts.rules.access import NOWHERE, Access, Divisions
from oauthclients.api import shapes
from oauthclients.api.errors import ApiError
from oauthclients.api.paging import Paging
from oauthclients.api.params import Query, bad_parameter
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import requires

READ = ("authorization", "authorization:readonly")
WRITE = ("authorization",)
# Wire contract J.
MOST_IDS = 100
LONGEST_NAME = 200


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


# --- Permitted divisions -------------------------------------------------------------------------


class DivisionsPermitted(ApiView):
    """Deprecated, and still called by older programs: a bare list."""

    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        rows, _permitted = permitted_divisions(self, request, self.actor.access)
        return Response([shapes.division(row) for row in rows])


class DivisionsPermittedPaged(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        return permitted_page(self, request, self.actor.access)


def permitted_page(view: ApiView, request: Request, access: Access) -> Response:
    """`DivsPermittedEntityListing`"""
    paging = Paging(request)
    rows, permitted = permitted_divisions(view, request, access)
    page = paging.cut(rows)
    return Response(
        {
            **paging.envelope([shapes.division(row) for row in page], rows.count()),
            "allDivsPermitted": permitted.everywhere,
        }
    )


def permitted_divisions(
    view: ApiView, request: Request, access: Access
) -> tuple[QuerySet[Division], Divisions]:
    """Where somebody with this access holds the permission that the request names."""
    query = Query(request)
    permission = query.text("permission")
    if not permission:
        raise ApiError(400, "missing.permission.param", _("The parameter “permission” is required."))
    if permission not in CATALOGUE:
        raise bad_parameter("permission", _("There is no such permission."))
    # To ask where something is held is not to use it.
    permitted = access.by_permission.get(permission, NOWHERE)
    rows = called(queries.divisions(view.organization), query.text("name"))
    return (rows if permitted.everywhere else rows.filter(id__in=permitted.ids)), permitted


def called(rows: QuerySet[Any], name: str) -> QuerySet[Any]:
    """Those with this in their names; `*` around it, as some programs send, changes nothing."""
    name = name.strip("*")
    if len(name) > LONGEST_NAME:
        return rows.none()
    return rows.filter(Q(name__icontains=name)) if name else rows
