"""An identity provider as somebody types it: read from the form, shown again, filled from a metadata file,
put together with what somebody else changed meanwhile. What it may be, the service says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.core import signing
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console import single_sign_on_words as words
from accounts.console.single_sign_on_words import LABELS
from accounts.errors import Problem
from accounts.models import Binding, IdentityProvider, NameIdFormat, Organization
from accounts.rules import provider_spec
from accounts.rules.provider_spec import ProviderSpec
from accounts.saml import service_provider
from accounts.services.identity_providers import TRUSTED_FIELDS

SALT = "accounts.console.single_sign_on"
SWITCHES = ("enabled", "show_on_sign_in", "accept_bearer", "sign_requests", "force_authn")
# Switches by which more is believed than before (services/identity_providers.py `_widens`).
NOT_TURNED_ON = ("enabled", "accept_bearer")
NOT_TURNED_OFF = ("force_authn",)
# All but the certificates, which are removed and added one by one.
FIELDS = tuple(field for field in LABELS if field != "certificates")
UNKNOWN = object()
NOTHING = ProviderSpec(name="", issuer="", target_url="")


def _text(**attrs: Any) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", **attrs})


def _address() -> forms.TextInput:
    return _text(inputmode="url", spellcheck="false", autocapitalize="off")


class ProviderForm(forms.Form):
    name = forms.CharField(
        label=LABELS["name"],
        help_text=gettext_lazy("People see it on the button “Continue with …”."),
        required=False,
        widget=_text(),
    )
    issuer = forms.CharField(
        label=LABELS["issuer"],
        help_text=gettext_lazy("The provider's entity ID, letter for letter."),
        required=False,
        widget=_address(),
    )
    target_url = forms.CharField(
        label=LABELS["target_url"],
        help_text=gettext_lazy("Where people are sent to sign in."),
        required=False,
        widget=_address(),
    )
    target_binding = forms.CharField(
        label=LABELS["target_binding"], required=False, widget=forms.Select(choices=Binding.choices)
    )
    add_certificates = forms.CharField(
        label=gettext_lazy("Add certificates"),
        help_text=gettext_lazy("In PEM, one after the other. At most five in all."),
        required=False,
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "spellcheck": "false",
                "autocapitalize": "off",
                "autocomplete": "off",
                "placeholder": "-----BEGIN CERTIFICATE-----",
            }
        ),
    )
    logout_url = forms.CharField(
        label=LABELS["logout_url"],
        help_text=gettext_lazy("Signing out here then signs out there as well."),
        required=False,
        widget=_address(),
    )
    logout_binding = forms.CharField(
        label=LABELS["logout_binding"], required=False, widget=forms.Select(choices=Binding.choices)
    )
    audience = forms.CharField(label=LABELS["audience"], required=False, widget=_address())
    relying_party_identifier = forms.CharField(
        label=LABELS["relying_party_identifier"], required=False, widget=_address()
    )
    name_id_format = forms.CharField(
        label=LABELS["name_id_format"],
        help_text=gettext_lazy("What we ask for as the name of the person."),
        required=False,
        widget=forms.Select(choices=NameIdFormat.choices),
    )
    email_attribute = forms.CharField(
        label=LABELS["email_attribute"],
        help_text=gettext_lazy("By it the person is found here. Empty: the NameID is the email."),
        required=False,
        widget=_text(spellcheck="false", autocapitalize="none"),
    )
    metadata_file = forms.FileField(
        label=gettext_lazy("Metadata file"), required=False, widget=forms.FileInput
    )
    metadata_text = forms.CharField(
        label=gettext_lazy("Or paste its text"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
    )

    def __init__(self, data: Mapping[str, Any], *, organization: Organization) -> None:
        super().__init__(data=dict(data))
        entity_id = service_provider.default_entity_id(organization)
        ours = self.fields["relying_party_identifier"]
        ours.widget.attrs["placeholder"] = entity_id
        ours.help_text = _("What we call ourselves. Empty: %(default)s.") % {"default": entity_id}
        audience = self.fields["audience"]
        audience.widget.attrs["placeholder"] = data["relying_party_identifier"].strip() or entity_id
        audience.help_text = _("For whom its assertions must be. Empty: the Relying Party Identifier.")


# Where a problem is shown, by its name on the wire; others go by those of `words.WIRE`.
_PLACES = {
    "certificates": "add_certificates",
    "metadata": "metadata_text",
    "metadataFile": "metadata_file",
}


# Where a problem does not say by itself what it is about.
_ALIKE = ("issuer", "target_url", "logout_url", "audience", "relying_party_identifier", "email_attribute")


def place_of(problem: Problem) -> str:
    """The field of the page; empty for what belongs to none."""
    return _PLACES.get(problem.field) or words.WIRE.get(problem.field, "")


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """As the page has their fields; what belongs to none, or to the metadata, first."""
    order = {field: number for number, field in enumerate(LABELS)}
    order["add_certificates"] = order["certificates"]
    return sorted(problems, key=lambda problem: order.get(place_of(problem), -1))


def summary_of(problem: Problem) -> dict[str, str]:
    """For the box above the form."""
    place, message = place_of(problem), problem.message
    if place in _ALIKE:
        message = _("%(field)s: %(problem)s") % {"field": LABELS[place], "problem": message}
    return {"message": message, "target": f"id_{place}" if place else ""}


@dataclass(frozen=True)
class Typed:
    """`removed` are fingerprints of certificates that are there, `added` is text as it was typed."""

    values: Mapping[str, Any]
    removed: frozenset[str] = frozenset()
    added: str = ""
    metadata: str = ""

    def form(self, organization: Organization, problems: Iterable[Problem] = ()) -> ProviderForm:
        """The form as it was typed, and each problem at its field. A private key is not written back."""
        data = {**self.values, "add_certificates": self.added, "metadata_text": self.metadata}
        data = {name: _shown(value) for name, value in data.items()}
        form = ProviderForm(data, organization=organization)
        for problem in problems:
            if (field := place_of(problem)) in form.fields:
                form.add_error(field, problem.message)
        return form


def _shown(value: Any) -> Any:
    """Without what is not written back."""
    return "" if isinstance(value, str) and provider_spec.holds_private_key(value) else value


def read(post: QueryDict) -> Typed:
    """What was typed. Nothing is refused here; only NUL is dropped, which no database text can hold."""

    def text(name: str) -> str:
        return post.get(name, "").replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")

    return Typed(
        values={field: field in post if field in SWITCHES else text(field) for field in FIELDS},
        removed=frozenset(post.getlist("remove")),
        added=text("add_certificates"),
        metadata=text("metadata_text"),
    )


def typed_of(spec: ProviderSpec) -> Typed:
    """The other way round: a provider as if somebody had just typed it."""
    return Typed(values={field: getattr(spec, field) for field in FIELDS})


def spec_of(typed: Typed, was: ProviderSpec) -> ProviderSpec:
    """What was typed over what it was: what this page does not ask for stays."""
    return replace(
        was,
        **typed.values,
        certificates=(*_kept(typed, was), *provider_spec.split_certificates(typed.added)),
    )


def named(problem: Problem, typed: Typed, was: ProviderSpec) -> Problem:
    """A problem with a certificate as the box shows it: numbered from the first that was typed there."""
    if problem.field != "certificates" or problem.line is None:
        return problem
    if len(provider_spec.split_certificates(typed.added)) == 1:
        return problem
    number = problem.line - len(_kept(typed, was))
    message = _("Certificate %(number)s: %(problem)s") % {"number": number, "problem": problem.message}
    return replace(problem, message=message)


def _kept(typed: Typed, was: ProviderSpec) -> tuple[str, ...]:
    every = provider_spec.certificates_of(was.certificates)
    return tuple(one.pem for one in every if one.fingerprint not in typed.removed)


# --- Who may not decide whom to believe ------------------------------------------------------------


def cannot() -> str:
    """What they may not change."""
    text = _("You cannot add certificates, turn on %(on)s, turn off %(off)s, or change these: %(fields)s.")
    return text % {
        "on": _(" or ").join(f"‘{LABELS[name]}’" for name in NOT_TURNED_ON),
        "off": _(" or ").join(f"‘{LABELS[name]}’" for name in NOT_TURNED_OFF),
        "fields": ", ".join(str(label) for name, label in LABELS.items() if name in TRUSTED_FIELDS),
    }


def fixed(was: ProviderSpec) -> Mapping[str, str]:
    """The switches that stay as they are, and why."""
    off = {name: _("You cannot turn this on.") for name in NOT_TURNED_ON if not getattr(was, name)}
    on = {name: _("You cannot turn this off.") for name in NOT_TURNED_OFF if getattr(was, name)}
    return {**off, **on}


# --- A metadata file -----------------------------------------------------------------------------


def filled(typed: Typed, was: ProviderSpec, found: Mapping[str, Any]) -> tuple[Typed, list[dict[str, str]]]:
    """The form filled with what a file says (`saml.metadata.read`), and what changes by that. Certificates
    that the file does not have are marked for removal: it says which ones the provider uses."""
    values = {**typed.values, **{field: found[field] for field in FIELDS if field in found}}
    rows = {
        field: {
            "label": str(LABELS[field]),
            "before": words.value(field, _shown(typed.values[field])),
            "after": words.value(field, values[field]),
        }
        for field in FIELDS
        if values[field] != typed.values[field]
    }
    new = replace(typed, values=values, metadata="")
    if "certificates" in found:
        given = [_pem(text) for text in found["certificates"]]
        there = provider_spec.certificates_of(was.certificates)
        new = replace(
            new,
            removed=frozenset(one.fingerprint for one in there if one.pem not in given),
            added="".join(pem for pem in given if pem not in [one.pem for one in there]),
        )
        before, after = (_lines(spec_of(one, was).certificates) for one in (typed, new))
        if set(before) != set(after):
            rows["certificates"] = {
                "label": str(LABELS["certificates"]),
                "before": "\n".join(before),
                "after": "\n".join(after),
            }
    return new, [rows[field] for field in LABELS if field in rows]


def _pem(text: str) -> str:
    """What is no certificate stays what it is, between the lines of one: saving it says so."""
    try:
        return provider_spec.read_certificate(text).pem
    except ValueError:
        return f"-----BEGIN CERTIFICATE-----\n{text.strip()}\n-----END CERTIFICATE-----\n"


def _lines(pems: Iterable[str]) -> list[str]:
    lines = []
    for pem in pems:
        try:
            lines.append(words.line_of(provider_spec.read_certificate(pem)))
        except ValueError:
            lines.append(_("not a certificate"))
    return lines


# --- Two people over one provider ----------------------------------------------------------------


@dataclass(frozen=True)
class Merged:
    """`taken` are the labels of what only the other person changed, `both` of what the two changed
    differently: there, `typed` holds this person's version. `rows` compares those."""

    typed: Typed
    taken: tuple[str, ...]
    both: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def sign(provider: IdentityProvider, spec: ProviderSpec) -> str:
    """What the page shows, for its hidden field `seen`."""
    seen = {**typed_of(spec).values, "certificates": _fingerprints(spec)}
    return signing.dumps([str(provider.id), seen], salt=SALT, compress=True)


def _seen(provider: IdentityProvider, text: str) -> Mapping[str, Any]:
    """What `sign` was given for this provider; nothing for anything else."""
    try:
        provider_id, seen = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError):
        return {}
    return seen if provider_id == str(provider.id) else {}


def merge(provider: IdentityProvider, text: str, mine: Typed, now: ProviderSpec) -> Merged:
    """What this person typed over what is there now. Where it is not known what they saw, every difference
    counts as changed by both. Certificates merge by themselves: each is removed or added on its own."""
    seen, theirs = _seen(provider, text), typed_of(now).values
    values = dict(mine.values)
    taken, both, rows = [], [], []
    for field in FIELDS:
        wanted, there = _value(mine.values[field]), theirs[field]
        if wanted == there:
            continue
        then = seen.get(field, UNKNOWN)
        if wanted == then:
            values[field] = there
            taken.append(str(LABELS[field]))
        elif there != then:
            both.append(str(LABELS[field]))
            rows.append(
                {
                    "label": both[-1],
                    "before": words.value(field, there),
                    "after": words.value(field, _shown(wanted)),
                }
            )
    if seen.get("certificates") != _fingerprints(now):
        taken.append(str(LABELS["certificates"]))
    return Merged(replace(mine, values=values), tuple(taken), tuple(both), tuple(rows))


def _fingerprints(spec: ProviderSpec) -> list[str]:
    return sorted(one.fingerprint for one in provider_spec.certificates_of(spec.certificates))


def _value(of: Any) -> Any:
    """Without what makes no difference: spaces around it."""
    return of.strip() if isinstance(of, str) else of
