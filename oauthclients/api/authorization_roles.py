"""`/authorization/roles` (wire contract D2 and D3)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries
from accounts.errors import NotFound
from accounts.models import Organization, Role
from accounts.permissions import Permission, check_policies, expand, policies_for
from accounts.services import roles
from oauthclients.api import shapes
from oauthclients.api.authorization import MOST_IDS, READ, WRITE, called
from oauthclients.api.authorization_grants import give_role
from oauthclients.api.errors import ApiError
from oauthclients.api.paging import Paging, single_page
from oauthclients.api.params import Body, Query, list_in
from oauthclients.api.views import ApiView, no_content
from oauthclients.resource_server.guard import requires

BAD = "general.bad.request"


class Roles(ApiView):
    @requires(Permission.AUTHORIZATION_ROLE_VIEW, scopes=READ)
    def get(self, request: Request) -> Response:
        query, paging = Query(request), Paging(request)
        found = called(queries.roles(self.organization), query.text("name"))
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
        counts = _wanted_counts(self.organization, page, query)
        return Response(paging.envelope([shapes.role(row, counts.get(row.id)) for row in page], len(rows)))

    @requires(Permission.AUTHORIZATION_ROLE_ADD, scopes=WRITE)
    def post(self, request: Request) -> Response:
        given = _given(Body(request.data))
        role = roles.create_custom(
            actor=self.actor,
            name=given["name"] or "",
            description=given["description"] or "",
            policies=given["policies"] or (),
        )
        return Response(shapes.role(role, 0))


class OneRole(ApiView):
    @requires(Permission.AUTHORIZATION_ROLE_VIEW, scopes=READ)
    def get(self, request: Request, role_id: str) -> Response:
        query = Query(request)
        row = queries.role(self.organization, role_id)
        counts = _wanted_counts(self.organization, [row], query)
        return Response(shapes.role(row, counts.get(row.id)))

    @requires(Permission.AUTHORIZATION_ROLE_EDIT, scopes=WRITE)
    def put(self, request: Request, role_id: str) -> Response:
        """Sparse: what is absent or null stays as it is (A4). `notices` says which clients' token duration
        went back because of it."""
        queries.role(self.organization, role_id)
        changed = roles.change(actor=self.actor, role_id=role_id, **_given(Body(request.data)))
        counts = _counts(self.organization, [changed.role])
        return Response(shapes.role(changed.role, counts[changed.role.id], changed.notices))

    @requires(Permission.AUTHORIZATION_ROLE_EDIT, scopes=WRITE)
    def patch(self, request: Request, role_id: str) -> Response:
        """For `roleNeedsUpdate` alone, which no role here ever does."""
        row = queries.role(self.organization, role_id)
        body = Body(request.data)
        body.flag("roleNeedsUpdate")
        body.check()
        return Response(shapes.role(row, _counts(self.organization, [row])[row.id]))

    @requires(Permission.AUTHORIZATION_GRANT_ADD, scopes=WRITE)
    def post(self, request: Request, role_id: str) -> Response:
        """Gives it to people or clients."""
        give_role(self, request, role_id)
        return no_content()

    @requires(Permission.AUTHORIZATION_ROLE_DELETE, scopes=WRITE)
    def delete(self, request: Request, role_id: str) -> Response:
        roles.delete(actor=self.actor, role_id=role_id)
        return no_content()


class DefaultRoles(ApiView):
    @requires(Permission.AUTHORIZATION_ROLE_EDIT, scopes=WRITE)
    def post(self, request: Request) -> Response:
        """Adds the default roles that are missing. With `force`, the others get back what they came with;
        custom roles stay as they are either way."""
        force = Query(request).flag("force", default=False)
        found, notices = roles.restore_defaults(actor=self.actor, force=force)
        return self._answer(request, found, notices)

    @requires(Permission.AUTHORIZATION_ROLE_EDIT, scopes=WRITE)
    def put(self, request: Request) -> Response:
        """Gives the default roles that the body lists, by `id`, back what they came with."""
        entries = list_in(request.data)
        ids = [entry.get("id") if isinstance(entry, dict) else None for entry in entries]
        if not all(isinstance(id, str) for id in ids):
            raise ApiError(400, BAD, _("Each entry must be a role with an “id”."))
        found, notices = roles.restore_default(actor=self.actor, role_ids=ids)
        return self._answer(request, found, notices)

    def _answer(self, request: Request, found: Iterable[Role], notices: Iterable[str]) -> Response:
        rows = list(found)
        counts = _counts(self.organization, rows)
        listing = single_page([shapes.role(row, counts[row.id]) for row in rows], request.path)
        return Response({**listing, **({"notices": list(notices)} if notices else {})})


class ComparedRole(ApiView):
    """A role beside a default one as it is shipped, not as it may have become."""

    @requires(Permission.AUTHORIZATION_ROLE_VIEW, scopes=READ)
    def get(self, request: Request, left_role_id: str, right_role_id: str) -> Response:
        left = queries.role(self.organization, left_role_id)
        return self._answer(shapes.role(left), left.policies, right_role_id)

    @requires(Permission.AUTHORIZATION_ROLE_VIEW, scopes=READ)
    def post(self, request: Request, left_role_id: str, right_role_id: str) -> Response:
        """The left role as the body says that it will be; what is absent, as it is."""
        left = queries.role(self.organization, left_role_id)
        given = _given(Body(request.data))
        if given["policies"] is not None:
            left.policies = check_policies(given["policies"])
        left.name = left.name if given["name"] is None else given["name"]
        left.description = left.description if given["description"] is None else given["description"]
        return self._answer(shapes.role(left), left.policies, right_role_id)

    def _answer(
        self, left: dict[str, Any], policies: Iterable[Mapping[str, Any]], right_role_id: str
    ) -> Response:
        """`DomainOrgRoleDifference`"""
        right = queries.role(self.organization, right_role_id)
        default = roles.shipped(right)
        if default is None:
            raise NotFound(_("This is not a default role."))
        right.policies, right.description = list(default.policies), default.description
        has, had = expand(policies), expand(default.policies)
        return Response(
            {
                "addedPermissionPolicies": _policies(has - had),
                "removedPermissionPolicies": _policies(had - has),
                "samePermissionPolicies": _policies(has & had),
                "userOrgRole": left,
                "roleFromDefault": shapes.role(right),
            }
        )


def _policies(permissions: Iterable[str]) -> list[dict[str, Any]]:
    return [shapes.policy(one) for one in policies_for(permissions)]


def _given(body: Body) -> dict[str, Any]:
    """What a body says about a role, None for what it does not. What only looks like less than it would
    be is refused: a policy under a condition would be one without."""
    name, description = body.text("name", code=BAD), body.text("description", code=BAD)
    policies = body.entries("permissionPolicies", code=BAD)
    for number, policy in enumerate(policies or (), start=1):
        if isinstance(policy, dict) and (
            policy.get("resourceConditionNode") or policy.get("namedResources")
        ):
            body.problems.add(
                "permissionPolicies",
                BAD,
                _("Policies with conditions or named resources are not supported here."),
                line=number,
            )
    if body.raw("permissions"):
        body.problems.add(
            "permissions", BAD, _("There are no such permissions here. Use “permissionPolicies”.")
        )
    body.check()
    return {"name": name, "description": description, "policies": policies}


def _wanted_counts(organization: Organization, rows: Iterable[Role], query: Query) -> dict[uuid.UUID, int]:
    """`userCount=false` skips the counting."""
    return _counts(organization, rows) if query.flag("userCount", default=True) else {}


def _counts(organization: Organization, rows: Iterable[Role]) -> dict[uuid.UUID, int]:
    ids = [role.id for role in rows]
    return {**dict.fromkeys(ids, 0), **queries.user_counts(organization, ids)}
