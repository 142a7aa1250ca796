"""`/identityproviders` (wire contract I).

Beside the providers of any name there is one for each of the vendor's routes (`/identityproviders/okta`),
and `/identityproviders/purecloud`, which is signing in here with a password.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries as account_queries
from accounts.errors import NotFound
from accounts.models import Binding, IdentityProvider, NameIdFormat
from accounts.permissions import Permission
from accounts.rules.provider_spec import SLOTS, ProviderSpec
from accounts.services import identity_providers
from oauthclients.api import shapes
from oauthclients.api.paging import single_page
from oauthclients.api.params import Body
from oauthclients.api.views import ApiView, no_content
from oauthclients.resource_server.guard import requires

PROVIDERS = ("identity-providers",)
PROVIDERS_READ = ("identity-providers", "identity-providers:readonly")

_NOT_GIVEN = {"name": "", "issuer": "", "target_url": ""}
_BINDINGS: Mapping[str, str] = {
    **{words.lower(): binding for binding, words in shapes.BINDING_WORDS.items()},
    **{binding.lower(): binding for binding in Binding.values},
}
_FORMATS: Mapping[str, str] = {format.lower(): format for format in NameIdFormat.values}


class Providers(ApiView):
    @requires(Permission.SSO_PROVIDER_VIEW, scopes=PROVIDERS_READ)
    def get(self, request: Request) -> Response:
        """All of them in one page: the call takes no paging parameters, and there are few."""
        rows = account_queries.providers(self.organization)
        return Response(single_page([shapes.provider(row) for row in rows], request.path))

    @requires(Permission.SSO_PROVIDER_ADD, scopes=PROVIDERS)
    def post(self, request: Request) -> Response:
        body = Body(request.data)
        given = _spec_fields(body)
        body.check()
        made = identity_providers.create(actor=self.actor, spec=ProviderSpec(**{**_NOT_GIVEN, **given}))
        return Response(shapes.provider(made))


class OneProvider(ApiView):
    @requires(Permission.SSO_PROVIDER_VIEW, scopes=PROVIDERS_READ)
    def get(self, request: Request, provider_id: str) -> Response:
        return Response(shapes.provider(account_queries.provider(self.organization, provider_id)))

    @requires(Permission.SSO_PROVIDER_EDIT, scopes=PROVIDERS)
    def put(self, request: Request, provider_id: str) -> Response:
        """Sparse: what is absent or null stays as it is (A4)."""
        found = account_queries.provider(self.organization, provider_id)
        body = Body(request.data)
        given, version = _spec_fields(body), body.whole("version")
        body.check()
        return Response(shapes.provider(_changed(self, found, given, version)))

    @requires(Permission.SSO_PROVIDER_DELETE, scopes=PROVIDERS)
    def delete(self, request: Request, provider_id: str) -> Response:
        identity_providers.delete(actor=self.actor, provider_id=provider_id)
        return no_content()


class NamedProvider(ApiView):
    """The organization's provider at one of the vendor's routes, if it has one there."""

    slot = ""

    @requires(Permission.SSO_PROVIDER_VIEW, scopes=PROVIDERS_READ)
    def get(self, request: Request) -> Response:
        return Response(shapes.provider(self._existing()))

    @requires(Permission.SSO_PROVIDER_ADD, Permission.SSO_PROVIDER_EDIT, scopes=PROVIDERS)
    def put(self, request: Request) -> Response:
        """Makes it, which takes `sso:provider:add`, or changes it, which takes `sso:provider:edit`; sparse,
        as that of the others."""
        body = Body(request.data)
        given, version = _spec_fields(body), body.whole("version")
        body.check()
        if not given.get("name"):
            # Terraform sends an empty text for a name that nobody chose.
            given.pop("name", None)
        found = self._found()
        if found is not None:
            return Response(shapes.provider(_changed(self, found, given, version)))
        usual = {**_NOT_GIVEN, "name": SLOTS[self.slot], "slot": self.slot}
        made = identity_providers.create(actor=self.actor, spec=ProviderSpec(**{**usual, **given}))
        return Response(shapes.provider(made))

    @requires(Permission.SSO_PROVIDER_DELETE, scopes=PROVIDERS)
    def delete(self, request: Request) -> Response:
        identity_providers.delete(actor=self.actor, provider_id=self._existing().id)
        return Response({})

    def _found(self) -> IdentityProvider | None:
        return account_queries.providers(self.organization).filter(slot=self.slot).first()

    def _existing(self) -> IdentityProvider:
        found = self._found()
        if found is None:
            raise NotFound(_("There is no identity provider at this address."))
        return found


class PasswordSignIn(ApiView):
    """To the vendor, its own accounts are one more provider; `disabled` is "Only SSO"."""

    @requires(Permission.SSO_PROVIDER_VIEW, scopes=PROVIDERS_READ)
    def get(self, request: Request) -> Response:
        return Response(shapes.password_sign_in(self.organization))

    @requires(Permission.SSO_PROVIDER_EDIT, scopes=PROVIDERS)
    def put(self, request: Request) -> Response:
        body = Body(request.data)
        disabled, keeper_id = body.flag("disabled"), _id_in(body, "passwordKeeper")
        if not body.has("disabled"):
            body.problems.add("disabled", "invalid.value", _("“disabled” is required."))
        body.check()
        return self._set(bool(disabled), keeper_id)

    @requires(Permission.SSO_PROVIDER_EDIT, scopes=PROVIDERS)
    def delete(self, request: Request) -> Response:
        """Passwords cannot be deleted, only switched off: what `PUT` does with `disabled`, and as hard to
        get. Hence the permission is that of `PUT` too."""
        self._set(True, None)
        return Response({})

    def _set(self, disabled: bool, keeper_id: str | None) -> Response:
        organization = identity_providers.set_only_sso(
            actor=self.actor, enabled=disabled, keeper_id=keeper_id
        )
        return Response(shapes.password_sign_in(organization))


def _changed(
    view: ApiView, provider: IdentityProvider, given: dict[str, Any], version: int | None
) -> IdentityProvider:
    return identity_providers.change(
        actor=view.actor,
        provider_id=provider.id,
        spec=lambda was: dataclasses.replace(was, **given),
        version=version,
    )


def _spec_fields(body: Body) -> dict[str, Any]:
    """Those fields of a `ProviderSpec` that the body gives. What is not among them (the vendor's
    `logoImageData`, say) is ignored, as everywhere."""
    disabled = body.flag("disabled")
    given = {
        "name": body.text("name"),
        "enabled": None if disabled is None else not disabled,
        "issuer": body.text("issuerURI"),
        "target_url": body.text("ssoTargetURI"),
        "target_binding": _choice(body, "ssoBinding", _BINDINGS, Binding.REDIRECT),
        "logout_url": body.text("sloURI"),
        "logout_binding": _choice(body, "sloBinding", _BINDINGS, Binding.REDIRECT),
        "audience": body.text("audience"),
        "relying_party_identifier": body.text("relyingPartyIdentifier"),
        "name_id_format": _choice(body, "nameIdentifierFormat", _FORMATS, NameIdFormat.UNSPECIFIED),
        "email_attribute": body.text("emailAttribute"),
        "certificates": _certificates(body),
        "sign_requests": body.flag("signAuthnRequests"),
        "force_authn": body.flag("forceAuthn"),
        "metadata_url": body.text("metadataURL"),
        "show_on_sign_in": body.flag("displayOnLogin"),
        "accept_bearer": body.flag("acceptForBearerGrant"),
    }
    return {name: value for name, value in given.items() if value is not None}


def _choice(body: Body, field: str, known: Mapping[str, str], usual: str) -> str | None:
    """The value that is stored for what was sent, however it is capitalized; Terraform sends an empty text
    for what nobody chose. What is unknown goes on as it is, to be refused by name."""
    text = body.text(field)
    if text is None:
        return None
    return known.get(text.lower(), text) if text else usual


def _certificates(body: Body) -> tuple[str, ...] | None:
    """`certificate` and `certificates` together: the SDKs send what they read, where both may stand."""
    one, several = body.text("certificate"), body.texts("certificates")
    if one is None and several is None:
        return None
    return tuple(dict.fromkeys(text for text in (one, *(several or ())) if text))


def _id_in(body: Body, field: str) -> str | None:
    """The id of `{"id": "..."}`."""
    value = body.raw(field)
    if value is None:
        return None
    id = value.get("id") if isinstance(value, dict) else None
    if isinstance(id, str) and id:
        return id
    body.problems.add(
        field, "invalid.value", _("“%(field)s” must be an object with an “id”.") % {"field": field}
    )
    return None
