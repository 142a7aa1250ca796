"""The one-time link by which a person chooses their own password: who may send it, to whom, and when it
works."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts import queries
from accounts.actor import system
from accounts.errors import Conflict, Invalid, NotAllowed, NotFound
from accounts.models import AuditEvent, Invitation, Organization, User
from accounts.services import invitations, people

NEW = "a wholly different password"


@pytest.fixture
def nora(cast) -> User:
    """Somebody without a password, in East."""
    return people.create(
        actor=system(cast.acme),
        spec=people.PersonSpec(
            name="Nora", email="nora@acme.example", division_id=cast.east.id, state="active"
        ),
    )


def sent(number: int = -1) -> tuple[uuid.UUID, str]:
    """The ID and the secret of the link in a mail."""
    found = re.search(r"/invitation/([0-9a-f-]{36})/([\w-]+)/", mail.outbox[number].body)
    assert found
    return uuid.UUID(found[1]), found[2]


def send(cast, person, by=None) -> tuple[uuid.UUID, str]:
    invitations.send(actor=cast.actor(by or cast.ada), user_id=person.id)
    return sent()


def works(link: tuple[uuid.UUID, str]) -> bool:
    return invitations.find(*link) is not None


def test_the_mail_goes_to_the_person_and_has_a_link_that_works(cast, nora):
    link = send(cast, nora)

    assert mail.outbox[0].to == ["nora@acme.example"]
    assert "Ada invites you to Acme" in mail.outbox[0].body
    assert works(link)
    assert not works((link[0], link[1][:-1]))
    assert not works((uuid.uuid4(), link[1]))


def test_the_mail_says_until_when_as_the_console_does(cast, nora):
    with time_machine.travel(datetime(2026, 11, 21, 16, 18, tzinfo=UTC), tick=False):
        send(cast, nora)

    assert "The link works once, until 28 November 2026, 16:18 UTC. If you" in mail.outbox[0].body


def test_the_id_of_the_mail_names_the_installation(cast, nora, settings):
    settings.BASE_URL = "https://login.example.com:8443"
    send(cast, nora)
    send(cast, nora)

    ids = [str(message.message()["Message-ID"]) for message in mail.outbox]
    assert all(re.fullmatch(r"<[^@<>]+@login\.example\.com>", one) for one in ids)
    assert len(set(ids)) == 2


def test_the_secret_is_stored_and_recorded_nowhere(cast, nora):
    _key, secret = send(cast, nora)

    row = Invitation.objects.get()
    assert secret not in f"{bytes(row.digest)!r}{row.__dict__}"
    line = AuditEvent.objects.get(action="user.invited")
    assert secret not in str(line.__dict__)
    assert line.after["sentTo"] == "nora@acme.example"


def test_it_works_once(cast, nora):
    link = send(cast, nora)
    found = invitations.find(*link)
    assert found
    invitations.accept(invitation=found, password=NEW)

    assert User.objects.get(id=nora.id).check_password(NEW)
    assert not works(link)
    with pytest.raises(Conflict):
        invitations.accept(invitation=found, password="another long password")
    assert User.objects.get(id=nora.id).check_password(NEW)
    assert AuditEvent.objects.filter(action="user.invitationAccepted", actor_id=nora.id).count() == 1


def test_a_password_that_the_rules_refuse_uses_nothing_up(cast, nora):
    link = send(cast, nora)
    found = invitations.find(*link)
    assert found
    with pytest.raises(Invalid) as refused:
        invitations.accept(invitation=found, password="short")

    assert refused.value.problems[0].field == "password"
    assert works(link)


def test_a_newer_link_replaces_an_older_one(cast, nora):
    first = send(cast, nora)
    second = send(cast, nora)

    assert not works(first)
    assert invitations.still_open(first[0]) is None
    assert works(second)


def test_it_ends_after_its_time(cast, nora, settings):
    link = send(cast, nora)
    row = Invitation.objects.get()
    assert row.expires_at - timezone.now() <= timedelta(seconds=settings.INVITATION_SECONDS)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert not works(link)
    assert invitations.still_open(link[0]) is None


@pytest.mark.parametrize("change", [{"state": "inactive"}, {"email": "nora2@acme.example"}])
def test_it_stops_with_the_state_and_the_address_that_it_was_sent_to(cast, nora, change):
    link = send(cast, nora)
    people.change(actor=cast.actor(cast.ada), user_id=nora.id, version=None, values=change)

    assert not works(link)
    assert invitations.still_open(link[0]) is None


def test_it_stops_when_the_person_is_deleted_or_gets_a_password_otherwise(cast, nora):
    link = send(cast, nora)
    people.delete(actor=cast.actor(cast.ada), user_id=nora.id)
    assert not works(link)

    link = send(cast, cast.eve)
    people.set_password(actor=cast.actor(cast.ada), user=cast.eve, password=NEW)
    assert not works(link)


def test_with_only_sso_it_lets_nobody_choose_a_password(cast, nora):
    link = send(cast, nora)
    Organization.objects.filter(id=cast.acme.id).update(only_sso=True, password_keeper=cast.ada)

    assert not works(link)
    with pytest.raises(Conflict):
        invitations.send(actor=cast.actor(cast.ada), user_id=nora.id)
    invitations.send(actor=cast.actor(cast.ada), user_id=cast.ada.id)  # who keeps a password


def test_it_takes_the_right_to_set_passwords_in_the_persons_division(cast, nora):
    ines = cast.person("Ines", cast.west)
    cast.give(ines, ("People Admin", cast.west))
    with pytest.raises(NotAllowed) as refused:
        invitations.send(actor=cast.actor(ines), user_id=nora.id)
    assert "East" in refused.value.message

    cast.give(ines, ("People Admin", cast.east))
    send(cast, nora, by=ines)
    with pytest.raises(NotFound):
        invitations.send(actor=cast.actor(cast.cleo), user_id=nora.id)


def test_whoever_sends_it_need_not_be_able_to_do_what_the_person_may(cast):
    """The link goes to the address that is theirs already (docs/decisions/010-becoming-somebody.md)."""
    ines = cast.person("Ines", cast.home)
    cast.give(ines, ("People Admin", cast.home))

    send(cast, cast.ada, by=ines)

    assert mail.outbox[0].to == [cast.ada.email]


def test_only_active_people_are_invited(cast, nora):
    people.change(actor=cast.actor(cast.ada), user_id=nora.id, version=None, values={"state": "inactive"})
    with pytest.raises(Conflict):
        invitations.send(actor=cast.actor(cast.ada), user_id=nora.id)
    assert mail.outbox == []


def test_where_the_mail_cannot_be_sent_the_link_of_before_still_works(cast, nora, settings):
    link = send(cast, nora)
    settings.EMAIL_BACKEND = "nowhere.to.be.found"
    with pytest.raises(invitations.MailNotSent):
        invitations.send(actor=cast.actor(cast.ada), user_id=nora.id)

    assert works(link)
    assert AuditEvent.objects.filter(action="user.invited").count() == 1


def test_choosing_a_password_ends_the_sign_ins_and_tokens_of_before(cast, browser_of):
    browser = browser_of(cast.eve)
    link = send(cast, cast.eve)
    assert browser.get("/account/apps/").status_code == 200
    found = invitations.find(*link)
    assert found
    invitations.accept(invitation=found, password=NEW)

    assert browser.get("/account/apps/").status_code == 302
    assert queries.person(cast.acme, cast.eve.id).not_before is not None
