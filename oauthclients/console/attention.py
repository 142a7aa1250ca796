"""What somebody should look at before it happens by itself: the list at the top of Admin home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import drift
from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.models import SubjectType
from accounts.permissions import Permission
from accounts.rules import provider_spec
from accounts.rules.provider_spec import Certificate
from oauthclients import queries
from oauthclients.console import drifted, words
from oauthclients.models import ClientDraft, ClientSecret

SOON = timedelta(hours=48)
CERTIFICATES_SOON = timedelta(days=30)
# Of each kind; the OAuth list shows all.
MOST = 5


@dataclass(frozen=True)
class Item:
    """`text` says what, `when` is the time it is about, if any, before which `when_label` stands."""

    text: str
    when_label: str
    when: datetime | None
    url: str
    link_label: str
    discard_url: str = ""


def items(actor: Actor) -> list[Item]:
    """Only what this person may see."""
    found = [*_draft(actor)]
    if actor.access.decide(Permission.OAUTH_CLIENT_VIEW):
        found += [*_ending_secrets(actor), *_pending_deletion(actor)]
    if actor.access.decide(Permission.OAUTH_CLIENT_AUTHORIZE):
        found += _awaiting(actor)
    if actor.access.decide(Permission.SSO_PROVIDER_VIEW):
        found += _ending_certificates(actor)
    return [*found, *_drifted(actor)]


def draft_name(draft: ClientDraft) -> str:
    """What the draft's client is to be called, as far as it has a name yet."""
    name = draft.data.get("details", {}).get("name", "")
    return str(name).strip()


def shown_draft(actor: Actor) -> ClientDraft | None:
    """The unfinished client of somebody who may finish it; not one that nothing was typed into."""
    if not actor.access.decide(Permission.OAUTH_CLIENT_ADD):
        return None
    draft = queries.unfinished_draft(actor)
    return draft if draft is not None and draft.data else None


def _draft(actor: Actor) -> Iterator[Item]:
    draft = shown_draft(actor)
    if draft is not None:
        name = draft_name(draft)
        yield Item(
            text=_("Unfinished client ‘%(name)s’") % {"name": name} if name else _("Unfinished client"),
            when_label=_("saved"),
            when=draft.saved_at,
            url=reverse("oauth-client-add"),
            link_label=_("Resume"),
            discard_url=reverse("oauth-client-add-discard", args=[draft.id]),
        )


def _ending_secrets(actor: Actor) -> Iterator[Item]:
    now = timezone.now()
    ending = (
        ClientSecret.objects.filter(
            client__in=queries.clients(actor.organization), ends_at__gt=now, ends_at__lte=now + SOON
        )
        .select_related("client")
        .order_by("ends_at")
    )
    for secret in ending[:MOST]:
        yield Item(
            text=_("An old secret of ‘%(name)s’ stops working") % {"name": secret.client.name},
            when_label="",
            when=secret.ends_at or now,
            url=reverse("oauth-client", args=[secret.client_id]),
            link_label=_("Open"),
        )


def _pending_deletion(actor: Actor) -> Iterator[Item]:
    pending = queries.clients(actor.organization).filter(date_to_delete__isnull=False)
    for client in pending.order_by("date_to_delete")[:MOST]:
        assert client.date_to_delete is not None
        yield Item(
            text=_("‘%(name)s’ will be removed") % {"name": client.name},
            when_label="",
            when=client.date_to_delete,
            url=reverse("oauth-client", args=[client.id]),
            link_label=_("Open"),
        )


def _awaiting(actor: Actor) -> Iterator[Item]:
    """Who waits longest comes first."""
    waiting = queries.authorizations(actor.organization).filter(queries.WAITING)
    for row in waiting.order_by("requested_at", "created_at")[:MOST]:
        yield Item(
            text=_("‘%(name)s’ awaits authorization") % {"name": row.client.name},
            when_label=_("asked"),
            when=row.requested_at or row.created_at,
            url=reverse("authorized-application", args=[row.client_id]),
            link_label=_("Review"),
        )


def _ending_certificates(actor: Actor) -> list[Item]:
    """Of each provider that is on: the end of a certificate, or that none is valid now."""
    now = timezone.now()
    found = []
    for provider in account_queries.providers(actor.organization).filter(enabled=True):
        said = _said_of(provider_spec.certificates_of(provider.certificates), now)
        if said is not None:
            text, when_label, when = said
            item = Item(
                text=text % {"name": provider.name},
                when_label=when_label,
                when=when,
                url=reverse("single-sign-on-provider", args=[provider.id]),
                link_label=_("Open"),
            )
            found.append((when, item))
    return [item for _when, item in sorted(found, key=lambda pair: pair[0])[:MOST]]


def _said_of(certificates: list[Certificate], now: datetime) -> tuple[str, str, datetime] | None:
    """Text, label and time of what is to be said; None for nothing."""
    in_use = [one for one in certificates if one.current(now)]
    later = [one for one in certificates if one.begins_at > now]
    if not in_use:
        none = _("‘%(name)s’ has no certificate that is valid now, so nothing that it says is believed;")
        if later:
            return none, _("one begins"), min(one.begins_at for one in later)
        return none, _("one ended"), max((one.ends_at for one in certificates), default=now)
    first = min(one.ends_at for one in in_use)
    if first > now + CERTIFICATES_SOON:
        return None
    if len(in_use) + len(later) == 1:
        return _("The only certificate of ‘%(name)s’ ends"), "", first
    return _("A certificate of ‘%(name)s’ ends"), "", first


def _drifted(actor: Actor) -> Iterator[Item]:
    """Clients and people with a role that whoever gave it could not give any more (accounts/drift.py): how
    many of those whom this person may see."""
    sees_clients = bool(actor.access.decide(Permission.OAUTH_CLIENT_VIEW))
    where = drifted.people_seen(actor)
    if not sees_clients and not where:
        return
    found = drift.grants(actor.organization).order_by()
    if sees_clients:
        clients = found.filter(subject_type=SubjectType.CLIENT).values("subject_id")
        count = queries.clients(actor.organization).filter(id__in=clients).count()
        if count:
            text = ngettext(
                "%(n)s client holds a role that whoever gave it no longer holds",
                "%(n)s clients hold a role that whoever gave it no longer holds",
                count,
            )
            yield _to_settle(text, count, f"{reverse('oauth-clients')}?drift=1")
    if where:
        people = found.filter(subject_type=SubjectType.USER).values("subject_id")
        count = account_queries.people_in(actor.organization, where).filter(id__in=people).count()
        if count:
            text = ngettext(
                "%(n)s person holds a role that whoever gave it could no longer give",
                "%(n)s people hold a role that whoever gave it could no longer give",
                count,
            )
            yield _to_settle(text, count, f"{reverse('people')}?drift=1")


def _to_settle(text: str, count: int, url: str) -> Item:
    return Item(
        text=text % {"n": words.number(count)}, when_label="", when=None, url=url, link_label=_("Review")
    )
