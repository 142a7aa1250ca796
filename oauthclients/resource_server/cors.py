"""Which origins browser apps may call from: those of the redirect URIs of a client, and of no other client.

django-cors-headers asks `of_an_app` about a preflight, which names no client, and about an answer, which is
for one; it writes the headers (Fetch standard 3.2; settings, "Browser apps").
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from oauthclients.models import ClientOrigin, ClientState
from oauthclients.rules.redirect_uris import matches, origin_of


def of_an_app(sender: object, request: HttpRequest, **_more: Any) -> bool:
    """Whether this request may be answered so that a page of its origin can read the answer.

    `request.browser_client` is the client at hand, left there by whoever found it: its own origins count.
    Without it (a preflight, a dead token, no such route) those of all clients do, so that an app learns
    at least why it was refused.
    """
    if not re.match(settings.CORS_URLS_REGEX, request.path_info):
        return False  # the library asks about every other path as well
    registered = _as_registered(request.headers.get("Origin", ""))
    if registered is None:
        return False
    # As `Client.accepts_tokens`: an inactive client gets no new tokens, but its old ones work.
    found = ClientOrigin.objects.filter(
        origin=registered,
        client__state__in=(ClientState.ACTIVE, ClientState.INACTIVE),
        client__date_to_delete=None,
        client__organization__active=True,
    )
    client = getattr(request, "browser_client", None)
    return (found if client is None else found.filter(client=client)).exists()


def _as_registered(origin: str) -> str | None:
    """The origin as `ClientOrigin` would have it; None for what no app can have, `null` among it."""
    if not (origin.isascii() and origin.isprintable()):
        return None
    try:
        registered = origin_of(origin)
    except ValueError:  # such as a port that is not one
        return None
    return registered if registered and matches(registered, origin) else None
