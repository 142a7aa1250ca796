"""System checks: settings that work, but not as somebody probably meant."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.caches, deploy=True)
def shared_counters(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Rate limits and sign-in lockouts count in the cache."""
    several = settings.WORKERS > 1
    if several and settings.CACHES["default"]["BACKEND"].endswith("LocMemCache"):
        return [
            Warning(
                "Each worker counts requests on its own, because they share no cache.",
                hint="Set CACHE_URL, for example to redis://localhost:6379/0.",
                id="latchkey.W001",
            )
        ]
    return []
