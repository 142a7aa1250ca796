"""Keys that a fresh installation makes for itself. Nothing here is ever committed or printed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from config.environment import Env


def key(env: Env, name: str, state_dir: Path) -> str:
    """The value of `name` from the environment, from the file `<name>_FILE` points at, or made now.

    A key that had to be made is kept in `<state_dir>/<name>` with mode 0600, so that the next start
    finds it again. The exclusive create lets two processes start at once: the loser reads the
    winner's key.
    """
    if given := env.str(name, default=""):
        return given
    if path := env.str(f"{name}_FILE", default=""):
        return Path(path).read_text(encoding="ascii").strip()
    kept = state_dir / name.lower()
    if not kept.exists():
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = state_dir / f".{name.lower()}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(draft, kept)  # fails if another process was first; never shows half a key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return kept.read_text(encoding="ascii").strip()
