"""Issuing, noting the use of, and revoking access tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from oauth2_provider.models import (
    AbstractAccessToken,
    get_access_token_model,
    get_grant_model,
    get_refresh_token_model,
    set_token_value,
)

from accounts import audit, statements
from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.errors import Conflict
from accounts.models import Organization, User
from accounts.permissions import Permission, expand
from oauthclients import queries
from oauthclients.models import Client, Consent, FamilyToken, TokenFamily
from oauthclients.rules import token_life
from oauthclients.services import access
from oauthclients.services.plain_secret import PlainSecret


def new_value(request: Any) -> str:
    """A token's value: 256 bits in `[A-Za-z0-9_-]`, which browser SDKs read from an address unharmed
    (wire contract A5)."""
    return secrets.token_urlsafe(32)


def digest(value: str) -> str:
    """What is kept of a token or code: its SHA-256, in hexadecimal."""
    return hashlib.sha256(value.encode()).hexdigest()


# A client's own. The column `token` stays empty, whatever the toolkit's settings say.
_ADDED = statements.Insert(
    get_access_token_model(), user=None, source_refresh_token=None, id_token=None, token="", resource=[]
)


def issue(
    *,
    client: Client,
    user: User | None,
    value: str,
    seconds: int,
    scope: Iterable[str],
    family: TokenFamily | None = None,
    clock: datetime | None = None,
) -> AbstractAccessToken:
    """Stores an access token, of which only the SHA-256 is kept: one statement for a client's own, which is
    not read back and so has no key here.

    `family` is that of a person's token. `clock` is when the token that it replaces was last used: being
    refreshed is not being used, so the idle time goes on.
    """
    said = {"scope": " ".join(scope), "expires": datetime.now(UTC) + timedelta(seconds=seconds)}
    if user is None:
        token = _ADDED.row(application_id=client.id, **said)
        set_token_value(token, value)
        _ADDED(token)
        return token
    token = get_access_token_model()(application=client, user=user, **said)
    set_token_value(token, value)
    token.save(force_insert=True)
    if family is not None:
        FamilyToken.objects.create(token=token, family=family)
    if clock is not None:
        _all().filter(pk=token.pk).update(updated=clock)
    return token


def refuse_pasting(client: Client, *, scim_only: bool) -> None:
    """Raises `Conflict` for a client whose tokens are not made by a person: those of a client that does
    more than keeping people in step are short, and got by the client itself."""
    if not scim_only:
        raise Conflict(_("Only a client with the SCIM Integration role alone can have a token made here."))
    access.refuse_pending_deletion(client)
    if not client.gives_tokens():
        raise Conflict(_("This client is not active, so it gets no tokens."))


def make_for_pasting(*, actor: Actor, client_id: object) -> tuple[PlainSecret, datetime]:
    """A token of a SCIM client's own, for somebody to paste into an identity system that cannot ask for one
    (wire contract H), and when it ends. It is as one that the client asks for itself.

    Needs what editing the client needs. Raises `NotAllowed`, `NotFound` and `Conflict`.
    """
    with transaction.atomic():
        # Whoever changes the client or its roles meanwhile waits, and then shortens this token as well.
        client = access.client_to_edit(actor, client_id)
        pairs = queries.pairs_of(client)
        scim_only = token_life.is_scim_only(expand(named.role.policies) for named in pairs)
        refuse_pasting(client, scim_only=scim_only)
        value = PlainSecret(new_value(None))
        token = issue(
            client=client,
            user=None,
            value=value.reveal(),
            seconds=token_life.seconds_for(client),
            scope=(),
        )
        audit.record(
            actor,
            audit.Action.CLIENT_TOKEN_SHOWN,
            **access.named(client),
            after={"end": token.expires.isoformat()},
        )
    return value, token.expires


def live(client: Client) -> int:
    """How many of this client's tokens have not ended."""
    return _living().filter(application=client).count()


def live_of_app(client: Client, organization: Organization) -> int:
    """How many living tokens this client has from people of that organization."""
    return _living().filter(application=client, user__organization=organization).count()


def live_of_person(person: User) -> int:
    """How many living tokens apps have for this person."""
    return _living().filter(user=person).count()


def revoke_all(*, actor: Actor, client: Client) -> None:
    """Ends every token of a client at once."""
    with transaction.atomic():
        count = _end(Consent.objects.filter(client=client), timezone.now())
        count += _delete(_all().filter(application=client))
        record_ended(actor, client, count)


def end(*, client: Client, token_id: object) -> int:
    """Ends one token and what it came with: the refresh tokens of its family. Runs inside the caller's
    transaction."""
    family = TokenFamily.objects.filter(tokens__token_id=token_id).first()
    count = end_family(family) if family else 0
    return count + _delete(_all().filter(application=client, pk=token_id))


def revoke(*, actor: Actor, client: Client, token_id: object) -> None:
    """As `end`, where the holder asks, and with a line in the audit trail."""
    with transaction.atomic():
        if count := end(client=client, token_id=token_id):
            record_ended(actor, client, count)


def record_ended(actor: Actor, client: Client, count: int) -> None:
    """The audit line of access tokens that were ended before their time."""
    audit.record(actor, audit.Action.CLIENT_TOKENS_REVOKED, **access.named(client), after={"tokens": count})


def revoke_person(*, actor: Actor, user_id: object) -> int:
    """Ends every token of a person, and every sign-in of an app for them (`DELETE /tokens/{userId}`).
    Needs `oauth:token:delete`."""
    actor.require(Permission.OAUTH_TOKEN_DELETE)
    person = account_queries.person(actor.organization, user_id)
    with transaction.atomic():
        count = _end(Consent.objects.filter(user=person), timezone.now())
        count += _delete(_all().filter(user=person))
        audit.record(
            actor,
            audit.Action.USER_TOKENS_REVOKED,
            entity_type="user",
            entity_id=person.id,
            entity_name=str(person),
            after={"tokens": count},
        )
    return count


def end_app(*, client: Client, organization: Organization) -> int:
    """Ends all that this client holds of that organization's people; how many access tokens that were.
    Runs inside the caller's transaction, which records why."""
    consents = Consent.objects.filter(client=client, user__organization=organization)
    return _end(consents, timezone.now())


def end_consent(consent: Consent) -> int:
    """Ends all that came of one person's consent. Runs inside the caller's transaction."""
    return _end(Consent.objects.filter(id=consent.id), timezone.now())


def end_family(family: TokenFamily) -> int:
    """Ends all tokens that came of one code. The row stays, so that a replay is recognised. Runs inside the
    caller's transaction; answers how many access tokens there were."""
    access.lock_consents(Consent.objects.filter(id=family.consent_id))
    return _end_families(TokenFamily.objects.filter(id=family.id), timezone.now())


def _end(consents: QuerySet[Consent], now: datetime) -> int:
    # The consent is the lock: an exchange that is under way ends first, and its tokens end here.
    ids = access.lock_consents(consents)
    return _end_families(TokenFamily.objects.filter(consent_id__in=ids), now)


def _end_families(families: QuerySet[TokenFamily], now: datetime) -> int:
    found = list(families.values_list("id", "code_digest"))
    ids = [id for id, _digest in found]
    get_grant_model().objects.filter(code__in=[digest for _id, digest in found if digest]).delete()
    get_refresh_token_model().objects.filter(token_family__in=ids).delete()
    count = _delete(_all().filter(of_family__family_id__in=ids))
    TokenFamily.objects.filter(id__in=ids, ended_at=None).update(ended_at=now)
    return count


def shorten_all(*, actor: Actor, client: Client, seconds: int) -> None:
    """Lets no token of this client live longer than a new one would."""
    end = timezone.now() + timedelta(seconds=seconds)
    count = _all().filter(application=client, expires__gt=end).update(expires=end)
    if count:
        audit.record(
            actor,
            audit.Action.CLIENT_TOKENS_SHORTENED,
            **access.named(client),
            after={"tokens": count, "end": end.isoformat()},
        )


def _all() -> QuerySet[AbstractAccessToken]:
    rows: QuerySet[AbstractAccessToken] = get_access_token_model().objects.all()
    return rows


def _living() -> QuerySet[AbstractAccessToken]:
    return _all().filter(expires__gt=timezone.now())


def _delete(rows: QuerySet[AbstractAccessToken]) -> int:
    """How many access tokens were deleted, what hangs on them not counted."""
    _count, by_model = rows.delete()
    return by_model.get(get_access_token_model()._meta.label, 0)
