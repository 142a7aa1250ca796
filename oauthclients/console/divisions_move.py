"""Admin > People and Permissions > Divisions > Move people here: people of other divisions, found by search
and moved together."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts import queries
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.errors import NotFound
from accounts.models import Division, User, UserState
from accounts.permissions import Permission
from accounts.services import divisions
from oauthclients.console.divisions import LONGEST_SEARCH, PER_PAGE, breadcrumbs
from oauthclients.console.divisions_questions import unless_deleted


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.DIRECTORY_USER_EDIT)
@unless_deleted
def move(request: HttpRequest, division_id: uuid.UUID) -> HttpResponse:
    """Needs `directory:user:edit` here; those are shown whom the person may edit where they are."""
    actor = actor_of(request)
    target = queries.division(actor.organization, division_id)
    actor.require(Permission.DIRECTORY_USER_EDIT, division_id=target.id, division_name=target.name)
    error = ""
    if request.method == "POST":
        chosen = _chosen(request)
        if chosen:
            return _moved(
                request, target, divisions.move_people(actor=actor, division_id=target.id, user_ids=chosen)
            )
        error = _("Choose at least one person.")
    return _page(request, actor, target, error)


def _chosen(request: HttpRequest) -> set[uuid.UUID]:
    """Raises `NotFound` for what is no id."""
    keys = [queries.as_uuid(text) for text in request.POST.getlist("person")]
    if None in keys:
        raise NotFound
    return {key for key in keys if key}


def _moved(request: HttpRequest, target: Division, count: int) -> HttpResponse:
    if count:
        text = ngettext(
            "%(n)s person was moved to %(name)s.", "%(n)s people were moved to %(name)s.", count
        )
        messages.success(request, text % {"n": count, "name": target.name})
    else:
        messages.info(request, _("They were there already."))
    return HttpResponseRedirect(_address(target, q=_search(request)))


def _page(request: HttpRequest, actor: Actor, target: Division, error: str) -> HttpResponse:
    q = _search(request)
    found = _movable(actor, target)
    there = found.exists()
    if q:
        found = found.filter(Q(name__icontains=q) | Q(email__icontains=q) | Q(division__name__icontains=q))
    page = Paginator(found.order_by(Lower("name"), "id"), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "divisions/move.html",
        {
            "breadcrumbs": [
                *breadcrumbs(),
                {"label": _("Move people to %(name)s") % {"name": target.name}},
            ],
            "division": target,
            "any": there,
            "page": page,
            "all_chosen": request.GET.get("all") == "1",
            "all_url": _address(target, q=q, page=page.number, all=1),
            "form_errors": bool(error),
            "error": error,
            "q": q,
            "search": {"name": "q", "value": q, "label": _("Search people")},
            "clear_url": _address(target) if q else "",
            "action_url": _address(target, q=q, page=page.number),
            "prev_url": _address(target, q=q, page=page.previous_page_number())
            if page.has_previous()
            else "",
            "next_url": _address(target, q=q, page=page.next_page_number()) if page.has_next() else "",
        },
        status=400 if error else 200,
    )


def _movable(actor: Actor, target: Division) -> QuerySet[User]:
    where = actor.access.divisions_for(Permission.DIRECTORY_USER_EDIT)
    return (
        queries.people_in(actor.organization, where)
        .exclude(division=target)
        .exclude(state=UserState.DELETED)
    )


def _search(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH]


def _address(target: Division, **asked: Any) -> str:
    url = reverse("division-move", args=[target.id])
    query = urlencode(
        {name: value for name, value in asked.items() if value and (name, value) != ("page", 1)}
    )
    return f"{url}?{query}" if query else url
