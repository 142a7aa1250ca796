"""What came with Latchkey, in the language of the page."""

from __future__ import annotations

from django import template

from accounts import default_roles

register = template.Library()


@register.filter
def shipped(text: str) -> str:
    """The name or the description of a role."""
    return default_roles.shown(text)
