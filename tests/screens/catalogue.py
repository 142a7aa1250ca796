"""Every page of the console and of the way in, in every state: what the tests of this package look at, each
with the same eyes.

A new page, or a new state of one, is a function in one of scenes/:

    @screen("audit")                       # the name of its address (urls.py)
    def audit_of_nothing(stage: Stage) -> HttpResponse:
        return stage.ada.get(reverse("audit"))

What it does with the standing cast before is what its state needs; what it returns is shown in both languages,
both themes and all widths. `status=` is what the answer has, where that is not 200.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from tests.screens import scenes
from tests.screens.stage import Scene, Screen

SCREENS: dict[str, Screen] = {}

# Named addresses at which no page of ours is shown, and why.
NO_PAGE = {
    "token": "for programs",
    "revoke": "for programs",
    "introspect": "for programs",
    "start": "leads to Admin home",
    "healthz": "for machines",
    "readyz": "for machines",
    "theme": "sets a cookie and leads back",
    "language": "leads back",
    "metadata": "for programs",
    "api-schema": "for programs",
    "logout": "leads on",
    "sign-out": "leads on",
    "single-sign-on-metadata": "a file",
    "access-review-csv": "a file",
    "audit-log-csv": "a file",
    "audit-log-json": "a file",
    "oauth-client-usage-csv": "a file",
    "api-explorer-set-up": "leads back",
    "api-explorer-signed-in": "a window that closes itself, with a script of Swagger UI",
    "saml-metadata": "a file",
    "sso": "leads to the identity provider",
    "invitation": "leads to the address without the secret",
    "oauth-client-add": "leads to the first step",
}


def screen(url_name: str, **more: object) -> Callable[[Scene], Scene]:
    def note(scene: Scene) -> Scene:
        name = scene.__name__
        assert name not in SCREENS, f"two scenes are called {name}"
        SCREENS[name] = Screen(name, url_name, scene, **more)  # type: ignore[arg-type]
        return scene

    return note


def every_screen() -> dict[str, Screen]:
    for module in pkgutil.iter_modules(scenes.__path__):
        importlib.import_module(f"{scenes.__name__}.{module.name}")
    return SCREENS


def names_of_addresses(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[str]:
    """Of the product, but for /api/v2, where none has a name."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from names_of_addresses(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name
