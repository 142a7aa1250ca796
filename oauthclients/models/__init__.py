"""What is stored about OAuth clients. Access tokens are django-oauth-toolkit's own model."""

from oauthclients.models.authorization import AuthorizationState, ClientAuthorization
from oauthclients.models.client import Client, ClientState
from oauthclients.models.client_draft import ClientDraft
from oauthclients.models.client_secret import ClientSecret

__all__ = [
    "AuthorizationState",
    "Client",
    "ClientAuthorization",
    "ClientDraft",
    "ClientSecret",
    "ClientState",
]
