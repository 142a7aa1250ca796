"""Clients and living tokens for a django-oauth-toolkit peer, whose settings DJANGO_SETTINGS_MODULE names;
what the load needs goes into the file CREDENTIALS, in the form of `bench.generate.Filled`."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from datetime import timedelta
from typing import Any

import django

CLIENTS, TOKENS = 2_000, 4_000


def main() -> None:
    django.setup()
    from django.apps import apps
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password
    from django.core.management import call_command
    from django.utils import timezone
    from oauth2_provider.models import get_access_token_model, get_application_model

    call_command("migrate", verbosity=0)
    # What an application without migrations has, in a database that is there.
    call_command("migrate", run_syncdb=True, verbosity=0)
    applications, tokens, people = get_application_model(), get_access_token_model(), get_user_model()
    # One secret for all: hashing takes a third of a second each, and the server cannot tell.
    secret = secrets.token_urlsafe(32)
    hashed = make_password(secret)
    clients = applications.objects.bulk_create(
        [
            applications(
                name=f"Service {n}",
                client_id=secrets.token_urlsafe(20),
                client_type="confidential",
                authorization_grant_type="client-credentials",
                client_secret=hashed,
                hash_client_secret=False,
            )
            for n in range(CLIENTS)
        ]
    )
    users = people.objects.bulk_create(
        [
            people(username=f"p{n}", email=f"p{n}@example.com", first_name="Person", last_name=str(n))
            for n in range(CLIENTS)
        ]
    )
    if apps.is_installed("bench.peers.tuned_dot"):
        _directory(clients, users)

    def living(user_of: Any) -> list[str]:
        values = [secrets.token_urlsafe(32) for _ in range(TOKENS)]
        ends = timezone.now() + timedelta(days=1)
        tokens.objects.bulk_create(
            [
                tokens(
                    application=clients[n % CLIENTS],
                    user=user_of(n),
                    token=value,
                    token_checksum=hashlib.sha256(value.encode()).hexdigest(),
                    expires=ends,
                    scope="read write",
                )
                for n, value in enumerate(values)
            ]
        )
        return values

    filled = {
        "clients": [[client.client_id, secret] for client in clients],
        "client_tokens": living(lambda _n: None),
        "person_tokens": living(lambda n: users[n % CLIENTS]),
    }
    path = os.environ["CREDENTIALS"]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(filled, file)


def _directory(clients: list[Any], users: list[Any]) -> None:
    """What the reads of bench/peers/tuned_dot tell beside Django's own user."""
    from bench.peers.tuned_dot.models import Approval, Division, Organization, Phone, Profile

    organizations = Organization.objects.bulk_create([Organization(name=f"Bench {n}") for n in range(20)])
    divisions = Division.objects.bulk_create(
        [
            Division(organization=one, name=name)
            for one in organizations
            for name in ("Home", "East", "West")
        ]
    )
    Profile.objects.bulk_create(
        [
            Profile(
                user=user,
                division=divisions[n % len(divisions)],
                department=f"Department {n % 40}",
                state="active",
            )
            for n, user in enumerate(users)
        ]
    )
    Phone.objects.bulk_create(
        [
            Phone(user=user, kind="work", value=f"+1 555 {n:06}")
            for n, user in enumerate(users)
            if n % 4 == 0
        ]
    )
    Approval.objects.bulk_create(
        [Approval(application=client, organization=one) for client in clients for one in organizations]
    )


if __name__ == "__main__":
    main()
