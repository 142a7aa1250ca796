"""Admin > People and Permissions > Roles > one role: adding, copying and editing it.

Everything is decided by `accounts.services.roles`. Before it is asked, the page says what it can say
better: what somebody else changed meanwhile, and who is affected by a change of a role that is held.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import audit, queries
from accounts.console.guard import actor_of, requires
from accounts.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, Problem
from accounts.models import Role
from accounts.permissions import CATALOGUE, Permission
from accounts.services import roles
from accounts.services.last_admin import ADMIN
from oauthclients.console import roles_holders as holders
from oauthclients.console import two_editors
from oauthclients.console.roles_form import FIELDS, LABELS, PLACES, Typed, tree

ASK = require_http_methods(["GET", "HEAD", "POST"])
unless_deleted = two_editors.unless_deleted(
    audit.Action.ROLE_DELETED, list_page="roles", seen_with=Permission.AUTHORIZATION_ROLE_VIEW
)
# The sentence that the service raises goes to the field that it is about.
_FIELD_OF_CODE = {"resource.already.exists": "name", "missing.division.permissions": "permissionPolicies"}


@ASK
@requires(Permission.AUTHORIZATION_ROLE_ADD)
def new(request: HttpRequest) -> HttpResponse:
    page = Editor(request, None, Typed())
    return page.post() if request.method == "POST" else page.show()


@ASK
@requires(Permission.AUTHORIZATION_ROLE_ADD)
@unless_deleted
def copy(request: HttpRequest, role_id: uuid.UUID) -> HttpResponse:
    """A new role that begins as another one, as far as its maker holds what that one allows."""
    actor = actor_of(request)
    actor.require(Permission.AUTHORIZATION_ROLE_VIEW)
    source = queries.role(actor.organization, role_id)
    of = Typed.of(source)
    left_out = of.permissions & holders.cannot_add(actor, None)
    name = _("Copy of %(name)s") % {"name": source.label}
    begun = Typed(name[: roles.LONGEST_NAME], of.description, of.permissions - left_out)
    page = Editor(request, None, begun, source=source, left_out=left_out)
    return page.post() if request.method == "POST" else page.show()


@ASK
@requires(Permission.AUTHORIZATION_ROLE_EDIT)
@unless_deleted
def edit(request: HttpRequest, role_id: uuid.UUID) -> HttpResponse:
    role = queries.role(actor_of(request).organization, role_id)
    page = Editor(request, role, Typed.of(role))
    return page.post() if request.method == "POST" else page.show()


class Editor:
    """`role` is what is edited, None for a new one; `typed` what the page shows."""

    def __init__(
        self,
        request: HttpRequest,
        role: Role | None,
        typed: Typed,
        *,
        source: Role | None = None,
        left_out: Iterable[str] = (),
    ) -> None:
        self.request = request
        self.actor = actor_of(request)
        self.typed = typed
        self.source = source
        self.left_out = holders.labels(left_out)
        self.read_role(role)

    def read_role(self, role: Role | None) -> None:
        self.role = role
        self.was = Typed.of(role) if role else Typed()
        self.cannot_add = holders.cannot_add(self.actor, role)

    @property
    def locked(self) -> bool:
        """Admin always holds every permission."""
        return bool(self.role and self.role.default_role_id == ADMIN)

    # --- Saving ----------------------------------------------------------------------------------

    def post(self) -> HttpResponse:
        post = self.request.POST
        if self.role and not {"seen", "version", "name"} <= post.keys():
            text = _("The form did not arrive whole, and nothing was saved. Try again.")
            return self.show([Problem("", "invalid.value", text)], status=400)
        self.typed = Typed.read(post)
        if self.locked:
            self.typed = self.typed.with_values({"permissions": self.was.permissions})
        if self.role and post.get("version") != str(self.role.version):
            merged = self.merged()
            if merged.taken or merged.both:
                return self.review(merged)
        problems = self.typed.problems()
        return self.show(problems) if problems else self.save()

    def save(self) -> HttpResponse:
        """Where others are affected, all is tried first, so that nobody confirms what is refused then."""
        try:
            affected = self.affected()
            asked = affected is not None and self.request.POST.get("confirmed") != key_of(affected)
            with transaction.atomic():
                changed = self.saved()
                if asked:
                    transaction.set_rollback(True)
        except NotFound:
            raise
        except Invalid as error:
            return self.show(list(error.problems))
        except Conflict as error:
            if self.role and error.code == "general.conflict":
                self.read_role(queries.role(self.actor.organization, self.role.id))
                return self.review(self.merged())
            return self.show([_problem(error)])
        except NotAllowed as error:
            return self.show([_problem(error)], status=403)
        except DomainError as error:
            return self.show([_problem(error)])
        if asked and affected is not None:
            return self.show(affected=affected, confirmation=key_of(affected), unsaved=True)
        self.say(changed)
        if not self.actor.access.decide(Permission.AUTHORIZATION_ROLE_VIEW):
            return redirect("admin-home")
        return redirect("role", changed.role.id)

    def saved(self) -> roles.Changed:
        """Permissions that nobody touched are not given, so that wildcards stay what they are."""
        typed = self.typed
        if self.role is None:
            return roles.Changed(
                roles.create_custom(
                    actor=self.actor,
                    name=typed.name,
                    description=typed.description,
                    policies=typed.policies,
                )
            )
        return roles.change(
            actor=self.actor,
            role_id=self.role.id,
            name=typed.name,
            description=typed.description,
            policies=None if typed.permissions == self.was.permissions else typed.policies,
            version=self.role.version,
        )

    def say(self, changed: roles.Changed) -> None:
        if self.role is None:
            messages.success(self.request, _("Role ‘%(name)s’ was created.") % {"name": changed.role.name})
        elif changed.role.version == self.role.version:
            messages.info(self.request, _("There was nothing to save."))
        else:
            messages.success(self.request, _("Changes saved."))
        for notice in changed.notices:
            messages.warning(self.request, notice)

    def affected(self) -> holders.Affected | None:
        """None where the change means nothing to anybody."""
        if self.role is None or self.typed.permissions == self.was.permissions:
            return None
        found = holders.affected(self.actor, self.role, self.typed.permissions)
        return found if found.counts else None

    # --- Two people ------------------------------------------------------------------------------

    def merged(self) -> two_editors.Merged:
        assert self.role is not None
        seen = two_editors.read(self.role.id, self.request.POST.get("seen", ""))
        return two_editors.merge(seen, self.typed.values, self.was.values)

    def review(self, merged: two_editors.Merged) -> HttpResponse:
        """The two changes in one form, to be looked through: nothing is saved until it is sent again."""
        assert self.role is not None
        self.typed = self.typed.with_values(merged.values)
        return self.show(
            **two_editors.last_change(self.actor.organization, self.role.id),
            taken=", ".join(str(LABELS[field]) for field in merged.taken),
            both=", ".join(str(LABELS[field]) for field in merged.both),
            conflict=self.differences(),
            unsaved=self.typed.values != self.was.values,
        )

    def differences(self) -> list[dict[str, str]]:
        """What the form would change of the role as it is now; of permissions, only those that differ."""
        now, wanted = self.was.values, self.typed.values
        rows = []
        for field in FIELDS:
            before, after = now[field], wanted[field]
            if before == after:
                continue
            if isinstance(before, frozenset):
                lost, gained = holders.labels(before - after), holders.labels(after - before)
                before, after = "\n".join(lost), "\n".join(gained)
            rows.append({"label": str(LABELS[field]), "before": before, "after": after})
        return rows

    # --- The page --------------------------------------------------------------------------------

    def show(
        self,
        problems: list[Problem] | None = None,
        *,
        status: int = 200,
        unsaved: bool = False,
        **more: Any,
    ) -> HttpResponse:
        problems = problems or []
        role = self.role
        cancel_url = reverse("role", args=[role.id]) if role else reverse("roles")
        title = _("Edit role") if role else _("Copy role") if self.source else _("Add role")
        context = {
            "breadcrumbs": [
                *breadcrumbs(),
                *([{"label": role.label, "url": cancel_url}] if role else []),
                {"label": title},
            ],
            "title": title,
            "role": role,
            "source": self.source,
            "left_out": self.left_out if self.request.method != "POST" else (),
            "form": self.typed.form(problems, fixed_name=bool(role and role.default_role_id)),
            "locked": self.locked,
            "tree": tree(
                self.typed.permissions,
                cannot_add=self.cannot_add,
                held=frozenset(name for name in CATALOGUE if self.actor.access.divisions_for(name)),
                had=self.was.permissions,
                only_checked=self.locked,
            ),
            "chosen": len(self.typed.permissions),
            "permission_errors": [one.message for one in problems if one.field == "permissionPolicies"],
            "seen": two_editors.sign(role.id, self.was.values) if role else "",
            "form_errors": bool(problems),
            "errors": [{"message": one.message, "target": PLACES.get(one.field, "")} for one in problems],
            "unsaved": unsaved or bool(problems),
            "cancel_url": cancel_url,
            **more,
        }
        return render(self.request, "roles/edit.html", context, status=status)


def key_of(affected: holders.Affected) -> str:
    """Stands for exactly this, so that a confirmation is never taken for more than was shown."""
    counts = affected.counts
    shown = [counts.people, counts.clients, affected.gained, affected.lost, affected.shortened]
    return hashlib.sha256(json.dumps([*shown, affected.shortened_count]).encode()).hexdigest()[:32]


def breadcrumbs() -> list[dict[str, str]]:
    return [
        {"label": _("Admin"), "url": reverse("admin-home")},
        {"label": _("Roles"), "url": reverse("roles")},
    ]


def _problem(error: DomainError) -> Problem:
    return Problem(_FIELD_OF_CODE.get(error.code, ""), error.code, error.message)
