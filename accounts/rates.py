"""Counting requests in windows of a minute, in the cache that all workers share."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from dataclasses import dataclass
from functools import cached_property

from django.core.cache import cache

log = logging.getLogger(__name__)

SECONDS = 60
# A process tells the others when it has counted this part of a limit, a hundredth. What it has not told yet
# is what the limit may be exceeded by: with four processes, by 3 %.
SHARE = 100
# More counters than this at a time are not kept apart from the cache.
MOST = 100_000


@dataclass(frozen=True)
class Window:
    """The current minute of one counter. `limit` 0 means no limit, and nothing is counted.

    Limits from `SHARE` up are counted in this process and told to the others a few at a time: asking the
    cache at each call would cost more than answering it. Smaller ones, such as tries of a password, are
    exact.

    A cache that cannot be reached limits each process by what it has counted itself: being able to sign in
    and call the API matters more than one count for all.
    """

    name: str
    key: str
    limit: int

    @cached_property
    def digest(self) -> str:
        """Somebody may have typed a secret where an id belongs, or a book."""
        return hashlib.sha256(self.key.encode(errors="surrogatepass")).hexdigest()

    def _cache_key(self, minute: int) -> str:
        return f"rate:{self.name}:{self.digest}:{minute}"

    def count(self) -> int:
        """Counts one more; how many there are now."""
        if not self.limit:
            return 0
        return _counters.add(self, int(time.time()) // SECONDS)

    def wait(self) -> int:
        """Counts one more; the seconds to wait where that is one too many, else 0."""
        return self.resets_in() if self.count() > self.limit else 0

    def exceeded(self) -> bool:
        """Whether the limit has been reached, counting nothing. Of a large one, by what this process knows,
        which it learns of the others when it counts."""
        if not self.limit:
            return False
        minute = int(time.time()) // SECONDS
        known = _counters.known(self, minute)
        if known < self.limit < SHARE:
            known = _asked(self._cache_key(minute))
        return known >= self.limit

    def resets_in(self) -> int:
        """Seconds until the window ends, at least 1."""
        return SECONDS - int(time.time()) % SECONDS


@dataclass
class _Counter:
    """`told` is the sum of all processes when it was last asked for, `kept` what this one added since."""

    told: int = 0
    kept: int = 0


class _Counters:
    """What this process has counted in the current minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._found: dict[tuple[str, str], _Counter] = {}

    def forget(self) -> None:
        """As if this process had just started."""
        with self._lock:
            self._found = {}

    def known(self, window: Window, minute: int) -> int:
        with self._lock:
            found = self._found.get((window.name, window.digest)) if minute == self._minute else None
            return found.told + found.kept if found else 0

    def add(self, window: Window, minute: int) -> int:
        with self._lock:
            if minute != self._minute or len(self._found) > MOST:
                self._minute, self._found = minute, {}
            found = self._found.setdefault((window.name, window.digest), _Counter())
            found.kept += 1
            if found.kept < window.limit // SHARE:
                return found.told + found.kept
            kept, found.kept = found.kept, 0
            found.told += kept  # and more, when the cache has said what others counted
        told = _tell(window._cache_key(minute), kept)
        with self._lock:
            found.told = max(found.told, told)
            return found.told + found.kept


_counters = _Counters()


def forget() -> None:
    """For tests, together with emptying the cache."""
    _counters.forget()


def _tell(key: str, count: int) -> int:
    """Adds to the counter of all; what it has then, or 0 where the cache cannot be reached."""
    try:
        cache.add(key, 0, timeout=2 * SECONDS)
        return int(cache.incr(key, count))
    except Exception:
        log.warning(_UNREACHABLE, exc_info=True)
        return 0


def _asked(key: str) -> int:
    try:
        return int(cache.get(key, 0))
    except Exception:
        log.warning(_UNREACHABLE, exc_info=True)
        return 0


_UNREACHABLE = "the cache cannot be reached; each process limits by its own count"
