"""What many tests start from is made once for all that follow each other: its rows lie in a transaction that
stays open, and each test has a savepoint of its own in it, which is rolled back.

    @standing
    def world(cast):
        return World(cast)

is a fixture like any other. It may ask for the database and for other standing fixtures; where it asks for
anything else, or the test commits, it is made for that test alone. What a test gets is its own copy, made by
pickle, so that nothing it does to an object reaches the next.
"""

from __future__ import annotations

import copyreg
import inspect
import io
import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.cache import cache
from django.db import transaction
from django.test import Client as Browser
from django.test.client import ClientHandler

from accounts import rates
from oauthclients.services import refusals, usage


def forget() -> None:
    """Empties what a process keeps beside the database."""
    cache.clear()
    rates.forget()
    usage.forget()
    refusals.forget()


def _of_a_browser(browser: Browser) -> tuple[Any, ...]:
    """Who is signed in, without what only a request needs."""
    state = {**vars(browser), "handler": ClientHandler(browser.handler.enforce_csrf_checks)}
    return copyreg.__newobj__, (type(browser),), state  # type: ignore[attr-defined]


copyreg.pickle(Browser, _of_a_browser)


class _Pickler(pickle.Pickler):
    """Leaves keys, which never change, where they are."""

    def __init__(self, file: io.BytesIO, keys: list[Any]) -> None:
        super().__init__(file)
        self.keys = keys

    def persistent_id(self, obj: Any) -> int | None:
        if not isinstance(obj, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            return None
        self.keys.append(obj)
        return len(self.keys) - 1


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, keys: list[Any]) -> None:
        super().__init__(file)
        self.keys = keys

    def persistent_load(self, pid: int) -> Any:
        return self.keys[pid]


@dataclass
class _Layer:
    name: str
    make: Callable[..., Any]
    atomic: transaction.Atomic
    # This and what lies below, by name; and the keys in it.
    values: bytes
    keys: list[Any]


class Ground:
    """What stands, one upon the other, in nested transactions; `now` are the copies of the running test."""

    def __init__(self) -> None:
        self.layers: list[_Layer] = []
        self.now: dict[str, Any] = {}

    def stand_on(self, wanted: list[tuple[str, Callable[..., Any]]]) -> None:
        """Keeps what is wanted again, from below; drops the rest, and makes what lacks."""
        same = 0
        for layer, (_name, make) in zip(self.layers, wanted, strict=False):
            if layer.make is not make:
                break
            same += 1
        self.drop(same)
        for name, make in wanted[same:]:
            self._lay(name, make)
        self.now = self._values()

    def drop(self, keep: int = 0) -> None:
        self.now = {}
        while len(self.layers) > keep:
            transaction.set_rollback(True)
            self.layers.pop().atomic.__exit__(None, None, None)

    def _lay(self, name: str, make: Callable[..., Any]) -> None:
        values = self._values()
        atomic = transaction.atomic()
        atomic.__enter__()
        # As Django's own around a test: what is inside may be durable.
        atomic._from_testcase = True  # type: ignore[attr-defined]
        self.layers.append(_Layer(name, make, atomic, b"", []))
        try:
            values[name] = make(
                **{asked: values.get(asked) for asked in inspect.signature(make).parameters}
            )
            file = io.BytesIO()
            _Pickler(file, self.layers[-1].keys).dump(values)
            self.layers[-1].values = file.getvalue()
        except BaseException:
            self.drop(len(self.layers) - 1)
            raise
        forget()

    def _values(self) -> dict[str, Any]:
        if not self.layers:
            return {}
        top = self.layers[-1]
        return _Unpickler(io.BytesIO(top.values), top.keys).load()


def standing(make: Callable[..., Any]) -> Any:
    """A fixture that may stand while the tests come and go."""
    parameters = inspect.signature(make).parameters

    def given(_ground: Ground, **asked: Any) -> Any:
        return _ground.now[make.__name__] if make.__name__ in _ground.now else make(**asked)

    given.__name__, given.__doc__, given.__module__ = make.__name__, make.__doc__, make.__module__
    given.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            for name in ("_ground", *parameters)
        ]
    )
    given.make = make  # type: ignore[attr-defined]
    return pytest.fixture(given)


def wanted_by(request: pytest.FixtureRequest) -> list[tuple[str, Callable[..., Any]]]:
    """The standing fixtures of a test, each after those that it asks for."""
    fixtures = request._pyfuncitem._fixtureinfo.name2fixturedefs
    makes = {name: getattr(found[-1].func, "make", None) for name, found in fixtures.items() if found}
    order: dict[str, Callable[..., Any]] = {}

    def may_stand(name: str) -> bool:
        make = makes.get(name)
        if name not in order and make and _all(map(may_stand, _asked(make))):
            order[name] = make
        return name in order

    _all(map(may_stand, request.fixturenames))
    return list(order.items())


def _asked(make: Callable[..., Any]) -> Iterable[str]:
    return (name for name in inspect.signature(make).parameters if name != "db")


def _all(answers: Iterable[bool]) -> bool:
    """All of them, each asked."""
    return all(list(answers))
