"""450 days are for clients that keep people in step and do nothing else, whenever somebody changes that."""

from __future__ import annotations

from dataclasses import replace

from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.actor import system
from oauthclients.authorization_server import validator
from oauthclients.rules import token_life
from oauthclients.services import clients
from tests.cast import token_request


def test_a_token_that_is_given_while_the_client_gets_another_role_is_a_short_one(cast, monkeypatch):
    client, secret = cast.client(("SCIM Integration", None), token_seconds=token_life.LONGEST_SCIM)
    find = validator.secrets.find

    def and_then_it_gets_another_role(*args, **kwargs):
        found = find(*args, **kwargs)
        clients.change(
            actor=system(cast.acme),
            client_id=client.id,
            spec=lambda was: replace(
                was, role_divisions=(*was.role_divisions, cast.pair("Supervisor", cast.home))
            ),
        )
        return found

    monkeypatch.setattr(validator.secrets, "find", and_then_it_gets_another_role)

    answer = token_request(Browser(), client.client_id, secret).json()

    assert answer["expires_in"] == token_life.DEFAULT
    token = get_access_token_model().objects.get(application=client)
    assert (token.expires - timezone.now()).total_seconds() <= token_life.DEFAULT


def test_the_token_of_a_client_that_stays_as_it_is_lives_long(cast):
    client, secret = cast.client(("SCIM Integration", None), token_seconds=token_life.LONGEST_SCIM)
    assert token_request(Browser(), client.client_id, secret).json()["expires_in"] == 38_880_000
