"""A client's secret, as a keyed hash. The secret itself exists in one response only."""

from __future__ import annotations

import uuid

from django.db import models

from oauthclients.models.client import Client


class ClientSecret(models.Model):
    """`digest` is HMAC-SHA-256 under `settings.CLIENT_SECRET_KEY` of a 256-bit random secret, so a slow
    password hash would add nothing (services/secrets.py).

    `ends_at` is set on a secret that is being replaced: it works until then, beside its successor.
    At most two secrets of a client work at a time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="secrets")
    digest = models.BinaryField(max_length=32)
    last_four = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    created_by_name = models.CharField(max_length=200)
    ends_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["ends_at"], condition=models.Q(ends_at__isnull=False), name="secret_purging"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client"],
                condition=models.Q(ends_at=None),
                name="client_has_one_current_secret",
            )
        ]
