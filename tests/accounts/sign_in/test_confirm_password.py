"""Typing the password once more before something that matters."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.utils import timezone

from tests.cast import PASSWORD


@pytest.fixture
def delete_page(cast):
    client, _secret = cast.client(("Supervisor", cast.home), by=cast.ada)
    return f"/admin/integrations/oauth/{client.id}/delete/"


@pytest.fixture
def late(cast, browser_of):
    """Ada's browser, a quarter of an hour after she signed in."""
    browser = browser_of(cast.ada)
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=5)):
        yield browser


def test_soon_after_signing_in_nothing_is_asked(cast, browser_of, delete_page):
    assert browser_of(cast.ada).get(delete_page).status_code == 200


def test_later_the_password_is_asked_and_leads_back(late, delete_page):
    asked = late.get(delete_page)
    assert asked["Location"] == f"/confirm-password/?{urlencode({'next': delete_page})}"
    page = late.get(asked["Location"]).content.decode()
    assert f'name="next" value="{delete_page}"' in page
    response = late.post("/confirm-password/", {"password": PASSWORD, "next": delete_page})
    assert response["Location"] == delete_page
    assert late.get(delete_page).status_code == 200


def test_a_post_is_not_carried_out_before_the_password_is_typed(cast, late, delete_page):
    response = late.post(delete_page, {"name": "Billing sync"})
    assert response["Location"].startswith("/confirm-password/")
    assert late.get(delete_page.removesuffix("delete/")).status_code == 200


def test_a_wrong_password_stays_on_the_page(late, delete_page):
    response = late.post("/confirm-password/", {"password": "wrong", "next": delete_page})
    assert "This password is wrong." in response.content.decode()
    assert late.get(delete_page)["Location"].startswith("/confirm-password/")


def test_another_persons_password_does_not_do(cast, late, delete_page):
    cast.ben.set_password("only ben knows this")
    cast.ben.save()
    response = late.post(
        "/confirm-password/",
        {"password": "only ben knows this", "email": cast.ben.email, "next": delete_page},
    )
    assert response.status_code == 200
    assert late.get(delete_page)["Location"].startswith("/confirm-password/")


def test_failures_here_count_for_the_lockout_of_the_sign_in(cast, late, client):
    for _ in range(4):
        assert late.post("/confirm-password/", {"password": "wrong"}).status_code == 200
    locked = late.post("/confirm-password/", {"password": "wrong"})
    assert locked.status_code == 429
    assert "Too many tries. Try again in 5 minutes." in locked.content.decode()
    assert late.post("/confirm-password/", {"password": PASSWORD}).status_code == 429
    assert client.post("/sign-in/", {"email": cast.ada.email, "password": PASSWORD}).status_code == 429


def test_the_right_password_forgets_earlier_slips(late):
    for _ in range(3):
        late.post("/confirm-password/", {"password": "wrong"})
        late.post("/confirm-password/", {"password": "wrong"})
        assert late.post("/confirm-password/", {"password": PASSWORD}).status_code == 302


def test_it_leads_to_no_other_host(late):
    response = late.post("/confirm-password/", {"password": PASSWORD, "next": "https://evil.example/"})
    assert response["Location"] == "/admin/"


def test_nobody_reaches_it_without_being_signed_in(client, db):
    assert client.get("/confirm-password/")["Location"].startswith("/sign-in/")
    assert client.post("/confirm-password/", {"password": PASSWORD})["Location"].startswith("/sign-in/")
