"""A one-time link by mail, with which a person chooses their own password.

The link is a secret: it is made for one mail, stored as a hash only, works once, and not for long. Whoever
sends it never sees it.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta
from email.utils import make_msgid
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts import audit, queries
from accounts.actor import Actor
from accounts.errors import Conflict, DomainError
from accounts.models import Invitation, User, UserState
from accounts.permissions import Permission
from accounts.rules import locale
from accounts.services import people


class MailNotSent(DomainError):
    """The mail server did not take it; nothing was changed."""

    status = 503
    code = "service.unavailable"


@sensitive_variables("secret")
def send(*, actor: Actor, user_id: object, again: bool = True) -> Invitation:
    """Mails the person a link; one that was sent before stops working. Needs `directory:user:setPassword`
    in the person's division (wire contract E2), or `directory:organization:admin`, and not what the person
    may do: the link goes to the address that is theirs already, which takes that to change.

    Raises `NotFound`, `NotAllowed`, `Conflict` for somebody who is not active, or who signs in through
    single sign-on alone, or, unless `again`, has a link that still works; `MailNotSent`.
    """
    user = _may_be_sent(actor, user_id)
    if not again and Invitation.objects.filter(user=user, expires_at__gt=timezone.now()).exists():
        raise Conflict(_("This person was invited already."), code="general.conflict")
    secret = secrets.token_urlsafe(32)
    invitation = Invitation(
        user=user,
        digest=_digest(secret),
        sent_to=user.email,
        expires_at=timezone.now() + timedelta(seconds=settings.INVITATION_SECONDS),
        sent_by_name=actor.name,
    )
    # Before anything is written: a mail server is slow, and may refuse.
    _mail(actor, user, invitation, secret)
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",), no_key=True).get(id=user.id)
        if user.email != invitation.sent_to:
            raise Conflict(_("Somebody else changed the email address in the meantime."))
        Invitation.objects.filter(user=user).delete()
        invitation.save()
        audit.record(
            actor,
            audit.Action.USER_INVITED,
            entity_type="user",
            entity_id=user.id,
            entity_name=str(user),
            after={"sentTo": user.email, "until": invitation.expires_at.isoformat(timespec="seconds")},
        )
    return invitation


def _may_be_sent(actor: Actor, user_id: object) -> User:
    user = queries.person(actor.organization, user_id)
    actor.require(
        Permission.DIRECTORY_USER_SET_PASSWORD,
        Permission.DIRECTORY_ORGANIZATION_ADMIN,
        division_id=user.division_id,
        division_name=user.division.name,
    )
    if user.state != UserState.ACTIVE:
        raise Conflict(_("Only active people can be invited."), code="general.conflict")
    if _has_no_password(user):
        raise Conflict(
            _("People here sign in through single sign-on only, without a password."),
            code="general.conflict",
        )
    return user


def find(invitation_id: uuid.UUID, secret: str) -> Invitation | None:
    """The invitation of this link, if it still works."""
    found = (
        Invitation.objects.select_related("user__organization", "user__division")
        .filter(id=invitation_id, expires_at__gt=timezone.now())
        .first()
    )
    if found is None or not constant_time_compare(bytes(found.digest), _digest(secret)):
        return None
    return found if _works(found) else None


def still_open(invitation_id: uuid.UUID) -> Invitation | None:
    """One that was found by its link before, in this browser."""
    found = (
        Invitation.objects.select_related("user__organization", "user__division")
        .filter(id=invitation_id, expires_at__gt=timezone.now())
        .first()
    )
    return found if found is not None and _works(found) else None


@sensitive_variables("password")
def accept(*, invitation: Invitation, password: str) -> User:
    """The person's password from now on; the link is used up. Raises `Invalid` (`password`) for one that
    the rules refuse, and `Conflict` where the link was used or replaced meanwhile."""
    with transaction.atomic():
        # The person first, as everybody who ends an invitation does.
        rows = User.objects.select_for_update(of=("self",), no_key=True).select_related(
            "organization", "division"
        )
        user = rows.get(id=invitation.user_id)
        if (still := still_open(invitation.id)) is None or still.user_id != user.id:
            raise Conflict(_("This link was used already."))
        actor = queries.actor_for_user(user)
        people.store_password(actor=actor, user=user, password=password)  # ends the invitation
        audit.record(
            actor,
            audit.Action.USER_INVITATION_ACCEPTED,
            entity_type="user",
            entity_id=user.id,
            entity_name=str(user),
        )
    return user


def _works(invitation: Invitation) -> bool:
    user = invitation.user
    return (
        user.is_active
        and user.organization.active
        and not _has_no_password(user)
        and invitation.sent_to == user.email
    )


def _has_no_password(user: User) -> bool:
    """Whether they sign in through single sign-on alone."""
    organization = user.organization
    return organization.only_sso and organization.password_keeper_id != user.id


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


@sensitive_variables()
def _mail(actor: Actor, user: User, invitation: Invitation, secret: str) -> None:
    path = reverse("invitation", args=[invitation.id, secret])
    context = {
        "person": user,
        "organization": actor.organization,
        "sender": actor.name,
        "link": f"{settings.BASE_URL}{path}",
        "until": invitation.expires_at,
    }
    organization = actor.organization
    zone = locale.as_time_zone(user.time_zone or organization.time_zone)
    with translation.override(user.language or organization.language), timezone.override(zone):
        subject = _("Your account at %(organization)s") % {"organization": actor.organization.name}
        body = render_to_string("accounts/mail/invitation.txt", context)
    # By itself, Django names the machine, which may be "localhost": filters take that for spam.
    headers = {"Message-ID": make_msgid(domain=urlsplit(settings.BASE_URL).hostname)}
    message = EmailMessage(" ".join(subject.split()), body, to=[user.email], headers=headers)
    try:
        sent = message.send()
    except Exception as error:  # SMTP, DNS, TLS, a full disk: each with an error of its own
        raise MailNotSent(
            _("The mail could not be sent. Try again, or look at the mail settings.")
        ) from error
    if not sent:
        raise MailNotSent(_("The mail could not be sent. Try again, or look at the mail settings."))
