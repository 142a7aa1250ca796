from __future__ import annotations

from django.db import models


class Thing(models.Model):
    name = models.CharField(max_length=100, unique=True)
    text = models.CharField(max_length=100)


class Noted(models.Model):
    thing = models.ForeignKey(Thing, models.CASCADE)
    value = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(auto_now_add=True)
