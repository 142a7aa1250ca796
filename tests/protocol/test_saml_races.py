"""One assertion in ten processes' hands at once, and what is taken away while a token is given for one. On
PostgreSQL, where writers do not queue up by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from oauth2_provider.models import get_access_token_model

from accounts.actor import system
from accounts.models import AuditEvent, ProviderSession, UsedAssertion
from accounts.services import identity_providers, people
from oauthclients.models import Client, Consent, TokenFamily
from oauthclients.services import authorizations, clients, consents, secrets
from tests import cast as standing_cast
from tests.accounts.sign_in.test_sso import answered, start, whoever
from tests.cast import Cast
from tests.protocol.test_races import at_once, nothing_is_left_over, statuses, works
from tests.saml import IdP, SamlApp, pair

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
]
AT_ONCE = 10
rounds = pytest.mark.parametrize("round", range(5))
known = pytest.mark.parametrize("known", [False, True], ids=["first time", "known"])


@pytest.fixture
def cast(transactional_db) -> Cast:
    return standing_cast.make()


@pytest.fixture
def app(cast) -> SamlApp:
    return SamlApp.at_acme(cast)


@rounds
@known
def test_of_ten_at_once_one_gets_a_token(app, round, known):
    if known:
        app.bearer()
    before = get_access_token_model().objects.count()
    assertion = app.idp.assertion()
    answers = at_once(*[lambda: app.sends(assertion)] * AT_ONCE)

    assert statuses(answers) == {200: 1, 400: AT_ONCE - 1}
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}
    assert get_access_token_model().objects.count() == before + 1
    assert UsedAssertion.objects.count() == before + 1
    assert Consent.objects.count() == 1
    lines = AuditEvent.objects.filter(action="app.assertionRefused")
    assert [line.after["reason"] for line in lines] == ["used"] * (AT_ONCE - 1)
    nothing_is_left_over()


@rounds
def test_nor_for_two_apps_or_two_wrappings_of_it(cast, app, round):
    other = SamlApp.at_acme(cast, name="Other app")
    assertion = app.idp.assertion()
    in_lines = b"\n" + assertion + b"\n"
    works = [
        lambda: app.sends(assertion),
        lambda: app.sends(in_lines),
        lambda: other.sends(assertion),
        lambda: other.sends(in_lines),
    ]
    assert statuses(at_once(*works * 3)) == {200: 1, 400: 11}
    assert get_access_token_model().objects.count() == 1


@rounds
def test_ten_assertions_about_one_person_are_ten_tokens_and_one_consent(app, round):
    assertions = [app.idp.assertion() for _ in range(AT_ONCE)]
    answers = at_once(*[lambda one=one: app.sends(one) for one in assertions])
    assert statuses(answers) == {200: AT_ONCE}
    assert Consent.objects.count() == 1
    assert TokenFamily.objects.count() == AT_ONCE
    assert AuditEvent.objects.filter(action="app.assertionAccepted").count() == 1
    nothing_is_left_over()


@rounds
def test_ten_assertions_about_ten_people_do_not_wait_for_each_other_forever(cast, app, round):
    emails = [cast.person(f"Person {number}", cast.home).email for number in range(AT_ONCE)]
    assertions = [app.idp.assertion(email=email) for email in emails]
    assert statuses(at_once(*[lambda one=one: app.sends(one) for one in assertions])) == {200: AT_ONCE}


def exchange_while(app: SamlApp, *taken_away: Callable[[], object]) -> dict[str, str] | None:
    """Exchanges an assertion while something is taken away; the token, if there was one. None fails."""
    assertion = app.idp.assertion()
    exchange, *others = at_once(lambda: app.sends(assertion), *taken_away)
    assert not [other for other in others if isinstance(other, Exception)], others
    assert exchange.status_code in (200, 400, 401), exchange
    nothing_is_left_over()
    return exchange.json() if exchange.status_code == 200 else None


@rounds
@known
def test_a_person_who_is_deactivated_meanwhile(cast, app, round, known):
    if known:
        app.bearer()

    def deactivate() -> None:
        people.change(actor=system(cast.acme), user_id=cast.eve.id, version=1, values={"state": "inactive"})

    token = exchange_while(app, deactivate)
    assert token is None or not works(token)
    # Nor when they come back: what was given before the end stays ended.
    people.change(actor=system(cast.acme), user_id=cast.eve.id, version=2, values={"state": "active"})
    assert token is None or not works(token)


@rounds
def test_a_person_who_is_deleted_meanwhile(cast, app, round):
    actor = cast.actor(cast.ada)
    token = exchange_while(app, lambda: people.delete(actor=actor, user_id=cast.eve.id))
    assert token is None or not works(token)


@rounds
@known
def test_an_authorization_that_is_revoked_meanwhile(cast, app, round, known):
    if known:
        app.bearer()
    actor = cast.actor(cast.ada)
    token = exchange_while(app, lambda: authorizations.revoke(actor=actor, client_id=app.client.id))
    assert token is None or not works(token)
    authorizations.approve(actor=actor, client_id=app.client.id, scope=["users", "user-basic-info"])
    assert token is None or not works(token)


@rounds
def test_what_the_person_takes_back_meanwhile(cast, app, round):
    app.bearer()
    consent, actor = Consent.objects.get().id, cast.actor(cast.eve)
    token = exchange_while(app, lambda: consents.revoke(actor=actor, consent_id=consent))
    # An assertion that comes after begins anew, as a sign-in would.
    assert Consent.objects.count() == (1 if token and works(token) else 0)


@rounds
def test_a_client_that_is_disabled_meanwhile(cast, app, round):
    actor = cast.actor(cast.ada)
    token = exchange_while(
        app, lambda: clients.set_enabled(actor=actor, client_id=app.client.id, enabled=False)
    )
    assert token is None or not works(token)


@rounds
@known
def test_a_client_that_is_deleted_meanwhile(cast, app, round, known):
    if known:
        app.bearer()
    actor = cast.actor(cast.ada)
    token = exchange_while(app, lambda: clients.delete(actor=actor, client_id=app.client.id))
    assert token is None or not works(token)
    assert not Client.objects.filter(id=app.client.id).exists()
    assert not get_access_token_model().objects.exists()


@rounds
@known
def test_a_secret_that_is_replaced_meanwhile_and_its_tokens_revoked(cast, app, round, known):
    if known:
        app.bearer()
    actor = cast.actor(cast.ada)
    token = exchange_while(
        app, lambda: secrets.generate(actor=actor, client_id=app.client.id, revoke_tokens=True)
    )
    assert token is None or not works(token)


@rounds
@pytest.mark.parametrize("way", ["off", "not accepted", "another certificate", "deleted"])
def test_a_provider_that_is_no_longer_believed_meanwhile(cast, app, round, way):
    """What it vouched for before stays, and nothing comes after."""

    def stop() -> None:
        actor, provider = system(cast.acme), app.provider.id
        if way == "deleted":
            identity_providers.delete(actor=actor, provider_id=provider)
            return
        values: dict[str, object] = {
            "off": {"enabled": False},
            "not accepted": {"accept_bearer": False},
            "another certificate": {"certificates": (pair(which="other").certificate,)},
        }[way]
        identity_providers.change(
            actor=actor, provider_id=provider, spec=lambda was: replace(was, **values)
        )

    token = exchange_while(app, stop)
    assert get_access_token_model().objects.count() == UsedAssertion.objects.count() == bool(token)
    assert app.asks().status_code == 400


def test_a_provider_that_is_set_up_again_meanwhile_forgets_nothing(cast, app):
    assertion = app.idp.assertion()
    assert app.sends(assertion).status_code == 200

    def again() -> None:
        actor = system(cast.acme)
        identity_providers.delete(actor=actor, provider_id=app.provider.id)
        IdP().provider(cast.acme)

    answers = at_once(*[lambda: app.sends(assertion)] * 5, again)
    assert statuses(answers[:5]) == {400: 5}
    assert answers[5] is None
    assert app.sends(assertion).status_code == 400


@rounds
def test_all_of_it_at_once_fails_nowhere(cast, app, round):
    """Whatever the order of locks, nobody waits for whoever waits for them."""
    app.bearer()
    ada, eve = cast.actor(cast.ada), cast.actor(cast.eve)
    consent = Consent.objects.get().id
    assertions = [app.idp.assertion() for _ in range(4)]
    answers = at_once(
        *[lambda one=one: app.sends(one) for one in assertions],
        lambda: consents.revoke(actor=eve, consent_id=consent),
        lambda: authorizations.revoke(actor=ada, client_id=app.client.id),
        lambda: secrets.generate(actor=ada, client_id=app.client.id, revoke_tokens=True),
        lambda: people.change(
            actor=system(cast.acme), user_id=cast.eve.id, version=1, values={"state": "inactive"}
        ),
        lambda: Browser().get("/api/v2/users/me"),
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    assert not any(answer.status_code == 200 and works(answer.json()) for answer in answers[:4])
    nothing_is_left_over()


# --- Signing in ----------------------------------------------------------------------------------


@rounds
@pytest.mark.parametrize("how", ["off", "deleted"])
def test_a_provider_that_goes_while_somebody_signs_in_leaves_no_session(cast, how, round):
    idp = IdP(recipient=f"{settings.BASE_URL}/saml")
    provider = idp.provider(cast.acme)
    browsers = [Browser() for _ in range(4)]
    on_the_way = [answered(browser, idp.assertion(wrap=True)) for browser in browsers]

    def go() -> None:
        if how == "off":
            identity_providers.change(
                actor=system(cast.acme),
                provider_id=provider.id,
                spec=lambda was: replace(was, enabled=False),
            )
        else:
            identity_providers.delete(actor=system(cast.acme), provider_id=provider.id)

    finishing = [
        lambda browser=browser, there=there: browser.get(there["Location"])
        for browser, there in zip(browsers, on_the_way, strict=True)
    ]
    more = Browser()
    starting = [
        lambda: more.get(f"/sign-in/with/{provider.id}/"),
        lambda: answered(Browser(), idp.assertion(wrap=True)),
    ]
    answers = at_once(*finishing, go, *starting)

    assert all(answer is None or answer.status_code < 500 for answer in answers), answers
    assert [whoever(browser) for browser in browsers] == [None] * 4
    assert not ProviderSession.objects.exists()


@rounds
def test_of_many_at_once_an_answer_and_its_end_count_once(cast, round):
    idp = IdP(recipient=f"{settings.BASE_URL}/saml")
    provider = idp.provider(cast.acme)
    browser = Browser()
    request = start(browser, provider)
    assertion = idp.assertion(in_response_to=request.get("ID"), wrap=True)
    answers = at_once(*[lambda: answered(Browser(), assertion)] * 6)
    assert statuses(answers) == {303: 1, 400: 5}
    (there,) = {answer["Location"] for answer in answers if answer.status_code == 303}
    copies = [Browser() for _ in range(6)]
    for copy in copies:
        copy.cookies.update(browser.cookies)
    assert statuses(at_once(*[lambda copy=copy: copy.get(there) for copy in copies])) == {302: 1, 400: 5}
    assert ProviderSession.objects.count() == 1
