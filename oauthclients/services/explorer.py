"""The client with which the API explorer signs people in: one for each organization, an app like any other.
Whoever may add clients sets it up, `bootstrap` and `demo` do, and an administrator can narrow, disable or
delete it as they please."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts import locks
from accounts.actor import Actor
from accounts.errors import Conflict
from accounts.models import Organization
from accounts.permissions import Permission
from oauthclients import grant_types, queries, scopes
from oauthclients.models import Client
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients

NAME = "API Explorer"
DESCRIPTION = "Tries the API out in the browser, for whoever is signed in"
TOKEN_SECONDS = 3_600
BEING_REMOVED = gettext_lazy(
    "The client of the API Explorer was deleted, and is still being removed. Set it up again once it is "
    "gone, usually within a minute."
)
# Names the client of an organization without a column for it: its id follows from the organization's.
_NAMESPACE = uuid.UUID("a91e0000-0000-4000-8000-000000000001")
# By either name people reach an installation on their own machine.
_LOOPBACK = {"//127.0.0.1": "//localhost", "//localhost": "//127.0.0.1"}


def client_id(organization: Organization) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, str(organization.id))


def origins() -> list[str]:
    """Where the explorer runs: the addresses of this installation at which people sign in."""
    found = [settings.BASE_URL, *(region.login_url for region in settings.REGIONS.own)]
    for here, there in _LOOPBACK.items():
        host = settings.BASE_URL.partition(":")[2].partition(":")[0]
        if host == here:
            found.append(settings.BASE_URL.replace(here, there, 1))
    return list(dict.fromkeys(found))


def redirect_uri(origin: str) -> str:
    return origin + reverse("api-explorer-signed-in")


def found(organization: Organization) -> Client | None:
    """The organization's, unless nobody has set it up, or somebody has deleted it."""
    return queries.clients(organization).filter(id=client_id(organization)).first()


def being_removed(organization: Organization) -> bool:
    """Whether its date of deletion has passed, and the clean-up has not come by yet: nobody sees it any
    more, and its id is still taken."""
    return (
        found(organization) is None
        and Client.objects.filter(organization=organization, id=client_id(organization)).exists()
    )


def lacking(client: Client, scope: Iterable[str]) -> tuple[list[str], list[str]]:
    """What has come since it was set up: redirect URIs of another address, and scopes of new routes."""
    uris = [redirect_uri(origin) for origin in origins()]
    return (
        [uri for uri in uris if uri not in client.redirect_uri_list],
        scopes.not_covered(scope, client.scope),
    )


def set_up(*, actor: Actor, scope: Sequence[str]) -> Client:
    """Makes the client, or gives one that is there what it lacks, and takes nothing from it. `scope` is
    what the routes ask for.

    Needs what `clients.create` and `clients.change` need, and raises what they raise, and `Conflict` where
    the one from before is not gone yet; as with every app, the organization's word about its scopes is
    given by somebody who may give it.
    """
    uris = tuple(redirect_uri(origin) for origin in origins())
    with transaction.atomic():
        # Of two at once, the second finds what the first has made.
        locks.organization(actor.organization)
        there = found(actor.organization)
        if there is None:
            actor.require(Permission.OAUTH_CLIENT_ADD)
            if being_removed(actor.organization):
                raise Conflict(str(BEING_REMOVED))
            spec = ClientSpec(
                name=NAME,
                description=DESCRIPTION,
                grant_type=grant_types.CODE.code,
                redirect_uris=uris,
                scope=tuple(scope),
                token_seconds=TOKEN_SECONDS,
            )
            # Its secret is told to nobody: in a browser it could not be kept.
            client, _secret = clients.create(actor=actor, spec=spec, id=client_id(actor.organization))
            return client
        return clients.change(
            actor=actor,
            client_id=there.id,
            spec=lambda was: replace(
                was,
                redirect_uris=tuple(dict.fromkeys((*was.redirect_uris, *uris))),
                scope=(*was.scope, *scope),
            ),
        ).client
