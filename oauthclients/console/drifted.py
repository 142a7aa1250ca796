"""Grant drift in words: which roles somebody holds that whoever gave them could not give any more
(accounts/drift.py)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from accounts import drift
from accounts.actor import Actor
from accounts.models import Organization, User
from accounts.permissions import Permission
from accounts.rules.access import Divisions
from oauthclients.models import Client

# Whoever gave something and has been deleted since.
GONE = _("somebody who is not here any more")


def sentences(organization: Organization, subject_id: uuid.UUID) -> list[str]:
    """One for each such pair of a person or client; none where nothing is to be settled."""
    found = list(drift.grants(organization, subject_ids=[subject_id]))
    givers = names(organization, {grant.granted_by_id for grant in found if grant.granted_by_id})
    return [drift.sentence(grant, givers.get(grant.granted_by_id, str(GONE))) for grant in found]


def among(organization: Organization, subject_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the subjects of a page that hold such a pair."""
    found = drift.grants(organization, subject_ids=subject_ids)
    return set(found.order_by().values_list("subject_id", flat=True))


def people_seen(actor: Actor) -> Divisions:
    """The divisions of the people whose roles this person may see."""
    seen = actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
    return seen & actor.access.divisions_for(Permission.AUTHORIZATION_GRANT_VIEW)


def names(organization: Organization, ids: set[uuid.UUID]) -> dict[uuid.UUID | None, str]:
    """Of these people and clients."""
    if not ids:
        return {}
    people = User.objects.filter(organization=organization, id__in=ids)
    clients = Client.objects.filter(organization=organization, id__in=ids)
    return {
        **{person.id: str(person) for person in people},
        **{client.id: client.name for client in clients},
    }
