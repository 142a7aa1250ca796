"""The questions before something is done to a person: a page each, shown as a dialog with JavaScript. What
the service refuses is said in the page that asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import queries
from accounts.actor import Actor
from accounts.console.guard import actor_of, recent_password, requires
from accounts.errors import Conflict, DomainError, NotFound
from accounts.models import Division, GroupMember, User, UserState
from accounts.permissions import Permission
from accounts.services import invitations, people
from oauthclients import queries as client_queries
from oauthclients.console import people_rights, people_words, words
from oauthclients.console.people_edit import breadcrumbs, to_person
from oauthclients.services import consents, tokens

ASK = require_http_methods(["GET", "HEAD", "POST"])
EDIT = (Permission.DIRECTORY_USER_EDIT, Permission.DIRECTORY_ORGANIZATION_ADMIN)
DELETE = (Permission.DIRECTORY_USER_DELETE, Permission.DIRECTORY_ORGANIZATION_ADMIN)
INVITE = (Permission.DIRECTORY_USER_SET_PASSWORD, Permission.DIRECTORY_ORGANIZATION_ADMIN)


def ask(
    request: HttpRequest,
    person: User,
    *,
    title: str,
    text: Iterable[str],
    confirm: str,
    facts: Iterable[dict[str, Any]] = (),
    form: forms.Form | None = None,
    error: DomainError | None = None,
    note: str = "",
    danger: bool = False,
    back: str = "person",
    hidden: Iterable[dict[str, Any]] = (),
) -> HttpResponse:
    """The page of a question; its form posts to its own address. `error` is why it was refused."""
    if error is not None and form is None:
        form = forms.Form({})
    if error is not None and form is not None:
        form.add_error(None, error.message)
    return render(
        request,
        "people/confirm.html",
        {
            "breadcrumbs": [*breadcrumbs(person), {"label": confirm}],
            "form_errors": bool(form and form.is_bound and form.errors),
            "dialog_title": title,
            "dialog_text": list(text),
            "dialog_facts": list(facts),
            "dialog_form": form,
            "dialog_note": note,
            "dialog_confirm": confirm,
            "dialog_danger": danger,
            "dialog_hidden": list(hidden),
            "dialog_cancel_url": reverse(back, args=[person.id]),
            "dialog_action": request.get_full_path(),
        },
    )


def _asked(request: HttpRequest, user_id: uuid.UUID, *any_of: str) -> tuple[Actor, User]:
    """Whoever asks, about whom. Raises `NotFound`, `NotAllowed`."""
    actor = actor_of(request)
    person = people_rights.seen(actor, user_id)
    if any_of:
        actor.require(*any_of, division_id=person.division_id, division_name=person.division.name)
    return actor, person


def _tried(do: Callable[[], object]) -> DomainError | None:
    """Why the service refuses, for the page that asked. A person who is gone is gone."""
    try:
        do()
    except NotFound:
        raise
    except DomainError as error:
        return error
    return None


def _already(request: HttpRequest, actor: Actor, person: User, why: str) -> HttpResponse:
    """Somebody else was first, or the page was old."""
    messages.error(request, why)
    return to_person(actor, person)


# --- State ---------------------------------------------------------------------------------------


@ASK
@requires(Permission.DIRECTORY_USER_VIEW)
def activate(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    actor, person = _asked(request, user_id, *EDIT)
    if person.state != UserState.INACTIVE:
        return _already(request, actor, person, _("This person is not inactive."))
    error = None
    if request.method == "POST":
        error = _tried(lambda: _set_state(actor, person, UserState.ACTIVE))
        if error is None:
            messages.success(request, _("‘%(name)s’ is active.") % {"name": person.name})
            return to_person(actor, person)
    text = [_("They can sign in again, and have all their roles. Tokens from before stay void.")]
    if not person.has_usable_password() and people_rights.has_a_password(person):
        text.append(_("They have no password yet: send them an invitation afterwards."))
    return ask(
        request,
        person,
        title=_("Activate ‘%(name)s’?") % {"name": person.name},
        text=text,
        confirm=_("Activate"),
        error=error,
    )


@ASK
@requires(Permission.DIRECTORY_USER_VIEW)
def deactivate(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    actor, person = _asked(request, user_id, *EDIT)
    if person.state != UserState.ACTIVE:
        return _already(request, actor, person, _("This person is not active."))
    error = None
    if request.method == "POST":
        error = _tried(lambda: _set_state(actor, person, UserState.INACTIVE))
        if error is None:
            messages.success(request, _("‘%(name)s’ is inactive.") % {"name": person.name})
            return to_person(actor, person)
    return ask(
        request,
        person,
        title=_("Deactivate ‘%(name)s’?") % {"name": person.name},
        text=[
            _("They are signed out everywhere at once, and no app can act for them."),
            _("Their roles stay. You can activate them again."),
        ],
        facts=in_use(actor, person),
        confirm=_("Deactivate"),
        error=error,
        danger=True,
    )


@ASK
@requires(Permission.DIRECTORY_USER_VIEW)
@recent_password
def delete(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    actor, person = _asked(request, user_id, *DELETE)
    if person.state == UserState.DELETED:
        return _already(request, actor, person, _("This person is deleted already."))
    error = None
    if request.method == "POST":
        error = _tried(lambda: people.delete(actor=actor, user_id=person.id))
        if error is None:
            messages.success(request, _("‘%(name)s’ was deleted.") % {"name": person.name})
            return HttpResponseRedirect(reverse("people"))
    roles = queries.grants_of(actor.organization, person.id).values("role_id").distinct().order_by().count()
    groups = GroupMember.objects.filter(user=person).count()
    return ask(
        request,
        person,
        title=_("Delete ‘%(name)s’?") % {"name": person.name},
        text=[
            _("They are signed out everywhere at once, and lose all their roles and groups."),
            _("You can restore them; what they held does not come back."),
        ],
        facts=[
            {"label": _("Roles"), "value": words.number(roles)},
            {"label": _("Groups"), "value": words.number(groups)},
            *in_use(actor, person),
        ],
        confirm=_("Delete person"),
        error=error,
        danger=True,
    )


@ASK
@requires(Permission.DIRECTORY_USER_VIEW)
def restore(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    actor, person = _asked(request, user_id, *EDIT)
    if person.state != UserState.DELETED:
        return _already(request, actor, person, _("This person is not deleted."))
    error = None
    if request.method == "POST":
        error = _tried(lambda: _set_state(actor, person, UserState.INACTIVE))
        if error is None:
            messages.success(
                request, _("‘%(name)s’ is restored, inactive and without roles.") % {"name": person.name}
            )
            return to_person(actor, person)
    return ask(
        request,
        person,
        title=_("Restore ‘%(name)s’?") % {"name": person.name},
        text=[_("They come back inactive and hold no role."), _("Then you can activate them.")],
        confirm=_("Restore person"),
        error=error,
    )


def _set_state(actor: Actor, person: User, state: UserState) -> User:
    """Only from the state that the question was about."""

    def values(now: User) -> dict[str, Any]:
        if now.state != person.state:
            raise Conflict(_("Somebody else changed this person in the meantime."), code="general.conflict")
        return {"state": state}

    return people.change(actor=actor, user_id=person.id, version=None, values=values)


def in_use(actor: Actor, person: User) -> list[dict[str, str]]:
    """What would stop working."""
    apps = client_queries.consents(actor.organization, person.id).count()
    return [
        {"label": _("Apps that act for them"), "value": words.number(apps)},
        {"label": _("Tokens in use"), "value": words.number(tokens.live_of_person(person))},
    ]


# --- Division --------------------------------------------------------------------------------------


class MoveForm(forms.Form):
    division = forms.ChoiceField(
        label=gettext_lazy("To the division"),
        error_messages={
            "required": gettext_lazy("Choose a division."),
            "invalid_choice": gettext_lazy("Choose one of these divisions."),
        },
    )

    def __init__(self, data: Any, *, divisions: Iterable[Division]) -> None:
        super().__init__(data, auto_id="id_move_%s")
        field = self.fields["division"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(division.id), division.name) for division in divisions]


@ASK
@requires(Permission.DIRECTORY_USER_VIEW)
def move(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    actor, person = _asked(request, user_id, Permission.DIRECTORY_USER_EDIT)
    if person.state == UserState.DELETED:
        return _already(request, actor, person, _("This person is deleted."))
    where = actor.access.divisions_for(Permission.DIRECTORY_USER_EDIT)
    others = [
        division
        for division in queries.divisions(actor.organization)
        if division.id in where and division.id != person.division_id
    ]
    if not others:
        return _already(
            request, actor, person, _("There is no other division to which you may move people.")
        )
    form = MoveForm(request.POST if request.method == "POST" else None, divisions=others)
    error = None
    if request.method == "POST" and form.is_valid():
        moved: list[User] = []
        error = _tried(lambda: moved.append(_move(actor, person, form.cleaned_data["division"], request)))
        if error is None:
            messages.success(
                request,
                _("‘%(name)s’ is in %(division)s now.")
                % {"name": person.name, "division": moved[0].division.name},
            )
            return to_person(actor, moved[0])
    return ask(
        request,
        person,
        title=_("Move ‘%(name)s’ to another division?") % {"name": person.name},
        text=[
            _("Now in %(division)s. The division says who may see and change this person.")
            % {"division": person.division.name},
            _("Their roles stay as they are."),
        ],
        form=form,
        confirm=_("Move"),
        error=error,
        hidden=[{"name": "version", "value": person.version}],
    )


def _move(actor: Actor, person: User, division_id: str, request: HttpRequest) -> User:
    version = request.POST.get("version", "")
    return people.change(
        actor=actor,
        user_id=person.id,
        version=int(version) if version.isdecimal() and len(version) < 10 else 0,
        values={},
        division_id=uuid.UUID(division_id),
    )


# --- Invitation ------------------------------------------------------------------------------------


@ASK
@requires(Permission.DIRECTORY_USER_VIEW)
def invite(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    actor, person = _asked(request, user_id, *INVITE)
    error = None
    if request.method == "POST":
        error = _tried(lambda: invitations.send(actor=actor, user_id=person.id))
        if error is None:
            messages.success(request, _("An invitation was sent to %(email)s.") % {"email": person.email})
            return to_person(actor, person)
    elif not people_rights.of(actor, person).invite:
        return _already(request, actor, person, _("This person cannot be invited now."))
    text = [
        _("A link goes to %(email)s. It works once, for %(time)s, and lets them choose a password.")
        % {"email": person.email, "time": words.duration(settings.INVITATION_SECONDS)},
    ]
    if hasattr(person, "invitation"):
        text.append(_("The link that was sent before stops working."))
    if person.has_usable_password():
        text.append(_("Their password stays until they choose another one."))
    return ask(
        request,
        person,
        title=_("Send ‘%(name)s’ an invitation?") % {"name": person.name},
        text=text,
        note=people_words.mail_note(),
        confirm=_("Send invitation"),
        error=error,
    )


# --- Apps and tokens -------------------------------------------------------------------------------


@ASK
@requires(Permission.OAUTH_TOKEN_DELETE)
def revoke_app(request: HttpRequest, user_id: uuid.UUID, consent_id: uuid.UUID) -> HttpResponse:
    actor, person = _asked(request, user_id)
    consent = get_object_or_404(client_queries.consents(actor.organization, person.id), id=consent_id)
    what = {"app": consent.client.name, "name": person.name}
    error = None
    if request.method == "POST":
        error = _tried(lambda: consents.revoke_for(actor=actor, user_id=person.id, consent_id=consent_id))
        if error is None:
            messages.success(request, _("‘%(app)s’ can no longer act for ‘%(name)s’.") % what)
            return HttpResponseRedirect(reverse("person-apps", args=[person.id]))
    return ask(
        request,
        person,
        title=_("Revoke the access of ‘%(app)s’?") % what,
        text=[
            _("The app can no longer act for ‘%(name)s’, and is signed out at once.") % what,
            _("If they use it again, it asks them again."),
        ],
        confirm=_("Revoke access"),
        error=error,
        danger=True,
        back="person-apps",
    )


@ASK
@requires(Permission.OAUTH_TOKEN_DELETE)
def revoke_tokens(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    actor, person = _asked(request, user_id)
    error = None
    if request.method == "POST":
        error = _tried(lambda: tokens.revoke_person(actor=actor, user_id=person.id))
        if error is None:
            messages.success(request, _("All tokens of ‘%(name)s’ were revoked.") % {"name": person.name})
            return HttpResponseRedirect(reverse("person-apps", args=[person.id]))
    return ask(
        request,
        person,
        title=_("Revoke all tokens of ‘%(name)s’?") % {"name": person.name},
        text=[
            _("Every app is signed out of their account at once."),
            _("Apps that they have allowed get new tokens when they use them again."),
        ],
        facts=in_use(actor, person),
        confirm=_("Revoke all tokens"),
        error=error,
        danger=True,
        back="person-apps",
    )
