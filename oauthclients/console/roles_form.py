"""A role as somebody types it: its fields, and the permissions as a tree of domain, entity and action.

A role whose policies have wildcards (`*`) is shown with what they stand for. They stay as they are until a
permission is added or taken away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.errors import Problem
from accounts.models import Role
from accounts.permissions import CATALOGUE, PermissionInfo, expand, policies_for
from oauthclients.console.two_editors import Values

FIELDS = ("name", "description", "permissions")
LABELS = {
    "name": gettext_lazy("Name"),
    "description": gettext_lazy("Description"),
    "permissions": gettext_lazy("Permissions"),
}
# Where a problem is shown: the id of the control. What the service says of policies is about the tree.
PLACES = {"name": "id_name", "description": "id_description", "permissionPolicies": "permissions"}


class RoleForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        required=False,
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), widget=forms.Textarea(attrs={"rows": 2}), required=False
    )


@dataclass(frozen=True)
class Typed:
    """`unknown` are names among the permissions that are none."""

    name: str = ""
    description: str = ""
    permissions: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()

    @classmethod
    def of(cls, role: Role) -> Typed:
        return cls(role.name, role.description, expand(role.policies))

    @classmethod
    def read(cls, post: QueryDict) -> Typed:
        """Nothing is refused here; only NUL is dropped, which no database text can hold."""
        names = [_clean(name) for name in post.getlist("permission")]
        return cls(
            name=_clean(post.get("name", "")),
            description=_clean(post.get("description", "")),
            permissions=frozenset(name for name in names if name in CATALOGUE),
            unknown=tuple(dict.fromkeys(name[:200] for name in names if name not in CATALOGUE)),
        )

    @property
    def policies(self) -> list[dict[str, Any]]:
        return policies_for(self.permissions)

    @property
    def values(self) -> Values:
        """Without what makes no difference, for comparing."""
        return {
            "name": " ".join(self.name.split()),
            "description": self.description.strip(),
            "permissions": self.permissions,
        }

    def with_values(self, values: Values) -> Typed:
        return replace(self, **values)

    def form(self, problems: Iterable[Problem] = (), *, fixed_name: bool = False) -> RoleForm:
        """With what was typed, and each problem at its field."""
        form = RoleForm(data={"name": self.name, "description": self.description})
        if fixed_name:
            form.fields["name"].widget.attrs["readonly"] = True
            form.fields["name"].help_text = _("Default roles keep their names.")
        for problem in problems:
            if problem.field in form.fields:
                form.add_error(problem.field, problem.message)
        return form

    def problems(self) -> list[Problem]:
        """What no service is asked about, because it cannot be said in policies."""
        return [
            Problem(
                "permissionPolicies",
                "general.bad.request",
                _("There is no permission called ‘%(name)s’.") % {"name": name},
            )
            for name in self.unknown
        ]


def _clean(text: str) -> str:
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


# --- The tree ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Action:
    name: str
    label: str
    search: str
    checked: bool
    disabled: bool
    # Disabled, but held somewhere: not wherever the role is held.
    elsewhere: bool


@dataclass(frozen=True)
class Entity:
    key: str
    label: str
    division_aware: bool
    actions: tuple[Action, ...]

    @property
    def lacked(self) -> str:
        """ "Add, Delete": what the editor does not hold at all."""
        return ", ".join(one.label for one in self.actions if one.disabled and not one.elsewhere)

    @property
    def lacked_there(self) -> str:
        """What they hold, but not wherever the role is held."""
        return ", ".join(one.label for one in self.actions if one.elsewhere)

    @property
    def nothing_held(self) -> bool:
        return all(one.disabled and not one.elsewhere for one in self.actions)


@dataclass(frozen=True)
class Domain:
    key: str
    label: str
    entities: tuple[Entity, ...]

    @property
    def total(self) -> int:
        return sum(len(entity.actions) for entity in self.entities)

    @property
    def chosen(self) -> int:
        return sum(action.checked for entity in self.entities for action in entity.actions)


def tree(
    checked: frozenset[str],
    *,
    cannot_add: frozenset[str] = frozenset(),
    held: frozenset[str] = frozenset(),
    had: frozenset[str] = frozenset(),
    only_checked: bool = False,
) -> list[Domain]:
    """Everything that there is, or only what is checked. `held` is what the editor holds somewhere. What
    the role had may be taken away and put back, whoever edits it."""
    infos = (info for info in CATALOGUE.values() if not only_checked or info.name in checked)
    return [
        Domain(
            key=domain,
            label=_parts(in_domain[0])[0],
            entities=tuple(
                _entity(entity, list(group), checked, cannot_add - had, held)
                for entity, group in groupby(in_domain, key=lambda info: info.entity)
            ),
        )
        for domain, in_domain in (
            (domain, list(group)) for domain, group in groupby(infos, key=lambda info: info.domain)
        )
    ]


def _entity(
    key: str,
    infos: list[PermissionInfo],
    checked: frozenset[str],
    locked: frozenset[str],
    held: frozenset[str],
) -> Entity:
    return Entity(
        key=f"{infos[0].domain}-{key}",
        label=_parts(infos[0])[1],
        division_aware=infos[0].division_aware,
        actions=tuple(
            Action(
                name=info.name,
                label=_parts(info)[2],
                search=f"{info.label} {info.name}",
                checked=info.name in checked and info.name not in locked,
                disabled=info.name in locked,
                elsewhere=info.name in locked and info.name in held,
            )
            for info in infos
        ),
    )


def _parts(info: PermissionInfo) -> list[str]:
    """Domain, entity and action in words."""
    return info.label.split(" > ")
