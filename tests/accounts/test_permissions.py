from __future__ import annotations

import pytest

from accounts.default_roles import DEFAULT_ROLES
from accounts.errors import Invalid
from accounts.permissions import CATALOGUE, Permission, check_policies, expand, label_of, policies_for


def test_every_permission_that_the_code_asks_for_is_in_the_catalogue():
    assert {str(permission) for permission in Permission} <= CATALOGUE.keys()


def test_a_wildcard_stands_for_all_entities_of_its_domain_and_for_no_other_domain():
    expanded = expand([{"domain": "oauth", "entityName": "*", "actionSet": ["*"]}])

    assert expanded == {name for name in CATALOGUE if name.startswith("oauth:")}


def test_a_policy_for_something_unknown_gives_nothing():
    assert expand([{"domain": "oauth", "entityName": "moon", "actionSet": ["*"]}]) == frozenset()
    assert expand([{"domain": "*", "entityName": "*", "actionSet": ["*"]}]) == frozenset()


def test_policies_stand_for_exactly_the_permissions_they_were_made_from():
    chosen = {"oauth:client:view", "oauth:client:add", "directory:user:view"}

    assert expand(policies_for(chosen)) == chosen


@pytest.mark.parametrize(
    "policy", [{}, {"domain": "oauth"}, {"domain": "x", "entityName": "y", "actionSet": []}]
)
def test_a_policy_that_names_nothing_is_refused_with_its_number(policy):
    with pytest.raises(Invalid) as refused:
        check_policies([*policies_for(["oauth:client:view"]), policy])

    assert [problem.line for problem in refused.value.problems] == [2]


def test_a_permission_reads_as_people_know_it():
    assert label_of("oauth:client:view") == "OAuth > Client > View"
    assert label_of("authorization:orgTrusteeUser:add") == "Authorization > Org Trustee User > Add"


def test_admin_holds_every_permission_and_employee_none_of_the_console():
    by_id = {role.id: expand(role.policies) for role in DEFAULT_ROLES}

    assert by_id["admin"] == CATALOGUE.keys()
    assert not {name for name in by_id["employee"] if name.startswith("oauth:")}
    assert {"admin", "employee", "supervisor", "developer", "scimIntegration", "salesforce"} <= by_id.keys()
