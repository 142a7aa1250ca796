"""No page is forgotten."""

from __future__ import annotations

import gzip

from tests.screens.catalogue import NO_PAGE, every_screen, names_of_addresses

HOW = (
    "no screen shows these addresses: {}. Add a scene for each to a file of tests/screens/scenes/, one for every "
    "state that it can be in (tests/screens/catalogue.py says how), or, where no page is shown, a line to NO_PAGE there."
)


def test_every_page_is_a_screen():
    shown = {screen.url_name for screen in every_screen().values()} - {""}
    named = set(names_of_addresses())
    forgotten = named - shown - set(NO_PAGE)
    assert not forgotten, HOW.format(", ".join(sorted(forgotten)))
    assert not (shown | set(NO_PAGE)) - named, "these addresses are gone"
    assert not shown & set(NO_PAGE), "these addresses show a page after all"


def test_what_is_weighed_is_what_is_served(collected):
    packed = list(collected.rglob("*.gz"))
    assert packed
    for file in packed:
        assert gzip.decompress(file.read_bytes()) == file.with_suffix("").read_bytes()
