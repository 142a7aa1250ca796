"""Who holds which role in which division: `/authorization/subjects`, the holders of a role, and
`/users/{id}/roles` (wire contract D2 and D5).

People are seen by who may see grants in their division, and clients, which sit in none, by who may
anywhere. What may be given and taken is for the services to say, for people and for clients.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries
from accounts.errors import NotFound
from accounts.models import Division, RoleGrant, SubjectType, User, UserState
from accounts.permissions import Permission
from accounts.rules.delegation import RoleDivision
from accounts.services import grants
from oauthclients import queries as client_queries
from oauthclients.api import pairs, shapes
from oauthclients.api.authorization import MOST_IDS, READ, WRITE, permitted_page
from oauthclients.api.errors import ApiError
from oauthclients.api.paging import Paging
from oauthclients.api.params import Body, Query, ids_in
from oauthclients.api.views import ApiView, no_content
from oauthclients.models import Client
from oauthclients.resource_server.guard import Where, requires
from oauthclients.services import clients

TOO_MANY = "max.role.assignments.exceeded"
NOTICE = "Latchkey-Notice"
MOST_PAIRS = 1_000

Subject = User | Client
Change = Callable[[frozenset[RoleDivision]], Iterable[RoleDivision]]


# --- Subjects ------------------------------------------------------------------------------------


class OwnSubject(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request) -> Response:
        return Response(_shaped(self, self.caller.person or self.caller.client))


class OneSubject(ApiView):
    @requires(Permission.AUTHORIZATION_GRANT_VIEW, scopes=READ)
    def get(self, request: Request, subject_id: str) -> Response:
        row = _subject(self, subject_id)
        _require_seen(self, row)
        return Response(_shaped(self, row))


class RoleCounts(ApiView):
    @requires(Permission.AUTHORIZATION_GRANT_VIEW, scopes=READ, where=Where.LISTED)
    def get(self, request: Request) -> Response:
        """How many roles each of these subjects holds, by id. Who is not seen is not in it."""
        ids = Query(request).ids("id", most=MOST_IDS) or set()
        seen = {
            *_people_seen(self).filter(id__in=ids).values_list("id", flat=True),
            *client_queries.clients(self.organization).filter(id__in=ids).values_list("id", flat=True),
        }
        held = dict(
            RoleGrant.objects.filter(organization=self.organization, subject_id__in=seen)
            .order_by()
            .values_list("subject_id")
            .annotate(Count("role_id", distinct=True))
        )
        return Response({str(id): held.get(id, 0) for id in sorted(seen, key=str)})


class AddedGrants(ApiView):
    @requires(Permission.AUTHORIZATION_GRANT_ADD, scopes=WRITE)
    def post(self, request: Request, subject_id: str) -> Response:
        subject = _subject(self, subject_id, _kind(request))
        given = _given_pairs(self, request)
        _require_there(self, Permission.AUTHORIZATION_GRANT_ADD, given)
        _change(self, subject, lambda present: [*present, *given])
        return no_content()


class RemovedGrants(ApiView):
    @requires(Permission.AUTHORIZATION_GRANT_DELETE, scopes=WRITE)
    def post(self, request: Request, subject_id: str) -> Response:
        subject = _subject(self, subject_id, _kind(request))
        taken = _given_pairs(self, request)
        _require_there(self, Permission.AUTHORIZATION_GRANT_DELETE, taken)
        _change(self, subject, lambda present: present - set(taken))
        return no_content()


class ReplacedGrants(ApiView):
    @requires(
        Permission.AUTHORIZATION_GRANT_ADD,
        Permission.AUTHORIZATION_GRANT_DELETE,
        scopes=WRITE,
        every=True,
    )
    def post(self, request: Request, subject_id: str) -> Response:
        subject = _subject(self, subject_id, _kind(request))
        given = _given_pairs(self, request)
        _change(self, subject, lambda _present: given, settle=True)
        return no_content()


class OneGrant(ApiView):
    @requires(Permission.AUTHORIZATION_GRANT_ADD, scopes=WRITE)
    def post(self, request: Request, subject_id: str, division_id: str, role_id: str) -> Response:
        """The body, four bytes `null` from the SDKs, is not read."""
        subject = _subject(self, subject_id, _kind(request))
        pair = self._pair(division_id, role_id)
        _require_there(self, Permission.AUTHORIZATION_GRANT_ADD, [pair])
        _change(self, subject, lambda present: [*present, pair])
        return no_content()

    @requires(Permission.AUTHORIZATION_GRANT_DELETE, scopes=WRITE)
    def delete(self, request: Request, subject_id: str, division_id: str, role_id: str) -> Response:
        subject = _subject(self, subject_id)
        pair = self._pair(division_id, role_id)
        _require_there(self, Permission.AUTHORIZATION_GRANT_DELETE, [pair])
        _change(self, subject, lambda present: present - {pair})
        return no_content()

    def _pair(self, division_id: str, role_id: str) -> RoleDivision:
        everywhere = division_id == shapes.ALL_DIVISIONS
        return RoleDivision(
            queries.role(self.organization, role_id).id,
            None if everywhere else queries.division(self.organization, division_id).id,
        )


class DivisionsPermittedToSubject(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request, subject_id: str) -> Response:
        """One's own need no permission; those of others are for who may see their grants."""
        row = _subject(self, subject_id)
        if row.id != self.actor.id:
            self.actor.require(Permission.AUTHORIZATION_GRANT_VIEW)
            _require_seen(self, row)
            return permitted_page(self, request, queries.access_of(self.organization.id, row.id))
        return permitted_page(self, request, self.actor.access)


# --- The holders of a role -----------------------------------------------------------------------


class HoldersOfRole(ApiView):
    @requires(Permission.AUTHORIZATION_ROLE_VIEW, scopes=READ)
    def get(self, request: Request, role_id: str) -> Response:
        """`SubjectDivisionGrants`, for those holders whose grants the caller may see."""
        paging = Paging(request)
        role = queries.role(self.organization, role_id)
        rows = RoleGrant.objects.filter(organization=self.organization, role=role).filter(
            self._seen(), subject_type__in=SubjectType.values
        )
        ids = rows.order_by("subject_id").values_list("subject_id", flat=True).distinct()
        page = paging.cut(ids)
        return Response(paging.envelope(self._shaped(rows, page), ids.count()))

    def _seen(self) -> Q:
        people = Q(subject_type=SubjectType.USER, subject_id__in=_people_seen(self).values("id"))
        if not self.actor.access.divisions_for(Permission.AUTHORIZATION_GRANT_VIEW):
            return people
        return people | Q(
            subject_type=SubjectType.CLIENT,
            subject_id__in=client_queries.clients(self.organization).values("id"),
        )

    def _shaped(self, rows: QuerySet[RoleGrant], ids: list[uuid.UUID]) -> list[dict[str, Any]]:
        names = {
            **{row.id: str(row) for row in queries.people(self.organization).filter(id__in=ids)},
            **dict(client_queries.clients(self.organization).filter(id__in=ids).values_list("id", "name")),
        }
        found: dict[uuid.UUID, tuple[str, list[Division | None]]] = {}
        held = rows.filter(subject_id__in=ids).select_related("division").order_by("division__name", "id")
        for grant in held:
            found.setdefault(grant.subject_id, (grant.subject_type, []))[1].append(grant.division)
        return [
            shapes.holder(id, names.get(id, ""), *found[id])
            for id in ids
            if id in found  # taken away between two statements
        ]


class PeopleWithRole(ApiView):
    @requires(scopes=READ)
    def get(self, request: Request, role_id: str) -> Response:
        """Those whose grants the caller may see."""
        paging = Paging(request)
        role = queries.role(self.organization, role_id)
        holders = RoleGrant.objects.filter(
            organization=self.organization, role=role, subject_type=SubjectType.USER
        )
        rows = _people_seen(self).filter(id__in=holders.values("subject_id")).order_by("name", "id")
        page = paging.cut(rows)
        return Response(
            paging.envelope([shapes.who_by_id(SubjectType.USER, row.id) for row in page], rows.count())
        )


class RoleForPeople(ApiView):
    """The role in Home."""

    @requires(Permission.AUTHORIZATION_GRANT_ADD, scopes=WRITE)
    def put(self, request: Request, role_id: str) -> Response:
        pair = RoleDivision(
            queries.role(self.organization, role_id).id, queries.home_division(self.organization).id
        )
        people = _people(self, ids_in(request.data, code=TOO_MANY))
        _require_there(self, Permission.AUTHORIZATION_GRANT_ADD, [pair])
        _change_all(self, people, lambda present: [*present, pair])
        return Response([str(person.id) for person in people])


class RoleNotForPeople(ApiView):
    """The role, in whatever divisions they have it."""

    @requires(Permission.AUTHORIZATION_GRANT_DELETE, scopes=WRITE)
    def put(self, request: Request, role_id: str) -> Response:
        role = queries.role(self.organization, role_id)
        people = _people(self, ids_in(request.data, code=TOO_MANY))
        _change_all(self, people, lambda present: [pair for pair in present if pair.role_id != role.id])
        return Response([str(person.id) for person in people])


def give_role(view: ApiView, request: Request, role_id: str) -> None:
    """`SubjectDivisions`: each of the subjects gets the role in each of the divisions, or nobody gets
    anything."""
    role = queries.role(view.organization, role_id)
    body = Body(request.data)
    subject_ids, division_ids = body.texts("subjectIds"), body.texts("divisionIds")
    if not subject_ids and not body.problems.found:
        body.problems.add("subjectIds", "invalid.value", _("“subjectIds” is required."))
    body.check()
    subject_ids = list(dict.fromkeys(subject_ids or ()))
    division_ids = list(dict.fromkeys(division_ids or ()))
    if len(subject_ids) > MOST_IDS or len(subject_ids) * len(division_ids) > MOST_PAIRS:
        raise _too_many()
    kind = _kind(request)
    subjects = [_subject(view, id, kind) for id in subject_ids]
    places: list[str | None] = [*division_ids] or [None]  # which means Home
    entries = [{"roleId": str(role.id), "divisionId": place} for place in places]
    given = pairs.read(body, entries, view.organization, field="divisionIds")
    body.check()
    _require_there(view, Permission.AUTHORIZATION_GRANT_ADD, given)
    _change_all(view, subjects, lambda present: [*present, *given])


# --- The roles of a person -----------------------------------------------------------------------


class RolesOfPerson(ApiView):
    @requires(Permission.AUTHORIZATION_GRANT_VIEW, scopes=READ)
    def get(self, request: Request, subject_id: str) -> Response:
        person = queries.person(self.organization, subject_id)
        _require_seen(self, person)
        return self._answer(person)

    @requires(Permission.AUTHORIZATION_GRANT_ADD, scopes=WRITE)
    def put(self, request: Request, subject_id: str) -> Response:
        """Makes these the person's roles: one that stays keeps its divisions, a new one is given in Home,
        and one that is not listed is taken away everywhere."""
        person = _people(self, [subject_id])[0]
        body = Body({})
        entries = [{"roleId": id} for id in ids_in(request.data, code=TOO_MANY)]
        in_home = pairs.read(body, entries, self.organization, field="roles")
        body.check()

        def wanted(present: frozenset[RoleDivision]) -> list[RoleDivision]:
            roles = {pair.role_id for pair in in_home}
            had = {pair.role_id for pair in present}
            return [
                *(pair for pair in present if pair.role_id in roles),
                *(pair for pair in in_home if pair.role_id not in had),
            ]

        _change(self, person, wanted, settle=True)
        return self._answer(person)

    def _answer(self, person: User) -> Response:
        return Response(shapes.user_authorization(list(queries.grants_of(self.organization, person.id))))


# --- What they share -----------------------------------------------------------------------------


def _kind(request: Request) -> type[Subject] | None:
    """Which `subjectType` the request names; None for none, where the id tells."""
    named = Query(request).text("subjectType").upper()
    if not named:
        return None
    if named == SubjectType.USER:
        return User
    if named == SubjectType.CLIENT:
        return Client
    raise _wrong_kind()


def _subject(view: ApiView, subject_id: str, kind: type[Subject] | None = None) -> Subject:
    """The person or client with this id. Raises `NotFound`, and `ApiError` (`invalid.subject.type`) for one
    that is not of the kind that was named. Somebody who is deleted holds nothing and gets nothing."""
    key = queries.as_uuid(subject_id)
    if key is None:
        raise NotFound
    people = queries.people(view.organization).exclude(state=UserState.DELETED)
    found: Subject | None = people.filter(id=key).first()
    if found is None:
        rows = client_queries.clients(view.organization).select_related("organization")
        found = rows.filter(id=key).first()
    if found is None:
        raise NotFound
    if kind is not None and not isinstance(found, kind):
        raise _wrong_kind()
    return found


def _wrong_kind() -> ApiError:
    return ApiError(
        400,
        "invalid.subject.type",
        _("“subjectType” must be PC_USER for a person, or PC_OAUTH_CLIENT for an OAuth client."),
    )


def _people(view: ApiView, ids: Iterable[str]) -> list[User]:
    """In the order given. Raises `NotFound`."""
    keys = [queries.as_uuid(id) for id in ids]
    rows = queries.people(view.organization).exclude(state=UserState.DELETED)
    found = rows.in_bulk([key for key in keys if key])
    if any(key not in found for key in keys):
        raise NotFound
    return [found[key] for key in keys if key]


def _people_seen(view: ApiView) -> QuerySet[User]:
    return queries.people_in(
        view.organization, view.actor.access.divisions_for(Permission.AUTHORIZATION_GRANT_VIEW)
    )


def _require_seen(view: ApiView, row: Subject) -> None:
    if isinstance(row, User):
        view.actor.require(
            Permission.AUTHORIZATION_GRANT_VIEW,
            division_id=row.division_id,
            division_name=row.division.name,
        )


def _shaped(view: ApiView, row: Subject) -> dict[str, Any]:
    name = str(row) if isinstance(row, User) else row.name
    return pairs.subject(view.organization, row.id, name, row.version)


def _given_pairs(view: ApiView, request: Request) -> list[RoleDivision]:
    """`RoleDivisionGrants`. Absent ones are not none: whoever replaces all by nothing says so."""
    body = Body(request.data)
    entries = body.raw("grants")
    if isinstance(entries, list) and len(entries) > MOST_PAIRS:
        raise _too_many()
    entries = body.entries("grants")
    if entries is None and not body.problems.found:
        body.problems.add("grants", "invalid.value", _("“grants” is required."))
    found = pairs.read(body, entries or (), view.organization, field="grants")
    body.check()
    return found


def _too_many() -> ApiError:
    return ApiError(400, TOO_MANY, _("At most %(most)s role assignments at once.") % {"most": MOST_PAIRS})


def _require_there(view: ApiView, permission: Permission, wanted: Iterable[RoleDivision]) -> None:
    """Also where nothing would change: else the answer would tell what somebody holds there."""
    grants.require_there(view.actor, permission, grants.resolve(view.actor, wanted))


def _change(view: ApiView, subject: Subject, spec: Change, *, settle: bool = False) -> None:
    """`settle`: the whole set is named, so that it is an edit even where it is the same."""
    if isinstance(subject, User):
        grants.change_person(actor=view.actor, user_id=subject.id, spec=spec, settle=settle)
    else:
        changed = clients.change_roles(actor=view.actor, client_id=subject.id, spec=spec, settle=settle)
        if changed.notices:
            # What the API of clients says in `notices`: an answer 204 has room in its headers alone.
            view.headers[NOTICE] = f"accessTokenValiditySeconds={changed.client.token_seconds}"


def _change_all(view: ApiView, subjects: Iterable[Subject], spec: Change) -> None:
    """For all of them or for none; people first, each kind in one order (accounts/locks.py)."""
    with transaction.atomic():
        for subject in sorted(subjects, key=lambda one: (isinstance(one, Client), str(one.id))):
            _change(view, subject, spec)
