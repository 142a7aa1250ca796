from __future__ import annotations

import pytest

from accounts.default_roles import DEFAULT_ROLES, SCIM_INTEGRATION
from accounts.errors import Problems
from accounts.permissions import expand
from oauthclients.rules.client_spec import ClientSpec, check_duration
from oauthclients.rules.token_life import is_scim_only, longest

SCIM = expand(SCIM_INTEGRATION.policies)
SUPERVISOR = expand(next(role for role in DEFAULT_ROLES if role.id == "supervisor").policies)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ([SCIM], True),
        ([SCIM, SCIM], True),  # a custom role with the same permissions beside it
        ([SCIM, SUPERVISOR], False),
        ([SCIM | {"oauth:client:view"}], False),
        ([SCIM - {"directory:user:add"}], False),
        ([], False),
    ],
)
def test_only_the_scim_permissions_and_nothing_else_make_a_scim_client(roles, expected):
    assert is_scim_only(roles) is expected


@pytest.mark.parametrize(
    ("seconds", "scim_only", "fine"),
    [
        (299, False, False),
        (300, False, True),
        (172_800, False, True),
        (172_801, False, False),
        (172_801, True, True),
        (38_880_000, True, True),
        (38_880_001, True, False),
        (-1, True, False),
    ],
)
def test_the_duration_has_its_bounds(seconds, scim_only, fine):
    problems = Problems()

    check_duration(
        ClientSpec("x", "client-credentials", token_seconds=seconds), problems, scim_only=scim_only
    )

    assert (not problems.found) is fine


def test_450_days_are_the_longest_there_is():
    assert longest(scim_only=True) == 450 * 24 * 60 * 60
