"""Adding, changing and deleting people."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, locks, queries
from accounts.actor import Actor
from accounts.default_roles import shown
from accounts.errors import Conflict, Invalid, NotAllowed, NotFound, Problems
from accounts.models import GroupMember, Invitation, Organization, Source, User, UserState
from accounts.permissions import Permission
from accounts.rules import trust
from accounts.rules.text import hides_something, shows_nothing
from accounts.services import grants, last_admin

# The texts that `change` accepts, and the longest value of each.
TEXT_FIELDS: Mapping[str, int] = {
    "name": 200,
    "title": 200,
    "department": 200,
    "email": 254,
    "given_name": 200,
    "family_name": 200,
    "other_email": 254,
    "employee_number": 200,
    "external_id": 255,
}
# What `change` accepts besides.
OTHER_FIELDS = ("state", "hired_on", "manager_id")


@dataclass(frozen=True)
class PersonSpec:
    """A person to be. `division_id` None means Home; without a password nobody can sign in as them before
    they are invited (services/invitations.py). `more` are other fields of `change`."""

    name: str
    email: str
    division_id: uuid.UUID | None = None
    title: str = ""
    department: str = ""
    password: str | None = None
    state: str = UserState.INACTIVE
    source: str = Source.LOCAL
    more: Mapping[str, Any] = field(default_factory=dict)


def create(*, actor: Actor, spec: PersonSpec) -> User:
    """Needs `directory:user:add` in the division. The new person holds no role: handing one on is a
    matter of its own (services/grants.py), so adding people cannot become a way around that.

    Raises `NotAllowed`, `Invalid`, `NotFound` (the division), `Conflict` (the email is in use).
    """
    organization = actor.organization
    division = (
        queries.division(organization, spec.division_id)
        if spec.division_id
        else queries.home_division(organization)
    )
    actor.require(Permission.DIRECTORY_USER_ADD, division_id=division.id, division_name=division.name)
    user = User(
        organization=organization,
        division=division,
        name=spec.name.strip(),
        email=spec.email.strip().lower(),
        title=spec.title.strip(),
        department=spec.department.strip(),
        state=spec.state,
        source=spec.source,
    )
    _set_fields(user, spec.more)
    _check(user, spec.password)
    _check_manager(actor, user)
    user.password = make_password(spec.password)  # None makes it unusable
    with transaction.atomic():
        if not locks.share_division(division.id):
            raise NotFound
        _save(user)
        audit.record(actor, audit.Action.USER_CREATED, after=_described(user), **_named(user))
    return user


def change(
    *,
    actor: Actor,
    user_id: object,
    version: int | None,
    values: Mapping[str, Any] | Callable[[User], Mapping[str, Any]],
    division_id: uuid.UUID | None = None,
) -> User:
    """Changes the fields in `values` (`TEXT_FIELDS`, `OTHER_FIELDS`) and keeps the rest. Needs
    `directory:user:edit` in the person's division and, with `division_id`, in the one that they move to.
    `values` may be told the person, read under the lock.

    A new email address needs all that the person may do (`require_could_be`): it is what they sign in by.

    `version` must be the one that the caller read, or nothing is changed: `Conflict`
    (`general.conflict`); None for a caller that looks at the person itself, under the lock. Taking the
    state away ends the person's sign-ins for good.
    """
    with transaction.atomic():
        if callable(values) or values.keys() & {"state", "email"}:
            actor = locks.rights(actor)  # for the last Admin, and for who could be whom
        if division_id and not locks.share_division(division_id):
            raise NotFound
        user = _locked(actor, user_id)
        actor.require(
            Permission.DIRECTORY_USER_EDIT,
            Permission.DIRECTORY_ORGANIZATION_ADMIN,
            division_id=user.division_id,
            division_name=user.division.name,
        )
        if version is not None and version != user.version:
            raise Conflict(
                _("Somebody else changed this person: read again (version %(version)s).")
                % {"version": user.version},
                code="general.conflict",
            )
        if callable(values):
            values = values(user)
        if user.state == UserState.DELETED and "state" not in values:
            raise Conflict(_("This person is deleted."), code="general.conflict")
        before, was_admin = _described(user), last_admin.is_admin(user)
        _set_fields(user, values)
        _move(actor, user, division_id)
        _check(user, None)
        _check_manager(actor, user, before["manager"])
        after = _described(user)
        if after == before:
            return user
        if after["email"] != before["email"]:
            require_could_be(actor, user)
            Invitation.objects.filter(user=user).delete()  # it was sent to the old address
        if user.state != before["state"]:
            _refuse_keeper(user)
            _end_sign_ins(user)
        user.version += 1
        _save(user)
        last_admin.require_left(actor, user, was=was_admin)
        audit.record(
            actor,
            audit.Action.USER_EDITED,
            before=before,
            after=after,
            **_named(user),
        )
    return user


def delete(*, actor: Actor, user_id: object) -> None:
    """Marks the person as deleted, takes their roles and groups away and ends their sign-ins; they can be
    revived by giving back a state (wire contract E3), and then hold nothing."""
    with transaction.atomic():
        actor = locks.rights(actor)
        user = _locked(actor, user_id)
        actor.require(
            Permission.DIRECTORY_USER_DELETE,
            Permission.DIRECTORY_ORGANIZATION_ADMIN,
            division_id=user.division_id,
            division_name=user.division.name,
        )
        if user.state == UserState.DELETED:
            return
        _refuse_keeper(user)
        before = {**_described(user), "roleDivisions": grants.describe_grants(actor, user.id)}
        was_admin = last_admin.is_admin(user)
        user.state = UserState.DELETED
        _end_sign_ins(user)
        user.version += 1
        _save(user)
        grants.forget(user.id)
        GroupMember.objects.filter(user=user).delete()
        Invitation.objects.filter(user=user).delete()
        last_admin.require_left(actor, user, was=was_admin)
        audit.record(
            actor,
            audit.Action.USER_DELETED,
            before=before,
            after={**_described(user), "roleDivisions": []},
            **_named(user),
        )


def set_password(*, actor: Actor, user: User, password: str) -> None:
    """Needs `directory:user:setPassword` in the person's division and all that the person may do
    (`require_could_be`). Raises `Invalid` for a password that the rules refuse. Ends the person's other
    sign-ins, because a session carries a hash of the password, and every token that an app got for them."""
    _require_choosing_password(actor, user)
    _check(user, password)
    hashed = make_password(password)  # slow, so before the lock
    with transaction.atomic():
        actor = locks.rights(actor)
        user = _locked(actor, user.id)
        _require_choosing_password(actor, user)
        _store(actor, user, hashed)


def _require_choosing_password(actor: Actor, user: User) -> None:
    actor.require(
        Permission.DIRECTORY_USER_SET_PASSWORD,
        division_id=user.division_id,
        division_name=user.division.name,
    )
    require_could_be(actor, user)


def change_own_password(*, actor: Actor, user: User, old: str, new: str) -> None:
    """Raises `Invalid` for a wrong old password (`oldPassword`) or a new one that the rules refuse."""
    assert actor.id == user.id
    if not user.check_password(old):
        raise Invalid.one("oldPassword", "invalid.value", _("The old password is wrong."))
    store_password(actor=actor, user=user, password=new)


def store_password(*, actor: Actor, user: User, password: str) -> None:
    """The person's own choice, by whatever way it is known that they are it."""
    _check(user, password)
    hashed = make_password(password)
    with transaction.atomic():
        _store(actor, _locked(actor, user.id), hashed)


def _store(actor: Actor, user: User, hashed: str) -> None:
    user.password = hashed
    user.not_before = timezone.now()
    user.save(update_fields=["password", "not_before", "modified_at"])
    Invitation.objects.filter(user=user).delete()
    audit.record(actor, audit.Action.USER_PASSWORD_SET, **_named(user))


def require_could_be(actor: Actor, user: User) -> None:
    """Who chooses somebody's password or address could become them, so it takes all that they may do
    (rules/trust.py; docs/decisions/010-becoming-somebody.md).

    Raises `NotAllowed` (`missing.division.permissions`), `InsufficientScope`.
    """
    if actor.id == user.id and actor.scopes is None:
        return
    held = queries.access_of(user.organization_id, user.id).held
    if not held:
        return
    grants.require_scope(actor)
    lacked = trust.beyond(actor.access, held)
    if lacked:
        raise NotAllowed(
            _(
                "Whoever chooses the password or the email address of ‘%(name)s’ could sign in as them, so "
                "it takes all that they may do. You may not do all that ‘%(role)s’ may."
            )
            % {"name": user.name, "role": shown(lacked[0].role_name)},
            code="missing.division.permissions",
        )


def _set_fields(user: User, values: Mapping[str, Any]) -> None:
    unknown = values.keys() - TEXT_FIELDS.keys() - set(OTHER_FIELDS)
    assert not unknown, unknown
    for name, value in values.items():
        setattr(user, name, value.strip() if isinstance(value, str) else value)
    user.email, user.other_email = user.email.lower(), user.other_email.lower()


def _check_manager(actor: Actor, user: User, before: str = "") -> None:
    """Raises `Invalid` for a new manager whom the actor does not see."""
    if user.manager_id is None or str(user.manager_id) == before:
        return
    seen = queries.people_in(actor.organization, queries.divisions_seen(actor.access))
    if not seen.filter(id=user.manager_id).exists():
        raise Invalid.one(
            "manager_id", "invalid.value", _("There is no such person who could be the manager.")
        )


def _move(actor: Actor, user: User, division_id: uuid.UUID | None) -> None:
    if division_id is None or division_id == user.division_id:
        return
    target = queries.division(actor.organization, division_id)
    for division in (user.division, target):
        actor.require(Permission.DIRECTORY_USER_EDIT, division_id=division.id, division_name=division.name)
    user.division = target


def _refuse_keeper(user: User) -> None:
    """Raises `Conflict` for the one who keeps a password where everybody else signs in elsewhere."""
    keeper = Organization.objects.filter(id=user.organization_id, only_sso=True, password_keeper=user)
    if keeper.exists():
        raise Conflict(
            _("‘%(name)s’ keeps the password for Only SSO: choose somebody else there first.")
            % {"name": user.name},
            code="general.conflict",
        )


def _end_sign_ins(user: User) -> None:
    """For good: neither a session nor a token from before works again when the state comes back."""
    user.session_epoch += 1
    user.not_before = timezone.now()


def _locked(actor: Actor, user_id: object) -> User:
    found = queries.person(actor.organization, user_id)
    # The lock is on the person alone; on SQLite the transaction already excludes other writers.
    rows = User.objects.select_for_update(of=("self",)).select_related("division", "organization")
    return rows.get(id=found.id)


def _check(user: User, password: str | None) -> None:
    problems = Problems()
    if shows_nothing(user.name):
        problems.add("name", "invalid.value", _("Enter a name."))
    for name, longest in TEXT_FIELDS.items():
        if hides_something(getattr(user, name)):
            problems.add(name, "invalid.value", _("Remove the invisible characters."))
        if len(getattr(user, name)) > longest:
            problems.add(
                name,
                "invalid.value",
                _("At most %(longest)s characters.") % {"longest": longest},
            )
    try:
        validate_email(user.email)
        if not user.email.isascii():  # which letters look alike, or become others in capitals
            raise ValidationError("not ASCII")
    except ValidationError:
        problems.add("email", "invalid.value", _("Enter an email address."))
    if user.other_email:
        try:
            validate_email(user.other_email)
        except ValidationError:
            problems.add("other_email", "invalid.value", _("Enter an email address."))
    if user.manager_id is not None:
        manager = User.objects.filter(id=user.manager_id, organization=user.organization)
        if user.manager_id == user.id or not manager.exists():
            problems.add(
                "manager_id", "invalid.value", _("There is no such person who could be the manager.")
            )
    if user.state not in (UserState.ACTIVE, UserState.INACTIVE):
        # To delete somebody needs another permission, and is another verb.
        problems.add("state", "invalid.value", _("The state must be one of: active, inactive."))
    if password is not None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            for message in error.messages:
                problems.add("password", "invalid.value", message)
    problems.raise_if_any()


def _save(user: User) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        # Emails are unique over all organizations, and another organization's people must stay
        # invisible: the sentence is the same wherever the other person is.
        raise Conflict(
            _("This email address is already in use."), code="resource.already.exists"
        ) from error


def _named(user: User) -> dict[str, Any]:
    return {"entity_type": "user", "entity_id": user.id, "entity_name": str(user)}


def _described(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "email": user.email,
        "title": user.title,
        "department": user.department,
        "state": user.state,
        "division": user.division.name,
        "givenName": user.given_name,
        "familyName": user.family_name,
        "otherEmail": user.other_email,
        "employeeNumber": user.employee_number,
        "dateHire": user.hired_on.isoformat() if user.hired_on else "",
        "manager": str(user.manager_id or ""),
        "externalId": user.external_id,
    }
