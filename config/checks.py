"""System checks: settings that work, but not as somebody probably meant."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from accounts.saml import keys, toolkit


@register(Tags.caches, deploy=True)
def shared_counters(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Rate limits and sign-in lockouts count in the cache."""
    several = settings.WORKERS > 1
    if several and settings.CACHES["default"]["BACKEND"].endswith("LocMemCache"):
        return [
            Warning(
                "Each worker counts requests on its own, because they share no cache.",
                hint="Set CACHE_URL, for example to redis://localhost:6379/0.",
                id="latchkey.W001",
            )
        ]
    return []


@register(Tags.compatibility)
def saml_libraries(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """lxml and xmlsec must embed the same libxml2, and of the wheels only some pairs do."""
    if not toolkit.WHY_NOT:
        return []
    return [
        Warning(
            f"SAML is switched off: its libraries do not work ({toolkit.WHY_NOT}).",
            hint="Install lxml and xmlsec as requirements.lock names them, with --only-binary lxml,xmlsec.",
            id="latchkey.W002",
        )
    ]


@register(Tags.security)
def saml_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Nobody looks into the file before the first message to an identity provider is signed."""
    if not (reason := keys.why_not()):
        return []
    return [
        Warning(
            f"SAML does not work: its key file {settings.SAML_KEY_FILE} cannot be used ({reason}).",
            hint="Put an RSA key in PEM and its certificate there. Or remove it: a new one is made, whose "
            "certificate the providers that check signatures have to be given.",
            id="latchkey.W003",
        )
    ]


@register(Tags.security, deploy=True)
def mail_server(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Invitations are mailed."""
    if settings.MAIL_IS_SENT:
        return []
    return [
        Warning(
            f"Invitations are not mailed: they are written to {settings.MAIL_DIR}.",
            hint="Set EMAIL_URL, like smtp+tls://user:password@mail.example.com:587, and MAIL_FROM.",
            id="latchkey.W004",
        )
    ]
