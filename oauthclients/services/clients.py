"""Making, changing, switching off and deleting clients. The wizard, the edit page and the API all end
here, and here every rule is decided, whatever a form has checked before."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, drift, locks
from accounts.actor import Actor
from accounts.errors import Conflict, DomainError, Invalid, Problems
from accounts.models import Role, SubjectType
from accounts.permissions import Permission, expand
from accounts.rules.delegation import RoleDivision
from accounts.services import grants
from oauthclients import grant_types, queries
from oauthclients.models import Client, ClientOrigin, ClientState, Consent
from oauthclients.rules import client_spec, deletion, token_life
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.rules.redirect_uris import origin_of
from oauthclients.services import access, authorizations, secrets, tokens
from oauthclients.services.secrets import PlainSecret


@dataclass(frozen=True)
class Changed:
    """The client after a change, and what else had to change with it, as sentences."""

    client: Client
    notices: tuple[str, ...] = ()


def create(*, actor: Actor, spec: ClientSpec, id: uuid.UUID | None = None) -> tuple[Client, PlainSecret]:
    """Needs `oauth:client:add`, and every role-division pair given. With `id`, that is the client's id,
    which must be free; nobody's input ever is.

    Raises `NotAllowed`; `Invalid` with all problems and the codes of wire contract C3; `Conflict`
    (`resource.already.exists`) for a name that another client has.
    """
    now = timezone.now()
    with transaction.atomic():
        actor = locks.rights(actor)
        actor.require(Permission.OAUTH_CLIENT_ADD)
        pairs = _checked(actor, spec)
        _refuse_too_many(actor)
        spec = spec.normalized()
        client = Client(
            **({"id": id} if id else {}),
            organization=actor.organization,
            authorization_grant_type=spec.grant_type,
            created=now,
            created_by_type=actor.type,
            created_by_id=actor.id,
            created_by_name=actor.name,
            updated=now,
            modified_by_type=actor.type,
            modified_by_id=actor.id,
            modified_by_name=actor.name,
        )
        _apply(client, spec)
        _save_named(client, client.save)
        _save_origins(client)
        grants.replace(actor=actor, subject_type=SubjectType.CLIENT, subject_id=client.id, pairs=pairs)
        secret = secrets.add_first(actor=actor, client=client)
        audit.record(
            actor,
            audit.Action.CLIENT_CREATED,
            **access.named(client),
            after={**_described(client, pairs), "secret": f"ends {secret.last_four}"},
        )
        authorizations.follow(actor=actor, client=client)  # its own line comes after that of its cause
    return client, secret


def change(
    *,
    actor: Actor,
    client_id: object,
    spec: Callable[[ClientSpec], ClientSpec],
    version: int | None = None,
    state: str | None = None,
    date_to_delete: datetime | None = None,
) -> Changed:
    """Changes a client. `spec` is told what the client is now, read under the lock, and answers what it
    shall be, so that a caller that changes one field keeps the others as they are at that moment.

    Needs `oauth:client:edit`, every pair that the client holds *and* every pair it shall hold. With
    `version`, the one that the caller saw, a change in between raises `Conflict`. The grant type is
    fixed. A duration that the new roles no longer allow goes back to the default, with a notice; one
    that was asked for in the same change and is too long is refused.

    `state` active also undoes a deletion; a new `date_to_delete` needs `oauth:client:delete` as well. A
    client that is and stays pending deletion is not changed otherwise: `Conflict`.
    """
    with transaction.atomic():
        actor = locks.rights(actor)
        client = access.client_to_edit(actor, client_id)
        if version is not None and version != client.version:
            raise Conflict(
                _("%(name)s changed this client in the meantime.") % {"name": client.modified_by_name},
                code="general.conflict",
            )
        return _change(actor, client, spec, state, date_to_delete)


def change_roles(
    *,
    actor: Actor,
    client_id: object,
    spec: Callable[[frozenset[RoleDivision]], Iterable[RoleDivision]],
    settle: bool = False,
) -> Changed:
    """Changes what a client may do, from the side of who holds what (wire contract D2). `spec` is told its
    role-division pairs, read under the lock, and answers what they shall be. As `change`, but with
    `authorization:grant:add` in the division of each pair more, and `authorization:grant:delete` in that of
    each one less, instead of `oauth:client:edit`. Where nothing changes, what drifted is not settled
    either, unless `settle` says that this is an edit.

    Raises `Invalid` (`invalid.subject.type`) for a client that acts by scopes and not by roles.
    """
    with transaction.atomic():
        actor = locks.rights(actor)
        client = access.client_to_edit(actor, client_id, by_grants=True)
        if not grant_types.BY_CODE[client.authorization_grant_type].uses_roles:
            raise Invalid.one(
                "subjectId",
                "invalid.subject.type",
                _("This client acts for people, by its scopes. It holds no roles."),
            )

        had = frozenset(named.pair for named in queries.pairs_of(client))
        has = frozenset(spec(had))
        if has == had and not settle:
            return Changed(client)

        def with_pairs(was: ClientSpec) -> ClientSpec:
            grants.require_there(
                actor,
                Permission.AUTHORIZATION_GRANT_ADD,
                grants.resolve(actor, sorted(has - had, key=str)),
            )
            grants.require_there(
                actor,
                Permission.AUTHORIZATION_GRANT_DELETE,
                grants.resolve(actor, sorted(had - has, key=str)),
            )
            return replace(
                was,
                role_divisions=tuple(
                    [pair for pair in was.role_divisions if pair in has] + sorted(has - had, key=str)
                ),
            )

        return _change(actor, client, with_pairs)


def _change(
    actor: Actor,
    client: Client,
    spec: Callable[[ClientSpec], ClientSpec],
    state: str | None = None,
    date_to_delete: datetime | None = None,
) -> Changed:
    """Runs inside the caller's transaction, which holds the row."""
    now = timezone.now()
    before_pairs = queries.pairs_of(client)
    drifted = bool(drift.gifts(client.organization, subject_ids=[client.id]))
    before = _described(client, before_pairs)
    was = queries.spec_of(client, before_pairs)
    wanted = spec(was)
    if wanted.grant_type != was.grant_type:
        raise Invalid.one(
            "authorizedGrantType",
            "bad.grant.type",
            _("The grant type cannot be changed. Make a new client."),
        )
    notices = []
    if (
        wanted.token_seconds == was.token_seconds
        and wanted.token_seconds > token_life.LONGEST
        and not _scim_only(actor, wanted.normalized())
    ):
        wanted = replace(wanted, token_seconds=token_life.DEFAULT)
        notices.append(str(token_life.RESET))
    pairs = _checked(actor, wanted)
    wanted = wanted.normalized()
    _apply(client, wanted)
    _apply_state(actor, client, state, date_to_delete, now)
    after = _described(client, pairs)
    if after == before and not drifted:
        return Changed(client, tuple(notices))
    if before["dateToDelete"] == after["dateToDelete"]:
        access.refuse_pending_deletion(client)
    _save_named(client, lambda: access.mark_modified(actor, client, now))
    _save_origins(client)
    grants.replace(actor=actor, subject_type=SubjectType.CLIENT, subject_id=client.id, pairs=pairs)
    audit.record(
        actor,
        audit.Action.CLIENT_EDITED,
        **access.named(client),
        before={**before, "settled": False, "notices": []},
        after={**after, "settled": drifted, "notices": notices},
    )
    authorizations.follow(actor=actor, client=client, before=was.scope)
    if was.token_seconds > token_life.LONGEST >= wanted.token_seconds:
        # A token from before may have more than a year left, and now the new rights as well.
        tokens.shorten_all(actor=actor, client=client, seconds=wanted.token_seconds)
    return Changed(client, tuple(notices))


def set_enabled(*, actor: Actor, client_id: object, enabled: bool) -> Client:
    """Switches a client on, or off together with its tokens. Needs the same as `change`. A client that is
    pending deletion is restored first (`restore`)."""
    with transaction.atomic():
        client = access.client_to_edit(actor, client_id)
        access.refuse_pending_deletion(client)
        state = ClientState.ACTIVE if enabled else ClientState.DISABLED
        if client.state == state:
            return client
        before, client.state = client.state, state
        access.mark_modified(actor, client, timezone.now())
        audit.record(
            actor,
            audit.Action.CLIENT_ENABLED if enabled else audit.Action.CLIENT_DISABLED,
            **access.named(client),
            before={"state": before},
            after={"state": state},
        )
    return client


def delete(*, actor: Actor, client_id: object) -> Client | None:
    """The console's deletion: a client of at most 30 days is removed at once (None), an older one is
    switched off now and removed a week later, unless somebody restores it. Needs
    `oauth:client:delete`."""
    actor.require(Permission.OAUTH_CLIENT_DELETE)
    now = timezone.now()
    with transaction.atomic():
        client = access.locked_to_delete(actor, client_id)
        if client.date_to_delete is not None:
            return client
        removal = deletion.removal_date(created=client.created, now=now)
        if removal is None:
            _remove(actor, client)
            return None
        before = {"state": client.state, "dateToDelete": None}
        client.state = ClientState.INACTIVE
        client.date_to_delete = removal
        access.mark_modified(actor, client, now)
        audit.record(
            actor,
            audit.Action.CLIENT_DELETION_SCHEDULED,
            **access.named(client),
            before=before,
            after={"state": client.state, "dateToDelete": removal.isoformat()},
        )
    return client


def remove_inactive(*, actor: Actor, client_id: object) -> None:
    """The API's deletion, at once and for good: its safety is that the client must have been made
    inactive before (wire contract, fact 7), else `DomainError` (`cannot.delete.client`)."""
    actor.require(Permission.OAUTH_CLIENT_DELETE)
    with transaction.atomic():
        client = access.locked_to_delete(actor, client_id)
        if client.state != ClientState.INACTIVE:
            raise DomainError(
                _("The client must be inactive before it can be deleted."),
                code="cannot.delete.client",
            )
        _remove(actor, client)


def restore(*, actor: Actor, client_id: object) -> Client:
    """Undoes a deletion. The client comes back disabled. Needs the same as `change`."""
    with transaction.atomic():
        client = access.client_to_edit(actor, client_id)
        if client.date_to_delete is None:
            return client
        before = {"state": client.state, "dateToDelete": client.date_to_delete.isoformat()}
        client.state = ClientState.DISABLED
        client.date_to_delete = None
        access.mark_modified(actor, client, timezone.now())
        audit.record(
            actor,
            audit.Action.CLIENT_RESTORED,
            **access.named(client),
            before=before,
            after={"state": client.state, "dateToDelete": None},
        )
    return client


def purge_due(*, actor: Actor) -> int:
    """Removes the clients of the actor's organization whose week is over; for `manage.py purge`."""
    now = timezone.now()
    due = Client.objects.filter(organization=actor.organization, date_to_delete__lte=now)
    count = 0
    for key in list(due.values_list("id", flat=True)):
        with transaction.atomic():
            access.lock_consents(Consent.objects.filter(client_id=key))
            # Looked at again under the lock: somebody may have removed it meanwhile.
            client = due.select_for_update().filter(id=key).first()
            if client is not None:
                _remove(actor, client)
                count += 1
    return count


def _remove(actor: Actor, client: Client) -> None:
    audit.record(
        actor,
        audit.Action.CLIENT_DELETED,
        **access.named(client),
        before=_described(client, queries.pairs_of(client)),
    )
    grants.forget(client.id)
    client.delete()  # tokens, secrets and authorizations go with it


def _checked(actor: Actor, spec: ClientSpec) -> list[grants.NamedPair]:
    """Every rule on a client, with all problems at once. The pairs' rows on success."""
    problems = Problems()
    pairs: list[grants.NamedPair] = []
    wanted = spec.normalized()
    try:
        pairs = grants.resolve(actor, wanted.role_divisions)
        grants.refuse_not_held(actor, pairs)
        access.require_scope_to_hand_on(actor, pairs)
    except Invalid as error:
        problems.found.extend(error.problems)
    scim_only = token_life.is_scim_only(expand(named.role.policies) for named in pairs)
    problems.found.extend(client_spec.all_problems(spec, scim_only=scim_only))
    problems.raise_if_any()
    return pairs


def _scim_only(actor: Actor, spec: ClientSpec) -> bool:
    roles = Role.objects.filter(
        organization=actor.organization, id__in={pair.role_id for pair in spec.role_divisions}
    )
    return token_life.is_scim_only(expand(role.policies) for role in roles)


def _refuse_too_many(actor: Actor) -> None:
    most = settings.MAX_CLIENTS_PER_ORGANIZATION
    if Client.objects.filter(organization=actor.organization).count() >= most:
        raise DomainError(
            _("This organization already has %(most)s clients, the most it can have.") % {"most": most},
            code="auth.too.many.clients",
        )


def _apply(client: Client, spec: ClientSpec) -> None:
    client.name = spec.name
    client.description = spec.description
    client.redirect_uris = "\n".join(spec.redirect_uris)
    client.scope = list(spec.scope)
    client.token_seconds = spec.token_seconds


def _apply_state(
    actor: Actor, client: Client, state: str | None, date_to_delete: datetime | None, now: datetime
) -> None:
    """None keeps what is, except that an active client is not pending deletion."""
    if state is not None and state not in ClientState.values:
        raise Invalid.one(
            "state",
            "bad.client.state",
            _("The state must be one of: active, inactive, disabled."),
        )
    if date_to_delete is not None and not _same_moment(date_to_delete, client.date_to_delete):
        # To set a date is to delete; one that has passed would remove the client at once.
        actor.require(Permission.OAUTH_CLIENT_DELETE)
        if (state or client.state) == ClientState.ACTIVE:
            raise Invalid.one(
                "dateToDelete", "bad.client.state", _("Only an inactive client can be deleted later.")
            )
        if date_to_delete <= now:
            raise Invalid.one(
                "dateToDelete", "invalid.value", _("The date of deletion must be in the future.")
            )
        client.date_to_delete = date_to_delete
    if state is not None:
        client.state = state
        if state == ClientState.ACTIVE:
            client.date_to_delete = None


def _same_moment(one: datetime, other: datetime | None) -> bool:
    """To the millisecond, which is what the wire carries."""
    return other is not None and abs(one - other) < timedelta(milliseconds=1)


def _save_named(client: Client, save: Callable[[], None]) -> None:
    try:
        with transaction.atomic():
            save()
    except IntegrityError as error:
        raise _name_taken(client.name) from error


def _save_origins(client: Client) -> None:
    """Where the client's browser apps run, as its redirect URIs now say. Of a client whose grant has no
    redirect URIs, nowhere."""
    grant = grant_types.BY_CODE[client.authorization_grant_type]
    uris = client.redirect_uri_list if grant.uses_redirect_uris else []
    wanted = {origin for uri in uris if (origin := origin_of(uri))}
    kept = set(client.origins.values_list("origin", flat=True))
    client.origins.filter(origin__in=kept - wanted).delete()
    ClientOrigin.objects.bulk_create(
        ClientOrigin(client=client, origin=origin) for origin in sorted(wanted - kept)
    )


def _name_taken(name: str) -> Invalid:
    return Invalid.one(
        "name",
        "resource.already.exists",
        _("Another client is already called ‘%(name)s’.") % {"name": name},
    )


def refuse_taken_name(*, actor: Actor, name: str, except_for: uuid.UUID | None = None) -> None:
    """Raises `Invalid` early, for a wizard's first step; the database decides in the end."""
    name = " ".join(name.split())
    taken = Client.objects.filter(organization=actor.organization, name__iexact=name)
    if taken.exclude(id=except_for).exists():
        raise _name_taken(name)


def _described(client: Client, pairs: list[grants.NamedPair]) -> dict[str, Any]:
    """A client for the audit trail: everything about it but its secrets."""
    grant = grant_types.BY_CODE[client.authorization_grant_type]
    description: dict[str, Any] = {
        "name": client.name,
        "description": client.description,
        "authorizedGrantType": grant.wire,
        "accessTokenValiditySeconds": client.token_seconds,
        "state": client.state,
        "dateToDelete": client.date_to_delete.isoformat() if client.date_to_delete else None,
    }
    if grant.uses_roles:
        description["roleDivisions"] = sorted(str(named) for named in pairs)
    if grant.uses_redirect_uris:
        description["registeredRedirectUri"] = client.redirect_uri_list
    if grant.uses_scopes:
        description["scope"] = list(client.scope)
    return description
