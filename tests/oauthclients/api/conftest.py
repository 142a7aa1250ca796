"""`api` calls `/api/v2` as a client with the given role-division pairs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count

import pytest
from django.test import Client as Browser

from oauthclients.api.views import ApiView
from tests import documented
from tests.cast import Cast
from tests.standing import standing

BASE = "/api/v2"


class Api:
    """Calls with one token. What it is called with is sent as the SDKs do: JSON, GETs included."""

    def __init__(self, headers: dict[str, str], client=None, secret: str = "") -> None:
        self.headers, self.client, self.secret = headers, client, secret
        self._browser = Browser(raise_request_exception=False)

    def _send(self, method: str, path: str, body: object = None, **headers: str):
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._browser.generic(
            method,
            BASE + path,
            content,
            content_type=headers.pop("content_type", "application/json"),
            headers={**self.headers, **headers},
        )

    def get(self, path: str, **headers: str):
        return self._send("GET", path, **headers)

    def head(self, path: str):
        return self._send("HEAD", path)

    def post(self, path: str, body: object = None, **headers: str):
        return self._send("POST", path, body, **headers)

    def put(self, path: str, body: object = None):
        return self._send("PUT", path, body)

    def patch(self, path: str, body: object = None):
        return self._send("PATCH", path, body)

    def delete(self, path: str):
        return self._send("DELETE", path)

    def options(self, path: str):
        return self._send("OPTIONS", path)


_number = count(1)


@dataclass
class Callers:
    cast: Cast

    def __call__(self, *pairs, **more) -> Api:
        more.setdefault("name", f"Caller {next(_number)}")
        client, secret = self.cast.client(*(pairs or (("Employee", self.cast.home),)), **more)
        return Api({"Authorization": f"Bearer {self.cast.token(client, secret)}"}, client, secret)


@standing
def api(cast: Cast) -> Callers:
    """`api(("Admin", None))` is a fresh client with these pairs; `api()` one without any rights."""
    return Callers(cast)


@standing
def admin(api) -> Api:
    """May do everything in Acme."""
    return api(("Admin", None), name="Admin caller")


@pytest.fixture
def anonymous(db) -> Api:
    return Api({})


def refused(response, status: int, code: str) -> dict:
    """The error body, after checking what every error has (wire contract G1 and G3)."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["contextId"] == response["ININ-Correlation-Id"] != ""
    assert body["message"]
    assert isinstance(body["details"], list)
    assert body["errors"] == []
    assert response["Cache-Control"] == "no-cache, no-store, must-revalidate"
    assert response["Pragma"] == "no-cache"
    assert response["Expires"] == "0"
    return body


@pytest.fixture(autouse=True, scope="session")
def _unsaid():
    """Whatever the API answers to any test, the OpenAPI document has said (documented.py)."""
    found: list[str] = []
    finalize = ApiView.finalize_response

    def finalize_response(self, request, response, *args, **kwargs):
        answer = finalize(self, request, response, *args, **kwargs)
        found.extend(documented.problems(request._request, answer))
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ApiView, "finalize_response", finalize_response)
        yield found


@pytest.fixture(autouse=True)
def _as_documented(_unsaid):
    _unsaid.clear()
    yield
    assert _unsaid == [], "see oauthclients/api/operations.py and components.py"
