"""What somebody may do with a person: what the pages show or leave out, and whom they show at all. The
services decide it again (accounts/services/people.py, grants.py, invitations.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import queries
from accounts.actor import Actor
from accounts.models import User, UserState
from accounts.permissions import Permission
from accounts.rules import roles_seen
from accounts.rules.access import Divisions


@dataclass(frozen=True)
class Rights:
    """`roles`: see what the person holds; `give`: change it, in some division at least."""

    edit: bool
    state: bool
    delete: bool
    move: bool
    invite: bool
    roles: bool
    give: bool
    apps: bool
    revoke: bool
    trail: bool


def seen(actor: Actor, user_id: object) -> User:
    """A person whom the actor may see. Raises `NotFound` for another organization's, `NotAllowed` for one
    in a division where `directory:user:view` is not held."""
    person = queries.person(actor.organization, user_id)
    actor.require(
        Permission.DIRECTORY_USER_VIEW, division_id=person.division_id, division_name=person.division.name
    )
    return person


def of(actor: Actor, person: User) -> Rights:
    def may(*any_of: str, there: bool = True) -> bool:
        return bool(actor.access.decide(*any_of, division_id=person.division_id if there else None))

    there = person.state != UserState.DELETED
    edit = may(Permission.DIRECTORY_USER_EDIT, Permission.DIRECTORY_ORGANIZATION_ADMIN)
    give = may(*roles_seen.GIVE, there=False)
    revoke = may(Permission.OAUTH_TOKEN_DELETE, there=False)
    return Rights(
        edit=there and edit,
        state=edit,
        delete=there and may(Permission.DIRECTORY_USER_DELETE, Permission.DIRECTORY_ORGANIZATION_ADMIN),
        move=there and may(Permission.DIRECTORY_USER_EDIT),
        invite=person.state == UserState.ACTIVE
        and has_a_password(person)
        and may(Permission.DIRECTORY_USER_SET_PASSWORD, Permission.DIRECTORY_ORGANIZATION_ADMIN),
        roles=bool(roles_seen.decide_to_give(actor, person)),
        give=there and give,
        apps=revoke or may(Permission.OAUTH_TOKEN_VIEW, there=False),
        revoke=revoke,
        trail=actor.id == person.id or may(Permission.AUDITS_AUDIT_VIEW, there=False),
    )


def has_a_password(person: User) -> bool:
    """Whether a password is a way in for this person, so that they can be invited to choose one."""
    organization = person.organization
    return not organization.only_sso or organization.password_keeper_id == person.id


def where_roles_are_seen(actor: Actor) -> Divisions:
    """The divisions of the people whose roles the list may tell of."""
    return actor.access.divisions_for(Permission.AUTHORIZATION_GRANT_VIEW)


def tabs(person: User, may: Rights, current: str) -> list[dict[str, Any]]:
    """For components/tab_links.html."""
    entries = (
        ("person", _("Profile"), True),
        ("person-roles", _("Roles"), may.roles),
        ("person-permissions", _("Permissions"), may.roles),
        ("person-apps", _("Apps and tokens"), may.apps),
        ("person-activity", _("Activity"), True),
    )
    return [
        {"label": label, "url": reverse(name, args=[person.id]), "current": name == current}
        for name, label, shown in entries
        if shown
    ]


def entries(person: User, may: Rights) -> list[dict[str, Any]]:
    """The menu of a person, and of their row in the list: only what this viewer may do now."""

    def entry(label: str, name: str, *, dialog: bool = True, danger: bool = False) -> dict[str, Any]:
        return {
            "label": label,
            "url": reverse(name, args=[person.id]),
            "dialog": dialog,
            "danger": danger,
        }

    if person.state == UserState.DELETED:
        return [entry(_("Restore"), "person-restore")] if may.state else []
    found = []
    if may.edit:
        found.append(entry(_("Edit"), "person-edit", dialog=False))
    if may.give:
        found.append(entry(_("Change roles"), "person-roles", dialog=False))
    if may.invite:
        found.append(entry(_("Send invitation"), "person-invite"))
    if may.move:
        found.append(entry(_("Move to another division"), "person-move"))
    if may.state:
        if person.state == UserState.ACTIVE:
            found.append(entry(_("Deactivate"), "person-deactivate"))
        else:
            found.append(entry(_("Activate"), "person-activate"))
    if may.delete:
        found.append(entry(_("Delete"), "person-delete", danger=True))
    return found
