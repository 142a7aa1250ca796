"""What `manage.py serve` runs: Django behind a door that waits for slow senders, so that Django does not.

granian hands a request over before its body has arrived, and whoever reads the body waits for it. On
SQLite only one thread works (it has one writer at a time), and a single sender that falls silent would
stop the server. So bodies are read here, by many cheap threads, and only whole requests go on to the few
threads that work and hold database connections.

This is no protection against somebody who opens very many connections on purpose: a public server stands
behind a proxy that buffers requests (docs/operations.md).
"""

from __future__ import annotations

import gc
import io
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from queue import SimpleQueue
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

Environ = dict[str, Any]
Answer = tuple[str, list[tuple[str, str]], Iterable[bytes]]

# What a program asks for gets an answer that a program can read.
JSON_PATHS = ("/api/", "/oauth/", "/.well-known/")
# Of `environ`: a form was left unread, for which config/views.py has a page.
TOO_LARGE = "latchkey.too_large"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

# How many senders may be slow at the same time, per worker process.
READING_THREADS = 64


class WholeRequests:
    """A WSGI application that reads each body to its end, or to `largest` bytes, before `application`
    answers in one of `threads` threads."""

    def __init__(self, application: Callable[..., Any], *, threads: int, largest: int) -> None:
        self.application = application
        self.largest = largest
        # Of the standard library's pools and queues, the one that wakes its threads with the least ado.
        self.waiting: SimpleQueue[_Asked | None] = SimpleQueue()
        self.threads = [
            threading.Thread(target=self.work, name=f"work_{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self.threads:
            thread.start()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.read_body(environ)
        asked = _Asked(environ)
        self.waiting.put(asked)
        asked.answered.acquire()
        if asked.error is not None:
            raise asked.error
        assert asked.answer is not None
        status, headers, content = asked.answer
        start_response(status, headers)
        return content

    def work(self) -> None:
        while (asked := self.waiting.get()) is not None:
            try:
                asked.answer = self.answer(asked.environ)
            except BaseException as error:
                asked.error = error
            asked.answered.release()

    def stop(self) -> None:
        """Lets the working threads end when they have done what waits."""
        for _thread in self.threads:
            self.waiting.put(None)

    def read_body(self, environ: Environ) -> None:
        """What is too large is left unread: the application refuses it by its announced length. A chunked
        body announces none, and gets it here. Of a form only a note goes on that it was too large: looking
        for its token, the application would read what is not there."""
        announced = environ.get("CONTENT_LENGTH") or ""
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        body = b""
        if announced.isdecimal() and int(announced) <= self.largest:
            body = _read(environ["wsgi.input"], int(announced))
        elif chunked and not announced:
            body = _read(environ["wsgi.input"], self.largest + 1)
            environ["CONTENT_LENGTH"] = str(len(body))
        too_large = len(body) > self.largest or (announced.isdecimal() and int(announced) > self.largest)
        if too_large and _is_form(environ):
            environ[TOO_LARGE] = True
            environ["CONTENT_LENGTH"], body = "0", b""
        environ["wsgi.input"] = io.BytesIO(body)

    def answer(self, environ: Environ) -> Answer:
        """Runs in a working thread, from the first line to `close`, which ends Django's request. An answer
        that is made while it is sent, because nobody can hold it whole, is left to the sender's thread."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started[:] = [status, headers]

        response = self.application(environ, start_response)
        if getattr(response, "streaming", False) and not hasattr(response, "file_to_stream"):
            return started[0], started[1], Streamed(response)
        try:
            content = b"".join(response)
        finally:
            if hasattr(response, "close"):
                response.close()
        return started[0], started[1], [content]


class Streamed:
    """An answer that reads the database as it goes, in a thread that has no connection otherwise: a slow
    reader keeps none of the working threads. `close` is called also when the reader went away."""

    def __init__(self, response: Any) -> None:
        self.response = response

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.response)

    def close(self) -> None:
        from django.db import connections

        self.response.close()
        connections.close_all()


class _Asked:
    """A request on its way through a working thread, which releases `answered`."""

    def __init__(self, environ: Environ) -> None:
        self.environ = environ
        self.answer: Answer | None = None
        self.error: BaseException | None = None
        self.answered = threading.Lock()
        self.answered.acquire()


def _is_form(environ: Environ) -> bool:
    """Of a page. What programs send is refused where it arrives, in their own shape."""
    kind = environ.get("CONTENT_TYPE", "").lower()
    return kind.startswith(FORMS) and not environ.get("PATH_INFO", "").startswith(JSON_PATHS)


def _read(stream: Any, size: int) -> bytes:
    """Up to `size` bytes, however small the pieces in which they come."""
    pieces = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def make_application() -> WholeRequests:
    """The factory that granian calls in each worker."""
    application = import_module("config.wsgi").application  # before what needs the models
    from django.conf import settings
    from django.db import connection
    from django.urls import get_resolver

    from config.housekeeping import Housekeeper

    Housekeeper().start()
    get_resolver().reverse_dict  # noqa: B018  # reads every view, which the first request would wait for
    # What is there by now stays: looking through it again and again for garbage is for nothing.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    # One writer at a time is what SQLite has: more threads would only wait for its lock.
    suits_database = 1 if connection.vendor == "sqlite" else 4
    return WholeRequests(
        application,
        threads=settings.THREADS or suits_database,
        largest=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    )
