"""From a page about something to its lines in the audit log, a page of the app that knows programs too."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.urls import reverse

from accounts.actor import Actor
from accounts.permissions import Permission


def all_about(actor: Actor, entity_id: uuid.UUID) -> str:
    """The address of all lines about it; empty for whoever may not read the trail."""
    return _address(actor, entity=entity_id)


def all_by(actor: Actor, actor_id: uuid.UUID) -> str:
    """The address of all that this person or client has done; empty for whoever may not read the trail."""
    return _address(actor, who=actor_id)


def _address(actor: Actor, **held_to: uuid.UUID) -> str:
    if not actor.access.decide(Permission.AUDITS_AUDIT_VIEW):
        return ""
    return f"{reverse('audit-log')}?{urlencode({'range': 'all', **held_to})}"
