"""Fills a database with organizations, people, clients and tokens as a real installation has them, many at
once. With DATABASE_URL and STATE_DIR of a database made for it:

    .venv/bin/python -m bench.generate --tokens 1000000 --clients 100000 --people 50000 --organizations 500

What a load needs to call the server is written to a file that only its owner can read (`--credentials`).
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from bench.filling import KEPT, Filled


def fill(
    *,
    tokens: int,
    clients: int,
    people: int,
    organizations: int,
    expired: float = 0.1,
    for_people: float = 0.2,
    keep: int = KEPT,
) -> Filled:
    """Into a database that is migrated and has none of these organizations. `expired` is the share of the
    tokens that have ended, `for_people` of those that apps hold for people."""
    from bench.filling.clients import make_clients
    from bench.filling.homes import make_organizations
    from bench.filling.people import make_people

    homes = make_organizations(organizations)
    make_people(homes, people)
    kept = make_clients(homes, clients, keep=keep)
    more = add_tokens(tokens, expired=expired, for_people=for_people, keep=keep)
    return Filled(kept, more.client_tokens, more.person_tokens)


def add_tokens(count: int, *, expired: float = 0.1, for_people: float = 0.2, keep: int = KEPT) -> Filled:
    """Of the clients and people that are there; see bench/filling/tokens.py."""
    from bench.filling import tokens

    return tokens.add_tokens(count, expired=expired, for_people=for_people, keep=keep)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=2_000)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--organizations", type=int, default=20)
    parser.add_argument("--expired", type=float, default=0.1, help="share of the tokens")
    parser.add_argument("--for-people", type=float, default=0.2, help="share of the tokens")
    parser.add_argument("--add", action="store_true", help="only tokens, to the clients that are there")
    parser.add_argument("--credentials", type=Path, help="file for what a load needs")
    options = vars(parser.parse_args())
    path: Path | None = options.pop("credentials")
    add: bool = options.pop("add")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    started = time.perf_counter()
    if add:
        filled = add_tokens(options["tokens"], expired=options["expired"], for_people=options["for_people"])
    else:
        filled = fill(**options)
    if path:
        filled.write(path)
    print(f"{options['tokens']:,} tokens in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
