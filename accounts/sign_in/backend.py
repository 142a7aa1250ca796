"""Checks an email and a password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User


def may_use_password(user: User) -> bool:
    """Whether a password is a way in: in an organization with Only SSO, for one person alone."""
    organization = user.organization
    return not organization.only_sso or organization.password_keeper_id == user.id


class EmailBackend(ModelBackend):
    """Django's own checking (which spends the same time on an unknown person), without its permissions,
    and with the person's organization read in the same statement."""

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(user.is_active and user.organization.active)

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.select_related("organization", "division").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None

    def authenticate(
        self, request: HttpRequest | None, username: Any = None, password: Any = None, **kwargs: Any
    ) -> User | None:
        """Notes on the request, as `not_active` or `only_sso`, that the password was right but the person
        may not sign in, or not with it: only somebody who knows the password is told so, and it costs no
        second look at it."""
        if username is None or password is None:
            return None
        try:
            user = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            User().set_password(password)  # the same work as for somebody we know
            return None
        if not user.check_password(password):
            return None
        if self.user_can_authenticate(user):
            if may_use_password(user):
                return user
            if request is not None:
                request.only_sso = True  # type: ignore[attr-defined]
            return None
        if request is not None:
            request.not_active = True  # type: ignore[attr-defined]
        return None
