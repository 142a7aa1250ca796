"""The routes of `/api/v2` with what each asks for, read off the handlers themselves: what a page says is
what the guard asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from django.urls import Resolver404, resolve

from oauthclients import scopes
from oauthclients.api.route_names import template
from oauthclients.api.views import ApiView, NoSuchRoute
from oauthclients.resource_server.guard import Requirement

_METHODS = ("get", "post", "put", "patch", "delete")


def opened_by(scope: str) -> tuple[str, ...]:
    """ "GET /api/v2/users/{userId}" for each route that this scope is enough for, as far as scopes go; none
    for a scope of the catalogue that only other APIs ask for."""
    return _by_scope().get(scope, ())


def with_scope(scope: str) -> list[Route]:
    """The same as routes."""
    found = (route for route in every() if scope in route.requirement.scopes)
    return sorted(found, key=lambda route: (route.path, route.method))


def scopes_used() -> list[str]:
    """The fewest scopes with which an app can call every route, as far as scopes go."""
    return scopes.narrowed(sorted(_by_scope()))


@dataclass(frozen=True)
class Route:
    """`path` is `/api/v2/users/{userId}`."""

    method: str
    path: str
    requirement: Requirement

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def every() -> Iterator[Route]:
    """In the order of the urls."""
    from oauthclients.api.urls import urlpatterns  # the views there lead here

    for url in urlpatterns:
        view: type[ApiView] = url.callback.view_class  # type: ignore[attr-defined]
        path = template(str(url.pattern)).removeprefix("/")
        for method in _METHODS:
            if requirement := getattr(getattr(view, method, None), "requirement", None):
                yield Route(method.upper(), f"/api/v2/{path}", requirement)


def called(path: str) -> str:
    """The route that answers at this address, as documentation writes it; empty where there is none. It may
    be written so already."""
    from oauthclients.api.scim.urls import in_lower_case
    from oauthclients.api.scim.views import NoSuchScimRoute

    if "{" in path:
        return path if path in _by_path() else ""
    try:
        found = resolve(path)
    except Resolver404:
        return ""
    view = getattr(found.func, "view_class", None)
    if view is NoSuchScimRoute:  # `/Users` is answered as well
        try:
            return template(f"api/v2/{in_lower_case(str(found.kwargs.get('rest') or '')).route}")
        except Resolver404:
            return ""
    known = view is not None and issubclass(view, ApiView) and not issubclass(view, NoSuchRoute)
    return template(found.route) if known else ""


def at(path: str) -> Mapping[str, Route]:
    """The methods of the route with this name."""
    return _by_path().get(path, {})


@cache
def _by_path() -> Mapping[str, Mapping[str, Route]]:
    found: dict[str, dict[str, Route]] = {}
    for route in every():
        found.setdefault(route.path, {})[route.method] = route
    return found


@cache
def _by_scope() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for route in every():
        for scope in route.requirement.scopes:
            found.setdefault(scope, []).append(str(route))
    return {
        scope: tuple(sorted(paths, key=lambda one: one.split()[::-1])) for scope, paths in found.items()
    }
