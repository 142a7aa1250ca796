"""The code that people copy: it names this installation and this client, and never a secret."""

from __future__ import annotations

import ast
import shlex
import shutil
import subprocess

import pytest

from oauthclients.console.snippets import snippets
from oauthclients.grant_types import GRANT_TYPES
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients

NASTY = 'https://app.example.com/o\'clock?a="$(id)"&b=`id`'


def made(cast, grant_type: str):
    return clients.create(
        actor=cast.actor(cast.ada),
        spec=ClientSpec(
            name=f"App {grant_type}",
            grant_type=grant_type,
            role_divisions=(cast.pair("Supervisor", cast.home),),
            redirect_uris=("https://app.example.com/callback",),
            scope=("users",),
        ),
    )


@pytest.mark.parametrize("grant", GRANT_TYPES, ids=lambda grant: grant.code)
def test_every_grant_type_has_three(cast, grant):
    client, secret = made(cast, grant.code)
    found = snippets(client)
    assert len({snippet["id"] for snippet in found}) == 3
    text = "".join(snippet["code"] for snippet in found)
    assert client.client_id in text
    assert "http://localhost:8000" in text
    assert secret.reveal() not in text


@pytest.mark.parametrize("grant", GRANT_TYPES, ids=lambda grant: grant.code)
def test_the_python_is_python_and_the_shell_is_shell(cast, grant):
    client, _secret = made(cast, grant.code)
    client.redirect_uris = NASTY
    for snippet in snippets(client):
        if snippet["id"] == "python":
            ast.parse(snippet["code"])
        elif snippet["id"] == "curl":
            subprocess.run([shutil.which("sh"), "-n"], input=snippet["code"], text=True, check=True)


def test_a_redirect_uri_cannot_break_out_of_its_quotes(cast):
    client, _secret = made(cast, "authorization-code")
    client.redirect_uris = NASTY
    codes = {snippet["id"]: snippet["code"] for snippet in snippets(client)}
    words = shlex.split(codes["curl"], comments=True)
    assert f"redirect_uri={NASTY}" in words
    literals = [
        node.value for node in ast.walk(ast.parse(codes["python"])) if isinstance(node, ast.Constant)
    ]
    assert NASTY in literals


def test_code_for_the_implicit_grant_sends_a_state_and_checks_it(cast):
    client, _secret = made(cast, "implicit")
    code = next(snippet["code"] for snippet in snippets(client) if snippet["id"] == "browser")
    assert '&state=" + state;' in code
    assert 'if (!sent || answer.get("state") !== sent)' in code


def test_an_assertion_stands_in_a_file_and_never_in_the_code(cast):
    client, _secret = made(cast, "saml2-bearer")
    codes = {snippet["id"]: snippet["code"] for snippet in snippets(client)}
    assert "assertion@assertion.b64" in codes["curl"]
    assert 'assertion = Path("assertion.b64").read_text()' in codes["python"]
    assert 'const assertion = readFileSync("assertion.b64", "utf8")' in codes["javascript"]
    for code in codes.values():
        assert "acme" in code  # the short name of the organization, as `orgName`
