"""What a page weighs when it is opened for the first time, and how its assets come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpResponse
from django.test import RequestFactory
from lxml import html

from config.compression import CompressedPagesMiddleware

MOST = 60_000
# Status line and headers of an asset and of a page, more than any of ours has (journeys/test_over_the_wire.py measures
# them).
HEADERS, PAGE_HEADERS = 540, 900
LOADED = (
    "//link[@rel='stylesheet' or @rel='icon' or @rel='modulepreload']/@href | //script/@src | //img/@src"
)
CHAINS = re.compile(
    rb"@import|url\((?!['\"]?(?:data:|#))|\bimport\s*[({'\"*]|\bfrom\s*['\"]|\bnew Worker\b"
)


def wrong_with(answer: HttpResponse, static: Path) -> Iterator[str]:
    """`static`: where the files lie as they are served."""
    names = set(html.fromstring(answer.content.decode()).xpath(LOADED))
    kept = {name.removeprefix("/static/") for name in names}
    yield from (
        f"{name} is not kept for ever" for name in kept - set(staticfiles_storage.hashed_files.values())
    )
    assets = [asset(static, name) for name in kept]
    yield from (
        f"{name} asks for more: name that in the page"
        for name, (_, more) in zip(kept, assets, strict=True)
        if more
    )
    weight = over_the_wire(answer) + sum(size for size, _more in assets)
    if weight >= MOST:
        yield f"it weighs {weight} bytes"


def over_the_wire(answer: HttpResponse) -> int:
    """Of the page itself, as the server sends it to a browser."""
    request = RequestFactory().get("/", headers={"accept-encoding": "gzip, deflate, br"})
    sent = HttpResponse(answer.content, content_type=answer["Content-Type"])
    sent.shows_secret = getattr(answer, "shows_secret", False)
    return len(CompressedPagesMiddleware(lambda _request: sent)(request).content) + PAGE_HEADERS


@cache
def asset(static: Path, name: str) -> tuple[int, bool]:
    """The weight of one that comes along, and whether it would load others: a second round."""
    content = (static / name).read_bytes()
    smaller = static / f"{name}.gz"
    size = smaller.stat().st_size if smaller.exists() else len(content)
    return size + HEADERS, bool(CHAINS.search(content))
