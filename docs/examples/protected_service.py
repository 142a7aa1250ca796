"""A small invoicing service that lets Latchkey say who may do what. See docs/protect-your-api.md.

    LATCHKEY_ISSUER=http://127.0.0.1:8000 LATCHKEY_CLIENT_ID=... LATCHKEY_CLIENT_SECRET=... \
    python3 protected_service.py 9100

Needs Python 3.11 and nothing else. Invoices live in memory, each in one division of the organization.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import time
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn
from urllib.parse import quote_plus, urlencode

ISSUER = os.environ["LATCHKEY_ISSUER"]
CLIENT_ID, CLIENT_SECRET = os.environ["LATCHKEY_CLIENT_ID"], os.environ["LATCHKEY_CLIENT_SECRET"]
# How long an answer is used again. A token that is revoked meanwhile goes on working here for as long.
CACHE_SECONDS = float(os.environ.get("LATCHKEY_CACHE_SECONDS", "0"))


@dataclass(frozen=True)
class Needs:
    """What a route asks for: of the person or service a permission, of an app acting for a person a scope."""

    permission: str
    scope: str


READ = Needs("directory:user:view", "billing:readonly")
WRITE = Needs("directory:user:edit", "billing")

INVOICES: dict[str, dict[str, Any]] = {}
_answers: dict[str, tuple[float, dict[str, Any]]] = {}


class Refused(Exception):
    """`challenge` are the parameters of WWW-Authenticate (RFC 6750 3); None where no token would help."""

    def __init__(self, status: int, words: str, challenge: str | None = None) -> None:
        super().__init__(words)
        self.status, self.challenge = status, challenge


def introspect(token: str) -> dict[str, Any]:
    """Asks Latchkey about a token (RFC 7662). Without an answer nobody is let in."""
    key = hashlib.sha256(token.encode()).hexdigest()  # so that no token is kept in memory
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
    except (OSError, ValueError) as error:  # HTTPError is an OSError: a wrong secret, a missing permission
        raise Refused(503, f"The token cannot be checked: {error}") from error
    if CACHE_SECONDS:
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
        raise Refused(403, f"{needs.permission} is not held in the division {division}.", "")


def read_one(answer: dict[str, Any], number: str) -> dict[str, Any]:
    invoice = INVOICES.get(number)
    if invoice is None:
        raise Refused(404, "There is no such invoice.")
    require(answer, READ, invoice["division"])
    return invoice


def read_all(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """A list is never refused: it shows what may be seen."""
    return [invoice for invoice in INVOICES.values() if may(answer, READ, invoice["division"])]


def add(answer: dict[str, Any], body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or not all(isinstance(body.get(key), str) for key in ("division", "amount")):
        raise Refused(400, "An invoice has a division and an amount, as text.")
    require(answer, WRITE, body["division"])
    number = str(len(INVOICES) + 1)
    INVOICES[number] = {"number": number, **{key: body[key] for key in ("division", "amount")}}
    return INVOICES[number] | {"added_by": answer["sub"], "with": answer["client_id"]}


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
            return json.loads(self.rfile.read(min(int(self.headers["Content-Length"]), 10_000)))
        except (TypeError, ValueError):
            raise Refused(400, "Send JSON.") from None

    def send(self, status: int, body: Any, challenge: str | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        if challenge is not None:
            parameters = ", ".join(filter(None, ['realm="invoices"', challenge]))
            self.send_header("WWW-Authenticate", f"Bearer {parameters}")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> NoReturn:
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service)
    print(f"http://127.0.0.1:{server.server_port}/invoices", flush=True)
    server.serve_forever()
    raise SystemExit


if __name__ == "__main__":
    main()
