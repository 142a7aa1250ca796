"""What to do with a client once it is there, on the page with its secret and on its own page. It goes by
what the client is, and not by how it was made: of one that became like a preset, the same is said."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.actor import Actor
from accounts.permissions import expand
from accounts.services.grants import NamedPair
from oauthclients import grant_types, presets
from oauthclients.console import rights
from oauthclients.models import Client
from oauthclients.presets import Preset
from oauthclients.rules import home_region, token_life


def scim_url(client: Client) -> str:
    """Where an identity system keeps people up to date (wire contract H)."""
    return f"{home_region.api_url(client.organization)}/api/v2/scim/v2"


def scim_only(pairs: list[NamedPair]) -> bool:
    return token_life.is_scim_only(expand(named.role.policies) for named in pairs)


def box(actor: Actor, client: Client, pairs: list[NamedPair]) -> dict[str, Any] | None:
    """For parts/what_next.html; None for a client that is like no preset."""
    preset = _like(client, pairs)
    if preset is None:
        return None
    scim = preset is presets.SCIM
    may = scim and client.gives_tokens() and rights.of_one(actor, pairs).edit
    return {
        "label": preset.label,
        "steps": preset.next_steps,
        "client_id": client.client_id,
        "scim_url": scim_url(client),
        "token_url": reverse("oauth-client-token", args=[client.id]) if may else "",
        "scim": scim,
    }


def _like(client: Client, pairs: list[NamedPair]) -> Preset | None:
    grant = grant_types.BY_CODE[client.authorization_grant_type]
    uris = set(client.redirect_uri_list)
    held = {named.role.default_role_id for named in pairs}
    for preset in presets.TEMPLATES:
        if grant not in preset.grants:
            continue
        if preset is presets.SCIM and scim_only(pairs):
            return preset
        if preset.roles and held == set(preset.roles) and preset is not presets.SCIM:
            return preset
        if preset.pages and not uris.isdisjoint(_addresses(preset)):
            return preset
    return None


def _addresses(preset: Preset) -> list[str]:
    """Where people return to, in any region."""
    return [
        uri for region in settings.REGIONS for uri in preset.redirect_uris(region.apps_url, dedicated=True)
    ]
