"""Making what is there what the file says: by the services, in one transaction, as one person.

A plan is an apply that is rolled back, so it shows what will happen and is refused by what would refuse it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, DomainError, Invalid, NotAllowed, Problem, Problems
from accounts.models import Division, Role, User
from accounts.rules.delegation import RoleDivision
from accounts.services import grants
from accounts.services.grants import NamedPair
from oauthclients import grant_types, queries, scopes
from oauthclients.as_code import acting, state
from oauthclients.as_code.document import (
    AuthorizationWritten,
    ClientWritten,
    Document,
    PairWritten,
    Word,
    Written,
)
from oauthclients.as_code.places import Place, Refused, Troubles, meant
from oauthclients.as_code.plan import Plan, Seen, changes
from oauthclients.as_code.state import ClientNow, State
from oauthclients.models import Client, ClientState
from oauthclients.rules import client_spec, deletion, redirect_uris
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import access, authorizations, clients
from oauthclients.services.plain_secret import PlainSecret

# The services' names of what is wrong (wire contract C3) in the file's words.
_KEYS = {
    "authorizedGrantType": "grant_type",
    "roleDivisions": "roles",
    redirect_uris.FIELD: "redirect_uris",
    "scope": "scopes",
    "accessTokenValiditySeconds": "token_duration",
    "dateToDelete": "state",
}


@dataclass(frozen=True)
class NewSecret:
    """Of a client that was just made."""

    client: Client
    secret: PlainSecret


@dataclass(frozen=True)
class Wanted:
    """`prune`: clients that the file does not have are deleted. `settle`: what drifted is settled in
    clients that do not change otherwise, as saving them in the console does."""

    document: Document
    prune: bool = False
    settle: bool = False


def plan(person: User, wanted: Wanted) -> Plan:
    """What `apply` would do. Raises `Refused` and `NotAllowed`, as it would."""
    with transaction.atomic():
        run = _Run(person, wanted)
        planned = run.made()
        transaction.set_rollback(True)
    return planned


def apply(
    person: User,
    wanted: Wanted,
    *,
    expected: str,
    deliver: Callable[[Sequence[NewSecret]], None],
) -> Sequence[NewSecret]:
    """Does it, if it is what was planned: `expected` is the plan's fingerprint. `deliver` is given the new
    secrets before anything is final, and what it raises undoes everything.

    Raises `Refused`, `NotAllowed`, and `Conflict` where the plan would be another one by now.
    """
    with transaction.atomic():
        run = _Run(person, wanted)
        planned = run.made()
        if planned.fingerprint != expected:
            raise Conflict(
                "What is there has changed since the plan was made. Nothing was written; plan again."
            )
        if run.new_secrets:
            deliver(run.new_secrets)
    return run.new_secrets


class _Run:
    def __init__(self, person: User, wanted: Wanted) -> None:
        self.wanted, self.document = wanted, wanted.document
        self.actor: Actor = acting.locked(person.id, person.organization)
        self.person = person
        self.before: State = state.read(self.actor)
        self.troubles, self.seen = Troubles(), Seen()
        self.new_secrets: list[NewSecret] = []
        self.warnings: list[str] = []
        self.attempted = False

    def made(self) -> Plan:
        """Runs inside the caller's transaction. What the file wants, in the order in which it can be had:
        what goes, what is refused, what changes, what is new, what is authorized."""
        self.refuse_another_organization()
        found, new = self.matched()
        drifted = state.drifted(
            self.actor.organization, [now.row.id for _entry, now in found if now.grant.uses_roles]
        )
        if self.wanted.prune and not self.troubles.found:
            self.prune({now.row.id for _entry, now in found})
        for entry, now in found:
            self.refuse(entry.authorization, now.row.id)
        for one in self.document.authorizations:
            self.say_about_others(one, Word.REFUSED)
        self.change_all(found, drifted)
        made = [(entry, self.create(entry)) for entry in new]
        for entry, client in [*((entry, now.row) for entry, now in found), *made]:
            if client is not None:
                self.authorize_own(entry.authorization, client)
        for one in self.document.authorizations:
            self.say_about_others(one, Word.AUTHORIZED)
        self.troubles.raise_if_any()
        after = state.read(self.actor) if self.attempted else self.before
        return Plan(
            organization=self.actor.organization.short_name,
            person=self.person.email,
            changes=changes(self.before, after, self.seen),
            warnings=tuple(self.warnings),
            needs_secret=tuple(one.client.name for one in self.new_secrets),
        )

    def refuse_another_organization(self) -> None:
        meant_for = self.document.organization
        own = self.actor.organization.short_name
        if meant_for is not None and meant_for.value.lower() != own.lower():
            message = f"This file is for the organization ‘{meant_for.value}’, not for ‘{own}’."
            raise Refused.one(message, meant_for.place)

    # --- Which is which ---

    def matched(self) -> tuple[list[tuple[ClientWritten, ClientNow]], list[ClientWritten]]:
        """The entries of clients that are there, and those of new ones: by id, or else by name among those
        that no id speaks of."""
        by_id = {entry.key for entry in self.document.clients if entry.key}
        free = [now for now in self.before.clients.values() if now.row.id not in by_id]
        exact = {now.row.name: now for now in free}
        folded = {now.row.name.lower(): now for now in free}
        found, new = [], []
        for entry in self.document.clients:
            name = " ".join(entry.name.value.split())
            now = exact.get(name) or folded.get(name.lower())
            if entry.id is not None and entry.key is not None:
                now = self.before.clients.get(entry.key)
                if now is None:
                    self.troubles.add(
                        f"No client of this organization has the ID {entry.id.value}. Leave the ID out to "
                        "make a new client.",
                        entry.id.place,
                    )
                    continue
            if now is None:
                new.append(entry)
            else:
                self.seen.at(now.row.id, entry.place.line)
                found.append((entry, now))
        return found, new

    # --- Steps ---

    def attempt(self, step: Callable[[], None], told: Callable[[DomainError], None]) -> None:
        """One step. What it wrote before it was refused is undone, so that the others are tried on what
        would be there."""
        self.attempted = True
        try:
            with transaction.atomic():
                step()
        except DomainError as error:
            told(error)

    def prune(self, kept: set[uuid.UUID]) -> None:
        for key, now in self.before.clients.items():
            if key in kept or now.row.date_to_delete is not None:
                continue
            self.seen.note(key, _deletion_said(now.row))

            self.attempt(partial(self.delete, key), partial(self.blame_nothing, now.row.name))

    def delete(self, key: uuid.UUID) -> None:
        clients.delete(actor=self.actor, client_id=key)

    def blame_nothing(self, name: str, error: DomainError) -> None:
        """Of a client that the file does not have."""
        self.troubles.add(f"‘{name}’: {error.message}")

    def change_all(
        self, found: Iterable[tuple[ClientWritten, ClientNow]], drifted: dict[uuid.UUID, list[str]]
    ) -> None:
        """Renames wait for the client that has the name so far, if it gets another one too."""
        waiting = list(found)
        while waiting:
            names = {now.row.name.lower(): now.row.id for _entry, now in waiting}
            ready = [
                (entry, now)
                for entry, now in waiting
                if names.get(_name(entry).lower(), now.row.id) == now.row.id
            ]
            if not ready:
                for entry, _now in waiting:
                    self.troubles.add(
                        "These clients would swap their names, which cannot be done in one go. Give one of "
                        "them another name first.",
                        entry.name.place,
                    )
                return
            for entry, now in ready:
                self.change(entry, now, drifted.get(now.row.id, []))
            done = {now.row.id for _entry, now in ready}
            waiting = [one for one in waiting if one[1].row.id not in done]

    def change(self, entry: ClientWritten, now: ClientNow, drifted: Sequence[str]) -> None:
        spec = self.spec(entry, now)
        if spec is None:
            return
        was = queries.spec_of(now.row, list(now.pairs))
        wanted_state = self.state_after(entry, now)
        if wanted_state is None:
            return
        same = _same(was, spec) and wanted_state == now.row.state and not now.row.date_to_delete
        if same and drifted and not self.wanted.settle:
            self.warnings += [f"line {entry.place.line}: {sentence}" for sentence in drifted]
        if same and not (drifted and self.wanted.settle):
            return
        self.attempt(
            lambda: self.change_one(entry, now, spec, wanted_state, drifted),
            lambda error: self.blame(entry, error, now.pairs),
        )

    def change_one(
        self,
        entry: ClientWritten,
        now: ClientNow,
        spec: ClientSpec,
        wanted_state: str,
        drifted: Sequence[str],
    ) -> None:
        key, version = now.row.id, now.row.version
        if now.row.date_to_delete and wanted_state == ClientState.DISABLED:
            version = clients.restore(actor=self.actor, client_id=key).version
        changed = clients.change(
            actor=self.actor,
            client_id=key,
            spec=lambda _was: spec,
            version=version,
            state=wanted_state,
        )
        if changed.notices and entry.token_duration is not None:
            # The service goes back to a day where nobody has asked for a duration. Here, somebody has.
            problems = Problems()
            client_spec.check_duration(spec, problems, scim_only=False)
            problems.raise_if_any()
        self.seen.note(key, *changed.notices)
        self.seen.note(key, *(f"Settled: {sentence}" for sentence in drifted))

    def state_after(self, entry: ClientWritten, now: ClientNow) -> str | None:
        """None where nothing can be done: a client that waits for its removal comes back active or
        disabled, or stays as it is."""
        stays = entry.state is None or entry.state.value == ClientState.INACTIVE
        if stays and now.row.date_to_delete is not None:
            place = entry.state.place if entry.state else entry.place
            self.troubles.add(f"{access.PENDING_DELETION} “state: active” and “state: disabled” do.", place)
            return None
        return entry.state.value if entry.state else str(now.row.state)

    def create(self, entry: ClientWritten) -> Client | None:
        spec = self.spec(entry, None)
        if spec is None:
            return None
        made: list[Client] = []

        def step() -> None:
            client, secret = clients.create(actor=self.actor, spec=spec)
            made.append(client)
            if entry.state is not None and entry.state.value != client.state:
                clients.change(
                    actor=self.actor, client_id=client.id, spec=lambda was: was, state=entry.state.value
                )
            self.seen.at(client.id, entry.place.line)
            if grant_types.BY_CODE[spec.grant_type].grant_types:
                self.new_secrets.append(NewSecret(client, secret))

        def told(error: DomainError) -> None:
            made.clear()
            self.blame(entry, error, ())

        self.attempt(step, told)
        return made[0] if made else None

    # --- A client, as the services take it ---

    def spec(self, entry: ClientWritten, now: ClientNow | None) -> ClientSpec | None:
        """None where the file names what is not there."""
        troubles = len(self.troubles.found)
        if now is not None:
            spec = queries.spec_of(now.row, list(now.pairs))
        else:
            seconds = self.actor.organization.default_token_seconds
            spec = ClientSpec(name="", grant_type="", token_seconds=seconds)
        grant_type = spec.grant_type
        if entry.grant_type is not None:
            grant_type = grant_types.BY_WIRE[entry.grant_type.value].code
        pairs = self.resolved(entry.roles) if entry.roles is not None else spec.role_divisions
        spec = replace(
            spec,
            name=entry.name.value,
            grant_type=grant_type,
            description=entry.description.value if entry.description else spec.description,
            role_divisions=pairs,
            redirect_uris=_values(entry.redirect_uris, spec.redirect_uris),
            scope=_values(entry.scopes, spec.scope),
            token_seconds=entry.token_duration.value if entry.token_duration else spec.token_seconds,
        )
        self.refuse_unused(entry, spec.grant_type)
        return spec if len(self.troubles.found) == troubles else None

    def refuse_unused(self, entry: ClientWritten, grant_type: str) -> None:
        """The services drop what a grant type does not use. In a file that would look as if it held."""
        grant = grant_types.BY_CODE.get(grant_type)
        if grant is None:
            return
        used = {
            "roles": grant.uses_roles,
            "redirect_uris": grant.uses_redirect_uris,
            "scopes": grant.uses_scopes,
            "authorization": grant.uses_scopes,
        }
        for key, is_used in used.items():
            if key in entry.keys and not is_used:
                self.troubles.add(f"A client of the grant type {grant.wire} has no {key}.", entry.keys[key])

    def resolved(self, pairs: Sequence[PairWritten]) -> tuple[RoleDivision, ...]:
        found = []
        for written in pairs:
            role = self.called("role", written.role)
            division = self.called("division", written.division) if written.division else None
            if role is not None and (division is not None or written.division is None):
                found.append(RoleDivision(role, division))
        return tuple(found)

    @cached_property
    def names(self) -> dict[str, tuple[dict[str, uuid.UUID], dict[str, uuid.UUID]]]:
        """Of roles and divisions, by name and by name in lower case."""
        of_both: dict[str, Mapping[uuid.UUID, Role | Division]] = {
            "role": self.before.roles,
            "division": self.before.divisions,
        }
        return {
            what: (
                {row.name: key for key, row in rows.items()},
                {row.name.lower(): key for key, row in rows.items()},
            )
            for what, rows in of_both.items()
        }

    def called(self, what: str, written: Written) -> uuid.UUID | None:
        names, folded = self.names[what]
        key = names.get(written.value) or folded.get(written.value.lower())
        if key is None:
            near = meant(written.value, names)
            self.troubles.add(f"There is no {what} called ‘{written.value}’.{near}", written.place)
        return key

    # --- What the organization says about apps ---

    def refuse(self, entry: AuthorizationWritten | None, client_id: uuid.UUID) -> None:
        """Before anything else is done to a client: it waits for what people of it are just being given."""
        if entry is None or entry.state is None or entry.state.value != Word.REFUSED:
            return
        self.attempt(lambda: self.refused(client_id), lambda error: self.blame_word(entry, error))

    def refused(self, client_id: uuid.UUID) -> None:
        client = queries.app(self.actor.organization, client_id)
        said = state.word(queries.authorization_of(self.actor.organization, client))
        if said == Word.AUTHORIZED:
            authorizations.revoke(actor=self.actor, client_id=client_id)
        elif said is None:
            authorizations.decline(actor=self.actor, client_id=client_id)

    def authorize_own(self, entry: AuthorizationWritten | None, client: Client) -> None:
        if entry is None or entry.state is None:
            return
        if entry.state.value == Word.AUTHORIZED:
            self.attempt(
                lambda: self.authorized(entry, client.id), lambda error: self.blame_word(entry, error)
            )
        elif client.id not in self.before.clients:
            self.attempt(lambda: self.refused(client.id), lambda error: self.blame_word(entry, error))

    def say_about_others(self, entry: AuthorizationWritten, word: Word) -> None:
        if entry.state is None or entry.state.value != word or entry.client_id is None:
            return
        key = uuid.UUID(entry.client_id.value)
        if key in self.before.clients:
            self.troubles.add(
                "This is a client of this organization: put “authorization:” beside its other fields.",
                entry.client_id.place,
            )
            return
        if key not in self.seen.lines:
            self.seen.at(key, entry.place.line)
        if word == Word.REFUSED:
            self.attempt(lambda: self.refused(key), lambda error: self.blame_word(entry, error))
        else:
            self.attempt(lambda: self.authorized(entry, key), lambda error: self.blame_word(entry, error))

    def authorized(self, entry: AuthorizationWritten, client_id: uuid.UUID) -> None:
        client = queries.app(self.actor.organization, client_id)
        row = queries.authorization_of(self.actor.organization, client)
        scope = _values(entry.scopes, row.scope if row else ())
        roles = sorted(self.role_ids(entry.roles, row.roles if row else ()))
        if (
            row is not None
            and state.word(row) == Word.AUTHORIZED
            and set(scopes.narrowed(list(scope))) == set(row.scope)
            and roles == sorted(row.roles)
        ):
            return
        authorizations.approve(actor=self.actor, client_id=client_id, scope=scope, roles=roles)

    def role_ids(self, written: Sequence[Written] | None, present: Iterable[str]) -> set[str]:
        """By name; one that was deleted, and is still in the list, by its id."""
        if written is None:
            return set(present)
        found = set()
        for one in written:
            if one.value in present:
                found.add(one.value)
            elif (key := self.called("role", one)) is not None:
                found.add(str(key))
        return found

    # --- Where it is written ---

    def blame(self, entry: ClientWritten, error: DomainError, held: Sequence[NamedPair]) -> None:
        """The service's sentence, at the line of the file that it is about."""
        if isinstance(error, Invalid):
            for problem in error.problems:
                self.troubles.add(*self.blamed(entry, problem))
        elif isinstance(error, NotAllowed) and (lacked := grants.lacked_by(self.actor, held)):
            places = self.pair_places(entry)
            for named in lacked:
                sentence = grants.lacking(named)
                self.troubles.add(sentence, places.get(sentence, entry.place))
        else:
            self.troubles.add(error.message, entry.place)

    def blamed(self, entry: ClientWritten, problem: Problem) -> tuple[str, Place]:
        key = _KEYS.get(problem.field, problem.field)
        message, place = problem.message, entry.keys.get(key, entry.place)
        if key == "name":
            place = entry.name.place
        elif key == "roles":
            place = self.pair_places(entry).get(message, place)
        elif key == "redirect_uris" and problem.line is not None and entry.redirect_uris:
            written = entry.redirect_uris[problem.line - 1]
            place = written.place
            # The service counts the lines of the console's box.
            message = redirect_uris.problem_of(written.value.strip()) or _repeated(entry, written)
            message = message[:1].upper() + message[1:]
        elif key == "scopes":
            place = _quoted(message, entry.scopes, place)
        return message, place

    def pair_places(self, entry: ClientWritten) -> dict[str, Place]:
        """By the sentence that says that a pair is not held."""
        found = {}
        for written in entry.roles or ():
            roles = {row.name.lower(): row for row in self.before.roles.values()}
            divisions = {row.name.lower(): row for row in self.before.divisions.values()}
            role = roles.get(written.role.value.lower())
            division = divisions.get(written.division.value.lower()) if written.division else None
            if role is not None:
                found[grants.lacking(NamedPair(role, division))] = written.place
        return found

    def blame_word(self, entry: AuthorizationWritten, error: DomainError) -> None:
        if not isinstance(error, Invalid):
            place = entry.client_id.place if entry.client_id else entry.place
            self.troubles.add(error.message, place)
            return
        for problem in error.problems:
            key = _KEYS.get(problem.field, problem.field)
            place = entry.keys.get("client_id" if key == "clientId" else key, entry.place)
            written = entry.scopes if key == "scopes" else None
            self.troubles.add(problem.message, _quoted(problem.message, written, place))


def _values(written: Sequence[Written] | None, present: Iterable[str]) -> tuple[str, ...]:
    return tuple(present) if written is None else tuple(one.value for one in written)


def _name(entry: ClientWritten) -> str:
    return " ".join(entry.name.value.split())


def _same(was: ClientSpec, wanted: ClientSpec) -> bool:
    was, wanted = was.normalized(), wanted.normalized()
    return set(was.role_divisions) == set(wanted.role_divisions) and replace(
        was, role_divisions=()
    ) == replace(wanted, role_divisions=())


def _quoted(message: str, written: Sequence[Written] | None, place: Place) -> Place:
    """The place of the text that the sentence quotes."""
    return next((one.place for one in written or () if f"‘{one.value}’" in message), place)


def _repeated(entry: ClientWritten, written: Written) -> str:
    value = written.value.strip()
    first = next(one for one in entry.redirect_uris or () if one.value.strip() == value)
    return f"this repeats line {first.place.line}."


def _deletion_said(client: Client) -> str:
    now = timezone.now()
    if deletion.removal_date(created=client.created, now=now) is None:
        return "Deleted at once and for good: it is not older than 30 days."
    return "Switched off now and removed after 7 days, unless restored: it is older than 30 days."
