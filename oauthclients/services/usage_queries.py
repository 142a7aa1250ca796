"""Questions about use that the API puts down and answers later (wire contract C6)."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import date, timedelta

from django.utils import timezone

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.errors import NotFound
from oauthclients.models import UsageQuery
from oauthclients.usage_reports import Question

# How long an answer can be fetched.
KEPT = timedelta(hours=24)
_TUPLES = ("group_by", "metrics", "client_names", "methods", "routes")


def ask(*, actor: Actor, question: Question) -> UsageQuery:
    assert actor.id is not None
    return UsageQuery.objects.create(
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
