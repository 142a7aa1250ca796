"""The ten walk-throughs by which the console is accepted (UX spec 9). Where a test was one of them already, it
stands where it stood.

 1. Ada makes a Client Credentials client with Supervisor in Home and East using keyboard only; copies,
    finishes, gets a token by the shown curl.
    tests/journeys/test_acceptance.py
    test_ada_makes_a_client_by_keyboard_alone_and_the_shown_curl_gets_a_token
 2. Ben (Home only) cannot give East, sees why, and a forged POST is refused with the same sentence.
    tests/journeys/test_acceptance.py
    test_ben_cannot_give_east_sees_why_and_a_forged_post_is_told_the_same
 3. JavaScript off: all four grants from Add client to client page.
    tests/journeys/test_without_javascript.py
    test_a_client_of_each_grant_type_is_added_used_and_deleted
 4. 126 URIs, one with #, one repeated: three messages, each linked to its line, values kept.
    tests/oauthclients/console/test_wizard.py
    test_126_addresses_a_fragment_and_a_repetition_are_three_problems_each_at_its_line
 5. Reload after Save: no secret, no second client.
    tests/journeys/test_main_job.py
    test_going_back_or_reloading_after_save_shows_no_secret_and_makes_no_second_client
 6. New secret "in 24 hours": both work, list shows the end, then only the new one.
    tests/oauthclients/console/test_client_secrets.py
    test_both_work_until_the_time_chosen
 7. SCIM Integration alone accepts 38,880,000; adding a role brings 86,400 and says so.
    tests/journeys/test_acceptance.py
    test_scim_integration_alone_may_have_450_days_and_a_role_more_brings_a_day_and_says_so
 8. HIPAA on: a token unused for 15 minutes gives 401; wizard and client page say it.
    tests/journeys/test_acceptance.py
    test_with_hipaa_a_token_unused_for_15_minutes_is_dead_and_wizard_and_client_page_say_so
 9. Consent for an app the organization has not authorized: Ben asks, Ada approves two of three scopes, Ben
    allows, third scope answers 403.
    tests/journeys/test_consent_in_browser.py
    test_ben_asks_ada_approves_two_of_three_scopes_and_the_third_stays_shut
10. Whole wizard in French at 320 px wide, 200 % zoom, dark theme: nothing cut, no axe violation.
    tests/journeys/test_acceptance.py
    test_the_whole_wizard_in_french_at_320_pixels_at_200_percent_in_the_dark
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta

import time_machine
from axe_playwright_python.sync_playwright import Axe
from django.test import Client as Browser
from playwright.sync_api import Page, expect

from oauthclients.models import Client
from tests.cast import token_request
from tests.journeys.test_main_job import add_client_by_keyboard, credentials, remove, sdk
from tests.oauthclients.console import wizard
from tests.oauthclients.console.wizard import LIST, problems, roles, text


def test_each_of_the_ten_is_a_test():
    found = re.findall(r"^ ?(\d+)\. .*?^    (tests/\S+)\.py\n    (test_\w+)$", __doc__, re.S | re.M)
    assert [int(number) for number, _module, _name in found] == list(range(1, 11))
    for _number, module, name in found:
        assert callable(getattr(importlib.import_module(module.replace("/", ".")), name))


def test_ada_makes_a_client_by_keyboard_alone_and_the_shown_curl_gets_a_token(page_of, served, tmp_path):
    page = page_of("ada", permissions=["clipboard-read", "clipboard-write"])
    client_id, secret = add_client_by_keyboard(page, "By keyboard alone", served, roles=("Supervisor",))
    try:
        shown = page.locator("#snippet-curl").inner_text()
        assert client_id in shown
        assert secret not in shown
        done = subprocess.run(
            ["sh", "-euc", shown],
            env={**served.env, "CLIENT_SECRET": secret},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        people = json.loads(done.stdout)["entities"]
        assert {person["division"]["name"] for person in people} == {"Home", "East"}
        assert page.problems == []
    finally:
        remove(_clients(served), client_id)


def _clients(served):
    from PureCloudPlatformClientV2 import OAuthApi

    return OAuthApi(sdk(served, *credentials(served, "client_credentials"))[0])


def test_ben_cannot_give_east_sees_why_and_a_forged_post_is_told_the_same(cast, browser_of):
    ben = wizard.start(browser_of(cast.ben))
    ben.details()
    page = ben.get("access")
    supervisor = cast.role("Supervisor")
    boxes = re.findall(rf'<input[^>]*name="divisions-{supervisor.id}"[^>]*>', page.content.decode())
    (east,) = [box for box in boxes if str(cast.east.id) in box]
    assert " disabled" in east
    assert "East – you do not hold this role here" in text(page)
    assert [str(cast.home.id) in box for box in boxes if " disabled" not in box] == [True]

    forged = roles((supervisor, [cast.east]))
    told = ["You do not hold ‘Supervisor’ in East."]
    refused = ben.post("access", forged)
    assert problems(refused) == told
    # On the page that comes back, the reason stands at the role and at the division again.
    assert text(refused).count(told[0]) == 2
    assert "East – you do not hold this role here" in text(refused)
    # As it does at the end, when the step's own look was gone round.
    ben.post("access", {**forged, "autosave": "1"})
    assert problems(ben.save()) == told
    assert not Client.objects.exists()


def test_scim_integration_alone_may_have_450_days_and_a_role_more_brings_a_day_and_says_so(
    cast, browser_of
):
    ada = wizard.start(browser_of(cast.ada)).ready(cast, role="SCIM Integration")
    assert problems(ada.save("38880001")) == ["Enter 300 to 38,880,000 (450 days)."]
    ada.save("38880000", go="back")
    assert ada.draft.data["duration"] == {"seconds": "38880000"}

    both = roles((cast.role("SCIM Integration"), [cast.home]), (cast.role("Supervisor"), [cast.home]))
    page = ada.browser.post(
        ada.url("access"), {"version": ada.draft.version, "go": "next", **both}, follow=True
    )
    assert "went back to 86,400 seconds" in text(page)
    assert 'value="86400"' in page.content.decode()
    assert problems(ada.save("38880000")) == ["Enter 300 to 172,800 (5 minutes to 2 days)."]

    ada.post("access", roles((cast.role("SCIM Integration"), [cast.home])))
    ada.save("38880000")
    client = Client.objects.get()
    assert client.token_seconds == 38_880_000
    # And so it is when the role comes later, to the client that there is.
    edit = f"{LIST}{client.id}/edit/"
    form = {"version": client.version, "name": client.name, "seconds": "38880000", **both}
    page = ada.browser.post(edit, form, follow=True)
    assert "went back to 86,400 seconds" in text(page)
    assert Client.objects.get().token_seconds == 86_400


def test_with_hipaa_a_token_unused_for_15_minutes_is_dead_and_wizard_and_client_page_say_so(
    cast, browser_of
):
    said = "Tokens also end after 15 minutes without use."
    client, secret = cast.client(("Supervisor", cast.home), by=cast.ada)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        ada = wizard.start(browser_of(cast.ada)).ready(cast, name="Another")
        pages = (ada.url("duration"), f"{LIST}{client.id}/")
        assert not [page for page in pages if said in text(ada.browser.get(page))]
        settings = ada.browser.get("/admin/organization/settings/")
        version = settings.context["organization"].version
        answer = ada.browser.post(
            "/admin/organization/settings/hipaa/", {"version": version, "enabled": "on"}, follow=True
        )
        assert "HIPAA compliance is on." in text(answer)
        assert [page for page in pages if said in text(ada.browser.get(page))] == [*pages]

        headers = {"Authorization": f"Bearer {cast.token(client, secret)}"}
        clock.shift(timedelta(minutes=15) - timedelta(seconds=1))
        assert Browser().get("/api/v2/users", headers=headers).status_code == 200
        headers = {"Authorization": f"Bearer {cast.token(client, secret)}"}
        clock.shift(timedelta(minutes=15))
        dead = Browser().get("/api/v2/users", headers=headers)
        assert (dead.status_code, dead.json()["code"]) == (401, "bad.credentials")
        assert token_request(Browser(), client.client_id, secret).status_code == 200


# --- In French, on the smallest screen, for weak eyes ------------------------------------------------

# What 200 % comes to for a page: a window of 640 pixels, which is 320 wide for it, at two dots per pixel.
SMALL = {"viewport": {"width": 320, "height": 568}, "device_scale_factor": 2}

# Whatever is wider than its place: what scrolls sideways but for code, and texts that end in the middle.
_CUT = """() => [document.documentElement, ...document.body.querySelectorAll('*')].filter(box => {
  if (box.scrollWidth <= box.clientWidth + 1 || box.clientWidth < 3) return false;
  if (box.closest('.visually-hidden, svg, input, textarea, select, pre, dialog:not([open])')) return false;
  return box === document.documentElement || getComputedStyle(box).overflowX !== 'visible';
}).map(box => box.outerHTML.slice(0, 120))"""
_OUTSIDE = """() => [...document.body.querySelectorAll('a, button, input, label, h1, h2, p, li, td, th, summary')]
  .filter(box => box.checkVisibility({visibilityProperty: true}) && !box.closest('.visually-hidden, pre'))
  .filter(box => { const place = box.getBoundingClientRect();
    return place.width > 1 && place.height > 1 && (place.right > innerWidth + 1 || place.left < -1); })
  .map(box => box.outerHTML.slice(0, 120))"""


def _whole(page: Page, heading: str) -> None:
    """In French and dark, nothing is cut, and no axe violation."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert page.evaluate(_CUT) == []
    assert page.evaluate(_OUTSIDE) == []
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_whole_wizard_in_french_at_320_pixels_at_200_percent_in_the_dark(page_of, served):
    page = page_of(None, **SMALL, color_scheme="dark", reduced_motion="reduce")
    name = "Synchronisation de la facturation"
    # The choice of somebody who is not signed in yet goes with them, and is saved with nobody.
    page.goto("/sign-in/")
    page.get_by_role("button", name="Français").click()
    _whole(page, "Se connecter")
    ada = served.demo["people"]["ada"]
    page.locator("[name=email]").fill(ada["email"])
    page.locator("[name=password]").fill(ada["password"])
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url("**/admin/")

    page.goto(f"{LIST}add/")
    _whole(page, "Ajouter un nouveau client")
    page.get_by_role("button", name="Suivant").click()
    expect(page.get_by_role("alert")).to_be_visible()
    _whole(page, "Ajouter un nouveau client")
    page.get_by_label("Nom de l’application").fill(name)
    page.locator("[name=grant_type][value=client-credentials]").check(force=True)
    page.get_by_role("button", name="Suivant").click()
    page.wait_for_url("**/access/")
    page.get_by_role("switch", name="Superviseur").check(force=True)
    _whole(page, "Ajouter un nouveau client")
    page.get_by_role("button", name="Suivant").click()
    page.wait_for_url("**/duration/")
    _whole(page, "Ajouter un nouveau client")
    page.get_by_role("button", name="Annuler").click()
    expect(page.get_by_role("dialog", name="Laisser ce client inachevé ?")).to_be_visible()
    _whole(page, "Ajouter un nouveau client")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.locator("#client-secret")).to_be_visible()
    _whole(page, "Secret du client")
    page.locator("[data-dialog-open=finish]").click()
    dialog = page.get_by_role("dialog", name="Copier et conserver le secret du client")
    expect(dialog).to_be_visible()
    _whole(page, "Secret du client")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Confirmer").click()
    page.wait_for_url(f"**{LIST}*/")
    try:
        _whole(page, name)
        assert page.problems == []
    finally:
        remove(_clients(served), page.url.rstrip("/").rpartition("/")[2])
