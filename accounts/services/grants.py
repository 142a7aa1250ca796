"""Giving and taking role-division pairs, whoever the subject is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, drift, locks, queries
from accounts.actor import Actor
from accounts.errors import Conflict, InsufficientScope, NotAllowed, Problems
from accounts.models import Division, Organization, Role, RoleGrant, SubjectType, User, UserState
from accounts.permissions import Permission, expand
from accounts.rules import delegation
from accounts.rules.access import Decision
from accounts.rules.delegation import RoleDivision, not_held
from accounts.services import last_admin


@dataclass(frozen=True)
class NamedPair:
    """A pair with its rows, known to belong to the actor's organization."""

    role: Role
    division: Division | None

    @property
    def pair(self) -> RoleDivision:
        return RoleDivision(self.role.id, self.division.id if self.division else None)

    def __str__(self) -> str:
        """ "Supervisor: East", for the records."""
        return f"{self.role.name}: {self.division.name if self.division else 'all divisions'}"

    @property
    def label(self) -> str:
        """The same for people, in the language of the page."""
        where = self.division.name if self.division else _("all divisions")
        return _("%(role)s: %(where)s") % {"role": self.role.label, "where": where}


def resolve(actor: Actor, pairs: Iterable[RoleDivision]) -> list[NamedPair]:
    """The rows of these pairs, each once. Raises `Invalid` (`bad.client.role`, `bad.role.divisions`)
    for a role or division that is not this organization's."""
    wanted = list(dict.fromkeys(pairs))
    roles = queries.roles(actor.organization).in_bulk({pair.role_id for pair in wanted})
    divisions = queries.divisions(actor.organization).in_bulk(
        {pair.division_id for pair in wanted if pair.division_id}
    )
    problems = Problems()
    named = []
    for pair in wanted:
        role = roles.get(pair.role_id)
        division = divisions.get(pair.division_id) if pair.division_id else None
        if role is None:
            problems.add(
                "roleDivisions",
                "bad.client.role",
                unknown_role(pair.role_id),
            )
        elif pair.division_id and division is None:
            problems.add(
                "roleDivisions",
                "bad.role.divisions",
                unknown_division(pair.division_id),
            )
        else:
            named.append(NamedPair(role, division))
    problems.raise_if_any()
    return named


def lacked_by(actor: Actor, pairs: Iterable[NamedPair]) -> list[NamedPair]:
    """Those of the pairs that the actor does not hold, and so cannot give."""
    by_pair = {named.pair: named for named in pairs}
    return [by_pair[pair] for pair in not_held(actor.access, by_pair)]


def refuse_not_held(actor: Actor, pairs: Sequence[NamedPair]) -> None:
    """Raises `Invalid` (`bad.client.role`) for pairs that the actor cannot give."""
    problems = Problems()
    for named in lacked_by(actor, pairs):
        problems.add("roleDivisions", "bad.client.role", lacking(named))
    problems.raise_if_any()


def unknown_role(role_id: object) -> str:
    """Also for a role of another organization."""
    return _("There is no role with the ID %(id)s.") % {"id": role_id}


def unknown_division(division_id: object) -> str:
    """Also for a division of another organization."""
    return _("There is no division with the ID %(id)s.") % {"id": division_id}


def lacking(named: NamedPair) -> str:
    """ "You do not hold ‘Supervisor’ in East." — one sentence for form, page and API."""
    if named.division is None:
        return _("You do not hold ‘%(role)s’ in all divisions.") % {"role": named.role.label}
    return _("You do not hold ‘%(role)s’ in %(division)s.") % {
        "role": named.role.label,
        "division": named.division.name,
    }


def require_held(actor: Actor, pairs: Sequence[NamedPair]) -> None:
    """Raises `NotAllowed` (`missing.division.permissions`) naming every pair lacked."""
    lacked = lacked_by(actor, pairs)
    if lacked:
        where = [named.division.name if named.division else "*" for named in lacked]
        raise NotAllowed(
            " ".join(lacking(named) for named in lacked),
            code="missing.division.permissions",
            divisions=dict.fromkeys(where),
        )


def replace(
    *,
    actor: Actor,
    subject_type: SubjectType,
    subject_id: uuid.UUID,
    pairs: Sequence[NamedPair],
) -> None:
    """Makes these the pairs of an OAuth client. Pairs that stay keep their giver and date, but for those
    that drifted (accounts/drift.py), which are the actor's from now on.

    Every pair must be one that the actor holds, those that stay included: an edit settles all of
    them. Runs inside the caller's transaction, which records the change.
    """
    refuse_not_held(actor, pairs)
    _write(actor, subject_type, subject_id, pairs)


def change_person(
    *,
    actor: Actor,
    user_id: object,
    spec: Callable[[frozenset[RoleDivision]], Iterable[RoleDivision]],
    settle: bool = False,
) -> User:
    """Changes the role-division pairs of a person. `spec` is told what the person holds, read under the
    lock, and answers what they shall hold, so that a caller that adds one keeps the others.

    A pair more needs `authorization:grant:add` in its division, every permission of its role there
    (rules/delegation.py), and for an app that acts for somebody the scope `authorization`; and that what
    drifted (accounts/drift.py) is settled: the actor takes it over, or may not add before it is removed.
    One less needs `authorization:grant:delete` in its division, and must not be the organization's last
    Admin. Where nothing changes, nothing is settled either, unless `settle` says that this is an edit.

    Raises `NotFound` (the person), `Invalid` (`bad.client.role`, `bad.role.divisions`), `NotAllowed`,
    `Conflict`.
    """
    with transaction.atomic():
        actor = locks.rights(actor)
        user = _person(actor, user_id)
        if user.state == UserState.DELETED:
            raise Conflict(_("This person is deleted."), code="general.conflict")
        present = pairs_of(actor.organization, user.id)
        have = {named.pair for named in present}
        wanted = resolve(actor, spec(frozenset(have)))
        added = [named for named in wanted if named.pair not in have]
        removed = [named for named in present if named.pair not in {one.pair for one in wanted}]
        require_scope(actor)
        to_settle = settle and bool(drift.gifts(actor.organization, subject_ids=[user.id]))
        if not added and not removed and not to_settle:
            return user
        require_there(actor, Permission.AUTHORIZATION_GRANT_DELETE, removed)
        settled: list[RoleGrant] = []
        if added or not removed:
            require_there(actor, Permission.AUTHORIZATION_GRANT_ADD, added)
            require_givable(actor, added)
            settled = _to_settle(actor, user.id, removed)
        before, was_admin = describe_grants(actor, user.id), last_admin.is_admin(user)
        _write(actor, SubjectType.USER, user.id, wanted, settle=[grant.id for grant in settled])
        last_admin.require_left(actor, user, was=was_admin)
        audit.record(
            actor,
            audit.Action.GRANTS_CHANGED,
            entity_type="user",
            entity_id=user.id,
            entity_name=str(user),
            before={"roleDivisions": before, "settled": []},
            after={
                "roleDivisions": describe_grants(actor, user.id),
                "settled": [str(NamedPair(grant.role, grant.division)) for grant in settled],
            },
        )
    return user


def give(
    *, actor: Actor, subject_type: SubjectType, subject_id: uuid.UUID, pairs: Sequence[NamedPair]
) -> None:
    """Makes these the pairs of a person."""
    assert subject_type == SubjectType.USER
    change_person(actor=actor, user_id=subject_id, spec=lambda _present: [named.pair for named in pairs])


def require_scope(actor: Actor) -> None:
    """An app that acts for somebody hands on roles only with the scope that is about who holds them
    (docs/decisions/006-apps-and-roles.md). Raises `InsufficientScope`."""
    if actor.scopes is not None and delegation.SCOPE not in actor.scopes:
        raise InsufficientScope((delegation.SCOPE,))


def require_givable(actor: Actor, pairs: Iterable[NamedPair]) -> None:
    """Raises `NotAllowed` (`missing.division.permissions`) naming every pair that the actor cannot give to
    a person."""
    lacked = [named for named in pairs if not givable(actor, named)]
    if lacked:
        raise NotAllowed(
            " ".join(beyond(actor, named) for named in lacked),
            code="missing.division.permissions",
            missing=sorted({name for named in lacked for name in _lacked_permissions(actor, named)}),
            divisions=dict.fromkeys(_place(named) for named in lacked),
        )


def givable(actor: Actor, named: NamedPair) -> bool:
    """Whether the actor may give this pair to a person."""
    return delegation.may_give_to_person(actor.access, named.pair, expand(named.role.policies))


def beyond(actor: Actor, named: NamedPair) -> str:
    """ "You do not hold this role in West." with what is lacked of it."""
    names = _lacked_permissions(actor, named)
    what = {"role": named.role.label, "permissions": ", ".join(names[:5]) + ("…" if len(names) > 5 else "")}
    if named.division is None:
        return _("You may not do all that ‘%(role)s’ may in all divisions: %(permissions)s.") % what
    return _("You may not do all that ‘%(role)s’ may in %(division)s: %(permissions)s.") % {
        **what,
        "division": named.division.name,
    }


def _lacked_permissions(actor: Actor, named: NamedPair) -> list[str]:
    where = named.pair.division_id
    return sorted(name for name in expand(named.role.policies) if not actor.access.covers(name, where))


def require_there(actor: Actor, permission: Permission, pairs: Iterable[NamedPair]) -> None:
    """Raises `NotAllowed` unless the permission is held in the division of each pair; for all divisions, in
    all of them."""
    for named in pairs:
        if not actor.access.covers(permission, named.pair.division_id):
            Decision(False, "missing.division.permission", (permission,), (_place(named),)).require()


def _place(named: NamedPair) -> str:
    return named.division.name if named.division else "*"


def _to_settle(actor: Actor, user_id: uuid.UUID, removed: Sequence[NamedPair]) -> list[RoleGrant]:
    """The drifted pairs that stay, which the actor takes over. Raises `Conflict` for those that they could
    not give either."""
    gone = {named.pair for named in removed}
    staying = [
        grant
        for grant in drift.grants(actor.organization, subject_ids=[user_id])
        if RoleDivision(grant.role_id, grant.division_id) not in gone
    ]
    may_add = actor.access.where_covered(Permission.AUTHORIZATION_GRANT_ADD)
    stuck = [
        NamedPair(grant.role, grant.division)
        for grant in staying
        if grant.division_id not in may_add or not givable(actor, NamedPair(grant.role, grant.division))
    ]
    if stuck:
        may_view = actor.access.where_covered(Permission.AUTHORIZATION_GRANT_VIEW)
        names = ["‘" + named.label + "’" for named in stuck if named.pair.division_id in may_view]
        raise Conflict(
            _(
                "%(pairs)s: given by somebody who could not give it any more. Remove it first, or ask "
                "somebody who may give it."
            )
            % {"pairs": ", ".join(names) or _("A role of this person that you do not see")},
            code="general.conflict",
        )
    return staying


def _person(actor: Actor, user_id: object) -> User:
    found = queries.person(actor.organization, user_id)
    return (
        User.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organization")
        .get(id=found.id)
    )


def _write(
    actor: Actor,
    subject_type: SubjectType,
    subject_id: uuid.UUID,
    pairs: Sequence[NamedPair],
    *,
    settle: Iterable[uuid.UUID] | None = None,
) -> None:
    """`settle` are the grants that become the actor's; None: all of this subject's that drifted."""
    wanted = {named.pair: named for named in pairs}
    present = {
        RoleDivision(grant.role_id, grant.division_id): grant
        for grant in RoleGrant.objects.filter(organization=actor.organization, subject_id=subject_id)
    }
    if settle is None:
        settle = [grant.id for grant in drift.grants(actor.organization, subject_ids=[subject_id])]
    gone = [grant.id for pair, grant in present.items() if pair not in wanted]
    if gone:
        RoleGrant.objects.filter(id__in=gone).delete()
    if settle := list(settle):
        RoleGrant.objects.filter(id__in=settle).update(
            granted_by_type=actor.type, granted_by_id=actor.id, granted_at=timezone.now()
        )
    RoleGrant.objects.bulk_create(
        RoleGrant(
            organization=actor.organization,
            subject_type=subject_type,
            subject_id=subject_id,
            role=named.role,
            division=named.division,
            granted_by_type=actor.type,
            granted_by_id=actor.id,
        )
        for pair, named in wanted.items()
        if pair not in present
    )


def pairs_of(organization: Organization, subject_id: uuid.UUID) -> list[NamedPair]:
    """What a subject holds, by role and division name."""
    return [NamedPair(grant.role, grant.division) for grant in queries.grants_of(organization, subject_id)]


def forget(subject_id: uuid.UUID) -> None:
    """Deletes the grants of a subject that is being deleted for good."""
    RoleGrant.objects.filter(subject_id=subject_id).delete()


def describe_grants(actor: Actor, subject_id: uuid.UUID) -> list[str]:
    """ "Supervisor: East" for each pair, for the audit trail."""
    return sorted(
        str(NamedPair(grant.role, grant.division))
        for grant in RoleGrant.objects.filter(
            organization=actor.organization, subject_id=subject_id
        ).select_related("role", "division")
    )
