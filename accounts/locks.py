"""Rows that must stay as they are until the transaction ends. The order, everywhere: organization, then
division, then person, then what is OAuth's (oauthclients/services/access.py).

Whoever changes who may do what (roles, divisions, grants, a client's pairs) has the organization to
themselves: what is given is what was looked at, and two who take each other's Admin role away come one
after the other. Whoever only adds people shares the division with others who do.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.db import connection

from accounts import queries
from accounts.actor import Actor
from accounts.models import Division, Organization


def organization(row: Organization) -> Organization:
    """Read again, and the caller's until its transaction ends. Rows that only point to it can be written
    meanwhile: people go on getting tokens."""
    return Organization.objects.select_for_update(no_key=True).get(id=row.id)


def rights(actor: Actor) -> Actor:
    """Locks the organization, and reads again what the actor may do: who waited for somebody that took
    their rights away decides by what is left of them."""
    organization(actor.organization)
    if actor.access.unlimited or actor.id is None:
        return actor
    return replace(actor, access=queries.access_now(actor))


def share_division(division_id: uuid.UUID) -> bool:
    """Whether the division is there; if so, nobody deletes it before the caller is done. Others may share
    it meanwhile.

    On SQLite a transaction that writes has the whole database to itself.
    """
    if not connection.features.has_select_for_update:
        return Division.objects.filter(id=division_id, deleted_at=None).exists()
    # The ORM has FOR UPDATE, which would make everybody who adds a person wait for everybody else.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM accounts_division WHERE id = %s AND deleted_at IS NULL FOR SHARE",
            [division_id],
        )
        return cursor.fetchone() is not None
