"""The OpenAPI document says of every route what the route table says, and nothing of any other."""

from __future__ import annotations

import json
import re

import PureCloudPlatformClientV2 as gc  # noqa: N813
import pytest
from django.core.management import call_command
from django.test import Client as Browser

from accounts.permissions import CATALOGUE as PERMISSIONS
from oauthclients.api import audits, components, oauth_usage, schema
from oauthclients.api.operations import ANSWERS, BODIES, CODES, CREATED
from oauthclients.scopes import CATALOGUE
from tests import documented
from tests.scim import MEDIA_TYPE
from tests.tables.test_routes import ROWS, World

every_row = pytest.mark.parametrize("row", ROWS, ids=str)


@pytest.fixture(scope="module")
def document() -> dict:
    response = Browser().get("/api/schema")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    return response.json()


def path_of(row) -> str:
    """`users/<str:user_id>` as the vendor writes it: `/api/v2/users/{userId}`."""

    def camel(found) -> str:
        return "{" + re.sub(r"_(\w)", lambda letter: letter[1].upper(), found[1]) + "}"

    return "/api/v2/" + re.sub(r"<\w+:(\w+)>", camel, row.route)


def media_type(row) -> str:
    return MEDIA_TYPE if row.scim else "application/json"


def operations(document) -> dict[tuple[str, str], dict]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_valid_openapi_and_made_without_a_warning(tmp_path):
    call_command(
        "spectacular",
        validate=True,
        fail_on_warn=True,
        format="openapi-json",
        file=str(tmp_path / "schema.json"),
    )
    made = json.loads((tmp_path / "schema.json").read_text())
    assert made["openapi"].startswith("3.1.")


def test_it_is_for_everybody_and_kept_for_a_short_time():
    response = Browser().get("/api/schema", headers={"Authorization": "Bearer dead"})
    assert response.status_code == 200
    assert set(response["Cache-Control"].split(", ")) == {"public", f"max-age={schema.KEPT_SECONDS}"}
    assert Browser().post("/api/schema").status_code == 405


def test_every_route_is_in_it_and_nothing_else(document):
    assert operations(document).keys() == {(row.method, path_of(row)) for row in ROWS}


@every_row
def test_an_operation_asks_for_the_permissions_and_scopes_of_its_row(document, row):
    operation = operations(document)[row.method, path_of(row)]

    how = "ALL" if row.every else "ANY"
    wanted = {"type": how, "permissions": list(row.permissions)} if row.permissions else None
    assert operation.get("x-inin-requires-permissions") == wanted
    assert operation["security"] == [{"PureCloud-OAuth": [scope]} for scope in row.scopes]
    named = set(re.findall(r"`([^`]+)`", operation["description"]))
    assert named == {*row.permissions, *row.scopes}


@every_row
def test_an_operation_has_the_vendors_name_its_parameters_and_its_answers(document, row):
    operation = operations(document)[row.method, path_of(row)]

    method = re.sub(r"([A-Z])", lambda letter: f"_{letter[1].lower()}", operation["operationId"])
    apis = [getattr(gc, name) for name in dir(gc) if name.endswith("Api")]
    of_our_own = row.route.startswith("latchkey/")
    assert any(hasattr(api, method) for api in apis) != of_our_own, method
    in_path = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", path_of(row)))
    assert operation["tags"] == [row.route.split("/")[0]]
    shape = "ScimError" if row.scim else "ErrorBody"
    for status in ("400", "401", "403", "404", "429"):
        answer = operation["responses"][status]
        assert answer["content"] == {
            media_type(row): {"schema": {"$ref": f"#/components/schemas/{shape}"}},
        }
        assert answer["description"]
        # Of SCIM's errors, only those about what was sent have keywords.
        assert "`" in answer["description"] or (row.scim and status != "400")


@pytest.mark.parametrize("row", [row for row in ROWS if row.success < 400], ids=str)
def test_the_answer_is_of_the_kind_that_it_names(document, cast, row):
    world = World(cast)
    response = world.call(row, world.caller(*PERMISSIONS))
    assert response.status_code == row.success, response.content
    answer = operations(document)[row.method, path_of(row)]["responses"][str(row.success)]
    if row.success == 204:
        assert "content" not in answer
        return
    assert answer["content"].keys() == {media_type(row)} == {response["Content-Type"]}
    found = documented.validator(answer["content"][media_type(row)]["schema"])
    assert [error.message for error in found.iter_errors(response.json())] == []


def test_a_scim_body_is_of_either_media_type_and_a_new_person_is_201_or_200(document):
    for path in ("/api/v2/scim/v2/users", "/api/v2/scim/users"):
        operation = operations(document)["POST", path]
        assert operation["requestBody"]["content"].keys() == {MEDIA_TYPE, "application/json"}
        assert {"200", "201"} <= operation["responses"].keys()
        listing = operations(document)["GET", path]
        assert {one["name"] for one in listing["parameters"]} == {
            *("startIndex", "count", "filter", "sortBy", "sortOrder", "attributes", "excludedAttributes")
        }
    person = operations(document)["DELETE", "/api/v2/scim/v2/users/{userId}"]
    assert person["responses"]["204"].keys() == {"description"}


def test_a_scim_error_has_the_shape_of_the_component(document):
    described = document["components"]["schemas"]["ScimError"]
    for path in ("/api/v2/scim/v2/users", "/api/v2/scim/nothing"):
        answered = Browser().get(path).json()
        assert set(described["required"]) <= answered.keys() <= described["properties"].keys()


def test_an_error_has_the_shape_of_the_component(document):
    described = document["components"]["schemas"]["ErrorBody"]
    answered = Browser().get("/api/v2/users").json()
    assert answered.keys() == described["properties"].keys()
    assert set(described["required"]) <= answered.keys()


def test_its_security_scheme_has_the_flows_and_every_scope_with_its_sentence(document, settings):
    scheme = document["components"]["securitySchemes"]["PureCloud-OAuth"]
    assert scheme["type"] == "oauth2"
    base = settings.BASE_URL
    authorize, token = f"{base}/oauth/authorize", f"{base}/oauth/token"
    scopes = {name: scope.sentence for name, scope in CATALOGUE.items()}
    assert scheme["flows"] == {
        "authorizationCode": {
            "authorizationUrl": authorize,
            "tokenUrl": token,
            "refreshUrl": token,
            "scopes": scopes,
        },
        "clientCredentials": {"tokenUrl": token, "scopes": scopes},
        "implicit": {"authorizationUrl": authorize, "scopes": scopes},
    }
    assert document["servers"] == [{"url": base}]


def test_it_names_no_operation_that_is_not_there(document):
    """The tables of what differs from the rule follow the routes."""
    names = {operation["operationId"] for operation in operations(document).values()}
    assert len(names) == len(ROWS)
    assert names >= schema._QUERY.keys()
    assert names == ANSWERS.keys()
    assert names >= CODES.keys() | CREATED
    with_body = {
        operation["operationId"]
        for (method, _path), operation in operations(document).items()
        if method in ("POST", "PUT", "PATCH")
    }
    assert with_body == BODIES.keys()


@pytest.mark.parametrize("row", [row for row in ROWS if row.success < 400], ids=str)
def test_the_body_that_a_route_takes_is_of_the_kind_that_it_names(document, cast, row):
    sent = World(cast).body_of(row)
    named = operations(document)[row.method, path_of(row)].get("requestBody")
    if named is None:
        assert sent in (b"", b"{}")
        return
    found = documented.validator(named["content"][media_type(row)]["schema"])
    # Where nothing has to be sent, the table sends an empty object whatever the kind.
    if sent != b"{}":
        assert [error.message for error in found.iter_errors(json.loads(sent))] == []


def test_the_document_says_how_long_a_list_may_be():
    filters = components.COMPONENTS["AuditQuery"]["properties"]["filters"]
    assert filters["maxItems"] == audits.MOST_FILTERS
    search = components.COMPONENTS["UsageSearchRequest"]["properties"]
    for name in ("oauthClientNames", "httpMethods", "templateUris"):
        assert search[name]["maxItems"] == oauth_usage.MOST_SEARCHED
        assert search[name]["items"]["maxLength"] == oauth_usage.LONGEST_SEARCHED
