"""How much each client has used of what, day by day."""

from __future__ import annotations

from django.db import models


class Usage(models.Model):
    """The calls of one client to one route on one day (UTC), in the organization where they counted: that
    of the person, for an app that acts for one. `requests` is the sum of the four classes of status;
    `status_429` is part of `status_400` (wire contract C6).

    Written by services/usage.py alone. Ids rather than relations: what was used stays countable when the
    client is gone, until `USAGE_RETENTION_DAYS` have passed.
    """

    organization_id = models.UUIDField()
    client_id = models.UUIDField()
    day = models.DateField()
    method = models.CharField(max_length=7)
    # As the routes are documented: `/api/v2/users/{userId}`, and `/oauth/token` for tokens issued.
    route = models.CharField(max_length=200)
    requests = models.PositiveBigIntegerField()
    status_200 = models.PositiveBigIntegerField()
    status_300 = models.PositiveBigIntegerField()
    status_400 = models.PositiveBigIntegerField()
    status_500 = models.PositiveBigIntegerField()
    status_429 = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "client_id", "day", "method", "route"],
                name="usage_is_counted_once",
            )
        ]
        indexes = [models.Index(fields=["day"], name="usage_purging")]
