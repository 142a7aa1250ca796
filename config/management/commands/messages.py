"""`manage.py messages`: brings every catalogue up to date with the source. For developers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import catalogues, messages


class Command(BaseCommand):
    help = "Brings locale/*/LC_MESSAGES/django.po up to date with what the source says."

    def handle(self, *args: Any, **options: Any) -> None:
        for path in sorted(settings.CATALOGUES.glob(f"*/{catalogues.FILE}")):
            catalogue = messages.update(path, settings.BASE_DIR)
            missing = len(messages.untranslated(catalogue))
            name = path.parent.parent.name
            self.stdout.write(f"{name}: {missing} of {len(catalogue)} are to be translated\n")
