"""Setting up identity providers: who may, and what it changes for others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.actor import system
from accounts.errors import Conflict, InsufficientScope, Invalid, NotAllowed, NotFound
from accounts.models import AuditEvent, IdentityProvider, Organization, ProviderSession, User
from accounts.permissions import CATALOGUE
from accounts.rules.provider_spec import MOST_CERTIFICATES, ProviderSpec
from accounts.saml import service_provider
from accounts.services import identity_providers, people
from tests.saml import FAR_AHEAD, LONG_AGO, IdP, pair


def spec(**values) -> ProviderSpec:
    base = {
        "name": "Okta",
        "issuer": "https://okta.example/metadata",
        "target_url": "https://okta.example/sso",
        "certificates": (pair().certificate,),
    }
    return ProviderSpec(**{**base, **values})


@pytest.fixture
def provider(cast) -> IdentityProvider:
    return identity_providers.create(actor=cast.actor(cast.ada), spec=spec())


def change(actor, provider, version=None, **values) -> IdentityProvider:
    return identity_providers.change(
        actor=actor, provider_id=provider.id, version=version, spec=lambda was: replace(was, **values)
    )


def only(cast, *permissions: str):
    """Ben with these permissions everywhere, and no more."""
    cast.custom_role("Single sign-on", *permissions)
    cast.give(cast.ben, ("Single sign-on", None))
    return cast.actor(cast.ben)


@pytest.mark.parametrize(
    "values",
    [
        {"certificates": (pair().certificate, pair("rsa", "bens").certificate)},
        {"issuer": "https://ben.example"},
        {"audience": "https://ben.example"},
        {"relying_party_identifier": "https://ben.example"},
        {"email_attribute": "mail"},
        {"accept_bearer": True},
        {"target_url": "https://ben.example/sso"},
        {"logout_url": "https://ben.example/slo"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_what_widens_trust_takes_all_that_anybody_may_do(cast, provider, values):
    ben = only(cast, "sso:provider:add", "sso:provider:edit")
    with pytest.raises(NotAllowed) as refused:
        change(ben, provider, **values)
    assert refused.value.code == "missing.division.permissions"
    with pytest.raises(NotAllowed):
        identity_providers.create(actor=ben, spec=spec(name="Ben's", issuer="https://ben.example"))
    assert IdentityProvider.objects.get().version == 1
    assert change(cast.actor(cast.ada), provider, **values).version == 2


def test_what_does_not_takes_the_permission_alone(cast, provider):
    ben = only(cast, "sso:provider:edit")
    more = (pair().certificate, pair("rsa", "second").certificate)
    change(cast.actor(cast.ada), provider, certificates=more)
    for values in (
        {"name": "Renamed"},
        {"show_on_sign_in": False},
        {"sign_requests": True},
        {"force_authn": True},
        {"metadata_url": "https://okta.example/metadata"},
        {"certificates": more[:1]},
        {"enabled": False},
    ):
        change(ben, provider, **values)
    for values in ({"enabled": True}, {"force_authn": False}):
        with pytest.raises(NotAllowed):
            change(ben, provider, **values)


def test_all_permissions_in_one_division_are_not_all_of_them(cast, provider):
    cast.custom_role("All", *CATALOGUE)
    cast.give(cast.ben, ("All", cast.home))
    with pytest.raises(NotAllowed):
        change(cast.actor(cast.ben), provider, issuer="https://ben.example")
    cast.give(cast.ben, ("All", None))  # not Ada's role, but all that it allows
    assert change(cast.actor(cast.ben), provider, issuer="https://ben.example")


def test_only_who_is_active_counts_as_somebody_to_become(cast, provider):
    ben = only(cast, "sso:provider:edit", "directory:userProfile:view")
    people.change(actor=system(cast.acme), user_id=cast.ada.id, version=1, values={"state": "inactive"})
    assert change(ben, provider, issuer="https://ben.example")


def test_an_app_needs_the_scope_about_rights_as_well(cast, provider):
    ada = cast.actor(cast.ada)
    with pytest.raises(InsufficientScope):
        change(replace(ada, scopes=frozenset({"identity-providers"})), provider, accept_bearer=True)
    both = frozenset({"identity-providers", "authorization"})
    assert change(replace(ada, scopes=both), provider, accept_bearer=True)


@pytest.mark.parametrize("verb", ["add", "edit", "delete"])
def test_each_verb_takes_its_permission(cast, provider, verb):
    others = {"add", "edit", "delete", "view"} - {verb}
    ben = only(cast, *(f"sso:provider:{other}" for other in others))
    does = {
        "add": lambda: identity_providers.create(actor=ben, spec=spec(name="x", issuer="x")),
        "edit": lambda: change(ben, provider, name="x"),
        "delete": lambda: identity_providers.delete(actor=ben, provider_id=provider.id),
    }
    with pytest.raises(NotAllowed) as refused:
        does[verb]()
    assert refused.value.missing == (f"sso:provider:{verb}",)


def test_another_organizations_is_not_there(cast, provider):
    cleo = cast.actor(cast.cleo)
    with pytest.raises(NotFound):
        change(cleo, provider, name="Mine")
    with pytest.raises(NotFound):
        identity_providers.delete(actor=cleo, provider_id=provider.id)
    assert identity_providers.create(actor=cleo, spec=spec())  # the same issuer, elsewhere


def test_nobody_takes_the_name_of_another_organization(cast, provider):
    cleo = cast.actor(cast.cleo)
    acme = service_provider.audience(provider)
    for values in ({"audience": acme}, {"relying_party_identifier": acme}, {"audience": acme.upper()}):
        with pytest.raises(Invalid):
            identity_providers.create(actor=cleo, spec=spec(**values))
    change(cast.actor(cast.ada), provider, audience="https://acme.example/own")
    with pytest.raises(Invalid):
        identity_providers.create(actor=cleo, spec=spec(audience="https://acme.example/own"))
    mine = identity_providers.create(actor=cleo, spec=spec())
    with pytest.raises(Invalid):
        change(cleo, mine, relying_party_identifier=acme)
    own = service_provider.default_entity_id(cast.globex)
    assert change(cleo, mine, relying_party_identifier=own)


def test_names_and_issuers_are_taken_once(cast, provider):
    ada = cast.actor(cast.ada)
    for values in ({"name": "OKTA", "issuer": "https://x"}, {"name": "Other"}):
        with pytest.raises(Conflict):
            identity_providers.create(actor=ada, spec=spec(**values))
    identity_providers.create(actor=ada, spec=spec(name="A", issuer="https://a", slot="okta"))
    with pytest.raises(Conflict):
        identity_providers.create(actor=ada, spec=spec(name="B", issuer="https://b", slot="okta"))


def test_a_stale_version_changes_nothing(cast, provider):
    ada = cast.actor(cast.ada)
    change(ada, provider, version=1, name="First")
    with pytest.raises(Conflict):
        change(ada, provider, version=1, name="Second")
    assert IdentityProvider.objects.get().name == "First"
    assert change(ada, provider, version=2).version == 2  # nothing changed, nothing counted


ENDED = pair("rsa", "ended").valid(LONG_AGO, LONG_AGO.replace(year=2021)).certificate


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"issuer": ""}, "issuerURI"),
        ({"issuer": "with space"}, "issuerURI"),
        ({"issuer": "x" * 1025}, "issuerURI"),
        ({"target_url": ""}, "ssoTargetURI"),
        ({"target_url": "http://okta.example/sso"}, "ssoTargetURI"),
        ({"target_url": "javascript:alert(1)"}, "ssoTargetURI"),
        ({"target_url": "https://user:pass@okta.example"}, "ssoTargetURI"),
        ({"target_url": "https://*.example/"}, "ssoTargetURI"),
        ({"logout_url": "ftp://okta.example"}, "sloURI"),
        ({"target_binding": "SOAP"}, "ssoBinding"),
        ({"name_id_format": "nothing"}, "nameIdentifierFormat"),
        ({"certificates": ()}, "certificates"),
        ({"certificates": ("nonsense",)}, "certificates"),
        ({"certificates": (ENDED,)}, "certificates"),
        (
            {
                "certificates": tuple(
                    pair("rsa", "x").valid(LONG_AGO, FAR_AHEAD).certificate for _ in range(6)
                )
            },
            "certificates",
        ),
        ({"email_attribute": "a\x00b"}, "emailAttribute"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_wrong_value_is_said_in_its_field(cast, values, field):
    with pytest.raises(Invalid) as refused:
        identity_providers.create(actor=cast.actor(cast.ada), spec=spec(**values))
    assert {problem.field for problem in refused.value.problems} == {field}
    assert not IdentityProvider.objects.exists()


def test_all_that_is_wrong_is_said_at_once(cast):
    with pytest.raises(Invalid) as refused:
        identity_providers.create(
            actor=cast.actor(cast.ada), spec=ProviderSpec(name="", issuer="", target_url="")
        )
    fields = {problem.field for problem in refused.value.problems}
    assert fields == {"name", "issuerURI", "ssoTargetURI", "certificates"}


def test_a_certificate_that_has_ended_since_does_not_stand_in_the_way(cast, provider):
    IdentityProvider.objects.update(certificates=[ENDED])
    assert change(cast.actor(cast.ada), provider, name="Renamed").certificates == [ENDED]
    assert MOST_CERTIFICATES == 5


def test_an_edit_of_one_field_keeps_every_other(cast, provider):
    before = IdentityProvider.objects.values().get()
    change(cast.actor(cast.ada), provider, name="Renamed")
    after = IdentityProvider.objects.values().get()
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"name", "version", "modified_at"}
    line = AuditEvent.objects.get(action="identityProvider.edited")
    assert (line.before, line.after) == ({"name": "Okta"}, {"name": "Renamed"})


@pytest.mark.parametrize("how", ["off", "deleted"])
def test_switching_it_off_ends_what_began_there_but_for_ones_own(cast, provider, how):
    ada = cast.actor(cast.ada)
    for key, person in (("eves", cast.eve), ("adas", cast.ada)):
        Session.objects.create(session_key=key, session_data="", expire_date=FAR_AHEAD)
        ProviderSession.objects.create(key=key, provider=provider, person=person, subject="x")
    Session.objects.create(session_key="another", session_data="", expire_date=FAR_AHEAD)
    if how == "off":
        change(ada, provider, enabled=False)
    else:
        identity_providers.delete(actor=ada, provider_id=provider.id)
    assert {row.session_key for row in Session.objects.all()} == {"adas", "another"}
    assert AuditEvent.objects.latest("at").after["sessionsEnded"] == 1


# --- Only SSO ------------------------------------------------------------------------------------


def test_only_sso_needs_a_provider_that_works(cast):
    ada = cast.actor(cast.ada)
    with pytest.raises(Invalid):
        identity_providers.set_only_sso(actor=ada, enabled=True)
    provider = IdP().provider(cast.acme)
    IdentityProvider.objects.update(certificates=[ENDED])
    with pytest.raises(Invalid):
        identity_providers.set_only_sso(actor=ada, enabled=True)
    IdentityProvider.objects.filter(id=provider.id).update(certificates=[pair().certificate])
    organization = identity_providers.set_only_sso(actor=ada, enabled=True)
    assert organization.only_sso
    assert organization.password_keeper_id == cast.ada.id
    line = AuditEvent.objects.get(action="organization.ssoOnly")
    assert line.after == {"onlySingleSignOn": True, "passwordKeeper": "Ada"}


@pytest.mark.parametrize("who", ["eve", "cleo", "nobody", "inactive", "without a password"])
def test_the_keeper_is_an_active_administrator_with_a_password(cast, provider, who):
    keeper = cast.person("Kim", cast.home)
    cast.give(keeper, ("Admin", None))
    match who:
        case "eve" | "cleo":
            id = getattr(cast, who).id
        case "nobody":
            id = "nonsense"
        case "inactive":
            people.change(
                actor=system(cast.acme), user_id=keeper.id, version=1, values={"state": "inactive"}
            )
            id = keeper.id
        case _:
            User.objects.filter(id=keeper.id).update(password="!")
            id = keeper.id
    with pytest.raises(Invalid) as refused:
        identity_providers.set_only_sso(actor=cast.actor(cast.ada), enabled=True, keeper_id=id)
    assert refused.value.problems[0].field == "passwordKeeper"
    assert not Organization.objects.get(id=cast.acme.id).only_sso


def test_meanwhile_neither_the_keeper_nor_the_last_provider_can_go(cast, provider):
    ada = cast.actor(cast.ada)
    identity_providers.set_only_sso(actor=ada, enabled=True)
    with pytest.raises(Conflict):
        change(ada, provider, enabled=False)
    with pytest.raises(Conflict):
        identity_providers.delete(actor=ada, provider_id=provider.id)
    version = User.objects.get(id=cast.ada.id).version
    with pytest.raises(Conflict):
        people.change(
            actor=system(cast.acme), user_id=cast.ada.id, version=version, values={"state": "inactive"}
        )
    with pytest.raises(Conflict):
        people.delete(actor=system(cast.acme), user_id=cast.ada.id)
    assert IdentityProvider.objects.get().enabled
    identity_providers.set_only_sso(actor=ada, enabled=False)
    people.delete(actor=system(cast.acme), user_id=cast.ada.id)
    assert timezone.now() > provider.created_at


def test_it_takes_the_permission_to_edit(cast, provider):
    ben = only(cast, "sso:provider:view", "directory:organization:admin")
    with pytest.raises(NotAllowed):
        identity_providers.set_only_sso(actor=ben, enabled=True, keeper_id=cast.ada.id)
