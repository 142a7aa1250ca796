"""The key that signs what goes to identity providers."""

from __future__ import annotations

import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from accounts.saml import keys, toolkit
from config import checks

PAIR, OTHER = keys.make("ours"), keys.make("theirs")


def as_pem(key, form=PrivateFormat.TraditionalOpenSSL, encryption=None) -> str:
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


KEY = load_pem_private_key(PAIR.private_key.encode(), None)


@pytest.fixture
def file(settings, tmp_path):
    settings.SAML_KEY_FILE = str(tmp_path / "state" / "key.pem")
    keys._read.cache_clear()
    yield tmp_path / "state" / "key.pem"
    keys._read.cache_clear()


def test_it_is_made_once_readable_by_its_owner_alone_however_many_ask_at_once(file):
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: keys.own(), range(8)))

    assert len(made) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == ["key.pem"]
    keys._read.cache_clear()
    assert {keys.own()} == made


def test_the_certificate_is_of_the_key(file):
    pair = keys.own()
    key = load_pem_private_key(pair.private_key.encode(), None)
    certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
    assert certificate.public_key() == key.public_key()
    assert "PRIVATE" not in repr(pair)


def test_another_process_that_was_first_wins(file):
    first = keys.make("first")
    file.parent.mkdir()
    keys._write(file, first)
    keys._write(file, keys.make("second"))
    assert keys.own() == first
    assert os.listdir(file.parent) == ["key.pem"]


def test_a_draft_that_a_process_left_behind_does_not_stand_in_the_way(file):
    file.parent.mkdir()
    (file.parent / f".key.pem.{os.getpid()}").write_text("half")
    assert keys.own()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nothing_is_left_behind_where_it_cannot_be_written(file, monkeypatch, caplog):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(keys.Unusable):
        keys.own()
    assert os.listdir(file.parent) == []
    assert caplog.messages == [f"the key file {file} cannot be used: No space left on device"]


@pytest.mark.parametrize(
    "text",
    [
        PAIR.private_key + PAIR.certificate,
        PAIR.certificate + PAIR.private_key,
        as_pem(KEY) + PAIR.certificate,
        (PAIR.private_key + PAIR.certificate).replace("\n", "\r\n"),
        "Bag Attributes: é\n" + PAIR.certificate + "and\n" + PAIR.private_key,
        PAIR.private_key + OTHER.certificate + PAIR.certificate,
    ],
    ids=["as made", "certificate first", "PKCS1", "CRLF", "text around", "chain"],
)
def test_a_file_that_the_operator_put_there_is_read_in_any_form(file, text):
    put(file, text)
    assert keys.own() == PAIR
    assert checks.saml_key(None) == []


BROKEN = {
    "empty": ("", "it has 0 private keys in PEM instead of one"),
    "no key": (PAIR.certificate, "it has 0 private keys in PEM instead of one"),
    "two keys": (
        PAIR.private_key + PAIR.certificate + OTHER.private_key,
        "it has 2 private keys in PEM instead of one",
    ),
    "no certificate": (PAIR.private_key, "it has no certificate in PEM"),
    "half": (PAIR.private_key + PAIR.certificate[:200], "it has no certificate in PEM"),
    "damaged key": (
        PAIR.private_key.replace("\nMII", "\nAAA", 1) + PAIR.certificate,
        "its private key cannot be read",
    ),
    "damaged certificate": (
        PAIR.private_key + PAIR.certificate.replace("\nMII", "\nAAA", 1),
        "its certificate cannot be read",
    ),
    "not ASCII": (
        PAIR.private_key + PAIR.certificate.replace("\nMII", "\nMéI", 1),
        "its certificate cannot be read",
    ),
    "another's": (PAIR.private_key + OTHER.certificate, "its certificate is of another key"),
    "elliptic curve": (
        as_pem(ec.generate_private_key(ec.SECP256R1())) + PAIR.certificate,
        "its private key is not RSA",
    ),
    "encrypted": (
        as_pem(KEY, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")) + PAIR.certificate,
        "its private key is encrypted",
    ),
}


@pytest.mark.parametrize(("text", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_any_other_file_says_why_in_the_log_and_nothing_of_its_content(file, caplog, text, reason):
    put(file, text)
    with pytest.raises(toolkit.Unavailable) as raised:
        keys.own()

    assert raised.value.status == 503
    assert raised.value.message == (
        "SAML does not work on this server, because its key cannot be read. Ask its operator."
    )
    assert [(one.levelno, one.message) for one in caplog.records] == [
        (logging.ERROR, f"the key file {file} cannot be used: {reason}")
    ]
    assert file.read_text(encoding="utf-8") == text


def test_a_file_that_is_mended_works_without_a_restart(file):
    put(file, "broken")
    with pytest.raises(keys.Unusable):
        keys.own()
    put(file, PAIR.certificate + PAIR.private_key)
    assert keys.own() == PAIR


def test_the_check_names_the_file_and_the_reason(file):
    put(file, PAIR.private_key)
    (found,) = checks.saml_key(None)
    assert found.id == "latchkey.W003"
    assert f"{file} cannot be used (it has no certificate in PEM)" in found.msg

    file.unlink()
    file.mkdir()
    (found,) = checks.saml_key(None)
    assert "(Is a directory)" in found.msg


def test_the_check_makes_no_file(file):
    assert checks.saml_key(None) == []
    assert not file.parent.exists()


def put(file, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode())
