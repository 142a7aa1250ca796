from __future__ import annotations

import uuid

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import audit
from accounts.actor import system
from accounts.models import AuditEvent
from accounts.origin import Origin, acting_from


@pytest.fixture
def line(cast):
    with acting_from(Origin(uuid.uuid4(), "192.0.2.7", "a browser")):
        audit.record(
            system(cast.acme),
            audit.Action.CLIENT_EDITED,
            entity_type="client",
            entity_id=uuid.uuid4(),
            entity_name="Billing sync",
            before={"name": "Billing", "state": "active"},
            after={"name": "Billing sync", "state": "active"},
        )
    return AuditEvent.objects.get(entity_name="Billing sync")


def test_a_line_says_who_what_from_where_and_only_what_changed(line, cast):
    assert (line.organization_id, line.actor_type, line.action) == (cast.acme.id, "SYSTEM", "client.edited")
    assert (line.address, line.user_agent) == ("192.0.2.7", "a browser")
    assert (line.before, line.after) == ({"name": "Billing"}, {"name": "Billing sync"})


def test_no_code_can_change_or_delete_a_line(line):
    line.actor_name = "Somebody else"
    with pytest.raises(DatabaseError), transaction.atomic():
        line.save()
    with pytest.raises(TypeError):
        line.delete()
    with pytest.raises(TypeError):
        AuditEvent.objects.update(actor_name="Somebody else")
    with pytest.raises(TypeError):
        AuditEvent.objects.all().delete()


def test_the_database_itself_refuses_to_change_a_line(line):
    with (
        pytest.raises(DatabaseError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE accounts_auditevent SET actor_name = 'Somebody else'")
