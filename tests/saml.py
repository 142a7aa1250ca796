"""An identity provider of the tests: it makes and signs assertions with lxml, signxml and cryptography, and
shares no code with what reads them.

    idp = IdP()
    idp.provider(cast.acme)
    response = bearer(client, secret, idp.assertion(email=cast.eve.email))
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone
from lxml import etree
from signxml import XMLSigner, methods

from accounts.actor import system
from accounts.models import IdentityProvider, Organization, User
from accounts.rules.provider_spec import ProviderSpec
from accounts.services import identity_providers
from oauthclients.models import Client
from tests.cast import Cast, basic

GRANT = "urn:ietf:params:oauth:grant-type:saml2-bearer"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XS = "http://www.w3.org/2001/XMLSchema"
NAMESPACES = {"saml": SAML, "samlp": SAMLP, "ds": DS}

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
PASSWORD_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

LONG_AGO, FAR_AHEAD = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Pair:
    """A private key, and a certificate for it in PEM."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: str

    @property
    def algorithm(self) -> str:
        return "rsa" if isinstance(self.key, rsa.RSAPrivateKey) else "ecdsa"

    @classmethod
    def of_pem(cls, private_key: str, certificate: str) -> Pair:
        key = load_pem_private_key(private_key.encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
        return cls(key, certificate)

    def valid(self, begins: datetime, ends: datetime) -> Pair:
        """The same key with a certificate for another time."""
        return Pair(self.key, _certificate(self.key, begins, ends))


@lru_cache
def pair(kind: str = "rsa", which: str = "acme") -> Pair:
    """The same one for as long as the tests run."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if kind == "rsa":
        key = rsa.generate_private_key(65537, 2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    return Pair(key, _certificate(key, LONG_AGO, FAR_AHEAD))


def _certificate(key: Any, begins: datetime, ends: datetime) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test identity provider")])
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=begins,
        not_valid_after=ends,
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@dataclass
class IdP:
    """What an assertion says unless a test says otherwise is what the SAML2 bearer grant asks for."""

    name: str = "Acme IdP"
    issuer: str = "https://idp.acme.example/metadata"
    pair: Pair = field(default_factory=pair)
    org: str = "acme"
    audience: str = ""
    recipient: str = ""
    email: str = "eve@acme.example"

    def provider(self, organization: Organization, **spec: Any) -> IdentityProvider:
        """Sets it up there."""
        wanted = {
            "name": self.name,
            "issuer": self.issuer,
            "target_url": "https://idp.acme.example/sso",
            "certificates": (self.pair.certificate,),
            "accept_bearer": True,
            **spec,
        }
        return identity_providers.create(actor=system(organization), spec=ProviderSpec(**wanted))

    def assertion(
        self,
        *,
        sign: str | None = "assertion",
        wrap: bool | None = None,
        response: Mapping[str, Any] | None = None,
        key: Pair | None = None,
        declaration: str = "",
        signature: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> bytes:
        """An assertion as it goes over the wire, but for the base64. `sign` is "assertion", "response",
        "both" or None; `wrap` puts it into a Response, which signing that one does too. `response` is for
        `wrapped`, `signature` for `signed`, and `claims` for `unsigned`."""
        node = self.unsigned(**claims)
        how = {"key": key or self.pair, **(signature or {})}
        if sign in ("assertion", "both"):
            node = signed(node, **how)
        if wrap or sign in ("response", "both"):
            node = self.wrapped(node, **(response or {}))
        if sign in ("response", "both"):
            node = signed(node, **how)
        return declaration.encode() + etree.tostring(node)

    def unsigned(
        self,
        *,
        id: str | None = None,
        issuer: str | None = None,
        version: str = "2.0",
        issue_instant: datetime | str | None = None,
        audience: str | Iterable[str] | None = "",
        recipient: str | None = "",
        not_before: datetime | str | None = ...,  # type: ignore[assignment]
        not_on_or_after: datetime | str | None = ...,  # type: ignore[assignment]
        confirmation_not_before: datetime | str | None = None,
        confirmation_not_on_or_after: datetime | str | None = ...,  # type: ignore[assignment]
        confirmation: bool = True,
        confirmation_data: bool = True,
        method: str = BEARER,
        in_response_to: str | None = None,
        name_id: str | None = "opaque-name-id-4711",
        name_id_format: str = PERSISTENT,
        email: str | Iterable[str] | None = "",
        email_attribute: str = "email",
        attributes: Iterable[tuple[str, str | Iterable[str]]] = (),
        typed: bool = False,
        authn_statement: bool = True,
        session_index: str | None = None,
    ) -> etree._Element:
        """The element. None leaves a part out; what is not said is what the grant asks for. With `typed`,
        attribute values have an xsi:type, as those of many products."""
        now = timezone.now()
        end = now + timedelta(minutes=5)
        node = etree.Element(
            f"{{{SAML}}}Assertion",
            nsmap={"saml": SAML, **({"xs": XS, "xsi": XSI} if typed else {})},
            ID=id if id is not None else f"_{uuid.uuid4().hex}",
            Version=version,
            IssueInstant=written(now if issue_instant is None else issue_instant),
        )
        _add(node, "Issuer").text = issuer if issuer is not None else self.issuer
        subject = _add(node, "Subject")
        if name_id is not None:
            _add(subject, "NameID", Format=name_id_format).text = name_id
        if confirmation:
            confirmed = _add(subject, "SubjectConfirmation", Method=method)
            if confirmation_data:
                ends = end if confirmation_not_on_or_after is ... else confirmation_not_on_or_after
                _add(
                    confirmed,
                    "SubjectConfirmationData",
                    NotBefore=confirmation_not_before,
                    NotOnOrAfter=ends,
                    Recipient=self._recipient if recipient == "" else recipient,
                    InResponseTo=in_response_to,
                )
        conditions = _add(
            node,
            "Conditions",
            NotBefore=now if not_before is ... else not_before,
            NotOnOrAfter=end if not_on_or_after is ... else not_on_or_after,
        )
        if audience is not None:
            restriction = _add(conditions, "AudienceRestriction")
            for one in _several(self._audience if audience == "" else audience):
                _add(restriction, "Audience").text = one
        if authn_statement:
            statement = _add(node, "AuthnStatement", AuthnInstant=now, SessionIndex=session_index)
            context = _add(statement, "AuthnContext")
            _add(context, "AuthnContextClassRef").text = PASSWORD_CONTEXT
        told = [*attributes]
        if email is not None:
            told.insert(0, (email_attribute, self.email if email == "" else email))
        if told:
            held = _add(node, "AttributeStatement")
            for name, values in told:
                attribute = _add(held, "Attribute", Name=name)
                for value in _several(values):
                    one = _add(attribute, "AttributeValue")
                    one.text = value
                    if typed:
                        one.set(f"{{{XSI}}}type", "xs:string")
        return node

    def wrapped(
        self,
        *assertions: etree._Element,
        status: str = SUCCESS,
        destination: str | None = None,
        in_response_to: str | None = None,
        issuer: str | None = "",
        id: str | None = None,
    ) -> etree._Element:
        """A Response with these assertions in it."""
        node = etree.Element(
            f"{{{SAMLP}}}Response",
            nsmap={"samlp": SAMLP, "saml": SAML},
            ID=id or f"_{uuid.uuid4().hex}",
            Version="2.0",
            IssueInstant=written(timezone.now()),
        )
        if destination is not None:
            node.set("Destination", destination)
        if in_response_to is not None:
            node.set("InResponseTo", in_response_to)
        if issuer is not None:
            _add(node, "Issuer").text = issuer or self.issuer
        holder = etree.SubElement(node, f"{{{SAMLP}}}Status")
        etree.SubElement(holder, f"{{{SAMLP}}}StatusCode", Value=status)
        node.extend(assertions)
        return node

    @property
    def _audience(self) -> str:
        return self.audience or f"{settings.BASE_URL}/saml/{self.org}"

    @property
    def _recipient(self) -> str:
        return self.recipient or f"{settings.BASE_URL}/oauth/token"


def signed(
    node: etree._Element,
    *,
    key: Pair | None = None,
    algorithm: str | None = None,
    digest: str = "sha256",
    canonicalization: str = EXCLUSIVE,
    embed: Pair | bool | None = True,
) -> etree._Element:
    """Signed by signxml as SAML core 5.4 wants it: enveloped, after the Issuer, about the element's ID.
    `embed` says whose certificate stands in the signature, if any."""
    own = key or pair()
    node.insert(1, etree.Element(f"{{{DS}}}Signature", nsmap={"ds": DS}, Id="placeholder"))
    signer = XMLSigner(
        method=methods.enveloped,
        signature_algorithm=algorithm or f"{own.algorithm}-sha256",
        digest_algorithm=digest,
        c14n_algorithm=canonicalization,
    )
    shown = own if embed is True else embed
    made = signer.sign(
        node,
        key=own.key,
        cert=shown.certificate if shown else None,
        reference_uri=f"#{node.get('ID')}",
        id_attribute="ID",
    )
    if not shown:
        made[1].remove(made[1].find(f"{{{DS}}}KeyInfo"))
    return made


@dataclass
class Reference:
    """What a signature by hand says that it is about. `content` is what is digested, if it is not the
    element in exclusive canonical form; transforms are their algorithms, or elements."""

    uri: str | None = None
    transforms: Iterable[str | etree._Element] = (ENVELOPED, EXCLUSIVE)
    digest: str = "http://www.w3.org/2001/04/xmlenc#sha256"
    content: bytes | None = None


def signed_by_hand(
    node: etree._Element,
    *references: Reference,
    key: Pair | None = None,
    algorithm: str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    canonicalization: str = EXCLUSIVE,
    mac_key: bytes | None = None,
    inside: Iterable[etree._Element] = (),
) -> etree._Element:
    """A signature of any form, the arithmetic of which is right: for what signxml, rightly, would not make.
    `inside` are more children of the Signature. Changes and returns `node`."""
    whole = canonical(node)
    signature = etree.Element(f"{{{DS}}}Signature", nsmap={"ds": DS})
    info = etree.SubElement(signature, f"{{{DS}}}SignedInfo")
    etree.SubElement(info, f"{{{DS}}}CanonicalizationMethod", Algorithm=canonicalization)
    etree.SubElement(info, f"{{{DS}}}SignatureMethod", Algorithm=algorithm)
    for reference in references or (Reference(),):
        uri = f"#{node.get('ID')}" if reference.uri is None else reference.uri
        about = etree.SubElement(info, f"{{{DS}}}Reference", URI=uri)
        steps = etree.SubElement(about, f"{{{DS}}}Transforms")
        for step in reference.transforms:
            if isinstance(step, str):
                etree.SubElement(steps, f"{{{DS}}}Transform", Algorithm=step)
            else:
                steps.append(step)
        etree.SubElement(about, f"{{{DS}}}DigestMethod", Algorithm=reference.digest)
        content = whole if reference.content is None else reference.content
        digest = hashlib.new(_hash_in(reference.digest), content).digest()
        etree.SubElement(about, f"{{{DS}}}DigestValue").text = base64.b64encode(digest).decode()
    node.insert(1, signature)
    to_sign = canonical(info) if canonicalization == EXCLUSIVE else etree.tostring(info, method="c14n")
    name = _hash_in(algorithm)
    if mac_key is not None:
        value = hmac.digest(mac_key, to_sign, name)
    else:
        own = (key or pair()).key
        assert isinstance(own, rsa.RSAPrivateKey)
        value = own.sign(to_sign, padding.PKCS1v15(), getattr(hashes, name.upper())())
    etree.SubElement(signature, f"{{{DS}}}SignatureValue").text = base64.b64encode(value).decode()
    signature.extend(inside)
    return node


def canonical(node: etree._Element, prefixes: list[str] | None = None) -> bytes:
    """Exclusive canonical form, without comments. `prefixes` are those of InclusiveNamespaces, which lxml
    knows only of what it has parsed."""
    if prefixes:
        node = etree.fromstring(etree.tostring(node))
    made: bytes = etree.tostring(
        node, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=prefixes
    )
    return made


def _hash_in(algorithm: str) -> str:
    return next(name for name in ("sha1", "sha224", "sha256", "sha384", "sha512") if name in algorithm)


def written(moment: datetime | str) -> str:
    """A time as SAML writes it; a text stays what it is."""
    return moment if isinstance(moment, str) else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def encode(xml: bytes, *, urlsafe: bool = False, padded: bool = True) -> str:
    text = (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(xml).decode()
    return text if padded else text.rstrip("=")


def bearer(
    client: Client, secret: str, assertion: bytes | str | None, /, org: str | None = "acme", **form: Any
) -> Any:
    """POST /oauth/token. Bytes are encoded, a text is sent as it is; None leaves a parameter out, and an
    empty secret the authentication. `headers` are added."""
    headers = {"Authorization": basic(client.client_id, secret)} if secret else {}
    headers |= form.pop("headers", {})
    body = {
        "grant_type": GRANT,
        "assertion": encode(assertion) if isinstance(assertion, bytes) else assertion,
        "orgName": org,
        **form,
    }
    return Browser().post(
        "/oauth/token",
        urlencode({name: value for name, value in body.items() if value is not None}),
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )


@dataclass
class SamlApp:
    """An app of Acme, authorized there, and the provider whose assertions it gets hold of."""

    idp: IdP
    provider: IdentityProvider
    client: Client
    secret: str

    @classmethod
    def at_acme(cls, cast: Cast, *scope: str, by: User | None = None, **more: Any) -> SamlApp:
        client, secret = cast.client(
            name=more.pop("name", "SAML app"),
            grant_type="saml2-bearer",
            scope=scope or ("users", "user-basic-info"),
            by=by or cast.ada,
            **more,
        )
        idp = IdP()
        found = IdentityProvider.objects.filter(organization=cast.acme, issuer=idp.issuer).first()
        return cls(idp, found or idp.provider(cast.acme), client, secret)

    def asks(self, **changes: Any) -> Any:
        """Exchanges an assertion that says, and is signed, as `IdP.assertion` is told."""
        return self.sends(self.idp.assertion(**changes))

    def sends(self, assertion: bytes | str | None, /, **form: Any) -> Any:
        return bearer(self.client, form.pop("secret", self.secret), assertion, **form)

    def bearer(self, **changes: Any) -> dict[str, str]:
        """Headers of a fresh token."""
        response = self.asks(**changes)
        assert response.status_code == 200, response.content
        return {"Authorization": f"Bearer {response.json()['access_token']}"}


def all_that_is_stored() -> str:
    """Every value of every row of every table."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                for value in row:
                    found.append(
                        bytes(value).decode("latin-1")
                        if isinstance(value, bytes | memoryview)
                        else str(value)
                    )
    return "\n".join(found)


def _several(values: str | Iterable[str]) -> list[str]:
    return [values] if isinstance(values, str) else list(values)


def _add(parent: etree._Element, tag: str, **attributes: datetime | str | None) -> etree._Element:
    given = {name: written(value) for name, value in attributes.items() if value is not None}
    return etree.SubElement(parent, f"{{{SAML}}}{tag}", given)
