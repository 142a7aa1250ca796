"""A part of an organization in which rights are given. Every object sits in exactly one."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Lower

from accounts.models.organization import Organization


class Division(models.Model):
    """`home` marks the one division that every organization has and that cannot be deleted.

    A deleted one stays as a row, empty, and can be restored; its name is free meanwhile. Readers start from
    `accounts.queries`, which leaves it out.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="divisions")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True)
    home = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-home", "name"]
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                condition=models.Q(deleted_at=None),
                name="division_name_is_unique_in_organization",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(home=True),
                name="organization_has_one_home_division",
            ),
        ]

    def __str__(self) -> str:
        return self.name
