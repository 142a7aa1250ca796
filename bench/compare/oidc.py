"""The rows that npm's oidc-provider finds through bench/peers/oidc_provider/server.mjs."""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime, timedelta

from bench.compare import databases

CLIENTS, TOKENS = 2_000, 4_000
LIFE = timedelta(days=1)


def fill(database: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Clients with their secrets, and values of living tokens."""
    clients = [(secrets.token_urlsafe(16), secrets.token_urlsafe(32)) for _ in range(CLIENTS)]
    tokens = [secrets.token_urlsafe(32) for _ in range(TOKENS)]
    now = int(time.time())
    ends = datetime.fromtimestamp(now, UTC) + LIFE
    with databases.connect(database) as connection:
        connection.execute(
            "CREATE TABLE stored (model text, id text, payload jsonb NOT NULL, ends_at timestamptz,"
            " PRIMARY KEY (model, id))"
        )
        with connection.cursor().copy("COPY stored (model, id, payload, ends_at) FROM STDIN") as copy:
            for id, secret in clients:
                copy.write_row(("Client", id, json.dumps(_client(id, secret)), None))
            for n, value in enumerate(tokens):
                payload = {
                    "kind": "ClientCredentials",
                    "jti": value,
                    "clientId": clients[n % CLIENTS][0],
                    "iat": now,
                    "exp": now + int(LIFE.total_seconds()),
                }
                copy.write_row(("ClientCredentials", value, json.dumps(payload), ends))
        connection.execute("ANALYZE stored")
    return clients, tokens


def _client(id: str, secret: str) -> dict[str, object]:
    return {
        "client_id": id,
        "client_secret": secret,
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "response_types": [],
    }
