"""Limits per minute: how exact they are with one process, with several, and without the cache between them."""

from __future__ import annotations

import threading

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client as Browser

from accounts import rates
from accounts.rates import SHARE, Window
from tests.cast import token_request

# In the middle of a minute, so that no test is at two of them.
MINUTE = 29_000_000
NOON = MINUTE * 60 + 30


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as travel:
        yield travel


@pytest.fixture
def processes(monkeypatch, clock):
    """`processes(4)`: counters as so many processes would have, on the one cache; `with` one of them, what is
    counted is counted there."""

    class Process:
        def __init__(self) -> None:
            self.counters = rates._Counters()

        def __enter__(self) -> None:
            monkeypatch.setattr(rates, "_counters", self.counters)

        def __exit__(self, *_error) -> None:
            pass

    return lambda number: [Process() for _ in range(number)]


@pytest.fixture
def cache_is_down(monkeypatch):
    """From now on, or (`False`) not any more."""

    def unreachable(*_args, **_more):
        raise ConnectionError("no cache")

    patch = pytest.MonkeyPatch()

    def switch(down: bool = True) -> None:
        patch.undo()
        if down:
            for name in ("add", "get", "incr", "set"):
                patch.setattr(type(cache._connections[cache._alias]), name, unreachable)

    yield switch
    patch.undo()


def taken(window: Window, tries: int) -> int:
    """How many of so many tries are let through."""
    return sum(not window.wait() for _ in range(tries))


# --- One process ---------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 60, SHARE - 1, SHARE, 2 * SHARE, 300, 3000])
def test_one_process_lets_exactly_the_limit_through(clock, limit):
    window = Window("test", "somebody", limit)

    assert taken(window, limit + 250) == limit
    assert window.exceeded()


def test_no_limit_counts_nothing_and_asks_nobody(clock, cache_is_down, caplog):
    cache_is_down()
    window = Window("test", "somebody", 0)

    assert (window.count(), window.wait(), window.exceeded()) == (0, 0, False)
    assert taken(window, 1000) == 1000
    assert not caplog.records


def test_each_counts_for_themselves(clock):
    one, other = Window("test", "one", 150), Window("test", "other", 150)
    elsewhere = Window("tokens", "one", 150)

    taken(one, 500)

    assert one.exceeded()
    assert not other.exceeded()
    assert not elsewhere.exceeded()
    assert (other.count(), elsewhere.count()) == (1, 1)


def test_to_ask_is_not_to_count(clock):
    for limit in (5, 500):
        window = Window("test", f"of {limit}", limit)
        assert [window.exceeded() for _ in range(2 * limit)] == [False] * 2 * limit
        assert taken(window, 2 * limit) == limit


def test_a_new_minute_begins_at_nothing(clock):
    window = Window("test", "somebody", 200)
    assert taken(window, 300) == 200
    assert window.resets_in() == 30

    clock.move_to(MINUTE * 60 + 59.999)
    assert window.exceeded()
    assert window.resets_in() == 1

    clock.move_to((MINUTE + 1) * 60)
    assert not window.exceeded()
    assert taken(window, 300) == 200
    assert window.resets_in() == 60


def test_what_a_minute_had_not_told_yet_is_not_told_of_the_next(clock):
    window = Window("test", "somebody", 1000)
    taken(window, 9)  # one fewer than is told

    clock.move_to((MINUTE + 1) * 60)

    assert taken(window, 2000) == 1000


def test_threads_that_count_at_once_lose_nothing(clock):
    window = Window("test", "somebody", 10_000)
    allowed = []

    def work() -> None:
        allowed.append(taken(window, 1000))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(allowed) == 8000
    assert window.count() == 8001


def test_a_secret_that_somebody_types_for_an_id_is_not_in_the_cache(clock, monkeypatch):
    keys = []
    monkeypatch.setattr(
        type(cache._connections[cache._alias]),
        "add",
        lambda _self, key, *_more, **_options: keys.append(key),
    )

    Window("test", "lks_a-secret", 5).count()

    assert keys
    assert "lks_a-secret" not in "".join(keys)


# --- Several processes ---------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 4, 8])
@pytest.mark.parametrize("limit", [5, 60, SHARE - 1])
def test_a_small_limit_is_exact_for_all_processes_together(processes, number, limit):
    """Such as the tries of a password."""
    window = Window("test", "somebody", limit)
    allowed = 0
    everybody = processes(number)
    for _ in range(limit + 5):
        for process in everybody:
            with process:
                allowed += not window.wait()

    assert allowed == limit
    for process in everybody:
        with process:
            assert window.exceeded()


def test_a_small_limit_that_others_have_reached_is_reached_for_whoever_just_started(processes):
    window = Window("test", "somebody", 10)
    one, other = processes(2)
    with one:
        taken(window, 10)
    with other:
        assert window.exceeded()
        assert window.wait()


@pytest.mark.parametrize("number", [2, 4, 8])
@pytest.mark.parametrize("limit", [SHARE, 300, 3000])
def test_a_large_limit_is_exceeded_by_no_more_than_what_has_not_been_told(processes, number, limit):
    """By each of the other processes a hundredth at most, and nobody is stopped too early."""
    window = Window("test", "somebody", limit)
    everybody = processes(number)
    allowed = 0
    for _ in range(2 * limit // number + 100):
        for process in everybody:
            with process:
                allowed += not window.wait()

    assert limit <= allowed <= limit + number * (limit // SHARE)


def test_one_after_the_other_they_are_as_exact(processes):
    window = Window("test", "somebody", 1000)
    allowed = 0
    for process in processes(4):
        with process:
            allowed += taken(window, 600)

    assert 1000 <= allowed <= 1000 + 4 * 10


def test_a_large_limit_is_asked_about_without_the_cache(processes, cache_is_down, caplog):
    """What is looked at before every token costs nothing."""
    window = Window("test", "somebody", 300)
    (one,) = processes(1)
    with one:
        taken(window, 300)
        cache_is_down()
        assert window.exceeded()
    assert not caplog.records


def test_a_large_limit_is_told_a_hundredth_at_a_time(processes, monkeypatch):
    told = []
    tell = rates._tell
    monkeypatch.setattr(rates, "_tell", lambda key, count: told.append(count) or tell(key, count))
    (one,) = processes(1)

    with one:
        taken(Window("test", "somebody", 3000), 3000)

    assert told == [30] * 100


# --- Without the cache ---------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [5, SHARE - 1, SHARE, 300, 3000])
def test_without_the_cache_each_process_limits_by_its_own_count(processes, cache_is_down, limit):
    cache_is_down()
    window = Window("test", "somebody", limit)

    assert [_with(process, taken, window, 2 * limit) for process in processes(3)] == [limit] * 3


@pytest.mark.parametrize("limit", [20, 300])
def test_a_cache_that_goes_away_and_comes_back_lets_nobody_begin_anew(processes, cache_is_down, limit):
    window = Window("test", "somebody", limit)
    one, other = processes(2)
    with one:
        assert taken(window, limit // 2) == limit // 2
        cache_is_down()
        assert taken(window, 2 * limit) == limit - limit // 2
        cache_is_down(False)
        assert taken(window, 2 * limit) == 0
    with other:
        # It learns what was told while the cache could be reached.
        assert taken(window, 2 * limit) <= limit - limit // 2 + limit // SHARE + 1


def test_a_cache_that_is_emptied_lets_no_process_begin_anew(processes):
    window = Window("test", "somebody", 300)
    (one,) = processes(1)
    with one:
        taken(window, 250)
        cache.clear()
        assert taken(window, 500) == 50


def test_a_small_limit_without_the_cache_is_still_told_to_be_reached(processes, cache_is_down):
    cache_is_down()
    window = Window("test", "somebody", 5)
    (one,) = processes(1)
    with one:
        taken(window, 10)
        assert window.exceeded()


def test_the_log_says_why_and_not_whose_it_was(clock, cache_is_down, caplog):
    cache_is_down()

    Window("test", "lks_a-secret", 5).wait()

    assert "each process limits by its own count" in caplog.text
    assert "lks_a-secret" not in caplog.text


def test_so_many_counters_are_kept_and_no_more(clock, monkeypatch):
    """Somebody who makes up a client at each try fills no memory."""
    monkeypatch.setattr(rates, "MOST", 50)
    for number in range(500):
        Window("test", f"made up {number}", 300).count()

    assert len(rates._counters._found) <= 51


def test_counters_that_were_let_go_are_found_in_the_cache_again(clock, monkeypatch):
    monkeypatch.setattr(rates, "MOST", 50)
    window = Window("test", "somebody", 300)
    taken(window, 200)
    for number in range(60):
        Window("test", f"made up {number}", 300).count()

    assert 100 <= taken(window, 500) <= 100 + 2 * (300 // SHARE)


# --- What people and programs see of it ----------------------------------------------------------


@pytest.fixture
def service(cast):
    client, secret = cast.client(("Supervisor", cast.home))
    return client.client_id, secret, {"Authorization": f"Bearer {cast.token(client, secret)}"}


@pytest.mark.parametrize("limit", [5, 150])
@pytest.mark.parametrize("down", [False, True], ids=["with cache", "without"])
def test_calls_of_a_token_are_limited_and_answered_with_or_without_the_cache(
    client, service, settings, clock, cache_is_down, limit, down
):
    settings.RATE_API_PER_TOKEN = limit
    cache_is_down(down)
    _id, _secret, headers = service

    statuses = [client.get("/api/v2/tokens/me", headers=headers).status_code for _ in range(limit + 3)]

    assert statuses == [200] * limit + [429] * 3


@pytest.mark.parametrize("down", [False, True], ids=["with cache", "without"])
def test_the_headers_say_how_many_are_left_with_or_without_the_cache(
    client, service, clock, cache_is_down, down
):
    cache_is_down(down)
    _id, _secret, headers = service

    counts = [client.get("/api/v2/tokens/me", headers=headers)["inin-ratelimit-count"] for _ in range(35)]

    assert counts == [str(number) for number in range(1, 36)]


@pytest.mark.parametrize("limit", [4, 120])
@pytest.mark.parametrize("down", [False, True], ids=["with cache", "without"])
def test_wrong_secrets_are_limited_with_or_without_the_cache(
    cast, service, settings, clock, cache_is_down, limit, down
):
    settings.RATE_TOKEN_FAILURES = limit
    cache_is_down(down)
    client_id, secret, _headers = service

    statuses = [token_request(Browser(), client_id, "wrong").status_code for _ in range(limit + 2)]

    assert statuses == [401] * limit + [429] * 2
    # The right secret is not looked at either, from this address and for this minute.
    assert token_request(Browser(), client_id, secret).status_code == 429
    assert token_request(Browser(REMOTE_ADDR="192.0.2.7"), client_id, secret).status_code == 200


@pytest.mark.parametrize("down", [False, True], ids=["with cache", "without"])
def test_tokens_of_a_client_are_limited_with_or_without_the_cache(
    service, settings, clock, cache_is_down, down
):
    settings.RATE_TOKENS_PER_CLIENT = 130
    cache_is_down(down)
    client_id, secret, _headers = service

    statuses = [token_request(Browser(), client_id, secret).status_code for _ in range(133)]

    assert statuses == [200] * 130 + [429] * 3


@pytest.mark.parametrize("down", [False, True], ids=["with cache", "without"])
def test_tries_of_a_password_are_limited_with_or_without_the_cache(
    cast, settings, clock, cache_is_down, down
):
    settings.RATE_SIGN_INS_PER_ADDRESS = 3
    cache_is_down(down)
    browser = Browser()

    statuses = [
        browser.post("/sign-in/", {"email": f"nobody{number}@acme.example", "password": "x"}).status_code
        for number in range(5)
    ]

    assert 500 not in statuses
    assert statuses[:3] == [statuses[0]] * 3
    assert statuses[3:] == [429, 429]


def test_people_sign_in_without_the_cache(cast, browser_of, cache_is_down):
    cache_is_down()

    assert browser_of(cast.ada).get("/admin/").status_code == 200


def test_the_cache_of_these_tests_can_be_switched_off(cache_is_down):
    """Or they would show nothing."""
    cache_is_down()
    with pytest.raises(ConnectionError):
        cache.get("x")
    cache_is_down(False)
    assert cache.get("x") is None


def _with(process, what, *args):
    with process:
        return what(*args)


def test_what_was_typed_is_not_kept():
    """A secret where an id belongs, or a book."""
    rates.Window("token-failures", "x" * 100_000, 300).count()

    assert all(len(part) <= 64 for key in rates._counters._found for part in key)
