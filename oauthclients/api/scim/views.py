"""What every view under `/api/v2/scim` shares: SCIM's media type, errors, paging and entity tags."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.urls import Resolver404
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import (
    Context,
    InvalidFilterException,
    InvalidSyntaxException,
    InvalidValueException,
    ListResponse,
    PatchOp,
    PreconditionFailedException,
    Resource,
    ResponseParameters,
    SearchRequest,
)

from accounts.actor import Actor
from oauthclients.api.errors import ApiError
from oauthclients.api.parsing import LenientJSONParser
from oauthclients.api.scim import errors, filters, patches, shapes
from oauthclients.api.scim.models import DEFAULT_PAGE, LARGEST_PAGE, POLICY
from oauthclients.api.views import ApiView, NoSuchRoute

MEDIA_TYPE = "application/scim+json"
SCIM = ("scim",)
SCIM_READ = ("scim", "scim:readonly")
# RFC 7644 has them answered with 501 rather than 404 (3.7, 3.11).
_NOT_SUPPORTED = (["me"], ["bulk"])
_PARAMETERS = ("attributes", "excludedAttributes")
_SEARCH = ("filter", "sortBy", "sortOrder", "startIndex", "count", *_PARAMETERS)


class ScimParser(LenientJSONParser):
    media_type = MEDIA_TYPE


class ScimRenderer(JSONRenderer):
    media_type = MEDIA_TYPE
    charset = None


class ScimView(ApiView):
    """The base of all of them."""

    parser_classes = (ScimParser, LenientJSONParser)
    renderer_classes = (ScimRenderer,)

    def get_exception_handler(self) -> Any:
        return errors.handle


class NoSuchScimRoute(ScimView, NoSuchRoute):
    """Every other address under `/api/v2/scim`. RFC 7644 writes `/Users` where the vendor writes `/users`:
    both are answered, here by whoever answers the latter."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        from oauthclients.api.scim.urls import in_lower_case  # the views there lead here

        rest = str(kwargs.pop("rest", ""))
        try:
            found = in_lower_case(rest)
        except Resolver404:
            self.parts = [part for part in rest.lower().split("/") if part != "v2"]
            return super().dispatch(request, *args, **kwargs)
        return found.func(request, *found.args, **found.kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if self.parts in _NOT_SUPPORTED:
            self._answer_in_json(request)
            raise ApiError(501, "not.implemented", _("This service does not support this."))
        super().initial(request, *args, **kwargs)


# --- Reading requests ----------------------------------------------------------------------------


def object_of(request: Request) -> dict[str, Any]:
    """The body. Raises `InvalidSyntaxException` for anything but a JSON object."""
    data = request.data
    if not isinstance(data, dict):
        raise InvalidSyntaxException(detail=_("The body must be a JSON object."))
    return data


def patch_of(data: dict[str, Any], model: Any) -> PatchOp[Any]:
    """Of the body, as `tolerances.patch` has it. Raises `InvalidValueException`, `ValidationError`."""
    operations = data.get("Operations")
    if isinstance(operations, list):
        data = {**data, "Operations": patches.tidied(operations)}
    checked: PatchOp[Any] = PatchOp[model].model_validate(
        data, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY
    )
    return checked


def parameters_of(request: Request, model: Any) -> ResponseParameters[Any]:
    """`attributes` and `excludedAttributes`."""
    found: ResponseParameters[Any] = ResponseParameters[model].model_validate(
        _given(request, _PARAMETERS), scim_policy=POLICY
    )
    return found


def search_of(request: Request, model: Any) -> SearchRequest[Any]:
    """The query of a listing, checked against the model. Raises `InvalidFilterException`,
    `ValidationError`."""
    given = _given(request, _SEARCH)
    if len(given.get("filter", "")) > filters.LONGEST:
        raise InvalidFilterException(
            detail=_("A filter can have at most %(most)s characters.") % {"most": filters.LONGEST}
        )
    found: SearchRequest[Any] = SearchRequest[model].model_validate(given, scim_policy=POLICY)
    return found


def _given(request: Request, names: Iterable[str]) -> dict[str, str]:
    """An empty value is an absent one: that is how the SDKs write "not given"."""
    given = {}
    for name in names:
        value = ",".join(request.query_params.getlist(name)).strip()
        if "\x00" in value:
            raise InvalidValueException(detail=_("It must not contain control characters."))
        if value:
            given[name] = value
    return given


# --- Writing answers -----------------------------------------------------------------------------


def answer(
    request: Request, resource: Resource[Any], *, status: int = 200, parameters: Any = None
) -> Response:
    """One resource with its entity tag; 304 for a reader who has it already (RFC 7644 3.14)."""
    tag = shapes.version_of(resource)
    if request.method in ("GET", "HEAD") and _matches(request.headers.get("If-None-Match"), tag):
        return Response(status=304, headers={"ETag": tag})
    headers = {"ETag": tag}
    assert resource.meta is not None
    if status == 201:
        headers["Location"] = str(resource.meta.location)
    return Response(shapes.on_wire(resource, parameters), status=status, headers=headers)


def require_match(request: Request, resource: Resource[Any]) -> None:
    """Raises `PreconditionFailedException` unless `If-Match` is absent or names what is there."""
    wanted = request.headers.get("If-Match")
    if wanted is not None and not _matches(wanted, shapes.version_of(resource)):
        raise PreconditionFailedException(
            detail=_("It has been changed in the meantime: read it again, and send its new version.")
        )


def _matches(header: str | None, tag: str) -> bool:
    """Weak comparison (RFC 9110 8.8.3.2): our tags are weak."""
    if header is None:
        return False
    given = [one.removeprefix("W/") for one in parse_etags(header)]
    return "*" in given or tag.removeprefix("W/") in given


class Listing:
    """A page of rows: which, in what order, and how many there are."""

    def __init__(self, search: SearchRequest[Any], model: Any, rows: QuerySet[Any]) -> None:
        self.search, self.model, self.rows = search, model, rows

    def filtered(self, actor: Actor, attributes: filters.Attributes, default: str) -> Listing:
        if self.search.filter is not None:
            self.rows = self.rows.filter(filters.where(self.search.filter, attributes))
        self.rows = self.rows.order_by(*filters.order(self.search, self.model, attributes, default))
        self.total = self.rows.order_by().count()
        return self

    @property
    def start(self) -> int:
        return self.search.start_index or 1

    @property
    def page(self) -> QuerySet[Any]:
        count = DEFAULT_PAGE if self.search.count is None else min(self.search.count, LARGEST_PAGE)
        if not count or self.start > self.total:
            return self.rows.none()
        return self.rows[self.start - 1 : self.start - 1 + count]

    def answer(self, resources: list[Resource[Any]]) -> Response:
        return Response(
            list_of([shapes.on_wire(one, self.search) for one in resources], self.total, start=self.start)
        )


def list_of(resources: list[dict[str, Any]], total: int, *, start: int = 1) -> dict[str, Any]:
    return {
        "schemas": [str(ListResponse.__schema__)],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }
