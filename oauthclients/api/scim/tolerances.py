"""What Okta and Microsoft Entra ID write otherwise than RFC 7644 has it, beyond what the library reads
(`models.POLICY`): put right in the JSON, before it is validated. What is not understood is left as it is,
for the validation to refuse.

- `displayName` left out of a new or replaced person.
- PATCH: a manager as a bare id; roles and members as bare texts or one object; what is to be removed with
  more about it than its `value`; `name.formatted` written, which is made of `displayName` here; a filter in
  the key of a value that has no path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oauthclients.api.scim.models import EnterpriseUser

_MANAGER = f"{EnterpriseUser.__schema__}:manager".lower()
_LISTS = ("roles", "members", "emails", "phonenumbers")
_WITH_ONE_NAME = ("roles", "members")


def whole_person(data: Any) -> Any:
    """A person in a POST or PUT: the shown name, which the vendor requires, is no problem where it is left
    out."""
    if not isinstance(data, dict):
        return data
    tidy = {key: _entries(key, value) for key, value in data.items()}
    if all(value is None for key, value in tidy.items() if key.lower() == "displayname"):
        tidy = {key: value for key, value in tidy.items() if key.lower() != "displayname"}
        tidy["displayName"] = " "  # made of the other names (profiles.py)
    return tidy


def patch(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    tidy = {"Operations" if key.lower() == "operations" else key: value for key, value in data.items()}
    operations = tidy.get("Operations")
    if isinstance(operations, list):
        tidy["Operations"] = [one for operation in operations for one in _operations(operation)]
    return tidy


def _is_members(key: str) -> bool:
    return key.lower().rpartition(":")[2] == "members"


def _operations(operation: Any) -> Iterator[Any]:
    if not isinstance(operation, dict):
        yield operation
        return
    op = {key.lower(): value for key, value in operation.items()}
    path, value = op.get("path"), op.get("value")
    if path is None and isinstance(value, dict):
        selecting = {key: item for key, item in value.items() if "[" in key or _is_members(key)}
        for key, item in selecting.items():
            yield _with_path({**op, "path": key, "value": item}, key, item)
        rest = {
            key: _value(key, item)
            for key, item in value.items()
            if key not in selecting and key.lower() != "name.formatted"
        }
        if rest or not value:
            yield {**op, "value": rest}
    elif not isinstance(path, str):
        yield op
    elif path.lower() != "name.formatted":
        yield _with_path(op, path, value)


def _with_path(op: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    removes = isinstance(op.get("op"), str) and op["op"].lower() == "remove"
    if "value" not in op:
        return op
    if path.lower() == _MANAGER and value == "":
        return {"op": "remove", "path": path}
    value = _value(path, value)
    if removes and isinstance(value, list):
        value = [
            {"value": one["value"]} if isinstance(one, dict) and isinstance(one.get("value"), str) else one
            for one in value
        ]
    if removes and not isinstance(value, list | dict) and path.lower().rpartition(":")[2] not in _LISTS:
        return {"op": "remove", "path": path}  # there is one value, and it goes, whatever it was
    return {**op, "value": value}


def _value(path: str, value: Any) -> Any:
    if path.lower() == _MANAGER and isinstance(value, str):
        return {"value": value}
    if path.lower() == "name" and isinstance(value, dict):
        return {key: item for key, item in value.items() if key.lower() != "formatted"}
    return _entries(path, value)


def _entries(name: str, value: Any) -> Any:
    """A list, where there is but one; objects, where there are bare texts."""
    key = name.lower().rpartition(":")[2]
    if key not in _LISTS:
        return value
    if isinstance(value, dict) or (isinstance(value, str) and key in _WITH_ONE_NAME):
        value = [value]
    if isinstance(value, list) and key in _WITH_ONE_NAME:
        return [{"value": one} if isinstance(one, str) else one for one in value]
    return value


def whole_group(data: Any) -> Any:
    """A group in a PUT."""
    return {key: _entries(key, value) for key, value in data.items()} if isinstance(data, dict) else data
