"""Changing the inactivity timeout of an organization: its setting, and the tokens that are dead by then."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from oauth2_provider.models import AbstractAccessToken, get_access_token_model, get_refresh_token_model

from accounts import locks
from accounts.actor import Actor
from accounts.models import Organization
from accounts.permissions import Permission
from accounts.services import organization as organizations
from oauthclients.models import TokenFamily
from oauthclients.services import tokens


def set_timeout(
    *,
    actor: Actor,
    enabled: bool | None = None,
    seconds: int | None = None,
    version: int | None = None,
) -> Organization:
    """`accounts.services.organization.set_idle_timeout`, which decides and records. What has died of the
    limit so far ends for good: a longer one, or none, wakes nothing."""
    actor.require(Permission.DIRECTORY_ORGANIZATION_ADMIN)
    with transaction.atomic():
        _end_idle(locks.organization(actor.organization), timezone.now())
        return organizations.set_idle_timeout(
            actor=actor, enabled=enabled, seconds=seconds, version=version
        )


def tokens_of(organization: Organization) -> QuerySet[AbstractAccessToken]:
    """Those that live or have lived by this organization's clock: of its people and of its own clients."""
    rows: QuerySet[AbstractAccessToken] = get_access_token_model().objects.filter(
        Q(user__organization=organization) | Q(user=None, application__organization=organization)
    )
    return rows


def unused_since(organization: Organization, now: datetime) -> datetime | None:
    """What was last used at this moment or before is dead; None where nothing can be yet."""
    limit = organization.idle_limit
    if limit is None or (organization.idle_since is not None and organization.idle_since > now - limit):
        return None
    return now - limit


def _end_idle(organization: Organization, now: datetime) -> None:
    cutoff = unused_since(organization, now)
    if cutoff is None:
        return
    # A family's clock is that of its latest access token or, where that is gone, of its refresh token.
    for family in (
        TokenFamily.objects.filter(consent__user__organization=organization, ended_at=None)
        .filter(started_at__lte=cutoff)
        .exclude(tokens__token__updated__gt=cutoff)
        .exclude(
            id__in=get_refresh_token_model()
            .objects.filter(user__organization=organization, access_token=None, created__gt=cutoff)
            .values("token_family")
        )
        .order_by("consent_id")
    ):
        tokens.end_family(family)
    dead = tokens_of(organization).filter(updated__lte=cutoff)
    get_refresh_token_model().objects.filter(access_token__in=dead).delete()
    dead.delete()
