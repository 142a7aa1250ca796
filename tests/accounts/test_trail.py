"""Which lines a filter finds, in which order, and how far a page looks."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import trail
from accounts.models import AuditEvent, Organization
from accounts.trail import Filter, Position

START = datetime(2026, 3, 1, tzinfo=UTC)
ADA, APP, THING, REQUEST = (uuid.UUID(int=n) for n in range(1, 5))


def add(organization, hours: float = 0, **values) -> AuditEvent:
    line = AuditEvent(
        **{
            "organization_id": organization.id,
            "at": START + timedelta(hours=hours),
            "actor_type": "PC_USER",
            "actor_id": ADA,
            "actor_name": "Ada",
            "action": "client.edited",
            "entity_type": "client",
            "entity_id": THING,
            "entity_name": "Billing sync",
            **values,
        }
    )
    line.save()
    return line


@pytest.fixture
def acme(cast):
    """Without the lines of the cast."""
    return Organization.objects.create(name="Empty", short_name="empty")


def names(page) -> list[str]:
    return [line.entity_name for line in page.lines]


def test_pages_follow_each_other_without_a_gap_or_a_repetition_even_at_one_moment(acme):
    made = [add(acme, entity_name=str(n)) for n in range(7)]
    below, seen = None, []
    while True:
        page = trail.page(acme, Filter(), below=below, size=2)
        seen += page.lines
        if page.more is None:
            break
        below = Position.from_text(str(page.more))
    assert [line.id for line in seen] == sorted((line.id for line in made), reverse=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "2026-03-01~",
        f"2026-03-01T00:00:00~{ADA}",
        "~" * 9,
        # Before the first moment of UTC, and after the last.
        f"0001-01-01T00:00:00+14:00~{ADA}",
        f"9999-12-31T23:59:59-14:00~{ADA}",
    ],
)
def test_what_is_no_position_is_none(text):
    assert Position.from_text(text) is None


def test_a_position_is_in_utc():
    found = Position.from_text(f"2026-03-01T02:00:00+02:00~{ADA}")
    assert str(found) == str(Position(START, ADA))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), ["f", "e", "d", "c", "b", "a"]),
        (Filter(since=START + timedelta(hours=4)), ["f", "e"]),
        (Filter(until=START + timedelta(hours=1)), ["a"]),
        (Filter(who=ADA), ["e", "d", "a"]),
        (Filter(who=APP), ["c", "b"]),
        (Filter(entity=THING), ["f", "e", "d", "c", "b"]),
        (Filter(request=REQUEST), ["f", "a"]),
        (Filter(kind="role"), ["d"]),
        (Filter(action="user.signedIn"), ["e"]),
        (Filter(text="eve"), ["f"]),
        (Filter(text="SYNC APP"), ["b"]),
        (Filter(text="2001:DB8::1"), ["a"]),
        (Filter(text=str(REQUEST).upper()), ["f", "a"]),
        (Filter(text=str(APP)), ["c", "b"]),
        (Filter(who=ADA, kind="client"), ["a"]),
        (Filter(who=APP, text="b"), ["b"]),
        (Filter(action="user.signedIn", kind="role"), []),
    ],
    ids=str,
)
def test_each_filter_and_some_together(cast, acme, wanted, found):
    add(acme, 0, entity_name="a", entity_id=None, address="2001:db8::1", request_id=REQUEST)
    add(acme, 1, entity_name="b", actor_id=None, actor_name="x", via_id=APP, via_name="The sync app")
    add(acme, 2, entity_name="c", actor_id=APP, actor_name="y")
    add(acme, 3, entity_name="d", entity_type="role")
    add(acme, 4, entity_name="e", action="user.signedIn", entity_type="user")
    add(acme, 5, entity_name="f", actor_id=None, actor_name="Eve", request_id=REQUEST)
    add(cast.globex, 6, entity_name="another organization's", request_id=REQUEST, via_id=APP)

    assert names(trail.page(acme, wanted)) == found
    assert [line.entity_name for line in trail.every(acme, wanted, size=2)] == found


def test_a_page_looks_at_so_many_lines_and_says_where_it_stopped(acme, monkeypatch):
    """What is rare among many is found by going on, and no page takes longer than another."""
    monkeypatch.setattr(trail, "LOOKED_AT", 10)
    for n in range(25):
        add(acme, n, entity_name="rare" if n in (0, 20) else "common")

    first = trail.page(acme, Filter(text="rare"))
    assert (names(first), first.looked_back_to) == (["rare"], START + timedelta(hours=14))
    second = trail.page(acme, Filter(text="rare"), below=first.more)
    assert (names(second), second.looked_back_to) == ([], START + timedelta(hours=3))
    third = trail.page(acme, Filter(text="rare"), below=second.more)
    assert (names(third), third.more, third.looked_back_to) == (["rare"], None, None)
    assert len(list(trail.every(acme, Filter(text="rare")))) == 2


def test_lines_of_one_moment_are_looked_at_together(acme, monkeypatch):
    monkeypatch.setattr(trail, "LOOKED_AT", 3)
    for n in range(9):
        add(acme, n // 5, entity_name=f"rare {n}")
    assert len(list(trail.every(acme, Filter(text="rare"), size=2))) == 9


def test_a_page_of_one_filter_is_one_statement(acme):
    for n in range(30):
        add(acme, n)
    with CaptureQueriesContext(connection) as sent:
        assert len(trail.page(acme, Filter(entity=THING)).lines) == 25
    assert len(sent) == 1


def test_what_else_a_request_did(acme, cast):
    first = add(acme, 0, entity_name="first", request_id=REQUEST)
    add(acme, 1, entity_name="second", request_id=REQUEST)
    add(cast.globex, 1, entity_name="another organization's", request_id=REQUEST)
    found = trail.related(acme, [first])
    assert [line.entity_name for line in found[REQUEST]] == ["first", "second"]
    assert trail.related(acme, [add(acme, 2)]) == {}


def test_names_stay_readable_when_what_they_name_is_gone(acme, cast):
    add(acme, 0, entity_name="Old name")
    add(acme, 1, entity_name="Last name", action="client.deleted")
    assert trail.name_of(acme, THING) == "Last name"
    assert trail.name_of(acme, ADA) == "Ada"
    assert trail.name_of(cast.globex, THING) is None
    assert trail.gone(acme, "client.deleted", "LAST", most=5) == {THING: "Last name"}
    assert trail.gone(cast.globex, "client.deleted", "last", most=5) == {}


def test_the_lines_until_now_of_a_filter():
    now = START + timedelta(days=1)
    assert trail.within(Filter(), until=now).until == now
    assert trail.within(Filter(until=START), until=now).until == START
    assert trail.within(replace(Filter(), until=now + timedelta(days=1)), until=now).until == now
