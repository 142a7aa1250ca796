"""The list of clients. Everything that it shows is in its address, so that it can be kept and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Count, F, Q
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts import drift
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.models import SubjectType
from accounts.permissions import Permission
from oauthclients import access_review, grant_types, presets, queries, usage_reports
from oauthclients.console import attention, charts, drifted, lists, rights, words
from oauthclients.models import Client, ClientState

PER_PAGE = 25
UNUSED_FOR = timedelta(days=90)
LONGEST_SEARCH = 200

STATES: Mapping[str, tuple[words.State, Q]] = {
    "active": (words.ACTIVE, Q(state=ClientState.ACTIVE, date_to_delete=None)),
    "disabled": (words.DISABLED, Q(state=ClientState.DISABLED, date_to_delete=None)),
    "inactive": (words.INACTIVE, Q(state=ClientState.INACTIVE, date_to_delete=None)),
    "pending": (words.PENDING, Q(date_to_delete__isnull=False)),
}
# Only the API makes clients inactive; an organization that has none is not offered the filter.
RARE_STATES = ("inactive",)
SORTS: Mapping[str, Any] = {
    "name": Lower("name"),
    "grant": F("authorization_grant_type"),
    "used": F("last_used_at"),
    "by": Lower("created_by_name"),
}


@dataclass(frozen=True)
class Wanted:
    """What the address asks for; anything that it cannot mean is dropped."""

    q: str = ""
    state: str = ""
    grant: str = ""
    unused: bool = False
    mine: bool = False
    drift: bool = False
    sort: str = "name"

    @classmethod
    def from_address(cls, parameters: Mapping[str, str]) -> Wanted:
        state, grant = parameters.get("state", ""), parameters.get("grant", "")
        sort = parameters.get("sort", "")
        return cls(
            # PostgreSQL refuses NUL in a text.
            q=parameters.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
            state=state if state in STATES else "",
            grant=grant if grant in grant_types.BY_CODE else "",
            unused=parameters.get("unused") == "1",
            mine=parameters.get("mine") == "1",
            drift=parameters.get("drift") == "1",
            sort=sort if sort.removeprefix("-") in SORTS else "name",
        )

    def address(self, **changes: Any) -> str:
        """The list with something changed, and from its first page unless a `page` is given."""
        page = changes.pop("page", None)
        asked = replace(self, **changes)
        parameters = {
            "q": asked.q,
            "state": asked.state,
            "grant": asked.grant,
            "unused": "1" if asked.unused else "",
            "mine": "1" if asked.mine else "",
            "drift": "1" if asked.drift else "",
            "sort": "" if asked.sort == "name" else asked.sort,
            "page": page or "",
        }
        query = urlencode({name: value for name, value in parameters.items() if value})
        return f"{reverse('oauth-clients')}?{query}" if query else reverse("oauth-clients")

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.state or self.grant or self.unused or self.mine or self.drift)

    def conditions(self, actor: Actor) -> dict[str, Q]:
        """By group, so that the counts of one group's filters can leave out that group."""
        return {
            "q": _matching(self.q),
            "state": STATES[self.state][1] if self.state else Q(),
            "grant": Q(authorization_grant_type=self.grant) if self.grant else Q(),
            "unused": _unused() if self.unused else Q(),
            "mine": _made_by(actor) if self.mine else Q(),
            "drift": _drifted(actor) if self.drift else Q(),
        }


@require_safe
@requires(Permission.OAUTH_CLIENT_VIEW)
def client_list(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    wanted = Wanted.from_address(request.GET.dict())
    counts = _counts(actor, wanted)
    found = queries.clients(actor.organization).filter(*wanted.conditions(actor).values())
    page = Paginator(found.order_by(*lists.order_by(SORTS, wanted.sort)), PER_PAGE).get_page(
        request.GET.get("page")
    )
    draft = attention.shown_draft(actor)
    may_add = bool(actor.access.decide(Permission.OAUTH_CLIENT_ADD))
    return render(
        request,
        "oauth/clients/list.html",
        {
            "breadcrumbs": [
                {"label": _("Admin"), "url": reverse("admin-home")},
                {"label": _("OAuth")},
            ],
            "may_add": may_add,
            "start_from": [
                {"label": preset.label, "url": f"{reverse('oauth-client-add')}?from={preset.id}"}
                for preset in presets.TEMPLATES
            ]
            if may_add
            else [],
            "draft": draft,
            "draft_name": attention.draft_name(draft) if draft else "",
            "any": counts["all"],
            "page": page,
            "rows": _rows(actor, page.object_list),
            "columns": _columns(wanted),
            "search": {"name": "q", "value": wanted.q, "label": _("Search clients")},
            "hidden": _kept_by_search(wanted),
            "groups": _groups(wanted, counts),
            "q": wanted.q,
            "clear_url": reverse("oauth-clients") if wanted.narrowed else "",
            "prev_url": wanted.address(page=page.previous_page_number()) if page.has_previous() else "",
            "next_url": wanted.address(page=page.next_page_number()) if page.has_next() else "",
        },
    )


def _matching(text: str) -> Q:
    if not text:
        return Q()
    return Q(name__icontains=text) | Q(description__icontains=text) | Q(client_id__istartswith=text.lower())


def _unused() -> Q:
    """Not used for 90 days, and old enough that it could have been."""
    return access_review.unused(timezone.now() - UNUSED_FOR)


def _drifted(actor: Actor) -> Q:
    """With a role that whoever gave it could not give any more (accounts/drift.py)."""
    found = drift.grants(actor.organization).filter(subject_type=SubjectType.CLIENT).order_by()
    return Q(id__in=found.values("subject_id"))


def _made_by(actor: Actor) -> Q:
    return Q(created_by_type=actor.type, created_by_id=actor.id)


def _counts(actor: Actor, wanted: Wanted) -> dict[str, int]:
    """How many clients each filter would show beside the other filters chosen: one statement."""
    conditions = wanted.conditions(actor)

    def beside(group: str, own: Q) -> Count:
        others = Q()
        for name, condition in conditions.items():
            if name != group:
                others &= condition
        return Count("id", filter=others & own)

    wanted_counts = {
        # None of these may be the name of a field.
        "all": Count("id"),
        "all_states": beside("state", Q()),
        "all_grants": beside("grant", Q()),
        "unused": beside("unused", _unused()),
        "mine": beside("mine", _made_by(actor)),
        **{f"state_{key}": beside("state", own) for key, (_state, own) in STATES.items()},
        **{
            f"grant_{number}": beside("grant", Q(authorization_grant_type=grant.code))
            for number, grant in enumerate(grant_types.GRANT_TYPES)
        },
    }
    return queries.clients(actor.organization).aggregate(**wanted_counts)


def _groups(wanted: Wanted, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    def link(label: Any, count: int | None, current: bool, **changes: Any) -> dict[str, Any]:
        return {"label": label, "url": wanted.address(**changes), "count": count, "current": current}

    return [
        {
            "label": _("State"),
            "filters": [
                link(_("All"), counts["all_states"], not wanted.state, state=""),
                *(
                    link(state.text, counts[f"state_{key}"], wanted.state == key, state=key)
                    for key, (state, _own) in STATES.items()
                    if key not in RARE_STATES or counts[f"state_{key}"] or wanted.state == key
                ),
            ],
        },
        {
            "label": _("Grant type"),
            "filters": [
                link(_("All"), counts["all_grants"], not wanted.grant, grant=""),
                *(
                    link(
                        grant.label, counts[f"grant_{number}"], wanted.grant == grant.code, grant=grant.code
                    )
                    for number, grant in enumerate(grant_types.GRANT_TYPES)
                ),
            ],
        },
        {
            "label": _("Only"),
            "filters": [
                # Chosen once more, each is taken away again.
                link(_("Unused for 90 days"), counts["unused"], wanted.unused, unused=not wanted.unused),
                link(_("Created by me"), counts["mine"], wanted.mine, mine=not wanted.mine),
                # To find them all looks at what everybody holds, so it is offered on Admin home alone.
                *([link(_("Review roles"), None, True, drift=False)] if wanted.drift else []),
            ],
        },
    ]


def _kept_by_search(wanted: Wanted) -> list[dict[str, str]]:
    kept = {
        "state": wanted.state,
        "grant": wanted.grant,
        "unused": "1" if wanted.unused else "",
        "mine": "1" if wanted.mine else "",
        "drift": "1" if wanted.drift else "",
        "sort": "" if wanted.sort == "name" else wanted.sort,
    }
    return [{"name": name, "value": value} for name, value in kept.items() if value]


def _columns(wanted: Wanted) -> list[dict[str, Any]]:
    def column(label: str, key: str = "") -> dict[str, Any]:
        if not key:
            return {"label": label}
        up, down = wanted.sort == key, wanted.sort == f"-{key}"
        return {
            "label": label,
            "sort": "ascending" if up else "descending" if down else "",
            "sort_url": wanted.address(sort=f"-{key}" if up else key),
        }

    return [
        column(_("App Name"), "name"),
        column(_("Client ID")),
        column(_("Grant type"), "grant"),
        column(_("State")),
        column(_("Last used"), "used"),
        column(_("Created by"), "by"),
        {"label": _("Actions"), "hidden": True},
    ]


def _rows(actor: Actor, clients: Any) -> list[dict[str, Any]]:
    page: list[Client] = list(clients)
    allowed = rights.of_many(actor, page)
    unsettled = drifted.among(actor.organization, [client.id for client in page])
    days = usage_reports.days_up_to(timezone.now().date(), usage_reports.USUAL_RANGE)
    requests = usage_reports.daily_requests(actor.organization.id, [client.id for client in page], days)
    return [
        {
            "client": client,
            "grant": words.grant_type(client).label,
            "state": words.state(client),
            "drifted": client.id in unsettled,
            "sparkline": _sparkline(requests.get(client.id)),
            "entries": rights.entries(client, allowed[client.id]),
        }
        for client in page
    ]


def _sparkline(requests: list[int] | None) -> dict[str, Any] | None:
    """None where there is nothing to draw."""
    if requests is None:
        return None
    count = sum(requests)
    label = ngettext("%(n)s request in the last 30 days", "%(n)s requests in the last 30 days", count) % {
        "n": words.number(count)
    }
    return charts.small(requests, label)
