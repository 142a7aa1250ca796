"""python3-saml and the two libraries under it, or the reason why they are not there.

xmlsec and lxml must embed the same libxml2, which only some pairs of their wheels do; a broken pair fails
when it is imported. Then SAML is off, and says so, while everything else runs: nothing else imports them.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.errors import DomainError

WHY_NOT = ""
try:
    import xmlsec
    from lxml import etree
    from onelogin.saml2.authn_request import OneLogin_Saml2_Authn_Request as AuthnRequest
    from onelogin.saml2.constants import OneLogin_Saml2_Constants as Constants
    from onelogin.saml2.errors import OneLogin_Saml2_ValidationError as ValidationError
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser as MetadataParser
    from onelogin.saml2.logout_request import OneLogin_Saml2_Logout_Request as LogoutRequest
    from onelogin.saml2.logout_response import OneLogin_Saml2_Logout_Response as LogoutResponse
    from onelogin.saml2.metadata import OneLogin_Saml2_Metadata as Metadata
    from onelogin.saml2.response import OneLogin_Saml2_Response as Response
    from onelogin.saml2.settings import OneLogin_Saml2_Settings as Settings
    from onelogin.saml2.utils import OneLogin_Saml2_Utils as Utils
    from onelogin.saml2.xml_utils import OneLogin_Saml2_XML as XML
except Exception as error:  # xmlsec raises an error of its own, and what is missing an ImportError
    WHY_NOT = f"{type(error).__name__}: {error}"

__all__ = [
    "WHY_NOT",
    "XML",
    "AuthnRequest",
    "Constants",
    "LogoutRequest",
    "LogoutResponse",
    "Metadata",
    "MetadataParser",
    "Response",
    "Settings",
    "Unavailable",
    "Utils",
    "ValidationError",
    "etree",
    "require",
    "xmlsec",
]


class Unavailable(DomainError):
    """The installation's SAML libraries do not work; its log says why."""

    status = 503
    code = "service.unavailable"

    def __init__(self) -> None:
        super().__init__(
            _("SAML is switched off on this server, because its libraries do not work. Ask its operator.")
        )


def require() -> None:
    """Raises `Unavailable`. Before anything else of this package is called."""
    if WHY_NOT:
        raise Unavailable
