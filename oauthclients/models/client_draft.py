"""An unfinished "Add client": what was typed so far, on the server, never with a secret."""

from __future__ import annotations

import uuid

from django.db import models

from accounts.models import User


class ClientDraft(models.Model):
    """One per person. `data` is the typed form data by step; `version` grows with every save, so that
    a second tab notices; `client_id` is set by the save that made the client, so that a repeated one
    finds the draft used."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="client_drafts")
    data = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    saved_at = models.DateTimeField(auto_now=True)
    client_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(client_id=None),
                name="person_has_one_unfinished_client",
            )
        ]
