"""What a new client can start from ("Start from"), as data: seeds 002 and 004, wire contract F2.

A preset only fills in the wizard's steps. Everything it fills in can be changed, and the rules decide
about the result as about anything else. Roles are named by their `default_role_id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.default_roles import SCIM_INTEGRATION
from oauthclients import grant_types
from oauthclients.grant_types import GrantType
from oauthclients.rules import token_life


@dataclass(frozen=True)
class NextStep:
    """A thing to do once the client is there. `shows` names what is needed for it: `client_id`, `token`
    (one to be made and pasted) or `scim_url`."""

    text: Any
    shows: str = ""


@dataclass(frozen=True)
class Preset:
    """`grants` has the recommended one first. `everywhere` gives the roles in every division in which the
    person holds them, and not in Home alone. `pages` are those of the vendor's apps, at the apps host of a
    region, to which people return; `login_pages` more of them, where a window of its own is used for
    signing in. `why_seconds` says the duration, `%(n)s` and `%(words)s`, and why."""

    id: str
    label: Any
    sentence: Any
    grants: tuple[GrantType, ...] = ()
    grant_note: Any = ""
    access_note: Any = ""
    roles: tuple[str, ...] = ()
    everywhere: bool = False
    scopes: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    login_pages: tuple[str, ...] = ()
    seconds: int | None = None
    why_seconds: Any = ""
    next_steps: tuple[NextStep, ...] = ()

    def redirect_uris(self, apps_url: str, *, dedicated: bool) -> list[str]:
        """Where people return to, in the region whose apps are there."""
        pages = (*self.pages, *(self.login_pages if dedicated else ()))
        return [f"{apps_url}{page}" for page in pages]


EMPTY = Preset(
    id="empty",
    label=_("Empty"),
    sentence=_("You choose everything yourself."),
)

SCIM = Preset(
    id="scim",
    label=_("SCIM provisioning"),
    sentence=_("An identity system, such as Okta or Microsoft Entra ID, keeps your people up to date."),
    grants=(grant_types.CLIENT_CREDENTIALS,),
    access_note=_(
        "All divisions in which you hold the role are included. Take away those that SCIM will not manage. "
        "Assign no other role: tokens could then not live for 450 days."
    ),
    roles=(SCIM_INTEGRATION.id,),
    everywhere=True,
    seconds=token_life.LONGEST_SCIM,
    why_seconds=_("Suggested: %(n)s (%(words)s), because each new token has to be pasted by hand."),
    next_steps=(
        NextStep(_("Create a token, once."), "token"),
        NextStep(_("Paste this token into your identity system, with this address."), "scim_url"),
    ),
)

EMBEDDABLE = Preset(
    id="embeddable",
    label=_("Embeddable framework"),
    sentence=_("The agents’ client inside another web application, through framework.js."),
    grants=(grant_types.CODE, grant_types.IMPLICIT),
    grant_note=_(
        "Code Authorization, used with PKCE, is recommended. Choose Implicit Grant for a framework that "
        "can do no other."
    ),
    access_note=_("The addresses and scopes that the framework needs are filled in. You can add more."),
    scopes=(
        "conversations",
        "external-contacts:readonly",
        "notifications",
        "organization:readonly",
        "outbound:readonly",
        "presence",
        "quality:readonly",
        "routing:readonly",
        "scripts:readonly",
        "stations:readonly",
        "user-basic-info",
        "users",
        "voicemail",
        "workforce-management",
    ),
    pages=("/crm/index.html",),
    login_pages=("/crm/authWindow.html",),
    seconds=64_800,
    why_seconds=_("Suggested: %(n)s (%(words)s), so that agents sign in once in a work day."),
    next_steps=(
        NextStep(_("Give the Client ID to the developers, for clientIds in framework.js."), "client_id"),
        NextStep(
            _(
                "A deployment that is published later may get an address of its own: add it to the "
                "redirect URIs."
            )
        ),
    ),
)

SALESFORCE = Preset(
    id="salesforce",
    label=_("PureCloud for Salesforce"),
    sentence=_("Routes email, chats and campaigns of Salesforce."),
    grants=(grant_types.CLIENT_CREDENTIALS,),
    access_note=_("The integration’s role is on. Choose the divisions whose queues and campaigns it uses."),
    roles=("salesforce",),
    next_steps=(
        NextStep(
            _("Enter the Client ID and the Client Secret in the integration’s settings in Salesforce."),
            "client_id",
        ),
    ),
)

PRESETS: tuple[Preset, ...] = (EMPTY, SCIM, EMBEDDABLE, SALESFORCE)
BY_ID: Mapping[str, Preset] = {preset.id: preset for preset in PRESETS}
# Those that have something to start with.
TEMPLATES: tuple[Preset, ...] = PRESETS[1:]
