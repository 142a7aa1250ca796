"""A person's own language and time zone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.console.guard import actor_of, requires
from accounts.errors import Invalid
from accounts.models import User
from accounts.rules import locale
from accounts.services import preferences
from accounts.sign_in import language


class PreferencesForm(forms.Form):
    language = forms.CharField(
        label=gettext_lazy("Language"),
        help_text=gettext_lazy("Of these pages, and of mails to you."),
        required=False,
        widget=forms.Select,
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("In which these pages say when something was or will be."),
        required=False,
        widget=forms.Select,
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].widget.choices = [
            ("", _("As my browser asks")),
            *settings.LANGUAGES,
        ]
        self.fields["time_zone"].widget.choices = [
            ("", _("As the organization: %(zone)s") % {"zone": zone_label(person.organization.time_zone)}),
            *zone_choices(),
        ]


def zone_choices() -> list[tuple[str, str]]:
    return [(name, zone_label(name)) for name in locale.time_zones()]


def zone_label(name: str) -> str:
    """ "America/New_York" -> "America/New York"."""
    return name.replace("_", " ")


@require_http_methods(["GET", "HEAD", "POST"])
@requires()
def page(request: HttpRequest) -> HttpResponse:
    person = request.user
    assert isinstance(person, User)
    form = PreferencesForm(
        request.POST if request.method == "POST" else None,
        person=person,
        initial={"language": person.language, "time_zone": person.time_zone},
    )
    if request.method == "POST" and form.is_valid():
        try:
            preferences.choose(actor=actor_of(request), user=person, **form.cleaned_data)
        except Invalid as error:
            for problem in error.problems:
                form.add_error(problem.field, problem.message)
        else:
            response = redirect("preferences")
            language.forget(request, response)
            asked = next(locale.of_header(request.headers.get("Accept-Language", "")), "")
            # That of the next page.
            with translation.override(locale.of_person(person, asked) or settings.LANGUAGE_CODE):
                messages.success(request, _("Changes saved."))
            return response
    return render(
        request,
        "accounts/preferences.html",
        {
            "breadcrumbs": [{"label": _("Language and time zone")}],
            "form": form,
            "form_errors": bool(form.errors),
        },
    )
