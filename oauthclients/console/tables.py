"""What the wizard and the edit page show about a client: the role table, the scope list, the summary, and
the differences between two versions. Turns what was typed into what templates loop over, and decides
nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.errors import Problem
from accounts.models import Division, Organization, Role
from accounts.permissions import expand, label_of
from accounts.rules.access import Access, Divisions, HeldRole
from oauthclients import grant_types, scopes
from oauthclients.console import words
from oauthclients.explain import effective as opened
from oauthclients.explain.effective import Part
from oauthclients.grant_types import GrantType
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.rules.effective_access import EffectiveAccess
from oauthclients.scopes import Scope


class RoleBook:
    """The roles and divisions of an organization, by id as text: two statements for a whole page."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization

    @cached_property
    def roles(self) -> Mapping[str, Role]:
        return {str(role.id): role for role in account_queries.roles(self.organization)}

    @cached_property
    def divisions(self) -> Mapping[str, Division]:
        return {str(division.id): division for division in account_queries.divisions(self.organization)}

    def permissions(self, role_id: str) -> frozenset[str]:
        role = self.roles.get(role_id)
        return expand(role.policies) if role else frozenset()

    def where(self, divisions: Iterable[str]) -> str:
        """ "Home, East" in the order of the divisions' own list; "all divisions" for `*`."""
        divisions = set(divisions)
        if "*" in divisions:
            return _("all divisions")
        return ", ".join(division.name for key, division in self.divisions.items() if key in divisions)


def part_label(part: str, grant: GrantType | None) -> str:
    """The name of a step, which for the second one depends on the grant type."""
    if part == "details":
        return _("Client details")
    if part == "duration":
        return _("Token duration")
    if grant is None:
        return _("Access")
    if grant.uses_roles:
        return _("Assign Roles")
    return _("Redirects and scope") if grant.uses_redirect_uris else _("Scope")


# --- Roles ---------------------------------------------------------------------------------------


# Of more divisions than these, a role that is not assigned shows only the one that is ticked.
MANY_DIVISIONS = 8
# The button "Choose divisions" of such a role sends its id under this name; forms keep all that was typed,
# and show the role with every division.
OPEN = "open"


@dataclass(frozen=True)
class DivisionChoice:
    """A division of a role, or all of them. `held`: can be changed; `locked`: is held and stays so; `why`:
    what there is to say about it."""

    id: str
    name: str
    checked: bool
    held: bool
    locked: bool = False
    why: str = ""

    @property
    def label(self) -> str:
        return f"{self.name} – {self.why}" if self.why else self.name


@dataclass(frozen=True, kw_only=True)
class RoleRow:
    """A role for components/role_table.html. `folded`: most of its divisions are left out; `opened`: they
    were just asked for."""

    id: str
    name: str
    description: str
    permissions: tuple[str, ...]
    assigned: bool
    everywhere: DivisionChoice
    divisions: tuple[DivisionChoice, ...]
    folded: bool
    opened: bool
    error: str
    locked: bool = False
    type: str = ""

    @property
    def permission_count(self) -> int:
        return len(self.permissions)

    @property
    def long(self) -> bool:
        return len(self.divisions) > MANY_DIVISIONS


def folds(book: RoleBook, *, assigned: bool, error: str, opened: bool) -> bool:
    """Whether the row of a role leaves out what is not ticked: a hundred roles by sixty divisions are
    more boxes than a browser, or anybody, looks through."""
    return len(book.divisions) > MANY_DIVISIONS and not (assigned or error or opened)


def arranged(choices: Iterable[DivisionChoice], *, folded: bool) -> tuple[DivisionChoice, ...]:
    """In a long list, which scrolls, the ticked ones come first."""
    found = tuple(choices)
    if folded:
        return tuple(choice for choice in found if choice.checked)
    return found if len(found) <= MANY_DIVISIONS else tuple(sorted(found, key=lambda c: not c.checked))


def role_rows(
    actor: Actor,
    book: RoleBook,
    chosen: Mapping[str, list[str]],
    problems: Iterable[Problem] = (),
    *,
    opened: str = "",
) -> list[RoleRow]:
    """A row for each role that this person can give; Home is ticked where nothing was chosen yet. `opened`
    is the role whose divisions were asked for."""
    errors: dict[str, list[str]] = {}
    for problem in problems:
        errors.setdefault(problem.field, []).append(problem.message)
    rows = []
    for key, role in book.roles.items():
        held = actor.access.divisions_of_role(role.id)
        if not held:
            continue
        ticked = chosen.get(key)
        error = " ".join(errors.get(f"role-{key}", ()))
        folded = folds(book, assigned=ticked is not None, error=error, opened=key == opened)
        rows.append(
            RoleRow(
                id=key,
                name=role.label,
                description=role.about,
                permissions=tuple(sorted(label_of(name) for name in expand(role.policies))),
                assigned=ticked is not None,
                everywhere=DivisionChoice(
                    id="*", name="", checked="*" in (ticked or ()), held=held.everywhere
                ),
                divisions=arranged(
                    (
                        _division_choice(division_key, division, held, ticked)
                        for division_key, division in book.divisions.items()
                    ),
                    folded=folded,
                ),
                folded=folded,
                opened=key == opened,
                error=error,
            )
        )
    return rows


def _division_choice(
    key: str, division: Division, held: Divisions, ticked: list[str] | None
) -> DivisionChoice:
    can_give = division.id in held
    return DivisionChoice(
        id=key,
        name=division.name,
        checked=can_give and (division.home if ticked is None else key in ticked),
        held=can_give,
        why="" if can_give else _("you do not hold this role here"),
    )


def roles_not_held(actor: Actor, book: RoleBook) -> list[Role]:
    return [role for role in book.roles.values() if not actor.access.divisions_of_role(role.id)]


@dataclass(frozen=True)
class Effective:
    """What a client with these roles may do: "3 roles, 41 permissions, divisions Home, East"."""

    sentence: str
    by_division: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())
    # The routes of the API that they open.
    parts: tuple[Part, ...] = ()


def effective(book: RoleBook, chosen: Mapping[str, list[str]]) -> Effective | None:
    """None while no role is chosen."""
    chosen = {role: where for role, where in chosen.items() if role in book.roles and where}
    if not chosen:
        return None
    united = frozenset().union(*(book.permissions(role) for role in chosen))
    everywhere = any("*" in where for where in chosen.values())
    places = [("*", _("All divisions"))] if everywhere else []
    used = {division for where in chosen.values() for division in where}
    places += [(key, division.name) for key, division in book.divisions.items() if key in used]
    by_division = []
    for place, name in places:
        roles = (role for role, where in chosen.items() if place in where)
        here = frozenset().union(*(book.permissions(role) for role in roles))
        by_division.append((name, tuple(sorted(label_of(permission) for permission in here))))
    roles_text = ngettext("%(n)s role", "%(n)s roles", len(chosen)) % {"n": len(chosen)}
    permissions_text = ngettext("%(n)s permission", "%(n)s permissions", len(united)) % {"n": len(united)}
    where_text = (
        _("all divisions")
        if everywhere
        else ngettext("division %(names)s", "divisions %(names)s", len(by_division))
        % {"names": ", ".join(name for name, _permissions in by_division)}
    )
    return Effective(
        f"{roles_text}, {permissions_text}, {where_text}", tuple(by_division), _opened(book, chosen)
    )


def _opened(book: RoleBook, chosen: Mapping[str, list[str]]) -> tuple[Part, ...]:
    """As the API would decide with these roles."""
    divisions = book.divisions
    held = [
        HeldRole(
            book.roles[role].id,
            book.roles[role].name,
            None if place == "*" else divisions[place].id,
            book.permissions(role),
        )
        for role, where in chosen.items()
        for place in where
        if place == "*" or place in divisions
    ]
    used = {role.division_id for role in held}
    names = {division.id: division.name for division in divisions.values() if division.id in used}
    found = opened.parts(EffectiveAccess(Access(held=tuple(held))), names, for_person=False)
    return tuple(part for part in found if part.routes)


def left_out(book: RoleBook, chosen: Mapping[str, list[str]]) -> str:
    """The divisions in which none of these roles is given: "East, West"."""
    used = {division for where in chosen.values() for division in where}
    return "" if "*" in used else book.where(key for key in book.divisions if key not in used)


# --- Scopes --------------------------------------------------------------------------------------


def scope_groups(chosen: Iterable[str]) -> list[dict[str, Any]]:
    """The catalogue for components/scope_picker.html: one entry per family, by topic."""
    chosen = set(chosen)
    families: dict[str, list[Scope]] = {}
    for scope in scopes.CATALOGUE.values():
        families.setdefault(scope.family, []).append(scope)
    groups = []
    for topic, names in (*scopes.TOPICS, (scopes.REST, tuple(families))):
        # Popped: what has its topic is not among the rest.
        found = [(name, families.pop(name)) for name in names if name in families]
        entries = [_scope_entry(name, forms, chosen) for name, forms in found]
        entries.sort(key=lambda entry: entry["label"].lower())
        groups.append({"label": topic, "entries": entries})
    return groups


def _scope_entry(family: str, forms: list[Scope], chosen: set[str]) -> dict[str, Any]:
    return {
        "name": family,
        "label": family_label(family),
        "sentence": next((scope for scope in forms if not scope.readonly), forms[0]).for_administrators,
        "sensitive": forms[0].sensitive,
        "choice": "full" if family in chosen else f"{family}:readonly" in chosen and "readonly",
        "has_readonly": any(scope.readonly for scope in forms),
        "has_full": any(not scope.readonly for scope in forms),
    }


def family_label(family: str) -> str:
    """`ai-studio` -> "AI studio", in the language of the page."""
    return str(scopes.TITLES[family])


# --- Summary -------------------------------------------------------------------------------------


# Longer lists are cut in a summary.
MOST_LISTED = 8


@dataclass(frozen=True)
class Item:
    """One line of a summary, and the part of the form where it is changed."""

    part: str
    label: str
    values: tuple[str, ...]
    url: str = ""

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""

    @property
    def values_list(self) -> tuple[str, ...]:
        """Only several are shown as a list, and of 125 addresses not all."""
        more = len(self.values) - MOST_LISTED
        if more > 1:
            return (*self.values[:MOST_LISTED], _("and %(n)s more") % {"n": more})
        return self.values if len(self.values) > 1 else ()


def items(spec: ClientSpec, book: RoleBook, *, seconds: bool = True) -> list[Item]:
    """A client in words, in the order of the form. `seconds` False: the duration is not set yet."""
    spec = spec.normalized()
    grant = grant_types.BY_CODE.get(spec.grant_type)
    found = [
        Item("details", _("App Name"), _filled(spec.name)),
        *([Item("details", _("Description"), (spec.description,))] if spec.description else []),
        Item("details", _("Grant type"), _filled(str(grant.label) if grant else "")),
        *_access_items(spec, grant, book),
    ]
    how_long = (duration(spec.token_seconds),) if seconds else ()
    return [*found, Item("duration", _("Token duration"), how_long)]


def _access_items(spec: ClientSpec, grant: GrantType | None, book: RoleBook) -> list[Item]:
    if grant is None:
        return [Item("access", _("Access"), ())]
    found = []
    if grant.uses_roles:
        roles: dict[str, list[str]] = {}
        for pair in spec.role_divisions:
            where = str(pair.division_id) if pair.division_id else "*"
            roles.setdefault(str(pair.role_id), []).append(where)
        found.append(
            Item(
                "access",
                _("Roles"),
                tuple(
                    _("%(role)s: %(where)s") % {"role": role.label, "where": book.where(roles[key])}
                    for key, role in book.roles.items()
                    if key in roles
                ),
            )
        )
    if grant.uses_redirect_uris:
        found.append(Item("access", _("Authorized redirect URIs"), spec.redirect_uris))
    if grant.uses_scopes:
        found.append(Item("access", _("Scope"), spec.scope))
    return found


def _filled(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def differences(before: list[Item], after: list[Item]) -> list[dict[str, str]]:
    """Rows for components/diff_table.html. Of lists, only what one has and the other has not."""
    then = {item.label: item.values for item in before}
    now = {item.label: item.values for item in after}
    rows = []
    for label in dict.fromkeys([*then, *now]):
        old, new = then.get(label, ()), now.get(label, ())
        if old == new:
            continue
        if set(old) != set(new):  # else only the order differs, and the whole says so
            old, new = (
                tuple(value for value in old if value not in new),
                tuple(value for value in new if value not in old),
            )
        rows.append({"label": label, "before": "\n".join(old), "after": "\n".join(new)})
    return rows


def duration(seconds: int) -> str:
    """ "86,400 seconds = 1 day"."""
    if seconds < 60:
        return words.duration(seconds)
    return _("%(number)s seconds = %(words)s") % {
        "number": words.number(seconds),
        "words": words.duration(seconds),
    }
