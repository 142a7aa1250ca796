"""The unmodified official Python SDK's SAML2 bearer login, with an assertion of the demo's identity provider
that signxml signed. The server here is the product as it runs."""

from __future__ import annotations

import secrets

import pytest
from PureCloudPlatformClientV2 import OAuthApi, OAuthClientRequest, TokensApi, UsersApi
from PureCloudPlatformClientV2.api_client import ApiClient
from PureCloudPlatformClientV2.rest import ApiException

from tests.journeys.conftest import Served
from tests.saml import IdP, encode


@pytest.fixture
def app(served: Served) -> dict[str, str]:
    """Id and secret of a SAML2 bearer client that the demo's service has made with the SDK."""
    service = ApiClient(host=served.base_url)
    demo = served.demo["clients"]["client_credentials"]
    service.get_client_credentials_token(demo["client_id"], demo["client_secret"])
    request = OAuthClientRequest()
    request.name = f"SAML app {secrets.token_hex(4)}"
    request.authorized_grant_type = "SAML2-BEARER"
    request.scope = ["user-basic-info", "users:readonly"]
    made = OAuthApi(service).post_oauth_clients(request)
    return {"client_id": made.id, "client_secret": made.secret}


@pytest.fixture
def sdk(served: Served) -> ApiClient:
    return ApiClient(host=served.base_url)


def log_in(sdk: ApiClient, app: dict[str, str], assertion: str, org: str = "acme"):
    return sdk.get_saml2bearer_token(app["client_id"], app["client_secret"], org, assertion)


@pytest.mark.parametrize(
    "shape",
    [{"sign": "assertion"}, {"sign": "response"}, {"sign": "both"}],
    ids=["assertion", "response", "both"],
)
@pytest.mark.parametrize("urlsafe", [False, True], ids=["base64", "base64url"])
def test_the_sdk_exchanges_an_assertion_and_acts_for_the_person(served, sdk, idp, app, shape, urlsafe):
    client = log_in(sdk, app, encode(idp.assertion(**shape), urlsafe=urlsafe))
    assert client is sdk
    assert UsersApi(sdk).get_users_me().email == idp.email
    token = TokensApi(sdk).get_tokens_me()
    assert token.organization.name == "Acme"
    assert token.o_auth_client.id == app["client_id"]
    assert token.authorized_scope == ["user-basic-info", "users:readonly"]
    with pytest.raises(ApiException) as refused:
        OAuthApi(sdk).get_oauth_clients()
    assert refused.value.status == 403


def test_a_second_use_of_the_same_assertion_is_refused(served, sdk, idp, app):
    assertion = encode(idp.assertion())
    log_in(sdk, app, assertion)
    with pytest.raises(ApiException) as refused:
        log_in(ApiClient(host=served.base_url), app, assertion)
    assert refused.value.status == 400
    assert "invalid_grant" in refused.value.body
    # What the first got stays good.
    assert UsersApi(sdk).get_users_me().email == idp.email


def test_the_demos_own_client_works_as_well(served, sdk, idp):
    app = served.demo["clients"]["saml2_bearer"]
    log_in(sdk, app, encode(idp.assertion()))
    assert UsersApi(sdk).get_users_me().email == idp.email


def test_another_key_or_organization_is_refused_and_the_log_holds_nothing(served, idp, app):
    other = IdP(issuer=idp.issuer, audience=idp.audience, recipient=idp.recipient, email=idp.email)
    sent = [encode(other.assertion()), encode(idp.assertion(name_id="the-opaque-name"))]
    for assertion, org in ((sent[0], "acme"), (sent[1], "globex")):
        with pytest.raises(ApiException) as refused:
            log_in(ApiClient(host=served.base_url), app, assertion, org)
        assert refused.value.status == 400
        assert "invalid_grant" in refused.value.body
    log = served.log.read_text()
    assert "/oauth/token" in log
    for part in (*[one[:60] for one in sent], "the-opaque-name", app["client_secret"], "<saml"):
        assert part not in log
