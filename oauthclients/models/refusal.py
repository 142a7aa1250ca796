"""What clients were refused lately, and why: like refusals together."""

from __future__ import annotations

from django.db import models


class Refusal(models.Model):
    """Calls of one client that were refused for the same reason, and requests for tokens. `organization_id`
    is where they counted: the person's, for an app that acts for one.

    Written by services/refusals.py alone. Ids rather than relations: what was refused is told until
    `USAGE_RETENTION_DAYS` have passed, whatever becomes of the client.
    """

    organization_id = models.UUIDField()
    client_id = models.UUIDField()
    # The digest of all below that tells one kind of refusal from another.
    kind = models.CharField(max_length=64)
    person_id = models.UUIDField(null=True)
    method = models.CharField(max_length=7)
    # As the routes are documented, and `/oauth/token`.
    route = models.CharField(max_length=200)
    status = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=64)
    # Permissions or scopes; for a dead token, the condition that it does not meet; for a request for a
    # token, the grant type.
    missing = models.CharField(max_length=300, blank=True)
    divisions = models.CharField(max_length=200, blank=True)
    count = models.PositiveBigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client_id", "kind"], name="refusals_of_a_kind_are_together")
        ]
        indexes = [
            models.Index(fields=["client_id", "-last_at"], name="refusals_listing"),
            models.Index(fields=["last_at"], name="refusals_purging"),
        ]
