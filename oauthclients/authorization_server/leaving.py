"""`/logout` as the official JavaScript SDK uses it (wire contract A5): the browser goes there, and comes
back to the app."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from oauth2_provider.http import OAuth2ResponseRedirect

from accounts import audit
from accounts.console.guard import actor_of
from accounts.models import User
from oauthclients import queries
from oauthclients.authorization_server.authorize import session_digest
from oauthclients.authorization_server.validator import client_key
from oauthclients.models import Client
from oauthclients.rules import redirect_uris
from oauthclients.services import families


@require_GET
@never_cache
def leave(request: HttpRequest) -> HttpResponse:
    """Ends the browser's session and what this app got in it, and goes on to `redirect_uri` only if that is
    one of the app's registered ones, and the app is not switched off; else to the sign-in page.

    By GET, as the SDK sends people here. The session cookie is SameSite=Lax: an image in another site's
    page ends nothing, and a link that somebody follows signs them out and no more."""
    client = queries.live_client(client_key(request.GET.get("client_id", "")))
    if isinstance(request.user, User):
        actor = actor_of(request)
        with transaction.atomic():
            if client is not None:
                families.end_of_session(
                    user=request.user, client=client, session_digest=session_digest(request)
                )
            audit.record(
                actor,
                audit.Action.USER_SIGNED_OUT,
                entity_type="user",
                entity_id=actor.id,
                entity_name=actor.name,
            )
    logout(request)
    wanted = request.GET.get("redirect_uri", "")
    if client is None or not _may_return(client, wanted):
        return redirect("sign-in")
    return OAuth2ResponseRedirect(wanted, [urlsplit(wanted).scheme])


def _may_return(client: Client, uri: str) -> bool:
    return client.accepts_tokens() and any(
        redirect_uris.matches(registered, uri) for registered in client.redirect_uri_list
    )
