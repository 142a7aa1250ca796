"""Admin > People and Permissions > Divisions: creating one, changing, deleting and restoring it. Each is a
page of its own; with JavaScript it is shown as a dialog. `accounts.services.divisions` decides."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts import audit, queries
from accounts.actor import Actor
from accounts.console.guard import actor_of, recent_password, requires
from accounts.default_roles import shown
from accounts.errors import Conflict, DomainError, Invalid, NotFound
from accounts.models import Division, RoleGrant, SubjectType, User, UserState
from accounts.permissions import Permission, label_of
from accounts.services import divisions
from oauthclients.console import two_editors
from oauthclients.console.divisions import breadcrumbs

ASK = require_http_methods(["GET", "HEAD", "POST"])
unless_deleted = two_editors.unless_deleted(
    audit.Action.DIVISION_DELETED, list_page="divisions", seen_with=Permission.AUTHORIZATION_DIVISION_VIEW
)
LABELS = {"name": gettext_lazy("Name"), "description": gettext_lazy("Description")}


class DivisionForm(forms.Form):
    """The service checks it; what it says goes to the fields."""

    name = forms.CharField(
        label=LABELS["name"], widget=forms.TextInput(attrs={"autocomplete": "off"}), required=False
    )
    description = forms.CharField(
        label=LABELS["description"], widget=forms.Textarea(attrs={"rows": 3}), required=False
    )

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(data=dict(values), auto_id="id_division_%s")
        self.values = values

    @classmethod
    def of(cls, division: Division) -> DivisionForm:
        return cls({"name": division.name, "description": division.description})

    @classmethod
    def typed(cls, post: Mapping[str, str]) -> DivisionForm:
        return cls(
            {field: post.get(field, "").replace("\x00", "").replace("\r\n", "\n") for field in LABELS}
        )

    @property
    def compared(self) -> dict[str, str]:
        """Without what makes no difference."""
        return {
            "name": " ".join(self.values["name"].split()),
            "description": self.values["description"].strip(),
        }

    def refuse(self, error: DomainError) -> None:
        """Each problem at its field; a name that is taken at the name."""
        if isinstance(error, Invalid):
            for problem in error.problems:
                self.add_error(problem.field if problem.field in self.fields else None, problem.message)
        elif error.code == "resource.already.exists":
            self.add_error("name", error.message)
        else:
            self.add_error(None, error.message)


@ASK
@requires(Permission.AUTHORIZATION_DIVISION_ADD)
def new(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.access.decide_all(
        Permission.AUTHORIZATION_DIVISION_ADD, Permission.AUTHORIZATION_GRANT_ADD
    ).require()
    form = DivisionForm.typed(request.POST)
    if request.method == "POST":
        try:
            made = divisions.create(actor=actor, **form.values)
        except (Invalid, Conflict) as error:
            form.refuse(error)
        except DomainError as error:
            if error.code != "max.scopes.exceeded":
                raise
            form.refuse(error)
        else:
            messages.success(request, _("Division ‘%(name)s’ was created.") % {"name": made.name})
            return _to_list(actor)
    return _form_page(
        request,
        form,
        title=_("Create division"),
        confirm=_("Create division"),
        text=[_("Whoever holds a role in all divisions holds it here as well, at once.")],
    )


@ASK
@requires(Permission.AUTHORIZATION_DIVISION_EDIT)
@unless_deleted
def edit(request: HttpRequest, division_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    shown = queries.division(actor.organization, division_id)
    if request.method != "POST":
        return _edit_page(request, shown, DivisionForm.of(shown))
    form = DivisionForm.typed(request.POST)
    if request.POST.get("version") != str(shown.version):
        merged = _merged(request, shown, form)
        if merged.taken or merged.both:
            return _review(request, shown, merged)
    try:
        changed = divisions.change(actor=actor, division_id=shown.id, version=shown.version, **form.values)
    except Conflict as error:
        if error.code == "general.conflict":
            shown = queries.division(actor.organization, division_id)
            return _review(request, shown, _merged(request, shown, form))
        form.refuse(error)
    except Invalid as error:
        form.refuse(error)
    else:
        if changed.version == shown.version:
            messages.info(request, _("There was nothing to save."))
        else:
            messages.success(request, _("Changes saved."))
        return _to_list(actor)
    return _edit_page(request, shown, form)


def _edit_page(request: HttpRequest, shown: Division, form: DivisionForm, **more: Any) -> HttpResponse:
    seen = two_editors.sign(shown.id, DivisionForm.of(shown).compared)
    return _form_page(
        request,
        form,
        title=_("Edit ‘%(name)s’") % {"name": shown.name},
        confirm=_("Save"),
        hidden={"version": shown.version, "seen": seen},
        **more,
    )


def _merged(request: HttpRequest, shown: Division, form: DivisionForm) -> two_editors.Merged:
    seen = two_editors.read(shown.id, request.POST.get("seen", ""))
    return two_editors.merge(seen, form.compared, DivisionForm.of(shown).compared)


def _review(request: HttpRequest, shown: Division, merged: two_editors.Merged) -> HttpResponse:
    """The two changes in one form, to be looked through: nothing is saved until it is sent again."""
    now = DivisionForm.of(shown).compared
    rows = [
        {"label": str(LABELS[field]), "before": now[field], "after": value}
        for field, value in merged.values.items()
        if value != now[field]
    ]
    return _edit_page(
        request,
        shown,
        DivisionForm(merged.values),
        **two_editors.last_change(shown.organization, shown.id),
        taken=", ".join(str(LABELS[field]) for field in merged.taken),
        both=", ".join(str(LABELS[field]) for field in merged.both),
        conflict=rows,
        unsaved=bool(rows),
    )


def _to_list(actor: Actor) -> HttpResponse:
    return redirect(
        "divisions" if actor.access.decide(Permission.AUTHORIZATION_DIVISION_VIEW) else "admin-home"
    )


def _form_page(
    request: HttpRequest,
    form: DivisionForm,
    *,
    title: str,
    confirm: str,
    text: Iterable[str] = (),
    hidden: Mapping[str, Any] | None = None,
    **more: Any,
) -> HttpResponse:
    return render(
        request,
        "divisions/form.html",
        {
            "breadcrumbs": [*breadcrumbs(), {"label": title}],
            "title": title,
            "text": text,
            "form": form,
            "hidden": hidden or {},
            "confirm": confirm,
            "form_errors": bool(form.errors),
            **more,
        },
    )


# --- Restoring -----------------------------------------------------------------------------------


@ASK
@requires(Permission.AUTHORIZATION_DIVISION_ADD)
def restore(request: HttpRequest, division_id: uuid.UUID) -> HttpResponse:
    """Its old name may be taken meanwhile, so another can be given."""
    actor = actor_of(request)
    actor.require(Permission.AUTHORIZATION_DIVISION_DELETED_VIEW)
    shown = queries.deleted_divisions(actor.organization).filter(id=division_id).first()
    if shown is None:
        raise NotFound
    form = DivisionForm.of(shown)
    if request.method == "POST":
        form = DivisionForm.typed(request.POST)
        try:
            restored = divisions.restore(actor=actor, division_id=division_id, **form.values)
        except NotFound:
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Division ‘%(name)s’ is restored.") % {"name": restored.name})
            return _to_list(actor)
    return _form_page(
        request,
        form,
        title=_("Restore ‘%(name)s’?") % {"name": shown.name},
        text=[_("It comes back empty: what was moved stays where it is, and nobody holds a role in it.")],
        confirm=_("Restore division"),
    )


# --- Deleting ------------------------------------------------------------------------------------


class DeleteForm(forms.Form):
    """Where the people go, if there are any, and that the roles held there may be taken away."""

    move_to = forms.ChoiceField(
        label=gettext_lazy("Move the people to"),
        error_messages={
            "required": gettext_lazy("Choose the division that they move to."),
            "invalid_choice": gettext_lazy("Choose a division from the list."),
        },
    )
    with_grants = forms.BooleanField(
        label=gettext_lazy("Take these roles away"),
        error_messages={"required": gettext_lazy("Confirm that these roles are taken away.")},
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, targets: Iterable[Division], people: int, grants: bool
    ) -> None:
        super().__init__(data, auto_id="id_delete_%s")
        if people:
            choices = [("", _("Choose a division")), *((str(one.id), one.name) for one in targets)]
            self.fields["move_to"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["move_to"]
        if not grants:
            del self.fields["with_grants"]


@ASK
@requires(Permission.AUTHORIZATION_DIVISION_DELETE)
@recent_password
@unless_deleted
def delete(request: HttpRequest, division_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    shown = queries.division(actor.organization, division_id)
    people = _people_of(shown)
    lost = _grants_of(shown)
    in_the_way = _in_the_way(actor, shown, people, bool(lost))
    key = hashlib.sha256("\n".join(lost).encode()).hexdigest()[:32]
    # A confirmation is never taken for more than was shown.
    outdated = request.method == "POST" and request.POST.get("shown") != key
    form = DeleteForm(
        request.POST if request.method == "POST" and not outdated else None,
        targets=targets_of(actor, shown),
        people=people,
        grants=bool(lost),
    )
    if request.method == "POST" and not in_the_way and not outdated and form.is_valid():
        try:
            divisions.delete(
                actor=actor,
                division_id=shown.id,
                move_to=form.cleaned_data.get("move_to") or None,
                with_grants=form.cleaned_data.get("with_grants", False),
            )
        except Conflict as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _deleted(actor, shown))
            return _to_list(actor)
    return render(
        request,
        "divisions/delete.html",
        {
            "breadcrumbs": [*breadcrumbs(), {"label": _("Delete ‘%(name)s’") % {"name": shown.name}}],
            "division": shown,
            "people": people,
            "lost": lost,
            "in_the_way": in_the_way,
            "outdated": outdated and not in_the_way,
            "form": form,
            "shown": key,
            "form_errors": bool(form.errors),
        },
    )


def targets_of(actor: Actor, division: Division) -> list[Division]:
    """The other divisions in which this person may put people."""
    return [
        one
        for one in queries.divisions(actor.organization)
        if one.id != division.id and actor.access.decide(Permission.DIRECTORY_USER_EDIT, division_id=one.id)
    ]


def _people_of(division: Division) -> int:
    return (
        User.objects.filter(organization=division.organization, division=division)
        .exclude(state=UserState.DELETED)
        .count()
    )


def _grants_of(division: Division) -> list[str]:
    """ "Supervisor: 3 people, 1 client" for each role that is held there."""
    by_role: dict[str, dict[str, int]] = defaultdict(dict)
    rows = RoleGrant.objects.filter(organization=division.organization, division=division).order_by()
    for name, kind, count in rows.values_list("role__name", "subject_type").annotate(Count("id")):
        by_role[name][kind] = count
    return [
        _("%(role)s: %(holders)s") % {"role": shown(name), "holders": _holders(by_role[name])}
        for name in sorted(by_role, key=str.casefold)
    ]


def _holders(by_kind: Mapping[str, int]) -> str:
    people, clients = by_kind.get(SubjectType.USER, 0), by_kind.get(SubjectType.CLIENT, 0)
    found = []
    if people:
        found.append(ngettext("%(n)s person", "%(n)s people", people) % {"n": people})
    if clients:
        found.append(ngettext("%(n)s client", "%(n)s clients", clients) % {"n": clients})
    return ", ".join(found)


def _in_the_way(actor: Actor, division: Division, people: int, grants: bool) -> list[str]:
    """Why this person cannot delete it at all, as the service would say."""
    if division.home:
        return [_("Home cannot be deleted.")]
    found = []
    needed = [
        *([Permission.DIRECTORY_USER_EDIT] if people else []),
        *([Permission.AUTHORIZATION_GRANT_DELETE] if grants else []),
    ]
    for permission in needed:
        if not actor.access.decide(permission, division_id=division.id):
            found.append(
                _("You need the permission %(label)s in %(division)s.")
                % {"label": label_of(permission), "division": division.name}
            )
    if people and not found and not targets_of(actor, division):
        found.append(_("You may put people into no other division."))
    return found


def _deleted(actor: Actor, division: Division) -> str:
    text = _("Division ‘%(name)s’ was deleted.") % {"name": division.name}
    may = actor.access.decide_all(
        Permission.AUTHORIZATION_DIVISION_ADD, Permission.AUTHORIZATION_DIVISION_DELETED_VIEW
    )
    if not may:
        return text
    url = reverse("division-restore", args=[division.id])
    return format_html('{} <a href="{}">{}</a>', text, url, _("Restore"))
