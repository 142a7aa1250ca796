"""What a person has agreed to, and the tokens that came of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from oauthclients.models.client import Client


class Consent(models.Model):
    """A person lets an app act for them, within these scopes.

    Its row is the lock of everything between this person and this app: giving a code, exchanging it,
    refreshing and revoking all take it, so that of two at once one sees what the other did.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="consents")
    client = models.ForeignKey(Client, models.CASCADE, related_name="consents")
    scope = models.JSONField(default=list)
    # Where the app's answers went when the person agreed: an app that takes them elsewhere asks again.
    places = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "client"], name="person_agrees_to_client_once")
        ]


class TokenFamily(models.Model):
    """All tokens that came of one code or of one implicit answer, through however many refreshes.

    `id` is django-oauth-toolkit's `token_family`. The row stays when the family has ended, so that a code
    or refresh token that turns up again is recognised; `manage.py purge` removes it later.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consent = models.ForeignKey(Consent, models.CASCADE, related_name="families")
    # What was agreed to when it started; a refresh may ask for less, and never for more (RFC 6749 6).
    scope = models.JSONField(default=list)
    # SHA-256 of the code, in hexadecimal; none for the implicit grant.
    code_digest = models.CharField(max_length=64, unique=True, null=True)
    # Only who could have exchanged a code ends what came of it by sending it again.
    code_challenge = models.CharField(max_length=64, blank=True)
    spent_at = models.DateTimeField(null=True)
    # RFC 6749 4.1.3: the exchange must repeat a redirect URI that the request for the code had.
    redirect_uri_given = models.BooleanField(default=True)
    # SHA-256 of the key of the browser session, so that leaving through /logout ends it.
    session_digest = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    # Past this nothing is refreshed any more, however often it was (ASVS 10.4.8).
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["ends_at"], name="family_purging"),
            models.Index(
                fields=["ended_at"], condition=models.Q(ended_at__isnull=False), name="family_end_purging"
            ),
        ]


class FamilyToken(models.Model):
    """Which family an access token belongs to. django-oauth-toolkit's own tables have no room for it."""

    token = models.OneToOneField(
        "oauth2_provider.AccessToken", models.CASCADE, primary_key=True, related_name="of_family"
    )
    family = models.ForeignKey(TokenFamily, models.CASCADE, related_name="tokens")
