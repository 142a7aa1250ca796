"""The key with which this installation signs what it sends to identity providers."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.conf import settings

_VALID = timedelta(days=3650)
_LOCK = threading.Lock()
_END_OF_KEY = "-----END PRIVATE KEY-----\n"


@dataclass(frozen=True)
class KeyPair:
    """Both in PEM."""

    private_key: str = field(repr=False)
    certificate: str


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
    return KeyPair(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        certificate.public_bytes(Encoding.PEM).decode(),
    )


def own() -> KeyPair:
    """The installation's: read from `SAML_KEY_FILE`, which is made when it is first needed."""
    with _LOCK:  # one thread makes it, which takes a moment, and the others wait
        return _read(Path(settings.SAML_KEY_FILE))


@lru_cache(maxsize=1)
def _read(path: Path) -> KeyPair:
    if not path.exists():
        _write(path, make(f"Latchkey at {urlsplit(settings.BASE_URL).hostname}"))
    key, end, certificate = path.read_text(encoding="ascii").partition(_END_OF_KEY)
    return KeyPair(key + end, certificate)


def _write(path: Path, pair: KeyPair) -> None:
    """Of two processes that do so at once, the first wins; nobody ever reads half a key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(pair.private_key + pair.certificate)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
