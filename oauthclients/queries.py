"""Reads about clients, for pages and API. Every one of them starts from an organization."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import CharField, Max, OuterRef, Q, QuerySet, Subquery, UUIDField
from django.db.models.functions import Coalesce, JSONArray, Lower
from django.utils import timezone
from django.utils.translation import gettext as _
from oauth2_provider.models import AbstractAccessToken, get_access_token_model

from accounts import queries as account_queries
from accounts import statements
from accounts.actor import Actor
from accounts.errors import Invalid, NotFound
from accounts.models import Organization, User
from accounts.rules.delegation import RoleDivision
from accounts.services.grants import NamedPair
from oauthclients import grant_types
from oauthclients.models import (
    AuthorizationState,
    Client,
    ClientAuthorization,
    ClientDraft,
    Consent,
    TokenFamily,
)
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.rules.effective_access import EffectiveAccess, Word, of_person

DRAFTS_LIVE = timedelta(days=14)


def clients(organization: Organization) -> QuerySet[Client]:
    """Those that are there: a client past its deletion date is not, purged or not."""
    return Client.objects.filter(organization=organization).filter(
        Q(date_to_delete=None) | Q(date_to_delete__gt=timezone.now())
    )


def client(organization: Organization, client_id: object, *, lock: bool = False) -> Client:
    """Raises `NotFound` (`client.not.found`), for another organization's client as well. With `lock`, the
    row is the caller's until its transaction ends."""
    key = account_queries.as_uuid(client_id)
    rows = clients(organization).select_related("organization").filter(id=key).order_by()
    if lock:
        # Not against those who refer to it: an exchange that gives a token holds the lock on a consent,
        # which a deletion takes before this one (services/access.py `locked_to_delete`).
        rows = rows.select_for_update(of=("self",), no_key=True)
    found = rows.first() if key else None
    if found is None:
        raise NotFound(code="client.not.found")
    return found


def live_client(key: uuid.UUID) -> Client | None:
    """A client of any organization that is not gone, for the authorization server."""
    found = Client.objects.select_related("organization").filter(id=key).first()
    return None if found is None or found.gone(timezone.now()) else found


def pairs_of(client: Client) -> list[NamedPair]:
    """The role-division pairs that a client holds, by role and division name."""
    found = _PAIRS(organization_id=client.organization_id, client_id=client.id)
    return [NamedPair(grant.role, grant.division) for grant in found]


_PAIRS = statements.Select(
    lambda organization_id, client_id: account_queries.grants_of(organization_id, client_id),
    organization_id=UUIDField(),
    client_id=UUIDField(),
)


def spec_of(client: Client, pairs: list[NamedPair]) -> ClientSpec:
    """A client as the specification that would make it."""
    return ClientSpec(
        name=client.name,
        grant_type=client.authorization_grant_type,
        description=client.description,
        role_divisions=tuple(
            RoleDivision(named.role.id, named.division.id if named.division else None) for named in pairs
        ),
        redirect_uris=tuple(client.redirect_uri_list),
        scope=tuple(client.scope),
        token_seconds=client.token_seconds,
    )


def app(organization: Organization, client_id: object, *, lock: bool = False) -> Client:
    """A client of any organization, as this one may let it act for its people. With `lock`, the row is the
    caller's until its transaction ends; tokens may be given to it meanwhile, which is why the lock leaves
    its key alone.

    Raises `NotFound` (`client.not.found`), and `Invalid` for a client of this organization that works by
    roles and not by scopes. Of another organization's, not even that is told; and one that lives by
    assertions works in its own alone.
    """
    key = account_queries.as_uuid(client_id)
    rows = Client.objects.select_related("organization").filter(id=key).order_by()
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    found = rows.first() if key else None
    own = found is not None and found.organization_id == organization.id
    if found is None or found.gone(timezone.now()) or not (own or _for_others(found)):
        raise NotFound(_("No client has this ID. Check with the app's developer."), code="client.not.found")
    if not _uses_scopes(found):
        raise Invalid.one(
            "clientId",
            "bad.grant.type",
            _("This client acts for itself, by its roles. It needs no authorization."),
        )
    return found


def _for_others(client: Client) -> bool:
    """Whether people of other organizations can use it."""
    return grant_types.BY_CODE[client.authorization_grant_type].uses_redirect_uris


def _uses_scopes(client: Client) -> bool:
    return grant_types.BY_CODE[client.authorization_grant_type].uses_scopes


def authorizations(organization: Organization) -> QuerySet[ClientAuthorization]:
    """What this organization has said about apps, its own and others'."""
    return (
        ClientAuthorization.objects.filter(organization=organization)
        .filter(Q(client__date_to_delete=None) | Q(client__date_to_delete__gt=timezone.now()))
        .select_related("client", "client__organization")
        .order_by("client__name")
    )


# Somebody waits for an answer. Requests of before it was noted who asked have a state only.
WAITING = Q(requested_at__isnull=False) | Q(state=AuthorizationState.REQUESTED)


def waits(row: ClientAuthorization) -> bool:
    """`WAITING`, for a row that has been read."""
    return row.requested_at is not None or row.state == AuthorizationState.REQUESTED


def authorization_of(organization: Organization, client: Client) -> ClientAuthorization | None:
    return ClientAuthorization.objects.filter(organization=organization, client=client).first()


def word_on(organization: Organization, client: Client) -> Word:
    """What this organization says about this app, right now: one statement."""
    return words_on(organization, [client.id])[client.id]


def words_on(organization: Organization, client_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Word]:
    """The same for the apps of a page, in one statement as well."""
    ids = list(client_ids)
    said = {
        client_id: Word(
            enforced=organization.enforce_scopes,
            state=state,
            scope=frozenset(scope),
            roles=frozenset(uuid.UUID(role) for role in roles),
            not_before=not_before,
        )
        for client_id, state, scope, roles, not_before in ClientAuthorization.objects.filter(
            organization=organization, client_id__in=ids
        ).values_list("client_id", "state", "scope", "roles", "not_before")
    }
    return {key: said.get(key, Word(enforced=organization.enforce_scopes)) for key in ids}


def last_uses(organization: Organization, client_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """When each of these apps last acted for a person of this organization: two statements. An app that
    did so before its tokens were purged is known by its newest sign-in."""
    ids = list(client_ids)
    calls = (
        get_access_token_model()
        .objects.filter(application_id__in=ids, user__organization=organization)
        .values_list("application_id")
        .annotate(Max("updated"))
    )
    sign_ins = (
        TokenFamily.objects.filter(consent__client_id__in=ids, consent__user__organization=organization)
        .values_list("consent__client_id")
        .annotate(Max("started_at"))
    )
    return _newest([*calls, *sign_ins])


def people_using(organization: Organization, client: Client) -> int:
    """How many people of this organization have agreed to the app."""
    return Consent.objects.filter(client=client, user__organization=organization).count()


def consents(organization: Organization, person_id: uuid.UUID) -> QuerySet[Consent]:
    """The apps that a person lets act for them; a client past its deletion date is none."""
    return (
        Consent.objects.filter(user_id=person_id, user__organization=organization)
        .filter(Q(client__date_to_delete=None) | Q(client__date_to_delete__gt=timezone.now()))
        .select_related("client", "client__organization")
        .order_by(Lower("client__name"), "id")
    )


def last_uses_for(person_id: uuid.UUID) -> dict[uuid.UUID, datetime]:
    """When each app last acted for this person: two statements, as in `last_uses`."""
    calls = (
        get_access_token_model()
        .objects.filter(user_id=person_id)
        .values_list("application_id")
        .annotate(Max("updated"))
    )
    sign_ins = (
        TokenFamily.objects.filter(consent__user_id=person_id)
        .values_list("consent__client_id")
        .annotate(Max("started_at"))
    )
    return _newest([*calls, *sign_ins])


def _newest(found: Iterable[tuple[uuid.UUID, datetime]]) -> dict[uuid.UUID, datetime]:
    newest: dict[uuid.UUID, datetime] = {}
    for key, at in found:
        newest[key] = max(at, newest.get(key, at))
    return newest


_WORD = Subquery(
    ClientAuthorization.objects.filter(
        organization_id=OuterRef("user__organization_id"), client_id=OuterRef("application_id")
    ).values(said=JSONArray("state", "scope", "roles", "not_before"))
)


def _decisive(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Tokens with all that decides what they may do."""
    return (
        rows.select_related("application__organization", "user__organization", "user__division")
        .defer(
            "token",
            "source_refresh_token",
            "id_token",
            "resource",
            "user__password",
            "user__last_login",
            "application__use_noted_since",
        )
        .annotate(
            held=account_queries.held_column(
                Coalesce(OuterRef("user__organization_id"), OuterRef("application__organization_id")),
                Coalesce(OuterRef("user_id"), OuterRef("application_id")),
            ),
            said=_WORD,
        )
        .order_by()
    )


_TOKEN = statements.Select(
    lambda digest: _decisive(get_access_token_model().objects.filter(token_checksum=digest)),
    digest=CharField(),
)


def token(digest: str) -> AbstractAccessToken | None:
    """An access token by its digest, with its client and person, their organizations, and all that decides
    what it may do (`effective_access_of`): one statement. Whether it lives is for the caller to say."""
    return _TOKEN.first(digest=digest)


def token_with_id(token_id: int) -> AbstractAccessToken | None:
    """The same by the key of its row, alive or not."""
    return _decisive(get_access_token_model().objects.filter(pk=token_id)).first()


def word_of(token: Any) -> Word:
    """What the organization of a token's person says about its app, by what `token` has read."""
    return _word_said(token.user.organization, token.said)


def effective_access_of(token: Any) -> EffectiveAccess:
    """What a token may do, by what `token` has read."""
    access = account_queries.access_in_column(token.held)
    if token.user is None:
        return EffectiveAccess(access)
    return of_person(
        access,
        word=_word_said(token.user.organization, token.said),
        asked=token.application.scope,
        agreed=token.scope.split(),
        given_at=token.created,
    )


def _word_said(organization: Organization, said: list[Any] | None) -> Word:
    if said is None:
        return Word(enforced=organization.enforce_scopes)
    # SQLite has lists and moments as text, PostgreSQL only moments.
    state, scope, roles, not_before = said
    scope, roles = (json.loads(one) if isinstance(one, str) else one for one in (scope, roles))
    moment = datetime.fromisoformat(not_before) if not_before else None
    return Word(
        enforced=organization.enforce_scopes,
        state=state,
        scope=frozenset(scope),
        roles=frozenset(uuid.UUID(role) for role in roles),
        not_before=moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None,
    )


def effective_access(
    person: User, client: Client, agreed: Iterable[str], given_at: datetime
) -> EffectiveAccess:
    """What this app may do for this person, right now: two statements, never cached. `agreed` are the
    scopes of the token, which was given at `given_at`."""
    return of_person(
        account_queries.access_of(person.organization_id, person.id),
        word=word_on(person.organization, client),
        asked=client.scope,
        agreed=agreed,
        given_at=given_at,
    )


def unfinished_draft(actor: Actor) -> ClientDraft | None:
    """What this person has not finished adding, if it is not too old."""
    if actor.id is None:
        return None
    return ClientDraft.objects.filter(
        user_id=actor.id, client_id=None, saved_at__gt=timezone.now() - DRAFTS_LIVE
    ).first()
