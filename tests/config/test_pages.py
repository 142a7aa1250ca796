"""The frame, Admin home, health, and every page that says no."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.test import Client as Browser
from django.test import override_settings
from django.urls import path
from django.utils import timezone

from accounts.errors import Conflict, Invalid, NotFound, Problem
from config import urls as product_urls
from config import views
from config.serving import TOO_LARGE, WholeRequests
from oauthclients.models import Client, ClientDraft
from oauthclients.services import clients, secrets

POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
)


def _raise(error):
    def view(request):
        raise error

    return view


urlpatterns = [
    path("boom/", _raise(RuntimeError("x"))),
    path("oauth/boom", _raise(RuntimeError("x"))),
    path("denied/", _raise(PermissionDenied())),
    path("conflict/", _raise(Conflict("Ada was first."))),
    path(
        "invalid/", _raise(Invalid([Problem("a", "x", "First wrong."), Problem("b", "x", "Second wrong.")]))
    ),
    path("gone/", _raise(NotFound())),
    path("oauth/gone", _raise(NotFound())),
    *product_urls.urlpatterns,
]
handler400, handler403, handler404, handler500 = (
    product_urls.handler400,
    product_urls.handler403,
    product_urls.handler404,
    product_urls.handler500,
)
broken = pytest.mark.urls(__name__)


# --- Frame ---------------------------------------------------------------------------------------


def test_the_menu_and_the_cards_show_what_the_person_may_open(cast, browser_of):
    for person in (cast.ada, cast.ben):
        html = browser_of(person).get("/admin/").content.decode()
        assert html.count('href="/admin/integrations/oauth/"') == 2  # menu and card
        assert "Integrations" in html


def test_somebody_without_console_rights_is_told_so_kindly(cast, browser_of):
    response = browser_of(cast.eve).get("/admin/")
    html = response.content.decode()
    assert response.status_code == 200
    assert "/admin/integrations/oauth/" not in html
    assert "Welcome, Eve" in html
    assert "these people can give you a role: Ada" in html
    assert 'The apps that act for you are under <a href="/account/apps/">Your apps</a>' in html


def test_pages_carry_the_headers_that_protect_them(cast, browser_of):
    for response in (Browser().get("/sign-in/"), browser_of(cast.ada).get("/admin/")):
        for part in POLICY:
            assert part in response["Content-Security-Policy"]
        assert "unsafe" not in response["Content-Security-Policy"]
        assert "no-store" in response["Cache-Control"]
        assert response["X-Frame-Options"] == "DENY"
        assert response["X-Content-Type-Options"] == "nosniff"


def test_no_page_of_the_frame_needs_inline_code_or_other_hosts(cast, browser_of):
    for response in (Browser().get("/sign-in/"), browser_of(cast.ada).get("/admin/")):
        html = response.content.decode()
        assert " style=" not in html
        assert "<style" not in html
        assert " onclick" not in html
        assert "<script>" not in html
        for start in ('src="http', 'href="http', 'src="//', 'href="//'):
            assert start not in html


def test_the_current_page_is_marked_in_the_menu(cast, browser_of):
    html = browser_of(cast.ada).get("/admin/integrations/oauth/").content.decode()
    assert '<a href="/admin/integrations/oauth/" aria-current="page">' in html
    assert '<a href="/admin/">Admin home</a>' in html


# --- Theme ---------------------------------------------------------------------------------------


def test_the_theme_is_a_cookie_that_the_server_writes_into_the_page(db):
    browser = Browser()
    assert "data-theme" not in browser.get("/sign-in/").content.decode()
    response = browser.post("/theme/", {"theme": "dark", "next": "/sign-in/"})
    assert response["Location"] == "/sign-in/"
    assert response.cookies["theme"]["httponly"]
    assert 'data-theme="dark"' in browser.get("/sign-in/").content.decode()
    browser.post("/theme/", {"theme": "system", "next": "/sign-in/"})
    assert "data-theme" not in browser.get("/sign-in/").content.decode()


def test_a_page_that_changes_its_theme_in_place_is_sent_nowhere(db):
    browser = Browser()
    response = browser.post("/theme/", {"theme": "dark"}, headers={"X-Requested-With": "fetch"})
    assert (response.status_code, response.content) == (204, b"")
    assert browser.cookies["theme"].value == "dark"


def test_a_made_up_theme_is_none(db):
    browser = Browser()
    browser.post("/theme/", {"theme": '"><script>'})
    assert "theme" not in browser.cookies or not browser.cookies["theme"].value
    browser.cookies["theme"] = "purple"
    assert "data-theme" not in browser.get("/sign-in/").content.decode()


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_choosing_a_theme_leads_to_no_other_host(client, elsewhere):
    assert client.post("/theme/", {"theme": "dark", "next": elsewhere})["Location"] == "/admin/"


def test_the_theme_is_not_chosen_by_a_link(client):
    assert client.get("/theme/?theme=dark").status_code == 405


# --- Needs attention -----------------------------------------------------------------------------


def test_admin_home_lists_what_needs_attention_and_nothing_else(cast, browser_of):
    browser = browser_of(cast.ada)
    assert "Needs attention" not in browser.get("/admin/").content.decode()
    ada = cast.actor(cast.ada)
    soon, _secret = cast.client(("Supervisor", cast.home), name="Soon", by=cast.ada)
    secrets.generate(actor=ada, client_id=soon.id, overlap=timedelta(hours=24))
    later, _secret = cast.client(("Supervisor", cast.home), name="Later", by=cast.ada)
    secrets.generate(actor=ada, client_id=later.id, overlap=timedelta(days=7))
    old, _secret = cast.client(("Supervisor", cast.home), name="Old one", by=cast.ada)
    Client.objects.filter(id=old.id).update(created=timezone.now() - timedelta(days=31))
    clients.delete(actor=ada, client_id=old.id)
    ClientDraft.objects.create(user=cast.ada, data={"details": {"name": "Payroll"}})

    html = browser.get("/admin/").content.decode()
    assert "An old secret of ‘Soon’ stops working" in html
    assert "‘Later’" not in html
    assert "‘Old one’ will be removed" in html
    assert "Unfinished client ‘Payroll’" in html
    assert "Resume" in html
    for other in (cast.eve, cast.cleo):
        assert "Needs attention" not in browser_of(other).get("/admin/").content.decode()


def test_a_draft_into_which_nothing_was_typed_is_not_worth_a_word(cast, browser_of):
    ClientDraft.objects.create(user=cast.ada)
    assert "Unfinished" not in browser_of(cast.ada).get("/admin/").content.decode()


# --- Health --------------------------------------------------------------------------------------


def test_health_is_answered_without_the_database(client):
    # pytest-django refuses database access in a test that does not ask for it.
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_readiness_needs_the_database(client, db, monkeypatch):
    assert client.get("/readyz").status_code == 200

    def broken_cursor():
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(views.connection, "cursor", broken_cursor)
        assert client.get("/readyz").status_code == 503
    assert client.get("/readyz").status_code == 200


def test_readiness_needs_every_migration(client, db, monkeypatch):
    views._require_migrated.cache_clear()
    monkeypatch.setattr(views.MigrationExecutor, "migration_plan", lambda *_: ["one to go"])
    assert client.get("/readyz").status_code == 503
    monkeypatch.undo()
    assert client.get("/readyz").status_code == 200


# --- Pages that say no ---------------------------------------------------------------------------


def test_a_refusal_names_the_permission_and_who_can_grant_it(cast, browser_of):
    response = browser_of(cast.eve).get("/admin/integrations/oauth/")
    html = response.content.decode()
    assert response.status_code == 403
    assert "OAuth &gt; Client &gt; View" in html
    assert "These people can give it to you: Ada" in html
    assert response["ININ-Correlation-Id"] in html


def test_a_page_that_is_not_there(cast, browser_of, client):
    for browser in (client, browser_of(cast.ada)):
        response = browser.get("/admin/nothing/")
        assert response.status_code == 404
        assert "Page not found" in response.content.decode()
        assert response["ININ-Correlation-Id"] in response.content.decode()


@pytest.mark.parametrize("address", ["/api/v2/nothing"])
def test_programs_are_told_in_json_that_there_is_nothing(client, db, address):
    response = client.get(address)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["code"] == "not.found"
    assert response.json()["contextId"] == response["ININ-Correlation-Id"]


@override_settings(ALLOWED_HOSTS=["localhost"])
def test_a_wrong_host_is_refused_in_the_language_of_the_caller(client, db):
    page = client.get("/sign-in/", headers={"host": "evil.example"})
    assert page.status_code == 400
    assert "This request is not valid" in page.content.decode()
    answer = client.get("/oauth/token", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert client.get("/api/v2/users", headers={"host": "evil.example"}).json()["code"] == "bad.request"


@broken
@pytest.mark.filterwarnings("default")
def test_an_error_of_ours_is_a_page_with_a_reference_and_without_the_cause(cast, browser_of):
    browser = browser_of(cast.ada, raise_request_exception=False)
    response = browser.get("/boom/")
    html = response.content.decode()
    assert response.status_code == 500
    assert "Something went wrong" in html
    assert response["ININ-Correlation-Id"] in html
    assert "RuntimeError" not in html
    assert browser.get("/oauth/boom").json()["error"] == "server_error"


@broken
def test_errors_of_the_domain_become_pages(cast, browser_of):
    browser = browser_of(cast.ada)
    for address, status, words in (
        ("/denied/", 403, ["You are not allowed to do this."]),
        ("/conflict/", 409, ["Ada was first."]),
        ("/invalid/", 400, ["First wrong.", "Second wrong."]),
        ("/gone/", 404, ["Page not found"]),
    ):
        response = browser.get(address)
        assert response.status_code == status
        for text in words:
            assert text in response.content.decode()
    assert browser.get("/oauth/gone").json()["code"] == "not.found"


# --- Expired forms -------------------------------------------------------------------------------


@pytest.fixture
def strict(cast):
    """Ada's browser, whose forms must carry the token that the page had."""
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(cast.ada, backend="accounts.sign_in.backend.EmailBackend")
    return browser


HERE = {"origin": "http://testserver"}


def test_a_form_that_was_open_too_long_keeps_its_entries(strict):
    response = strict.post(
        "/theme/?x=1", {"theme": "dark", "next": "/admin/<b>", "password": "canary"}, headers=HERE
    )
    html = response.content.decode()
    assert response.status_code == 403
    assert "This page was open too long" in html
    assert "Your entries are kept; send again." in html
    assert '<form method="post" action="/theme/?x=1">' in html
    assert '<input type="hidden" name="theme" value="dark">' in html
    assert 'value="/admin/&lt;b&gt;"' in html
    assert "canary" not in html
    token = html.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    again = strict.post("/theme/", {"theme": "dark", "csrfmiddlewaretoken": token}, headers=HERE)
    assert again.status_code == 302


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"referer": "https://evil.example/testserver"},
        {"origin": "http://testserver.evil.example"},
        {},
    ],
)
def test_another_sites_entries_are_never_put_behind_a_button(strict, headers):
    response = strict.post("/theme/", {"theme": "dark", "next": "/chosen-by-evil/"}, headers=headers)
    assert response.status_code == 403
    assert "/chosen-by-evil/" not in response.content.decode()
    assert "Send again" not in response.content.decode()


def test_every_form_of_the_console_is_refused_without_its_token(cast, strict):
    client, _secret = cast.client(("Supervisor", cast.home), by=cast.ada)
    for action in ("disable", "enable", "delete", "restore", "secret", "secret/end"):
        address = f"/admin/integrations/oauth/{client.id}/{action}/"
        assert strict.post(address, {"name": client.name}, headers=HERE).status_code == 403
    assert strict.post("/sign-out/").status_code == 403
    assert Client.objects.get(id=client.id).state == "active"


@pytest.mark.parametrize("path", ["/oauth/token/", "/oauth/nothing"])
def test_under_oauth_errors_have_the_shape_of_the_token_endpoint(db, path):
    response = Browser().get(path)

    assert response.status_code == 404
    assert response.json().keys() == {"error", "description", "error_description"}


# --- Too large -----------------------------------------------------------------------------------

LARGE = "What you sent is larger than 512 kB. Nothing was saved; go back and send less."


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_form_that_is_too_large_has_its_own_page_and_leaves_no_traceback(strict, caplog, kind, chunked):
    body = b"secret_assertion=" + b"x" * 600_000
    environ = {"CONTENT_TYPE": kind, "PATH_INFO": "/admin/", "wsgi.input": BytesIO(body)}
    length = {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {"CONTENT_LENGTH": str(len(body))}
    environ.update(length)
    door = WholeRequests(lambda *_: [], threads=1, largest=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    door.read_body(environ)
    assert environ["wsgi.input"].read() == b""
    left = {name: environ[name] for name in (TOO_LARGE, "CONTENT_LENGTH")}
    response = strict.generic("POST", "/admin/single-sign-on/check/", b"", kind, headers=HERE, **left)
    html = response.content.decode()
    assert response.status_code == 413
    assert LARGE in html
    assert "open too long" not in html
    assert not [record for record in caplog.records if record.exc_info]


def test_what_a_program_sends_is_left_to_where_it_arrives():
    environ = {
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "PATH_INFO": "/oauth/token",
        "CONTENT_LENGTH": "600000",
        "wsgi.input": BytesIO(),
    }
    WholeRequests(lambda *_: [], threads=1, largest=512_000).read_body(environ)
    assert environ["CONTENT_LENGTH"] == "600000"
    assert TOO_LARGE not in environ


def test_without_the_door_a_form_that_is_too_large_has_the_same_page(strict):
    response = strict.post(
        "/admin/single-sign-on/check/",
        "secret_assertion=" + "x" * 600_000,
        content_type="application/x-www-form-urlencoded",
        headers=HERE,
    )
    assert response.status_code == 413
    assert LARGE in response.content.decode()


def test_of_a_form_without_entries_none_are_said_to_be_kept(strict):
    html = strict.post("/theme/", {}, headers=HERE).content.decode()
    assert "kept" not in html
    assert "Nothing was changed. Open the page again" in html


def test_a_private_key_is_not_kept(strict):
    key = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----"
    html = strict.post("/theme/", {"theme": "dark", "other": key}, headers=HERE).content.decode()
    assert "canary" not in html
    assert 'value="dark"' in html
