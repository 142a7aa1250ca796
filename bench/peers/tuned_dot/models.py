"""What Latchkey keeps of people and organizations, as far as `users/me` tells it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Organization(models.Model):
    name = models.CharField(max_length=200)


class Division(models.Model):
    organization = models.ForeignKey(Organization, models.PROTECT)
    name = models.CharField(max_length=200)


class Profile(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    division = models.ForeignKey(Division, models.PROTECT)
    department = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=8)
    version = models.PositiveIntegerField(default=1)


class Phone(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="phones")
    kind = models.CharField(max_length=20)
    value = models.CharField(max_length=40)


class Approval(models.Model):
    """An organization lets an app act for its people."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    application = models.ForeignKey("oauth2_provider.Application", models.CASCADE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "application"], name="approved_once")
        ]
