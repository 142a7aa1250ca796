"""What holds for every answer of SCIM: media type, errors, entity tags (RFC 7644 3.1, 3.12, 3.14), and what
the service says of itself (4)."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import override_settings

from accounts.actor import system
from accounts.services import groups
from tests.scim import GROUP, USER, Scim, ok, refused, scim_client
from tests.standing import standing


@standing
def scim(cast) -> Scim:
    return scim_client(cast)


# --- Errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/users", "/Users", "/users/x", "/groups", "/schemas", "/ServiceProviderConfig"]
)
def test_no_token_and_a_dead_one_are_401_with_a_challenge(db, path):
    for headers in ({}, {"Authorization": "Bearer dead"}):
        response = Scim(headers).get(path)
        refused(response, 401)
        assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "path", ["", "/", "/nope", "/users/", "/Users/x/y", "/v2/users", "/Me/x", "/.search"]
)
@pytest.mark.parametrize("base", ["/api/v2/scim", "/api/v2/scim/v2"])
def test_any_other_address_is_404(scim, path, base):
    if base == "/api/v2/scim" and path == "/v2/users":
        path = "/v2"
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        refused(Scim(scim.headers, base).send(method, path, {}), 404)
        refused(Scim({}, base).send(method, path, {}), 404)


@pytest.mark.parametrize("path", ["/Me", "/me", "/Bulk"])
@pytest.mark.parametrize("base", ["/api/v2/scim", "/api/v2/scim/v2"])
def test_what_the_service_has_not_is_501(scim, path, base):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        refused(Scim(scim.headers, base).send(method, path, {}), 501)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/users", "GET, HEAD, POST"),
        ("/users/x", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/groups", "GET, HEAD"),
        ("/groups/x", "GET, HEAD, PUT, PATCH"),
        ("/Schemas", "GET, HEAD"),
    ],
)
def test_a_method_that_a_route_does_not_know_is_405(scim, path, allowed):
    for method in {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - set(allowed.split(", ")):
        response = scim.send(method, path)
        refused(response, 405)
        assert set(response["Allow"].split(", ")) == set(allowed.split(", "))


def test_a_body_that_is_too_large_or_of_another_type(scim):
    refused(scim.post("/users", b" " * 600_000), 413)
    refused(scim.post("/users", b"<x/>", content_type="text/xml"), 415)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/scim+json", "application/json; charset=utf-8"]
)
def test_both_media_types_are_read(scim, content_type):
    ok(
        scim.post("/users", {"schemas": [USER], "userName": "x@acme.example"}, content_type=content_type),
        201,
    )


def test_too_many_calls_are_429_and_told_when_to_come_back(scim):
    with override_settings(RATE_API_PER_TOKEN=1):
        cache.clear()
        ok(scim.get("/users"))
        response = scim.get("/users")
    refused(response, 429)
    assert int(response["Retry-After"]) >= 1
    assert response["inin-ratelimit-allowed"] == "1"


def test_an_error_of_ours_is_500_and_says_nothing_of_it(scim, monkeypatch):
    def fail(*_arguments: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("oauthclients.api.scim.users.search_of", fail)
    body = refused(scim.get("/users"), 500)
    assert "secret" not in str(body)


def test_an_app_without_the_scope_is_told_which(cast):
    app, _secret = cast.client(
        name="App",
        grant_type="authorization-code",
        redirect_uris=("https://a.example/",),
        scope=("scim:readonly",),
    )
    reader = Scim(cast.acting_for(cast.ada, app, "scim:readonly"))
    response = reader.post("/users", {})
    refused(response, 403)
    assert 'scope="scim"' in response["WWW-Authenticate"] or response["WWW-Authenticate"]


# --- Both addresses, in whatever case ------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["/api/v2/scim", "/api/v2/scim/v2"])
@pytest.mark.parametrize("name", ["users", "Users", "USERS"])
def test_the_alias_and_the_names_of_the_rfc_answer_alike(scim, cast, base, name):
    other = Scim(scim.headers, base)
    assert ok(other.get(f"/{name}?count=1")) == ok(scim.get("/users?count=1"))
    assert ok(other.get(f"/{name}/{cast.eve.id}")) == ok(scim.get(f"/users/{cast.eve.id}"))


# --- Entity tags ------------------------------------------------------------------------------------------------


def test_the_tag_is_weak_and_the_same_in_header_and_body(scim, cast):
    response = scim.get(f"/users/{cast.eve.id}")
    tag = ok(response)["meta"]["version"]
    assert tag.startswith('W/"')
    assert response["ETag"] == tag
    listed = ok(scim.get("/users"))["Resources"]
    assert tag in [one["meta"]["version"] for one in listed]
    short = scim.get(f"/users/{cast.eve.id}?attributes=userName")
    assert short["ETag"] == tag


def test_a_reader_who_has_it_is_answered_304(scim, cast):
    path = f"/users/{cast.eve.id}"
    tag = scim.get(path)["ETag"]
    for header in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        response = scim.get(path, **{"If-None-Match": header})
        assert (response.status_code, response.content, response["ETag"]) == (304, b"", tag)
    ok(scim.get(path, **{"If-None-Match": 'W/"other"'}))


def test_what_changes_elsewhere_changes_the_tag(scim, cast):
    path = f"/users/{cast.eve.id}"
    before = scim.get(path)["ETag"]
    cast.give(cast.eve, ("Supervisor", cast.home))
    after = scim.get(path)["ETag"]
    made = groups.create(actor=system(cast.acme), name="Agents")
    groups.change_members(actor=system(cast.acme), group_id=made.id, spec=lambda _present: [cast.eve.id])
    assert len({before, after, scim.get(path)["ETag"]}) == 3


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_write_with_an_old_tag_is_412_and_with_the_present_one_done(scim, cast, method):
    path = f"/users/{cast.eve.id}"
    old = scim.get(path)["ETag"]
    scim.changed(cast.eve.id, {"op": "replace", "path": "title", "value": "changed"})
    body = {
        "PUT": {"schemas": [USER], "userName": cast.eve.email, "displayName": "Eve"},
        "PATCH": {"Operations": [{"op": "replace", "path": "title", "value": "again"}]},
        "DELETE": None,
    }[method]
    refused(scim.send(method, path, body, **{"If-Match": old}), 412)
    assert ok(scim.get(path))["title"] == "changed"
    tag = scim.get(path)["ETag"]
    assert scim.send(method, path, body, **{"If-Match": tag}).status_code in (200, 204)


def test_any_tag_will_do_where_a_star_is_sent(scim, cast):
    patch = {"op": "replace", "path": "title", "value": "x"}
    ok(scim.patch(f"/users/{cast.eve.id}", patch, **{"If-Match": "*"}))
    refused(scim.patch("/users/nobody", patch, **{"If-Match": "*"}), 404)


def test_groups_have_tags_as_well(scim, cast):
    made = groups.create(actor=system(cast.acme), name="Agents")
    path = f"/groups/{made.id}"
    old = scim.get(path)["ETag"]
    add = {"op": "add", "path": "members", "value": [{"value": str(cast.eve.id)}]}
    ok(scim.patch(path, add, **{"If-Match": old}))
    body = {"schemas": [GROUP], "displayName": "Other"}
    refused(scim.put(path, body, **{"If-Match": old}), 412)
    tag = scim.get(path)["ETag"]
    assert scim.get(path, **{"If-None-Match": tag}).status_code == 304
    ok(scim.put(path, body, **{"If-Match": tag}))


# --- What the service says of itself --------------------------------------------------------------------------------


def test_the_service_says_what_it_can_do(scim):
    config = ok(scim.get("/ServiceProviderConfig"))
    assert config["patch"] == config["sort"] == config["etag"] == {"supported": True}
    assert config["filter"] == {"supported": True, "maxResults": 500}
    assert config["bulk"]["supported"] is False
    assert config["authenticationSchemes"][0]["type"] == "oauthbearertoken"


def test_the_schemas_are_those_of_what_is_kept(scim):
    listed = ok(scim.get("/Schemas"))["Resources"]
    names = {one["id"]: {attribute["name"] for attribute in one["attributes"]} for one in listed}
    assert names[USER] == {
        "userName",
        "name",
        "displayName",
        "title",
        "active",
        "password",
        "emails",
        "phoneNumbers",
        "groups",
        "roles",
    }
    for one in listed:
        assert ok(scim.get(f"/schemas/{one['id']}")) == one
    assert ok(scim.get(f'/schemas?filter=id%20eq%20"{USER}"'))["totalResults"] == 1
    refused(scim.get("/schemas/urn:x:y"), 404)
    refused(scim.get("/resourcetypes/Device"), 404)
