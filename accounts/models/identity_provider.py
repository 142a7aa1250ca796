"""Where an organization's people sign in, other than here: a SAML 2.0 identity provider."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models.organization import Organization


class Binding(models.TextChoices):
    """How a message gets to the provider (SAML bindings 3.4 and 3.5)."""

    REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect", _("HTTP Redirect")
    POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST", _("HTTP POST")


class NameIdFormat(models.TextChoices):
    """Those of `nameIdentifierFormat` in the official SDKs."""

    UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified", _("Unspecified")
    EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", _("Email address")
    X509 = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName", _("X.509 subject name")
    WINDOWS = (
        "urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName",
        _("Windows domain qualified name"),
    )
    KERBEROS = "urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos", _("Kerberos")
    ENTITY = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity", _("Entity")
    PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", _("Persistent")
    TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient", _("Transient")


class IdentityProvider(models.Model):
    """What it says about who somebody is, is believed if one of `certificates` proves that it said so.

    Empty `audience` and `relying_party_identifier` stand for those of the organization
    (accounts/saml/service_provider.py).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="identity_providers")
    # Its name among the vendor's routes (`okta`: rules/provider_spec.py SLOTS), if it has one.
    slot = models.CharField(max_length=20, blank=True)
    name = models.CharField(max_length=100)
    enabled = models.BooleanField(default=True)
    # The provider's entity ID.
    issuer = models.CharField(max_length=1024)
    target_url = models.CharField(max_length=2000)
    target_binding = models.CharField(max_length=60, choices=Binding.choices, default=Binding.REDIRECT)
    logout_url = models.CharField(max_length=2000, blank=True)
    logout_binding = models.CharField(max_length=60, choices=Binding.choices, default=Binding.REDIRECT)
    audience = models.CharField(max_length=1024, blank=True)
    relying_party_identifier = models.CharField(max_length=1024, blank=True)
    name_id_format = models.CharField(
        max_length=80, choices=NameIdFormat.choices, default=NameIdFormat.UNSPECIFIED
    )
    # The attribute that holds the person's email; empty for the NameID.
    email_attribute = models.CharField(max_length=255, default="email", blank=True)
    # In PEM, at most five (wire contract I).
    certificates = models.JSONField(default=list)
    sign_requests = models.BooleanField(default=False)
    # Asks the provider to have the person type their password, however recently they did.
    force_authn = models.BooleanField(default=False)
    metadata_url = models.CharField(max_length=2000, blank=True)
    show_on_sign_in = models.BooleanField(default=True)
    accept_bearer = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("organization", Lower("name"), name="provider_name_is_unique"),
            models.UniqueConstraint(fields=["organization", "issuer"], name="provider_issuer_is_unique"),
            models.UniqueConstraint(
                fields=["organization", "slot"],
                condition=~models.Q(slot=""),
                name="provider_slot_is_unique",
            ),
        ]
        indexes = [models.Index(fields=["issuer"], name="provider_by_issuer")]

    def __str__(self) -> str:
        return self.name
