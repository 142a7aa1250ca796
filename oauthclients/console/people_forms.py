"""A person as somebody types them: read from a form, shown again, put together with what somebody else
changed meanwhile. What a person may be, the services say (accounts/services/people.py, person_details.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries
from accounts.actor import Actor
from accounts.errors import Problem, Problems
from accounts.models import Division, User, UserState
from accounts.permissions import Permission
from accounts.services.person_details import PHONE_KINDS, Phone
from oauthclients.console import people_words

TEXTS: Mapping[str, Any] = {
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("Email"),
    "given_name": gettext_lazy("Given name"),
    "family_name": gettext_lazy("Family name"),
    "title": gettext_lazy("Title"),
    "department": gettext_lazy("Department"),
    "employee_number": gettext_lazy("Employee number"),
    "other_email": gettext_lazy("Other email"),
}
PHONES: Mapping[str, str] = {f"phone_{kind}": kind for kind in people_words.PHONES}
LABELS: Mapping[str, Any] = {
    **TEXTS,
    "manager": gettext_lazy("Manager"),
    "hired_on": gettext_lazy("Hired on"),
    **{f"phone_{kind}": label for kind, label in people_words.PHONES.items()},
    "primary": gettext_lazy("Primary phone number"),
}
assert set(PHONES.values()) == set(PHONE_KINDS)

# Where a problem is shown whose field is not one of the form's.
_PLACES = {"manager_id": "manager", "phoneNumbers": "phone_work"}


def _line(label: Any, help_text: Any = "", **attrs: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}),
    )


def _email(label: Any, help_text: Any = "") -> forms.CharField:
    attrs = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
    return forms.CharField(
        label=label, help_text=help_text, required=False, widget=forms.EmailInput(attrs=attrs)
    )


class PersonForm(forms.Form):
    name = _line(LABELS["name"])
    email = _email(LABELS["email"], gettext_lazy("They sign in by it."))
    given_name = _line(LABELS["given_name"])
    family_name = _line(LABELS["family_name"])
    title = _line(LABELS["title"])
    department = _line(LABELS["department"])
    employee_number = _line(LABELS["employee_number"])
    hired_on = forms.CharField(
        label=LABELS["hired_on"], required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    manager = _email(LABELS["manager"], gettext_lazy("The email of somebody of this organization."))
    other_email = _email(LABELS["other_email"], gettext_lazy("Nobody signs in by it."))
    primary = forms.CharField(
        label=LABELS["primary"],
        required=False,
        widget=forms.Select(choices=[("", gettext_lazy("None")), *people_words.PHONES.items()]),
    )

    def __init__(self, data: Mapping[str, Any], problems: Iterable[Problem] = ()) -> None:
        super().__init__(data=dict(data))
        for name in PHONES:
            self.fields[name] = _line(LABELS[name], inputmode="tel")
        for problem in problems:
            if (place := place_of(problem)) in self.fields:
                self.add_error(place, problem.message)

    def phones(self, *, common: bool) -> list[forms.BoundField]:
        """The numbers that most people have, or the rest."""
        names = list(PHONES)
        return [self[name] for name in (names[:4] if common else names[4:])]


def place_of(problem: Problem) -> str:
    """The field of the page; what belongs to none stays above the form."""
    return _PLACES.get(problem.field, problem.field)


def summary_of(problem: Problem) -> dict[str, str]:
    """For the box above the form."""
    place = place_of(problem)
    message = problem.message
    if place in LABELS and place not in ("name", "email"):
        message = _("%(field)s: %(problem)s") % {"field": LABELS[place], "problem": message}
    return {"message": message, "target": f"id_{place}" if place in LABELS else ""}


# --- Reading and writing -------------------------------------------------------------------------


def read(post: QueryDict) -> dict[str, str]:
    """What was typed. Nothing is refused here, only NUL is dropped, which no database text can hold."""
    return {name: post.get(name, "").replace("\x00", "").strip() for name in LABELS}


def typed_of(person: User) -> dict[str, str]:
    """The other way round: a person as if somebody had just typed them."""
    numbers = {number.kind: number for number in person.phone_numbers.all()}
    return {
        **{name: getattr(person, name) for name in TEXTS},
        "manager": person.manager.email if person.manager else "",
        "hired_on": person.hired_on.isoformat() if person.hired_on else "",
        **{name: numbers[kind].value if kind in numbers else "" for name, kind in PHONES.items()},
        "primary": next((number.kind for number in numbers.values() if number.primary), ""),
    }


def values_of(actor: Actor, person: User, typed: Mapping[str, str]) -> dict[str, Any]:
    """What `people.change` is to make of it. Raises `Invalid` for a manager whom the actor does not see and
    for a date that is none."""
    problems = Problems()
    values: dict[str, Any] = {name: typed[name] for name in TEXTS}
    values["manager_id"] = _manager(actor, person, typed["manager"], problems)
    values["hired_on"] = _date(typed["hired_on"], problems)
    if typed["primary"] and not typed.get(f"phone_{typed['primary']}"):
        problems.add("primary", "invalid.value", _("Choose a type that has a number."))
    problems.raise_if_any()
    return values


def phones_of(typed: Mapping[str, str]) -> list[Phone]:
    return [
        Phone(kind, typed[name], primary=typed["primary"] == kind)
        for name, kind in PHONES.items()
        if typed[name]
    ]


def _manager(actor: Actor, person: User, email: str, problems: Problems) -> Any:
    """The manager that there is may stay, whoever may see them."""
    if not email:
        return None
    if person.manager is not None and person.manager.email == email.lower():
        return person.manager_id
    permitted = actor.access.divisions_for(Permission.DIRECTORY_USER_VIEW)
    rows = queries.people_in(actor.organization, permitted).exclude(state=UserState.DELETED)
    found = rows.filter(email=email.lower()).first()
    if found is None:
        problems.add("manager", "invalid.value", _("Nobody here has this email address."))
    return found.id if found else None


def _date(text: str, problems: Problems) -> date | None:
    try:
        found = parse_date(text) if text else None
    except ValueError:
        found = None
    if text and found is None:
        problems.add("hired_on", "invalid.value", _("Enter a date such as 2026-05-31."))
    return found


# --- Adding ----------------------------------------------------------------------------------------


class AddForm(forms.Form):
    """`divisions` are those where the actor may add people; `may_invite`: whether they may send somebody a
    link in any of these."""

    name = _line(LABELS["name"])
    email = _email(LABELS["email"], gettext_lazy("They sign in by it."))
    title = _line(LABELS["title"])
    department = _line(LABELS["department"])
    division = forms.CharField(
        label=gettext_lazy("Division"),
        help_text=gettext_lazy("It says who may see and change this person."),
        required=False,
        widget=forms.Select,
    )
    invite = forms.BooleanField(label=gettext_lazy("Send an invitation by mail"), required=False)
    active = forms.BooleanField(
        label=gettext_lazy("Active"),
        help_text=gettext_lazy("Somebody who is not active cannot sign in."),
        required=False,
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        divisions: Iterable[Division],
        may_invite: bool,
        initial: Mapping[str, Any],
    ) -> None:
        super().__init__(data=data, initial=dict(initial))
        choices = [(str(division.id), division.name) for division in divisions]
        widget = self.fields["division"].widget
        assert isinstance(widget, forms.Select)
        widget.choices = choices
        if may_invite:
            self.fields["invite"].help_text = " ".join(
                filter(
                    None,
                    (
                        _("A link by which they choose their password. It makes them active."),
                        people_words.mail_note(),
                    ),
                )
            )
        else:
            del self.fields["invite"]
