"""Where browser apps run: the origins of the redirect URIs of clients, kept beside them so that a preflight
request, which names an origin and no client, is answered by one look into an index."""

from __future__ import annotations

from django.db import models

from oauthclients.models.client import Client


class ClientOrigin(models.Model):
    """Written by services/clients.py whenever the redirect URIs are; `origin` as in
    rules/redirect_uris.py `origin_of`."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="origins")
    origin = models.CharField(max_length=2_000, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "origin"], name="client_has_origin_once")]
