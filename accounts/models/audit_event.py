"""One line of the audit trail. Rows are only ever added."""

from __future__ import annotations

import uuid
from typing import Any, NoReturn

from django.db import models


class AppendOnlyQuerySet(models.QuerySet["AuditEvent"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("audit events are never changed")

    def delete(self) -> NoReturn:
        raise TypeError("audit events are never deleted")


class AuditEvent(models.Model):
    """`before` and `after` hold only what changed, as plain JSON, and never a secret.

    Names are copied, so that a line still reads well when its entity or actor is gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization_id = models.UUIDField()
    at = models.DateTimeField()
    actor_type = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=200)
    # The app that acted for the actor, if one did.
    via_id = models.UUIDField(null=True)
    via_name = models.CharField(max_length=200, null=True)
    action = models.CharField(max_length=60)
    entity_type = models.CharField(max_length=40)
    entity_id = models.UUIDField(null=True)
    entity_name = models.CharField(max_length=255)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True)
    request_id = models.UUIDField(null=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["organization_id", "-at"], name="audit_by_time"),
            models.Index(fields=["entity_id", "-at"], name="audit_by_entity"),
            models.Index(fields=["actor_id", "-at"], name="audit_by_actor"),
            models.Index(fields=["organization_id", "action", "-at"], name="audit_by_action"),
            models.Index(fields=["organization_id", "entity_type", "-at"], name="audit_by_kind"),
            models.Index(
                fields=["via_id", "-at"], name="audit_by_via", condition=models.Q(via_id__isnull=False)
            ),
            models.Index(
                fields=["request_id"], name="audit_by_request", condition=models.Q(request_id__isnull=False)
            ),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("audit events are never deleted")
