"""Two people over one thing: what each of them changed since the page was opened, put together. The parts
of a client have their own (console/merge.py).

A page carries what the person saw when they opened it, signed, so that it can be told apart what they
changed themselves and what somebody else did meanwhile. It holds nothing that the page does not show.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from accounts import audit, queries
from accounts.console.guard import View, actor_of
from accounts.errors import NotFound
from accounts.models import Organization
from accounts.permissions import Permission

SALT = "oauthclients.console.two_editors"
_UNKNOWN = object()

# What was typed, by field: texts, and sets of names.
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Merged:
    """`taken` are the fields of what only the other person changed, `both` of what the two changed
    differently: there, `values` holds this person's version. Of a set, what each of them added or took away
    is put together, so that nothing is left to decide."""

    values: dict[str, Any]
    taken: tuple[str, ...]
    both: tuple[str, ...]


def sign(thing_id: uuid.UUID, values: Values) -> str:
    """For the hidden field `seen`."""
    plain = {
        field: sorted(value) if isinstance(value, frozenset) else value for field, value in values.items()
    }
    return signing.dumps([str(thing_id), plain], salt=SALT, compress=True)


def read(thing_id: uuid.UUID, text: str) -> Values | None:
    """What `sign` was given for this thing; None for anything else."""
    try:
        signed_for, plain = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError):
        return None
    if signed_for != str(thing_id):
        return None
    return {field: frozenset(value) if isinstance(value, list) else value for field, value in plain.items()}


def merge(seen: Values | None, mine: Values, now: Values) -> Merged:
    """Where it is not known what was `seen`, every difference counts as changed by both."""
    values, taken, both = dict(mine), [], []
    for field, wanted in mine.items():
        there = now[field]
        if wanted == there:
            continue
        then = _UNKNOWN if seen is None else seen.get(field, _UNKNOWN)
        if wanted == then:
            values[field] = there
            taken.append(field)
        elif isinstance(wanted, frozenset) and isinstance(then, frozenset):
            values[field] = (there | (wanted - then)) - (then - wanted)
            if values[field] != wanted:
                taken.append(field)
        elif there != then:
            both.append(field)
    return Merged(values, tuple(taken), tuple(both))


def last_change(organization: Organization, thing_id: uuid.UUID) -> dict[str, Any]:
    """Who changed it last, and when, for the sentence above the form: `{changed_by, changed_at}`."""
    event = queries.changes_of(organization, thing_id).first()
    if event is None:
        return {"changed_by": _("Somebody else"), "changed_at": ""}
    return {
        "changed_by": event.actor_name,
        "changed_at": time_format(timezone.localtime(event.at), "H:i e"),
    }


def unless_deleted(
    action: audit.Action, *, list_page: str, seen_with: Permission
) -> Callable[[View], View]:
    """A form about one thing, whose id is the view's only argument. Where somebody deleted that since the
    form was opened, whoever sends it is told so, and comes to the list."""

    def decorate(view: View) -> View:
        @wraps(view)
        def telling(request: HttpRequest, **ids: uuid.UUID) -> HttpResponse:
            try:
                return view(request, **ids)
            except NotFound:
                [thing_id] = ids.values()
                actor = actor_of(request)
                last = queries.changes_of(actor.organization, thing_id).first()
                if request.method != "POST" or last is None or last.action != action:
                    raise
                text = _("%(who)s deleted ‘%(name)s’ in the meantime, so nothing was saved.")
                messages.error(request, text % {"who": last.actor_name, "name": last.entity_name})
                return redirect(list_page if actor.access.decide(seen_with) else "admin-home")

        return telling

    return decorate
