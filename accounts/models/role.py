"""A named set of permissions in one organization."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Lower

from accounts.default_roles import shown
from accounts.models.organization import Organization


class Role(models.Model):
    """`policies` is a list of `{"domain", "entityName", "actionSet": [...]}` as in wire contract D3,
    with `*` allowed as the entity and as the only action.

    A role with a `default_role_id` came from `accounts.default_roles` and can be restored from there;
    any other is the organization's own.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="roles")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True)
    default_role_id = models.CharField(max_length=60, blank=True)
    policies = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                "organization", Lower("name"), name="role_name_is_unique_in_organization"
            ),
            models.UniqueConstraint(
                fields=["organization", "default_role_id"],
                condition=~models.Q(default_role_id=""),
                name="default_role_is_unique_in_organization",
            ),
        ]

    @property
    def label(self) -> str:
        """The name, in the language of the page."""
        return shown(self.name)

    @property
    def about(self) -> str:
        """The description, in the language of the page."""
        return shown(self.description)

    def __str__(self) -> str:
        return self.name
