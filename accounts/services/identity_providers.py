"""Setting up the identity providers of an organization.

`sso:provider:add`, `edit` and `delete` are what it takes; and, for whatever decides whom the organization
believes, all that anybody could become by it (rules/trust.py).
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, locks, queries
from accounts.actor import Actor
from accounts.default_roles import shown
from accounts.errors import Conflict, InsufficientScope, Invalid, NotAllowed, NotFound, Problems
from accounts.models import IdentityProvider, Organization, ProviderSession, User, UserState
from accounts.permissions import Permission
from accounts.rules import delegation, provider_spec, trust
from accounts.rules.provider_spec import ProviderSpec
from accounts.saml import service_provider
from accounts.services import organization as organizations

# Each organization's own; looked through whenever somebody signs in.
MOST_PROVIDERS = 20
NOBODY = uuid.UUID(int=0)
# Text by which more may be believed than before, or people are sent elsewhere to type their passwords.
TRUSTED_FIELDS = (
    "issuer",
    "target_url",
    "logout_url",
    "relying_party_identifier",
    "audience",
    "email_attribute",
)
# What it takes to undo "Only SSO" and what led to it.
KEEPER_PERMISSIONS = (Permission.SSO_PROVIDER_EDIT, Permission.DIRECTORY_ORGANIZATION_ADMIN)


def create(*, actor: Actor, spec: ProviderSpec) -> IdentityProvider:
    """Raises `NotAllowed`, `Invalid`, and `Conflict` for a name, an issuer or a route that is taken."""
    actor.require(Permission.SSO_PROVIDER_ADD)
    spec = provider_spec.clean(spec)
    with transaction.atomic():
        organization = locks.organization(actor.organization)
        require_trust(actor)
        _refuse_names_of_others(organization, spec)
        if IdentityProvider.objects.filter(organization=organization).count() >= MOST_PROVIDERS:
            raise Conflict(_("There are %(most)s identity providers already.") % {"most": MOST_PROVIDERS})
        provider = IdentityProvider(organization=organization)
        _apply(provider, spec)
        _save(provider)
        audit.record(
            actor, audit.Action.PROVIDER_CREATED, **named(provider), after=provider_spec.described(spec)
        )
    return provider


def change(
    *,
    actor: Actor,
    provider_id: object,
    spec: Callable[[ProviderSpec], ProviderSpec],
    version: int | None = None,
) -> IdentityProvider:
    """Changes a provider. `spec` is told what it is now, read under the lock, and answers what it shall
    be. With `version`, the one that the caller saw, a change in between raises `Conflict`.

    Switching it off ends the sign-ins that began there, but for the actor's own: whoever does so may have
    found that it cannot be trusted. Tokens that apps got for its assertions are the clients' business.

    What only makes the provider believed for less (it is switched off, a certificate goes) takes no more
    than the permission.
    """
    actor.require(Permission.SSO_PROVIDER_EDIT)
    with transaction.atomic():
        # The organization is the lock: whether a provider is left for "Only SSO" is asked of all of them.
        organization = locks.organization(actor.organization)
        provider = _locked(actor, provider_id)
        if version is not None and version != provider.version:
            raise Conflict(
                _("Somebody else changed this identity provider: read again (version %(version)s).")
                % {"version": provider.version},
                code="general.conflict",
            )
        was = spec_of(provider)
        wanted = provider_spec.clean(spec(was), before=was)
        if wanted == was:
            return provider
        if _widens(was, wanted):
            require_trust(actor)
            _refuse_names_of_others(organization, wanted)
        _apply(provider, wanted)
        provider.version += 1
        _save(provider)
        _require_one_left(organization)
        off = was.enabled and not wanted.enabled
        ended = {"sessionsEnded": _end_sessions(actor, provider)} if off else {}
        audit.record(
            actor,
            audit.Action.PROVIDER_EDITED,
            **named(provider),
            before=provider_spec.described(was),
            after={**provider_spec.described(wanted), **ended},
        )
    return provider


def delete(*, actor: Actor, provider_id: object) -> None:
    """For good. What began there ends, as when it is switched off."""
    actor.require(Permission.SSO_PROVIDER_DELETE)
    with transaction.atomic():
        organization = locks.organization(actor.organization)
        provider = _locked(actor, provider_id)
        line = {**named(provider), "before": provider_spec.described(spec_of(provider))}
        ended = _end_sessions(actor, provider)
        provider.delete()
        _require_one_left(organization)
        audit.record(actor, audit.Action.PROVIDER_DELETED, **line, after={"sessionsEnded": ended})


def set_only_sso(
    *, actor: Actor, enabled: bool, keeper_id: object = None, version: int | None = None
) -> Organization:
    """On: people sign in at an identity provider alone, but for the keeper, who keeps a password, lest
    nobody get in when the provider fails. Without `keeper_id` the one from before, or the actor.

    Needs `sso:provider:edit`. Raises `Invalid` without a provider that could be used, or for a keeper who
    could not use their password or could not undo this.
    """

    def apply(organization: Organization) -> None:
        organization.only_sso = enabled
        if not enabled:
            return
        refuse_without_provider(organization)
        keeper = keeper_id or organization.password_keeper_id or actor.id
        organization.password_keeper = _keeper(organization, keeper)

    action = audit.Action.ORGANIZATION_SSO_ONLY if enabled else audit.Action.ORGANIZATION_SSO_OPTIONAL
    return organizations.change(actor, action, version, apply, permission=Permission.SSO_PROVIDER_EDIT)


def possible_keepers(organization: Organization) -> list[User]:
    """Who could keep a password, by name; at most a hundred."""
    permitted = queries.holders(organization, *KEEPER_PERMISSIONS)
    people = User.objects.filter(organization=organization, state=UserState.ACTIVE, id__in=permitted)
    return [person for person in people.order_by("name", "id")[:100] if person.has_usable_password()]


def _keeper(organization: Organization, person_id: object) -> User:
    key = queries.as_uuid(person_id) or NOBODY
    # Locked, so that nobody deactivates them at this moment.
    person = (
        User.objects.select_for_update(of=("self",), no_key=True)
        .filter(id=key, organization=organization, state=UserState.ACTIVE)
        .first()
    )
    if (
        person is None
        or not person.has_usable_password()
        or not all(queries.access_of(organization.id, person.id).decide(one) for one in KEEPER_PERMISSIONS)
    ):
        raise Invalid.one(
            "passwordKeeper",
            "invalid.value",
            _("Choose an active administrator with a password, who may edit single sign-on."),
        )
    return person


def require_trust(actor: Actor) -> None:
    """Raises `NotAllowed` (`missing.division.permissions`) for who would gain by becoming somebody else,
    and `InsufficientScope` for an app without the scope that is about who may do what: who signs in by
    a provider of its own is held to no scope."""
    if actor.scopes is not None and delegation.SCOPE not in actor.scopes:
        raise InsufficientScope((delegation.SCOPE,))
    lacked = trust.beyond(actor.access, queries.held_by_people(actor.organization))
    if lacked:
        raise NotAllowed(
            _(
                "Whoever decides which identity provider is believed could sign in as anybody here, so it "
                "takes all that anybody may do. You may not do all that ‘%(role)s’ may."
            )
            % {"role": shown(lacked[0].role_name)},
            code="missing.division.permissions",
        )


def spec_of(provider: IdentityProvider) -> ProviderSpec:
    """What it is now."""
    values = {field.name: getattr(provider, field.name) for field in dataclasses.fields(ProviderSpec)}
    return ProviderSpec(**{**values, "certificates": tuple(provider.certificates)})


def named(provider: IdentityProvider) -> dict[str, Any]:
    """The provider as `audit.record` wants it."""
    return {
        "entity_type": "identityProvider",
        "entity_id": provider.id,
        "entity_name": provider.name,
    }


def refuse_without_provider(organization: Organization) -> None:
    """Raises `Invalid` where nobody could sign in through a provider, now."""
    usable = [
        provider
        for provider in IdentityProvider.objects.filter(organization=organization, enabled=True)
        if provider_spec.current(provider.certificates, timezone.now())
    ]
    if not usable:
        raise Invalid.one(
            "disabled",
            "invalid.value",
            _("Only SSO needs an identity provider that is on and has a certificate that has not ended."),
        )


def _widens(was: ProviderSpec, wanted: ProviderSpec) -> bool:
    """Whether more is believed than before; or people are sent elsewhere to type their passwords, which
    is as good."""
    if set(wanted.certificates) - set(was.certificates):
        return True
    if was.force_authn and not wanted.force_authn:
        return True
    if (wanted.enabled and not was.enabled) or (wanted.accept_bearer and not was.accept_bearer):
        return True
    return any(getattr(wanted, field) != getattr(was, field) for field in TRUSTED_FIELDS)


def _refuse_names_of_others(organization: Organization, spec: ProviderSpec) -> None:
    """Raises `Invalid` for a name under which another organization here is known to a provider: what is
    said to one is not to be heard by another."""
    ours = service_provider.default_entity_id(organization)
    problems = Problems()
    for field, value in (
        ("audience", spec.audience),
        ("relyingPartyIdentifier", spec.relying_party_identifier),
    ):
        if value.lower().startswith(service_provider.ENTITY_IDS.lower()) and value != ours:
            problems.add(field, "invalid.value", _("That is the name of another organization here."))
    audience = spec.audience or spec.relying_party_identifier or ours
    others = IdentityProvider.objects.filter(issuer=spec.issuer).exclude(organization=organization)
    if any(service_provider.audience(one) == audience for one in others.select_related("organization")):
        problems.add(
            "audience",
            "invalid.value",
            _("Another organization here has this issuer with this audience. Choose another audience."),
        )
    problems.raise_if_any()


def _require_one_left(organization: Organization) -> None:
    """Raises `Conflict` where people may sign in at a provider only, and would have none."""
    if not organization.only_sso:
        return
    try:
        refuse_without_provider(organization)
    except Invalid as error:
        raise Conflict(
            _("People sign in through single sign-on only here: another identity provider must be on.")
        ) from error


def _end_sessions(actor: Actor, provider: IdentityProvider) -> int:
    """How many there were."""
    found = ProviderSession.objects.filter(provider=provider).exclude(person_id=actor.id)
    keys = list(found.values_list("key", flat=True))
    ended = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    count, _by_model = ended.delete()
    ProviderSession.objects.filter(key__in=keys).delete()
    return count


def _locked(actor: Actor, provider_id: object) -> IdentityProvider:
    found = queries.provider(actor.organization, provider_id)
    locked = IdentityProvider.objects.select_for_update(of=("self",)).filter(id=found.id).first()
    if locked is None:
        raise NotFound
    locked.organization = actor.organization
    return locked


def _apply(provider: IdentityProvider, spec: ProviderSpec) -> None:
    for field in dataclasses.fields(ProviderSpec):
        value = getattr(spec, field.name)
        setattr(provider, field.name, list(value) if isinstance(value, tuple) else value)


def _save(provider: IdentityProvider) -> None:
    try:
        with transaction.atomic():
            provider.save()
    except IntegrityError as error:
        raise _taken(provider) from error


def _taken(provider: IdentityProvider) -> Conflict:
    others = IdentityProvider.objects.filter(organization_id=provider.organization_id).exclude(
        id=provider.id
    )
    if others.filter(name__iexact=provider.name).exists():
        message = _("There is an identity provider called ‘%(name)s’ already.") % {"name": provider.name}
        return Conflict(message, code="resource.already.exists", parameters={"field": "name"})
    if others.filter(issuer=provider.issuer).exists():
        message = _("There is an identity provider with this issuer already.")
        return Conflict(message, code="resource.already.exists", parameters={"field": "issuerURI"})
    return Conflict(_("This route has an identity provider already."), code="resource.already.exists")
