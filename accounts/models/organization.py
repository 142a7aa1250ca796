"""The tenant. Everything else belongs to exactly one organization."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Lower


class Organization(models.Model):
    """`short_name` is the globally unique name that apps send as `org` and `orgName`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    short_name = models.SlugField(max_length=60)
    hipaa = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    language = models.CharField(max_length=10, default="en")
    country_code = models.CharField(max_length=2, default="US")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("short_name"), name="organization_short_name_is_unique")
        ]

    def __str__(self) -> str:
        return self.name
