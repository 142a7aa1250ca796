"""SCIM clients that others wrote, against the product as `make run` starts it: scim2-tester's checks,
scim2-client, and the unmodified official Python SDK."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

import pytest
import requests
from PureCloudPlatformClientV2 import (
    SCIMApi,
    ScimEmail,
    ScimPhoneNumber,
    ScimUserExtensions,
    ScimUserRole,
    ScimUserRoutingSkill,
    ScimV2CreateUser,
    ScimV2EnterpriseUser,
    ScimV2PatchOperation,
    ScimV2PatchRequest,
)
from PureCloudPlatformClientV2.api_client import ApiClient
from PureCloudPlatformClientV2.rest import ApiException
from scim2_client.client import BaseSyncSCIMClient
from scim2_models import PatchOp, SCIMException, SearchRequest
from scim2_tester import Status, check_server, filling

from tests.journeys.conftest import Served
from tests.scim import ENTERPRISE, GENESYS


class OverRequests(BaseSyncSCIMClient):
    """scim2-client over `requests`."""

    def __init__(self, base_url: str, token: str) -> None:
        super().__init__()
        self.base_url = base_url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        return self.session.request(method, self.base_url + url, **kwargs)


@pytest.fixture
def sdk(served: Served) -> ApiClient:
    """Signed in as the demo's SCIM client, which has the role SCIM Integration everywhere."""
    client = ApiClient(host=served.base_url)
    demo = served.demo["clients"]["scim"]
    client.get_client_credentials_token(demo["client_id"], demo["client_secret"])
    return client


@pytest.fixture
def scim(served: Served, sdk: ApiClient) -> OverRequests:
    client = OverRequests(f"{served.base_url}/api/v2/scim/v2", sdk.access_token)
    client.discover()
    return client


def an_email() -> str:
    return f"{secrets.token_hex(6)}@acme.example"


# --- scim2-tester --------------------------------------------------------------------------------

# What it does not find as it sent it, and why (docs/scim.md).
ANOTHER = {
    "search_with_attributes": "there is no /.search",
    "name": "formatted stays: it is the shown name",
    "active": "a person is active or not",
    "emails": "that of type work stays: it is the userName",
    f"{ENTERPRISE}:division": "a person always sits in one",
    # Whatever is compared as a whole has parts that were not sent.
    f"{ENTERPRISE}:manager": "the address and the shown name are there as well",
    ENTERPRISE: "the manager",
    GENESYS: "the attribute that the extension had before",
    # The check of the extension as a whole has added one before.
    f"{GENESYS}:routingSkills": "there are two now",
    f"{GENESYS}:routingLanguages": "there are two now",
    f"{GENESYS}:externalIds": "there are two now",
}


@pytest.fixture
def possible(served: Served, sdk: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks fill attributes with random letters. A schema cannot say that a division must be there, or
    that a proficiency is at most 5, so these get values that somebody could have meant."""
    manager = SCIMApi(sdk).get_scim_v2_users(filter='displayName eq "Ada"').resources[0].id
    by_attribute = {
        "user_name": an_email,
        "proficiency": lambda: 3.5,
        "division": lambda: "East",
        "date_hire": lambda: "2026-11-20",
    }
    by_model = {
        ("Manager", "value"): lambda: manager,
        ("Roles", "value"): lambda: "SCIM Integration",
        ("Roles", "primary"): lambda: True,
        ("Emails", "type"): lambda: "other",
    }
    known = filling.get_random_example_value

    def example(path: Any) -> Any:
        binding = path.resolve()
        if binding is None or binding.target_model is None:
            return known(path)
        name = binding.target_field_name
        made = by_model.get((binding.target_model.__name__, name)) or by_attribute.get(name)
        return made() if made else known(path)

    monkeypatch.setattr(filling, "get_random_example_value", example)


def test_every_check_of_the_discovery_endpoints_passes(served, sdk):
    client = OverRequests(f"{served.base_url}/api/v2/scim/v2", sdk.access_token)
    results = check_server(client, include_tags={"discovery"})
    assert sum(one.status == Status.SUCCESS for one in results) > 15
    assert [one.reason for one in results if one.status not in (Status.SUCCESS, Status.SKIPPED)] == []


def test_every_check_of_people_passes(served, sdk, possible):
    client = OverRequests(f"{served.base_url}/api/v2/scim/v2", sdk.access_token)
    results = check_server(client, resource_types=["User"])
    failed = [one for one in results if one.status not in (Status.SUCCESS, Status.SKIPPED)]
    assert {attribute_of(one) for one in failed} <= ANOTHER.keys(), failed
    succeeded = {attribute_of(one) for one in results if one.status == Status.SUCCESS}
    assert {"externalId", "title", "phoneNumbers", "roles"} <= succeeded


def attribute_of(result: Any) -> str:
    """The attribute in the reason for a result, of which there is one in quotes, if any."""
    found = re.search(r"'([^']+)'", result.reason or "")
    return found[1] if found else result.title


# --- scim2-client --------------------------------------------------------------------------------


def test_scim2_client_makes_finds_changes_and_deletes_a_person(scim):
    person = scim.get_resource_model("User")
    email = an_email()
    made = scim.create(person(user_name=email, display_name="Dan Doe", active=True))
    assert made.meta.location.endswith(made.id)

    found = scim.query(person, query_parameters=SearchRequest(filter=f'userName eq "{email.upper()}"'))
    assert (found.total_results, [one.id for one in found.resources]) == (1, [made.id])

    patch = PatchOp[person](
        operations=[
            {"op": "replace", "path": "active", "value": False},
            {"op": "add", "path": 'phoneNumbers[type eq "work"].value', "value": "+1 555 0100"},
        ]
    )
    with pytest.raises(SCIMException, match=r"noTarget|matches"):
        PatchOp[person](operations=[patch.operations[1]]).patch(made.model_copy(deep=True))
    changed = scim.modify(person, made.id, patch)
    assert (changed.active, changed.phone_numbers[0].value) == (False, "+1 555 0100")

    made = scim.query(person, made.id)
    made.title = "Director"
    assert scim.replace(made).title == "Director"

    scim.delete(person, made.id)
    with pytest.raises(SCIMException) as gone:
        scim.query(person, made.id)
    assert gone.value.status == 404


def test_scim2_client_is_told_what_is_in_use(scim):
    person = scim.get_resource_model("User")
    one = person(user_name=an_email(), display_name="Twice")
    scim.create(one)
    with pytest.raises(SCIMException) as refused:
        scim.create(one)
    assert (refused.value.status, refused.value.scim_type) == (409, "uniqueness")


# --- The official Python SDK ----------------------------------------------------------------------


def operation(op: str, path: str | None, value: Any) -> ScimV2PatchOperation:
    made = ScimV2PatchOperation()
    made.op, made.path, made.value = op, path, value
    return made


def patch_of(*operations: ScimV2PatchOperation) -> ScimV2PatchRequest:
    made = ScimV2PatchRequest()
    made.schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
    made.operations = list(operations)
    return made


def new_person(email: str) -> ScimV2CreateUser:
    made = ScimV2CreateUser()
    made.schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"]
    made.user_name, made.display_name, made.title, made.active = email, "Dan Doe", "Agent", True
    other = ScimEmail()
    other.type, other.value = "other", an_email()
    made.emails = [other]
    phone = ScimPhoneNumber()
    phone.type, phone.value, phone.primary = "work", "tel:+15550100", True
    made.phone_numbers = [phone]
    role = ScimUserRole()
    role.value = "SCIM Integration"
    made.roles = [role]
    company = ScimV2EnterpriseUser()
    company.division, company.department, company.employee_number = "East", "Sales", "7"
    made.urnietfparamsscimschemasextensionenterprise2_0_user = company
    skill = ScimUserRoutingSkill()
    skill.name, skill.proficiency = "Billing", 4.5
    vendor = ScimUserExtensions()
    vendor.routing_skills = [skill]
    made.urnietfparamsscimschemasextensiongenesyspurecloud2_0_user = vendor
    return made


def test_the_official_sdk_creates_patches_lists_deactivates_and_deletes(sdk):
    scim, email = SCIMApi(sdk), an_email()
    made = scim.post_scim_v2_users(new_person(email))
    company = made.urnietfparamsscimschemasextensionenterprise2_0_user
    vendor = made.urnietfparamsscimschemasextensiongenesyspurecloud2_0_user
    assert (made.user_name, made.active, made.roles[0].value) == (email, True, "SCIM Integration")
    assert (company.division, company.employee_number) == ("East", "7")
    assert (vendor.routing_skills[0].name, vendor.routing_skills[0].proficiency) == ("Billing", 4.5)
    assert (made.phone_numbers[0].value, made.meta.resource_type) == ("tel:+15550100", "User")

    changed = scim.patch_scim_v2_user(
        made.id,
        patch_of(operation("replace", "title", "Director"), operation("remove", "phoneNumbers", None)),
    )
    assert (changed.title, changed.phone_numbers) == ("Director", None)

    listed = scim.get_scim_v2_users(filter=f'userName eq "{email}"', attributes=["userName", "active"])
    assert (listed.total_results, listed.resources[0].id) == (1, made.id)
    assert listed.resources[0].title is None

    changed.active = False
    changed.meta = None
    assert scim.put_scim_v2_user(made.id, changed).active is False
    scim.delete_scim_v2_user(made.id)
    with pytest.raises(ApiException) as gone:
        scim.get_scim_user(made.id)
    assert gone.value.status == 404
    assert json.loads(gone.value.body)["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]

    again = scim.post_scim_users(new_person(email))
    assert (again.id, again.active) == (made.id, True)


def test_the_official_sdk_reads_what_the_service_can_do(sdk):
    scim = SCIMApi(sdk)
    config = scim.get_scim_v2_serviceproviderconfig()
    assert (config.patch.supported, config.bulk.supported, config.filter.max_results) == (True, False, 500)
    types = scim.get_scim_v2_resourcetypes()
    assert [one.name for one in types.resources] == ["User", "Group"]
    assert scim.get_scim_v2_resourcetype("User").schema == "urn:ietf:params:scim:schemas:core:2.0:User"
    schemas = scim.get_scim_v2_schemas()
    assert schemas.total_results == 4
    assert {one.name for one in scim.get_scim_v2_schema(schemas.resources[0].id).attributes} >= {"userName"}
    with pytest.raises(ApiException) as refused:
        scim.get_scim_v2_groups(filter="")
    assert json.loads(refused.value.body)["scimType"] == "invalidFilter"
    assert scim.get_scim_groups().total_results is not None


def test_the_official_sdk_is_refused_a_role_that_its_client_lacks(sdk):
    scim = SCIMApi(sdk)
    made = scim.post_scim_v2_users(new_person(an_email()))
    for role in ("Admin", "Supervisor"):
        with pytest.raises(ApiException) as refused:
            scim.patch_scim_v2_user(made.id, patch_of(operation("add", "roles", [{"value": role}])))
        body = json.loads(refused.value.body)
        assert (refused.value.status, body["status"]) == (403, "403")
        assert role in body["detail"]
