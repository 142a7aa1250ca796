"""One round of requests to one server, by wrk."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

WRK = os.environ.get("WRK") or "wrk"
SCRIPT = Path(__file__).with_name("load.lua")
# wrk gives up on an answer after this, in seconds: the slowest server takes a quarter of a second for each
# of the eight requests before it.
PATIENCE = 30


class Refused(Exception):
    """An answer that is no success: then nothing is measured."""


@dataclass(frozen=True)
class Call:
    """What is asked: the same of all credentials in the file, by turns."""

    method: str
    path: str
    file: Path


@dataclass(frozen=True)
class Answered:
    """How a round went; `p50` and `p99` in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def write(path: Path, lines: Iterable[str]) -> Path:
    """Credentials, for their owner only."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def try_once(port: int, call: Call) -> str:
    """The first request of the file; what was answered. Raises `Refused`."""
    with open(call.file) as file:
        authorization, _tab, body = file.readline().rstrip("\n").partition("\t")
    request = urllib.request.Request(  # our own server
        f"http://127.0.0.1:{port}{call.path}",
        method=call.method,
        headers={"Authorization": authorization, "Accept": "application/json"},
        data=body.encode() or None,
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        raise Refused(f"{call.method} {call.path}: {error.code} {error.read()[:300]!r}") from error


def start(
    port: int, call: Call, *, seconds: float, connections: int, pause: int = 0
) -> subprocess.Popen[str]:
    command = [
        WRK,
        "--threads=1",
        f"--connections={connections}",
        f"--duration={max(1, round(seconds))}s",
        f"--timeout={PATIENCE}s",
        f"--script={SCRIPT}",
        f"http://127.0.0.1:{port}{call.path}",
    ]
    environment = {
        "PATH": os.environ["PATH"],
        "BENCH_METHOD": call.method,
        "BENCH_PATH": call.path,
        "BENCH_PAUSE": str(pause),
        "BENCH_REQUESTS": str(call.file),
    }
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603


def finish(running: subprocess.Popen[str], *, now: bool = False) -> Answered:
    """Waits for the end of the round, or ends it `now`. Raises `Refused` where a single answer was no
    success."""
    if now:
        running.send_signal(signal.SIGINT)
    output, _ = running.communicate()
    line = next((line for line in output.splitlines() if line.startswith("BENCH ")), None)
    if line is None:
        raise Refused(f"wrk says: {output[:500]}")
    found = json.loads(line.removeprefix("BENCH "))
    refused, failed = found.pop("refused"), found.pop("failed")
    if refused or failed:
        raise Refused(f"{refused} answers were refusals, {failed} requests failed, of {found['requests']}")
    return Answered(**found)
