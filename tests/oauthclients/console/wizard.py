"""The wizard as a browser without JavaScript walks through it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from django.test import Client as Browser

from oauthclients.models import ClientDraft

LIST = "/admin/integrations/oauth/"
PRIVATE = re.compile(r"lks_[A-Za-z0-9_-]{20,}")


@dataclass
class Wizard:
    """`post` sends a step with the version that a page shown now would carry."""

    browser: Browser
    draft_id: str

    def url(self, step: str) -> str:
        return f"{LIST}add/{self.draft_id}/{step}/"

    @property
    def draft(self) -> ClientDraft:
        return ClientDraft.objects.get(id=self.draft_id)

    def get(self, step: str, query: str = "", **more):
        return self.browser.get(self.url(step) + query, **more)

    def post(self, step: str, data: dict | None = None, version: int | None = None, **more):
        shown = self.draft.version if version is None else version
        return self.browser.post(self.url(step), {"version": shown, "go": "next", **(data or {})}, **more)

    def details(self, name="Billing sync", grant="client-credentials", **more):
        return self.post("details", {"name": name, "grant_type": grant, **more})

    def save(self, seconds="86400", **more):
        return self.post("duration", {"seconds": seconds, **more})

    def ready(self, cast, role="Supervisor", **details) -> Wizard:
        """Up to the last step, with a role in Home."""
        assert self.details(**details).status_code == 302
        assert self.post("access", roles((cast.role(role), [cast.home]))).status_code == 302
        return self


def start(browser: Browser) -> Wizard:
    response = browser.get(f"{LIST}add/")
    assert response.status_code == 302, response.content
    found = re.fullmatch(rf"{LIST}add/([0-9a-f-]+)/(\w+)/", response["Location"])
    assert found, response["Location"]
    return Wizard(browser, found[1])


def roles(*given) -> dict:
    """Form data of the role table: (role, [division or "*"]) each."""
    return {
        "role": [str(role.id) for role, _divisions in given],
        **{
            f"divisions-{role.id}": [str(getattr(where, "id", where)) for where in divisions]
            for role, divisions in given
        },
    }


def text(response) -> str:
    """What a person reads: no tags, single spaces."""
    said = response.content.decode().replace("<wbr>", "")
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", said)).split())


def problems(response) -> list[str]:
    """The lines of the box "There is a problem"."""
    box = re.search(r'<ul class="error-list">(.*?)</ul>', response.content.decode(), re.S)
    if box is None:
        return []
    return [
        " ".join(unescape(re.sub(r"<[^>]+>", "", line)).split())
        for line in re.findall(r"<li>(.*?)</li>", box[1], re.S)
    ]


def secrets_in(response) -> set[str]:
    return set(PRIVATE.findall(response.content.decode()))
