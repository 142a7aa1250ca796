"""bench/results.md: what a run found, beside what it was to show."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version

from bench.compare import databases, load, machine, peers, rounds, scenarios
from bench.compare.aims import AIMS, BESIDES, Aim, Ratio
from bench.compare.scenarios import Findings
from bench.filling import BUSY

_HOW = """\
{rounds} of {seconds:.0f} s for each server, by turns, after a warm-up; the medians of all rounds.
Ratios are of requests in a second, and, *by CPU*, of what the servers used for a request; both are compared
round by round. {connections} connections, kept open (gunicorn's `sync` worker closes each). Every answer
was a success, or there would be no results. {placed} PostgreSQL is durable (`fsync={fsync}`,
`synchronous_commit={synchronous_commit}`, `shared_buffers={shared_buffers}`). A round in which others used
more than {foreign} of a processor was run again, up to {tries} times in all, and the quietest kept.

Latchkey runs by `manage.py serve` with everything that it does: rates, usage, last used, audit. It has
{tokens:,} tokens (where nothing else is said), {clients:,} clients, {people:,} people and {organizations}
organizations, made by `bench/generate.py`; the load is by {busy} of the clients. The others have 2,000
clients and at most 8,000 tokens, which is to their advantage.
*CPU* is what the server's own processes used, without the database and Redis; of all figures it depends
least on what else a machine does.
"""

_SESSIONS = (
    "`kernel.sched_autogroup_enabled` is 1 here: where PostgreSQL shares a processor with a server of "
    "another session, single requests wait for hundreds of milliseconds, and the p99 of two processes "
    "shows it. With 0, none does (docs/scale.md).\n"
)
_WHAT = """\
- **vanilla DOT**: `startproject` and django-oauth-toolkit as in its tutorial (Django's own password hash
  for client secrets, a connection for each request), gunicorn with its default worker.
- **tuned DOT**: the same with one SHA-256 as the hash and persistent connections, under granian with
  {threads} threads.
- **DRF and DOT**: `OAuth2Authentication`, `TokenHasScope` and a view, beside tuned DOT. `users/me` reads
  what Latchkey's reads (division, phone numbers, whether the organization approves the app), except rights;
  *least* is the token's person, or its client, and nothing else.
- **bare Django**: one row read and one written by the ORM, no middleware; granian with {threads} threads.
- **oidc-provider**: npm's, with an adapter of ours over PostgreSQL (prepared statements, clients in the
  database too).
- **decision**: the route of Latchkey that reads nothing but the token and what it may do
  (`GET /api/v2/tokens/timeout`), beside `POST /token/introspection` there, which knows no rights.
"""


def markdown(findings: Findings) -> str:
    size = findings.size
    server = databases.settings()
    placed = "The server has one processor for itself; PostgreSQL, Redis and the load have another."
    if machine.SERVER == machine.REST:
        placed = "Everything shares one processor, since there is only one."
    parts = [
        "# What `make bench` found\n",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine.described()}.",
        _versions(server["server_version"]) + "\n",
    ]
    if not size.patient:
        parts.append("**A short run, to try the bench itself: take no figure from it.**\n")
    parts += [
        "## Aims\n",
        _table(
            ["", "reach", "aim", "measured", "", "by CPU"],
            [
                *(_aim(aim, findings) for aim in AIMS),
                *(_besides(what, ratio, findings) for what, ratio in BESIDES.items()),
            ],
        ),
        "## Rounds\n",
        _table(
            [
                "",
                "req/s",
                "slowest to quickest round",
                "p50 ms",
                "p99 ms",
                "CPU ms a request",
                "processors: server",
                "PostgreSQL, Redis",
            ],
            [_round(name, findings) for name in findings.results],
        ),
    ]
    if findings.purge:
        parts.append(_purge(findings.purge))
    if "token: two processes" in findings.results:
        parts.append(
            "With one process and with two, server, load, PostgreSQL and Redis share all processors that "
            "there are; with one process on one processor, that one. Of two, each keeps to a processor of "
            "its own (`taskset`). Two processes on two show what twice the machine gives; beside one "
            "process on two, they have to give PostgreSQL and the load a part of their processors, which "
            "that one leaves them.\n"
        )
        if machine.groups_sessions():
            parts.append(_SESSIONS)
    spoiled = [name for name, result in findings.results.items() if result.spoiled]
    if spoiled:
        parts.append(
            f"Others used the machine during most rounds of: {'; '.join(spoiled)}. "
            "Alone, these would be quicker.\n"
        )
    parts += [f"{note}\n" for note in findings.notes]
    how = _HOW.format(
        rounds="1 round" if size.rounds == 1 else f"{size.rounds} rounds",
        seconds=size.seconds,
        connections=rounds.CONNECTIONS,
        placed=placed,
        foreign=rounds.FOREIGN,
        tries=rounds.TRIES,
        tokens=size.tokens,
        clients=size.clients,
        people=size.people,
        organizations=size.organizations,
        busy=BUSY,
        **server,
    )
    return "\n".join([*parts, "## How\n", how, _WHAT.format(threads=peers.THREADS)])


def _versions(postgres: str) -> str:
    packages = ("Django", "django-oauth-toolkit", "djangorestframework", "psycopg", "granian")
    said = [
        f"PostgreSQL {postgres.split()[0]}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in packages),
        machine.version(load.WRK, "--version").partition(" [")[0],
    ]
    if node := machine.version("node", "--version"):
        wanted = json.loads((peers.NODE_PEER / "package.json").read_text())["dependencies"]
        said += [f"Node.js {node}", *(f"{name} {number}" for name, number in wanted.items())]
    return ", ".join(filter(None, said)) + "."


def _round(name: str, findings: Findings) -> list[str]:
    one = findings.results[name]
    rates = sorted(each.rate for each in one.rounds)
    return [
        name,
        _rate(one.median("rate")),
        f"{_rate(rates[0])} to {_rate(rates[-1])}",
        f"{one.median('p50'):.2f}",
        f"{one.median('p99'):.2f}",
        f"{one.median('cpu_ms'):.3f}",
        f"{one.median('share'):.2f}",
        f"{one.median('helped'):.2f}",
    ]


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _aim(aim: Aim, findings: Findings) -> list[str]:
    value = aim.found(findings)
    measured = ["not measured", ""] if value is None else [f"**{aim.said(value)}**", aim.word(value)]
    by_cpu = aim.said(aim.found.by_cpu(findings)) if isinstance(aim.found, Ratio) else ""
    what = aim.what.replace("1,000,000 tokens vs", f"{findings.size.many:,} tokens vs")
    return [what, aim.said(aim.reach), aim.said(aim.aim), *measured, by_cpu]


def _besides(what: str, ratio: Ratio, findings: Findings) -> list[str]:
    line = Aim(what, 0, 0, ratio)
    return [what, "", "", line.said(ratio(findings)), "", line.said(ratio.by_cpu(findings))]


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
