"""Nobody takes away the organization's last Admin: an active person who holds the Admin role in all
divisions, without whom nobody could give it to anybody again."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.errors import Conflict
from accounts.models import Organization, RoleGrant, SubjectType, User, UserState

ADMIN = "admin"


def is_admin(user: User) -> bool:
    """Whether this person is one of them, at this moment."""
    return user.state == UserState.ACTIVE and _grants(user.organization).filter(subject_id=user.id).exists()


def others_left(organization: Organization, user: User) -> bool:
    """Whether somebody else is one."""
    others = _grants(organization).exclude(subject_id=user.id).values("subject_id")
    return User.objects.filter(id__in=others, state=UserState.ACTIVE).exists()


def require_left(actor: Actor, user: User, *, was: bool) -> None:
    """Called after a change that took something from this person, who `was` one before, under the lock on
    the organization. Raises `Conflict` where nobody would be left; the command line may do it all the same,
    since it can give the role again."""
    if actor.access.unlimited or not was or is_admin(user):
        return
    if others_left(actor.organization, user):
        return
    if actor.id == user.id:
        raise Conflict(_("You cannot remove your own last Admin role."), code="general.conflict")
    raise Conflict(
        _("‘%(name)s’ is the last Admin of this organization. Give the role to somebody else first.")
        % {"name": user.name},
        code="general.conflict",
    )


def _grants(organization: Organization) -> QuerySet[RoleGrant]:
    return RoleGrant.objects.filter(
        organization=organization,
        subject_type=SubjectType.USER,
        role__default_role_id=ADMIN,
        division=None,
    )
