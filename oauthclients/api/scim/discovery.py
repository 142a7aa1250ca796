"""What this service can do, and the attributes that it knows (RFC 7644 4)."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import Context, Meta, Resource, ResourceType, Schema, ScimFilter

from accounts.errors import NotFound
from oauthclients.api.scim import shapes
from oauthclients.api.scim.models import PROVIDER
from oauthclients.api.scim.views import SCIM_READ, ScimView, list_of, search_of
from oauthclients.resource_server.guard import requires


class ProviderConfig(ScimView):
    @requires(scopes=SCIM_READ)
    def get(self, request: Request) -> Response:
        assert PROVIDER.config is not None
        return Response(_shown(PROVIDER.config, "serviceproviderconfig"))


class ResourceTypes(ScimView):
    @requires(scopes=SCIM_READ)
    def get(self, request: Request) -> Response:
        shown = [_shown(one, f"resourcetypes/{one.id}") for one in PROVIDER.resource_types]
        return Response(list_of(shown, len(shown)))


class OneResourceType(ScimView):
    @requires(scopes=SCIM_READ)
    def get(self, request: Request, resource_type: str) -> Response:
        found = _called(PROVIDER.resource_types, resource_type)
        return Response(_shown(found, f"resourcetypes/{found.id}"))


class Schemas(ScimView):
    @requires(scopes=SCIM_READ)
    def get(self, request: Request) -> Response:
        """With the vendor's `filter`: there are four of them, all in memory."""
        wanted: ScimFilter[Any] | None = search_of(request, Schema).filter
        found = [one for one in PROVIDER.schemas if wanted is None or wanted.match(one)]
        return Response(list_of([_shown(one, f"schemas/{one.id}") for one in found], len(found)))


class OneSchema(ScimView):
    @requires(scopes=SCIM_READ)
    def get(self, request: Request, schema_id: str) -> Response:
        found = _called(PROVIDER.schemas, schema_id)
        return Response(_shown(found, f"schemas/{found.id}"))


def _called(all_of_them: tuple[Any, ...], id: str) -> Resource[Any]:
    found = next((one for one in all_of_them if str(one.id).lower() == id.lower()), None)
    if found is None:
        raise NotFound
    return found


def _shown(resource: Resource[Any], path: str) -> dict[str, Any]:
    kind = {Schema: "Schema", ResourceType: "ResourceType"}.get(type(resource), "ServiceProviderConfig")
    meta = Meta(resource_type=kind, location=f"{shapes.BASE}/{path}")
    whole = resource.model_copy(update={"meta": meta})
    return whole.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
