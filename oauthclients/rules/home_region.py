"""Which of this installation's hosts answers whom (wire contract C4, K). A client that acts by itself, or
by assertions, gets its tokens at the hosts of its organization's home region; one whose people sign in in a
browser, at every host. With one region, every host is home."""

from __future__ import annotations

from django.conf import settings

from accounts.models import Organization
from config.regions import Region
from oauthclients import grant_types
from oauthclients.models import Client


def may_get_tokens_at(client: Client, host: str) -> bool:
    """Whether this client gets tokens at this host, as the request named it."""
    if (
        len(settings.REGIONS.own) == 1
        or grant_types.BY_CODE[client.authorization_grant_type].uses_redirect_uris
    ):
        return True
    return settings.REGIONS.at(host) == settings.REGIONS.called(client.organization.home_region)


def login_url(organization: Organization) -> str:
    """Where an organization's apps get their tokens and its people sign in."""
    return settings.REGIONS.called(organization.home_region).login_url


def token_url(region: Region) -> str:
    """Where programs ask for tokens there."""
    return f"{region.login_url}/oauth/token"


def api_url(organization: Organization) -> str:
    return settings.REGIONS.called(organization.home_region).api_url


def issuer(host: str) -> str:
    """Who answers at this host, for `iss` and the metadata: a region's login host in its own name, as
    readers of its metadata insist (RFC 8414 3.3), and every other host in that of the installation."""
    return settings.REGIONS.login_at(host) or settings.BASE_URL
