"""The secret is in one response, and in nothing that stays."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection

from oauthclients.models import Client
from tests.oauthclients.console.wizard import LIST, Wizard, secrets_in, start, text


@pytest.fixture
def ada(cast, browser_of) -> Wizard:
    return start(browser_of(cast.ada)).ready(cast)


def everything_stored() -> str:
    """Every column of every table, and every session in clear."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            found += [repr(row) for row in cursor.fetchall()]
    found += [repr(session.get_decoded()) for session in Session.objects.all()]
    return "\n".join(found)


def test_the_secret_appears_in_the_answer_to_save_and_nowhere_after(ada):
    response = ada.save()
    (secret,) = secrets_in(response)
    client = Client.objects.get()
    assert client.client_id in everything_stored()
    assert secret not in everything_stored()
    assert secret not in repr(ada.browser.cookies)
    pages = [
        ada.get("duration", follow=True),
        ada.browser.get(f"{LIST}{client.id}/finish/"),
        ada.browser.post(f"{LIST}{client.id}/finish/"),
        ada.browser.post(f"{LIST}{client.id}/finish/", {"stored": "on"}, follow=True),
        ada.browser.get(LIST),
        ada.browser.get(f"{LIST}{client.id}/"),
        ada.browser.get(f"{LIST}{client.id}/edit/"),
    ]
    for page in pages:
        assert page.status_code == 200
        assert not secrets_in(page)
        assert secret not in page.content.decode()


def test_the_secret_is_not_logged(ada, caplog):
    caplog.set_level("DEBUG")
    (secret,) = secrets_in(ada.save())
    assert secret not in caplog.text


def test_the_page_is_kept_by_no_cache_and_tells_no_other_host_where_one_was(ada):
    response = ada.save()
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"


def test_the_secret_is_a_field_of_dots_or_without_javascript_a_text_to_unfold(ada):
    response = ada.save()
    page = response.content.decode()
    (secret,) = secrets_in(response)
    assert re.search(rf'<input[^>]+type="password"[^>]+value="{secret}"[^>]+readonly', page)
    assert re.search(rf"<noscript>.*<details.*{secret}.*</noscript>", page, re.S)
    assert page.count(secret) == 2
    shown = text(response)
    assert "Client ‘Billing sync’ was created." in shown
    assert "You can see this secret only now. It works like a password for the app." in shown
    assert "Sent with every request for a token." in shown
    assert "$CLIENT_SECRET" in shown


def test_a_new_secret_right_after_adding_stays_in_the_frame_of_the_wizard(ada):
    first = ada.save()
    client = Client.objects.get()
    (address,) = set(re.findall(rf'href="({LIST}{client.id}/secret/[^"]*)"', first.content.decode()))
    question = ada.browser.get(address)
    assert "The current secret stops working at once." in text(question)
    form = question.context["dialog_form"]
    assert f'action="{address}"' in question.content.decode()
    response = ada.browser.post(address, {name: form[name].value() for name in ("overlap", "replacing")})
    assert secrets_in(response).isdisjoint(secrets_in(first))
    assert "The client secret was changed." in text(response)
    assert "was created" not in text(response)
    assert 'aria-label="Progress"' in response.content.decode()
    assert address in response.content.decode()


def test_a_new_secret_from_the_clients_page_has_no_steps(ada):
    ada.save()
    client = Client.objects.get()
    address = f"{LIST}{client.id}/secret/"
    form = {"overlap": "0", "replacing": str(client.secrets.get().id)}
    page = ada.browser.post(address, form).content.decode()
    assert 'aria-label="Progress"' not in page
    assert f'href="{address}"' in page


def test_finish_is_got_and_posted_and_nothing_else(ada):
    ada.save()
    finish = f"{LIST}{Client.objects.get().id}/finish/"
    assert ada.browser.put(finish).status_code == 405
    assert ada.browser.delete(finish).status_code == 405


def test_finish_asks_whether_the_secret_was_stored(ada):
    ada.save()
    finish = f"{LIST}{Client.objects.get().id}/finish/"
    response = ada.browser.post(finish)
    assert response.status_code == 200
    assert "Tick the box to confirm." in text(response)
    assert ada.browser.post(finish, {"stored": "on"})["Location"] == finish.removesuffix("finish/")


def test_finishing_a_client_of_another_organization_is_not_found(ada, cast, browser_of):
    ada.save()
    response = browser_of(cast.cleo).post(f"{LIST}{Client.objects.get().id}/finish/", {"stored": "on"})
    assert response.status_code == 404


def test_somebody_who_may_only_add_clients_sees_the_secret_and_goes_home(cast, browser_of):
    cast.custom_role("Adder", "oauth:client:add")
    cast.give(cast.ben, ("Supervisor", cast.home), ("Adder", cast.home))
    ben = start(browser_of(cast.ben)).ready(cast)
    response = ben.save()
    assert secrets_in(response)
    client = Client.objects.get()
    assert f"{LIST}{client.id}/secret/" not in response.content.decode()
    finished = ben.browser.post(f"{LIST}{client.id}/finish/", {"stored": "on"})
    assert finished["Location"] == "/admin/"


def test_a_client_whose_scopes_nobody_has_authorized_is_not_called_ready(cast, browser_of):
    ben = start(browser_of(cast.ben))
    ben.details(name="Portal", grant="authorization-code")
    ben.post("access", {"redirect_uris": "https://app.example/cb", "scope": ["users"]})
    page = ben.save()
    assert "It is not authorized yet" in text(page)
    assert "These people can authorize it: Ada." in text(page)
    client = page.context["client"]
    done = text(ben.browser.post(f"{LIST}{client.id}/finish/", {"stored": "on"}, follow=True))
    assert "The client is saved. Nobody here can use it until its scopes are authorized." in done
    assert "The client is ready." not in done
    assert "These people can authorize it: Ada." in done
    # Whoever may decide is led there instead.
    hers = browser_of(cast.ada).get(f"{LIST}{client.id}/")
    assert "These people" not in text(hers)
    assert (
        f'href="/admin/integrations/authorized-applications/{client.id}/">Review<' in hers.content.decode()
    )


@pytest.mark.parametrize(("grant", "used"), [("implicit", False), ("authorization-code", True)])
def test_what_to_do_with_the_secret_is_said_where_the_code_uses_it(cast, browser_of, grant, used):
    ada = start(browser_of(cast.ada))
    ada.details(grant=grant)
    ada.post("access", {"redirect_uris": "https://app.example/cb", "scope": ["users"]})
    page = text(ada.save())
    assert ("Put the secret into the environment variable" in page) is used
    assert "not authorized yet" not in page
