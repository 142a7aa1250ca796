"""RFC 6749 2.3, 3.2, 4.4, 5.1 and 5.2 for client credentials, the answers of wire contract B, and the
traps of django-oauth-toolkit that lie on this path, each named by what must not happen."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from oauthclients.models import Client, ClientSecret, ClientState
from oauthclients.services import clients, secrets
from tests.cast import basic, token_request
from tests.standing import standing

FORM = "application/x-www-form-urlencoded"
FAILED = {
    "error": "invalid_client",
    "description": "authentication failed",
    "error_description": "authentication failed",
}


@standing
def registered(cast):
    client, secret = cast.client(("Supervisor", cast.home), by=cast.ada, token_seconds=777)
    return client, secret


def post(body="grant_type=client_credentials", **kwargs):
    if isinstance(body, dict):
        body = urlencode(body)
    return Browser().post("/oauth/token", body, content_type=kwargs.pop("content_type", FORM), **kwargs)


def with_basic(client, secret, body="grant_type=client_credentials", scheme=None):
    header = basic(str(client.client_id), secret)
    if scheme:
        header = header.replace("Basic", scheme)
    return post(body, headers={"Authorization": header})


# --- 4.4 and 5.1: the answer ---------------------------------------------------------------------


def test_a_token_is_bearer_in_lower_case_with_the_clients_own_duration(registered):
    response = with_basic(*registered)

    assert response.status_code == 200
    answer = response.json()
    assert answer.keys() == {"access_token", "token_type", "expires_in"}
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 777)
    assert response["Content-Type"] == "application/json"
    assert (response["Cache-Control"], response["Pragma"]) == ("no-store", "no-cache")


def test_the_stored_token_ends_when_the_answer_says(registered):
    with_basic(*registered)

    token = get_access_token_model().objects.get()
    assert abs(token.expires - timezone.now() - timedelta(seconds=777)) < timedelta(seconds=60)


def test_a_token_is_safe_in_an_address_and_kept_only_as_a_hash(registered):
    value = with_basic(*registered).json()["access_token"]

    token = get_access_token_model().objects.get()
    assert set(value) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
    assert len(value) >= 43
    assert token.token_checksum == hashlib.sha256(value.encode()).hexdigest()
    assert value not in token.token


def test_there_is_no_refresh_token(registered):
    assert "refresh_token" not in with_basic(*registered).json()


def test_unknown_parameters_and_a_scope_change_nothing(registered):
    """Power BI sends OrgName; a scope does not apply to client credentials."""
    response = with_basic(*registered, "grant_type=client_credentials&OrgName=acme&scope=users")

    assert response.json().keys() == {"access_token", "token_type", "expires_in"}
    assert get_access_token_model().objects.get().scope == ""


# --- 2.3.1: client authentication ----------------------------------------------------------------


def test_the_credentials_may_be_in_the_body(registered):
    client, secret = registered

    response = post(
        {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": secret}
    )

    assert response.status_code == 200


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc"])
def test_trap_6_the_scheme_is_compared_without_regard_to_case(registered, scheme):
    assert with_basic(*registered, scheme=scheme).status_code == 200


def test_trap_6_a_refusal_challenges_with_the_scheme_that_works(registered):
    response = with_basic(registered[0], "wrong")

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("sent_in_header", ["right", "wrong"])
def test_trap_5_two_ways_of_authentication_at_once_are_refused(registered, sent_in_header):
    client, secret = registered

    response = with_basic(
        client,
        secret if sent_in_header == "right" else "wrong",
        f"grant_type=client_credentials&client_id={client.client_id}&client_secret={secret}",
    )

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_the_id_may_be_repeated_in_the_body_but_not_another_one(registered):
    client, secret = registered

    same = with_basic(client, secret, f"grant_type=client_credentials&client_id={client.client_id}")
    other = with_basic(client, secret, "grant_type=client_credentials&client_id=other")

    assert same.status_code == 200
    assert (other.status_code, other.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic ", "Basic !!!", "Basic bm9jb2xvbg==", "Basic /////w==", "Basic Og=="],
)
def test_credentials_that_cannot_be_read_are_a_failed_authentication(db, header):
    response = post(headers={"Authorization": header})

    assert (response.status_code, response.json()) == (401, FAILED)


def test_a_bearer_token_does_not_authenticate_a_client(registered):
    response = post(headers={"Authorization": "Bearer something"})

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_no_credentials_at_all_are_a_failed_authentication(db):
    assert (post().status_code, post().json()) == (401, FAILED)


# --- What cannot be told apart -------------------------------------------------------------------


def unknown_ids(client):
    return [
        "00000000-0000-4000-8000-000000000000",
        "00000000-0000-0000-0000-000000000000",
        "not-an-id",
        "",
        "a\x00b",
        str(client.client_id).upper(),
        "{" + str(client.client_id) + "}",
        "ü",
    ]


def test_an_unknown_client_and_a_wrong_secret_are_answered_alike(registered):
    client, secret = registered
    wrong = with_basic(client, "wrong")

    for client_id in unknown_ids(client):
        response = post(headers={"Authorization": basic(client_id, secret)})
        assert (response.status_code, response.content) == (wrong.status_code, wrong.content), client_id
        assert response["WWW-Authenticate"] == wrong["WWW-Authenticate"]


def test_trap_4_an_unknown_client_and_a_wrong_secret_cost_the_same_work(registered):
    """The same statement, which finds no row either way; bench/client_enumeration.py times them."""
    client, _secret = registered

    def work(client_id):
        statements = []

        def note(execute, sql, params, many, context):
            statements.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            post(headers={"Authorization": basic(client_id, "wrong")})
        return statements

    known = work(client.client_id)
    assert len(known) == 1
    for client_id in unknown_ids(client):
        assert work(client_id) == known, client_id


# --- Secrets at rest -----------------------------------------------------------------------------


def test_traps_1_to_3_what_is_stored_does_not_log_in(registered):
    client, secret = registered
    stored = bytes(ClientSecret.objects.get(client=client).digest)

    assert secret.encode() not in stored
    assert len(stored) == 32
    for guess in (stored.hex(), stored.decode("latin-1"), "", "lks_", secret[:-1], secret + "a"):
        assert with_basic(client, guess).status_code == 401


def test_a_database_copied_to_a_server_with_another_key_accepts_no_secret(registered, settings):
    settings.CLIENT_SECRET_KEY = "another key"

    assert with_basic(*registered).status_code == 401


def test_no_caller_chooses_a_secret(registered, cast):
    """256 bits from the operating system, every time."""
    made = {
        secrets.generate(actor=cast.actor(cast.ada), client_id=registered[0].id).reveal() for _ in range(3)
    }

    assert len(made) == 3
    assert all(len(secret) == len("lks_") + 43 for secret in made)


def test_a_replaced_secret_works_until_its_time_and_the_new_one_beside_it(registered, cast, time_machine):
    client, old = registered
    new = secrets.generate(
        actor=cast.actor(cast.ada), client_id=client.id, overlap=timedelta(hours=1)
    ).reveal()

    assert with_basic(client, old).status_code == with_basic(client, new).status_code == 200
    time_machine.move_to(timezone.now() + timedelta(hours=1, seconds=1))
    assert with_basic(client, old).status_code == 401
    assert with_basic(client, new).status_code == 200


def test_at_most_two_secrets_work_at_a_time(registered, cast):
    client, first = registered
    ada = cast.actor(cast.ada)
    second = secrets.generate(actor=ada, client_id=client.id, overlap=timedelta(days=7)).reveal()
    third = secrets.generate(actor=ada, client_id=client.id, overlap=timedelta(days=7)).reveal()

    assert [with_basic(client, s).status_code for s in (first, second, third)] == [401, 200, 200]


# --- 3.2 and 5.2: bad requests -------------------------------------------------------------------


@pytest.mark.parametrize("repeated", ["grant_type=client_credentials", "client_id=x", "anything=1"])
def test_trap_7_no_parameter_comes_twice(registered, repeated):
    response = with_basic(*registered, f"grant_type=client_credentials&{repeated}&{repeated}")

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "grant_type",
    [
        "urn:ietf:params:oauth:grant-type:device_code",
        "password",
        "unknown",
        "implicit",
        "CLIENT_CREDENTIALS",
    ],
)
def test_trap_8_a_grant_that_is_not_offered_is_named_as_such(registered, grant_type):
    response = with_basic(*registered, f"grant_type={grant_type}")

    assert (response.status_code, response.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("body", ["", "grant_type=", "foo=bar"])
def test_a_missing_grant_type_is_an_invalid_request(registered, body):
    response = with_basic(*registered, body)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_a_client_of_another_grant_type_may_not_use_this_grant(cast):
    from oauthclients.rules.client_spec import ClientSpec

    client, secret = clients.create(
        actor=cast.actor(cast.ada),
        spec=ClientSpec(
            "Web", "authorization-code", redirect_uris=("https://a.example/cb",), scope=("users",)
        ),
    )

    response = with_basic(client, secret.reveal())

    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")


def test_nothing_is_read_from_the_address(registered):
    client, secret = registered

    response = Browser().post(
        f"/oauth/token?grant_type=client_credentials&client_id={client.client_id}&client_secret={secret}",
        "",
        content_type=FORM,
    )

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "text/plain"])
def test_only_a_form_is_read(registered, content_type):
    response = post(
        '{"grant_type": "client_credentials"}',
        content_type=content_type,
        headers={"Authorization": basic(registered[0].client_id, registered[1])},
    )

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("charset", ["latin-1", "utf-7", "utf-16"])
def test_another_charset_is_an_invalid_request(registered, charset):
    response = post(
        content_type=f"{FORM}; charset={charset}",
        headers={"Authorization": basic(registered[0].client_id, registered[1])},
    )

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_a_large_body_is_refused_before_it_is_read(registered):
    response = with_basic(*registered, "grant_type=client_credentials&x=" + "a" * 600_000)

    assert (response.status_code, response.json()["error"]) == (413, "invalid_request")


@pytest.mark.parametrize("method", ["get", "put", "delete", "head", "options"])
def test_only_post_gets_an_answer(db, method):
    response = getattr(Browser(), method)("/oauth/token")

    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_every_error_has_the_three_keys_and_is_not_kept_by_a_cache(registered):
    for response in (
        with_basic(registered[0], "wrong"),
        with_basic(*registered, "grant_type=password"),
        with_basic(*registered, ""),
        Browser().get("/oauth/token"),
    ):
        body = response.json()
        assert body.keys() == {"error", "description", "error_description"}
        assert body["description"] == body["error_description"]
        assert response["Cache-Control"] == "no-store"


# --- The client's state --------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ClientState.INACTIVE, ClientState.DISABLED])
def test_a_client_that_is_not_active_gets_no_token(registered, state):
    client, secret = registered
    Client.objects.filter(id=client.id).update(state=state)

    response = with_basic(client, secret)

    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")
    # Whoever does not know the secret is not told.
    assert with_basic(client, "wrong").json() == FAILED


def test_a_client_past_its_deletion_date_is_unknown(registered):
    client, secret = registered
    Client.objects.filter(id=client.id).update(date_to_delete=timezone.now() - timedelta(seconds=1))

    assert (with_basic(client, secret).status_code, with_basic(client, secret).json()) == (401, FAILED)


def test_a_suspended_organizations_clients_get_no_token(registered, cast):
    cast.acme.active = False
    cast.acme.save()

    assert with_basic(*registered).json()["error"] == "unauthorized_client"


# --- Costs, rates and logs -----------------------------------------------------------------------


def test_a_token_costs_at_most_four_statements_and_two_when_the_client_is_busy(
    registered, django_assert_max_num_queries, django_assert_num_queries
):
    with django_assert_max_num_queries(4):
        assert with_basic(*registered).status_code == 200
    with django_assert_num_queries(2):
        assert with_basic(*registered).status_code == 200


def test_trap_18_failures_are_limited_per_client_and_address(registered, settings):
    settings.RATE_TOKEN_FAILURES = 3
    client, secret = registered
    for _ in range(3):
        assert with_basic(client, "wrong").status_code == 401

    refused = with_basic(client, secret)

    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    elsewhere = Browser(REMOTE_ADDR="192.0.2.9")
    assert token_request(elsewhere, client.client_id, secret).status_code == 200


def test_successes_are_not_limited_unless_the_operator_says_so(registered, settings):
    settings.RATE_TOKENS_PER_CLIENT = 2

    # Whoever does not know the secret does not use up the client's minute.
    assert with_basic(registered[0], "wrong").status_code == 401
    assert with_basic(registered[0], "wrong").status_code == 401
    assert [with_basic(*registered).status_code for _ in range(3)] == [200, 200, 429]


def test_trap_17_no_log_line_holds_a_secret_or_a_token(registered, caplog, settings):
    client, secret = registered
    caplog.set_level(logging.DEBUG)
    logging.getLogger("oauthlib").setLevel(settings.LOGGING["loggers"]["oauthlib"]["level"])

    token = with_basic(client, secret).json()["access_token"]
    with_basic(client, secret + "x")
    post({"grant_type": "client_credentials", "client_id": secret, "client_secret": secret})

    lines = "\n".join(record.getMessage() for record in caplog.records)
    assert "token refused" in lines
    assert secret not in lines
    assert token not in lines


def test_trap_16_and_15_no_insecure_default_of_the_toolkit_is_left(settings):
    from django.core.checks import run_checks

    assert [
        m for m in run_checks(include_deployment_checks=True) if m.id.startswith("oauth2_provider")
    ] == []
