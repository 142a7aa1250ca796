"""Check an assertion, for one client: whether it would get a token for it."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent
from oauthclients.models import Client, ClientAuthorization
from oauthclients.services import authorizations, clients
from tests.saml import SamlApp, encode

PERSON = "The person may use the app, with the scope: user-basic-info, users."


@pytest.fixture
def app(cast) -> SamlApp:
    return SamlApp.at_acme(cast)


def at(client: Client) -> str:
    return f"/admin/integrations/oauth/{client.id}/check-assertion/"


def said(browser, app: SamlApp, **changes) -> dict[str, tuple[bool | None, str]]:
    """The two lines about the client, after those about the assertion."""
    response = browser.post(at(app.client), {"secret_assertion": encode(app.idp.assertion(**changes))})
    assert response.status_code == 200
    lines = response.context["lines"]
    assert [line.label for line in lines[-2:]] == ["Client", "Authorization"]
    assert response.context["accepted"] is all(line.met for line in lines)
    return {line.label: (line.met, line.sentence) for line in lines[-2:]}


def test_it_is_for_whoever_may_see_the_client(cast, app, browser_of):
    cast.custom_role("Looker", "sso:provider:view")
    cast.give(cast.eve, ("Looker", None))
    assert browser_of(cast.eve).get(at(app.client)).status_code == 403
    assert browser_of(cast.cleo).get(at(app.client)).status_code == 404
    html = browser_of(cast.ben).get(at(app.client)).content.decode()
    assert f'href="/admin/integrations/oauth/{app.client.id}/"' in html
    assert "For signing in" not in html  # an app has one use for an assertion


def test_what_would_get_a_token_meets_everything_and_gets_none(cast, app, browser_of):
    lines = AuditEvent.objects.count()
    assert said(browser_of(cast.ada), app) == {
        "Client": (True, "It is active, and of the type SAML2 Bearer."),
        "Authorization": (True, PERSON),
    }
    assert AuditEvent.objects.count() <= lines + 1  # Ada's own sign-in
    assert app.asks().status_code == 200


def test_for_whom_is_asked_once_the_assertion_says_so(cast, app, browser_of):
    met, sentence = said(browser_of(cast.ada), app, audience="https://other.example")["Authorization"]
    assert met is None
    assert sentence.startswith("The organization has authorized the app.")


@pytest.mark.parametrize("state", ["disabled", "inactive"])
def test_a_client_that_is_off_is_said_to_get_no_tokens(cast, app, browser_of, state):
    Client.objects.filter(id=app.client.id).update(state=state)
    found = said(browser_of(cast.ada), app)["Client"]
    assert found == (False, f"It gets no tokens. Its state is: {state.capitalize()}.")
    assert app.asks().json()["error"] == "unauthorized_client"


def test_a_client_of_another_type_is_said_to_be_one(cast, app, browser_of):
    client, _secret = cast.client(("Supervisor", cast.home), name="Sync", by=cast.ada)
    response = browser_of(cast.ada).post(at(client), {"secret_assertion": encode(app.idp.assertion())})
    line = response.context["lines"][-2]
    assert (line.met, line.sentence) == (
        False,
        "It is of the type Client Credentials. Needed is SAML2 Bearer.",
    )


def test_an_app_that_is_not_authorized_is_said_to_be_so(cast, app, browser_of):
    authorizations.revoke(actor=cast.actor(cast.ada), client_id=app.client.id)
    met, sentence = said(browser_of(cast.ada), app)["Authorization"]
    assert (met, sentence) == (False, "The app is not authorized in this organization.")
    assert app.asks().status_code == 400


def test_an_app_none_of_whose_scopes_is_authorized_is_not_authorized(cast, app, browser_of):
    ClientAuthorization.objects.filter(client=app.client).update(scope=["routing"])
    assert said(browser_of(cast.ada), app)["Authorization"][0] is False
    assert app.asks().status_code == 400


def test_a_limit_to_roles_is_asked_of_the_person_in_the_assertion(cast, app, browser_of):
    role = str(cast.role("Supervisor").id)
    authorizations.approve(
        actor=cast.actor(cast.ada), client_id=app.client.id, scope=["users"], roles=[role]
    )
    ada = browser_of(cast.ada)
    assert said(ada, app)["Authorization"] == (
        False,
        "The person holds none of the roles that may use the app.",
    )
    assert app.asks().status_code == 400
    met, sentence = said(ada, app, email=cast.ben.email)["Authorization"]
    assert (met, sentence) == (True, "The person may use the app, with the scope: users.")
    assert app.asks(email=cast.ben.email).status_code == 200


def test_a_client_that_is_gone_has_no_page(cast, app, browser_of):
    address = at(app.client)
    clients.delete(actor=cast.actor(cast.ada), client_id=app.client.id)
    assert browser_of(cast.ada).get(address).status_code == 404
