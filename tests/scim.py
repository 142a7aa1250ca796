"""A SCIM client for tests: what an identity management system sends, byte for byte, and what it gets."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from django.test import Client as Browser

from tests.cast import Cast

BASE = "/api/v2/scim/v2"
MEDIA_TYPE = "application/scim+json"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GENESYS = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class Scim:
    """Calls with one token."""

    def __init__(self, headers: dict[str, str], base: str = BASE) -> None:
        self.headers, self.base = headers, base
        self.browser = Browser(raise_request_exception=False)

    def send(self, method: str, path: str, body: object = None, **headers: str):
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.browser.generic(
            method,
            self.base + path,
            content,
            content_type=headers.pop("content_type", f"{MEDIA_TYPE}; charset=utf-8"),
            headers={"Accept": MEDIA_TYPE, **self.headers, **headers},
        )

    def get(self, path: str, **headers: str):
        return self.send("GET", path, **headers)

    def post(self, path: str, body: object, **headers: str):
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: object, **headers: str):
        return self.send("PUT", path, body, **headers)

    def patch(self, path: str, *operations: object, **headers: str):
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def delete(self, path: str, **headers: str):
        return self.send("DELETE", path, **headers)

    def made(self, email: str = "dan@acme.example", **more: object) -> dict[str, Any]:
        """A new person."""
        return ok(self.post("/users", {"schemas": [USER], "userName": email, **more}), 201)

    def changed(self, id: object, *operations: object) -> dict[str, Any]:
        return ok(self.patch(f"/users/{id}", *operations))

    def found(self, filter: str, kind: str = "users", **query: object) -> list[str]:
        """The userNames or displayNames that a filter finds."""
        more = "".join(f"&{name}={value}" for name, value in query.items())
        answer = ok(self.get(f"/{kind}?filter={quote(filter)}{more}"))
        assert answer["totalResults"] >= len(answer["Resources"])
        return [one.get("userName") or one["displayName"] for one in answer["Resources"]]


def ok(response, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == MEDIA_TYPE
    return response.json()


def refused(response, status: int, scim_type: str | None = None, says: str = "") -> dict[str, Any]:
    """The error body, after checking what every SCIM error has (RFC 7644 3.12)."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == MEDIA_TYPE
    assert response["ININ-Correlation-Id"]
    assert response["Cache-Control"] == "no-cache, no-store, must-revalidate"
    body = response.json()
    assert body["schemas"] == [ERROR]
    assert body["status"] == str(status)
    assert body.get("scimType") == scim_type, body
    assert body["detail"]
    assert says in body["detail"], body
    return body


def scim_client(cast: Cast, *divisions: Any, name: str = "Identity management", **more: object) -> Scim:
    """A client whose only role is SCIM Integration, in these divisions; everywhere, if none are named."""
    pairs = [("SCIM Integration", division) for division in divisions or (None,)]
    return Scim(cast.bearer(*pairs, name=name, **more))
