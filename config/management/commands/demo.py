"""`manage.py demo`: the demo organizations, with fresh credentials."""

from __future__ import annotations

import json
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import DomainError
from config import demo


class Command(BaseCommand):
    help = "Makes the demo organizations and gives their people and clients fresh credentials."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
        parser.add_argument(
            "--anyway", action="store_true", help="even where the database holds other organizations"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        try:
            made = demo.build(anyway=options["anyway"])
        except DomainError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            self.stdout.write(json.dumps(made))
            return
        self.stdout.write(f"\n  Sign in at {made['base_url']}/sign-in/\n\n")
        for person in made["people"].values():
            self.stdout.write(f"    {person['email']:<22} {person['password']}\n")
        self.stdout.write("\n  Clients of Acme\n\n")
        for key, client in made["clients"].items():
            self.stdout.write(f"    {key:<20} {client['client_id']}  {client['client_secret']}\n")
        self.stdout.write(
            "\n  The key of Acme's identity provider, to sign SAML assertions with, is in demo --json.\n"
        )
        self.stdout.write("\n  These are shown only now; `make demo` gives fresh ones.\n\n")
