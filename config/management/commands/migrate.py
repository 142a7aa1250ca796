"""`manage.py migrate`: Django's, one process at a time. Of servers that start together, all but one would
fail."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.commands.migrate import Command as Migrate
from django.db import connections

from config.turns import MIGRATING, taken

PAUSE = 0.5


class Command(Migrate):
    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        told = False
        while True:
            with taken(MIGRATING, connections[options["database"]]) as mine:
                if mine:
                    super().handle(*args, **options)
                    return
            if not told:
                self.stderr.write("Waiting for another process that migrates this database.")
                told = True
            time.sleep(PAUSE)
