"""`/oauth/scopes` (wire contract C5 and F), described in the language of `Accept-Language`."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import NotFound
from accounts.rules import locale
from oauthclients.api import shapes
from oauthclients.api.oauth_clients import OAUTH_READ
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import requires
from oauthclients.scopes import CATALOGUE


def asked_for(request: Request) -> str:
    return next(locale.of_header(request.headers.get("Accept-Language", "")), settings.LANGUAGE_CODE)


class Scopes(ApiView):
    @requires(scopes=OAUTH_READ)
    def get(self, request: Request) -> Response:
        with translation.override(asked_for(request)):
            entities = [shapes.scope(CATALOGUE[name]) for name in sorted(CATALOGUE)]
        return Response({"total": len(entities), "entities": entities, "selfUri": request.path})


class OneScope(ApiView):
    @requires(scopes=OAUTH_READ)
    def get(self, request: Request, scope_id: str) -> Response:
        if scope_id not in CATALOGUE:
            raise NotFound
        with translation.override(asked_for(request)):
            return Response(shapes.scope(CATALOGUE[scope_id]))
