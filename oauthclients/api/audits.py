"""`/audits/query/realtime`: the audit trail for programs, as the vendor's `AuditApi` asks for it
(PureCloudPlatformClientV2, `AuditRealtimeQueryRequest`). Services and kinds of entities have the vendor's
names as far as it has them; actions are ours (accounts/audit.py)."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit, queries
from accounts.actor import ActorType
from accounts.audit import Kind
from accounts.models import AuditEvent
from accounts.permissions import Permission
from oauthclients.api import shapes
from oauthclients.api.paging import LARGEST
from oauthclients.api.params import Body, one_of
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import requires

SCOPES = ("audits:readonly",)
# As the vendor: what is older, or longer, is for the console's download.
LONGEST = timedelta(days=14)
# So many lines of an answer can be paged through; the rest is found by a shorter interval.
FARTHEST = 10_000
# All of them are met by one line, so that a question with more of them has no use.
MOST_FILTERS = 20

DIRECTORY, PERMISSIONS = "Directory", "PeoplePermissions"
# The service and the entity type of each kind.
NAMES: Mapping[str, tuple[str, str]] = {
    Kind.CLIENT: (PERMISSIONS, "OAuthClient"),
    Kind.DIVISION: (PERMISSIONS, "Division"),
    Kind.GROUP: (DIRECTORY, "Group"),
    Kind.PROVIDER: (PERMISSIONS, "IdentityProvider"),
    Kind.ORGANIZATION: (DIRECTORY, "Organization"),
    Kind.ROLE: (PERMISSIONS, "Role"),
    Kind.USER: (DIRECTORY, "User"),
}
_PROPERTIES = ("UserId", "ClientId", "Action", "EntityType", "EntityId")


class RealtimeQuery(ApiView):
    @requires(Permission.AUDITS_AUDIT_VIEW, scopes=SCOPES)
    def post(self, request: Request) -> Response:
        body = Body(request.data)
        size, number = _whole(body, "pageSize", 25, LARGEST), _whole(body, "pageNumber", 1, FARTHEST)
        if not body.problems.found and size * number > FARTHEST:
            body.problems.add(
                "pageNumber",
                "invalid.value",
                _("Only the first %(most)s entries can be read. Shorten the interval.")
                % {"most": FARTHEST},
            )
        rows = _filtered(
            _of_interval(AuditEvent.objects.filter(organization_id=self.organization.id), body), body
        )
        backwards = _order(body)
        body.check()
        ordered = rows.order_by("-at", "-id") if backwards else rows.order_by("at", "id")
        page = list(ordered[(number - 1) * size : number * size])
        total = rows.count()
        return Response(
            {
                "entities": [message(line) for line in page],
                "pageSize": size,
                "pageNumber": number,
                "total": total,
                "pageCount": math.ceil(total / size),
            }
        )


class ServiceMapping(ApiView):
    @requires(Permission.AUDITS_AUDIT_VIEW, scopes=SCOPES)
    def get(self, request: Request) -> Response:
        """Which services, entities and actions there are to ask for."""
        actions: dict[tuple[str, str], list[str]] = {}
        for action in audit.Action:
            actions.setdefault(NAMES[audit.kind_of(action)], []).append(action)
        return Response(
            {
                "services": [
                    {
                        "name": service,
                        "entities": [
                            {"name": entity, "actions": actions[service, entity]}
                            for name, entity in sorted(NAMES.values())
                            if name == service
                        ],
                    }
                    for service in (DIRECTORY, PERMISSIONS)
                ]
            }
        )


def _whole(body: Body, name: str, default: int, most: int) -> int:
    value = body.whole(name)
    if value is None:
        return default
    if not 1 <= value <= most:
        body.problems.add(
            name,
            "invalid.value",
            _("“%(field)s” must be from %(least)s to %(most)s.")
            % {"field": name, "least": 1, "most": most},
        )
        return default
    return value


def _of_interval(rows: QuerySet[AuditEvent], body: Body) -> QuerySet[AuditEvent]:
    """`interval` is required: ISO 8601, two moments with a slash between; the end is not included."""
    text = body.text("interval")
    if text is None:
        if not body.problems.found:
            body.problems.add("interval", "invalid.value", _("“interval” is required."))
        return rows
    begin, _slash, end = text.partition("/")
    since, until = _moment(begin), _moment(end)
    if since is None or until is None:
        body.problems.add(
            "interval",
            "invalid.date",
            _("“interval” must be like 2026-11-20T00:00:00Z/2026-11-21T00:00:00Z."),
        )
        return rows
    if not timedelta(0) < until - since <= LONGEST:
        body.problems.add(
            "interval",
            "invalid.date",
            _("“interval” must end after it begins, and be of at most %(days)s days.")
            % {"days": LONGEST.days},
        )
        return rows
    return rows.filter(at__gte=since, at__lt=until)


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC) if found else None
    except (ValueError, OverflowError):
        return None


def _filtered(rows: QuerySet[AuditEvent], body: Body) -> QuerySet[AuditEvent]:
    """All of the filters must be met; an ID of nobody, or an action that there is not, finds nothing."""
    service = body.text("serviceName")
    if service is not None:
        known = one_of("serviceName", service, (DIRECTORY, PERMISSIONS))
        rows = rows.filter(
            entity_type__in=[kind for kind, (name, _entity) in NAMES.items() if name == known]
        )
    for entry in body.entries("filters", most=MOST_FILTERS) or ():
        one = Body(entry)
        name, value = one.text("property"), one.text("value")
        one.check()
        rows = _held_to(rows, one_of("property", name or "", _PROPERTIES), value or "")
    return rows


def _held_to(rows: QuerySet[AuditEvent], name: str, value: str) -> QuerySet[AuditEvent]:
    if name == "Action":
        return rows.filter(action=value)
    if name == "EntityType":
        kinds = [kind for kind, (_service, entity) in NAMES.items() if entity.lower() == value.lower()]
        return rows.filter(entity_type__in=kinds)
    key = queries.as_uuid(value)
    if key is None:
        return rows.none()
    if name == "EntityId":
        return rows.filter(entity_id=key)
    if name == "UserId":
        return rows.filter(actor_id=key, actor_type=ActorType.USER)
    return rows.filter(Q(via_id=key) | Q(actor_id=key, actor_type=ActorType.CLIENT))


def _order(body: Body) -> bool:
    """Whether the newest come first, which is so unless `sort` says otherwise."""
    for entry in body.entries("sort") or ():
        one = Body(entry)
        name, way = one.text("name"), one.text("sortOrder")
        one.check()
        one_of("name", name or "Timestamp", ("Timestamp",))
        return one_of("sortOrder", way or "descending", ("ascending", "descending")) == "descending"
    return True


def message(line: AuditEvent) -> dict[str, Any]:
    """`AuditLogMessage`."""
    service, entity = NAMES.get(line.entity_type, (PERMISSIONS, line.entity_type))
    shape: dict[str, Any] = {
        "id": str(line.id),
        "userHomeOrgId": str(line.organization_id),
        "serviceName": service,
        "level": "SYSTEM" if line.actor_type == ActorType.SYSTEM else "USER",
        "eventDate": shapes.date(line.at),
        "message": {"message": f"{line.actor_name}: {audit.SENTENCES.get(line.action, line.action)}"},
        "action": line.action,
        "entity": {"id": line.entity_id and str(line.entity_id), "name": line.entity_name},
        "entityType": entity,
        "status": "FAILURE" if line.action in audit.REFUSALS else "SUCCESS",
        "remoteIp": [line.address] if line.address else [],
        "propertyChanges": [
            {"property": name, "oldValues": _values(before), "newValues": _values(after)}
            for name in dict.fromkeys([*line.before, *line.after])
            if (before := line.before.get(name)) != (after := line.after.get(name))
        ],
        "context": {
            name: value
            for name, value in (
                ("requestId", line.request_id and str(line.request_id)),
                ("userAgent", line.user_agent),
            )
            if value
        },
    }
    if line.actor_type == ActorType.USER:
        shape["user"] = {"id": line.actor_id and str(line.actor_id), "name": line.actor_name}
    client_id: uuid.UUID | None = line.actor_id if line.actor_type == ActorType.CLIENT else line.via_id
    if client_id is not None:
        shape["client"] = {"id": str(client_id), "selfUri": f"/api/v2/oauth/clients/{client_id}"}
        shape["application"] = line.actor_name if line.actor_type == ActorType.CLIENT else line.via_name
    return shape


def _values(value: Any) -> list[str]:
    """Texts, as the wire has them."""
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    return [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in values]
