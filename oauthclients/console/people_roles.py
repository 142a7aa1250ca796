"""The roles of a person: the wizard's table, over what the person holds.

The page carries the pairs that it showed, and what is saved is the difference to these, over what the
person holds at that moment: two who give roles at the same time lose nothing of each other's. Everything is
decided by `grants.change_person`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts import drift
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.errors import Conflict, DomainError, Invalid, NotAllowed, Problem
from accounts.models import Role, RoleGrant, User
from accounts.permissions import Permission, expand, label_of
from accounts.rules.access import Divisions
from accounts.rules.delegation import RoleDivision, where_givable
from accounts.services import grants
from accounts.services.grants import NamedPair
from oauthclients.console import drifted, forms, people_rights, people_words
from oauthclients.console.edit import Losses, narrowing
from oauthclients.console.people_pages import frame, require_roles_seen
from oauthclients.console.people_questions import ask
from oauthclients.console.tables import OPEN, DivisionChoice, RoleBook, RoleRow, arranged, folds
from oauthclients.rules.client_spec import ClientSpec

ASK = require_http_methods(["GET", "HEAD", "POST"])
CHANGE = (Permission.AUTHORIZATION_GRANT_ADD, Permission.AUTHORIZATION_GRANT_DELETE)

Pairs = frozenset[RoleDivision]


@ASK
@requires(Permission.DIRECTORY_USER_VIEW)
def roles(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    person = people_rights.seen(actor, user_id)
    require_roles_seen(actor, person)
    page = RolesPage(request, actor, person)
    if request.method != "POST":
        return page.show()
    actor.require(*CHANGE)
    return page.post()


@ASK
@requires(*CHANGE)
def take_over(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    """Whoever takes drifted pairs over has given them from then on."""
    actor = actor_of(request)
    person = people_rights.seen(actor, user_id)
    back = HttpResponseRedirect(reverse("person-roles", args=[person.id]))
    found = list(drift.grants(actor.organization, subject_ids=[person.id]))
    if not found:
        messages.info(request, _("There is nothing to take over any more."))
        return back
    error: DomainError | None = None
    if request.method == "POST":
        try:
            grants.change_person(actor=actor, user_id=person.id, spec=lambda present: present, settle=True)
        except (NotAllowed, Conflict) as refused:
            error = refused
        else:
            messages.success(request, _("From now on it is you who gave these roles."))
            return back
    return ask(
        request,
        person,
        title=_("Take over the roles of ‘%(name)s’?") % {"name": person.name},
        text=[
            *drifted.sentences(actor.organization, person.id),
            _("Nothing changes for ‘%(name)s’. From then on it is you who gave it.")
            % {"name": person.name},
        ],
        confirm=_("Take over"),
        error=error,
        back="person-roles",
    )


# --- The table -------------------------------------------------------------------------------------


class RolesPage:
    """`present` is what the person holds, `chosen` what the page shows, by role."""

    def __init__(self, request: HttpRequest, actor: Actor, person: User) -> None:
        self.request = request
        self.actor = actor
        self.person = person
        self.opened = request.POST.get(OPEN, "")
        self.book = RoleBook(actor.organization)
        self.may_add = actor.access.where_covered(Permission.AUTHORIZATION_GRANT_ADD)
        self.may_delete = actor.access.where_covered(Permission.AUTHORIZATION_GRANT_DELETE)
        self.read()
        self.seen = self.present
        self.chosen: dict[str, list[str]] = forms.by_role(self.present)

    def read(self) -> None:
        self.pairs = grants.pairs_of(self.actor.organization, self.person.id)
        self.present: Pairs = frozenset(named.pair for named in self.pairs)

    # --- What was sent

    def post(self) -> HttpResponse:
        post = self.request.POST
        if "seen" not in post:
            text = _("The form did not arrive whole, and nothing was saved. Try again.")
            return self.show([Problem("", "invalid.value", text)], status=400)
        self.chosen = forms.read_roles(post)
        self.seen = _unpack(post["seen"].split())
        locked = _unpack(post.getlist("locked")) & self.seen
        for role, where in forms.by_role(locked).items():
            self.chosen[role] = list(dict.fromkeys([*self.chosen.get(role, []), *where]))
        if self.opened:
            return self.show(unsaved=True)
        problems = self.without_division()
        if problems:
            return self.show(problems)
        wanted = frozenset(forms.pairs_in(self.chosen))
        added, removed = wanted - self.seen, self.seen - wanted
        losses = self.losses(added, removed)
        if losses and post.get("confirmed") != losses.key:
            return self.show(losses=losses, unsaved=True)
        return self.save(added, removed)

    def without_division(self) -> list[Problem]:
        return [
            Problem(
                f"role-{key}",
                "bad.role.divisions",
                _("Choose a division for ‘%(role)s’.") % {"role": self.book.roles[key].name},
            )
            for key, where in self.chosen.items()
            if not where and key in self.book.roles
        ]

    def losses(self, added: Pairs, removed: Pairs) -> Losses | None:
        """What the person would lose, of what they hold now."""
        wanted = (self.present | added) - removed
        losses = narrowing(_spec(self.present), _spec(wanted), self.book)
        if losses is None:
            return None
        name = {"name": self.person.name}
        text = ngettext("‘%(name)s’ loses it at once.", "‘%(name)s’ loses them at once.", len(losses.lines))
        return replace(losses, text=text % name)

    def save(self, added: Pairs, removed: Pairs) -> HttpResponse:
        here = HttpResponseRedirect(reverse("person-roles", args=[self.person.id]))
        if not added and not removed:
            messages.info(self.request, _("There was nothing to save."))
            return here
        before = {grant.id: grant for grant in self.drifted()}
        met: list[Pairs] = []

        def spec(present: Pairs) -> Iterable[RoleDivision]:
            met.append(present)
            return (present | added) - removed

        try:
            grants.change_person(actor=self.actor, user_id=self.person.id, spec=spec)
        except (Invalid, NotAllowed, Conflict) as error:
            return self.refused(error, added)
        messages.success(
            self.request, _("The roles of ‘%(name)s’ were saved.") % {"name": self.person.name}
        )
        if met and met[0] != self.seen:
            messages.info(
                self.request,
                _("Somebody else changed these roles in the meantime: what both of you changed is kept."),
            )
        self.say_taken_over(before)
        return here

    def say_taken_over(self, before: Mapping[uuid.UUID, RoleGrant]) -> None:
        """An edit settles what had drifted (accounts/drift.py)."""
        still = {grant.id for grant in self.drifted()}
        there = set(RoleGrant.objects.filter(id__in=before.keys()).values_list("id", flat=True))
        taken = [str(NamedPair(before[key].role, before[key].division)) for key in there - still]
        if taken:
            messages.info(
                self.request,
                _("From now on it is you who gave: %(pairs)s.") % {"pairs": "; ".join(sorted(taken))},
            )

    def refused(self, error: DomainError, added: Pairs) -> HttpResponse:
        """The service's sentence: at the role that it is about, where that can be told."""
        self.read()
        if isinstance(error, Invalid):
            return self.show(list(error.problems))
        problems = []
        if isinstance(error, NotAllowed) and error.code == "missing.division.permissions":
            named = (self.named(pair) for pair in added)
            problems = [
                Problem(f"role-{one.role.id}", error.code, grants.beyond(self.actor, one))
                for one in named
                if one is not None and not grants.givable(self.actor, one)
            ]
        return self.show(problems or [Problem("", error.code, error.message)])

    def named(self, pair: RoleDivision) -> NamedPair | None:
        role = self.book.roles.get(str(pair.role_id))
        division = self.book.divisions.get(str(pair.division_id)) if pair.division_id else None
        if role is None or (pair.division_id and division is None):
            return None
        return NamedPair(role, division)

    def drifted(self) -> list[RoleGrant]:
        return list(drift.grants(self.actor.organization, subject_ids=[self.person.id]))

    # --- What is shown

    def show(
        self, problems: list[Problem] | None = None, *, status: int = 200, **more: Any
    ) -> HttpResponse:
        problems = problems or []
        context = frame(self.actor, self.person, "person-roles")
        rows = self.rows(problems) if context["may"].give else []
        shown = {row.id for row in rows}
        context |= {
            "roles": rows,
            "not_held": [role for key, role in self.book.roles.items() if key not in shown],
            "held": [] if context["may"].give else self.held(),
            "seen": " ".join(sorted(_text(pair) for pair in self.seen)),
            "form_errors": bool(problems),
            "errors": [
                {
                    "message": problem.message,
                    "target": problem.field if problem.field.removeprefix("role-") in shown else "",
                }
                for problem in problems
            ],
            "unsaved": bool(problems),
            "drifted": drifted.sentences(self.actor.organization, self.person.id),
            "stuck": self.stuck(),
            **more,
        }
        return render(self.request, "people/roles.html", context, status=status)

    def stuck(self) -> list[str]:
        """The drifted pairs that this viewer cannot take over."""
        found = (NamedPair(grant.role, grant.division) for grant in self.drifted())
        return [named.label for named in found if not grants.givable(self.actor, named)]

    def held(self) -> list[dict[str, Any]]:
        """For somebody who may look only."""
        by_role = forms.by_role(self.present)
        return [
            {
                "name": role.label,
                "description": role.about,
                "type": people_words.role_type(role),
                "where": self.book.where(by_role[key]),
            }
            for key, role in self.book.roles.items()
            if key in by_role
        ]

    def rows(self, problems: Iterable[Problem]) -> list[RoleRow]:
        """Each role that the viewer can give somewhere, and each that the person holds."""
        errors: dict[str, list[str]] = {}
        for problem in problems:
            errors.setdefault(problem.field, []).append(problem.message)
        held = forms.by_role(self.present)
        rows = []
        for key, role in self.book.roles.items():
            permissions = expand(role.policies)
            givable = where_givable(self.actor.access, role.id, permissions) & self.may_add
            if givable or key in held:
                error = " ".join(errors.get(f"role-{key}", ()))
                rows.append(self.row(key, role, permissions, givable, error))
        return rows

    def row(
        self, key: str, role: Role, permissions: frozenset[str], givable: Divisions, error: str
    ) -> RoleRow:
        ticked = self.chosen.get(key)
        folded = folds(self.book, assigned=ticked is not None, error=error, opened=key == self.opened)
        everywhere = self.choice(role, None, forms.EVERYWHERE, "", givable, ticked)
        divisions = arranged(
            (
                self.choice(role, division.id, division_key, division.name, givable, ticked)
                for division_key, division in self.book.divisions.items()
            ),
            folded=folded,
        )
        return RoleRow(
            id=key,
            name=role.label,
            description=role.about,
            type=people_words.role_type(role),
            permissions=tuple(sorted(label_of(name) for name in permissions)),
            assigned=ticked is not None,
            locked=everywhere.locked or any(choice.locked for choice in divisions),
            everywhere=everywhere,
            divisions=divisions,
            folded=folded,
            opened=key == self.opened,
            error=error,
        )

    def choice(
        self,
        role: Role,
        division_id: uuid.UUID | None,
        key: str,
        name: str,
        givable: Divisions,
        ticked: list[str] | None,
    ) -> DivisionChoice:
        """What is held can be taken away where the viewer may; what is not, given where they may. Where
        nothing was chosen yet, the person's own division is ticked."""
        pair = RoleDivision(role.id, division_id)
        held, can_give = pair in self.present, division_id in givable
        can_take = division_id in self.may_delete
        locked = held and not can_take
        checked = key in ticked if ticked is not None else division_id == self.person.division_id
        if locked:
            why = _("you cannot remove it")
        elif not held and not can_give:
            why = _("you cannot give it here")
        elif held and not can_give:
            why = _("you could not give it back")
        else:
            why = ""
        free = not locked and (held or can_give)
        return DivisionChoice(
            id=key,
            name=name,
            checked=locked or (free and checked),
            held=free,
            locked=locked,
            why=why,
        )


def _spec(pairs: Iterable[RoleDivision]) -> ClientSpec:
    """For `narrowing`, which compares clients."""
    return ClientSpec(name="", grant_type="", role_divisions=tuple(pairs))


def _text(pair: RoleDivision) -> str:
    return f"{pair.role_id}:{pair.division_id or forms.EVERYWHERE}"


def _unpack(texts: Iterable[str]) -> Pairs:
    """The pairs of such texts; what is none is left out."""
    roles: dict[str, list[str]] = {}
    for text in texts:
        role, _colon, where = text.partition(":")
        roles.setdefault(role, []).append(where)
    return frozenset(forms.pairs_in(roles))
