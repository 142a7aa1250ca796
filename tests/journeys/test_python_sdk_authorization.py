"""The unmodified official Python SDK administers people, roles, divisions and groups on a running server: its
authorization, users and groups classes, as the vendor's own programs use them."""

from __future__ import annotations

import json
import secrets

import pytest
from PureCloudPlatformClientV2 import (
    AuthorizationApi,
    AuthzDivision,
    Contact,
    CreateUser,
    DomainOrganizationRole,
    DomainOrganizationRoleCreate,
    DomainOrganizationRoleUpdate,
    DomainPermissionPolicy,
    GroupCreate,
    GroupMembersUpdate,
    GroupsApi,
    GroupUpdate,
    OAuthApi,
    OAuthClientRequest,
    RoleDivision,
    RoleDivisionGrants,
    RoleDivisionPair,
    SubjectDivisions,
    UpdateUser,
    UserExternalIdentifier,
    UsersApi,
    UserState,
)
from PureCloudPlatformClientV2.api_client import ApiClient
from PureCloudPlatformClientV2.rest import ApiException

from tests.journeys.conftest import Served


@pytest.fixture
def sdk(served: Served) -> ApiClient:
    """Signed in as the demo's service, which may do everything."""
    client = ApiClient(host=served.base_url)
    demo = served.demo["clients"]["client_credentials"]
    client.get_client_credentials_token(demo["client_id"], demo["client_secret"])
    return client


@pytest.fixture
def authorization(sdk) -> AuthorizationApi:
    return AuthorizationApi(sdk)


@pytest.fixture
def users(sdk) -> UsersApi:
    return UsersApi(sdk)


def made(kind: type, **values: object) -> object:
    body = kind()
    for name, value in values.items():
        setattr(body, name, value)
    return body


def called(name: str) -> str:
    """A name of this run's own: the server is shared."""
    return f"{name} {secrets.token_hex(4)}"


def policy(domain: str, entity: str, *actions: str) -> DomainPermissionPolicy:
    return made(DomainPermissionPolicy, domain=domain, entity_name=entity, action_set=list(actions))


def pair(role: str, division: str) -> RoleDivisionPair:
    return made(RoleDivisionPair, role_id=role, division_id=division)


def bulk(*pairs: RoleDivisionPair) -> RoleDivisionGrants:
    return made(RoleDivisionGrants, grants=list(pairs))


def refused(call, status: int, code: str) -> None:
    with pytest.raises(ApiException) as caught:
        call()
    assert (caught.value.status, json.loads(caught.value.body)["code"]) == (status, code)


@pytest.fixture
def role(authorization):
    """A role that may see people, and that the service may give, since it may do that itself."""
    body = made(
        DomainOrganizationRoleCreate,
        name=called("Night shift"),
        description="At night",
        permission_policies=[policy("directory", "user", "view")],
    )
    return authorization.post_authorization_roles(body)


@pytest.fixture
def division(authorization):
    return authorization.post_authorization_divisions(
        made(AuthzDivision, name=called("North"), description="Up there")
    )


@pytest.fixture
def person(users):
    body = made(
        CreateUser,
        name="Dan",
        email=f"dan.{secrets.token_hex(4)}@acme.example",
        state="active",
        addresses=[made(Contact, address="+1 317 555 0100", media_type="PHONE", type="WORK")],
    )
    return users.post_users(body)


def held(authorization, subject_id: str) -> set[tuple[str, str]]:
    grants = authorization.get_authorization_subject(subject_id).grants
    return {(grant.role.id, grant.division.id) for grant in grants}


def test_a_role_is_made_changed_compared_and_deleted(authorization, role):
    assert (role.description, role.user_count, role.default) == ("At night", 0, False)
    assert [one.action_set for one in role.permission_policies] == [["view"]]
    body = made(DomainOrganizationRoleUpdate, name=role.name, description="Later")
    changed = authorization.put_authorization_role(role.id, body)
    assert changed.description == "Later"
    assert [one.entity_name for one in changed.permission_policies] == ["user"]
    assert authorization.patch_authorization_role(role.id, body).description == "Later"
    default = next(
        one
        for one in authorization.get_authorization_roles(page_size=100).entities
        if one.default_role_id == "supervisor"
    )
    difference = authorization.get_authorization_role_comparedefault_right_role_id(role.id, default.id)
    assert [one.domain for one in difference.same_permission_policies] == ["directory"]
    assert difference.role_from_default.name == "Supervisor"
    unsaved = made(
        DomainOrganizationRole, name="X", permission_policies=[policy("oauth", "client", "view")]
    )
    compared = authorization.post_authorization_role_comparedefault_right_role_id(
        role.id, default.id, unsaved
    )
    assert [one.domain for one in compared.added_permission_policies] == ["oauth"]
    authorization.delete_authorization_role(role.id)
    refused(lambda: authorization.get_authorization_role(role.id), 404, "not.found")


def test_a_role_is_given_to_a_person_in_divisions_and_taken_again(authorization, role, division, person):
    home = authorization.get_authorization_divisions_home().id
    authorization.post_authorization_subject_division_role(person.id, division.id, role.id)
    assert held(authorization, person.id) == {(role.id, division.id)}
    authorization.post_authorization_subject_bulkadd(person.id, bulk(pair(role.id, home)))
    assert held(authorization, person.id) == {(role.id, division.id), (role.id, home)}
    listed = authorization.get_authorization_division_grants(division.id).entities
    assert [(one.subject_id, one.role.name) for one in listed] == [(person.id, role.name)]
    holders = authorization.get_authorization_role_subjectgrants(role.id).entities
    assert [(one.id, one.name, len(one.divisions)) for one in holders] == [(person.id, "Dan", 2)]
    assert [one.id for one in authorization.get_authorization_role_users(role.id).entities] == [person.id]
    assert authorization.get_authorization_subjects_rolecounts(id=[person.id]) == {person.id: 1}
    with pytest.warns(DeprecationWarning, match="paged_subject_id"):
        permitted = authorization.get_authorization_divisionspermitted_paged_subject_id(
            person.id, "directory:user:view"
        )
    assert permitted.total == 2

    authorization.post_authorization_subject_bulkreplace(
        person.id, bulk(pair(role.id, "*")), subject_type="PC_USER"
    )
    assert held(authorization, person.id) == {(role.id, "*")}
    authorization.post_authorization_subject_bulkremove(person.id, bulk(pair(role.id, "*")))
    assert held(authorization, person.id) == set()
    authorization.post_authorization_subject_division_role(person.id, "*", role.id)
    authorization.delete_authorization_subject_division_role(person.id, "*", role.id)
    assert held(authorization, person.id) == set()


def test_a_role_is_given_from_its_own_side(authorization, users, role, division, person):
    assert authorization.put_authorization_role_users_add(role.id, [person.id]) == [person.id]
    body = made(SubjectDivisions, subject_ids=[person.id], division_ids=[division.id])
    authorization.post_authorization_role(role.id, body)
    home = authorization.get_authorization_divisions_home().id
    assert held(authorization, person.id) == {(role.id, home), (role.id, division.id)}
    assert [one.name for one in authorization.get_user_roles(person.id).roles] == [role.name]
    assert authorization.put_authorization_role_users_remove(role.id, [person.id]) == [person.id]
    assert held(authorization, person.id) == set()
    put = authorization.put_user_roles(person.id, [role.id])
    assert (put.permissions, [one.id for one in put.roles]) == (["directory:user:view"], [role.id])
    expanded = users.get_user(person.id, expand=["authorization"])
    assert expanded.authorization.permissions == ["directory:user:view"]


def test_a_client_gets_roles_as_a_person_does(authorization, sdk, division):
    supervisor = authorization.get_authorization_roles(name="Supervisor").entities[0]
    request = made(
        OAuthClientRequest,
        name=called("Robot"),
        authorized_grant_type="CLIENT-CREDENTIALS",
        role_divisions=[made(RoleDivision, role_id=supervisor.id, division_id=division.id)],
    )
    client = OAuthApi(sdk).post_oauth_clients(request)
    authorization.post_authorization_subject_bulkadd(
        client.id, bulk(pair(supervisor.id, "*")), subject_type="PC_OAUTH_CLIENT"
    )
    authorization.delete_authorization_subject_division_role(client.id, division.id, supervisor.id)
    pairs = OAuthApi(sdk).get_oauth_client(client.id).role_divisions
    assert [(one.role_id, one.division_id) for one in pairs] == [(supervisor.id, "*")]


def test_default_roles_are_restored_by_force_and_custom_ones_left_alone(authorization, role):
    found = authorization.get_authorization_roles(page_size=100).entities
    viewer = next(one for one in found if one.default_role_id == "user")
    shipped = {action for one in viewer.permission_policies for action in one.action_set}
    less = made(DomainOrganizationRoleUpdate, name=viewer.name, permission_policies=[])
    assert authorization.put_authorization_role(viewer.id, less).permission_policies == []

    def actions() -> set[str]:
        policies = authorization.get_authorization_role(viewer.id).permission_policies
        return {action for one in policies for action in one.action_set}

    authorization.post_authorization_roles_default()
    assert actions() == set()
    restored = authorization.post_authorization_roles_default(force=True)
    assert {"admin", "scimIntegration", "user"} <= {one.default_role_id for one in restored.entities}
    assert actions() == shipped
    authorization.put_authorization_role(viewer.id, less)
    only = authorization.put_authorization_roles_default([made(DomainOrganizationRole, id=viewer.id)])
    assert [one.id for one in only.entities] == [viewer.id]
    assert actions() == shipped
    assert authorization.get_authorization_role(role.id).permission_policies[0].domain == "directory"


def test_a_division_is_renamed_filled_deleted_and_restored(authorization, users, division, person):
    body = made(AuthzDivision, name=called("Nord"), description=division.description)
    renamed = authorization.put_authorization_division(division.id, body)
    assert (renamed.name, renamed.description) == (body.name, "Up there")
    authorization.post_authorization_division_object(division.id, "USER", [person.id])
    assert users.get_user(person.id).division.id == division.id
    counted = authorization.get_authorization_division(division.id, object_count=True)
    assert counted.object_counts == {"USER": 1}
    refused(lambda: authorization.delete_authorization_division(division.id), 409, "precondition.failure")
    authorization.delete_authorization_division(division.id, force=True)
    assert users.get_user(person.id).division.name == "Home"
    deleted = authorization.get_authorization_divisions_deleted(page_size=100).entities
    assert division.id in {one.id for one in deleted}
    restored = authorization.post_authorization_division_restore(division.id, made(AuthzDivision))
    assert restored.name == body.name
    page = authorization.get_authorization_divisions_query(page_size=1)
    assert len(page.entities) == 1
    assert page.next_uri.startswith("/api/v2/authorization/divisions/query?")


def test_a_person_is_invited_changed_and_switched_off(served, users, person):
    users.post_user_invite(person.id)
    refused(lambda: users.post_user_invite(person.id), 409, "general.conflict")
    users.post_user_invite(person.id, force=True)
    mails = [path for path in (served.state / "mail").iterdir() if person.email in path.read_text()]
    assert len(mails) == 2
    users.post_user_password(person.id, {"newPassword": "a long enough password"})

    body = made(UpdateUser, version=person.version, title="Agent", manager=person.id)
    refused(lambda: users.patch_user(person.id, body), 400, "invalid.value")  # nobody manages themselves
    body.manager = None
    changed = users.patch_user(person.id, body)
    assert (changed.title, changed.addresses[0].address) == ("Agent", "+1 317 555 0100")
    state = users.get_user_state(person.id)
    assert state.state == "active"
    state = users.put_user_state(person.id, made(UserState, state="inactive", version=state.version))
    assert (state.state, state.version) == ("inactive", changed.version + 1)
    assert [one.id for one in users.get_users(id=[person.id], state="any").entities] == [person.id]
    assert users.get_users(id=[person.id]).entities == []


def test_a_person_is_found_by_the_id_of_another_system(users, person):
    key = f"CN={secrets.token_hex(4)}/OU=East"
    body = made(UserExternalIdentifier, authority_name="https://idp.example/saml", external_key=key)
    posted = users.post_user_externalid(person.id, body)
    assert [(one.authority_name, one.external_key) for one in posted] == [("https://idp.example/saml", key)]
    assert users.get_user_externalid(person.id)[0].external_key == key
    found = users.get_users_externalid_authority_name_external_key(
        "https://idp.example/saml", key, expand=["groups"]
    )
    assert (found.id, found.groups) == (person.id, [])
    users.delete_user_externalid_authority_name_external_key(person.id, "https://idp.example/saml", key)
    assert users.get_user_externalid(person.id) == []


def test_a_group_is_made_filled_emptied_and_deleted(sdk, users, person):
    groups = GroupsApi(sdk)
    body = made(GroupCreate, name=called("Crew"), type="official", rules_visible=True, visibility="public")
    group = groups.post_groups(body)
    assert (group.member_count, group.version, group.state) == (0, 1, "active")
    update = made(GroupMembersUpdate, member_ids=[person.id], version=group.version)
    groups.post_group_members(group.id, update)
    refused(lambda: groups.post_group_members(group.id, update), 409, "general.conflict")
    assert [one.name for one in groups.get_group_members(group.id).entities] == ["Dan"]
    assert groups.get_group_individuals(group.id).total == 1
    assert [one.id for one in users.get_user(person.id, expand=["groups"]).groups] == [group.id]
    read = groups.get_group(group.id)
    assert read.member_count == 1
    change = made(GroupUpdate, version=read.version, description="Everybody")
    changed = groups.put_group(group.id, body=change)
    assert (changed.name, changed.description) == (group.name, "Everybody")
    groups.delete_group_members(group.id, person.id)
    assert groups.get_group(group.id).member_count == 0
    assert group.id in {one.id for one in groups.get_groups(page_size=100).entities}
    groups.delete_group(group.id)
    refused(lambda: groups.get_group(group.id), 404, "not.found")
