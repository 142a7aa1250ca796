"""The four grants as data: their names on the wire and in the store, what people read about them, and
which parts of a client they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractApplication

from accounts.saml import toolkit


@dataclass(frozen=True)
class GrantType:
    """`code` is stored and understood by django-oauth-toolkit, `wire` is `authorizedGrantType` (wire
    contract C2), `grant_type` the parameter of the token request, if there is one."""

    code: str
    wire: str
    grant_type: str | None
    label: Any
    lead: Any
    ticks: tuple[Any, ...]
    small_print: Any
    flow: tuple[Any, ...]
    uses_roles: bool
    uses_redirect_uris: bool
    uses_scopes: bool
    # What the client's own page says about the secret.
    secret_use: Any
    # What its clients send to /oauth/authorize, if anything.
    response_type: str | None = None
    needs_saml: bool = False

    @property
    def answered(self) -> bool:
        """Whether the server answers it: not where the SAML libraries that it needs do not work. Clients
        can be registered all the same, and their pages say that they have to wait."""
        return not (self.needs_saml and toolkit.WHY_NOT)

    @property
    def grant_types(self) -> frozenset[str]:
        """What its clients may send to /oauth/token."""
        if self.grant_type is None:
            return frozenset()
        own = {self.grant_type}
        return (
            frozenset(own | {"refresh_token"})
            if self.grant_type == "authorization_code"
            else frozenset(own)
        )


CLIENT_CREDENTIALS = GrantType(
    code=AbstractApplication.GRANT_CLIENT_CREDENTIALS,
    wire="CLIENT-CREDENTIALS",
    grant_type="client_credentials",
    label=_("Client Credentials"),
    lead=_("For a background service with no person signed in"),
    ticks=(
        _("No person takes part"),
        _("Uses roles and divisions"),
        _("Keep the secret on a server"),
    ),
    small_print=_("Cannot call routes about ‘me’."),
    flow=(
        _("The service sends its client ID and secret to /oauth/token."),
        _("Latchkey answers with an access token."),
        _("The service calls the API with the token."),
        _("Each call is checked against the client's roles and divisions."),
    ),
    uses_roles=True,
    uses_redirect_uris=False,
    uses_scopes=False,
    secret_use=_("Sent with every request for a token."),
)

CODE = GrantType(
    code=AbstractApplication.GRANT_AUTHORIZATION_CODE,
    wire="CODE",
    grant_type="authorization_code",
    label=_("Code Authorization"),
    lead=_("For a web site with its own server"),
    ticks=(
        _("A person signs in"),
        _("The most secure choice for people"),
        _("Secret and code are exchanged for a token"),
    ),
    small_print=_("PKCE is accepted."),
    flow=(
        _("The app sends the person here to sign in and agree."),
        _("The browser returns to the app with a code."),
        _("The app's server exchanges code and secret for a token."),
        _("The token can do what the person can, within the app's scopes."),
    ),
    uses_roles=False,
    uses_redirect_uris=True,
    uses_scopes=True,
    secret_use=_("Sent when the app's server exchanges a code. Apps that use PKCE need no secret."),
    response_type="code",
)

IMPLICIT = GrantType(
    code=AbstractApplication.GRANT_IMPLICIT,
    wire="TOKEN",
    grant_type=None,
    label=_("Implicit Grant (Browser)"),
    lead=_("For an app that runs only in a browser or desktop"),
    ticks=(
        _("A person signs in"),
        _("The token comes straight to the browser"),
        _("No server of its own is needed"),
    ),
    small_print=_("A legacy, and less protected: prefer Code Authorization with PKCE."),
    flow=(
        _("The app sends the person here to sign in and agree."),
        _("The browser returns to the app with the token itself."),
        _("The app calls the API with the token."),
        _("Anything that can read the browser's address can read the token."),
    ),
    uses_roles=False,
    uses_redirect_uris=True,
    uses_scopes=True,
    secret_use=_("Not used by this grant: the app in the browser needs only the client ID."),
    response_type="token",
)

SAML2_BEARER = GrantType(
    code="saml2-bearer",
    wire="SAML2-BEARER",
    grant_type="urn:ietf:params:oauth:grant-type:saml2-bearer",
    label=_("SAML2 Bearer"),
    lead=_("For an app that holds a SAML assertion from your identity provider"),
    ticks=(
        _("No password is typed here"),
        _("The person is found by the assertion"),
        _("Keep the secret on a server"),
    ),
    small_print=_("Needs single sign-on to be set up."),
    flow=(
        _("The app gets a SAML assertion about a person from the identity provider."),
        _("It sends the assertion with its client ID and secret to /oauth/token."),
        _("Latchkey checks the assertion and answers with a token for that person."),
        _("The token can do what the person can, within the app's scopes."),
    ),
    uses_roles=False,
    uses_redirect_uris=False,
    uses_scopes=True,
    secret_use=_("Sent together with each assertion."),
    needs_saml=True,
)

GRANT_TYPES: tuple[GrantType, ...] = (CLIENT_CREDENTIALS, CODE, IMPLICIT, SAML2_BEARER)
BY_CODE: Mapping[str, GrantType] = {grant.code: grant for grant in GRANT_TYPES}
# The Terraform provider also lets SAML2BEARER through (wire contract C2).
BY_WIRE: Mapping[str, GrantType] = {
    **{grant.wire: grant for grant in GRANT_TYPES},
    "SAML2BEARER": SAML2_BEARER,
}
