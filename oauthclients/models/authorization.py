"""An organization's word on an app: which of the scopes it asks for it may use there, and for whom."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from oauthclients.models.client import Client


class AuthorizationState(models.TextChoices):
    """Wire contract C5."""

    UNAUTHORIZED = "Unauthorized", _("Declined")
    REQUESTED = "Requested", _("Requested")
    AUTHORIZED = "Authorized", _("Authorized")
    REVOKED = "Revoked", _("Revoked")


class ClientAuthorization(models.Model):
    """`organization` is the one that authorizes; the client may belong to another.

    `requested_at` is set while somebody waits for an answer: for a first one (`Requested`), for more
    scopes than are authorized, or for another answer than no.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    client = models.ForeignKey(Client, models.CASCADE, related_name="authorizations")
    scope = models.JSONField(default=list)
    # Ids of roles, of which a person must hold one to use the app; none: everybody may. A list rather than
    # a relation: when a role is deleted, its id stays here and nobody holds it, so that a limit to one role
    # never turns into none.
    roles = models.JSONField(default=list)
    state = models.CharField(max_length=12, choices=AuthorizationState.choices)
    # When it was authorized again after a no: nothing from before wakes up.
    not_before = models.DateTimeField(null=True)
    requested_at = models.DateTimeField(null=True)
    requested_by_id = models.UUIDField(null=True)
    requested_by_name = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by_id = models.UUIDField(null=True)
    created_by_name = models.CharField(max_length=200)
    modified_at = models.DateTimeField(auto_now=True)
    modified_by_id = models.UUIDField(null=True)
    modified_by_name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "client"], name="organization_authorizes_client_once"
            )
        ]
