"""Whose rights count. Whoever may run the command line names a person, and may do there what that person
may in the console, not more."""

from __future__ import annotations

import uuid

from accounts import locks, queries
from accounts.actor import Actor
from accounts.errors import DomainError, NotAllowed
from accounts.models import Organization, User
from oauthclients.services import access


def person(email: str, short_name: str) -> User:
    """An active person of an active organization. Raises `DomainError`; of a person of another
    organization it is not told that there is one."""
    organization = queries.organization_called(short_name)
    if organization is None:
        raise DomainError(f"There is no active organization with the short name ‘{short_name}’.")
    rows = queries.people(organization).select_related("organization")
    # PostgreSQL takes no NUL.
    found = None if "\0" in email else rows.filter(email=email.strip().lower()).first()
    if found is None:
        raise DomainError(f"Nobody of {organization} has the email address ‘{email}’.")
    if not found.is_active:
        raise NotAllowed(f"{found} is not active.")
    return found


def locked(user_id: uuid.UUID, organization: Organization) -> Actor:
    """The person's rights, read again under the locks of whoever changes rights: what is refused in the
    middle of an apply was refused from its start. Runs inside the caller's transaction. Raises
    `NotAllowed`."""
    locks.organization(organization)
    found = access.lock_person(user_id)
    if found is None or not found.is_active or not found.organization.active:
        raise NotAllowed("The person named with --as is not active any more.")
    return queries.actor_for_user(found)
