"""What hangs on a role here: how long the tokens of clients live that hold it, and the apps that are
limited to it. Called by `accounts.services.roles`, in its transaction, whoever changes the role from
whatever side."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import Actor
from accounts.models import Role, RoleGrant, SubjectType
from accounts.permissions import expand
from oauthclients import queries
from oauthclients.models import Client, ClientAuthorization, ClientState
from oauthclients.rules import token_life
from oauthclients.services import access, tokens


class FollowedByClients:
    """A `accounts.services.roles.Follower`."""

    def changed(self, actor: Actor, role: Role) -> Sequence[str]:
        """Clients that have the SCIM Integration role, or one like it, alone no longer keep a duration of
        more than two days (seed 002)."""
        holders = RoleGrant.objects.filter(role=role, subject_type=SubjectType.CLIENT).values("subject_id")
        long_lived = Client.objects.filter(
            organization=role.organization, id__in=holders, token_seconds__gt=token_life.LONGEST
        )
        said = []
        for client_id in list(long_lived.order_by("id").values_list("id", flat=True)):
            client = access.locked(actor, client_id)
            held = (expand(named.role.policies) for named in queries.pairs_of(client))
            if token_life.is_scim_only(held):
                continue
            _shorten(actor, client)
            said.append(f"{client.name}: {token_life.RESET}")
        return said

    def uses(self, role: Role) -> Sequence[str]:
        """Apps that only people with this role may use: without the role, nobody could."""
        limited = ClientAuthorization.objects.filter(organization=role.organization).select_related(
            "client"
        )
        return [
            _("The app ‘%(app)s’ is limited to it.") % {"app": row.client.name}
            for row in limited
            if str(role.id) in row.roles
        ]


def switched_off(ids: set[uuid.UUID]) -> set[uuid.UUID]:
    """Those of them that are clients and not active: for `accounts.drift`."""
    return set(
        Client.objects.filter(id__in=ids).exclude(state=ClientState.ACTIVE).values_list("id", flat=True)
    )


def _shorten(actor: Actor, client: Client) -> None:
    before, client.token_seconds = client.token_seconds, token_life.DEFAULT
    access.mark_modified(actor, client, timezone.now())
    audit.record(
        actor,
        audit.Action.CLIENT_EDITED,
        **access.named(client),
        before={"tokenSeconds": before},
        after={"tokenSeconds": token_life.DEFAULT, "notices": [str(token_life.RESET)]},
    )
    tokens.shorten_all(actor=actor, client=client, seconds=token_life.DEFAULT)
