"""The key that signs what goes to identity providers."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from accounts.saml import keys


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
