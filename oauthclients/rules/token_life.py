"""How long a token lives: chosen per client, within bounds that depend on what the client may do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.default_roles import SCIM_INTEGRATION
from accounts.models import Organization
from accounts.permissions import expand
from accounts.rules import token_seconds

if TYPE_CHECKING:
    from oauthclients.models import Client

SHORTEST = token_seconds.SHORTEST
LONGEST = token_seconds.LONGEST
LONGEST_SCIM = 38_880_000  # 450 days
DEFAULT = token_seconds.DEFAULT

# Said wherever that happens: page, API and audit trail.
RESET = _(
    "The token duration went back to 86,400 seconds, because the client "
    "no longer has the SCIM Integration role alone."
)

_SCIM_PERMISSIONS = expand(SCIM_INTEGRATION.policies)


def is_scim_only(roles: Iterable[frozenset[str]]) -> bool:
    """Whether a client with these roles (each given as its permissions) only keeps people in step: it
    has the SCIM Integration role, or a custom role with the same permissions, and nothing else.

    The newer English seed says it the other way round; UX spec 1.3 settles that.
    """
    roles = list(roles)
    return bool(roles) and all(role == _SCIM_PERMISSIONS for role in roles)


def longest(*, scim_only: bool) -> int:
    """In seconds (seeds 002 and 004)."""
    return LONGEST_SCIM if scim_only else LONGEST


def seconds_for(client: Client, *, no_later_than: datetime | None = None) -> int:
    """How long a new token of this client lives: the client's own duration, cut at a given end."""
    seconds = client.token_seconds
    if no_later_than is not None:
        left = int((no_later_than - timezone.now()).total_seconds())
        seconds = max(1, min(seconds, left))
    return seconds


def refreshable(organization: Organization) -> bool:
    """Whether tokens of its people come with a refresh token. With an idle timeout, the installation
    chooses: none at all, as Genesys Cloud does, or one that dies with the idle clock, so that the official
    Python SDK's exchange, which reads it always, works (wire contract J and A4)."""
    return organization.idle_limit is None or settings.REFRESH_TOKENS_WITH_IDLE_TIMEOUT
