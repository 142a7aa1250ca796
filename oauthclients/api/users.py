"""`/users` (wire contract E2 and E3): the people whom the caller may see.

Listings hold the people in the divisions where the caller has `directory:user:view`; a person elsewhere
is refused by name of the division; a person of another organization does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries
from accounts.errors import Invalid, NotFound
from accounts.models import User, UserState
from accounts.permissions import Permission
from accounts.services import people, person_details
from oauthclients.api import shapes, user_contacts, user_expand, user_search
from oauthclients.api.paging import LARGEST, Paging, beyond, position
from oauthclients.api.params import Body, Query, bad_parameter, fields_called
from oauthclients.api.tokens import token_info
from oauthclients.api.user_contacts import with_contacts
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import Where, requires
from oauthclients.rules.effective_access import decide_scope

USERS = ("users",)
USERS_READ = ("users", "users:readonly")
ANY_STATE = "any"
_EDITABLE = ("name", "email", "title", "department", "state")
# What the services call otherwise than the wire.
_FIELDS = {
    "other_email": "addresses",
    "phoneNumbers": "addresses",
    "manager_id": "manager",
    "employee_number": "employerInfo",
}


class Users(ApiView):
    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ, where=Where.LISTED)
    def get(self, request: Request) -> Response:
        query, paging = Query(request), Paging(request)
        rows = _listed(self, query)
        if (ids := query.ids("id", most=LARGEST)) is not None:
            rows = rows.filter(id__in=ids)
        page = paging.cut(rows.order_by(*order_of(query)))
        return Response(paging.envelope(shaped(self, page, query.many("expand")), rows.count()))

    @requires(Permission.DIRECTORY_USER_ADD, scopes=USERS)
    def post(self, request: Request) -> Response:
        """200, not 201. The person is inactive unless a state is given."""
        body = Body(request.data)
        name, email, division_id = body.text("name"), body.text("email"), body.text("divisionId")
        title, department = body.text("title"), body.text("department")
        password, state = body.text("password"), body.text("state")
        addresses, more = user_contacts.read(body), _more(body)
        body.check()
        if addresses is not None:
            more["other_email"] = addresses.other_email
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
            more=more,
        )
        try:
            with transaction.atomic(), fields_called(_FIELDS):
                user = people.create(actor=self.actor, spec=spec)
                if addresses is not None:
                    person_details.set_phones(actor=self.actor, user=user, phones=addresses.phones_of(user))
        except NotFound as error:  # the division: here it is a value, not the thing asked for
            raise _no_such_division() from error
        return Response(one(self, user))


class Me(ApiView):
    @requires(scopes=("user-basic-info",), user_context=True)
    def get(self, request: Request) -> Response:
        """The person whom the app acts for; client credentials have none, which the guard tells them (G2).
        What is expanded needs the scope of its own route: one's rights are no secret to oneself, but they
        are to an app that was told no more than who one is."""
        person = self.caller.person
        assert person is not None
        wanted = {name.lower() for name in Query(request).many("expand")}
        shape = shaped(self, [person], wanted, own=True)[0]
        if "organization" in wanted:
            whole = decide_scope(self.actor.scopes, "organization:readonly")
            told = shapes.organization if whole else shapes.organization_name
            shape["organization"] = told(self.organization)
        if "token" in wanted:
            shape["token"] = token_info(self.caller)
        if "date" in wanted:
            shape["date"] = {"currentDate": shapes.date(timezone.now())}
        return Response(shape)


class OneUser(ApiView):
    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ)
    def get(self, request: Request, user_id: str) -> Response:
        """Active and inactive people; a deleted one only where `state` says so."""
        query = Query(request)
        state = query.choice("state", (*UserState.values, ANY_STATE), default=UserState.ACTIVE)
        user = _with_contacts(self, user_id)
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
        """Needs the `version` that the caller read (E3). Fields that cannot be changed are ignored, and all
        others where a `state` is given."""
        before = queries.person(self.organization, user_id)
        body = Body(request.data)
        version = body.whole("version")
        values: dict[str, Any] = {field: body.text(field) for field in _EDITABLE}
        addresses, more = user_contacts.read(body, before), _more(body)
        if not body.has("version"):
            body.problems.add("version", "invalid.value", _("“version” is required."))
        body.check()
        given = {field: value for field, value in values.items() if value is not None} | more
        if addresses is not None:
            given["other_email"] = addresses.other_email
        if "state" in given:
            given, addresses = {"state": given["state"]}, None
        with transaction.atomic(), fields_called(_FIELDS):
            user = people.change(actor=self.actor, user_id=user_id, version=version, values=given)
            if addresses is not None:
                person_details.set_phones(actor=self.actor, user=user, phones=addresses.phones_of(user))
        return Response(one(self, user))

    @requires(Permission.DIRECTORY_USER_DELETE, Permission.DIRECTORY_ORGANIZATION_ADMIN, scopes=USERS)
    def delete(self, request: Request, user_id: str) -> Response:
        people.delete(actor=self.actor, user_id=user_id)
        return Response({})


class UsersByCursor(ApiView):
    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ, where=Where.LISTED)
    def get(self, request: Request) -> Response:
        """The same listing for programs that read all of it: each answer says where the next one goes
        on, and people added or removed meanwhile shift nothing."""
        query = Query(request)
        size = query.whole("pageSize", default=25, most=LARGEST)
        rows = _listed(self, query)
        order = order_of(query)
        cursor = query.text("cursor")
        if cursor:
            rows = rows.filter(beyond("cursor", cursor, "lt" if order[0].startswith("-") else "gt"))
        page = list(rows.order_by(*order)[: size + 1])
        more, page = len(page) > size, page[:size]
        result: dict[str, Any] = {
            "entities": shaped(self, page, query.many("expand")),
            "results": len(page),
            "selfUri": request.get_full_path(),
        }
        if more:
            result["cursor"] = position(page[-1])
            others = [
                (name, value)
                for name, values in request.query_params.lists()
                if name != "cursor"
                for value in values
            ]
            result["nextUri"] = f"{request.path}?{urlencode([*others, ('cursor', result['cursor'])])}"
        return Response(result)


class UserSearch(ApiView):
    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ, where=Where.LISTED)
    def get(self, request: Request) -> Response:
        """`q64` is the same JSON as in a POST, in base64."""
        query = Query(request)
        try:
            asked = user_search.from_q64(query.text("q64"))
        except ValueError as error:
            raise bad_parameter("q64", _("It must be a search request in base64.")) from error
        return self._found(Body(asked), query.many("expand"))

    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ, where=Where.LISTED)
    def post(self, request: Request) -> Response:
        return self._found(Body(request.data), [])

    def _found(self, body: Body, expand: list[str]) -> Response:
        search = user_search.read(body)
        permitted = self.actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
        rows = search.of(with_contacts(queries.people_in(self.organization, permitted)))
        page, total = search.page(rows), rows.count()
        return Response(search.answer(shaped(self, page, [*expand, *search.expand]), total))


def shaped(
    view: ApiView, rows: Sequence[User], expand: Iterable[str], *, own: bool = False
) -> list[dict[str, Any]]:
    """The people as JSON, with the parts of `expand` that exist here (user_expand.py). `own`: to the person
    themselves, whose rights are no secret to them. What an app is told of itself (`users/me`) takes no more
    than `user-basic-info`; how to reach somebody takes the scope of the people."""
    reach = decide_scope(view.actor.scopes, *USERS_READ)
    result = [shapes.user(row, user_contacts.of(row) if reach else None) for row in rows]
    user_expand.add(view, rows, result, expand, own=own)
    return result


def one(view: ApiView, row: User) -> dict[str, Any]:
    """A person after a change."""
    return shaped(view, [row], ())[0]


def _listed(view: ApiView, query: Query) -> QuerySet[User]:
    permitted = view.actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
    rows = with_contacts(queries.people_in(view.organization, permitted))
    state = query.choice("state", (*UserState.values, ANY_STATE), default=UserState.ACTIVE)
    return rows if state == ANY_STATE else rows.filter(state=state)


def order_of(query: Query) -> tuple[str, str]:
    """By name; the id makes it one order for people of the same name."""
    order = query.choice("sortOrder", ("ASC", "DESC", "ascending", "descending"), default="ASC")
    return ("-name", "-id") if order.lower().startswith("desc") else ("name", "id")


def _with_contacts(view: ApiView, user_id: str) -> User:
    """Raises `NotFound`."""
    key = queries.as_uuid(user_id)
    found = with_contacts(queries.people(view.organization)).filter(id=key).first() if key else None
    if found is None:
        raise NotFound
    return found


def _more(body: Body) -> dict[str, Any]:
    """Of the fields that a person has besides, those that the request gives. An empty text clears one."""
    given: dict[str, Any] = {}
    if body.has("manager"):
        value = body.raw("manager")
        value = value.get("id") if isinstance(value, Mapping) else value  # as it was read
        key = queries.as_uuid(value) if isinstance(value, str) and value else None
        if value != "" and key is None:
            body.problems.add("manager", "invalid.value", _("“manager” must be the ID of a person."))
        given["manager_id"] = key
    info = body.raw("employerInfo")
    if isinstance(info, Mapping):
        employer = Body(info)
        number, hired = employer.text("employeeId"), employer.text("dateHire")
        body.problems.found += employer.problems.found
        if number is not None:
            given["employee_number"] = number
        if hired is not None:
            given["hired_on"] = _day(body, hired)
    elif info is not None:
        body.problems.add("employerInfo", "invalid.value", _("“employerInfo” must be an object."))
    return given


def _day(body: Body, value: str) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if value else None
    except ValueError:
        body.problems.add("employerInfo", "invalid.date", _("“dateHire” must be a date like 2026-11-20."))
        return None


def _no_such_division() -> Invalid:
    return Invalid.one("divisionId", "invalid.value", _("There is no division with this ID."))
