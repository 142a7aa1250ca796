"""What a valid identity provider is (UX spec 4.13; wire contract I)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import PublicKeyAlgorithmOID
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.errors import Problem, Problems
from accounts.models import Binding, NameIdFormat
from accounts.rules.text import hides_something, shows_nothing

MOST_CERTIFICATES = 5
LONGEST_NAME = 100
LONGEST_IDENTIFIER = 1024  # of an entity ID (SAML core 8.3.6)
LONGEST_URL = 2000
LONGEST_ATTRIBUTE = 255
SHORTEST_RSA_KEY = 2048
SHORTEST_EC_KEY = 256
LONGEST_CERTIFICATE = 20_000

# The vendor's routes `/identityproviders/{name}`, each for one provider of an organization (wire contract
# I; the official SDKs), and what the provider is called where nobody says.
SLOTS: Mapping[str, str] = {
    "adfs": "ADFS",
    "cic": "Customer Interaction Center",
    "generic": "Generic SSO Provider",
    "gsuite": "Google Workspace",
    "identitynow": "IdentityNow",
    "okta": "Okta",
    "onelogin": "OneLogin",
    "ping": "Ping Identity",
    "pureengage": "PureEngage",
    "salesforce": "Salesforce",
}

_NOT_PEM = gettext_lazy("This is not a PEM certificate.")
_PRIVATE_KEY = gettext_lazy(
    "This is a private key, which nobody else should have. Only the certificate belongs here."
)
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# One that does not end ends where the next begins.
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?(?:-----END \1-----|(?=-----BEGIN )|\Z)", re.DOTALL)
_RSA, _EC = "RSA", "EC"
_KINDS = {
    PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5: _RSA,
    PublicKeyAlgorithmOID.RSASSA_PSS: _RSA,
    PublicKeyAlgorithmOID.EC_PUBLIC_KEY: _EC,
}


@dataclass(frozen=True)
class ProviderSpec:
    """Everything about a provider that somebody decides. `certificates` are in PEM once it is `clean`;
    before, in PEM or base64. Empty `audience` and `relying_party_identifier` stand for the organization's.
    """

    name: str
    issuer: str
    target_url: str
    certificates: tuple[str, ...] = ()
    target_binding: str = Binding.REDIRECT
    logout_url: str = ""
    logout_binding: str = Binding.REDIRECT
    audience: str = ""
    relying_party_identifier: str = ""
    name_id_format: str = NameIdFormat.UNSPECIFIED
    email_attribute: str = "email"
    sign_requests: bool = False
    force_authn: bool = False
    metadata_url: str = ""
    show_on_sign_in: bool = True
    accept_bearer: bool = False
    enabled: bool = True
    slot: str = ""


@dataclass(frozen=True)
class Certificate:
    """`fingerprint` is SHA-256, in the form that providers show: `AB:CD:…`. `key` is RSA, EC, or empty for
    any other kind, whose `bits` nobody asks for. `digest` is what its issuer signed; empty where that is
    part of the signature."""

    pem: str
    subject: str
    fingerprint: str
    begins_at: datetime
    ends_at: datetime
    key: str
    bits: int
    digest: str

    def current(self, now: datetime) -> bool:
        return self.begins_at <= now < self.ends_at


def read_certificate(pem: str) -> Certificate:
    """Raises `ValueError` for what is not a certificate in PEM, or in base64 without the lines around."""
    if len(pem) > LONGEST_CERTIFICATE:
        raise ValueError("too long")
    return _read(pem)


@lru_cache(maxsize=512)
def _read(pem: str) -> Certificate:
    body = pem.strip()
    if body.startswith(_BEGIN):
        if not body.endswith(_END) or body.count(_BEGIN) != 1:
            raise ValueError("not one certificate")
        body = body.removeprefix(_BEGIN).removesuffix(_END)
    try:
        return _certificate(
            x509.load_der_x509_certificate(base64.b64decode("".join(body.split()), validate=True))
        )
    except (x509.InvalidVersion, UnsupportedAlgorithm, TypeError) as error:
        raise ValueError("not a certificate that can be read") from error


def _certificate(found: x509.Certificate) -> Certificate:
    """Every part is parsed only when it is asked for, and may turn out to be broken then."""
    kind = _KINDS.get(found.public_key_algorithm_oid, "")
    key = found.public_key() if kind else None
    bits = key.key_size if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else 0
    digest = found.signature_hash_algorithm
    fingerprint = hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest().upper()
    return Certificate(
        pem=found.public_bytes(Encoding.PEM).decode(),
        subject=found.subject.rfc4514_string(),
        fingerprint=":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2)),
        begins_at=found.not_valid_before_utc,
        ends_at=found.not_valid_after_utc,
        key=kind,
        bits=bits,
        digest=digest.name if digest else "",
    )


def holds_private_key(text: str) -> bool:
    """Whether somebody pasted what must not be shown again, kept, or sent anywhere."""
    return "PRIVATE KEY" in text


def certificates_of(pems: Iterable[str]) -> list[Certificate]:
    """Of a provider as it is stored."""
    return [read_certificate(pem) for pem in pems]


def current(pems: Iterable[str], now: datetime) -> list[Certificate]:
    """Those that prove something now."""
    return [one for one in certificates_of(pems) if one.current(now)]


def split_certificates(text: str) -> tuple[str, ...]:
    """Several in one text, each with its lines around, whatever tools wrote between; or one without. What
    else is in PEM is handed on as well, and refused for what it is."""
    blocks = tuple(found[0].strip() for found in _BLOCK.finditer(text))
    return blocks or ((text.strip(),) if text.strip() else ())


def clean(spec: ProviderSpec, *, before: ProviderSpec | None = None) -> ProviderSpec:
    """The spec as it is to be stored. `before` is what the provider was: a certificate that it has already
    may have ended since.

    Raises `Invalid`; the fields are those of the wire, `certificates` with the number of the certificate
    as the line, from 1.
    """
    spec = replace(
        spec,
        name=" ".join(spec.name.split()),
        **{
            field: getattr(spec, field).strip()
            for field in (
                "issuer",
                "target_url",
                "logout_url",
                "audience",
                "relying_party_identifier",
                "email_attribute",
                "metadata_url",
            )
        },
    )
    problems = Problems()
    _check_name(spec.name, problems)
    for field, value, needed in (
        ("issuerURI", spec.issuer, True),
        ("audience", spec.audience, False),
        ("relyingPartyIdentifier", spec.relying_party_identifier, False),
    ):
        _check_identifier(field, value, problems, needed=needed)
    for field, value, needed in (
        ("ssoTargetURI", spec.target_url, True),
        ("sloURI", spec.logout_url, False),
        ("metadataURL", spec.metadata_url, False),
    ):
        _check_url(field, value, problems, needed=needed)
    for field, value, choices in (
        ("ssoBinding", spec.target_binding, Binding.values),
        ("sloBinding", spec.logout_binding, Binding.values),
        ("nameIdentifierFormat", spec.name_id_format, NameIdFormat.values),
    ):
        if value not in choices:
            problems.add(field, "invalid.value", _("Choose one of: %(all)s.") % {"all": ", ".join(choices)})
    if len(spec.email_attribute) > LONGEST_ATTRIBUTE:
        problems.add("emailAttribute", "invalid.value", _too_long(LONGEST_ATTRIBUTE))
    if hides_something(spec.email_attribute):
        problems.add("emailAttribute", "invalid.value", _("Remove the invisible characters."))
    pems = _check_certificates(spec.certificates, before.certificates if before else (), problems)
    problems.raise_if_any()
    return replace(spec, certificates=pems)


def described(spec: ProviderSpec) -> dict[str, Any]:
    """For the audit trail, in the words of the wire; certificates as their fingerprints."""
    return {
        "name": spec.name,
        "issuerURI": spec.issuer,
        "ssoTargetURI": spec.target_url,
        "ssoBinding": spec.target_binding,
        "sloURI": spec.logout_url,
        "sloBinding": spec.logout_binding,
        "audience": spec.audience,
        "relyingPartyIdentifier": spec.relying_party_identifier,
        "nameIdentifierFormat": spec.name_id_format,
        "emailAttribute": spec.email_attribute,
        "certificates": [one.fingerprint for one in certificates_of(spec.certificates)],
        "signAuthnRequests": spec.sign_requests,
        "forceAuthn": spec.force_authn,
        "metadataURL": spec.metadata_url,
        "displayOnLogin": spec.show_on_sign_in,
        "acceptForBearerGrant": spec.accept_bearer,
        "disabled": not spec.enabled,
    }


def _check_name(name: str, problems: Problems) -> None:
    if shows_nothing(name):
        problems.add("name", "invalid.value", _("Enter a name."))
    if hides_something(name):
        problems.add("name", "invalid.value", _("Remove the invisible characters."))
    if len(name) > LONGEST_NAME:
        problems.add("name", "invalid.value", _too_long(LONGEST_NAME))


def _check_identifier(field: str, value: str, problems: Problems, *, needed: bool) -> None:
    if needed and not value:
        problems.add(field, "invalid.value", _("Enter the issuer URI."))
    if len(value) > LONGEST_IDENTIFIER:
        problems.add(field, "invalid.value", _too_long(LONGEST_IDENTIFIER))
    if re.search(r"[^\x21-\x7e]", value):
        problems.add(field, "invalid.value", _("Without spaces, and in ASCII."))


def _check_url(field: str, value: str, problems: Problems, *, needed: bool) -> None:
    if not value:
        if needed:
            problems.add(field, "invalid.value", _("Enter the target URL."))
        return
    if len(value) > LONGEST_URL:
        problems.add(field, "invalid.value", _too_long(LONGEST_URL))
    elif why := _no_web_address(value):
        problems.add(field, "invalid.value", why)


def _no_web_address(value: str) -> str:
    """Why it is none that a browser may be sent to; empty where it is one. Its host goes into a header of
    ours, which has a meaning of its own for `,` and `;`."""
    if wrong := re.search(r"[^\x21-\x7e]|[\"'<>\\^`{|}#]", value):
        if not wrong[0].isprintable() or wrong[0].isspace():
            return _("Remove the spaces and invisible characters.")
        return _("Remove ‘%(character)s’, which an address cannot have here.") % {"character": wrong[0]}
    try:
        parts = urlsplit(value)
        _port = parts.port
    except ValueError:
        return _("Its host or port cannot be read.")
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        return _("Enter an address that begins with https:// (http:// on this machine only).")
    if parts.username is not None or parts.password is not None:
        return _("Enter the address without a user name or password.")
    if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", parts.hostname or ""):
        return _("Its host or port cannot be read.")
    return ""


def _check_certificates(
    given: Iterable[str], known: tuple[str, ...], problems: Problems
) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for number, text in enumerate(given, start=1):
        try:
            found = read_certificate(text)
        except ValueError:
            why = str(_PRIVATE_KEY if holds_private_key(text) else _NOT_PEM)
            problems.found.append(Problem("certificates", "invalid.value", why, number))
            continue
        if found.pem not in known and (why := _unfit(found)):
            problems.found.append(Problem("certificates", "invalid.value", why, number))
        kept[found.fingerprint] = found.pem
    if not kept and not any(problem.field == "certificates" for problem in problems.found):
        problems.add("certificates", "invalid.value", _("Add the provider's certificate."))
    if len(kept) > MOST_CERTIFICATES:
        problems.add(
            "certificates",
            "invalid.value",
            _("%(count)s certificates; the most is %(most)s.")
            % {"count": len(kept), "most": MOST_CERTIFICATES},
        )
    return tuple(kept.values())


def _unfit(found: Certificate) -> str:
    """Why a certificate that is new here cannot be used; empty where it can."""
    if found.ends_at <= timezone.now():
        return _("The certificate ended on %(day)s.") % {"day": date_format(found.ends_at, "j F Y")}
    if not found.key:
        return _("The certificate's key is neither RSA nor elliptic curve.")
    if found.key == _RSA and found.bits < SHORTEST_RSA_KEY:
        return _("The certificate's RSA key has %(bits)s bits; the least is %(least)s.") % {
            "bits": found.bits,
            "least": SHORTEST_RSA_KEY,
        }
    if found.key == _EC and found.bits < SHORTEST_EC_KEY:
        return _("The certificate's elliptic curve key has %(bits)s bits; the least is %(least)s.") % {
            "bits": found.bits,
            "least": SHORTEST_EC_KEY,
        }
    if found.digest == "md5":
        return _("The certificate is signed with MD5.")
    return ""


def _too_long(most: int) -> str:
    return _("At most %(longest)s characters.") % {"longest": most}
