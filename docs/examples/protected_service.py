"""A small invoicing service that lets Latchkey say who may do what. See docs/protect-your-api.md.

    LATCHKEY_ISSUER=http://127.0.0.1:8000 LATCHKEY_CLIENT_ID=... LATCHKEY_CLIENT_SECRET=... \\
    python3 protected_service.py 9100

Needs Python 3.11 and nothing else. Invoices live in memory, each in one division of the organization.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import sys
import time
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote_plus, urlencode

ISSUER = os.environ["LATCHKEY_ISSUER"]
CLIENT_ID, CLIENT_SECRET = os.environ["LATCHKEY_CLIENT_ID"], os.environ["LATCHKEY_CLIENT_SECRET"]
# How long an answer is used again. What is revoked meanwhile goes on working here for as long.
CACHE_SECONDS = float(os.environ.get("LATCHKEY_CACHE_SECONDS", "0"))


@dataclass(frozen=True)
class Needs:
    """What a route asks for: a permission, of whoever calls; a scope, of an app that calls for a person."""

    permission: str
    scope: str


READ = Needs("directory:user:view", "billing:readonly")
WRITE = Needs("directory:user:edit", "billing")


class Refused(Exception):
    """`challenge` is what WWW-Authenticate says beside the realm (RFC 6750 3); None for no such header."""

    def __init__(self, status: int, words: str, challenge: str | None = None) -> None:
        super().__init__(words)
        self.status, self.challenge = status, challenge


def introspect(token: str) -> dict[str, Any]:
    """Asks Latchkey about a token (RFC 7662). Without an answer nobody is let in."""
    key = hashlib.sha256(token.encode()).hexdigest()  # so that no token stays in memory
    until, answer = _answers.get(key, (0.0, {}))
    if time.monotonic() < until:
        return answer
    credentials = f"{quote_plus(CLIENT_ID)}:{quote_plus(CLIENT_SECRET)}".encode()
    request = urllib.request.Request(
        f"{ISSUER}/oauth/introspect",
        data=urlencode({"token": token}).encode(),
        headers={"Authorization": f"Basic {base64.b64encode(credentials).decode()}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            answer = json.load(response)
    except (OSError, ValueError) as error:  # an HTTPError is an OSError: wrong secret, no permission
        print(f"cannot introspect: {error}", file=sys.stderr, flush=True)
        raise Refused(503, "Tokens cannot be checked at the moment.") from error
    if CACHE_SECONDS:
        if len(_answers) >= 1_000:
            _answers.clear()
        _answers[key] = (time.monotonic() + CACHE_SECONDS, answer)
    return answer


def caller(header: str, needs: Needs) -> dict[str, Any]:
    """Who calls: the token lives, and its app may use the scope. Or 401, or 403."""
    scheme, _space, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused(401, "Send a token.", "")
    answer = introspect(token.strip())
    if not answer["active"]:
        raise Refused(401, "The token is dead.", 'error="invalid_token"')
    if answer["scopes_enforced"] and needs.scope not in answer["scope"].split():
        challenge = f'error="insufficient_scope", scope="{needs.scope}"'
        raise Refused(403, f"The app lacks the scope {needs.scope}.", challenge)
    return answer


def may(answer: dict[str, Any], needs: Needs, division: str) -> bool:
    """Whether the permission is held in this division, or in all of them."""
    held = answer["permissions"].get(needs.permission, [])
    return "*" in held or division in held


def require(answer: dict[str, Any], needs: Needs, division: str) -> None:
    if not may(answer, needs, division):
        raise Refused(403, f"You lack {needs.permission} in the division {division}.", "")


def read_one(answer: dict[str, Any], number: str) -> dict[str, Any]:
    if number not in _invoices:
        raise Refused(404, "There is no such invoice.")
    require(answer, READ, _invoices[number]["division"])
    return _invoices[number]


def read_all(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """A list refuses nobody: it shows what may be seen."""
    return [invoice for invoice in list(_invoices.values()) if may(answer, READ, invoice["division"])]


def add(answer: dict[str, Any], body: Any) -> dict[str, Any]:
    match body:
        case {"division": str(division), "amount": str(amount)}:
            require(answer, WRITE, division)
        case _:
            raise Refused(400, "An invoice has a division and an amount, both as text.")
    number = str(next(_numbers))
    _invoices[number] = {"number": number, "division": division, "amount": amount, "by": answer["sub"]}
    return _invoices[number]


class Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(READ)

    def do_POST(self) -> None:
        self.answer(WRITE)

    def answer(self, needs: Needs) -> None:
        try:
            who = caller(self.headers.get("Authorization", ""), needs)
            self.send(200, self.route(who))
        except Refused as refused:
            self.send(refused.status, {"error": str(refused)}, refused.challenge)

    def route(self, who: dict[str, Any]) -> Any:
        match (self.command, self.path.strip("/").split("/")):
            case ("GET", ["invoices"]):
                return read_all(who)
            case ("GET", ["invoices", number]):
                return read_one(who, number)
            case ("POST", ["invoices"]):
                return add(who, self.body())
        raise Refused(404, "There is no such address.")

    def body(self) -> Any:
        try:
            return json.loads(self.rfile.read(max(0, min(int(self.headers["Content-Length"]), 10_000))))
        except (TypeError, ValueError):
            raise Refused(400, "Send JSON.") from None

    def send(self, status: int, body: Any, challenge: str | None = None) -> None:
        content = (json.dumps(body) + "\n").encode()
        self.send_response(status)
        if challenge is not None:
            parameters = ", ".join(filter(None, ['realm="invoices"', challenge]))
            self.send_header("WWW-Authenticate", f"Bearer {parameters}")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


_invoices: dict[str, dict[str, Any]] = {}
_numbers = itertools.count(1)
_answers: dict[str, tuple[float, dict[str, Any]]] = {}

if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service)
    print(f"http://127.0.0.1:{server.server_port}/invoices", flush=True)
    server.serve_forever()
