"""The official Python SDK, as it is on PyPI, against a running server."""

from __future__ import annotations

import json
from datetime import timedelta

import PureCloudPlatformClientV2 as gc  # noqa: N813
import pytest
from django.test import Client as Browser
from django.utils import timezone

from oauthclients.models import Usage
from oauthclients.services import usage
from tests import cast as standing_cast
from tests.cast import token_request


@pytest.fixture
def login(live_server):
    """An SDK client that has signed in with client credentials."""

    def sign_in(client_id: str, secret: str) -> gc.api_client.ApiClient:
        api = gc.api_client.ApiClient(host=live_server.url)
        api.get_client_credentials_token(client_id, secret)
        return api

    return sign_in


@pytest.fixture
def cast(transactional_db):
    """As everywhere, in a database that the server's thread sees."""
    return standing_cast.make()


def refused(call, status: int, code: str) -> dict:
    with pytest.raises(gc.rest.ApiException) as caught:
        call()
    assert caught.value.status == status, caught.value.body
    body = json.loads(caught.value.body)
    assert body["code"] == code
    return body


def test_the_sdk_reads_exactly_the_people_it_may(cast, login):
    cast.person("Ann", cast.east)
    west = cast.person("Wes", cast.west)
    client, secret = cast.client(("User", cast.east), name="Reader")
    users = gc.UsersApi(login(client.client_id, secret))
    page = users.get_users(page_size=25, page_number=1, expand=["authorization", "presence"])
    assert [user.name for user in page.entities] == ["Ann", "Eve"]
    assert (page.total, page.page_count, page.page_size, page.page_number) == (2, 1, 25, 1)
    assert {user.division.name for user in page.entities} == {"East"}
    assert [user.name for user in users.get_users(id=[str(cast.eve.id), str(west.id)]).entities] == ["Eve"]
    assert users.get_user(str(cast.eve.id)).email == "eve@acme.example"
    body = refused(lambda: users.get_user(str(west.id)), 403, "missing.division.permission")
    assert "West" in body["message"]
    refused(lambda: users.get_user(str(cast.cleo.id)), 404, "not.found")
    body = refused(users.get_users_me, 400, "bad.request")
    assert "requires a user context" in body["message"]
    found = users.post_users_search(
        {"pageSize": 5, "query": [{"type": "CONTAINS", "fields": ["name"], "value": "An"}]}
    )
    assert [user.name for user in found.results] == ["Ann"]


def test_the_sdk_adds_changes_and_deletes_a_person(cast, login):
    client, secret = cast.client(("People Admin", cast.east), name="Directory sync")
    users = gc.UsersApi(login(client.client_id, secret))
    made = users.post_users({"name": "Dan", "email": "dan@acme.example", "divisionId": str(cast.east.id)})
    assert (made.state, made.version) == ("inactive", 1)
    changed = users.patch_user(made.id, {"version": made.version, "title": "Agent"})
    assert (changed.title, changed.version) == ("Agent", 2)
    refused(lambda: users.patch_user(made.id, {"version": 1, "title": "X"}), 409, "general.conflict")
    users.delete_user(made.id)
    refused(lambda: users.get_user(made.id), 404, "not.found")
    assert users.get_user(made.id, state="any").state == "deleted"


def test_the_sdk_manages_another_client(cast, login):
    client, secret = cast.client(("Client Manager", None), ("Supervisor", cast.east), name="Manager")
    oauth = gc.OAuthApi(login(client.client_id, secret))
    request = gc.OAuthClientRequest()
    request.name = "Nightly report"
    request.authorized_grant_type = "CLIENT-CREDENTIALS"
    request.access_token_validity_seconds = 600
    pair = gc.RoleDivision()
    pair.role_id, pair.division_id = str(cast.role("Supervisor").id), str(cast.east.id)
    request.role_divisions = [pair]
    made = oauth.post_oauth_clients(request)
    assert made.secret
    assert made.authorized_grant_type == "CLIENT-CREDENTIALS"
    assert (made.role_divisions[0].role_id, made.role_divisions[0].division_id) == (
        pair.role_id,
        pair.division_id,
    )
    assert made.date_created.tzinfo is not None
    assert made.created_by.id == str(client.id)

    read = oauth.get_oauth_client(made.id)
    assert (read.name, read.secret) == ("Nightly report", None)
    assert {one.name for one in oauth.get_oauth_clients().entities} == {"Manager", "Nightly report"}

    rotated = oauth.post_oauth_client_secret(made.id)
    assert rotated.secret not in (None, made.secret)
    assert token_request(Browser(), made.id, made.secret).status_code == 401
    login(made.id, rotated.secret)

    pair.division_id = "*"
    refused(lambda: oauth.put_oauth_client(made.id, request), 400, "bad.client.role")
    pair.division_id = str(cast.east.id)

    refused(lambda: oauth.delete_oauth_client(made.id), 400, "cannot.delete.client")
    request.state = "inactive"
    assert oauth.put_oauth_client(made.id, request).state == "inactive"
    oauth.delete_oauth_client(made.id)
    refused(lambda: oauth.get_oauth_client(made.id), 404, "client.not.found")
    assert [one.name for one in oauth.get_oauth_clients().entities] == ["Manager"]


def test_the_sdk_reads_everything_else(cast, login):
    client, secret = cast.client(("Admin", None), name="Reader")
    api = login(client.client_id, secret)
    scopes = gc.OAuthApi(api).get_oauth_scopes()
    assert scopes.total == len(scopes.entities) > 100
    assert gc.OAuthApi(api).get_oauth_scope("users:readonly").description
    assert gc.OAuthApi(api).get_oauth_authorizations().total == 0

    authorization = gc.AuthorizationApi(api)
    roles = authorization.get_authorization_roles(page_size=100, user_count=True)
    assert "Supervisor" in {role.name for role in roles.entities}
    supervisor = next(role for role in roles.entities if role.name == "Supervisor")
    assert supervisor.user_count == 2
    assert authorization.get_authorization_role(supervisor.id).permission_policies
    divisions = authorization.get_authorization_divisions(object_count=True)
    assert [division.name for division in divisions.entities] == ["Home", "East", "West"]
    assert divisions.entities[0].object_counts == {"USER": 2}
    assert authorization.get_authorization_divisions_home().home_division
    assert authorization.get_authorization_division(str(cast.east.id)).name == "East"
    assert authorization.get_authorization_divisions_limit() > 0
    assert authorization.get_authorization_permissions(page_size=100).entities[0].permission_map
    subject = authorization.get_authorization_subject(str(cast.ben.id))
    assert {grant.role.name for grant in subject.grants} == {"Client Manager", "Supervisor"}
    assert authorization.get_authorization_subjects_me().grants[0].division.id == "*"
    permitted = authorization.get_authorization_divisionspermitted_paged_me("directory:user:view")
    assert (permitted.total, permitted.all_divs_permitted) == (3, True)
    with pytest.warns(DeprecationWarning, match="divisionspermitted_me"):
        bare = authorization.get_authorization_divisionspermitted_me("directory:user:view")
    assert [division.name for division in bare] == ["Home", "East", "West"]

    assert gc.OrganizationApi(api).get_organizations_me().third_party_org_name == "acme"
    tokens = gc.TokensApi(api)
    info = tokens.get_tokens_me()
    assert info.organization.name == "Acme"
    assert info.o_auth_client.id == str(client.id)
    tokens.head_tokens_me()
    tokens.delete_tokens_me()
    refused(tokens.get_tokens_me, 401, "bad.credentials")


def test_the_sdk_asks_what_a_client_and_the_organization_have_used(cast, login):
    client, secret = cast.client(("Admin", None), name="Reporter")
    api = login(client.client_id, secret)
    gc.UsersApi(api).get_users()
    usage.flush()
    yesterday = timezone.now() - timedelta(days=1)
    Usage.objects.update(day=yesterday.date())
    interval = f"{(yesterday - timedelta(days=2)).isoformat()}/{timezone.now().isoformat()}"
    oauth, org = gc.OAuthApi(api), gc.UsageApi(api)

    asked = gc.ApiUsageClientQuery()
    asked.interval, asked.granularity = interval, "Day"
    asked.metrics, asked.group_by = ["Status200", "Requests"], ["TemplateUri", "HttpMethod"]
    put_down = oauth.post_oauth_client_usage_query(client.client_id, asked)
    found = oauth.get_oauth_client_usage_query_result(put_down.execution_id, client.client_id)
    assert found.query_status == "Complete"
    assert {(row.template_uri, row.http_method, row.status200, row.requests) for row in found.results} == {
        ("/oauth/token", "POST", 1, 1),
        ("/api/v2/users", "GET", 1, 1),
    }
    assert {row.date.date() for row in found.results} == {yesterday.date()}
    assert found.results[0].status500 is None

    put_down = oauth.get_oauth_client_usage_summary(client.client_id, days="7")
    (row,) = oauth.get_oauth_client_usage_query_result(put_down.execution_id, client.client_id).results
    assert (row.client_name, row.requests) == ("Reporter", 2)

    asked = gc.ApiUsageOrganizationQuery()
    asked.interval, asked.group_by = interval, ["OAuthClientId"]
    (row,) = org.get_usage_query_execution_id_results(org.post_usage_query(asked).execution_id).results
    assert (row.client_id, row.requests) == (client.client_id, 2)

    asked = gc.ApiUsageSimpleSearch()
    asked.interval, asked.oauth_client_names = interval, ["Reporter"]
    execution = org.post_usage_simplesearch(asked).execution_id
    first = org.get_usage_simplesearch_execution_id_results(execution, page_size="1")
    second = org.get_usage_simplesearch_execution_id_results(
        execution, page_size="1", after=first.cursors.after
    )
    assert {row.template_uri for row in (*first.results, *second.results)} == {
        "/oauth/token",
        "/api/v2/users",
    }
    assert second.cursors.after is None
