"""A one-time link by which a person chooses their own password."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Invitation(models.Model):
    """What is mailed is never stored, only its SHA-256. One that was used, or replaced by a newer one, is
    deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="invitation")
    digest = models.BinaryField(max_length=32)
    sent_to = models.EmailField()
    sent_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    sent_by_name = models.CharField(max_length=255, blank=True)
