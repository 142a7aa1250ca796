"""What is typed to sign in. Whether it is right is not the form's business."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

# Longer than anybody's, and short enough that hashing it is no way to keep the server busy.
LONGEST_PASSWORD = 1024


def _password(autofocus: bool = False) -> forms.CharField:
    return forms.CharField(
        label=_("Password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        error_messages={
            "required": _("Enter your password."),
            "max_length": _("This password is too long."),
        },
        widget=forms.PasswordInput(
            attrs={"autocomplete": "current-password", **({"autofocus": True} if autofocus else {})}
        ),
    )


class SignInForm(forms.Form):
    email = forms.CharField(
        label=_("Email"),
        max_length=254,
        error_messages={"required": _("Enter your email."), "max_length": _("This email is too long.")},
        widget=forms.EmailInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = _password()

    def clean_email(self) -> str:
        """As emails are stored, so that the lockout counts every way of writing one as the same."""
        email: str = self.cleaned_data["email"]
        return email.strip().lower()


class ConfirmPasswordForm(forms.Form):
    password = _password(autofocus=True)
