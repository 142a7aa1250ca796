"""The one change that would let a refused call through: what it is, and where it is made. The link is only
for those who may make it; the services decide again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.models import Organization, Role
from accounts.permissions import Permission, expand
from accounts.services import grants
from oauthclients import queries
from oauthclients.explain import answer as a
from oauthclients.explain.answer import Answer, Condition
from oauthclients.models import Client, ClientState
from oauthclients.rules import token_alive

# As many roles are named that would do.
ROLES_NAMED = 3


@dataclass(frozen=True)
class Change:
    """`url` is a page of the console; empty for who may not do it, or where it is not done there."""

    condition: str
    text: str
    url: str = ""


def needed(actor: Actor, answer: Answer) -> list[Change]:
    """One for each condition that is not met, in the order in which the API asks: the first is enough where
    it is the only one."""
    maker = _Maker(actor, answer)
    return [maker.change(condition) for condition in answer.unmet]


class _Maker:
    def __init__(self, actor: Actor, answer: Answer) -> None:
        self.actor, self.answer = actor, answer
        self.question = answer.question
        self.client: Client = answer.question.client
        self.person = answer.question.person
        self.own = self.client.organization_id == actor.organization.id

    def change(self, condition: Condition) -> Change:
        text, url = self._made(condition)
        return Change(condition.id, text, url)

    def _made(self, condition: Condition) -> tuple[str, str]:
        match condition.id:
            case a.ROUTE_EXISTS:
                return _("Call a route of the API: see its documentation."), ""
            case a.METHOD_KNOWN:
                return _("Use another method. %(known)s") % {"known": condition.detail}, ""
            case a.IN_MINUTE:
                return _("Wait for the next minute, or call less often."), ""
            case token_alive.NOT_EXPIRED | token_alive.NOT_IDLE | token_alive.GIVEN_SINCE:
                return _("Get a new token: this one has ended."), ""
            case token_alive.CLIENT_ACCEPTS | a.GIVES_TOKENS:
                return self._switch_on()
            case token_alive.PERSON_ACTIVE:
                return self._activate()
            case token_alive.ORGANIZATION_ACTIVE:
                return _("The installation’s operator has to activate the organization."), ""
            case a.USER_CONTEXT:
                text = _("Use an app that acts for a person: a client cannot change its grant type.")
                return text, self._if(Permission.OAUTH_CLIENT_ADD, "oauth-client-add")
            case a.USES_ENDPOINT:
                return _("Send people to the authorization address: its tokens are given there."), ""
            case a.AUTHORIZED:
                return self._authorize()
            case a.ROLE_LIMIT:
                return self._of_role_limit(condition)
            case a.SCOPE_ASKED | a.SCOPE_IN_ALL:
                return self._ask_for(condition)
            case a.SCOPE_AUTHORIZED:
                text = _("Authorize the app for the scope %(names)s.") % {
                    "names": _either(condition.missing)
                }
                return text, self._authorization()
            case a.SCOPE_AGREED:
                names = _either(condition.missing)
                text = _("Get a new token with the scope %(names)s: the person agrees to it.") % {
                    "names": names
                }
                return text, ""
            case a.PERMISSION | a.PERMISSION_THERE | a.PART | a.SHOWN:
                return self._give(condition)
            case _:
                return _("Nothing can change this."), ""

    # --- The client ---

    def _switch_on(self) -> tuple[str, str]:
        if self.client.date_to_delete is not None:
            return _("Restore the client and enable it."), self._edit("oauth-client-restore")
        if self.client.state != ClientState.ACTIVE:
            return _("Enable the client."), self._edit("oauth-client-enable")
        return _("The installation’s operator has to activate the organization."), ""

    def _ask_for(self, condition: Condition) -> tuple[str, str]:
        names = {"names": _either(condition.missing)}
        if not self.own:
            return _("The app’s developer has to let it ask for the scope %(names)s.") % names, ""
        return _("Let the client ask for the scope %(names)s.") % names, self._edit("oauth-client-edit")

    def _edit(self, url_name: str) -> str:
        """As console/rights.py `of_client`, which shows and hides the same buttons."""
        may = self.own and self.actor.access.decide(Permission.OAUTH_CLIENT_EDIT)
        if not may or grants.lacked_by(self.actor, queries.pairs_of(self.client)):
            return ""
        return reverse(url_name, args=[self.client.id])

    # --- The organization's word ---

    def _authorize(self) -> tuple[str, str]:
        if self.answer.question.token is not None and not self._barred():
            return _("Get a new token: the organization has authorized the app since."), ""
        return _("Authorize the app for the organization."), self._authorization()

    def _barred(self) -> bool:
        return queries.word_on(self.actor.organization, self.client).barred

    def _authorization(self) -> str:
        return self._if(Permission.OAUTH_CLIENT_AUTHORIZE, "authorized-application", self.client.id)

    def _of_role_limit(self, condition: Condition) -> tuple[str, str]:
        roles = account_queries.roles(self.actor.organization).filter(id__in=condition.missing)
        names = ", ".join(role.label for role in roles.order_by("name")[:ROLES_NAMED])
        if not names:
            return _("Let people with other roles use the app: those it is limited to are gone."), (
                self._authorization()
            )
        text = _("Give the person one of these roles: %(names)s. Or let more people use the app.")
        return text % {"names": names}, self._roles_page() or self._authorization()

    # --- People and rights ---

    def _activate(self) -> tuple[str, str]:
        assert self.person is not None
        url = ""
        may = self.actor.access.decide(
            Permission.DIRECTORY_USER_EDIT,
            Permission.DIRECTORY_ORGANIZATION_ADMIN,
            division_id=self.person.division_id,
        )
        if may:
            url = reverse("person", args=[self.person.id])
        return _("Activate %(name)s.") % {"name": str(self.person)}, url

    def _give(self, condition: Condition) -> tuple[str, str]:
        """A role that has what is missing, where the thing at hand sits; or the permission to a role."""
        every = condition.code == "missing.permissions"
        roles = _with(self.actor.organization, condition.missing, every=every)
        subject = str(self.person) if self.person else self.client.name
        what = {
            "subject": subject,
            "names": _each(condition.missing) if every else _either(condition.missing),
            "roles": _either(role.label for role in roles[:ROLES_NAMED]),
            "division": self.question.division.name if self.question.division else "",
        }
        url = self._roles_page() if self.person else self._edit("oauth-client-edit")
        if not roles:
            text = _("Add the permission %(names)s to a role of %(subject)s.")
            return text % what, self._if(Permission.AUTHORIZATION_ROLE_EDIT, "roles")
        if what["division"] and condition.id != a.PERMISSION:
            return _("Give %(subject)s the role %(roles)s in %(division)s.") % what, url
        if what["division"]:
            return (
                _("Give %(subject)s the permission %(names)s: by the role %(roles)s in %(division)s.")
                % what,
                url,
            )
        return _("Give %(subject)s the permission %(names)s: by the role %(roles)s.") % what, url

    def _roles_page(self) -> str:
        if self.person is None:
            return ""
        return self._if(Permission.AUTHORIZATION_GRANT_ADD, "person-roles", self.person.id)

    def _if(self, permission: Permission, url_name: str, *args: Any) -> str:
        return reverse(url_name, args=args) if self.actor.access.decide(permission) else ""


def _with(organization: Organization, permissions: Iterable[str], *, every: bool) -> list[Role]:
    """The roles that have one of these permissions, or each; the smallest first."""
    wanted = set(permissions)
    found = []
    for role in account_queries.roles(organization):
        held = expand(role.policies)
        if wanted <= held if every else wanted & held:
            found.append((len(held), role.name, role))
    return [role for _size, _name, role in sorted(found, key=lambda one: one[:2])]


def _either(names: Iterable[str]) -> str:
    return _(" or ").join(names)


def _each(names: Iterable[str]) -> str:
    return _(" and ").join(names)
