"""The routes of SCIM 2.0 (wire contract H), each at `/api/v2/scim/v2/...` and at `/api/v2/scim/...`."""

from __future__ import annotations

from functools import cache

from django.urls import ResolverMatch, URLPattern, URLResolver, path, re_path
from django.urls.resolvers import RegexPattern

from oauthclients.api.scim import discovery, groups, users
from oauthclients.api.scim.views import NoSuchScimRoute

# The names of RFC 7644, which writes them in capitals too.
_NAMES = ("users", "groups", "schemas", "resourcetypes", "serviceproviderconfig")


def _routes(base: str, all_groups: type[groups.Groups]) -> list[URLPattern]:
    return [
        path(f"{base}/users", users.Users.as_view()),
        path(f"{base}/users/<str:user_id>", users.OneUser.as_view()),
        path(f"{base}/groups", all_groups.as_view()),
        path(f"{base}/groups/<str:group_id>", groups.OneGroup.as_view()),
        path(f"{base}/serviceproviderconfig", discovery.ProviderConfig.as_view()),
        path(f"{base}/resourcetypes", discovery.ResourceTypes.as_view()),
        path(f"{base}/resourcetypes/<str:resource_type>", discovery.OneResourceType.as_view()),
        path(f"{base}/schemas", discovery.Schemas.as_view()),
        path(f"{base}/schemas/<str:schema_id>", discovery.OneSchema.as_view()),
    ]


_LOWER_CASE = [*_routes("scim/v2", groups.Groups), *_routes("scim", groups.AllGroups)]

urlpatterns: list[URLPattern] = [
    *_LOWER_CASE,
    re_path(r"^scim(?:/(?P<rest>.*))?$", NoSuchScimRoute.as_view()),
]


def in_lower_case(rest: str) -> ResolverMatch:
    """Who answers `v2/Users/<id>`. Raises `Resolver404`."""
    parts = rest.split("/")
    at = 1 if parts[0] == "v2" and len(parts) > 1 else 0
    if parts[at].lower() in _NAMES:
        parts[at] = parts[at].lower()
    found: ResolverMatch = _resolver().resolve("scim/" + "/".join(parts))
    return found


@cache
def _resolver() -> URLResolver:
    return URLResolver(RegexPattern(r""), _LOWER_CASE)
