"""An app ends what it got, because it needs it no more (RFC 7009)."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction
from django.db.models import QuerySet
from oauth2_provider.models import AbstractRefreshToken, get_access_token_model, get_refresh_token_model

from accounts import queries as account_queries
from accounts.actor import Actor, ActorType
from accounts.rules.access import Access
from oauthclients.models import Client, Consent, FamilyToken, TokenFamily
from oauthclients.services import tokens


def give_back(*, client: Client, value: str, by_secret: bool) -> bool:
    """Ends an access or refresh token of this client, and the whole family with it, so that an app that
    gives back either of its tokens is signed out. Does nothing for any other value.

    False where the client had to prove who it is and did not: refresh tokens, and access tokens that came
    with one, were given for a secret (`authorization_server/server.py`).
    """
    digest = tokens.digest(value)
    with transaction.atomic():
        family = _locked(_families(client, digest))
        if family is not None:
            if not by_secret and _refresh_tokens(client).filter(token_family=family.id).exists():
                return False
            tokens.record_ended(_acting_for(family, client), client, tokens.end_family(family))
            return True
        own = get_access_token_model().objects.filter(token_checksum=digest, application=client, user=None)
        token_id = own.values_list("pk", flat=True).first()
        if token_id is not None and (ended := tokens.end(client=client, token_id=token_id)):
            tokens.record_ended(_itself(client), client, ended)
    return True


def _refresh_tokens(client: Client) -> QuerySet[AbstractRefreshToken]:
    rows: QuerySet[AbstractRefreshToken] = get_refresh_token_model().objects.filter(application=client)
    return rows


def _families(client: Client, digest: str) -> QuerySet[TokenFamily]:
    refreshed = _refresh_tokens(client).filter(token_checksum=digest).values("token_family")
    carried = FamilyToken.objects.filter(token__token_checksum=digest).values("family_id")
    return TokenFamily.objects.filter(
        consent__client=client, ended_at=None, id__in=refreshed.union(carried)
    )


def _locked(found: QuerySet[TokenFamily]) -> TokenFamily | None:
    """The family, looked for again once its consent is locked: of two at once, one finds it."""
    consent_id = found.values_list("consent_id", flat=True).first()
    if consent_id is None or not list(Consent.objects.select_for_update().filter(id=consent_id)):
        return None
    return found.select_related("consent__user__organization").first()


def _acting_for(family: TokenFamily, client: Client) -> Actor:
    """As for everything that an app does for a person, `DELETE /tokens/me` included."""
    actor = account_queries.actor_for_user(family.consent.user)
    return replace(actor, via_id=client.id, via_name=client.name)


def _itself(client: Client) -> Actor:
    return Actor(ActorType.CLIENT, client.id, client.name, client.organization, Access())
