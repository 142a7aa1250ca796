"""The rows that the bare peer reads; see prepare_dot.py."""

from __future__ import annotations

import json
import os

import django

CLIENTS = 2_000


def main() -> None:
    django.setup()
    from django.core.management import call_command

    from bench.peers.bare_django.models import Thing

    call_command("migrate", run_syncdb=True, verbosity=0)
    things = Thing.objects.bulk_create([Thing(name=f"thing-{n}", text="x" * 40) for n in range(CLIENTS)])
    filled = {
        "clients": [[thing.name, "nothing"] for thing in things],
        "client_tokens": [],
        "person_tokens": [],
    }
    path = os.environ["CREDENTIALS"]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(filled, file)


if __name__ == "__main__":
    main()
