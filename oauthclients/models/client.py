"""An OAuth client: django-oauth-toolkit's application model, swapped for ours from migration 0001."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractApplication

from accounts.models import Organization


def today() -> date:
    """In UTC, as days of use are counted."""
    return timezone.now().date()


class ClientState(models.TextChoices):
    """Wire contract C2 and B4: an inactive client gets no new tokens, a disabled one's existing
    tokens are refused as well."""

    ACTIVE = "active", _("Active")
    INACTIVE = "inactive", _("Inactive")
    DISABLED = "disabled", _("Disabled")


class Client(AbstractApplication):
    """`client_id` is `id` as text: one identifier on the wire, and a UUID key in the database.

    `date_to_delete` is set while a deletion can still be undone. From that moment on the client is
    switched off, and past it the client is gone for every reader, whether or not its row has been
    purged yet.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client_id = models.CharField(max_length=36, unique=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True)
    authorization_grant_type = models.CharField(max_length=24)
    client_type = models.CharField(
        max_length=12, default=AbstractApplication.CLIENT_CONFIDENTIAL, editable=False
    )
    scope = models.JSONField(default=list)
    token_seconds = models.PositiveIntegerField(default=86_400)
    state = models.CharField(max_length=8, choices=ClientState.choices, default=ClientState.ACTIVE)
    date_to_delete = models.DateTimeField(null=True)
    # Written at most once a minute; see services/usage.py.
    last_used_at = models.DateTimeField(null=True)
    # Since when it is noted what of its access it uses: its first day, or that of the update that brought
    # this in.
    use_noted_since = models.DateField(default=today, editable=False)
    version = models.PositiveIntegerField(default=1)
    created = models.DateTimeField(default=timezone.now, editable=False)
    created_by_type = models.CharField(max_length=16)
    created_by_id = models.UUIDField(null=True)
    created_by_name = models.CharField(max_length=200)
    updated = models.DateTimeField(default=timezone.now, editable=False)
    modified_by_type = models.CharField(max_length=16)
    modified_by_id = models.UUIDField(null=True)
    modified_by_name = models.CharField(max_length=200)

    # Columns of AbstractApplication that Latchkey has no use for. Secrets live in ClientSecret, the
    # maker in created_by (the `user` column would delete the client together with its maker), and
    # there is neither OpenID Connect nor dynamic registration.
    user: Any = None
    client_secret: Any = ""
    hash_client_secret: Any = True
    skip_authorization: Any = False
    algorithm: Any = AbstractApplication.NO_ALGORITHM
    post_logout_redirect_uris: Any = ""
    allowed_origins: Any = ""
    registration_source: Any = AbstractApplication.RegistrationSource.MANUAL
    cimd_expires_at: Any = None

    class Meta:
        swappable = "OAUTH2_PROVIDER_APPLICATION_MODEL"
        indexes = [
            models.Index(fields=["organization", "name"], name="client_listing"),
            models.Index(
                fields=["date_to_delete"],
                condition=models.Q(date_to_delete__isnull=False),
                name="client_purging",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                "organization", Lower("name"), name="client_name_is_unique_in_organization"
            )
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.client_id = str(self.id)
        super().save(*args, **kwargs)

    @property
    def redirect_uri_list(self) -> list[str]:
        return self.redirect_uris.split()

    def gone(self, now: datetime) -> bool:
        """Past its deletion date, whether or not the row is still there."""
        return self.date_to_delete is not None and self.date_to_delete <= now

    def gives_tokens(self) -> bool:
        """New tokens are given only to active clients of active organizations."""
        return self.state == ClientState.ACTIVE and self.date_to_delete is None and self.organization.active

    def accepts_tokens(self) -> bool:
        """Whether a token given earlier is still good, as far as the client is concerned."""
        return (
            self.state != ClientState.DISABLED and self.date_to_delete is None and self.organization.active
        )

    def is_usable(self, request: Any) -> bool:
        """django-oauth-toolkit asks this wherever it loads a client itself."""
        return self.gives_tokens()

    def get_allowed_schemes(self) -> list[str]:
        """`http` as well, because rules/redirect_uris.py has allowed it for loopback addresses only."""
        return ["https", "http"]
