"""A PostgreSQL database for each server, made and dropped here, where BENCH_DATABASE_URL says; and the
Redis database of BENCH_REDIS_URL, which is emptied."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import redis
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from bench.compare import machine

DATABASE_URL = os.environ.get("BENCH_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = os.environ.get("BENCH_REDIS_URL") or "redis://127.0.0.1:6379/9"
PREFIX = "latchkey_bench_"
# libpq's variables, by the words of a connection string.
_VARIABLES = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}


def check() -> None:
    """Says in a sentence what is missing, where it would take long to find out."""
    try:
        connect().close()
    except psycopg.OperationalError as error:
        raise SystemExit(f"The bench needs PostgreSQL; BENCH_DATABASE_URL says where. {error}") from error
    try:
        with redis.Redis.from_url(REDIS_URL) as cache:
            cache.ping()
    except redis.RedisError as error:
        raise SystemExit(f"The bench needs Redis; BENCH_REDIS_URL says where. {error}") from error


def url(name: str) -> str:
    return DATABASE_URL.rpartition("/")[0] + f"/{name}"


def variables(name: str) -> dict[str, str]:
    """The same for those who ask libpq's variables."""
    words = conninfo_to_dict(DATABASE_URL)
    return {"PGDATABASE": name} | {
        variable: str(words[word]) for word, variable in _VARIABLES.items() if word in words
    }


def connect(name: str | None = None) -> psycopg.Connection[Any]:
    return psycopg.connect(url(name) if name else DATABASE_URL, autocommit=True)


def make(name: str) -> str:
    """A new, empty one; one of that name is left from a run that was killed."""
    name = PREFIX + name
    drop(name)
    with connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return name


def drop(name: str) -> None:
    assert name.startswith(PREFIX)
    with connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def one(statement: str, name: str | None = None) -> Any:
    """The first column of the first row."""
    with connect(name) as connection:
        row = connection.execute(statement).fetchone()
        return row[0] if row else None


def checkpoint() -> None:
    """What was filled in is written out, so that no round pays for it."""
    with connect() as connection:
        connection.execute("CHECKPOINT")


def processes() -> list[int]:
    """The first processes of PostgreSQL and Redis, if they run here."""
    found = []
    with connect() as connection:
        mine = connection.info.backend_pid
        if _runs(mine, "postgres"):
            found.append(machine.parent(mine))
    with redis.Redis.from_url(REDIS_URL) as cache:
        pid = int(cache.info("server")["process_id"])
        if _runs(pid, "redis"):
            found.append(pid)
    return found


def _runs(pid: int, name: str) -> bool:
    """Whether that number is that program's here: it may be of another machine."""
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().startswith(name)
    except OSError:
        return False


@contextmanager
def cache() -> Iterator[str]:
    with redis.Redis.from_url(REDIS_URL) as connection:
        connection.flushdb()
        yield REDIS_URL
        connection.flushdb()


def settings() -> dict[str, str]:
    """What decides how durable and how quick PostgreSQL is."""
    names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
    return {name: str(one(f"SHOW {name}")) for name in names}
