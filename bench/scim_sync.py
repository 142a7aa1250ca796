"""Does it take longer to keep people in step where there are many?

Builds two organizations, of 1,000 and of 50,000 people, and calls SCIM for both alternately in one run:
finding somebody by userName, creating, patching, deactivating. Prints the medians and their ratio (1.00 is
what we want); then reads all people of the large one by pages. Run with:

    .venv/bin/python -m bench.scim_sync [times] [people]
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

os.environ.setdefault("STATE_DIR", tempfile.mkdtemp(prefix="latchkey-bench-"))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["RATE_API_PER_TOKEN"] = "0"

SMALL = 1_000


def main(times: int, large: int) -> None:
    import django

    django.setup()
    logging.disable()
    from django.core.management import call_command
    from django.test.utils import override_settings

    call_command("migrate", verbosity=0)
    with override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False):
        callers = {size: Organization(size) for size in (SMALL, large)}
        spent: dict[str, dict[int, list[float]]] = {}
        for number in range(times + 10):
            for size, caller in callers.items():
                for step, seconds in caller.steps(number):
                    if number >= 10:  # the first ones warm up
                        spent.setdefault(step, {}).setdefault(size, []).append(seconds)
        print(f"{'':<12} {SMALL:>10,} {large:>10,}      ratio (medians of {times}, in ms)")
        for step, by_size in spent.items():
            few, many = (statistics.median(by_size[size]) * 1000 for size in (SMALL, large))
            print(f"{step:<12} {few:>10.2f} {many:>10.2f} {many / few:>10.2f}")
        callers[large].read_all()


class Organization:
    """People with what people have: names, numbers, roles, groups, IDs; and a SCIM client's token."""

    def __init__(self, size: int) -> None:
        from django.test import Client as Browser

        from accounts import queries
        from accounts.actor import system
        from accounts.rules.delegation import RoleDivision
        from accounts.services import organization
        from oauthclients.rules.client_spec import ClientSpec
        from oauthclients.services import clients
        from tests.cast import token_request

        self.name = f"Size {size}"
        made = organization.create(name=self.name)
        self.ids = people_of(made, queries.home_division(made), size)
        role = made.roles.get(default_role_id="scimIntegration")
        client, secret = clients.create(
            actor=system(made),
            spec=ClientSpec(
                name="SCIM",
                grant_type="client-credentials",
                role_divisions=(RoleDivision(role.id, None),),
            ),
        )
        self.browser = Browser()
        answer = token_request(self.browser, client.client_id, secret.reveal()).json()
        self.headers = {"Authorization": f"Bearer {answer['access_token']}"}
        self.short = made.short_name

    def call(self, method: str, path: str, body: Any = None, expected: int = 200) -> Any:
        response = self.browser.generic(
            method,
            f"/api/v2/scim/v2/users{path}",
            json.dumps(body).encode() if body else b"",
            content_type="application/scim+json",
            headers=self.headers,
        )
        assert response.status_code == expected, response.content
        return response.json()

    def steps(self, number: int) -> list[tuple[str, float]]:
        """Each step with its seconds."""
        email = f"new{number}-{uuid.uuid4().hex[:8]}@{self.short}.example"
        known = f"p{number * 7 % SMALL}@{self.short}.example"
        find = "?filter=" + quote(f'userName eq "{known}"')
        id = ""

        def create() -> None:
            nonlocal id
            body = {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": email,
                "name": {"givenName": "New", "familyName": "Person"},
                "phoneNumbers": [{"type": "work", "value": "+1 555 0100"}],
            }
            id = self.call("POST", "", body, 201)["id"]

        def patch(path: str, value: Any) -> Callable[[], Any]:
            return lambda: self.call(
                "PATCH", f"/{id}", {"Operations": [{"op": "Replace", "path": path, "value": value}]}
            )

        return [
            ("look up", timed(lambda: self.call("GET", find))),
            ("create", timed(create)),
            ("read", timed(lambda: self.call("GET", f"/{id}"))),
            ("patch", timed(patch("title", "Director"))),
            ("deactivate", timed(patch("active", "False"))),
        ]

    def read_all(self) -> None:
        started, seen, at = time.perf_counter(), set[str](), 1
        first = last = 0.0
        while True:
            began = time.perf_counter()
            page = self.call("GET", f"?count=500&startIndex={at}")
            last = time.perf_counter() - began
            first = first or last
            seen |= {one["id"] for one in page["Resources"]}
            at += 500
            if at > page["totalResults"]:
                break
        assert len(seen) == page["totalResults"]
        print(
            f"all {len(seen):,} people in pages of 500: {time.perf_counter() - started:.1f} s "
            f"(first page {first:.2f} s, last {last:.2f} s)"
        )


def timed(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def people_of(organization: Any, division: Any, size: int) -> list[Any]:
    from accounts.models import (
        ExternalIdentifier,
        Group,
        GroupMember,
        PhoneNumber,
        RoleGrant,
        SubjectType,
        User,
    )

    people = [
        User(
            organization=organization,
            division=division,
            email=f"p{n}@{organization.short_name}.example",
            name=f"Person {n}",
            given_name="Person",
            family_name=str(n),
            external_id=f"ext-{n}",
            department=f"Department {n % 40}",
            state="active" if n % 20 else "inactive",
            source="scim",
        )
        for n in range(size)
    ]
    User.objects.bulk_create(people, batch_size=500)
    PhoneNumber.objects.bulk_create(
        [PhoneNumber(user=one, kind="work", value=f"+1 555 {n:06}") for n, one in enumerate(people)],
        batch_size=500,
    )
    ExternalIdentifier.objects.bulk_create(
        [
            ExternalIdentifier(organization=organization, user=one, authority="idp", value=str(n))
            for n, one in enumerate(people)
        ],
        batch_size=500,
    )
    employee = organization.roles.get(default_role_id="employee")
    RoleGrant.objects.bulk_create(
        [
            RoleGrant(
                organization=organization,
                subject_type=SubjectType.USER,
                subject_id=one.id,
                role=employee,
                division=division,
            )
            for one in people
        ],
        batch_size=500,
    )
    groups = Group.objects.bulk_create(
        [Group(organization=organization, name=f"Group {n}") for n in range(50)]
    )
    GroupMember.objects.bulk_create(
        [GroupMember(group=groups[n % 50], user=one) for n, one in enumerate(people)], batch_size=500
    )
    return [one.id for one in people]


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 100,
        int(sys.argv[2]) if len(sys.argv) > 2 else 50_000,
    )
