"""Needs attention on Admin home: certificates of identity providers that end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import IdentityProvider
from tests.oauthclients.console.wizard import text
from tests.saml import IdP, pair

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)


@pytest.fixture
def home(cast, browser_of, time_machine):
    """What Admin home says to somebody, by default Ada."""
    time_machine.move_to(NOW, tick=False)

    def shown(person=None) -> str:
        return text(browser_of(person or cast.ada).get("/admin/")).replace("\xa0", " ")

    return shown


def provided(organization, *times: tuple[datetime, datetime], **more) -> IdentityProvider:
    """A provider whose certificates were, or will be, good at these times."""
    provider = IdP().provider(organization, **more)
    provider.certificates = [pair().valid(begins, ends).certificate for begins, ends in times]
    provider.save()
    return provider


def days(number: float) -> datetime:
    return NOW + timedelta(days=number)


def test_a_certificate_that_ends_within_30_days_is_named_and_linked(cast, browser_of, home):
    provider = provided(cast.acme, (LONG_AGO, days(29)))
    assert "The only certificate of ‘Acme IdP’ ends in 29 days" in home()
    html = browser_of(cast.ada).get("/admin/").content.decode()
    assert f'href="/admin/single-sign-on/{provider.id}/"' in html


def test_one_that_ends_later_is_not(cast, home):
    provided(cast.acme, (LONG_AGO, days(30.5)))
    assert "Needs attention" not in home()


def test_where_another_goes_on_it_is_not_called_the_only_one(cast, home):
    provided(cast.acme, (LONG_AGO, days(3)), (days(-1), days(400)))
    assert "A certificate of ‘Acme IdP’ ends in 3 days" in home()


def test_a_provider_that_has_none_left_is_the_first_to_be_said(cast, home):
    provided(cast.acme, (LONG_AGO, days(-2)))
    assert (
        "‘Acme IdP’ has no certificate that is valid now, so nothing that it says is believed; "
        "one ended 2 days ago"
    ) in home()


def test_one_that_is_not_valid_yet_does_not_count(cast, home):
    provided(cast.acme, (days(2), days(400)))
    assert "so nothing that it says is believed; one begins in 2 days" in home()


def test_of_a_provider_that_is_off_nothing_is_said(cast, home):
    provided(cast.acme, (LONG_AGO, days(1)), enabled=False)
    assert "Needs attention" not in home()


def test_it_is_for_those_who_may_see_providers_of_their_organization(cast, home):
    provided(cast.acme, (LONG_AGO, days(1)))
    assert "certificate" not in home(cast.ben)
    assert "certificate of" not in home(cast.cleo)
    cast.custom_role("Looker", "sso:provider:view")
    cast.give(cast.eve, ("Looker", None))
    assert "The only certificate of ‘Acme IdP’ ends" in home(cast.eve)
