"""Two people over one client: what each of them changed since the page was opened, put together.

The edit page carries what the person saw when she opened it, signed, so that it can be told apart what she
changed herself and what somebody else did meanwhile. It holds nothing that the page does not show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.utils.translation import gettext_lazy as _

from oauthclients.console import forms
from oauthclients.console.forms import ACCESS, DETAILS, DURATION, Typed
from oauthclients.models import Client

SALT = "oauthclients.console.merge"
UNKNOWN = object()

# What is merged as a whole: its part and key in what was typed, its attribute in the specification, and
# its label in a summary (`tables.items`).
FIELDS = (
    (DETAILS, "name", "name", _("App Name")),
    (DETAILS, "description", "description", _("Description")),
    (ACCESS, "roles", "role_divisions", _("Roles")),
    (ACCESS, "redirect_uris", "redirect_uris", _("Authorized redirect URIs")),
    (ACCESS, "scope", "scope", _("Scope")),
    (DURATION, "seconds", "token_seconds", _("Token duration")),
)


@dataclass(frozen=True)
class Merged:
    """`taken` are the labels of what only the other person changed, `both` of what the two changed
    differently: there, `typed` holds this person's version."""

    typed: dict[str, dict[str, Any]]
    taken: tuple[str, ...]
    both: tuple[str, ...]


def sign(client: Client, typed: Typed) -> str:
    """For the hidden field `seen`."""
    return signing.dumps([str(client.id), typed], salt=SALT, compress=True)


def read(client: Client, text: str) -> Typed | None:
    """What `sign` was given for this client; None for anything else."""
    try:
        client_id, typed = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError):
        return None
    return typed if client_id == str(client.id) else None


def merge(seen: Typed | None, mine: Typed, theirs: Typed) -> Merged:
    """Where it is not known what was `seen`, every difference counts as changed by both."""
    typed = {part: dict(values) for part, values in mine.items()}
    taken, both = [], []
    for part, key, attribute, label in FIELDS:
        if key not in mine[part]:
            continue  # of another grant type
        now, wanted = _value(theirs, attribute), _value(mine, attribute)
        if now == wanted:
            continue
        then = UNKNOWN if seen is None else _value(seen, attribute)
        if wanted == then:
            typed[part][key] = theirs[part][key]
            taken.append(str(label))
        elif now != then:
            both.append(str(label))
    return Merged(typed, tuple(taken), tuple(both))


def _value(typed: Typed, attribute: str) -> Any:
    """Without what makes no difference: spaces around it, the order of roles and scopes."""
    value = getattr(forms.spec_of(typed).normalized(), attribute)
    return frozenset(value) if attribute in ("role_divisions", "scope") else value
