"""`/logout` as the official JavaScript SDK uses it (wire contract A5): the browser goes there, and comes
back to the app."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import audit
from accounts.console.guard import actor_of
from accounts.models import User
from accounts.sign_in.single_logout import end_session
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
    page ends nothing, and a link that somebody follows signs them out, here and at the identity provider
    that they came through, and no more."""
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
    wanted = request.GET.get("redirect_uri", "")
    may_return = client is not None and _may_return(client, wanted)
    return end_session(request, then=wanted if may_return else reverse("sign-in"))


def _may_return(client: Client, uri: str) -> bool:
    return client.accepts_tokens() and any(
        redirect_uris.matches(registered, uri) for registered in client.redirect_uri_list
    )
