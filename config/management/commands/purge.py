"""`manage.py purge`: removes what has ended. Readers already ignore all of it; this frees the space."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts.actor import system
from accounts.models import Organization, ProviderSession, ProviderSignIn, UsedAssertion
from oauthclients.models import ClientDraft, ClientSecret, TokenFamily
from oauthclients.queries import DRAFTS_LIVE
from oauthclients.services import clients

BATCH = 1_000
# How long a code or refresh token of a family that was ended is still told from one that never was.
KEPT_AFTER_END = timedelta(days=7)
# A sign-in at a provider is over after minutes; its row may help somebody who asks what went wrong.
KEPT_SIGN_IN = timedelta(days=1)


class Command(BaseCommand):
    help = "Removes expired tokens, secrets, sessions and drafts, and the clients whose deletion is due."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        counts = {
            # A family that is over first: its row was kept to recognise what turns up again.
            "sign-ins of apps": self.delete(
                TokenFamily.objects.filter(
                    Q(ends_at__lte=now) | Q(ended_at__lte=now - KEPT_AFTER_END)
                ).exclude(tokens__token__expires__gt=now)
            ),
            "codes": self.delete(get_grant_model().objects.filter(expires__lte=now)),
            "refresh tokens": self.delete(
                get_refresh_token_model().objects.exclude(token_family__in=TokenFamily.objects.values("id"))
            ),
            # Not one that can still be refreshed: its clock says whether it has been idle.
            "tokens": self.delete(
                get_access_token_model()
                .objects.filter(expires__lte=now)
                .exclude(refresh_token__revoked=None, refresh_token__isnull=False)
            ),
            "secrets": self.delete(ClientSecret.objects.filter(ends_at__lte=now)),
            "assertions": self.delete(UsedAssertion.objects.filter(ends_at__lte=now)),
            "sign-ins at providers": self.delete(
                ProviderSignIn.objects.filter(started_at__lte=now - KEPT_SIGN_IN)
            ),
            "sessions": self.delete(Session.objects.filter(expire_date__lte=now)),
            # After the sessions, which may have ended just now.
            "sessions of providers": self.delete(
                ProviderSession.objects.exclude(key__in=Session.objects.values("session_key"))
            ),
            "failed sign-ins": self.delete(
                AccessAttempt.objects.filter(attempt_time__lte=now - settings.AXES_COOLOFF_TIME)
            ),
            "drafts": self.delete(ClientDraft.objects.filter(saved_at__lte=now - DRAFTS_LIVE)),
            "clients": sum(
                clients.purge_due(actor=system(organization)) for organization in Organization.objects.all()
            ),
        }
        if options["verbosity"]:
            for what, count in counts.items():
                self.stdout.write(f"{what}: {count} removed\n")

    def delete(self, rows: QuerySet[Any]) -> int:
        """In short transactions, so that nobody waits long for the write lock."""
        total = 0
        while True:
            with transaction.atomic():
                keys = list(rows.order_by().values_list("pk", flat=True)[:BATCH])
                rows.model._default_manager.filter(pk__in=keys).delete()
            total += len(keys)
            if len(keys) < BATCH:
                return total
