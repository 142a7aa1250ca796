"""`/organizations/me` (wire contract E5)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from oauthclients.api import shapes
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import requires


class OwnOrganization(ApiView):
    @requires(scopes=("organization", "organization:readonly"))
    def get(self, request: Request) -> Response:
        return Response(shapes.organization(self.organization))
