"""A new secret for a client that has one: both work for as long as was chosen, and then only the new one."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import AuditEvent
from oauthclients.models import Client, ClientSecret
from oauthclients.services import secrets
from tests.cast import token_request

DAY = 86_400


@pytest.fixture
def billing(cast):
    return cast.client(("Supervisor", cast.home), name="Billing sync", by=cast.ada)


def address(client, action: str = "secret") -> str:
    return f"/admin/integrations/oauth/{client.id}/{action}/"


def asked(browser, client):
    response = browser.get(address(client))
    assert response.status_code == 200
    return response


def generate(browser, client, overlap: int = 0, **more):
    """As the form of the page would."""
    form = asked(browser, client).context["dialog_form"]
    return browser.post(
        address(client), {"overlap": overlap, "replacing": form["replacing"].value(), **more}
    )


def new_secret(response) -> str:
    """The secret in the one page that shows it."""
    assert response.status_code == 200
    html = response.content.decode()
    return "lks_" + html.split("lks_")[1][:43]


def works(client, secret: str) -> bool:
    return token_request(Browser(), client.client_id, secret).status_code == 200


def used(client, ago: timedelta = timedelta(days=8)) -> None:
    Client.objects.filter(id=client.id).update(last_used_at=timezone.now() - ago)


def test_the_question_is_asked_in_the_vendors_words(cast, billing, browser_of):
    used(billing[0])
    html = asked(browser_of(cast.ada), billing[0]).content.decode()
    for text in (
        "Generate New Client Secret?",
        "Old secret stops working",
        "Now",
        "In 1 hour",
        "In 24 hours",
        "In 7 days",
        "Cancel",
        "Confirm",
    ):
        assert text in html
    assert "data-dialog-content" in html


def test_a_client_in_use_is_offered_a_day_and_an_idle_one_none(cast, billing, browser_of):
    client, _secret = billing
    browser = browser_of(cast.ada)
    for last_used, chosen in ((timedelta(days=8), 0), (timedelta(days=6), DAY)):
        used(client, last_used)
        response = asked(browser, client)
        assert response.context["dialog_form"]["overlap"].value() == chosen
        assert response.content.decode().count("checked") == 1


def test_where_nothing_was_ever_used_nothing_is_offered_but_at_once(cast, billing, browser_of):
    client, old = billing
    browser = browser_of(cast.ada)
    response = asked(browser, client)
    html = response.content.decode()
    assert "The current secret stops working at once." in html
    assert "In 24 hours" not in html
    assert 'type="radio"' not in html
    assert '<input type="hidden" name="overlap" value="0"' in html
    new = new_secret(generate(browser, client))
    assert works(client, new)
    assert not works(client, old)
    # Now it is used, and others may need the time.
    assert "In 24 hours" in asked(browser, client).content.decode()


def test_a_secret_that_was_used_is_never_ended_at_once_without_asking(cast, billing, browser_of):
    client, _secret = billing
    client.secrets.update(last_used_at=timezone.now() - timedelta(days=90))
    assert "In 24 hours" in asked(browser_of(cast.ada), client).content.decode()


def test_now_ends_the_old_secret_at_once(cast, billing, browser_of):
    client, old = billing
    new = new_secret(generate(browser_of(cast.ada), client))
    assert new != old
    assert works(client, new)
    assert not works(client, old)


def test_both_work_until_the_time_chosen(cast, billing, browser_of):
    client, old = billing
    browser = browser_of(cast.ada)
    new = new_secret(generate(browser, client, overlap=DAY))
    assert works(client, old)
    assert works(client, new)
    html = browser.get(f"/admin/integrations/oauth/{client.id}/").content.decode()
    assert f"•••• {old[-4:]}" in html
    assert "works until" in html
    assert "End now" in html
    with time_machine.travel(timezone.now() + timedelta(seconds=DAY + 1)):
        assert not works(client, old)
        assert works(client, new)


def test_end_now_ends_the_old_one(cast, billing, browser_of):
    client, old = billing
    browser = browser_of(cast.ada)
    new = new_secret(generate(browser, client, overlap=DAY))
    ask = browser.get(address(client, "secret/end"))
    assert old[-4:] in ask.content.decode()
    assert works(client, old)
    response = browser.post(address(client, "secret/end"))
    assert response["Location"] == f"/admin/integrations/oauth/{client.id}/"
    html = browser.get(response["Location"]).content.decode()
    assert "The old secret no longer works." in html
    assert "End now" not in html
    assert not works(client, old)
    assert works(client, new)
    # Nothing is left to end, and the current one is safe.
    browser.post(address(client, "secret/end"))
    assert browser.get(address(client, "secret/end")).status_code == 302
    assert works(client, new)


def test_at_most_two_work_and_the_page_says_which_one_goes(cast, billing, browser_of):
    client, first = billing
    browser = browser_of(cast.ada)
    second = new_secret(generate(browser, client, overlap=DAY))
    assert f"the one that ends in {first[-4:]}" in asked(browser, client).content.decode()
    third = new_secret(generate(browser, client, overlap=DAY))
    assert [works(client, secret) for secret in (first, second, third)] == [False, True, True]
    assert client.secrets.count() == 2


def test_sending_the_form_again_makes_no_second_secret(cast, billing, browser_of):
    client, _old = billing
    browser = browser_of(cast.ada)
    form = {"overlap": "0", "replacing": str(client.secrets.get().id)}
    new = new_secret(browser.post(address(client), form))
    again = browser.post(address(client), form)
    assert again["Location"] == f"/admin/integrations/oauth/{client.id}/"
    html = browser.get(again["Location"]).content.decode()
    assert "The secret was already replaced. It cannot be shown again." in html
    assert "lks_" not in html
    assert works(client, new)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"overlap": "86400"},
        {"overlap": "60"},
        {"overlap": "-1"},
        {"overlap": "x"},
        {"overlap": "0", "replacing": "x"},
        {"replacing": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_a_form_of_nobodys_making_changes_nothing(cast, billing, browser_of, form):
    client, old = billing
    if form.get("overlap") in ("60", "-1", "x"):
        form = {**form, "replacing": str(client.secrets.get().id)}
    response = browser_of(cast.ada).post(address(client), form)
    assert response.status_code == 200
    assert "There is a problem" in response.content.decode()
    assert works(client, old)


def test_tokens_stay_unless_revoking_is_chosen(cast, billing, browser_of):
    client, secret = billing
    browser = browser_of(cast.ada)
    assert "Also revoke" not in asked(browser, client).content.decode()
    headers = {"Authorization": f"Bearer {cast.token(client, secret)}"}
    assert "Also revoke 1 token" in asked(browser, client).content.decode()
    generate(browser, client)
    assert Browser().get("/api/v2/users", headers=headers).status_code == 200
    generate(browser, client, revoke_tokens="on")
    assert Browser().get("/api/v2/users", headers=headers).status_code == 401
    assert AuditEvent.objects.get(action="client.tokensRevoked").after == {"tokens": 1}


def test_the_page_with_the_new_secret_is_kept_by_nobody(cast, billing, browser_of):
    client, _old = billing
    browser = browser_of(cast.ada)
    response = generate(browser, client)
    new = new_secret(response)
    assert "no-store" in response["Cache-Control"]
    assert new not in str(response.headers)
    assert new not in str(browser.cookies)
    for session in Session.objects.all():
        assert new not in str(session.get_decoded())
    for line in AuditEvent.objects.all():
        assert new not in f"{line.before}{line.after}{line.entity_name}"
    assert not ClientSecret.objects.filter(digest=new.encode()).exists()
    for later in (address(client), f"/admin/integrations/oauth/{client.id}/", "/admin/integrations/oauth/"):
        assert new not in browser.get(later).content.decode()


def test_ending_a_secret_needs_the_clients_roles(cast, browser_of):
    client, old = cast.client(("Supervisor", cast.east), by=cast.ada)
    secrets.generate(actor=cast.actor(cast.ada), client_id=client.id, overlap=timedelta(hours=1))
    browser = browser_of(cast.ben)
    assert browser.get(address(client, "secret/end")).status_code == 403
    assert browser.post(address(client, "secret/end")).status_code == 403
    assert works(client, old)


def test_a_new_secret_asks_for_the_password_when_the_sign_in_was_long_ago(cast, billing, browser_of):
    client, old = billing
    browser = browser_of(cast.ada)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert browser.get(address(client))["Location"].startswith("/confirm-password/")
        form = {"overlap": "0", "replacing": str(client.secrets.get().id)}
        assert browser.post(address(client), form)["Location"].startswith("/confirm-password/")
    assert works(client, old)
