"""Records what was done. Called by the services themselves, inside their transaction, so that there
is no change without its line and no line without its change."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import AuditEvent
from accounts.origin import origin


class Action(StrEnum):
    """`entity.verb`, sorted."""

    APP_ALLOWED = "app.allowed"
    APP_APPROVED = "app.approved"
    APP_ASKED = "app.asked"
    APP_ASSERTION_ACCEPTED = "app.assertionAccepted"
    APP_ASSERTION_REFUSED = "app.assertionRefused"
    APP_AUTHORIZATION_EDITED = "app.authorizationEdited"
    APP_CODE_REPLAYED = "app.codeReplayed"
    APP_DECLINED = "app.declined"
    APP_FORGOTTEN = "app.forgotten"
    APP_REFRESH_REPLAYED = "app.refreshReplayed"
    APP_REVOKED = "app.revoked"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_PRUNED = "audit.pruned"
    CLIENT_CREATED = "client.created"
    CLIENT_DELETED = "client.deleted"
    CLIENT_DELETION_SCHEDULED = "client.deletionScheduled"
    CLIENT_DISABLED = "client.disabled"
    CLIENT_EDITED = "client.edited"
    CLIENT_ENABLED = "client.enabled"
    CLIENT_RESTORED = "client.restored"
    CLIENT_SECRET_ENDED = "client.secretEnded"
    CLIENT_SECRET_REPLACED = "client.secretReplaced"
    CLIENT_TOKEN_SHOWN = "client.tokenShown"
    CLIENT_TOKENS_REVOKED = "client.tokensRevoked"
    CLIENT_TOKENS_SHORTENED = "client.tokensShortened"
    DIVISION_CREATED = "division.created"
    DIVISION_DELETED = "division.deleted"
    DIVISION_EDITED = "division.edited"
    DIVISION_RESTORED = "division.restored"
    GRANTS_CHANGED = "grants.changed"
    GROUP_CREATED = "group.created"
    GROUP_DELETED = "group.deleted"
    GROUP_EDITED = "group.edited"
    GROUP_MEMBERS_CHANGED = "group.membersChanged"
    PROVIDER_ASSERTION_REFUSED = "identityProvider.assertionRefused"
    PROVIDER_CREATED = "identityProvider.created"
    PROVIDER_DELETED = "identityProvider.deleted"
    PROVIDER_EDITED = "identityProvider.edited"
    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_DEFAULT_DURATION_SET = "organization.defaultDurationSet"
    ORGANIZATION_HIPAA_DISABLED = "organization.hipaaDisabled"
    ORGANIZATION_HIPAA_ENABLED = "organization.hipaaEnabled"
    ORGANIZATION_HOME_REGION_SET = "organization.homeRegionSet"
    ORGANIZATION_IDLE_EXCLUSIONS_SET = "organization.idleExclusionsSet"
    ORGANIZATION_IDLE_TIMEOUT_SET = "organization.idleTimeoutSet"
    ORGANIZATION_IMPLICIT_ALLOWED = "organization.implicitAllowed"
    ORGANIZATION_IMPLICIT_REFUSED = "organization.implicitRefused"
    ORGANIZATION_LANGUAGE_SET = "organization.languageSet"
    ORGANIZATION_RENAMED = "organization.renamed"
    ORGANIZATION_SCOPES_ENFORCED = "organization.scopesEnforced"
    ORGANIZATION_SCOPES_IGNORED = "organization.scopesIgnored"
    ORGANIZATION_SSO_ONLY = "organization.ssoOnly"
    ORGANIZATION_SSO_OPTIONAL = "organization.ssoOptional"
    ORGANIZATION_TIME_ZONE_SET = "organization.timeZoneSet"
    ROLE_CREATED = "role.created"
    ROLE_DELETED = "role.deleted"
    ROLE_EDITED = "role.edited"
    ROLE_RESTORED = "role.restored"
    USER_CREATED = "user.created"
    USER_DELETED = "user.deleted"
    USER_EDITED = "user.edited"
    USER_INVITATION_ACCEPTED = "user.invitationAccepted"
    USER_INVITED = "user.invited"
    USER_MOVED = "user.moved"
    USER_PASSWORD_SET = "user.passwordSet"
    USER_PREFERENCES_SET = "user.preferencesSet"
    USER_SESSION_ENDED = "user.sessionEnded"
    USER_SIGNED_IN = "user.signedIn"
    USER_SIGNED_OUT = "user.signedOut"
    USER_SIGNED_OUT_IDLE = "user.signedOutIdle"
    USER_TOKENS_REVOKED = "user.tokensRevoked"


SENTENCES: Mapping[str, Any] = {
    Action.APP_ALLOWED: _("allowed the app to act for them"),
    Action.APP_APPROVED: _("authorized the app for this organization"),
    Action.APP_ASKED: _("asked for the app to be authorized"),
    Action.APP_ASSERTION_ACCEPTED: _(
        "was vouched for by the identity provider, so the app may act for them"
    ),
    Action.APP_ASSERTION_REFUSED: _("had an assertion refused"),
    Action.APP_AUTHORIZATION_EDITED: _("edited the app's authorization"),
    Action.APP_CODE_REPLAYED: _("had a code used twice; its tokens were ended"),
    Action.APP_DECLINED: _("declined to authorize the app"),
    Action.APP_FORGOTTEN: _("took back what they had allowed the app"),
    Action.APP_REFRESH_REPLAYED: _("had a refresh token used twice; its tokens were ended"),
    Action.APP_REVOKED: _("revoked the app's authorization"),
    Action.AUDIT_EXPORTED: _("downloaded lines of the audit trail"),
    Action.AUDIT_PRUNED: _("removed old lines of the audit trail"),
    Action.CLIENT_CREATED: _("created the client"),
    Action.CLIENT_DELETED: _("deleted the client for good"),
    Action.CLIENT_DELETION_SCHEDULED: _("deleted the client, to be removed later"),
    Action.CLIENT_DISABLED: _("disabled the client"),
    Action.CLIENT_EDITED: _("edited the client"),
    Action.CLIENT_ENABLED: _("enabled the client"),
    Action.CLIENT_RESTORED: _("restored the client"),
    Action.CLIENT_SECRET_ENDED: _("ended an old secret"),
    Action.CLIENT_SECRET_REPLACED: _("generated a new secret"),
    Action.CLIENT_TOKENS_REVOKED: _("revoked the client's tokens"),
    Action.CLIENT_TOKENS_SHORTENED: _("shortened the life of the client's tokens"),
    Action.ORGANIZATION_CREATED: _("created the organization"),
    Action.ORGANIZATION_DEFAULT_DURATION_SET: _("changed the default token duration"),
    Action.ORGANIZATION_HIPAA_DISABLED: _("turned off HIPAA compliance"),
    Action.ORGANIZATION_HIPAA_ENABLED: _("turned on HIPAA compliance"),
    Action.ORGANIZATION_HOME_REGION_SET: _("set the home region"),
    Action.ORGANIZATION_IDLE_EXCLUSIONS_SET: _("changed the paths that do not count as use"),
    Action.ORGANIZATION_IDLE_TIMEOUT_SET: _("changed the inactivity timeout"),
    Action.ORGANIZATION_IMPLICIT_ALLOWED: _("allowed the implicit grant"),
    Action.ORGANIZATION_IMPLICIT_REFUSED: _("switched off the implicit grant"),
    Action.ORGANIZATION_LANGUAGE_SET: _("changed the language of the organization"),
    Action.ORGANIZATION_RENAMED: _("renamed the organization"),
    Action.ORGANIZATION_SCOPES_ENFORCED: _("turned on Enforce Scopes"),
    Action.ORGANIZATION_SCOPES_IGNORED: _("turned off Enforce Scopes"),
    Action.ORGANIZATION_SSO_ONLY: _("let people sign in through single sign-on only"),
    Action.ORGANIZATION_SSO_OPTIONAL: _("let people sign in with a password again"),
    Action.ORGANIZATION_TIME_ZONE_SET: _("changed the time zone of the organization"),
    Action.PROVIDER_ASSERTION_REFUSED: _("sent somebody whose sign-in was refused"),
    Action.PROVIDER_CREATED: _("set up the identity provider"),
    Action.PROVIDER_DELETED: _("deleted the identity provider"),
    Action.PROVIDER_EDITED: _("edited the identity provider"),
    Action.CLIENT_TOKEN_SHOWN: _("had a token made and shown once"),
    Action.DIVISION_DELETED: _("deleted the division"),
    Action.DIVISION_EDITED: _("edited the division"),
    Action.DIVISION_RESTORED: _("restored the division"),
    Action.GROUP_CREATED: _("created the group"),
    Action.GROUP_DELETED: _("deleted the group"),
    Action.GROUP_EDITED: _("edited the group"),
    Action.GROUP_MEMBERS_CHANGED: _("changed who is in the group"),
    Action.ROLE_DELETED: _("deleted the role"),
    Action.ROLE_EDITED: _("edited the role"),
    Action.ROLE_RESTORED: _("restored the default role"),
    Action.USER_INVITATION_ACCEPTED: _("accepted the invitation"),
    Action.USER_INVITED: _("sent an invitation to the person"),
    Action.USER_MOVED: _("moved the person to another division"),
    Action.DIVISION_CREATED: _("created the division"),
    Action.GRANTS_CHANGED: _("changed the roles"),
    Action.ROLE_CREATED: _("created the role"),
    Action.USER_CREATED: _("added the person"),
    Action.USER_DELETED: _("deleted the person"),
    Action.USER_EDITED: _("edited the person"),
    Action.USER_PASSWORD_SET: _("set the password"),
    Action.USER_PREFERENCES_SET: _("changed their language or time zone"),
    Action.USER_SESSION_ENDED: _("was signed out, as the identity provider had wished"),
    Action.USER_SIGNED_IN: _("signed in"),
    Action.USER_SIGNED_OUT: _("signed out"),
    Action.USER_SIGNED_OUT_IDLE: _("was signed out after a time without activity"),
    Action.USER_TOKENS_REVOKED: _("revoked the tokens of the person"),
}

# What was tried and not let through; every other line is of something that happened.
REFUSALS = frozenset(
    {
        Action.APP_ASSERTION_REFUSED,
        Action.APP_CODE_REPLAYED,
        Action.APP_REFRESH_REPLAYED,
        Action.PROVIDER_ASSERTION_REFUSED,
    }
)


class Kind(StrEnum):
    """What a line is about: its `entity_type`."""

    CLIENT = "client"
    DIVISION = "division"
    GROUP = "group"
    PROVIDER = "identityProvider"
    ORGANIZATION = "organization"
    ROLE = "role"
    USER = "user"


KINDS: Mapping[str, Any] = {
    Kind.CLIENT: _("Client"),
    Kind.DIVISION: _("Division"),
    Kind.GROUP: _("Group"),
    Kind.PROVIDER: _("Identity provider"),
    Kind.ORGANIZATION: _("Organization"),
    Kind.ROLE: _("Role"),
    Kind.USER: _("Person"),
}
# Of the actions whose name begins otherwise.
_KINDS_BY_BEGINNING = {"app": Kind.CLIENT, "audit": Kind.ORGANIZATION, "grants": Kind.USER}


def kind_of(action: Action) -> Kind:
    """What the lines of this action are about, with one exception: tokens of an app that an administrator
    ends for a person stand at the person."""
    beginning = action.split(".")[0]
    return _KINDS_BY_BEGINNING.get(beginning) or Kind(beginning)


def record(
    actor: Actor,
    action: Action,
    *,
    entity_type: str,
    entity_id: uuid.UUID | None,
    entity_name: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Adds a line. Of `before` and `after`, only the keys whose values differ are kept.

    Callers pass what may be read by anybody with the right to see the trail: a secret appears as its
    last four characters at most.
    """
    line(
        actor,
        action,
        entity_type=entity_type,
        entity_id=entity_id,
        entity_name=entity_name,
        before=before,
        after=after,
    ).save()


def line(
    actor: Actor,
    action: Action,
    *,
    entity_type: str,
    entity_id: uuid.UUID | None,
    entity_name: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """A line as `record` adds it, for whoever adds many at once."""
    before, after = dict(before or {}), dict(after or {})
    same = {key for key in before.keys() & after.keys() if before[key] == after[key]}
    here = origin()
    return AuditEvent(
        organization_id=actor.organization.id,
        at=timezone.now(),
        actor_type=actor.type,
        actor_id=actor.id,
        actor_name=actor.name,
        via_id=actor.via_id,
        via_name=actor.via_name,
        action=action,
        entity_type=entity_type,
        entity_id=entity_id,
        entity_name=entity_name[:255],
        before={key: value for key, value in before.items() if key not in same},
        after={key: value for key, value in after.items() if key not in same},
        address=here.address,
        user_agent=here.user_agent[:255],
        request_id=here.request_id,
    )
