"""In which language a page is written, and in which time zone it says when something was."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.template import Context, Template
from django.test import override_settings
from django.utils import timezone, translation
from django.utils.translation import ngettext

from accounts.errors import NotAllowed
from accounts.models import AuditEvent, Organization, User
from accounts.permissions import label_of
from accounts.services import invitations, organization, preferences
from accounts.sign_in.language import CHOSEN, COOKIE
from accounts.sign_in.sessions import SessionStore
from accounts.templatetags.when import relative
from config import catalogues, languages
from oauthclients.console import words
from tests.cast import PASSWORD

CATALOGUE = """msgid ""
msgstr ""
"Language: eo\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Sign in"
msgstr "Ensaluti"
"""


def language_of(response) -> str:
    found = re.search(r'<html lang="([^"]+)"', response.content.decode())
    assert found, response
    assert response["Content-Language"] == found[1]
    return found[1]


def sign_in(client, user, **headers) -> None:
    response = client.post("/sign-in/", {"email": user.email, "password": PASSWORD}, headers=headers)
    assert response.status_code == 302


# --- Who decides ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("fr", "fr"),
        ("fr-CA, en;q=0.5", "fr"),
        ("en-GB, fr;q=0.9", "en"),
        ("de, fr;q=0.5", "fr"),
        ("de", "en"),
        ("*, fr;q=0.5", "en"),
        ("", "en"),
        ("x" * 5000, "en"),
    ],
)
def test_the_browser_asks(client, db, asked, language):
    assert language_of(client.get("/sign-in/", headers={"accept-language": asked})) == language


@pytest.mark.parametrize(
    "address",
    [
        "/oauth/authorize?ui_locales=de%20fr-CA%20en",
        "/sign-in/?next=/oauth/authorize%3Fclient_id%3Dx%26ui_locales%3Dfr",
    ],
)
def test_an_app_asks_for_the_language_of_its_user_and_is_heard_before_the_browser(client, db, address):
    assert language_of(client.get(address, headers={"accept-language": "en"})) == "fr"


def test_an_app_that_asks_for_nothing_that_is_here_leaves_it_to_the_browser(client, db):
    page = client.get("/oauth/authorize?ui_locales=de", headers={"accept-language": "fr"})
    assert language_of(page) == "fr"
    assert language_of(client.get("/sign-in/?next=http://[", headers={"accept-language": "fr"})) == "fr"


def test_a_choice_before_signing_in_is_kept_in_this_browser_and_over_the_sign_in(client, cast):
    preferences.choose(actor=cast.actor(cast.ada), user=cast.ada, language="en")

    back = client.post("/language/", {"language": "fr", "next": "/sign-in/?next=/admin/roles/"})

    assert back["Location"] == "/sign-in/?next=/admin/roles/"
    assert client.cookies[COOKIE]["httponly"]
    assert language_of(client.get("/sign-in/", headers={"accept-language": "en"})) == "fr"
    sign_in(client, cast.ada)
    assert language_of(client.get("/admin/")) == "fr"


def test_whoever_is_not_signed_in_leaves_no_session_behind_by_choosing(client, cast):
    for _ in range(3):
        client.cookies.clear()
        assert client.post("/language/", {"language": "fr"}).status_code == 302
        assert settings.SESSION_COOKIE_NAME not in client.cookies
    assert not SessionStore.get_model_class().objects.exists()
    choice = client.cookies[languages.CHOSEN_COOKIE]
    assert choice["httponly"]
    assert choice["max-age"] == ""  # until the browser is closed


def test_a_choice_before_signing_in_is_not_for_the_next_who_uses_the_browser(client, cast):
    preferences.choose(actor=cast.actor(cast.eve), user=cast.eve, language="en")
    client.post("/language/", {"language": "fr"})
    sign_in(client, cast.ada)
    assert language_of(client.get("/admin/")) == "fr"
    assert client.cookies[languages.CHOSEN_COOKIE].value == ""
    assert language_of(client.get("/admin/")) == "fr"  # for the whole session
    client.post("/sign-out/")
    sign_in(client, cast.eve)
    assert language_of(client.get("/admin/")) == "en"


def test_a_made_up_choice_in_the_cookie_changes_nothing(client, cast):
    client.cookies[languages.CHOSEN_COOKIE] = "xx"
    sign_in(client, cast.ada)
    assert language_of(client.get("/admin/")) == "en"
    assert CHOSEN not in client.session


def test_a_persons_choice_is_theirs_in_every_browser(client, cast, browser_of):
    assert browser_of(cast.ada).post("/language/", {"language": "fr"})["Location"] == "/admin/"

    assert User.objects.get(id=cast.ada.id).language == "fr"
    sign_in(client, cast.ada, **{"accept-language": "en"})
    assert language_of(client.get("/admin/", headers={"accept-language": "en"})) == "fr"
    assert language_of(client.get("/nothing/", headers={"accept-language": "en"})) == "fr"
    line = AuditEvent.objects.get(action="user.preferencesSet")
    assert (line.actor_name, line.before, line.after) == ("Ada", {"language": ""}, {"language": "fr"})


def test_two_who_share_a_browser_have_each_their_own(client, cast):
    sign_in(client, cast.ada)
    client.post("/language/", {"language": "fr"})
    client.post("/sign-out/")
    preferences.choose(actor=cast.actor(cast.eve), user=cast.eve, language="en")
    sign_in(client, cast.eve)
    assert language_of(client.get("/admin/")) == "en"


def test_the_organization_decides_where_nobody_else_does(client, cast):
    Organization.objects.filter(id=cast.acme.id).update(language="fr")
    page = client.get(f"/sign-in/?org={cast.acme.short_name}")
    assert language_of(page) == "fr"
    sign_in(client, cast.ada)
    assert language_of(client.get("/admin/")) == "fr"
    assert language_of(client.get("/admin/", headers={"accept-language": "en"})) == "en"


@pytest.mark.parametrize("language", ["", "de", "xx", "fr\x00", "../fr"])
def test_what_is_no_language_here_changes_nothing(cast, browser_of, language):
    browser = browser_of(cast.ada)
    assert browser.post("/language/", {"language": language, "next": "/admin/roles/"}).status_code == 302
    assert User.objects.get(id=cast.ada.id).language == ""
    assert COOKIE not in browser.cookies


def test_the_switch_leads_nowhere_else_and_needs_the_page(client, db):
    assert (
        client.post("/language/", {"language": "fr", "next": "https://evil.example/"})["Location"]
        == "/admin/"
    )
    assert client.get("/language/").status_code == 405


@pytest.mark.parametrize("address", ["/sign-in/", "/oauth/authorize", "/nothing/"])
def test_every_card_has_the_switch(client, db, address):
    html = client.get(address).content.decode()
    assert re.search(r'<button name="language" value="fr" lang="fr">Français</button>', html)
    assert re.search(r'value="en" lang="en" aria-current="true">English</button>', html)


def test_a_refused_sign_in_still_knows_where_it_was_going(client, cast):
    page = client.post("/sign-in/", {"email": "a@b.example", "password": "x", "next": "/admin/roles/"})
    assert "/sign-in/?next=%2Fadmin%2Froles%2F" in page.content.decode()


def test_the_metadata_says_which_languages_an_app_can_ask_for(client, db):
    said = client.get("/.well-known/oauth-authorization-server").json()
    assert said["ui_locales_supported"] == ["en", "fr"]


# --- Programs ------------------------------------------------------------------------------------


def test_programs_are_answered_in_english_whoever_calls(client, cast):
    for headers in ({}, {"origin": "https://app.example"}):
        answer = client.get("/api/v2/users/me", headers={"accept-language": "fr", **headers})
        assert answer.json()["message"] == "No authentication bearer token specified."


def test_scopes_are_described_in_the_language_of_the_header(client, cast):
    token = cast.token(*cast.client(("Admin", None)))

    def described(language: str, path: str = "", **headers: str) -> str:
        headers = {"accept-language": language, "authorization": f"Bearer {token}", **headers}
        return client.get(f"/api/v2/oauth/scopes{path}", headers=headers).json()

    for way in ({}, {"origin": "https://app.example"}):
        assert described("en-us", "/upload", **way)["description"] == "Upload files"
        assert described("de", "/upload", **way)["description"] == "Upload files"
        listed = {one["id"]: one["description"] for one in described("en", **way)["entities"]}
        assert listed["upload"] == "Upload files"
        assert described("fr-CA", "/upload", **way)["description"] == "Envoyer des fichiers"
        listed = {one["id"]: one["description"] for one in described("fr", **way)["entities"]}
        assert listed["audits:readonly"] == "Voir le journal d’audit"
    assert described("fr", "/nothing")["code"] == "not.found"


# --- Time ----------------------------------------------------------------------------------------

MOMENT = datetime(2026, 7, 3, 10, 0, tzinfo=UTC)


def shown(language: str, zone: str) -> str:
    with translation.override(language), timezone.override(zone):
        return Template("{% load when %}{{ at|exactly }}").render(Context({"at": MOMENT}))


def test_a_time_is_said_in_the_zone_of_the_page():
    assert shown("en", "Europe/Paris") == "3 July 2026, 12:00 CEST"
    assert shown("en", "UTC") == "3 July 2026, 10:00 UTC"
    assert shown("fr", "Europe/Paris") == "3 juillet 2026 à 12:00 CEST"


def test_numbers_plurals_and_lengths_of_time_are_said_as_the_language_has_them():
    with translation.override("fr"):
        assert re.fullmatch(r"86[\u00a0\u202f]400", words.number(86_400))
        assert words.duration(90_061) == "1 jour 1 heure 1 minute 1 seconde"
        assert words.duration(0) == "0 seconde"
        assert relative(timezone.now() - timedelta(days=3)).replace("\u00a0", " ") == "il y a 3 jours"
        assert ngettext("%(n)s role", "%(n)s roles", 0) == "%(n)s rôle"  # none is one, in French
    assert words.number(86_400) == "86,400"


def test_what_shipped_is_shown_in_the_language_of_the_page_and_stored_in_english(cast, browser_of):
    browser = browser_of(cast.ada)
    browser.post("/language/", {"language": "fr"})
    html = browser.get("/admin/roles/").content.decode()
    assert "Superviseur" in html
    assert "S’occuper des personnes et des files d’attente" in html
    with translation.override("en"):
        assert cast.role("Supervisor").label == cast.role("Supervisor").name == "Supervisor"
    with translation.override("fr"):
        assert label_of("oauth:client:view") == "OAuth > Client > Voir"
        assert cast.custom_role("Sign in").label == "Sign in"  # an organization's own words


def test_a_consent_page_follows_the_app_that_asks(cast, browser_of):
    app = cast.app("users", by=cast.ada)
    page = browser_of(cast.ada).get(app.address(ui_locales="fr"))
    assert language_of(page) == "fr"
    assert "veut agir en votre nom" in page.content.decode()
    assert "Voir et modifier les personnes" in page.content.decode()


@pytest.mark.parametrize(
    ("own", "of_organization", "said"),
    [
        ("Europe/Paris", "Asia/Tokyo", "CE"),
        ("", "Asia/Tokyo", "JST"),
        ("", "UTC", "UTC"),
        ("No/Where", "Asia/Tokyo", "JST"),
    ],
)
def test_pages_are_in_the_zone_of_the_person_or_of_the_organization(
    cast, browser_of, own, of_organization, said
):
    User.objects.filter(id=cast.ada.id).update(time_zone=own)
    Organization.objects.filter(id=cast.acme.id).update(time_zone=of_organization)
    html = browser_of(cast.ada).get(f"/admin/people/{cast.ada.id}/activity/").content.decode()
    assert re.search(rf'<time [^>]*title="[^"]*\d\d:\d\d {said}', html) or re.search(
        rf"\d\d:\d\d {said}", html
    )


# --- Choosing ------------------------------------------------------------------------------------


def test_a_person_chooses_language_and_zone(cast, browser_of):
    browser = browser_of(cast.eve)  # who has no role
    assert "Europe/Paris" in browser.get("/account/preferences/").content.decode()

    browser.post("/account/preferences/", {"language": "fr", "time_zone": "Europe/Paris"})

    eve = User.objects.get(id=cast.eve.id)
    assert (eve.language, eve.time_zone) == ("fr", "Europe/Paris")
    assert language_of(browser.get("/account/preferences/")) == "fr"
    browser.post("/account/preferences/", {"language": "", "time_zone": ""})
    eve.refresh_from_db()
    assert (eve.language, eve.time_zone) == ("", "")


def test_what_a_person_chooses_there_counts_at_once_whatever_this_browser_was_told_before(client, cast):
    client.post("/language/", {"language": "fr"})  # before signing in
    sign_in(client, cast.eve)
    assert language_of(client.get("/account/preferences/")) == "fr"
    saved = client.post("/account/preferences/", {"language": "en"}, follow=True)
    assert language_of(saved) == "en"
    assert "Changes saved." in saved.content.decode()
    assert language_of(client.get("/admin/", headers={"accept-language": "fr"})) == "en"
    client.post("/language/", {"language": "fr"})
    client.post("/account/preferences/", {"language": ""})  # as the browser asks
    assert language_of(client.get("/account/preferences/", headers={"accept-language": "en"})) == "en"


def test_what_is_not_on_the_lists_is_refused_at_its_field(cast, browser_of):
    page = browser_of(cast.eve).post("/account/preferences/", {"language": "de", "time_zone": "Mars/Base"})
    html = page.content.decode()
    assert "Choose a language of the list." in html
    assert "Choose a time zone of the list." in html
    assert User.objects.get(id=cast.eve.id).time_zone == ""


def test_an_administrator_chooses_for_the_organization(cast, browser_of):
    browser = browser_of(cast.ada)
    version = Organization.objects.get(id=cast.acme.id).version
    browser.post("/admin/organization/settings/language/", {"language": "fr", "version": version})
    browser.post(
        "/admin/organization/settings/time-zone/", {"time_zone": "Europe/Paris", "version": version + 1}
    )

    acme = Organization.objects.get(id=cast.acme.id)
    assert (acme.language, acme.time_zone) == ("fr", "Europe/Paris")
    html = browser.get("/admin/organization/settings/").content.decode()
    assert "pour Français" in html
    assert "de UTC à Europe/Paris" in html


@pytest.mark.parametrize(
    ("path", "form"), [("language", {"language": "de"}), ("time-zone", {"time_zone": "Mars/Base"})]
)
def test_the_organization_cannot_have_what_there_is_not(cast, browser_of, path, form):
    page = browser_of(cast.ada).post(f"/admin/organization/settings/{path}/", {**form, "version": 1})
    assert "of the list." in page.content.decode()
    assert Organization.objects.get(id=cast.acme.id).version == 1


def test_the_organizations_language_needs_its_permission(cast):
    for verb in (
        lambda actor: organization.set_language(actor=actor, language="fr"),
        lambda actor: organization.set_time_zone(actor=actor, time_zone="Europe/Paris"),
    ):
        with pytest.raises(NotAllowed):
            verb(cast.actor(cast.ben))


def test_an_invitation_is_in_the_language_and_the_zone_of_the_invited(cast):
    User.objects.filter(id=cast.eve.id).update(language="fr", time_zone="Asia/Tokyo")
    invitations.send(actor=cast.actor(cast.ada), user_id=cast.eve.id)
    assert mail.outbox[0].subject == "Votre compte chez Acme"
    assert "Bonjour Eve," in mail.outbox[0].body
    assert "JST" in mail.outbox[0].body


# --- Catalogues ----------------------------------------------------------------------------------


def test_a_third_language_needs_only_a_catalogue(client, db, tmp_path):
    source = tmp_path / "locale" / "eo" / catalogues.FILE
    source.parent.mkdir(parents=True)
    source.write_text(CATALOGUE)

    found = catalogues.languages(tmp_path / "locale")
    assert catalogues.compile_all(tmp_path / "locale", tmp_path / "compiled") == ["eo"]

    offered = [(code, catalogues.name_of(code)) for code in found]
    assert offered == [("en", "English"), ("eo", "Esperanto")]
    with override_settings(LANGUAGES=offered, LOCALE_PATHS=[tmp_path / "compiled"]):
        page = client.get("/sign-in/", headers={"accept-language": "eo"})
        assert language_of(page) == "eo"
        assert "Ensaluti" in page.content.decode()
        assert '<button name="language" value="eo"' in page.content.decode()


def test_the_languages_offered_are_the_catalogues_that_there_are():
    assert settings.LANGUAGES == [("en", "English"), ("fr", "Français")]
    assert catalogues.name_of("xx") == "xx"
