"""Whatever JSON is sent, the answer is one of those documented, and never a 500."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Group, IdentityProvider
from tests.saml import IdP

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["*", "active", "inactive", "CODE", "CLIENT-CREDENTIALS", "SAML2-BEARER", "EXACT"])
    | st.sampled_from(["https://idp.example/", "HTTP Post", "MIIB", "-----BEGIN CERTIFICATE-----"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.fixed_dictionaries({"roleId": inner, "divisionId": inner})
        | st.fixed_dictionaries({"type": st.just("TERM"), "fields": st.just(["name"]), "value": inner})
        | st.fixed_dictionaries({"domain": inner, "entityName": inner, "actionSet": inner})
        | st.fixed_dictionaries({"address": inner, "mediaType": st.just("PHONE"), "type": st.just("WORK")})
    ),
    max_leaves=6,
)
CLIENT = [
    "name",
    "description",
    "authorizedGrantType",
    "accessTokenValiditySeconds",
    "registeredRedirectUri",
    "scope",
    "roleDivisions",
    "roleIds",
    "state",
    "dateToDelete",
]
PERSON = [
    "name",
    "email",
    "divisionId",
    "title",
    "department",
    "password",
    "state",
    "version",
    "addresses",
    "manager",
    "employerInfo",
]
ROLE = ["name", "description", "permissionPolicies", "permissions", "roleNeedsUpdate"]
PROVIDER = [
    "name",
    "disabled",
    "issuerURI",
    "ssoTargetURI",
    "ssoBinding",
    "sloURI",
    "sloBinding",
    "relyingPartyIdentifier",
    "audience",
    "certificate",
    "certificates",
    "nameIdentifierFormat",
    "emailAttribute",
    "signAuthnRequests",
    "forceAuthn",
    "displayOnLogin",
    "acceptForBearerGrant",
    "metadataURL",
    "version",
]
SEARCH = ["query", "pageSize", "pageNumber", "sortBy", "sortOrder", "expand"]

many = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def objects(names: list[str]):
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, VALUES)) | VALUES


@pytest.fixture
def admin(api):
    return api(("Admin", None), name="Admin caller")


@many
@given(body=objects(CLIENT))
def test_as_a_client(admin, body):
    assert admin.post("/oauth/clients", body).status_code in (200, 400)
    assert admin.put(f"/oauth/clients/{admin.client.id}", body).status_code in (200, 400)


@many
@given(body=objects(PERSON))
def test_as_a_person(admin, cast, body):
    assert admin.post("/users", body).status_code in (200, 400, 409)
    assert admin.patch(f"/users/{cast.eve.id}", body).status_code in (200, 400, 409)


@many
@given(body=objects(PROVIDER))
def test_as_an_identity_provider(admin, cast, body):
    row = IdentityProvider.objects.first() or IdP().provider(cast.acme)
    assert admin.post("/identityproviders", body).status_code in (200, 400, 409)
    assert admin.put(f"/identityproviders/{row.id}", body).status_code in (200, 400, 409)
    assert admin.put("/identityproviders/okta", body).status_code in (200, 400, 409)


@many
@given(body=objects(["disabled", "passwordKeeper"]))
def test_as_signing_in_with_a_password(admin, body):
    assert admin.put("/identityproviders/purecloud", body).status_code in (200, 400)


@many
@given(body=objects(SEARCH))
def test_as_a_search(admin, body):
    assert admin.post("/users/search", body).status_code in (200, 400)


@many
@given(body=objects(ROLE))
def test_as_a_role(admin, cast, body):
    role, shipped = cast.role("Client Manager").id, cast.role("Supervisor").id
    assert admin.post("/authorization/roles", body).status_code in (200, 400, 409)
    assert admin.put(f"/authorization/roles/{role}", body).status_code in (200, 400, 409)
    assert admin.patch(f"/authorization/roles/{role}", body).status_code in (200, 400)
    compared = admin.post(f"/authorization/roles/{role}/comparedefault/{shipped}", body)
    assert compared.status_code in (200, 400)
    assert admin.put("/authorization/roles/default", body).status_code in (200, 400, 404)


@many
@given(body=objects(["name", "description"]))
def test_as_a_division(admin, cast, body):
    assert admin.post("/authorization/divisions", body).status_code in (200, 400, 409)
    assert admin.put(f"/authorization/divisions/{cast.west.id}", body).status_code in (200, 400, 409)
    moved = admin.post(f"/authorization/divisions/{cast.west.id}/objects/USER", body)
    assert moved.status_code in (204, 400, 404)


@many
@given(body=objects(["grants", "subjectIds", "divisionIds"]))
def test_as_grants(admin, cast, body):
    for verb in ("bulkadd", "bulkremove", "bulkreplace"):
        path = f"/authorization/subjects/{cast.eve.id}/{verb}"
        assert admin.post(path, body).status_code in (204, 400)
    role = cast.role("Employee").id
    assert admin.post(f"/authorization/roles/{role}", body).status_code in (204, 400, 404)
    for verb in ("add", "remove"):
        path = f"/authorization/roles/{role}/users/{verb}"
        assert admin.put(path, body).status_code in (200, 400, 404)
    assert admin.put(f"/users/{cast.eve.id}/roles", body).status_code in (200, 400)


@many
@given(body=objects(["name", "description", "version", "memberIds"]))
def test_as_a_group(admin, cast, body):
    group, _new = Group.objects.get_or_create(organization=cast.acme, name="Crew")
    assert admin.post("/groups", body).status_code in (200, 400, 409)
    assert admin.put(f"/groups/{group.id}", body).status_code in (200, 400, 409)
    assert admin.post(f"/groups/{group.id}/members", body).status_code in (200, 400, 409)


@many
@given(body=objects(["state", "version", "newPassword", "authorityName", "externalKey"]))
def test_as_something_about_a_person(admin, cast, body):
    path = f"/users/{cast.eve.id}"
    assert admin.put(f"{path}/state", body).status_code in (200, 400, 409)
    assert admin.post(f"{path}/password", body).status_code in (204, 400)
    assert admin.post(f"{path}/externalid", body).status_code in (200, 400, 409)
