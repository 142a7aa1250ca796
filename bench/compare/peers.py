"""How each server is filled with clients and tokens, and started. All of them are stopped, and their
databases dropped, when the `Yard` is closed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bench.compare import databases, load, machine, oidc
from bench.compare.load import Call

ROOT = Path(__file__).parents[2]
PEER_PYTHON = ROOT / ".venv" / "bench" / "bin" / "python"
NODE_PEER = ROOT / "bench" / "peers" / "oidc_provider"
FORM = "grant_type=client_credentials"
THREADS = 4
STARTS_WITHIN = 60.0


@dataclass(frozen=True)
class Data:
    """What a server's database was filled with: files of requests, by what they ask for."""

    database: str
    calls: dict[str, Call] = field(default_factory=dict)


@dataclass
class Server:
    """A running one. `load_on` are the processors of whoever calls it."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    data: Data
    output: Path
    load_on: set[int] = field(default_factory=lambda: machine.REST)

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        """The end of what it wrote."""
        return self.output.read_text(errors="replace")[-3000:]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            for pid in reversed(machine.tree(self.pid)):
                os.kill(pid, signal.SIGKILL)
            self.process.wait()


class Yard:
    """Where the servers live for one run: a directory for their owner only, and their databases."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        # Credentials, keys, and what the servers print.
        self.state = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="latchkey-bench-")))
        self.cache = self.stack.enter_context(databases.cache())

    def __enter__(self) -> Yard:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    # --- Latchkey --------------------------------------------------------------------------------

    def latchkey_data(
        self, name: str, *, tokens: int, clients: int, people: int, organizations: int, expired: float = 0.1
    ) -> Data:
        """By the product's own services and bench/generate.py."""
        database = self._database(name)
        credentials = self.state / f"{name}.json"
        environment = self._latchkey(name, database)
        options = {
            "tokens": tokens,
            "clients": clients,
            "people": people,
            "organizations": organizations,
            "expired": expired,
            "credentials": credentials,
        }
        self.run(
            [
                sys.executable,
                "-m",
                "bench.generate",
                *(f"--{key}={value}" for key, value in options.items()),
            ],
            environment,
            name,
        )
        filled = json.loads(credentials.read_text())
        return Data(
            database,
            {
                "token": self._token_call(name, "/oauth/token", filled),
                "tokens/me": self._bearer_call(name, "/api/v2/tokens/me", filled["client_tokens"]),
                "users/me": self._bearer_call(name, "/api/v2/users/me", filled["person_tokens"]),
                "decision": self._bearer_call(name, "/api/v2/tokens/timeout", filled["client_tokens"]),
            },
        )

    def latchkey(
        self,
        name: str,
        data: Data,
        *,
        workers: int = 1,
        processors: set[int] = machine.SERVER,
        load_on: set[int] = machine.REST,
        purges: bool = True,
    ) -> Server:
        """`purges` is whether it removes what has ended by itself."""
        environment = self._latchkey(name, data.database) | {"WORKERS": str(workers)}
        if not purges:
            environment["PURGE_EVERY_SECONDS"] = "0"
        command = [sys.executable, str(ROOT / "manage.py"), "serve"]
        return self._start(name, command, environment, data, processors, load_on)

    def latchkey_command(self, name: str, data: Data, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """`manage.py` with these arguments, and its environment."""
        return [sys.executable, str(ROOT / "manage.py"), *arguments], self._latchkey(name, data.database)

    def _latchkey(self, name: str, database: str) -> dict[str, str]:
        """Nothing is switched off. One state directory for all, so that their keys are the same."""
        state = self.state / "latchkey"
        state.mkdir(mode=0o700, exist_ok=True)
        return {
            "DATABASE_URL": databases.url(database),
            "CACHE_URL": self.cache,
            "STATE_DIR": str(state),
            "LOG_LEVEL": "WARNING",
        }

    # --- django-oauth-toolkit and Django ---------------------------------------------------------

    def dot_data(self, name: str) -> Data:
        filled, database = self._peer_data(name, "bench.peers.prepare_dot", f"bench.peers.{name}.settings")
        return Data(
            database,
            {
                "token": self._token_call(name, "/o/token/", filled),
                "tokens/me": self._bearer_call(name, "/tokens/me", filled["client_tokens"]),
                "users/me": self._bearer_call(name, "/users/me", filled["person_tokens"]),
                "users/least": self._bearer_call(name, "/users/least", filled["person_tokens"]),
            },
        )

    def bare_data(self, name: str = "bare_django") -> Data:
        filled, database = self._peer_data(name, "bench.peers.prepare_bare", f"bench.peers.{name}.settings")
        return Data(database, {"token": self._token_call(name, "/token", filled)})

    def vanilla(self, data: Data) -> Server:
        """As the documentation of Django runs gunicorn: one worker that does one thing at a time."""
        arguments = ["-m", "gunicorn", "--workers=1", "--log-level=warning", "--timeout=120"]
        return self._peer("vanilla_dot", data, [*arguments, "--bind=127.0.0.1:{port}", "{application}"])

    def under_granian(self, name: str, data: Data) -> Server:
        """The server that Latchkey uses, with as many threads."""
        arguments = ["-m", "granian", "--interface=wsgi", "--workers=1", f"--blocking-threads={THREADS}"]
        more = ["--no-ws", "--log-level=error", "--host=127.0.0.1", "--port={port}", "{application}"]
        return self._peer(name, data, [*arguments, *more])

    def _peer_data(self, name: str, module: str, settings: str) -> tuple[dict[str, Any], str]:
        database = self._database(name)
        credentials = self.state / f"{name}.json"
        environment = databases.variables(database) | {
            "DJANGO_SETTINGS_MODULE": settings,
            "CREDENTIALS": str(credentials),
        }
        self.run([str(PEER_PYTHON), "-m", module], environment, name)
        return json.loads(credentials.read_text()), database

    def _peer(self, name: str, data: Data, arguments: list[str]) -> Server:
        return self._start(
            name,
            [str(PEER_PYTHON), *arguments],
            databases.variables(data.database) | {"APPLICATION": f"bench.peers.{name}.wsgi:application"},
            data,
            machine.SERVER,
            machine.REST,
        )

    # --- oidc-provider ---------------------------------------------------------------------------

    @staticmethod
    def why_no_node() -> str | None:
        """A sentence, or None where it can run."""
        if not shutil.which("node"):
            return "Node.js is not there, so oidc-provider was left out."
        if not (NODE_PEER / "node_modules" / "oidc-provider").is_dir():
            return "oidc-provider is not installed, so it was left out."
        return None

    def oidc_data(self, name: str = "oidc_provider") -> Data:
        database = self._database(name)
        clients, tokens = oidc.fill(database)
        authorizations = [load.basic(*client) for client in clients]
        asked = [
            f"{authorizations[n % len(clients)]}\ttoken={value}&token_type_hint=access_token"
            for n, value in enumerate(tokens)
        ]
        return Data(
            database,
            {
                "token": self._call(
                    name, "token", "POST", "/token", [f"{one}\t{FORM}" for one in authorizations]
                ),
                "introspection": self._call(name, "introspection", "POST", "/token/introspection", asked),
            },
        )

    def oidc(self, data: Data) -> Server:
        environment = databases.variables(data.database) | {"NODE_ENV": "production"}
        command = ["node", str(NODE_PEER / "server.mjs")]
        return self._start("oidc_provider", command, environment, data, machine.SERVER, machine.REST)

    # --- All of them -----------------------------------------------------------------------------

    def run(self, command: list[str], environment: dict[str, str], name: str) -> None:
        """A step that must succeed; what it said is shown if it does not."""
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, env=_environment(environment), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{name}: {command[1:4]} failed\n{done.stderr[-3000:]}")

    def _database(self, name: str) -> str:
        database = databases.make(name)
        self.stack.callback(databases.drop, database)
        return database

    def _call(self, name: str, what: str, method: str, path: str, lines: Iterable[str]) -> Call:
        file = self.state / f"{name}-{what.replace('/', '-')}.requests"
        return Call(method, path, load.write(file, lines))

    def _token_call(self, name: str, path: str, filled: dict[str, Any]) -> Call:
        lines = [f"{load.basic(id, secret)}\t{FORM}" for id, secret in filled["clients"]]
        return self._call(name, "token", "POST", path, lines)

    def _bearer_call(self, name: str, path: str, tokens: list[str]) -> Call:
        return self._call(
            name, path.rsplit("/", 2)[1] + path.rsplit("/", 1)[1], "GET", path, _bearer(tokens)
        )

    def _start(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str],
        data: Data,
        processors: set[int],
        load_on: set[int],
    ) -> Server:
        port = _free_port()
        environment = dict(environment)
        application = environment.pop("APPLICATION", "")
        command = [
            part.replace("{port}", str(port)).replace("{application}", application) for part in command
        ]
        output = self.state / f"{name}.log"
        with open(output, "ab") as log, machine.starting_on(processors):
            process = _spawn(command, _environment(environment | {"PORT": str(port)}), log)
        server = Server(name, port, process, data, output, load_on)
        self.stack.callback(_stop_if_running, server)
        _wait(server)
        return server


def _bearer(tokens: Iterable[str]) -> list[str]:
    return [f"Bearer {value}" for value in tokens]


def _spawn(command: list[str], environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)  # noqa: S603


def _environment(more: dict[str, str]) -> dict[str, str]:
    """Nothing of the caller's settings reaches a server."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **more}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: Server) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and server.process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"{server.name} does not start\n{server.said()}")


def _stop_if_running(server: Server) -> None:
    if server.process.poll() is None:
        server.stop()
