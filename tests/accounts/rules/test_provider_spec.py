"""Which certificates can be read, and which of those can be used."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from accounts.errors import Invalid
from accounts.rules import provider_spec
from accounts.rules.provider_spec import ProviderSpec, read_certificate
from tests.saml import pair

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
V3 = 2
SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
MD5_WITH_RSA = bytes.fromhex("300d06092a864886f70d0101040500")
UNKNOWN = bytes.fromhex("300506032a0304")
NOT_PEM = "This is not a PEM certificate."


def tlv(tag: int, *parts: bytes) -> bytes:
    value = b"".join(parts)
    length = len(value)
    if length < 128:
        return bytes([tag, length]) + value
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + value


def spki(key) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def made(*, version=V3, key=None, signature=SHA256_WITH_RSA, ends=b"490101000000Z") -> str:
    """In base64, put together by hand: no library makes what no library reads."""
    name = NAME.public_bytes()
    key = key or spki(rsa_key().public_key())
    body = tlv(
        0x30,
        tlv(0xA0, tlv(0x02, bytes([version]))),
        tlv(0x02, b"\x01"),
        signature,
        name,
        tlv(0x30, tlv(0x17, b"200101000000Z"), tlv(0x17, ends)),
        name,
        key,
    )
    return base64.b64encode(tlv(0x30, body, signature, tlv(0x03, b"\0" + b"\x01" * 256))).decode()


def rsa_key():
    return pair().key


def rsa_of_exponent_one() -> bytes:
    modulus = rsa_key().public_key().public_numbers().n.to_bytes(256, "big")
    key = tlv(0x30, tlv(0x02, b"\0" + modulus), tlv(0x02, b"\x01"))
    return tlv(0x30, bytes.fromhex("300d06092a864886f70d0101010500"), tlv(0x03, b"\0" + key))


def on_curve(curve) -> bytes:
    return spki(ec.generate_private_key(curve).public_key())


def problems(*certificates: str) -> list[tuple[str, int | None]]:
    spec = ProviderSpec(
        name="Entra", issuer="https://i/", target_url="https://i.example/", certificates=certificates
    )
    try:
        provider_spec.clean(spec)
    except Invalid as error:
        return [(problem.message, problem.line) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "text",
    [
        made(version=1),
        made(version=4),
        made(signature=UNKNOWN),
        made(key=rsa_of_exponent_one()),
        made(key=tlv(0x30, bytes.fromhex("301306072a8648ce3d0201"), UNKNOWN, tlv(0x03, b"\0\x04"))),
        made(ends=b"491332000000Z"),
        made()[:100],
        "",
        "MAA=",
        "é",
    ],
    ids=["v2", "v5", "signature", "e=1", "curve", "date", "half", "empty", "nothing", "not ASCII"],
)
def test_what_cannot_be_read_is_no_certificate(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is the form's
        read_certificate(text)
    assert problems(made(), text) == [(NOT_PEM, 2)]


@pytest.mark.parametrize(
    "key",
    [
        tlv(0x30, UNKNOWN, tlv(0x03, b"\0\x01\x02\x03")),
        spki(ed25519.Ed25519PrivateKey.generate().public_key()),
        spki(dsa.generate_private_key(2048).public_key()),
    ],
    ids=["unknown", "Ed25519", "DSA"],
)
def test_a_key_of_another_kind_is_read_but_cannot_be_used(key):
    text = made(key=key)
    assert read_certificate(text).subject == "CN=idp"
    assert problems(text) == [("The certificate's key is neither RSA nor elliptic curve.", 1)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            made(key=spki(rsa.RSAPublicNumbers(65537, 2**1023 + 1).public_key())),
            "The certificate's RSA key has 1024 bits; the least is 2048.",
        ),
        (
            made(key=on_curve(ec.SECP192R1())),
            "The certificate's elliptic curve key has 192 bits; the least is 256.",
        ),
        (
            made(key=on_curve(ec.SECP224R1())),
            "The certificate's elliptic curve key has 224 bits; the least is 256.",
        ),
        (made(signature=MD5_WITH_RSA), "The certificate is signed with MD5."),
        (made(ends=b"210101000000Z"), "The certificate ended on 1 January 2021."),
    ],
    ids=["RSA-1024", "P-192", "P-224", "MD5", "ended"],
)
def test_what_is_too_weak_says_how(text, why):
    assert problems(text) == [(why, 1)]


def test_one_that_is_there_already_may_be_weak():
    weak = read_certificate(made(key=on_curve(ec.SECP192R1()))).pem
    spec = ProviderSpec(
        name="Entra", issuer="https://i/", target_url="https://i.example/", certificates=(weak,)
    )
    assert provider_spec.clean(spec, before=spec).certificates == (weak,)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda it: it.name)
def test_strong_ones_can_be_used_however_they_are_signed(curve):
    key, now = ec.generate_private_key(curve), datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .public_key(key.public_key())
    )
    by_itself = builder.sign(key, hashes.SHA256())
    by_ed25519 = builder.sign(ed25519.Ed25519PrivateKey.generate(), None)
    pems = [one.public_bytes(Encoding.PEM).decode() for one in (by_itself, by_ed25519)]
    assert problems(made(), *pems) == []


@pytest.mark.parametrize(
    "form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL], ids=["PKCS8", "PKCS1"]
)
def test_a_private_key_is_said_to_be_one(form):
    key = rsa_key().private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    sentence = "This is a private key, which nobody else should have. Only the certificate belongs here."
    given = provider_spec.split_certificates(pair().certificate + key)

    assert problems(*given) == [(sentence, 2)]
    assert provider_spec.holds_private_key(key)
    assert not provider_spec.holds_private_key(pair().certificate)
