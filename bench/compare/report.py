"""bench/results.md: what a run found, beside what it was to show."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from bench.compare import databases, machine, peers, rounds, scenarios
from bench.compare.scenarios import Findings

# Whether more is better or less.
MORE, LESS = 1, -1


@dataclass(frozen=True)
class Aim:
    """One line of what a run is to show; `found` answers None where it was not measured."""

    what: str
    reach: float
    aim: float
    unit: str
    found: Callable[[Findings], float | None]
    better: int = MORE

    def row(self, findings: Findings) -> list[str]:
        value = self.found(findings)
        if value is None:
            return [self.what, self._said(self.reach), self._said(self.aim), "not measured", ""]
        reached = [(value - limit) * self.better >= 0 for limit in (self.reach, self.aim)]
        word = "aim" if reached[1] else "reach" if reached[0] else "**missed**"
        return [self.what, self._said(self.reach), self._said(self.aim), f"**{self._said(value)}**", word]

    def _said(self, value: float) -> str:
        digits = 0 if value >= 100 else 2 if value < 10 else 1
        return f"{value:.{digits}f} {self.unit}"


def _ratio(one: str, other: str) -> Callable[[Findings], float | None]:
    """Of the medians of requests in a second."""

    def found(findings: Findings) -> float | None:
        if one not in findings.results or other not in findings.results:
            return None
        slower = findings.results[other].median("rate")
        return findings.results[one].median("rate") / slower if slower else None

    return found


def _p99(name: str) -> Callable[[Findings], float | None]:
    return lambda findings: findings.results[name].median("p99") if name in findings.results else None


AIMS = [
    Aim("token vs vanilla DOT", 400, 700, "x", _ratio("token: Latchkey", "token: vanilla DOT")),
    Aim(
        "token vs DOT with a cheap hasher and persistent connections, same server",
        3,
        4.5,
        "x",
        _ratio("token: Latchkey", "token: tuned DOT"),
    ),
    Aim(
        "token vs oidc-provider over PostgreSQL, clients in the database",
        0.9,
        1.2,
        "x",
        _ratio("token: Latchkey", "token: oidc-provider"),
    ),
    Aim(
        "`GET /api/v2/users/me` vs DRF and DOT reading the same, same server",
        2.5,
        5,
        "x",
        _ratio("users/me: Latchkey", "users/me: DRF and DOT"),
    ),
    Aim(
        "`GET /api/v2/tokens/me` vs DRF and DOT reading the same, same server",
        2.5,
        5,
        "x",
        _ratio("tokens/me: Latchkey", "tokens/me: DRF and DOT"),
    ),
    Aim(
        "bearer decision alone vs introspection by oidc-provider",
        1.0,
        1.7,
        "x",
        _ratio("decision: Latchkey", "decision: oidc-provider"),
    ),
    Aim("p99 of token", 15, 6, "ms", _p99("token: Latchkey"), LESS),
    Aim("p99 of bearer (`users/me`)", 10, 4, "ms", _p99("users/me: Latchkey"), LESS),
    Aim("p99 of bearer (decision alone)", 10, 4, "ms", _p99("decision: Latchkey"), LESS),
    Aim("token, 1,000,000 tokens vs 1,000", 0.9, 0.97, "x", _ratio("token: many", "token: few")),
    Aim("bearer, 1,000,000 tokens vs 1,000", 0.9, 0.97, "x", _ratio("tokens/me: many", "tokens/me: few")),
    Aim(
        "purge of 1,000,000 expired tokens",
        15,
        3,
        "s",
        lambda findings: findings.purge.seconds if findings.purge else None,
        LESS,
    ),
    Aim(
        "p99 of token meanwhile, vs before",
        3,
        1.5,
        "x",
        lambda findings: findings.purge.meanwhile.p99 / findings.purge.idle.p99 if findings.purge else None,
        LESS,
    ),
    Aim(
        "token, two processes vs one, two processors",
        1.6,
        1.9,
        "x",
        _ratio("token: 2 processes", "token: 1 processes"),
    ),
    Aim(
        "bearer, two processes vs one, two processors",
        1.6,
        1.9,
        "x",
        _ratio("tokens/me: 2 processes", "tokens/me: 1 processes"),
    ),
]

_HOW = """\
{rounds} rounds of {seconds:.0f} s for each server, by turns, after a second of warm-up; the medians of the
rounds. {connections} connections, kept open (gunicorn's `sync` worker closes each). Every answer was a
success, or there would be no results. {placed} PostgreSQL is durable (`fsync={fsync}`,
`synchronous_commit={synchronous_commit}`, `shared_buffers={shared_buffers}`). A round in which others used
more than {foreign} of a processor was run again, up to {tries} times in all, and the quietest kept.

Latchkey runs by `manage.py serve` with everything that it does: rates, usage, last used, audit. It has
{tokens:,} tokens, {clients:,} clients, {people:,} people and {organizations} organizations, made by
`bench/generate.py`. The others have 2,000 clients and at most 8,000 tokens, which is to their advantage.
*CPU* is what the server's own processes used for a request, without the database and Redis; of all
figures it depends least on what else a machine does.
"""

_WHAT = """\
- **vanilla DOT**: `startproject` and django-oauth-toolkit as in its tutorial (Django's own password hash
  for client secrets, a connection for each request), gunicorn with its default worker.
- **tuned DOT**: the same with one SHA-256 as the hash and persistent connections, under granian with
  {threads} threads.
- **DRF and DOT**: `OAuth2Authentication` and `TokenHasScope` before a view that tells who the token is for,
  beside tuned DOT.
- **bare Django**: one row read and one written by the ORM, no middleware; granian with {threads} threads.
- **oidc-provider**: npm's, with an adapter of ours over PostgreSQL (prepared statements, clients in the
  database too).
- **decision**: the route of Latchkey that reads nothing but the token and what it may do
  (`GET /api/v2/tokens/timeout`), beside `POST /token/introspection` there, which knows no rights.
"""


def markdown(findings: Findings) -> str:
    size = findings.size
    server = databases.settings()
    shared = "They share one processor, since there is only one." if machine.SERVER == machine.REST else ""
    placed = (
        shared or "The server has processor 0 for itself; PostgreSQL, Redis and the load have processor 1."
    )
    parts = [
        "# What `make bench` found\n",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine.described()}.",
        _versions(server["server_version"]) + "\n",
    ]
    if not size.whole:
        parts.append("**A short run, to try the bench itself: take no figure from it.**\n")
    parts += [
        "## Aims\n",
        _table(
            ["requests in a second, unless said", "reach", "aim", "measured", ""],
            [aim.row(findings) for aim in AIMS],
        ),
        "## Rounds\n",
        _table(
            ["", "req/s", "p50 ms", "p99 ms", "CPU ms a request", "share of a processor"],
            [_round(name, findings) for name in findings.results],
        ),
    ]
    if findings.purge:
        parts.append(_purge(findings.purge))
    if "token: 2 processes" in findings.results:
        parts.append(
            "With one process and with two, server, load, PostgreSQL and Redis share all processors. On "
            "two, one process leaves the other to them, and two have to give them a part of theirs.\n"
        )
    spoiled = [name for name, result in findings.results.items() if result.spoiled]
    if spoiled:
        parts.append(
            f"Others used the machine during most rounds of: {', '.join(spoiled)}. "
            "These figures are too low.\n"
        )
    parts += [f"{note}\n" for note in findings.notes]
    how = _HOW.format(
        rounds=size.rounds,
        seconds=size.seconds,
        connections=rounds.CONNECTIONS,
        placed=placed,
        foreign=rounds.FOREIGN,
        tries=rounds.TRIES,
        tokens=size.tokens,
        clients=scenarios.CLIENTS,
        people=scenarios.PEOPLE,
        organizations=scenarios.ORGANIZATIONS,
        **server,
    )
    return "\n".join([*parts, "## How\n", how, _WHAT.format(threads=peers.THREADS)])


def _versions(postgres: str) -> str:
    node = machine.version("node", "--version")
    packages = ", ".join(
        f"{label} {version(name)}"
        for name, label in (
            ("Django", "Django"),
            ("django-oauth-toolkit", "django-oauth-toolkit"),
            ("granian", "granian"),
        )
    )
    return (
        f"PostgreSQL {postgres.split()[0]}, Python {platform.python_version()}, {packages}"
        f"{f', Node.js {node}' if node else ''}."
    )


def _round(name: str, findings: Findings) -> list[str]:
    one = findings.results[name]
    rate = one.median("rate")
    return [
        name,
        f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}",
        f"{one.median('p50'):.2f}",
        f"{one.median('p99'):.2f}",
        f"{one.median('cpu_ms'):.3f}",
        f"{one.median('share'):.2f}",
    ]


def _purge(found: scenarios.Purge) -> str:
    return (
        f"`manage.py purge` removed {found.removed:,} expired tokens in {found.seconds:.1f} s, its start "
        f"and other work included ({found.cpu:.1f} s of a processor by itself; {found.left:,} left). "
        f"Token requests, {found.idle.rate:.0f} in a second: p50 {found.idle.p50:.2f} and p99 "
        f"{found.idle.p99:.2f} ms before it, {found.meanwhile.p50:.2f} and {found.meanwhile.p99:.2f} ms "
        "meanwhile.\n"
    )


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"
