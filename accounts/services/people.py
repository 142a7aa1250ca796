"""Adding, changing and deleting people."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, queries
from accounts.actor import Actor
from accounts.errors import Conflict, Problems
from accounts.models import Organization, User, UserState
from accounts.permissions import Permission
from accounts.rules.text import hides_something, shows_nothing

# The fields that `change` accepts, and the longest value of each.
TEXT_FIELDS: Mapping[str, int] = {"name": 200, "title": 200, "department": 200, "email": 254}


@dataclass(frozen=True)
class PersonSpec:
    """A person to be. `division_id` None means Home; without a password nobody can sign in as them."""

    name: str
    email: str
    division_id: uuid.UUID | None = None
    title: str = ""
    department: str = ""
    password: str | None = None
    state: str = UserState.INACTIVE


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
    )
    _check(user, spec.password)
    user.password = make_password(spec.password)  # None makes it unusable
    with transaction.atomic():
        _save(user)
        audit.record(actor, audit.Action.USER_CREATED, after=_described(user), **_named(user))
    return user


def change(*, actor: Actor, user_id: object, version: int | None, values: Mapping[str, Any]) -> User:
    """Changes the fields in `values` (`name`, `email`, `title`, `department`, `state`) and keeps the
    rest. Needs `directory:user:edit` in the person's division.

    `version` must be the one that the caller read, or nothing is changed: `Conflict`
    (`general.conflict`). A `state` given is the only thing changed (wire contract E3), and taking
    it away ends the person's sign-ins for good.
    """
    with transaction.atomic():
        user = _locked(actor, user_id)
        actor.require(
            Permission.DIRECTORY_USER_EDIT,
            Permission.DIRECTORY_ORGANIZATION_ADMIN,
            division_id=user.division_id,
            division_name=user.division.name,
        )
        if version != user.version:
            raise Conflict(
                _("Somebody else changed this person: read again (version %(version)s).")
                % {"version": user.version},
                code="general.conflict",
            )
        if user.state == UserState.DELETED and "state" not in values:
            raise Conflict(_("This person is deleted."), code="general.conflict")
        before = _described(user)
        if "state" in values:
            values = {"state": values["state"]}
        for field, value in values.items():
            setattr(user, field, value.strip() if isinstance(value, str) else value)
        user.email = user.email.lower()
        _check(user, None)
        if _described(user) == before:
            return user
        if user.state != before["state"]:
            _refuse_keeper(user)
            _end_sign_ins(user)
        user.version += 1
        _save(user)
        audit.record(
            actor,
            audit.Action.USER_EDITED,
            before=before,
            after=_described(user),
            **_named(user),
        )
    return user


def delete(*, actor: Actor, user_id: object) -> None:
    """Marks the person as deleted; they can be revived by giving back a state (wire contract E3)."""
    with transaction.atomic():
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
        before = _described(user)
        user.state = UserState.DELETED
        _end_sign_ins(user)
        user.version += 1
        _save(user)
        audit.record(
            actor, audit.Action.USER_DELETED, before=before, after=_described(user), **_named(user)
        )


def set_password(*, actor: Actor, user: User, password: str) -> None:
    """Raises `Invalid` for a password that the rules refuse. Ends the person's other sign-ins,
    because a session carries a hash of the password, and every token that an app got for them."""
    actor.require(
        Permission.DIRECTORY_USER_SET_PASSWORD,
        division_id=user.division_id,
        division_name=user.division.name,
    )
    _check(user, password)
    hashed = make_password(password)  # slow, so before the lock
    with transaction.atomic():
        user = _locked(actor, user.id)
        user.password = hashed
        user.not_before = timezone.now()
        user.save(update_fields=["password", "not_before"])
        audit.record(actor, audit.Action.USER_PASSWORD_SET, **_named(user))


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
    return User.objects.select_for_update(of=("self",)).select_related("division").get(id=found.id)


def _check(user: User, password: str | None) -> None:
    problems = Problems()
    if shows_nothing(user.name):
        problems.add("name", "invalid.value", _("Enter a name."))
    for field, longest in TEXT_FIELDS.items():
        if hides_something(getattr(user, field)):
            problems.add(field, "invalid.value", _("Remove the invisible characters."))
        if len(getattr(user, field)) > longest:
            problems.add(
                field,
                "invalid.value",
                _("At most %(longest)s characters.") % {"longest": longest},
            )
    try:
        validate_email(user.email)
    except ValidationError:
        problems.add("email", "invalid.value", _("Enter an email address."))
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
    }
