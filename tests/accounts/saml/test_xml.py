"""What is refused before anybody computes with it. The rest: protocol/test_saml_attacks.py."""

from __future__ import annotations

import re

import pytest

from accounts.rules import provider_spec
from accounts.saml import assertion, xml
from accounts.saml.verdict import Refused
from tests.saml import EXCLUSIVE, IdP, encode

EC = f'xmlns:ec="{EXCLUSIVE}"'


@pytest.mark.parametrize(
    "data",
    [
        "<a>" + "<b/>" * 5_000 + "</a>",
        "<a " + " ".join(f'b{n}=""' for n in range(65)) + "/>",
        "<a " + " ".join(f'xmlns:b{n}="u"' for n in range(65)) + "/>",
        "".join(f'<a xmlns:b{n}="u">' for n in range(65)) + "</a>" * 65,
    ],
    ids=["elements", "attributes", "prefixes of one", "prefixes of many"],
)
def test_more_of_anything_than_saml_uses_is_refused(data):
    with pytest.raises(Refused) as refused:
        xml.parsed(data.encode())
    assert refused.value.reason == "too-complex"


def test_what_saml_uses_is_not():
    many = "".join(f'<b xmlns:c="u{n}" d="1"/>' for n in range(2_000))  # one after the other
    assert len(xml.parsed(f"<a>{many}</a>".encode())) == 2_000


@pytest.mark.parametrize(
    "parameters",
    [
        f'<ec:InclusiveNamespaces {EC} PrefixList="{" ".join(f"a{n}" for n in range(21))}"/>',
        f'<ec:InclusiveNamespaces {EC} PrefixList="a"/><ec:InclusiveNamespaces {EC} PrefixList="b"/>',
        f'<ec:InclusiveNamespaces {EC} PrefixList="a"><b/></ec:InclusiveNamespaces>',
        "<b/>",
    ],
    ids=["many prefixes", "two", "more inside", "another"],
)
@pytest.mark.parametrize(
    "where", ["Transform", "CanonicalizationMethod", "SignatureMethod", "DigestMethod"]
)
def test_an_algorithm_has_no_parameters_but_a_few_prefixes(cast, where, parameters):
    idp = IdP()
    provider = idp.provider(cast.acme)
    text = re.sub(
        rf'<ds:{where} Algorithm="([^"]*)"\s*/>',
        rf'<ds:{where} Algorithm="\1">{parameters}</ds:{where}>',
        idp.assertion().decode(),
    )
    assert parameters in text
    with pytest.raises(Refused) as refused:
        assertion.prove(assertion.open_envelope(encode(text.encode())), _certificates(provider))
    assert refused.value.reason == "signature-form"


def _certificates(provider):
    return provider_spec.certificates_of(provider.certificates)
