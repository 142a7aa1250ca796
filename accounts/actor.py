"""Who is acting, and with what rights."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from accounts.errors import NotAllowed
from accounts.models import Organization
from accounts.rules import access


class ActorType(StrEnum):
    """As in `SubjectType`, and the installation itself."""

    USER = "PC_USER"
    CLIENT = "PC_OAUTH_CLIENT"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True)
class Actor:
    """A subject that does something in an organization. Services take one and ask its `access`."""

    type: ActorType
    id: uuid.UUID | None
    name: str
    organization: Organization
    access: access.Access
    # The program that acts for a person, and the scopes that it is held to (None: all the person may).
    via_id: uuid.UUID | None = None
    via_name: str | None = None
    scopes: frozenset[str] | None = None

    def require(self, *any_of: str, division_id: uuid.UUID | None = None, division_name: str = "") -> None:
        """Raises `NotAllowed` unless one of these permissions is held (in that division)."""
        self.access.decide(*any_of, division_id=division_id, division_name=division_name).require()

    def require_installation(self) -> None:
        """Raises `NotAllowed` for everybody but the command line (`system`)."""
        if not self.access.unlimited:
            raise NotAllowed(_("Only the installation itself may do this."))


def system(organization: Organization) -> Actor:
    """The command line acting for the owner of the machine."""
    return Actor(ActorType.SYSTEM, None, "Latchkey", organization, access.everything())
