"""`manage.py catalogues`: compiles the translations, as `manage.py serve` does when it starts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import catalogues


class Command(BaseCommand):
    help = "Compiles the catalogues of locale/ into the state directory."

    def handle(self, *args: Any, **options: Any) -> None:
        names = catalogues.compile_all(settings.CATALOGUES, settings.LOCALE_PATHS[0])
        if options["verbosity"]:
            self.stdout.write(f"Compiled: {', '.join(names) or 'none'}.\n")
