"""People and Permissions > People: adding a person, and editing one's profile."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import queries
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from accounts.models import Division, User, UserState
from accounts.permissions import Permission
from accounts.services import invitations, people, person_details
from oauthclients.console import people_forms as forms
from oauthclients.console import people_rights, two_editors

NOT_THERE = gettext_lazy("This division is not there any more.")
ASK = require_http_methods(["GET", "HEAD", "POST"])


def breadcrumbs(person: User | None = None) -> list[dict[str, str]]:
    found = [
        {"label": _("Admin"), "url": reverse("admin-home")},
        {"label": _("People"), "url": reverse("people")},
    ]
    if person is not None:
        found.append({"label": str(person), "url": reverse("person", args=[person.id])})
    return found


# --- Adding ----------------------------------------------------------------------------------------


@ASK
@requires(Permission.DIRECTORY_USER_ADD)
def add(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    where = actor.access.divisions_for(Permission.DIRECTORY_USER_ADD)
    divisions = [division for division in queries.divisions(actor.organization) if division.id in where]
    form = forms.AddForm(
        request.POST if request.method == "POST" else None,
        divisions=divisions,
        may_invite=any(_may_invite(actor, division) for division in divisions),
        initial={"invite": True, "division": str(divisions[0].id) if divisions else ""},
    )
    if request.method == "POST" and form.is_valid():
        person = _added(actor, form)
        if person is not None:
            return _invited(request, actor, person, invite=form.cleaned_data.get("invite", False))
    return render(
        request,
        "people/add.html",
        {
            "breadcrumbs": [*breadcrumbs(), {"label": _("Add person")}],
            "form": form,
            "form_errors": bool(form.errors),
            "one_division": divisions[0] if len(divisions) == 1 else None,
            "sso_only": actor.organization.only_sso,
        },
    )


def _may_invite(actor: Actor, division: Division) -> bool:
    return not actor.organization.only_sso and bool(_invites_in(actor, division))


def _invites_in(actor: Actor, division: Division) -> Any:
    return actor.access.decide(
        Permission.DIRECTORY_USER_SET_PASSWORD,
        Permission.DIRECTORY_ORGANIZATION_ADMIN,
        division_id=division.id,
        division_name=division.name,
    )


def _added(actor: Actor, form: forms.AddForm) -> User | None:
    """The new person; None where the form says what is wrong. Nobody is added who cannot be invited as
    asked."""
    typed = {name: str(form.cleaned_data[name]).replace("\x00", "") for name in ("name", "email", "title")}
    try:
        division = queries.division(actor.organization, form.cleaned_data["division"])
    except NotFound:
        key = queries.as_uuid(form.cleaned_data["division"])
        gone = key is not None and queries.deleted_divisions(actor.organization).filter(id=key).exists()
        form.add_error("division", NOT_THERE if gone else _("Choose a division."))
        return None
    invite = form.cleaned_data.get("invite", False)
    if invite and not (decision := _invites_in(actor, division)):
        form.add_error("invite", decision.sentence)
        return None
    spec = people.PersonSpec(
        name=typed["name"],
        email=typed["email"],
        title=typed["title"],
        department=form.cleaned_data["department"].replace("\x00", ""),
        division_id=division.id,
        state=UserState.ACTIVE if invite or form.cleaned_data["active"] else UserState.INACTIVE,
    )
    try:
        return people.create(actor=actor, spec=spec)
    except Invalid as error:
        for problem in error.problems:
            form.add_error(problem.field if problem.field in form.fields else None, problem.message)
    except Conflict as error:
        form.add_error("email", error.message)
    except NotAllowed as error:
        form.add_error("division", error.message)
    except NotFound:
        form.add_error("division", NOT_THERE)
    return None


def _invited(request: HttpRequest, actor: Actor, person: User, *, invite: bool) -> HttpResponse:
    """On to the person's page. They stay where the mail could not be sent: it can be sent again there."""
    if not invite:
        messages.success(request, _("‘%(name)s’ was added.") % {"name": person.name})
        return to_person(actor, person)
    try:
        invitations.send(actor=actor, user_id=person.id)
    except (invitations.MailNotSent, Conflict) as error:
        messages.warning(
            request,
            _("‘%(name)s’ was added, but not invited: %(why)s")
            % {"name": person.name, "why": error.message},
        )
    else:
        messages.success(
            request,
            _("‘%(name)s’ was added, and an invitation sent to %(email)s.")
            % {"name": person.name, "email": person.email},
        )
    return to_person(actor, person)


def to_person(actor: Actor, person: User) -> HttpResponseRedirect:
    """To the person's page, or to the list for somebody who does not see them (any more)."""
    seen = actor.access.decide(Permission.DIRECTORY_USER_VIEW, division_id=person.division_id)
    if seen:
        return HttpResponseRedirect(reverse("person", args=[person.id]))
    listed = actor.access.decide(Permission.DIRECTORY_USER_VIEW)
    return HttpResponseRedirect(reverse("people") if listed else reverse("person-add"))


# --- Editing ---------------------------------------------------------------------------------------


@ASK
@requires(Permission.DIRECTORY_USER_VIEW)
def edit(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    person = people_rights.seen(actor, user_id)
    actor.require(
        Permission.DIRECTORY_USER_EDIT,
        Permission.DIRECTORY_ORGANIZATION_ADMIN,
        division_id=person.division_id,
        division_name=person.division.name,
    )
    if person.state == UserState.DELETED:
        messages.error(request, _("This person is deleted."))
        return to_person(actor, person)
    page = EditPage(request, actor, person)
    return page.post() if request.method == "POST" else page.show([])


class EditPage:
    """`was` is what the person is, `typed` what the page shows."""

    def __init__(self, request: HttpRequest, actor: Actor, person: User) -> None:
        self.request = request
        self.actor = actor
        self.read_person(person)
        self.typed = dict(self.was)

    def read_person(self, person: User) -> None:
        self.person = person
        self.was = forms.typed_of(person)

    def post(self) -> HttpResponse:
        self.typed = forms.read(self.request.POST)
        if self.request.POST.get("version") != str(self.person.version):
            merged = self.merged()
            if merged.taken or merged.both:
                return self.review(merged)
        return self.save()

    def save(self) -> HttpResponse:
        version = self.person.version
        try:
            values = forms.values_of(self.actor, self.person, self.typed)
            with transaction.atomic():
                changed = people.change(
                    actor=self.actor, user_id=self.person.id, version=version, values=values
                )
                person_details.set_phones(
                    actor=self.actor, user=changed, phones=forms.phones_of(self.typed)
                )
        except Invalid as error:
            return self.show(list(error.problems))
        except NotAllowed as error:
            if self.typed["email"].lower() == self.was["email"]:
                raise
            return self.show([Problem("email", error.code, error.message)])
        except Conflict as error:
            return self.conflict(error)
        if changed.version == version:
            messages.info(self.request, _("There was nothing to save."))
        else:
            messages.success(self.request, _("Changes saved."))
        return to_person(self.actor, changed)

    def conflict(self, error: Conflict) -> HttpResponse:
        """The email is somebody else's, or somebody else was first."""
        if error.code == "resource.already.exists":
            return self.show([Problem("email", error.code, error.message)])
        self.read_person(queries.person(self.actor.organization, self.person.id))
        if self.person.state == UserState.DELETED:
            messages.error(self.request, error.message)
            return to_person(self.actor, self.person)
        return self.review(self.merged())

    def merged(self) -> two_editors.Merged:
        seen = two_editors.read(self.person.id, self.request.POST.get("seen", ""))
        return two_editors.merge(seen, self.typed, self.was)

    def review(self, merged: two_editors.Merged) -> HttpResponse:
        """The two changes in one form, to be looked through: nothing is saved until it is sent again."""
        self.typed = merged.values
        rows = [
            {"label": str(forms.LABELS[field]), "before": self.was[field], "after": self.typed[field]}
            for field in merged.both
        ]
        return self.show(
            [],
            taken=", ".join(str(forms.LABELS[field]) for field in merged.taken),
            both=", ".join(str(forms.LABELS[field]) for field in merged.both),
            conflict=rows,
            unsaved=self.typed != self.was,
            **two_editors.last_change(self.actor.organization, self.person.id),
        )

    def show(self, problems: list[Problem], **more: Any) -> HttpResponse:
        form = forms.PersonForm(self.typed, problems)
        rare = form.phones(common=False)
        context = {
            "shown": self.person,
            "person_url": reverse("person", args=[self.person.id]),
            "seen": two_editors.sign(self.person.id, self.was),
            "form": form,
            "phones": form.phones(common=True),
            "more_phones": rare,
            "more_phones_open": any(field.value() or field.errors for field in rare),
            "form_errors": bool(problems),
            "errors": [forms.summary_of(problem) for problem in problems],
            "unsaved": bool(problems),
            "breadcrumbs": [*breadcrumbs(self.person), {"label": _("Edit"), "url": ""}],
            **more,
        }
        return render(self.request, "people/edit.html", context)
