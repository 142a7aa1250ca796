"""Twenty at once, over HTTP: one code, one refresh token, one rotation; and what is taken away while it is
being given. On PostgreSQL, where writers do not queue up by themselves."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from django.test import Client as Browser
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts.actor import system
from accounts.services import people
from oauthclients.models import Client, ClientSecret, Consent, FamilyToken, TokenFamily
from oauthclients.services import authorizations, clients, consents, explorer, secrets
from tests import cast as standing_cast
from tests.cast import PASSWORD, App, Cast, landed

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
]
THREADS = 20


@pytest.fixture
def cast(transactional_db) -> Cast:
    return standing_cast.make()


@pytest.fixture
def eve(cast) -> Browser:
    browser = Browser()
    browser.post("/sign-in/", {"email": cast.eve.email, "password": PASSWORD})
    return browser


def at_once(*works: Callable[[], object]) -> list[object]:
    """Starts them together; what each answers or raises."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        try:
            gate.wait()
            return work()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def statuses(answers: list[object]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def nothing_is_left_over() -> None:
    """Every token has its family, every family its consent, every refresh token its family and at most one
    of a family is not used up."""
    tokens = get_access_token_model().objects.filter(user__isnull=False)
    assert tokens.count() == FamilyToken.objects.count()
    families = set(TokenFamily.objects.values_list("id", flat=True))
    live = Counter(
        get_refresh_token_model().objects.filter(revoked=None).values_list("token_family", flat=True)
    )
    assert set(live) <= families
    assert all(count == 1 for count in live.values())
    ended = TokenFamily.objects.exclude(ended_at=None)
    assert not FamilyToken.objects.filter(family__in=ended).exists()
    assert not live.keys() & set(ended.values_list("id", flat=True))


def test_of_two_who_set_the_explorer_up_one_makes_it_and_both_have_it(cast):
    ada = cast.actor(cast.ada)
    made = at_once(*[lambda: explorer.set_up(actor=ada, scope=["users"])] * 2)
    assert made[0] == made[1] == explorer.found(cast.acme)


def test_of_twenty_exchanges_of_a_code_one_succeeds(cast, eve):
    app = cast.app()
    code = app.allowed(eve)["code"]
    answers = at_once(*[lambda: app.exchange(code, Browser())] * THREADS)

    assert statuses(answers) == {200: 1, 400: THREADS - 1}
    assert {a.json()["error"] for a in answers if a.status_code == 400} == {"invalid_grant"}
    # The others were replays, which end what the first one got.
    assert not get_access_token_model().objects.exists()
    assert not get_grant_model().objects.exists()
    nothing_is_left_over()


def test_twenty_refreshes_at_once_are_one(cast, eve):
    app = cast.app()
    token = app.tokens(eve)
    answers = at_once(*[lambda: app.refresh(token["refresh_token"], Browser())] * THREADS)

    assert statuses(answers) == {200: THREADS}
    assert len({a.json()["access_token"] for a in answers}) == 1
    assert len({a.json()["refresh_token"] for a in answers}) == 1
    assert get_access_token_model().objects.count() == 2
    nothing_is_left_over()


def test_of_twenty_rotations_of_a_secret_one_stays(cast):
    client, _secret = cast.client(("Supervisor", cast.home))
    current = client.secrets.get().id
    actor = cast.actor(cast.ada)
    answers = at_once(
        *[lambda: secrets.generate(actor=actor, client_id=client.id, replacing=current)] * THREADS
    )
    made = [answer for answer in answers if isinstance(answer, secrets.PlainSecret)]
    assert len(made) == 1
    assert ClientSecret.objects.filter(client=client).count() == 1
    assert cast.token(client, made[0].reveal())


def exchange_while(app: App, eve: Browser, taken_away: Callable[[], object]) -> dict[str, str] | None:
    """Exchanges a code while something is taken away; the token, if there was one. Neither fails."""
    code = app.allowed(eve)["code"]
    exchange, other = at_once(lambda: app.exchange(code, Browser()), taken_away)
    assert not isinstance(other, Exception), other
    assert exchange.status_code in (200, 400, 401), exchange
    return exchange.json() if exchange.status_code == 200 else None


def works(token: dict[str, str]) -> bool:
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    return Browser().get("/api/v2/users/me", headers=headers).status_code == 200


@pytest.mark.parametrize("round", range(5))
def test_what_a_person_takes_back_while_it_is_given_is_taken_back(cast, eve, round):
    app = cast.app()
    app.allowed(eve)
    consent, actor = Consent.objects.get().id, cast.actor(cast.eve)
    token = exchange_while(app, eve, lambda: consents.revoke(actor=actor, consent_id=consent))
    assert token is None or not works(token)
    assert not TokenFamily.objects.exists()
    assert not get_refresh_token_model().objects.exists()
    nothing_is_left_over()


@pytest.mark.parametrize("round", range(5))
def test_what_the_organization_revokes_while_it_is_given_is_revoked(cast, eve, round):
    app = cast.app()
    actor = cast.actor(cast.ada)
    token = exchange_while(app, eve, lambda: authorizations.revoke(actor=actor, client_id=app.client.id))
    assert token is None or not works(token)
    nothing_is_left_over()


@pytest.mark.parametrize("round", range(5))
def test_a_client_that_is_deleted_while_it_is_given_a_token_is_deleted(cast, eve, round):
    app = cast.app()
    actor = cast.actor(cast.ada)
    token = exchange_while(app, eve, lambda: clients.delete(actor=actor, client_id=app.client.id))
    assert token is None or not works(token)
    assert not Client.objects.filter(id=app.client.id).exists()
    assert not Consent.objects.exists()
    assert not get_access_token_model().objects.exists()
    nothing_is_left_over()


def test_a_secret_is_rotated_and_its_tokens_revoked_while_codes_are_exchanged(cast, eve):
    app = cast.app()
    actor = cast.actor(cast.ada)
    token = exchange_while(
        app,
        eve,
        lambda: secrets.generate(actor=actor, client_id=app.client.id, revoke_tokens=True),
    )
    assert token is None or not works(token)
    nothing_is_left_over()


@pytest.mark.parametrize("round", range(5))
def test_a_rotation_and_a_revocation_do_not_wait_for_each_other(cast, eve, round):
    app = cast.app()
    app.tokens(eve)
    actor = cast.actor(cast.ada)
    answers = at_once(
        lambda: secrets.generate(actor=actor, client_id=app.client.id, revoke_tokens=True),
        lambda: authorizations.revoke(actor=actor, client_id=app.client.id),
        lambda: app.ask(eve),
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    nothing_is_left_over()


@pytest.mark.parametrize("round", range(5))
@pytest.mark.parametrize("way", ["password", "state"])
def test_what_is_given_while_a_person_is_locked_out_is_dead(cast, eve, way, round):
    """Of an old session, nothing survives a new password or a deactivation, whatever was on its way."""
    app = cast.app()
    app.allowed(eve)
    acting = system(cast.acme)

    def browse() -> str:
        browser = Browser()
        browser.cookies = eve.cookies.copy()
        answer = app.ask(browser)
        return landed(answer, app.redirect_uri).get("code", "") if answer.status_code == 303 else ""

    def lock_out() -> str:
        if way == "password":
            people.set_password(actor=acting, user=cast.eve, password="another long password")
        else:
            for version, state in ((1, "inactive"), (2, "active")):
                people.change(actor=acting, user_id=cast.eve.id, version=version, values={"state": state})
        return ""

    answers = at_once(*[browse] * 6, lock_out)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    for code in filter(None, answers):
        assert app.exchange(code).status_code == 400
    nothing_is_left_over()


def test_twenty_yeses_at_once_are_one_consent(cast, eve):
    app = cast.app()
    page = app.ask(eve)
    address, shown = app.address(), page.context["shown"]

    def say_yes() -> object:
        browser = Browser()
        browser.cookies = eve.cookies
        return browser.post(address, {"decision": "allow", "shown": shown})

    answers = at_once(*[say_yes] * THREADS)
    assert statuses(answers) == {303: THREADS}
    assert Consent.objects.count() == 1
    assert TokenFamily.objects.count() == THREADS
    assert get_grant_model().objects.count() == THREADS
