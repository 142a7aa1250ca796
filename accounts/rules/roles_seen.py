"""Who may see what a person holds: whoever views grants where the person sits, and the person. So it is for
all that tells it: roles, permissions, and why their calls are allowed. The page on which roles are given
shows it to whoever gives or takes them at all, too.
"""

from __future__ import annotations

from accounts.actor import Actor
from accounts.models import User
from accounts.permissions import Permission
from accounts.rules.access import ALLOWED, Decision, Divisions

GIVE = (Permission.AUTHORIZATION_GRANT_ADD, Permission.AUTHORIZATION_GRANT_DELETE)


def decide(actor: Actor, person: User) -> Decision:
    """A refusal names `authorization:grant:view`, the least that would do."""
    if actor.id == person.id:
        return ALLOWED
    return actor.access.decide(
        Permission.AUTHORIZATION_GRANT_VIEW,
        division_id=person.division_id,
        division_name=person.division.name,
    )


def decide_to_give(actor: Actor, person: User) -> Decision:
    """On the page of a person's roles."""
    seen = decide(actor, person)
    return seen if seen or not actor.access.decide(*GIVE) else ALLOWED


def where(actor: Actor) -> Divisions:
    """What they hold is seen of all who sit in these divisions; oneself comes on top."""
    return actor.access.divisions_for(Permission.AUTHORIZATION_GRANT_VIEW)
