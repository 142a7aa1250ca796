"""People, spread over organizations and divisions, with their roles."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.hashers import make_password

from accounts import audit
from accounts.models import RoleGrant, SubjectType, User
from bench import bulk
from bench.filling import trail
from bench.filling.homes import Home


def make_people(homes: list[Home], count: int) -> None:
    """Spread over the organizations and their divisions. Everybody is an Employee, the first of each
    organization its Admin, and every fourth the Supervisor of their division."""

    batch = uuid.uuid4().hex[:6]
    people = [(uuid.uuid4(), homes[n % len(homes)], n) for n in range(count)]

    def division(home: Home, n: int) -> uuid.UUID:
        return home.divisions[(n // len(homes)) % len(home.divisions)]

    bulk.insert(
        User,
        [
            "id",
            "organization_id",
            "division_id",
            "email",
            "name",
            "given_name",
            "family_name",
            "department",
        ],
        (
            (
                id,
                home.id,
                division(home, n),
                f"p{n}-{batch}@{home.short_name}.example",
                f"Person {n}",
                "Person",
                str(n),
                f"Department {n % 40}",
            )
            for id, home, n in people
        ),
        password=make_password(None),
        state="active",
        last_login=None,
    )

    def grants() -> Iterator[tuple[Any, ...]]:
        for id, home, n in people:
            yield uuid.uuid4(), home.id, id, home.roles["employee"], home.divisions[0]
            if n < len(homes):
                yield uuid.uuid4(), home.id, id, home.roles["admin"], None
            elif n % 4 == 0:
                yield uuid.uuid4(), home.id, id, home.roles["supervisor"], division(home, n)

    bulk.insert(
        RoleGrant,
        ["id", "organization_id", "subject_id", "role_id", "division_id"],
        grants(),
        subject_type=SubjectType.USER,
        granted_by_type="system",
    )
    trail.write(audit.Action.USER_CREATED, "user", [(home.id, id, f"Person {n}") for id, home, n in people])
    bulk.finish(User, RoleGrant)
