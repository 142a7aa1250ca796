"""What is held and not used, for whoever reviews access. Reads only: nothing is taken from anybody here.

"Used" is what was noted of calls that were answered (models/usage.py `UsedAccess`). Of something that was
not watched for as long as is looked back, nothing is said.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, UUIDField, Value
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, Organization, RoleGrant, SubjectType
from oauthclients import queries, scopes
from oauthclients.grant_types import CLIENT_CREDENTIALS
from oauthclients.models import (
    NOTHING,
    AuthorizationState,
    Client,
    ClientAuthorization,
    ClientSecret,
    ClientState,
    UsedAccess,
)
from oauthclients.rules.unused import Seen


@dataclass(frozen=True)
class Looked:
    """How far back is looked."""

    organization: Organization
    today: date
    days: int

    @property
    def first(self) -> date:
        """What was not used since this day is unused."""
        return self.today - timedelta(days=self.days)

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)


def look(organization: Organization, days: int) -> Looked:
    return Looked(organization, timezone.now().date(), days)


# --- Roles and divisions of clients --------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    grant: RoleGrant
    seen: Seen


@dataclass
class ClientAccess:
    """What a client holds, by whether it was used. `elsewhere` is the last day on which a service was told
    what a token of it may do: what the service went by is not known, so that nothing here is certain."""

    client: Client
    unused: list[Pair] = field(default_factory=list)
    used: list[Pair] = field(default_factory=list)
    too_young: list[Pair] = field(default_factory=list)
    elsewhere: date | None = None

    @property
    def count(self) -> int:
        return len(self.unused) + len(self.used) + len(self.too_young)


def clients_with_unused_access(looked: Looked) -> QuerySet[Client]:
    """Clients that are in use, and hold a pair that is not; by name. Those that are not in use at all are
    `unused_clients`."""
    noted = UsedAccess.objects.filter(
        organization_id=looked.organization.id,
        client_id=OuterRef("subject_id"),
        role_id=OuterRef("role_id"),
        division_id=Coalesce(OuterRef("division_id"), Value(NOTHING, UUIDField())),
        last_day__gte=looked.first,
    )
    unused = RoleGrant.objects.filter(
        ~Exists(noted),
        organization=looked.organization,
        subject_id=OuterRef("pk"),
        # On the first day or before.
        granted_at__lt=looked.since + timedelta(days=1),
    )
    return (
        _in_use(looked)
        .filter(use_noted_since__lte=looked.first, last_used_at__gte=looked.since)
        .filter(Exists(unused))
        .order_by(Lower("name"), "id")
    )


def too_young(looked: Looked) -> int:
    """How many clients were not watched for long enough."""
    return _in_use(looked).filter(use_noted_since__gt=looked.first).count()


def _in_use(looked: Looked) -> QuerySet[Client]:
    return (
        queries.clients(looked.organization)
        .filter(authorization_grant_type=CLIENT_CREDENTIALS.code, date_to_delete=None)
        .exclude(state=ClientState.DISABLED)
    )


def access_of(looked: Looked, clients: Iterable[Client]) -> list[ClientAccess]:
    """What each of these clients holds: two statements for all of them."""
    found = {client.id: ClientAccess(client) for client in clients}
    last_days: dict[tuple[uuid.UUID, uuid.UUID, uuid.UUID], date] = {}
    for row in UsedAccess.objects.filter(
        organization_id=looked.organization.id, client_id__in=list(found), scope=""
    ):
        if row.role_id == NOTHING:
            found[row.client_id].elsewhere = row.last_day
        last_days[row.client_id, row.role_id, row.division_id] = row.last_day
    grants = RoleGrant.objects.filter(organization=looked.organization, subject_id__in=list(found))
    for grant in grants.select_related("role", "division").order_by("role__name", "division__name", "id"):
        one = found[grant.subject_id]
        seen = Seen(
            last_days.get((grant.subject_id, grant.role_id, grant.division_id or NOTHING)),
            max(one.client.use_noted_since, grant.granted_at.astimezone(UTC).date()),
        )
        _among(one, seen, looked).append(Pair(grant, seen))
    return list(found.values())


def _among(one: ClientAccess, seen: Seen, looked: Looked) -> list[Pair]:
    if seen.unused(looked.today, looked.days):
        return one.unused
    return one.too_young if seen.too_young(looked.today, looked.days) else one.used


# --- Scopes of apps ------------------------------------------------------------------------------


@dataclass(frozen=True)
class UnusedScope:
    """`read_only` is set where reading was used and changing was not: `users:readonly` would do."""

    name: str
    seen: Seen
    read_only: str = ""


@dataclass
class AppAccess:
    authorization: ClientAuthorization
    unused: list[UnusedScope] = field(default_factory=list)
    used: int = 0
    too_young: int = 0
    elsewhere: date | None = None


def apps_with_unused_scopes(looked: Looked) -> list[AppAccess]:
    """The apps that the organization has authorized for a scope that they do not use here, by name: three
    statements, for there are few apps. An app that nobody uses at all has all of its scopes here."""
    rows = [
        row
        for row in queries.authorizations(looked.organization).filter(state=AuthorizationState.AUTHORIZED)
        if row.client.date_to_delete is None
    ]
    ids = [row.client_id for row in rows]
    last_days: dict[uuid.UUID, dict[str, date]] = defaultdict(dict)
    for use in UsedAccess.objects.filter(
        organization_id=looked.organization.id, client_id__in=ids, role_id=NOTHING
    ):
        last_days[use.client_id][use.scope] = use.last_day
    since = _authorized_since(looked, ids)
    found = []
    for row in rows:
        app = AppAccess(row, elsewhere=last_days[row.client_id].get(""))
        for name in scopes.meet(row.scope, row.client.scope):
            _sort_scope(app, name, last_days[row.client_id], since[row.client_id], looked)
        if app.unused:
            found.append(app)
    return sorted(found, key=lambda app: (app.authorization.client.name.casefold(), app.authorization.id))


def _sort_scope(
    app: AppAccess, name: str, last_days: dict[str, date], since: dict[str, date], looked: Looked
) -> None:
    row = app.authorization
    noted_since = max(
        row.client.use_noted_since,
        since.get(name, looked.first if _trail_is_whole(looked) else _day(row.modified_at)),
        _day(row.not_before or row.created_at),
    )
    seen = Seen(last_days.get(name), noted_since)
    if not seen.unused(looked.today, looked.days):
        if seen.too_young(looked.today, looked.days):
            app.too_young += 1
        else:
            app.used += 1
        return
    twin = f"{name}:readonly"
    read = Seen(last_days.get(twin), noted_since)
    only_read = twin in scopes.CATALOGUE and not read.unused(looked.today, looked.days)
    app.unused.append(UnusedScope(name, seen, twin if only_read else ""))


def _authorized_since(looked: Looked, client_ids: list[uuid.UUID]) -> dict[uuid.UUID, dict[str, date]]:
    """When scopes were authorized that were so within the time looked at, by the audit trail."""
    found: dict[uuid.UUID, dict[str, date]] = defaultdict(dict)
    events = AuditEvent.objects.filter(
        organization_id=looked.organization.id,
        entity_id__in=client_ids,
        at__gte=looked.since,
        action__in=(audit.Action.APP_APPROVED, audit.Action.APP_AUTHORIZATION_EDITED),
    )
    for event in events.order_by("at"):
        assert event.entity_id is not None
        before: Any = event.before if isinstance(event.before, dict) else {}
        after: Any = event.after if isinstance(event.after, dict) else {}
        for name in scopes.not_covered(after.get("scope") or [], before.get("scope") or []):
            found[event.entity_id][name] = _day(event.at)
    return found


def _trail_is_whole(looked: Looked) -> bool:
    kept: int = settings.AUDIT_RETENTION_DAYS
    return not kept or kept >= looked.days


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


# --- Clients, pairs and secrets ------------------------------------------------------------------


def unused(since: datetime) -> Q:
    """Clients that were not used since then, and are old enough that they could have been."""
    return Q(last_used_at__lt=since) | Q(last_used_at=None, created__lt=since)


def unused_clients(looked: Looked) -> QuerySet[Client]:
    """Those unused for so long, the one that was used longest ago first; not what waits for its removal."""
    found = queries.clients(looked.organization).filter(unused(looked.since), date_to_delete=None)
    return found.order_by(Coalesce("last_used_at", "created"), "id")


def ending_secrets(organization: Organization) -> QuerySet[ClientSecret]:
    """Old secrets that still work, the one that ends first at the top."""
    return (
        ClientSecret.objects.filter(client__in=queries.clients(organization), ends_at__gt=timezone.now())
        .select_related("client")
        .order_by("ends_at", "id")
    )


def pairs_among(grants: QuerySet[RoleGrant], people: QuerySet[Any], clients: QuerySet[Client]) -> Any:
    """Those of the grants that these people and clients hold."""
    return grants.filter(
        Q(subject_type=SubjectType.CLIENT, subject_id__in=clients.order_by().values("id"))
        | Q(subject_type=SubjectType.USER, subject_id__in=people.order_by().values("id"))
    )
