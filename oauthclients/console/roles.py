"""Admin > People and Permissions > Roles: the list, the page of one role, and the questions before one is
restored or deleted. The editor is in roles_editor.py."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts import audit, queries
from accounts.actor import Actor
from accounts.console import trail_links
from accounts.console.guard import actor_of, recent_password, requires
from accounts.default_roles import DEFAULT_ROLES
from accounts.errors import DomainError, NotFound
from accounts.models import AuditEvent, Role
from accounts.permissions import Permission, expand
from accounts.services import roles
from oauthclients.console import roles_holders as holders
from oauthclients.console import words
from oauthclients.console.roles_editor import ASK, breadcrumbs, unless_deleted
from oauthclients.console.roles_form import tree
from oauthclients.console.roles_holders import Counts

PER_PAGE = 25
LONGEST_SEARCH = 200
CHANGES_SHOWN = 5
# Of an audit line, at most so many permissions are named.
PERMISSIONS_NAMED = 3


@dataclass(frozen=True)
class Row:
    """A role in the list."""

    role: Role
    counts: Counts
    permissions: int
    changed: bool

    @property
    def default(self) -> bool:
        return bool(self.role.default_role_id)


KINDS: Mapping[str, tuple[Any, Callable[[Row], bool]]] = {
    "default": (gettext_lazy("Default"), lambda row: row.default),
    "custom": (gettext_lazy("Custom"), lambda row: not row.default),
    "changed": (gettext_lazy("Changed"), lambda row: row.changed),
}
SORTS: Mapping[str, Callable[[Row], Any]] = {
    "name": lambda row: "",
    "type": lambda row: not row.default,
    "members": lambda row: row.counts.people,
    "clients": lambda row: row.counts.clients,
    "permissions": lambda row: row.permissions,
}


@dataclass(frozen=True)
class Wanted:
    """What the address asks for; anything that it cannot mean is dropped."""

    q: str = ""
    kind: str = ""
    sort: str = "name"

    @classmethod
    def from_address(cls, parameters: Mapping[str, str]) -> Wanted:
        kind, sort = parameters.get("type", ""), parameters.get("sort", "")
        return cls(
            q=parameters.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
            kind=kind if kind in KINDS else "",
            sort=sort if sort.removeprefix("-") in SORTS else "name",
        )

    def address(self, **changes: Any) -> str:
        """The list with something changed, and from its first page unless a `page` is given."""
        page = changes.pop("page", None)
        asked = replace(self, **changes)
        parameters = {
            "q": asked.q,
            "type": asked.kind,
            "sort": "" if asked.sort == "name" else asked.sort,
            "page": page or "",
        }
        query = urlencode({name: value for name, value in parameters.items() if value})
        return f"{reverse('roles')}?{query}" if query else reverse("roles")

    def matches(self, row: Row) -> bool:
        text = f"{row.role.label}\n{row.role.about}".casefold()
        return self.q.casefold() in text

    def ordered(self, rows: Iterable[Row]) -> list[Row]:
        key = SORTS[self.sort.removeprefix("-")]
        by_name = sorted(rows, key=lambda row: row.role.label.casefold())
        if self.sort == "-name":
            return by_name[::-1]
        return sorted(by_name, key=key, reverse=self.sort.startswith("-"))


@require_safe
@requires(Permission.AUTHORIZATION_ROLE_VIEW)
def role_list(request: HttpRequest) -> HttpResponse:
    """An organization has so few roles that they are searched and sorted here: what a role comes to is not
    known to the database."""
    actor = actor_of(request)
    wanted = Wanted.from_address(request.GET.dict())
    every = _rows(actor)
    found = [row for row in every if wanted.matches(row)]
    shown = [row for row in found if not wanted.kind or KINDS[wanted.kind][1](row)]
    page = Paginator(wanted.ordered(shown), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "roles/list.html",
        {
            "breadcrumbs": [{"label": _("Admin"), "url": reverse("admin-home")}, {"label": _("Roles")}],
            "may_add": bool(actor.access.decide(Permission.AUTHORIZATION_ROLE_ADD)),
            "may_restore": bool(actor.access.decide(Permission.AUTHORIZATION_ROLE_EDIT)),
            "page": page,
            "rows": [{"row": row, "entries": _entries(actor, row.role)} for row in page.object_list],
            "columns": _columns(wanted),
            "search": {"name": "q", "value": wanted.q, "label": _("Search roles")},
            "hidden": [
                {"name": name, "value": value}
                for name, value in (
                    ("type", wanted.kind),
                    ("sort", "" if wanted.sort == "name" else wanted.sort),
                )
                if value
            ],
            "groups": _groups(wanted, found, changed=any(row.changed for row in every)),
            "q": wanted.q,
            "clear_url": reverse("roles") if wanted.q or wanted.kind else "",
            "prev_url": wanted.address(page=page.previous_page_number()) if page.has_previous() else "",
            "next_url": wanted.address(page=page.next_page_number()) if page.has_next() else "",
        },
    )


def _rows(actor: Actor) -> list[Row]:
    found = list(queries.roles(actor.organization))
    counts = holders.counts(actor.organization, role_ids=[role.id for role in found])
    return [
        Row(
            role=role,
            counts=counts.get(role.id, Counts()),
            permissions=len(expand(role.policies)),
            changed=_is_changed(role),
        )
        for role in found
    ]


def _is_changed(role: Role) -> bool:
    return roles.shipped(role) is not None and not roles.is_as_shipped(role)


def _groups(wanted: Wanted, found: list[Row], *, changed: bool) -> list[dict[str, Any]]:
    kinds = [key for key in KINDS if key != "changed" or changed or wanted.kind == key]
    return [
        {
            "label": _("Type"),
            "filters": [
                {
                    "label": _("All"),
                    "url": wanted.address(kind=""),
                    "count": len(found),
                    "current": not wanted.kind,
                },
                *(
                    {
                        "label": KINDS[key][0],
                        "url": wanted.address(kind=key),
                        "count": sum(KINDS[key][1](row) for row in found),
                        "current": wanted.kind == key,
                    }
                    for key in kinds
                ),
            ],
        }
    ]


def _columns(wanted: Wanted) -> list[dict[str, Any]]:
    def column(label: str, key: str, *, num: bool = False) -> dict[str, Any]:
        up, down = wanted.sort == key, wanted.sort == f"-{key}"
        return {
            "label": label,
            "num": num,
            "sort": "ascending" if up else "descending" if down else "",
            "sort_url": wanted.address(sort=f"-{key}" if up else key),
        }

    return [
        column(_("Name"), "name"),
        column(_("Type"), "type"),
        column(_("Members"), "members", num=True),
        column(_("Clients"), "clients", num=True),
        column(_("Permissions"), "permissions", num=True),
        {"label": _("Actions"), "hidden": True},
    ]


def _entries(actor: Actor, role: Role) -> list[dict[str, Any]]:
    """Only what this person may do now."""
    may = _may(actor, role)

    def entry(label: str, url_name: str, *, dialog: bool = False, danger: bool = False) -> dict[str, Any]:
        url = reverse(url_name, args=[role.id])
        return {"label": label, "url": url, "dialog": dialog, "danger": danger}

    return [
        *([entry(_("Edit"), "role-edit")] if may["edit"] else []),
        *([entry(_("Copy"), "role-copy")] if may["add"] else []),
        *([entry(_("Restore default role"), "role-restore", dialog=True)] if may["restore"] else []),
        *([entry(_("Delete"), "role-delete", dialog=True, danger=True)] if may["delete"] else []),
    ]


def _may(actor: Actor, role: Role) -> dict[str, bool]:
    edit = bool(actor.access.decide(Permission.AUTHORIZATION_ROLE_EDIT))
    return {
        "edit": edit,
        "add": bool(actor.access.decide(Permission.AUTHORIZATION_ROLE_ADD)),
        "restore": edit and _is_changed(role),
        "delete": role.default_role_id not in roles.ALWAYS_THERE
        and bool(actor.access.decide(Permission.AUTHORIZATION_ROLE_DELETE)),
    }


# --- One role ------------------------------------------------------------------------------------


@require_safe
@requires(Permission.AUTHORIZATION_ROLE_VIEW)
def role(request: HttpRequest, role_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    shown = queries.role(actor.organization, role_id)
    counts = holders.counts_of(shown)
    permissions = expand(shown.policies)
    return render(
        request,
        "roles/role.html",
        {
            "breadcrumbs": [*breadcrumbs(), {"label": shown.label}],
            "role": shown,
            "changed": _is_changed(shown),
            "may": _may(actor, shown),
            "people": holders.people(actor, shown, counts.people),
            "clients": holders.clients(actor, shown, counts.clients),
            "permission_count": len(permissions),
            "tree": tree(permissions, only_checked=True),
            "changes": _changes(shown),
            "all_changes": trail_links.all_about(actor, shown.id),
        },
    )


def _changes(role: Role) -> list[dict[str, Any]]:
    events = queries.changes_of(role.organization, role.id)[:CHANGES_SHOWN]
    return [
        {
            "who": event.actor_name,
            "did": audit.SENTENCES.get(event.action, event.action),
            "what": "; ".join(_what(event)),
            "at": event.at,
        }
        for event in events
    ]


def _what(event: AuditEvent) -> list[str]:
    """What an edit changed, in words."""
    if event.action not in (audit.Action.ROLE_EDITED, audit.Action.ROLE_RESTORED):
        return []
    said = []
    if "name" in event.after:
        said.append(
            _("name from ‘%(before)s’ to ‘%(after)s’")
            % {"before": event.before.get("name", ""), "after": event.after["name"]}
        )
    if "description" in event.after:
        said.append(_("description"))
    had, has = (_expanded(side.get("permissions", ())) for side in (event.before, event.after))
    if has - had:
        said.append(_("added %(names)s") % {"names": _some(has - had)})
    if had - has:
        said.append(_("removed %(names)s") % {"names": _some(had - has)})
    return said


def _expanded(names: Iterable[str]) -> frozenset[str]:
    """The permissions that an audit line means, wildcards included."""
    parts = (name.split(":") for name in names)
    return expand(
        {"domain": domain, "entityName": entity, "actionSet": [action]} for domain, entity, action in parts
    )


def _some(permissions: Iterable[str]) -> str:
    found = holders.labels(permissions)
    more = len(found) - PERMISSIONS_NAMED
    if more <= 0:
        return ", ".join(found)
    rest = ngettext("%(n)s more", "%(n)s more", more) % {"n": more}
    return ", ".join([*found[:PERMISSIONS_NAMED], rest])


# --- Restoring -----------------------------------------------------------------------------------


@ASK
@requires(Permission.AUTHORIZATION_ROLE_EDIT)
@unless_deleted
def restore(request: HttpRequest, role_id: uuid.UUID) -> HttpResponse:
    """Says who is affected, and gives a default role its shipped permissions again."""
    actor = actor_of(request)
    shown = queries.role(actor.organization, role_id)
    if roles.shipped(shown) is None:
        raise NotFound
    if not _is_changed(shown):
        messages.info(request, _("‘%(name)s’ is as it was shipped.") % {"name": shown.label})
        return HttpResponseRedirect(reverse("role", args=[shown.id]))
    problem, status = "", 200
    if request.method == "POST":
        try:
            _found, notices = roles.restore_default(actor=actor, role_ids=[shown.id])
        except NotFound:
            raise
        except DomainError as error:
            problem, status = error.message, error.status
        else:
            messages.success(request, _("‘%(name)s’ is as it was shipped.") % {"name": shown.label})
            for notice in notices:
                messages.warning(request, notice)
            return HttpResponseRedirect(reverse("role", args=[shown.id]))
    return render(
        request,
        "roles/restore.html",
        {
            "breadcrumbs": [
                *breadcrumbs(),
                {"label": shown.label, "url": reverse("role", args=[shown.id])},
                {"label": _("Restore default role")},
            ],
            "role": shown,
            "restored": _restored(actor, shown),
            "problem": problem,
            "form_errors": bool(problem),
        },
        status=status,
    )


@ASK
@requires(Permission.AUTHORIZATION_ROLE_EDIT)
def restore_all(request: HttpRequest) -> HttpResponse:
    """Adds the default roles that are missing and, when told so, restores those that were changed."""
    actor = actor_of(request)
    rows = list(queries.roles(actor.organization))
    there = {row.default_role_id for row in rows}
    missing = [default for default in DEFAULT_ROLES if default.id not in there]
    changed = [row for row in rows if _is_changed(row)]
    problem, status, force = "", 200, "overwrite" in request.POST
    if request.method == "POST":
        try:
            _found, notices = roles.restore_defaults(actor=actor, force=force)
        except NotFound:
            raise
        except DomainError as error:
            problem, status = error.message, error.status
        else:
            messages.success(
                request, _all_restored(len(missing), len(changed) if force else 0, len(changed))
            )
            for notice in notices:
                messages.warning(request, notice)
            return redirect("roles")
    return render(
        request,
        "roles/restore_all.html",
        {
            "breadcrumbs": [*breadcrumbs(), {"label": _("Restore default roles")}],
            "missing": missing,
            "changed": [_restored(actor, row) for row in changed],
            "force": force,
            "problem": problem,
            "form_errors": bool(problem),
        },
        status=status,
    )


def _all_restored(added: int, restored: int, changed: int) -> str:
    said = []
    if added:
        said.append(
            ngettext("%(n)s default role was added.", "%(n)s default roles were added.", added)
            % {"n": added}
        )
    if restored:
        said.append(
            ngettext("%(n)s default role was restored.", "%(n)s default roles were restored.", restored)
            % {"n": restored}
        )
    if said:
        return " ".join(said)
    return (
        _("All default roles are there.") if changed else _("All default roles are as they were shipped.")
    )


def _restored(actor: Actor, role: Role) -> dict[str, Any]:
    """What restoring would do to a role, and to whom; `cannot` are permissions that stand in the way."""
    default = roles.shipped(role)
    assert default is not None
    wanted = expand(default.policies)
    gained = wanted - expand(role.policies)
    return {
        "role": role,
        "affected": holders.affected(actor, role, wanted),
        "description": default.description if default.description != role.description else "",
        "cannot": holders.labels(gained & holders.cannot_add(actor, role)),
    }


# --- Deleting ------------------------------------------------------------------------------------


@ASK
@requires(Permission.AUTHORIZATION_ROLE_DELETE)
@recent_password
@unless_deleted
def delete(request: HttpRequest, role_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    shown = queries.role(actor.organization, role_id)
    problem, status = "", 200
    if request.method == "POST":
        try:
            roles.delete(actor=actor, role_id=shown.id)
        except NotFound:
            raise
        except DomainError as error:
            problem, status = error.message, error.status
        else:
            messages.success(request, _("Role ‘%(name)s’ was deleted.") % {"name": shown.label})
            return redirect("roles")
    counts = holders.counts_of(shown)
    return render(
        request,
        "roles/delete.html",
        {
            "breadcrumbs": [
                *breadcrumbs(),
                {"label": shown.label, "url": reverse("role", args=[shown.id])},
                {"label": _("Delete")},
            ],
            "role": shown,
            "default": bool(shown.default_role_id),
            "stays": shown.default_role_id in roles.ALWAYS_THERE,
            "held": bool(counts),
            "people": holders.people(actor, shown, counts.people),
            "clients": holders.clients(actor, shown, counts.clients),
            "uses": [sentence for follower in roles.FOLLOWERS for sentence in follower.uses(shown)],
            "permission_count": words.number(len(expand(shown.policies))),
            "problem": problem,
            "form_errors": bool(problem),
        },
        status=status,
    )
