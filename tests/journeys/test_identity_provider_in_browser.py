"""Signing in through an identity provider that is none of ours (identity_provider.py), in a real browser and
over two sites: what cookies, policies and forms allow between them shows nowhere else."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests import saml
from tests.journeys import identity_provider
from tests.journeys.conftest import Served
from tests.journeys.identity_provider import BY_HAND, KINDS, IdentityProvider
from tests.journeys.test_consent_in_browser import Registered, WebApp, back_at, call, heading, listening

EVE, BEN, ADA = "eve@acme.example", "ben@acme.example", "ada@acme.example"
STRANGER, GONE = "stranger@acme.example", "gone@acme.example"
REFERENCE = re.compile("^Reference [0-9a-f-]{36}$")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
YOUR_APPS = "/account/apps/"
ONLY_SSO = "/admin/single-sign-on/only-sso/"

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is missing")


@dataclass
class Trusted:
    """A provider, and what Acme calls it."""

    idp: IdentityProvider
    id: str
    name: str

    @property
    def button(self) -> str:
        return f"Continue with {self.name}"


@pytest.fixture(scope="module")
def processes() -> Iterator[dict[str, IdentityProvider]]:
    with identity_provider.running() as found:
        yield found


@pytest.fixture(scope="module")
def trusted(served: Served, processes: dict[str, IdentityProvider]) -> dict[str, Trusted]:
    """Acme believes each kind, and has somebody who is not active any more."""
    given = {f"Provider {kind}": processes[kind].metadata() for kind in KINDS}
    said = served.manage("shell", "--no-imports", "-c", _SET_UP % json.dumps(given))
    ids = json.loads(said.splitlines()[-1])
    for kind in KINDS:
        processes[kind].learn(f"{served.base_url}/saml/metadata/{ids[f'Provider {kind}']}")
    return {kind: Trusted(processes[kind], ids[f"Provider {kind}"], f"Provider {kind}") for kind in KINDS}


_SET_UP = """
import json
from accounts.actor import system
from accounts.models import Organization
from accounts.rules.provider_spec import ProviderSpec
from accounts.saml import metadata
from accounts.services import identity_providers, people

acme = system(Organization.objects.get(short_name="acme"))
people.create(actor=acme, spec=people.PersonSpec(name="Gone", email="gone@acme.example"))
made = {}
for name, text in json.loads(%r).items():
    spec = ProviderSpec(name=name, **metadata.read(text))
    made[name] = str(identity_providers.create(actor=acme, spec=spec).id)
print(json.dumps(made))
"""


@pytest.fixture
def redirect(trusted: dict[str, Trusted]) -> Iterator[Trusted]:
    """The simplest one. Its clock is right again afterwards."""
    yield trusted["redirect"]
    trusted["redirect"].idp.set_clock(0)


@pytest.fixture
def app(served: Served, request: Any) -> Iterator[tuple[Registered, WebApp]]:
    """An app that acts for people, and the server that they are sent back to."""
    server, told = listening(socket.AF_INET, "127.0.0.1")
    web_app = WebApp(f"http://localhost:{server.server_port}/callback", server, told)
    client = by_the_api(
        served,
        "/api/v2/oauth/clients",
        {
            "name": request.node.name[:190],
            "authorizedGrantType": "CODE",
            "registeredRedirectUri": [web_app.redirect_uri],
            "scope": ["user-basic-info"],
        },
    )
    yield Registered(served, client["id"], client["secret"], web_app.redirect_uri), web_app
    server.shutdown()
    server.server_close()


def by_the_api(served: Served, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """As the demo's service, which may do anything here."""
    demo = served.demo["clients"]["client_credentials"]
    service = (demo["client_id"], demo["client_secret"])
    _status, token = call(served, "/oauth/token", service, form={"grant_type": "client_credentials"})
    status, found = call(served, path, token["access_token"], body=body)
    assert status == 200, found
    return found


def signed_in_as(page: Page, name: str) -> None:
    expect(page.locator("details.person summary")).to_have_text(name)


def nobody_is_signed_in(page: Page) -> None:
    page.goto(YOUR_APPS)
    assert urlsplit(page.url).path == "/sign-in/"


def sign_out(page: Page) -> None:
    page.locator("details.person summary").click()
    page.get_by_role("button", name="Sign out").click()


def through(page: Page, provider: Trusted, email: str, next: str = YOUR_APPS) -> None:
    """From the sign-in page of Acme to the provider and back."""
    page.goto("/sign-in/?" + urlencode({"org": "acme", "next": next}))
    page.get_by_role("link", name=provider.button, exact=True).click()
    provider.idp.sign_in(page, email)


# --- Setting it up -------------------------------------------------------------------------------


def test_ada_pastes_the_providers_metadata_and_eve_signs_in(page_of, served, processes):
    idp = processes[BY_HAND]
    ada = page_of("ada")
    ada.goto("/admin/single-sign-on/new/")
    ada.get_by_label("Name", exact=True).fill("Set up by hand")
    ada.get_by_label("Or paste its text").fill(idp.metadata())
    ada.get_by_role("button", name="Import metadata").click()
    expect(ada.get_by_label("Issuer URI")).to_have_value(f"{idp.address}/metadata")
    expect(ada.get_by_label("Target URL", exact=True)).to_have_value(f"{idp.address}/sso")
    expect(ada.get_by_role("switch", name="Sign our requests")).to_be_checked()
    ada.get_by_role("button", name="Add provider").click()
    heading(ada, "Set up by hand")
    # What the provider is told, it finds on the page; the file is at the address that is named there.
    [metadata_url] = re.findall(rf"{served.base_url}/saml/metadata/[0-9a-f-]+", ada.inner_text("aside"))
    idp.learn(metadata_url)

    eve = page_of(None)
    through(eve, Trusted(idp, "", "Set up by hand"), EVE)
    eve.wait_for_url(f"**{YOUR_APPS}")
    signed_in_as(eve, "Eve")
    assert ada.problems == eve.problems == []


# --- In the person's browser ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_eve_signs_in_there_and_is_on_the_page_she_asked_for(page_of, trusted, kind):
    provider = trusted[kind]
    page = page_of(None)
    deep_link = f"{YOUR_APPS}?from=a+mail&n=%C3%A9"
    through(page, provider, EVE.upper(), next=deep_link)
    page.wait_for_url(f"**{deep_link}")
    signed_in_as(page, "Eve")
    assert provider.idp.asked()[-1] == {"signed": kind.endswith("-signed"), "forced": False}

    # The organization is remembered, and so is she, over there.
    page.context.clear_cookies(name="latchkey_session")
    page.goto(deep_link)
    page.get_by_role("link", name=provider.button, exact=True).click()
    page.wait_for_url(f"**{deep_link}")
    signed_in_as(page, "Eve")
    assert page.problems == []


@pytest.mark.parametrize("kind", ["redirect", "post"])
def test_without_javascript_it_takes_a_press_more(page_of, trusted, kind):
    page = page_of(None, java_script_enabled=False, viewport={"width": 360, "height": 740})
    page.goto(f"/sign-in/?org=acme&next={YOUR_APPS}")
    page.get_by_role("link", name=trusted[kind].button, exact=True).click()
    if kind == "post":
        page.get_by_role("button", name="Continue").click()
    trusted[kind].idp.sign_in(page, EVE)
    page.get_by_role("button", name="Continue").click()  # the provider's
    page.wait_for_url(f"**{YOUR_APPS}")
    signed_in_as(page, "Eve")
    assert page.problems == []


def test_an_app_that_names_the_provider_leads_straight_there_then_to_the_consent_and_back(
    page_of, served, redirect, app
):
    client, web_app = app
    for provider in (redirect.name, redirect.id):
        page = page_of(None)
        page.goto(client.address(org="acme", provider=provider))
        redirect.idp.sign_in(page, BEN)
        if provider == redirect.name:
            expect(page.get_by_role("heading", level=1)).to_contain_text("wants to act for you")
            page.get_by_role("button", name="Allow").click()
        status, token = client.exchange(back_at(page, web_app)["code"])
        assert status == 200
        assert call(served, "/api/v2/users/me", token["access_token"])[1]["name"] == "Ben"
        assert page.problems == []


def test_from_the_sign_in_page_an_app_is_not_forgotten_on_the_way(page_of, served, redirect, app):
    client, web_app = app
    page = page_of(None)
    page.goto(client.address(org="acme"))
    expect(page.get_by_text("to continue to test_from_the_sign_in_page")).to_be_visible()
    page.get_by_role("link", name=redirect.button, exact=True).click()
    redirect.idp.sign_in(page, EVE)
    page.get_by_role("button", name="Allow").click()
    assert client.exchange(back_at(page, web_app)["code"])[0] == 200
    assert page.problems == []


def test_an_app_that_wants_a_fresh_sign_in_gets_one(page_of, redirect, app):
    """`prompt=login`, where the provider would remember her."""
    client, web_app = app
    page = page_of(None)
    through(page, redirect, EVE)
    signed_in_as(page, "Eve")
    page.goto(client.address(org="acme", provider=redirect.name, prompt="login"))
    redirect.idp.sign_in(page, EVE)
    assert redirect.idp.asked()[-1]["forced"]
    page.get_by_role("button", name="Allow").click()
    assert "code" in back_at(page, web_app)
    assert page.problems == []


def test_ada_starts_at_the_wizard_and_makes_a_client_there(page_of, redirect):
    page = page_of(None)
    page.goto("/sign-in/?org=acme&next=/admin/integrations/oauth/add/")
    page.get_by_role("link", name=redirect.button, exact=True).click()
    redirect.idp.sign_in(page, ADA)
    heading(page, "Add New Client")
    page.get_by_label("App Name").fill("Made after single sign-on")
    page.get_by_role("radio", name="Client Credentials").check(force=True)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("switch", name="Supervisor").check(force=True)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Save", exact=True).click()
    heading(page, "Client Secret")
    assert page.problems == []


def test_who_signed_in_there_confirms_there(page_of, redirect):
    """Her provider remembers her from 20 minutes ago, which is too long for what cannot be undone."""
    page = page_of(None)
    redirect.idp.set_clock(-20 * 60)
    through(page, redirect, ADA)
    heading(page, "You are not signed in")  # an answer as old as that is not accepted
    page.problems.clear()
    redirect.idp.set_clock(0)
    page.goto(redirect.idp.start(ONLY_SSO))
    heading(page, "Confirm your password")
    page.get_by_role("link", name=redirect.button, exact=True).click()
    redirect.idp.sign_in(page, ADA)  # who is signed in there, and is asked all the same
    assert redirect.idp.asked()[-1]["forced"]
    heading(page, "Turn on Only SSO?")
    assert page.problems == []


def test_somebody_else_cannot_confirm_for_her(page_of, redirect):
    page = page_of(None)
    redirect.idp.set_clock(-20 * 60)
    through(page, redirect, ADA)
    redirect.idp.set_clock(0)
    page.goto(redirect.idp.start(ONLY_SSO))
    page.get_by_role("link", name=redirect.button, exact=True).click()
    redirect.idp.sign_in(page, BEN)
    heading(page, "You are not signed in")  # until then the browser is on its way
    page.goto(ONLY_SSO)
    heading(page, "Confirm your password")
    expect(page.get_by_text(ADA)).to_be_visible()


# --- Begun at the provider -----------------------------------------------------------------------


def test_a_sign_in_may_begin_at_the_provider(page_of, served, redirect):
    page = page_of(None)
    page.goto(redirect.idp.start())
    redirect.idp.sign_in(page, EVE)
    page.wait_for_url("**/admin/")
    signed_in_as(page, "Eve")
    for there in (f"{YOUR_APPS}?a=b", f"{served.base_url}{YOUR_APPS}?c=d"):
        page.goto(redirect.idp.start(there))
        page.wait_for_url(f"**{there}")
    assert page.problems == []


def test_no_relay_state_leads_away_from_here(page_of, served, redirect):
    page = page_of(None)
    page.goto(redirect.idp.start())
    redirect.idp.sign_in(page, EVE)
    page.wait_for_url("**/admin/")
    met: set[str] = set()
    page.on("request", lambda request: met.add(urlsplit(request.url).netloc))
    page.on("dialog", lambda dialog: pytest.fail(f"it ran: {dialog.message}"))
    for relay_state in (
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "http:evil.example",
        "https:///evil.example",
        "javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        f"{served.base_url}@evil.example/",
        f"{served.base_url}.evil.example/",
        f"{redirect.idp.address}/",
        "a-token-of-its-own",  # as many providers send
        "x" * 5000,
    ):
        page.context.clear_cookies(name="latchkey_session")
        page.goto(redirect.idp.start(relay_state))
        page.wait_for_url(f"{served.base_url}/**")
        assert page.url == f"{served.base_url}/admin/", relay_state
    ours, theirs = (urlsplit(url).netloc for url in (served.base_url, redirect.idp.address))
    assert met - {""} == {ours, theirs}


def test_somebody_who_is_signed_in_is_not_replaced_unasked(page_of, redirect):
    page = page_of("ada")
    page.goto(redirect.idp.start(YOUR_APPS))
    redirect.idp.sign_in(page, EVE)
    heading(page, "Sign in as somebody else?")
    page.goto("/admin/")
    signed_in_as(page, "Ada")
    page.go_back()
    page.get_by_role("button", name="Continue as Eve").click()
    page.wait_for_url(f"**{YOUR_APPS}")
    signed_in_as(page, "Eve")
    assert page.problems == []


# --- Signing out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["redirect", "post"])
def test_signing_out_here_signs_out_there(page_of, trusted, kind):
    provider = trusted[kind]
    page = page_of(None)
    through(page, provider, EVE)
    signed_in_as(page, "Eve")
    other = page.context.new_page()
    assert provider.idp.signed_in(other) == EVE
    sign_out(page)
    page.wait_for_url("**/sign-in/**")
    assert provider.idp.signed_in(other) == "Nobody is signed in"
    nobody_is_signed_in(page)
    assert page.problems == []


@pytest.mark.parametrize("kind", ["redirect", "post"])
def test_signing_out_there_signs_out_here(page_of, trusted, kind):
    provider = trusted[kind]
    page, elsewhere = page_of(None), page_of(None)
    for one in (page, elsewhere):
        through(one, provider, EVE)
        signed_in_as(one, "Eve")
    other = page.context.new_page()
    other.goto(f"{provider.idp.address}/leave")
    expect(other.get_by_role("heading", name="Signed out everywhere")).to_be_visible()
    nobody_is_signed_in(page)
    # Only the session that ended there: the one in the other browser is another.
    elsewhere.reload()
    signed_in_as(elsewhere, "Eve")
    assert page.problems == []


def test_without_javascript_the_way_out_is_the_same(page_of, redirect):
    page = page_of(None, java_script_enabled=False)
    page.goto(f"/sign-in/?org=acme&next={YOUR_APPS}")
    page.get_by_role("link", name=redirect.button, exact=True).click()
    redirect.idp.sign_in(page, EVE)
    page.get_by_role("button", name="Continue").click()
    sign_out(page)
    page.wait_for_url("**/sign-in/**")
    assert redirect.idp.signed_in(page) == "Nobody is signed in"


# --- The administrator's test --------------------------------------------------------------------


def test_ada_tests_the_sign_in_and_reads_that_every_condition_is_met(page_of, redirect):
    result = result_of_a_test(page_of("ada"), redirect, EVE)
    expect(result.get_by_text("It works: Eve (eve@acme.example) would be signed in.")).to_be_visible()
    conditions = result.locator(".finding")
    expect(conditions.filter(has_text="Signature")).to_contain_text("Identity provider of the tests")
    for condition in conditions.all():
        expect(condition.locator(".finding-word")).to_have_text("Met")
    signed_in_as(result, "Ada")


def test_with_another_certificate_the_test_says_which_condition_is_not_met(page_of, served, redirect):
    ada = page_of("ada")
    ada.goto(f"/admin/single-sign-on/{redirect.id}/")
    true_one = redirect.idp.certificate()
    try:
        replace_certificate(ada, saml.pair(which="another").certificate)
        result = result_of_a_test(ada, redirect, EVE)
        expect(result.get_by_text("This sign-in would be refused.")).to_be_visible()
        conditions = result.locator(".finding")
        expect(conditions.filter(has_text="Issuer").first).to_contain_text("Met")
        expect(conditions.filter(has_text="Signature")).to_contain_text("Not met")
        expect(conditions.filter(has_text="none of the certificates")).to_have_count(1)
        expect(conditions.filter(has_text="Audience")).to_contain_text("Not checked")
        # And so it is in earnest.
        eve = page_of(None)
        through(eve, redirect, EVE)
        expect(eve.get_by_text("could not be accepted (signature)")).to_be_visible()
        nobody_is_signed_in(eve)
    finally:
        ada.goto(f"/admin/single-sign-on/{redirect.id}/")
        replace_certificate(ada, true_one)


def result_of_a_test(page: Page, provider: Trusted, email: str) -> Page:
    """The page with the result, in a tab of its own."""
    page.goto(f"/admin/single-sign-on/{provider.id}/")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Test sign-in").click()
    result: Page = opened.value
    provider.idp.sign_in(result, email)
    heading(result, "Test sign-in")
    return result


def replace_certificate(page: Page, pem: str) -> None:
    page.locator("[name=remove]").first.check(force=True)
    page.get_by_label("Add certificates").fill(pem)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("status").filter(has_text="saved")).to_be_visible()


# --- Refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("email", "clock", "what"),
    [
        (STRANGER, 0, "Nobody here with the email"),
        (GONE, 0, "Nobody here with the email"),
        (EVE, -600, "could not be accepted (expired, or not yet valid)"),
        (EVE, 600, "could not be accepted (expired, or not yet valid)"),
    ],
    ids=["unknown", "not active", "expired", "from the future"],
)
def test_what_is_not_accepted_signs_nobody_in_and_says_so_in_words(
    page_of, served, redirect, email, clock, what
):
    before = by_the_api(served, "/api/v2/users?pageSize=100&state=any")["total"]
    redirect.idp.set_clock(clock)
    page = page_of(None)
    through(page, redirect, email)
    heading(page, "You are not signed in")
    expect(page.get_by_text(what)).to_be_visible()
    expect(page.get_by_text(REFERENCE)).to_be_visible()
    expect(page.get_by_text(email)).to_have_count(0)
    page.get_by_role("link", name="To the sign-in page").click()
    heading(page, "Sign in to Acme")
    nobody_is_signed_in(page)
    assert by_the_api(served, "/api/v2/users?pageSize=100&state=any")["total"] == before


def test_an_answer_that_is_sent_again_signs_nobody_in(page_of, redirect):
    page = page_of(None)
    with page.expect_request("**/saml") as sent:
        through(page, redirect, EVE)
    signed_in_as(page, "Eve")
    thief = page_of(None)
    answer = thief.request.post("/saml", data=sent.value.post_data, headers=FORM)
    assert answer.status == 400
    nobody_is_signed_in(thief)


def test_an_answer_that_is_taken_from_her_browser_is_of_no_use_in_another(page_of, redirect):
    """The way back is tied to the browser that left."""
    page, thief = page_of(None), page_of(None)
    page.route("**/saml", lambda route: route.abort())
    with page.expect_request("**/saml") as sent:
        through(page, redirect, EVE)
    answer = thief.request.post("/saml", data=sent.value.post_data, headers=FORM)
    assert "This sign-in is over, or began in another browser." in answer.text()
    nobody_is_signed_in(thief)


@pytest.mark.parametrize("signature", ["none", "another's"])
def test_a_provider_that_wants_our_requests_signed_looks_at_the_signature(page_of, trusted, signature):
    """Else nothing above would say that ours is right."""
    page = page_of(None)
    strict = trusted["redirect-signed"]
    sender = trusted["redirect" if signature == "none" else "redirect-signed"]
    address = f"/sign-in/with/{sender.id}/"
    [sent, another] = [
        page.request.get(address, max_redirects=0).headers["location"].partition("?")[2] for _ in "12"
    ]
    if signature != "none":
        sent = re.sub("Signature=[^&]*", re.search("Signature=[^&]*", another)[0], sent)
    page.goto(f"{strict.idp.address}/sso?{sent}")
    heading(page, "Refused")
    expect(page.get_by_text("SIG")).to_be_visible()


# --- Only SSO ------------------------------------------------------------------------------------


@pytest.fixture
def only_sso(page_of: Any, served: Served, trusted: dict[str, Trusted]) -> Iterator[None]:
    """Ada turns it on, and keeps a password herself."""
    ada = page_of("ada")
    ada.goto(ONLY_SSO)
    ada.get_by_label("Who keeps a password").select_option(label="Ada (ada@acme.example)")
    ada.get_by_role("button", name="Turn on Only SSO").click()
    expect(ada.get_by_text("Only SSO is on. Ada keeps a password.")).to_be_visible()
    yield
    ada.goto(ONLY_SSO)
    ada.get_by_role("button", name="Turn off").click()
    expect(ada.get_by_text("Only SSO is off.")).to_be_visible()


def test_with_only_sso_passwords_let_the_keeper_in_and_nobody_else(page_of, served, redirect, only_sso):
    page = page_of(None)
    page.goto("/sign-in/?org=acme")
    expect(page.get_by_role("link", name=redirect.button, exact=True)).to_be_visible()
    expect(page.locator("[name=password], [name=email]")).to_have_count(0)
    page.get_by_role("link", name="Sign in with a password").click()
    page.get_by_label("Email").fill(BEN)
    page.locator("[name=password]").fill(served.demo["people"]["ben"]["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("signs in through single sign-on only")
    nobody_is_signed_in(page)
    through(page, redirect, BEN)
    signed_in_as(page, "Ben")
    page.goto(f"/confirm-password/?next={YOUR_APPS}")
    heading(page, "Confirm that it is you")
    expect(page.locator("[name=password]")).to_have_count(0)
    page.get_by_role("link", name=redirect.button, exact=True).click()
    redirect.idp.sign_in(page, BEN)
    page.wait_for_url(f"**{YOUR_APPS}")
    keeper = page_of("ada")
    signed_in_as(keeper, "Ada")
    assert page.problems == keeper.problems == []


# --- How it looks --------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_in_every_width_and_theme_nothing_is_cut_and_nobody_is_kept_out(page_of, redirect, width, scheme):
    page = page_of(None, viewport={"width": width, "height": 740}, color_scheme=scheme)
    page.goto("/sign-in/?org=acme")
    looks_right(page, width)
    page.get_by_role("link", name=redirect.button, exact=True).click()
    redirect.idp.sign_in(page, STRANGER)
    heading(page, "You are not signed in")
    looks_right(page, width)
    page.goto("/sign-in/?org=nobody-is-called-this")
    looks_right(page, width)


def looks_right(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
