"""Admin > People and Permissions > Divisions: the list, with those that were deleted. Its questions are in
divisions_questions.py."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import queries
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.models import Division, RoleGrant, SubjectType, User, UserState
from accounts.permissions import Permission

PER_PAGE = 25
LONGEST_SEARCH = 200
# Of the deleted ones, the last.
DELETED_SHOWN = 25


@dataclass(frozen=True)
class Row:
    """A division in the list: how many people sit in it, and who holds a role in it and not everywhere."""

    division: Division
    objects: int = 0
    people: int = 0
    clients: int = 0


SORTS: Mapping[str, Callable[[Row], Any]] = {
    # Home comes first, whichever way.
    "name": lambda row: "",
    "objects": lambda row: row.objects,
    "people": lambda row: row.people,
    "clients": lambda row: row.clients,
}


@dataclass(frozen=True)
class Wanted:
    """What the address asks for; anything that it cannot mean is dropped."""

    q: str = ""
    sort: str = "name"

    @classmethod
    def from_address(cls, parameters: Mapping[str, str]) -> Wanted:
        sort = parameters.get("sort", "")
        return cls(
            q=parameters.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
            sort=sort if sort.removeprefix("-") in SORTS else "name",
        )

    def address(self, **changes: Any) -> str:
        """The list with something changed, and from its first page unless a `page` is given."""
        page = changes.pop("page", None)
        asked = replace(self, **changes)
        parameters = {
            "q": asked.q,
            "sort": "" if asked.sort == "name" else asked.sort,
            "page": page or "",
        }
        query = urlencode({name: value for name, value in parameters.items() if value})
        return f"{reverse('divisions')}?{query}" if query else reverse("divisions")

    def matches(self, division: Division) -> bool:
        return self.q.casefold() in f"{division.name}\n{division.description}".casefold()

    def ordered(self, rows: Iterable[Row]) -> list[Row]:
        down, key = self.sort.startswith("-"), SORTS[self.sort.removeprefix("-")]
        by_name = sorted(rows, key=lambda row: row.division.name.casefold(), reverse=self.sort == "-name")
        if self.sort.removeprefix("-") == "name":
            return sorted(by_name, key=lambda row: not row.division.home)
        return sorted(by_name, key=key, reverse=down)


@require_safe
@requires(Permission.AUTHORIZATION_DIVISION_VIEW)
def division_list(request: HttpRequest) -> HttpResponse:
    """An organization has so few divisions that they are searched and sorted here, with their counts."""
    actor = actor_of(request)
    wanted = Wanted.from_address(request.GET.dict())
    found = [one for one in queries.divisions(actor.organization) if wanted.matches(one)]
    page = Paginator(wanted.ordered(_rows(actor, found)), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "divisions/list.html",
        {
            "breadcrumbs": [{"label": _("Admin"), "url": reverse("admin-home")}, {"label": _("Divisions")}],
            "may_add": may_add(actor),
            "page": page,
            "rows": [_shown(actor, row) for row in page.object_list],
            "columns": _columns(wanted),
            "search": {"name": "q", "value": wanted.q, "label": _("Search divisions")},
            "hidden": [{"name": "sort", "value": wanted.sort}] if wanted.sort != "name" else [],
            "q": wanted.q,
            "clear_url": reverse("divisions") if wanted.q else "",
            "prev_url": wanted.address(page=page.previous_page_number()) if page.has_previous() else "",
            "next_url": wanted.address(page=page.next_page_number()) if page.has_next() else "",
            "deleted": _deleted(actor),
            "may_restore": bool(actor.access.decide(Permission.AUTHORIZATION_DIVISION_ADD)),
        },
    )


def may_add(actor: Actor) -> bool:
    """As `services.divisions.create` asks."""
    return bool(
        actor.access.decide_all(Permission.AUTHORIZATION_DIVISION_ADD, Permission.AUTHORIZATION_GRANT_ADD)
    )


def _rows(actor: Actor, divisions: list[Division]) -> list[Row]:
    """With their counts: two statements."""
    ids = [division.id for division in divisions]
    objects = dict(
        User.objects.filter(organization=actor.organization, division_id__in=ids)
        .exclude(state=UserState.DELETED)
        .order_by()
        .values_list("division_id")
        .annotate(Count("id"))
    )
    held: dict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    grants = RoleGrant.objects.filter(organization=actor.organization, division_id__in=ids).order_by()
    for division_id, kind, count in grants.values_list("division_id", "subject_type").annotate(
        Count("subject_id", distinct=True)
    ):
        held[division_id][kind] = count
    return [
        Row(
            division=division,
            objects=objects.get(division.id, 0),
            people=held[division.id].get(SubjectType.USER, 0),
            clients=held[division.id].get(SubjectType.CLIENT, 0),
        )
        for division in divisions
    ]


def _shown(actor: Actor, row: Row) -> dict[str, Any]:
    seen = actor.access.decide(Permission.DIRECTORY_USER_VIEW, division_id=row.division.id)
    people = f"{reverse('people')}?{urlencode({'division': row.division.id})}"
    return {"row": row, "people_url": people if seen else "", "entries": _entries(actor, row.division)}


def _entries(actor: Actor, division: Division) -> list[dict[str, Any]]:
    """Only what this person may do now."""

    def entry(label: str, url_name: str, *, dialog: bool = True, danger: bool = False) -> dict[str, Any]:
        url = reverse(url_name, args=[division.id])
        return {"label": label, "url": url, "dialog": dialog, "danger": danger}

    found = []
    if actor.access.decide(Permission.AUTHORIZATION_DIVISION_EDIT):
        found.append(entry(_("Edit"), "division-edit"))
    if actor.access.decide(Permission.DIRECTORY_USER_EDIT, division_id=division.id):
        found.append(entry(_("Move people here"), "division-move", dialog=False))
    if not division.home and actor.access.decide(Permission.AUTHORIZATION_DIVISION_DELETE):
        found.append(entry(_("Delete"), "division-delete", danger=True))
    return found


def _columns(wanted: Wanted) -> list[dict[str, Any]]:
    def column(label: str, key: str, *, num: bool = True) -> dict[str, Any]:
        up, down = wanted.sort == key, wanted.sort == f"-{key}"
        return {
            "label": label,
            "num": num,
            "sort": "ascending" if up else "descending" if down else "",
            "sort_url": wanted.address(sort=f"-{key}" if up else key),
        }

    return [
        column(_("Name"), "name", num=False),
        column(_("Objects"), "objects"),
        column(_("People with grants"), "people"),
        column(_("Clients"), "clients"),
        {"label": _("Actions"), "hidden": True},
    ]


def _deleted(actor: Actor) -> list[Division]:
    if not actor.access.decide(Permission.AUTHORIZATION_DIVISION_DELETED_VIEW):
        return []
    return list(queries.deleted_divisions(actor.organization)[:DELETED_SHOWN])


def breadcrumbs() -> list[dict[str, str]]:
    return [
        {"label": _("Admin"), "url": reverse("admin-home")},
        {"label": _("Divisions"), "url": reverse("divisions")},
    ]
