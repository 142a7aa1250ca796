"""`/users` (wire contract E2 and E3): the people whom the caller may see.

Listings hold the people in the divisions where the caller has `directory:user:view`; a person elsewhere
is refused by name of the division; a person of another organization does not exist.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries
from accounts.errors import Invalid, NotFound
from accounts.models import RoleGrant, SubjectType, User, UserState
from accounts.permissions import Permission
from accounts.services import people
from oauthclients.api import shapes, user_search
from oauthclients.api.paging import LARGEST, Paging
from oauthclients.api.params import Body, Query, bad_parameter
from oauthclients.api.parsing import loads
from oauthclients.api.tokens import token_info
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import requires
from oauthclients.rules.effective_access import decide_scope

USERS = ("users",)
USERS_READ = ("users", "users:readonly")
ANY_STATE = "any"
_EDITABLE = ("name", "email", "title", "department", "state")


class Users(ApiView):
    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ)
    def get(self, request: Request) -> Response:
        query, paging = Query(request), Paging(request)
        rows = _listed(self, query)
        if (ids := query.ids("id", most=LARGEST)) is not None:
            rows = rows.filter(id__in=ids)
        page = paging.cut(rows.order_by(*_order(query)))
        return Response(paging.envelope(shaped(self, page, query.many("expand")), rows.count()))

    @requires(Permission.DIRECTORY_USER_ADD, scopes=USERS)
    def post(self, request: Request) -> Response:
        """200, not 201. The person is inactive unless a state is given."""
        body = Body(request.data)
        name, email, division_id = body.text("name"), body.text("email"), body.text("divisionId")
        title, department = body.text("title"), body.text("department")
        password, state = body.text("password"), body.text("state")
        body.check()
        division_key = queries.as_uuid(division_id) if division_id else None
        if division_id and division_key is None:
            raise _no_such_division()
        spec = people.PersonSpec(
            name=name or "",
            email=email or "",
            division_id=division_key,
            title=title or "",
            department=department or "",
            password=password,
            state=state or UserState.INACTIVE,
        )
        try:
            user = people.create(actor=self.actor, spec=spec)
        except NotFound as error:  # the division: here it is a value, not the thing asked for
            raise _no_such_division() from error
        return Response(shapes.user(user))


class Me(ApiView):
    @requires(scopes=("user-basic-info",), user_context=True)
    def get(self, request: Request) -> Response:
        """The person whom the app acts for; client credentials have none, which the guard tells them (G2).
        What is expanded needs the scope of its own route: one's rights are no secret to oneself, but they
        are to an app that was told no more than who one is."""
        person = self.caller.person
        assert person is not None
        wanted = {name.lower() for name in Query(request).many("expand")}
        shape = shapes.user(person)
        if "authorization" in wanted and decide_scope(self.actor.scopes, "authorization:readonly"):
            grants = queries.grants_of(self.organization, person.id)
            shape["authorization"] = shapes.user_authorization(list(grants))
        if "organization" in wanted:
            whole = decide_scope(self.actor.scopes, "organization:readonly")
            told = shapes.organization if whole else shapes.organization_name
            shape["organization"] = told(self.organization)
        if "token" in wanted:
            shape["token"] = token_info(self.caller)
        if "date" in wanted:
            shape["date"] = {"currentDate": shapes.date(timezone.now())}
        if "datelastlogin" in wanted and person.last_login is not None:
            shape["dateLastLogin"] = shapes.date(person.last_login)
        return Response(shape)


class OneUser(ApiView):
    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ)
    def get(self, request: Request, user_id: str) -> Response:
        """Active and inactive people; a deleted one only where `state` says so."""
        query = Query(request)
        state = query.choice("state", (*UserState.values, ANY_STATE), default=UserState.ACTIVE)
        user = queries.person(self.organization, user_id)
        if user.state == UserState.DELETED and state not in (UserState.DELETED, ANY_STATE):
            raise NotFound
        self.actor.require(
            Permission.DIRECTORY_USER_VIEW,
            division_id=user.division_id,
            division_name=user.division.name,
        )
        return Response(shaped(self, [user], query.many("expand"))[0])

    @requires(Permission.DIRECTORY_USER_EDIT, Permission.DIRECTORY_ORGANIZATION_ADMIN, scopes=USERS)
    def patch(self, request: Request, user_id: str) -> Response:
        """Needs the `version` that the caller read (E3). Fields that cannot be changed are ignored."""
        queries.person(self.organization, user_id)
        body = Body(request.data)
        version = body.whole("version")
        values = {field: body.text(field) for field in _EDITABLE}
        if not body.has("version"):
            body.problems.add("version", "invalid.value", _("“version” is required."))
        body.check()
        user = people.change(
            actor=self.actor,
            user_id=user_id,
            version=version,
            values={field: value for field, value in values.items() if value is not None},
        )
        return Response(shapes.user(user))

    @requires(Permission.DIRECTORY_USER_DELETE, Permission.DIRECTORY_ORGANIZATION_ADMIN, scopes=USERS)
    def delete(self, request: Request, user_id: str) -> Response:
        people.delete(actor=self.actor, user_id=user_id)
        return Response({})


class UsersByCursor(ApiView):
    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ)
    def get(self, request: Request) -> Response:
        """The same listing for programs that read all of it: each answer says where the next one goes
        on, and people added or removed meanwhile shift nothing."""
        query = Query(request)
        size = query.whole("pageSize", default=25, most=LARGEST)
        rows = _listed(self, query)
        order = _order(query)
        cursor = query.text("cursor")
        if cursor:
            rows = rows.filter(_after(cursor, "lt" if order[0].startswith("-") else "gt"))
        page = list(rows.order_by(*order)[: size + 1])
        more, page = len(page) > size, page[:size]
        result: dict[str, Any] = {
            "entities": shaped(self, page, query.many("expand")),
            "results": len(page),
            "selfUri": request.get_full_path(),
        }
        if more:
            result["cursor"] = _cursor(page[-1])
            others = [
                (name, value)
                for name, values in request.query_params.lists()
                if name != "cursor"
                for value in values
            ]
            result["nextUri"] = f"{request.path}?{urlencode([*others, ('cursor', result['cursor'])])}"
        return Response(result)


class UserSearch(ApiView):
    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ)
    def get(self, request: Request) -> Response:
        """`q64` is the same JSON as in a POST, in base64."""
        query = Query(request)
        try:
            asked = user_search.from_q64(query.text("q64"))
        except ValueError as error:
            raise bad_parameter("q64", _("It must be a search request in base64.")) from error
        return self._found(Body(asked), query.many("expand"))

    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ)
    def post(self, request: Request) -> Response:
        return self._found(Body(request.data), [])

    def _found(self, body: Body, expand: list[str]) -> Response:
        search = user_search.read(body)
        permitted = self.actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
        rows = search.of(queries.people_in(self.organization, permitted))
        page, total = search.page(rows), rows.count()
        return Response(search.answer(shaped(self, page, [*expand, *search.expand]), total))


def shaped(view: ApiView, rows: list[User], expand: Iterable[str]) -> list[dict[str, Any]]:
    """The people as JSON, with the parts of `expand` that exist here: `authorization` (where the caller
    may see grants, and the app read authorizations) and `dateLastLogin`. Others are ignored. One statement
    at most."""
    wanted = {name.lower() for name in expand}
    result = [shapes.user(row) for row in rows]
    if "datelastlogin" in wanted:
        for row, shape in zip(rows, result, strict=True):
            if row.last_login is not None:
                shape["dateLastLogin"] = shapes.date(row.last_login)
    if "authorization" in wanted and decide_scope(view.actor.scopes, "authorization:readonly"):
        may = view.actor.access.divisions_for(Permission.AUTHORIZATION_GRANT_VIEW)
        grants = _grants(view, [row for row in rows if row.division_id in may])
        for row, shape in zip(rows, result, strict=True):
            if row.division_id in may:
                shape["authorization"] = shapes.user_authorization(grants[row.id])
    return result


def _grants(view: ApiView, rows: list[User]) -> defaultdict[uuid.UUID, list[RoleGrant]]:
    result: defaultdict[uuid.UUID, list[RoleGrant]] = defaultdict(list)
    if rows:
        found = RoleGrant.objects.filter(
            organization=view.organization,
            subject_type=SubjectType.USER,
            subject_id__in=[row.id for row in rows],
        )
        for grant in found.select_related("role").order_by("role__name", "id"):
            result[grant.subject_id].append(grant)
    return result


def _listed(view: ApiView, query: Query) -> QuerySet[User]:
    permitted = view.actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
    rows = queries.people_in(view.organization, permitted)
    state = query.choice("state", (*UserState.values, ANY_STATE), default=UserState.ACTIVE)
    return rows if state == ANY_STATE else rows.filter(state=state)


def _order(query: Query) -> tuple[str, str]:
    """By name; the id makes it one order for people of the same name."""
    order = query.choice("sortOrder", ("ASC", "DESC", "ascending", "descending"), default="ASC")
    return ("-name", "-id") if order.lower().startswith("desc") else ("name", "id")


def _cursor(last: User) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.name, str(last.id)]).encode()).decode().rstrip("=")


def _after(cursor: str, way: str) -> Q:
    """What comes after the person at whom a page ended."""
    try:
        name, id = loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        key = uuid.UUID(id)
        if not isinstance(name, str) or "\x00" in name:
            raise ValueError("not a name")
    except (ValueError, TypeError, AttributeError) as error:
        raise bad_parameter("cursor", _("Use the cursor of the answer before.")) from error
    return Q(**{f"name__{way}": name}) | Q(**{"name": name, f"id__{way}": key})


def _no_such_division() -> Invalid:
    return Invalid.one("divisionId", "invalid.value", _("There is no division with this ID."))
