"""The one place where rights are stored: a subject holds a role in a division."""

from __future__ import annotations

import uuid

from django.db import models

from accounts.models.division import Division
from accounts.models.organization import Organization
from accounts.models.role import Role


class SubjectType(models.TextChoices):
    """Wire contract D1. A group holds no roles: who is in it is for an identity management system to say
    (docs/decisions/011-groups.md)."""

    USER = "PC_USER"
    CLIENT = "PC_OAUTH_CLIENT"


class RoleGrant(models.Model):
    """A role-division pair of one subject. `division` is null for all divisions, now and later.

    The subject is a type and an id rather than a foreign key: people and OAuth clients hold rights
    in the same way, and this app must not know of clients. Whoever deletes a subject for good
    deletes its grants in the same transaction (services/grants.py `forget`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    subject_type = models.CharField(max_length=16, choices=SubjectType.choices)
    subject_id = models.UUIDField()
    role = models.ForeignKey(Role, models.PROTECT, related_name="grants")
    division = models.ForeignKey(Division, models.PROTECT, null=True, related_name="grants")
    # Who gave it, so that a later loss of that person's own pair can be shown (grant drift).
    granted_by_type = models.CharField(max_length=16, blank=True)
    granted_by_id = models.UUIDField(null=True)
    granted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_id", "role", "division"], name="grant_is_given_once"),
            models.UniqueConstraint(
                fields=["subject_id", "role"],
                condition=models.Q(division=None),
                name="grant_in_all_divisions_is_given_once",
            ),
        ]
        indexes = [
            # Grant drift asks what a giver has given.
            models.Index(
                fields=["organization", "granted_by_id", "role", "division", "subject_type"],
                name="grant_by_giver",
            ),
            models.Index(fields=["role", "subject_type"], name="grant_by_role"),
            # What somebody holds is read at every call; SQLite would take the organization's index.
            models.Index(fields=["organization", "subject_id"], name="grant_by_subject"),
        ]
