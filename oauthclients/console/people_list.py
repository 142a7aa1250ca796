"""The list of people. Everything that it shows is in its address, so that it can be kept and sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import drift, queries
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.models import RoleGrant, Source, SubjectType, User, UserState
from accounts.permissions import Permission
from oauthclients.console import drifted, lists, people_rights, people_words

PER_PAGE = 25
LONGEST_SEARCH = 200

# Deleted people are shown where they are asked for.
THERE = ~Q(state=UserState.DELETED)
STATES: Mapping[str, Q] = {state.value: Q(state=state) for state in UserState}
SORTS: Mapping[str, Any] = {
    "name": Lower("name"),
    "email": F("email"),
    "division": Lower("division__name"),
    "seen": F("last_login"),
}


@dataclass(frozen=True)
class Wanted:
    """What the address asks for; anything that it cannot mean is dropped. `division` and `role` are ids."""

    q: str = ""
    state: str = ""
    source: str = ""
    division: str = ""
    role: str = ""
    drift: bool = False
    sort: str = "name"

    @classmethod
    def from_address(cls, parameters: Mapping[str, str]) -> Wanted:
        state, source = parameters.get("state", ""), parameters.get("source", "")
        sort = parameters.get("sort", "")
        return cls(
            # PostgreSQL refuses NUL in a text.
            q=parameters.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
            state=state if state in STATES else "",
            source=source if source in Source.values else "",
            division=_id(parameters.get("division", "")),
            role=_id(parameters.get("role", "")),
            drift=parameters.get("drift") == "1",
            sort=sort if sort.removeprefix("-") in SORTS else "name",
        )

    @property
    def kept(self) -> dict[str, str]:
        """The parameters of the address that say something."""
        parameters = {
            "q": self.q,
            "state": self.state,
            "source": self.source,
            "division": self.division,
            "role": self.role,
            "drift": "1" if self.drift else "",
            "sort": "" if self.sort == "name" else self.sort,
        }
        return {name: value for name, value in parameters.items() if value}

    def address(self, **changes: Any) -> str:
        """The list with something changed, and from its first page unless a `page` is given."""
        page = changes.pop("page", None)
        parameters = {**replace(self, **changes).kept, **({"page": page} if page else {})}
        return f"{reverse('people')}?{urlencode(parameters)}" if parameters else reverse("people")

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.state or self.source or self.division or self.role or self.drift)

    def conditions(self, actor: Actor) -> dict[str, Q]:
        """By group, so that the counts of one group's filters can leave out that group."""
        return {
            "q": _matching(self.q),
            "state": STATES.get(self.state, THERE),
            "source": Q(source=self.source) if self.source else Q(),
            "division": Q(division_id=self.division) if self.division else Q(),
            "role": _holding(actor, self.role) if self.role else Q(),
            "drift": _drifted(actor) if self.drift else Q(),
        }


@require_safe
@requires(Permission.DIRECTORY_USER_VIEW)
def people_list(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    wanted = Wanted.from_address(request.GET.dict())
    conditions = wanted.conditions(actor)
    counts = _counts(actor, conditions)
    found = _visible(actor).filter(*conditions.values()).select_related("organization")
    page = Paginator(found.order_by(*lists.order_by(SORTS, wanted.sort)), PER_PAGE).get_page(
        request.GET.get("page")
    )
    rows = _rows(actor, list(page.object_list))
    return render(
        request,
        "people/list.html",
        {
            "breadcrumbs": [{"label": _("Admin"), "url": reverse("admin-home")}, {"label": _("People")}],
            "may_add": bool(actor.access.decide(Permission.DIRECTORY_USER_ADD)),
            "any": counts["all"],
            "page": page,
            "rows": rows,
            "columns": _columns(wanted),
            "search": {"name": "q", "value": wanted.q, "label": _("Search people")},
            "hidden": [
                {"name": name, "value": value}
                for name, value in wanted.kept.items()
                if name not in ("q", "division", "role")
            ],
            "selects": _selects(actor, wanted),
            "groups": _groups(wanted, counts, review=any(row["review"] for row in rows)),
            "q": wanted.q,
            "clear_url": reverse("people") if wanted.narrowed else "",
            "prev_url": wanted.address(page=page.previous_page_number()) if page.has_previous() else "",
            "next_url": wanted.address(page=page.next_page_number()) if page.has_next() else "",
        },
    )


def _visible(actor: Actor) -> QuerySet[User]:
    permitted = actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
    return queries.people_in(actor.organization, permitted)


def _id(text: str) -> str:
    key = queries.as_uuid(text)
    return str(key) if key else ""


def _matching(text: str) -> Q:
    if not text:
        return Q()
    return (
        Q(name__icontains=text)
        | Q(email__icontains=text)
        | Q(department__icontains=text)
        | Q(employee_number__istartswith=text)
    )


def _holding(actor: Actor, role_id: str) -> Q:
    """Who holds that role somewhere, of those whose roles the actor may see."""
    grants = RoleGrant.objects.filter(
        organization=actor.organization, role_id=role_id, subject_type=SubjectType.USER
    )
    return _told(actor, Q(id__in=grants.values("subject_id")))


def _drifted(actor: Actor) -> Q:
    """With a role that whoever gave it could not give any more (accounts/drift.py)."""
    found = drift.grants(actor.organization).filter(subject_type=SubjectType.USER).order_by()
    return _told(actor, Q(id__in=found.values("subject_id")))


def _told(actor: Actor, holders: Q) -> Q:
    """Of these, those whose roles the actor may see."""
    where = people_rights.where_roles_are_seen(actor)
    return holders if where.everywhere else holders & Q(division_id__in=where.ids)


def _counts(actor: Actor, conditions: Mapping[str, Q]) -> dict[str, int]:
    """How many people each filter would show beside the other filters chosen: one statement."""

    def beside(group: str, own: Q) -> Count:
        others = Q()
        for name, condition in conditions.items():
            if name != group:
                others &= condition
        return Count("id", filter=others & own)

    wanted_counts = {
        # None of these may be the name of a field.
        "all": Count("id"),
        "all_states": beside("state", THERE),
        "all_sources": beside("source", Q()),
        **{f"state_{key}": beside("state", own) for key, own in STATES.items()},
        **{f"source_{key}": beside("source", Q(source=key)) for key in Source.values},
    }
    return _visible(actor).select_related(None).aggregate(**wanted_counts)


def _groups(wanted: Wanted, counts: Mapping[str, int], *, review: bool) -> list[dict[str, Any]]:
    """`review`: somebody on the page holds a role that is to be settled. To know it of everybody, at every
    look at the list, would take reading what everybody holds."""

    def link(label: Any, count: int | None, current: bool, **changes: Any) -> dict[str, Any]:
        return {"label": label, "url": wanted.address(**changes), "count": count, "current": current}

    # Chosen once more, it is taken away again.
    to_review = link(_("Review roles"), None, wanted.drift, drift=not wanted.drift)
    return [
        {
            "label": _("State"),
            "filters": [
                link(_("All"), counts["all_states"], not wanted.state, state=""),
                *(
                    link(state.text, counts[f"state_{key}"], wanted.state == key, state=key)
                    for key, state in people_words.STATES.items()
                ),
            ],
        },
        {
            "label": _("Source"),
            "filters": [
                link(_("All"), counts["all_sources"], not wanted.source, source=""),
                *(
                    link(source.label, counts[f"source_{source}"], wanted.source == source, source=source)
                    for source in Source
                ),
            ],
        },
        *([{"label": _("Only"), "filters": [to_review]}] if review or wanted.drift else []),
    ]


def _selects(actor: Actor, wanted: Wanted) -> list[dict[str, Any]]:
    """Divisions and roles are too many for links."""

    def select(name: str, label: str, every: str, rows: list[tuple[uuid.UUID, str]]) -> dict[str, Any]:
        chosen = getattr(wanted, name)
        options = [{"value": "", "label": every, "selected": not chosen}]
        options += [
            {"value": str(key), "label": text, "selected": str(key) == chosen} for key, text in rows
        ]
        return {"name": name, "label": label, "options": options}

    permitted = actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
    divisions = queries.divisions(actor.organization).values_list("id", "name")
    seen = [row for row in divisions if row[0] in permitted]
    found = [select("division", _("Division"), _("All divisions"), seen)]
    if people_rights.where_roles_are_seen(actor):
        roles = [(role.id, role.label) for role in queries.roles(actor.organization).only("id", "name")]
        found.append(select("role", _("Role"), _("All roles"), roles))
    return found


def _columns(wanted: Wanted) -> list[dict[str, Any]]:
    def column(label: str, key: str = "", *, num: bool = False) -> dict[str, Any]:
        if not key:
            return {"label": label, "num": num}
        up, down = wanted.sort == key, wanted.sort == f"-{key}"
        return {
            "label": label,
            "sort": "ascending" if up else "descending" if down else "",
            "sort_url": wanted.address(sort=f"-{key}" if up else key),
        }

    return [
        column(_("Name"), "name"),
        column(_("Email"), "email"),
        column(_("Division"), "division"),
        column(_("Roles")),
        column(_("State")),
        column(_("Source")),
        column(_("Last sign-in"), "seen"),
        {"label": _("Actions"), "hidden": True},
    ]


def _rows(actor: Actor, page: list[User]) -> list[dict[str, Any]]:
    where = people_rights.where_roles_are_seen(actor)
    told = [person.id for person in page if person.division_id in where]
    roles = _role_counts(actor, told)
    review = drifted.among(actor.organization, told) if told else set()
    return [
        {
            "person": person,
            "state": people_words.state(person),
            "source": person.get_source_display(),
            "roles": roles.get(person.id, 0) if person.division_id in where else None,
            "review": person.id in review,
            "entries": people_rights.entries(person, people_rights.of(actor, person)),
        }
        for person in page
    ]


def _role_counts(actor: Actor, ids: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many roles each of them holds, in however many divisions: one statement."""
    if not ids:
        return {}
    return dict(
        RoleGrant.objects.filter(organization=actor.organization, subject_id__in=ids)
        .order_by()
        .values_list("subject_id")
        .annotate(Count("role_id", distinct=True))
    )
