"""`/users/{id}/...`: invitation, password, state, and the ids that other systems have for a person (wire
contract E2)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries, rates
from accounts.errors import Invalid, NotFound
from accounts.models import ExternalIdentifier, User, UserState
from accounts.permissions import Permission
from accounts.services import invitations, people, person_details
from accounts.services.person_details import Identifier
from oauthclients.api import shapes
from oauthclients.api.params import Body, Query, fields_called
from oauthclients.api.users import USERS, USERS_READ, shaped
from oauthclients.api.views import ApiView, no_content
from oauthclients.resource_server.guard import requires

MOST_PARTS = 50
WRONG_PASSWORDS_PER_MINUTE = 10


class UserInvitation(ApiView):
    @requires(Permission.DIRECTORY_ORGANIZATION_ADMIN, Permission.DIRECTORY_USER_SET_PASSWORD, scopes=USERS)
    def post(self, request: Request, user_id: str) -> Response:
        """Mails a one-time link. With `force` also where one was mailed already, which stops working."""
        force = Query(request).flag("force", default=False)
        invitations.send(actor=self.actor, user_id=_there(self, user_id).id, again=force)
        return no_content()


class UserPassword(ApiView):
    @requires(Permission.DIRECTORY_USER_SET_PASSWORD, scopes=USERS)
    def post(self, request: Request, user_id: str) -> Response:
        user = _there(self, user_id)
        new = _required(Body(request.data), "newPassword")[0]
        with fields_called({"password": "newPassword"}):
            people.set_password(actor=self.actor, user=user, password=new)
        return no_content()


class OwnPassword(ApiView):
    @requires(scopes=USERS, user_context=True)
    def post(self, request: Request) -> Response:
        """Ends every sign-in and every token of the person, this one too. Few wrong tries a minute: whoever
        has the app does not know the password by that."""
        person = self.caller.person
        assert person is not None
        new, old = _required(Body(request.data), "newPassword", "oldPassword")
        tries = rates.Window("own-password", str(person.id), WRONG_PASSWORDS_PER_MINUTE)
        if tries.exceeded():
            raise Throttled(wait=tries.resets_in())
        try:
            with fields_called({"password": "newPassword"}):
                people.change_own_password(actor=self.actor, user=person, old=old, new=new)
        except Invalid as error:
            if any(problem.field == "oldPassword" for problem in error.problems):
                tries.count()
            raise
        return no_content()


class State(ApiView):
    @requires(Permission.DIRECTORY_USER_STATE_CHANGE_VIEW, scopes=USERS_READ)
    def get(self, request: Request, user_id: str) -> Response:
        return Response(shapes.user_state(queries.person(self.organization, user_id)))

    @requires(Permission.DIRECTORY_USER_EDIT, scopes=USERS)
    def put(self, request: Request, user_id: str) -> Response:
        """Without `version`, whatever the person has become meanwhile."""
        user = queries.person(self.organization, user_id)
        _require_edit(self, user)
        body = Body(request.data)
        version = body.whole("version")
        state = _required(body, "state")[0]
        changed = people.change(actor=self.actor, user_id=user.id, version=version, values={"state": state})
        return Response(shapes.user_state(changed))


class ExternalIds(ApiView):
    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ)
    def get(self, request: Request, user_id: str) -> Response:
        user = queries.person(self.organization, user_id)
        self.actor.require(
            Permission.DIRECTORY_USER_VIEW, division_id=user.division_id, division_name=user.division.name
        )
        return _ids_of(user)

    @requires(Permission.DIRECTORY_USER_EDIT, scopes=USERS_READ)
    def post(self, request: Request, user_id: str) -> Response:
        """Adds one; of each authority there is one, so another of the same replaces it."""
        user = _there(self, user_id)
        _require_edit(self, user)
        authority, key = _required(Body(request.data), "authorityName", "externalKey")
        with transaction.atomic(), fields_called({"externalIds": "externalKey"}):
            user = people.change(actor=self.actor, user_id=user.id, version=None, values={})
            kept = [
                Identifier(row.authority, row.value)
                for row in user.external_ids.all()
                if row.authority != authority.strip()
            ]
            person_details.set_external_ids(
                actor=self.actor, user=user, identifiers=[*kept, Identifier(authority, key)]
            )
        return _ids_of(user)


class OneExternalId(ApiView):
    @requires(Permission.DIRECTORY_USER_EDIT, scopes=USERS)
    def delete(self, request: Request, user_id: str, authority_name: str, external_key: str) -> Response:
        user = _there(self, user_id)
        _require_edit(self, user)
        with transaction.atomic():
            user = people.change(actor=self.actor, user_id=user.id, version=None, values={})
            present = list(user.external_ids.all())
            named = f"{authority_name}/{external_key}"
            kept = [row for row in present if f"{row.authority}/{row.value}" != named]
            if len(kept) == len(present):
                raise NotFound
            person_details.set_external_ids(
                actor=self.actor,
                user=user,
                identifiers=[Identifier(row.authority, row.value) for row in kept],
            )
        return no_content()


class UserByExternalId(ApiView):
    @requires(Permission.DIRECTORY_USER_VIEW, scopes=USERS_READ)
    def get(self, request: Request, authority_name: str, external_key: str) -> Response:
        """Both may have slashes, as the addresses of identity providers do, and in a path nothing tells
        them from its own: every way to part the two is looked up, in one statement."""
        whole = f"{authority_name}/{external_key}"
        if "\0" in whole:
            raise NotFound
        parts = whole.split("/", MOST_PARTS)
        wanted = Q(pk__in=())
        for n in range(1, len(parts)):
            wanted |= Q(authority="/".join(parts[:n]), value="/".join(parts[n:]))
        rows = ExternalIdentifier.objects.filter(wanted, organization=self.organization)
        found = list(rows.select_related("user__division").exclude(user__state=UserState.DELETED)[:2])
        if len(found) != 1:
            raise NotFound
        user = found[0].user
        self.actor.require(
            Permission.DIRECTORY_USER_VIEW, division_id=user.division_id, division_name=user.division.name
        )
        return Response(shaped(self, [user], Query(request).many("expand"))[0])


def _there(view: ApiView, user_id: str) -> User:
    """Not a deleted person: those are only read, and revived by a state."""
    user = queries.person(view.organization, user_id)
    if user.state == UserState.DELETED:
        raise NotFound
    return user


def _require_edit(view: ApiView, user: User) -> None:
    """What the wire contract names: administering the organization is not enough here."""
    view.actor.require(
        Permission.DIRECTORY_USER_EDIT, division_id=user.division_id, division_name=user.division.name
    )


def _ids_of(user: User) -> Response:
    return Response([shapes.external_id(row) for row in user.external_ids.all()])


def _required(body: Body, *names: str) -> list[str]:
    """These texts. Raises `Invalid` for one that is absent."""
    values = [body.text(name) for name in names]
    for name, value in zip(names, values, strict=True):
        if value is None and not body.has(name):
            body.problems.add(name, "invalid.value", _("“%(field)s” is required.") % {"field": name})
    body.check()
    return [value or "" for value in values]
