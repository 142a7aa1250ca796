"""Account > Single Sign-on > Check an assertion: says what decides, and keeps, issues and tells no more."""

from __future__ import annotations

import logging
from datetime import timedelta
from html import unescape

import pytest
from django.template.loader import render_to_string
from django.test import Client as Browser
from django.utils import timezone

from accounts.console.check_assertion import CHECKS_PER_MINUTE
from accounts.models import AuditEvent, UsedAssertion
from accounts.saml import toolkit
from tests.saml import IdP, SamlApp, all_that_is_stored, encode

PAGE = "/admin/single-sign-on/check/"
ACS = "http://localhost:8000/saml"


@pytest.fixture
def idp(cast) -> IdP:
    idp = IdP()
    idp.provider(cast.acme)
    return idp


@pytest.fixture
def developer(cast):
    """May see clients, and nobody."""
    cast.custom_role("App Maker", "oauth:client:view")
    cast.give(cast.ben, ("App Maker", None))
    return cast.ben


def check(browser, text: bytes | str, use: str = "bearer"):
    pasted = encode(text) if isinstance(text, bytes) else text
    response = browser.post(PAGE, {"secret_assertion": pasted, "use": use})
    assert response.status_code == 200, response.content
    return response


def refused(response) -> dict[str, str]:
    """What is not met, and why."""
    return {line.label: line.sentence for line in response.context["lines"] if line.met is False}


def sentence(response, label: str) -> str:
    return next(line.sentence for line in response.context["lines"] if line.label == label)


# --- Who gets here -------------------------------------------------------------------------------


@pytest.mark.parametrize("permission", ["sso:provider:view", "oauth:client:view"])
def test_it_is_for_whoever_may_see_providers_or_clients(cast, idp, browser_of, permission):
    eve = browser_of(cast.eve)
    assert eve.get(PAGE).status_code == 403
    assert eve.post(PAGE, {"secret_assertion": "x", "use": "bearer"}).status_code == 403
    cast.custom_role("Looker", permission)
    cast.give(cast.eve, ("Looker", cast.home))
    assert eve.get(PAGE).status_code == 200
    assert check(eve, idp.assertion()).context["accepted"]


def test_the_way_back_leads_only_where_the_person_may_go(cast, developer, browser_of):
    back = 'href="/admin/single-sign-on/"'
    assert back in browser_of(cast.ada).get(PAGE).content.decode()
    assert back not in browser_of(developer).get(PAGE).content.decode()


def test_whoever_is_signed_out_signs_in_and_pastes_again(client, db):
    assert client.get(PAGE)["Location"] == f"/sign-in/?next={PAGE}"
    response = client.post(PAGE, {"secret_assertion": "pasted-words", "use": "bearer"}, follow=True)
    assert "pasted-words" not in response.content.decode()


# --- What it says --------------------------------------------------------------------------------


def test_an_assertion_that_meets_every_condition_would_be_accepted(cast, idp, browser_of):
    response = check(browser_of(cast.ada), idp.assertion())
    html = unescape(response.content.decode())
    assert "This assertion would be accepted." in html
    assert all(line.met for line in response.context["lines"])
    assert "Eve (eve@acme.example)." in html


@pytest.mark.parametrize("form", ["base64", "base64url", "xml", "lines", "response"])
def test_it_is_pasted_in_whatever_form_it_is_at_hand(cast, idp, browser_of, form):
    xml = idp.assertion(sign="response" if form == "response" else "assertion")
    text = {
        "base64url": encode(xml, urlsafe=True, padded=False),
        "xml": f"\n  {xml.decode()}\n",
        "lines": "\r\n".join(encode(xml)[at : at + 76] for at in range(0, len(encode(xml)), 76)),
    }.get(form, encode(xml))
    assert check(browser_of(cast.ada), text).context["accepted"]


def test_xml_is_said_to_be_what_the_token_endpoint_does_not_take(cast, browser_of):
    app = SamlApp.at_acme(cast)
    xml = app.idp.assertion()
    response = check(browser_of(cast.ada), xml.decode())
    html = unescape(response.content.decode())
    assert sentence(response, "Can be read").endswith(" It is XML: an app has to send it in base64.")
    assert "This assertion would be accepted in base64." in html
    assert "This assertion would be accepted." not in html
    assert "<title>Would be accepted in base64 – Check an assertion – Latchkey</title>" in html
    assert app.sends(xml.decode()).status_code == 400
    assert app.sends(xml).status_code == 200
    for other in (
        check(browser_of(cast.ada), app.idp.assertion()),
        check(browser_of(cast.ada), app.idp.assertion(recipient=ACS, wrap=True).decode(), "sign-in"),
    ):
        assert "XML:" not in sentence(other, "Can be read")
        assert "This assertion would be accepted." in other.content.decode()


@pytest.mark.parametrize(
    ("audience", "role", "word"), [("", "status", "accepted"), ("urn:x", "alert", "refused")]
)
def test_the_result_is_the_first_that_is_heard(cast, idp, browser_of, audience, role, word):
    html = check(browser_of(cast.ada), idp.assertion(audience=audience)).content.decode()
    assert f"<title>Would be {word} – Check an assertion – Latchkey</title>" in html
    assert html.count(f'<div role="{role}" data-focus-on-load>') == 1
    assert "data-focus-on-load" not in browser_of(cast.ada).get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("accepted", "role", "title"), [(True, "status", "It works"), (False, "alert", "Would be refused")]
)
def test_the_result_of_a_test_sign_in_is_heard_first_too(accepted, role, title):
    context = {"provider": IdP(), "lines": [], "accepted": accepted, "found": None, "back": PAGE}
    html = render_to_string("sso/test_result.html", context)
    assert f"<title>{title} – Test sign-in – Latchkey</title>" in html
    assert html.count(f'<div role="{role}" data-focus-on-load>') == 1


def test_everything_that_is_wrong_is_said_at_once(cast, idp, browser_of):
    end = timezone.now() - timedelta(minutes=2)
    xml = idp.assertion(audience="https://other.example", not_on_or_after=end, email="nobody@acme.example")
    response = check(browser_of(cast.ada), xml)
    assert "This assertion would be refused." in response.content.decode()
    found = refused(response)
    assert found.keys() == {"Audience", "Time", "Person"}
    assert found["Audience"].startswith("It is for ‘https://other.example’. Expected was")
    assert found["Person"] == "Nobody here has the email ‘nobody@acme.example’."


def test_what_was_not_reached_is_said_to_be_not_checked(cast, idp, browser_of):
    response = check(browser_of(cast.ada), "not an assertion!")
    assert refused(response) == {"Can be read": "It is neither base64 nor base64url."}
    assert {line.met for line in response.context["lines"][1:]} == {None}
    assert response.content.decode().count("Not checked") == len(response.context["lines"]) - 1


def test_for_signing_in_it_must_be_for_another_recipient(cast, idp, browser_of):
    ada = browser_of(cast.ada)
    assert refused(check(ada, idp.assertion(wrap=True), "sign-in")).keys() == {"Recipient"}
    assert refused(check(ada, idp.assertion(recipient=ACS))).keys() == {"Recipient"}
    bare = check(ada, idp.assertion(recipient=ACS), "sign-in")
    assert refused(bare) == {"Status": "It is a bare assertion. To sign in, it has to stand in a Response."}
    response = check(ada, idp.assertion(recipient=ACS, wrap=True), "sign-in")
    assert response.context["accepted"]
    assert response.context["form"]["use"].value() == "sign-in"  # stays chosen


def test_an_assertion_for_another_organization_is_unknown_here(cast, idp, browser_of):
    response = check(browser_of(cast.cleo), idp.assertion())
    assert refused(response) == {
        "Issuer": "‘https://idp.acme.example/metadata’ is no identity provider of this organization."
    }


def test_one_that_is_larger_than_is_accepted_is_said_to_be(cast, idp, browser_of, settings):
    response = check(browser_of(cast.ada), "A" * (settings.SAML_LARGEST_BYTES * 4 // 3 + 4))
    assert refused(response) == {"Can be read": "It is larger than 128000 bytes."}


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"secret_assertion": "", "use": "bearer"}, "Paste an assertion."),
        ({"secret_assertion": "x"}, "Choose what it is for."),
        ({"secret_assertion": "x", "use": "else"}, "Choose what it is for."),
    ],
)
def test_what_is_missing_is_said_in_its_place(cast, browser_of, typed, says):
    html = browser_of(cast.ada).post(PAGE, typed).content.decode()
    assert "<title>Error – " in html
    assert html.count(says) == 2  # in the box, and at the field


def test_where_the_libraries_do_not_work_there_is_nothing_to_paste(cast, idp, browser_of, monkeypatch):
    monkeypatch.setattr(toolkit, "WHY_NOT", "ImportError: x")
    ada = browser_of(cast.ada)
    for response in (ada.get(PAGE), ada.post(PAGE, {"secret_assertion": "x", "use": "bearer"})):
        html = response.content.decode()
        assert response.status_code == 200
        assert "SAML is switched off on this server" in html
        assert "<textarea" not in html


# --- What it keeps -------------------------------------------------------------------------------


def test_nothing_is_stored_and_the_assertion_is_not_used_up(cast, browser_of):
    app = SamlApp.at_acme(cast)
    ada, xml = browser_of(cast.ada), app.idp.assertion(id="_the-id-of-this-assertion")
    session, lines = dict(ada.session), AuditEvent.objects.count()
    for use in ("bearer", "sign-in"):
        check(ada, xml, use)
    assert dict(ada.session) == session
    assert AuditEvent.objects.count() == lines
    assert not UsedAssertion.objects.exists()
    stored = all_that_is_stored()
    assert encode(xml)[:40] not in stored
    assert "_the-id-of-this-assertion" not in stored
    assert app.sends(xml).status_code == 200
    assert refused(check(ada, xml)) == {"Not used before": "It has been used already."}


@pytest.mark.parametrize("use", ["bearer", "sign-in", ""])
def test_what_was_pasted_is_in_no_page_and_in_no_log(cast, idp, browser_of, caplog, use):
    ada, xml = browser_of(cast.ada), idp.assertion()
    for text in (encode(xml), xml.decode(), encode(xml)[:-9] + "!", "<saml:broken " + encode(xml)):
        with caplog.at_level(logging.DEBUG):
            response = ada.post(PAGE, {"secret_assertion": text, "use": use})
        html = unescape(response.content.decode())
        assert encode(xml)[:40] not in html + caplog.text
        assert xml.decode()[100:140] not in html + caplog.text
        assert "no-store" in response["Cache-Control"]
        # Nor in a report of an error, whatever goes wrong.
        assert response.wsgi_request.sensitive_post_parameters == "__ALL__"


def test_a_page_that_was_open_too_long_does_not_write_it_back(cast, idp, browser_of):
    ada = browser_of(cast.ada)
    late = Browser(enforce_csrf_checks=True)
    late.cookies = ada.cookies
    response = late.post(
        PAGE,
        {"secret_assertion": encode(idp.assertion()), "use": "bearer"},
        headers={"Origin": "http://testserver"},
    )
    assert response.status_code == 403
    html = response.content.decode()
    assert "This page was open too long" in html
    assert 'value="bearer"' in html  # the rest is offered for sending again
    assert encode(idp.assertion())[:40] not in html
    assert "secret_assertion" not in html


def test_checks_are_counted_for_each_person(cast, idp, browser_of):
    ada, ben = browser_of(cast.ada), browser_of(cast.ben)
    for _n in range(CHECKS_PER_MINUTE):
        check(ada, "x")
    response = ada.post(PAGE, {"secret_assertion": "pasted-words", "use": "bearer"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Too many checks. Try again in" in response.content.decode()
    assert "pasted-words" not in response.content.decode()
    assert ada.get(PAGE).status_code == 200
    check(ben, "x")


# --- What it tells of people ---------------------------------------------------------------------


def test_who_was_found_is_told_to_those_who_may_see_people(cast, idp, developer, browser_of):
    assert sentence(check(browser_of(cast.ada), idp.assertion()), "Person") == "Eve (eve@acme.example)."
    response = check(browser_of(developer), idp.assertion())
    assert response.context["accepted"]
    assert "Eve" not in response.content.decode()
    assert "eve@" not in response.content.decode()


def test_only_people_of_the_divisions_that_one_may_see_are_named(cast, idp, browser_of):
    """Ben sees the people of Home: Ada, and not Eve, who is in East."""
    ben = browser_of(cast.ben)
    ada = check(ben, idp.assertion(email="Ada@acme.example"))
    assert sentence(ada, "Person") == "Ada (ada@acme.example)."
    eve = check(ben, idp.assertion())
    assert "eve@" not in eve.content.decode()


def test_others_are_not_told_whether_somebody_is_unknown_or_inactive(cast, idp, developer, browser_of):
    cast.person("Gina", cast.home, state="inactive")
    ben = browser_of(developer)
    said = {
        sentence(check(ben, idp.assertion(email=email)), "Person")
        for email in ("gina@acme.example", "nobody@acme.example", cast.cleo.email)
    }
    assert said == {"No active person of this organization has the email that it holds."}
    told = sentence(check(browser_of(cast.ada), idp.assertion(email="gina@acme.example")), "Person")
    assert told == "Gina is not active."


def test_without_a_signature_nobody_is_looked_up(cast, idp, browser_of):
    response = check(browser_of(cast.ada), idp.assertion(sign=None))
    assert next(line.met for line in response.context["lines"] if line.label == "Person") is None
    assert "eve@" not in response.content.decode()
