"""Test token: a real request of each grant type, what the page says of it, and that nothing is left of it."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.test import Client as Browser
from oauth2_provider.models import get_access_token_model

from accounts.models import AuditEvent
from oauthclients.console.trying_out import TESTS_PER_MINUTE
from oauthclients.services import clients
from tests.cast import REDIRECT_URI, landed
from tests.oauthclients.console.wizard import text
from tests.saml import SamlApp, encode

LANDING = "http://localhost:8000/admin/integrations/oauth/test-result/"
HERE = {"HTTP_HOST": "localhost:8000"}


def page(client) -> str:
    return f"/admin/integrations/oauth/{client.id}/test-token/"


def no_token_is_left() -> bool:
    return not get_access_token_model().objects.exists()


def sign_in(browser, client, location: str = "") -> str:
    """Where the browser ends that follows the link and says yes."""
    shown = browser.get(page(client)).content.decode()
    url = unescape(re.search(r'href="(http://localhost:8000/oauth/authorize\?[^"]+)"', shown)[1])
    there = url.removeprefix("http://localhost:8000")
    response = browser.get(there)
    if response.status_code == 200:
        sent = {"decision": "allow", "shown": response.context["shown"]}
        response = browser.post(there, sent)
    landed(response, location or REDIRECT_URI)
    return response["Location"]


def test_client_credentials_issue_a_token_tell_of_it_and_revoke_it(cast, browser_of):
    client, secret = cast.client(("Supervisor", cast.home), ("Supervisor", cast.east))
    ada = browser_of(cast.ada, **HERE)
    response = ada.post(page(client), {"secret": secret})
    said = text(response)
    assert "Works. A token for 86,400 seconds was issued and revoked." in said
    assert "Status 200 Type bearer Lives for 1 day Supervisor East, Home" in said
    assert secret not in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert no_token_is_left()
    line = AuditEvent.objects.get(action="client.tokensRevoked")
    assert (line.actor_id, line.entity_id, line.after) == (cast.ada.id, client.id, {"tokens": 1})


def test_a_refusal_is_said_in_the_words_of_the_error_with_a_hint(cast, browser_of):
    client, secret = cast.client(("Supervisor", cast.home))
    ada = browser_of(cast.ada, **HERE)
    wrong = ada.post(page(client), {"secret": f"{secret}x"})
    assert "invalid_client: authentication failed The secret is not that of this client" in text(wrong)
    assert f"{secret}x" not in wrong.content.decode()
    assert "Enter the client secret." in text(ada.post(page(client), {"secret": ""}))
    clients.set_enabled(actor=cast.actor(cast.ada), client_id=client.id, enabled=False)
    off = text(ada.post(page(client), {"secret": secret}))
    assert "unauthorized_client: This client is not active. Enable the client first." in off
    assert no_token_is_left()


def test_an_assertion_is_exchanged_and_used_up(cast, browser_of):
    app = SamlApp.at_acme(cast)
    ada, sent = browser_of(cast.ada, **HERE), encode(app.idp.assertion())
    form = {"secret": app.secret, "secret_assertion": sent}
    assert "The test uses it up" in text(ada.get(page(app.client)))
    response = ada.post(page(app.client), form)
    assert "was issued and revoked." in text(response)
    assert sent[:60] not in response.content.decode()
    assert "invalid_grant" in text(ada.post(page(app.client), form))
    assert no_token_is_left()


@pytest.mark.parametrize("grant_type", ["authorization-code", "implicit"])
def test_a_sign_in_that_ends_at_the_app_is_tested_by_the_address(cast, browser_of, grant_type):
    app = cast.app("users", "user-basic-info", grant_type=grant_type)
    ada = browser_of(cast.ada, **HERE)
    assert f"The sign-in ends at the app's own address, {REDIRECT_URI}" in text(ada.get(page(app.client)))
    address = sign_in(ada, app.client)
    response = ada.post(page(app.client), {"secret_answer": address})
    said = text(response)
    assert "was issued and revoked." in said, said
    assert "For Ada Scope user-basic-info, users" in said
    value = dict(parse_qsl(urlsplit(address).query or urlsplit(address).fragment))
    assert value.get("code", value.get("access_token")) not in response.content.decode()
    assert no_token_is_left()
    again = text(ada.post(page(app.client), {"secret_answer": address}))
    assert "invalid_grant" in again or "This is no living token of this client." in again


@pytest.mark.parametrize("grant_type", ["authorization-code", "implicit"])
def test_one_that_ends_here_is_tested_at_once(cast, browser_of, grant_type):
    app = cast.app("users", grant_type=grant_type, redirect_uri=LANDING)
    ada = browser_of(cast.ada, **HERE)
    assert "The sign-in ends on a page of this console" in text(ada.get(page(app.client)))
    address = sign_in(ada, app.client, LANDING)
    landing = ada.get(urlsplit(address)._replace(scheme="", netloc="", fragment="").geturl())
    if grant_type == "implicit":  # nothing of it has reached the server
        assert "paste it here" in text(landing)
        landing = ada.post(urlsplit(LANDING).path, {"secret_answer": address})
    assert "was issued and revoked." in text(landing)
    assert no_token_is_left()


def test_the_code_in_the_address_goes_no_further(cast, browser_of):
    app = cast.app("users", redirect_uri=LANDING)
    ada = browser_of(cast.ada, **HERE)
    address = urlsplit(sign_in(ada, app.client, LANDING))
    code = dict(parse_qsl(address.query))["code"]
    there = f"{address.path}?{address.query}"
    signed_out = Browser(**HERE).get(there)
    assert signed_out["Location"] == f"/sign-in/?next={address.path}"
    refused = browser_of(cast.eve, **HERE).get(there)
    assert refused.status_code == 403
    assert code not in refused.content.decode()

    shown = ada.get(there)
    html = shown.content.decode()
    assert "was issued and revoked." in text(shown)
    assert code not in html
    assert shown["Referrer-Policy"] == "strict-origin"
    back = re.findall(r'name="next" value="([^"]*)"', html)
    assert back == [address.path] * 2  # of the language and of the theme
    for form in ("/language/", "/theme/"):
        response = ada.post(form, {"language": "fr", "theme": "dark", "next": back[0]})
        assert response["Location"] == address.path


def test_the_name_of_a_person_is_shown_to_whoever_may_see_them(cast, browser_of):
    app = cast.app("users", grant_type="implicit")
    role = cast.custom_role("Tester", "oauth:client:view", "directory:user:view")
    tester = cast.person("Tess", cast.home)
    cast.give(tester, (role.name, cast.home))

    def said(browser, person) -> str:
        shown = browser.get(page(app.client)).content.decode()
        url = unescape(re.search(r'href="(http://localhost:8000/oauth/authorize\?[^"]+)"', shown)[1])
        value = cast.acting_for(person, app.client, "users")["Authorization"].removeprefix("Bearer ")
        state = dict(parse_qsl(urlsplit(url).query))["state"]
        answer = urlencode({"access_token": value, "token_type": "bearer", "state": state})
        return text(browser.post(page(app.client), {"secret_answer": f"{REDIRECT_URI}#{answer}"}))

    ada, tess = browser_of(cast.ada, **HERE), browser_of(tester, **HERE)
    assert "For Eve Scope users" in said(ada, cast.eve)
    assert "For Tess Scope users" in said(tess, tester)
    for answer in (said(ada, cast.cleo), said(tess, cast.eve)):  # of another organization; of East
        assert "was issued and revoked." in answer
        assert "Scope users" in answer
        assert "For " not in answer


def test_of_somebody_elses_test_and_of_none_nothing_is_taken(cast, browser_of):
    app = cast.app("users")
    ada, ben = browser_of(cast.ada, **HERE), browser_of(cast.ben, **HERE)
    address = sign_in(ada, app.client)
    for stranger in (ben.post(page(app.client), {"secret_answer": address}),):
        assert "This address is not the end of a test that you began here." in text(stranger)
    made_up = f"{REDIRECT_URI}?{urlencode({'code': 'c', 'state': 's'})}"
    for sent in (made_up, "nonsense", "http://[", f"{REDIRECT_URI}#access_token=t"):
        assert "not the end of a test" in text(ada.post(page(app.client), {"secret_answer": sent}))
        assert "not the end of a test" in text(ada.post(urlsplit(LANDING).path, {"secret_answer": sent}))
    # It is as good as before.
    assert "was issued and revoked." in text(ada.post(page(app.client), {"secret_answer": address}))


def test_whoever_says_no_is_told_so(cast, browser_of):
    app = cast.app("users")
    ada = browser_of(cast.ada, **HERE)
    address = sign_in(ada, app.client)
    state = dict(parse_qsl(urlsplit(address).query))["state"]
    refused = f"{REDIRECT_URI}?{urlencode({'error': 'access_denied', 'state': state})}"
    assert "access_denied Whoever signed in said no" in text(
        ada.post(page(app.client), {"secret_answer": refused})
    )


def test_who_may_not_see_clients_and_who_is_of_another_organization_tests_none(cast, browser_of):
    client, secret = cast.client(("Supervisor", cast.home))
    assert browser_of(cast.eve).post(page(client), {"secret": secret}).status_code == 403
    assert browser_of(cast.cleo).post(page(client), {"secret": secret}).status_code == 404
    assert not AuditEvent.objects.filter(action="client.tokensRevoked").exists()


def test_tests_are_counted(cast, browser_of):
    client, _secret = cast.client(("Supervisor", cast.home))
    ada = browser_of(cast.ada, **HERE)
    for _ in range(TESTS_PER_MINUTE):
        assert ada.post(page(client), {"secret": ""}).status_code == 200
    response = ada.post(page(client), {"secret": ""})
    assert response.status_code == 429
    assert "Too many tests." in text(response)
    assert response["Retry-After"]


@pytest.mark.parametrize("grant_type", ["client-credentials", "authorization-code"])
def test_the_client_page_and_the_page_of_the_secret_have_it(cast, browser_of, grant_type):
    client, _secret = cast.client(
        ("Supervisor", cast.home), grant_type=grant_type, redirect_uris=(REDIRECT_URI,), scope=("users",)
    )
    ada = browser_of(cast.ada, **HERE)
    for shown in (
        ada.get(f"/admin/integrations/oauth/{client.id}/"),
        ada.post(
            f"/admin/integrations/oauth/{client.id}/secret/",
            {"overlap": "0", "replacing": client.secrets.get(ends_at=None).id},
        ),
    ):
        html = shown.content.decode()
        assert page(client) in html
        assert (f'action="{page(client)}"' in html) == (grant_type == "client-credentials")
