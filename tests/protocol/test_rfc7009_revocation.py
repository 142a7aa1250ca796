"""RFC 7009: an app gives back a token, and ASVS 10.4.10: who has a secret proves it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from accounts.models import AuditEvent
from oauthclients.models import Client, ClientSecret, ClientState, TokenFamily
from tests.cast import REDIRECT_URI, App, basic, pkce

REVOKE = "/oauth/revoke"
ME = "/api/v2/users/me"


@pytest.fixture
def service(cast) -> App:
    client, secret = cast.client(("Supervisor", cast.home))
    return App(client, secret, REDIRECT_URI)


def works(token: str, path: str = ME) -> bool:
    return Browser().get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def give_back(app: App, token: str | None, secret: str | None = None, **more: str):
    return app.post(REVOKE, {"token": token, **more}, app.secret if secret is None else secret)


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "nonsense"])
def test_either_token_signs_the_app_out(app, eve, which, hint):
    token = app.tokens(eve)
    assert works(token["access_token"])

    response = give_back(app, token[which], token_type_hint=hint)

    assert (response.status_code, response.json()) == (200, {})
    assert response["Cache-Control"] == "no-store"
    assert not works(token["access_token"])
    assert app.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"
    assert not get_access_token_model().objects.exists()
    assert not get_refresh_token_model().objects.exists()
    assert give_back(app, token[which]).status_code == 200


def test_a_token_that_was_refreshed_ends_its_successors_too(app, eve):
    first = app.tokens(eve)
    second = app.refresh(first["refresh_token"]).json()

    assert give_back(app, first["refresh_token"]).status_code == 200

    assert not works(second["access_token"])
    assert app.refresh(second["refresh_token"]).status_code == 400


def test_an_access_token_that_has_expired_still_signs_the_app_out(app, eve):
    token = app.tokens(eve)
    get_access_token_model().objects.update(expires=timezone.now() - timedelta(seconds=1))

    give_back(app, token["access_token"])

    assert app.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"


def test_other_sign_ins_go_on(app, eve, browser_of, cast):
    token, other = app.tokens(eve), app.tokens(eve)
    bens = app.tokens(browser_of(cast.ben))

    give_back(app, token["access_token"])

    assert works(other["access_token"])
    assert works(bens["access_token"])
    assert app.refresh(other["refresh_token"]).status_code == 200


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_another_clients_token_stays_and_nothing_is_told(app, eve, cast, service, which):
    token = app.tokens(eve)

    for stranger in (cast.app(name="Other"), service):
        response = give_back(stranger, token[which])
        assert (response.status_code, response.json()) == (200, {})

    assert works(token["access_token"])
    assert app.refresh(token["refresh_token"]).status_code == 200


def test_what_is_no_token_is_answered_alike(app, eve):
    code = app.allowed(eve)["code"]
    for value in ("nonsense", "x" * 5_000, "ünïcode", code):
        response = give_back(app, value)
        assert (response.status_code, response.json()) == (200, {})
    assert app.exchange(code).status_code == 200
    assert not AuditEvent.objects.filter(action="client.tokensRevoked").exists()


@pytest.mark.parametrize("form", [{}, {"token": ""}, {"token_type_hint": "access_token"}])
def test_a_missing_token_is_an_error(app, form):
    response = app.post(REVOKE, form, app.secret)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


# --- Who it is ----------------------------------------------------------------------------------


def test_the_secret_may_be_in_the_body(app, eve):
    token = app.tokens(eve)["access_token"]
    response = app.post(REVOKE, {"token": token, "client_id": app.id, "client_secret": app.secret})
    assert response.status_code == 200
    assert not works(token)


def test_a_browser_app_gives_back_its_own_token_by_its_id(app, eve):
    code = app.allowed(eve, **pkce())["code"]
    token = app.exchange(code, secret="", client_id=app.id, code_verifier="v" * 43).json()["access_token"]

    assert app.post(REVOKE, {"token": token, "client_id": app.id}).status_code == 200

    assert not works(token)


def test_an_implicit_app_does_too_and_no_other_app_for_it(cast, eve, app):
    browser_app = cast.app(name="Browser app", grant_type="implicit")
    token = browser_app.allowed(eve)["access_token"]

    assert app.post(REVOKE, {"token": token, "client_id": app.id}).status_code == 200
    assert works(token)
    assert browser_app.post(REVOKE, {"token": token, "client_id": browser_app.id}).status_code == 200
    assert not works(token)


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_what_was_given_for_a_secret_is_given_back_with_it(app, eve, which):
    token = app.tokens(eve)

    response = app.post(REVOKE, {"token": token[which], "client_id": app.id})

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert works(token["access_token"])
    assert app.refresh(token["refresh_token"]).status_code == 200


def test_a_service_must_prove_who_it_is(service, cast):
    token = cast.token(service.client, service.secret)

    response = service.post(REVOKE, {"token": token, "client_id": service.id})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert works(token, "/api/v2/users")

    assert give_back(service, token).status_code == 200
    assert not works(token, "/api/v2/users")


def test_a_wrong_secret_is_refused_whatever_else_is_right(app, eve):
    token = app.tokens(eve)["access_token"]
    gone = "11111111-1111-4111-8111-111111111111"
    for headers, form in (
        ({"Authorization": basic(app.id, "wrong")}, {}),
        ({"Authorization": basic(gone, app.secret)}, {}),
        ({"Authorization": "Basic !!!"}, {"client_id": app.id}),  # not the same as none at all
        ({}, {"client_id": app.id, "client_secret": "wrong"}),
        ({}, {"client_id": app.id, "client_secret": ""}),
        ({}, {"client_id": gone}),
        ({}, {"client_id": "nonsense"}),
        ({}, {}),
    ):
        response = Browser().post(
            REVOKE,
            urlencode({"token": token, **form}),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client"), (headers, form)
        assert response["WWW-Authenticate"].startswith("Basic ")
    assert works(token)


def test_too_many_failures_are_slowed_down(app, settings):
    settings.RATE_TOKEN_FAILURES = 2
    for _try in range(2):
        assert give_back(app, "x", secret="wrong").status_code == 401
    response = give_back(app, "x")
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


def test_a_client_that_is_off_gives_nothing_back_and_its_tokens_are_dead_anyway(app, eve):
    token = app.tokens(eve)["access_token"]
    Client.objects.filter(id=app.client.id).update(state=ClientState.DISABLED)
    assert give_back(app, token).status_code == 401
    assert not works(token)


def test_one_that_gets_no_new_tokens_may_give_the_old_ones_back(app, eve):
    token = app.tokens(eve)["access_token"]
    Client.objects.filter(id=app.client.id).update(state=ClientState.INACTIVE)
    assert works(token)
    assert give_back(app, token).status_code == 200
    assert not works(token)


# --- How it is asked ----------------------------------------------------------------------------


def test_only_a_form_in_the_body_is_read(app, eve):
    token = app.tokens(eve)["access_token"]
    headers = {"Authorization": basic(app.id, app.secret)}
    browser = Browser()
    assert browser.get(REVOKE, {"token": token}, headers=headers).status_code == 405
    answers = [
        browser.post(f"{REVOKE}?token={token}", headers=headers),
        browser.post(REVOKE, {"token": token}, headers=headers),  # multipart
        browser.post(REVOKE, {"token": token}, content_type="application/json", headers=headers),
        app.post(f"{REVOKE}?x=1", {"token": token}, app.secret),
    ]
    assert [answer.status_code for answer in answers] == [400] * 4
    assert works(token)


def test_a_repeated_token_is_refused(app):
    response = Browser().post(
        REVOKE,
        "token=a&token=b",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": basic(app.id, app.secret)},
    )
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


# --- What stays ---------------------------------------------------------------------------------


def test_it_is_one_line_of_the_audit_trail_of_the_persons_organization(app, cast, browser_of):
    token = app.tokens(browser_of(cast.eve))
    give_back(app, token["refresh_token"])
    give_back(app, token["refresh_token"])

    line = AuditEvent.objects.get(action="client.tokensRevoked")
    assert (line.organization_id, line.actor_id, line.via_id) == (cast.acme.id, cast.eve.id, app.client.id)
    assert (line.entity_id, line.after) == (app.client.id, {"tokens": 1})


def test_a_services_own_token_is_given_back_by_itself(service, cast):
    token = cast.token(service.client, service.secret)
    give_back(service, token)

    line = AuditEvent.objects.get(action="client.tokensRevoked")
    assert (line.actor_type, line.actor_id, line.via_id) == ("PC_OAUTH_CLIENT", service.client.id, None)


def test_the_family_stays_known_so_that_its_code_is_still_refused(app, eve):
    code = app.allowed(eve)["code"]
    token = app.exchange(code).json()
    give_back(app, token["access_token"])

    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert TokenFamily.objects.get().ended_at is not None


def test_the_secret_counts_as_used(app):
    give_back(app, "nonsense")
    assert ClientSecret.objects.get(client=app.client).last_used_at is not None


def test_it_can_be_asked_from_the_apps_own_page_and_read_there(app, cast):
    cast.app(name="Other", redirect_uri="https://other.example/")

    def origin_of(origin: str) -> str | None:
        response = Browser().post(
            REVOKE,
            urlencode({"token": "x", "client_id": app.id}),
            content_type="application/x-www-form-urlencoded",
            headers={"Origin": origin},
        )
        return response.get("Access-Control-Allow-Origin")

    assert origin_of("https://app.example") == "https://app.example"
    assert origin_of("https://other.example") is None
