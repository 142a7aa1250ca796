"""An organization's authorization of apps that act for its people: asked for, given, refused, taken back.

It is the middle one of the three that must all allow something (rules/effective_access.py), so nothing here
widens it but a person with `oauth:client:authorize`: not an app that acts for that person, not somebody who
asks again after a no, and not an edit of the client that has nothing to do with the scope.

Locks are taken in one order: the person, consents (services/tokens.py `end_app`), then the client, then the
authorization.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.errors import Conflict, NotAllowed, Problems
from accounts.models import Organization
from accounts.permissions import Permission
from oauthclients import grant_types, queries, scopes
from oauthclients.models import AuthorizationState, Client, ClientAuthorization
from oauthclients.services import access, tokens

# States that somebody chose, and that only somebody who may authorize lifts.
REFUSED = (AuthorizationState.UNAUTHORIZED, AuthorizationState.REVOKED)


def follow(*, actor: Actor, client: Client, before: Iterable[str] = ()) -> None:
    """Keeps the home organization's authorization in step with a client that was made or edited; `before`
    are the scopes that the client asked for until now.

    Whoever holds `oauth:client:authorize` authorizes new scopes by choosing them. Anybody else's new scopes
    wait for an answer, and so do those of an app that acts for a holder. A scope that is gone is gone here
    as well; about the others nothing is decided. Runs inside the transaction that locks the client.
    """
    if not grant_types.BY_CODE[client.authorization_grant_type].uses_scopes:
        return
    new = scopes.not_covered(client.scope, before)
    row = _row(client.organization, client)
    if row is None:
        if not new:
            return
        row = _unsaved(actor, client)
    was = _described(row)
    row.scope = scopes.meet(row.scope, client.scope)
    if new and not _may_authorize(actor):
        _wait(row, actor)
    elif new and row.state not in REFUSED:
        row.state = AuthorizationState.AUTHORIZED
        row.scope = scopes.narrowed([*row.scope, *new])
    if row.state == AuthorizationState.AUTHORIZED and not scopes.not_covered(client.scope, row.scope):
        _answered(row)
    now = _described(row)
    if now == was:
        return
    if now["state"] != was["state"]:
        action = audit.Action.APP_APPROVED
    elif now["requestedBy"] and not was["requestedBy"]:
        action = audit.Action.APP_ASKED
    else:
        action = audit.Action.APP_AUTHORIZATION_EDITED
    _save(actor, row, action, was)


def ask(*, actor: Actor, client_id: object) -> ClientAuthorization:
    """Somebody would like to use an app that the organization has not authorized, or not for all that it
    asks for. Anybody may ask. It changes nothing but that an answer is waited for: an app that was refused
    stays refused meanwhile. Asked again, or without need, it does nothing.

    Raises `NotFound` and `Invalid`, as `queries.app` does.
    """
    with transaction.atomic():
        client = queries.app(actor.organization, client_id, lock=True)
        row = _row(actor.organization, client) or _unsaved(actor, client)
        was = _described(row)
        if row.state != AuthorizationState.AUTHORIZED or scopes.not_covered(client.scope, row.scope):
            _wait(row, actor)
        if _described(row) != was:
            _save(actor, row, audit.Action.APP_ASKED, was, decided=False)
    return row


def approve(
    *,
    actor: Actor,
    client_id: object,
    scope: Iterable[str],
    roles: Iterable[str] = (),
    version: int | None = None,
) -> ClientAuthorization:
    """Authorizes an app for these scopes, and for people who hold one of these roles (none: for
    everybody): the first time, again after a no, or in place of what was authorized so far. Whatever was
    asked for is answered by it.

    Needs `oauth:client:authorize`, and a person: an app that acts for one is refused. The scopes must be
    among those that the app asks for (`users:readonly` is part of `users`), the roles among those of the
    organization. `version` is that of the row that the caller saw, 0 for none; a change in between raises
    `Conflict`. Raises `NotFound` and `Invalid` as well.
    """
    _require(actor)
    with transaction.atomic():
        client = queries.app(actor.organization, client_id, lock=True)
        row = _row(actor.organization, client) or _unsaved(actor, client)
        _refuse_stale(row, version)
        was = _described(row)
        problems = Problems()
        wanted = _checked_scopes(client, scope, problems)
        wanted_roles = _checked_roles(row, roles, problems)
        problems.raise_if_any()
        again = row.state == AuthorizationState.AUTHORIZED
        if row.state in REFUSED:
            # What was being given at the moment of the no, to somebody whose first yes it was, stays dead.
            row.not_before = timezone.now()
        row.state, row.scope, row.roles = AuthorizationState.AUTHORIZED, wanted, wanted_roles
        _answered(row)
        if row.version == 0 or _described(row) != was:
            action = audit.Action.APP_AUTHORIZATION_EDITED if again else audit.Action.APP_APPROVED
            _save(actor, row, action, was)
    return row


def decline(*, actor: Actor, client_id: object, version: int | None = None) -> ClientAuthorization:
    """Says no: to a request for more, which leaves what is authorized as it is, or else to the app, asked
    for or not, whose tokens end. Needs the same as `approve`.

    Raises `Conflict` where there is nothing to decline.
    """
    _require(actor)
    with transaction.atomic():
        found = queries.app(actor.organization, client_id)
        kept = queries.authorizations(actor.organization).filter(
            client=found, state=AuthorizationState.AUTHORIZED
        )
        more_asked = kept.exists()
        ended = 0 if more_asked else tokens.end_app(client=found, organization=actor.organization)
        client = queries.app(actor.organization, client_id, lock=True)
        row = _row(actor.organization, client) or _unsaved(actor, client)
        _refuse_stale(row, version)
        if (row.state == AuthorizationState.AUTHORIZED) != more_asked:
            raise _changed(row)
        if row.version and not queries.waits(row):
            raise Conflict(_("Nobody waits for an answer about this app."))
        was = _described(row)
        if row.state == AuthorizationState.REQUESTED:
            row.state = AuthorizationState.UNAUTHORIZED
        _answered(row)
        _save(actor, row, audit.Action.APP_DECLINED, was, {"tokens": ended} if ended else {})
    return row


def revoke(*, actor: Actor, client_id: object, version: int | None = None) -> ClientAuthorization:
    """Takes an authorization back; every token that the app has from people of this organization ends at
    once. The limit to some roles is kept, so that authorizing again starts from it. Needs the same as
    `approve`.

    Raises `Conflict` for an app that is not authorized.
    """
    _require(actor)
    with transaction.atomic():
        found = queries.app(actor.organization, client_id)
        ended = tokens.end_app(client=found, organization=actor.organization)
        client = queries.app(actor.organization, client_id, lock=True)
        row = _row(actor.organization, client)
        if row is None or row.state != AuthorizationState.AUTHORIZED:
            raise Conflict(_("This app is not authorized."))
        _refuse_stale(row, version)
        was = _described(row)
        row.state, row.scope = AuthorizationState.REVOKED, []
        _answered(row)
        _save(actor, row, audit.Action.APP_REVOKED, was, {"tokens": ended})
    return row


# --- The row -------------------------------------------------------------------------------------


def _row(organization: Organization, client: Client) -> ClientAuthorization | None:
    """Locked until the caller's transaction ends. Rows are made under the lock on the client, so that of
    two first words on an app the second finds the first."""
    return (
        ClientAuthorization.objects.select_for_update(of=("self",))
        .filter(organization=organization, client=client)
        .first()
    )


def _unsaved(actor: Actor, client: Client) -> ClientAuthorization:
    """Nothing has been said yet: version 0."""
    return ClientAuthorization(
        organization=actor.organization,
        client=client,
        state=AuthorizationState.REQUESTED,
        version=0,
        created_by_id=actor.id,
        created_by_name=actor.name,
    )


def _wait(row: ClientAuthorization, actor: Actor) -> None:
    """Somebody waits for an answer; who asked first, and when, stays."""
    if row.requested_at is None:
        row.requested_at = timezone.now()
        row.requested_by_id = actor.id
        row.requested_by_name = actor.name


def _answered(row: ClientAuthorization) -> None:
    row.requested_at = None
    row.requested_by_id = None
    row.requested_by_name = ""


def _save(
    actor: Actor,
    row: ClientAuthorization,
    action: audit.Action,
    was: dict[str, Any],
    more: dict[str, Any] | None = None,
    *,
    decided: bool = True,
) -> None:
    """With its line in the trail of the organization; and, where something was `decided` and not just asked
    for, with a new version and who did it."""
    before = was if row.version else {}
    if decided or not row.version:
        row.version += 1
        row.modified_by_id = actor.id
        row.modified_by_name = actor.name
    row.save()
    audit.record(
        actor,
        action,
        **access.named(row.client),
        before=before,
        after={**_described(row), **(more or {})},
    )


def _described(row: ClientAuthorization) -> dict[str, Any]:
    return {
        "state": row.state,
        "scope": list(row.scope),
        "roles": _role_names(row) if row.roles else [],
        "requestedBy": row.requested_by_name or None,
    }


def _role_names(row: ClientAuthorization) -> list[str]:
    """A role that was deleted is called by its id."""
    names = {str(role.id): role.name for role in account_queries.roles(row.organization)}
    return sorted(names.get(role, role) for role in row.roles)


# --- Deciding ------------------------------------------------------------------------------------


def _may_authorize(actor: Actor) -> bool:
    """An app that acts for a person never may, whatever its person holds: it could widen what it is
    authorized for itself."""
    return actor.via_id is None and bool(actor.access.decide(Permission.OAUTH_CLIENT_AUTHORIZE))


def _require(actor: Actor) -> None:
    actor.require(Permission.OAUTH_CLIENT_AUTHORIZE)
    if not _may_authorize(actor):
        raise NotAllowed(_("An app that acts for a person cannot decide which apps are authorized."))


def _refuse_stale(row: ClientAuthorization, version: int | None) -> None:
    if version is not None and version != row.version:
        raise _changed(row)


def _changed(row: ClientAuthorization) -> Conflict:
    return Conflict(
        _("%(name)s changed this authorization in the meantime.") % {"name": row.modified_by_name},
        code="general.conflict",
    )


def _checked_scopes(client: Client, wanted: Iterable[str], problems: Problems) -> list[str]:
    chosen = scopes.narrowed(list(wanted))
    if not chosen:
        problems.add("scope", "missing.client.scope", _("Choose at least one scope."))
    for scope in scopes.not_covered(chosen, client.scope):
        message = _("The app does not ask for the scope ‘%(scope)s’.") % {"scope": scope}
        problems.add("scope", "auth.invalid.scope", message)
    return chosen


def _checked_roles(row: ClientAuthorization, wanted: Iterable[str], problems: Problems) -> list[str]:
    """A role that was deleted may stay in the list, where it keeps everybody out, but not enter it."""
    chosen = sorted({str(role) for role in wanted})
    if not chosen:
        return []
    known = {str(role) for role in account_queries.roles(row.organization).values_list("id", flat=True)}
    if not known.union(row.roles).issuperset(chosen):
        problems.add("roles", "bad.client.role", _("Choose among the roles of your organization."))
    return chosen
