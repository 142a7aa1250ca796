"""The sign-in of an app for a person, from the code over its exchange to the last refresh.

Every step first locks the person, and then their consent to the app, so that two at once happen one after
the other: of two exchanges of a code the second finds it spent. Codes and tokens are stored as hashes only.

A refresh makes its new pair *from* the old refresh token, by an HMAC under a key of the server. The same
request, sent again within the grace time by a client that lost the answer, therefore gets the very same
answer, although nobody kept it; and twenty of them at once make one new pair.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractGrant,
    AbstractRefreshToken,
    get_grant_model,
    get_refresh_token_model,
    set_token_value,
)
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256

from accounts import audit
from accounts import queries as account_queries
from accounts.models import User
from accounts.rules import idle
from oauthclients import queries, scopes
from oauthclients.models import Client, Consent, TokenFamily
from oauthclients.rules import token_life
from oauthclients.services import access, tokens


@dataclass
class SignIn:
    """What a code or refresh token at hand belongs to. `agreed` are its scopes. For a refresh: `old` is
    the token that was sent, `clock` when the access token it came with was last used, and `resent` the
    answer that it had before, if it is sent again within the grace time."""

    family: TokenFamily
    person: User
    code: AbstractGrant | None = None
    old: AbstractRefreshToken | None = None
    clock: datetime | None = None
    resent: AbstractAccessToken | None = None

    @property
    def agreed(self) -> list[str]:
        return list(self.family.scope)


def start(
    *,
    consent: Consent,
    scope: Iterable[str],
    now: datetime,
    code_digest: str | None = None,
    code_challenge: str = "",
    redirect_uri_given: bool = True,
    session_digest: str = "",
) -> TokenFamily:
    """Begins a family, inside the transaction that holds the lock on the consent."""
    return TokenFamily.objects.create(
        consent=consent,
        scope=list(scope),
        code_digest=code_digest,
        code_challenge=code_challenge,
        redirect_uri_given=redirect_uri_given,
        session_digest=session_digest,
        ends_at=now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
    )


def of_code(
    *, client: Client, code: str, by_secret: bool, verifier: str | None, now: datetime
) -> SignIn | None:
    """What this code stands for, if it may still be exchanged. A code that was exchanged before ends every
    token that came of it (RFC 6749 4.1.2, ASVS 10.4.2), if it comes from who could have exchanged it: from
    the client with its secret, or with the verifier. Codes stay in histories and logs, and whoever reads
    one there shall not be able to sign people out.
    """
    digest = tokens.digest(code)
    family = _locked(TokenFamily.objects.filter(code_digest=digest, consent__client=client))
    if family is None or family.ended_at is not None:
        return None
    found = get_grant_model().objects.filter(code=digest, application=client).first()
    if found is None:
        if family.spent_at is not None and (by_secret or proves(verifier, family.code_challenge)):
            _end_replayed(family, audit.Action.APP_CODE_REPLAYED)
        return None
    if found.expires <= now or not _may_go_on(family, client):
        return None
    return SignIn(family, family.consent.user, code=found)


def spend(sign_in: SignIn, now: datetime) -> bool:
    """Removes the code that is being exchanged; whether it was there."""
    assert sign_in.code is not None
    count, _by_model = get_grant_model().objects.filter(pk=sign_in.code.pk).delete()
    TokenFamily.objects.filter(id=sign_in.family.id).update(spent_at=now)
    return bool(count)


def of_refresh_token(
    *, client: Client, value: str, wanted: Iterable[str] | None, now: datetime
) -> SignIn | None:
    """What this refresh token stands for, if it may be used. One that was used before ends its family
    (RFC 9700 4.14.2), unless the identical request is sent again within the grace time.

    `wanted` are the scopes of the request, None for all.
    """
    rows = get_refresh_token_model().objects.filter(token_checksum=tokens.digest(value), application=client)
    family_id = rows.values_list("token_family", flat=True).first()
    family = _locked(TokenFamily.objects.filter(id=family_id)) if family_id else None
    # Read again under the lock.
    old = rows.select_related("access_token").first()
    if family is None or old is None or family.ended_at is not None or family.ends_at <= now:
        return None
    person = family.consent.user
    organization = person.organization
    if not _may_go_on(family, client) or not token_life.refreshable(organization):
        return None
    sign_in = SignIn(family, person, old=old)
    if old.revoked is not None:
        sign_in.resent = _answer_before(old, value, wanted, family, now)
        if sign_in.resent is None:
            _end_replayed(family, audit.Action.APP_REFRESH_REPLAYED)
            return None
        return sign_in
    if organization.idle_limit is not None:
        clock = old.access_token.updated if old.access_token else old.created
        if idle.is_over(organization, clock, now):
            # This one and no other: each token has its own clock.
            rows.delete()
            return None
        sign_in.clock = clock
    return sign_in


def keep_refresh_token(
    *, sign_in: SignIn, client: Client, value: str, access_token: AbstractAccessToken, now: datetime
) -> None:
    """Stores the refresh token that goes with a new access token, in place of the one that was used."""
    if sign_in.old is not None:
        get_refresh_token_model().objects.filter(pk=sign_in.old.pk).update(revoked=now)
    token = get_refresh_token_model()(
        user=sign_in.person,
        application=client,
        access_token=access_token,
        token_family=sign_in.family.id,
    )
    set_token_value(token, value)
    token.save(force_insert=True)


def successor(kind: str, value: str) -> str:
    """The access or refresh token that follows this refresh token: 256 bits that only somebody with the
    server's key *and* the old token can compute. The key is one of its own, made from that of the client
    secrets."""
    key = hmac.digest(settings.CLIENT_SECRET_KEY.encode(), b"successors of refresh tokens", hashlib.sha256)
    digest = hmac.digest(key, f"{kind}|{value}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def end_of_session(*, user: User, client: Client, session_digest: str) -> None:
    """Ends what this app got in the browser session that is being left (`/logout`). Runs inside the
    caller's transaction."""
    for family in TokenFamily.objects.filter(
        consent__user=user, consent__client=client, session_digest=session_digest, ended_at=None
    ):
        tokens.end_family(family)


def _locked(found: QuerySet[TokenFamily]) -> TokenFamily | None:
    """The family, read again once its person and their consent are locked: a new password, or a
    deactivation, comes before all of this or after it."""
    keys = found.values_list("id", "consent_id", "consent__user_id").first()
    if keys is None:
        return None
    family_id, consent_id, user_id = keys
    access.lock_person(user_id)
    if Consent.objects.select_for_update().filter(id=consent_id).first() is None:
        return None
    return (
        TokenFamily.objects.select_related("consent__user__organization", "consent__client")
        .filter(id=family_id)
        .first()
    )


def _may_go_on(family: TokenFamily, client: Client) -> bool:
    """Whether the person is still there and may still use the app."""
    person = family.consent.user
    if not person.is_active or not person.organization.active:
        return False
    if person.not_before is not None and family.started_at <= person.not_before:
        return False
    return bool(queries.effective_access(person, client, family.scope, family.started_at).barrier)


def proves(verifier: str | None, challenge: str) -> bool:
    """Whether this PKCE verifier answers this challenge (RFC 7636 4.6)."""
    return bool(verifier and challenge) and code_challenge_method_s256(verifier, challenge)


def _answer_before(
    old: AbstractRefreshToken,
    value: str,
    wanted: Iterable[str] | None,
    family: TokenFamily,
    now: datetime,
) -> AbstractAccessToken | None:
    """The access token that this refresh token was exchanged for, if this is the identical request a
    moment later, and nobody has gone on from the answer."""
    if now - old.revoked > timedelta(seconds=settings.REFRESH_GRACE_SECONDS):
        return None
    next_one = (
        get_refresh_token_model()
        .objects.select_related("access_token")
        .filter(
            token_checksum=tokens.digest(successor("refresh", value)),
            token_family=family.id,
            revoked=None,
        )
        .first()
    )
    if next_one is None or next_one.access_token is None or next_one.access_token.expires <= now:
        return None
    asked = scopes.narrowed(list(family.scope if wanted is None else wanted))
    given: AbstractAccessToken = next_one.access_token
    return given if scopes.narrowed(given.scope.split()) == asked else None


def _end_replayed(family: TokenFamily, action: audit.Action) -> None:
    """Committed although the request is refused: the caller's transaction must not be rolled back."""
    ended = tokens.end_family(family)
    actor = account_queries.actor_for_user(family.consent.user)
    audit.record(actor, action, **access.named(family.consent.client), after={"tokens": ended})
