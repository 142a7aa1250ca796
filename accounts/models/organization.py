"""The tenant. Everything else belongs to exactly one organization."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower


class Organization(models.Model):
    """`short_name` is the globally unique name that apps send as `org` and `orgName`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    short_name = models.SlugField(max_length=60)
    hipaa = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    # Whether an app that acts for a person needs this organization's authorization, and is held to its
    # scopes. Off means that it has all the power of its person (wire contract C5).
    enforce_scopes = models.BooleanField(default=True)
    implicit_allowed = models.BooleanField(default=True)
    default_token_seconds = models.PositiveIntegerField(default=86_400)
    idle_timeout_enabled = models.BooleanField(default=False)
    idle_timeout_seconds = models.PositiveIntegerField(default=1_800)
    # Since when the timeout has been on: nothing was idle before that.
    idle_since = models.DateTimeField(null=True)
    # Paths of the API that do not count as use (wire contract J).
    idle_exclusions = models.JSONField(default=list)
    # People sign in at an identity provider alone, but for one who keeps a password, lest nobody get in
    # when the provider fails.
    only_sso = models.BooleanField(default=False)
    password_keeper = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    # Where its client-credentials and SAML2 bearer clients get their tokens; "" is the installation's own
    # region (settings, "Regions").
    home_region = models.CharField(max_length=60, blank=True)
    # For its people who have chosen none, and whose browser asks for none that is here.
    language = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=60, default="UTC")
    country_code = models.CharField(max_length=2, default="US")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("short_name"), name="organization_short_name_is_unique")
        ]

    @property
    def idle_limit(self) -> timedelta | None:
        """How long a sign-in or a token may go unused; None for any time."""
        return timedelta(seconds=self.idle_timeout_seconds) if self.idle_timeout_enabled else None

    def __str__(self) -> str:
        return self.name
