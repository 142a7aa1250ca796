"""`/scim/v2/users`: the people in the client's divisions (wire contract H)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import Context, Resource

from accounts.models import User
from accounts.permissions import Permission
from accounts.services import provisioning
from accounts.services.provisioning import Profile
from oauthclients.api.scim import filters, patches, shapes, tolerances
from oauthclients.api.scim.models import POLICY, Person
from oauthclients.api.scim.profiles import profile_of
from oauthclients.api.scim.views import (
    SCIM,
    SCIM_READ,
    Listing,
    ScimView,
    answer,
    object_of,
    parameters_of,
    patch_of,
    require_match,
    search_of,
)
from oauthclients.api.views import no_content
from oauthclients.resource_server.guard import Where, requires

# Any of these is enough to begin with; each part of a request then asks for its own.
_TO_CREATE = (
    Permission.DIRECTORY_USER_ADD,
    Permission.AUTHORIZATION_GRANT_ADD,
    Permission.AUTHORIZATION_GRANT_DELETE,
    Permission.ROUTING_SKILL_ASSIGN,
    Permission.ROUTING_LANGUAGE_ASSIGN,
    Permission.TELEPHONY_EXTENSION_ASSIGN,
)
_TO_CHANGE = (Permission.DIRECTORY_USER_EDIT, Permission.DIRECTORY_USER_SET_PASSWORD, *_TO_CREATE[1:])


Wanted = Callable[[User, Resource[Any]], Profile]
Seen = tuple[str, uuid.UUID | None]


class Users(ScimView):
    @requires(scopes=SCIM_READ, where=Where.LISTED)
    def get(self, request: Request) -> Response:
        listing = Listing(search_of(request, Person), Person, provisioning.persons(self.actor))
        # By email address, of which there is an index for the whole listing.
        listing.filtered(self.actor, filters.of_people(self.actor), default="email")
        return listing.answer(shapes.persons(self.actor, listing.page))

    @requires(*_TO_CREATE, scopes=SCIM, where=Where.NONE)
    def post(self, request: Request) -> Response:
        """201, or 200 where somebody who was deleted is back."""
        parameters = parameters_of(request, Person)
        resource = Person.model_validate(
            tolerances.whole_person(object_of(request)),
            scim_ctx=Context.RESOURCE_CREATION_REQUEST,
            scim_policy=POLICY,
        )
        user, new = provisioning.create(actor=self.actor, profile=profile_of(resource))
        made = shapes.person(self.actor, user.id)
        return answer(request, made, status=201 if new else 200, parameters=parameters)


class OneUser(ScimView):
    @requires(scopes=SCIM_READ, where=Where.HIDDEN)
    def get(self, request: Request, user_id: str) -> Response:
        parameters = parameters_of(request, Person)
        found = shapes.person(self.actor, provisioning.person(self.actor, user_id).id)
        return answer(request, found, parameters=parameters)

    @requires(*_TO_CHANGE, scopes=SCIM, where=Where.HIDDEN)
    def put(self, request: Request, user_id: str) -> Response:
        """What is left out is cleared, but for `active`, `password`, `roles`, `externalId`, the division,
        and the lists of the vendor's extension, which stay."""
        provisioning.person(self.actor, user_id)  # before anything is said of the body
        resource = Person.model_validate(
            tolerances.whole_person(object_of(request)),
            scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST,
            scim_policy=POLICY,
        )

        def replaced(user: User, present: Resource[Any]) -> Profile:
            return profile_of(resource, user, sees_manager=provisioning.manager_seen(self.actor, user))

        return self._changed(request, user_id, replaced)

    @requires(*_TO_CHANGE, scopes=SCIM, where=Where.HIDDEN)
    def patch(self, request: Request, user_id: str) -> Response:
        provisioning.person(self.actor, user_id)
        wanted = patch_of(tolerances.patch(object_of(request)), Person)

        def patched(user: User, present: Resource[Any]) -> Profile:
            patches.apply(wanted, present)
            sees_manager = provisioning.manager_seen(self.actor, user)
            return profile_of(present, user, sees_manager=sees_manager, complete=True)

        return self._changed(request, user_id, patched)

    @requires(Permission.DIRECTORY_USER_DELETE, scopes=SCIM, where=Where.HIDDEN)
    def delete(self, request: Request, user_id: str) -> Response:
        def check(user: User) -> None:
            require_match(request, shapes.person(self.actor, user.id))

        provisioning.delete(actor=self.actor, user_id=user_id, check=check)
        return no_content()

    def _changed(self, request: Request, user_id: str, wanted: Wanted) -> Response:
        """What the person shall be takes long to work out, so that is done before the organization is
        locked, and once more only if the person has changed by then."""
        parameters = parameters_of(request, Person)
        before = provisioning.person(self.actor, user_id)
        seen, profile = self._worked_out(request, before, wanted)

        def edit(user: User) -> Profile:
            if self._seen(user, shapes.person(self.actor, user.id)) == seen:
                return profile
            return self._worked_out(request, user, wanted)[1]

        user = provisioning.change(actor=self.actor, user_id=user_id, edit=edit)
        return answer(request, shapes.person(self.actor, user.id), parameters=parameters)

    def _worked_out(self, request: Request, user: User, wanted: Wanted) -> tuple[Seen, Profile]:
        present = shapes.person(self.actor, user.id)
        seen = self._seen(user, present)
        require_match(request, present)
        return seen, wanted(user, present)

    def _seen(self, user: User, present: Resource[Any]) -> Seen:
        """All that a profile is made of: a manager whom the client does not see is not in the tag."""
        return shapes.version_of(present), user.manager_id
