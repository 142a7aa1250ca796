"""What we are to an identity provider: our name, our addresses, our metadata."""

from __future__ import annotations

from html import escape
from typing import Any

from django.conf import settings

from accounts.models import Binding, IdentityProvider, Organization
from accounts.saml import keys, toolkit

ENTITY_IDS = f"{settings.BASE_URL}/saml/"


def acs_url() -> str:
    """Where providers send people back to (wire contract B1)."""
    return f"{settings.BASE_URL}/saml"


def logout_url() -> str:
    return f"{settings.BASE_URL}/saml/logout"


def token_endpoint() -> str:
    """What an assertion for the SAML2 bearer grant must name as its recipient (RFC 7522 3)."""
    return f"{settings.BASE_URL}/oauth/token"


def default_entity_id(organization: Organization) -> str:
    """One per organization: what is said to one is not said to another."""
    return f"{ENTITY_IDS}{organization.short_name}"


def entity_id(provider: IdentityProvider) -> str:
    """How we call ourselves."""
    return provider.relying_party_identifier or default_entity_id(provider.organization)


def audience(provider: IdentityProvider) -> str:
    """For whom its assertions must be."""
    return provider.audience or entity_id(provider)


def metadata_url(provider: IdentityProvider) -> str:
    return f"{settings.BASE_URL}/saml/metadata/{provider.id}"


def metadata(provider: IdentityProvider) -> bytes:
    """Our metadata for this provider (SAML metadata 2.4.4), without an end: it is made anew each time."""
    text = settings_to_write(provider).get_sp_metadata()
    return text if isinstance(text, bytes) else text.encode()


def default_metadata(organization: Organization) -> bytes:
    """For a provider that is yet to be set up."""
    return metadata(IdentityProvider(organization=organization))


def settings_to_write(provider: IdentityProvider) -> Any:
    """python3-saml's settings for a message of ours. Its templates escape nothing, so that is done here."""
    return _settings(
        sp={
            "entityId": escape(entity_id(provider)),
            "assertionConsumerService": _endpoint(acs_url(), Binding.POST),
            "singleLogoutService": _endpoint(logout_url(), Binding.REDIRECT),
            "NameIDFormat": provider.name_id_format,
        },
        idp={
            "entityId": escape(provider.issuer),
            "singleSignOnService": _endpoint(provider.target_url, provider.target_binding),
            "singleLogoutService": _endpoint(provider.logout_url, provider.logout_binding),
        },
        security={"authnRequestsSigned": provider.sign_requests, "wantAssertionsSigned": True},
        sp_validation_only=True,
    )


def settings_to_read(provider: IdentityProvider, *, recipient: str, certificate: str) -> Any:
    """python3-saml's settings for a message of the provider's that was received at `recipient` and is
    signed with `certificate` (PEM)."""
    return _settings(
        sp={
            "entityId": audience(provider),
            "assertionConsumerService": {"url": recipient, "binding": Binding.POST.value},
        },
        idp={
            "entityId": provider.issuer,
            "singleSignOnService": {"url": provider.target_url, "binding": provider.target_binding},
            "x509cert": certificate,
        },
        security={},
        sp_validation_only=False,
    )


def _endpoint(url: str, binding: str) -> dict[str, str]:
    return {"url": escape(url), "binding": str(binding)}


def _settings(
    *, sp: dict[str, Any], idp: dict[str, Any], security: dict[str, Any], sp_validation_only: bool
) -> Any:
    toolkit.require()
    pair = keys.own()
    return toolkit.Settings(
        {
            "strict": True,
            "debug": False,
            "sp": {**sp, "x509cert": pair.certificate, "privateKey": pair.private_key},
            "idp": idp,
            "security": {
                "metadataValidUntil": "",
                "metadataCacheDuration": "",
                "logoutRequestSigned": True,
                "logoutResponseSigned": True,
                "wantAttributeStatement": False,
                "wantNameId": False,
                "requestedAuthnContext": False,
                "rejectDeprecatedAlgorithm": True,
                "allowRepeatAttributeName": False,
                "signatureAlgorithm": toolkit.Constants.RSA_SHA256,
                "digestAlgorithm": toolkit.Constants.SHA256,
                **security,
            },
        },
        sp_validation_only=sp_validation_only,
    )
