"""Reading the metadata file of an identity provider (SAML metadata 2.4.3)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.errors import Invalid
from accounts.models import Binding, NameIdFormat
from accounts.saml import toolkit

LARGEST = 400_000  # characters


def read(text: str) -> dict[str, Any]:
    """What the file says of a provider, as fields of `ProviderSpec`; only those that it says something of.

    Not a signature of the file: whoever imports it says by that what they believe, and sees it first.
    Raises `Invalid` (field `metadata`) for what is no such file, and `toolkit.Unavailable`.
    """
    toolkit.require()
    text = text.strip().lstrip("\ufeff")
    if len(text) > LARGEST:
        raise _problem(_("The file is too large."))
    try:
        root = toolkit.XML.to_etree(text.encode())
    except Exception as error:  # whatever lxml and its guards raise for what is no XML, or has a DTD
        raise _problem(_("The file is not XML, or has a DTD.")) from error
    query = toolkit.XML.query
    descriptors = query(root, "//md:IDPSSODescriptor")
    if not descriptors:
        raise _problem(_("The file has no IDPSSODescriptor."))
    if len(descriptors) > 1:
        raise _problem(
            _("The file describes %(count)s identity providers. Give the file of one.")
            % {"count": len(descriptors)}
        )
    found: dict[str, Any] = {}
    try:
        for binding in Binding.values:  # the later one only where there is none with the first
            parsed = toolkit.MetadataParser.parse(
                text.encode(), required_sso_binding=binding, required_slo_binding=binding
            )
            _add(found, parsed.get("idp", {}))
    except Exception as error:  # the parser has no error of its own
        raise _problem(_("The file cannot be read as SAML metadata.")) from error
    formats = [toolkit.XML.element_text(node) for node in query(descriptors[0], "./md:NameIDFormat")]
    known = [name for name in formats if name in NameIdFormat.values]
    if known:
        found["name_id_format"] = NameIdFormat.EMAIL.value if NameIdFormat.EMAIL in known else known[0]
    found["sign_requests"] = descriptors[0].get("WantAuthnRequestsSigned", "").lower() in ("true", "1")
    return found


def _add(found: dict[str, Any], idp: dict[str, Any]) -> None:
    if issuer := idp.get("entityId"):
        found["issuer"] = issuer
    for ours, theirs in (("target", "singleSignOnService"), ("logout", "singleLogoutService")):
        if (endpoint := idp.get(theirs)) and f"{ours}_url" not in found:
            found[f"{ours}_url"] = endpoint["url"]
            found[f"{ours}_binding"] = endpoint["binding"]
    several = idp.get("x509certMulti", {}).get("signing", [])
    if pems := [pem for pem in (several or [idp.get("x509cert")]) if pem]:
        found["certificates"] = tuple(dict.fromkeys(pems))


def _problem(message: str) -> Invalid:
    return Invalid.one("metadata", "invalid.value", message)
