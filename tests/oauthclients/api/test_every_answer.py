"""What holds for every answer of `/api/v2`, whatever the route (wire contract 0 and G)."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.utils import timezone

from tests.oauthclients.api.conftest import refused


def test_no_token_is_401_authentication_required_with_a_challenge(anonymous):
    response = anonymous.get("/users")
    refused(response, 401, "authentication.required")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer ", "Bearer", "", "Basic YTpi", "Token abc"])
def test_an_empty_or_foreign_authorization_header_is_no_token(anonymous, header):
    # The Python SDK sends "Bearer " without a token before a login (A3).
    anonymous.headers = {"Authorization": header}
    refused(anonymous.get("/users"), 401, "authentication.required")


@pytest.mark.parametrize("value", ["unknown", "x" * 5000, "é", "a b"])
def test_an_unknown_token_is_401_bad_credentials(anonymous, value):
    anonymous.headers = {"Authorization": f"Bearer {value}"}
    refused(anonymous.get("/users"), 401, "bad.credentials")


def test_a_token_in_the_query_string_is_no_token(admin, anonymous):
    token = admin.headers["Authorization"].removeprefix("Bearer ")
    refused(anonymous.get(f"/users?access_token={token}"), 401, "authentication.required")


@pytest.mark.parametrize(
    "path", ["/nothing", "", "/", "/users/", "/oauth/clients/", "/oauth/clients/x/y/z"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_any_other_address_is_a_404_in_json_for_everybody(admin, anonymous, path, method):
    for caller in (admin, anonymous):
        refused(getattr(caller, method)(path), 404, "not.found")


def test_a_method_that_a_route_does_not_know_is_405_and_told_what_it_knows(admin, anonymous):
    for caller in (admin, anonymous):
        response = caller.put("/users", {})
        refused(response, 405, "method.not.allowed")
        assert response["Allow"] == "GET, HEAD, POST"
    refused(admin.options("/users"), 405, "method.not.allowed")


def test_answers_carry_their_id_and_the_headers_against_caches(admin):
    response = admin.get("/users")
    assert response.status_code == 200
    assert len(response["ININ-Correlation-Id"]) == 36
    assert response["Cache-Control"] == "no-cache, no-store, must-revalidate"
    assert response["Pragma"] == "no-cache"
    assert response["Expires"] == "0"
    assert response["Content-Type"] == "application/json"


def test_every_answer_to_a_token_counts_and_says_how_many_there_were(api, cast, settings):
    settings.RATE_API_PER_TOKEN = 3
    caller, other = api(), api()
    for used, path in enumerate(("/tokens/me", "/oauth/clients", "/oauth/scopes/nothing"), start=1):
        response = caller.get(path)
        assert response.status_code != 429
        assert response["inin-ratelimit-count"] == str(used)
        assert response["inin-ratelimit-allowed"] == "3"
        assert 1 <= int(response["inin-ratelimit-reset"]) <= 61
    response = caller.get("/tokens/me")
    refused(response, 429, "too.many.requests.retry.after")
    assert response["inin-ratelimit-count"] == "4"
    assert 1 <= int(response["Retry-After"]) <= 61
    assert other.get("/tokens/me").status_code == 200


def test_without_a_limit_nothing_is_said_about_one(admin, settings):
    settings.RATE_API_PER_TOKEN = 0
    assert "inin-ratelimit-count" not in admin.get("/tokens/me")


def test_the_answer_is_json_whatever_is_accepted(admin):
    for accept in ("text/html", "*/*", "application/xml"):
        response = admin.get("/tokens/me?format=api", Accept=accept)
        assert response.status_code == 200
        assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'name': 1}",
        b'{"name": NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"name": "\\ud800"}',
        b'{"pageSize": ' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_not_json_is_400(admin, body):
    for path in ("/oauth/clients", "/users", "/users/search"):
        refused(admin.post(path, body), 400, "bad.request")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"true", b"[[{}]]"])
def test_json_that_is_not_an_object_is_400(admin, body):
    for path in ("/oauth/clients", "/users", "/users/search"):
        refused(admin.post(path, body), 400, "bad.request")


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"]
)
def test_another_content_type_is_415(admin, content_type):
    for path in ("/oauth/clients", "/users", "/users/search"):
        refused(admin.post(path, b"name=x", content_type=content_type), 415, "unsupported.media.type")


def test_a_charset_with_the_content_type_is_fine(admin):
    assert (
        admin.post("/users/search", {}, content_type="application/json; charset=utf-8").status_code == 200
    )


def test_a_body_that_is_too_large_is_413_and_not_read(admin):
    body = b'{"name": "' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    for path in ("/oauth/clients", "/users", f"/oauth/clients/{admin.client.id}/secret"):
        response = admin.post(path, body)
        refused(response, 413, "request.entity.too.large")
        # With this header, the Python SDK would send it ten times more (contract, fact 4).
        assert "Retry-After" not in response


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/users?pageSize=abc", "pageSize"),
        ("/users?pageSize=0", "pageSize"),
        ("/users?pageSize=501", "pageSize"),
        ("/users?pageSize=1.5", "pageSize"),
        ("/users?pageSize=-1", "pageSize"),
        ("/users?pageSize=%EF%BC%95", "pageSize"),  # a full-width five
        ("/users?pageNumber=0", "pageNumber"),
        ("/users?pageNumber=" + "9" * 5000, "pageNumber"),
        ("/users?pageNumber=99999999999999999999", "pageNumber"),
        ("/users?state=dead", "state"),
        ("/users?sortOrder=up", "sortOrder"),
        ("/users?id=%00", "id"),
        ("/users/query?cursor=%00", "cursor"),
        ("/users/query?cursor=junk", "cursor"),
        ("/users/query?cursor=WzEsMl0", "cursor"),
        ("/users/search", "q64"),
        ("/users/search?q64=!!!!", "q64"),
        ("/users/search?q64=bm90IGpzb24=", "q64"),
        ("/authorization/divisions?pageSize=x", "pageSize"),
        ("/authorization/divisions?objectCount=maybe", "objectCount"),
        ("/authorization/divisions?name=a%00b", "name"),
        ("/authorization/roles?sortBy=color", "sortBy"),
        ("/authorization/permissions?queryType=color", "queryType"),
        ("/authorization/divisions/query?after=%00", "after"),
        ("/authorization/divisions/query?before=junk", "before"),
        ("/authorization/divisions/deleted?pageNumber=x", "pageNumber"),
        ("/authorization/subjects/rolecounts?id=%00", "id"),
        ("/groups?sortOrder=up", "sortOrder"),
        ("/groups?pageSize=501", "pageSize"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_400_and_named(admin, path, parameter):
    assert parameter in refused(admin.get(path), 400, "invalid.query.param.value")["message"]


def test_thousands_of_parameters_are_400(admin):
    refused(admin.get("/users?" + "&".join(f"id={n}" for n in range(10_500))), 400, "bad.request")
    refused(admin.get("/users?id=" + ",".join(map(str, range(1_500)))), 400, "invalid.query.param.value")


def test_an_error_that_nobody_expected_is_a_500_in_json_without_its_cause(admin, monkeypatch):
    def broken(*args: object) -> None:
        raise RuntimeError("the secret cause")

    monkeypatch.setattr("oauthclients.api.shapes.organization", broken)
    response = admin.get("/organizations/me")
    refused(response, 500, "internal.server.error")
    assert b"secret cause" not in response.content


def test_dates_have_milliseconds_and_a_z(admin):
    created = admin.get(f"/oauth/clients/{admin.client.id}").json()["dateCreated"]
    assert len(created) == len("2026-11-20T10:00:00.000Z")
    assert created.endswith("Z")
    assert created[:10] == timezone.now().date().isoformat()


def test_a_get_and_a_delete_with_a_json_content_type_and_no_body_are_read_as_such(admin):
    assert admin.get("/users").status_code == 200
    assert admin.delete("/tokens/me").status_code == 200


def test_the_body_null_is_an_absent_body(admin):
    for body in (b"null", b"", b"  "):
        response = admin.post("/users/search", body)
        assert response.status_code == 200, response.content
        assert json.loads(response.content)["pageNumber"] == 1
