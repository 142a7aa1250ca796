""" "Start from" in the wizard: a preset (oauthclients/presets.py) fills the steps of a draft. Turns the
catalogue into what somebody could have typed, and says beforehand what of it this person cannot give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.default_roles import DEFAULT_ROLES, shown
from accounts.models import Role
from accounts.permissions import Permission, expand
from accounts.rules.delegation import RoleDivision, may_give_to_person
from oauthclients import presets
from oauthclients.console.forms import ACCESS, DETAILS, DURATION, EVERYWHERE, Typed
from oauthclients.console.tables import RoleBook
from oauthclients.presets import Preset

# Where the draft keeps it: {"id", "region", "dedicated"}.
PRESET = "preset"


class OptionsForm(forms.Form):
    """What has to be known to fill in the addresses of the vendor's apps."""

    region = forms.CharField(
        label=gettext_lazy("Region"),
        help_text=gettext_lazy("Where the framework’s pages come from."),
        widget=forms.Select,
    )
    dedicated = forms.BooleanField(
        label=gettext_lazy("Dedicated login window"),
        help_text=gettext_lazy("Set in framework.js as dedicatedLoginWindow."),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"prefix": PRESET, **kwargs})
        self.fields["region"].widget.choices = [(one.code, one.label) for one in settings.REGIONS]


def of(typed: Typed) -> Preset:
    """From which one a draft began."""
    return presets.BY_ID.get(typed.get(PRESET, {}).get("id", ""), presets.EMPTY)


def begin(preset: Preset, typed: Typed, *, actor: Actor, book: RoleBook) -> dict[str, Any]:
    """The draft, begun from this preset: the name and the description stay as they were typed."""
    options = {"region": settings.REGIONS.called(actor.organization.home_region).code, "dedicated": False}
    if preset.pages and of(typed).pages:
        options = {**options, **typed[PRESET]}
    begun: dict[str, Any] = {
        DETAILS: {**typed.get(DETAILS, {}), "grant_type": preset.grants[0].code if preset.grants else ""},
        PRESET: {**options, "id": preset.id},
    }
    begun[ACCESS] = access(begun, actor=actor, book=book)
    seconds = preset.seconds if not preset.roles or begun[ACCESS].get("roles") else None
    if seconds is not None:
        begun[DURATION] = {"seconds": str(seconds)}
    return begun


def access(typed: Typed, *, actor: Actor, book: RoleBook) -> dict[str, Any]:
    """What its preset has for step 2."""
    preset = of(typed)
    filled: dict[str, Any] = {}
    if preset.roles:
        filled["roles"] = {
            str(role.id): where
            for role in _roles(preset, book)
            if (where := _divisions(preset, role, actor, book))
        }
    if preset.pages:
        filled["redirect_uris"] = "\n".join(_uris(typed))
    if preset.scopes:
        filled["scope"] = list(preset.scopes)
    return filled


def untouched(typed: Typed, *, actor: Actor, book: RoleBook) -> bool:
    """Whether step 2 is as the preset has filled it in, so that nothing of the person's own is lost."""
    now, filled = typed.get(ACCESS, {}), access(typed, actor=actor, book=book)
    return all(_same(now.get(key), filled.get(key)) for key in {*now, *filled})


def _same(one: Any, other: Any) -> bool:
    """The same choice, in whatever order."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(set(one[key]) == set(other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return set(one) == set(other)
    return (one or None) == (other or None)


def with_options(typed: Typed, post: QueryDict) -> dict[str, Any]:
    """With the options that were posted, where the preset has any. Of the addresses in step 2, those of the
    options before make way for the new ones, and others stay."""
    wanted = post.get(f"{PRESET}-region", "")
    if not of(typed).pages or wanted not in {region.code for region in settings.REGIONS}:
        return dict(typed)
    options = {**typed[PRESET], "region": wanted, "dedicated": f"{PRESET}-dedicated" in post}
    now = {**typed, PRESET: options}
    before, after = _uris(typed), _uris(now)
    there = typed.get(ACCESS, {})
    if before == after or "redirect_uris" not in there:
        return now
    others = [line for line in there["redirect_uris"].split("\n") if line.strip() not in {*before, *after}]
    return {**now, ACCESS: {**there, "redirect_uris": "\n".join([*after, *others])}}


def without(typed: Typed) -> dict[str, Any]:
    """Begun from nothing any more: its grant type is not one of the preset's."""
    return {key: value for key, value in typed.items() if key != PRESET}


# --- What the pages show -------------------------------------------------------------------------


def cards(typed: Typed, *, actor: Actor, book: RoleBook) -> list[dict[str, Any]]:
    chosen = of(typed)
    return [
        {
            "id": preset.id,
            "label": preset.label,
            "sentence": preset.sentence,
            "chosen": preset is chosen,
            "warning": cannot_give(preset, actor=actor, book=book),
        }
        for preset in presets.PRESETS
    ]


def options_form(typed: Typed) -> OptionsForm | None:
    """None for a preset that has no options."""
    preset, options = of(typed), typed.get(PRESET, {})
    if not preset.pages:
        return None
    return OptionsForm(initial={"region": options.get("region"), "dedicated": options.get("dedicated")})


def cannot_give(preset: Preset, *, actor: Actor, book: RoleBook) -> str:
    """Which role of the preset this person cannot give, and what to do about it; or nothing."""
    held = _roles(preset, book)
    for role in held:
        if not actor.access.divisions_of_role(role.id):
            said = _("You do not hold ‘%(role)s’.") % {"role": role.label}
            return format_html("{} {}", said, _way_to(role, actor))
    there = {role.default_role_id for role in held}
    for missing in preset.roles:
        if missing not in there:
            name = next(role.name for role in DEFAULT_ROLES if role.id == missing)
            absent = _("There is no role ‘%(role)s’ here. Restore the default roles first, under Roles.")
            return absent % {"role": shown(name)}
    return ""


def _way_to(role: Role, actor: Actor) -> str:
    home = account_queries.home_division(actor.organization)
    itself = may_give_to_person(actor.access, RoleDivision(role.id, home.id), expand(role.policies))
    if itself and actor.access.decide(Permission.AUTHORIZATION_GRANT_ADD, division_id=home.id):
        url = reverse("person-roles", args=[actor.id])
        return format_html('<a href="{}">{}</a>', url, _("You can give it to yourself."))
    names = account_queries.who_can_grant(actor.organization)
    if not names:
        return _("Ask somebody with the Admin role for it.")
    return _("Ask for it: %(names)s.") % {"names": ", ".join(names)}


# --- Filling in ----------------------------------------------------------------------------------


def _roles(preset: Preset, book: RoleBook) -> list[Role]:
    return [role for role in book.roles.values() if role.default_role_id in preset.roles]


def _divisions(preset: Preset, role: Role, actor: Actor, book: RoleBook) -> list[str]:
    """Where the role is given: everywhere that the person can, or in Home if they can give it there."""
    held = actor.access.divisions_of_role(role.id)
    if preset.everywhere and held.everywhere:
        return [EVERYWHERE]
    where = [key for key, division in book.divisions.items() if division.id in held]
    home = [key for key in where if book.divisions[key].home]
    return where if preset.everywhere else home or where


def _uris(typed: Typed) -> list[str]:
    options = typed.get(PRESET, {})
    region = next(
        (one for one in settings.REGIONS if one.code == options.get("region")), settings.REGIONS.own[0]
    )
    return of(typed).redirect_uris(region.apps_url, dedicated=bool(options.get("dedicated")))
