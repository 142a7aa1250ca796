"""How long a token lives: chosen per client, within bounds that depend on what the client may do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.default_roles import SCIM_INTEGRATION
from accounts.permissions import expand

SHORTEST = 300
LONGEST = 172_800  # 2 days
LONGEST_SCIM = 38_880_000  # 450 days
DEFAULT = 86_400  # 1 day

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


def seconds_for(request: Any) -> int:
    """What oauthlib asks when it makes a token (`token_expires_in`): the client's own duration."""
    seconds: int = request.client.token_seconds
    return seconds
