"""What we send to identity providers through the browser, and their messages about single logout."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import unquote_plus, urlencode, urlsplit

from django.conf import settings
from django.utils import timezone

from accounts.models import Binding, IdentityProvider
from accounts.rules.provider_spec import Certificate
from accounts.saml import keys, service_provider, toolkit, xml
from accounts.saml.verdict import Check, Refused

# How old a LogoutRequest may be.
LOGOUT_SECONDS = 300
REQUEST, RESPONSE = "SAMLRequest", "SAMLResponse"
_PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:protocol}"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
# Of the Redirect binding (SAML bindings 3.4.4.1).
_QUERY_SIGNATURES = {f"http://www.w3.org/2001/04/xmldsig-more#rsa-sha{bits}" for bits in (256, 384, 512)}


def new_id() -> str:
    """128 random bits as an xs:ID, which must not begin with a digit."""
    return f"_{secrets.token_hex(16)}"


class _OwnId:
    """python3-saml's messages name the library in their IDs."""

    def _generate_request_id(self) -> str:
        return new_id()


@dataclass(frozen=True)
class Outgoing:
    """A message on its way through the browser: by GET to `url`, or by a form with `fields` that is posted
    there. `id` is that of the message."""

    id: str
    url: str
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def origin(self) -> str:
        """For the page's Content-Security-Policy."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def authn_request(provider: IdentityProvider, *, forced: bool) -> Outgoing:
    """Asks the provider who this is (SAML core 3.4.1); `forced` wants them to prove it now."""
    toolkit.require()

    class Request(_OwnId, toolkit.AuthnRequest):
        pass

    made = Request(service_provider.settings_to_write(provider), force_authn=forced)
    return _outgoing(
        made.get_id(),
        made.get_xml(),
        kind=REQUEST,
        url=provider.target_url,
        binding=provider.target_binding,
        signed=provider.sign_requests,
    )


def logout_request(
    provider: IdentityProvider, *, name_id: str, name_id_format: str, session_index: str
) -> Outgoing:
    """Tells the provider that this person leaves (SAML core 3.7.1). Always signed."""
    toolkit.require()

    class Request(_OwnId, toolkit.LogoutRequest):
        pass

    made = Request(
        service_provider.settings_to_write(provider),
        name_id=name_id,
        name_id_format=name_id_format or None,
        session_index=escape(session_index) or None,
    )
    return _outgoing(
        made.id,
        made.get_xml(),
        kind=REQUEST,
        url=provider.logout_url,
        binding=provider.logout_binding,
        signed=True,
    )


def logout_response(provider: IdentityProvider, *, in_response_to: str, relay_state: str) -> Outgoing:
    """Answers the provider that the person is gone here (SAML core 3.7.2)."""
    toolkit.require()

    class Response(_OwnId, toolkit.LogoutResponse):
        pass

    made = Response(service_provider.settings_to_write(provider))
    made.build(escape(in_response_to))
    return _outgoing(
        made.id,
        made.get_xml(),
        kind=RESPONSE,
        url=provider.logout_url,
        binding=provider.logout_binding,
        signed=True,
        relay_state=relay_state,
    )


@dataclass(frozen=True)
class Received:
    """A logout message that nobody has vouched for yet. Of one that came by GET, `signed` is what its
    signature is over; of one that came by POST, the signature is in it."""

    kind: str
    data: bytes
    root: Any
    issuer: str
    relay_state: str
    by_redirect: bool
    signed: str = ""
    algorithm: str = ""
    signature: str = ""


@dataclass(frozen=True)
class LogoutAsked:
    """A LogoutRequest that was proved."""

    id: str
    name_id: str
    session_indexes: tuple[str, ...]


def received(*, query: str = "", form: Mapping[str, str] | None = None) -> Received:
    """A message out of a query string, or out of a posted form. Raises `Refused`."""
    toolkit.require()
    raw = dict(pair.partition("=")[::2] for pair in query.split("&")) if form is None else {}
    values = (
        {name: unquote_plus(value) for name, value in raw.items()} if form is None else dict(form or {})
    )
    kinds = [kind for kind in (REQUEST, RESPONSE) if values.get(kind)]
    if len(kinds) != 1 or len(raw) != (query.count("&") + 1 if form is None else 0):
        raise Refused(Check.READABLE, "not-base64")
    kind = kinds[0]
    data = xml.decoded(values[kind], pasted=False)
    if form is None:
        data = _inflated(data)
    data = xml.plain(data)
    root = xml.parsed(data)
    if root.tag != _PROTOCOL + ("LogoutRequest" if kind == REQUEST else "LogoutResponse"):
        raise Refused(Check.ONE, "neither")
    issuers = xml.query(root, "./saml:Issuer")
    if len(issuers) != 1 or not (issuer := xml.text_of(issuers[0])):
        raise Refused(Check.ISSUER, "no-issuer")
    return Received(
        kind=kind,
        data=data,
        root=root,
        issuer=issuer,
        relay_state=values.get("RelayState", "")[:1000],
        by_redirect=form is None,
        signed="&".join(f"{name}={raw[name]}" for name in (kind, "RelayState", "SigAlg") if name in raw),
        algorithm=values.get("SigAlg", ""),
        signature=values.get("Signature", ""),
    )


def prove(message: Received, certificates: Iterable[Certificate]) -> None:
    """Raises `Refused` unless one of these signed it."""
    check = _query_is_signed if message.by_redirect else _message_is_signed
    if not any(check(message, certificate) for certificate in certificates):
        raise Refused(Check.SIGNATURE, "signature", provider=message.issuer)


def asked(message: Received) -> LogoutAsked:
    """What a proved LogoutRequest says. Raises `Refused` where it is old, or for somebody else."""
    root = message.root
    issued = xml.time_of(root.get("IssueInstant", ""))
    end = xml.optional_time(root, "NotOnOrAfter")
    now = timezone.now()
    if abs((now - issued).total_seconds()) > LOGOUT_SECONDS or (end is not None and end <= now):
        raise Refused(Check.TIME, "ended", ends=issued, seconds=int((now - issued).total_seconds()))
    expected = service_provider.logout_url()
    if root.get("Destination") != expected:  # which a signed message needs (SAML bindings 3.4.5.2)
        raise Refused(
            Check.RECIPIENT, "other-recipient", recipient=root.get("Destination", ""), expected=expected
        )
    name_ids = xml.query(root, "./saml:NameID")
    if len(name_ids) != 1 or not xml.text_of(name_ids[0]) or not root.get("ID"):
        raise Refused(Check.PERSON, "no-email", attribute="NameID")
    return LogoutAsked(
        id=root.get("ID"),
        name_id=xml.text_of(name_ids[0]),
        session_indexes=tuple(xml.text_of(one) for one in xml.query(root, "./samlp:SessionIndex")),
    )


def _outgoing(
    id: str, text: str, *, kind: str, url: str, binding: str, signed: bool, relay_state: str = ""
) -> Outgoing:
    pair = keys.own()
    relayed = {"RelayState": relay_state} if relay_state else {}
    if binding == Binding.POST:
        if signed:
            text = toolkit.Utils.add_sign(text, pair.private_key, pair.certificate)
        return Outgoing(id, url, {kind: toolkit.Utils.b64encode(text), **relayed})
    parameters = {kind: toolkit.Utils.deflate_and_base64_encode(text), **relayed}
    if signed:
        parameters["SigAlg"] = _RSA_SHA256
        signature = toolkit.Utils.sign_binary(urlencode(parameters), pair.private_key)
        parameters["Signature"] = toolkit.Utils.b64encode(signature)
    return Outgoing(id, url + ("&" if "?" in url else "?") + urlencode(parameters))


def _inflated(data: bytes) -> bytes:
    """RFC 1951, and no more than may be."""
    most = settings.SAML_LARGEST_BYTES
    reader = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = reader.decompress(data, most + 1)
    except zlib.error as error:
        raise Refused(Check.READABLE, "not-base64") from error
    if len(inflated) > most:
        raise Refused(Check.READABLE, "too-large", most=most)
    return inflated


def _query_is_signed(message: Received, certificate: Certificate) -> bool:
    if message.algorithm not in _QUERY_SIGNATURES or not message.signature:
        raise Refused(Check.SIGNATURE, "unsigned")
    return bool(
        toolkit.Utils.validate_binary_sign(
            message.signed,
            xml.decoded(message.signature, pasted=False),
            certificate.pem,
            message.algorithm,
        )
    )


def _message_is_signed(message: Received, certificate: Certificate) -> bool:
    signatures = xml.query(message.root, "//ds:Signature")
    if len(signatures) != 1 or signatures[0].getparent() is not message.root:
        raise Refused(Check.SIGNATURE, "unsigned")
    xml.check_signature_form(signatures[0])
    ids = xml.query(message.root, "//@ID")
    if len(ids) != len(set(ids)):
        raise Refused(Check.ONE, "repeated-id")
    return xml.is_signed_with(signatures[0], message.root, certificate)
