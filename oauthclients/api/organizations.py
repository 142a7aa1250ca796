"""`/organizations/...` (wire contract E5)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import MinimumLengthValidator, get_default_password_validators
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import NotFound
from accounts.models import Organization
from accounts.permissions import Permission
from accounts.services import organization as organizations
from oauthclients.api import shapes
from oauthclients.api.errors import ApiError
from oauthclients.api.params import Body
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import requires

ORGANIZATION = ("organization",)
ORGANIZATION_READ = ("organization", "organization:readonly")

HIPAA = "hipaa"
FEATURES = frozenset(
    {
        HIPAA,
        "chat",
        "contactCenter",
        "custserv",
        "directory",
        "informalPhotos",
        "pci",
        "purecloud",
        "purecloudVoice",
        "realtimeCIC",
        "ucEnabled",
        "unifiedCommunications",
        "xmppFederation",
    }
)


class OwnOrganization(ApiView):
    @requires(scopes=ORGANIZATION_READ)
    def get(self, request: Request) -> Response:
        return Response(shapes.organization(self.organization))

    @requires(Permission.DIRECTORY_ORGANIZATION_ADMIN, scopes=ORGANIZATION)
    def put(self, request: Request) -> Response:
        """Needs the `version` that the caller read. Fields that cannot be changed are ignored."""
        body = Body(request.data)
        version, name = body.whole("version"), body.text("name")
        if not body.has("version"):
            body.problems.add("version", "invalid.value", _("“version” is required."))
        body.check()
        changed = organizations.rename(
            actor=self.actor, name=self.organization.name if name is None else name, version=version
        )
        return Response(shapes.organization(changed))


class Feature(ApiView):
    @requires(Permission.DIRECTORY_ORGANIZATION_ADMIN, scopes=ORGANIZATION)
    def patch(self, request: Request, feature_name: str) -> Response:
        if feature_name not in FEATURES:
            raise NotFound
        if feature_name != HIPAA:
            raise ApiError(
                400,
                "bad.request",
                _("The feature ‘%(name)s’ cannot be changed here. Only ‘hipaa’ can.")
                % {"name": feature_name},
            )
        body = Body(request.data)
        enabled = body.flag("enabled")
        if not body.has("enabled"):
            body.problems.add("enabled", "invalid.value", _("“enabled” is required."))
        body.check()
        changed = organizations.set_hipaa(actor=self.actor, enabled=bool(enabled))
        return Response(shapes.organization_features(changed))


class AuthenticationSettings(ApiView):
    """`OrgAuthSettings`, most of which is fixed; `inactivityTimeoutExclusions` can be changed."""

    @requires(Permission.DIRECTORY_ORGANIZATION_ADMIN, scopes=ORGANIZATION_READ)
    def get(self, request: Request) -> Response:
        return Response(_authentication_settings(self.organization))

    @requires(Permission.DIRECTORY_ORGANIZATION_ADMIN, scopes=ORGANIZATION)
    def patch(self, request: Request) -> Response:
        """A setting that is fixed may be repeated as it is; what would change it is refused, rather than
        answered as if it had been done."""
        body = Body(request.data)
        exclusions = body.texts("inactivityTimeoutExclusions")
        for name, value in {**_fixed(), **_NOT_THERE}.items():
            if body.has(name) and _differs(body.raw(name), value):
                body.problems.add(
                    name, "invalid.value", _("“%(field)s” cannot be changed.") % {"field": name}
                )
        body.check()
        organization = self.organization
        if exclusions is not None:
            organization = organizations.set_idle_exclusions(actor=self.actor, paths=exclusions)
        return Response(_authentication_settings(organization))


def _authentication_settings(row: Organization) -> dict[str, Any]:
    return {**_fixed(), "inactivityTimeoutExclusions": list(row.idle_exclusions)}


# Settings of the vendor's that are nothing here.
_NOT_THERE: dict[str, Any] = {"universalLogout": None, "tokenStorageLocation": None}


def _fixed() -> dict[str, Any]:
    lengths = (
        validator.min_length
        for validator in get_default_password_validators()
        if isinstance(validator, MinimumLengthValidator)
    )
    return {
        "multifactorAuthenticationRequired": False,
        "domainAllowlistEnabled": False,
        "domainAllowlist": [],
        "ipAddressAllowlist": [],
        "passwordRequirements": {"minimumLength": max(lengths, default=0)},
    }


def _differs(wanted: Any, value: Any) -> bool:
    """Absent, empty, zero and false are the same; of an object, only what is given counts."""
    if isinstance(wanted, dict):
        now = value if isinstance(value, dict) else {}
        return any(_differs(part, now.get(key)) for key, part in wanted.items())
    return bool(wanted or value) and wanted != value
