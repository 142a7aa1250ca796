"""Rounds of several servers by turns, so that what changes on the machine meanwhile meets all of them."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.compare import load, machine
from bench.compare.load import Call
from bench.compare.peers import Server

CONNECTIONS = 8
# More than this of a processor, used by anybody else, spoils a round; it is repeated so often.
FOREIGN = 0.3
TRIES = 2
SETTLES_WITHIN = 20.0


@dataclass(frozen=True)
class Case:
    """One server and what it is asked. `name` is unique in a run."""

    name: str
    server: Server
    call: Call
    connections: int = CONNECTIONS
    # A slow server needs longer for enough answers.
    stretch: float = 1.0
    # Where PostgreSQL and Redis run meanwhile, where that differs from case to case.
    helped_on: set[int] | None = None
    # Seconds before the first round. What compiles while it runs needs some to get up to speed.
    warm_up: float = 1.0


@dataclass(frozen=True)
class Round:
    rate: float
    p50: float
    p99: float
    cpu_ms: float
    share: float
    helped: float
    foreign: float


@dataclass
class Result:
    """The rounds of one case. Times in milliseconds; `share` is what the server used of a processor,
    `helped` what PostgreSQL and Redis did."""

    rounds: list[Round] = field(default_factory=list)

    def median(self, what: str) -> float:
        return statistics.median(getattr(one, what) for one in self.rounds)

    @property
    def spoiled(self) -> bool:
        """Whether others used the machine in most rounds, however often they were repeated."""
        return self.median("foreign") > FOREIGN


def run(
    cases: Iterable[Case], *, rounds: int, seconds: float, helpers: list[int], patient: bool = True
) -> dict[str, Result]:
    """`helpers` are the first processes of what the servers work with. Unless `patient`, no round is
    repeated."""
    cases = list(cases)
    results = {case.name: Result() for case in cases}
    for number in range(rounds):
        for case in cases:
            if number == 0:
                load.try_once(case.server.port, case.call)
                _one(case, case.warm_up * case.stretch, helpers)
            tries = [_one(case, seconds * case.stretch, helpers)]
            while patient and tries[-1].foreign > FOREIGN and len(tries) < TRIES:
                tries.append(_one(case, seconds * case.stretch, helpers))
            best = min(tries, key=lambda one: one.foreign)
            results[case.name].rounds.append(best)
            said = (
                f"{best.rate:9,.1f}/s  p50 {best.p50:7.2f}  p99 {best.p99:7.2f}  {best.cpu_ms:7.3f} ms CPU"
            )
            others = f"  (others used {best.foreign:.2f})" if best.foreign > FOREIGN else ""
            print(f"  {number + 1}  {case.name:<34}{said}{others}", flush=True)
    return results


def _one(case: Case, seconds: float, helpers: list[int]) -> Round:
    own = [case.server.pid]
    if case.helped_on is not None:
        machine.put([pid for root in helpers for pid in machine.tree(root)], case.helped_on)
    before, helped, everybody = machine.used_by(own), machine.used_by(helpers), machine.used()
    mine = itself() + ended()
    with machine.starting_on(case.server.load_on):
        running = load.start(case.server.port, case.call, seconds=seconds, connections=case.connections)
    try:
        answered = load.finish(running)
    except load.Refused as error:
        raise load.Refused(f"{case.name}: {error}\n{case.server.said()}") from error
    cpu = machine.used_by(own) - before
    helped = machine.used_by(helpers) - helped
    known = cpu + helped + itself() + ended() - mine
    foreign = (machine.used() - everybody - known) / answered.seconds
    _settle(own)
    return Round(
        rate=answered.rate,
        p50=answered.p50,
        p99=answered.p99,
        cpu_ms=cpu / max(answered.requests, 1) * 1000,
        share=cpu / answered.seconds,
        helped=helped / answered.seconds,
        foreign=max(0.0, foreign),
    )


def _settle(own: list[int]) -> None:
    """Waits until the server has done what it was asked last, whose answers nobody waits for any more: the
    next round is not to pay for it."""
    until = time.monotonic() + SETTLES_WITHIN
    was = machine.used_by(own)
    while time.monotonic() < until:
        time.sleep(0.1)
        now = machine.used_by(own)
        if now - was <= 0.01:
            return
        was = now


def itself() -> float:
    """Processor seconds of the bench."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def ended() -> float:
    """Processor seconds of what the bench has started and seen the end of, such as wrk."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime
