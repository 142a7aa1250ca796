"""What a browser really fetches of the running server: how much, in how many rounds, and nothing twice."""

from __future__ import annotations

import pytest

from tests.screens.scales import HEADERS, MOST, PAGE_HEADERS

LIST = "/admin/integrations/oauth/"


@pytest.fixture
def fetched(page_of):
    """`fetched("/admin/")`: what came over the wire for a page that Ada opens, by address: size with all headers,
    whether it came from the browser's cache, who asked for it, and the headers."""
    page = page_of("ada")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    seen: dict[str, dict] = {}
    by_id: dict[str, dict] = {}

    def asked(event):
        one = {"by": event["initiator"].get("url", ""), "type": event["type"], "cached": False, "size": 0}
        seen[event["request"]["url"]] = by_id[event["requestId"]] = one

    session.on("Network.requestWillBeSent", asked)
    session.on(
        "Network.requestServedFromCache", lambda event: by_id[event["requestId"]].update(cached=True)
    )
    session.on(
        "Network.responseReceived",
        lambda event: by_id[event["requestId"]].update(
            headers={name.lower(): value for name, value in event["response"]["headers"].items()},
            cached=event["response"].get("fromDiskCache", False) or by_id[event["requestId"]]["cached"],
            head=event["response"]["encodedDataLength"],
        ),
    )
    session.on(
        "Network.loadingFinished",
        lambda event: by_id[event["requestId"]].update(size=event["encodedDataLength"]),
    )

    def open_it(address: str, fresh: bool = False):
        if fresh:
            session.send("Network.clearBrowserCache")
        seen.clear()
        page.goto(address, wait_until="networkidle")
        return dict(seen)

    yield open_it
    session.detach()


def test_a_first_visit_is_light_and_comes_in_one_round_and_later_ones_bring_the_page_alone(fetched, served):
    made = served.demo["clients"]["code"]["client_id"]
    heaviest = f"{LIST}{made}/edit/"
    first = fetched(heaviest, fresh=True)
    page = next(url for url in first if url.endswith(heaviest))
    assets = {url: one for url, one in first.items() if url != page}
    assert len(assets) > 20
    assert sum(one["size"] for one in first.values()) < MOST
    assert first[page]["headers"]["content-encoding"] == "gzip"
    assert first[page]["head"] <= PAGE_HEADERS
    assert "no-store" in first[page]["headers"]["cache-control"]
    for url, one in assets.items():
        assert one["by"] in (page, ""), f"{url} is asked for by {one['by']}: a second round"
        assert one["headers"]["cache-control"] == "max-age=315360000, public, immutable", url
        assert one["headers"].get("content-encoding") == "gzip" or one["size"] < HEADERS + 400, url
        assert one["head"] <= HEADERS, url

    again = fetched(LIST)
    assert [url for url, one in again.items() if not one["cached"]] == [served.base_url + LIST]
