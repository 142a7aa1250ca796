"""The lines of the audit log's filter as a file: CSV for a spreadsheet, JSON for a program.

Lines are read and sent a thousand at a time, however many there are. Whoever takes them away leaves a line
of the trail; reading the page leaves none.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from accounts import audit, trail
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.console.spreadsheet import BOM, harmless
from accounts.models import AuditEvent
from accounts.permissions import Permission
from oauthclients.console import audit_words
from oauthclients.console.audit_filter import Wanted, named
from oauthclients.console.audit_log import with_named

# The columns, whatever the language: programs read them.
COLUMNS = (
    "time",
    "who",
    "whoId",
    "whoType",
    "through",
    "throughId",
    "action",
    "sentence",
    "kind",
    "entity",
    "entityId",
    "before",
    "after",
    "address",
    "userAgent",
    "requestId",
    "id",
)

Row = Mapping[str, Any]


@require_GET
@requires(Permission.AUDITS_AUDIT_VIEW)
def lines_csv(request: HttpRequest) -> HttpResponse:
    return _download(request, "csv", "text/csv; charset=utf-8", _csv)


@require_GET
@requires(Permission.AUDITS_AUDIT_VIEW)
def lines_json(request: HttpRequest) -> HttpResponse:
    return _download(request, "json", "application/json", _json)


def _download(
    request: HttpRequest, form: str, content_type: str, written: Callable[[Iterable[Row]], Iterator[str]]
) -> HttpResponse:
    actor = actor_of(request)
    wanted = Wanted.from_address(request.GET.dict())
    meant = with_named(wanted, named(actor, wanted.name)) if wanted.name else wanted
    if meant.errors or meant.name:
        return redirect(wanted.address())  # which says what is wrong
    now = timezone.now()
    lines = trail.within(meant.lines(), until=now)
    _record(actor, form, meant.lines())
    rows = _rows(trail.every(actor.organization, lines), get_language())
    response = StreamingHttpResponse(written(rows), content_type=content_type)
    name = f"audit-{actor.organization.short_name}-{now:%Y%m%d-%H%M%S}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return cast(HttpResponse, response)  # Django's two kinds have only a base in common


def _record(actor: Actor, form: str, lines: trail.Filter) -> None:
    audit.record(
        actor,
        audit.Action.AUDIT_EXPORTED,
        entity_type=audit.Kind.ORGANIZATION,
        entity_id=actor.organization.id,
        entity_name=actor.organization.name,
        after={"format": form, **trail.described(lines)},
    )


def _rows(lines: Iterable[AuditEvent], language: str | None) -> Iterator[Row]:
    """The sentences in the language of whoever asked: it is another moment when they are written."""
    for line in lines:
        with translation.override(language):
            sentence = audit_words.sentence(line.action)
        yield {
            "time": line.at.isoformat(),
            "who": line.actor_name,
            "whoId": line.actor_id and str(line.actor_id),
            "whoType": line.actor_type,
            "through": line.via_name,
            "throughId": line.via_id and str(line.via_id),
            "action": line.action,
            "sentence": sentence,
            "kind": line.entity_type,
            "entity": line.entity_name,
            "entityId": line.entity_id and str(line.entity_id),
            "before": line.before,
            "after": line.after,
            "address": line.address,
            "userAgent": line.user_agent,
            "requestId": line.request_id and str(line.request_id),
            "id": str(line.id),
        }


class _Line:
    """What `csv.writer` writes to: it answers what it is given."""

    def write(self, text: str) -> str:
        return text


def _csv(rows: Iterable[Row]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield BOM + writer.writerow(COLUMNS)
    for row in rows:
        yield writer.writerow([cell(row[name]) for name in COLUMNS])


def cell(value: Any) -> str:
    """As text that no spreadsheet computes: what it could take for a formula begins with an apostrophe."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return harmless(text)


def _json(rows: Iterable[Row]) -> Iterator[str]:
    """One list, with a line of the file for each of the trail."""
    before = "[\n"
    for row in rows:
        yield before + json.dumps(row, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"
