"""Languages and time zones: which can be chosen, and which a request asks for."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from functools import cache

from django.conf import settings
from django.utils.translation import get_supported_language_variant
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header

from accounts.errors import Problems
from accounts.models import User


def languages() -> list[str]:
    """The codes of the languages that this installation speaks."""
    return [code for code, _name in settings.LANGUAGES]


def supported(wanted: str) -> str:
    """ "fr-CA" -> "fr"; nothing where no catalogue comes near."""
    try:
        return get_supported_language_variant(wanted) if wanted else ""
    except (LookupError, ValueError):
        return ""


def of_header(accepted: str) -> Iterator[str]:
    """The languages of an `Accept-Language` that there are here, the dearest first, up to "*"."""
    for code, _weight in parse_accept_lang_header(accepted):
        if code == "*":
            return
        if found := supported(code):
            yield found


def of_person(person: User, asked: str) -> str:
    """That of the pages of somebody whose browser or app asks for `asked`; nothing where none is chosen."""
    return supported(person.language) or asked or supported(person.organization.language)


@cache
def time_zones() -> tuple[str, ...]:
    """The names of the places of the time zone database, and UTC first."""
    places = (
        name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/")
    )
    return ("UTC", *sorted(places))


def as_time_zone(name: str) -> zoneinfo.ZoneInfo | None:
    """None where this machine does not know it."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return None


def check_language(code: str, problems: Problems, field: str) -> None:
    if code not in languages():
        problems.add(field, "invalid.value", _("Choose a language of the list."))


def check_time_zone(name: str, problems: Problems, field: str) -> None:
    if name not in time_zones():
        problems.add(field, "invalid.value", _("Choose a time zone of the list."))
