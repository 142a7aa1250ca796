"""`manage.py clients`: an organization's OAuth clients as a file (docs/as-code.md)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, transaction
from django.utils import translation

from accounts.errors import DomainError
from accounts.models import User
from accounts.origin import Origin, acting_from
from oauthclients.as_code import acting, document, export, places, state, tree
from oauthclients.as_code import apply as made
from oauthclients.as_code.delivery import Delivery, NotDelivered, Nowhere, ToCommand, ToFile
from oauthclients.as_code.plan import Plan
from oauthclients.models import Client

NEW_SECRET = (
    "A secret that was lost is replaced on the client's page, with Generate new secret, or by "
    "POST /api/v2/oauth/clients/{id}/secret."
)


class Command(BaseCommand):
    # They load all pages and routes, which takes longer than most of what there is to do.
    requires_system_checks: list[str] = []

    help = "Writes an organization's OAuth clients as a file, compares them with one, or makes them so."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        _end_with_one(parser)
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="export | plan | apply")
        exporting = verbs.add_parser("export", help="write what is there")
        planning = verbs.add_parser(
            "plan", help="say what FILE would change; ends with 0: nothing, 2: something, 1: an error"
        )
        applying = verbs.add_parser("apply", help="make what is there what FILE says, all of it or nothing")
        for verb in (exporting, planning, applying):
            _end_with_one(verb)
            verb.add_argument(
                "--as", dest="person", required=True, metavar="EMAIL", help="whose rights count"
            )
            verb.add_argument("--organization", required=True, metavar="SHORT_NAME")
        for verb in (planning, applying):
            verb.add_argument("file", metavar="FILE", help="YAML; - is standard input")
            verb.add_argument(
                "--prune", action="store_true", help="delete the clients that FILE does not have"
            )
            verb.add_argument(
                "--settle", action="store_true", help="take over, in clients of FILE, roles that drifted"
            )
        planning.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
        applying.add_argument("--yes", action="store_true", help="do not ask")
        applying.add_argument(
            "--plan", metavar="PLAN", help="do what this output of plan --json says, or nothing"
        )
        where = applying.add_mutually_exclusive_group()
        where.add_argument(
            "--secrets-file", metavar="PATH", help="a new file for new secrets, of mode 0600"
        )
        where.add_argument(
            "--secrets-to", metavar="'COMMAND ...'", help="a command that reads new secrets as JSON"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verb = options["verb"]
        here = Origin(request_id=uuid.uuid4(), user_agent=f"manage.py clients {verb}")
        with translation.override("en"), acting_from(here):
            try:
                person = acting.person(options["person"], options["organization"])
                getattr(self, verb)(person, options)
            except places.Refused as error:
                file = options.get("file") or "clients"
                for trouble in error.troubles:
                    self.stderr.write(trouble.told("standard input" if file == "-" else file))
                raise CommandError("Nothing was changed.") from None
            except DomainError as error:
                raise CommandError(places.visible(error.message)) from None
            except KeyboardInterrupt:
                raise CommandError("It was broken off. Nothing was changed.") from None
            except Error as error:
                raise CommandError(
                    f"The database refused it: {_first_line(error)} Nothing was changed. Try again."
                ) from error

    def export(self, person: User, options: dict[str, Any]) -> None:
        with transaction.atomic():
            actor = acting.locked(person.id, person.organization)
            text = export.text(state.read(actor))
        # Whatever the terminal's own encoding: the file is UTF-8.
        out = getattr(self.stdout, "buffer", None)
        if out is None:
            self.stdout.write(text, ending="")
        else:
            out.write(text.encode())
            out.flush()

    def plan(self, person: User, options: dict[str, Any]) -> None:
        planned = made.plan(person, self.wanted(options))
        if options["json"]:
            self.stdout.write(json.dumps(planned.as_json(), indent=2))
        else:
            self.stdout.write(planned.as_text(), ending="")
        if planned.changes:
            sys.exit(2)

    def apply(self, person: User, options: dict[str, Any]) -> None:
        expected = _expected(options["plan"])
        wanted = self.wanted(options)
        planned = made.plan(person, wanted)
        self.stdout.write(planned.as_text(), ending="")
        if expected is not None and planned.fingerprint != expected:
            raise CommandError(
                "This is not the plan that --plan holds: the file or what is there has changed since. "
                "Nothing was changed."
            )
        if not planned.changes:
            return
        delivery = _delivery(options, planned)
        self.ask(options)
        self.make(person, wanted, planned, delivery)

    def make(self, person: User, wanted: made.Wanted, planned: Plan, delivery: Delivery) -> None:
        delivered: list[uuid.UUID] = []

        def deliver(new: Any) -> None:
            delivery.deliver(new)
            delivered.extend(one.client.id for one in new)

        with _stopped_as_by_ctrl_c(), delivery:
            try:
                made.apply(person, wanted, expected=planned.fingerprint, deliver=deliver)
            except NotDelivered as error:
                raise NotDelivered(f"{error.message} No client was made and nothing was changed.") from None
            except (Error, KeyboardInterrupt):
                if not delivered:
                    raise
                # Secrets were handed over, and then it broke off: at the very end, or just before.
                _after_the_break(delivery, delivered)
        self.stdout.write("Applied.")

    def ask(self, options: dict[str, Any]) -> None:
        if options["yes"]:
            return
        if options["file"] == "-" or not sys.stdin.isatty():
            raise CommandError("Nobody can be asked here: --yes applies it. Nothing was changed.")
        try:
            answer = input("Apply this? [y/N] ")
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandError("Not applied. Nothing was changed.")

    def wanted(self, options: dict[str, Any]) -> made.Wanted:
        data = _read(options["file"])
        return made.Wanted(document.read(data), prune=options["prune"], settle=options["settle"])


def _end_with_one(parser: CommandParser) -> None:
    """A slip on the command line ends with 1: 2 says that there is something to change."""

    def error(message: str) -> NoReturn:
        if not parser.called_from_command_line:
            raise CommandError(f"Error: {message}")
        parser.print_usage(sys.stderr)
        parser.exit(1, f"{parser.prog}: {message}\n")

    setattr(parser, "error", error)  # noqa: B010


def _read(file: str) -> bytes:
    """Not more than is read at most, whatever it is."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(tree.LARGEST + 1)
        with open(file, "rb") as opened:
            return opened.read(tree.LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise places.Refused.one(f"It cannot be read: {why}.") from None


def _expected(file: str | None) -> str | None:
    """The fingerprint in a kept plan."""
    if file is None:
        return None
    try:
        kept = json.loads(_read(file))
        fingerprint = kept["fingerprint"]
    except places.Refused as error:
        raise CommandError(f"{file}: {error.message}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CommandError(f"{file} is no output of plan --json.") from None
    if not isinstance(fingerprint, str):
        raise CommandError(f"{file} is no output of plan --json.")
    return fingerprint


def _delivery(options: dict[str, Any], planned: Plan) -> Delivery:
    """Refuses before anybody is asked what would be refused afterwards."""
    if not planned.needs_secret:
        return Nowhere()
    if options["secrets_to"]:
        return ToCommand(options["secrets_to"])
    path = options["secrets_file"]
    if not path:
        names = ", ".join(f"‘{name}’" for name in planned.needs_secret)
        raise NotDelivered(
            f"New secrets need a place: {names}. Give --secrets-file PATH, a new file that only you "
            "can read, or --secrets-to 'COMMAND ...', which reads them. Nothing was changed."
        )
    if os.path.lexists(path):
        raise NotDelivered(
            f"{path} is there already. It may hold secrets that are needed, so it is not overwritten: name "
            "another file. Nothing was changed."
        )
    return ToFile(path)


def _first_line(error: Exception) -> str:
    said = str(error).partition("\n")[0].rstrip(".")
    return places.visible(f"{said}." if said else f"{type(error).__name__}.")


@contextlib.contextmanager
def _stopped_as_by_ctrl_c() -> Iterator[None]:
    """Asked to end (SIGTERM, a closed terminal), it undoes what it has begun, as after Ctrl-C."""

    def stop(*_signal: object) -> NoReturn:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {name: signal.signal(name, stop) for name in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _after_the_break(delivery: Delivery, new: list[uuid.UUID]) -> NoReturn:
    """Whether the clients are there decides what the secrets are worth."""
    try:
        there = Client.objects.filter(id__in=new).exists()
    except Error:
        delivery.keep = True
        raise CommandError(
            f"The database broke off at the very end: nobody knows whether it is done. {delivery.left} "
            f"Plan again to see. {NEW_SECRET}"
        ) from None
    if there:
        delivery.keep = True
        raise CommandError(f"It was broken off, and is done. {delivery.left} {NEW_SECRET}") from None
    raise CommandError(f"It was broken off. Nothing was changed. {delivery.undone}") from None
