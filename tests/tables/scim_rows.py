"""The rows of SCIM (wire contract H), for the table of routes.

Each stands twice, at `/scim/v2/...` and at the alias `/scim/...`, which has the same handlers but for the
list of groups, which needs no filter there. What differs from the other rows (`Row.scim`): errors are SCIM's
(tests/scim.py, `refused`); people elsewhere are not refused by the name of their division but do not exist,
so no row is `divided`; and any of the permissions in a row lets in, but each part of a request then asks for
its own, so `enough` names the one that the request of the row needs. Reading needs no permission, but only
those about people (`queries.divisions_seen`) show anybody.
"""

from __future__ import annotations

from typing import Any

from tests.scim import GROUP, PATCH, USER

READ = ("scim", "scim:readonly")
WRITE = ("scim",)
TO_CREATE = (
    "directory:user:add authorization:grant:add authorization:grant:delete routing:skill:assign "
    "routing:language:assign telephony:extension:assign"
)
TO_CHANGE = (
    "directory:user:edit directory:user:setPassword authorization:grant:add authorization:grant:delete "
    "routing:skill:assign routing:language:assign telephony:extension:assign"
)
_TITLE = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "title", "value": "changed"}]}
_NAME = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "displayName", "value": "Changed"}]}

# Method, path after `scim[/v2]/`, permissions, scopes, and what `Row` takes besides. The targets `group`,
# `schema` and `resource type` are a group of the organization, a schema's URN and the text `User`.
_ROUTES: list[tuple[str, str, str, tuple[str, ...], dict[str, Any]]] = [
    ("GET", "users", "", READ, {}),
    (
        "POST",
        "users",
        TO_CREATE,
        WRITE,
        {
            "enough": ("directory:user:add",),
            "where": "Home",  # where whoever is new sits, unless the body says otherwise
            "success": 201,
            "body": {"schemas": [USER], "userName": "dan@acme.example"},
        },
    ),
    (
        "GET",
        "users/<str:user_id>",
        "",
        READ,
        {"enough": ("directory:user:view",), "target": "person"},
    ),
    (
        "PUT",
        "users/<str:user_id>",
        TO_CHANGE,
        WRITE,
        {
            "enough": ("directory:user:edit",),
            "target": "person",
            "body": {"schemas": [USER], "userName": "eve@acme.example", "displayName": "Eva"},
        },
    ),
    (
        "PATCH",
        "users/<str:user_id>",
        TO_CHANGE,
        WRITE,
        {"enough": ("directory:user:edit",), "target": "person", "body": _TITLE},
    ),
    (
        "DELETE",
        "users/<str:user_id>",
        "directory:user:delete",
        WRITE,
        {"target": "person", "success": 204},
    ),
    ("GET", "groups", "directory:group:edit", READ, {"query": "?filter=id%20pr"}),
    ("GET", "groups/<str:group_id>", "directory:group:edit", READ, {"target": "group"}),
    (
        "PUT",
        "groups/<str:group_id>",
        "directory:group:edit",
        WRITE,
        {"target": "group", "body": {"schemas": [GROUP], "displayName": "Changed"}},
    ),
    (
        "PATCH",
        "groups/<str:group_id>",
        "directory:group:edit",
        WRITE,
        {"target": "group", "body": _NAME},
    ),
    ("GET", "serviceproviderconfig", "", READ, {"of_organization": False}),
    ("GET", "resourcetypes", "", READ, {"of_organization": False}),
    (
        "GET",
        "resourcetypes/<str:resource_type>",
        "",
        READ,
        {"target": "resource type", "of_organization": False},
    ),
    ("GET", "schemas", "", READ, {"of_organization": False}),
    ("GET", "schemas/<str:schema_id>", "", READ, {"target": "schema", "of_organization": False}),
]


def rows(make: Any) -> list[Any]:
    """`make` is `_row` of test_routes.py."""
    return [
        make(
            method,
            f"{base}/{path}",
            permissions,
            scopes,
            scim=True,
            **{**more, **({"query": ""} if base == "scim" else {})},
            like_another=base == "scim" and (method, path) != ("GET", "groups"),
        )
        for base in ("scim/v2", "scim")
        for method, path, permissions, scopes, more in _ROUTES
    ]
