"""A person. Signs in by email, belongs to one organization and sits in one of its divisions."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models.division import Division
from accounts.models.organization import Organization


class UserState(models.TextChoices):
    """Wire contract E3: `deleted` people stay as rows, so that what they made keeps its author."""

    ACTIVE = "active", _("Active")
    INACTIVE = "inactive", _("Inactive")
    DELETED = "deleted", _("Deleted")


class Source(models.TextChoices):
    """Who keeps a person: the people here, or an identity management system by SCIM."""

    LOCAL = "local", _("Local")
    SCIM = "scim", _("SCIM")


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        # Emails are stored in lower case (services/people.py), so an exact match is enough.
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """`email` is unique over all organizations: the sign-in page asks for nothing else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="people")
    division = models.ForeignKey(Division, models.PROTECT, related_name="people")
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    title = models.CharField(max_length=200, blank=True)
    department = models.CharField(max_length=200, blank=True)
    given_name = models.CharField(max_length=200, blank=True)
    family_name = models.CharField(max_length=200, blank=True)
    # Where else they can be reached; `email` is the one that they sign in by.
    other_email = models.EmailField(blank=True)
    employee_number = models.CharField(max_length=200, blank=True)
    hired_on = models.DateField(null=True, blank=True)
    manager = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="reports")
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.LOCAL)
    # The name that an identity management system has for the person (RFC 7643 3.1).
    external_id = models.CharField(max_length=255, blank=True)
    # Their own choice (services/preferences.py); empty where they have made none.
    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=8, choices=UserState.choices, default=UserState.ACTIVE)
    version = models.PositiveIntegerField(default=1)
    # Part of every session's hash: raising it ends the person's sign-ins for good.
    session_epoch = models.PositiveIntegerField(default=0)
    # Tokens given up to this moment are void: moved forward when the password or the state changes.
    not_before = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "state", "name"], name="user_listing"),
            models.Index(
                fields=["organization", "external_id"],
                condition=~models.Q(external_id=""),
                name="user_by_external_id",
            ),
            models.Index(fields=["organization", "email"], name="user_by_email"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's own, over the epoch as well as the password; it compares this at every request."""
        return salted_hmac(
            "accounts.models.User.get_session_auth_hash",
            f"{self.session_epoch}:{self.password}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()

    @property
    def is_active(self) -> bool:
        return self.state == UserState.ACTIVE

    @is_active.setter
    def is_active(self, value: Any) -> None:
        raise AttributeError("set `state` instead")
