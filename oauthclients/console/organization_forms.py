"""The forms of the organization's settings. They read values; what these may be, the services say."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console.preferences import zone_choices
from oauthclients.console.forms import DURATION, seconds_of


class NameForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("People see it when an app asks for their agreement."),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization", "maxlength": 200}),
    )


class IdleForm(forms.Form):
    enabled = forms.BooleanField(label=gettext_lazy("Inactivity timeout"), required=False)
    minutes = forms.CharField(
        label=gettext_lazy("Minutes without activity"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_minutes(self) -> int:
        text = re.sub(r"\s", "", self.cleaned_data["minutes"])
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise forms.ValidationError(_("Enter a whole number of minutes."))
        return int(text)


class ExclusionsForm(forms.Form):
    paths = forms.CharField(
        label=gettext_lazy("Paths that do not count as use (one per line)"),
        help_text=gettext_lazy(
            "A call of one of these paths of the API is answered as always, but does not keep its token "
            "alive. A part in braces stands for anything: /api/v2/users/{userId}."
        ),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "off"}),
    )


class DefaultDurationForm(forms.Form):
    seconds = forms.CharField(label=gettext_lazy("Default token duration in seconds"), required=False)

    def clean_seconds(self) -> int:
        seconds = seconds_of({DURATION: {"seconds": self.cleaned_data["seconds"]}})
        if seconds is None:
            raise forms.ValidationError(_("Enter a whole number of seconds."))
        return seconds


class HomeRegionForm(forms.Form):
    region = forms.CharField(
        label=gettext_lazy("Home region"),
        help_text=gettext_lazy(
            "Clients with Client Credentials and SAML2 Bearer get tokens at its hosts alone, other apps in "
            "every region."
        ),
        required=False,
        widget=forms.Select,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].widget.choices = [(one.code, one.label) for one in settings.REGIONS.own]


class LanguageForm(forms.Form):
    language = forms.CharField(
        label=gettext_lazy("Language"),
        help_text=gettext_lazy(
            "Of mails, and of pages for people who have chosen none and whose browser asks for none that "
            "is here."
        ),
        required=False,
        widget=forms.Select,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].widget.choices = settings.LANGUAGES


class TimeZoneForm(forms.Form):
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("In which pages say when something was, to people who have chosen none."),
        required=False,
        widget=forms.Select,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].widget.choices = zone_choices()


class TypeOrganizationForm(forms.Form):
    """For what should not be done by the way: the name of the organization, typed."""

    typed_name = forms.CharField(
        max_length=200,
        error_messages={"required": gettext_lazy("Type the organization's name to confirm.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["typed_name"].label = _("Type the organization's name ‘%(name)s’ to confirm") % {
            "name": expected
        }

    def clean_typed_name(self) -> str:
        name: str = self.cleaned_data["typed_name"]
        if name != self.expected:
            raise forms.ValidationError(
                _("This is not the organization's name. Type ‘%(name)s’.") % {"name": self.expected}
            )
        return name
