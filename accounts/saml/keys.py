"""The key with which this installation signs what it sends to identity providers."""

from __future__ import annotations

import logging
import os
import re
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.saml import toolkit

log = logging.getLogger(__name__)

_VALID = timedelta(days=3650)
_LOCK = threading.Lock()
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True)
class KeyPair:
    """Both in PEM."""

    private_key: str = field(repr=False)
    certificate: str


class Unusable(toolkit.Unavailable):
    """The key file is not one; the log says why."""

    def __init__(self) -> None:
        DomainError.__init__(
            self,
            _("SAML does not work on this server, because its key cannot be read. Ask its operator."),
        )


def make(common_name: str) -> KeyPair:
    """A fresh RSA key with a certificate that it signed itself, as SAML wants them: nobody looks at who
    issued it, only at whether it is the one that was handed over."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _VALID)
        .sign(key, hashes.SHA256())
    )
    return _pair(key, certificate)


def own() -> KeyPair:
    """The installation's: read from `SAML_KEY_FILE`, which is made when it is first needed. Once it was
    read it is kept; one that is broken is read again, so that mending it needs no restart.

    Raises `Unusable`.
    """
    path = Path(settings.SAML_KEY_FILE)
    with _LOCK:  # one thread makes it, which takes a moment, and the others wait
        try:
            return _read(path)
        except (OSError, ValueError) as error:
            log.error("the key file %s cannot be used: %s", path, _reason(error))
            raise Unusable from None


def why_not() -> str:
    """Why the file that is there cannot be used; empty where it can, or where it is still to be made."""
    path = Path(settings.SAML_KEY_FILE)
    try:
        if path.exists():
            _parsed(path.read_bytes())
    except (OSError, ValueError) as error:
        return _reason(error)
    return ""


def _reason(error: Exception) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)


@lru_cache(maxsize=1)
def _read(path: Path) -> KeyPair:
    if not path.exists():
        _write(path, make(f"Latchkey at {urlsplit(settings.BASE_URL).hostname}"))
    return _parsed(path.read_bytes())


def _parsed(content: bytes) -> KeyPair:
    """A private key and its certificate, in either order, whatever stands between them; of several
    certificates the key's own.

    Raises `ValueError`, which says nothing of the content.
    """
    blocks = [(found[1], found[0]) for found in _BLOCK.finditer(content.decode("latin-1"))]
    private = [text for label, text in blocks if label.endswith("PRIVATE KEY")]
    public = [text for label, text in blocks if label == "CERTIFICATE"]
    if len(private) != 1:
        raise ValueError(f"it has {len(private)} private keys in PEM instead of one")
    if not public:
        raise ValueError("it has no certificate in PEM")
    try:
        key = load_pem_private_key(private[0].encode("latin-1"), None)
    except TypeError:
        raise ValueError("its private key is encrypted") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("its private key cannot be read") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("its private key is not RSA")
    try:
        certificates = [x509.load_pem_x509_certificate(text.encode("latin-1")) for text in public]
        ours = [one for one in certificates if one.public_key() == key.public_key()]
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm):
        raise ValueError("its certificate cannot be read") from None
    if not ours:
        raise ValueError("its certificate is of another key")
    return _pair(key, ours[0])


def _pair(key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> KeyPair:
    return KeyPair(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        certificate.public_bytes(Encoding.PEM).decode(),
    )


def _write(path: Path, pair: KeyPair) -> None:
    """Of two processes that do so at once, the first wins; nobody ever reads half a key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Readable by its owner alone. The name is random: a process that died here may have left its draft.
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(pair.private_key + pair.certificate)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
