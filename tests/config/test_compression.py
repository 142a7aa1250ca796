"""Pages are compressed; what shows a secret, and what programs get, is not."""

from __future__ import annotations

import gzip
import re

from django.test import Client as Browser

from oauthclients.models import Client
from tests.cast import PASSWORD, basic
from tests.oauthclients.console.wizard import secrets_in, start

GZIP = {"accept-encoding": "gzip, br"}


def browser(cast) -> Browser:
    found = Browser(headers=GZIP)
    found.post("/sign-in/", {"email": cast.ada.email, "password": PASSWORD})
    return found


def test_a_page_is_compressed_for_a_browser_that_takes_it(cast):
    page = browser(cast).get("/admin/people/")
    assert page["Content-Encoding"] == "gzip"
    assert page["Content-Length"] == str(len(page.content))
    assert "Accept-Encoding" in page["Vary"]
    assert "no-store" in page["Cache-Control"]
    assert b"eve@acme.example" in gzip.decompress(page.content)
    plain = Browser().get("/sign-in/")
    assert not plain.has_header("Content-Encoding")
    assert "Accept-Encoding" in plain["Vary"]


def test_its_length_tells_little_and_its_token_is_another_each_time(cast):
    ada = browser(cast)
    pages = [ada.get("/admin/people/?q=eve") for _ in range(20)]
    assert len({len(page.content) for page in pages}) > 5
    tokens = {
        re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', gzip.decompress(page.content))[1]
        for page in pages
    }
    assert len(tokens) == len(pages)


def test_a_page_that_shows_a_secret_is_not(cast):
    ada = browser(cast)
    wizard = start(ada).ready(cast)
    page = wizard.save()
    assert secrets_in(page)
    assert not page.has_header("Content-Encoding")
    cast.client(("SCIM Integration", None), name="Okta")
    address = f"/admin/integrations/oauth/{Client.objects.get(name='Okta').id}/token/"
    question = gzip.decompress(ada.get(address).content).decode()
    once = re.search(r'name="once" value="([^"]+)"', question)[1]
    page = ada.post(address, {"once": once})
    assert b"A token was created." in page.content
    assert not page.has_header("Content-Encoding")


def test_what_programs_get_is_not(cast):
    client, secret = cast.client(("Supervisor", None))
    long_way = {**GZIP, "origin": "https://app.example", "authorization": basic(client.client_id, secret)}
    for headers in (long_way, {**long_way, "origin": ""}):
        token = Browser().post(
            "/oauth/token",
            "grant_type=client_credentials",
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )
        assert token.status_code == 200
        assert not token.has_header("Content-Encoding")
        people = Browser().get(
            "/api/v2/users?pageSize=50",
            headers={**headers, "authorization": f"Bearer {token.json()['access_token']}"},
        )
        assert people.status_code == 200
        assert not people.has_header("Content-Encoding")
