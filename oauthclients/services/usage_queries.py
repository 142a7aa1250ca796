"""Questions about use that the API puts down and answers later (wire contract C6)."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import date, timedelta

from django.utils import timezone

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.batches import delete_by_id
from accounts.errors import NotFound
from oauthclients.models import UsageQuery
from oauthclients.usage_reports import Question

# How long an answer can be fetched.
KEPT = timedelta(hours=24)
# So many questions of one person or client; older ones make room.
MOST_KEPT = 1_000
# Of those, removed at a time: more than one only after several were asked at once.
_AT_ONCE = 100
_TUPLES = ("group_by", "metrics", "client_names", "methods", "routes")


def ask(*, actor: Actor, question: Question) -> UsageQuery:
    """Puts it down. Two who ask at once may leave one more than `MOST_KEPT`, which the next one removes."""
    assert actor.id is not None
    put = UsageQuery.objects.create(
        organization_id=actor.organization.id,
        subject_id=actor.id,
        client_id=question.client_id,
        question={
            **dataclasses.asdict(question),
            "first": question.first.isoformat(),
            "last": question.last.isoformat(),
            "client_id": None,  # a column
        },
        ends_at=timezone.now() + KEPT,
    )
    # Read first: nearly always there is nothing to remove, and then nothing is written.
    of_subject = UsageQuery.objects.filter(subject_id=actor.id).order_by("-ends_at", "-id")
    too_many = of_subject.exclude(id=put.id).values_list("id", flat=True)
    delete_by_id(UsageQuery, list(too_many[MOST_KEPT - 1 : MOST_KEPT - 1 + _AT_ONCE]))
    return put


def asked(*, actor: Actor, query_id: object, client_id: uuid.UUID | None) -> Question:
    """What this actor has asked, about this client or (None) about the organization. Raises `NotFound` for
    what somebody else has asked as well."""
    assert actor.id is not None
    key = account_queries.as_uuid(query_id)
    found = (
        UsageQuery.objects.filter(
            id=key,
            organization_id=actor.organization.id,
            subject_id=actor.id,
            client_id=client_id,
            ends_at__gt=timezone.now(),
        ).first()
        if key
        else None
    )
    if found is None:
        raise NotFound
    put_down = found.question
    return Question(
        **{
            **put_down,
            **{name: tuple(put_down[name]) for name in _TUPLES},
            "first": date.fromisoformat(put_down["first"]),
            "last": date.fromisoformat(put_down["last"]),
            "client_id": found.client_id,
        }
    )
