"""The box "Assertions this server accepts": the identity providers that may vouch for people to an app of
the type SAML2 Bearer, and what has to stand in their assertions."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.models import IdentityProvider
from accounts.permissions import Permission
from accounts.rules import provider_spec
from accounts.saml import service_provider, toolkit
from oauthclients.console import words
from oauthclients.models import Client


def box(actor: Actor, client: Client | None = None) -> dict[str, Any]:
    """For parts/assertions.html; of a client that is yet to be made, without it."""
    may_view = bool(actor.access.decide(Permission.SSO_PROVIDER_VIEW))
    found = list(account_queries.providers(actor.organization))
    accepted = [one for one in found if one.enabled and one.accept_bearer]
    return {
        "unavailable": toolkit.WHY_NOT,
        "missing": None if accepted else _missing(actor, found),
        "providers": [_provider(one, may_view=may_view) for one in accepted],
        "facts": _facts(),
        "check_url": _check_url(actor, client),
    }


def warning(actor: Actor) -> str:
    """On the card of the grant type: that no assertion would be accepted, and the way to change it."""
    if toolkit.WHY_NOT:
        return toolkit.Unavailable().message
    found = list(account_queries.providers(actor.organization))
    if any(one.enabled and one.accept_bearer for one in found):
        return ""
    missing = _missing(actor, found)
    if not missing["url"]:
        return str(missing["title"])
    return format_html('{} <a href="{}">{}</a>', missing["title"], missing["url"], missing["link_label"])


def _check_url(actor: Actor, client: Client | None) -> str:
    """For who may open it: somebody may add or edit clients and not view them."""
    if client is not None and actor.access.decide(Permission.OAUTH_CLIENT_VIEW):
        return reverse("oauth-client-check-assertion", args=[client.id])
    if actor.access.decide(Permission.SSO_PROVIDER_VIEW, Permission.OAUTH_CLIENT_VIEW):
        return reverse("check-assertion")
    return ""


def _missing(actor: Actor, found: list[IdentityProvider]) -> dict[str, str]:
    """What to do where no provider may vouch; the link is for who can do it."""
    if found:
        may = actor.access.decide_all(Permission.SSO_PROVIDER_VIEW, Permission.SSO_PROVIDER_EDIT)
        return {
            "title": _("No identity provider is on and accepted for the SAML2 Bearer grant."),
            "url": reverse("single-sign-on") if may else "",
            "link_label": _("Open Single Sign-on"),
        }
    may = actor.access.decide(Permission.SSO_PROVIDER_ADD)
    return {
        "title": _("No identity provider is set up yet."),
        "url": reverse("single-sign-on-new") if may else "",
        "link_label": _("Set one up"),
    }


def _provider(provider: IdentityProvider, *, may_view: bool) -> dict[str, Any]:
    attribute = provider.email_attribute
    return {
        "name": provider.name,
        "url": reverse("single-sign-on-provider", args=[provider.id]) if may_view else "",
        # Every one of its assertions is refused then.
        "no_certificate": not provider_spec.current(provider.certificates, timezone.now()),
        "facts": [
            _fact(_("Issuer"), provider.issuer),
            _fact(_("Audience"), service_provider.audience(provider)),
            _fact(
                _("Email"),
                attribute or "NameID",
                _("attribute; where it is missing, a NameID that is an email address")
                if attribute
                else _("that is an email address"),
            ),
        ],
    }


def _facts() -> list[dict[str, str]]:
    """What is the same for all of them."""
    longest, skew = settings.SAML_LONGEST_SECONDS, settings.SAML_CLOCK_SKEW_SECONDS
    return [
        _fact(_("Recipient (token endpoint)"), service_provider.token_endpoint()),
        _fact(_("Longest life, in seconds"), str(longest), f"= {words.duration(longest)}"),
        _fact(_("Clocks may differ by, in seconds"), str(skew)),
    ]


def _fact(label: str, value: str, note: str = "") -> dict[str, str]:
    return {"label": label, "value": value, "note": note}
