"""Points in time, as people read them: relative, with the exact time in the title (UX spec 3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

register = template.Library()


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
    """In the largest unit alone: nobody needs "3 days, 2 hours"."""
    now = timezone.now()
    if abs(now - value) < timedelta(minutes=1):
        return _("just now")
    if value > now:
        return _("in %(time)s") % {"time": timeuntil(value, now, depth=1)}
    return _("%(time)s ago") % {"time": timesince(value, now, depth=1)}


def exactly(value: datetime) -> str:
    """In the zone of the page, which is named: an admin may sit anywhere."""
    local = timezone.localtime(value)
    # Day before month and 24 hours: Django's English format is read differently on either side of an ocean.
    pattern = pgettext("format of date and time, see Django's `date` filter", "j F Y, H:i")
    return f"{date_format(local, pattern)} {local.tzname()}"


def _element(value: datetime, text: str, title: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), title, text)
