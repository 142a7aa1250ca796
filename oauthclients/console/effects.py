"""What the settings of an organization do to people, tokens and apps: said before one of them is changed,
and where it matters afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization, User, UserState
from config.regions import Region
from oauthclients import grant_types, queries, scopes
from oauthclients.console import words
from oauthclients.grant_types import GrantType
from oauthclients.models import AuthorizationState, Client, ClientAuthorization, Consent
from oauthclients.rules import home_region
from oauthclients.rules.effective_access import Word
from oauthclients.services import idle_time

# A question names at most so many apps of a kind.
APPS_NAMED = 20


# --- Idle time -----------------------------------------------------------------------------------


def idle_note(organization: Organization, grant: GrantType | None) -> dict[str, str] | None:
    """Beside the duration of a client's tokens: how they end sooner. None where they do not."""
    limit = organization.idle_limit
    if limit is None:
        return None
    title = _("Tokens also end after %(time)s without use.") % {"time": _time(limit)}
    if grant is not grant_types.CODE:
        return {"title": title, "text": ""}
    if settings.REFRESH_TOKENS_WITH_IDLE_TIMEOUT:
        return {"title": title, "text": _("Refresh tokens end with them.")}
    return {"title": title, "text": _("Refresh tokens are not given.")}


def of_idle_limit(limit: timedelta) -> list[str]:
    """What a limit means, in sentences."""
    time = {"time": _time(limit)}
    return [
        _("People who leave the console unused for %(time)s are signed out.") % time,
        _(
            "A token that makes no API call for %(time)s ends, whoever it belongs to: clients with client "
            "credentials as well."
        )
        % time,
        _("A refresh token ends together with the token it came with.")
        if settings.REFRESH_TOKENS_WITH_IDLE_TIMEOUT
        else _("Apps get no refresh tokens, and those they hold are refused."),
    ]


def of_no_limit() -> list[str]:
    return [
        _("People stay signed in for as long as a sign-in lasts, used or not."),
        _("Tokens end with their own duration. What has ended before stays ended."),
        *([] if settings.REFRESH_TOKENS_WITH_IDLE_TIMEOUT else [_("Apps get refresh tokens again.")]),
    ]


def in_reach(organization: Organization, limit: timedelta | None) -> list[dict[str, str]]:
    """How many people there are to sign out, how many living tokens a new limit concerns, and how many of
    these it would end at once."""
    now = timezone.now()
    living = idle_time.tokens_of(organization).filter(expires__gt=now)
    dead = idle_time.unused_since(organization, now)
    if dead is not None:
        living = living.filter(updated__gt=dead)
    facts = [
        {
            "label": _("People who can sign in"),
            "value": words.number(
                User.objects.filter(organization=organization, state=UserState.ACTIVE).count()
            ),
        },
        {"label": _("Tokens in use"), "value": words.number(living.count())},
    ]
    since = organization.idle_since
    if limit is not None and organization.idle_timeout_enabled and (since is None or since <= now - limit):
        facts.append(
            {
                "label": _("Tokens that end at once"),
                "value": words.number(living.filter(updated__lte=now - limit).count()),
            }
        )
    return facts


def _time(limit: timedelta) -> str:
    return words.duration(int(limit.total_seconds()))


# --- Home region ---------------------------------------------------------------------------------


def of_home_region() -> list[str]:
    return [
        _(
            "Clients with Client Credentials and SAML2 Bearer are refused at the old address at once. "
            "Enter the new one wherever they run."
        ),
        _("Tokens that they have work until they end. Other apps work in every region."),
    ]


def of_moving(organization: Organization, now: Region, wanted: Region) -> list[dict[str, Any]]:
    """How many clients have to be told the new address, and what it is."""
    bound = [grant.code for grant in grant_types.GRANT_TYPES if not grant.uses_redirect_uris]
    clients = queries.clients(organization).filter(authorization_grant_type__in=bound)
    return [
        {"label": _("Clients concerned"), "value": words.number(clients.count())},
        {"label": _("Token address now"), "value": home_region.token_url(now), "mono": True},
        {
            "label": _("Token address then"),
            "value": home_region.token_url(wanted),
            "mono": True,
            "copyable": True,
        },
    ]


# --- Scopes --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class App:
    """An app in a question. `owner` is empty for one of this organization; `scopes` are those it is or
    would be held to."""

    name: str
    owner: str
    people: int
    scopes: tuple[str, ...] = ()
    note: Any = ""


@dataclass(frozen=True)
class Group:
    """Apps to which the same happens; `more` is how many are not named."""

    title: str
    count: int
    apps: tuple[App, ...]

    @property
    def more(self) -> int:
        return self.count - len(self.apps)


@dataclass(frozen=True)
class _Known:
    client: Client
    word: Word
    people: int


def of_enforcing(organization: Organization, *, enforced: bool) -> list[Group]:
    """What turning Enforce Scopes on or off does to each app that concerns this organization: its own,
    those that its people use, and those that it has said something about."""
    by_kind: dict[int, list[App]] = {}
    for known in _known(organization):
        before = replace(known.word, enforced=not enforced).barred
        after = replace(known.word, enforced=enforced).barred
        held_to = tuple(scopes.meet(known.word.scope, known.client.scope))
        match before, after:
            case False, True:
                kind, held_to = 0, ()
            case True, False:
                kind, held_to = 1, ()
            case False, False:
                kind = 2
            case _:
                kind, held_to = 3, ()
        by_kind.setdefault(kind, []).append(_app(organization, known, held_to))
    # What does most harm comes first.
    titles = (
        _("Stop working at once"),
        _("Start to work"),
        _("Held to these scopes") if enforced else _("No longer held to these scopes"),
        _("Stay barred"),
    )
    return [_group(title, by_kind[kind]) for kind, title in enumerate(titles) if kind in by_kind]


def of_refusing_implicit(organization: Organization) -> list[Group]:
    """The apps that could no longer get tokens."""
    apps = [
        _app(organization, known, ())
        for known in _known(organization)
        if known.client.authorization_grant_type == grant_types.IMPLICIT.code
    ]
    return [_group(_("Get no more tokens"), apps)] if apps else []


def refused_note(organization: Organization, grant: GrantType | None) -> str:
    """Said about clients of a grant that the organization has switched off; nothing where it has not."""
    if grant is not grant_types.IMPLICIT or organization.implicit_allowed:
        return ""
    return _("Your organization has switched the implicit grant off: this client gets no tokens.")


def _known(organization: Organization) -> list[_Known]:
    people: dict[Any, int] = dict(
        Consent.objects.filter(user__organization=organization, user__state=UserState.ACTIVE)
        .values_list("client_id")
        .annotate(Count("id"))
    )
    rows = {row.client_id: row for row in ClientAuthorization.objects.filter(organization=organization)}
    found = (
        Client.objects.filter(Q(date_to_delete=None) | Q(date_to_delete__gt=timezone.now()))
        .filter(
            authorization_grant_type__in=[
                grant.code for grant in grant_types.GRANT_TYPES if grant.uses_scopes
            ]
        )
        .filter(Q(organization=organization) | Q(id__in=[*people, *rows]))
        .select_related("organization")
    )
    return [
        _Known(client, _word(organization, rows.get(client.id)), people.get(client.id, 0))
        for client in found
    ]


def _word(organization: Organization, row: ClientAuthorization | None) -> Word:
    if row is None:
        return Word(enforced=organization.enforce_scopes)
    return Word(enforced=organization.enforce_scopes, state=row.state, scope=frozenset(row.scope))


def _app(organization: Organization, known: _Known, held_to: Iterable[str]) -> App:
    client, state = known.client, known.word.state
    return App(
        name=client.name,
        owner="" if client.organization_id == organization.id else client.organization.name,
        people=known.people,
        scopes=tuple(held_to),
        note="" if state in (None, AuthorizationState.AUTHORIZED) else AuthorizationState(state).label,
    )


def _group(title: str, apps: list[App]) -> Group:
    """Those that most people use come first."""
    named = sorted(apps, key=lambda app: (-app.people, app.name.casefold()))[:APPS_NAMED]
    return Group(title, len(apps), tuple(named))
