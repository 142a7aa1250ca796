"""What people read before they let an app act for them, in every state (UX spec 4.11, ASVS 10.7.2)."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client as Browser

from accounts.models import Organization
from oauthclients.authorization_server import consent_page
from oauthclients.models import AuthorizationState, ClientAuthorization, Consent
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import authorizations, clients, consents
from tests.cast import App, Cast, landed, pkce

SCOPES = ("users", "user-basic-info", "oauth:readonly")


def text(response) -> str:
    """What the page says, without its tags."""
    body = response.content.decode().partition("<main")[2].replace("\xa0", " ")
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def heading(response) -> str:
    (found,) = re.findall(r"<h1>(.*?)</h1>", response.content.decode(), re.S)
    return html.unescape(re.sub(r"<[^>]*>", "", found))


def buttons(response) -> list[str]:
    return re.findall(r'name="decision" value="(\w+)"', response.content.decode())


def row(app: App) -> ClientAuthorization:
    return ClientAuthorization.objects.get(client=app.client, organization__name="Acme")


@pytest.fixture
def foreign(cast: Cast) -> App:
    """An app of Globex, of which Acme knows nothing yet."""
    client, secret = clients.create(
        actor=cast.actor(cast.cleo),
        spec=ClientSpec(
            name="Shift planner",
            grant_type="authorization-code",
            description="Plans shifts",
            redirect_uris=("https://plan.example/back",),
            scope=SCOPES,
        ),
    )
    return App(client, secret.reveal(), "https://plan.example/back")


@pytest.fixture
def app(cast: Cast) -> App:
    return cast.app(*SCOPES, description="Plans shifts")


@pytest.fixture
def ada(cast, browser_of) -> Browser:
    return browser_of(cast.ada)


@pytest.fixture
def ben(cast, browser_of) -> Browser:
    return browser_of(cast.ben)


# --- Agree ---------------------------------------------------------------------------------------


def test_it_names_the_app_its_maker_its_rights_its_lifetime_and_who_is_asked(app, ben):
    page = app.ask(ben)
    said = text(page)
    assert heading(page) == "Web app wants to act for you"
    for words in (
        "Plans shifts",
        "Made by Acme (your organization)",
        "Returns you to app.example",
        "Signed in as Ben (ben@acme.example) Not you?",
        "See who you are: name, email and organization user-basic-info",
        "See and change people changes things sensitive users",
        "See OAuth clients and their usage sensitive oauth:readonly",
        "It can never do more than you can.",
        "What it gets lasts 1 day; it can renew that for up to 30 days.",
        "You can take it back at any time: “Your apps”",
    ):
        assert words in said
    assert buttons(page) == ["allow", "deny"]


def test_an_app_of_another_organization_is_called_that(foreign, ben, cast):
    authorizations.approve(actor=cast.actor(cast.ada), client_id=foreign.id, scope=SCOPES)
    assert "Made by Globex (another organization)" in text(foreign.ask(ben))


def test_without_a_refresh_token_nothing_is_said_of_renewing(cast, ben, settings):
    browser_app = cast.app("users", grant_type="implicit", token_seconds=3_600)
    assert "What it gets lasts 1 hour." in text(browser_app.ask(ben))
    web_app = cast.app("users", name="Other web app", token_seconds=3_600)
    Organization.objects.update(idle_timeout_enabled=True, idle_timeout_seconds=900)
    assert (
        "What it gets lasts 1 hour; it can renew that for up to 30 days. "
        "It ends when the app has not used it for 15 minutes." in text(web_app.ask(ben))
    )
    settings.REFRESH_TOKENS_WITH_IDLE_TIMEOUT = False
    assert "What it gets lasts 1 hour. It ends when" in text(web_app.ask(ben))


def test_only_what_is_new_is_asked_and_what_was_allowed_is_there_to_read(app, ben, cast):
    consents.agree(
        actor=cast.actor(cast.ben),
        user=cast.ben,
        client=app.client,
        scope=["users", "user-basic-info"],
        place="https://app.example",
    )
    said = text(app.ask(ben))
    asks, before = said.split("What you allowed before")
    assert "It now also asks to See OAuth clients and their usage" in asks
    assert "See and change people" not in asks
    assert "See and change people" in before


def test_where_it_must_be_asked_again_the_page_says_so(app, ben):
    app.allowed(ben)
    said = text(app.ask(ben, prompt="consent"))
    assert "It asks to" in said
    assert "You allowed this before." in said


def test_what_the_organization_has_not_authorized_is_not_among_what_it_gets(app, ben, cast):
    authorizations.approve(
        actor=cast.actor(cast.ada), client_id=app.id, scope=["users:readonly", "user-basic-info"]
    )
    page = app.ask(ben)
    gets, left_out = text(page).split("It does not get all that it asks for")
    assert "See people" in gets
    assert "See and change people" not in gets
    assert "See and change people" in left_out
    assert "See OAuth clients and their usage" in left_out
    assert app.tokens(ben)["scope"] == "user-basic-info users:readonly"


def test_an_app_without_limits_says_that_it_can_do_everything(app, ben):
    Organization.objects.update(enforce_scopes=False)
    said = text(app.ask(ben))
    assert "It asks to Do everything that you can do sensitive" in said
    assert "See and change people" not in said
    assert "It can never do more than you can." in said


def test_a_program_on_the_persons_own_device_is_called_that(cast, ben):
    native = cast.app("users", name="Native", redirect_uri="com.example.app:/back")
    said = text(native.ask(ben, **pkce()))
    assert "Returns you to a program on this device (com.example.app)" in said
    assert "Nothing proves which program on this device asks." in said
    local = cast.app("users", name="Local", redirect_uri="http://127.0.0.1/back")
    said = text(local.ask(ben))
    assert "Returns you to a program on this device Signed" in said
    assert "Nothing proves" not in said  # its secret will


# --- Approve -------------------------------------------------------------------------------------


def test_somebody_who_may_authorize_chooses_first_and_nothing_is_chosen_for_them(foreign, ada):
    page = foreign.ask(ada, select="all")
    assert heading(page) == "Authorize Shift planner?"
    assert "What it may do for the people of Acme" in text(page)
    assert buttons(page) == ["approve", "deny"]
    switches = re.findall(r'<input type="checkbox" role="switch"[^>]*>', page.content.decode())
    assert len(switches) == 3
    assert not any("checked" in switch for switch in switches)


def test_choosing_nothing_approves_nothing(foreign, ada):
    page = ada.post(foreign.address(), {"decision": "approve", "version": "0"})
    assert page.status_code == 200
    assert "Error – " in page.content.decode()
    assert "Choose at least one scope." in text(page)
    assert not ClientAuthorization.objects.filter(client=foreign.client, organization__name="Acme").exists()


def test_reading_only_can_be_approved_where_changing_is_asked_for(foreign, ada):
    response = ada.post(
        foreign.address(),
        {
            "decision": "approve",
            "version": "0",
            "scope": ["users", "oauth:readonly"],
            "extent-users": "readonly",
            "extent-oauth:readonly": "full",
        },
    )
    assert response["Location"] == foreign.address()
    assert row(foreign).scope == ["oauth:readonly", "users:readonly"]
    page = foreign.ask(ada)
    assert heading(page) == "Shift planner wants to act for you"
    assert [scope.name for scope in page.context["scopes"]] == ["oauth:readonly", "users:readonly"]


def test_what_is_not_asked_for_is_not_offered_and_cannot_be_approved(foreign, ada):
    page = foreign.ask(ada, scope="user-basic-info")
    assert [entry["name"] for entry in page.context["entries"]] == ["user-basic-info"]
    page = ada.post(foreign.address(), {"decision": "approve", "scope": ["users", "gdpr"], "version": "0"})
    assert "does not ask for the scope ‘gdpr’" in text(page)
    assert re.search(r'value="users"[^>]* checked', page.content.decode())  # what was chosen is kept
    assert not ClientAuthorization.objects.filter(client=foreign.client, organization__name="Acme").exists()


def test_what_is_authorized_and_for_whom_stays_when_more_is_approved(foreign, ada, cast):
    authorizations.approve(
        actor=cast.actor(cast.ada),
        client_id=foreign.id,
        scope=["user-basic-info"],
        roles=[str(cast.role("Admin").id)],
    )
    page = foreign.ask(ada, scope="users")
    said = text(page)
    assert "What stays authorized See who the person is" in said
    assert "Only people with one of these roles can use it, as before: Admin." in said
    ada.post(foreign.address(scope="users"), {"decision": "approve", "scope": "users", "version": "1"})
    assert row(foreign).scope == ["user-basic-info", "users"]
    assert row(foreign).roles == [str(cast.role("Admin").id)]


def test_cancelling_tells_the_app_and_decides_nothing(foreign, ada):
    response = foreign.say(ada, foreign.ask(ada), "deny")
    assert landed(response, foreign.redirect_uri)["error"] == "access_denied"
    assert not ClientAuthorization.objects.filter(client=foreign.client, organization__name="Acme").exists()


def test_a_form_that_says_approve_is_refused_from_somebody_who_may_not(foreign, ben):
    response = ben.post(foreign.address(), {"decision": "approve", "scope": "users", "version": "0"})
    assert heading(response) == "Shift planner needs approval"
    assert not ClientAuthorization.objects.filter(client=foreign.client, organization__name="Acme").exists()


# --- Ask -----------------------------------------------------------------------------------------


def test_somebody_who_may_not_authorize_can_ask_and_sees_that_it_was_asked(foreign, ben, cast, browser_of):
    page = foreign.ask(ben)
    said = text(page)
    assert heading(page) == "Shift planner needs approval"
    assert "An administrator must approve this application." in said
    assert "These people can approve it: Ada." in said
    assert buttons(page) == ["ask", "deny"]

    assert foreign.say(ben, page, "ask")["Location"] == foreign.address()
    page = foreign.ask(ben)
    assert "Approval has been asked for You asked" in text(page)
    assert buttons(page) == ["deny"]
    assert "Ben asked" in text(foreign.ask(browser_of(cast.eve)))
    assert row(foreign).state == AuthorizationState.REQUESTED


@pytest.mark.parametrize("end", ["decline", "revoke"])
def test_after_a_no_somebody_can_ask_again(app, ben, cast, end):
    if end == "decline":
        ClientAuthorization.objects.update(state=AuthorizationState.UNAUTHORIZED)
    else:
        authorizations.revoke(actor=cast.actor(cast.ada), client_id=app.id)
    page = app.ask(ben)
    assert "It was declined, or taken back, before. You can ask again." in text(page)
    app.say(ben, page, "ask")
    assert "Approval has been asked for" in text(app.ask(ben))
    assert row(app).state in authorizations.REFUSED


def test_nothing_can_be_allowed_while_an_answer_is_waited_for(foreign, ben):
    page = foreign.ask(ben)
    foreign.say(ben, page, "ask")
    assert foreign.say(ben, page, "allow")["Location"] == foreign.address()
    assert not Consent.objects.exists()


# --- Not at all ----------------------------------------------------------------------------------


def test_a_role_that_is_left_out_is_told_so_and_can_go_back(app, ben, cast):
    authorizations.approve(
        actor=cast.actor(cast.ada), client_id=app.id, scope=SCOPES, roles=[str(cast.role("Admin").id)]
    )
    page = app.ask(ben)
    assert page.status_code == 403
    assert heading(page) == "You cannot use Web app"
    assert "Your role does not allow this application." in text(page)
    assert "These people can change that: Ada." in text(page)
    assert buttons(page) == ["deny"]
    assert landed(app.say(ben, page, "deny"), app.redirect_uri)["error"] == "access_denied"


def test_somebody_of_the_wrong_organization_is_offered_to_sign_in_as_somebody_else(app, ben):
    page = app.ask(ben, org="globex")
    said = text(page)
    assert heading(page) == "Sign in as somebody else"
    assert "Web app wants somebody of Globex ." in said
    assert "You are signed in as Ben (ben@acme.example), of Acme ." in said
    response = ben.post("/sign-out/", {"next": app.address(org="globex")})
    assert response["Location"].startswith("/sign-in/?next=/oauth/authorize")
    assert "to continue to Web app" in text(ben.get(response["Location"]))


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"client_id": "nobody"}, "The app did not say who it is"),
        ({"redirect_uri": "https://evil.example/"}, "is not registered for it"),
    ],
)
def test_a_request_that_can_be_answered_nowhere_is_a_page_of_ours(app, ben, query, why):
    page = ben.get("/oauth/authorize", {"client_id": app.id, "response_type": "code", **query})
    assert page.status_code == 400
    assert heading(page) == "This app cannot sign you in"
    assert why in text(page)
    assert 'href="https://evil.example' not in page.content.decode()
    assert not buttons(page)


# --- Hostile words -------------------------------------------------------------------------------

PAYLOADS = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "{{ 7|add:7 }}{% now 'Y' %}",
    "%(name)s %s {0}",
    "W" * 200,
    "אפליקציה </h1>",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_a_developer_calls_an_app_is_never_more_than_text(cast, ada, ben, browser_of, payload):
    app = cast.app("users", name=payload, description=payload)
    authorizations.revoke(actor=cast.actor(cast.ada), client_id=app.id)
    pages = [
        Browser().get("/sign-in/", {"next": app.address()}),
        app.ask(ada),
        app.ask(ben),
        app.ask(ben, org="globex"),
    ]
    authorizations.approve(
        actor=cast.actor(cast.ada), client_id=app.id, scope=["users"], roles=[str(cast.role("Admin").id)]
    )
    pages += [app.ask(ada), app.ask(ben)]
    for page in pages:
        body = page.content.decode()
        assert html.escape(payload) in body
        for tag in ("<script>alert", "<img src=x", "</h1></bdi>"):
            assert tag not in body
        # Set apart, so that its direction does not turn the words around it.
        assert f"<bdi>{html.escape(payload)}</bdi>" in body


# --- The form ------------------------------------------------------------------------------------


def test_a_page_that_somebody_else_sees_by_now_is_opened_again_and_not_sent_again(app, cast, browser_of):
    """Who signs in meanwhile gets a new token for forms. To send the kept entries for them would agree in
    their name to what another person was shown."""
    strict = Browser(enforce_csrf_checks=True, headers={"origin": "http://testserver"})
    strict.cookies = browser_of(cast.ada).cookies
    page = strict.post(
        app.address(), {"decision": "allow", "shown": SCOPES, "csrfmiddlewaretoken": "x" * 32}
    )
    assert page.status_code == 403
    assert "Open the page again" in text(page)
    assert 'name="decision"' not in page.content.decode()
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [
        ("https://app.example:8443/cb?x=1", "https://app.example:8443"),
        ("http://127.0.0.1:5000/cb", "http://127.0.0.1:5000"),
        ("http://[::1]:5000/cb", "http:"),  # the policy's grammar has no IPv6 address
        ("com.example.app:/cb", "com.example.app:"),
    ],
)
def test_the_policy_lets_the_form_lead_to_the_app(redirect_uri, source):
    assert consent_page.form_action(redirect_uri) == source


def test_signing_in_may_lead_straight_to_an_app_that_does_not_name_its_only_address(app):
    address = app.address(redirect_uri="")
    policy = Browser().get("/sign-in/", {"next": address})["Content-Security-Policy"]
    assert "form-action 'self' https://app.example;" in f"{policy};"
