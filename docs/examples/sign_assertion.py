"""Signs a SAML assertion as the demo's identity provider, and prints it in base64. See README.md.

    .venv/bin/python docs/examples/sign_assertion.py var/demo.json --email ada@acme.example

`demo.json` is what `manage.py demo --json` has printed. Needs lxml and xmlsec, as Latchkey does.
"""

from __future__ import annotations

import argparse
import base64
import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import xmlsec
from lxml import etree

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
LIFE = timedelta(minutes=5)


def add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    node = etree.SubElement(parent, f"{{{SAML}}}{name}", attributes)
    node.text = text
    return node


def assertion(provider: dict[str, str], email: str) -> Any:
    """What the identity provider says: this is whoever has that email, good once and for five minutes."""
    now = datetime.now(UTC)
    begins, ends = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (now, now + LIFE))
    node = etree.Element(
        f"{{{SAML}}}Assertion",
        {"ID": f"_{secrets.token_hex(16)}", "Version": "2.0", "IssueInstant": begins},
        nsmap={"saml": SAML},
    )
    add(node, "Issuer", provider["issuer"])
    subject = add(node, "Subject")
    add(subject, "NameID", email, Format=EMAIL)
    confirmation = add(subject, "SubjectConfirmation", Method=BEARER)
    add(confirmation, "SubjectConfirmationData", Recipient=provider["recipient"], NotOnOrAfter=ends)
    conditions = add(node, "Conditions", NotBefore=begins, NotOnOrAfter=ends)
    add(add(conditions, "AudienceRestriction"), "Audience", provider["audience"])
    context = add(add(node, "AuthnStatement", AuthnInstant=begins), "AuthnContext")
    add(context, "AuthnContextClassRef", PASSWORD)
    attribute = add(add(node, "AttributeStatement"), "Attribute", Name="email")
    add(attribute, "AttributeValue", email)
    return node


def sign(node: Any, provider: dict[str, str]) -> None:
    """RSA with SHA-256 over the element of this ID. SAML wants the signature right after the Issuer."""
    signature = xmlsec.template.create(
        node, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformRsaSha256, ns="ds"
    )
    node.insert(1, signature)
    reference = xmlsec.template.add_reference(
        signature, xmlsec.constants.TransformSha256, uri=f"#{node.get('ID')}"
    )
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    key = xmlsec.Key.from_memory(provider["private_key_pem"], xmlsec.constants.KeyDataFormatPem)
    key.load_cert_from_memory(provider["certificate_pem"], xmlsec.constants.KeyDataFormatPem)
    context = xmlsec.SignatureContext()
    context.key = key
    context.register_id(node, "ID")
    context.sign(signature)


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints a signed SAML assertion in base64.")
    parser.add_argument("demo", type=Path, help="a file with what manage.py demo --json has printed")
    parser.add_argument("--email", help="of the person it is about; else the one that the file names")
    options = parser.parse_args()
    provider = json.loads(options.demo.read_text())["identity_provider"]
    node = assertion(provider, options.email or provider["email"])
    sign(node, provider)
    print(base64.b64encode(etree.tostring(node)).decode())


if __name__ == "__main__":
    main()
