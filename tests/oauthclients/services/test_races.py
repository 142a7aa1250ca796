"""Two at once, on a database that lets two write at once."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from django.db import connection

from accounts.errors import DomainError
from accounts.models import RoleGrant
from oauthclients.models import Client, ClientSecret
from oauthclients.services import clients, secrets
from tests import cast as standing_cast

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
]


def at_once(*calls):
    """Runs the calls in threads that start together; what each returned or raised."""
    barrier = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def run(index, call):
        barrier.wait()
        try:
            results[index] = call()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def made():
    cast = standing_cast.make()
    client, _secret = cast.client(("Supervisor", cast.home), by=cast.ada)
    return cast, client


def test_of_many_deletions_one_succeeds_and_the_others_find_nothing(made):
    cast, client = made
    ada = cast.actor(cast.ada)

    results = at_once(*[lambda: clients.delete(actor=ada, client_id=client.id)] * 6)

    assert sorted(getattr(result, "code", "deleted") for result in results) == [
        *["client.not.found"] * 5,
        "deleted",
    ]
    assert not Client.objects.exists()
    assert not RoleGrant.objects.filter(subject_id=client.id).exists()


def test_changes_and_a_deletion_at_the_same_time_leave_no_orphans(made):
    cast, client = made
    ada = cast.actor(cast.ada)

    def change():
        return clients.change(
            actor=ada, client_id=client.id, spec=lambda was: replace(was, description="x")
        )

    results = at_once(
        change,
        lambda: clients.delete(actor=ada, client_id=client.id),
        lambda: secrets.generate(actor=ada, client_id=client.id),
        change,
    )

    assert all(not isinstance(r, Exception) or isinstance(r, DomainError) for r in results), results
    assert not Client.objects.exists()
    assert not ClientSecret.objects.exists()
    assert not RoleGrant.objects.filter(subject_id=client.id).exists()


def test_of_two_new_secrets_over_the_same_one_exactly_one_is_made(made):
    cast, client = made
    ada = cast.actor(cast.ada)
    seen = client.secrets.get().id

    results = at_once(*[lambda: secrets.generate(actor=ada, client_id=client.id, replacing=seen)] * 6)

    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert client.secrets.count() == 1


def test_of_two_clients_with_one_name_exactly_one_is_made(made):
    cast, _client = made

    results = at_once(*[lambda: cast.client(("Supervisor", cast.home), name="Same", by=cast.ada)] * 4)

    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert Client.objects.filter(name="Same").count() == 1
    assert {r.code for r in results if isinstance(r, Exception)} == {"resource.already.exists"}
