"""What is explained and what the API answers are the same, refusal code for refusal code.

Two hundred cases, made from the rows of test_routes.py by a seed: a client of its own or an app for a person,
with some permissions somewhere, some scopes in each of the three places, and sometimes a token or a party that
has ended. Each is asked and then called, and undone, in one database.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections import Counter
from datetime import timedelta

from django.db import transaction
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts import rates
from accounts.models import Organization, User
from accounts.permissions import CATALOGUE
from oauthclients import scopes
from oauthclients.api.route_names import template
from oauthclients.explain import answer as answers
from oauthclients.explain import changes
from oauthclients.explain.question import Asked, read
from oauthclients.models import Client, ClientAuthorization
from oauthclients.resource_server.guard import Where
from oauthclients.resource_server.refused import TOO_MANY
from oauthclients.services import tokens
from tests.cast import Cast
from tests.tables.test_routes import CALLED, Row, World, _handlers

CASES = 200
SEED = 20_7
# Every code that the decision can give. SCIM's errors have none: there the status and the sentence tell.
CODES = {
    "",
    "app.not.authorized.for.scope",
    "authz.policy.denied",
    "bad.credentials",
    "bad.request",
    "method.not.allowed",
    "missing.any.division.permissions",
    "missing.any.permissions",
    "missing.division.permission",
    "missing.permissions",
    "not.authorized",
    "not.found",
    TOO_MANY,
}
# Of what ends a token, each way once in so many cases.
ENDS = ("expired", "idle", "client disabled", "client pending", "organization", "person", "signed out")
NARROWED = ("token", "authorization", "client")
SAID = ("Requested", "Revoked", "Unauthorized", None)


class _UndoneError(Exception):
    """Takes back what a case has done."""


@dataclasses.dataclass
class Case:
    """What was drawn. `needs` is what the request of the row asks for, one set of those that are enough."""

    number: int
    row: Row
    app: bool
    needs: tuple[str, ...]
    permissions: tuple[str, ...]
    division: str | None
    others: tuple[str, ...]
    narrowed: str
    end: str
    said: str | None
    limited: bool
    enforced: bool
    strange: str


def drawn(number: int, chance: random.Random) -> Case:
    """Half of the cases have what the call needs, as far as permissions go; some of these have it elsewhere.
    Which of the rarer things happen is by number, so that each of them does whatever rows there are."""
    rows = CALLED
    match number % 10:
        case 3:  # one of several permissions
            rows = [row for row in CALLED if row.divided and len(row.permissions) > 1 and not row.every]
        case 6:  # each of several
            rows = [row for row in CALLED if row.every]
        case 8:  # what clients cannot ask, every other time
            about_me = number % 20 == 8
            rows = [
                row
                for row in CALLED
                if row.route.startswith("users/me") == about_me and (about_me or row.divided)
            ]
        case 9:
            rows = [row for row in CALLED if row.divided or (row.scim and row.target)]
    row = chance.choice(rows)
    app = number % 2 == 1
    needs = chance.choice(row.sufficient)
    nearly = tuple(sorted(CATALOGUE.keys() - set(row.permissions) - set(row.enough)))
    held = chance.choice([needs, needs, nearly, needs[1:]])
    elsewhere = number % 10 == 3
    if elsewhere:
        held = tuple(name for name in row.permissions if CATALOGUE[name].division_aware)
    covered = {scope.removesuffix(":readonly") for scope in row.scopes}
    return Case(
        number=number,
        row=row,
        app=app,
        needs=needs,
        permissions=held,
        division="West" if elsewhere else chance.choice([row.where, row.where, "West", None]),
        others=tuple(name for name in scopes.CATALOGUE if name.removesuffix(":readonly") not in covered),
        narrowed=chance.choice(["", "", "", *NARROWED]) if app and not elsewhere else "",
        end=ENDS[number // 11 % len(ENDS)] if number % 11 == 0 else "",
        said=SAID[number // 13 % len(SAID)] if app and number % 13 == 0 else "Authorized",
        limited=app and number % 9 == 0,
        enforced=not (app and number % 7 == 0),
        strange=("path", "method")[number // 17 % 2] if number % 17 == 0 else "",
    )


class Stage(World):
    """What a case is played on."""

    def __init__(self, cast: Cast) -> None:
        super().__init__(cast)
        self.dora = cast.person("Dora", cast.home)
        self.app, _secret = cast.client(
            name="App",
            grant_type="authorization-code",
            redirect_uris=("https://a.example/",),
            scope=("users",),
        )

    def headers(self, case: Case) -> dict[str, str]:
        places = {"East": self.cast.east, "Home": self.cast.home, "West": self.cast.west, None: None}
        if not case.app:
            return self.caller(*case.permissions, division=places[case.division])
        pairs = [("Employee", self.cast.home)]
        if case.permissions:
            role = self.cast.custom_role("Doras", *case.permissions)
            pairs.append((role.name, places[case.division]))
        self.cast.give(self.dora, *pairs)
        everything = tuple(scopes.CATALOGUE)
        given = dict.fromkeys(("token", "authorization", "client"), everything)
        if case.narrowed:
            given[case.narrowed] = case.others
        Client.objects.filter(id=self.app.id).update(scope=list(given["client"]))
        said = ClientAuthorization.objects.filter(client=self.app)
        if case.said is None:
            said.delete()
        limit = [str(self.cast.role("Supervisor").id)] if case.limited else []
        said.update(state=case.said or "", scope=list(given["authorization"]), roles=limit)
        Organization.objects.filter(id=self.cast.acme.id).update(enforce_scopes=case.enforced)
        self.calling = self.dora.id
        return self.cast.acting_for(self.dora, self.app, *given["token"])

    def end(self, case: Case, token: object) -> None:
        rows = get_access_token_model().objects.filter(pk=token.pk)
        clients = Client.objects.filter(id=token.application_id)
        people = User.objects.filter(id=token.user_id)
        now = timezone.now()
        match case.end:
            case "expired":
                rows.update(expires=now - timedelta(seconds=1))
            case "idle":
                rows.update(updated=now - timedelta(hours=1), created=now - timedelta(hours=2))
                Organization.objects.filter(id=self.cast.acme.id).update(
                    idle_timeout_enabled=True, idle_timeout_seconds=600, idle_since=now - timedelta(days=1)
                )
            case "client disabled":
                clients.update(state="disabled")
            case "client pending":
                clients.update(state="inactive", date_to_delete=now + timedelta(days=7))
            case "organization":
                Organization.objects.filter(id=self.cast.acme.id).update(active=False)
            case "person":
                people.update(state="inactive")
            case "signed out":
                people.update(not_before=now + timedelta(seconds=1))


def place_of(case: Case) -> tuple[str, str]:
    """The method and address that are asked about: of the row by its name, but for the strange ones."""
    if case.strange == "path":
        return "GET", "/api/v2/users/me/nothing/at/all"
    if case.strange == "method":
        return "DELETE", "/api/v2/oauth/scopes"
    return case.row.method, f"/api/v2{template(case.row.route)}"


def asked(stage: Stage, case: Case, token: object) -> Asked:
    """As an administrator would ask: with the division of the thing, where it counts, and, where each part
    of a request asks for its own permission, with that of this one."""
    row, (method, path) = case.row, place_of(case)
    where = _handlers()[row.method, row.route].requirement.where
    there = where in (Where.ASKED, Where.HIDDEN) or (row.scim and row.enough and row.method == "POST")
    place = {"East": stage.cast.east, "Home": stage.cast.home}[row.where]
    return Asked(
        token_id=str(token.pk),
        method=method,
        path=path,
        permissions=row.enough if row.scim and row.method != "GET" and not case.strange else (),
        division_id=str(place.id) if there and not case.strange else "",
    )


def called(stage: Stage, case: Case, headers: dict[str, str]):
    if case.strange:
        method, path = place_of(case)
        return Browser(raise_request_exception=False).generic(method, path, headers=headers)
    if case.row.trusted:
        stage.nobody_may_more()
    if case.needs == ("sso:provider:edit",) and case.row.method == "PUT" and not case.row.target:
        stage.provider(stage.cast.acme, case.row.route.split("/")[1])  # else it would be added
    return stage.call(case.row, headers)


def expected(row: Row, *, app: bool) -> int:
    """Of a call that is allowed. Apps have the person whom clients lack."""
    for_apps = {"users/me": 200, "users/me/password": 204}
    return for_apps.get(row.route, row.success) if app else row.success


def test_a_token_that_has_used_up_its_minute(cast, settings):
    settings.RATE_API_PER_TOKEN = 2
    headers = cast.bearer(("Supervisor", cast.home))
    token = get_access_token_model().objects.get()
    question = read(cast.actor(cast.ada), Asked(token_id=str(token.pk), path="/api/v2/users"))
    for _call in range(2):
        assert answers.answer(question).allowed  # and asking counts nothing
        assert Browser().get("/api/v2/users", headers=headers).status_code == 200
    explained, answered = answers.answer(question), Browser().get("/api/v2/users", headers=headers)
    assert (explained.status, explained.code) == (answered.status_code, answered.json()["code"])
    assert explained.code == TOO_MANY


def test_what_is_explained_is_what_the_api_answers(cast):
    """All disagreements at once: each says what was asked, explained and answered."""
    chance, stage = random.Random(SEED), Stage(cast)
    told, wrong = Counter(), []
    for number in range(CASES):
        case = drawn(number, chance)
        try:
            with transaction.atomic():
                code, disagreement = _tried(cast, stage, case)
                raise _UndoneError
        except _UndoneError:
            told[code] += 1
            if disagreement:
                wrong.append(f"{number} {case.row}: {disagreement} {dataclasses.replace(case, others=())}")
        rates.forget()
    assert not wrong, "\n".join(wrong)
    assert told.keys() == CODES - {TOO_MANY}, told
    assert told[""] >= 40, told


def _tried(cast: Cast, stage: Stage, case: Case) -> tuple[str, str]:
    """The code that is explained, and how that differs from what is answered."""
    headers = stage.headers(case)
    token = get_access_token_model().objects.get(
        token_checksum=tokens.digest(headers["Authorization"].removeprefix("Bearer "))
    )
    stage.end(case, token)
    system = dataclasses.replace(cast.actor(cast.ada))
    explained = answers.answer(read(system, asked(stage, case, token)))
    first = next((one.code for one in explained.unmet), "")
    if first != explained.code:
        return explained.code, f"its first unmet condition says {first!r} and its code {explained.code!r}"
    if bool(changes.needed(system, explained)) == explained.allowed:
        return explained.code, "it names a change for what is allowed, or none for what is not"
    answered = called(stage, case, headers)
    if explained.allowed:
        wanted = expected(case.row, app=case.app)
        same = answered.status_code == wanted
        return (
            "",
            "" if same else f"explained {wanted}, answered {answered.status_code} {answered.content[:300]}",
        )
    body = answered.json()
    found = (answered.status_code, body.get("code", explained.code))
    if found != (explained.status, explained.code):
        return explained.code, f"explained {explained.status} {explained.code}, answered {found} {body}"
    said = body.get("message") or body["detail"]
    words = [set(re.findall(r"[\w:]+", text)) for text in (said, explained.message)]
    if words[0] != words[1] and explained.status == 403 and not case.row.scim:
        return explained.code, f"explained {explained.message!r}, answered {said!r}"
    return explained.code, ""
