from __future__ import annotations

import threading
import time
from typing import Any

from django.apps import AppConfig
from django.core.signals import request_started

# A connection that was used so lately is taken to be there still.
TRUSTED_SECONDS = 5.0


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401  # registers them

        request_started.connect(trust_recent_connection)


_of_thread = threading.local()


def trust_recent_connection(**_more: Any) -> None:
    """Django asks the database before each request whether a connection that was kept is still there: one
    statement more. A thread that worked a moment ago need not."""
    from django.db import connection

    now = time.monotonic()
    if now - getattr(_of_thread, "last", -TRUSTED_SECONDS) < TRUSTED_SECONDS:
        connection.health_check_done = True  # type: ignore[attr-defined]
    _of_thread.last = now
