"""How long a token may be made to live, in seconds (seeds 000 and 002): the bounds of an organization's
default, and, but for those that keep people in step (oauthclients/rules/token_life.py), of every client."""

from __future__ import annotations

SHORTEST = 300
LONGEST = 172_800  # 2 days
DEFAULT = 86_400  # 1 day
