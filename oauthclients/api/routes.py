"""Which routes of `/api/v2` a scope opens, read off the handlers themselves: what a page says is what the
guard asks for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from oauthclients.api.route_names import template
from oauthclients.api.views import ApiView

_METHODS = ("get", "post", "put", "patch", "delete")


def opened_by(scope: str) -> tuple[str, ...]:
    """ "GET /api/v2/users/{userId}" for each route that this scope is enough for, as far as scopes go; none
    for a scope of the catalogue that only other APIs ask for."""
    return _by_scope().get(scope, ())


@cache
def _by_scope() -> Mapping[str, tuple[str, ...]]:
    from oauthclients.api.urls import urlpatterns  # the views there lead here

    found: dict[str, list[str]] = {}
    for url in urlpatterns:
        view: type[ApiView] = url.callback.view_class  # type: ignore[attr-defined]
        path = template(str(url.pattern)).removeprefix("/")
        for method in _METHODS:
            requirement = getattr(getattr(view, method, None), "requirement", None)
            for scope in requirement.scopes if requirement else ():
                found.setdefault(scope, []).append(f"{method.upper()} /api/v2/{path}")
    return {
        scope: tuple(sorted(paths, key=lambda one: one.split()[::-1])) for scope, paths in found.items()
    }
