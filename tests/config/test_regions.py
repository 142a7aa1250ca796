"""The catalogue of regions, and this installation's own ones from the environment."""

from __future__ import annotations

import json

import pytest
from django.conf import settings as live
from django.core.exceptions import ImproperlyConfigured

from config.regions import LOCAL, VENDOR, Regions
from tests.config.test_installation import manage

TWO = ("eu=eu.example.com", "us=us.example.com")


def test_the_vendors_regions_are_those_of_the_wire_contract_each_once():
    assert len(VENDOR) == 18
    assert len({region.code for region in VENDOR}) == len({region.domain for region in VENDOR}) == 18
    ireland = next(region for region in VENDOR if region.code == "eu_west_1")
    assert (ireland.login_url, ireland.api_url, ireland.apps_url) == (
        "https://login.mypurecloud.ie",
        "https://api.mypurecloud.ie",
        "https://apps.mypurecloud.ie",
    )
    assert not any(region.own for region in VENDOR)


def test_without_any_of_its_own_the_installation_is_one_region_at_its_own_address():
    (local,) = live.REGIONS.own
    assert (local.code, local.login_url, local.api_url, local.apps_url) == (LOCAL, *[live.BASE_URL] * 3)
    assert [region.code for region in live.REGIONS] == [LOCAL, *(region.code for region in VENDOR)]
    for host in ("localhost:8000", "127.0.0.1", "anything.example", "", "[::1]:8000"):
        assert live.REGIONS.at(host) is local
        assert live.REGIONS.login_at(host) == ""


@pytest.mark.parametrize(
    ("base_url", "login"),
    [
        ("https://login.example.com", "https://login.us.example.com"),
        ("http://127.0.0.1:8000", "http://login.us.example.com:8000"),
    ],
)
def test_own_regions_have_hosts_under_their_domain_with_the_scheme_and_port_of_the_installation(
    base_url, login
):
    found = Regions(TWO, base_url=base_url)
    assert [region.code for region in found.own] == ["eu", "us"]
    assert found.called("us").login_url == login
    assert found.hosts == {
        f"{name}.{code}.example.com" for name in ("login", "api", "apps") for code in ("eu", "us")
    }


def test_a_host_is_of_the_region_that_names_it_and_any_other_of_the_first():
    found = Regions(TWO, base_url="https://login.example.com")
    assert found.at("API.us.example.com:443").code == "us"
    assert found.at("login.eu.example.com").code == "eu"
    assert found.at("us.example.com").code == "eu"
    assert found.called("").code == found.called("gone").code == "eu"
    assert found.login_at("login.us.example.com") == "https://login.us.example.com"
    assert found.login_at("api.us.example.com") == ""


@pytest.mark.parametrize(
    "entries",
    [["eu"], ["=eu.example.com"], ["eu="], ["e u=eu.example.com"], ["eu=https://eu.example.com"]],
)
def test_an_entry_that_makes_no_sense_is_named(entries):
    with pytest.raises(ImproperlyConfigured, match="code=domain"):
        Regions(entries, base_url="https://login.example.com")


@pytest.mark.parametrize("second", ["eu=other.example.com", "us=eu.example.com"])
def test_a_region_or_a_domain_that_is_named_twice_is_refused(second):
    with pytest.raises(ImproperlyConfigured, match="twice"):
        Regions(["eu=eu.example.com", second], base_url="https://login.example.com")


def test_the_environment_makes_regions_whose_hosts_are_let_in(tmp_path):
    probe = (
        "import json; from django.conf import settings as s; "
        "print(json.dumps([[r.code for r in s.REGIONS.own], s.ALLOWED_HOSTS, s.CSRF_TRUSTED_ORIGINS]))"
    )
    done = manage(
        "shell",
        "-v0",
        "-c",
        probe,
        STATE_DIR=str(tmp_path),
        BASE_URL="https://login.example.com",
        ALLOWED_HOSTS="login.example.com",
        REGIONS="eu=eu.example.com, us=us.example.com",
    )
    assert done.returncode == 0, done.stderr
    codes, hosts, origins = json.loads(done.stdout)
    assert codes == ["eu", "us"]
    assert {"login.example.com", "login.us.example.com", "api.eu.example.com"} <= set(hosts)
    assert {"https://login.example.com", "https://login.us.example.com"} <= set(origins)


def test_without_regions_the_allowed_hosts_are_what_the_operator_says(tmp_path):
    done = manage(
        "shell",
        "-v0",
        "-c",
        "from django.conf import settings; print(settings.ALLOWED_HOSTS)",
        STATE_DIR=str(tmp_path),
        BASE_URL="https://login.example.com",
        ALLOWED_HOSTS="inside.example.com",
    )
    assert done.stdout.strip() == "['inside.example.com']"
