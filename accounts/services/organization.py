"""Making an organization, with its Home division and its default roles; and its settings.

Each setting is a verb of its own, with its own audit line. They need `directory:organization:admin`; "Only
SSO" is in services/identity_providers.py, with a permission of its own.
With `version`, the one that the caller saw, a change in between raises `Conflict` (`general.conflict`), and
nothing is overwritten. A verb that finds nothing to change changes nothing, the version included.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts import audit, locks
from accounts.actor import Actor, system
from accounts.errors import Conflict, Invalid, Problems
from accounts.models import Division, Organization
from accounts.permissions import Permission
from accounts.rules import idle, locale, token_seconds
from accounts.rules.text import hides_something, shows_nothing
from accounts.services import roles

LONGEST_NAME = 200
LONGEST_SHORT_NAME = 60
# Apps send it as `org` and `orgName`.
_SHORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,59}")
MOST_EXCLUSIONS = 100
LONGEST_EXCLUSION = 200
_EXCLUSION = re.compile(r"/api/v2(?:/(?:[A-Za-z0-9._~@:%-]+|\{[A-Za-z0-9]+\}))+")


def create(
    *, name: str, short_name: str = "", home_region: str = "", id: uuid.UUID | None = None
) -> Organization:
    """With `id`, an organization that can be recognised later (`manage.py demo`).

    Raises `Invalid` for a name, short name or region that cannot be, and `Conflict` where the short name is
    taken.
    """
    name = " ".join(name.split())
    short_name = short_name or slugify(name)[:LONGEST_SHORT_NAME].strip("-")
    problems = Problems()
    _check_name(name, problems)
    if not problems.found and not short_name:
        problems.add(
            "shortName", "bad.request", _("Give a short name as well: this name has no Latin letters.")
        )
    if short_name and not _SHORT_NAME.fullmatch(short_name):
        most = {"most": LONGEST_SHORT_NAME}
        message = _("A short name has up to %(most)s letters, digits and hyphens.") % most
        problems.add("shortName", "bad.request", message)
    if home_region:
        _check_region(home_region, problems)
    problems.raise_if_any()
    with transaction.atomic():
        try:
            with transaction.atomic():
                organization = Organization.objects.create(
                    id=id or uuid.uuid4(), name=name, short_name=short_name, home_region=home_region
                )
        except IntegrityError as error:
            raise Conflict(
                _("Another organization already has the short name ‘%(name)s’.") % {"name": short_name},
                code="resource.already.exists",
            ) from error
        Division.objects.create(organization=organization, name="Home", home=True)
        roles.add_missing_defaults(organization)
        audit.record(
            system(organization),
            audit.Action.ORGANIZATION_CREATED,
            entity_type="organization",
            entity_id=organization.id,
            entity_name=name,
            after={"name": name, "shortName": short_name, "homeRegion": home_region},
        )
    return organization


def rename(*, actor: Actor, name: str, version: int | None = None) -> Organization:
    """The short name stays: apps send it."""

    def apply(organization: Organization) -> None:
        organization.name = " ".join(name.split())
        problems = Problems()
        _check_name(organization.name, problems)
        problems.raise_if_any()

    return change(actor, audit.Action.ORGANIZATION_RENAMED, version, apply)


def set_hipaa(*, actor: Actor, enabled: bool, version: int | None = None) -> Organization:
    """On: the idle timeout is on as well, and at most 15 minutes; a shorter one is kept. Off: the timeout
    stays as it is, and may be changed again."""

    def apply(organization: Organization) -> None:
        organization.hipaa = enabled
        if enabled:
            seconds = min(organization.idle_timeout_seconds, idle.LONGEST_HIPAA)
            _set_idle(organization, enabled=True, seconds=seconds)

    action = (
        audit.Action.ORGANIZATION_HIPAA_ENABLED if enabled else audit.Action.ORGANIZATION_HIPAA_DISABLED
    )
    return change(actor, action, version, apply)


def set_idle_timeout(
    *,
    actor: Actor,
    enabled: bool | None = None,
    seconds: int | None = None,
    version: int | None = None,
) -> Organization:
    """What is None stays as it is.

    Raises `Invalid`, with codes of wire contract J: `token.timeout.exceeded` for what is outside 300 to
    28,800 seconds; with HIPAA, `token.timeout.exceeded.hipaa` for what is outside 300 to 900, and for
    switching it off. (The contract's `max.idle.` codes are for groups of people, of which there are none.)

    A longer limit, or none, must not wake a token that is dead: oauthclients/services/idle_time.py, which
    knows the tokens, calls this.
    """

    def apply(organization: Organization) -> None:
        wanted = organization.idle_timeout_seconds if seconds is None else seconds
        on = organization.idle_timeout_enabled if enabled is None else enabled
        problem = idle_problem(organization, enabled=on, seconds=wanted)
        if problem is not None:
            raise problem
        _set_idle(organization, enabled=on, seconds=wanted)

    return change(actor, audit.Action.ORGANIZATION_IDLE_TIMEOUT_SET, version, apply)


def idle_problem(organization: Organization, *, enabled: bool, seconds: int) -> Invalid | None:
    """Why this organization cannot have this timeout. For a page that asks before it changes."""
    if organization.hipaa and not enabled:
        return Invalid.one(
            "enableIdleTokenTimeout",
            "token.timeout.exceeded.hipaa",
            _("The inactivity timeout cannot be switched off while HIPAA compliance is on."),
        )
    if idle.SHORTEST <= seconds <= idle.longest(hipaa=organization.hipaa):
        return None
    if organization.hipaa:
        return Invalid.one(
            "idleTokenTimeoutSeconds",
            "token.timeout.exceeded.hipaa",
            _("With HIPAA compliance, the inactivity timeout is 5 to 15 minutes (300 to 900 seconds)."),
        )
    return Invalid.one(
        "idleTokenTimeoutSeconds",
        "token.timeout.exceeded",
        _("The inactivity timeout is 5 to 480 minutes (300 to 28,800 seconds)."),
    )


def set_idle_exclusions(*, actor: Actor, paths: Iterable[str], version: int | None = None) -> Organization:
    """The paths of the API whose calls do not count as use; `{anything}` stands for one segment
    (rules/idle.py). Empty ones are left out, and each is kept once. Problems carry the line
    of the path."""

    def apply(organization: Organization) -> None:
        organization.idle_exclusions = _exclusions(paths)

    return change(actor, audit.Action.ORGANIZATION_IDLE_EXCLUSIONS_SET, version, apply)


def set_enforce_scopes(*, actor: Actor, enabled: bool, version: int | None = None) -> Organization:
    """Off gives every app that acts for a person here all the power of that person (wire contract C5)."""

    def apply(organization: Organization) -> None:
        organization.enforce_scopes = enabled

    action = (
        audit.Action.ORGANIZATION_SCOPES_ENFORCED if enabled else audit.Action.ORGANIZATION_SCOPES_IGNORED
    )
    return change(actor, action, version, apply)


def set_implicit_allowed(*, actor: Actor, allowed: bool, version: int | None = None) -> Organization:
    def apply(organization: Organization) -> None:
        organization.implicit_allowed = allowed

    action = (
        audit.Action.ORGANIZATION_IMPLICIT_ALLOWED
        if allowed
        else audit.Action.ORGANIZATION_IMPLICIT_REFUSED
    )
    return change(actor, action, version, apply)


def set_default_token_seconds(*, actor: Actor, seconds: int, version: int | None = None) -> Organization:
    """What a new client gets when nothing else is said. Clients that are there keep theirs."""

    def apply(organization: Organization) -> None:
        if not token_seconds.SHORTEST <= seconds <= token_seconds.LONGEST:
            raise Invalid.one(
                "accessTokenValiditySeconds",
                "constraint.validation",
                _("Enter 300 to 172,800 (5 minutes to 2 days)."),
            )
        organization.default_token_seconds = seconds

    return change(actor, audit.Action.ORGANIZATION_DEFAULT_DURATION_SET, version, apply)


def set_home_region(*, actor: Actor, code: str, version: int | None = None) -> Organization:
    """One of this installation's own regions (settings, "Regions"). From now on the organization's clients
    of client credentials and SAML2 bearer get tokens there and nowhere else."""

    def apply(organization: Organization) -> None:
        problems = Problems()
        _check_region(code, problems)
        problems.raise_if_any()
        # Nothing changes where it only gets the name of what it was.
        if settings.REGIONS.called(organization.home_region).code != code:
            organization.home_region = code

    return change(actor, audit.Action.ORGANIZATION_HOME_REGION_SET, version, apply)


def set_language(*, actor: Actor, language: str, version: int | None = None) -> Organization:
    """Of its mails, and of pages for its people who have chosen none."""

    def apply(organization: Organization) -> None:
        problems = Problems()
        locale.check_language(language, problems, "defaultLanguage")
        problems.raise_if_any()
        organization.language = language

    return change(actor, audit.Action.ORGANIZATION_LANGUAGE_SET, version, apply)


def set_time_zone(*, actor: Actor, time_zone: str, version: int | None = None) -> Organization:
    def apply(organization: Organization) -> None:
        problems = Problems()
        locale.check_time_zone(time_zone, problems, "timeZone")
        problems.raise_if_any()
        organization.time_zone = time_zone

    return change(actor, audit.Action.ORGANIZATION_TIME_ZONE_SET, version, apply)


def change(
    actor: Actor,
    action: audit.Action,
    version: int | None,
    apply: Callable[[Organization], None],
    *,
    permission: Permission = Permission.DIRECTORY_ORGANIZATION_ADMIN,
) -> Organization:
    """What all of the settings have in common. `apply` decides over what it finds under the lock."""
    actor.require(permission)
    with transaction.atomic():
        organization = locks.organization(actor.organization)
        if version is not None and version != organization.version:
            raise Conflict(
                _("Somebody else changed the organization: read again (version %(version)s).")
                % {"version": organization.version},
                code="general.conflict",
            )
        before = _described(organization)
        apply(organization)
        after = _described(organization)
        if after == before:
            return organization
        organization.version += 1
        organization.save()
        audit.record(
            actor,
            action,
            entity_type="organization",
            entity_id=organization.id,
            entity_name=organization.name,
            before=before,
            after=after,
        )
    return organization


def _set_idle(organization: Organization, *, enabled: bool, seconds: int) -> None:
    if not enabled:
        organization.idle_since = None
    elif not organization.idle_timeout_enabled:
        organization.idle_since = timezone.now()  # nothing was idle before
    organization.idle_timeout_enabled = enabled
    organization.idle_timeout_seconds = seconds


def _exclusions(paths: Iterable[str]) -> list[str]:
    problems = Problems()
    kept: list[str] = []
    for line, text in enumerate(paths, start=1):
        path = text.strip().rstrip("/")
        if path and (len(path) > LONGEST_EXCLUSION or not _EXCLUSION.fullmatch(path)):
            message = _("‘%(path)s’ is not a path of the API, such as /api/v2/tokens/me.")
            problems.add(
                "inactivityTimeoutExclusions", "invalid.value", message % {"path": path[:100]}, line=line
            )
        elif path and path not in kept:
            kept.append(path)
    if len(kept) > MOST_EXCLUSIONS:
        message = _("%(count)s paths; the most is %(most)s.")
        problems.add(
            "inactivityTimeoutExclusions",
            "invalid.value",
            message % {"count": len(kept), "most": MOST_EXCLUSIONS},
        )
    problems.raise_if_any()
    return kept


def _described(organization: Organization) -> dict[str, Any]:
    """The settings, for the audit trail."""
    return {
        "name": organization.name,
        "hipaa": organization.hipaa,
        "enableIdleTokenTimeout": organization.idle_timeout_enabled,
        "idleTokenTimeoutSeconds": organization.idle_timeout_seconds,
        "inactivityTimeoutExclusions": list(organization.idle_exclusions),
        "enforceScopes": organization.enforce_scopes,
        "implicitAllowed": organization.implicit_allowed,
        "defaultTokenSeconds": organization.default_token_seconds,
        "homeRegion": organization.home_region,
        "defaultLanguage": organization.language,
        "timeZone": organization.time_zone,
        "onlySingleSignOn": organization.only_sso,
        "passwordKeeper": str(organization.password_keeper) if organization.password_keeper else None,
    }


def _check_name(name: str, problems: Problems) -> None:
    if shows_nothing(name) or hides_something(name):
        problems.add("name", "bad.request", _("Enter a name for the organization."))
    elif len(name) > LONGEST_NAME:
        most = {"most": LONGEST_NAME}
        problems.add("name", "bad.request", _("The name can have at most %(most)s characters.") % most)


def _check_region(code: str, problems: Problems) -> None:
    own = [region.code for region in settings.REGIONS.own]
    if code not in own:
        message = _("There is no region ‘%(code)s’ here. There is: %(own)s.")
        problems.add("homeRegion", "invalid.value", message % {"code": code[:60], "own": ", ".join(own)})
