"""Regions: the vendor's (wire contract K), and those that this installation serves itself. In each, people
sign in at login.DOMAIN, programs call api.DOMAIN, and the vendor's apps run at apps.DOMAIN."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.http.request import split_domain_port
from django.utils.translation import gettext_lazy as _

LOCAL = "local"
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_DOMAIN = re.compile(r"(?=.{1,200}\Z)[a-z0-9-]+(\.[a-z0-9-]+)*")


@dataclass(frozen=True)
class Region:
    """`own` is one that this installation serves; its `hosts` are the names by which it is recognised."""

    code: str
    domain: str
    place: Any
    login_url: str
    api_url: str
    apps_url: str
    own: bool = False
    hosts: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        return f"{self.place} ({self.domain})"


class Regions:
    """All of them, the own ones first. There is always an own one: without any configured, it is `local`,
    which has the one address of this installation for everything."""

    def __init__(self, entries: Iterable[str], *, base_url: str) -> None:
        """`entries` are `code=domain`, reached with the scheme and the port of `base_url`. Raises
        `ImproperlyConfigured`."""
        own = tuple(_own(entry, base_url) for entry in entries)
        codes, domains = {region.code for region in own}, {region.domain for region in own}
        if min(len(codes), len(domains)) < len(own):
            raise ImproperlyConfigured("REGIONS names the same region or the same domain twice.")
        self.own = own or (_local(base_url),)

    def __iter__(self) -> Iterator[Region]:
        yield from self.own
        yield from VENDOR

    @property
    def hosts(self) -> frozenset[str]:
        """Every host that the configured regions have."""
        return frozenset[str]().union(*(region.hosts for region in self.own))

    @property
    def origins(self) -> list[str]:
        """Every address that the configured regions have."""
        named = [region for region in self.own if region.hosts]
        return [url for region in named for url in (region.login_url, region.api_url, region.apps_url)]

    def called(self, code: str) -> Region:
        """The own region with this code; the first where there is none, as for "" of an organization that
        nobody gave a home."""
        return next((region for region in self.own if region.code == code), self.own[0])

    def at(self, host: str) -> Region:
        """The own region that serves this host. What no region names, such as the host of `BASE_URL` or
        localhost, is the first one's."""
        return next((region for region in self.own if _name(host) in region.hosts), self.own[0])

    def login_at(self, host: str) -> str:
        """The address of the login host that this is, or nothing."""
        found = (one for one in self.own if one.hosts and _name(host) == f"login.{one.domain}")
        return next((one.login_url for one in found), "")


def _region(code: str, domain: str, place: Any) -> Region:
    login, api, apps = (f"https://{name}.{domain}" for name in ("login", "api", "apps"))
    return Region(code, domain, place, login, api, apps)


def _own(entry: str, base_url: str) -> Region:
    code, _equals, domain = (part.strip().lower() for part in entry.partition("="))
    if not _CODE.fullmatch(code) or not _DOMAIN.fullmatch(domain):
        raise ImproperlyConfigured(f"REGIONS: {entry!r} is not code=domain, such as eu=eu.example.com.")
    base = urlsplit(base_url)
    port = f":{base.port}" if base.port else ""
    names = [f"{name}.{domain}" for name in ("login", "api", "apps")]
    login, api, apps = (f"{base.scheme}://{name}{port}" for name in names)
    return Region(code, domain, code, login, api, apps, own=True, hosts=frozenset(names))


def _local(base_url: str) -> Region:
    domain = urlsplit(base_url).netloc
    return Region(LOCAL, domain, _("This installation"), base_url, base_url, base_url, own=True)


def _name(host: str) -> str:
    """A host as a request names it, without its port."""
    return split_domain_port(host)[0]


VENDOR: tuple[Region, ...] = (
    _region("us_east_1", "mypurecloud.com", _("Americas (US East)")),
    _region("us_east_2", "use2.us-gov-pure.cloud", _("US East 2, FedRAMP")),
    _region("us_west_2", "usw2.pure.cloud", _("Americas (US West)")),
    _region("ca_central_1", "cac1.pure.cloud", _("Canada")),
    _region("sa_east_1", "sae1.pure.cloud", _("São Paulo")),
    _region("mx_central_1", "mxc1.pure.cloud", _("Mexico")),
    _region("eu_west_1", "mypurecloud.ie", _("Ireland")),
    _region("eu_west_2", "euw2.pure.cloud", _("London")),
    _region("eu_central_1", "mypurecloud.de", _("Frankfurt")),
    _region("eu_central_2", "euc2.pure.cloud", _("Zurich")),
    _region("eusc_de_east_1", "edee1.eusc-pure.cloud", _("EU sovereign, Germany")),
    _region("me_central_1", "mec1.pure.cloud", _("UAE")),
    _region("ap_south_1", "aps1.pure.cloud", _("Mumbai")),
    _region("ap_southeast_1", "apse1.pure.cloud", _("Singapore")),
    _region("ap_southeast_2", "mypurecloud.com.au", _("Sydney")),
    _region("ap_northeast_1", "mypurecloud.jp", _("Tokyo")),
    _region("ap_northeast_2", "apne2.pure.cloud", _("Seoul")),
    _region("ap_northeast_3", "apne3.pure.cloud", _("Osaka")),
)
