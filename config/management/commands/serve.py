"""`manage.py serve`: brings the database up to date and becomes the production server."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from accounts.models import Organization
from config.serving import READING_THREADS


class Command(BaseCommand):
    help = "Migrates, collects static files and translations, and serves (HOST, PORT, WORKERS, THREADS)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="make the demo organizations in an empty database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        address = self.address()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        call_command("catalogues", verbosity=0)
        if options["demo"] and not Organization.objects.exists():
            call_command("demo")
        elif not Organization.objects.exists():
            self.stdout.write("There is no organization yet: make one with `manage.py bootstrap`.\n")
        else:
            self.stdout.write(
                f"\n  Sign in at {settings.BASE_URL}/sign-in/ with the credentials you have"
                " (`make demo` gives the demo people fresh ones).\n\n"
            )
        connections.close_all()
        arguments = {
            "--interface": "wsgi",
            "--host": address,
            "--port": str(settings.PORT),
            "--workers": str(settings.WORKERS),
            "--blocking-threads": str(READING_THREADS),
            # A worker that was told to stop answers what it was asked before, and is not waited for longer.
            "--workers-kill-timeout": "15",
            "--log-level": "error",
        }
        self.stdout.write(f"  Latchkey listens on {settings.BASE_URL} (Ctrl-C stops it).\n")
        self.stdout.flush()
        os.execv(
            sys.executable,
            [
                sys.executable,
                "-m",
                "granian",
                *(part for pair in arguments.items() for part in pair),
                "--no-ws",
                "--respawn-failed-workers",
                "--factory",
                "config.serving:make_application",
            ],
        )

    def address(self) -> str:
        """The address to listen on. Before anything is printed or changed: a server that cannot start
        should not have made anything."""
        problem = f"Cannot listen on {settings.HOST}:{settings.PORT}"
        try:
            family, kind, _protocol, _name, address = socket.getaddrinfo(
                settings.HOST, settings.PORT, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except (OSError, OverflowError) as error:
            raise CommandError(f"{problem} ({error}). Another port: PORT=8001 make run") from error
        return str(address[0])
