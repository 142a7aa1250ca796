"""Addresses of the API on a page."""

from __future__ import annotations

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def breakable(path: str) -> SafeString:
    """May go on in the next line after a slash, rather than in the middle of a word."""
    return format_html_join(mark_safe("/<wbr>"), "{}", ((part,) for part in str(path).split("/")))
