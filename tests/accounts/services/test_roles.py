"""Making, changing, deleting and restoring roles: nobody widens one beyond what they hold themselves."""

from __future__ import annotations

import pytest

from accounts import queries
from accounts.actor import system
from accounts.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from accounts.models import AuditEvent, Role
from accounts.permissions import expand, policies_for
from accounts.services import roles
from oauthclients.models import Client
from oauthclients.rules import token_life

SCIM_SECONDS = token_life.LONGEST_SCIM


@pytest.fixture
def editor(cast):
    """Dora edits roles; she supervises East, and nothing else."""
    cast.custom_role(
        "Role Editor",
        "authorization:role:add",
        "authorization:role:edit",
        "authorization:role:delete",
        "authorization:role:view",
    )
    dora = cast.person("Dora", cast.home)
    cast.give(dora, ("Role Editor", cast.home), ("Supervisor", cast.east))
    return cast.actor(dora)


def permissions_of(role):
    return expand(Role.objects.get(id=role.id).policies)


def test_a_custom_role_has_no_permission_that_its_maker_lacks(editor):
    with pytest.raises(NotAllowed) as refused:
        roles.create_custom(
            actor=editor, name="Mine", policies=policies_for(["directory:user:view", "oauth:client:view"])
        )

    assert refused.value.code == "missing.division.permissions"
    assert refused.value.missing == ("oauth:client:view",)
    assert not Role.objects.filter(name="Mine").exists()


def test_a_custom_role_of_what_its_maker_holds_is_made_and_recorded(editor, cast):
    role = roles.create_custom(
        actor=editor, name=" Look  up ", policies=policies_for(["directory:user:view"])
    )

    assert (role.name, role.organization) == ("Look up", cast.acme)
    line = AuditEvent.objects.get(action="role.created", entity_id=role.id)
    assert line.after["permissions"] == ["directory:user:view"]


def test_a_wildcard_takes_everything_that_it_stands_for(editor):
    wildcard = {"domain": "directory", "entityName": "*", "actionSet": ["*"]}
    with pytest.raises(NotAllowed) as refused:
        roles.create_custom(actor=editor, name="Mine", policies=[wildcard])
    assert "directory:organization:admin" in refused.value.missing


@pytest.mark.parametrize(
    "policy",
    [
        {"domain": "directory", "entityName": "user", "actionSet": ["view", "fly"]},
        {"domain": "directory", "entityName": "users", "actionSet": ["view"]},
        {"domain": "*", "entityName": "*", "actionSet": ["*"]},
        {"domain": "directory", "entityName": "user", "actionSet": []},
        {"domain": "directory", "entityName": "user", "actionSet": "view"},
        {"domain": ["directory"], "entityName": "user", "actionSet": ["view"]},
        {"domain": "directory", "entityName": "user", "actionSet": [{}]},
        {"entityName": "user", "actionSet": ["view"]},
        "directory:user:view",
        None,
    ],
)
def test_a_policy_that_names_anything_unknown_is_refused_as_a_whole(cast, policy):
    """It would give nothing today, and something on the day that the catalogue gets it."""
    with pytest.raises(Invalid) as refused:
        roles.create_custom(actor=cast.actor(cast.ada), name="Mine", policies=[policy])
    assert refused.value.problems[0].field == "permissionPolicies"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "general.bad.request"),
        ("x" * 201, "general.bad.request"),
        ("supervisor", "resource.already.exists"),
    ],
)
def test_a_role_needs_a_name_of_its_own(cast, name, code):
    with pytest.raises(DomainError) as refused:
        roles.create_custom(actor=cast.actor(cast.ada), name=name)
    assert refused.value.code == code


def test_a_role_is_widened_only_where_its_editor_holds_what_is_added(editor, cast):
    """Dora may see people in East. The role is held in West too, where she may not."""
    role = cast.custom_role("Greeter", "directory:userProfile:view")
    cast.give(cast.eve, ("Greeter", cast.east), ("Greeter", cast.west))
    wider = policies_for(["directory:userProfile:view", "directory:user:view"])

    with pytest.raises(NotAllowed) as refused:
        roles.change(actor=editor, role_id=role.id, policies=wider)

    assert refused.value.missing == ("directory:user:view",)
    assert "West" in refused.value.message
    cast.give(cast.eve, ("Greeter", cast.east))
    assert not roles.change(actor=editor, role_id=role.id, policies=wider).notices
    assert permissions_of(role) == {"directory:userProfile:view", "directory:user:view"}


def test_a_role_that_is_held_everywhere_takes_holding_it_everywhere(editor, cast):
    role = cast.custom_role("Greeter", "directory:userProfile:view")
    cast.give(cast.eve, ("Greeter", None))
    with pytest.raises(NotAllowed):
        roles.change(
            actor=editor,
            role_id=role.id,
            policies=policies_for(["directory:userProfile:view", "directory:user:view"]),
        )


def test_a_permission_that_is_not_held_may_stay_and_may_go(editor, cast):
    role = cast.custom_role("Clients", "oauth:client:view", "oauth:client:edit")
    roles.change(actor=editor, role_id=role.id, description="Looked at")
    roles.change(actor=editor, role_id=role.id, policies=policies_for(["oauth:client:view"]))
    assert permissions_of(role) == {"oauth:client:view"}
    with pytest.raises(NotAllowed):
        roles.change(
            actor=editor,
            role_id=role.id,
            policies=policies_for(["oauth:client:view", "oauth:client:edit"]),
        )


def test_a_change_in_between_is_not_overwritten(cast):
    ada = cast.actor(cast.ada)
    role = cast.custom_role("Greeter", "directory:userProfile:view")
    roles.change(actor=ada, role_id=role.id, description="First", version=1)
    with pytest.raises(Conflict):
        roles.change(actor=ada, role_id=role.id, name="Second", version=1)
    assert Role.objects.get(id=role.id).name == "Greeter"


def test_default_roles_keep_their_names_and_admin_its_permissions(cast):
    ada = cast.actor(cast.ada)
    with pytest.raises(Invalid):
        roles.change(actor=ada, role_id=cast.role("Supervisor").id, name="Boss")
    with pytest.raises(Invalid):
        roles.change(actor=ada, role_id=cast.role("Admin").id, policies=policies_for(["oauth:client:view"]))


def test_a_role_that_somebody_holds_is_not_deleted(cast):
    ada = cast.actor(cast.ada)
    role = cast.custom_role("Greeter", "directory:userProfile:view")
    cast.give(cast.eve, ("Greeter", cast.east))
    with pytest.raises(Conflict):
        roles.delete(actor=ada, role_id=role.id)
    cast.give(cast.eve)
    roles.delete(actor=ada, role_id=role.id)
    assert not Role.objects.filter(id=role.id).exists()
    assert AuditEvent.objects.filter(action="role.deleted", entity_id=role.id).exists()


@pytest.mark.parametrize("name", ["Admin", "Employee"])
def test_admin_and_employee_stay(cast, name):
    cast.role(name).grants.all().delete()
    with pytest.raises(Conflict):
        roles.delete(actor=system(cast.acme), role_id=cast.role(name).id)


def test_a_role_to_which_an_app_is_limited_is_not_deleted(cast):
    """Without the role nobody could use the app; without the limit, everybody could."""
    role = cast.custom_role("Greeter", "directory:userProfile:view")
    app = cast.app("users", by=cast.ada)
    app.client.authorizations.update(roles=[str(role.id)])
    with pytest.raises(Conflict, match="Web app"):
        roles.delete(actor=cast.actor(cast.ada), role_id=role.id)


def test_restoring_adds_what_is_missing_and_overwrites_only_when_told(cast):
    ada = cast.actor(cast.ada)
    cast.role("Developer").delete()
    Role.objects.filter(organization=cast.acme, name="User").update(policies=[], description="Ours")
    custom = cast.custom_role("Greeter", "directory:userProfile:view")

    rows, _notices = roles.restore_defaults(actor=ada)
    assert "Developer" in {role.name for role in rows}
    assert permissions_of(cast.role("User")) == set()

    roles.restore_defaults(actor=ada, force=True)
    assert all(roles.is_as_shipped(role) for role in queries.roles(cast.acme).exclude(default_role_id=""))
    assert permissions_of(custom) == {"directory:userProfile:view"}
    assert AuditEvent.objects.filter(action="role.restored", entity_name="User").count() == 1


def test_nobody_restores_a_role_to_more_than_they_hold(editor, cast):
    Role.objects.filter(organization=cast.acme, name="Developer").update(policies=[])
    with pytest.raises(NotAllowed):
        roles.restore_defaults(actor=editor, force=True)
    with pytest.raises(NotAllowed):
        roles.restore_default(actor=editor, role_ids=[cast.role("Developer").id])
    assert permissions_of(cast.role("Developer")) == set()


def test_only_default_roles_of_the_own_organization_are_restored(cast):
    ada = cast.actor(cast.ada)
    custom = cast.custom_role("Greeter", "directory:userProfile:view")
    for role in (custom, cast.role("Developer", cast.globex)):
        with pytest.raises(NotFound):
            roles.restore_default(actor=ada, role_ids=[role.id])


def test_another_organizations_role_does_not_exist(cast):
    ada, theirs = cast.actor(cast.ada), cast.role("Developer", cast.globex)
    with pytest.raises(NotFound):
        roles.change(actor=ada, role_id=theirs.id, description="Ours")
    with pytest.raises(NotFound):
        roles.delete(actor=ada, role_id=theirs.id)


# --- Clients with 450-day tokens -----------------------------------------------------------------


@pytest.fixture
def scim_client(cast):
    client, _secret = cast.client(("SCIM Integration", None), by=cast.ada, token_seconds=SCIM_SECONDS)
    return client


def seconds_of(client):
    return Client.objects.get(id=client.id).token_seconds


def test_a_permission_more_in_the_role_brings_a_long_duration_back(cast, scim_client):
    role = cast.role("SCIM Integration")
    wider = policies_for([*expand(role.policies), "directory:user:view"])

    changed = roles.change(actor=cast.actor(cast.ada), role_id=role.id, policies=wider)

    assert seconds_of(scim_client) == 86_400
    (notice,) = changed.notices
    assert "Billing sync" in notice
    assert "86,400" in notice
    line = AuditEvent.objects.get(action="client.edited", entity_id=scim_client.id)
    assert line.before["tokenSeconds"] == SCIM_SECONDS
    assert line.after["notices"]
    # The next version of the client, so that nobody saves over it what they saw before.
    assert Client.objects.get(id=scim_client.id).version == 2


def test_a_permission_less_does_as_well(cast, scim_client):
    role = cast.role("SCIM Integration")
    narrower = policies_for(expand(role.policies) - {"directory:group:edit"})
    assert roles.change(actor=cast.actor(cast.ada), role_id=role.id, policies=narrower).notices
    assert seconds_of(scim_client) == 86_400


def test_another_description_changes_no_duration(cast, scim_client):
    role = cast.role("SCIM Integration")
    changed = roles.change(actor=cast.actor(cast.ada), role_id=role.id, description="Ours")
    assert not changed.notices
    assert seconds_of(scim_client) == SCIM_SECONDS


def test_restoring_a_role_that_was_changed_follows_too(cast):
    """A custom role with the same permissions counts, until a default role is restored over it."""
    role = cast.role("User")
    scim = policies_for(expand(cast.role("SCIM Integration").policies))
    Role.objects.filter(id=role.id).update(policies=scim)
    cast.give(cast.ada, ("Admin", None), ("User", None))
    client, _secret = cast.client(("User", None), by=cast.ada, token_seconds=SCIM_SECONDS)

    _rows, notices = roles.restore_defaults(actor=cast.actor(cast.ada), force=True)

    assert notices
    assert seconds_of(client) == 86_400
