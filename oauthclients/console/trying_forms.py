"""What a test of a client needs to be told (trying_out.py). None of it is ever written back into a page:
the names with "secret" in them say so to config/views.py as well."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from accounts.console.check_assertion import PastedField
from oauthclients import grant_types
from oauthclients.models import Client


class _Password(forms.CharField):
    def __init__(self, **more: Any) -> None:
        super().__init__(
            widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}), **more
        )


class SecretForm(forms.Form):
    secret = _Password(
        label=gettext_lazy("Client Secret"),
        help_text=gettext_lazy("Used once, and not kept."),
        error_messages={"required": gettext_lazy("Enter the client secret.")},
    )


class AssertionForm(SecretForm):
    # "secret" in the name: never written back (config/views.py).
    secret_assertion = PastedField(
        label=gettext_lazy("Assertion"),
        help_text=gettext_lazy(
            "In base64 or base64url, as the app would send it. The test uses it up: it cannot be sent "
            "again."
        ),
        error_messages={"required": gettext_lazy("Paste an assertion.")},
        widget=forms.Textarea(
            attrs={"rows": 6, "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
        ),
    )


class AnswerForm(forms.Form):
    secret_answer = _Password(
        label=gettext_lazy("Address that the browser was sent to"),
        help_text=gettext_lazy(
            "The whole of it, with what stands behind ? or #. What is in it is used once, and not kept."
        ),
        error_messages={"required": gettext_lazy("Paste the address.")},
    )


def form_of(client: Client, given: Any = None) -> forms.Form:
    kinds: dict[str, type[forms.Form]] = {
        grant_types.CLIENT_CREDENTIALS.code: SecretForm,
        grant_types.SAML2_BEARER.code: AssertionForm,
    }
    kind = kinds.get(client.authorization_grant_type, AnswerForm)
    return kind(given, auto_id="id_test_%s")


def in_section(client: Client) -> forms.Form | None:
    """The form that the page of a client has room for: where the secret is all that is needed."""
    if client.authorization_grant_type != grant_types.CLIENT_CREDENTIALS.code:
        return None
    return form_of(client)
