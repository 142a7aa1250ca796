"""What is measured, as one run of `make bench`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bench.compare import databases, load, machine, rounds
from bench.compare.load import Answered
from bench.compare.peers import Data, Server, Yard
from bench.compare.rounds import Case, Result

EXPIRED = 1_000_000
PARTS = frozenset({"peers", "growth", "processes"})
# While something else goes on, few ask, and none of them at once after its answer.
LIGHT_CONNECTIONS, LIGHT_PAUSE = 4, 20


@dataclass(frozen=True)
class Size:
    """How much a run does. `few` and `many` are the tokens between which growth is measured. A run that is
    not `patient` repeats no round."""

    rounds: int = 3
    seconds: float = 4.0
    tokens: int = 100_000
    few: int = 1_000
    many: int = 1_000_000
    clients: int = 2_000
    people: int = 2_000
    organizations: int = 20
    expired: int = EXPIRED
    parts: frozenset[str] = PARTS
    patient: bool = True


QUICK = Size(rounds=1, seconds=1.0, tokens=50_000, parts=frozenset({"peers"}), patient=False)


@dataclass(frozen=True)
class Purge:
    """Seconds that `manage.py purge` took from its start to its end, its own processor seconds, and the
    token endpoint's times before it and meanwhile."""

    removed: int
    left: int
    seconds: float
    cpu: float
    idle: Answered
    meanwhile: Answered


@dataclass
class Findings:
    """What a run found: results by the names of their cases, and sentences for the reader."""

    size: Size
    results: dict[str, Result] = field(default_factory=dict)
    purge: Purge | None = None
    notes: list[str] = field(default_factory=list)


def run(size: Size, told: Callable[[Findings], None]) -> None:
    """`told` is called with what was found so far, after each part."""
    findings = Findings(size)
    helpers = databases.processes()
    if len(helpers) < 2:
        findings.notes.append(
            "PostgreSQL or Redis runs elsewhere: its processes were not moved or counted, and "
            "what they used counts as that of others."
        )
    with machine.moved(helpers, machine.REST) as moved:
        if not moved:
            findings.notes.append("The system did not let the bench move PostgreSQL and Redis.")
        if "peers" in size.parts:
            with Yard() as yard:
                _side_by_side(yard, findings, helpers)
            told(findings)
        if "growth" in size.parts:
            with Yard() as yard:
                _growth(yard, findings, helpers)
            told(findings)
    if "processes" in size.parts:
        with Yard() as yard:
            _processes(yard, findings, helpers)
        told(findings)


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def _measure(findings: Findings, cases: list[Case], helpers: list[int]) -> None:
    size = findings.size
    databases.checkpoint()
    found = rounds.run(
        cases, rounds=size.rounds, seconds=size.seconds, helpers=helpers, patient=size.patient
    )
    findings.results.update(found)


def _side_by_side(yard: Yard, findings: Findings, helpers: list[int]) -> None:
    _say(f"Latchkey with {findings.size.tokens:,} tokens, and what it is compared with")
    latchkey = yard.latchkey(
        "latchkey",
        yard.latchkey_data(
            "latchkey",
            tokens=findings.size.tokens,
            clients=findings.size.clients,
            people=findings.size.people,
            organizations=findings.size.organizations,
        ),
    )
    vanilla = yard.vanilla(yard.dot_data("vanilla_dot"))
    tuned = yard.under_granian("tuned_dot", yard.dot_data("tuned_dot"))
    bare = yard.under_granian("bare_django", yard.bare_data())
    oidc: Server | None = None
    if why := yard.why_no_node():
        findings.notes.append(why)
    else:
        oidc = yard.oidc(yard.oidc_data())

    cases = [
        _case("token: Latchkey", latchkey, "token"),
        _case("token: vanilla DOT", vanilla, "token", stretch=3.0),
        _case("token: tuned DOT", tuned, "token"),
        _case("token: bare Django", bare, "token"),
        *([_case("token: oidc-provider", oidc, "token", warm_up=4.0)] if oidc else []),
        _case("users/me: Latchkey", latchkey, "users/me"),
        _case("users/me: DRF and DOT", tuned, "users/me"),
        _case("users/me: DRF and DOT, least", tuned, "users/least"),
        _case("tokens/me: Latchkey", latchkey, "tokens/me"),
        _case("tokens/me: DRF and DOT, least", tuned, "tokens/me"),
        _case("decision: Latchkey", latchkey, "decision"),
        *([_case("decision: oidc-provider", oidc, "introspection", warm_up=4.0)] if oidc else []),
    ]
    _measure(findings, cases, helpers)


def _growth(yard: Yard, findings: Findings, helpers: list[int]) -> None:
    size = findings.size
    servers = {}
    for name, tokens in (("few", size.few), ("many", size.many)):
        _say(f"Latchkey with {tokens:,} tokens")
        data = yard.latchkey_data(
            name,
            tokens=tokens,
            clients=size.clients,
            people=size.people,
            organizations=size.organizations,
            expired=0.0,
        )
        servers[name] = yard.latchkey(name, data)
    cases = [
        _case(f"{what}: {name} tokens", server, what)
        for what in ("token", "tokens/me")
        for name, server in servers.items()
    ]
    _measure(findings, cases, helpers)
    for server in servers.values():
        server.stop()
    findings.purge = _purge(yard, servers["many"].data, size)


def _purge(yard: Yard, data: Data, size: Size) -> Purge:
    """By the command alone, so that it is known when it began and when it was done."""
    _say(f"Purging {size.expired:,} expired tokens")
    server = yard.latchkey("purging", data, purges=False)
    call = data.calls["token"]

    def light(seconds: float) -> subprocess.Popen[str]:
        with machine.starting_on(machine.REST):
            return load.start(
                server.port, call, seconds=seconds, connections=LIGHT_CONNECTIONS, pause=LIGHT_PAUSE
            )

    load.finish(light(2))
    more = ["-m", "bench.generate", "--add", f"--tokens={size.expired}", "--expired=1", "--for-people=0"]
    command, environment = yard.latchkey_command("many", data, "purge", "--verbosity=0")
    yard.run([command[0], *more], environment, "expired tokens")
    databases.checkpoint()
    before = _expired(data.database)
    idle = load.finish(light(max(6, size.seconds)))
    loading = light(120)
    started, used = time.monotonic(), rounds.ended()
    with machine.starting_on(machine.REST):
        yard.run(command, environment, "purge")
    seconds, cpu = time.monotonic() - started, rounds.ended() - used
    meanwhile = load.finish(loading, now=True)
    left = _expired(data.database)
    found = Purge(before - left, left, seconds, cpu, idle, meanwhile)
    _say(f"{found.removed:,} in {seconds:.1f} s; p99 {idle.p99:.1f} ms, meanwhile {meanwhile.p99:.1f}")
    return found


def _expired(database: str) -> int:
    counted = "SELECT count(*) FROM oauth2_provider_accesstoken WHERE expires <= now()"
    return int(databases.one(counted, database))


def _processes(yard: Yard, findings: Findings, helpers: list[int]) -> None:
    """Server, load, PostgreSQL and Redis share all processors, or all of them have one."""
    _say("Latchkey with one process and with two")
    data = yard.latchkey_data(
        "workers",
        tokens=findings.size.tokens,
        clients=findings.size.clients,
        people=findings.size.people,
        organizations=findings.size.organizations,
    )
    both = machine.SERVER | machine.REST
    cases = []
    for workers, processors, word in (
        (1, machine.SERVER, "one process, one processor"),
        (1, both, "one process"),
        (2, both, "two processes"),
    ):
        name = f"workers{workers}_{len(processors)}"
        server = yard.latchkey(name, data, workers=workers, processors=processors, load_on=processors)
        if workers > 1:
            time.sleep(3)  # until all of them are there
            machine.spread(server.pid, processors)
        cases += [
            replace(_case(f"{what}: {word}", server, what), helped_on=processors)
            for what in ("token", "tokens/me")
        ]
    with machine.moved(helpers, both):
        _measure(findings, cases, helpers)


def _case(name: str, server: Server, what: str, *, stretch: float = 1.0, warm_up: float = 1.0) -> Case:
    return Case(name, server, server.data.calls[what], stretch=stretch, warm_up=warm_up)


__all__ = ["PARTS", "QUICK", "Findings", "Purge", "Size", "run"]
