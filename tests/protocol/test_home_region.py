"""Wire contract B4, C4 and K: clients that act by themselves or by assertions get tokens in their organization's
home region alone; apps whose people sign in, in every region. And each login host answers in its own name."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.test import Client as Browser

from accounts.errors import Invalid, NotAllowed
from accounts.models import AuditEvent, Organization
from accounts.services import organization
from config.regions import Regions
from oauthclients.console.snippets import snippets
from oauthclients.models import Client, ClientState
from tests.cast import PASSWORD, REDIRECT_URI, basic, landed, pkce, token_request
from tests.oauthclients.console.wizard import text
from tests.protocol.test_rfc6749_token_endpoint import FAILED
from tests.saml import SamlApp

WELL_KNOWN = "/.well-known/oauth-authorization-server"
HOME = ["login.us.example.com", "api.us.example.com", "apps.us.example.com", "login.us.example.com:8000"]
AWAY = ["login.eu.example.com", "api.eu.example.com", "localhost:8000", "login.example.com"]


@pytest.fixture
def regions(settings) -> Regions:
    settings.BASE_URL = "https://login.example.com"
    settings.REGIONS = Regions(["eu=eu.example.com", "us=us.example.com"], base_url=settings.BASE_URL)
    settings.OAUTH2_PROVIDER = {**settings.OAUTH2_PROVIDER, "OIDC_ISS_ENDPOINT": settings.BASE_URL}
    return settings.REGIONS


@pytest.fixture
def american(cast, regions):
    organization.set_home_region(actor=cast.actor(cast.ada), code="us")
    cast.acme.refresh_from_db()
    return cast


def at(host: str) -> Browser:
    return Browser(SERVER_NAME=host.partition(":")[0], HTTP_HOST=host)


def signed_in(person, host: str) -> Browser:
    browser = at(host)
    assert browser.post("/sign-in/", {"email": person.email, "password": PASSWORD}).status_code == 302
    return browser


# --- Who gets tokens where ------------------------------------------------------------------------


@pytest.mark.parametrize("host", HOME)
def test_client_credentials_work_at_every_host_of_the_home_region(american, host):
    client, secret = american.client(("Supervisor", american.home))
    assert token_request(at(host), client.client_id, secret).status_code == 200


@pytest.mark.parametrize("host", AWAY)
def test_elsewhere_they_are_as_unknown_as_with_a_wrong_secret_and_the_log_knows_why(american, host, caplog):
    client, secret = american.client(("Supervisor", american.home))
    caplog.set_level("INFO")
    away = token_request(at(host), client.client_id, secret)
    assert "away from its home region" in caplog.text
    assert secret not in caplog.text
    caplog.clear()
    wrong = token_request(at(host), client.client_id, "lks_wrong")
    assert "home region" not in caplog.text
    assert away.status_code == wrong.status_code == 401
    assert away.json() == wrong.json() == FAILED
    same = {"WWW-Authenticate", "Cache-Control", "Pragma", "Content-Type"}
    assert {name: away[name] for name in same} == {name: wrong[name] for name in same}
    client.refresh_from_db()
    assert client.last_used_at is None


def test_it_does_not_help_to_ask_in_the_body_or_to_name_another_host_beside_it(american):
    client, secret = american.client(("Supervisor", american.home))
    form = {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": secret,
        "HTTP_HOST": "login.us.example.com",
    }
    response = at("login.eu.example.com").post(
        "/oauth/token",
        urlencode(form),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Forwarded-Host": "login.us.example.com"},
    )
    assert (response.status_code, response.json()) == (401, FAILED)


def test_an_organization_without_a_home_is_at_home_in_the_first_region(cast, regions):
    client, secret = cast.client(("Supervisor", cast.home))
    for host in ("login.eu.example.com", "localhost:8000", "login.example.com"):
        assert token_request(at(host), client.client_id, secret).status_code == 200
    assert token_request(at("login.us.example.com"), client.client_id, secret).json() == FAILED


@pytest.mark.parametrize("code", ["", "us", "gone"])
def test_with_one_region_every_host_is_home(cast, code):
    Organization.objects.filter(id=cast.acme.id).update(home_region=code)
    client, secret = cast.client(("Supervisor", cast.home))
    for host in (*HOME, *AWAY):
        assert token_request(at(host), client.client_id, secret).status_code == 200


def test_a_saml_assertion_is_exchanged_at_home_and_elsewhere_the_client_is_unknown(american):
    app = SamlApp.at_acme(american)
    assertion = app.idp.assertion(audience="http://localhost:8000/saml/acme")
    away = app.sends(assertion, headers={"Host": "login.eu.example.com"})
    assert (away.status_code, away.json()) == (401, FAILED)
    home = app.sends(assertion, headers={"Host": "login.us.example.com"})  # not used up by the refusal
    assert home.status_code == 200, home.content


@pytest.mark.parametrize("host", ["login.eu.example.com", "login.us.example.com", "localhost:8000"])
def test_an_app_signs_people_in_refreshes_and_does_pkce_in_every_region(american, host):
    app = american.app("users", "user-basic-info")
    browser = signed_in(american.eve, host)
    code = app.allowed(browser)["code"]
    given = app.exchange(code, at(host)).json()
    assert given["refresh_token"]
    assert "access_token" in app.refresh(given["refresh_token"], at(host)).json()

    code = app.allowed(browser, **pkce())["code"]
    form = {"client_id": app.id, "code_verifier": "v" * 43}
    answer = app.exchange(code, at(host), secret="", **form)
    assert answer.status_code == 200, answer.content
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert at("api.eu.example.com").get("/api/v2/users/me", headers=bearer).json()["name"] == "Eve"


@pytest.mark.parametrize("host", ["login.eu.example.com", "login.us.example.com"])
def test_the_implicit_grant_works_in_every_region(american, host):
    app = american.app("users", grant_type="implicit")
    assert app.allowed(signed_in(american.eve, host))["access_token"]


def test_a_tokens_power_is_the_same_in_every_region(american):
    client, secret = american.client(("Supervisor", american.home))
    token = token_request(at("api.us.example.com"), client.client_id, secret).json()["access_token"]
    for host in ("api.us.example.com", "api.eu.example.com"):
        answer = at(host).get("/api/v2/tokens/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200


def test_who_signs_in_through_a_provider_does_so_where_it_sends_people_back(american):
    there = f"/sign-in/with/{SamlApp.at_acme(american).provider.id}/?next=/oauth/authorize%3Fx=1"
    assert at("login.us.example.com").get(there)["Location"] == f"https://login.example.com{there}"
    assert at("login.example.com").get(there)["Location"].startswith("https://idp.acme.example/sso")


# --- In whose name ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "issuer"),
    [
        ("login.eu.example.com", "https://login.eu.example.com"),
        ("login.us.example.com", "https://login.us.example.com"),
        ("login.example.com", "https://login.example.com"),
        ("api.us.example.com", "https://login.example.com"),
        ("localhost:8000", "https://login.example.com"),
    ],
)
def test_metadata_answers_errors_and_introspection_name_the_same_issuer(american, host, issuer):
    said = at(host).get(WELL_KNOWN).json()
    assert said["issuer"] == issuer
    assert said["token_endpoint"] == f"{issuer}/oauth/token"
    app = american.app("users", "user-basic-info")
    browser = signed_in(american.eve, host)
    assert app.allowed(browser)["iss"] == issuer
    assert landed(app.ask(browser, scope="nonsense"), REDIRECT_URI)["iss"] == issuer
    implicit = american.app("users", name="Old", grant_type="implicit")
    assert implicit.allowed(browser)["iss"] == issuer

    role = american.custom_role("Asks", "oauth:token:view")
    client, secret = american.client((role.name, None), name="API")
    token = app.exchange(app.allowed(browser)["code"]).json()["access_token"]
    asked = at(host).post(
        "/oauth/introspect",
        urlencode({"token": token}),
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": basic(client.client_id, secret)},
    )
    assert (asked.json()["active"], asked.json()["iss"]) == (True, issuer)


# --- What people see ------------------------------------------------------------------------------


def test_code_to_copy_names_the_hosts_of_the_home_region(american):
    client, _secret = american.client(("Supervisor", american.home))
    client.refresh_from_db()
    code = {snippet["id"]: snippet["code"] for snippet in snippets(client)}
    assert "https://login.us.example.com/oauth/token" in code["curl"]
    assert "https://api.us.example.com/api/v2/tokens/me" in code["curl"]
    assert 'host="https://api.us.example.com"' in code["python"]
    assert 'host: "login.us.example.com"' in code["javascript"]
    assert "login.example.com" not in "".join(code.values()).replace("login.us.example.com", "")


def test_the_home_region_is_a_setting_where_there_is_a_choice(american, browser_of):
    page = "/admin/organization/settings/"
    ada = browser_of(american.ada)
    assert '<option value="us" selected>us (us.example.com)</option>' in ada.get(page).content.decode()
    version = american.acme.version
    answer = {"region": "eu", "version": version, "confirmed": "yes"}
    saved = ada.post(f"{page}home-region/", answer)
    assert saved.status_code == 302
    american.acme.refresh_from_db()
    assert american.acme.home_region == "eu"
    line = AuditEvent.objects.filter(action="organization.homeRegionSet").order_by("at").last()
    assert (line.before, line.after) == ({"homeRegion": "us"}, {"homeRegion": "eu"})
    assert "to eu (eu.example.com)" in ada.get(page).content.decode()
    for late in ({**answer, "region": "us"}, {"region": "us", "version": version}):
        again = ada.post(f"{page}home-region/", late)
        assert "changed the settings in the meantime" in again.content.decode()
    american.acme.refresh_from_db()
    assert american.acme.home_region == "eu"


def test_another_home_region_is_asked_first_with_the_clients_that_need_the_new_address(
    american, browser_of
):
    american.client(("Supervisor", american.home), name="Nightly")
    off, _secret = american.client(("Supervisor", american.home), name="Off")
    Client.objects.filter(id=off.id).update(state=ClientState.DISABLED)
    american.client(name="Gateway", grant_type="saml2-bearer", scope=("users",))
    american.app("users", name="Portal")  # its people sign in, in every region
    ada, page = browser_of(american.ada), "/admin/organization/settings/home-region/"
    version = american.acme.version

    response = ada.post(page, {"region": "eu", "version": version})
    asked = text(response)
    assert "Change the home region to eu (eu.example.com)?" in asked
    assert "Clients concerned 3" in asked
    assert "Token address now https://login.us.example.com/oauth/token" in asked
    assert "Token address then https://login.eu.example.com/oauth/token" in asked
    assert Organization.objects.get(id=american.acme.id).version == version

    hidden = response.context["question"].hidden
    assert ada.post(page, {**hidden, "version": response.context["version"]}).status_code == 302
    assert Organization.objects.get(id=american.acme.id).home_region == "eu"


@pytest.mark.parametrize(
    ("code", "said"),
    [("us", "There was nothing to save."), ("nowhere", "There is no region ‘nowhere’ here.")],
)
def test_nothing_is_asked_where_nothing_would_change(american, browser_of, code, said):
    sent = {"region": code, "version": american.acme.version}
    response = browser_of(american.ada).post("/admin/organization/settings/home-region/", sent, follow=True)
    assert said in text(response)
    assert "Clients concerned" not in text(response)
    assert Organization.objects.get(id=american.acme.id).home_region == "us"


def test_with_one_region_the_setting_is_not_there(cast, browser_of):
    assert "Home region" not in browser_of(cast.ada).get("/admin/organization/settings/").content.decode()


@pytest.mark.parametrize("code", ["us_east_1", "local", "", "x" * 5000, "\x00"])
def test_only_a_region_of_this_installation_can_be_home(american, code):
    with pytest.raises(Invalid) as refused:
        organization.set_home_region(actor=american.actor(american.ada), code=code)
    assert refused.value.problems[0].field == "homeRegion"
    american.acme.refresh_from_db()
    assert american.acme.home_region == "us"


def test_it_takes_the_right_to_change_the_organization(american, browser_of):
    with pytest.raises(NotAllowed):
        organization.set_home_region(actor=american.actor(american.ben), code="eu")
    ben = browser_of(american.ben)
    sent = ben.post("/admin/organization/settings/home-region/", {"region": "eu", "version": 2})
    assert sent.status_code == 403


def test_to_choose_what_is_so_already_changes_nothing(cast, regions):
    changed = organization.set_home_region(actor=cast.actor(cast.ada), code="eu")
    assert (changed.home_region, changed.version) == ("", 1)
