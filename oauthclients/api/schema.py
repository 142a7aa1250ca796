"""The OpenAPI document: what each route asks of its caller, read from where it is asked (`requires`).

drf-spectacular finds the routes. There are no serializers: what goes over the wire is in components.py, and
which operation has what of it in operations.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from accounts import permissions
from accounts.models import SubjectType
from oauthclients.api import components
from oauthclients.api.components import ANYTHING, TEXTS, ref
from oauthclients.api.operations import ANSWERS, BODIES, CODES, CREATED
from oauthclients.api.paging import LARGEST
from oauthclients.api.scim.models import DEFAULT_PAGE, LARGEST_PAGE
from oauthclients.resource_server.guard import Requirement, requirement_of
from oauthclients.rules import effective_access
from oauthclients.scopes import CATALOGUE
from oauthclients.usage_reports import MOST_DAYS

# The vendor's `PureCloud OAuth`, with the space that OpenAPI 3 does not allow.
SECURITY = "PureCloud-OAuth"
PERMISSIONS = "x-inin-requires-permissions"  # the vendor's key as well
KEPT_SECONDS = 300
_BASE = "/api/v2/"
_CLIENTS = f"{_BASE}oauth/clients"
# Its routes have errors and a media type of their own.
_SCIM = f"{_BASE}scim/"
_SCIM_MEDIA_TYPE = "application/scim+json"


def _text(name: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, str, required=required)


def _many(name: str) -> OpenApiParameter:
    """Comma-joined, as the SDKs do it (wire contract, fact 1)."""
    return OpenApiParameter(name, TEXTS, explode=False)


def _flag(name: str) -> OpenApiParameter:
    return OpenApiParameter(name, bool)


_SIZE = OpenApiParameter("pageSize", {"type": "integer", "minimum": 1, "maximum": LARGEST, "default": 25})
_PAGE = (_SIZE, OpenApiParameter("pageNumber", {"type": "integer", "minimum": 1, "default": 1}))
_SCIM_ATTRIBUTES = (_many("attributes"), _many("excludedAttributes"))
_SCIM_FILTER = _text("filter")
_SCIM_PAGE = (
    OpenApiParameter("startIndex", {"type": "integer", "minimum": 1, "default": 1}),
    OpenApiParameter(
        "count", {"type": "integer", "minimum": 0, "maximum": LARGEST_PAGE, "default": DEFAULT_PAGE}
    ),
    _text("sortBy"),
    OpenApiParameter("sortOrder", str, enum=("ascending", "descending")),
    *_SCIM_ATTRIBUTES,
)
_SCIM_QUERY: Mapping[str, tuple[OpenApiParameter, ...]] = {
    f"{method}Scim{version}{name}": parameters
    for version in ("", "V2")
    for method, name, parameters in (
        ("get", "Users", (*_SCIM_PAGE, _SCIM_FILTER)),
        ("post", "Users", _SCIM_ATTRIBUTES),
        # Required at `/scim/v2/` alone, as the vendor has it.
        ("get", "Groups", (*_SCIM_PAGE, _text("filter", required=version == "V2"))),
        *(
            (method, name, _SCIM_ATTRIBUTES)
            for method in ("get", "put", "patch")
            for name in ("User", "Group")
        ),
        ("get", "Schemas", (_SCIM_FILTER,)),
    )
}
_SUBJECT_TYPE = OpenApiParameter("subjectType", str, enum=SubjectType.values)
_QUERY: Mapping[str, tuple[OpenApiParameter, ...]] = {
    "getUsers": (*_PAGE, _many("id"), _text("state"), _text("sortOrder"), _many("expand")),
    "getUser": (_text("state"), _many("expand")),
    "getUsersMe": (_many("expand"),),
    "getUsersQuery": (_SIZE, _text("cursor"), _text("state"), _text("sortOrder"), _many("expand")),
    "getUsersSearch": (_text("q64", required=True), _many("expand")),
    "getOauthClientUsageSummary": (
        OpenApiParameter("days", {"type": "integer", "minimum": 1, "maximum": MOST_DAYS, "default": 7}),
    ),
    "getUsageSimplesearchExecutionIdResults": (
        OpenApiParameter("pageSize", {"type": "integer", "minimum": 1, "maximum": LARGEST, "default": 100}),
        _text("after"),
    ),
    "getTokensMe": (_flag("preserveIdleTTL"),),
    "getAuthorizationDivisions": (
        *_PAGE,
        _many("id"),
        _text("name"),
        _text("sortBy"),
        _flag("objectCount"),
    ),
    "getAuthorizationDivision": (_flag("objectCount"),),
    "getAuthorizationDivisionspermittedMe": (_text("permission", required=True), _text("name")),
    "getAuthorizationDivisionspermittedPagedMe": (
        *_PAGE,
        _text("permission", required=True),
        _text("name"),
    ),
    "getAuthorizationPermissions": (*_PAGE, _text("queryType"), _text("query")),
    "getAuthorizationRoles": (
        *_PAGE,
        _many("id"),
        _text("name"),
        _text("sortBy"),
        _many("permission"),
        _many("defaultRoleId"),
        _flag("userCount"),
    ),
    "getAuthorizationRole": (_flag("userCount"),),
    "deleteAuthorizationDivision": (_flag("force"),),
    "getAuthorizationDivisionsDeleted": _PAGE,
    "getAuthorizationDivisionsQuery": (_SIZE, _text("before"), _text("after"), _many("id"), _text("name")),
    "getAuthorizationDivisionGrants": _PAGE,
    "getAuthorizationDivisionspermittedPagedSubjectId": (
        *_PAGE,
        _text("permission", required=True),
        _text("name"),
    ),
    "postAuthorizationRolesDefault": (_flag("force"),),
    "postAuthorizationRole": (_SUBJECT_TYPE,),
    "getAuthorizationRoleSubjectgrants": _PAGE,
    "getAuthorizationRoleUsers": _PAGE,
    "getAuthorizationSubjectsRolecounts": (_many("id"),),
    "postAuthorizationSubjectBulkadd": (_SUBJECT_TYPE,),
    "postAuthorizationSubjectBulkremove": (_SUBJECT_TYPE,),
    "postAuthorizationSubjectBulkreplace": (_SUBJECT_TYPE,),
    "postAuthorizationSubjectDivisionRole": (_SUBJECT_TYPE,),
    "getGroups": (*_PAGE, _many("id"), _text("sortOrder")),
    "getGroupMembers": (*_PAGE, _text("sortOrder"), _many("expand")),
    "deleteGroupMembers": (_many("ids"),),
    "postUserInvite": (_flag("force"),),
    "getUsersExternalidAuthorityNameExternalKey": (_many("expand"),),
    **_SCIM_QUERY,
}

_SCIM_TYPES = (
    "invalidFilter",
    "invalidPath",
    "invalidSyntax",
    "invalidValue",
    "mutability",
    "noTarget",
)


@require_safe
@cache_control(public=True, max_age=KEPT_SECONDS)
def document(request: HttpRequest) -> HttpResponse:
    """GET /api/schema, for everybody. In the language of `Accept-Language`."""
    return JsonResponse(_document(get_language()))


@cache
def _document(language: str | None) -> dict[str, Any]:
    """Made once for each language: it changes with the code only."""
    return SchemaGenerator().get_schema(public=True)


class Schema(AutoSchema):
    """One operation of the document."""

    @property
    def requirement(self) -> Requirement:
        found = requirement_of(self.view, self.method)
        assert found is not None, f"{self.method} {self.path} answers nobody"
        return found

    def get_operation_id(self) -> str:
        """As the vendor has it: GET /api/v2/users/{user_id} is `getUser`, GET /api/v2/users `getUsers`."""
        path = re.sub(r"s/\{\w+\}", "", self.path.removeprefix(_BASE))
        return self.method.lower() + "".join(_capitalized(word) for word in path.split("/"))

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix(_BASE).split("/")[0]]

    def get_description(self) -> str:  # type: ignore[override]
        """What it needs, in words. The docstrings are for those who read the code."""
        needed = self.requirement
        if needed.any_of:
            pattern = (
                _("Needs each of these permissions: %(names)s.")
                if needed.every
                else _("Needs one of these permissions: %(names)s.")
            )
            sentences = [pattern % {"names": _listed(needed.any_of)}]
        else:
            sentences = [_("Needs no permission.")]
        if needed.user_context:
            sentences.append(_("Only for apps that act for a person."))
        pattern = _("An app that acts for a person needs one of these scopes: %(names)s.")
        sentences.append(pattern % {"names": _listed(needed.scopes)})
        if needed.lenient:
            sentences.append(_("It is answered without one as well."))
        return " ".join(sentences)

    def get_auth(self) -> list[dict[str, Any]]:
        """One entry for each scope: any of them is enough."""
        self.registry.register_on_missing(
            ResolvedComponent(SECURITY, ResolvedComponent.SECURITY_SCHEMA, _security(), object=Schema)
        )
        return [{SECURITY: [scope]} for scope in self.requirement.scopes]

    def get_extensions(self) -> dict[str, Any]:
        needed = self.requirement
        if not needed.any_of:
            return {}
        return {PERMISSIONS: {"type": "ALL" if needed.every else "ANY", "permissions": list(needed.any_of)}}

    def get_override_parameters(self) -> list[Any]:
        return list(_QUERY.get(self.get_operation_id(), ()))

    def get_request_serializer(self) -> Any:
        body = BODIES.get(self.get_operation_id(), ANYTHING)
        if body is None:
            return None
        self._needs(body)
        kinds = (_SCIM_MEDIA_TYPE, "application/json") if self._scim else ("application/json",)
        return dict.fromkeys(kinds, body)

    def get_response_serializers(self) -> Any:
        operation = self.get_operation_id()
        shape = ANSWERS.get(operation, ANYTHING)
        if shape is None:
            answer = {204: OpenApiResponse(description=_("Done"))}
        else:
            self._needs(shape)
            answer = {200: OpenApiResponse(shape, _("Done"))}
        if operation in CREATED:
            answer[201] = answer[200]
        return answer | {status: self._error(status, codes) for status, codes in self._codes().items()}

    def _codes(self) -> dict[int, tuple[str, ...]]:
        """What it may be refused with, by status: what follows from what it is (wire contract G2), and its
        own."""
        writes = self.method not in ("GET", "HEAD")
        takes = self.method in ("POST", "PUT", "PATCH")
        found: dict[int, tuple[str, ...]] = {
            400: ("bad.request", "invalid.query.param.value"),
            401: ("authentication.required", "bad.credentials"),
            403: self._refusals(writes),
            404: ("client.not.found",) if self.path.startswith(_CLIENTS) else ("not.found",),
        }
        if takes:
            found[400] += ("invalid.value", "invalid.date")
            found[413] = ("request.entity.too.large",)
            found[415] = ("unsupported.media.type",)
        if writes:
            found[409] = ("general.conflict", "request.conflict", "resource.already.exists")
        for status, codes in CODES.get(self.get_operation_id(), {}).items():
            found[status] = (*found.get(status, ()), *codes)
        found[429] = ("too.many.requests.retry.after",)
        return dict(sorted(found.items()))

    def _refusals(self, writes: bool) -> tuple[str, ...]:
        """What the guard and the rules behind it say to somebody who may not."""
        needed = self.requirement
        found = []
        if needed.any_of:
            found.append("missing.permissions" if needed.every else "missing.any.permissions")
            if any(permissions.CATALOGUE[name].division_aware for name in needed.any_of):
                several = len(needed.any_of) > 1 and not needed.every
                found += ["missing.division.permission"]
                found += ["missing.any.division.permissions"] if several else []
        if writes:
            # Nobody hands on, or touches, what they do not hold (accounts/rules/delegation.py).
            found.append("missing.division.permissions")
        return (
            *found,
            effective_access.MISSING_SCOPE,
            effective_access.NOT_AUTHORIZED,
            effective_access.ROLE_LIMIT,
        )

    def _error(self, status: int, codes: tuple[str, ...]) -> OpenApiResponse:
        """SCIM has keywords for what is wrong with a request; of other errors, the status says which."""
        body = ref("ScimError" if self._scim else "ErrorBody")
        self._needs(body)
        if not self._scim:
            return OpenApiResponse(body, _listed(codes))
        known = _listed(_SCIM_TYPES) if status == HTTPStatus.BAD_REQUEST else HTTPStatus(status).phrase
        return OpenApiResponse(body, known)

    def _needs(self, shape: Any) -> None:
        """Puts the components into the document that this one refers to, each once."""
        for name in components.named_in(shape):
            one = ResolvedComponent(
                name, ResolvedComponent.SCHEMA, components.COMPONENTS[name], object=Schema
            )
            if one not in self.registry:
                self.registry.register(one)
                self._needs(one.schema)

    @property
    def _scim(self) -> bool:
        return self.path.startswith(_SCIM)


def _capitalized(word: str) -> str:
    """`roles`, or `{left_role_id}`, in the name of an operation."""
    if not word.startswith("{"):
        return word.capitalize()
    name = re.sub(r"_(\w)", lambda letter: letter[1].upper(), word.strip("{}"))
    return name[:1].upper() + name[1:]


def _security() -> dict[str, Any]:
    """Built at each use, for the language of the reader."""
    scopes = {scope.name: scope.sentence for scope in CATALOGUE.values()}
    authorize = {"authorizationUrl": f"{settings.BASE_URL}/oauth/authorize"}
    token = {"tokenUrl": f"{settings.BASE_URL}/oauth/token"}
    return {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {**authorize, **token, "refreshUrl": token["tokenUrl"], "scopes": scopes},
            # Which ignore scopes; an entry of `security` must name those of its flow.
            "clientCredentials": {**token, "scopes": scopes},
            "implicit": {**authorize, "scopes": scopes},
        },
    }


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
