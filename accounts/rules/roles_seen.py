"""Who may see what a person holds: whoever views grants where the person sits, whoever gives or takes roles
at all, and the person. So it is for all that tells it: roles, permissions, and why their calls are allowed.
"""

from __future__ import annotations

from accounts.actor import Actor
from accounts.models import User
from accounts.permissions import Permission
from accounts.rules.access import ALLOWED, EVERYWHERE, Decision, Divisions

GIVE = (Permission.AUTHORIZATION_GRANT_ADD, Permission.AUTHORIZATION_GRANT_DELETE)


def decide(actor: Actor, person: User) -> Decision:
    """A refusal names `authorization:grant:view`, the least that would do."""
    if actor.id == person.id:
        return ALLOWED
    there = actor.access.decide(
        Permission.AUTHORIZATION_GRANT_VIEW,
        division_id=person.division_id,
        division_name=person.division.name,
    )
    return there if there or not actor.access.decide(*GIVE) else ALLOWED


def where(actor: Actor) -> Divisions:
    """The same of all who sit in these divisions; oneself comes on top."""
    if actor.access.decide(*GIVE):
        return EVERYWHERE
    return actor.access.divisions_for(Permission.AUTHORIZATION_GRANT_VIEW)
