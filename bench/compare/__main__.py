"""`make bench`, and `make bench ARGS=--quick`."""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path

from bench.compare import databases, load, report, scenarios

RESULTS = Path(__file__).resolve().parents[1] / "results.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description="Compares Latchkey side by side.")
    parser.add_argument("--quick", action="store_true", help="one short round, to try the bench itself")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--many", type=int, help="tokens beside which few are put, to see growth")
    for what in ("clients", "people", "organizations"):
        parser.add_argument(f"--{what}", type=int, help="of each database of Latchkey's")
    parser.add_argument("--part", choices=sorted(scenarios.PARTS), help="only this part")
    parser.add_argument("--results", type=Path, help="where to write them (default: bench/results.md)")
    chosen = parser.parse_args()
    # Whoever ends it finds no servers and no databases left.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    size = scenarios.QUICK if chosen.quick else scenarios.Size()
    size = replace(size, rounds=chosen.rounds or size.rounds, seconds=chosen.seconds or size.seconds)
    for what in ("many", "clients", "people", "organizations"):
        size = replace(size, **{what: getattr(chosen, what) or getattr(size, what)})
    if chosen.part:
        size = replace(size, parts=frozenset({chosen.part}))
    # A short run, or a part, does not take the place of a whole one.
    results = chosen.results or (None if chosen.quick or chosen.part else RESULTS)
    text = ""

    def write(findings: scenarios.Findings) -> None:
        nonlocal text
        text = report.markdown(findings)
        if results:
            results.write_text(text)

    databases.check()
    try:
        scenarios.run(size, write)
    except load.Refused as error:
        raise SystemExit(str(error)) from error
    print(f"\n{text}")


main()
