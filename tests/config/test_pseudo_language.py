"""Every page in a language in which no letter is ASCII: what can still be read has not gone through gettext.

Starts at Admin home and follows every link, and sends every form once as it stands and once empty, so that what
forms say is seen as well; nothing of that stays. What is data is known: it stands in the database, or in an
element for it.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.test import Client as Browser
from django.test import override_settings
from django.urls import resolve
from django.utils import timezone
from django.utils.translation import trans_real

from accounts.actor import system
from accounts.console import preferences
from accounts.models import AuditEvent, Division, Group, IdentityProvider, Organization, Role, User
from accounts.rules import locale
from accounts.services import divisions, people, roles
from oauthclients.models import Client, ClientSecret
from oauthclients.scopes import CATALOGUE as SCOPES
from oauthclients.services import clients, secrets
from tests.cast import Cast
from tests.oauthclients.console.wizard import roles as chosen
from tests.oauthclients.console.wizard import start
from tests.saml import IdP

PSEUDO = "eo"  # one that Django knows; none of its words are used
_KEPT = re.compile(r"%\([^)]+\)[sdr]|%[sd]|\{[a-z_]+\}|<[^>]*>|&[a-z]+;")
_LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "αβχδεφγηιϕκλμνοπϖρστυωξψζςΑΒΧΔΕΦΓΗΙϴΚΛΜΝΟΠΘΡΣΤΥΩΞΨΖϹ",
)
WORD = re.compile(r"[A-Za-z]{2,}")
# Elements whose text is for machines, or a name as somebody typed it.
DATA = {"del", "ins", "code", "pre", "kbd", "samp", "bdi", "script", "style", "textarea"}
DATA_CLASSES = {"mono", "input-mono", "brand"}
SPOKEN = ("title", "alt", "placeholder", "aria-label", "aria-description", "aria-roledescription")
SPOKEN_DATA = re.compile(r"data-[a-z-]*(label|text)\Z")
VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}
# The names of formats, protocols and programs, which no language translates.
NAMES = {
    *("Latchkey", "OAuth", "API", "SDK", "JavaScript", "Python", "curl", "XML", "PEM", "URI", "URL", "ID"),
    *(
        "HTTP",
        "POST",
        "GET",
        "PUT",
        "PATCH",
        "DELETE",
        "SAML",
        "SCIM",
        "HIPAA",
        "PKCE",
        "JSON",
        "UTC",
        "SHA",
    ),
    *("EN", "EO", "English", "Esperanto", "Okta", "Microsoft", "Entra", "Salesforce", "Kerberos", "RSA"),
}


def mark(text: str) -> str:
    """ "Sign in" -> "Σιγν ιν"; placeholders and markup stay."""
    found, end = [], 0
    for kept in _KEPT.finditer(text):
        found += [text[end : kept.start()].translate(_LETTERS), kept[0]]
        end = kept.end()
    return "".join([*found, text[end:].translate(_LETTERS)])


class Pseudo(gettext.NullTranslations):
    """Marks everything that is said, and leaves the formats of dates."""

    def gettext(self, message: str) -> str:
        context, separator, text = message.rpartition(trans_real.CONTEXT_SEPARATOR)
        return text if "format" in context else mark(text if separator else message)

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)

    def language(self) -> str:
        return PSEUDO

    to_language = language


@pytest.fixture
def pseudo():
    with override_settings(LANGUAGES=[("en", "English"), (PSEUDO, "Esperanto")]):
        trans_real._translations[PSEUDO] = Pseudo()
        yield
        del trans_real._translations[PSEUDO]


class Text(HTMLParser):
    """What a page says to people: text, and the attributes that are read out or shown."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.said: list[str] = []
        self.links: list[str] = []
        self.forms: list[tuple[str, str, list[tuple[str, str]]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        data = tag in DATA or bool(DATA_CLASSES & set(found.get("class", "").split())) or "lang" in found
        data = tag != "html" and (data or any(inside for _tag, inside in self.open))
        if tag not in VOID:
            self.open.append((tag, data))
        if not data:
            self.said += [
                value for name, value in found.items() if name in SPOKEN or SPOKEN_DATA.match(name)
            ]
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "form":
            self.forms.append((found.get("method", "get"), found.get("action", ""), []))
        sent = found.get("type") not in ("checkbox", "radio") or "checked" in found
        if tag in ("input", "button") and self.forms and "name" in found and sent:
            self.forms[-1][2].append((found["name"], found.get("value", "")))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if not any(inside for _tag, inside in self.open):
            self.said.append(data)


def english(html: str, data: re.Pattern[str]) -> list[str]:
    """What of the page can be read."""
    found = []
    for text in Text(html).said:
        text = re.sub(r"\{[a-z]+\}", " ", text)
        rest = data.sub(" ", text) if WORD.search(text) else ""
        if any(word not in NAMES for word in WORD.findall(rest)):
            found.append(" ".join(text.split())[:120])
    return found


def data_of_everybody() -> re.Pattern[str]:
    """All names that are in the database, and whatever is an address, an identifier or a permission."""
    names = {
        name
        for model in (Organization, Division, Group, Client, IdentityProvider)
        for name in model.objects.values_list("name", flat=True)
    }
    names |= set(Client.objects.values_list("description", flat=True)) | {
        name.partition(":")[0] for name in SCOPES
    }
    names |= {"New sync", *SCOPES, *ClientSecret.objects.values_list("last_four", flat=True)}
    names |= set(Role.objects.filter(default_role_id="").values_list("name", flat=True))
    for event in AuditEvent.objects.all():
        # The names of fields, as the API has them; and what something was called when it was recorded.
        names |= {*event.before, *event.after, event.entity_name, event.actor_name}
    for person in User.objects.all():
        names |= {person.name, person.email, person.title, person.department}
    names |= {preferences.zone_label(name) for name in locale.time_zones()}
    names |= {region.label for region in settings.REGIONS.own} | set(
        Organization.objects.values_list("short_name", flat=True)
    )
    words = sorted(filter(None, names), key=len, reverse=True)
    patterns = [
        r"urn:\S+",
        r"https?://\S+",
        r"/(?:api|oauth|saml|scim)\S*",
        r"[0-9a-f]{8}-[0-9a-f-]{27}",
        r"[a-z]+(?::[a-zA-Z]+){1,2}",
        r"\S+@\S+",
        r"\d{4}-\d\d-\d\dT\S+",
        *map(re.escape, words),
    ]
    return re.compile("|".join(rf"(?<!\w){pattern}(?!\w)" for pattern in patterns))


def test_what_is_marked_and_what_is_found():
    data = re.compile("Billing sync")
    assert mark("%(n)s <b>rows</b> of {max}") == "%(n)s <b>ροξσ</b> οφ {max}"
    page = f'<p title="Title">{mark("Text")} <code>code</code> Billing sync <b>left over</b> Latchkey</p>'
    assert english(page, data) == ["Title", "left over"]
    assert english('<button data-copied-label="Copied"></button>', data) == ["Copied"]


@dataclass
class Full:
    """At least one row on every page, and the addresses of what is in a state of its own."""

    cast: Cast
    addresses: list[str]


@pytest.fixture
def full(cast, browser_of) -> Full:
    ada, acme = cast.actor(cast.ada), system(cast.acme)
    ordinary, _secret = cast.client(
        ("Admin", None), ("Supervisor", cast.east), by=cast.ada, description="x"
    )
    secrets.generate(actor=ada, client_id=ordinary.id, overlap=timedelta(hours=1))
    app = cast.app("users", "routing:readonly", by=cast.ada)
    cast.acting_for(cast.ada, app.client, "users")
    scim, _secret = cast.client(("SCIM Integration", None), name="Provisioning")
    disabled, _secret = cast.client(("Supervisor", cast.home), name="Old sync")
    clients.set_enabled(actor=ada, client_id=disabled.id, enabled=False)
    pending, _secret = cast.client(("Supervisor", cast.home), name="Older sync")
    Client.objects.filter(id=pending.id).update(created=timezone.now() - timedelta(days=60))
    clients.delete(actor=ada, client_id=pending.id)
    provider = IdP().provider(cast.acme)
    cast.person("Inga Inactive", cast.home, state="inactive")
    gone = cast.person("Gus Gone", cast.home)
    people.delete(actor=acme, user_id=gone.id)
    inactive = User.objects.get(name="Inga Inactive")
    north = divisions.create(actor=acme, name="North")
    divisions.delete(actor=acme, division_id=north.id)
    supervisor = cast.role("Supervisor")
    roles.change(actor=acme, role_id=supervisor.id, policies=[], version=supervisor.version)
    of_clients = "/admin/integrations/oauth"
    addresses = [
        *(f"{of_clients}/{client.id}/" for client in (ordinary, app.client, scim, disabled, pending)),
        f"{of_clients}/{ordinary.id}/secret/end/",
        f"{of_clients}/{scim.id}/token/",
        f"{of_clients}/{disabled.id}/enable/",
        f"{of_clients}/{pending.id}/restore/",
        f"/admin/single-sign-on/{provider.id}/",
        f"/admin/single-sign-on/{provider.id}/delete/",
        "/admin/single-sign-on/only-sso/",
        f"/admin/people/{inactive.id}/",
        f"/admin/people/{inactive.id}/activate/",
        f"/admin/people/{gone.id}/",
        f"/admin/people/{gone.id}/restore/",
        f"/admin/people/{cast.ada.id}/apps/revoke-all/",
        f"/admin/roles/{supervisor.id}/restore/",
        f"/admin/divisions/{north.id}/restore/",
    ]
    browser = browser_of(cast.ada)
    for grant, access in (
        ("authorization-code", {"redirect_uris": "https://app.example/cb", "scope": ["users"]}),
        ("saml2-bearer", {"scope": ["users"]}),
        ("client-credentials", None),
    ):
        wizard = start(browser)
        wizard.details(name="New sync", grant=grant, confirmed="1")
        wizard.post("access", access or chosen((cast.role("Admin"), ["*"])))
    addresses += [wizard.url(step) for step in ("details", "access", "duration")]
    return Full(cast, addresses)


def pages(browser: Browser, addresses: list[str]) -> Iterator[tuple[str, str]]:
    """These pages, and from there every other, once for each route; and what their forms answer, in a
    transaction that is undone."""
    seen: set[object] = set()
    waiting = [*addresses, "/admin/", "/account/apps/", "/account/preferences/"]
    for number, address in enumerate(waiting):
        route = resolve(urlsplit(address).path).route
        if (route, bool(urlsplit(address).query)) in seen and number >= len(addresses):
            continue
        seen.add((route, bool(urlsplit(address).query)))
        response = browser.get(address, follow=True)
        if "text/html" not in response["Content-Type"]:
            continue
        html = response.content.decode()
        yield address, html
        text = Text(html)
        waiting += [link for link in text.links if link.startswith(("/admin/", "/account/"))]
        for method, action, fields in text.forms:
            target = action or address
            if method != "post" or target.startswith(("/sign-out/", "/language/", "/theme/")):
                continue
            for sent in (dict(fields), {name: value for name, value in fields if name == "version"}):
                cache.clear()
                key = (target if not sent else resolve(urlsplit(target).path).route, tuple(sorted(sent)))
                if key in seen:
                    continue
                seen.add(key)
                with transaction.atomic():
                    answer = browser.post(target, sent, follow=True)
                    if "text/html" in answer["Content-Type"]:
                        yield f"POST {target} {sorted(sent)}", answer.content.decode()
                    transaction.set_rollback(True)


def test_every_page_speaks_the_language_of_its_reader(full, browser_of, pseudo):
    browser = browser_of(full.cast.ada, headers={"accept-language": PSEUDO})
    data = data_of_everybody()
    found: dict[str, str] = {}
    count = 0
    for address, html in pages(browser, full.addresses):
        count += 1
        assert f'<html lang="{PSEUDO}"' in html, address
        for text in english(html, data):
            found.setdefault(text, address)
    assert not found, "\n".join(f"{text!r} on {address}" for text, address in found.items())
    assert count > 60, count


@pytest.mark.parametrize("address", ["/sign-in/", "/nothing/", "/oauth/authorize", "/invitation/"])
def test_the_cards_before_the_sign_in_do_too(client, cast, pseudo, address):
    html = client.get(address, headers={"accept-language": PSEUDO}).content.decode()
    assert english(html, data_of_everybody()) == []
