"""What bench/generate.py puts into a database: organizations, people, clients and tokens, in shapes that a
real installation has. Its modules are imported when Django is set up."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

# From so many rows on, building indexes afterwards is worth it.
MANY = 10_000
# What apps that act for people ask for, are authorized for and have.
SCOPE = ["organization:readonly", "user-basic-info", "users:readonly"]
# How many credentials and tokens are kept for the load: enough that no token is called more often than
# the product's rate limit allows.
KEPT = 4_000
# Of how many clients, and of how many apps, they are. When a client was last used is noted once a minute,
# and a measurement lasts seconds: with more clients, most requests would be the first in a minute.
BUSY = 200


@dataclass
class Filled:
    """What a load needs: `(client_id, secret)` of clients that get tokens for themselves, and values of
    living tokens, clients' own and people's."""

    clients: list[tuple[str, str]] = field(default_factory=list)
    client_tokens: list[str] = field(default_factory=list)
    person_tokens: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file)
