"""What a route is called in documentation and counts."""

from __future__ import annotations

import re
from functools import cache


@cache
def template(pattern: str) -> str:
    """A pattern of Django's, as `resolver_match.route` has it, in the words of the documentation:
    `/api/v2/users/{userId}`."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: f"{{{_camel(found[1])}}}", pattern).lstrip("^")


def _camel(name: str) -> str:
    """`user_id` as the vendor writes it: `userId`."""
    return re.sub(r"_(\w)", lambda letter: letter[1].upper(), name)
