"""Who is behind a token, told as Latchkey tells it, by the ordinary means of Django REST framework.

`users/me` is four statements: the token with its person and client (`OAuth2Authentication`), the person's
profile, whether their organization lets the app act for them, and phone numbers. `users/least` and
`tokens/me` are the first alone, so they tell less than Latchkey's.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from oauth2_provider.contrib.rest_framework import TokenHasScope
from oauth2_provider.models import get_application_model
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.peers.tuned_dot.models import Approval, Division, Phone, Profile


class DivisionSerializer(serializers.ModelSerializer[Division]):
    class Meta:
        model = Division
        fields = ["id", "name"]


class PhoneSerializer(serializers.ModelSerializer[Phone]):
    address = serializers.CharField(source="value")

    class Meta:
        model = Phone
        fields = ["address", "kind"]


class ProfileSerializer(serializers.ModelSerializer[Profile]):
    id = serializers.IntegerField(source="user_id")
    name = serializers.CharField(source="user.get_full_name")
    email = serializers.CharField(source="user.email")
    username = serializers.CharField(source="user.username")
    division = DivisionSerializer()
    addresses = PhoneSerializer(source="user.phones", many=True)

    class Meta:
        model = Profile
        fields = [
            "id",
            "name",
            "division",
            "department",
            "email",
            "addresses",
            "state",
            "title",
            "username",
            "version",
        ]


class IsApproved(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        view.profile = Profile.objects.select_related("division").get(user_id=request.user.pk)
        view.profile.user = request.user
        return Approval.objects.filter(
            organization_id=view.profile.division.organization_id, application=request.auth.application
        ).exists()


class OwnUser(APIView):
    permission_classes = [TokenHasScope, IsApproved]
    required_scopes = ["read"]
    profile: Profile

    def get(self, request: Request) -> Response:
        return Response(ProfileSerializer(self.profile).data)


class UserSerializer(serializers.ModelSerializer[Any]):
    class Meta:
        model = get_user_model()
        fields = ["id", "username", "email", "first_name", "last_name", "is_active", "date_joined"]


class LeastOfUser(APIView):
    permission_classes = [TokenHasScope]
    required_scopes = ["read"]

    def get(self, request: Request) -> Response:
        return Response(UserSerializer(request.user).data)


class ClientSerializer(serializers.ModelSerializer[Any]):
    class Meta:
        model = get_application_model()
        fields = ["client_id", "name", "authorization_grant_type", "created", "updated"]


class OwnToken(APIView):
    permission_classes = [TokenHasScope]
    required_scopes = ["read"]

    def get(self, request: Request) -> Response:
        client = ClientSerializer(request.auth.application).data
        return Response({"client": client, "scope": request.auth.scope.split()})
