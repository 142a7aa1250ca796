"""Integrations > OAuth > a client > Edit Client: the wizard's parts on one page, over a client that exists.

Everything is decided by `services.clients.change`. Before it is asked, the page says what it can say
better: problems at their fields, what somebody else changed meanwhile, and what the client would lose.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.errors import Conflict, Invalid, Problem
from accounts.permissions import Permission
from accounts.rules.delegation import RoleDivision
from accounts.services import grants
from oauthclients import grant_types, queries
from oauthclients.console import drifted, forms, merge, tables
from oauthclients.console.forms import DURATION, PARTS
from oauthclients.console.wizard import access_context, duration_context
from oauthclients.models import Client
from oauthclients.rules import token_life
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import access, clients

# So many pairs can be left out by an address.
MOST_PROPOSED = 500


@requires(Permission.OAUTH_CLIENT_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_client(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    """Needs `oauth:client:edit` and the client's own roles, as the service does (seed 002)."""
    actor = actor_of(request)
    client = queries.client(actor.organization, client_id)
    grants.require_held(actor, queries.pairs_of(client))
    if client.date_to_delete is not None:
        messages.error(request, access.PENDING_DELETION)
        return HttpResponseRedirect(reverse("oauth-client", args=[client.id]))
    page = EditPage(request, actor, client)
    return page.post() if request.method == "POST" else page.get()


class EditPage:
    """`was` is what the client is, `typed` what the page shows."""

    def __init__(self, request: HttpRequest, actor: Actor, client: Client) -> None:
        self.request = request
        self.actor = actor
        self.opened = request.POST.get(tables.OPEN, "")
        self.book = tables.RoleBook(actor.organization)
        self.read_client(client)
        self.typed: dict[str, Any] = forms.typed_of(self.was)

    def read_client(self, client: Client) -> None:
        self.client = client
        self.grant = grant_types.BY_CODE[client.authorization_grant_type]
        self.was = queries.spec_of(client, queries.pairs_of(client))

    def get(self) -> HttpResponse:
        """With the pairs that the address names left out, as the access review proposes it. Nothing is
        taken away before somebody saves."""
        kept = self._proposed()
        lost = forms.by_role(pair for pair in self.was.role_divisions if pair not in kept)
        if not lost:
            return self.show([])
        self.typed["access"]["roles"] = forms.by_role(kept)
        lines = [f"{self.book.roles[role].name}: {self.book.where(where)}" for role, where in lost.items()]
        return self.show([], unsaved=True, proposed=lines)

    def _proposed(self) -> list[RoleDivision]:
        """What is left without what the address names, as `<role>:<division>` or `<role>:*`."""
        without = set(self.request.GET.getlist("without")[:MOST_PROPOSED])
        return [
            pair
            for pair in self.was.role_divisions
            if f"{pair.role_id}:{pair.division_id or forms.EVERYWHERE}" not in without
        ]

    def post(self) -> HttpResponse:
        post = self.request.POST
        self.typed = {part: forms.read(part, post, self.grant) for part in PARTS}
        self.typed["details"]["grant_type"] = self.grant.code  # not a field: it is fixed
        if post.get("version") != str(self.client.version):
            merged = self.merged()
            if merged.taken or merged.both:
                return self.review(merged)
        if self.opened or post.get("go") == "look":
            return self.show([], unsaved=True)
        problems = self.problems()
        if problems:
            return self.show(problems)
        losses = narrowing(self.was, forms.spec_of(self.typed), self.book)
        if losses and post.get("confirmed") != losses.key:
            return self.show([], losses=losses, unsaved=True)
        return self.save()

    def problems(self) -> list[Problem]:
        """A duration that was left as it is and is now too long is no mistake of the person: the service
        brings it back to the default and says so."""
        unchanged = forms.seconds_of(self.typed) == self.was.token_seconds
        return [
            problem
            for part in PARTS
            if part != DURATION or not (unchanged and self.was.token_seconds > token_life.LONGEST)
            for problem in forms.problems(
                part, self.typed, actor=self.actor, book=self.book, client_id=self.client.id
            )
        ]

    def save(self) -> HttpResponse:
        version = self.client.version
        try:
            changed = clients.change(
                actor=self.actor,
                client_id=self.client.id,
                spec=lambda was: forms.spec_of(self.typed),
                version=version,
            )
        except Invalid as error:
            return self.show(list(error.problems))
        except Conflict:
            self.read_client(queries.client(self.actor.organization, self.client.id))
            return self.review(self.merged())
        if changed.client.version == version:
            messages.info(self.request, _("There was nothing to save."))
        else:
            messages.success(self.request, _("Changes saved."))
        for notice in changed.notices:
            messages.warning(self.request, notice)
        return HttpResponseRedirect(reverse("oauth-client", args=[self.client.id]))

    def merged(self) -> merge.Merged:
        """What somebody else made of the client since this page was opened, and this person's changes."""
        seen = merge.read(self.client, self.request.POST.get("seen", ""))
        return merge.merge(seen, self.typed, forms.typed_of(self.was))

    def review(self, merged: merge.Merged) -> HttpResponse:
        """The two changes in one form, to be looked through: nothing is saved until it is sent again."""
        self.typed = merged.typed
        differences = tables.differences(
            tables.items(self.was, self.book), self.items(forms.spec_of(self.typed))
        )
        return self.show(
            [],
            changed_by=self.client.modified_by_name,
            changed_at=time_format(timezone.localtime(self.client.updated), "H:i e"),
            taken=", ".join(merged.taken),
            both=", ".join(merged.both),
            conflict=[row for row in differences if row["label"] in merged.both],
            unsaved=bool(differences),
        )

    def items(self, spec: ClientSpec) -> list[tables.Item]:
        return tables.items(spec, self.book, seconds=forms.seconds_of(self.typed) is not None)

    def show(self, problems: list[Problem], **more: Any) -> HttpResponse:
        client_url = reverse("oauth-client", args=[self.client.id])
        context = {
            "client": self.client,
            "client_url": client_url,
            "seen": merge.sign(self.client, forms.typed_of(self.was)),
            "form_errors": bool(problems),
            "errors": [
                {
                    "message": problem.message,
                    "line": problem.line,
                    "target": forms.place_of(problem)[1],
                }
                for problem in problems
            ],
            "dirty": bool(problems),
            "drifted": drifted.sentences(self.actor.organization, self.client.id),
            "breadcrumbs": [
                {"label": _("Admin"), "url": reverse("admin-home")},
                {"label": _("OAuth"), "url": reverse("oauth-clients")},
                {"label": self.client.name, "url": client_url},
                {"label": _("Edit"), "url": ""},
            ],
            "details_form": forms.form(forms.DetailsForm, self.typed["details"], problems),
            "grant_fixed": self.grant.label,
            **access_context(
                self.actor, self.book, self.grant, self.typed, problems, self.client, self.opened
            ),
            **duration_context(self.book, self.typed, problems),
            **more,
        }
        return render(self.request, "oauth/clients/edit.html", context)


@dataclass(frozen=True)
class Losses:
    """What a change would take from a client. `key` stands for exactly this, so that a confirmation is
    never taken for more than was shown."""

    title: str
    text: str
    lines: tuple[str, ...]

    @property
    def key(self) -> str:
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:32]


def narrowing(was: ClientSpec, wanted: ClientSpec, book: tables.RoleBook) -> Losses | None:
    """None where nothing gets narrower. A role given in all divisions covers each of them, and a scope
    covers its read-only form."""
    wanted = wanted.normalized()
    pairs = lost_pairs(was.role_divisions, wanted.role_divisions)
    if pairs:
        kept = {pair.role_id for pair in wanted.role_divisions}
        roles = {pair.role_id for pair in pairs} - kept
        if roles:
            title = ngettext("Remove %(n)s role?", "Remove %(n)s roles?", len(roles)) % {"n": len(roles)}
        elif any(pair.division_id is None for pair in pairs):
            title = _("Give fewer divisions?")
        else:
            title = ngettext("Remove %(n)s division?", "Remove %(n)s divisions?", len(pairs)) % {
                "n": len(pairs)
            }
        lost, left = forms.by_role(pairs), forms.by_role(wanted.role_divisions)
        lines = tuple(_lost_line(book, role, where, left.get(role, ())) for role, where in lost.items())
        return Losses(title, _lose(len(lines)), lines)
    scopes = tuple(
        scope
        for scope in was.scope
        if scope not in wanted.scope and scope.removesuffix(":readonly") not in wanted.scope
    )
    if scopes:
        title = ngettext("Remove %(n)s scope?", "Remove %(n)s scopes?", len(scopes)) % {"n": len(scopes)}
        return Losses(title, _lose(len(scopes)), scopes)
    return None


def _lost_line(book: tables.RoleBook, role: str, lost: Iterable[str], left: Iterable[str]) -> str:
    """ "Supervisor: East" of two divisions; of all of them, "Admin: all divisions → Home"."""
    line = _("%(role)s: %(where)s") % {"role": book.roles[role].label, "where": book.where(lost)}
    return f"{line} → {book.where(left)}" if left and forms.EVERYWHERE in lost else line


def _lose(count: int) -> str:
    return ngettext("Tokens in use lose it at once.", "Tokens in use lose them at once.", count)


def lost_pairs(was: Iterable[RoleDivision], wanted: Iterable[RoleDivision]) -> list[RoleDivision]:
    present = set(wanted)
    return [pair for pair in was if pair not in present and RoleDivision(pair.role_id, None) not in present]
