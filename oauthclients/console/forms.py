"""The parts of a client as somebody types them: read from a form, checked, shown again. The wizard shows
them one by one, the edit page all at once.

What was typed stays text until it is a `ClientSpec`, so that a draft can keep and a page can repeat
anything. The rules are those of `oauthclients.rules`; the services apply them again.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from accounts.errors import Invalid, Problem, Problems
from accounts.models import Division, Role
from accounts.rules.delegation import RoleDivision
from accounts.services.grants import NamedPair, lacking, unknown_division, unknown_role
from oauthclients import grant_types
from oauthclients.console.tables import RoleBook
from oauthclients.grant_types import GrantType
from oauthclients.rules import client_spec, redirect_uris, token_life
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients

# What was typed, by part: {"details": {...}, "access": {...}, "duration": {...}}.
Typed = Mapping[str, Mapping[str, Any]]

DETAILS, ACCESS, DURATION = PARTS = ("details", "access", "duration")
EVERYWHERE = "*"

# Where a problem is shown: the part, and the id of the control. Problems with one role carry the id of
# its switch as their field.
PLACES: Mapping[str, tuple[str, str]] = {
    "name": (DETAILS, "id_name"),
    "description": (DETAILS, "id_description"),
    "authorizedGrantType": (DETAILS, "id_grant_type"),
    "roleDivisions": (ACCESS, "roles"),
    redirect_uris.FIELD: (ACCESS, "id_redirect_uris"),
    "scope": (ACCESS, "id_scope"),
    "accessTokenValiditySeconds": (DURATION, "id_seconds"),
}


def place_of(problem: Problem) -> tuple[str, str]:
    return PLACES.get(problem.field, (ACCESS, problem.field))


class DetailsForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("App Name"),
        help_text=gettext_lazy("People see this name when they approve the app."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        required=False,
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), widget=forms.Textarea(attrs={"rows": 3}), required=False
    )


class RedirectsForm(forms.Form):
    redirect_uris = forms.CharField(
        label=gettext_lazy("Authorized redirect URIs (one per line, up to 125)"),
        help_text=gettext_lazy(
            "Whole addresses with https, or http for localhost. An app must send exactly one of these."
        ),
        widget=forms.Textarea,
        required=False,
    )


class DurationForm(forms.Form):
    seconds = forms.CharField(label=gettext_lazy("Token Duration in seconds"), required=False)


Form = DetailsForm | RedirectsForm | DurationForm

_FIELDS_OF_FORMS = {
    "name": "name",
    "description": "description",
    redirect_uris.FIELD: "redirect_uris",
    "accessTokenValiditySeconds": "seconds",
}


def form(kind: type[Form], typed: Mapping[str, Any], problems: Iterable[Problem] = ()) -> Form:
    """The form with what was typed, and each problem at its field."""
    shown = kind(data=dict(typed))
    for problem in problems:
        field = _FIELDS_OF_FORMS.get(problem.field)
        if field in shown.fields:
            shown.add_error(field, problem.message)
    return shown


# --- Reading -------------------------------------------------------------------------------------


def read(part: str, post: QueryDict, grant: GrantType | None) -> dict[str, Any]:
    """What was typed into this part. Nothing is refused here, only NUL is dropped, which no database text
    can hold. The access part has what this grant type uses."""
    if part == DETAILS:
        return {
            "name": _text(post, "name"),
            "description": _text(post, "description"),
            "grant_type": _text(post, "grant_type"),
        }
    if part == DURATION:
        return {"seconds": _text(post, "seconds").strip()}
    typed: dict[str, Any] = {}
    if grant and grant.uses_roles:
        typed["roles"] = read_roles(post)
    if grant and grant.uses_redirect_uris:
        typed["redirect_uris"] = _text(post, "redirect_uris")
    if grant and grant.uses_scopes:
        typed["scope"] = list(dict.fromkeys(_clean(value) for value in post.getlist("scope")))
    return typed


def read_roles(post: QueryDict) -> dict[str, list[str]]:
    """`role` names each role that is assigned, `divisions-<role>` the divisions of one."""
    return {
        _id(role): list(dict.fromkeys(_id(value) for value in post.getlist(f"divisions-{role}")))
        for role in post.getlist("role")
    }


def _text(post: QueryDict, name: str) -> str:
    return _clean(post.get(name, ""))


def _clean(text: str) -> str:
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


def _id(text: str) -> str:
    """An id in the form in which ids are written; anything else as it is, to be refused by name."""
    key = _uuid(text)
    return str(key) if key else _clean(text)[:100]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


# --- From and to a client ------------------------------------------------------------------------


def grant_of(typed: Typed) -> GrantType | None:
    return grant_types.BY_CODE.get(typed.get(DETAILS, {}).get("grant_type", ""))


def spec_of(typed: Typed) -> ClientSpec:
    """What was typed as a specification. What cannot be one, such as an id that is not an id, is left
    out: `problems` has a word about it."""
    details, access = typed.get(DETAILS, {}), typed.get(ACCESS, {})
    return ClientSpec(
        name=details.get("name", ""),
        grant_type=details.get("grant_type", ""),
        description=details.get("description", ""),
        role_divisions=tuple(pairs_in(access.get("roles", {}))),
        redirect_uris=tuple(lines(access.get("redirect_uris", ""))),
        scope=tuple(access.get("scope", ())),
        token_seconds=seconds_of(typed) or 0,
    )


def typed_of(spec: ClientSpec) -> dict[str, dict[str, Any]]:
    """The other way round: a client as if somebody had just typed it."""
    return {
        DETAILS: {"name": spec.name, "description": spec.description, "grant_type": spec.grant_type},
        ACCESS: {
            "roles": by_role(spec.role_divisions),
            "redirect_uris": "\n".join(spec.redirect_uris),
            "scope": list(spec.scope),
        },
        DURATION: {"seconds": str(spec.token_seconds)},
    }


def by_role(pairs: Iterable[RoleDivision]) -> dict[str, list[str]]:
    """Roles with their divisions, as the role table posts them."""
    roles: dict[str, list[str]] = {}
    for pair in pairs:
        where = str(pair.division_id) if pair.division_id else EVERYWHERE
        roles.setdefault(str(pair.role_id), []).append(where)
    return roles


def lines(text: str) -> list[str]:
    return text.split("\n")


def seconds_of(typed: Typed) -> int | None:
    """The duration, however its thousands were set apart; None for what is not a whole number."""
    text = re.sub(r"[\s,'’]", "", str(typed.get(DURATION, {}).get("seconds", "")))
    # Of more digits than anybody means, Python reads none.
    return int(text) if re.fullmatch(r"[0-9]{1,1000}", text) else None


def pairs_in(roles: Mapping[str, Iterable[str]]) -> Iterable[RoleDivision]:
    """The pairs among them; what is no ID is left out."""
    for role_text, divisions in roles.items():
        role_id = _uuid(role_text)
        for division_text in divisions:
            division_id = None if division_text == EVERYWHERE else _uuid(division_text)
            if role_id and (division_id or division_text == EVERYWHERE):
                yield RoleDivision(role_id, division_id)


# --- Checking ------------------------------------------------------------------------------------


def problems(
    part: str,
    typed: Typed,
    *,
    actor: Actor,
    book: RoleBook,
    client_id: uuid.UUID | None = None,
    had: Mapping[str, Iterable[str]] | None = None,
) -> list[Problem]:
    """What is wrong with one part. `client_id` is the client being edited, if any. A right that is missing
    for one of the roles in `had`, which were fine once, was lost since."""
    found = Problems()
    spec = spec_of(typed)
    if part == DETAILS:
        client_spec.check_details(spec, found)
        if not found.found:
            _check_name(actor, spec.name, client_id, found)
    elif part == ACCESS:
        grant, roles = grant_of(typed), typed.get(ACCESS, {}).get("roles", {})
        if grant and grant.uses_roles and roles:
            _check_roles(actor, book, roles, found, had or {})
        else:
            client_spec.check_access(spec, found)
    elif seconds_of(typed) is None:
        message = _("Enter a whole number of seconds.")
        found.add("accessTokenValiditySeconds", "constraint.validation", message)
    else:
        client_spec.check_duration(spec, found, scim_only=scim_only(spec, book))
    return found.found


def scim_only(spec: ClientSpec, book: RoleBook) -> bool:
    """Whether these roles allow the long durations (`rules/token_life.py`)."""
    roles = {pair.role_id for pair in spec.normalized().role_divisions}
    return token_life.is_scim_only(book.permissions(str(role)) for role in roles)


def _check_name(actor: Actor, name: str, client_id: uuid.UUID | None, found: Problems) -> None:
    try:
        clients.refuse_taken_name(actor=actor, name=name, except_for=client_id)
    except Invalid as error:
        found.found.extend(error.problems)


def _check_roles(
    actor: Actor,
    book: RoleBook,
    roles: Mapping[str, Iterable[str]],
    found: Problems,
    had: Mapping[str, Iterable[str]],
) -> None:
    for role_text, divisions in roles.items():
        role = book.roles.get(role_text)
        if role is None:
            found.add("roleDivisions", "bad.client.role", unknown_role(role_text))
            continue
        field = f"role-{role.id}" if actor.access.divisions_of_role(role.id) else "roleDivisions"
        if not divisions:
            message = _("Choose a division for ‘%(role)s’.") % {"role": role.label}
            found.add(field, "bad.role.divisions", message)
        for text in divisions:
            division = book.divisions.get(text)
            if division is None and text != EVERYWHERE:
                found.add(field, "bad.role.divisions", unknown_division(text))
            elif not actor.access.holds(role.id, division.id if division else None):
                was_held = text in had.get(role_text, ())
                message = lost(role, division) if was_held else lacking(NamedPair(role, division))
                found.add(field, "bad.client.role", message)


def lost(role: Role, division: Division | None) -> str:
    if division is None:
        return _("You no longer hold ‘%(role)s’ in all divisions.") % {"role": role.label}
    return _("You no longer hold ‘%(role)s’ in %(division)s.") % {
        "role": role.label,
        "division": division.name,
    }
