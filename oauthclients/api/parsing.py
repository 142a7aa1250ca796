"""Reads what the official SDKs send (wire contract, section 0)."""

from __future__ import annotations

import json
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser


class LenientJSONParser(BaseParser):
    """JSON. A POST without a body carries the four bytes `null`; that, and nothing at all, is an absent
    body."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return loads(stream.read())
        except ValueError as error:
            raise ParseError("The body is not valid JSON.") from error


def loads(content: bytes) -> Any:
    """The value of this JSON, None for no text at all. Raises `ValueError` for everything that is not
    JSON in UTF-8: for half a surrogate pair too, which Python reads but neither a database nor an
    answer can hold."""
    text = content.decode("utf-8")
    if not text.strip():
        return None
    try:
        value = json.loads(text, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


class AlwaysJSON(BaseContentNegotiation):
    """Every answer is JSON, whatever `Accept` says; the SDKs' token calls send none."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        content_type = (request.content_type or "application/json").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type
