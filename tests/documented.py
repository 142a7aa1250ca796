"""What the OpenAPI document says, held against the answers that the tests of the API get: every one of them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.http import HttpRequest
from jsonschema import Draft202012Validator, FormatChecker
from rest_framework.response import Response

from oauthclients.api import schema
from oauthclients.api.route_names import template


@cache
def operations() -> dict[tuple[str, str], dict[str, Any]]:
    document = schema._document("en")
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


@cache
def _validator(method: str, path: str, status: int) -> Draft202012Validator | None:
    answer = operations()[method, path]["responses"].get(str(status))
    if answer is None or "content" not in answer:
        return None
    [kind] = answer["content"].values()
    return validator(kind["schema"])


def validator(shape: dict[str, Any]) -> Draft202012Validator:
    """Of a schema of the document, in which an object has no more than what is described."""
    whole = {**shape, "components": schema._document("en")["components"]}
    return Draft202012Validator(_closed(whole), format_checker=FormatChecker(["uuid"]))


def _closed(shape: Any) -> Any:
    if isinstance(shape, list):
        return [_closed(part) for part in shape]
    if not isinstance(shape, dict):
        return shape
    closed = {key: _closed(part) for key, part in shape.items()}
    if isinstance(shape.get("properties"), dict) and shape.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def problems(request: HttpRequest, response: Response) -> list[str]:
    """What the document does not say of this answer; nothing for an address that is no route."""
    route = request.resolver_match.route if request.resolver_match else ""
    method, path = request.method or "", template(route)
    if (method, path) not in operations():
        return []
    name = f"{method} {path} {response.status_code}"
    answer = operations()[method, path]["responses"].get(str(response.status_code))
    data = json.loads(json.dumps(getattr(response, "data", None), default=str))
    if response.status_code == 500:  # nothing that anybody could be told to expect
        return []
    if answer is None:
        return [f"{name} is not described: {json.dumps(data)[:300]}"]
    found = _validator(method, path, response.status_code)
    if found is None:
        return [] if data is None else [f"{name} has a body"]
    said = [f"{name}: {error.json_path} {error.message[:200]}" for error in found.iter_errors(data)]
    code = data.get("code") if isinstance(data, dict) and response.status_code >= 400 else None
    if code and f"`{code}`" not in answer["description"]:
        said.append(f"{name} is refused with {code}, which is not described")
    return said
