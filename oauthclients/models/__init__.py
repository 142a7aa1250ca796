"""What is stored about OAuth clients. Access tokens, refresh tokens and codes are django-oauth-toolkit's
own models."""

from oauthclients.models.authorization import AuthorizationState, ClientAuthorization
from oauthclients.models.client import Client, ClientState
from oauthclients.models.client_draft import ClientDraft
from oauthclients.models.client_origin import ClientOrigin
from oauthclients.models.client_secret import ClientSecret
from oauthclients.models.consent import Consent, FamilyToken, TokenFamily
from oauthclients.models.refusal import Refusal
from oauthclients.models.usage import NOTHING, Usage, UsageQuery, UsedAccess

__all__ = [
    "NOTHING",
    "AuthorizationState",
    "Client",
    "ClientAuthorization",
    "ClientDraft",
    "ClientOrigin",
    "ClientSecret",
    "ClientState",
    "Consent",
    "FamilyToken",
    "Refusal",
    "TokenFamily",
    "Usage",
    "UsageQuery",
    "UsedAccess",
]
