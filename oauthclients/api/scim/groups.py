"""`/scim/v2/groups` (wire contract H): list, read, change. Groups are made and deleted in the console."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, ClassVar

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import (
    Context,
    InvalidFilterException,
    InvalidPathException,
    InvalidValueException,
    PatchOp,
    PatchOperation,
    Path,
    ResponseParameters,
)
from scim2_models.path import CompareOperator, Comparison

from accounts import queries
from accounts.models import Group as GroupRow
from accounts.permissions import Permission
from accounts.queries import as_uuid
from accounts.services import groups
from oauthclients.api.scim import filters, shapes, tolerances
from oauthclients.api.scim.models import POLICY, Group
from oauthclients.api.scim.views import (
    SCIM,
    SCIM_READ,
    Listing,
    ScimView,
    answer,
    object_of,
    parameters_of,
    patch_of,
    require_match,
    search_of,
)
from oauthclients.resource_server.guard import requires

Members = frozenset[uuid.UUID]


class Groups(ScimView):
    # The vendor's alias lists all groups without a filter, its `/v2/` does not.
    filter_required: ClassVar[bool] = True

    @requires(Permission.DIRECTORY_GROUP_EDIT, scopes=SCIM_READ)
    def get(self, request: Request) -> Response:
        search = search_of(request, Group)
        if self.filter_required and search.filter is None:
            raise InvalidFilterException(
                detail=_('“filter” is required, such as: displayName eq "Agents".')
            )
        listing = Listing(search, Group, queries.groups(self.organization))
        listing.filtered(self.actor, filters.of_groups(self.actor), default="name")
        found = shapes.groups(self.actor, listing.page, with_members=_with_members(search))
        return listing.answer(found)


class AllGroups(Groups):
    filter_required = False

    @requires(Permission.DIRECTORY_GROUP_EDIT, scopes=SCIM_READ)
    def get(self, request: Request) -> Response:
        return super().get(request)


class OneGroup(ScimView):
    @requires(Permission.DIRECTORY_GROUP_EDIT, scopes=SCIM_READ)
    def get(self, request: Request, group_id: str) -> Response:
        return self._answer(request, queries.group(self.organization, group_id).id)

    @requires(Permission.DIRECTORY_GROUP_EDIT, scopes=SCIM)
    def put(self, request: Request, group_id: str) -> Response:
        """The members stay where none are given. Members whom the client does not see stay in any case."""
        found = queries.group(self.organization, group_id)
        resource = Group.model_validate(
            tolerances.whole_group(object_of(request)),
            scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST,
            scim_policy=POLICY,
        )
        wanted = None if resource.members is None else _ids(one.value for one in resource.members if one)
        with transaction.atomic():
            self._locked(request, found.id)
            groups.change(
                actor=self.actor,
                group_id=found.id,
                name=resource.display_name,
                external_id=resource.external_id,
            )
            if wanted is not None:
                members = wanted
                groups.change_members(actor=self.actor, group_id=found.id, spec=lambda _present: members)
        return self._answer(request, found.id)

    @requires(Permission.DIRECTORY_GROUP_EDIT, scopes=SCIM)
    def patch(self, request: Request, group_id: str) -> Response:
        """Of the members, only their ids are looked at: a group may have thousands, and the answer is short
        with `excludedAttributes=members`."""
        found = queries.group(self.organization, group_id)
        data = tolerances.patch(object_of(request))
        given = _taken_out(data)
        wanted = patch_of(data, Group)
        about_members = []
        others = []
        for operation, members in zip(wanted.operations or [], given, strict=True):
            if _is_about_members(operation):
                about_members.append(_of_members(operation, members))
            else:
                others.append(operation)
        wanted = wanted.model_copy(update={"operations": others})
        name, external_id = self._named(request, found.id, wanted)
        with transaction.atomic():
            row = self._locked(request, found.id)
            if row.version != found.version:
                name, external_id = self._named(request, found.id, wanted)
            groups.change(actor=self.actor, group_id=found.id, name=name, external_id=external_id)
            if about_members:
                groups.change_members(
                    actor=self.actor,
                    group_id=found.id,
                    spec=lambda present: reduce(
                        lambda members, change: change(members), about_members, present
                    ),
                )
        return self._answer(request, found.id)

    def _named(self, request: Request, group_id: uuid.UUID, wanted: PatchOp[Any]) -> tuple[str, str]:
        """The name and the external id after this."""
        present: Any = shapes.group(self.actor, group_id, with_members=False)
        require_match(request, present)
        wanted.patch(present, scim_policy=POLICY)
        return present.display_name, present.external_id or ""

    def _locked(self, request: Request, group_id: uuid.UUID) -> GroupRow:
        row = groups.locked(self.actor, group_id)
        if "If-Match" in request.headers:
            require_match(request, shapes.group(self.actor, group_id, with_members=False))
        return row

    def _answer(self, request: Request, group_id: uuid.UUID) -> Response:
        parameters = parameters_of(request, Group)
        found = shapes.group(self.actor, group_id, with_members=_with_members(parameters))
        return answer(request, found, parameters=parameters)


def _with_members(parameters: ResponseParameters[Any]) -> bool:
    """Whether the members are asked for: reading and writing them takes longest."""
    named = [str(path).lower().rpartition(":")[2] for path in parameters.attributes or ()]
    left_out = [str(path).lower().rpartition(":")[2] for path in parameters.excluded_attributes or ()]
    return "members" not in left_out and (
        not named or any(name.partition(".")[0] == "members" for name in named)
    )


# --- PATCH of the members: sets of ids, rather than a resource with all of them -------------------


def _taken_out(data: dict[str, Any]) -> list[Any]:
    """The values of the operations, and of long lists of members only the first left to the library, which
    would read them all, and those to be removed in a time that grows with their square."""
    operations = data.get("Operations")
    if not isinstance(operations, list):
        return []
    given = []
    for operation in operations:
        one = operation if isinstance(operation, dict) else {}
        value = one.get("value")
        given.append(value)
        if isinstance(value, list) and str(one.get("path")).rpartition(":")[2].lower() == "members":
            one["value"] = value[:1]
    return given


def _is_about_members(operation: PatchOperation[Any]) -> bool:
    return [part.lower() for part in Path[Group](operation.path or "").parts[:1]] == ["members"]


def _of_members(operation: PatchOperation[Any], value: Any) -> Callable[[Members], Members]:
    """What the operation makes of the members."""
    path = Path[Group](operation.path or "")
    selected = _selected(path)
    if operation.op == PatchOperation.Op.remove:
        if selected is None and value is None:
            return lambda members: frozenset()
        gone = _given(value) if selected is None else selected
        return lambda members: members - gone
    if selected is not None or path.parts[1:]:
        raise InvalidPathException(detail=_("A member is added or removed; it cannot be changed."))
    given = _given(value)
    return lambda members: members | given if operation.op == PatchOperation.Op.add else given


def _selected(path: Path[Any]) -> Members | None:
    """The id in `members[value eq "..."]`."""
    match path.value_filter:
        case None:
            return None
        case Comparison(op=CompareOperator.eq, attr_path=by, value=value) if by.attr.lower() == "value":
            return _ids([value])
        case _:
            raise InvalidPathException(detail=_('Members are named by: members[value eq "ID"].'))


def _given(value: Any) -> Members:
    if value is None:
        return frozenset()
    if not isinstance(value, list):
        raise InvalidValueException(detail=_("“members” must be a list."))
    return _ids(one.get("value") if isinstance(one, dict) else None for one in value)


def _ids(values: Iterable[Any]) -> Members:
    found = set()
    for value in values:
        key = as_uuid(value)
        if key is None:
            raise InvalidValueException(
                detail=_("There is no person with the ID %(id)s.") % {"id": str(value)[:100]}
            )
        found.add(key)
    return frozenset(found)
