"""`manage.py serve`: brings the database up to date and becomes the production server."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, connections

from accounts.models import Organization


class Command(BaseCommand):
    help = "Migrates, collects the static files and serves (HOST, PORT, WORKERS, THREADS)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="make the demo organizations in an empty database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.refuse_taken_port()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        call_command("purge", verbosity=0)
        if options["demo"] and not Organization.objects.exists():
            call_command("demo")
        elif not Organization.objects.exists():
            self.stdout.write("There is no organization yet: make one with `manage.py bootstrap`.\n")
        else:
            self.stdout.write(
                f"\n  Sign in at {settings.BASE_URL}/sign-in/ with the credentials you have"
                " (`make demo` gives the demo people fresh ones).\n\n"
            )
        # One writer at a time is what SQLite has: more threads would only wait for its lock.
        default_threads = 1 if connection.vendor == "sqlite" else 4
        connections.close_all()
        arguments = {
            "--interface": "wsgi",
            "--host": settings.HOST,
            "--port": str(settings.PORT),
            "--workers": str(settings.WORKERS),
            "--blocking-threads": str(settings.THREADS or default_threads),
            "--log-level": "warning",
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
                "config.wsgi:application",
            ],
        )

    def refuse_taken_port(self) -> None:
        """Before anything is printed or changed: a server that cannot start should not have."""
        family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.HOST, settings.PORT))
            except OSError as error:
                raise CommandError(
                    f"Cannot listen on {settings.HOST}:{settings.PORT} ({error.strerror}). "
                    "Another port: PORT=8001 make run"
                ) from error
