"""Counting requests in windows of a minute, in the cache that all workers share."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass

from django.core.cache import cache

log = logging.getLogger(__name__)

SECONDS = 60


@dataclass(frozen=True)
class Window:
    """The current minute of one counter. `limit` 0 means no limit, and nothing is counted.

    A cache that cannot be reached limits nothing: being able to sign in and call the API matters more
    than counting.
    """

    name: str
    key: str
    limit: int

    @property
    def _cache_key(self) -> str:
        # Hashed: somebody may have typed a secret where an id belongs.
        digest = hashlib.sha256(self.key.encode()).hexdigest()
        return f"rate:{self.name}:{digest}:{int(time.time()) // SECONDS}"

    def count(self) -> int:
        """Counts one more; how many there are now."""
        if not self.limit:
            return 0
        try:
            cache.add(self._cache_key, 0, timeout=2 * SECONDS)
            return int(cache.incr(self._cache_key))
        except Exception:
            log.warning("the cache cannot be reached; nothing is limited", exc_info=True)
            return 0

    def wait(self) -> int:
        """Counts one more; the seconds to wait where that is one too many, else 0."""
        return self.resets_in() if self.count() > self.limit else 0

    def exceeded(self) -> bool:
        """Whether the limit has been reached, counting nothing."""
        if not self.limit:
            return False
        try:
            return int(cache.get(self._cache_key, 0)) >= self.limit
        except Exception:
            log.warning("the cache cannot be reached; nothing is limited", exc_info=True)
            return False

    def resets_in(self) -> int:
        """Seconds until the window ends, at least 1."""
        return SECONDS - int(time.time()) % SECONDS
