"""How much each client has used of what, day by day, and when it last used what it holds."""

from __future__ import annotations

import uuid

from django.db import models

# Stands where a row of `UsedAccess` is not about such a thing: a unique constraint compares no nulls.
NOTHING = uuid.UUID(int=0)


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


class UsedAccess(models.Model):
    """The last day (UTC) on which a client was answered because of something that it holds, in the
    organization where that counted:

    - a role-division pair of its own: `role_id`, and `division_id`, which is `NOTHING` for all divisions;
    - as an app that acts for a person, a `scope`, the narrowest that was enough: `users:readonly` where
      people were only read;
    - with neither, that a service of the organization was told what a token of the client may do
      (RFC 7662). What that service went by is not known here.

    Written by services/usage.py alone. Kept as long as `Usage`, and at least as long as the access review
    looks back.
    """

    organization_id = models.UUIDField()
    client_id = models.UUIDField()
    role_id = models.UUIDField(default=NOTHING)
    division_id = models.UUIDField(default=NOTHING)
    scope = models.CharField(max_length=100, default="")
    last_day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "client_id", "role_id", "division_id", "scope"],
                name="used_access_is_noted_once",
            )
        ]
        indexes = [models.Index(fields=["last_day"], name="used_access_purging")]


class UsageQuery(models.Model):
    """A question about use that the API was asked, for whoever comes for the answer (wire contract C6). The
    answer itself is read when it is fetched."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization_id = models.UUIDField()
    # The person or client that asked; nobody else is answered.
    subject_id = models.UUIDField()
    # Of one client, if it was asked about one.
    client_id = models.UUIDField(null=True)
    # As services/usage_queries.py has put it down.
    question = models.JSONField()
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["ends_at"], name="usage_query_purging"),
            models.Index(fields=["subject_id", "-ends_at", "-id"], name="usage_queries_of_subject"),
        ]
