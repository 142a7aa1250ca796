"""Where new secrets go: into a file that nobody else can read, or to the standard input of one command.
Both before the clients are final, so that there is never a client whose secret nobody has got."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from accounts.errors import DomainError
from oauthclients import grant_types
from oauthclients.as_code.apply import NewSecret

# The database waits meanwhile.
PATIENCE = 15  # seconds


class NotDelivered(DomainError):
    """The new secrets could not be handed over, so no client was made."""

    code = "secrets.not.delivered"


class Delivery(Protocol):
    """Opened before anything is written; left by an exception, it takes back what it can."""

    def __enter__(self) -> Delivery: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def deliver(self, new: Sequence[NewSecret]) -> None: ...

    # What is true of what was delivered, where the clients then could not be made, or may have been.
    undone: str
    left: str
    # Set where they may have been: what was delivered is not taken back.
    keep: bool


class Nowhere:
    """For an apply that makes no secret."""

    undone = left = ""
    keep = False

    def __enter__(self) -> Nowhere:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def deliver(self, new: Sequence[NewSecret]) -> None:
        raise NotDelivered("There is no place for new secrets: give --secrets-file or --secrets-to.")


class ToFile:
    """A new file of mode 0600. One that is there, a symbolic link included, is left alone."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.undone = "No secret was kept."
        self.left = f"{self.path} was kept, because it may be needed."
        self.keep = False
        self._made: os.stat_result | None = None
        self._file = -1

    def __enter__(self) -> ToFile:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._file = os.open(self.path, flags, 0o600)
            self._made = os.fstat(self._file)
        except FileExistsError:
            raise NotDelivered(
                f"{self.path} is there already. It may hold secrets that are needed, so it is not "
                "overwritten: name another file."
            ) from None
        except (OSError, ValueError) as error:
            raise NotDelivered(f"{self.path} cannot be made: {_why(error)}.") from None
        return self

    def deliver(self, new: Sequence[NewSecret]) -> None:
        try:
            os.fchmod(self._file, 0o600)
            if os.fstat(self._file).st_mode & 0o077:
                raise NotDelivered(f"{self.path} cannot be kept from others: its disk has no modes.")
            with open(self._file, "wb", closefd=False) as file:
                file.write(_as_json(new))
            os.fsync(self._file)
            self._keep_name()
        except OSError as error:
            raise NotDelivered(f"{self.path} cannot be written: {_why(error)}.") from None

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        """Removed again after a failure, unless it may hold what is needed (`keep`)."""
        if self._file >= 0:
            os.close(self._file)
        if kind is not None and not self.keep and self._made is not None:
            with contextlib.suppress(OSError):
                now = os.lstat(self.path)
                if (now.st_dev, now.st_ino) == (self._made.st_dev, self._made.st_ino):
                    os.unlink(self.path)

    def _keep_name(self) -> None:
        """The name lies in the directory, which has a place on the disk of its own. Not every file system
        can be asked to write it."""
        with contextlib.suppress(OSError):
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


class ToCommand:
    """One command, started without a shell, that reads the secrets as JSON from its standard input. What it
    writes there is not shown, because it could be them; of its complaints, all but them."""

    def __init__(self, command: str) -> None:
        self.undone = (
            "What the command was given are secrets of clients that do not exist: they open nothing, "
            "and can be thrown away."
        )
        self.left = "The command was given the secrets."
        self.keep = False
        try:
            self.words = shlex.split(command)
        except ValueError as error:
            raise NotDelivered(f"--secrets-to cannot be read: {error}.") from None
        if not self.words:
            raise NotDelivered("--secrets-to names no command.")

    def __enter__(self) -> ToCommand:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def deliver(self, new: Sequence[NewSecret]) -> None:
        name = self.words[0]
        try:
            # The words come from whoever owns the machine; no shell reads them.
            with subprocess.Popen(  # noqa: S603
                self.words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            ) as process:
                try:
                    _out, complaints = process.communicate(_as_json(new), timeout=PATIENCE)
                except BaseException:
                    process.kill()
                    process.wait()
                    raise
        except subprocess.TimeoutExpired:
            raise NotDelivered(f"{name} did not end within {PATIENCE} seconds.") from None
        except (OSError, ValueError) as error:
            raise NotDelivered(f"{name} cannot be run: {_why(error)}.") from None
        if process.returncode:
            said = complaints.decode(errors="replace").strip()
            for one in new:
                said = said.replace(one.secret.reveal(), repr(one.secret))
            told = f" It said: {said[-500:]}" if said else ""
            raise NotDelivered(f"{name} ended with {process.returncode}.{told}")


def _as_json(new: Sequence[NewSecret]) -> bytes:
    """The one place where secrets are put into words."""
    clients = [
        {
            "client_id": one.client.client_id,
            "client_secret": one.secret.reveal(),
            "name": one.client.name,
            "grant_type": grant_types.BY_CODE[one.client.authorization_grant_type].wire,
        }
        for one in new
    ]
    organization = new[0].client.organization.short_name
    return json.dumps({"organization": organization, "clients": clients}, indent=2).encode() + b"\n"


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
