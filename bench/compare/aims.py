"""What a run is to show: for each figure, what it should reach and what it aims at."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from bench.compare.rounds import Round
from bench.compare.scenarios import Findings

Found = Callable[[Findings], float | None]


@dataclass(frozen=True)
class Ratio:
    """How many requests `one` answered while `other` answered one. Each round is compared with that of the
    same turn, so that what the machine did meanwhile counts little; the median of these."""

    one: str
    other: str

    def __call__(self, findings: Findings) -> float | None:
        pairs = self._rounds(findings)
        rates = [mine.rate / theirs.rate for mine, theirs in pairs if theirs.rate]
        return statistics.median(rates) if rates else None

    def by_cpu(self, findings: Findings) -> float | None:
        """The same by what the servers used of a processor for each request."""
        pairs = self._rounds(findings)
        costs = [theirs.cpu_ms / mine.cpu_ms for mine, theirs in pairs if mine.cpu_ms]
        return statistics.median(costs) if costs else None

    def _rounds(self, findings: Findings) -> list[tuple[Round, Round]]:
        one, other = findings.results.get(self.one), findings.results.get(self.other)
        return list(zip(one.rounds, other.rounds, strict=True)) if one and other else []


@dataclass(frozen=True)
class Aim:
    """One line. `found` answers None where it was not measured; in milliseconds and seconds, `less` is
    better."""

    what: str
    reach: float
    aim: float
    found: Found
    unit: str = "x"
    less: bool = False

    def word(self, value: float) -> str:
        reach, aim = (
            (value <= limit) if self.less else (value >= limit) for limit in (self.reach, self.aim)
        )
        return "aim" if aim else "reached" if reach else "**missed**"

    def said(self, value: float | None) -> str:
        if value is None:
            return ""
        digits = 0 if value >= 100 else 2 if value < 10 else 1
        return f"{value:.{digits}f} {self.unit}"


def _p99(name: str) -> Found:
    return lambda findings: findings.results[name].median("p99") if name in findings.results else None


def _purge_seconds(findings: Findings) -> float | None:
    return findings.purge.seconds if findings.purge else None


def _purge_stall(findings: Findings) -> float | None:
    return findings.purge.meanwhile.p99 / findings.purge.idle.p99 if findings.purge else None


AIMS = [
    Aim("token vs vanilla DOT", 400, 700, Ratio("token: Latchkey", "token: vanilla DOT")),
    Aim(
        "token vs DOT with a cheap hasher and persistent connections, same server",
        3,
        4.5,
        Ratio("token: Latchkey", "token: tuned DOT"),
    ),
    Aim(
        "token vs oidc-provider over PostgreSQL, clients in the database",
        0.9,
        1.2,
        Ratio("token: Latchkey", "token: oidc-provider"),
    ),
    Aim(
        "`GET /api/v2/users/me` vs DRF and DOT reading the same, same server",
        2.5,
        5,
        Ratio("users/me: Latchkey", "users/me: DRF and DOT"),
    ),
    Aim(
        "bearer decision alone vs introspection by oidc-provider",
        1.0,
        1.7,
        Ratio("decision: Latchkey", "decision: oidc-provider"),
    ),
    Aim("p99 of token", 15, 6, _p99("token: Latchkey"), "ms", less=True),
    Aim("p99 of bearer (`users/me`)", 10, 4, _p99("users/me: Latchkey"), "ms", less=True),
    Aim("p99 of bearer (decision alone)", 10, 4, _p99("decision: Latchkey"), "ms", less=True),
    Aim("token, 1,000,000 tokens vs 1,000", 0.9, 0.97, Ratio("token: many tokens", "token: few tokens")),
    Aim(
        "bearer, 1,000,000 tokens vs 1,000",
        0.9,
        0.97,
        Ratio("tokens/me: many tokens", "tokens/me: few tokens"),
    ),
    Aim("purge of 1,000,000 expired tokens", 15, 3, _purge_seconds, "s", less=True),
    Aim("p99 of token meanwhile vs before, few requests", 3, 1.5, _purge_stall, less=True),
    Aim(
        "token, two processes on two processors vs one on one",
        1.6,
        1.9,
        Ratio("token: two processes", "token: one process, one processor"),
    ),
    Aim(
        "bearer, two processes on two processors vs one on one",
        1.6,
        1.9,
        Ratio("tokens/me: two processes", "tokens/me: one process, one processor"),
    ),
]
# Nobody said what they should be.
BESIDES = {
    "token, two processes vs one, which has the second processor for PostgreSQL and the load": Ratio(
        "token: two processes", "token: one process"
    ),
    "bearer, the same": Ratio("tokens/me: two processes", "tokens/me: one process"),
    "`users/me` vs DRF and DOT telling least": Ratio("users/me: Latchkey", "users/me: DRF and DOT, least"),
    "`tokens/me` vs DRF and DOT telling least": Ratio(
        "tokens/me: Latchkey", "tokens/me: DRF and DOT, least"
    ),
    "token vs bare Django, one row read and one written": Ratio("token: Latchkey", "token: bare Django"),
}
