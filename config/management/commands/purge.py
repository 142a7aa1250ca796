"""`manage.py purge`: removes what has ended, as the running service does by itself."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.housekeeping import leading, purge


class Command(BaseCommand):
    # They load all pages and routes, which takes longer than most of what there is to do.
    requires_system_checks: list[str] = []

    help = "Removes expired tokens, secrets, sessions and drafts, and the clients whose deletion is due."

    def handle(self, *args: Any, **options: Any) -> None:
        with leading() as mine:
            if not mine:
                self.stdout.write("Another process is removing what has ended.\n")
                return
            removed = purge()
        if options["verbosity"]:
            for what, count in removed.counts.items():
                self.stdout.write(f"{what}: {count} removed\n")
        if removed.failed:
            raise CommandError(f"Not removed: {', '.join(removed.failed)}. The log says why.")
