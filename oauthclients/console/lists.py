"""What lists with sorted columns share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import F, OrderBy
from django.db.models.functions import Lower


def order_by(columns: Mapping[str, Any], wanted: str) -> list[OrderBy]:
    """By a column of a list, `-` before its name for the other direction, then by name. What has no value
    in that column comes last in either direction."""
    key = columns[wanted.removeprefix("-")]
    ordered = key.desc(nulls_last=True) if wanted.startswith("-") else key.asc(nulls_last=True)
    return [ordered, Lower("name").asc(), F("id").asc()]
