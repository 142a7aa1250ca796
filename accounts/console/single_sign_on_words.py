"""What the pages of Single Sign-on say of a provider, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit, queries
from accounts.models import AuditEvent, Binding, IdentityProvider, NameIdFormat, Organization
from accounts.rules import provider_spec
from accounts.rules.provider_spec import Certificate
from accounts.saml import service_provider

SOON = timedelta(days=30)
LINES_SHOWN = 5

# Fields of `ProviderSpec` that people decide here, in the order of the page, and the wire's names of them,
# by which problems and audit lines call them.
LABELS: Mapping[str, Any] = {
    "name": gettext_lazy("Name"),
    "issuer": gettext_lazy("Issuer URI"),
    "target_url": gettext_lazy("Target URL"),
    "target_binding": gettext_lazy("Target URL binding"),
    "logout_url": gettext_lazy("Single Logout URI"),
    "logout_binding": gettext_lazy("Single Logout Binding"),
    "certificates": gettext_lazy("Certificates"),
    "relying_party_identifier": gettext_lazy("Relying Party Identifier"),
    "audience": gettext_lazy("Audience (Entity ID)"),
    "name_id_format": gettext_lazy("NameID format"),
    "email_attribute": gettext_lazy("Attribute with the email"),
    "enabled": gettext_lazy("Use this provider"),
    "show_on_sign_in": gettext_lazy("Show on sign-in page"),
    "accept_bearer": gettext_lazy("Accept for SAML2 Bearer grant"),
    "sign_requests": gettext_lazy("Sign our requests"),
    "force_authn": gettext_lazy("Ask for the password each time"),
}
WIRE: Mapping[str, str] = {
    "name": "name",
    "issuerURI": "issuer",
    "ssoTargetURI": "target_url",
    "ssoBinding": "target_binding",
    "certificates": "certificates",
    "sloURI": "logout_url",
    "sloBinding": "logout_binding",
    "audience": "audience",
    "relyingPartyIdentifier": "relying_party_identifier",
    "nameIdentifierFormat": "name_id_format",
    "emailAttribute": "email_attribute",
    "signAuthnRequests": "sign_requests",
    "forceAuthn": "force_authn",
    "displayOnLogin": "show_on_sign_in",
    "acceptForBearerGrant": "accept_bearer",
    "disabled": "enabled",
}
_CHOICES: Mapping[str, Any] = {
    "target_binding": Binding,
    "logout_binding": Binding,
    "name_id_format": NameIdFormat,
}


def value(field: str, of: Any) -> str:
    """A value of a field as people read it."""
    if isinstance(of, bool):
        return _("On") if of else _("Off")
    choices = _CHOICES.get(field)
    return str(choices(of).label) if choices and of in choices.values else str(of)


def state(provider: IdentityProvider) -> dict[str, str]:
    if not provider.enabled:
        return {"text": _("Off"), "tone": ""}
    if not provider_spec.current(provider.certificates, timezone.now()):
        return {"text": _("No valid certificate"), "tone": "bad"}
    return {"text": _("On"), "tone": "ok"}


# --- Certificates --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A certificate with its state: in use, ended, or not yet."""

    certificate: Certificate
    text: str
    tone: str
    removed: bool = False


def certificates(pems: Iterable[str], removed: Iterable[str] = ()) -> list[Shown]:
    now = timezone.now()
    return [
        Shown(one, *_state(one, now), one.fingerprint in removed)
        for one in provider_spec.certificates_of(pems)
    ]


def certificate_end(pems: Iterable[str]) -> Shown | None:
    """The certificate to look after: of those in use, the one that ends first; where none is, the one that
    will be in use first, or ended last."""
    now = timezone.now()
    every = provider_spec.certificates_of(pems)
    in_use = [one for one in every if one.current(now)]
    later = [one for one in every if one.begins_at > now]
    if in_use:
        found = min(in_use, key=lambda one: one.ends_at)
    elif later:
        found = min(later, key=lambda one: one.begins_at)
    elif every:
        found = max(every, key=lambda one: one.ends_at)
    else:
        return None
    return Shown(found, *_state(found, now))


def line_of(certificate: Certificate) -> str:
    """In one line, for comparing: two of the same subject differ in the fingerprint."""
    return _("%(subject)s, ends %(day)s, %(fingerprint)s…") % {
        "subject": certificate.subject or "–",
        "day": date_format(certificate.ends_at, "j F Y"),
        "fingerprint": certificate.fingerprint[:11],
    }


def _state(certificate: Certificate, now: datetime) -> tuple[str, str]:
    if certificate.ends_at <= now:
        return _("Ended"), "bad"
    if certificate.begins_at > now:
        return _("Not yet in use"), "info"
    if certificate.ends_at - now <= SOON:
        return _("Ends soon"), "warn"
    return _("In use"), "ok"


# --- What a provider is given --------------------------------------------------------------------


@dataclass(frozen=True)
class Give:
    """What a provider must know of us: `facts` for a details list, and where our metadata is."""

    facts: tuple[dict[str, Any], ...]
    attributes: tuple[dict[str, Any], ...]
    metadata_url: str


def give(organization: Organization, provider: IdentityProvider | None = None) -> Give:
    """For a provider that is yet to be set up, what holds unless it says otherwise."""
    of = provider or IdentityProvider(organization=organization)
    entity_id, audience = service_provider.entity_id(of), service_provider.audience(of)
    facts = [
        (_("ACS URL"), service_provider.acs_url()),
        (_("Entity ID"), entity_id),
        *([(_("Audience"), audience)] if audience != entity_id else []),
        (_("Single logout URL"), service_provider.logout_url()),
        *([(_("Metadata URL"), service_provider.metadata_url(provider))] if provider else []),
        (_("Recipient, for SAML2 Bearer only"), service_provider.token_endpoint()),
    ]
    return Give(
        facts=tuple(
            {"label": label, "value": text, "mono": True, "copyable": True} for label, text in facts
        ),
        attributes=(
            {
                "name": of.email_attribute or "NameID",
                "text": _("The person's email address, the same as here."),
            },
            {
                "name": "OrganizationName",
                "text": _("Optional: %(name)s") % {"name": organization.short_name},
            },
        ),
        metadata_url=service_provider.metadata_url(provider)
        if provider
        else reverse("single-sign-on-metadata"),
    )


# --- The audit trail -----------------------------------------------------------------------------


def changes(provider: IdentityProvider) -> list[dict[str, Any]]:
    """The last changes, with the names of what changed."""
    events = queries.changes_of(provider.organization, provider.id)
    events = events.exclude(action=audit.Action.PROVIDER_ASSERTION_REFUSED)
    return [
        {
            "who": event.actor_name,
            "did": audit.SENTENCES.get(event.action, event.action),
            "what": "; ".join(_what(event)),
            "at": event.at,
        }
        for event in events[:LINES_SHOWN]
    ]


def last_change(provider: IdentityProvider) -> AuditEvent | None:
    edits = queries.changes_of(provider.organization, provider.id)
    return edits.filter(action=audit.Action.PROVIDER_EDITED).first()


def _what(event: AuditEvent) -> Iterator[str]:
    """What an edit changed; switches with what they are now."""
    if event.action != audit.Action.PROVIDER_EDITED:
        return
    for wire, field in WIRE.items():
        if wire not in event.after:
            continue
        now = event.after[wire]
        if field == "enabled":
            yield _("turned off") if now else _("turned on")
        elif isinstance(now, bool):
            yield f"{LABELS[field]}: {value(field, now)}"
        elif field == "name":
            yield _("name from ‘%(before)s’ to ‘%(after)s’") % {
                "before": event.before.get(wire, ""),
                "after": now,
            }
        else:
            yield str(LABELS[field])
