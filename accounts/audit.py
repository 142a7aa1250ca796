"""Records what was done. Called by the services themselves, inside their transaction, so that there
is no change without its line and no line without its change."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import AuditEvent
from accounts.origin import origin


class Action(StrEnum):
    """`entity.verb`, sorted."""

    CLIENT_CREATED = "client.created"
    CLIENT_DELETED = "client.deleted"
    CLIENT_DELETION_SCHEDULED = "client.deletionScheduled"
    CLIENT_DISABLED = "client.disabled"
    CLIENT_EDITED = "client.edited"
    CLIENT_ENABLED = "client.enabled"
    CLIENT_RESTORED = "client.restored"
    CLIENT_SECRET_ENDED = "client.secretEnded"
    CLIENT_SECRET_REPLACED = "client.secretReplaced"
    CLIENT_TOKENS_REVOKED = "client.tokensRevoked"
    CLIENT_TOKENS_SHORTENED = "client.tokensShortened"
    DIVISION_CREATED = "division.created"
    GRANTS_CHANGED = "grants.changed"
    ORGANIZATION_CREATED = "organization.created"
    ROLE_CREATED = "role.created"
    USER_CREATED = "user.created"
    USER_DELETED = "user.deleted"
    USER_EDITED = "user.edited"
    USER_PASSWORD_SET = "user.passwordSet"
    USER_SIGNED_IN = "user.signedIn"
    USER_SIGNED_OUT = "user.signedOut"


SENTENCES: Mapping[str, Any] = {
    Action.CLIENT_CREATED: _("created the client"),
    Action.CLIENT_DELETED: _("deleted the client for good"),
    Action.CLIENT_DELETION_SCHEDULED: _("deleted the client, to be removed later"),
    Action.CLIENT_DISABLED: _("disabled the client"),
    Action.CLIENT_EDITED: _("edited the client"),
    Action.CLIENT_ENABLED: _("enabled the client"),
    Action.CLIENT_RESTORED: _("restored the client"),
    Action.CLIENT_SECRET_ENDED: _("ended an old secret"),
    Action.CLIENT_SECRET_REPLACED: _("generated a new secret"),
    Action.CLIENT_TOKENS_REVOKED: _("revoked the client's tokens"),
    Action.CLIENT_TOKENS_SHORTENED: _("shortened the life of the client's tokens"),
}


def record(
    actor: Actor,
    action: Action,
    *,
    entity_type: str,
    entity_id: uuid.UUID | None,
    entity_name: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Adds a line. Of `before` and `after`, only the keys whose values differ are kept.

    Callers pass what may be read by anybody with the right to see the trail: a secret appears as its
    last four characters at most.
    """
    before, after = dict(before or {}), dict(after or {})
    same = {key for key in before.keys() & after.keys() if before[key] == after[key]}
    here = origin()
    AuditEvent.objects.create(
        organization_id=actor.organization.id,
        at=timezone.now(),
        actor_type=actor.type,
        actor_id=actor.id,
        actor_name=actor.name,
        action=action,
        entity_type=entity_type,
        entity_id=entity_id,
        entity_name=entity_name[:255],
        before={key: value for key, value in before.items() if key not in same},
        after={key: value for key, value in after.items() if key not in same},
        address=here.address,
        user_agent=here.user_agent[:255],
        request_id=here.request_id,
    )
