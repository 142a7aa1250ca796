"""`manage.py bootstrap`: the first organization of a real installation, and its administrator."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import queries
from accounts.actor import system
from accounts.errors import DomainError
from accounts.models import SubjectType, UserState
from accounts.rules.delegation import RoleDivision
from accounts.services import grants, organization, people
from oauthclients.api import routes
from oauthclients.services import explorer


class Command(BaseCommand):
    help = "Makes an organization and its first administrator (password asked for, or on standard input)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, metavar="NAME")
        parser.add_argument("--short-name", default="", help="how apps name it; made from NAME if left out")
        parser.add_argument(
            "--region", default="", help="its home among this installation's regions; else the first"
        )
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", default="", help="the administrator's name; the email if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        password = self.password()
        call_command("migrate", verbosity=0, interactive=False)
        try:
            with transaction.atomic():
                made = organization.create(
                    name=options["organization"],
                    short_name=options["short_name"],
                    home_region=options["region"],
                )
                acting = system(made)
                person = people.create(
                    actor=acting,
                    spec=people.PersonSpec(
                        name=options["name"] or options["email"],
                        email=options["email"],
                        password=password,
                        state=UserState.ACTIVE,
                    ),
                )
                # Nobody can give a role that they do not hold, so the first person holds all of them.
                grants.give(
                    actor=acting,
                    subject_type=SubjectType.USER,
                    subject_id=person.id,
                    pairs=grants.resolve(
                        acting, [RoleDivision(role.id, None) for role in queries.roles(made)]
                    ),
                )
                explorer.set_up(actor=acting, scope=routes.scopes_used())
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"Made the organization {made.name} (short name {made.short_name}); "
            f"{person.email} can sign in.\n"
        )

    def password(self) -> str:
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\n")
        first = getpass.getpass("Password: ")
        if getpass.getpass("Password (again): ") != first:
            raise CommandError("The two passwords differ.")
        return first
