"""Running `manage.py clients` in the process of the test."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

from django.core.management import CommandError, call_command

from accounts.models import AuditEvent, RoleGrant
from oauthclients.models import Client, ClientAuthorization, ClientSecret


@dataclass
class Ran:
    """`code` is what the command ends with; `said` is on standard output, `refused` the lines that point into
    the file, without its name."""

    code: int
    said: str
    refused: list[str]
    error: str


def run(verb: str, text: str | bytes | None = None, *, folder: Path | None = None, by: str = "ada@acme.example",
        organization: str = "acme", **options: object) -> Ran:  # fmt: skip
    arguments = ["--as", by, "--organization", organization]
    if text is not None:
        assert folder is not None
        file = folder / "clients.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        arguments.append(str(file))
    for name, value in options.items():
        arguments += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    out, err, code, error = io.StringIO(), io.StringIO(), 0, ""
    try:
        call_command("clients", verb, *arguments, stdout=out, stderr=err)
    except CommandError as raised:
        code, error = raised.returncode, str(raised)
    except SystemExit as raised:
        code = int(raised.code or 0)
    refused = [re.sub(r"^.*?clients\.yaml:?", "", line) for line in err.getvalue().splitlines()]
    return Ran(code, out.getvalue(), refused, error)


def export(**options: object) -> str:
    ran = run("export", **options)
    assert ran.code == 0, ran
    return ran.said


def planned(text: str, folder: Path, **options: object) -> dict:
    ran = run("plan", text, folder=folder, json=True, **options)
    assert ran.code in (0, 2), ran
    return json.loads(ran.said)


def everything() -> list[object]:
    """All that an apply could change, its traces included."""
    return [
        list(Client.objects.order_by("id").values()),
        list(ClientSecret.objects.order_by("id").values()),
        list(ClientAuthorization.objects.order_by("id").values()),
        list(RoleGrant.objects.order_by("id").values()),
        list(AuditEvent.objects.order_by("id").values()),
    ]


def file_of(*clients: str, more: str = "") -> str:
    """A file with these entries, each given as its lines."""
    entries = "".join(
        "".join(
            f"  {'- ' if number == 0 else '  '}{line}\n" for number, line in enumerate(entry.splitlines())
        )
        for entry in clients
    )
    return f"version: 1\norganization: acme\nclients:\n{entries}{more}"


SERVICE = """name: Billing sync
grant_type: CLIENT-CREDENTIALS
roles:
  - role: Supervisor
    divisions:
      - Home
      - East"""

APP = """name: Web app
grant_type: CODE
redirect_uris:
  - https://app.example/callback
scopes:
  - users
  - user-basic-info"""
