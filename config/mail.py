"""Where mails go on an installation that has no mail server (settings, "Mail")."""

from __future__ import annotations

import os
from typing import Any

from django.core.mail.backends.filebased import EmailBackend


class FileBackend(EmailBackend):
    """One file for each connection; readable by nobody else, for links in them are secrets."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        os.chmod(self.file_path, 0o700)

    def open(self) -> bool | None:
        opened = super().open()
        if opened:
            os.chmod(self._get_filename(), 0o600)  # type: ignore[attr-defined]
        return opened
