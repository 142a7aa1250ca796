"""The key of a session is in the browser, and nowhere else."""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.test import Client as Browser

COOKIE = "latchkey_session"


def test_what_is_stored_opens_no_session(cast, browser_of):
    browser = browser_of(cast.ada)
    key = browser.cookies[COOKIE].value
    row = Session.objects.get()
    assert key not in str(Session.objects.values().get())
    thief = Browser()
    thief.cookies[COOKIE] = row.session_key
    assert thief.get("/admin/").status_code == 302
    assert browser.get("/admin/").status_code == 200


def test_signing_in_gives_a_new_key_and_signing_out_removes_it(cast, browser_of):
    browser = browser_of(cast.ada)
    first = browser.cookies[COOKIE].value
    browser.post("/sign-out/")
    assert not Session.objects.exists()
    old = Browser()
    old.cookies[COOKIE] = first
    assert old.get("/admin/").status_code == 302


def test_a_session_keeps_what_is_put_into_it(cast, browser_of):
    browser = browser_of(cast.ada)
    session = browser.session
    session["kept"] = "value"
    session.save()
    assert browser.session["kept"] == "value"
    assert session.exists(session.session_key)
    session.cycle_key()
    assert Session.objects.count() == 1
