"""An organization's authorization of apps that act for its people."""

from __future__ import annotations

from accounts.actor import Actor
from accounts.permissions import Permission
from oauthclients import grant_types
from oauthclients.models import AuthorizationState, Client, ClientAuthorization


def follow(*, actor: Actor, client: Client) -> None:
    """Keeps the home organization's authorization in step with a client that was made or edited.

    Whoever holds `oauth:client:authorize` authorizes the scopes by choosing them. Anybody else's choice
    can only narrow what is authorized; what is new waits as a request. Runs inside the caller's
    transaction.
    """
    if not grant_types.BY_CODE[client.authorization_grant_type].uses_scopes:
        return
    may = bool(actor.access.decide(Permission.OAUTH_CLIENT_AUTHORIZE))
    found = ClientAuthorization.objects.filter(organization=client.organization, client=client).first()
    authorization = found or ClientAuthorization(
        organization=client.organization,
        client=client,
        state=AuthorizationState.REQUESTED,
        scope=[],
        created_by_id=actor.id,
        created_by_name=actor.name,
    )
    if may:
        authorization.state = AuthorizationState.AUTHORIZED
        authorization.scope = list(client.scope)
    elif authorization.state == AuthorizationState.AUTHORIZED:
        authorization.scope = [scope for scope in authorization.scope if scope in client.scope]
    authorization.modified_by_id = actor.id
    authorization.modified_by_name = actor.name
    authorization.save()
