"""What is kept between a person's leaving for an identity provider and their coming back, and after.
Never an assertion: only what was found in it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models.identity_provider import IdentityProvider
from accounts.models.organization import Organization


class Purpose(models.TextChoices):
    """Why somebody was sent to a provider."""

    SIGN_IN = "sign-in"
    # Somebody who is signed in shall prove once more that it is them.
    CONFIRM = "confirm"
    # An administrator tries the settings; nobody is signed in.
    TEST = "test"


class ProviderSignIn(models.Model):
    """A sign-in on its way: to the provider, back to `/saml`, and from there to the page that ends it.

    `id` is the ID of the AuthnRequest; of one that the provider started, an ID of the same form. It is no
    secret: only the browser with the right cookie (`browser`, its SHA-256 in hexadecimal) goes on with it.
    """

    id = models.CharField(primary_key=True, max_length=40)
    provider = models.ForeignKey(IdentityProvider, models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=8, choices=Purpose.choices, default=Purpose.SIGN_IN)
    browser = models.CharField(max_length=64)
    # Where to go on, an address of this host.
    next = models.TextField(blank=True)
    # Who asked, for a test or a confirmation.
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    forced = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # What the answer came to, as accounts/saml/verdict.py writes it.
    findings = models.JSONField(default=list)
    accepted = models.BooleanField(default=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    authenticated_at = models.DateTimeField(null=True)
    name_id = models.JSONField(default=dict)
    session_index = models.TextField(blank=True)
    # When the provider wants the session to end, if it says so.
    session_ends_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["started_at"], name="provider_sign_in_purging")]


class UsedAssertion(models.Model):
    """An assertion is good once. The row outlives it; `digest` is the SHA-256 of issuer and ID, so that a
    provider that is removed and set up again forgets nothing."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "digest"], name="assertion_is_used_once")
        ]
        indexes = [models.Index(fields=["ends_at"], name="assertion_purging")]


class ProviderSession(models.Model):
    """A browser session that began at a provider, so that the provider can end it (SAML profiles 4.4).

    `key` is the session's as the session store keeps it, `subject` and `session_index` the SHA-256 of what
    the provider calls person and session.
    """

    key = models.CharField(primary_key=True, max_length=64)
    provider = models.ForeignKey(IdentityProvider, models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    subject = models.CharField(max_length=64)
    session_index = models.CharField(max_length=64, blank=True)
    began_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["provider", "subject"], name="session_by_subject")]
