"""Points in time, as people read them: relative, with the exact time in the title (UX spec 3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import TIME_STRINGS
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

register = template.Library()

# (unit, its seconds, the first number that the next unit says better): "in 24 hours", "7 days ago".
_UNITS = (
    ("minute", 60, 60),
    ("hour", 60 * 60, 48),
    ("day", 24 * 60 * 60, 60),
    ("month", 30.44 * 24 * 60 * 60, 24),
    ("year", 365.25 * 24 * 60 * 60, float("inf")),
)


@register.simple_tag
def ago(value: datetime | None) -> SafeString | str:
    """ "3 days ago", "in 5 hours", "just now", "never"."""
    if value is None:
        return _("never")
    return _element(value, relative(value), exactly(value))


@register.simple_tag
def exact(value: datetime | None) -> SafeString | str:
    """ "3 May 2026, 10:00", with how long ago that is in the title."""
    if value is None:
        return _("never")
    return _element(value, exactly(value), relative(value))


def relative(value: datetime) -> str:
    """In one unit, rounded: what ends in 23 hours and 59 minutes ends "in 24 hours"."""
    now = timezone.now()
    if abs(now - value) < timedelta(minutes=1):
        return _("just now")
    pattern = _("in %(time)s") if value > now else _("%(time)s ago")
    return pattern % {"time": _length(abs(now - value).total_seconds())}


def _length(seconds: float) -> str:
    """In Django's words, which are translated already."""
    found = ((unit, round(seconds / size), end) for unit, size, end in _UNITS)
    unit, number = next((unit, number) for unit, number, end in found if number < end)
    return str(TIME_STRINGS[unit] % {"num": number})


@register.filter
def exactly(value: datetime) -> str:
    """ "3 May 2026, 10:00 UTC", without markup. In the zone of the page, which is named: an admin may sit
    anywhere."""
    local = timezone.localtime(value)
    # Day before month and 24 hours: Django's English format is read differently on either side of an ocean.
    pattern = pgettext("format of date and time, see Django's `date` filter", "j F Y, H:i")
    return f"{date_format(local, pattern)} {local.tzname()}"


def _element(value: datetime, text: str, title: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), title, text)
