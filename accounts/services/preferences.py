"""What people choose for themselves: their language and their time zone."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.actor import Actor
from accounts.errors import Problems
from accounts.models import User
from accounts.rules import locale


def choose(*, actor: Actor, user: User, language: str | None = None, time_zone: str | None = None) -> User:
    """One's own. Empty text takes a choice back, None leaves it as it is. Says nothing about the person to
    others, so it needs no permission, and is no new version of them. Raises `Invalid`."""
    assert actor.id == user.id
    problems = Problems()
    if language:
        locale.check_language(language, problems, "language")
    if time_zone:
        locale.check_time_zone(time_zone, problems, "time_zone")
    problems.raise_if_any()
    with transaction.atomic():
        row = User.objects.select_for_update(of=("self",), no_key=True).get(id=user.id)
        before = {"language": row.language, "timeZone": row.time_zone}
        row.language = row.language if language is None else language
        row.time_zone = row.time_zone if time_zone is None else time_zone
        after = {"language": row.language, "timeZone": row.time_zone}
        if after == before:
            return row
        row.save(update_fields=["language", "time_zone"])
        audit.record(
            actor,
            audit.Action.USER_PREFERENCES_SET,
            entity_type="user",
            entity_id=row.id,
            entity_name=str(row),
            before=before,
            after=after,
        )
    return row
