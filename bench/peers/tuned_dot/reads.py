"""Who is behind a token, in the least code: one statement, that of `OAuth2Authentication`, which joins the
person and the client to the token. Latchkey's reads tell more (organization, division, rights of now)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from oauth2_provider.contrib.rest_framework import TokenHasScope
from oauth2_provider.models import get_application_model
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer
from rest_framework.views import APIView


class UserSerializer(ModelSerializer[Any]):
    class Meta:
        model = get_user_model()
        fields = ["id", "username", "email", "first_name", "last_name", "is_active", "date_joined"]


class ClientSerializer(ModelSerializer[Any]):
    class Meta:
        model = get_application_model()
        fields = ["client_id", "name", "authorization_grant_type", "created", "updated"]


class OwnUser(APIView):
    permission_classes = [TokenHasScope]
    required_scopes = ["read"]

    def get(self, request: Request) -> Response:
        return Response(UserSerializer(request.user).data)


class OwnToken(APIView):
    permission_classes = [TokenHasScope]
    required_scopes = ["read"]

    def get(self, request: Request) -> Response:
        client = ClientSerializer(request.auth.application).data
        return Response({"client": client, "scope": request.auth.scope.split()})
