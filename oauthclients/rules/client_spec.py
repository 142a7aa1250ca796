"""What a valid client is. Decided here for the wizard, the edit page and the API alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from accounts.errors import Problem, Problems
from accounts.rules.delegation import RoleDivision
from accounts.rules.text import hides_something, shows_nothing
from oauthclients import grant_types, scopes
from oauthclients.rules import redirect_uris, token_life

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 500


@dataclass(frozen=True)
class ClientSpec:
    """A client as somebody wants it. `grant_type` is a code of `grant_types`; parts that the grant
    type does not use are dropped by `normalized`."""

    name: str
    grant_type: str
    description: str = ""
    role_divisions: tuple[RoleDivision, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    token_seconds: int = field(default=token_life.DEFAULT)

    def normalized(self) -> ClientSpec:
        """Trimmed, each pair, address and scope once, and nothing that the grant type has no use for."""
        grant = grant_types.BY_CODE.get(self.grant_type)
        return ClientSpec(
            name=" ".join(self.name.split()),
            grant_type=self.grant_type,
            description=self.description.strip(),
            role_divisions=_without_covered(self.role_divisions)
            if grant is None or grant.uses_roles
            else (),
            redirect_uris=tuple(uri.strip() for uri in self.redirect_uris if uri.strip())
            if grant is None or grant.uses_redirect_uris
            else (),
            scope=tuple(scopes.narrowed(list(self.scope))) if grant is None or grant.uses_scopes else (),
            token_seconds=self.token_seconds,
        )


def _without_covered(pairs: Iterable[RoleDivision]) -> tuple[RoleDivision, ...]:
    """A role in all divisions makes the same role in single divisions superfluous."""
    pairs = tuple(dict.fromkeys(pairs))
    everywhere = {pair.role_id for pair in pairs if pair.division_id is None}
    return tuple(pair for pair in pairs if pair.division_id is None or pair.role_id not in everywhere)


def check_details(spec: ClientSpec, problems: Problems) -> None:
    """Name, description and grant type (step 1)."""
    if shows_nothing(spec.name):
        problems.add("name", "constraint.validation", _("Enter an app name."))
    elif len(spec.name.strip()) > LONGEST_NAME:
        problems.add(
            "name",
            "constraint.validation",
            _("The app name can have at most %(most)s characters.") % {"most": LONGEST_NAME},
        )
    if len(spec.description.strip()) > LONGEST_DESCRIPTION:
        problems.add(
            "description",
            "constraint.validation",
            _("The description can have at most %(most)s characters.") % {"most": LONGEST_DESCRIPTION},
        )
    if hides_something(spec.name.strip()):
        problems.add("name", "constraint.validation", _("Remove the invisible characters."))
    if hides_something(spec.description, lines=True):
        problems.add("description", "constraint.validation", _("Remove the invisible characters."))
    if not spec.grant_type:
        problems.add("authorizedGrantType", "grant.type.required", _("Choose a grant type."))
    elif spec.grant_type not in grant_types.BY_CODE:
        problems.add("authorizedGrantType", "bad.grant.type", _("Choose a grant type."))


def check_access(spec: ClientSpec, problems: Problems) -> None:
    """Roles, or redirect URIs and scopes (step 2). Whether the roles exist and may be given is for the
    service to say, which has the rows."""
    grant = grant_types.BY_CODE.get(spec.grant_type)
    if grant is None:
        return
    if grant.uses_roles and not spec.role_divisions:
        problems.add("roleDivisions", "missing.client.roles", _("Assign at least one role."))
    if grant.uses_redirect_uris:
        if not any(uri.strip() for uri in spec.redirect_uris):
            problems.add(
                redirect_uris.FIELD, "constraint.validation", _("Enter at least one redirect URI.")
            )
        problems.found.extend(redirect_uris.problems(spec.redirect_uris))
    if grant.uses_scopes:
        if not spec.scope:
            problems.add("scope", "missing.client.scope", _("Choose at least one scope."))
        for unknown in sorted(set(spec.scope) - scopes.CATALOGUE.keys()):
            problems.add(
                "scope",
                "auth.invalid.scope",
                _("There is no scope called ‘%(scope)s’.") % {"scope": unknown},
            )


def check_duration(spec: ClientSpec, problems: Problems, *, scim_only: bool) -> None:
    """Token duration (step 3)."""
    if token_life.SHORTEST <= spec.token_seconds <= token_life.longest(scim_only=scim_only):
        return
    message = (
        _("Enter 300 to 38,880,000 (450 days).")
        if scim_only
        else _("Enter 300 to 172,800 (5 minutes to 2 days).")
    )
    problems.add("accessTokenValiditySeconds", "constraint.validation", message)


def all_problems(spec: ClientSpec, *, scim_only: bool) -> list[Problem]:
    """Everything that can be said without the database."""
    problems = Problems()
    check_details(spec, problems)
    check_access(spec, problems)
    check_duration(spec, problems, scim_only=scim_only)
    return problems.found
