"""Reading XML that anybody may have sent, and the signatures in it."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from accounts.rules.provider_spec import Certificate
from accounts.saml import toolkit
from accounts.saml.verdict import Check, Refused

# No message of SAML comes near these; the number of bytes is limited besides.
MOST_ELEMENTS = 5_000
MOST_ATTRIBUTES = 64
MOST_PREFIXES = 64
MOST_LISTED_PREFIXES = 20
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_TRANSFORMS = {"http://www.w3.org/2000/09/xmldsig#enveloped-signature", _EXCLUSIVE}
_SIGNATURES = {
    f"http://www.w3.org/2001/04/xmldsig-more#{kind}-sha{bits}"
    for kind in ("rsa", "ecdsa")
    for bits in (256, 384, 512)
}
_DIGESTS = {
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
}
# Everything in it that begins so could make two readers read two things.
_NOT_PLAIN = re.compile(r"<!|<\?(?!xml\s)")
_DECLARED = re.compile(r"<\?xml[^>]*\sencoding\s*=\s*[\"']([^\"']*)[\"']")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def decoded(text: str, *, pasted: bool) -> bytes:
    most = settings.SAML_LARGEST_BYTES
    # Base64 makes four characters of three bytes, and lines of them.
    if len(text) > most * 3 // 2:
        raise Refused(Check.READABLE, "too-large", most=most)
    compact = "".join(text.split())
    if pasted and compact.startswith("<"):
        data = text.strip().encode()
    else:
        compact = compact.rstrip("=").translate(str.maketrans("-_", "+/"))
        try:
            data = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused(Check.READABLE, "not-base64") from error
    if len(data) > most:
        raise Refused(Check.READABLE, "too-large", most=most)
    return data


def plain(data: bytes) -> bytes:
    """XML in UTF-8 in which nothing hides: no DTD, so no entities, no comments that split a text in two,
    nothing addressed to the reader."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(Check.READABLE, "not-utf-8") from error
    declared = _DECLARED.match(text.lstrip("\ufeff \t\r\n"))
    if "\0" in text or (declared and declared[1].lower() not in ("utf-8", "utf8", "us-ascii", "ascii")):
        raise Refused(Check.READABLE, "not-utf-8")
    if _NOT_PLAIN.search(text):
        raise Refused(Check.READABLE, "not-plain-xml")
    return data.removeprefix(codecs.BOM_UTF8)


def parsed(data: bytes) -> Any:
    """The root. What is larger in some dimension than any message of SAML is refused before somebody
    computes with it: canonicalization takes a time that grows with each of them, and with their product."""
    try:
        root = toolkit.XML.to_etree(data)
    except Exception as error:  # whatever lxml and its guards raise
        raise Refused(Check.READABLE, "not-xml") from error
    elements, prefixes, begun = 0, 0, 0
    for event, node in toolkit.etree.iterwalk(root, events=("start", "start-ns", "end-ns")):
        if event == "start":
            elements += 1
            begun = max(begun, len(node.attrib))
        else:
            prefixes += 1 if event == "start-ns" else -1
        if elements > MOST_ELEMENTS or prefixes > MOST_PREFIXES or begun > MOST_ATTRIBUTES:
            raise Refused(Check.READABLE, "too-complex")
    return root


def check_signature_form(signature: Any) -> None:
    """XML Signature can say a great deal; SAML core 5.4 wants little of it, and no more is accepted."""

    def wrong(what: str) -> Refused:
        return Refused(Check.SIGNATURE, "signature-form", what=what)

    parent = signature.getparent()
    children = [child.tag for child in signature]
    if children[:2] != [f"{_DS}SignedInfo", f"{_DS}SignatureValue"] or children[2:] not in (
        [],
        [f"{_DS}KeyInfo"],
    ):
        raise wrong("it holds more or less than it should")
    info = signature[0]
    references = query(info, "./ds:Reference")
    if len(references) != 1 or len(info) != 3:
        raise wrong("it has not exactly one reference")
    if not parent.get("ID") or references[0].get("URI") != f"#{parent.get('ID')}":
        raise wrong("it is about another element")
    transforms = [one.get("Algorithm") for one in query(references[0], "./ds:Transforms/ds:Transform")]
    if not set(transforms) <= _TRANSFORMS or len(set(transforms)) != len(transforms):
        raise wrong("its transforms are others than enveloped signature and exclusive canonicalization")
    if [child.tag for child in references[0]][-2:] != [f"{_DS}DigestMethod", f"{_DS}DigestValue"]:
        raise wrong("its reference holds more or less than it should")
    algorithms = "./*[local-name() != 'Reference'] | ./ds:Reference/ds:DigestMethod | .//ds:Transform"
    for node in query(info, algorithms):
        if not _is_simple(node):
            raise wrong("an algorithm has parameters that SAML does not use")
    for path, known in (
        ("./ds:CanonicalizationMethod", {_EXCLUSIVE}),
        ("./ds:SignatureMethod", _SIGNATURES),
        ("./ds:Reference/ds:DigestMethod", _DIGESTS),
    ):
        named = [one.get("Algorithm") for one in query(info, path)]
        if len(named) != 1 or named[0] not in known:
            raise Refused(Check.SIGNATURE, "algorithm", algorithm=(named or ["?"])[0])


def _is_simple(algorithm: Any) -> bool:
    """Without parameters, but for the few prefixes that exclusive canonicalization may be told."""
    if not len(algorithm):
        return True
    (first, *others) = algorithm
    few = len(first.get("PrefixList", "").split()) <= MOST_LISTED_PREFIXES
    return not others and not len(first) and first.tag == f"{{{_EXCLUSIVE}}}InclusiveNamespaces" and few


def is_signed_with(signature: Any, root: Any, certificate: Certificate) -> bool:
    toolkit.xmlsec.tree.add_ids(root, ["ID"])
    return bool(
        toolkit.Utils.validate_node_sign(signature, root, cert=certificate.pem, raise_exceptions=False)
    )


def query(node: Any, path: str) -> list[Any]:
    return list(toolkit.XML.query(node, path))


def text_of(node: Any) -> str:
    """Without the white space of XML around it; empty for what is more than a text."""
    return "" if len(node) else (toolkit.XML.element_text(node) or "").strip(" \t\r\n")


def optional_time(node: Any, name: str) -> datetime | None:
    value = None if node is None else node.get(name)
    return None if value is None else time_of(value)


def time_of(value: str) -> datetime:
    """SAML core 1.3.3: in UTC, written with a Z."""
    try:
        if not _TIME.fullmatch(value):
            raise ValueError(value)
        return datetime.fromisoformat(value[:19]).replace(tzinfo=UTC)
    except ValueError as error:
        raise Refused(Check.TIME, "not-a-time", value=value) from error
