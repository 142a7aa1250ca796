"""Unfinished clients: what somebody typed into the wizard, kept on the server between its steps.

A draft is no client and passes no rule; it is the one thing that a page writes itself. It never holds a
secret. `data` is `{"details": …, "access": …, "duration": …, "passed": [steps]}`, each step as
`console/forms.py` reads it, and `"preset"`, what it began from (`console/start_from.py`).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.actor import Actor, ActorType
from accounts.errors import NotFound
from oauthclients import queries
from oauthclients.models import ClientDraft


class DraftChangedError(Exception):
    """Another tab saved this draft in the meantime."""


class DraftUsedError(Exception):
    """The client was already made from this draft."""


def resume(actor: Actor) -> ClientDraft:
    """The unfinished draft of this person, or a fresh one. Drafts older than 14 days are dropped."""
    found = queries.unfinished_draft(actor)
    if found is not None:
        return found
    ClientDraft.objects.filter(
        user_id=_person(actor), saved_at__lte=timezone.now() - queries.DRAFTS_LIVE
    ).delete()
    try:
        with transaction.atomic():
            return ClientDraft.objects.create(user_id=_person(actor))
    except IntegrityError:  # two clicks on "Add client": the other one was first
        return ClientDraft.objects.get(user_id=_person(actor), client_id=None)


def own(actor: Actor, draft_id: uuid.UUID) -> ClientDraft:
    """Raises `NotFound` for anybody else's draft."""
    draft = ClientDraft.objects.filter(id=draft_id, user_id=_person(actor)).first()
    if draft is None:
        raise NotFound
    return draft


def save(draft: ClientDraft, *, version: int, data: Mapping[str, Any]) -> ClientDraft:
    """Replaces the draft's data, unless somebody else did since `version`.

    Raises `DraftChangedError` and `DraftUsedError`; `draft` is left as it was.
    """
    if draft.version == version and draft.data == data:
        return draft
    if draft.version < version:  # read before another save, so `data` is built on something older
        raise DraftChangedError
    _move_on(draft, version, data=dict(data), saved_at=timezone.now())
    return ClientDraft.objects.get(id=draft.id)


def claim(draft: ClientDraft, *, version: int) -> None:
    """Reserves the draft for the transaction that makes its client. The one statement that matters: of two
    saves at the same time, the second waits here for the first to end, and then finds nothing to claim.

    Raises `DraftChangedError` and `DraftUsedError`. `used_for` must follow in the same transaction.
    """
    _move_on(draft, version)


def used_for(draft: ClientDraft, client_id: uuid.UUID) -> None:
    """Notes which client came of it, and forgets what was typed."""
    ClientDraft.objects.filter(id=draft.id).update(client_id=client_id, data={})


def discard(draft: ClientDraft) -> None:
    ClientDraft.objects.filter(id=draft.id, client_id=None).delete()


def _person(actor: Actor) -> uuid.UUID:
    assert actor.type == ActorType.USER  # pages are for people
    assert actor.id is not None
    return actor.id


def _move_on(draft: ClientDraft, version: int, **values: Any) -> None:
    moved = ClientDraft.objects.filter(id=draft.id, client_id=None, version=version).update(
        version=F("version") + 1, **values
    )
    if moved:
        return
    now = ClientDraft.objects.filter(id=draft.id).first()
    if now is None:
        raise NotFound
    raise DraftUsedError if now.client_id else DraftChangedError
