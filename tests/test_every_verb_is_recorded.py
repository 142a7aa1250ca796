"""Whatever changes something leaves its line in the audit trail.

Every public function of the services, and every page of accounts/sign_in, is on one of two lists: `RECORDED`,
where calling it is compared with the lines that it leaves, or `SILENT`, which says why there is none. A new
one that is on neither fails `test_every_verb_is_on_one_of_the_lists`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.db import transaction
from django.test import Client as Browser
from django.test import override_settings
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

import accounts.services
import oauthclients.services
from accounts import audit
from accounts.actor import Actor, system
from accounts.audit import Action
from accounts.batches import Round
from accounts.models import (
    AuditEvent,
    Organization,
    ProviderSession,
    Purpose,
    Role,
    RoleGrant,
    SkillKind,
    SubjectType,
    User,
)
from accounts.saml.messages import LogoutAsked
from accounts.services import (
    divisions,
    grants,
    groups,
    identity_providers,
    invitations,
    organization,
    people,
    person_details,
    preferences,
    provider_sign_ins,
    provisioning,
    roles,
)
from accounts.services import purging as accounts_purging
from accounts.services.person_details import Identifier, Phone, Proficiency
from accounts.sign_in import urls as sign_in_urls
from accounts.sign_in.sessions import stored
from config.regions import Regions
from oauthclients.console import audit_words
from oauthclients.models import Client, Consent, TokenFamily
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import (
    authorizations,
    clients,
    consents,
    explorer,
    families,
    giving_back,
    idle_time,
    role_changes,
    secrets,
    tokens,
    trial,
    vouching,
)
from oauthclients.services import purging as clients_purging
from tests.cast import PASSWORD, App, Cast
from tests.saml import IdP, SamlApp, encode, pair

NEW = "another long enough password"
# Verbs whose line is that of the one who calls them, in the same transaction.
PART = "part of its caller, whose line says it all"
READS = "reads, decides or words; changes nothing"
USE = "use, which is counted, or a refusal of it (services/usage.py, refusals.py), and is no change"
OVER = "removes what had ended before, and worked no more"


class Scene:
    """Who does it: Ada, who may do everything, on behalf of nobody."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast

    @property
    def ada(self) -> Actor:
        return self.cast.actor(self.cast.ada)

    def client(self) -> Client:
        return self.cast.client(("Supervisor", self.cast.home), name="Service")[0]

    def scim_client(self, seconds: int = 38_880_000) -> Client:
        client, _secret = clients.create(
            actor=self.ada,
            spec=ClientSpec(
                name="SCIM",
                grant_type="client-credentials",
                role_divisions=(self.cast.pair("SCIM Integration", None),),
                token_seconds=seconds,
            ),
        )
        return client

    def old_client(self) -> Client:
        """Which is not removed at once."""
        client = self.client()
        Client.objects.filter(id=client.id).update(created=timezone.now() - timedelta(days=40))
        return client

    def app(self, **more: object) -> App:
        return self.cast.app("users", by=more.pop("by", self.cast.ada), **more)

    def asked(self) -> Client:
        """An app that nobody has authorized yet."""
        self.cast.custom_role("Maker", "oauth:client:add", "oauth:client:edit", "oauth:client:view")
        self.cast.give(self.cast.ben, ("Maker", None))
        return self.app(by=self.cast.ben).client

    def used(self) -> TokenFamily:
        """Eve uses an app, which holds a token."""
        app = self.app()
        self.cast.acting_for(self.cast.eve, app.client, "users")
        return TokenFamily.objects.get(consent__client=app.client)

    def browser(self, user: User) -> Browser:
        browser = Browser()
        browser.post("/sign-in/", {"email": user.email, "password": PASSWORD})
        return browser

    def invited(self) -> tuple[uuid.UUID, str]:
        invitations.send(actor=self.ada, user_id=self.cast.eve.id)
        found = re.search(r"/invitation/([0-9a-f-]{36})/([\w-]+)/", mail.outbox[-1].body)
        assert found
        return uuid.UUID(found[1]), found[2]

    def provider(self, **spec: object):
        return IdP().provider(self.cast.acme, **spec)


Steps = Callable[[Scene], Iterator[None]]
RECORDED: dict[str, tuple[list[Action], Steps]] = {}


def leaves(name: str, *actions: Action) -> Callable[[Steps], Steps]:
    """What is before the `yield` of the function below prepares; what is after it is the verb."""

    def note(steps: Steps) -> Steps:
        assert name not in RECORDED
        RECORDED[name] = (list(actions), steps)
        return steps

    return note


# --- accounts/services ---------------------------------------------------------------------------


@leaves("accounts.services.divisions.create", Action.DIVISION_CREATED)
def _(scene):
    yield
    divisions.create(actor=scene.ada, name="North")


@leaves("accounts.services.divisions.change", Action.DIVISION_EDITED)
def _(scene):
    yield
    divisions.change(actor=scene.ada, division_id=scene.cast.east.id, name="Far East", description="")


@leaves("accounts.services.divisions.move_people", Action.USER_MOVED)
def _(scene):
    yield
    divisions.move_people(actor=scene.ada, division_id=scene.cast.west.id, user_ids=[scene.cast.eve.id])


@leaves("accounts.services.divisions.delete", Action.USER_MOVED, Action.DIVISION_DELETED)
def _(scene):
    yield
    divisions.delete(actor=scene.ada, division_id=scene.cast.east.id, move_to=scene.cast.west.id)


@leaves("accounts.services.divisions.restore", Action.DIVISION_RESTORED)
def _(scene):
    divisions.delete(actor=scene.ada, division_id=scene.cast.west.id)
    yield
    divisions.restore(actor=scene.ada, division_id=scene.cast.west.id)


@leaves("accounts.services.grants.change_person", Action.GRANTS_CHANGED)
def _(scene):
    pair = scene.cast.pair("Supervisor", scene.cast.east)
    yield
    grants.change_person(actor=scene.ada, user_id=scene.cast.eve.id, spec=lambda present: [*present, pair])


@leaves("accounts.services.grants.give", Action.GRANTS_CHANGED)
def _(scene):
    yield
    grants.give(actor=scene.ada, subject_type=SubjectType.USER, subject_id=scene.cast.eve.id, pairs=[])


@leaves("accounts.services.groups.create", Action.GROUP_CREATED)
def _(scene):
    yield
    groups.create(actor=scene.ada, name="Agents")


@leaves("accounts.services.groups.change", Action.GROUP_EDITED)
def _(scene):
    group = groups.create(actor=scene.ada, name="Agents")
    yield
    groups.change(actor=scene.ada, group_id=group.id, version=1, name="Clerks")


@leaves("accounts.services.groups.delete", Action.GROUP_DELETED)
def _(scene):
    group = groups.create(actor=scene.ada, name="Agents")
    yield
    groups.delete(actor=scene.ada, group_id=group.id)


@leaves("accounts.services.groups.change_members", Action.GROUP_MEMBERS_CHANGED)
def _(scene):
    group = groups.create(actor=scene.ada, name="Agents")
    yield
    groups.change_members(actor=scene.ada, group_id=group.id, spec=lambda _: {scene.cast.eve.id})


def provider_spec(**values: object) -> identity_providers.ProviderSpec:
    return identity_providers.ProviderSpec(
        **{
            "name": "Okta",
            "issuer": "https://okta.example/metadata",
            "target_url": "https://okta.example/sso",
            "certificates": (pair().certificate,),
            **values,
        }
    )


@leaves("accounts.services.identity_providers.create", Action.PROVIDER_CREATED)
def _(scene):
    yield
    identity_providers.create(actor=scene.ada, spec=provider_spec())


@leaves("accounts.services.identity_providers.change", Action.PROVIDER_EDITED)
def _(scene):
    provider = scene.provider()
    yield
    identity_providers.change(
        actor=scene.ada,
        provider_id=provider.id,
        version=None,
        spec=lambda was: replace(was, name="Renamed", enabled=False, force_authn=True),
    )


@leaves("accounts.services.identity_providers.delete", Action.PROVIDER_DELETED)
def _(scene):
    provider = scene.provider()
    yield
    identity_providers.delete(actor=scene.ada, provider_id=provider.id)


@leaves("accounts.services.identity_providers.set_only_sso", Action.ORGANIZATION_SSO_ONLY)
def _(scene):
    scene.provider()
    yield
    identity_providers.set_only_sso(actor=scene.ada, enabled=True, keeper_id=scene.cast.ada.id)


@leaves("accounts.services.invitations.send", Action.USER_INVITED)
def _(scene):
    yield
    invitations.send(actor=scene.ada, user_id=scene.cast.eve.id)


@leaves("accounts.services.invitations.accept", Action.USER_PASSWORD_SET, Action.USER_INVITATION_ACCEPTED)
def _(scene):
    found = invitations.find(*scene.invited())
    yield
    invitations.accept(invitation=found, password=NEW)


@leaves("accounts.services.organization.create", Action.ORGANIZATION_CREATED)
def _(scene):
    yield
    organization.create(name="Initech")


@leaves("accounts.services.organization.rename", Action.ORGANIZATION_RENAMED)
def _(scene):
    yield
    organization.rename(actor=scene.ada, name="Acme Ltd")


@leaves("accounts.services.organization.set_hipaa", Action.ORGANIZATION_HIPAA_ENABLED)
def _(scene):
    yield
    organization.set_hipaa(actor=scene.ada, enabled=True)


@leaves("accounts.services.organization.set_idle_timeout", Action.ORGANIZATION_IDLE_TIMEOUT_SET)
def _(scene):
    yield
    organization.set_idle_timeout(actor=scene.ada, enabled=True, seconds=600)


@leaves("accounts.services.organization.set_idle_exclusions", Action.ORGANIZATION_IDLE_EXCLUSIONS_SET)
def _(scene):
    yield
    organization.set_idle_exclusions(actor=scene.ada, paths=["/api/v2/users/me"])


@leaves("accounts.services.organization.set_enforce_scopes", Action.ORGANIZATION_SCOPES_IGNORED)
def _(scene):
    organization.set_enforce_scopes(actor=scene.ada, enabled=True)
    yield
    organization.set_enforce_scopes(actor=scene.ada, enabled=False)


@leaves("accounts.services.organization.set_implicit_allowed", Action.ORGANIZATION_IMPLICIT_REFUSED)
def _(scene):
    yield
    organization.set_implicit_allowed(actor=scene.ada, allowed=False)


@leaves(
    "accounts.services.organization.set_default_token_seconds", Action.ORGANIZATION_DEFAULT_DURATION_SET
)
def _(scene):
    yield
    organization.set_default_token_seconds(actor=scene.ada, seconds=3_600)


@leaves("accounts.services.organization.set_home_region", Action.ORGANIZATION_HOME_REGION_SET)
def _(scene):
    two = Regions(["eu=eu.example.com", "us=us.example.com"], base_url="https://login.example.com")
    yield
    with override_settings(REGIONS=two):
        organization.set_home_region(actor=scene.ada, code="us")


@leaves("accounts.services.organization.set_language", Action.ORGANIZATION_LANGUAGE_SET)
def _(scene):
    yield
    organization.set_language(actor=scene.ada, language="fr")


@leaves("accounts.services.organization.set_time_zone", Action.ORGANIZATION_TIME_ZONE_SET)
def _(scene):
    yield
    organization.set_time_zone(actor=scene.ada, time_zone="Europe/Paris")


@leaves("accounts.services.preferences.choose", Action.USER_PREFERENCES_SET)
def _(scene):
    yield
    preferences.choose(
        actor=scene.cast.actor(scene.cast.eve), user=scene.cast.eve, language="fr", time_zone="Asia/Tokyo"
    )


@leaves("accounts.services.organization.change", Action.ORGANIZATION_RENAMED)
def _(scene):
    def renamed(row):
        row.name = "Acme Ltd"

    yield
    organization.change(scene.ada, Action.ORGANIZATION_RENAMED, None, renamed)


@leaves("accounts.services.people.create", Action.USER_CREATED)
def _(scene):
    yield
    people.create(actor=scene.ada, spec=people.PersonSpec(name="Dan", email="dan@acme.example"))


@leaves("accounts.services.people.change", Action.USER_EDITED)
def _(scene):
    yield
    people.change(
        actor=scene.ada,
        user_id=scene.cast.eve.id,
        version=None,
        values={"title": "Agent", "manager_id": scene.cast.ben.id},
    )


@leaves("accounts.services.people.delete", Action.USER_DELETED)
def _(scene):
    yield
    people.delete(actor=scene.ada, user_id=scene.cast.eve.id)


@leaves("accounts.services.people.set_password", Action.USER_PASSWORD_SET)
def _(scene):
    yield
    people.set_password(actor=scene.ada, user=scene.cast.eve, password=NEW)


@leaves("accounts.services.people.change_own_password", Action.USER_PASSWORD_SET)
def _(scene):
    yield
    people.change_own_password(
        actor=scene.cast.actor(scene.cast.eve), user=scene.cast.eve, old=PASSWORD, new=NEW
    )


@leaves("accounts.services.people.store_password", Action.USER_PASSWORD_SET)
def _(scene):
    yield
    people.store_password(actor=scene.cast.actor(scene.cast.eve), user=scene.cast.eve, password=NEW)


@leaves("accounts.services.person_details.set_phones", Action.USER_EDITED)
def _(scene):
    yield
    person_details.set_phones(
        actor=scene.ada, user=scene.cast.eve, phones=[Phone("work", "+1 555 0100", True)]
    )


@leaves("accounts.services.person_details.set_external_ids", Action.USER_EDITED)
def _(scene):
    yield
    person_details.set_external_ids(
        actor=scene.ada, user=scene.cast.eve, identifiers=[Identifier("hr", "7")]
    )


@leaves("accounts.services.person_details.set_skills", Action.USER_EDITED)
def _(scene):
    yield
    person_details.set_skills(
        actor=scene.ada, user=scene.cast.eve, kind=SkillKind.SKILL, skills=[Proficiency("Billing", 4)]
    )


@leaves("accounts.services.provider_sign_ins.receive", Action.PROVIDER_ASSERTION_REFUSED)
def _(scene):
    """Refused; the line of an accepted one is that of the sign-in."""
    idp = IdP(recipient=f"{settings.BASE_URL}/saml", email="nobody@acme.example")
    provider = idp.provider(scene.cast.acme)
    message = provider_sign_ins.start(
        provider=provider, purpose=Purpose.SIGN_IN, browser="x", next="/", forced=False
    )
    yield
    answer = encode(idp.assertion(in_response_to=message.id, wrap=True))
    provider_sign_ins.receive(text=answer, browser="x", unasked_next="/")


@leaves("accounts.services.provider_sign_ins.end_sessions", Action.USER_SIGNED_OUT)
def _(scene):
    provider = scene.provider()
    browser = scene.browser(scene.cast.eve)
    ProviderSession.objects.create(
        key=stored(browser.session.session_key),
        provider=provider,
        person=scene.cast.eve,
        subject=provider_sign_ins.digest("eve"),
    )
    yield
    asked = LogoutAsked(id="_1", name_id="eve", session_indexes=())
    assert provider_sign_ins.end_sessions(provider, asked) == 1


@leaves("accounts.services.provisioning.create", Action.USER_CREATED, Action.GRANTS_CHANGED)
def _(scene):
    profile = provisioning.Profile(email="dan@acme.example", name="Dan", roles=("Supervisor",))
    yield
    provisioning.create(actor=scene.ada, profile=profile)


@leaves("accounts.services.provisioning.change", Action.USER_EDITED)
def _(scene):
    profile = provisioning.Profile(email=scene.cast.eve.email, name="Eve", title="Agent")
    yield
    provisioning.change(actor=scene.ada, user_id=scene.cast.eve.id, edit=lambda _: profile)


@leaves("accounts.services.provisioning.delete", Action.USER_DELETED)
def _(scene):
    yield
    provisioning.delete(actor=scene.ada, user_id=scene.cast.eve.id)


@leaves("accounts.services.purging.audit_lines", Action.AUDIT_PRUNED)
def _(scene):
    line = audit.line(scene.ada, Action.USER_EDITED, entity_type="user", entity_id=None, entity_name="x")
    line.at = timezone.now() - timedelta(days=90)
    line.save()
    yield
    with override_settings(AUDIT_RETENTION_DAYS=30):
        assert accounts_purging.audit_lines(Round(now=timezone.now())) == 1


@leaves("accounts.services.roles.create_custom", Action.ROLE_CREATED)
def _(scene):
    yield
    roles.create_custom(actor=scene.ada, name="Looker", description="", policies=[])


@leaves("accounts.services.roles.change", Action.ROLE_EDITED)
def _(scene):
    role = scene.cast.custom_role("Looker", "directory:user:view")
    yield
    roles.change(actor=scene.ada, role_id=role.id, name="Reader", description="", policies=role.policies)


@leaves("accounts.services.roles.delete", Action.ROLE_DELETED)
def _(scene):
    role = scene.cast.custom_role("Looker", "directory:user:view")
    yield
    roles.delete(actor=scene.ada, role_id=role.id)


@leaves("accounts.services.roles.restore_defaults", Action.ROLE_CREATED)
def _(scene):
    held = RoleGrant.objects.values("role_id")
    Role.objects.filter(organization=scene.cast.acme, default_role_id="user").exclude(id__in=held).delete()
    yield
    roles.restore_defaults(actor=scene.ada)


@leaves("accounts.services.roles.restore_default", Action.ROLE_RESTORED)
def _(scene):
    role = scene.cast.role("Employee")
    Role.objects.filter(id=role.id).update(policies=[])
    yield
    roles.restore_default(actor=scene.ada, role_ids=[role.id])


# --- oauthclients/services -----------------------------------------------------------------------


@leaves("oauthclients.services.authorizations.follow", Action.APP_AUTHORIZATION_EDITED)
def _(scene):
    client = scene.app().client
    client.scope = ["users", "routing"]
    client.save()
    yield
    authorizations.follow(actor=scene.ada, client=client, before=["users"])


@leaves("oauthclients.services.authorizations.ask", Action.APP_ASKED)
def _(scene):
    client = scene.app().client
    authorizations.revoke(actor=scene.ada, client_id=client.id)
    yield
    authorizations.ask(actor=scene.cast.actor(scene.cast.eve), client_id=client.id)


@leaves("oauthclients.services.authorizations.approve", Action.APP_APPROVED)
def _(scene):
    client = scene.asked()
    yield
    authorizations.approve(actor=scene.ada, client_id=client.id, scope=["users"], roles=[])


@leaves("oauthclients.services.authorizations.decline", Action.APP_DECLINED)
def _(scene):
    client = scene.asked()
    yield
    authorizations.decline(actor=scene.ada, client_id=client.id)


@leaves("oauthclients.services.authorizations.revoke", Action.APP_REVOKED)
def _(scene):
    client = scene.app().client
    yield
    authorizations.revoke(actor=scene.ada, client_id=client.id)


@leaves("oauthclients.services.clients.create", Action.CLIENT_CREATED)
def _(scene):
    yield
    scene.client()


@leaves("oauthclients.services.clients.change", Action.CLIENT_EDITED)
def _(scene):
    client = scene.client()
    yield
    clients.change(
        actor=scene.ada,
        client_id=client.id,
        spec=lambda was: replace(was, name="Renamed", token_seconds=600, description="x"),
    )


@leaves("oauthclients.services.clients.change_roles", Action.CLIENT_EDITED)
def _(scene):
    client = scene.client()
    pair = scene.cast.pair("Supervisor", scene.cast.east)
    yield
    clients.change_roles(actor=scene.ada, client_id=client.id, spec=lambda present: [*present, pair])


@leaves("oauthclients.services.clients.set_enabled", Action.CLIENT_DISABLED)
def _(scene):
    client = scene.client()
    yield
    clients.set_enabled(actor=scene.ada, client_id=client.id, enabled=False)


@leaves("oauthclients.services.clients.delete", Action.CLIENT_DELETION_SCHEDULED)
def _(scene):
    client = scene.old_client()
    yield
    clients.delete(actor=scene.ada, client_id=client.id)


@leaves("oauthclients.services.clients.remove_inactive", Action.CLIENT_DELETED)
def _(scene):
    client = scene.client()
    Client.objects.filter(id=client.id).update(state="inactive")
    yield
    clients.remove_inactive(actor=scene.ada, client_id=client.id)


@leaves("oauthclients.services.clients.restore", Action.CLIENT_RESTORED)
def _(scene):
    client = scene.old_client()
    clients.delete(actor=scene.ada, client_id=client.id)
    yield
    clients.restore(actor=scene.ada, client_id=client.id)


@leaves("oauthclients.services.clients.purge_due", Action.CLIENT_DELETED)
def _(scene):
    client = scene.old_client()
    Client.objects.filter(id=client.id).update(date_to_delete=timezone.now())
    yield
    assert clients.purge_due(actor=system(scene.cast.acme)) == 1


@leaves("oauthclients.services.consents.agree", Action.APP_ALLOWED)
def _(scene):
    client = scene.app().client
    yield
    consents.agree(
        actor=scene.ada, user=scene.cast.ada, client=client, scope=["users"], place="https://a.example"
    )


@leaves("oauthclients.services.consents.revoke", Action.APP_FORGOTTEN)
def _(scene):
    consent = scene.used().consent
    yield
    consents.revoke(actor=scene.cast.actor(scene.cast.eve), consent_id=consent.id)


@leaves("oauthclients.services.consents.revoke_for", Action.USER_TOKENS_REVOKED)
def _(scene):
    consent = scene.used().consent
    yield
    consents.revoke_for(actor=scene.ada, user_id=scene.cast.eve.id, consent_id=consent.id)


@leaves("oauthclients.services.explorer.set_up", Action.CLIENT_CREATED, Action.APP_APPROVED)
def _(scene):
    yield
    explorer.set_up(actor=scene.ada, scope=["users"])


@leaves("oauthclients.services.families.of_code", Action.APP_CODE_REPLAYED)
def _(scene):
    """A code that was exchanged before."""
    family = scene.used()
    TokenFamily.objects.filter(id=family.id).update(
        code_digest=tokens.digest("a code"), spent_at=timezone.now()
    )
    yield
    families.of_code(
        client=family.consent.client, code="a code", by_secret=True, verifier=None, now=timezone.now()
    )


@leaves("oauthclients.services.families.of_refresh_token", Action.APP_REFRESH_REPLAYED)
def _(scene):
    """One that was used before, a while ago."""
    app = scene.app()
    token = app.tokens(scene.browser(scene.cast.ada))["refresh_token"]
    app.refresh(token)
    yield
    later = timezone.now() + timedelta(hours=1)
    assert families.of_refresh_token(client=app.client, value=token, wanted=None, now=later) is None


@leaves("oauthclients.services.giving_back.give_back", Action.CLIENT_TOKENS_REVOKED)
def _(scene):
    client, secret = scene.cast.client(("Supervisor", scene.cast.home))
    value = scene.cast.token(client, secret)
    yield
    assert giving_back.give_back(client=client, value=value, by_secret=True)


@leaves("oauthclients.services.idle_time.set_timeout", Action.ORGANIZATION_IDLE_TIMEOUT_SET)
def _(scene):
    yield
    idle_time.set_timeout(actor=scene.ada, enabled=True, seconds=600)


@leaves("oauthclients.services.purging.due_clients", Action.CLIENT_DELETED)
def _(scene):
    client = scene.old_client()
    Client.objects.filter(id=client.id).update(date_to_delete=timezone.now())
    yield
    assert clients_purging.due_clients(Round(now=timezone.now())) == 1


@leaves(
    "oauthclients.services.role_changes.FollowedByClients.changed",
    Action.CLIENT_EDITED,
    Action.CLIENT_TOKENS_SHORTENED,
)
def _(scene):
    client = scene.scim_client()
    tokens.make_for_pasting(actor=scene.ada, client_id=client.id)
    role = scene.cast.role("SCIM Integration")
    role.policies = scene.cast.role("Supervisor").policies
    role.save()
    yield
    assert role_changes.FollowedByClients().changed(scene.ada, role)


@leaves("oauthclients.services.secrets.generate", Action.CLIENT_SECRET_REPLACED)
def _(scene):
    client = scene.client()
    yield
    secrets.generate(actor=scene.ada, client_id=client.id, overlap=timedelta(hours=1))


@leaves("oauthclients.services.secrets.end_retiring", Action.CLIENT_SECRET_ENDED)
def _(scene):
    client = scene.client()
    secrets.generate(actor=scene.ada, client_id=client.id, overlap=timedelta(hours=1))
    yield
    secrets.end_retiring(actor=scene.ada, client_id=client.id)


@leaves("oauthclients.services.tokens.make_for_pasting", Action.CLIENT_TOKEN_SHOWN)
def _(scene):
    client = scene.scim_client()
    yield
    tokens.make_for_pasting(actor=scene.ada, client_id=client.id)


@leaves("oauthclients.services.tokens.revoke_all", Action.CLIENT_TOKENS_REVOKED)
def _(scene):
    client = scene.client()
    yield
    tokens.revoke_all(actor=scene.ada, client=client)


@leaves("oauthclients.services.tokens.revoke", Action.CLIENT_TOKENS_REVOKED)
def _(scene):
    client = scene.scim_client()
    tokens.make_for_pasting(actor=scene.ada, client_id=client.id)
    token = get_access_token_model().objects.get(application=client)
    yield
    tokens.revoke(actor=scene.ada, client=client, token_id=token.pk)


@leaves("oauthclients.services.tokens.record_ended", Action.CLIENT_TOKENS_REVOKED)
def _(scene):
    client = scene.client()
    yield
    tokens.record_ended(scene.ada, client, 3)


@leaves("oauthclients.services.tokens.revoke_person", Action.USER_TOKENS_REVOKED)
def _(scene):
    scene.used()
    yield
    assert tokens.revoke_person(actor=scene.ada, user_id=scene.cast.eve.id) == 1


@leaves("oauthclients.services.tokens.shorten_all", Action.CLIENT_TOKENS_SHORTENED)
def _(scene):
    client = scene.scim_client()
    tokens.make_for_pasting(actor=scene.ada, client_id=client.id)
    yield
    tokens.shorten_all(actor=scene.ada, client=client, seconds=600)


@leaves("oauthclients.services.trial.end", Action.CLIENT_TOKENS_REVOKED)
def _(scene):
    client, secret = scene.cast.client(("Supervisor", scene.cast.home))
    value = scene.cast.token(client, secret)
    yield
    assert trial.end(actor=scene.ada, client=client, value=value)


@leaves("oauthclients.services.vouching.exchange", Action.APP_ASSERTION_ACCEPTED)
def _(scene):
    app = SamlApp.at_acme(scene.cast)
    yield
    with transaction.atomic():
        vouching.exchange(
            client=app.client,
            org_name="acme",
            text=encode(app.idp.assertion()),
            wanted=None,
            now=timezone.now(),
            still_proven=lambda: True,
        )


# --- accounts/sign_in, by the names of its pages -------------------------------------------------


@leaves("sign-in", Action.USER_SIGNED_IN)
def _(scene):
    yield
    scene.browser(scene.cast.eve)


@leaves("sign-out", Action.USER_SIGNED_OUT)
def _(scene):
    browser = scene.browser(scene.cast.eve)
    yield
    browser.post("/sign-out/")


@leaves("sso-finish", Action.USER_SIGNED_IN)
def _(scene):
    idp = IdP(recipient=f"{settings.BASE_URL}/saml")
    idp.provider(scene.cast.acme)
    yield
    browser = Browser()
    answer = browser.post("/saml", {"SAMLResponse": encode(idp.assertion(wrap=True))})
    assert browser.get(answer["Location"]).status_code == 302


@leaves(
    "invitation-choose",
    Action.USER_PASSWORD_SET,
    Action.USER_INVITATION_ACCEPTED,
    Action.USER_SIGNED_IN,
)
def _(scene):
    key, secret = scene.invited()
    browser = Browser()
    browser.get(f"/invitation/{key}/{secret}/")
    yield
    browser.post("/invitation/", {"password": NEW, "password_again": NEW})


def away_for(scene: Scene, **session: float) -> Browser:
    organization.set_idle_timeout(actor=scene.ada, enabled=True, seconds=600)
    Organization.objects.filter(id=scene.cast.acme.id).update(
        idle_since=timezone.now() - timedelta(hours=1)
    )
    browser = scene.browser(scene.cast.eve)
    kept = browser.session
    kept.update(session)
    kept.save()
    return browser


@leaves("idle", Action.USER_SIGNED_OUT_IDLE)
def _(scene):
    long_ago = timezone.now().timestamp() - 700
    browser = away_for(scene, used_at=long_ago, password_confirmed_at=long_ago)
    yield
    for _twice in range(2):
        browser.get("/admin/")


@leaves("ended by the provider", Action.USER_SESSION_ENDED)
def _(scene):
    browser = away_for(scene, ends_at=timezone.now().timestamp() - 1)
    yield
    for _twice in range(2):
        browser.get("/admin/")


@leaves("logout", Action.USER_SIGNED_OUT)
def _(scene):
    """Of an app: /logout, where what the app got in the session ends too."""
    app = scene.app()
    browser = scene.browser(scene.cast.ada)
    app.tokens(browser)
    yield
    browser.get(f"/logout?client_id={app.id}")
    assert not TokenFamily.objects.filter(ended_at=None).exists()


# --- What leaves no line -------------------------------------------------------------------------

SILENT: dict[str, str] = {
    **dict.fromkeys(
        [
            *(f"accounts.services.assertions.{name}" for name in ("examine", "again")),
            *(
                f"accounts.services.grants.{name}"
                for name in [
                    "resolve",
                    "lacked_by",
                    "refuse_not_held",
                    "unknown_role",
                    "unknown_division",
                    "lacking",
                    "require_held",
                    "require_scope",
                    "require_givable",
                    "givable",
                    "beyond",
                    "require_there",
                    "pairs_of",
                    "describe_grants",
                ]
            ),
            "accounts.services.groups.locked",
            *(
                f"accounts.services.identity_providers.{name}"
                for name in [
                    "possible_keepers",
                    "require_trust",
                    "spec_of",
                    "named",
                    "refuse_without_provider",
                ]
            ),
            *(f"accounts.services.invitations.{name}" for name in ("find", "still_open")),
            *(
                f"accounts.services.last_admin.{name}"
                for name in ("is_admin", "others_left", "require_left")
            ),
            "accounts.services.organization.idle_problem",
            "accounts.services.people.require_could_be",
            *(
                f"accounts.services.provider_sign_ins.{name}"
                for name in ("to_finish", "proved_now", "providers_of", "digest")
            ),
            *(
                f"accounts.services.provisioning.{name}"
                for name in ("persons", "person", "grants_seen", "manager_seen")
            ),
            *(f"accounts.services.roles.{name}" for name in ("shipped", "is_as_shipped")),
            *(
                f"oauthclients.services.access.{name}"
                for name in [
                    "client_to_edit",
                    "require_scope_to_hand_on",
                    "locked",
                    "locked_to_delete",
                    "lock_person",
                    "lock_consents",
                    "hold",
                    "refuse_pending_deletion",
                    "named",
                ]
            ),
            "oauthclients.services.clients.refuse_taken_name",
            *(f"oauthclients.services.consents.{name}" for name in ("of", "lock")),
            *(
                f"oauthclients.services.explorer.{name}"
                for name in ["client_id", "origins", "redirect_uri", "being_removed", "found", "lacking"]
            ),
            *(f"oauthclients.services.families.{name}" for name in ("successor", "proves")),
            *(f"oauthclients.services.idle_time.{name}" for name in ("tokens_of", "unused_since")),
            "oauthclients.services.role_changes.FollowedByClients.uses",
            "oauthclients.services.role_changes.switched_off",
            *(f"oauthclients.services.secrets.{name}" for name in ("digest", "find", "still_works")),
            *(
                f"oauthclients.services.tokens.{name}"
                for name in [
                    "new_value",
                    "digest",
                    "refuse_pasting",
                    "live",
                    "live_of_app",
                    "live_of_person",
                ]
            ),
            "oauthclients.services.usage.be_patient",
            "oauthclients.services.usage_queries.asked",
            "saml-metadata",
        ],
        READS,
    ),
    **dict.fromkeys(
        [
            "accounts.services.assertions.spend",
            "accounts.services.assertions.spend_id",
            "accounts.services.grants.replace",
            "accounts.services.grants.forget",
            "accounts.services.roles.add_missing_defaults",
            "accounts.services.provider_sign_ins.finish",
            "accounts.services.provider_sign_ins.remember",
            "accounts.services.provider_sign_ins.forget",
            "oauthclients.services.access.mark_modified",
            "oauthclients.services.families.end_of_session",
            "oauthclients.services.secrets.add_first",
            "oauthclients.services.tokens.end",
            "oauthclients.services.tokens.end_app",
            "oauthclients.services.tokens.end_consent",
            "oauthclients.services.tokens.end_family",
        ],
        PART,
    ),
    **dict.fromkeys(
        [
            "oauthclients.services.families.start",
            "oauthclients.services.families.spend",
            "oauthclients.services.families.keep_refresh_token",
            "oauthclients.services.tokens.issue",
            "oauthclients.services.usage.client_used",
            "oauthclients.services.usage.token_used",
            "oauthclients.services.usage.count",
            "oauthclients.services.usage.exercised",
            "oauthclients.services.usage.told_elsewhere",
            "oauthclients.services.refusals.of_call",
            "oauthclients.services.refusals.of_token_request",
        ],
        USE,
    ),
    **dict.fromkeys(
        [
            *(
                f"accounts.services.purging.{name}"
                for name in [
                    "assertions",
                    "provider_sign_ins",
                    "sessions",
                    "provider_sessions",
                    "failed_sign_ins",
                ]
            ),
            *(
                f"oauthclients.services.purging.{name}"
                for name in [
                    "families",
                    "codes",
                    "refresh_tokens",
                    "tokens",
                    "secrets",
                    "drafts",
                    "usage",
                    "usage_queries",
                    "refusals",
                ]
            ),
        ],
        OVER,
    ),
    "accounts.services.provider_sign_ins.start": "somebody leaves for the provider, and may never come back",
    "oauthclients.services.usage_queries.ask": "a question, kept with its answer for whoever asked it",
    "sso": "somebody leaves for the provider, and may never come back",
    "saml-acs": "`receive` records what is refused; who is believed goes on to `sso-finish`",
    "saml-logout": "`end_sessions` records, person by person",
    "confirm-password": "somebody who is signed in shows that they still are who they are",
    "invitation": "the link is looked at; what it leads to is recorded",
}


# --- The tests -----------------------------------------------------------------------------------


def verbs() -> set[str]:
    """Every public function of the services, the methods of what other services call, and every page of
    accounts/sign_in."""
    found = {"idle", "ended by the provider", "logout"}
    found |= {str(url.name) for url in sign_in_urls.urlpatterns}
    for package in (accounts.services, oauthclients.services):
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(info.name)
            for name, thing in vars(module).items():
                if name.startswith("_") or getattr(thing, "__module__", None) != info.name:
                    continue
                if inspect.isfunction(inspect.unwrap(thing) if callable(thing) else thing):
                    found.add(f"{info.name}.{name}")
    return found | {
        f"oauthclients.services.role_changes.FollowedByClients.{name}" for name in ("changed", "uses")
    }


def test_every_verb_is_on_one_of_the_lists():
    known = RECORDED.keys() | SILENT.keys()
    assert verbs() - known == set(), (
        "show that it leaves its line (`leaves`), or say in SILENT why it has none"
    )
    assert known - verbs() == set()
    assert not RECORDED.keys() & SILENT.keys()
    assert all(SILENT.values())


def test_every_action_is_one_that_something_leaves():
    """A filter for what is never there would be a promise."""
    sources = [
        path.read_text()
        for app in ("accounts", "oauthclients", "config")
        for path in (settings.BASE_DIR / app).rglob("*.py")
        if path.name != "audit.py"
    ]
    named = set(re.findall(r"Action\.([A-Z_]+)", "\n".join(sources)))
    assert {action.name for action in Action} <= named


@pytest.mark.parametrize("name", RECORDED)
def test_calling_it_leaves_its_line(cast, name):
    actions, steps = RECORDED[name]
    running = steps(Scene(cast))
    next(running)
    before = set(AuditEvent.objects.values_list("id", flat=True))
    with pytest.raises(StopIteration):
        next(running)
    lines = list(AuditEvent.objects.exclude(id__in=before))
    assert sorted(line.action for line in lines) == sorted(map(str, actions))
    for line in lines:
        assert (line.actor_name, line.entity_type, line.entity_name) != ("", "", "")
        assert line.entity_type in audit.KINDS
        assert line.organization_id != cast.globex.id
        # What the page shows of it has a name.
        assert {*line.before, *line.after} <= audit_words.FIELDS.keys()


def test_what_an_assertion_is_refused_for_leaves_a_line(cast):
    app = SamlApp.at_acme(cast)
    assert app.asks(email="nobody@acme.example").status_code == 400
    line = AuditEvent.objects.filter(action=Action.APP_ASSERTION_REFUSED).get()
    assert {*line.before, *line.after} <= audit_words.FIELDS.keys()


def test_consents_are_kept(cast):
    """What the scenes call a consent is one."""
    assert Scene(cast).used().consent == Consent.objects.get()
